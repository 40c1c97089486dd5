"""Insert the rows of `seed_load` by COPY. They bypass Django and `clinic.booking`, and must be valid by construction.

The days of each doctor are full of half hours, so nothing overlaps; consecutive appointments have different patients,
so no patient is in two places at the same time.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import batched, cycle, islice
from random import Random

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from clinic.management.demo import LOAD_SLUG, MARK
from clinic.management.demo.people import numbered_name
from clinic.models import (
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Doctor,
    Patient,
    Procedure,
    WorkingHours,
)
from clinic.models.patient import phone_hash
from clinic.models.phones import made_up_phone
from clinic.models.titles import Title

DOCTORS = 20
SLOTS = [time(hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 30)]
LENGTH = timedelta(minutes=30)
BATCH = 50_000
AHEAD = timedelta(days=14)
CREDENTIAL = "seed_load"
MIN_PATIENTS = 2 * DOCTORS * len(SLOTS)
APPOINTMENTS_A_PATIENT = 20

PAST_STATUSES = ["finished"] * 16 + ["no_show", "cancelled"]
COMING_STATUSES = ["scheduled", "confirmed"] * 8 + ["cancelled"]

PATIENT = "id clinic_id uuid name social_name nif phone phone_hash birth_date email notes created_at updated_at"
APPOINTMENT = """id clinic_id uuid doctor_id doctor_name patient_id starts_at ends_at status status_since source notes
    metadata typed_cpf encaixe_reason cancelled_by cancel_reason created_at updated_at"""
LINE = "clinic_id appointment_id position procedure_id procedure_name price"
EVENT = "clinic_id appointment_id doctor_id kind at door credential before after"


@dataclass(frozen=True)
class Slot:
    """Half an hour of one doctor."""

    doctor: Doctor
    starts_at: datetime


def load_clinic() -> Clinic:
    """Return the load's clinic with its doctors and procedures, created if missing. Its doctors work every day."""
    if clinic := Clinic.objects.filter(slug=LOAD_SLUG).first():
        return clinic
    clinic = Clinic.objects.create(
        slug=LOAD_SLUG,
        name=f"Carga {MARK}",
        country="BR",
        time_zone="America/Recife",
        language="pt-br",
        currency="BRL",
        observes_holidays=False,
    )
    procedures = [
        Procedure.objects.create(clinic=clinic, code=f"P{number:02}", name=f"Consulta {number:02}", price=100 + number)
        for number in range(10)
    ]
    for number in range(DOCTORS):
        doctor = Doctor.objects.create(
            clinic=clinic,
            title=Title.DRA,
            name=f"Carga {number:02}",
            specialty="Clínica médica",
            interval_minutes=30,
        )
        doctor.procedures.set(procedures)
        WorkingHours.objects.bulk_create(
            WorkingHours(clinic=clinic, doctor=doctor, weekday=weekday, starts=starts, ends=ends)
            for weekday in range(1, 8)
            for starts, ends in ((time(8), time(12)), (time(13), time(17)))
        )
    return clinic


