"""The period and the filters of a report, as they stand in its address."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from clinic.form_fields import TypedDateField, ids_in
from clinic.queries.reports import is_always_fast

MAX_YEARS = 10
ONE_DAY = timedelta(days=1)
MISSING = {"required": _("Escreva uma data, por exemplo 01/11/2026.")}


class Preset(TextChoices):
    """Periods that are chosen by one click."""

    THIS_MONTH = "este-mes", _("Este mês")
    LAST_MONTH = "mes-passado", _("Mês passado")
    THREE_MONTHS = "3-meses", _("Últimos 3 meses")
    TWELVE_MONTHS = "12-meses", _("Últimos 12 meses")


def dates_of(preset: Preset, today: date) -> tuple[date, date]:
    """Return the first and the last local date: of a whole month, or of the months that end today."""
    month = today.replace(day=1)
    if preset is Preset.THIS_MONTH:
        return month, _months_after(month, 1) - ONE_DAY
    if preset is Preset.LAST_MONTH:
        return _months_after(month, -1), month - ONE_DAY
    months = 3 if preset is Preset.THREE_MONTHS else 12
    return _months_after(today, -months) + ONE_DAY, today


def _months_after(day: date, months: int) -> date:
    """Return the same day of another month, or the last one that it has."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class DatesForm(forms.Form):
    """The first and the last date of a period, both included, at most MAX_YEARS years long."""

    de = TypedDateField(label=_("De"), error_messages=MISSING)
    ate = TypedDateField(label=_("Até"), error_messages=MISSING)

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        first, last = typed.get("de"), typed.get("ate")
        if first and last and last < first:
            self.add_error("ate", _("Esta data vem antes da primeira. Troque as duas."))
        elif first and last and last >= _months_after(first, 12 * MAX_YEARS):
            self.add_error("ate", _("Um relatório cobre no máximo %(years)s anos.") % {"years": MAX_YEARS})
        return typed


def _cleaned(form: DatesForm) -> tuple[date, date]:
    return form.cleaned_data["de"], form.cleaned_data["ate"]


class Asked:
    """What an address asks of a report: `first` and `last` are local dates, `preset` the period they are, None for
    typed ones. Where the typed dates are wrong, `form` says why, and the dates are those that were shown before, which
    the page sends along as `antes_de` and `antes_ate`; without these, and where they may take long to count, it is this
    month."""

    def __init__(self, data: MultiValueDict[str, str], today: date) -> None:
        named = data.get("periodo", "")
        self.preset: Preset | None = None if {"de", "ate"} & data.keys() else Preset.THIS_MONTH
        if named in Preset.values:
            self.preset = Preset(named)
        if self.preset:
            self.first, self.last = dates_of(self.preset, today)
            self.form = DatesForm(initial={"de": f"{self.first:%d/%m/%Y}", "ate": f"{self.last:%d/%m/%Y}"})
            return
        self.form = DatesForm(data)
        before = DatesForm({"de": data.get("antes_de"), "ate": data.get("antes_ate")})
        if self.form.is_valid():
            self.first, self.last = _cleaned(self.form)
        elif before.is_valid() and is_always_fast(*_cleaned(before)):
            self.first, self.last = _cleaned(before)
        else:
            self.first, self.last = dates_of(Preset.THIS_MONTH, today)


def chosen(data: MultiValueDict[str, str], name: str, rows: Mapping[int, object]) -> int | None:
    """Return the id in this field that is one of the clinic's rows; None for none, and for another clinic's."""
    return next((pk for pk in ids_in(data, name) if pk in rows), None)
