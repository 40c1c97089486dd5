"""The day as it is shown: what stands where, what is free, what a change of data changes, and what it costs."""

import re
from datetime import UTC, date, datetime, time, timedelta
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from clinic.management.commands import write_style_sheets
from clinic.models import Absence, Appointment, AppointmentProcedure
from clinic.queries import agenda
from tests.factories import (
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_patient,
    make_procedure,
    make_user,
)

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
EARLIER = datetime(2026, 11, 20, tzinfo=UTC)


def put(doctor, at, minutes=30, status="scheduled", day=MONDAY, **fields):
    """An appointment written straight to the table: what is shown must not depend on how it came there."""
    starts_at = doctor.clinic.instant(day, time.fromisoformat(at))
    appointment = Appointment.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        doctor_name=doctor.name,
        patient=fields.pop("patient", None) or make_patient(doctor.clinic),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        status=status,
        cancelled_by="patient" if status == "cancelled" else "",
        **fields,
    )
    procedure = doctor.procedures.first()
    AppointmentProcedure.objects.create(
        clinic=doctor.clinic,
        appointment=appointment,
        position=0,
        procedure=procedure,
        procedure_name=procedure.name,
        price=1,
    )
    return appointment


def shown(clinic, on=MONDAY, now=EARLIER, **filters):
    return agenda.day(clinic, on, now=now, **filters)


def cells(day, kind):
    return [cell for hour in day.hours for row in hour.rows for cell in row.cells if cell.kind == kind]


def free(day):
    return [cell.time for cell in cells(day, "slot")]


def hours(*pairs):
    return [(time.fromisoformat(starts), time.fromisoformat(ends)) for starts, ends in pairs]


# What stands where ----------------------------------------------------------------------------------------------------


def test_a_card_stands_at_its_five_minute_rows_in_its_doctors_column():
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    put(doctor, "09:15", 45)
    (card,) = cells(shown(doctor.clinic), "card")
    assert {"from-15", "to-24", "col-1", "lines-3", "status-scheduled"} <= set(card.css_class.split())
    assert card.time == "09:15"


def test_start_between_rows_is_drawn_from_the_row_before():
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    put(doctor, "09:07", 1)
    (card,) = cells(shown(doctor.clinic), "card")
    assert {"from-13", "to-14"} <= set(card.css_class.split())


def test_day_spans_whole_hours_from_first_opening_to_last_end():
    clinic = make_clinic()
    make_doctor(clinic, hours=hours(("09:30", "12:00")))
    late = make_doctor(clinic, hours=hours(("10:00", "17:30")))
    put(late, "18:00", 45)
    assert [hour.time for hour in shown(clinic).hours] == [f"{hour:02}:00" for hour in range(9, 19)]


def test_closed_time_says_why():
    doctor = make_doctor(hours=hours(("08:00", "12:00"), ("13:00", "18:00")))
    at = doctor.clinic.instant
    Absence.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        starts_at=at(MONDAY, time(15)),
        ends_at=at(MONDAY, time(18)),
        reason="congresso",
    )
    assert [(cell.reason, cell.time) for cell in cells(shown(doctor.clinic), "shade")] == [
        ("almoço", "12:00–13:00"),
        ("congresso", "15:00–18:00"),
    ]


def test_the_label_of_a_card_is_whole():
    doctor = make_doctor(name="Dra. Iara")
    patient = make_patient(doctor.clinic, name="Ana " + "x" * 150, social_name="", birth_date=None)
    put(doctor, "09:00", unverified_cpf="12345678901", source="voice_ai", patient=patient)
    (card,) = cells(shown(doctor.clinic), "card")
    assert card.label == (
        f"09:00–09:30 {patient.name} · {doctor.procedures.first().name} · Agendado · Dra. Iara"
        " · CPF a confirmar · cadastro incompleto · voz"
    )


def test_incomplete_on_the_card_means_what_the_patient_says():
    doctor = make_doctor(hours=hours(("08:00", "18:00")))
    patients = [
        make_patient(doctor.clinic),
        make_patient(doctor.clinic, birth_date=None),
        make_patient(doctor.clinic, cpf=None),
        make_patient(doctor.clinic, cpf=None, nif="123456789"),
        make_patient(doctor.clinic, cpf=None, birth_date=None),
    ]
    for hour, patient in enumerate(patients, 9):
        put(doctor, f"{hour:02}:00", patient=patient)
    shown_as = ["cadastro incompleto" in card.label for card in cells(shown(doctor.clinic), "card")]
    assert shown_as == [patient.is_incomplete for patient in patients]


