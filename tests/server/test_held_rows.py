"""One doctor's row held by another transaction: who wants that doctor waits, and nobody else does."""

import threading
import time
from datetime import timedelta
from urllib.parse import urlencode

from django.db import connection, transaction
from django.test import Client

from clinic.models import Appointment, Doctor
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure, make_user, next_monday
from tests.server.conftest import eventually

WAITERS = 40
CSRF = "t" * 32


def test_those_who_wait_for_one_doctor_keep_nobody_else_waiting(served):
    clinic = make_clinic()
    procedure = make_procedure(clinic, duration_minutes=15)
    held, other = (make_doctor(clinic, procedures=[procedure]) for _ in range(2))
    monday = clinic.local(next_monday(clinic))
    cookie = cookies_of(make_user(clinic))
    patients = [make_patient(clinic) for _ in range(WAITERS + 1)]
    answers = []

    def book(doctor, patient, number=0):
        start = monday.replace(hour=8, minute=0) + timedelta(minutes=15 * (number % 16))
        form = {
            "csrfmiddlewaretoken": CSRF, "patient": patient.pk, "doctor": doctor.pk, "procedure": procedure.pk,
            "date": f"{start:%d/%m/%Y}", "starts": f"{start:%H:%M}",
        }  # fmt: skip
        began = time.monotonic()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "HX-Request": "true"}
        status, page = served.ask("/agendamentos/novo/", "POST", urlencode(form), **kind)
        answers.append((doctor.pk, status, "gravando isto neste momento" in page, time.monotonic() - began))

    waiting = [threading.Thread(target=book, args=(held, patients[n], n)) for n in range(WAITERS)]
    with transaction.atomic():
        Doctor.objects.select_for_update(no_key=True).get(pk=held.pk)
        for each in waiting:
            each.start()
        eventually(lambda: waits_for_rows() >= 12)  # the kernel may give all to one worker
        began = time.monotonic()
        book(other, patients[-1])
        for _ in range(10):
            assert served.ask(f"/agenda/{monday:%Y-%m-%d}/", Cookie=cookie)[0] == 200
        assert time.monotonic() - began < 3, "they waited for the held doctor's row"
        for each in waiting:
            each.join()
    refused = [seconds for doctor, status, is_busy, seconds in answers if doctor == held.pk and is_busy]
    assert len(refused) == WAITERS and max(refused) < 5
    assert Appointment.objects.get().doctor == other


def waits_for_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def cookies_of(user) -> str:
    client = Client()
    client.force_login(user)
    return f"csrftoken={CSRF}; sessionid={client.cookies['sessionid'].value}"
