"""Look at every event once, for the constraint of 0025, while bookings go on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0027_event_not_reached")]

    operations = [ValidateConstraint("appointmentevent", "appointmentevent_kind_known")]
