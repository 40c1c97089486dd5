"""Many programs and people at the same minute, through HTTP, on a server with threads: one gets it, nobody twice."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from django.urls import reverse

from clinic.models import Appointment, Doctor, Procedure, StoredAnswer
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure, make_user, next_monday, phone
from tests.locks import another_connection
from tests.test_races import until_somebody_waits
from tests.test_stampede import CSRF, cookies_of

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 20
ROUNDS = 20
PATIENCE = 60  # seconds until something that never comes fails its test


@pytest.fixture(autouse=True)
def nobody_asks_too_often(settings):
    settings.API_REQUESTS_A_SECOND = settings.API_REQUESTS_A_MINUTE = 100_000


@dataclass
class Desk:
    doctor: Doctor
    procedure: Procedure

    @property
    def clinic(self):
        return self.doctor.clinic


@pytest.fixture
def desk():
    clinic = make_clinic()
    procedure = make_procedure(clinic, duration_minutes=15)
    return Desk(make_doctor(clinic, procedures=[procedure]), procedure)


@dataclass
class Sender:
    """Sends one request, made beforehand, to the live server."""

    address: str
    path: str
    body: str
    headers: dict

    def send(self):
        address = urlsplit(self.address)
        connection = HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
        connection.request("POST", self.path, self.body, self.headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, dict(answer.getheaders())


def by_mivicall(live_server, secret, desk, starts_at, number, key=None):
    body = {
        "professionalId": str(desk.doctor.uuid),
        "serviceTypeId": str(desk.procedure.uuid),
        "patientName": f"Pessoa {number}",
        "patientPhone": phone(number),
        "startsAt": desk.clinic.local(starts_at).isoformat(),
    }
    return _json(live_server, "/v1/appointments", secret, body, key)


def by_imagemais(live_server, secret, desk, starts_at, number, key=None):
    local = desk.clinic.local(starts_at)
    body = {
        "patient": {
            "name": f"Pessoa {number}",
            "phone": phone(number),
            "dateBirth": "1990-01-01",
            "cpf": "123.456.789-00",
        },
        "procedures": [{"id": desk.procedure.pk}],
        "doctorId": desk.doctor.pk,
        "date": f"{local:%Y-%m-%d}",
        "startTime": f"{local:%H:%M}",
        "endTime": f"{local + timedelta(minutes=15):%H:%M}",
    }
    return _json(live_server, "/api/appointments", secret, body, key)


def by_browser(live_server, cookies, desk, starts_at, patient):
    local = desk.clinic.local(starts_at)
    form = {
        "csrfmiddlewaretoken": CSRF,
        "patient": patient.pk,
        "doctor": desk.doctor.pk,
        "procedure": desk.procedure.pk,
        "date": f"{local:%d/%m/%Y}",
        "starts": f"{local:%H:%M}",
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookies,
        "HX-Request": "true",
    }
    return Sender(live_server.url, reverse("web:appointment-book"), urlencode(form), headers)


def _json(live_server, path, secret, body, key):
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    return Sender(live_server.url, path, json.dumps(body), headers | ({"Idempotency-Key": key} if key else {}))


def all_at_once(senders):
    together = threading.Barrier(len(senders))

    def wait_and_send(sender):
        together.wait(PATIENCE)
        return sender.send()

    with ThreadPoolExecutor(len(senders)) as pool:
        return list(pool.map(wait_and_send, senders))


def test_of_twenty_concurrent_bookings_by_every_channel_one_wins(live_server, desk, imagemais, mivicall):
    token, key, cookies = (
        imagemais(desk.clinic).secret,
        mivicall(desk.clinic).secret,
        cookies_of(make_user(desk.clinic)),
    )
    patients = [make_patient(desk.clinic) for _ in range(4)]
    starts_at = next_monday(desk.clinic, 8)
    for number in range(ROUNDS):
        at = starts_at + timedelta(days=number // 16 % 5, minutes=15 * (number % 16))
        numbers = range(100 * number, 100 * number + CLIENTS)
        senders = [by_mivicall(live_server, key, desk, at, n) for n in numbers[:8]]
        senders += [by_imagemais(live_server, token, desk, at, n) for n in numbers[8:16]]
        senders += [by_browser(live_server, cookies, desk, at, patient) for patient in patients]

        statuses = sorted(status for status, _, _ in all_at_once(senders))

        assert statuses[0] in {200, 201} and statuses[1:] == [409] * (CLIENTS - 1)
        assert Appointment.objects.filter(doctor=desk.doctor, starts_at=at).count() == 1


@pytest.mark.parametrize(("api", "ask"), [("imagemais", by_imagemais), ("mivicall", by_mivicall)])
def test_one_key_sent_twenty_times_books_once_and_answers_alike(live_server, desk, request, api, ask):
    secret = request.getfixturevalue(api)(desk.clinic).secret
    sender = ask(live_server, secret, desk, next_monday(desk.clinic), 1, key="once")

    answers = all_at_once([sender] * CLIENTS)

    assert {(status, body) for status, body, _ in answers} == {(201, answers[0][1])}
    assert sum(headers.get("Idempotency-Replayed") == "true" for _, _, headers in answers) == CLIENTS - 1
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(("api", "ask"), [("imagemais", by_imagemais), ("mivicall", by_mivicall)])
def test_retry_gets_409_when_the_first_takes_over_three_seconds(live_server, desk, request, api, ask):
    secret = request.getfixturevalue(api)(desk.clinic).secret
    sender = ask(live_server, secret, desk, next_monday(desk.clinic), 1, key="slow")
    with another_connection() as first:
        first.execute(
            "INSERT INTO clinic_storedanswer (clinic_id, credential, key, fingerprint, body, created_at)"
            " VALUES (%s, %s, 'slow', '', '', now())",
            [desk.clinic.pk, api],
        )
        status, _, headers = sender.send()
        first.rollback()

    assert (status, headers["Retry-After"]) == (409, "1")
    assert sender.send()[0] == 201


def test_a_twin_whose_first_was_undone_does_the_work_itself(live_server, desk, mivicall):
    secret = mivicall(desk.clinic).secret
    sender = by_mivicall(live_server, secret, desk, next_monday(desk.clinic), 1, key="undone")
    with another_connection() as first, another_connection(autocommit=True) as watcher:
        first.execute(
            "INSERT INTO clinic_storedanswer (clinic_id, credential, key, fingerprint, body, created_at)"
            " VALUES (%s, 'mivicall', 'undone', '', '', now())",
            [desk.clinic.pk],
        )
        with ThreadPoolExecutor(1) as pool:
            twin = pool.submit(sender.send)
            until_somebody_waits(watcher)
            first.rollback()
            status, _, headers = twin.result(PATIENCE)

    assert status == 201 and "Idempotency-Replayed" not in headers
    assert StoredAnswer.objects.get().status == 201


def test_of_twenty_concurrent_doctors_of_one_name_one_is_added(live_server, desk, imagemais):
    body = {
        "name": "Dra. Ana Reis",
        "procedureIds": [desk.procedure.pk],
        "startTime": "08:00",
        "endTime": "12:00",
        "intervalMinutes": 15,
        "workingDays": "Segunda",
    }
    sender = _json(live_server, "/api/doctors", imagemais(desk.clinic).secret, body, None)

    statuses = sorted(status for status, _, _ in all_at_once([sender] * CLIENTS))

    assert statuses == [201] + [409] * (CLIENTS - 1)
    assert Doctor.objects.filter(name="Ana Reis").count() == 1