def fill(clinic: Clinic, total: int) -> Iterator[int]:
    """Bring the clinic to `total` appointments, on days back from the oldest stored one.

    Yields the number of rows after each batch, which is a transaction of its own.
    """
    missing = max(0, total - Appointment.objects.of(clinic).count())
    add_patients(clinic, max(MIN_PATIENTS, total // APPOINTMENTS_A_PATIENT))
    patients = cycle(Patient.objects.of(clinic).order_by("pk").values_list("pk", flat=True))
    procedures = list(Procedure.objects.of(clinic))
    for slots in batched(islice(free_slots(clinic), missing), BATCH):
        with transaction.atomic():
            add_appointments(clinic, slots, patients, procedures)
        yield len(slots)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def add_patients(clinic: Clinic, total: int) -> None:
    """Bring the clinic to `total` patients."""
    stored = Patient.objects.of(clinic).count()
    numbers = range(stored, total)
    with transaction.atomic():
        first = reserve_ids(Patient, len(numbers))
        copy(Patient, PATIENT, (_patient(clinic, number, first + number - stored) for number in numbers))


def _patient(clinic: Clinic, number: int, pk: int) -> tuple[object, ...]:
    """Return the values of PATIENT."""
    now = timezone.now()
    number_in_full = made_up_phone("BR", number)
    born = date(1930, 1, 1) + timedelta(days=number * 37 % 30_000)
    hashed = phone_hash(number_in_full, clinic.pk)
    name = numbered_name("BR", number)
    return pk, clinic.pk, uuid.uuid4(), name, "", "", number_in_full, hashed, born, "", "", now, now


def last_full_day(clinic: Clinic) -> date:
    """Return the last local date with appointments of the load; without any, the date it will begin with."""
    newest = Appointment.objects.of(clinic).filter(events__credential=CREDENTIAL).order_by("-starts_at").first()
    return clinic.local(newest.starts_at if newest else timezone.now() + AHEAD).date()


def free_slots(clinic: Clinic) -> Iterator[Slot]:
    """Yield whole days of all doctors backwards, from the day before the oldest stored one or two weeks ahead."""
    oldest = Appointment.objects.of(clinic).order_by("starts_at").first()
    day = clinic.local(oldest.starts_at - timedelta(days=1) if oldest else timezone.now() + AHEAD).date()
    doctors = list(Doctor.objects.of(clinic))
    while True:
        starts = [clinic.nearest_instant(day, slot) for slot in SLOTS]
        yield from (Slot(doctor, starts_at) for starts_at in starts for doctor in doctors)
        day -= timedelta(days=1)


def add_appointments(
    clinic: Clinic, slots: tuple[Slot, ...], patients: Iterator[int], procedures: list[Procedure]
) -> None:
    """Insert an appointment with its line and event for each slot."""
    first = reserve_ids(Appointment, len(slots))
    rng = Random(first)  # noqa: S311 - which visits were missed need not be a secret
    now = timezone.now()
    numbered = list(enumerate(slots, first))
    copy(Appointment, APPOINTMENT, (_appointment(clinic, pk, slot, next(patients), now, rng) for pk, slot in numbered))
    copy(AppointmentProcedure, LINE, (_line(clinic, pk, procedures) for pk, _ in numbered))
    copy(AppointmentEvent, EVENT, (_event(clinic, pk, slot) for pk, slot in numbered))


def _appointment(clinic: Clinic, pk: int, slot: Slot, patient: int, now: datetime, rng: Random) -> tuple[object, ...]:
    """Return the values of APPOINTMENT."""
    status = rng.choice(PAST_STATUSES if slot.starts_at < now else COMING_STATUSES)
    booked_at = slot.starts_at - timedelta(days=10)
    cancelled_by = "patient" if status == "cancelled" else ""
    return (
        pk, clinic.pk, uuid.UUID(int=rng.getrandbits(128), version=4), slot.doctor.pk, slot.doctor.full_name, patient,
        slot.starts_at, slot.starts_at + LENGTH, status, booked_at, "manual", "", "{}", "", "", cancelled_by, "",
        booked_at, booked_at,
    )  # fmt: skip


def _line(clinic: Clinic, pk: int, procedures: list[Procedure]) -> tuple[object, ...]:
    """Return the values of LINE."""
    procedure = procedures[pk % len(procedures)]
    return clinic.pk, pk, 0, procedure.pk, procedure.name, procedure.price


def _event(clinic: Clinic, pk: int, slot: Slot) -> tuple[object, ...]:
    """Return the values of EVENT."""
    after = {
        "doctor": slot.doctor.pk,
        "doctor_name": slot.doctor.full_name,
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": (slot.starts_at + LENGTH).isoformat(),
        "status": "scheduled",
    }
    booked_at = slot.starts_at - timedelta(days=10)
    return clinic.pk, pk, slot.doctor.pk, "booked", booked_at, "command", CREDENTIAL, "{}", json.dumps(after)


def copy(model: type[Model], columns: str, rows: Iterable[tuple[object, ...]]) -> None:
    """COPY rows into a model's table. Values are written by `str`: no tabs, newlines or backslashes, and no None."""
    names = ", ".join(columns.split())
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as stream:
        for batch in batched(rows, 1000):
            stream.write("".join("\t".join(map(str, row)) + "\n" for row in batch))


def reserve_ids(model: type[Model], count: int) -> int:
    """Take `count` consecutive ids from the table's sequence and return the first. Locks the table until the commit."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))")
        first: int = cursor.fetchone()[0]
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), %s)", [first + count])
    return first
