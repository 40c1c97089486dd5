"""The cells of a row as the data of a patient, read one by one as people write them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clinic.exchange.columns import FIELDS, PARTS_OF_NAME, is_ambiguous, is_month_first
from clinic.form_fields import TypedDateField, lowered
from clinic.models import documents
from clinic.models.patient import DATES, DocumentType, NoDocument
from clinic.registry import PatientDetails

YES, NO = {"sim", "s", "yes", "y", "true", "verdadeiro", "1", "x"}, {"nao", "n", "no", "false", "falso", "0"}
# What programs write where nothing is known.
NOTHING = {"null", "none", "nan", "n/a", "na", "-", "--", "---", "00/00/0000", "0000-00-00", "não informado", "s/n"}
PRIVATE = {"particular", "privado", "nenhum", "sem convenio", "private"}
TIME_OF_DAY = re.compile(r"[ T]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$")
MONTH_AND_DAY = re.compile(r"^(\d{1,2})[/.-](\d{1,2})(?=[/.-])")
FORMULA = re.compile(r"[=@]")
ESCAPED = re.compile(r"'(?=[=+\-@\t\r])")  # as our own exports write what a spreadsheet would take for a formula
LONGEST_QUOTED = 60  # characters of a cell that a sentence repeats
FREE_TEXTS = {"notes", "alert"}  # people begin them as they like
PAST, LATER = TypedDateField(past=True), TypedDateField()
CHOICES = {"document_type": DocumentType.choices, "no_document": NoDocument.choices}


@dataclass(frozen=True)
class Reader:
    """Reads the rows of one run: which field each column is, which columns write month/day and which mix, and the ids
    of the clinic's payers by their simplified names."""

    columns: Sequence[str]
    month_first: Sequence[int]
    mixed: Sequence[int]
    payers: Mapping[str, int]

    def read(self, cells: Sequence[str]) -> tuple[PatientDetails, dict[str, str]]:
        """Return the details of a row, and by field a sentence for each cell that cannot be read."""
        values: dict[str, Any] = {}
        sentences = {}
        for place, (field, cell) in enumerate(zip(self.columns, cells, strict=False)):
            text = cell.strip()
            if not field or not text or (field not in PARTS_OF_NAME and is_nothing(text)):
                continue
            try:
                values[field] = self._value(field, text, place)
            except ValidationError as error:
                sentences[field] = f"{FIELDS[field]}: {' '.join(error.messages)}"
        name = " ".join(filter(None, (values.pop(part, "") for part in PARTS_OF_NAME)))
        if name.lower() in NOTHING:  # as a whole; a part of a name may be Nan or Null
            name = ""
        if values.get("died_on"):
            values["died"] = True
        return PatientDetails(name=name, **values), sentences

    def shown_date(self, field: str, text: str, place: int) -> str:
        """Return a date as it was read, with four digits for its year; as it was typed where it cannot be read."""
        try:
            day = self._date(field, text, place)
        except ValidationError:
            return text
        return f"{day:%d/%m/%Y}" if day else text

    def _value(self, field: str, text: str, place: int) -> Any:
        text = without_escape(text) if field in FREE_TEXTS else plain(text)
        if field in DATES:
            return self._date(field, text, place)
        if field in {"accepts_whatsapp", "died"}:
            return _yes_or_no(text)
        if field == "payer_id":
            return self.payer(text)
        if field in CHOICES:
            return _choice(field, text)
        return _cpf(text) if field == "cpf" else text

    def _date(self, field: str, text: str, place: int) -> date | None:
        written = self.day_first(TIME_OF_DAY.sub("", text), place)
        day: date | None = (LATER if field == "card_expires_on" else PAST).clean(written)
        return day

    def day_first(self, text: str, place: int) -> str:
        """Return a date of this column with its day first. Day and month are exchanged only where that was chosen for
        the column, and never guessed. Raises ValidationError."""
        if place in self.month_first:
            return MONTH_AND_DAY.sub(r"\2/\1", text)
        if is_month_first(text):
            raise ValidationError(_("“%(text)s” só pode ser mês/dia. Diga nas colunas que é assim.") % {"text": text})
        if place in self.mixed and is_ambiguous(text):
            raise ValidationError(
                _("“%(text)s” pode ser dia/mês ou mês/dia: nesta coluna há datas dos dois jeitos. Escreva 1980-03-25.")
                % {"text": text}
            )
        return text

    def payer(self, text: str) -> int | None:
        """Return the id of the payer with this name, None for a private visit. Raises ValidationError."""
        name = simplified(text)
        if name in PRIVATE:
            return None
        if name not in self.payers:
            raise ValidationError(
                _("“%(name)s” não é um convênio da clínica. Crie-o na Administração, ou não traga esta coluna.")
                % {"name": text}
            )
        return self.payers[name]


def plain(text: str) -> str:
    """Return the text of a cell without the mark that keeps a spreadsheet from reading it as a formula. Raises
    ValidationError for a formula."""
    if FORMULA.match(text):
        raise ValidationError(_("é uma fórmula, e não um texto."))
    return without_escape(text)


def without_escape(text: str) -> str:
    """Return the text of a cell without the mark that keeps a spreadsheet from reading it as a formula."""
    return ESCAPED.sub("", text, count=1)


def is_nothing(text: str) -> bool:
    """Return whether a cell says nothing: it is empty, or has what programs write where nothing is known."""
    return not text or text.lower() in NOTHING


def simplified(text: str) -> str:
    """Return a name as it is compared: small letters without marks, single spaces; “Müller 2ª” is "muller 2a"."""
    decomposed = unicodedata.normalize("NFKD", lowered(text))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def short(text: str) -> str:
    """Return a cell as a sentence repeats it."""
    return text if len(text) <= LONGEST_QUOTED else text[:LONGEST_QUOTED] + "…"


def _yes_or_no(text: str) -> bool:
    word = simplified(text)
    if word not in YES | NO:
        raise ValidationError(_("“%(text)s” não é sim nem não.") % {"text": text})
    return word in YES


def _choice(field: str, text: str) -> str:
    """Return the value of a choice that is written as the screen writes it; any other text is “other”."""
    labels = {simplified(str(label)): value for value, label in CHOICES[field]}
    return labels.get(simplified(text), "other")


def _cpf(text: str) -> str:
    """Return a CPF with the zeros that a spreadsheet takes from the front of a number; its check digits tell."""
    digits = documents.read_cpf(text)
    whole = digits.zfill(documents.CPF_LENGTH)
    is_cut = digits.isdigit() and len(digits) in {documents.CPF_LENGTH - 1, documents.CPF_LENGTH - 2}
    return whole if is_cut and documents.is_cpf(whole) else text
