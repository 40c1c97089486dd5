"""What is shown of an appointment's history: reads only."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.models.appointment import Status


@dataclass(frozen=True)
class Entry:
    """One event in words; `at` is an instant, `who` the person or the name of the token, key or command."""

    at: datetime
    who: str
    door: str
    sentence: str


def story(appointment: Appointment) -> list[Entry]:
    """Newest first. One query; the appointment comes with its clinic."""
    events = appointment.events.select_related("user").order_by("-at", "-pk")
    return [
        Entry(event.at, str(event.user or event.credential), event.get_door_display(), sentence(event, appointment))
        for event in events
    ]


def is_undone(appointment: Appointment, event: int | None) -> bool:
    """Whether the last that happened to the appointment is that the event of that id was taken back. One query."""
    last = list(appointment.events.order_by("-pk")[:2])
    return len(last) == 2 and bool(last[0].after.get("undo")) and last[1].pk == event


def sentence(event: AppointmentEvent, appointment: Appointment) -> str:
    """What the event of that appointment changed, in the clinic's time."""
    words = SENTENCES[event.kind](event.before, event.after, appointment.clinic)
    return _("%(what)s (desfeito)") % {"what": words} if event.after.get("undo") else words


def _booked(before, after, clinic):
    return _("Agendado para %(time)s com %(doctor)s") % _when(after, clinic)


def _moved(before, after, clinic):
    words = _("Remarcado de %(from_time)s com %(from_doctor)s para %(time)s com %(doctor)s") % {
        **_when(after, clinic),
        **{f"from_{name}": value for name, value in _when(before, clinic).items()},
    }
    off = ", ".join(dict.fromkeys(each["name"] for each in after.get("discounts_off", ())))
    return _("%(what)s, sem o desconto %(discount)s") % {"what": words, "discount": off} if off else words


def _changed(before, after, clinic):
    labels = dict(Status.choices)
    words = _("De %(before)s para %(after)s") % {
        "before": labels[before["status"]],
        "after": labels[after["status"]],
    }
    if "cancelled_by" not in after:
        return words
    who = dict(Appointment.CancelledBy.choices)[after["cancelled_by"]]
    return f"{words} ({who}: {after['reason']})" if after["reason"] else f"{words} ({who})"


def _annotated(before, after, clinic):
    if "notes" not in after:
        return _("Dados da integração alterados")
    return _("Observações: de “%(before)s” para “%(after)s”") % {"before": before["notes"], "after": after["notes"]}


SENTENCES = {
    AppointmentEvent.Kind.BOOKED: _booked,
    AppointmentEvent.Kind.RESCHEDULED: _moved,
    AppointmentEvent.Kind.STATUS_CHANGED: _changed,
    AppointmentEvent.Kind.ANNOTATED: _annotated,
}


def _when(snapshot, clinic: Clinic):
    starts_at = clinic.local(parse_datetime(snapshot["starts_at"]))
    return {"time": f"{starts_at:%d/%m/%Y %H:%M}", "doctor": snapshot["doctor_name"]}
