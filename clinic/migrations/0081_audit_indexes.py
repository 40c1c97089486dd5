"""The doctor of every event of an appointment, and indexes by which the audit reads its newest rows of any filter.

Built beside the bookings that go on; a booking writes eight entries more. The doctors of older events are filled by
batches, each a transaction of its own: an event that moved its appointment says which doctor, any other was of the one
whom the last such event before it names. The history's trigger is off only within such a transaction, which holds the
table against writers for as long. A running backup makes the indexes wait until that has ended. If it was interrupted,
migrate once more.
"""

from django.db import migrations, models, transaction
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from clinic.migrations._indexes import AddIndexAnew
from clinic.models.ranges import Instant

BATCH = 20_000
BOUNDS = "SELECT coalesce(min(id), 1) - 1, coalesce(max(id), 0) FROM clinic_appointmentevent WHERE doctor_id IS NULL"
FILL = """
    UPDATE clinic_appointmentevent AS event SET doctor_id = coalesce(
        (event.after ->> 'doctor')::bigint,
        (
            SELECT (named.after ->> 'doctor')::bigint FROM clinic_appointmentevent AS named
            WHERE named.appointment_id = event.appointment_id AND named.id < event.id AND named.after ? 'doctor'
            ORDER BY named.id DESC LIMIT 1
        ),
        (SELECT doctor_id FROM clinic_appointment AS appointment WHERE appointment.id = event.appointment_id)
    )
    WHERE event.id > %s AND event.id <= %s AND event.doctor_id IS NULL
"""
INSTANT = """
CREATE OR REPLACE FUNCTION clinic_instant(text) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT $1::timestamptz
$$
"""
EVENT_INDEXES = [
    models.Index(fields=["clinic", "kind", "at"], name="appointmentevent_kind_at"),
    models.Index(
        F("clinic"),
        KeyTextTransform("status", "after"),
        F("at"),
        # Behind the time, so that rows which another filter leaves out need not be fetched.
        F("channel"),
        F("user"),
        F("doctor"),
        condition=Q(kind="status_changed"),
        name="appointmentevent_status_at",
    ),
    models.Index(fields=["clinic", "doctor", "at"], name="appointmentevent_doctor_at"),
    models.Index(
        F("clinic"),
        Cast(KeyTextTransform("doctor", "before"), models.BigIntegerField()),
        F("at"),
        condition=Q(kind="rescheduled"),
        name="appointmentevent_former_doctor",
    ),
    models.Index(fields=["clinic", "user", "at"], name="appointmentevent_user_at"),
    models.Index(
        fields=["clinic", "credential", "at"], condition=~Q(credential=""), name="appointmentevent_credential_at"
    ),
    models.Index(fields=["clinic", "channel", "at"], name="appointmentevent_channel_at"),
    # Where an appointment was that has been moved since: for the day as it was at a moment.
    models.Index(
        F("clinic"),
        Instant(KeyTextTransform("starts_at", "before")),
        condition=Q(kind__in=["rescheduled", "time_zone"]),
        name="appointmentevent_former_start",
    ),
]
PATIENT_INDEXES = [
    models.Index(fields=["clinic", "at"], name="patientevent_clinic_at"),
    models.Index(fields=["clinic", "kind", "at"], name="patientevent_kind_at"),
    models.Index(fields=["clinic", "user", "at"], name="patientevent_user_at"),
    models.Index(fields=["clinic", "channel", "at"], name="patientevent_channel_at"),
    models.Index(fields=["clinic", "credential", "at"], condition=~Q(credential=""), name="patientevent_credential_at"),
]


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(BOUNDS)
        first, last = cursor.fetchone()
        for since in range(first, last, BATCH):
            with transaction.atomic():
                cursor.execute("ALTER TABLE clinic_appointmentevent DISABLE TRIGGER appointmentevent_append_only")
                cursor.execute(FILL, [since, since + BATCH])
                cursor.execute("ALTER TABLE clinic_appointmentevent ENABLE TRIGGER appointmentevent_append_only")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0080_row_changes")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(INSTANT, "DROP FUNCTION clinic_instant(text)"),
        *(AddIndexAnew("appointmentevent", index) for index in EVENT_INDEXES),
        *(AddIndexAnew("patientevent", index) for index in PATIENT_INDEXES),
    ]
