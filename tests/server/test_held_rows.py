"""A row or lock held by another transaction: who wants it waits, and nobody else does."""

import json
import threading
import time
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from clinic.access import access_tokens, api_keys
from clinic.models import AccessToken, ApiKey, Appointment, Clinic, Doctor, Patient, StaffUser, phones
from tests.factories import (
    make_clinic,
    make_doctor,
    make_master,
    make_patient,
    make_procedure,
    make_user,
    next_monday,
)
from tests.server.conftest import Served, eventually

WAITERS = 40
CSRF = "t" * 32
CPF, STORED_CPF = "529.982.247-25", "52998224725"


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
        answered_at_once(lambda: book(other, patients[-1]))
        for _ in range(10):
            assert answered_at_once(lambda: served.ask(f"/agenda/{monday:%Y-%m-%d}/", Cookie=cookie))[0] == 200
        for each in waiting:
            each.join()
    refused = [seconds for doctor, status, is_busy, seconds in answers if doctor == held.pk and is_busy]
    assert len(refused) == WAITERS and max(refused) < 5
    assert Appointment.objects.get().doctor == other


def answered_at_once(ask):
    """What `ask` returns, before the time is over for which a statement waits for a lock."""
    began = time.monotonic()
    answer = ask()
    assert time.monotonic() - began < settings.LOCK_WAIT_SECONDS, "it waited for what others wait for"
    return answer


def waits_for_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def cookies_of(user) -> str:
    client = Client()
    client.force_login(user)
    return f"csrftoken={CSRF}; sessionid={client.cookies['sessionid'].value}"


# Every other lock that a request may find held ------------------------------------------------------------------------


@dataclass
class Answer:
    status: int | None
    body: str
    seconds: float


def answers_while_held(served, asks, look):
    """What `asks` are answered, all sent at once while the caller's transaction holds what they want; meanwhile what
    `look` asks for is answered at once."""
    answers = []

    def timed(ask):
        began = time.monotonic()
        status, body = ask()
        answers.append(Answer(status, body, time.monotonic() - began))

    asking = [threading.Thread(target=timed, args=(ask,)) for ask in asks]
    for each in asking:
        each.start()
    eventually(lambda: waits_for_rows() >= 4 or len(answers) == len(asks))
    for _ in range(4):
        assert answered_at_once(look)[0] == 200
    for each in asking:
        each.join()
    assert max(each.seconds for each in answers) < 4.5, answers
    return answers


