"""How long an appointment may last and how far ahead it may begin: a typo in the year should not become a booking."""

from datetime import date, datetime, time, timedelta

from clinic.models import Clinic

MAX_DURATION = timedelta(hours=12)
MAX_DAYS_AHEAD = 2 * 365
NOON = time(12)  # local; what begins before it is of the morning


def bookable_dates(clinic: Clinic, now: datetime) -> tuple[date, date]:
    """Return the first and the last local date on which something may be booked: today and two years later."""
    today = clinic.local(now).date()
    return today, today + timedelta(days=MAX_DAYS_AHEAD)
