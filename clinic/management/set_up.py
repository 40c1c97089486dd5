"""Setting up a clinic from a file: what it says of clinic, staff, procedures and doctors, added where it is missing.

Nothing that is there already is changed: a second run writes nothing. What is wrong is named by the key of its line,
`procedures[2].price`, all of it at once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Value
from django.utils import translation

from clinic.access import first_clinic, staff_links
from clinic.models import AppointmentEvent, Clinic, Doctor, Procedure, StaffLink, StaffUser
from clinic.models.booking_limits import MAX_VALUES
from clinic.models.clinic import REGIONS, USUAL, validate_zone_of_country
from clinic.models.names import validate_has_letter
from clinic.models.ranges import Fold
from clinic.models.staff_link import team_of
from clinic.models.titles import Title, split_title, written
from clinic.refusals import Refused
from clinic.registry import (
    Author,
    ClinicRefused,
    DoctorRefused,
    ProcedureDetails,
    ProcedureRefused,
    clean_clinic_phone,
    doctors_named,
    place_clinic,
    procedures_named,
    register_doctor,
    register_procedure,
)
from clinic.registry.patient_details import tidy
from clinic.schedule import Hours, read_week

BY = Author(channel=AppointmentEvent.Channel.COMMAND, credential="set_up_clinic")
TABLES = {"clinic": dict, "staff": list, "procedures": list, "doctors": list}
KEYS = {
    "clinic": {
        *("name", "slug", "country", "time_zone", "language", "region", "town", "observes_holidays"),
        *("phone", "area_code", "address"),
    },
    "staff": {"name", "role", "doctor"},
    "procedures": {"name", "minutes", "price", *MAX_VALUES},
    "doctors": {"name", "title", "specialty", "week", "procedures", *MAX_VALUES},
}
# These may be true or false; those are asked about where they are read; all others are texts.
SWITCHED = {"observes_holidays"}
READ_BY_THEMSELVES = {"minutes", "price", "procedures", *MAX_VALUES}


class FileRefused(Exception):
    """Nothing may be committed: `faults` are sentences by the keys of their lines."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


@dataclass
class Outcome:
    """What was added, as lines to read, and the links of those who are invited, (link, secret)."""

    added: list[str] = field(default_factory=list)
    invited: list[tuple[StaffLink, str]] = field(default_factory=list)


def set_up(content: Mapping[str, Any]) -> Outcome:
    """Add what the file says and the database lacks. Runs in the caller's transaction, which must be rolled back when
    this raises FileRefused."""
    faults = _faults_of_shape(content)
    if faults:
        raise FileRefused(faults)
    outcome = Outcome()
    clinic = _clinic(content["clinic"], outcome)
    with translation.override(clinic.language):
        for number, row in enumerate(content.get("procedures", [])):
            _collect(faults, f"procedures[{number}]", partial(_procedure, clinic, row, outcome))
        for number, row in enumerate(content.get("doctors", [])):
            _collect(faults, f"doctors[{number}]", partial(_doctor, clinic, row, outcome))
        for number, row in enumerate(content.get("staff", [])):  # some of them are these doctors
            _collect(faults, f"staff[{number}]", partial(_invite, clinic, row, outcome))
    if faults:
        raise FileRefused(faults)
    return outcome


