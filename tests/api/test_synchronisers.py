"""Programs that keep a copy while many others write: in the end each copy is what the database holds."""

import json
import random
import sys
import threading
import time as clock
from dataclasses import dataclass, field
from datetime import time, timedelta
from http.client import HTTPConnection
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.db import connection
from django.utils import timezone
from psycopg import sql

from clinic.models import Appointment, Patient
from clinic.models.appointment import AppointmentProcedure
from tests.api.served import served
from tests.factories import make_clinic, make_doctor, make_procedure, next_monday, phone
from tests.locks import another_connection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

SECONDS = 4  # sixty for a long look
WORKERS, PROGRAMS, SLOW = 2, 12, 4  # sixteen writers, of which four commit long after they wrote
LONGEST_WRITE = 0.4  # seconds
PATIENCE = 60
LEAST_PAGES = 3  # that each copy asks for while the others write
DELETE = "UPDATE clinic_appointment SET deleted_at = now() WHERE id = %s"
ANNOTATE = "UPDATE clinic_appointment SET notes = 'lenta ' || clock_timestamp() WHERE id = %s"
BEGINNING = "2000-01-01T00:00:00Z"


@dataclass
class House:
    """A clinic, the port where it is served, and the secrets of both APIs."""

    port: int
    doctors: list
    procedure: object
    secrets: dict
    over: threading.Event = field(default_factory=threading.Event)
    strange: list = field(default_factory=list)

    @property
    def clinic(self):
        return self.procedure.clinic

    def ask(self, method, path, body=None):
        api = "mivicall" if path.startswith("/v1/") else "imagemais"
        headers = {"Authorization": f"Bearer {self.secrets[api]}", "Content-Type": "application/json"}
        server = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            server.request(method, path, json.dumps(body) if body else None, headers)
            answer = server.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else None, dict(answer.getheaders())
        finally:
            server.close()


@pytest.fixture
def house(imagemais, mivicall):
    clinic = make_clinic()
    procedure = make_procedure(clinic, duration_minutes=15)
    around_the_clock = {"days": range(1, 8), "hours": ((time(0), time(23, 45)),)}
    doctors = [make_doctor(clinic, procedures=[procedure], **around_the_clock) for _ in range(PROGRAMS)]
    secrets = {"imagemais": imagemais(clinic).secret, "mivicall": mivicall(clinic).secret}
    with served(WORKERS) as (port, _):
        yield House(port, doctors, procedure, secrets)


# Writers --------------------------------------------------------------------------------------------------------------


def then_disconnect(act, *arguments):
    """A thread that ends with its connection would keep it from all tests that follow."""
    try:
        act(*arguments)
    finally:
        connection.close()


def program(house, number):
    """Book, and do something to what was booked: all by one doctor, whose times nobody else takes."""
    chance, doctor, booked = chance_of(number), house.doctors[number], []
    first = house.clinic.local(next_monday(house.clinic, 0))
    times = iter(first + timedelta(days=day, minutes=15 * quarter) for day in range(99) for quarter in range(90))
    while not house.over.is_set() and (starts_at := next(times, None)):
        status, answer, _ = house.ask("POST", "/v1/appointments", booking(house, doctor, starts_at))
        expect(house, status, 201, answer)
        booked.append(answer["id"])
        method, path, body = change(house, chance, chance.choice(booked))
        status, answer, _ = house.ask(method, path, body)
        # what an earlier change has cancelled, or a slow writer deleted, is refused
        expect(house, status, (200, 204, 404, 409), answer)


def chance_of(number):
    return random.Random(number)  # noqa: S311 - to be the same again


def booking(house, doctor, starts_at):
    number = int(starts_at.timestamp()) // 900 % 1000 + 1000 * house.doctors.index(doctor)
    return {
        "professionalId": str(doctor.uuid),
        "serviceTypeId": str(house.procedure.uuid),
        "patientName": "Maria Silva",
        "patientPhone": phone(number),
        "startsAt": starts_at.isoformat(),
    }


def change(house, chance, uuid):
    patient = Patient.objects.filter(appointments__uuid=uuid).values_list("pk", flat=True).first()
    name = chance.choice(["Maria Silva", "Maria da Silva", "Maria Silva Prado"])
    return chance.choice(
        [
            ("PATCH", f"/v1/appointments/{uuid}", {"patientNotes": f"nota {chance.random()}"}),
            ("PATCH", f"/api/patients/{patient}", {"name": name}),
            ("DELETE", f"/v1/appointments/{uuid}", None),
        ]
    )


def slow_writer(house, number):
    """Write at once and commit late; some of what it writes is a deletion, some a death, some is taken back."""
    chance = chance_of(number)
    while not house.over.is_set():
        with another_connection() as session:
            if pk := one_of(session, chance, "clinic_patient"):
                session.execute("UPDATE clinic_patient SET died = NOT died WHERE id = %s", [pk])
            if pk := one_of(session, chance, "clinic_appointment"):
                session.execute(chance.choice([DELETE, ANNOTATE]), [pk])
            clock.sleep(chance.random() * LONGEST_WRITE)
            (session.rollback if chance.random() < 0.2 else session.commit)()


def one_of(session, chance, table):
    """The id of a row that nobody else holds, and now is held."""
    rows = session.execute(sql.SQL("SELECT id FROM {} ORDER BY id").format(sql.Identifier(table))).fetchall()
    if not rows:
        return None
    held = sql.SQL("SELECT id FROM {} WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED").format(sql.Identifier(table))
    return (session.execute(held, chance.choice(rows)).fetchone() or [None])[0]


