"""Midnights, time that is taken again, and discounts that are left behind."""

from datetime import time

import pytest

from clinic.models import Absence, AppliedDiscount, Appointment, Doctor, WorkingHours
from tests.api.imagemais.conftest import MONDAY, new_doctor

pytestmark = pytest.mark.django_db


@pytest.fixture
def night(desk):
    return WorkingHours.objects.create(clinic=desk.clinic, doctor=desk.doctor, weekday=1, starts=time(20), ends=time(6))


@pytest.mark.parametrize(
    ("starts", "ends", "end_time", "minutes"),
    [
        ("23:30", "24:00", "00:00", 30),
        ("23:30", "00:00", "00:00", 30),
        ("23:30", "00:30", "00:30", 60),
        ("20:00", "06:00", "06:00", 600),
        ("23:59", "24:00", "00:00", 1),
    ],
)
def test_an_appointment_ends_at_midnight_or_past_it(desk, night, starts, ends, end_time, minutes):
    answer = desk.ask("POST", "/appointments", desk.booking(startTime=starts, endTime=ends))

    assert answer.status_code == 201, answer.text
    assert (answer.json()[0]["date"][:10], answer.json()[0]["endTime"]) == (f"{MONDAY}", end_time)
    stored = Appointment.objects.get()
    assert (stored.ends_at - stored.starts_at).total_seconds() == minutes * 60


def test_the_morning_of_a_night_is_booked_on_its_own_date(desk, night):
    assert desk.book(date="2026-11-24", startTime="05:30", endTime="06:00")
    answer = desk.ask("POST", "/appointments", desk.booking(date="2026-11-23", startTime="05:00", endTime="05:15"))
    assert answer.json()["message"] == ["Fora do expediente do médico"]


@pytest.mark.parametrize("value", ["24:01", "24", "24:00:00", "2400", "25:00"])
def test_invalid_end_of_day_is_refused(desk, value):
    answer = desk.ask("POST", "/appointments", desk.booking(endTime=value))
    assert answer.json()["message"] == ["endTime deve estar no formato HH:mm"]


@pytest.mark.parametrize(
    ("starts", "ends", "message"),
    [
        ("09:00", "24:00", "O agendamento passa de 12 horas"),
        ("09:00", "00:00", "O agendamento passa de 12 horas"),
        ("23:00", "12:00", "endTime deve ser posterior a startTime"),
        ("09:00", "09:00", "endTime deve ser posterior a startTime"),
        ("09:00", "08:59", "endTime deve ser posterior a startTime"),
    ],
)
def test_too_long_or_backwards_is_not_taken_for_a_night(desk, starts, ends, message):
    answer = desk.ask("POST", "/appointments", desk.booking(startTime=starts, endTime=ends))
    assert answer.json()["message"] == [message]


@pytest.mark.parametrize(
    ("starts", "ends", "end_time"),
    [("20:00", "24:00", "00:00"), ("20:00", "06:00", "06:00"), ("00:00", "24:00", "00:00")],
)
def test_a_doctor_works_until_midnight_or_past_it(desk, starts, ends, end_time):
    answer = desk.ask(
        "POST", "/doctors", new_doctor(desk, startTime=starts, endTime=ends, workingDays="Domingo,Segunda")
    )

    assert answer.status_code == 201, answer.text
    assert (answer.json()["startTime"], answer.json()["endTime"]) == (starts, end_time)
    slots = desk.ask.get(f"/doctors/{answer.json()['id']}/slots?date=2026-11-23").json()
    first = "00:00" if ends != "24:00" or starts == "00:00" else "20:00"
    assert slots[0]["startTime"] == first
    assert Doctor.objects.get(pk=answer.json()["id"]).hours.count() == 2


@pytest.mark.parametrize(
    ("starts", "ends"), [("08:00", "07:00"), ("08:00", "08:00"), ("12:00", "11:00"), ("20:00", "19:59")]
)
def test_hours_that_are_mixed_up_are_no_night(desk, starts, ends):
    answer = desk.ask("POST", "/doctors", new_doctor(desk, startTime=starts, endTime=ends))
    assert answer.json()["message"] == ["endTime deve ser posterior a startTime"]


def test_check_in_belongs_to_the_day_of_the_appointment(desk, booked, act):
    answer = act("check-in")
    assert answer.status_code == 409
    assert answer.json()["message"] == "Só se faz check-in no dia do agendamento, 23/11/2026"
    assert Appointment.objects.get().status == "scheduled"


def test_closed_time_is_not_taken_again_and_nearest_are_offered(desk, booked, act):
    act("cancelado")
    morning = {"starts_at": desk.clinic.instant(MONDAY, time(8)), "ends_at": desk.clinic.instant(MONDAY, time(12))}
    Absence.objects.create(clinic=desk.clinic, reason="obras", **morning)

    answer = act("agendado")

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        "Fora do expediente do médico. Horários livres mais próximos:"
        " 23/11/2026 13:00, 24/11/2026 08:00, 24/11/2026 13:00"
    )
    assert Appointment.objects.get().status == "cancelled"


def test_a_doctor_who_left_gets_no_appointment_back(desk, booked, act):
    act("cancelado")
    Doctor.objects.update(active=False)

    answer = act("agendado")

    assert (answer.status_code, answer.json()["message"]) == (409, "O médico não atende mais na clínica")


def moved(desk, booked, **more):
    body = {"doctorId": desk.doctor.pk, "date": "2026-11-24", "startTime": "09:00", "endTime": "09:15"}
    return desk.ask("PATCH", f"/appointments/{booked}/reschedule", body | more)


def test_a_move_beyond_a_discount_is_asked_about(desk, booked):
    type(desk.discount).objects.update(expires_on=MONDAY)

    answer = moved(desk, booked)
    assert (answer.status_code, answer.json()["message"]) == (
        409,
        "O desconto Desconto de 20% vale só até 23/11/2026. Para reagendar sem ele, envie withoutExpiredDiscount: true",
    )
    assert moved(desk, booked, withoutExpiredDiscount=False).status_code == 409
    assert AppliedDiscount.objects.count() == 1
    assert moved(desk, booked, withoutExpiredDiscount=True).status_code == 200
    assert AppliedDiscount.objects.count() == 0


@pytest.mark.parametrize("value", ["true", 1, 0, [], {}])
def test_value_other_than_boolean_is_refused(desk, booked, value):
    answer = moved(desk, booked, withoutExpiredDiscount=value)
    assert answer.json()["message"] == ["withoutExpiredDiscount must be a boolean value"]
