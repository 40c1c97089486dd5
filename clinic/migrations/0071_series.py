"""Series, and the series of an appointment.

The column is null, so that nothing is rewritten. The rows that are there are looked at, and the index is built, without
a lock that bookings wait for. If it was interrupted, migrate once more: every statement may be run again.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from clinic.migrations._indexes import AddIndexAnew

# What an earlier try has left: it has no rows yet.
DROP_LEFTOVER = "DROP TABLE IF EXISTS clinic_series CASCADE"
ADD_COLUMN = "ALTER TABLE clinic_appointment ADD COLUMN IF NOT EXISTS series_id bigint NULL"
DROP_COLUMN = "ALTER TABLE clinic_appointment DROP COLUMN IF EXISTS series_id"
FOREIGN_KEY = "clinic_appointment_series_id_fk"
ADD_FOREIGN_KEY = f"""
ALTER TABLE clinic_appointment DROP CONSTRAINT IF EXISTS {FOREIGN_KEY}, ADD CONSTRAINT {FOREIGN_KEY}
FOREIGN KEY (series_id) REFERENCES clinic_series (id) DEFERRABLE INITIALLY DEFERRED NOT VALID
"""
DROP_FOREIGN_KEY = f"ALTER TABLE clinic_appointment DROP CONSTRAINT IF EXISTS {FOREIGN_KEY}"


class CreateInOneTransaction(migrations.CreateModel):
    """The table with its constraints and indexes, or nothing of it."""

    atomic = True


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0070_patient_merges")]

    operations = [
        migrations.RunSQL(DROP_LEFTOVER, migrations.RunSQL.noop),
        CreateInOneTransaction(
            "Series",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("every", models.PositiveSmallIntegerField()),
                ("unit", models.CharField(choices=[("day", "dias"), ("week", "semanas")], max_length=4)),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("count", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("until", models.DateField(blank=True, null=True)),
                ("starts", models.TimeField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "clinic",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "série de sessões",
                "verbose_name_plural": "séries de sessões",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("every__gt", 0)), name="series_every_positive"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("unit", "day"), ("weekdays", [])),
                            models.Q(("unit", "week"), models.Q(("weekdays", []), _negated=True)),
                            _connector="OR",
                        ),
                        name="series_unit_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weekdays__contained_by", [1, 2, 3, 4, 5, 6, 7])),
                        name="series_weekdays_iso",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("count__isnull", True), ("until__isnull", False)),
                            models.Q(("count__gt", 0), ("count__isnull", False), ("until__isnull", True)),
                            _connector="OR",
                        ),
                        name="series_count_or_until",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            ADD_COLUMN,
            DROP_COLUMN,
            state_operations=[
                migrations.AddField(
                    "appointment",
                    "series",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="clinic.series",
                        verbose_name="série",
                    ),
                )
            ],
        ),
        migrations.RunSQL(ADD_FOREIGN_KEY, DROP_FOREIGN_KEY),
        migrations.RunSQL(
            f"ALTER TABLE clinic_appointment VALIDATE CONSTRAINT {FOREIGN_KEY}", migrations.RunSQL.noop
        ),
        AddIndexAnew(
            "appointment",
            models.Index(
                condition=models.Q(("series__isnull", False)), fields=["series"], name="appointment_series"
            ),
        ),
    ]
