"""The holidays ahead as one list for managers: the public ones, the optional ones, and the clinic's own days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from clinic.models import Clinic, ClinicHoliday
from clinic.models.holiday import date_in_year, easter_sunday
from clinic.schedule import holiday_name, is_national, optional_name


@dataclass(frozen=True)
class ComingDay:
    """A local date: its name, where it comes from, what the clinic does on it; `row` is the clinic's own, if any.

    `falls_on` and `kind` are what a new row that changes this would begin with."""

    day: date
    name: str
    source: str
    effect: str
    closes: bool
    row: ClinicHoliday | None
    falls_on: str
    kind: str


def coming_days(clinic: Clinic, first: date, last: date) -> list[ComingDay]:
    """Return the days from `first` to `last`, both included, in order. Two queries.

    A date has a line for each origin: the public holiday or the optional day, then the clinic's own rows."""
    rows = list(ClinicHoliday.objects.of(clinic).prefetch_related("doctors"))
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        own = [row for row in rows if date_in_year(row.falls_on, day.year) == day]
        found += [*_not_own(clinic, day, own), *(_own(day, row) for row in own)]
    return found


def _own(day: date, row: ClinicHoliday) -> ComingDay:
    closes = row.kind == ClinicHoliday.Kind.CLOSES
    source = _("lista da clínica") if closes else _("exceção")
    return ComingDay(day, row.name, source, _effect_of(row), closes, row, f"{day:%d/%m/%Y}", ClinicHoliday.Kind.OPENS)


def _not_own(clinic: Clinic, day: date, own: Iterable[ClinicHoliday]) -> Iterable[ComingDay]:
    """Return the public holiday of the date, else the optional day that the clinic has not chosen."""
    once = f"{day:%d/%m/%Y}"
    if name := holiday_name(clinic, day):
        source = _("nacional") if is_national(clinic, day) else clinic.region_name
        yield ComingDay(day, name, source, _("fechada"), True, None, once, ClinicHoliday.Kind.OPENS)
    elif (name := optional_name(clinic, day)) and not any(row.kind == ClinicHoliday.Kind.CLOSES for row in own):
        rule = _rule_of(clinic, day, name)
        yield ComingDay(day, name, _("facultativo"), _("aberta"), False, None, rule, ClinicHoliday.Kind.CLOSES)


def _rule_of(clinic: Clinic, day: date, name: str) -> str:
    """Return the optional day as a rule: every year on that date, or so many days from Easter."""
    since_easter = day - easter_sunday(day.year)
    moves = optional_name(clinic, easter_sunday(day.year + 1) + since_easter) == name
    return f"Páscoa{since_easter.days:+d}" if moves else f"{day:%d/%m}"


def _effect_of(row: ClinicHoliday) -> str:
    closes = row.kind == ClinicHoliday.Kind.CLOSES
    if not row.hours:
        words = _("fechada") if closes else _("aberta")
    elif closes and row.starts is None:
        words = _("aberta a partir das %(time)s") % {"time": f"{row.ends:%H:%M}"}
    elif closes and row.ends is None:
        words = _("fechada a partir das %(time)s") % {"time": f"{row.starts:%H:%M}"}
    else:
        words = f"{_('fechada') if closes else _('aberta')} {row.hours}"
    meant = ", ".join(
        [*([row.specialty] if row.specialty else []), *(doctor.full_name for doctor in row.doctors.all())]
    )
    return f"{words} ({meant})" if meant else words
