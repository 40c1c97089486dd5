"""From where an appointment was moved, on its card and in its panel."""

from datetime import timedelta

import pytest
from django.urls import reverse

from clinic.booking import change_status, reschedule, undo
from clinic.models import Appointment
from tests.booking.desk import BY
from tests.factories import book_appointment, make_doctor

PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def appointment(clinic):
    return book_appointment(make_doctor(clinic, name="Dra. Helena Prado"))


@pytest.fixture
def moved(appointment):
    return move(appointment, hours=2)


def move(appointment, hours):
    starts_at = appointment.starts_at + timedelta(hours=hours)
    return reschedule(
        appointment.pk, clinic=appointment.clinic, doctor=appointment.doctor_id, starts_at=starts_at, by=BY
    )


def before(appointment):
    return f"antes: seg {appointment.clinic.local(appointment.starts_at):%d/%m} 09:00, Dra. Helena Prado"


def panel(desk, appointment):
    return desk.get(reverse("web:appointment-detail", args=[appointment.pk]), headers=PARTIAL).text


def day(desk, appointment):
    return desk.get(reverse("web:agenda-day", args=[appointment.clinic.local(appointment.starts_at).date()])).text


def test_card_and_panel_say_from_where(desk, appointment, moved):
    assert before(appointment) in panel(desk, moved)
    assert f'<span class="word">Remarcado, {before(appointment)}</span>' in day(desk, moved)


def test_once_confirmed_only_the_panel_says_it(desk, clinic, appointment, moved):
    change_status(moved.pk, "confirmed", clinic=clinic, by=BY)
    assert before(appointment) in panel(desk, moved) and "antes:" not in day(desk, moved)


def test_what_was_never_moved_or_is_back_says_nothing(desk, clinic, appointment):
    assert "antes:" not in panel(desk, appointment) + day(desk, appointment)
    move(appointment, hours=2)
    undo(appointment.pk, clinic=clinic, by=BY)
    assert "antes:" not in panel(desk, appointment) + day(desk, appointment)


def test_a_second_move_taken_back_claims_no_place(desk, clinic, moved):
    move(moved, hours=2)
    undo(moved.pk, clinic=clinic, by=BY)
    assert "antes:" not in panel(desk, moved) + day(desk, moved)


def test_a_moved_card_changes_the_version_of_the_day(desk, appointment):
    address = reverse("web:agenda-day", args=[appointment.clinic.local(appointment.starts_at).date()])
    version = desk.get(address, headers=PARTIAL)["ETag"]
    move(appointment, hours=2)
    assert desk.get(address, headers=PARTIAL)["ETag"] != version


def test_a_time_that_was_shifted_since_claims_no_place(desk, moved):
    """As another time zone of the clinic shifts it."""
    hour = timedelta(hours=1)
    shifted = {"starts_at": moved.starts_at + hour, "ends_at": moved.ends_at + hour}
    Appointment.objects.filter(pk=moved.pk).update(**shifted)
    assert "antes:" not in panel(desk, moved) + day(desk, moved)
