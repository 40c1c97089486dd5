"""Who pays beside the patient: the payers of a clinic, the plan of a patient, and the payer of an appointment.

Nothing is rewritten: what is not null has a default of the database's, also for a process of the version before, which
knows no such columns. A payer is of the same clinic as the row that names it: a composite key says so, in the place of
Django's. 0050 looks at the rows that are there, without a lock that others wait for. The way back is open when there
are events of the new kind: they stay, and the narrower constraint holds for new ones only.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import clinic.models.ranges

KINDS = [
    ("booked", "Agendado"),
    ("rescheduled", "Remarcado"),
    ("status_changed", "Situação alterada"),
    ("annotated", "Observações alteradas"),
    ("procedures", "Procedimentos alterados"),
    ("payer", "Convênio alterado"),
    ("not_reached", "Não atendeu o telefone"),
    ("time_zone", "Fuso horário alterado"),
]
KNOWN_KINDS = """
ALTER TABLE clinic_appointmentevent DROP CONSTRAINT appointmentevent_kind_known;
ALTER TABLE clinic_appointmentevent ADD CONSTRAINT appointmentevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
OLD_KINDS = "'booked', 'rescheduled', 'status_changed', 'annotated', 'procedures', 'not_reached', 'time_zone'"
OF_CLINIC = """
ALTER TABLE clinic_{table} ADD CONSTRAINT {table}_payer_of_clinic
FOREIGN KEY (clinic_id, payer_id) REFERENCES clinic_payer (clinic_id, id) NOT VALID
"""
NOT_OF_CLINIC = "ALTER TABLE clinic_{table} DROP CONSTRAINT {table}_payer_of_clinic"


def text(label, length):
    return models.CharField(blank=True, db_default="", default="", max_length=length, verbose_name=label)


def payer():
    return models.ForeignKey(
        blank=True,
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="clinic.payer",
        verbose_name="convênio",
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0048_doctor_title")]

    operations = [
        migrations.CreateModel(
            "Payer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("health_plan", "convênio"),
                            ("subsystem", "ADSE ou outro subsistema"),
                            ("insurance", "seguro de saúde"),
                            ("sns", "convenção com o SNS"),
                            ("other", "outra entidade"),
                        ],
                        max_length=11,
                        verbose_name="tipo",
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="nome")),
                (
                    "folded_name",
                    models.GeneratedField(
                        db_persist=True, expression=clinic.models.ranges.Fold("name"), output_field=models.TextField()
                    ),
                ),
                (
                    "ans_number",
                    models.CharField(
                        blank=True,
                        help_text="Os seis dígitos do registro da operadora na ANS.",
                        max_length=6,
                        verbose_name="registro ANS",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="aceito")),
                (
                    "clinic",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
            ],
            options={
                "verbose_name": "convênio",
                "verbose_name_plural": "convênios",
                "ordering": ["folded_name", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "folded_name"), name="payer_name_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["health_plan", "subsystem", "insurance", "sns", "other"])),
                        name="payer_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ans_number__regex", r"^(\d{6})?$")), name="payer_ans_number_digits"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            "CREATE UNIQUE INDEX payer_of_clinic ON clinic_payer (clinic_id, id)", "DROP INDEX payer_of_clinic"
        ),
        migrations.AddField("patient", "payer", payer()),
        migrations.AddField("patient", "card_number", text("carteira", 30)),
        migrations.AddField(
            "patient",
            "card_expires_on",
            models.DateField(blank=True, null=True, verbose_name="validade da carteira"),
        ),
        migrations.AddField("appointment", "payer", payer()),
        migrations.AddField("appointment", "authorization_number", text("guia", 40)),
        migrations.AddField("appointment", "authorization_password", text("senha da guia", 40)),
        *(
            migrations.RunSQL(OF_CLINIC.format(table=table), NOT_OF_CLINIC.format(table=table))
            for table in ("patient", "appointment")
        ),
        AddConstraintNotValid(
            "patient",
            models.CheckConstraint(
                condition=models.Q(("card_number__regex", "^[0-9A-Z]*$")), name="patient_card_number_letters_digits"
            ),
        ),
        AddConstraintNotValid(
            "patient",
            models.CheckConstraint(
                condition=models.Q(
                    ("payer__isnull", False),
                    models.Q(("card_expires_on__isnull", True), ("card_number", "")),
                    _connector="OR",
                ),
                name="patient_card_of_payer",
            ),
        ),
        AddConstraintNotValid(
            "appointment",
            models.CheckConstraint(
                condition=models.Q(
                    ("payer__isnull", False),
                    models.Q(("authorization_number", ""), ("authorization_password", "")),
                    _connector="OR",
                ),
                name="appointment_authorization_of_payer",
            ),
        ),
        migrations.AlterField(
            "appointmentevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=f"{OLD_KINDS}, 'payer'"),
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
