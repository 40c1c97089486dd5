"""The next free time, and what is pending: sixty days of twenty doctors, nearly full, and three of them away on a day.

Every house is filled so for them, whatever else it holds: what lies ahead is the same in all. `python -m
tests.benchmarks.searches` does it to the database in DATABASE_URL.
"""

import os
import subprocess
import sys
from datetime import date, timedelta
from itertools import cycle
from urllib.parse import urlencode
from uuid import uuid4

import django
from django.db import connection, transaction
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

if __name__ == "__main__":
    django.setup()

from clinic.booking import doctors_performing_all
from clinic.management.demo import bulk
from clinic.models import Absence, Appointment, Clinic, Doctor, Patient, Procedure, StaffUser
from clinic.web.booking_panel.finder import offers_for
from tests.benchmarks.browser import Session

DAYS = 60
FREE_TIMES = 5  # on the last days, one on each
AWAY, AWAY_IN = 3, 20  # doctors, and in how many days
CHECK, PENDING, NUMBER = "/agendamentos/conferir/", "/pendencias/", "/pendencias/numero/"


def fill(clinic: Clinic) -> None:
    """Give every free time of the next DAYS days away but for FREE_TIMES, and have AWAY doctors be absent for a day."""
    patients = cycle(Patient.objects.of(clinic).order_by("pk").values_list("pk", flat=True)[: bulk.MIN_PATIENTS])
    bulk.add_appointments(clinic, tuple(_slots(clinic)), patients, list(Procedure.objects.of(clinic)))
    ahead = Appointment.objects.of(clinic).filter(status="cancelled", starts_at__gt=timezone.now())
    ahead.update(status="scheduled", cancelled_by="", cancel_reason="")
    starts_at, ends_at = clinic.day(clinic.local(timezone.now()).date() + timedelta(days=AWAY_IN))
    for doctor in Doctor.objects.of(clinic)[:AWAY]:
        Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=starts_at, ends_at=ends_at, reason="congresso")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _slots(clinic: Clinic) -> list[bulk.Slot]:
    """Return the times from today on that are not given away yet, but for the last one of the last days."""
    doctors = list(Doctor.objects.of(clinic))
    today = clinic.local(timezone.now()).date()
    days = [today + timedelta(days=number) for number in range(DAYS)]
    ahead = Appointment.objects.of(clinic).filter(starts_at__gte=clinic.day(today)[0])
    given = set(ahead.values_list("doctor", "starts_at"))
    given |= {(doctors[-1].pk, clinic.instant(day, bulk.SLOTS[-1])) for day in days[-FREE_TIMES:]}
    starts = [clinic.instant(day, at) for day in days for at in bulk.SLOTS]
    return [
        bulk.Slot(doctor, starts_at)
        for starts_at in starts
        for doctor in doctors
        if (doctor.pk, starts_at) not in given
    ]


def fill_house(url: str) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.searches"]
    subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, stdout=sys.stderr, check=True)


def wanted(clinic: Clinic) -> dict[str, object]:
    """What the panel sends when the earliest time with anybody is sought."""
    procedure, patient = Procedure.objects.of(clinic)[0], Patient.objects.of(clinic).order_by("pk")[0]
    fields = {"doctor": "any", "procedure": procedure.pk, "patient": patient.pk, "finding": "1", "find_earliest": "1"}
    return {"key": uuid4(), "find": "1", "discount": "", "date": "", "starts": "", "ends": "", "notes": ""} | fields


def finder(session: Session, clinic: Clinic, day: date) -> list[str]:
    return [session.post(CHECK, wanted(clinic), headers="HX-Request: true\r\n")]


def pending_page(session: Session, clinic: Clinic, day: date) -> list[str]:
    return [session.get(PENDING)]


def pending_number(session: Session, clinic: Clinic, day: date) -> list[str]:
    return [session.get(NUMBER)]


def queries(user: StaffUser, clinic: Clinic) -> tuple[int, int]:
    """(queries of the finder itself, queries of the page of what is pending with those for session and user)."""
    data = QueryDict(urlencode(wanted(clinic)))
    procedures = [int(data["procedure"])]
    with CaptureQueriesContext(connection) as of_finder:
        offers_for(
            clinic,
            data,
            doctors=[],
            performing=lambda: doctors_performing_all(clinic, procedures),
            minutes=30,
            patient=int(data["patient"]),
            chosen=(None, None),
        )
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(user)
    browser.get(PENDING)
    with CaptureQueriesContext(connection) as of_page:
        browser.get(PENDING)
    return len(of_finder), len(of_page)


def main() -> None:
    with transaction.atomic():
        fill(bulk.load_clinic())


if __name__ == "__main__":
    main()