def test_waiting_patient_shows_the_minutes():
    doctor = make_doctor()
    arrived = doctor.clinic.instant(MONDAY, time(8, 48))
    put(doctor, "09:00", status="checked_in", status_since=arrived)
    (card,) = cells(shown(doctor.clinic, now=arrived + timedelta(minutes=12)), "card")
    assert card.waited == "12 min"


def test_a_cancelled_card_steps_back_and_its_time_is_free():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", status="cancelled")
    day = shown(doctor.clinic)
    assert {"back", "strip-0"} <= set(cells(day, "card")[0].css_class.split())
    freed = [slot.time for slot in cells(day, "slot") if slot.is_freed and "beside-1" in slot.css_class.split()]
    assert freed == ["09:00", "09:15"]


def test_hidden_cancelled_cards_leave_their_time_free():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", status="cancelled")
    day = shown(doctor.clinic, hides_freed=True)
    assert (cells(day, "card"), [slot.time for slot in cells(day, "slot") if slot.is_freed]) == ([], [])
    assert {"09:00", "09:15"} <= set(free(day))


def test_cancelled_cards_beside_their_successor_are_strips():
    doctor = make_doctor()
    for _ in range(4):
        put(doctor, "09:00", status="cancelled")
    put(doctor, "09:00")
    classes = [set(card.css_class.split()) for card in cells(shown(doctor.clinic), "card")]
    assert "beside-3" in classes[0] and not any(name.startswith("lane") for name in classes[0])
    assert [name for one in classes[1:] for name in one if name.startswith("strip")] == [
        "strip-0", "strip-1", "strip-2", "strip-2",
    ]  # fmt: skip


def test_a_squeezed_in_appointment_is_a_second_lane():
    doctor = make_doctor()
    put(doctor, "09:00")
    put(doctor, "09:15", encaixe_by=make_user(doctor.clinic), encaixe_reason="dor")
    classes = [set(card.css_class.split()) for card in cells(shown(doctor.clinic), "card")]
    assert "lane-0-of-2" in classes[0] and "lane-1-of-2" in classes[1]


def test_lone_encaixe_leaves_room_for_the_free_time_beside_it():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", encaixe_by=make_user(doctor.clinic), encaixe_reason="dor")
    day = shown(doctor.clinic)
    assert "lane-1-of-2" in cells(day, "card")[0].css_class.split() and "09:00" in free(day)


def test_the_usual_length_decides_how_high_the_day_is():
    """One doctor with short times makes the lines higher, not three times as many."""
    clinic = make_clinic()
    make_doctor(clinic)
    assert shown(clinic).scale == "15"
    make_doctor(clinic)
    make_doctor(clinic, interval_minutes=5)
    assert shown(clinic).scale == "15 tall"
    make_doctor(clinic, interval_minutes=5)
    make_doctor(clinic, interval_minutes=5)
    assert shown(clinic).scale == "5"


def test_every_class_that_places_something_is_in_the_sheet():
    for path, text in write_style_sheets.sheets().items():
        assert path.read_text(encoding="utf-8") == text, "run manage.py write_style_sheets"


# What is free ---------------------------------------------------------------------------------------------------------


def test_free_times_exclude_taken_closed_and_past_ones():
    exam = make_procedure(clinic := make_clinic(), duration_minutes=20)
    doctor = make_doctor(clinic, procedures=[exam], hours=hours(("08:00", "10:00")), interval_minutes=20)
    put(doctor, "08:30", 20)
    assert free(shown(doctor.clinic)) == ["08:00", "09:00", "09:20", "09:40"]
    now = doctor.clinic.instant(MONDAY, time(9, 0))
    assert free(shown(doctor.clinic, now=now)) == ["09:20", "09:40"]
    assert free(shown(doctor.clinic, now=now + timedelta(days=1))) == []


def test_a_hidden_appointment_is_still_taken_time():
    doctor = make_doctor(hours=hours(("08:00", "09:00")))
    put(doctor, "08:00", status="confirmed")
    day = shown(doctor.clinic, statuses={"scheduled"})
    assert [cell.reason for cell in cells(day, "shade")] == ["ocupado"]
    assert free(day) == ["08:30"]


