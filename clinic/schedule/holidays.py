"""Holidays: public ones of Brazil and Portugal with their states and districts, and the clinic's own days."""

from collections.abc import Iterable
from datetime import date, time
from functools import lru_cache
from typing import NamedTuple

import holidays

from clinic.models import Clinic
from clinic.models.holiday import date_in_year

# Names that the state itself uses, where the library's is another.
STATE_NAMES = {"Revolução Pernambucana de 1817": "Data Magna de Pernambuco"}
# Lisbon's municipal holiday, which the library calls optional in the whole country.
NOT_OPTIONAL = {"PT": {"Dia de Santo António"}}


class OwnDay(NamedTuple):
    """A row of ClinicHoliday as it concerns a doctor, or everybody where `doctor_id` is None; local wall times."""

    doctor_id: int | None
    starts: time | None
    ends: time | None
    name: str
    falls_on: str
    opens: bool

    def is_for(self, doctor_id: int) -> bool:
        return self.doctor_id in {None, doctor_id}


def holiday_name(clinic: Clinic, day: date) -> str:
    """Return the Portuguese name of the public holiday on which this clinic closes, or an empty string."""
    return _holidays(clinic, "public", day.year).get(day, "") if clinic.observes_holidays else ""


def is_national(clinic: Clinic, day: date) -> bool:
    """Whether the date is a public holiday of the whole country, and not of the clinic's state or district alone."""
    return day in _stored_holidays(clinic.country, None, "public", day.year)


def optional_name(clinic: Clinic, day: date) -> str:
    """Return the name of the day that each employer may give or not (ponto facultativo, tolerância de ponto), or an
    empty string; the clinic is open on it unless it has chosen to close."""
    name = _holidays(clinic, "optional", day.year).get(day, "")
    return "" if name in NOT_OPTIONAL.get(clinic.country, set()) else name


def holidays_between(clinic: Clinic, first: date, last: date, own: Iterable[str]) -> set[date]:
    """Return the local dates from `first` to `last`, both included, on which this clinic closes for a holiday.

    `own` are the rules of its own days, as ClinicHoliday stores them; some close a part of the day only."""
    rules, found = list(own), set[date]()
    for year in range(first.year, last.year + 1):
        found.update(_holidays(clinic, "public", year) if clinic.observes_holidays else ())
        found.update(day for rule in rules if (day := date_in_year(rule, year)))
    return {day for day in found if first <= day <= last}


def _holidays(clinic: Clinic, category: str, year: int) -> dict[date, str]:
    return _stored_holidays(clinic.country, clinic.region or None, category, year)


@lru_cache(maxsize=512)
def _stored_holidays(country: str, region: str | None, category: str, year: int) -> dict[date, str]:
    found = holidays.country_holidays(country, subdiv=region, years=year, categories=category)
    return {day: STATE_NAMES.get(name, name) for day, name in found.items()}
