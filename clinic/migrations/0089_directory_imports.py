"""Spreadsheets of procedures and of doctors beside those of patients and appointments.

A column of rows that pass after 30 days, which may be null; a constraint, checked against a few runs. The way back
is closed once there is a run of the two new kinds: the older constraint refuses it.
"""

from django.db import migrations, models
from django.db.models import Q

KIND = "importrun_kind_known"


class Migration(migrations.Migration):
    dependencies = [("clinic", "0088_clinic_archives")]

    operations = [
        migrations.RemoveConstraint(model_name="importrun", name=KIND),
        migrations.AlterField(
            model_name="importrun",
            name="kind",
            field=models.CharField(
                choices=[
                    ("procedures", "Procedimentos"),
                    ("doctors", "Médicos(as)"),
                    ("patients", "Pacientes"),
                    ("appointments", "Agendamentos"),
                ],
                max_length=12,
                verbose_name="tipo",
            ),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=["procedures", "doctors", "patients", "appointments"]), name=KIND
            ),
        ),
        migrations.AddField(model_name="importrow", name="procedure_id", field=models.BigIntegerField(null=True)),
    ]
