"""Who waits for an earlier time in the demo."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from clinic import booking
from clinic.booking import Author, WaitingWish
from clinic.models import Appointment, Clinic

NOON = time(11, 59)
FAR = timedelta(days=9)


def put_some(clinic: Clinic, by: Author, now: datetime) -> None:
    """Put the patients of four appointments on the waiting list, each on another day that is far ahead: one urgent, the
    others with what people ask for."""
    wishes = [
        WaitingWish(is_urgent=True, note="pode vir em meia hora"),
        WaitingWish(weekdays=(2, 4), to_time=NOON),
        WaitingWish(to_time=NOON),
        WaitingWish(weekdays=(1, 3, 5)),
    ]
    for wish, far in zip(wishes, _far_ahead(clinic, now).values(), strict=False):
        asked = replace(wish, appointment=far.pk, doctors=(far.doctor_id,))
        booking.put_on_waiting_list(far.patient_id, asked, clinic=clinic, by=by, now=now)


def _far_ahead(clinic: Clinic, now: datetime) -> dict[date, Appointment]:
    """Return an appointment of each of the later days, by its local date."""
    standing = Appointment.objects.of(clinic).standing().filter(starts_at__gt=now + FAR, doctor__active=True)
    movable = standing.filter(status=Appointment.Status.SCHEDULED, patient__died=False)
    latest_first = movable.select_related("clinic").order_by("-starts_at", "pk")
    return {clinic.local(each.starts_at).date(): each for each in latest_first}
