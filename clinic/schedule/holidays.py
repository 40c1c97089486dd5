"""Public holidays of Brazil and Portugal."""

from datetime import date
from functools import lru_cache

import holidays

from clinic.models import Clinic


def holiday_name(clinic: Clinic, day: date) -> str:
    """Return the Portuguese name of the public holiday on which this clinic closes, or an empty string."""
    return _national_holidays(clinic.country, day.year).get(day, "") if clinic.observes_holidays else ""


def holidays_between(clinic: Clinic, first: date, last: date) -> set[date]:
    """Return the local dates from `first` to `last`, both included, on which this clinic closes for a holiday."""
    if not clinic.observes_holidays:
        return set()
    years = range(first.year, last.year + 1)
    return {day for year in years for day in _national_holidays(clinic.country, year) if first <= day <= last}


@lru_cache(maxsize=64)
def _national_holidays(country: str, year: int) -> dict[date, str]:
    return dict(holidays.country_holidays(country, years=year))
