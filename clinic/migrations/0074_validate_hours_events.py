"""Look at every event of a clinic once, for the constraint of 0073."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0073_hours_valid")]

    operations = [ValidateConstraint("clinicevent", "clinicevent_kind_known")]
