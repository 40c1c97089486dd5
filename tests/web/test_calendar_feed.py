"""The calendar of a doctor at a secret address: what programs read, who releases it, and that it can be revoked."""

import re
from datetime import date, datetime, time, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
import vobject
from django.test import Client
from django.urls import reverse

from clinic.access import calendar_feeds
from clinic.booking import Author, LineRequest, change_status
from clinic.models import CalendarFeed, Doctor, Patient, PatientAccess, StaffSession
from clinic.queries.calendar import initials
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_patient,
    make_procedure,
    make_user,
)
from tests.managed import url

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
BY = Author(channel="command", credential="tests")


@pytest.fixture(autouse=True)
def clock(time_machine):
    """Monday, 8:00 in Recife; `clock.move_to` moves it."""
    time_machine.move_to("2026-11-23T11:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def doctor(clinic):
    procedures = [make_procedure(clinic, name="Consulta, 1.ª vez"), make_procedure(clinic, name="ECG")]
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=procedures, days=range(1, 8))


def release(doctor):
    secret = calendar_feeds.release(doctor, clinic=doctor.clinic, by=make_manager(doctor.clinic))
    return reverse("web:calendar-feed", args=[secret])


def visit(doctor, day, hour, name, *statuses):
    starts_at = doctor.clinic.instant(day, time(hour))
    lines = tuple(LineRequest(procedure.pk) for procedure in doctor.procedures.order_by("name"))
    patient = make_patient(doctor.clinic, name=name)
    fields = {"patient": patient.pk, "starts_at": starts_at, "lines": lines}
    appointment = book_appointment(doctor, now=starts_at - timedelta(days=1), **fields)
    for status in statuses:
        change_status(appointment.pk, status, clinic=doctor.clinic, by=BY, now=starts_at, cancelled_by="clinic")
    return appointment


def events(answer):
    """The events as another library than the one that wrote them reads them."""
    assert answer.status_code == 200
    return list(vobject.readOne(answer.content.decode()).contents.get("vevent", []))


# What programs read ---------------------------------------------------------------------------------------------------


def test_an_event_has_the_hour_the_procedures_and_initials_only(doctor):
    booked = visit(doctor, MONDAY, 10, "Ana de Souza Lima")
    Patient.objects.update(notes="alérgica", cpf="52998224725")
    answer = Client().get(release(doctor))
    (event,) = events(answer)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert event.summary.value == "A. L. · Consulta, 1.ª vez, ECG"
    assert event.dtstart.value == booked.starts_at and event.dtend.value == booked.ends_at
    assert event.uid.value == str(booked.uuid)
    for secret in ("Ana", "Souza", "Lima", "alérgica", "52998224725", booked.patient.phone.as_e164[-8:]):
        assert secret not in answer.text.replace("Clínica", "")


@pytest.mark.parametrize("days", [0, 14, 160])
def test_the_clinics_zone_comes_along_with_its_changes(clock, days):
    """Recife has none; Lisbon changes on 25 October and 28 March."""
    clinic = make_lisbon()
    doctor = make_doctor(clinic, name="Dra. Inês Sá", days=range(1, 8))
    day = MONDAY + timedelta(days=days)
    clock.move_to(datetime(day.year, day.month, day.day, 7, tzinfo=ZoneInfo("Europe/Lisbon")), tick=False)
    booked = visit(doctor, day, 10, "Ana Lima")
    answer = Client().get(release(doctor))
    calendar = vobject.readOne(answer.content.decode())
    assert calendar.vtimezone.tzid.value == "Europe/Lisbon"
    assert f"DTSTART;TZID=Europe/Lisbon:{day:%Y%m%d}T100000" in answer.text
    assert calendar.vevent.dtstart.value == booked.starts_at


def test_seven_days_back_and_sixty_ahead_without_what_frees_the_time(doctor, clinic):
    for days in (-8, -7, 0, 60, 61):
        visit(doctor, MONDAY + timedelta(days=days), 10, "Ana Lima")
    visit(doctor, MONDAY, 11, "Bia Reis", "cancelled")
    visit(doctor, MONDAY - timedelta(days=1), 11, "Caio Melo", "no_show")
    visit(make_doctor(clinic, days=range(1, 8)), MONDAY, 10, "De outra médica")
    found = [event.dtstart.value.astimezone(clinic.zone).date() for event in events(Client().get(release(doctor)))]
    assert found == [MONDAY + timedelta(days=days) for days in (-7, 0, 60)]


def test_an_empty_calendar_is_one(doctor):
    assert events(Client().get(release(doctor))) == []


