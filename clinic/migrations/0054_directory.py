"""What programs may change of a clinic's directory: its uuid, phone, address and town, and a kind of event for it.

Clinics and their events are few, so that the table is rewritten and every row looked at at once. The way back leaves
the events as they are: the narrower constraint holds for new ones only.
"""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.functions
from django.db import migrations, models

KINDS = [
    ("time_zone", "Fuso horário alterado"),
    ("absence", "Ausência ou fechamento"),
    ("delay", "Atraso"),
    ("directory", "Cadastro alterado por programa"),
]
SCOPES = [
    ("appointments:read", "ver agendamentos"),
    ("appointments:write", "agendar e alterar"),
    ("directory:read", "ver médicos, procedimentos e a clínica"),
    ("directory:write", "alterar médicos, procedimentos e a clínica"),
    ("patients:read", "ver pacientes"),
]
KNOWN_KINDS = """
ALTER TABLE clinic_clinicevent DROP CONSTRAINT clinicevent_kind_known;
ALTER TABLE clinic_clinicevent ADD CONSTRAINT clinicevent_kind_known CHECK (kind IN ({kinds})) {looked_at}
"""
OLD_KINDS = "'time_zone', 'absence', 'delay'"


def text(label, length, **options):
    return models.CharField(blank=True, db_default="", default="", max_length=length, verbose_name=label, **options)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0053_validate_sent")]

    operations = [
        migrations.AddField(
            "clinic",
            "uuid",
            models.UUIDField(
                db_default=django.contrib.postgres.functions.RandomUUID(),
                default=uuid.uuid4,
                editable=False,
                unique=True,
            ),
        ),
        migrations.AddField("clinic", "phone", text("telefone", 16, help_text="Por ele as pessoas ligam; um robô o diz.")),
        migrations.AddField("clinic", "address", text("endereço da clínica", 160)),
        migrations.AddField("clinic", "town", text("cidade", 80)),
        migrations.AddConstraint(
            "clinic",
            models.CheckConstraint(
                condition=models.Q(("phone__regex", r"^(\+[1-9]\d{1,14})?$")), name="clinic_phone_e164"
            ),
        ),
        migrations.AlterField(
            "apikey",
            "scopes",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=SCOPES, max_length=20), verbose_name="permissões"
            ),
        ),
        migrations.AlterField(
            "clinicevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=f"{OLD_KINDS}, 'directory'", looked_at=""),
            KNOWN_KINDS.format(kinds=OLD_KINDS, looked_at="NOT VALID"),
            state_operations=[
                migrations.RemoveConstraint("clinicevent", "clinicevent_kind_known"),
                migrations.AddConstraint(
                    "clinicevent",
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", [kind for kind, _ in KINDS])), name="clinicevent_kind_known"
                    ),
                ),
            ],
        ),
    ]
