"""The documents of a patient beside CPF and NIF, and why there is neither.

Nothing is rewritten: what is not null has a default of the database's, also for a process of the version before, which
knows no such columns. 0046 looks at the rows that are there.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

TYPES = [
    ("passport", "passaporte"),
    ("residence", "autorização de residência"),
    ("identity", "documento de identidade"),
    ("other", "outro documento"),
]
REASONS = [
    ("foreigner", "estrangeiro(a)"),
    ("newborn", "recém-nascido(a)"),
    ("declined", "não quis informar"),
    ("other", "outro motivo"),
]


def text(label, length, **more):
    options = {"blank": True, "db_default": "", "default": "", "max_length": length, "verbose_name": label}
    return models.CharField(**options | more)


def number(label, length, **more):
    return models.CharField(blank=True, max_length=length, null=True, verbose_name=label, **more)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0042_area_code_and_phone_of")]

    operations = [
        migrations.AddField(
            "patient",
            "health_number",
            number("número do SNS", 9, help_text="Nove algarismos, no verso do cartão de cidadão."),
        ),
        migrations.AddField("patient", "document_type", text("tipo do documento", 9, choices=TYPES)),
        migrations.AddField("patient", "document_number", number("número do documento", 30)),
        migrations.AddField("patient", "document_country", text("país do documento", 60)),
        migrations.AddField("patient", "no_document", text("sem CPF ou NIF", 9, choices=REASONS)),
        AddConstraintNotValid(
            "patient",
            models.CheckConstraint(
                condition=models.Q(
                    ("health_number__isnull", True), ("health_number__regex", r"^\d{9}$"), _connector="OR"
                ),
                name="patient_health_number_digits",
            ),
        ),
        AddConstraintNotValid(
            "patient",
            models.CheckConstraint(
                condition=models.Q(
                    ("document_number__isnull", True), ("document_number__regex", "^[0-9A-Z]+$"), _connector="OR"
                ),
                name="patient_document_letters_digits",
            ),
        ),
    ]