@dataclass
class Desk:
    """A clinic with six doctors, all of whom perform one procedure, and a program with a token and an API key."""

    served: Served

    def __post_init__(self):
        self.clinic = make_clinic()
        self.procedure = make_procedure(self.clinic, duration_minutes=15)
        self.doctors = [make_doctor(self.clinic, procedures=[self.procedure]) for _ in range(6)]
        self.monday = self.clinic.local(next_monday(self.clinic))
        self.master = make_master(self.clinic)
        self.token, self.secret = access_tokens.release(self.clinic, self.master, channel="command")
        self.cookie = cookies_of(self.master)

    def look(self):
        return self.served.ask(f"/agenda/{self.monday:%Y-%m-%d}/", Cookie=self.cookie)

    def book(self, number, **patient):
        """A way to book through the API, each number another time."""
        start = self.monday.replace(hour=8, minute=0) + timedelta(minutes=15 * (number // 6))
        body = {
            "patient": {"name": "João Silva", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": CPF}
            | patient,
            "procedures": [{"id": self.procedure.pk}],
            "doctorId": self.doctors[number % 6].pk,
            "date": f"{start:%Y-%m-%d}",
            "startTime": f"{start:%H:%M}",
            "endTime": f"{start + timedelta(minutes=15):%H:%M}",
        }
        return lambda **more: self.program("POST", "/appointments", json.dumps(body), **more)

    def program(self, method, path, body="", **more):
        kind = {"Content-Type": "application/json", "Authorization": f"Bearer {self.secret}"}
        return self.served.ask(f"/api{path}", method, body, **kind | more)

    def post(self, path, **form):
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookie, "HX-Request": "true"}
        return self.served.ask(path, "POST", urlencode({"csrfmiddlewaretoken": CSRF} | form), **kind)


@pytest.fixture
def desk(served):
    return Desk(served)


def held(rows):
    return rows.select_for_update(no_key=True).get()


def test_twins_of_a_request_that_waits_keep_nobody_waiting(desk):
    book = desk.book(0)
    twins = [lambda: book(**{"Idempotency-Key": "pms-create-1"})] * 24
    with transaction.atomic():
        held(Doctor.objects.filter(pk=desk.doctors[0].pk))
        answers = answers_while_held(desk.served, twins, lambda: desk.program("GET", "/doctors"))
    assert {each.status for each in answers} <= {409, 503}, answers
    assert not Appointment.objects.exists()
    assert book(**{"Idempotency-Key": "pms-create-1"})[0] == 201


def test_twins_are_answered_alike_once_the_row_is_let_go(desk):
    book, answers = desk.book(0), []
    twins = [
        threading.Thread(target=lambda: answers.append(book(**{"Idempotency-Key": "pms-create-1"}))) for _ in range(8)
    ]
    with transaction.atomic():
        held(Doctor.objects.filter(pk=desk.doctors[0].pk))
        for each in twins:
            each.start()
        eventually(lambda: waits_for_rows() == 8)
    for each in twins:
        each.join()
    assert answers == [(201, answers[0][1])] * 8
    assert Appointment.objects.count() == 1


KNOWN_BY = {
    "name and phone": (None, {}),
    "CPF": (STORED_CPF, {}),
    "CPF and another phone": (STORED_CPF, {"phone": "(81) 98888-7777"}),
    "phone written otherwise": (None, {"phone": "+55 81 999999999"}),
    "name in capitals": (None, {"name": "JOAO SILVA"}),
}


@pytest.mark.parametrize(("cpf", "sent"), KNOWN_BY.values(), ids=KNOWN_BY)
def test_those_who_book_for_one_held_patient_keep_nobody_waiting(desk, cpf, sent):
    known = {"name": "João Silva", "phone": "+5581999999999", "birth_date": date(1990, 1, 1), "cpf": cpf}
    patient = make_patient(desk.clinic, **known)
    with transaction.atomic():
        held(Patient.objects.filter(pk=patient.pk))
        answers = answers_while_held(desk.served, [desk.book(n, **sent) for n in range(12)], desk.look)
    assert {each.status for each in answers} == {503}, answers[0]
    assert not Appointment.objects.exists()


def test_those_who_wait_for_one_of_two_namesakes_keep_nobody_waiting(desk):
    namesakes = [make_patient(desk.clinic, name="João Silva", phone="+5581999999999") for _ in range(2)]
    with transaction.atomic():
        held(Patient.objects.filter(pk=namesakes[1].pk))
        answers = answers_while_held(desk.served, [desk.book(n) for n in range(12)], desk.look)
    assert {each.status for each in answers} == {503}


@pytest.mark.parametrize("known_by", [phones.spellings("+5581999999999")[0], STORED_CPF], ids=["phone", "CPF"])
def test_those_who_add_one_patient_keep_nobody_waiting(desk, known_by):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [desk.clinic.pk, known_by])
        answers = answers_while_held(desk.served, [desk.book(n) for n in range(12)], desk.look)
    assert {each.status for each in answers} == {503} and not Patient.objects.exists()


def test_those_who_want_a_held_clinic_keep_nobody_waiting(desk):
    add = "/admin/clinic/closure/add/"
    with transaction.atomic():
        held(Clinic.objects.filter(pk=desk.clinic.pk))
        answers = answers_while_held(desk.served, [lambda: desk.post(add)] * 12, desk.look)
    assert {each.status for each in answers} == {409}


ACTS = {
    "release": ("tokens/", {"seen": "0"}),
    "create a key": ("chaves/", {"seen": "0"}),
    "change a key": ("chaves/{key}/trocar/", {"seen": "0"}),
    "revoke a key": ("chaves/{key}/revogar/", {}),
    "revoke a token": ("tokens/{token}/revogar/", {}),
}


@pytest.mark.parametrize(("path", "form"), ACTS.values(), ids=ACTS)
def test_those_who_want_a_held_credential_keep_nobody_waiting(desk, path, form):
    key, _ = make_key(desk.clinic)
    address = "/configuracoes/integracoes/" + path.format(key=key.pk, token=desk.token.pk)
    with transaction.atomic():
        for rows in (ApiKey.objects.all(), AccessToken.objects.all(), StaffUser.objects.filter(pk=desk.master.pk)):
            held(rows)
        answers = answers_while_held(desk.served, [lambda: desk.post(address, **form)] * 12, desk.look)
    assert {each.status for each in answers} == {409}


def test_request_with_a_locked_key_is_answered_at_once(desk):
    key, secret = make_key(desk.clinic)
    with transaction.atomic():
        held(ApiKey.objects.filter(pk=key.pk))
        ask = partial(desk.served.ask, "/v1/professionals", Authorization=f"Bearer {secret}")
        answers = answers_while_held(desk.served, [ask] * 12, desk.look)
        assert max(each.seconds for each in answers) < settings.LOCK_WAIT_SECONDS
    assert {each.status for each in answers} == {200}
    assert ask()[0] == 200
    key.refresh_from_db()
    assert key.last_used_at


def make_key(clinic):
    scopes, source = ApiKey.Scope.values, ApiKey.Source.VOICE_AI
    return api_keys.create(
        clinic, name="central", scopes=scopes, source=source, is_live=True, by=None, channel="command"
    )
