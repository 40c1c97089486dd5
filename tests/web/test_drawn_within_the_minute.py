"""A day or a week that is asked for again within the minute, and of which no row was written, is not drawn anew."""

from datetime import time

import pytest
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.models import Appointment
from clinic.queries import agenda
from clinic.web.agenda import drawn
from tests.days import MONDAY, hours, put
from tests.factories import make_clinic, make_doctor, make_user

pytestmark = pytest.mark.django_db(transaction=True)
OF_SESSION_ROWS_AND_ACCESS = 3
CARD = '<a id="a'


@pytest.fixture
def visit(time_machine):
    clinic = make_clinic()
    time_machine.move_to(clinic.instant(MONDAY, time(8, 1)), tick=False)
    return put(make_doctor(clinic, hours=hours(("08:00", "12:00"))), "09:00")


@pytest.fixture(params=["day", "week"])
def address(request, visit):
    return f"/agenda/{MONDAY}/" if request.param == "day" else f"/agenda/semana/{visit.doctor_id}/{MONDAY}/"


def screen(clinic, **user):
    """Return the browser of a new user, who has been on another page."""
    client = Client()
    client.force_login(make_user(clinic, **user))
    client.get("/pendencias/")
    return client


def asked(client, address):
    """Return the text of the answer, and how many queries it took."""
    with CaptureQueriesContext(connection) as captured:
        text = client.get(address).content.decode()
    return text, len(captured)


def asked_twice(clinic, address):
    """Ask for the page for the first time, and again, from when on it is kept; return its text."""
    asked(screen(clinic), address)
    return asked(screen(clinic), address)[0]


def test_another_screen_is_given_what_was_drawn(visit, address):
    first = asked_twice(visit.clinic, address)
    again, count = asked(screen(visit.clinic), address)
    assert count == OF_SESSION_ROWS_AND_ACCESS
    assert first.partition('id="scroll"')[2] == again.partition('id="scroll"')[2] != ""


def test_what_a_screen_polls_is_kept_for_the_others(visit, address):
    screen(visit.clinic).get(address, headers={"HX-Request": "true"})
    assert asked(screen(visit.clinic), address)[1] == OF_SESSION_ROWS_AND_ACCESS


def test_a_written_row_is_drawn(visit, address):
    asked_twice(visit.clinic, address)
    Appointment.objects.update(status="confirmed")
    text, count = asked(screen(visit.clinic), address)
    assert "status-confirmed " in text and count > OF_SESSION_ROWS_AND_ACCESS


def test_the_next_minute_is_drawn_anew(visit, address, time_machine):
    asked_twice(visit.clinic, address)
    time_machine.move_to(visit.clinic.instant(MONDAY, time(8, 2)), tick=False)
    text, count = asked(screen(visit.clinic), address)
    assert "08:02" in text and count > OF_SESSION_ROWS_AND_ACCESS


def test_a_poll_of_the_next_minute_is_drawn_anew(visit, address, time_machine):
    client = screen(visit.clinic)
    client.get(address, headers={"HX-Request": "true"})
    time_machine.move_to(visit.clinic.instant(MONDAY, time(8, 2)), tick=False)
    assert "08:02" in client.get(address, headers={"HX-Request": "true"}).content.decode()


def test_what_is_left_out_is_drawn_apart(visit, address):
    Appointment.objects.update(status="no_show")
    shown = asked_twice(visit.clinic, address)
    hidden = asked_twice(visit.clinic, f"{address}?cancelados=nao")
    assert CARD in shown and CARD not in hidden


def test_who_records_absences_is_drawn_the_way_to_it(visit):
    address = f"/agenda/{MONDAY}/"
    asked_twice(visit.clinic, address)
    others, _count = asked(screen(visit.clinic, role="receptionist"), address)
    managers, _count = asked(screen(visit.clinic, role="manager"), address)
    assert 'class="away"' in managers and 'class="away"' not in others


def test_the_week_of_another_clinics_doctor_is_not_found(visit):
    address = f"/agenda/semana/{visit.doctor_id}/{MONDAY}/"
    asked_twice(visit.clinic, address)
    assert screen(make_clinic()).get(address).status_code == 404


def test_the_same_rows_of_two_clinics_are_two_versions(db):
    with transaction.atomic():
        clinics = [make_clinic(), make_clinic()]
    first, second = (agenda.rows_version(clinic, MONDAY, MONDAY) for clinic in clinics)
    assert first != second


def test_what_is_kept_holds_no_request(visit, address):
    """A request holds the session and the user of another screen."""
    asked_twice(visit.clinic, address)
    kept, seen = [each.drawn._draw for each in drawn._kept.values()], set()
    assert kept
    for draw in kept:
        held = [cell.cell_contents for cell in draw.__closure__]
        assert not any(isinstance(each, HttpRequest) for each in held)
        seen |= {type(each).__name__ for each in held}
    assert "Clinic" in seen
