"""The book of incidents and the proof of the retention job, both append-only and empty at first; and a look at every
patient and every event of patients, once, for the constraints of 0083."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models


TABLES = ("incident", "retentionrun")
APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON clinic_{table}
    FOR EACH ROW EXECUTE FUNCTION clinic_append_only();
"""
    for table in TABLES
)
DROP_TRIGGERS = "".join(f"DROP TRIGGER {table}_append_only ON clinic_{table};" for table in TABLES)


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0083_data_requests'),
    ]

    operations = [
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known_at', models.DateTimeField(verbose_name='quando se soube')),
                ('text', models.TextField(max_length=4000, verbose_name='o que aconteceu e o que foi feito')),
                ('affected', models.PositiveIntegerField(blank=True, null=True, verbose_name='pessoas afetadas')),
                ('written_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('about', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='follow_ups', to='clinic.incident')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('written_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'incidente',
                'verbose_name_plural': 'incidentes',
                'ordering': ['-known_at', 'pk'],
                'indexes': [models.Index(fields=['clinic', 'known_at'], name='incident_clinic_known_at')],
            },
        ),
        migrations.CreateModel(
            name='RetentionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='data')),
                ('credential', models.CharField(blank=True, help_text='Name of the command.', max_length=80)),
                ('done', models.JSONField(default=dict)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('user', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'retenção aplicada',
                'verbose_name_plural': 'retenções aplicadas',
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['clinic', 'at'], name='retentionrun_clinic_at')],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, DROP_TRIGGERS),
        ValidateConstraint("patientevent", "patientevent_kind_known"),
        ValidateConstraint("patient", "patient_blocked_is_blank"),
    ]
