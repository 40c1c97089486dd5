"""The cells of a row as a procedure, or as a doctor, read one by one as people write them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clinic.exchange.directory_columns import DOCTOR_FIELDS, PROCEDURE_FIELDS
from clinic.exchange.patient_cells import FREE_TEXTS, is_nothing, plain, simplified, without_escape
from clinic.exchange.procedure_cells import by_name_and_code, minutes_of, named_procedures
from clinic.form_fields import LocalDecimalField, WeekField
from clinic.models import Clinic, Doctor, Procedure
from clinic.models.limits import max_length
from clinic.models.procedure import LONGEST_DURATION, SHORTEST_DURATION
from clinic.models.titles import Title, split_title, written
from clinic.registry import unstorable
from clinic.registry.patient_details import tidy

# Decimals after a dot, as programs write them; a spreadsheet's cell is a number and comes without a currency.
PROGRAMS_AMOUNT = re.compile(r"\d+\.\d{1,2}$")
# Titles in any letters, which `split_title` takes as we write them alone: those of which TITLES knows the stored one.
ANY_TITLE = re.compile(r"(dra|dr|profa|prof)\b\.?\s+(?=\S)", re.IGNORECASE)
TITLES = {
    "dr": Title.DR,
    "dra": Title.DRA,
    "prof": Title.PROF,
    "profa": Title.PROFA,
    "prof dr": Title.PROF_DR,
    "prof dra": Title.PROFA_DRA,
    "profa dra": Title.PROFA_DRA,
}
ALL = {"todos", "todas", "all"}


@dataclass
class ReadRow:
    """What a row says, by the names of its fields, without those that it does not say; and the sentences about it."""

    values: dict[str, Any] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)


class RowReader:
    """Reads the rows of one run by a function for each field, a text of the model where there is none."""

    def __init__(
        self, model: Any, columns: Sequence[str], labels: Mapping[str, Any], readers: Mapping[str, Callable[[str], Any]]
    ) -> None:
        self.model, self.columns, self.labels, self.readers = model, columns, labels, readers

    def read(self, cells: Sequence[str]) -> ReadRow:
        """Return what a row says."""
        row = ReadRow()
        for name, cell in zip(self.columns, cells, strict=False):
            if not name or is_nothing(text := cell.strip()):
                continue
            try:
                clean = without_escape(text) if name in FREE_TEXTS else plain(text)
                row.values[name] = self.readers[name](clean) if name in self.readers else self._text(name, clean)
            except ValidationError as error:
                row.sentences.append(f"{self.labels[name]}: {' '.join(error.messages)}")
        return row

    def _text(self, name: str, text: str) -> str:
        tidied = tidy(text)
        if unstorable(tidied):
            raise ValidationError(_("tem um caractere que não é aceito."))
        if len(tidied) > max_length(self.model, name):
            raise ValidationError(_("passa de %(limit)s caracteres.") % {"limit": max_length(self.model, name)})
        return tidied


def procedure_reader(columns: Sequence[str]) -> RowReader:
    """Return the reader of a spreadsheet of procedures."""
    return RowReader(Procedure, columns, PROCEDURE_FIELDS, {"duration_minutes": _minutes, "price": _price})


def doctor_reader(columns: Sequence[str], clinic: Clinic) -> RowReader:
    """Return the reader of a spreadsheet of doctors. One query."""
    offered = Procedure.objects.of(clinic).filter(active=True).order_by("pk")
    ids = by_name_and_code(offered.values_list("name", "code", "pk"))
    readers: dict[str, Callable[[str], Any]] = {
        "title": _title,
        "procedures": lambda text: _performed(text, ids),
        "week": lambda text: WeekField().clean(text).hours,
    }
    return RowReader(Doctor, columns, DOCTOR_FIELDS, readers)


def title_and_name(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the stored title and the name without it; a column of titles comes before what the name begins with."""
    given = values.get("name", "")
    title, name = split_title(given)
    words, rest = _titles_before(given)
    if len(rest) < len(name):
        title, name = TITLES.get(" ".join(words), TITLES[words[0]]), rest
    return values.get("title") or title, name


def _titles_before(name: str) -> tuple[list[str], str]:
    """Return the titles, in any letters, with which a name begins, and what follows them."""
    words = []
    while match := ANY_TITLE.match(name):
        words.append(match[1].lower())
        name = name[match.end() :]
    return words, name


def _minutes(text: str) -> int:
    minutes = minutes_of(text)
    if not SHORTEST_DURATION <= minutes <= LONGEST_DURATION:
        raise ValidationError(
            _("“%(text)s” não é uma duração de %(shortest)s a %(longest)s minutos.")
            % {"text": text, "shortest": SHORTEST_DURATION, "longest": LONGEST_DURATION}
        )
    return minutes


def _price(text: str) -> Any:
    """Return an amount as people or programs write it."""
    price = Procedure._meta.get_field("price")
    bounds: dict[str, Any] = {"max_digits": price.max_digits, "decimal_places": price.decimal_places, "min_value": 0}
    programs = PROGRAMS_AMOUNT.fullmatch(text)
    reader = forms.DecimalField(**bounds) if programs else LocalDecimalField(localize=True, **bounds)
    return reader.clean(text)


def _title(text: str) -> str:
    """Return the stored title of one with or without its article and points. Raises ValidationError."""
    possible = [value for value in Title.values if value and simplified(text) in _ways(value)]
    exact = [value for value in possible if text in {value, written(value)}] or possible
    if not exact:
        sentence = _("“%(text)s” não é um título da lista: escreva por exemplo Dr. ou Dra.")
        raise ValidationError(sentence % {"text": text})
    if len({value.partition(" ")[0] for value in exact}) > 1:
        sentence = _("“%(text)s” é de homem ou de mulher? Escreva “o %(text)s” ou “a %(text)s”.")
        raise ValidationError(sentence % {"text": text})
    return exact[0]


def _ways(title: str) -> set[str]:
    """Return how a title may be typed: with or without article and points."""
    ways = {simplified(title), simplified(written(title))}
    return ways | {way.replace(".", "") for way in ways}


def _performed(text: str, ids: Mapping[str, int]) -> list[int]:
    if simplified(text) in ALL:
        return sorted(set(ids.values()))
    return sorted(named_procedures(text, ids))
