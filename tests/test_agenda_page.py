"""The page of a day: what a change of data changes, and what it costs."""

import re
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from clinic.models import Appointment
from tests.days import MONDAY, hours, put, shown
from tests.factories import make_clinic, make_doctor, make_manager, make_patient, make_user

pytestmark = pytest.mark.django_db


# The version ----------------------------------------------------------------------------------------------------------


def test_the_version_stays_while_nothing_drawn_changes():
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    put(doctor, "09:00", status="checked_in")
    first = shown(doctor.clinic, now=doctor.clinic.instant(MONDAY, time(9, 1)))
    Appointment.objects.update(metadata={"ticket": 7})
    assert shown(doctor.clinic, now=doctor.clinic.instant(MONDAY, time(9, 4))).version == first.version


@pytest.mark.parametrize(
    "change",
    [
        lambda each: Appointment.objects.filter(pk=each.pk).update(status="confirmed"),
        lambda each: Appointment.objects.filter(pk=each.pk).update(ends_at=each.ends_at + timedelta(minutes=5)),
        lambda each: Appointment.objects.filter(pk=each.pk).update(deleted_at=each.starts_at),
        lambda each: put(each.doctor, "11:00"),
        lambda each: type(each.patient).objects.filter(pk=each.patient_id).update(name="Outro Nome"),
        lambda each: type(each.doctor).objects.filter(pk=each.doctor_id).update(name="Outra Doutora"),
        lambda each: each.lines.update(procedure_name="Outro exame"),
        lambda each: each.doctor.hours.update(ends=time(11)),
        lambda each: make_doctor(each.clinic),
        lambda each: Appointment.objects.filter(pk=each.pk).update(notes="lembrar do exame"),
        lambda each: type(each.doctor.procedures.first()).objects.update(duration_minutes=45),
    ],
    ids=[
        "status",
        "length",
        "deleted",
        "booked",
        "patient",
        "doctor",
        "procedure",
        "hours",
        "colleague",
        "notes",
        "fits",
    ],  # fmt: skip
)
def test_the_version_changes_with_whatever_is_drawn(change):
    appointment = put(make_doctor(hours=hours(("08:00", "12:00"))), "09:00")
    first = shown(appointment.clinic).version
    change(appointment)
    assert shown(appointment.clinic).version != first


def test_the_version_changes_when_a_full_doctor_performs_nothing():
    doctor = make_doctor(hours=hours(("08:00", "08:30")))
    put(doctor, "08:00")
    first = shown(doctor.clinic).version
    doctor.procedures.clear()
    assert shown(doctor.clinic).version != first


def test_the_version_changes_when_the_hours_of_an_empty_day_move():
    """The same rows at other times: what stands where in the grid does not tell."""
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    first = shown(doctor.clinic).version
    doctor.hours.update(starts=time(9), ends=time(13))
    assert shown(doctor.clinic).version != first


def test_the_version_changes_when_a_free_time_has_passed():
    clinic = make_doctor(hours=hours(("08:00", "12:00"))).clinic
    at = clinic.instant
    assert shown(clinic, now=at(MONDAY, time(9, 1))).version != shown(clinic, now=at(MONDAY, time(9, 16))).version


# The page -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client):
    """A receptionist's browser with a doctor's day in it."""
    client.doctor = make_doctor(hours=hours(("08:00", "12:00")))
    client.force_login(make_user(client.doctor.clinic))
    client.day = client.doctor.clinic.local(datetime.now(UTC)).date() + timedelta(days=7)
    client.day -= timedelta(days=client.day.isoweekday() - 1)
    client.url = f"/agenda/{client.day}/"
    return client


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_takes_six_queries_however_much_it_shows(desk, number):
    for extra in range(number):
        doctor = make_doctor(desk.doctor.clinic)
        for hour in range(8, 8 + number):
            put(doctor, f"{hour:02}:00", day=desk.day, status="checked_in" if extra else "scheduled")
    desk.get(desk.url)
    with CaptureQueriesContext(connection) as captured:
        desk.get(desk.url)
    assert len(captured) == 6


