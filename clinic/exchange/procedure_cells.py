"""Cells that name procedures, or say how long one takes: read alike in the spreadsheets of doctors, procedures and
appointments."""

import re
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clinic.exchange.patient_cells import short, simplified

MINUTES = re.compile(r"(\d{1,3})(?:[.,]0+)?\s*(?:m|min|mins|minutos?|minutes?)?\.?$", re.IGNORECASE)
# 0:30, 00:30:00, 1h, 1h30: spreadsheets write a duration as they write a time.
HOURS = re.compile(r"(\d{1,2})\s*(?::|h|hs?|horas?)\s*(\d{2})?(?:\s*m(?:in)?|:00)?$", re.IGNORECASE)
# One kind in a cell first, since a name may have the others in it.
BETWEEN = ("[+]", ",", ";", "/", r"\n", "[|]", r"[+,;/\n|]")


def minutes_of(text: str) -> int:
    """Return the minutes of a duration, 0 for what is none."""
    if match := MINUTES.fullmatch(text):
        return int(match[1])
    match = HOURS.fullmatch(text)
    return 60 * int(match[1]) + int(match[2] or 0) if match else 0


def by_name_and_code[T](procedures: Iterable[tuple[str, str, T]]) -> dict[str, T]:
    """Return what stands for a procedure by its simplified name and code, of (name, code, what stands for it); names
    come before codes, and of two alike the first is meant."""
    rows = list(procedures)
    found: dict[str, T] = {}
    for name, _code, procedure in rows:
        found.setdefault(simplified(name), procedure)
    for _name, code, procedure in rows:
        if code:
            found.setdefault(simplified(code), procedure)
    return found


def named_procedures[T](text: str, procedures: Mapping[str, T]) -> list[T]:
    """Return what a cell names, one or more, each once and in its order. `procedures` are by their simplified names and
    codes. Raises ValidationError."""
    parts = [text]
    for separator in (None, *BETWEEN):
        parts = [part for part in re.split(separator, text) if part.strip()] if separator else [text]
        if parts and all(simplified(part) in procedures for part in parts):
            return list(dict.fromkeys(procedures[simplified(part)] for part in parts))
    missing = next((part for part in parts if simplified(part) not in procedures), text)
    raise ValidationError(
        _("“%(name)s” não é um procedimento da clínica. Importe antes os procedimentos, ou corrija o nome.")
        % {"name": short(missing.strip())}
    )
