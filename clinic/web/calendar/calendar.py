"""A doctor's visits as text/calendar (RFC 5545), written by the library icalendar."""

from collections.abc import Iterable
from datetime import date, datetime

from icalendar import Calendar, Event

from clinic.models import Clinic, Doctor
from clinic.queries.calendar import Visit


def written(clinic: Clinic, doctor: Doctor, visits: Iterable[Visit], today: date) -> bytes:
    """Return the calendar in the clinic's zone, the same text for the same visits.

    The zone is described from the year before the local date `today` to the year after it: programs need not know it.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//agenda da clinica//calendario//PT")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{doctor.full_name} · {clinic.name}")
    for visit in visits:
        calendar.add_component(_event(clinic, visit))
    calendar.add_missing_timezones(first_date=date(today.year - 1, 1, 1), last_date=date(today.year + 1, 12, 31))
    return bytes(calendar.to_ical())


def _event(clinic: Clinic, visit: Visit) -> Event:
    event = Event()
    event.add("uid", str(visit.uuid))
    event.add("dtstamp", visit.updated_at)
    event.add("dtstart", _written_instant(clinic, visit.starts_at))
    event.add("dtend", _written_instant(clinic, visit.ends_at))
    event.add("summary", f"{visit.initials} · {visit.procedures}")
    event.add("class", "PRIVATE")
    return event


def _written_instant(clinic: Clinic, instant: datetime) -> datetime:
    """Return the instant on the clinic's clock; in UTC where that clock shows it for the second time that night."""
    local = clinic.local(instant)
    return instant if local.fold else local
