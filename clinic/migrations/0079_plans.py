"""What a plan is taken for: until when, by whom, on which weekdays and how often a day; and free returns.

Nothing is rewritten: the columns are null, or have a default of the database's. The constraints look at tables of a few
rows a clinic."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0078_dated_prices'),
    ]

    operations = [
        migrations.CreateModel(
            name='PayerDoctor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, verbose_name='dias da semana')),
                ('per_day', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='no máximo por dia')),
            ],
            options={
                'verbose_name': 'quem atende pelo convênio',
                'verbose_name_plural': 'quem atende pelo convênio',
                'ordering': ['payer', 'doctor__sort_name', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='payer',
            name='per_day',
            field=models.PositiveSmallIntegerField(blank=True, help_text='De toda a clínica. Vazio: quantos couberem.', null=True, verbose_name='no máximo por dia'),
        ),
        migrations.AddField(
            model_name='payer',
            name='requires_authorization',
            field=models.BooleanField(db_default=False, default=False, help_text='Sem o número da guia nada é agendado por ele.', verbose_name='exige a guia'),
        ),
        migrations.AddField(
            model_name='payer',
            name='valid_from',
            field=models.DateField(blank=True, help_text='Vazio: desde sempre.', null=True, verbose_name='aceito de'),
        ),
        migrations.AddField(
            model_name='payer',
            name='valid_until',
            field=models.DateField(blank=True, help_text='O dia do atendimento conta. Vazio: sem fim.', null=True, verbose_name='aceito até'),
        ),
        migrations.AddField(
            model_name='procedure',
            name='return_days',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Dias depois de uma visita paga e finalizada com o mesmo médico. Vazio: o retorno é cobrado.', null=True, verbose_name='retorno sem custo em até'),
        ),
        migrations.AddConstraint(
            model_name='payer',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_until', None), ('valid_until__gte', models.F('valid_from')), _connector='OR'), name='payer_valid_in_order'),
        ),
        migrations.AddConstraint(
            model_name='payer',
            constraint=models.CheckConstraint(condition=models.Q(('per_day', None), ('per_day__gte', 1), _connector='OR'), name='payer_per_day_above_zero'),
        ),
        migrations.AddConstraint(
            model_name='procedure',
            constraint=models.CheckConstraint(condition=models.Q(('return_days', None), models.Q(('return_days__gte', 1), ('return_days__lte', 365)), _connector='OR'), name='procedure_return_days_to_365'),
        ),
        migrations.AddField(
            model_name='payerdoctor',
            name='clinic',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica'),
        ),
        migrations.AddField(
            model_name='payerdoctor',
            name='doctor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='taken_payers', to='clinic.doctor', verbose_name='médico(a)'),
        ),
        migrations.AddField(
            model_name='payerdoctor',
            name='payer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='takers', to='clinic.payer', verbose_name='convênio'),
        ),
        migrations.AddConstraint(
            model_name='payerdoctor',
            constraint=models.UniqueConstraint(fields=('clinic', 'payer', 'doctor'), name='payerdoctor_once'),
        ),
        migrations.AddConstraint(
            model_name='payerdoctor',
            constraint=models.CheckConstraint(condition=models.Q(('weekdays__contained_by', [1, 2, 3, 4, 5, 6, 7])), name='payerdoctor_weekdays_iso'),
        ),
        migrations.AddConstraint(
            model_name='payerdoctor',
            constraint=models.CheckConstraint(condition=models.Q(('per_day', None), ('per_day__gte', 1), _connector='OR'), name='payerdoctor_per_day_above_zero'),
        ),
    ]
