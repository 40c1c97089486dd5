"""What was done with memos is noted, and indexes by which the audit reads its newest rows of any filter everywhere.

Memos are noted as the rows of the set-up are, without what people write in them, which a redaction has to blank; those
that were there before get what their own row says: who wrote them, and who has done them. The indexes are built beside
the work that goes on; if it was interrupted, migrate once more.
"""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from clinic.migrations._indexes import AddIndexAnew, RemoveIndexInTime
from clinic.migrations._row_changes import note_rows

NOTED = note_rows("clinic_memo", ["name", "phone", "text"])
# An act of its own each, by numbers that PostgreSQL gives to no transaction.
BEFORE = """
INSERT INTO clinic_rowchange
    (clinic_id, "table", "row", act, at, channel, user_id, credential, request_id, transaction, before, after)
SELECT clinic_id, 'memo', id, 'added', written_at, 'browser', written_by_id, '', NULL::uuid, -2 * id, '{}'::jsonb,
    to_jsonb(memo) - ARRAY['id', 'clinic_id', 'uuid', 'name', 'phone', 'text']
        || '{"done_at": null, "done_by_id": null}'
FROM clinic_memo AS memo
UNION ALL
SELECT clinic_id, 'memo', id, 'changed', done_at, 'browser', done_by_id, '', NULL::uuid, -2 * id - 1,
    jsonb_build_object('day', day, 'done_at', NULL, 'done_by_id', NULL),
    jsonb_build_object('day', day, 'done_at', done_at, 'done_by_id', done_by_id)
FROM clinic_memo AS memo WHERE done_at IS NOT NULL
"""
FORGOTTEN = """
ALTER TABLE clinic_rowchange DISABLE TRIGGER rowchange_append_only;
DELETE FROM clinic_rowchange WHERE "table" = 'memo';
ALTER TABLE clinic_rowchange ENABLE TRIGGER rowchange_append_only
"""


BY_PROGRAM, OF_SET_UP, OF_MEMOS = ~Q(channel="browser"), ~Q(table="memo"), Q(table="memo")


def of_events(table):
    """Return what the audit filters by, each with the time by which it pages."""
    named = f"{table}_%s_at"
    indexes = [
        models.Index(fields=["clinic", "kind", "at"], name=named % "kind"),
        models.Index(fields=["clinic", "user", "at"], name=named % "user"),
        models.Index(fields=["clinic", "channel", "at"], condition=BY_PROGRAM, name=named % "channel"),
        models.Index(fields=["clinic", "credential", "at"], condition=~Q(credential=""), name=named % "credential"),
    ]
    return [AddIndexAnew(table, index) for index in indexes]


def of_doctor(table, key):
    """Return the same of the doctor in a snapshot; of both where they may differ."""
    return [
        AddIndexAnew(
            table,
            models.Index(
                F("clinic"),
                KeyTextTransform(key, side),
                F("at"),
                condition=Q(**{f"{side}__has_key": key}),
                name=f"{table}_doctor_{side}",
            ),
        )
        for side in ("before", "after")
    ]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0091_booking_limits")]

    operations = [
        *(
            AddIndexAnew(table, models.Index(fields=["clinic", "at"], name=f"{table}_clinic_at"))
            for table in ("waitingevent", "recallevent")
        ),
        *of_events("waitingevent"),
        *of_events("recallevent"),
        *of_events("clinicevent"),
        *of_doctor("clinicevent", "doctor"),
        # In place of one without kind and user, so that rows which another filter leaves out need not be fetched.
        AddIndexAnew(
            "appointmentevent",
            models.Index(fields=["clinic", "doctor", "at", "kind", "user"], name="appointmentevent_doctor_acts"),
        ),
        RemoveIndexInTime("appointmentevent", "appointmentevent_doctor_at"),
        *of_doctor("rowchange", "doctor_id"),
        *(
            AddIndexAnew("rowchange", index)
            for index in (
                models.Index(
                    fields=["clinic", "row", "at"], condition=Q(table="doctor"), name="rowchange_doctor_itself"
                ),
                models.Index(fields=["clinic", "at"], condition=OF_SET_UP, name="rowchange_set_up_at"),
                models.Index(fields=["clinic", "user", "at"], condition=OF_SET_UP, name="rowchange_set_up_user_at"),
                models.Index(
                    fields=["clinic", "channel", "at"], condition=OF_SET_UP, name="rowchange_set_up_channel_at"
                ),
                models.Index(
                    fields=["clinic", "credential", "at"],
                    condition=OF_SET_UP & ~Q(credential=""),
                    name="rowchange_set_up_credential_at",
                ),
                models.Index(fields=["clinic", "user", "at"], condition=OF_MEMOS, name="rowchange_memo_user_at"),
                models.Index(
                    fields=["clinic", "channel", "at"], condition=OF_MEMOS & BY_PROGRAM, name="rowchange_memo_channel_at"
                ),
                models.Index(
                    fields=["clinic", "credential", "at"],
                    condition=OF_MEMOS & ~Q(credential=""),
                    name="rowchange_memo_credential_at",
                ),
            )
        ),
        migrations.RunSQL(f"{NOTED.sql};{BEFORE}", f"{NOTED.reverse_sql};{FORGOTTEN}"),
    ]
