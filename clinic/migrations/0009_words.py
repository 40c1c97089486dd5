"""Labels of choices and of a model in better words. No SQL: nothing in the database changes, no lock is taken."""

import django.contrib.postgres.fields
from django.db import migrations, models

SCOPES = [
    ("appointments:read", "ver agendamentos"),
    ("appointments:write", "agendar e alterar"),
    ("directory:read", "ver médicos, procedimentos e a clínica"),
    ("patients:read", "ver pacientes"),
]
STATUSES = [
    ("scheduled", "Agendado"),
    ("confirmed", "Confirmado"),
    ("checked_in", "Check-in"),
    ("in_service", "Em atendimento"),
    ("finished", "Finalizado"),
    ("no_show", "Faltou"),
    ("cancelled", "Cancelado"),
    ("rescheduled", "Remarcado"),
]
ROLES = [("receptionist", "Recepção"), ("manager", "Gestão"), ("master", "Administrador (master)")]


class Migration(migrations.Migration):
    dependencies = [("clinic", "0008_patient_died")]

    operations = [
        migrations.AlterModelOptions(
            name="workinghours",
            options={
                "ordering": ["weekday", "starts", "pk"],
                "verbose_name": "horário de atendimento",
                "verbose_name_plural": "horários de atendimento",
            },
        ),
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=SCOPES, max_length=20), verbose_name="permissões"
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="status",
            field=models.CharField(choices=STATUSES, default="scheduled", max_length=12, verbose_name="situação"),
        ),
        migrations.AlterField(
            model_name="staffuser",
            name="role",
            field=models.CharField(choices=ROLES, default="receptionist", max_length=12, verbose_name="função"),
        ),
    ]
