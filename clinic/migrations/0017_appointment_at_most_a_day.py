"""An appointment is stored with at most a day, on which every search for overlaps rests.

Rows that are there are not looked at yet, so the lock is held for a moment only; 0018 looks at them.
"""

import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.lookups import LessThanOrEqual


class Migration(migrations.Migration):
    dependencies = [("clinic", "0016_validate_kinds_of_events")]

    operations = [
        AddConstraintNotValid(
            "appointment",
            models.CheckConstraint(
                condition=LessThanOrEqual(models.F("ends_at") - models.F("starts_at"), datetime.timedelta(days=1)),
                name="appointment_at_most_a_day",
            ),
        ),
    ]
