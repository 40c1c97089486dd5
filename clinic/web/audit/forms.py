"""The filters of the audit, as they stand in its address."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from clinic.form_fields import TypedDateField, ids_in, is_short_number
from clinic.models import Clinic, PatientEvent
from clinic.models.appointment import Status
from clinic.queries.audit import Choices, Position, Wanted, kinds

LAST_DAYS = [("1", _("Hoje")), ("7", _("7 dias")), ("30", _("30 dias")), ("", _("Tudo"))]


class DatesForm(forms.Form):
    """The first and the last local date, both included and both optional."""

    de = TypedDateField(label=_("De"), past=True, required=False)
    ate = TypedDateField(label=_("Até"), past=True, required=False)

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        first, last = typed.get("de"), typed.get("ate")
        if first and last and last < first:
            self.add_error("ate", _("Esta data vem antes da primeira. Troque as duas."))
        return typed


class Period(NamedTuple):
    """The local dates that are asked for, None for an open end; `days` is the preset that they are, "" for none."""

    form: DatesForm
    first: date | None
    last: date | None
    days: str


def period_of(data: MultiValueDict[str, str], today: date) -> Period:
    """Return the dates of the address: `de` and `ate`, or the last `dias`; of wrong ones none, with the complaint."""
    days, is_typed = data.get("dias", ""), data.get("de") or data.get("ate")
    if days and days in dict(LAST_DAYS) and not is_typed:
        return Period(DatesForm(), today - timedelta(days=int(days) - 1), None, days)
    form = DatesForm(data)
    if not form.is_valid():
        return Period(form, None, None, "")
    return Period(form, form.cleaned_data["de"], form.cleaned_data["ate"], "")


def wanted_of(data: MultiValueDict[str, str], clinic: Clinic, choices: Choices, period: Period) -> Wanted:
    """Return what the address asks; what it names of another clinic, or wrongly, is no filter."""
    author = data.get("quem", "")
    number = int(author[1:]) if is_short_number(author[1:]) else 0
    doctor = ids_in(data, "medico")
    return Wanted(
        clinic,
        kind=_one_of(data.get("tipo", ""), {value for _label, group in kinds() for value, _name in group}),
        status=_one_of(data.get("situacao", ""), set(Status.values)),
        doctor=doctor[0] if doctor and doctor[0] in choices.doctors else None,
        user=number if author.startswith("u") and number in choices.users else None,
        credential=choices.keys.get(number, "") if author.startswith("k") else "",
        channel=_one_of(data.get("via", ""), set(PatientEvent.Channel.values)),
        since=clinic.day(period.first)[0] if period.first else None,
        until=clinic.day(period.last)[1] if period.last else None,
    )


def query_of(data: MultiValueDict[str, str], **changes: str) -> str:
    """Return the filters of the address, with these changed, "" taking one away; without the position of a page."""
    names = ("tipo", "situacao", "medico", "quem", "via", "dias", "de", "ate")
    values = {name: data.get(name, "") for name in names} | changes
    return urlencode({name: value for name, value in values.items() if value})


def written_position(position: Position) -> str:
    return f"{position.at.isoformat()}~{position.table}~{position.pk}"


def position_of(text: str) -> Position | None:
    """Read the position of a link to older rows; None for anything else."""
    at, *numbers = text.split("~")
    if len(numbers) != 2 or not all(number.isascii() and number.isdecimal() for number in numbers):
        return None
    instant = instant_of(at)
    table, pk = (int(number) for number in numbers)
    return Position(instant, table, pk) if instant and max(table, pk) < 2**63 else None


def instant_of(text: str) -> datetime | None:
    """Read the instant of a position; None for anything else."""
    try:
        instant = parse_datetime(text)
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None


def _one_of(value: str, known: set[str]) -> str:
    return value if value in known else ""
