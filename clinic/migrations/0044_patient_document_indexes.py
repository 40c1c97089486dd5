"""A número de utente is one patient's in a clinic, and other documents are found, by indexes of the few rows that have one.

Both are built beside the work that goes on, and every patient is looked at once for the constraints of 0045. If it was
interrupted, migrate once more.
"""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

from clinic.migrations._indexes import AddIndexAnew

DROP = "DROP INDEX CONCURRENTLY IF EXISTS patient_health_number_once"
BUILD = """
CREATE UNIQUE INDEX CONCURRENTLY patient_health_number_once
ON clinic_patient (clinic_id, health_number) WHERE health_number IS NOT NULL
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0043_patient_documents")]

    operations = [
        migrations.RunSQL(
            ["SET lock_timeout = 0", DROP, BUILD, "RESET lock_timeout"],
            ["SET lock_timeout = 0", DROP, "RESET lock_timeout"],
            state_operations=[
                migrations.AddConstraint(
                    "patient",
                    models.UniqueConstraint(
                        condition=models.Q(("health_number__isnull", False)),
                        fields=("clinic", "health_number"),
                        name="patient_health_number_once",
                    ),
                )
            ],
        ),
        AddIndexAnew(
            "patient",
            models.Index(
                condition=models.Q(("document_number__isnull", False)),
                fields=["clinic", "document_number"],
                name="patient_clinic_document",
            ),
        ),
        ValidateConstraint("patient", "patient_health_number_digits"),
        ValidateConstraint("patient", "patient_document_letters_digits"),
    ]
