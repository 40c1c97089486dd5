"""The administration's list of events is in order of time: with this index it reads fifty rows instead of all.

Built beside the bookings that go on: about a second for a million events. A booking writes one entry more.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0009_words")]

    operations = [
        AddIndexConcurrently(
            "appointmentevent", models.Index(fields=["clinic", "at"], name="appointmentevent_clinic_at")
        ),
    ]
