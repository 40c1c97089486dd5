"""Since when an appointment has its status; 0020 fills it.

A column with a default that is the same for all rows rewrites no table: it is locked for milliseconds.
"""

import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("clinic", "0018_validate_at_most_a_day")]

    operations = [
        migrations.AddField(
            "appointment",
            "status_since",
            models.DateTimeField(db_default=Now(), default=django.utils.timezone.now),
        ),
    ]
