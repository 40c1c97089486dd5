"""The entries of the waiting list, in the order in which a time is offered. Reads only.

Which times fit them is computed by `booking.WaitingList`.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q

from clinic.models import Appointment, Clinic, WaitingEntry, shown
from clinic.models.patient import OF_REACHABLE

CLOSED_FOR = timedelta(minutes=10)  # so long a closed entry stays in the list, where its end can be undone


def open_entries(clinic: Clinic) -> list[WaitingEntry]:
    """Return the open entries `in_full`, urgent ones first, then those without an appointment, then those whose
    appointment is furthest away; of these who has waited longest. Two queries; the access log is the caller's."""
    with shown.choosing():
        return list(WaitingEntry.objects.of(clinic).filter(OF_REACHABLE).open().in_order().in_full())


class Listed(NamedTuple):
    """The open entries in the order of offering, and those that were closed a moment ago, the last one first."""

    open: list[WaitingEntry]
    closed: list[WaitingEntry]


def listed_entries(clinic: Clinic, *, now: datetime) -> Listed:
    """Return what the page shows, `in_full` and with `booked`. Two queries; the access log is the caller's."""
    listed = Q(closed_at__isnull=True) | Q(closed_at__gt=now - CLOSED_FOR)
    with shown.choosing():
        every = WaitingEntry.objects.of(clinic).filter(OF_REACHABLE, listed).in_order().in_full()
        entries = list(every.select_related("booked__doctor"))
    closed = [entry for entry in entries if entry.closed_at]
    closed.sort(key=lambda entry: (entry.closed_at or now, entry.pk), reverse=True)
    return Listed([entry for entry in entries if not entry.closed_at], closed)


def entry(clinic: Clinic, pk: int) -> WaitingEntry | None:
    """Return one entry `in_full`, open or closed, with `booked`; None for none. Two queries at most."""
    return WaitingEntry.objects.of(clinic).in_full().select_related("booked__doctor").filter(pk=pk).first()


def entry_of(appointment: Appointment) -> WaitingEntry | None:
    """Return the open entry of an appointment, or else one that its patient still has, without an appointment, for one
    of its procedures; None for none. One query."""
    procedures = appointment.lines.values("procedure")
    still_wanted = Q(appointment=None, patient=appointment.patient_id, procedures__in=procedures)
    entries = WaitingEntry.objects.of(appointment.clinic_id).filter(OF_REACHABLE).open()
    return entries.filter(Q(appointment=appointment) | still_wanted).order_by("appointment", "pk").first()
