"""The day says which appointments cannot take place, on their cards and under its title."""

from datetime import UTC, datetime, time

import pytest
from django.urls import reverse

from clinic.models import Absence, AppointmentProcedure
from tests.days import MONDAY, cells, hours, put, shown
from tests.factories import make_clinic, make_doctor, make_procedure, make_user

pytestmark = pytest.mark.django_db

BEFORE = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def doctor():
    return make_doctor(make_clinic(), name="Dra. Ana Beatriz", hours=hours(("08:00", "12:00")))


def is_ill(doctor, starts, ends):
    at = doctor.clinic.instant
    Absence.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        starts_at=at(MONDAY, time.fromisoformat(starts)),
        ends_at=at(MONDAY, time.fromisoformat(ends)),
        reason="doença",
    )


def badges(day):
    return {card.time: [badge.text for badge in card.badges] for card in cells(day, "card")}


def test_an_absence_marks_the_cards_that_it_touches(doctor):
    for at in ("08:00", "09:00", "10:00"):
        put(doctor, at)
    is_ill(doctor, "09:15", "11:00")
    day = shown(doctor.clinic, now=BEFORE)
    assert [time for time, words in badges(day).items() if "ausente: doença" in words] == [
        "09:00",
        "10:00",
    ]
    assert day.causes == [("Dra. Ana Beatriz ausente (doença)", 2)]
    assert "attention" in cells(day, "card")[1].css_class
    assert "ausente: doença" in cells(day, "card")[1].label


@pytest.mark.parametrize("status", ["cancelled", "no_show", "in_service", "finished"])
def test_what_is_over_or_freed_is_not_marked(doctor, status):
    put(doctor, "09:00", status=status)
    is_ill(doctor, "08:00", "12:00")
    assert shown(doctor.clinic, now=BEFORE).causes == []


def test_an_appointment_outside_the_hours_is_marked(doctor):
    put(doctor, "13:00")
    assert shown(doctor.clinic, now=BEFORE).causes == [("A Dra. Ana Beatriz não trabalha nesse horário", 1)]


def test_the_page_leads_to_the_pending_appointments(doctor, client, time_machine):
    time_machine.move_to(BEFORE, tick=False)
    put(doctor, "09:00")
    is_ill(doctor, "08:00", "12:00")
    client.force_login(make_user(doctor.clinic))
    page = client.get(reverse("web:agenda-day", args=[MONDAY])).text
    assert "Dra. Ana Beatriz ausente (doença): 1 a remarcar" in " ".join(page.split())
    assert f'href="{reverse("web:pending-list")}"' in page


def no_longer_performs(doctor):
    doctor.procedures.set([make_procedure(doctor.clinic, name="Ecografia")])


def test_what_its_doctor_no_longer_performs_is_marked(doctor):
    visit = put(doctor, "09:00")
    performed = visit.lines.get().procedure.name
    AppointmentProcedure.objects.update(procedure_name=performed)
    put(doctor, "10:00", status="finished")
    no_longer_performs(doctor)
    put(doctor, "11:00")
    day = shown(doctor.clinic, now=BEFORE)
    words = f"não realiza mais {performed}"
    assert [time for time, found in badges(day).items() if words in found] == ["09:00"]
    assert day.causes == [(f"A Dra. Ana Beatriz {words}", 1)]
    assert words in cells(day, "card")[0].label


def test_only_the_procedures_not_performed_are_named(doctor):
    visit, other = put(doctor, "09:00"), make_procedure(doctor.clinic, name="ECG")
    line = visit.lines.get()
    line.pk, line.position, line.procedure, line.procedure_name = None, 1, other, other.name
    line.save()
    assert shown(doctor.clinic, now=BEFORE).causes == [("A Dra. Ana Beatriz não realiza mais ECG", 1)]


def test_what_is_merely_no_longer_offered_is_not_marked(doctor):
    put(doctor, "09:00")
    doctor.procedures.update(active=False)
    assert shown(doctor.clinic, now=BEFORE).causes == []


def test_it_costs_the_day_no_query_more(doctor, django_assert_num_queries):
    put(doctor, "09:00")
    no_longer_performs(doctor)
    with django_assert_num_queries(4):
        shown(doctor.clinic, now=BEFORE)


def panel_of(client, visit):
    client.force_login(make_user(visit.clinic))
    page = client.get(reverse("web:appointment-detail", args=[visit.pk]), headers={"HX-Request": "true"}).text
    return " ".join(page.split())


def test_the_open_appointment_says_why(doctor, client, time_machine):
    time_machine.move_to(BEFORE, tick=False)
    visit = put(doctor, "09:00")
    assert "Ver em Pendências" not in panel_of(client, visit)
    no_longer_performs(doctor)
    assert "A Dra. Ana Beatriz não realiza mais" in panel_of(client, visit)
    is_ill(doctor, "08:00", "12:00")
    page = panel_of(client, visit)
    assert "Dra. Ana Beatriz ausente (doença). " in page
    assert f'href="{reverse("web:pending-list")}#p{visit.pk}"' in page


@pytest.mark.parametrize("status", ["cancelled", "no_show", "in_service", "finished"])
def test_an_open_appointment_that_is_over_says_nothing(doctor, client, time_machine, status):
    time_machine.move_to(BEFORE, tick=False)
    visit = put(doctor, "09:00", status=status)
    is_ill(doctor, "08:00", "12:00")
    assert "Ver em Pendências" not in panel_of(client, visit)
