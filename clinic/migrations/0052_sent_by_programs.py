"""Keep on an appointment what was sent of its patient and differs from what is stored of the patient; a clinic may
refuse appointments of programs that are shorter than their procedures; and a program may register a patient whose phone
it does not know.

Nothing is rewritten: what is not null has a default of the database's, also for a process of the version before, which
knows no such columns. 0053 looks at the rows that are there. The way back is open when there are events of the new
kind, and patients without a phone: both stay, and the narrower constraint of kinds holds for new ones only.
"""

import phonenumber_field.modelfields
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

KINDS = [
    ("booked", "Agendado"),
    ("rescheduled", "Remarcado"),
    ("status_changed", "Situação alterada"),
    ("annotated", "Observações alteradas"),
    ("procedures", "Procedimentos alterados"),
    ("payer", "Convênio alterado"),
    ("unverified", "Dado a confirmar decidido"),
    ("not_reached", "Não atendeu o telefone"),
    ("time_zone", "Fuso horário alterado"),
]
KNOWN_KINDS = """
ALTER TABLE clinic_appointmentevent DROP CONSTRAINT appointmentevent_kind_known;
ALTER TABLE clinic_appointmentevent ADD CONSTRAINT appointmentevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
OLD_KINDS = "'booked', 'rescheduled', 'status_changed', 'annotated', 'procedures', 'payer', 'not_reached', 'time_zone'"


def text(length):
    return models.CharField(blank=True, db_default="", default="", max_length=length)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0051_changed_at")]

    operations = [
        migrations.AddField("appointment", "unverified_name", text(160)),
        migrations.AddField("appointment", "unverified_phone", text(16)),
        migrations.AddField("appointment", "unverified_birth_date", models.DateField(blank=True, null=True)),
        migrations.AddField(
            "clinic",
            "requires_duration",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="Desligado, um agendamento que chega pela API ImageMais pode ser mais curto do que os seus"
                " procedimentos, e a agenda mostra quantos minutos faltam.",
                verbose_name="exige a duração dos procedimentos",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE clinic_patient ALTER COLUMN phone DROP NOT NULL",
            migrations.RunSQL.noop,
            state_operations=[
                migrations.AlterField(
                    "patient",
                    "phone",
                    phonenumber_field.modelfields.PhoneNumberField(
                        blank=True, max_length=128, null=True, region=None, verbose_name="telefone"
                    ),
                )
            ],
        ),
        AddConstraintNotValid(
            "appointment",
            models.CheckConstraint(
                condition=models.Q(
                    ("unverified_phone", ""), ("unverified_phone__regex", r"^\+[1-9]\d{1,14}$"), _connector="OR"
                ),
                name="appointment_unverified_phone_e164",
            ),
        ),
        migrations.AlterField(
            "appointmentevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=f"{OLD_KINDS}, 'unverified'"),
            KNOWN_KINDS.format(kinds=OLD_KINDS),
            state_operations=[
                migrations.RemoveConstraint("appointmentevent", "appointmentevent_kind_known"),
                migrations.AddConstraint(
                    "appointmentevent",
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", [kind for kind, _ in KINDS])),
                        name="appointmentevent_kind_known",
                    ),
                ),
            ],
        ),
    ]