class _Fault(Exception):
    """What is wrong at a key, "" for the whole row."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key, self.sentence = key, sentence


def _collect(faults: dict[str, str], place: str, work: Callable[[], None]) -> None:
    try:
        work()
    except _Fault as fault:
        faults[f"{place}.{fault.key}" if fault.key else place] = fault.sentence


def _faults_of_shape(content: Mapping[str, Any]) -> dict[str, str]:
    faults = dict.fromkeys(content.keys() - TABLES.keys(), "There is no such table.")
    if not isinstance(content.get("clinic"), dict):
        faults["clinic"] = "A table [clinic] is needed."
    for name, kind in TABLES.items():
        value = content.get(name, kind())
        rows = [value] if kind is dict else value
        if not isinstance(value, kind) or not all(isinstance(row, dict) for row in rows):
            faults[name] = f"Write it as {'[clinic]' if kind is dict else f'[[{name}]]'}."
            continue
        for number, row in enumerate(rows):
            place = name if kind is dict else f"{name}[{number}]"
            faults |= {f"{place}.{key}": "There is no such key." for key in row.keys() - KEYS[name]}
            faults |= {f"{place}.{key}": sentence for key, sentence in _wrong_types(row, KEYS[name])}
            if not _text(row, "name"):
                faults[f"{place}.name"] = "A name is needed, in quotes."
    return faults


def _wrong_types(row: Mapping[str, Any], keys: set[str]) -> Iterator[tuple[str, str]]:
    """Return which of these keys have a value of another type than it is read as, without READ_BY_THEMSELVES."""
    for key in row.keys() & keys - READ_BY_THEMSELVES:
        value = row[key]
        if key in SWITCHED:
            if not isinstance(value, bool):
                yield key, "Write true or false, without quotes."
        elif not isinstance(value, str):
            yield key, "Write it in quotes."


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key, "")
    return value.strip() if isinstance(value, str) else ""


def _clinic(row: Mapping[str, Any], outcome: Outcome) -> Clinic:
    """Return the clinic of that slug, added if there is none."""
    slug = _text(row, "slug") or first_clinic.usual_slug(_text(row, "name"))
    if found := Clinic.objects.real().filter(slug=slug).first():
        return found
    country = _text(row, "country")
    if country not in USUAL:
        raise FileRefused({"clinic.country": f"Write one of {', '.join(USUAL)}."})
    usual = USUAL[country]
    clinic = Clinic(
        name=_text(row, "name"),
        slug=slug,
        country=country,
        time_zone=_text(row, "time_zone") or usual.time_zone,
        language=_text(row, "language") or usual.language,
        currency=usual.currency,
        area_code=_text(row, "area_code"),
        address=_text(row, "address"),
    )
    faults = _faults_of_clinic(clinic, row)
    if faults:
        raise FileRefused(faults)
    clinic.save()
    region, observes = _text(row, "region"), row.get("observes_holidays", True)
    try:
        place_clinic(clinic, region=region, town=_text(row, "town"), observes_holidays=observes, by=BY)
    except ClinicRefused as refused:
        raise FileRefused({f"clinic.{key}": fault.name for key, fault in refused.faults.items()}) from refused
    outcome.added.append(f"clinic {clinic.name} ({clinic.slug})")
    return clinic


def _faults_of_clinic(clinic: Clinic, row: Mapping[str, Any]) -> dict[str, str]:
    faults: dict[str, str] = {}
    try:
        clinic.phone = clean_clinic_phone(_text(row, "phone"), clinic.country, clinic.area_code)
    except Refused as refused:
        faults["clinic.phone"] = str(refused.message)
    try:
        clinic.full_clean()
        validate_zone_of_country(clinic.time_zone, clinic.country)
    except ValidationError as error:
        by_field = getattr(error, "error_dict", {"time_zone": error})
        faults |= {f"clinic.{key}": " ".join(ValidationError(each).messages) for key, each in by_field.items()}
    if _text(row, "region") not in {"", *REGIONS[clinic.country]}:
        faults["clinic.region"] = f"Write one of {', '.join(REGIONS[clinic.country])}."
    return faults


def _invite(clinic: Clinic, row: Mapping[str, Any], outcome: Outcome) -> None:
    """Invite a person, unless one of that name is there or invited already, with whatever role. The role `doctor` is
    for the own day of the doctor named in `doctor`, the one of the person's own name without it."""
    name, role = tidy(_text(row, "name")), _text(row, "role") or StaffUser.Role.RECEPTIONIST
    if role not in StaffUser.Role.values:
        raise _Fault("role", "Write receptionist, manager, master or doctor.")
    if role != StaffUser.Role.DOCTOR and "doctor" in row:
        raise _Fault("doctor", 'Only who has the role "doctor" has a day of their own.')
    if team_of(clinic).alias(folded=Fold("name")).filter(folded=Fold(Value(name))).exists():
        return
    doctor = _own_doctor(clinic, row) if role == StaffUser.Role.DOCTOR else None
    try:
        validate_has_letter(name)
        outcome.invited.append(staff_links.invite(clinic, by=None, name=name, role=role, doctor=doctor))
    except ValidationError as error:
        raise _Fault("", " ".join(error.messages)) from error
    outcome.added.append(f"{role} {name}, invited{f' for the day of {doctor.full_name}' if doctor else ''}")


