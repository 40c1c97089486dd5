"""A second phone of a patient, and the person who is responsible for a minor or a ward.

Nothing is rewritten: what is not null has a default of the database's, also for a process of the version before, which
knows no such columns. 0048 looks at the rows that are there.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


def text(label, length, **more):
    options = {"blank": True, "db_default": "", "default": "", "max_length": length, "verbose_name": label}
    return models.CharField(**options | more)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0044_patient_document_indexes")]

    operations = [
        migrations.AddField(
            "patient",
            "second_phone",
            models.CharField(blank=True, max_length=16, null=True, verbose_name="segundo telefone"),
        ),
        migrations.AddField("patient", "second_phone_of", text("de quem é o segundo telefone", 60)),
        migrations.AddField(
            "patient",
            "guardian_name",
            text(
                "responsável", 160, help_text="O telefone é o desta pessoa; o do paciente, se tiver, é o segundo."
            ),
        ),
        migrations.AddField("patient", "guardian_relation", text("parentesco do responsável", 60)),
        AddConstraintNotValid(
            "patient",
            models.CheckConstraint(
                condition=models.Q(
                    ("second_phone__isnull", True),
                    ("second_phone__regex", r"^\+[1-9]\d{1,14}$"),
                    _connector="OR",
                ),
                name="patient_second_phone_e164",
            ),
        ),
    ]
