"""Look at every row once for the constraints of 0049, and build the indexes by which a payer's rows are found, of the few
that have one, while bookings go on. If it was interrupted, migrate once more."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

from clinic.migrations._indexes import AddIndexAnew


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0049_payer")]

    operations = [
        ValidateConstraint("patient", "patient_card_number_letters_digits"),
        ValidateConstraint("patient", "patient_card_of_payer"),
        ValidateConstraint("appointment", "appointment_authorization_of_payer"),
        ValidateConstraint("appointmentevent", "appointmentevent_kind_known"),
        *(
            migrations.RunSQL(
                f"ALTER TABLE clinic_{table} VALIDATE CONSTRAINT {table}_payer_of_clinic", migrations.RunSQL.noop
            )
            for table in ("patient", "appointment")
        ),
        *(
            AddIndexAnew(
                table,
                models.Index(
                    condition=models.Q(("payer__isnull", False)), fields=["payer"], name=f"{table}_payer"
                ),
            )
            for table in ("patient", "appointment")
        ),
    ]
