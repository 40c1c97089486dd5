"""The pages of a week and of a month: their addresses, what leads to them, and what they are asked for again."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import book_appointment, make_clinic, make_doctor

PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado")


@pytest.fixture
def appointment(doctor):
    return book_appointment(doctor)


def monday(appointment):
    on = appointment.clinic.local(appointment.starts_at).date()
    return on - timedelta(days=on.weekday())


def week_of(doctor, on):
    return reverse("web:agenda-week", args=[doctor.pk, on])


def test_any_date_opens_its_week(desk, appointment):
    first = monday(appointment)
    pages = {desk.get(week_of(appointment.doctor, first + timedelta(days=days))).context["iso"] for days in range(7)}
    assert pages == {first.isoformat()}


def test_an_unchanged_week_costs_no_body(desk, appointment):
    address = week_of(appointment.doctor, monday(appointment))
    version = desk.get(address, headers=PARTIAL)["ETag"]
    again = desk.get(address, headers=PARTIAL | {"If-None-Match": version})
    assert (again.status_code, again.content) == (304, b"")
    appointment.doctor.hours.all().delete()
    assert desk.get(address, headers=PARTIAL | {"If-None-Match": version}).status_code == 200


def test_other_clinics_doctor_has_no_week(desk):
    stranger = make_doctor(make_clinic())
    assert desk.get(week_of(stranger, "2026-11-23")).status_code == 404


@pytest.mark.parametrize("text", ["2026-13-01", "ontem", "9999-01-01", "2026-02-30"])
def test_a_date_that_does_not_exist_is_not_found(desk, doctor, text):
    assert desk.get(week_of(doctor, text)).status_code == 404


@pytest.mark.parametrize("text", ["2026-13", "ontem", "9999-01", "2026-11-01"])
def test_a_month_that_does_not_exist_is_not_found(desk, doctor, text):
    assert desk.get(reverse("web:agenda-month", args=[text])).status_code == 404


def test_the_week_is_chosen_by_doctor_and_date(desk, clinic, doctor):
    other = make_doctor(clinic)
    choose = reverse("web:agenda-week-choose")
    assert desk.get(choose, {"medico": other.pk, "data": "25/11/2026"})["Location"] == week_of(other, "2026-11-25")
    today = clinic.local(timezone.now()).date()
    assert desk.get(choose, {"medico": make_doctor(make_clinic()).pk})["Location"].endswith(f"/{today}/")
    desk.cookies["my_doctors"] = str(other.pk)
    assert desk.get(choose)["Location"] == week_of(other, today)
    hidden = desk.get(choose, {"medico": doctor.pk, "data": "25/11/2026", "cancelados": "nao"})
    assert hidden["Location"] == f"{week_of(doctor, '2026-11-25')}?cancelados=nao"


def test_without_a_doctor_the_week_is_the_empty_day(desk):
    assert desk.get(reverse("web:agenda-week-choose"))["Location"] == reverse("web:agenda-today")


def test_an_unreadable_date_leaves_the_week_and_says_so(desk, doctor):
    answer = desk.get(reverse("web:agenda-week-choose"), {"medico": doctor.pk, "data": "32/13"}, headers=PARTIAL)
    assert (answer.status_code, answer["HX-Reswap"]) == (422, "none")
    assert "Esta data não existe" in answer.text


def test_places_of_a_week_are_those_of_each_date(desk, appointment):
    first = monday(appointment)
    address = reverse("web:appointment-move", args=[appointment.pk])
    text = desk.get(address, {"data": first, "dias": "7"}, headers=PARTIAL).text
    for days in range(7):
        assert f'data-date="{first + timedelta(days=days)}"' in text
    one = desk.get(address, {"data": first, "dias": "400"}, headers=PARTIAL).text
    assert one.count("data-date") == 1


def test_the_month_leads_to_its_days_with_the_chosen_doctor(desk, doctor):
    page = desk.get(reverse("web:agenda-month", args=["2026-11"]), {"medico": doctor.pk})
    assert f'href="/agenda/2026-11-23/?medico={doctor.pk}"' in page.text
    assert "novembro de 2026" in page.text
