"""Look at every appointment once, for the constraint of 0017, while bookings go on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0017_appointment_at_most_a_day")]

    operations = [ValidateConstraint("appointment", "appointment_at_most_a_day")]
