"""When doctors work and what is free: hours, absences and holidays, spans, limits. Reads these only.

It is a package of its own because the rules, the APIs' openings and the day page all need it and may not import one
another. What is offered is computed once, in `openings`; a property test holds the three to the same times.
"""

from clinic.schedule.dates_text import ClosedDay, Exceptions, OpenDay, read_exceptions
from clinic.schedule.holidays import OwnDay, holiday_name, holidays_between, is_national, optional_name
from clinic.schedule.hours import MAX_NIGHT, Hours, are_valid_hours, end_date, ever_hold, overlapping_hours
from clinic.schedule.hours_text import Mistake, Week, change_week, read_week, write_hours, write_week
from clinic.schedule.limits import (
    MAX_DURATION,
    NO_LIMITS,
    NOON,
    RESTRICTED,
    Booked,
    Full,
    Limits,
    ProcedureLimits,
    Restricted,
    bookable_dates,
    is_restricted,
)
from clinic.schedule.load import HOURS_AND_ABSENCES_SQL, dates_of, load_schedules, schedules_of
from clinic.schedule.openings import FreeStart, Opening, free_starts_on, longest_openings_on, openings_on
from clinic.schedule.periods import PERIODS_SQL
from clinic.schedule.recurrence import MAX_DATES, MAX_INTERVAL, Dates, Recurrence, dates_after, period_of
from clinic.schedule.schedules import DAY_MINUTES, Away, DoctorHours, Schedules
from clinic.schedule.spans import ClosedReason, Span, merged, within, without
from clinic.schedule.town_holidays import TOWN_HOLIDAYS
from clinic.schedule.worked import WeekdayHour, clock_changes, worked_minutes

__all__ = [
    "DAY_MINUTES",
    "HOURS_AND_ABSENCES_SQL",
    "MAX_DATES",
    "MAX_DURATION",
    "MAX_INTERVAL",
    "MAX_NIGHT",
    "NOON",
    "NO_LIMITS",
    "Away",
    "Booked",
    "ClosedReason",
    "Dates",
    "Full",
    "Hours",
    "FreeStart",
    "Limits",
    "Restricted",
    "Opening",
    "DoctorHours",
    "OwnDay",
    "PERIODS_SQL",
    "RESTRICTED",
    "ProcedureLimits",
    "TOWN_HOLIDAYS",
    "Recurrence",
    "Schedules",
    "Span",
    "WeekdayHour",
    "are_valid_hours",
    "change_week",
    "bookable_dates",
    "clock_changes",
    "dates_of",
    "dates_after",
    "period_of",
    "free_starts_on",
    "holiday_name",
    "holidays_between",
    "is_national",
    "is_restricted",
    "load_schedules",
    "longest_openings_on",
    "merged",
    "openings_on",
    "optional_name",
    "ever_hold",
    "overlapping_hours",
    "schedules_of",
    "within",
    "without",
    "worked_minutes",
    "Mistake",
    "Week",
    "read_week",
    "write_hours",
    "write_week",
    "ClosedDay",
    "Exceptions",
    "OpenDay",
    "end_date",
    "read_exceptions",
]
