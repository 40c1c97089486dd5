"""Indexes by which the audit reads its newest rows of any filter everywhere.

They are built beside the work that goes on; if it was interrupted, migrate once more.
"""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from clinic.migrations._indexes import AddIndexAnew, RemoveIndexInTime

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
    """Return the same of the doctor in a snapshot; of both where they may differ. The user stands behind the time, so
    that rows which that filter leaves out need not be fetched."""
    return [
        AddIndexAnew(
            table,
            models.Index(
                F("clinic"),
                KeyTextTransform(key, side),
                F("at"),
                F("user"),
                condition=Q(**{f"{side}__has_key": key}),
                name=f"{table}_doctor_{side}",
            ),
        )
        for side in ("before", "after")
    ]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0092_memos_noted")]

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
        AddIndexAnew(
            "appointmentevent",
            models.Index(
                F("clinic"),
                Cast(KeyTextTransform("doctor", "before"), models.BigIntegerField()),
                F("at"),
                F("user"),
                condition=Q(kind="rescheduled"),
                name="appointmentevent_former_acts",
            ),
        ),
        RemoveIndexInTime("appointmentevent", "appointmentevent_former_doctor"),
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
    ]