def _own_doctor(clinic: Clinic, row: Mapping[str, Any]) -> Doctor:
    _title, name = split_title(_text(row, "doctor") or _text(row, "name"))
    found = list(doctors_named(clinic, name)[:2])
    if len(found) != 1:
        raise _Fault("doctor", "Write the name of one doctor of this clinic.")
    return found[0]


def _procedure(clinic: Clinic, row: Mapping[str, Any], outcome: Outcome) -> None:
    name = _text(row, "name")
    if procedures_named(clinic, name).exists():
        return
    minutes = row.get("minutes")
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        raise _Fault("minutes", "A whole number of minutes is needed.")
    details = ProcedureDetails(name=name, price=_price(row.get("price")), duration_minutes=minutes)
    try:
        register_procedure(clinic, details, BY, _limits(row))
    except ProcedureRefused as refused:
        raise _Fault("", f"Refused: {refused}.") from refused
    outcome.added.append(f"procedure {name}")


def _limits(row: Mapping[str, Any]) -> dict[str, int]:
    """Return the columns of BookingLimits that the row has."""
    limits = {name: row[name] for name in MAX_VALUES if name in row}
    for name, value in limits.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_VALUES[name]:
            raise _Fault(name, f"A whole number from 1 to {MAX_VALUES[name]} is needed.")
    return limits


def _price(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _Fault("price", "A price is needed, 0 for what nobody pays.")
    try:
        price = Decimal(str(value))
    except InvalidOperation as error:
        raise _Fault("price", 'Write it as 350, 79.9 or "350.00".') from error
    if not price.is_finite():
        raise _Fault("price", 'Write it as 350, 79.9 or "350.00".')
    return price


def _doctor(clinic: Clinic, row: Mapping[str, Any], outcome: Outcome) -> None:
    title, name = split_title(_text(row, "name"))
    if doctors_named(clinic, name).exists():
        return
    title = _title(_text(row, "title")) or title
    try:
        added = register_doctor(
            clinic,
            name=name,
            title=title,
            specialty=_text(row, "specialty"),
            procedures=_performed(clinic, row),
            hours=_hours(row),
            limits=_limits(row),
            by=BY,
        )
    except DoctorRefused as refused:
        raise _Fault("", f"Refused: {refused}.") from refused
    outcome.added.append(f"doctor {added.full_name}")


def _title(text: str) -> str:
    """Return the stored title of one with its article, "a Dra.", or without it where no other has the same."""
    possible = [value for value in Title.values if text in {value, written(value)}]
    if text and len(possible) != 1:
        raise _Fault("title", 'Write a title of the list with its article, for example "a Dra.".')
    return possible[0] if text else ""


def _performed(clinic: Clinic, row: Mapping[str, Any]) -> list[int]:
    """Return the ids of the named procedures; of all where none is named."""
    if "procedures" not in row:
        return list(Procedure.objects.of(clinic).filter(active=True).order_by("pk").values_list("pk", flat=True))
    names = row["procedures"] if isinstance(row["procedures"], list) else [None]
    named = [procedures_named(clinic, name).first() if isinstance(name, str) else None for name in names]
    found = [procedure.pk for procedure in named if procedure]
    if len(found) < len(named):
        raise _Fault("procedures", "Write names of procedures of this clinic, in brackets.")
    return found


def _hours(row: Mapping[str, Any]) -> list[Hours]:
    week = read_week(_text(row, "week"))
    if week.mistakes:
        raise _Fault("week", " ".join(mistake.sentence for mistake in week.mistakes))
    return week.hours
