"""Whether a payer pays for a visit: what is stored about it, read behind the lock that counting needs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Q

from clinic.booking.rules.payers import PaidVisit, payer_violations
from clinic.booking.slots import local_date
from clinic.cursors import prepared_cursor
from clinic.models import Appointment, Clinic, Doctor, Payer, PayerDoctor
from clinic.models.locks import lock_row
from clinic.refusals import Refusal

LOCK_PAYER_SQL = "SELECT FROM clinic_payer WHERE clinic_id = %s AND id = %s"


class PaidBeside(NamedTuple):
    """A visit that is to be booked together with another one: the ids of its payer and its doctor, its local date."""

    payer: int
    doctor: int
    day: date


def paid_visit_refusals(
    clinic: Clinic,
    payer: Payer | None,
    doctor: Doctor | None,
    starts_at: datetime | None,
    *,
    besides: int | None = None,
    beside: Sequence[PaidBeside] = (),
    lock: bool = False,
) -> list[Refusal]:
    """Return why the payer does not pay for a visit to this doctor that begins then; none for a private one, and as
    long as doctor or start are unknown. `besides` is the id of the appointment that is moved or changed, `beside` the
    visits that count as booked already.

    With `lock` a payer that pays for a number of visits a day is locked (FOR NO KEY UPDATE), after doctor, patient and
    appointment: two bookings with different doctors, which hold nothing in common, wait for each other here, and the
    second one counts the first. A number of a doctor needs no lock but the doctor's. In a family the payer of one is
    locked before a patient that the details of the next one describe: of two bookings that want both in opposite orders
    PostgreSQL ends one, which is tried again. Two queries where a number is to be counted, else one.
    """
    if payer is None or doctor is None or starts_at is None:
        return []
    if lock and payer.per_day is not None:
        with prepared_cursor() as cursor:
            lock_row(cursor, LOCK_PAYER_SQL, [clinic.pk, payer.pk])
    takers = {row.doctor_id: row for row in PayerDoctor.objects.of(clinic).filter(payer=payer)}
    visit = PaidVisit(payer, doctor, local_date(clinic, starts_at), takers)
    return payer_violations(_counted(clinic, visit, besides, beside))


def _counted(clinic: Clinic, visit: PaidVisit, besides: int | None, beside: Sequence[PaidBeside]) -> PaidVisit:
    """Return the visit with the others of its date counted, where a number restricts them. One query, or none."""
    of_doctor = visit.taker.per_day if visit.taker else None
    if visit.payer.per_day is None and of_doctor is None:
        return visit
    first, end = clinic.day(visit.day)
    standing = Appointment.objects.of(clinic).standing().filter(payer=visit.payer)
    others = standing.filter(starts_at__gte=first, starts_at__lt=end)
    others = others if besides is None else others.exclude(pk=besides)
    counts = others.aggregate(booked=Count("pk"), booked_with_doctor=Count("pk", filter=Q(doctor=visit.doctor)))
    wanted = [other.doctor for other in beside if (other.payer, other.day) == (visit.payer.pk, visit.day)]
    return replace(
        visit,
        booked=counts["booked"] + len(wanted),
        booked_with_doctor=counts["booked_with_doctor"] + wanted.count(visit.doctor.pk),
    )
