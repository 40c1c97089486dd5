"""The administration's list of events is in order of time: with this index it reads fifty rows instead of all.

Built beside the bookings that go on: about a second for a million events. A booking writes one entry more.
A running backup makes it wait until that has ended. If it was interrupted, migrate once more.
"""

from django.db import migrations, models

from clinic.migrations._indexes import AddIndexAnew


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0009_words")]

    operations = [
        AddIndexAnew("appointmentevent", models.Index(fields=["clinic", "at"], name="appointmentevent_clinic_at")),
    ]
