"""From where an appointment was moved to its present place, in words. Reads only."""

from datetime import datetime
from typing import Any

from django.db.models import JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.spoken import day_in_brief

# {"before": snapshot, "after": snapshot} of an event, as JSON.
type Move = dict[str, Any]

_MOVE = JSONObject(before="before", after="after")


def last_move() -> Subquery:
    """Return the last move of the appointments that are queried, None for one that was never moved. One that was undone
    since counts, undoing it does not."""
    return Subquery(_moves().filter(appointment=OuterRef("pk")).values(move=_MOVE)[:1], output_field=JSONField())


def moved_from(appointment: Appointment) -> str:
    """Return from where it was moved, as `in_words`. One query."""
    move = _moves().filter(appointment=appointment).values_list(_MOVE, flat=True).first()
    return in_words(move, appointment.clinic, starts_at=appointment.starts_at, doctor=appointment.doctor_id)


def in_words(move: Move | None, clinic: Clinic, *, starts_at: datetime, doctor: int) -> str:
    """Return "antes: seg 30/11 10:00, Dra. Helena Prado", by the clinic's clock; "" where the move did not lead to the
    present start and doctor, by id, or changed neither."""
    if move is None or not _leads_to(move, starts_at, doctor):
        return ""
    before = clinic.local(_place(move["before"])[0])
    when = f"{day_in_brief(before.date())} {before:%H:%M}"
    return _("antes: %(when)s, %(doctor)s") % {"when": when, "doctor": move["before"]["doctor_name"]}


def is_move_to(event: AppointmentEvent, appointment: Appointment) -> bool:
    """Return whether the event is a move, no undo, that led the appointment to where it is now, and not from there."""
    is_move = event.kind == AppointmentEvent.Kind.RESCHEDULED and not event.after.get("undo")
    move = {"before": event.before, "after": event.after}
    return is_move and _leads_to(move, appointment.starts_at, appointment.doctor_id)


def _leads_to(move: Move, starts_at: datetime, doctor: int) -> bool:
    return _place(move["after"]) == (starts_at, doctor) != _place(move["before"])


def _moves() -> QuerySet[AppointmentEvent]:
    moves = AppointmentEvent.objects.filter(kind=AppointmentEvent.Kind.RESCHEDULED)
    return moves.exclude(after__has_key="undo").order_by("-pk")


def _place(snapshot: dict[str, Any]) -> tuple[datetime, int]:
    return datetime.fromisoformat(snapshot["starts_at"]), snapshot["doctor"]
