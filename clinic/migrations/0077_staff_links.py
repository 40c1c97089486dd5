"""Links by which staff choose an own password, and what else a row of staff may.

A table of its own, empty at first; the columns are null or have a default of the database's, so that nothing is
rewritten. Staff are few: the constraint is checked at once.
"""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0076_take_back_imports'),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invitation', 'Convite'), ('reset', 'Senha nova')], max_length=10, verbose_name='tipo')),
                ('name', models.CharField(max_length=120, verbose_name='nome')),
                ('digest', models.CharField(max_length=64)),
                ('form_key', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='criado em')),
                ('expires_at', models.DateTimeField(verbose_name='vale até')),
                ('used_at', models.DateTimeField(blank=True, null=True, verbose_name='usado em')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revogado em')),
            ],
            options={
                'verbose_name': 'link de acesso',
                'verbose_name_plural': 'links de acesso',
                'ordering': ['-created_at', '-pk'],
            },
        ),
        migrations.AddField(
            model_name='staffuser',
            name='max_discount_percent',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Da recepção: o máximo do preço que um agendamento na tela pode ter de desconto. Vazio: sem limite.', null=True, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='desconto até (%)'),
        ),
        migrations.AddField(
            model_name='staffuser',
            name='may_export',
            field=models.BooleanField(db_default=False, default=False, help_text='Da recepção: os arquivos para planilhas das listas e dos relatórios que ela vê. O de todos os pacientes, com documentos, é só da gestão, que sempre pode exportar.', verbose_name='pode exportar'),
        ),
        migrations.AddField(
            model_name='staffuser',
            name='may_see_reports',
            field=models.BooleanField(db_default=False, default=False, help_text='Da recepção. A gestão sempre pode.', verbose_name='pode ver relatórios'),
        ),
        migrations.AddField(
            model_name='staffuser',
            name='sessions_ended_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='sessões encerradas pela gestão'),
        ),
        migrations.AddConstraint(
            model_name='staffuser',
            constraint=models.CheckConstraint(condition=models.Q(('max_discount_percent', None), ('max_discount_percent__lte', 100), _connector='OR'), name='staffuser_discount_0_to_100'),
        ),
        migrations.AddField(
            model_name='stafflink',
            name='clinic',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica'),
        ),
        migrations.AddField(
            model_name='stafflink',
            name='created_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='stafflink',
            name='revoked_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='stafflink',
            name='user',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='links', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='stafflink',
            index=models.Index(fields=['digest'], name='stafflink_digest'),
        ),
        migrations.AddConstraint(
            model_name='stafflink',
            constraint=models.UniqueConstraint(fields=('clinic', 'digest'), name='stafflink_digest_once'),
        ),
        migrations.AddConstraint(
            model_name='stafflink',
            constraint=models.UniqueConstraint(fields=('clinic', 'form_key'), name='stafflink_form_key_once'),
        ),
        migrations.AddConstraint(
            model_name='stafflink',
            constraint=models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='stafflink_digest_hex'),
        ),
        migrations.AddConstraint(
            model_name='stafflink',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['invitation', 'reset'])), name='stafflink_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='stafflink',
            constraint=models.CheckConstraint(condition=models.Q(('used_at', None), ('revoked_at', None), _connector='OR'), name='stafflink_used_or_revoked'),
        ),
    ]
