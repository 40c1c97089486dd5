"""Adding, changing and switching off a procedure by a program, by the rules that the admin's form has."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, Value
from django.utils import timezone

from clinic.models import Clinic, Discount, Doctor, Procedure
from clinic.models.booking_limits import UNRESTRICTED
from clinic.models.limits import MONEY_LIMIT, is_in_cents, max_length
from clinic.models.locks import get_locked, get_shared, hold_advisory
from clinic.models.names import has_letter
from clinic.models.procedure import LONGEST_DURATION, SHORTEST_DURATION, USUAL_DURATION
from clinic.models.ranges import Fold
from clinic.registry.clinic_events import record_directory
from clinic.registry.patient_details import tidy, unstorable
from clinic.registry.patient_events import Author
from clinic.registry.prices import price_today, set_price
from clinic.transactions import run_in_transaction

NAMES_LOCK = "hashtextextended('names of procedures', %s)"


class ProcedureFault(Enum):
    """Why a procedure cannot be added or changed as described."""

    NAME_MISSING = auto()
    NAME_WITHOUT_LETTERS = auto()
    NAME_TOO_LONG = auto()
    NAME_UNSTORABLE = auto()
    NAME_TAKEN = auto()
    DURATION_IMPOSSIBLE = auto()
    PRICE_IMPOSSIBLE = auto()
    PRICE_OF_PART_OF_CENT = auto()
    DOCTOR_UNKNOWN = auto()


class ProcedureRefused(Exception):
    """Raised when nothing was written; `faults` holds every broken rule."""

    def __init__(self, faults: list[ProcedureFault]) -> None:
        super().__init__(", ".join(fault.name for fault in faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class ProcedureDetails:
    """A procedure as sent; `price` in the clinic's currency. With `doctors`, the uuids of the active doctors who
    perform it; None leaves them as they are."""

    name: str
    price: Decimal
    duration_minutes: int = USUAL_DURATION
    doctors: frozenset[UUID] | None = None


def register_procedure(
    clinic: Clinic,
    details: ProcedureDetails,
    by: Author,
    limits: Mapping[str, int] = UNRESTRICTED,
    *,
    code: str = "",
    preparation: str = "",
) -> Procedure:
    """Add an active procedure, and store the event; `limits` are columns of BookingLimits, `code` and `preparation` as
    they are stored.

    Raises ProcedureRefused, or Refused (TRY_AGAIN).
    """

    def work() -> Procedure:
        procedure = Procedure(clinic=clinic, code=code, preparation=preparation, **limits)
        _write(procedure, details)
        performing = [] if details.doctors is None else _performing(procedure)
        record_directory(clinic, {}, _snapshot(procedure, details.price, performing), by)
        return procedure

    return run_in_transaction(work)


def change_procedure(pk: int, changes: dict[str, Any], *, clinic: Clinic, by: Author) -> Procedure:
    """Change an active procedure, and store the event; `changes` are fields of ProcedureDetails.

    Shares the clinic's row, locks the doctors who begin or cease to perform it, in the order of their ids, then the
    procedure. Raises ProcedureRefused, or Procedure.DoesNotExist.
    """

    def work() -> Procedure:
        get_shared(Clinic, clinic.pk)
        for doctor in _changed_doctors(clinic, pk, changes.get("doctors")):
            get_locked(Doctor.objects.of(clinic).filter(pk=doctor))
        procedure = get_locked(Procedure.objects.of(clinic).filter(pk=pk, active=True))
        procedure.clinic = clinic
        price, performing = price_today(procedure), _performing(procedure)
        before = _snapshot(procedure, price, performing)
        stored = ProcedureDetails(name=procedure.name, price=price, duration_minutes=procedure.duration_minutes)
        wanted = replace(stored, **changes)
        _write(procedure, wanted, present=price)
        if wanted.doctors is not None:
            performing = _performing(procedure)
        record_directory(clinic, before, _snapshot(procedure, wanted.price, performing), by)
        return procedure

    return run_in_transaction(work)


def check_procedure(details: ProcedureDetails) -> list[ProcedureFault]:
    """Return the faults for which `register_procedure` would refuse, but that the name is taken. Asks no database."""
    return _faults(details, tidy(details.name))


def switch_off_procedure(pk: int, *, clinic: Clinic, by: Author) -> None:
    """Make a procedure inactive: what is booked of it is still done. An inactive one stays so.

    Locks the procedure's row. Raises Procedure.DoesNotExist.
    """

    def work() -> None:
        procedure = get_locked(Procedure.objects.of(clinic).filter(pk=pk))
        if procedure.active:
            procedure.clinic = clinic
            before = _snapshot(procedure, price_today(procedure), _performing(procedure))
            procedure.active = False
            procedure.save(update_fields=["active"])
            record_directory(clinic, before, {}, by)

    run_in_transaction(work)


def _write(procedure: Procedure, details: ProcedureDetails, present: Decimal | None = None) -> None:
    """Store the procedure and who performs it; `present` is what a stored one costs today. Raises ProcedureRefused."""
    clinic, name = procedure.clinic, tidy(details.name)
    doctors = _active_doctors(clinic, details.doctors or ())
    faults = _faults(details, name)
    if len(doctors) < len(details.doctors or ()):
        faults.append(ProcedureFault.DOCTOR_UNKNOWN)
    if not faults and _is_taken(clinic, name, besides=procedure.pk):
        faults.append(ProcedureFault.NAME_TAKEN)
    if faults:
        raise ProcedureRefused(faults)
    procedure.name, procedure.duration_minutes = name, details.duration_minutes
    if procedure.pk is None:
        procedure.price = details.price
        procedure.save()
    else:
        procedure.save()
        set_price(procedure, details.price, present)
    if details.doctors is not None:
        inactive = procedure.doctors.filter(active=False)
        procedure.doctors.set([*doctors, *inactive])


def _faults(details: ProcedureDetails, name: str) -> list[ProcedureFault]:
    minutes, price = details.duration_minutes, details.price
    is_broken = {
        ProcedureFault.NAME_MISSING: not name,
        ProcedureFault.NAME_WITHOUT_LETTERS: bool(name) and not has_letter(name) and not unstorable(name),
        ProcedureFault.NAME_TOO_LONG: len(name) > max_length(Procedure, "name"),
        ProcedureFault.NAME_UNSTORABLE: bool(unstorable(name)),
        ProcedureFault.DURATION_IMPOSSIBLE: not SHORTEST_DURATION <= minutes <= LONGEST_DURATION,
        ProcedureFault.PRICE_IMPOSSIBLE: not 0 <= price < MONEY_LIMIT,
        ProcedureFault.PRICE_OF_PART_OF_CENT: 0 <= price < MONEY_LIMIT and not is_in_cents(price),
    }
    return [fault for fault, broken in is_broken.items() if broken]


def _is_taken(clinic: Clinic, name: str, *, besides: int | None) -> bool:
    """Return whether another active procedure has this name, without regard to accents and capitals.

    Holds an advisory lock until the transaction ends, so that of two requests the second waits."""
    with connection.cursor() as cursor:
        hold_advisory(cursor, NAMES_LOCK, [clinic.pk])
    return bool(set(procedures_named(clinic, name).values_list("pk", flat=True)) - {besides})


def procedures_named(clinic: Clinic, name: str) -> "QuerySet[Procedure]":
    """Return the active procedures that have this name, without regard to accents and capitals."""
    return Procedure.objects.of(clinic).filter(active=True, sort_name=Fold(Value(tidy(name)))).order_by("pk")


def discounts_named(clinic: Clinic, name: str) -> "QuerySet[Discount]":
    """Return the discounts that have this name, without regard to accents and capitals, and have not expired."""
    valid = Discount.objects.of(clinic).valid_on(clinic.local(timezone.now()).date())
    return valid.alias(folded=Fold("name")).filter(folded=Fold(Value(tidy(name)))).order_by("pk")


def _active_doctors(clinic: Clinic, uuids: Collection[UUID]) -> list[Doctor]:
    return list(Doctor.objects.of(clinic).filter(uuid__in=uuids, active=True)) if uuids else []


def _changed_doctors(clinic: Clinic, pk: int, uuids: frozenset[UUID] | None) -> list[int]:
    """Return the ids of the active doctors who would begin or cease to perform the procedure, in order."""
    if uuids is None:
        return []
    performing = Doctor.objects.of(clinic).filter(active=True, procedures=pk).values_list("pk", flat=True)
    wanted = Doctor.objects.of(clinic).filter(active=True, uuid__in=uuids).values_list("pk", flat=True)
    return sorted(set(performing) ^ set(wanted))


def _performing(procedure: Procedure) -> list[str]:
    """Return the names of the active doctors who perform it. One query."""
    return [doctor.full_name for doctor in procedure.doctors.filter(active=True).order_by("sort_name", "pk")]


def _snapshot(procedure: Procedure, price: Decimal, performing: list[str]) -> dict[str, Any]:
    return {
        "procedure": procedure.pk,
        "name": procedure.name,
        "price": f"{price:.2f}",
        "duration_minutes": procedure.duration_minutes,
        "doctors": performing,
    }
