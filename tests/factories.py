"""Rows for tests, made by rule: every name, CPF and phone is invented and none repeats within a run."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import count

from django.db import connection
from django.utils import timezone

from clinic.booking import Author, LineRequest, Proposal, book
from clinic.models import (
    Appointment,
    AppointmentEvent,
    Clinic,
    Discount,
    Doctor,
    Patient,
    Payer,
    Procedure,
    Series,
    StaffUser,
    documents,
)
from clinic.models.titles import split_title

PASSWORD = "garoa-fina-na-varanda"
WORKING_DAY = ((time(8), time(12)), (time(13), time(18)))
# One statement for ten rows: to build them as objects takes as long as to store the doctor.
INSERT_HOURS_SQL = """
    INSERT INTO clinic_workinghours (clinic_id, doctor_id, weekday, starts, ends)
    SELECT %s, %s, * FROM unnest(%s::smallint[], %s::time[], %s::time[])
"""

_numbers = count(1)


def cpf(number: int) -> str:
    """The valid CPF, 11 digits, that begins with `number` written in nine."""
    return documents.made_up_cpf(number)


def phone(number: int, country: str = "BR") -> str:
    """A mobile number of that country, E.164."""
    return f"+55819{90000000 + number:08d}" if country == "BR" else f"+3519{10000000 + number:08d}"


def make_clinic(**fields) -> Clinic:
    """A clinic in Recife (UTC-3 all year) that opens on holidays, so that no test depends on the calendar."""
    number = next(_numbers)
    defaults = {
        "name": f"Clínica {number}",
        "slug": f"clinica-{number}",
        "country": "BR",
        "time_zone": "America/Recife",
        "language": "pt-br",
        "currency": "BRL",
        "observes_holidays": False,
    }
    return Clinic.objects.create(**defaults | fields)


def make_lisbon(**fields) -> Clinic:
    defaults = {"country": "PT", "time_zone": "Europe/Lisbon", "language": "pt-pt", "currency": "EUR"}
    return make_clinic(**defaults | fields)


def make_user(clinic: Clinic | None = None, *, password: str | None = None, **fields) -> StaffUser:
    """A receptionist unless told otherwise. Without a password (argon2id takes its time) only force_login gets in."""
    number = next(_numbers)
    if clinic is None and not fields.get("is_superuser"):
        clinic = make_clinic()
    defaults = {"username": f"pessoa-{number}", "name": f"Pessoa {number}"}
    return StaffUser.objects.create_user(password=password, clinic=clinic, **defaults | fields)


def make_manager(clinic: Clinic | None = None, **fields) -> StaffUser:
    return make_user(clinic, **{"role": StaffUser.Role.MANAGER} | fields)


def make_master(clinic: Clinic | None = None, **fields) -> StaffUser:
    return make_user(clinic, **{"role": StaffUser.Role.MASTER} | fields)


def make_doctor_user(clinic: Clinic | None = None, *, doctor: Doctor | None = None, **fields) -> StaffUser:
    """The user of a doctor, who sees the own day; of a new doctor unless one is given."""
    doctor = doctor or make_doctor(clinic)
    return make_user(doctor.clinic, **{"role": StaffUser.Role.DOCTOR, "doctor": doctor} | fields)


def make_superuser(**fields) -> StaffUser:
    return make_user(**{"is_superuser": True} | fields)


def make_procedure(clinic: Clinic | None = None, **fields) -> Procedure:
    defaults = {"name": f"Procedimento {next(_numbers)}", "price": Decimal("252.00"), "duration_minutes": 30}
    return Procedure.objects.create(clinic=clinic or make_clinic(), **defaults | fields)


def make_discount(clinic: Clinic | None = None, **fields) -> Discount:
    """20 % unless `percentage` or `fixed` is given."""
    amount = {} if {"percentage", "fixed"} & fields.keys() else {"percentage": Decimal(20)}
    defaults = {"name": f"Desconto {next(_numbers)}"}
    return Discount.objects.create(clinic=clinic or make_clinic(), **defaults | amount | fields)


def make_payer(clinic: Clinic | None = None, **fields) -> Payer:
    defaults = {"name": f"Convênio {next(_numbers)}", "kind": Payer.Kind.HEALTH_PLAN}
    return Payer.objects.create(clinic=clinic or make_clinic(), **defaults | fields)


def make_doctor(
    clinic: Clinic | None = None,
    *,
    procedures: list[Procedure] | None = None,
    days=range(1, 6),
    hours=WORKING_DAY,
    **fields,
) -> Doctor:
    """Works on the ISO weekdays `days` at the local `hours` (pairs from, to), and performs one procedure by default.

    A title before the `name` becomes the title, unless one is given."""
    clinic = clinic or make_clinic()
    number = next(_numbers)
    defaults = {"name": f"Doutora {number}", "specialty": "Clínica médica", "council_number": f"CRM-PE {number}"}
    fields = defaults | fields
    if "title" not in fields:
        fields["title"], fields["name"] = split_title(fields["name"])
    doctor = Doctor.objects.create(clinic=clinic, **fields)
    performs = Doctor.procedures.through
    performed = [make_procedure(clinic)] if procedures is None else procedures
    performs.objects.bulk_create(performs(doctor=doctor, procedure=procedure) for procedure in performed)
    worked = [(day, starts, ends) for day in days for starts, ends in hours]
    columns = [[row[place] for row in worked] for place in range(3)]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_HOURS_SQL, [clinic.pk, doctor.pk, *columns])
    return doctor


def make_patient(clinic: Clinic | None = None, **fields) -> Patient:
    """A patient with everything the front desk asks for."""
    clinic = clinic or make_clinic()
    number = next(_numbers)
    defaults = {
        "name": f"Paciente {number}",
        "cpf": cpf(number),
        "phone": phone(number, clinic.country),
        "birth_date": "1980-05-17",
    }
    return Patient.objects.create(clinic=clinic, **defaults | fields)


def next_monday(clinic: Clinic, hour: int = 9, minute: int = 0) -> datetime:
    """That time on the clinic's clock, on the first Monday after today."""
    today = clinic.local(timezone.now()).date()
    return clinic.instant(today + timedelta(days=8 - today.isoweekday()), time(hour, minute))


def book_appointment(doctor: Doctor | None = None, *, now: datetime | None = None, **proposal) -> Appointment:
    """Booked by the rules: the doctor's first procedure for a new patient, next Monday at 9, unless told otherwise."""
    doctor = doctor or make_doctor()
    defaults = {
        "lines": (LineRequest(doctor.procedures.first().pk),),
        "starts_at": next_monday(doctor.clinic),
        "patient": None if "patient" in proposal or "details" in proposal else make_patient(doctor.clinic).pk,
    }
    by = Author(channel=AppointmentEvent.Channel.COMMAND, credential="tests")
    return book(Proposal(clinic=doctor.clinic, doctor=doctor.pk, **defaults | proposal), by=by, now=now)


def make_series(appointment: Appointment, **fields) -> Series:
    """A series of which this appointment is the only session: every week, ten in all."""
    starts_at = appointment.clinic.local(appointment.starts_at)
    defaults = {
        "every": 1,
        "unit": "week",
        "weekdays": [starts_at.isoweekday()],
        "count": 10,
        "starts": starts_at.time(),
    }
    series = Series.objects.create(**{"clinic": appointment.clinic} | defaults | fields)
    Appointment.objects.filter(pk=appointment.pk).update(series=series)
    return series
