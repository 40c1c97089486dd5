"""Dates and times as people at a counter type them."""

import re
from calendar import isleap
from datetime import date, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.patient import OLDEST, years_between

DATE = re.compile(r"(\d{1,2})[/.\- ](\d{1,2})(?:[/.\- ](\d{4}|\d{2}))?|(\d{2})(\d{2})(\d{4}|\d{2})")
ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
# Nothing a clinic books or anybody was born in lies outside; and calendars can step beyond both ends.
READABLE_YEARS = range(1900, 2201)
LOOKING_BACK = timedelta(days=60)
LEAP_YEARS_APART = 8  # at most, as around 2100
TIME = re.compile(r"(\d{1,2})(?:[:hH.](\d{2})?)?|(\d{1,2})(\d{2})")
SHORT_NUMBER = re.compile(r"[0-9]{1,18}")  # fits PostgreSQL's bigint, and Python reads no number of thousands of digits


def is_short_number(text: str) -> bool:
    return SHORT_NUMBER.fullmatch(text) is not None


def ids_in(data: QueryDict, name: str) -> list[int]:
    """The ids that these fields hold, each several or one; what is no id is left out."""
    return [int(each) for each in " ".join(data.getlist(name)).split() if is_short_number(each)]


def ask_about_age(form: forms.Form, stored: date | None = None) -> None:
    """Refuse a birth date above OLDEST years, unless it is `stored` or `old_is_right` confirms that very day.

    `form.old` is then what there is to confirm: (the day in ISO form, the age)."""
    born = form.cleaned_data.get("birth_date")
    years = years_between(born, timezone.localdate()) if born else 0
    form.old = (born.isoformat(), years) if years > OLDEST and born != stored else None
    if form.old and form.data.get("old_is_right") != form.old[0]:
        sentence = _("São %(age)s anos. Confira o ano; se está certo, marque a caixa ao lado e salve de novo.")
        form.add_error("birth_date", ValidationError(sentence, code="old", params={"age": years}))


class Unchanging(dict):
    """The fields of a form class whose forms change none of them, so that each can use them without a deep copy."""

    def __deepcopy__(self, memo):
        return dict(self)


class TypedDateField(forms.Field):
    """A local date: 23/11/2026, 23/11/26, 23112026, 2026-11-23, or 23/11, the first such day from two months ago on.

    `past` (birth dates) wants the year, and reads two digits as the last such year that has been, unless somebody of up
    to OLDEST years may be born in the century before too: then it asks. Otherwise they are of this century.
    """

    default_error_messages = {
        "invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 23/11/2026."),
        "year": _("O ano deve ficar entre 1900 e 2200. Confira a data."),
        "century": _("O ano é %(early)s ou %(late)s? Escreva-o com quatro algarismos."),
    }

    def __init__(self, *, past=False, **options):
        self.past = past
        super().__init__(**options)

    def to_python(self, value):
        value = (value or "").strip()
        if not value:
            return None
        try:
            day = self._read(value)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if day.year not in READABLE_YEARS:
            raise ValidationError(self.error_messages["year"], code="year")
        return day

    def _read(self, value):
        if found := ISO_DATE.fullmatch(value):
            return date(*map(int, found.groups()))
        found = DATE.fullmatch(value)
        if not found:
            raise ValueError(value)
        day, month, year = found.groups()[:3] if found[1] else found.groups()[3:]
        return date(self._year(year), int(month), int(day)) if year else self._first(int(month), int(day))

    def _first(self, month, day):
        """In December 05/01 is of the next year, in January 20/12 of the last; yesterday is still yesterday."""
        if self.past:
            raise ValueError("whose year is not known")
        earliest = timezone.localdate() - LOOKING_BACK
        years = range(earliest.year, earliest.year + LEAP_YEARS_APART + 1)
        days = (date(year, month, day) for year in years if (month, day) != (2, 29) or isleap(year))
        return next(each for each in days if each >= earliest)

    def _year(self, written):
        if len(written) == 4:
            return int(written)
        today = timezone.localdate()
        year = today.year // 100 * 100 + int(written)
        if not self.past:
            return year
        if year <= today.year <= year - 100 + OLDEST:
            raise ValidationError(
                self.error_messages["century"], code="century", params={"early": year - 100, "late": year}
            )
        return year - 100 if year > today.year else year


class TypedTimeField(forms.Field):
    """A local time: 9, 930, 9:30, 09h30."""

    default_error_messages = {"invalid": _("Este horário não existe. Escreva hora e minutos, por exemplo 09:30.")}

    def to_python(self, value):
        value = (value or "").strip()
        if not value:
            return None
        found = TIME.fullmatch(value)
        try:
            return time(int(found[1] or found[3]), int(found[2] or found[4] or 0))
        except (TypeError, ValueError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
