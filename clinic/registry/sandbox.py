"""The sandbox of a clinic, in which its test keys act: a clinic row of its own, which no user belongs to.

The first request of a test key makes it: a copy of the directory with the same ids, and invented patients. It starts
without appointments, so what test keys book takes no real time and is seen by test keys only. It is of one local date
of the clinic: the first request of the next one empties it and copies the directory again, and `purge_expired` empties
it, whichever comes first.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import GeneratedField
from django.utils import timezone

from clinic.models import Absence, Clinic, ClinicHoliday, Doctor, Patient, Procedure, ProcedurePrice, WorkingHours
from clinic.models.documents import made_up_cpf, made_up_nif
from clinic.models.locks import get_locked
from clinic.models.phones import made_up_phone
from clinic.transactions import run_in_transaction

FIRST_DOCUMENT = {"BR": 900_000_000, "PT": 29_000_000}
COPIED_FROM_CLINIC = [
    *("name", "country", "time_zone", "language", "currency", "area_code", "phone", "address", "town", "region"),
    *("observes_holidays", "strict_cpf", "requires_duration"),
    *("confirmation_text", "confirmation_text_to_other", "recall_text", "recall_text_to_other", "texts_tell_procedure"),
]
# What belongs to an appointment or a patient is found by these, whose columns have indexes: it takes no longer however
# much other clinics hold.
EMPTY_SQL = """
    DELETE FROM clinic_applieddiscount WHERE line_id IN (
        SELECT line.id FROM clinic_appointmentprocedure AS line
        JOIN clinic_appointment ON clinic_appointment.id = line.appointment_id
        WHERE clinic_appointment.clinic_id = %(clinic)s
    );
    DELETE FROM clinic_appointmentprocedure
    WHERE appointment_id IN (SELECT id FROM clinic_appointment WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_appointmentevent
    WHERE appointment_id IN (SELECT id FROM clinic_appointment WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_receipt
    WHERE appointment_id IN (SELECT id FROM clinic_appointment WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_appointment WHERE clinic_id = %(clinic)s;
    DELETE FROM clinic_patientevent
    WHERE patient_id IN (SELECT id FROM clinic_patient WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_formername
    WHERE patient_id IN (SELECT id FROM clinic_patient WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_patient WHERE clinic_id = %(clinic)s;
    DELETE FROM clinic_procedureprice WHERE clinic_id = %(clinic)s;
    DELETE FROM clinic_doctor_procedures
    WHERE doctor_id IN (SELECT id FROM clinic_doctor WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_ceasedprocedure
    WHERE doctor_id IN (SELECT id FROM clinic_doctor WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_clinicholiday_doctors
    WHERE clinicholiday_id IN (SELECT id FROM clinic_clinicholiday WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_clinicholiday WHERE clinic_id = %(clinic)s;
    DELETE FROM clinic_workinghours
    WHERE doctor_id IN (SELECT id FROM clinic_doctor WHERE clinic_id = %(clinic)s);
    DELETE FROM clinic_absence WHERE clinic_id = %(clinic)s;
    DELETE FROM clinic_clinicevent WHERE clinic_id = %(clinic)s;
    DELETE FROM clinic_storedanswer WHERE clinic_id = %(clinic)s
"""


@dataclass(frozen=True)
class InventedPatient:
    """A patient of every sandbox: `phone` is the number of `made_up_phone`, `document` that of a made-up CPF or NIF."""

    name: str
    born: date | None
    phone: int
    document: int | None = None
    guardian: str = ""


# A child on its mother's phone, two of one name, and one with little data: what a program has to distinguish.
INVENTED_PATIENTS = (
    InventedPatient("Ana Exemplo Martins", date(1984, 3, 12), 1, 1),
    InventedPatient("Bruno Exemplo Martins", date(2018, 9, 2), 1, 2, guardian="Ana Exemplo Martins"),
    InventedPatient("Carlos Exemplo Nunes", date(1957, 11, 30), 2, 3),
    InventedPatient("Maria Exemplo Costa", date(1990, 6, 21), 3, 4),
    InventedPatient("Maria Exemplo Costa", date(2001, 1, 8), 4, 5),
    InventedPatient("Duarte Exemplo Reis", None, 5),
)


def sandbox_of(clinic: Clinic) -> Clinic:
    """Return the clinic's sandbox of the present local date, made or emptied if there is none of that date yet.

    To do so the clinic's row is locked (FOR NO KEY UPDATE). A request that is under way at midnight may still write
    into the sandbox of the new date. Raises Refused (TRY_AGAIN).
    """
    day = clinic.local(timezone.now()).date()
    sandbox = Clinic.objects.filter(sandbox_of=clinic, sandbox_day=day).first()
    sandbox = sandbox or run_in_transaction(lambda: _make(clinic, day))
    sandbox.sandbox_of = clinic
    return sandbox


def empty_sandbox(clinic: Clinic) -> int:
    """Empty the clinic's sandbox if its local date is over; return how many were, 0 or 1.

    What is left are the copies of the directory: to delete one PostgreSQL reads all lines of all clinics. Locks the
    sandbox's row; one in which a request still writes is left to the next time.
    """
    today = clinic.local(timezone.now()).date()
    with transaction.atomic():
        over = Clinic.objects.filter(sandbox_of=clinic, sandbox_day__lt=today)
        sandbox = over.select_for_update(skip_locked=True).first()
        if sandbox is None or not Patient.objects.of(sandbox).exists():
            return 0
        _empty(sandbox)
        return 1


def _make(clinic: Clinic, day: date) -> Clinic:
    stored = get_locked(Clinic.objects.filter(pk=clinic.pk))
    sandbox = Clinic.objects.filter(sandbox_of=stored).first() or Clinic(sandbox_of=stored)
    if sandbox.sandbox_day == day:
        return sandbox
    for name in COPIED_FROM_CLINIC:
        setattr(sandbox, name, getattr(stored, name))
    sandbox.slug, sandbox.sandbox_day = f"sandbox-{sandbox.uuid.hex}", day
    sandbox.save()
    _empty(sandbox)
    _copy_directory(stored, sandbox)
    Patient.objects.bulk_create(_patient(sandbox, invented) for invented in INVENTED_PATIENTS)
    return sandbox


def _empty(sandbox: Clinic) -> None:
    with connection.cursor() as cursor:
        for statement in EMPTY_SQL.split(";"):
            cursor.execute(statement, {"clinic": sandbox.pk})


def _copy_directory(clinic: Clinic, sandbox: Clinic) -> None:
    procedures = _copy_by_uuid(Procedure, clinic, sandbox, "code")
    doctors = _copy_by_uuid(Doctor, clinic, sandbox, "council_number")
    holidays = _copy(ClinicHoliday, clinic, sandbox)
    _copy(WorkingHours, clinic, sandbox, doctors)
    _copy(Absence, clinic, sandbox, doctors)
    private = ProcedurePrice.objects.of(clinic).filter(payer=None)
    ProcedurePrice.objects.bulk_create(
        ProcedurePrice(
            clinic=sandbox, procedure_id=procedures[row.procedure_id], price=row.price, valid_from=row.valid_from
        )
        for row in private
    )
    performed, open_for = Doctor.procedures.through, ClinicHoliday.doctors.through
    performed._default_manager.bulk_create(
        performed(doctor_id=doctors[row.doctor_id], procedure_id=procedures[row.procedure_id])
        for row in performed._default_manager.filter(doctor__clinic=clinic)
    )
    open_for._default_manager.bulk_create(
        open_for(clinicholiday_id=holidays[row.clinicholiday_id], doctor_id=doctors[row.doctor_id])
        for row in open_for._default_manager.filter(doctor__clinic=clinic)
    )


def _copy_by_uuid(model: Any, clinic: Clinic, sandbox: Clinic, number: str) -> dict[int, int]:
    """Store the rows once more as the sandbox's, or over the copies of before; return the new id of each id.

    Copies of what is gone, and what test keys have added, are inactive from then on. `number` names the column of
    which no two rows have the same text.
    """
    model.objects.of(sandbox).update(active=False, **{number: ""})
    rows = list(model.objects.of(clinic))
    ids = [row.pk for row in rows]
    for row in rows:
        row.pk, row.clinic = None, sandbox
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, GeneratedField)]
    model.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["clinic", "uuid"],
        update_fields=[field.name for field in fields if field.name not in {"id", "clinic", "uuid"}],
    )
    return dict(zip(ids, (row.pk for row in rows), strict=True))


def _copy(model: Any, clinic: Clinic, sandbox: Clinic, doctors: dict[int, int] | None = None) -> dict[int, int]:
    """Store the rows once more as the sandbox's, of the copies of their `doctors`; return the new id of each id."""
    rows = list(model.objects.of(clinic))
    ids = [row.pk for row in rows]
    for row in rows:
        row.pk, row.clinic = None, sandbox
        if doctors is not None and row.doctor_id is not None:
            row.doctor_id = doctors[row.doctor_id]
    model.objects.bulk_create(rows)
    return dict(zip(ids, (row.pk for row in rows), strict=True))


def _patient(sandbox: Clinic, invented: InventedPatient) -> Patient:
    patient = Patient(
        clinic=sandbox,
        name=invented.name,
        birth_date=invented.born,
        phone=made_up_phone(sandbox.country, invented.phone),
        guardian_name=invented.guardian,
    )
    if invented.document:
        make = made_up_cpf if sandbox.document == "cpf" else made_up_nif
        setattr(patient, sandbox.document, make(FIRST_DOCUMENT[sandbox.country] + invented.document))
    return patient