def test_an_unchanged_day_costs_a_304_and_a_changed_one_comes_anew(desk):
    first = desk.get(desk.url, headers={"HX-Request": "true"})
    again = desk.get(desk.url, headers={"HX-Request": "true", "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    put(desk.doctor, "09:00", day=desk.day)
    anew = desk.get(desk.url, headers={"HX-Request": "true", "If-None-Match": first["ETag"]})
    assert anew.status_code == 200 and anew["ETag"] != first["ETag"]


def test_htmx_gets_the_day_alone_and_everybody_else_the_page(desk):
    assert b"<html" not in desk.get(desk.url, headers={"HX-Request": "true"}).content
    restored = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert b"<html" in desk.get(desk.url, headers=restored).content
    page = desk.get(desk.url)
    assert b"<html" in page.content and "no-store" in page["Cache-Control"]


def test_filters_are_kept_from_day_to_day(desk):
    page = desk.get(f"{desk.url}?medico={desk.doctor.pk}&situacao=confirmed&medico=abc&situacao=outra").content.decode()
    following = desk.day + timedelta(days=1)
    assert f'href="/agenda/{following}/?medico={desk.doctor.pk}&amp;situacao=confirmed"' in page


def test_cancelled_cards_can_be_hidden_and_stay_hidden(desk):
    visit = put(desk.doctor, "09:00", day=desk.day, status="cancelled")
    assert visit.patient.name in desk.get(desk.url).content.decode()
    page = desk.get(f"{desk.url}?cancelados=nao").content.decode()
    assert visit.patient.name not in page
    assert f'href="/agenda/{desk.day + timedelta(days=1)}/?cancelados=nao"' in page


def test_a_computer_keeps_its_own_doctors_until_all_are_shown(desk):
    colleague = make_doctor(desk.doctor.clinic, name="Dra. Colega")
    desk.get(f"{desk.url}?medico={desk.doctor.pk}&lembrar=1")
    shown_doctors = re.compile(r'<b title="(.*?)">')
    assert shown_doctors.findall(desk.get(desk.url).content.decode()) == [desk.doctor.full_name]
    book = f"/agendamentos/novo/?data={desk.day}&medico={colleague.pk}"
    assert shown_doctors.findall(desk.get(book).content.decode()) == [desk.doctor.full_name]
    assert len(shown_doctors.findall(desk.get(f"{desk.url}?todos=1").content.decode())) == 2
    desk.get(f"{desk.url}?lembrar=1")
    assert len(shown_doctors.findall(desk.get(desk.url).content.decode())) == 2


def test_only_doctors_of_the_clinic_are_kept(desk):
    foreign = make_doctor()
    desk.get(f"{desk.url}?lembrar=1&medico={desk.doctor.pk}&medico={foreign.pk}&medico=99999999")
    assert desk.cookies["my_doctors"].value == str(desk.doctor.pk)


@pytest.mark.parametrize("kept", ["abc", "9" * 5000, "-", "1-2-3"])
def test_a_strange_cookie_of_doctors_shows_all(desk, kept):
    desk.cookies["my_doctors"] = kept
    page = desk.get(desk.url)
    assert desk.doctor.full_name in page.content.decode()
    assert page.context["filters"] == 0


def test_the_forms_of_the_day_keep_its_other_filters(desk):
    page = desk.get(f"{desk.url}?todos=1&cancelados=nao").content.decode()
    pick, choose = (page[page.index(begin) :].partition("</form>")[0] for begin in ('class="pick"', 'id="filter"'))
    assert 'name="cancelados" value="nao"' in pick and 'name="todos" value="1"' in pick
    assert 'name="todos" value="1"' in choose


def test_a_doctor_of_five_thousand_digits_is_nobody(desk):
    assert desk.get("/agenda/", {"medico": "9" * 5000}).status_code == 200


def test_a_picked_date_leads_to_its_day(desk):
    assert desk.get("/agenda/", {"data": "2026-12-01"}).url == "/agenda/2026-12-01/"


@pytest.mark.parametrize("wrong", ["2026-02-31", "hoje", "9999-12-31", "0001-01-01"])
def test_a_date_that_does_not_exist_is_not_found(desk, wrong):
    assert desk.get(f"/agenda/{wrong}/").status_code == 404


def test_no_attribute_of_the_page_needs_an_unsafe_policy(desk):
    put(
        desk.doctor, "09:00", day=desk.day, patient=make_patient(desk.doctor.clinic, name="<b onclick=alert(1)>Ana</b>")
    )
    found = []

    class Attributes(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.extend(name for name, _value in attrs)

    Attributes().feed(desk.get(desk.url).content.decode())
    assert "class" in found
    assert not [name for name in found if name == "style" or (name.startswith("on"))]


def test_empty_clinic_guides_managers_and_refers_others_to_them(client):
    clinic = make_clinic()
    client.force_login(make_manager(clinic))
    assert 'class="button primary" href="/comecar/' in client.get("/agenda/").content.decode()
    client.force_login(make_user(clinic))
    page = client.get("/agenda/").content.decode()
    assert "Peça à gestão" in page and "/admin/" not in page


def test_another_clinics_day_shows_nothing_of_ours(desk, client):
    appointment = put(desk.doctor, "09:00", day=desk.day)
    client.force_login(make_user(make_doctor().clinic))
    page = client.get(f"{desk.url}?medico={desk.doctor.pk}").content.decode()
    assert appointment.patient.name not in page and desk.doctor.full_name not in page


def test_a_page_of_an_error_stands_without_database_or_manifest(client, django_assert_num_queries):
    for name in ("400.html", "405.html", "408.html", "413.html", "415.html", "500.html", "503.html"):
        with django_assert_num_queries(0):
            page = render_to_string(name)
        sheets = re.findall(r'href="(\S+\.css)"', page)
        assert sheets and not any(sheet.startswith(f"/{settings.STATIC_URL.strip('/')}/") for sheet in sheets)
        for sheet in sheets:
            assert b"{" in b"".join(client.get(sheet).streaming_content)


def test_names_are_escaped_in_cells_and_attributes(client):
    clinic = make_clinic()
    doctor = make_doctor(clinic, name='Dra. <i>"Zuleide"', hours=hours(("08:00", "12:00")))
    put(doctor, "09:00", patient=make_patient(clinic, name='<script>alert("x")</script>'))
    client.force_login(make_user(clinic))
    page = client.get(f"/agenda/{MONDAY}/").text
    assert "<script>alert" not in page and "&lt;script&gt;alert(&#34;x&#34;)" in page
    assert '<i>"Zuleide' not in page and "Dra. &lt;i&gt;&#34;Zuleide" in page
