"""Indexes by which the audit finds what was changed of a doctor without fetching what it does not show: of the doctor's
own row with the user behind the time, as the others have it, and of rows that name the doctor without those of which an
event says the same in words.

They are built beside the work that goes on, the first before the one that it replaces goes; if it was interrupted,
migrate once more.
"""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from clinic.migrations._indexes import AddIndexAnew, RemoveIndexInTime

IN_WORDS = Q(
    Q(table__in=("workinghours", "absence", "delay")) | Q(channel__in=("imagemais", "mivicall")),
    request_id__isnull=False,
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0095_recall_texts")]

    operations = [
        AddIndexAnew(
            "rowchange",
            models.Index(
                fields=["clinic", "row", "at", "user"], condition=Q(table="doctor"), name="rowchange_doctor_own_acts"
            ),
        ),
        RemoveIndexInTime("rowchange", "rowchange_doctor_itself"),
        *(
            AddIndexAnew(
                "rowchange",
                models.Index(
                    F("clinic"),
                    KeyTextTransform("doctor_id", side),
                    F("at"),
                    F("user"),
                    condition=Q(**{f"{side}__has_key": "doctor_id"}) & ~IN_WORDS,
                    name=f"rowchange_set_up_doctor_{side}",
                ),
            )
            for side in ("before", "after")
        ),
    ]
