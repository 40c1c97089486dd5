"""The day says which appointments cannot take place, on their cards and under its title."""

from datetime import UTC, datetime, time

import pytest
from django.urls import reverse

from clinic.models import Absence
from tests.days import MONDAY, cells, hours, put, shown
from tests.factories import make_clinic, make_doctor, make_user

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
    assert shown(doctor.clinic, now=BEFORE).causes == [("Dra. Ana Beatriz não trabalha nesse horário", 1)]


def test_the_page_leads_to_the_pending_appointments(doctor, client, time_machine):
    time_machine.move_to(BEFORE, tick=False)
    put(doctor, "09:00")
    is_ill(doctor, "08:00", "12:00")
    client.force_login(make_user(doctor.clinic))
    page = client.get(reverse("web:agenda-day", args=[MONDAY])).text
    assert "Dra. Ana Beatriz ausente (doença): 1 a remarcar" in " ".join(page.split())
    assert f'href="{reverse("web:pending-list")}"' in page
