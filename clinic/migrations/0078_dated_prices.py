"""Prices that begin on a date, and their rises: two tables of their own, empty at first. The price that a procedure has
already stays in its column, so that nothing is rewritten."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0077_staff_links'),
    ]

    operations = [
        migrations.CreateModel(
            name='PriceRise',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField(verbose_name='vale de')),
                ('percentage', models.DecimalField(decimal_places=2, max_digits=6, null=True, verbose_name='porcentagem')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=10, null=True, verbose_name='valor')),
                ('rounding', models.DecimalField(decimal_places=2, default=0, max_digits=4, verbose_name='arredondamento')),
                ('changes', models.JSONField(default=list)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='feito em')),
                ('taken_back_at', models.DateTimeField(null=True, verbose_name='desfeito em')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('made_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='feito por')),
                ('taken_back_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='desfeito por')),
            ],
            options={
                'verbose_name': 'reajuste de preços',
                'verbose_name_plural': 'reajustes de preços',
                'ordering': ['-made_at', '-pk'],
                'indexes': [models.Index(fields=['clinic', '-made_at'], name='pricerise_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('amount__isnull', False), ('percentage__isnull', True)), models.Q(('amount__isnull', True), ('percentage__isnull', False)), _connector='OR'), name='pricerise_percentage_or_amount'), models.CheckConstraint(condition=models.Q(models.Q(('taken_back_at', None), ('taken_back_by', None)), models.Q(('taken_back_at__isnull', False), ('taken_back_by__isnull', False)), _connector='OR'), name='pricerise_taken_back_by')],
            },
        ),
        migrations.CreateModel(
            name='ProcedurePrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('price', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='preço')),
                ('valid_from', models.DateField(verbose_name='vale de')),
                ('valid_until', models.DateField(blank=True, help_text='Vazio: sem fim.', null=True, verbose_name='vale até')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('payer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='clinic.payer', verbose_name='convênio')),
                ('procedure', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dated_prices', to='clinic.procedure', verbose_name='procedimento')),
            ],
            options={
                'verbose_name': 'preço',
                'verbose_name_plural': 'preços',
                'ordering': ['procedure', 'payer', 'valid_from', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('clinic', 'procedure', 'payer', 'valid_from'), name='procedureprice_once_a_date', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='procedureprice_not_negative'), models.CheckConstraint(condition=models.Q(('valid_until', None), models.Q(('payer__isnull', False), ('valid_until__gte', models.F('valid_from'))), _connector='OR'), name='procedureprice_ends_for_payer')],
            },
        ),
    ]
