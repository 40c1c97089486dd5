"""Look at every row once for the constraints of 0052, while bookings go on. If it was interrupted, migrate once more."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0052_sent_by_programs")]

    operations = [
        ValidateConstraint("appointment", "appointment_unverified_phone_e164"),
        ValidateConstraint("appointmentevent", "appointmentevent_kind_known"),
    ]
