"""Workers killed in the middle of requests: what was acknowledged is there once, and every retry gets its answer."""

import json
import os
import signal
import sys
import threading
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time, timedelta
from http.client import HTTPConnection, HTTPException

import pytest

from clinic.models import Appointment
from tests.api.served import served, workers_of
from tests.factories import make_clinic, make_doctor, make_procedure, next_monday, phone

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

WORKERS, CLIENTS, KILLS = 3, 8, 50
PATIENCE = 120  # seconds until something that never comes fails the test


@dataclass
class Load:
    """Bookings that go on being asked for; `acknowledged` holds the body of each that was answered, by its key."""

    port: int
    secret: str
    bookings: Iterator[dict]
    asked: dict[str, dict] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    strange: list = field(default_factory=list)
    under_way: int = 0
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def by(self, clients):
        """Whatever happens within, nobody asks any more after it."""
        threads = [threading.Thread(target=self.go_on) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over = True
            for thread in threads:
                thread.join(PATIENCE)

    def go_on(self):
        while not self.over:
            with self.lock:
                key = f"pms-create-{len(self.asked)}"
                self.asked[key] = next(self.bookings)
                self.under_way += 1
            try:
                self.note(key, *self.send(key))
            except (OSError, HTTPException):
                pass  # its worker was killed: nobody knows yet whether it was booked
            finally:
                with self.lock:
                    self.under_way -= 1

    def send(self, key):
        server = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {
            "Authorization": f"Bearer {self.secret}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            server.request("POST", "/v1/appointments", json.dumps(self.asked[key]), headers)
            answer = server.getresponse()
            if "Content-Length" not in answer.headers:
                raise HTTPException("cut off within the headers")
            return answer.status, answer.read().decode()
        finally:
            server.close()

    def note(self, key, status, body):
        if status == 201:
            self.acknowledged[key] = body
        else:
            self.strange.append((status, body))


@pytest.fixture
def server():
    with served(WORKERS) as (port, process):
        yield port, process


def until(condition):
    deadline = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < deadline, "it never came true"
        clock.sleep(0.001)


def bookings():
    """A free quarter of an hour each, of one of four doctors who never rest."""
    clinic = make_clinic()
    procedure = make_procedure(clinic, duration_minutes=15)
    around_the_clock = {"days": range(1, 8), "hours": ((time(0), time(23, 45)),)}
    doctors = [make_doctor(clinic, procedures=[procedure], **around_the_clock) for _ in range(4)]
    first = next_monday(clinic, 0)
    return clinic, (
        {
            "professionalId": str(doctor.uuid),
            "serviceTypeId": str(procedure.uuid),
            "patientName": "Maria Silva",
            "patientPhone": phone(1000 * day + 10 * quarter + number),
            "startsAt": (clinic.local(first) + timedelta(days=day, minutes=15 * quarter)).isoformat(),
        }
        for day in range(300)
        for quarter in range(90)
        for number, doctor in enumerate(doctors)
    )


def test_workers_killed_in_mid_request_lose_and_double_nothing(server, mivicall):
    port, process = server
    clinic, wanted = bookings()
    load = Load(port, mivicall(clinic).secret, wanted)
    with load.by(CLIENTS):
        for number in range(KILLS):
            before = len(load.acknowledged)
            until(lambda before=before: len(load.acknowledged) > before + 2 and load.under_way and not load.strange)
            victim = workers_of(process)[number % WORKERS]
            os.kill(victim, signal.SIGKILL)
            until(lambda victim=victim: len(workers := workers_of(process)) == WORKERS and victim not in workers)

    assert load.strange == []
    assert len(load.acknowledged) < len(load.asked)  # some were killed before they could answer
    for key in load.asked:
        status, body = load.send(key)
        assert (status, load.acknowledged.setdefault(key, body)) == (201, body)
    answered = {json.loads(body)["id"] for body in load.acknowledged.values()}
    assert len(answered) == len(load.asked)
    assert {str(uuid) for uuid in Appointment.objects.values_list("uuid", flat=True)} == answered
