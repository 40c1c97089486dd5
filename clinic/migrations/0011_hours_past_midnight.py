from datetime import time

from django.db import migrations, models
from django.db.models import F, Q

# A night becomes two rows, on two days; the minute from 23:59 on is lost, because 24:00 was none.
SPLIT_NIGHTS = """
    INSERT INTO clinic_workinghours (clinic_id, doctor_id, weekday, starts, ends)
        SELECT clinic_id, doctor_id, weekday % 7 + 1, '00:00', ends
        FROM clinic_workinghours WHERE ends <= starts AND ends > '00:00';
    DELETE FROM clinic_workinghours WHERE ends <= starts AND starts >= '23:59';
    UPDATE clinic_workinghours SET ends = '23:59' WHERE ends <= starts;
    SET CONSTRAINTS ALL IMMEDIATE
"""


class Migration(migrations.Migration):
    """An end that is not after the start is on the next day. One scan of a small table; no row changes."""

    dependencies = [("clinic", "0010_events_by_time")]

    operations = [
        migrations.RemoveConstraint("workinghours", "workinghours_ends_after_start"),
        migrations.AddConstraint(
            "workinghours",
            models.CheckConstraint(condition=~Q(ends=F("starts")) | Q(ends=time.min), name="workinghours_have_length"),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, SPLIT_NIGHTS),
    ]