def test_an_unchanged_calendar_is_a_304(doctor):
    booked, address = visit(doctor, MONDAY, 10, "Ana Lima"), release(doctor)
    first = Client().get(address)
    assert set(first["Cache-Control"].split(", ")) == {"private", "no-cache"}
    again = {"If-None-Match": first["ETag"]}
    unchanged = Client().get(address, headers=again)
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", first["ETag"])
    change_status(booked.pk, "cancelled", clinic=doctor.clinic, by=BY, cancelled_by="clinic")
    assert Client().get(address, headers=again).status_code == 200


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ana de Souza Lima", "A. L."), ("Ana", "A."), ("érica d'ávila", "É. D."), ("李 小龙", "李. 小."), ("“Zé”", "Z.")],
)
def test_initials_are_the_first_and_the_last(name, expected):
    assert initials(name) == expected


def test_who_has_a_social_name_is_named_by_it(doctor):
    booked = visit(doctor, MONDAY, 10, "Pedro Lima")
    Patient.objects.filter(pk=booked.patient_id).update(social_name="Zoé Reis")
    assert events(Client().get(release(doctor)))[0].summary.value.startswith("Z. R.")


def test_it_costs_two_queries_whatever_is_booked(doctor, django_assert_num_queries):
    address = release(doctor)
    for hour in (9, 10):
        visit(doctor, MONDAY, hour, "Ana Lima")
        with django_assert_num_queries(2):  # the address; the visits
            Client().get(address)
    assert not PatientAccess.objects.exists() and not StaffSession.objects.exists()


# Secrets --------------------------------------------------------------------------------------------------------------


def test_only_a_digest_is_stored(doctor):
    address = release(doctor)
    secret = address.removeprefix("/calendario/").removesuffix(".ics")
    assert len(secret) == 32 and secret not in str(CalendarFeed.objects.values().get())


def test_a_new_address_revokes_the_one_before(doctor):
    first, second = release(doctor), release(doctor)
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200


def test_a_revoked_address_opens_nothing(doctor):
    address = release(doctor)
    assert calendar_feeds.revoke(doctor, clinic=doctor.clinic)
    assert not calendar_feeds.revoke(doctor, clinic=doctor.clinic)
    answer = Client().get(address)
    assert answer.status_code == 404 and answer.content == b""


@pytest.mark.parametrize("switched_off", ["doctor", "clinic"])
def test_who_is_switched_off_has_no_calendar(doctor, switched_off):
    address = release(doctor)
    row = doctor if switched_off == "doctor" else doctor.clinic
    type(row).objects.filter(pk=row.pk).update(active=False)
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("secret", ["x", "x" * 31, "x" * 33, "x" * 5000, "é" * 32, "x" * 31 + "%00"])
def test_what_cannot_be_a_secret_costs_no_look_up(secret, django_assert_num_queries):
    with django_assert_num_queries(1):  # the try is counted
        assert Client().get(f"/calendario/{secret}.ics").status_code == 404


def test_guessing_is_limited_by_the_address_of_the_network(settings):
    settings.API_FAILURES_A_MINUTE = 3
    address = reverse("web:calendar-feed", args=["x" * 32])
    found = [Client().get(address) for _ in range(4)]
    assert [answer.status_code for answer in found] == [404, 404, 404, 429]
    assert int(found[-1]["Retry-After"]) > 0
    assert Client().get(address, REMOTE_ADDR="10.9.8.7").status_code == 404


def test_only_reading_is_answered(doctor):
    address = release(doctor)
    assert Client().head(address).status_code == 200
    assert Client().post(address).status_code == 405


# Who releases it ------------------------------------------------------------------------------------------------------


def shown_address(answer):
    return re.search(r"http://testserver(/calendario/[^\s<]+\.ics)", unescape(answer.text))


def test_a_manager_releases_it_once_and_revokes_it(client, manager):
    doctor = make_doctor(manager.clinic)
    chosen = {"_selected_action": doctor.pk}
    answer = client.post(url(Doctor), chosen | {"action": "release_calendar"})
    address = shown_address(answer)[1]
    assert "messages" not in answer.cookies and "no-store" in answer["Cache-Control"]
    assert shown_address(client.get(url(Doctor))) is None
    assert Client().get(address).status_code == 200
    assert "calendário liberado" in client.get(url(Doctor, "history", doctor.pk)).text
    client.post(url(Doctor), chosen | {"action": "revoke_calendar"})
    assert Client().get(address).status_code == 404
    assert "calendário revogado" in client.get(url(Doctor, "history", doctor.pk)).text


def test_of_another_clinic_nobody_releases_it(client, manager):
    stranger = make_doctor(make_clinic())
    client.post(url(Doctor), {"action": "release_calendar", "_selected_action": stranger.pk}, follow=True)
    assert not CalendarFeed.objects.exists()


def test_a_receptionist_does_not(client, clinic):
    doctor = make_doctor(clinic)
    client.force_login(make_user(clinic))
    client.post(url(Doctor), {"action": "release_calendar", "_selected_action": doctor.pk}, follow=True)
    assert not CalendarFeed.objects.exists()
