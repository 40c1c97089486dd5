"""Look at every event of a clinic once, for the constraint of 0027."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0029_absences_by_staff")]

    operations = [ValidateConstraint("clinicevent", "clinicevent_kind_known")]
