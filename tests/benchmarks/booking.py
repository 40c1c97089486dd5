"""Bookings a second: through the browser's form, and by the bare view that makes the same inserts."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from urllib.parse import urlencode

from clinic.management.demo import bulk
from clinic.models import Clinic, Discount, Doctor, Patient, Procedure
from tests.benchmarks.browser import Session
from tests.benchmarks.houses import House
from tests.benchmarks.load import Generator, Job

LENGTH = timedelta(minutes=30)
MAX_A_SECOND = 1200  # requests made ready; a faster machine would run dry and be measured all the same


@dataclass(frozen=True)
class Wanted:
    """One booking to be made: free, and of other doctors and patients than those around it. With a discount, so that it
    makes four inserts; `other` is the second procedure of who books two."""

    doctor: Doctor
    patient: Patient
    procedure: Procedure
    other: Procedure
    discount: Discount
    starts_at: datetime


def discount_of(clinic: Clinic) -> Discount:
    """10 %, on every booking that is measured."""
    return Discount.objects.get_or_create(clinic=clinic, name="Carga", percentage=10)[0]


def free_times(clinic: Clinic) -> Iterator[Wanted]:
    """Every half hour of every doctor after what `seed_load` has filled, up to two years ahead, in order of time."""
    discount = discount_of(clinic)
    doctors = list(Doctor.objects.of(clinic))
    patients = cycle(Patient.objects.of(clinic).order_by("pk")[: bulk.MIN_PATIENTS])
    procedures = list(Procedure.objects.of(clinic))
    pairs = cycle(zip(procedures, procedures[1:] + procedures[:1], strict=True))
    first = bulk.last_full_day(clinic) + timedelta(days=1)
    for offset in range(700):
        for slot in bulk.SLOTS:
            starts_at = clinic.instant(first + timedelta(days=offset), slot)
            for doctor in doctors:
                yield Wanted(doctor, next(patients), *next(pairs), discount, starts_at)


def through_the_form(session: Session, clinic: Clinic, wanted: Wanted) -> str:
    """What a browser sends when "Agendar" is pressed."""
    local = clinic.local(wanted.starts_at)
    fields = {
        "key": uuid.uuid4(),
        "patient": wanted.patient.pk,
        "doctor": wanted.doctor.pk,
        "date": f"{local:%Y-%m-%d}",
        "starts": f"{local:%H:%M}",
        "procedure": wanted.procedure.pk,
        "discount": wanted.discount.pk,
        "notes": "",
    }
    return session.post("/agendamentos/novo/", fields)


def by_the_bare_view(session: Session, clinic: Clinic, wanted: Wanted) -> str:
    body = urlencode({
        "clinic": clinic.pk,
        "patient": wanted.patient.pk,
        "doctor": wanted.doctor.pk,
        "starts_at": wanted.starts_at.isoformat(),
        "procedure": wanted.procedure.pk,
        "price": wanted.procedure.price,
        "discount": wanted.discount.pk,
        "value": f"{wanted.procedure.price / 10:.2f}",
    })  # fmt: skip
    return (
        f"POST /bare/agendar/ HTTP/1.1\r\nHost: 127.0.0.1:{session.port}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


def rate(
    generator: Generator, house: House, clinic: Clinic, sessions: list, request, seconds: float, expected: int = 302
) -> float:
    """Bookings a second, a client for each of `sessions`, all at once for so many seconds."""
    each = int(MAX_A_SECOND * seconds / len(sessions)) if len(sessions) > 1 else int(MAX_A_SECOND * seconds / 3)
    wanted = list(islice(house.slots, each * len(sessions)))
    requests = [
        [request(session, clinic, one) for one in wanted[number :: len(sessions)]]
        for number, session in enumerate(sessions)
    ]
    return generator.run(Job(house.port, requests, expected=expected, seconds=seconds)).rate