def fitting(day):
    return [(slot.time, slot.procedure, slot.fits) for slot in cells(day, "slot")]


def test_a_hole_for_a_shorter_procedure_says_which_one_fits():
    clinic = make_clinic()
    usual = make_procedure(clinic, name="Consulta", duration_minutes=40)
    review = make_procedure(clinic, name="Retorno", duration_minutes=20)
    make_procedure(clinic, name="Curativo", duration_minutes=10)
    doctor = make_doctor(clinic, procedures=[usual, review], hours=hours(("08:00", "09:30")), interval_minutes=20)
    put(doctor, "08:40", 20)
    day = shown(clinic)
    short = (str(review.pk), "20 min: cabe Retorno")
    assert fitting(day) == [("08:00", "", ""), ("08:20", *short), ("09:00", *short)]
    assert (day.free, day.short) == (1, 2)
    assert ["short" in slot.css_class.split() for slot in cells(day, "slot")] == [False, True, True]


def test_what_a_doctor_is_booked_for_most_is_usual():
    clinic = make_clinic()
    longer, shorter = (make_procedure(clinic, name=name, duration_minutes=n) for name, n in (("A", 40), ("B", 20)))
    doctor = make_doctor(clinic, procedures=[longer, shorter], hours=hours(("08:00", "09:00")), interval_minutes=20)
    visit = put(doctor, "08:00", day=MONDAY - timedelta(days=7))
    visit.lines.update(procedure=shorter)
    assert [slot.fits for slot in cells(shown(clinic), "slot")] == ["", "", ""]


def test_where_nothing_fits_nothing_is_offered():
    clinic = make_clinic()
    doctor = make_doctor(
        clinic, procedures=[make_procedure(clinic, duration_minutes=60)], hours=hours(("08:00", "08:45"))
    )
    make_doctor(clinic, procedures=[], hours=hours(("08:00", "10:00")))
    make_procedure(clinic, name="Inativo", duration_minutes=5, active=False).doctors.add(doctor)
    day = shown(clinic)
    assert (free(day), [column.performs_nothing for column in day.columns]) == ([], [False, True])


def test_the_label_of_a_free_time_holds_the_words_that_are_seen():
    doctor = make_doctor(name="Dra. Iara", hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", status="cancelled")
    labels = {slot.time: slot.label for slot in cells(shown(doctor.clinic), "slot")}
    assert labels["09:00"] == "09:00 livre, Dra. Iara"


ATTENTION = {
    "waits long": ("checked_in", 0, 15, True),
    "waits": ("checked_in", 0, 14, False),
    "has not come": ("confirmed", 0, 15, True),
    "may still come": ("confirmed", 0, 14, False),
    "in service": ("in_service", 0, 60, False),
    "unconfirmed for tomorrow": ("scheduled", -1, 0, True),
    "confirmed for tomorrow": ("confirmed", -1, 0, False),
    "unconfirmed for later": ("scheduled", -2, 0, False),
}


@pytest.mark.parametrize(("status", "days", "minutes", "expected"), ATTENTION.values(), ids=ATTENTION)
def test_what_needs_a_person_stands_out(status, days, minutes, expected):
    doctor = make_doctor()
    start = doctor.clinic.instant(MONDAY, time(9))
    put(doctor, "09:00", status=status, status_since=start)
    (card,) = cells(shown(doctor.clinic, now=start + timedelta(days=days, minutes=minutes)), "card")
    assert ("attention" in card.css_class.split()) == expected


def test_fullness_is_the_taken_part_of_the_open_time():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "08:00", 30)
    put(doctor, "09:00", 30, status="no_show")
    day = shown(doctor.clinic)
    assert (day.columns[0].fullness, day.booked, day.missed) == (25, 1, 1)


# Days that are not like the others ------------------------------------------------------------------------------------


def test_the_hour_that_comes_twice_is_drawn_twice_and_offered_once():
    doctor = make_doctor(make_lisbon(), days=[7], hours=hours(("00:00", "04:00")), interval_minutes=60)
    day = shown(doctor.clinic, date(2027, 10, 31))
    assert [hour.time for hour in day.hours] == ["00:00", "01:00", "01:00", "02:00", "03:00"]
    assert free(day) == ["00:00", "01:00", "02:00", "03:00"]