def expect(house, status, expected, answer):
    if status not in (expected if isinstance(expected, tuple) else (expected,)):
        house.strange.append((status, answer))


# Copies ---------------------------------------------------------------------------------------------------------------


@dataclass
class Copy:
    """What a program holds of a list, by id. `since` is from when it asks next time."""

    house: House
    path: str
    limit: int
    since: str = BEGINNING
    rows: dict = field(default_factory=dict)
    pages: int = 0

    def follow(self):
        while not self.house.over.is_set():
            self.catch_up()
            clock.sleep(0.02)

    def catch_up(self):
        """Take everything since the last time; True if there was nothing."""
        found, more = 0, {}
        while True:
            status, body, headers = self.ask(updatedSince=self.since, **more)
            expect(self.house, status, 200, body)
            found += self.take(body)
            more, following = self.ahead(body, headers)
            if following:
                self.since = following
                return found == 0

    def ask(self, **query):
        self.pages += 1
        return self.house.ask("GET", f"{self.path}?{urlencode({'limit': self.limit} | query)}")

    def take(self, body):
        if self.path.startswith("/v1/"):
            for element in body["deleted"]:
                self.rows.pop(element["id"], None)
            self.rows |= {element["id"]: element for element in body["items"]}
            return len(body["items"]) + len(body["deleted"])
        for element in body:
            self.rows.pop(element["id"], None)
            if not element.get("deletedAt"):
                self.rows[element["id"]] = element
        return len(body)

    def ahead(self, body, headers):
        """(the query of the next page, from when to ask next time or None)."""
        if self.path.startswith("/v1/"):
            return {"cursor": body.get("nextCursor")}, body.get("nextUpdatedSince")
        return after_of(headers), headers.get("X-Next-Updated-Since")


def after_of(headers):
    query = dict(parse_qsl(urlsplit(headers.get("Link", "").split(">")[0]).query))
    return {"after": query["after"]} if "after" in query else {}


@dataclass
class Walker(Copy):
    """Goes through the whole list first, without an instant, and only then asks for the changes since it began."""

    has_begun: threading.Event = field(default_factory=threading.Event)

    def follow(self):
        while not Appointment.objects.count() > 3 * self.limit:
            clock.sleep(0.01)
        self.has_begun.set()
        status, body, headers = self.ask(updatedSince=timezone.now().isoformat())
        while "X-Next-Updated-Since" not in headers:
            status, body, headers = self.ask(updatedSince=timezone.now().isoformat())
        began, more = headers["X-Next-Updated-Since"], {}
        while True:
            status, body, headers = self.ask(**more)
            expect(self.house, status, 200, body)
            self.take(body)
            more = after_of(headers)
            if not more:
                break
        self.since = began
        super().follow()


def stored(path):
    """What a copy of the list should hold."""
    if path == "/v1/appointments":
        rows = Appointment.objects.kept().select_related("patient")
        return {str(row.uuid): (row.notes or None, row.status == "cancelled", row.patient.display_name) for row in rows}
    if path == "/api/appointments":
        lines = AppointmentProcedure.objects.filter(appointment__deleted_at=None).select_related("appointment__patient")
        return {
            line.appointment_id: (line.appointment.notes or None, line.appointment.patient.display_name)
            for line in lines
        }
    rows = Patient.objects.filter(died=False)
    return {str(row.uuid) if path.startswith("/v1/") else row.pk: row.display_name for row in rows}


def held(copy):
    rows = copy.rows.items()
    if copy.path == "/v1/appointments":
        return {pk: (row["patientNotes"], row["status"] == "cancelled", row["patientName"]) for pk, row in rows}
    if copy.path == "/api/appointments":
        return {pk: (row["notes"], row["patient"]["name"]) for pk, row in rows}
    return {pk: row["name"] for pk, row in rows}


def test_copies_hold_what_the_database_holds_in_the_end(house):
    copies = [
        Copy(house, "/v1/appointments", 50),
        Copy(house, "/api/appointments", 3),
        Copy(house, "/v1/patients", 5),
        Copy(house, "/api/patients", 50),
        Walker(house, "/api/appointments", 4),
    ]
    acts = [(program, number) for number in range(PROGRAMS)] + [(slow_writer, number) for number in range(SLOW)]
    threads = [threading.Thread(target=then_disconnect, args=(act, house, number)) for act, number in acts]
    threads += [threading.Thread(target=then_disconnect, args=(copy.follow,)) for copy in copies]
    for thread in threads:
        thread.start()
    clock.sleep(SECONDS)
    assert copies[-1].has_begun.wait(PATIENCE), "too few appointments for a walk of several pages"
    until = clock.monotonic() + PATIENCE
    while any(copy.pages <= LEAST_PAGES for copy in copies) and clock.monotonic() < until:
        clock.sleep(0.02)
    house.over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not [thread for thread in threads if thread.is_alive()]

    assert house.strange == []
    for copy in copies:
        while not copy.catch_up():
            pass
        assert copy.pages > LEAST_PAGES
        assert held(copy) == stored(copy.path)
    assert Appointment.objects.exclude(deleted_at=None).exists() and Patient.objects.filter(died=True).exists()
