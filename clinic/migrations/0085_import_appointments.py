"""Spreadsheets of appointments beside those of patients: four columns and two indexes of rows that pass after 30 days.

The columns may be null, so nothing is rewritten; the constraint is checked against a few runs.
"""

from django.db import migrations, models
from django.db.models import Q

KIND = "importrun_kind_known"


class Migration(migrations.Migration):
    dependencies = [("clinic", "0084_retention")]

    operations = [
        migrations.RemoveConstraint(model_name="importrun", name=KIND),
        migrations.AlterField(
            model_name="importrun",
            name="kind",
            field=models.CharField(
                choices=[("patients", "Pacientes"), ("appointments", "Agendamentos")], max_length=12, verbose_name="tipo"
            ),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.CheckConstraint(condition=Q(kind__in=["patients", "appointments"]), name=KIND),
        ),
        migrations.AddField(model_name="importrow", name="doctor_id", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="importrow", name="starts_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="importrow", name="ends_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="importrow", name="appointment_id", field=models.BigIntegerField(null=True)),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(
                fields=["run", "doctor_id", "starts_at"],
                condition=Q(doctor_id__isnull=False),
                name="importrow_doctor_time",
            ),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(
                fields=["clinic", "appointment_id"],
                condition=Q(appointment_id__isnull=False),
                name="importrow_appointment",
            ),
        ),
    ]
