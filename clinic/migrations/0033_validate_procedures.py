"""Look at every event once, for the constraint of 0032, while bookings go on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0032_event_procedures")]

    operations = [ValidateConstraint("appointmentevent", "appointmentevent_kind_known")]