def test_the_hour_that_is_missing_is_not_drawn():
    doctor = make_doctor(make_lisbon(), days=[7], hours=hours(("00:00", "04:00")), interval_minutes=60)
    day = shown(doctor.clinic, date(2027, 3, 28))
    assert [hour.time for hour in day.hours] == ["00:00", "02:00", "03:00"]


def test_a_day_without_a_midnight_begins_at_one():
    doctor = make_doctor(make_clinic(time_zone="America/Sao_Paulo"), days=[7], hours=hours(("01:00", "03:00")))
    put(doctor, "01:30", day=date(2018, 11, 4))
    day = shown(doctor.clinic, date(2018, 11, 4), now=datetime(2018, 11, 1, tzinfo=UTC))
    assert [hour.time for hour in day.hours] == ["01:00", "02:00"]
    assert "from-6" in cells(day, "card")[0].css_class.split()


def test_an_appointment_belongs_to_the_local_day():
    doctor = make_doctor(hours=hours(("08:00", "23:30")))
    put(doctor, "22:30")  # 01:30 of the next day in UTC
    assert len(cells(shown(doctor.clinic), "card")) == 1
    assert cells(shown(doctor.clinic, MONDAY + timedelta(days=1)), "card") == []


def test_the_now_line_is_there_today_and_within_the_hours_shown():
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    at = doctor.clinic.instant
    day = shown(doctor.clinic, now=at(MONDAY, time(9, 22)))
    assert (day.now_class, day.now_time) == ("from-16", "09:22")
    assert shown(doctor.clinic, now=at(MONDAY, time(7, 59))).now_class == ""
    assert shown(doctor.clinic, now=at(MONDAY + timedelta(days=1), time(9))).now_class == ""


def test_a_day_off_names_the_next_working_day():
    doctor = make_doctor(days=[1])
    day = shown(doctor.clinic, MONDAY + timedelta(days=1))
    assert (day.columns, day.off_duty, day.next_working) == ([], [doctor.name], MONDAY + timedelta(days=7))


def test_a_holiday_is_named():
    doctor = make_doctor(make_clinic(observes_holidays=True))
    day = shown(doctor.clinic, date(2026, 12, 25))
    assert (day.columns, day.closure, day.next_working) == ([], "Natal", date(2026, 12, 28))


def test_inactive_doctor_is_shown_only_with_appointments():
    doctor = make_doctor(active=False)
    assert shown(doctor.clinic).choices == []
    put(doctor, "09:00")
    assert [column.name for column in shown(doctor.clinic).columns] == [doctor.name]


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
def test_the_page_takes_five_queries_however_much_it_shows(desk, number):
    for extra in range(number):
        doctor = make_doctor(desk.doctor.clinic)
        for hour in range(8, 8 + number):
            put(doctor, f"{hour:02}:00", day=desk.day, status="checked_in" if extra else "scheduled")
    desk.get(desk.url)
    with CaptureQueriesContext(connection) as captured:
        desk.get(desk.url)
    assert len(captured) == 5


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
    assert shown_doctors.findall(desk.get(desk.url).content.decode()) == [desk.doctor.name]
    book = f"/agendamentos/novo/?data={desk.day}&medico={colleague.pk}"
    assert shown_doctors.findall(desk.get(book).content.decode()) == [desk.doctor.name]
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
    assert desk.doctor.name in page.content.decode()
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
    assert "/admin/clinic/doctor/add/" in client.get("/agenda/").content.decode()
    client.force_login(make_user(clinic))
    page = client.get("/agenda/").content.decode()
    assert "Peça à gestão" in page and "/admin/" not in page


def test_another_clinics_day_shows_nothing_of_ours(desk, client):
    appointment = put(desk.doctor, "09:00", day=desk.day)
    client.force_login(make_user(make_doctor().clinic))
    page = client.get(f"{desk.url}?medico={desk.doctor.pk}").content.decode()
    assert appointment.patient.name not in page and desk.doctor.name not in page


def test_a_page_of_an_error_stands_without_database_or_manifest(client, django_assert_num_queries):
    for name in ("400.html", "408.html", "413.html", "415.html", "500.html", "503.html"):
        with django_assert_num_queries(0):
            page = render_to_string(name)
        sheets = re.findall(r'href="(\S+\.css)"', page)
        assert sheets and not any(sheet.startswith(f"/{settings.STATIC_URL.strip('/')}/") for sheet in sheets)
        for sheet in sheets:
            assert b"{" in b"".join(client.get(sheet).streaming_content)
