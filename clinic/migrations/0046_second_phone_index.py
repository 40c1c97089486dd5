"""Second phones are searched by any part, as first ones are; the index is built beside the work that goes on, and every
patient is looked at once for the constraint of 0047. If it was interrupted, migrate once more."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

from clinic.migrations._indexes import AddIndexAnew


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0045_patient_contacts")]

    operations = [
        AddIndexAnew(
            "patient",
            GinIndex(fields=["second_phone"], name="patient_second_phone_trigram", opclasses=["gin_trgm_ops"]),
        ),
        ValidateConstraint("patient", "patient_second_phone_e164"),
    ]
