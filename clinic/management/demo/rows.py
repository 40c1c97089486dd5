"""Store the rows of a demo clinic that a manager would enter: everything but the appointments."""

from datetime import date, datetime, time, timedelta
from random import Random

from clinic.management.demo.clinics import DemoAbsence, DemoClinic, DemoDoctor, DemoProcedure
from clinic.management.demo.people import Person, people
from clinic.management.demo.visits import Registry
from clinic.models import (
    Absence,
    Clinic,
    ClinicHoliday,
    Discount,
    Doctor,
    Patient,
    Payer,
    Procedure,
    ProcedurePrice,
    WorkingHours,
)
from clinic.models.phones import made_up_phone
from clinic.models.titles import split_title
from clinic.schedule import TOWN_HOLIDAYS

PATIENTS = 300
CLINIC_PHONE = 900  # of `made_up_phone`: beyond those of the patients
WITH_PAYER = 3  # every third patient has a plan


def set_up(demo: DemoClinic, now: datetime, rng: Random) -> Registry:
    """Store the clinic with its holidays, doctors with hours and absences, procedures, discounts, payers with
    their prices, and patients with plans."""
    clinic = Clinic.objects.create(
        slug=demo.slug,
        name=demo.name,
        country=demo.country,
        time_zone=demo.time_zone,
        language=demo.language,
        area_code=demo.area_code,
        currency=demo.currency,
        region=demo.region,
        town=demo.town,
        address=demo.address,
        phone=made_up_phone(demo.country, CLINIC_PHONE),
    )
    ClinicHoliday.objects.bulk_create(
        ClinicHoliday(clinic=clinic, falls_on=falls_on, name=name)
        for falls_on, name in TOWN_HOLIDAYS[demo.country][demo.town]
    )
    today = clinic.local(now).date()
    doctors = [_doctor(clinic, plan, number) for number, plan in enumerate(demo.doctors, 1)]
    procedures = {plan.code: _procedure(clinic, plan) for plan in demo.procedures}
    performed: dict[int, list[Procedure]] = {}
    for doctor, plan in zip(doctors, demo.doctors, strict=True):
        performed[doctor.pk] = [procedures[code] for code in plan.procedures.split()]
        doctor.procedures.set(performed[doctor.pk])
    by_council_number = {doctor.council_number: doctor for doctor in doctors}
    for absence in demo.absences:
        _absence(clinic, by_council_number[absence.doctor] if absence.doctor else None, absence, today)
    return Registry(
        clinic=clinic,
        demo=demo,
        doctors=doctors,
        procedures=performed,
        weights={procedures[plan.code].pk: plan.weight for plan in demo.procedures},
        discounts=_valid_discounts(clinic, demo, today),
        patients=_patients(clinic, today, rng, _payers(clinic, demo, procedures, today)),
    )


def _doctor(clinic: Clinic, plan: DemoDoctor, number: int) -> Doctor:
    title, name = split_title(plan.full_name)
    doctor = Doctor.objects.create(
        clinic=clinic,
        title=title,
        name=name,
        council_number=plan.council_number,
        specialty=plan.specialty,
        interval_minutes=plan.interval,
        room=f"Consultório {number}",
    )
    WorkingHours.objects.bulk_create(
        WorkingHours(clinic=clinic, doctor=doctor, weekday=int(weekday), starts=starts, ends=ends)
        for weekdays, hours in plan.hours.items()
        for weekday in weekdays
        for starts, ends in map(_hours, hours.split())
    )
    return doctor


def _hours(text: str) -> tuple[time, time]:
    starts, ends = text.split("-")
    return time.fromisoformat(starts), time.fromisoformat(ends)


def _procedure(clinic: Clinic, plan: DemoProcedure) -> Procedure:
    return Procedure.objects.create(
        clinic=clinic,
        code=plan.code,
        name=plan.name,
        price=plan.price,
        duration_minutes=plan.minutes,
        preparation=plan.preparation,
    )


def _absence(clinic: Clinic, doctor: Doctor | None, plan: DemoAbsence, today: date) -> None:
    first = today + timedelta(days=plan.days)
    first += timedelta(days=(plan.weekday - first.isoweekday()) % 7)
    if plan.hours:
        starts_at, ends_at = (clinic.nearest_instant(first, wall) for wall in _hours(plan.hours))
    else:
        starts_at, ends_at = clinic.day(first)[0], clinic.day(first + timedelta(days=plan.length - 1))[1]
    Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=starts_at, ends_at=ends_at, reason=plan.reason)


def _valid_discounts(clinic: Clinic, demo: DemoClinic, today: date) -> list[Discount]:
    """Store all discounts; return those that are still valid tomorrow."""
    rows = [
        Discount.objects.create(
            clinic=clinic,
            name=plan.name,
            percentage=plan.percentage,
            fixed=plan.fixed,
            minimum_age=plan.minimum_age,
            expires_on=None if plan.days is None else today + timedelta(days=plan.days),
        )
        for plan in demo.discounts
    ]
    return [row for row in rows if row.expires_on is None or row.expires_on > today]


def _payers(clinic: Clinic, demo: DemoClinic, procedures: dict[str, Procedure], today: date) -> list[Payer]:
    """Store the payers; the prices of one end some days from today, those of another change with the next year."""
    payers = []
    for plan in demo.payers:
        payer = Payer.objects.create(
            clinic=clinic,
            name=plan.name,
            kind=plan.kind,
            ans_number=plan.ans_number,
            requires_authorization=plan.requires_authorization,
        )
        payers.append(payer)
        last = None if plan.days is None else today + timedelta(days=plan.days)
        ProcedurePrice.objects.bulk_create(
            ProcedurePrice(
                clinic=clinic,
                payer=payer,
                procedure=procedures[code],
                price=price,
                valid_from=date(year, 1, 1),
                valid_until=last,
            )
            for year, table in ((today.year - 1, plan.prices), (today.year + 1, plan.coming))
            for code, price in (line.split() for line in table.split(",") if line)
        )
    return payers


def _patients(clinic: Clinic, today: date, rng: Random, payers: list[Payer]) -> list[tuple[Person, Patient]]:
    persons = people(clinic.country, PATIENTS, today, rng)
    rows = [_patient(clinic, person) for person in persons]
    for number in range(0, PATIENTS, WITH_PAYER):
        _give_plan(rows[number], payers[number // WITH_PAYER % len(payers)], number, today)
    return list(zip(persons, Patient.objects.bulk_create(rows), strict=True))


def _give_plan(patient: Patient, payer: Payer, number: int, today: date) -> None:
    """Give a patient a plan; every eighth card expired with the month before this one."""
    is_expired = number % (8 * WITH_PAYER) == 0
    patient.payer, patient.card_number = payer, f"{900_000_000 + number * 7_919}"
    patient.card_expires_on = today.replace(day=1) - timedelta(days=1) if is_expired else date(today.year + 1, 12, 31)


def _patient(clinic: Clinic, person: Person) -> Patient:
    document = person.document if person.is_complete else ""
    return Patient(
        clinic=clinic,
        name=person.name,
        social_name=person.social_name,
        cpf=document if document and clinic.country == "BR" else None,
        nif=document if clinic.country == "PT" else "",
        phone=person.phone,
        birth_date=person.born if person.is_complete else None,
        email=person.email,
        notes=person.notes,
        guardian_name=person.guardian,
        guardian_relation=person.relation,
    )
