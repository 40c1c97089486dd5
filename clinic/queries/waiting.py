"""The requests of the waiting list, in the order in which a time is offered. Reads only.

Which times fit them is computed by `booking.WaitingList`.
"""

from datetime import datetime, timedelta

from clinic.models import Appointment, Clinic, WaitingEvent, WaitingRequest, shown

CLOSED_FOR = timedelta(minutes=10)  # so long a closed request stays in the list, where its end can be undone


def open_requests(clinic: Clinic) -> list[WaitingRequest]:
    """Return the open requests `in_full`, urgent ones first, then those without an appointment, then those whose
    appointment is furthest away; of these who has waited longest. Two queries; the access log is the caller's."""
    with shown.choosing():
        return list(WaitingRequest.objects.of(clinic).open().in_order().in_full())


def just_closed(clinic: Clinic, *, now: datetime) -> list[WaitingRequest]:
    """Return the requests that were closed a moment ago, the last one first, `in_full` and with `booked`. Two queries
    at most."""
    closed = WaitingRequest.objects.of(clinic).filter(closed_at__gt=now - CLOSED_FOR)
    with shown.choosing():
        return list(closed.in_full().select_related("booked__doctor").order_by("-closed_at", "-pk"))


def request(clinic: Clinic, pk: int) -> WaitingRequest | None:
    """Return one request `in_full`, open or closed, with `booked`; None for none. Two queries at most."""
    return WaitingRequest.objects.of(clinic).in_full().select_related("booked__doctor").filter(pk=pk).first()


def request_of(appointment: Appointment) -> WaitingRequest | None:
    """Return the open request of an appointment, None for none. One query."""
    requests = WaitingRequest.objects.of(appointment.clinic_id).open()
    return requests.filter(appointment=appointment).first()


def closing_event(request: WaitingRequest) -> int | None:
    """Return the id of the AppointmentEvent of the booking or the move with which the request was closed last, None for
    none. One query."""
    booked = WaitingEvent.objects.filter(request=request, kind=WaitingEvent.Kind.BOOKED).order_by("-pk").first()
    return booked.after["event"] if booked else None
