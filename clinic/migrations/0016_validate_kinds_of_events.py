"""Look at every event once, for the constraint of 0015: while bookings go on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0015_clinic_event")]

    operations = [ValidateConstraint("appointmentevent", "appointmentevent_kind_known")]
