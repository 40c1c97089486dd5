"""The rules about a clinic's name, phone and address, and changing them by a program."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from clinic.models import Clinic, phones
from clinic.models.limits import max_length
from clinic.models.locks import get_locked
from clinic.models.names import has_letter
from clinic.refusals import Refusal, Refused
from clinic.registry.clinic_events import record_directory
from clinic.registry.holidays import add_town_holidays, leave_town_holidays
from clinic.registry.patient_details import PHONE_EXAMPLES, PHONE_FAULTS, tidy, unstorable
from clinic.registry.patient_events import Author
from clinic.transactions import run_in_transaction

TEXTS = ("name", "address", "town")


class ClinicFault(Enum):
    """Why a clinic cannot be changed as described; `faults` name the column."""

    MISSING = auto()
    WITHOUT_LETTERS = auto()
    TOO_LONG = auto()
    UNSTORABLE = auto()
    NO_PHONE = auto()


class ClinicRefused(Exception):
    """Raised when nothing was written; `faults` holds what is wrong with each column."""

    def __init__(self, faults: dict[str, ClinicFault]) -> None:
        super().__init__(", ".join(f"{column}: {fault.name}" for column, fault in faults.items()))
        self.faults = faults


def clean_clinic_phone(raw: str, country: str, area: str = "") -> str:
    """Return a phone as E.164, "" for none; `area` completes what a person typed. Raises Refused."""
    if not raw.strip():
        return ""
    phone = phones.read(raw, country, area)
    if phone.fault in PHONE_FAULTS:
        example = PHONE_EXAMPLES.get(country, PHONE_EXAMPLES["BR"])
        raise Refused([Refusal(PHONE_FAULTS[phone.fault], {**phone.params, "example": example})])
    return phone.number


def change_clinic(clinic: Clinic, changes: Mapping[str, str], by: Author) -> Clinic:
    """Change name, phone, address or town, whichever are given, and store the event. Return the clinic as stored.

    Locks the clinic's row. Raises ClinicRefused.
    """

    def work() -> Clinic:
        stored = get_locked(Clinic.objects.filter(pk=clinic.pk))
        before = {column: getattr(stored, column) for column in changes}
        after, faults = _cleaned(stored, changes)
        if faults:
            raise ClinicRefused(faults)
        for column, value in after.items():
            setattr(stored, column, value)
        stored.save(update_fields=list(after))
        name = {"name": stored.name}
        record_directory(stored, name | before, name | after, by)
        return stored

    return run_in_transaction(work)


def place_clinic(clinic: Clinic, *, region: str, town: str, observes_holidays: bool, by: Author) -> Clinic:
    """Say where a clinic is, by a code of REGIONS of its country and a town's name, "" for neither, and whether it
    closes on holidays; a town that is known brings its own, which go when another one follows. Store the event. Return
    the clinic as stored.

    Locks the clinic's row. Raises ClinicRefused."""

    def work() -> Clinic:
        stored = get_locked(Clinic.objects.filter(pk=clinic.pk))
        columns = {"region": region, "town": tidy(town), "observes_holidays": observes_holidays}
        before = {column: getattr(stored, column) for column in columns}
        if fault := _fault_of_text("town", town):
            raise ClinicRefused({"town": fault})
        for column, value in columns.items():
            setattr(stored, column, value)
        stored.save(update_fields=list(columns))
        if before["town"] != stored.town:
            leave_town_holidays(stored, before["town"])
        if observes_holidays:
            add_town_holidays(stored, stored.town)
        name = {"name": stored.name}
        record_directory(stored, name | before, name | columns, by)
        return stored

    return run_in_transaction(work)


def _cleaned(clinic: Clinic, changes: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, ClinicFault]]:
    values, faults = {}, {}
    for column in changes.keys() & set(TEXTS):
        values[column] = tidy(changes[column])
        if fault := _fault_of_text(column, changes[column]):
            faults[column] = fault
    if "phone" in changes:
        try:
            values["phone"] = clean_clinic_phone(changes["phone"], clinic.country)
        except Refused:
            faults["phone"] = ClinicFault.NO_PHONE
    return values, faults


def _fault_of_text(column: str, text: str) -> ClinicFault | None:
    tidied = tidy(text)
    if unstorable(text):
        return ClinicFault.UNSTORABLE
    if len(tidied) > max_length(Clinic, column):
        return ClinicFault.TOO_LONG
    if column == "name" and not tidied:
        return ClinicFault.MISSING
    return ClinicFault.WITHOUT_LETTERS if column == "name" and not has_letter(tidied) else None
