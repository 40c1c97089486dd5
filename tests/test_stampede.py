"""Thirty-two people click overlapping times of one doctor at once, through HTTP, on a real server."""

import http.client
import threading
from datetime import time, timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from clinic.models import Appointment
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure, make_user, next_monday

PEOPLE = 32
CSRF = "t" * 32


def cookies_of(user):
    client = Client()
    client.force_login(user)
    return f"csrftoken={CSRF}; sessionid={client.cookies['sessionid'].value}"


@pytest.mark.django_db(transaction=True)
def test_one_gets_the_time_and_the_others_get_free_times(live_server):
    clinic = make_clinic()
    procedure = make_procedure(clinic, duration_minutes=60)
    doctor = make_doctor(clinic, procedures=[procedure])
    patients = [make_patient(clinic) for _ in range(PEOPLE)]
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookies_of(make_user(clinic)),
        "HX-Request": "true",
    }
    monday = clinic.local(next_monday(clinic)).date()
    # Quarters of one hour: each overlaps every other.
    starts = [clinic.local(clinic.instant(monday, time(9)) + timedelta(minutes=15 * (n % 4))) for n in range(PEOPLE)]
    together, accepting = threading.Barrier(PEOPLE), threading.Lock()
    answers = []

    def click(patient, start):
        form = {
            "csrfmiddlewaretoken": CSRF,
            "patient": patient.pk,
            "doctor": doctor.pk,
            "procedure": procedure.pk,
            "date": f"{start:%d/%m/%Y}",
            "starts": f"{start:%H:%M}",
        }
        address = urlsplit(live_server.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        # Django's server for tests keeps ten connections in wait: each is answered once, before all ask at once.
        with accepting:
            connection.request("GET", "/health")
            connection.getresponse().read()
        together.wait(timeout=60)
        connection.request("POST", reverse("web:appointment-book"), urlencode(form), headers)
        answer = connection.getresponse()
        answers.append((answer.status, answer.read().decode()))
        connection.close()

    threads = [threading.Thread(target=click, args=pair) for pair in zip(patients, starts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert sorted(status for status, _ in answers) == [200] + [409] * (PEOPLE - 1)
    assert Appointment.objects.get().lines.get().procedure == procedure
    for status, page in answers:
        if status == 409:
            assert f"{doctor.in_sentence['of_doctor']} já está ocupado." in page
            assert page.count('name="choose"') == 3
