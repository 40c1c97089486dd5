"""Time that is taken again, the day of a visit, and discounts that are left behind."""

from datetime import time, timedelta

import pytest

from clinic.models import Absence, AppliedDiscount, Appointment, Doctor, WorkingHours
from tests.api.mivicall.conftest import MONDAY
from tests.factories import book_appointment, make_discount

pytestmark = pytest.mark.django_db


def changed(program, uuid, **changes):
    return program("PATCH", f"/appointments/{uuid}", changes)


@pytest.mark.parametrize("freed", ["cancelled", "no_show"])
def test_closed_time_is_not_taken_again(program, recife, standing, at, freed):
    appointment = standing(freed)
    Absence.objects.create(clinic=recife, reason="obras", starts_at=at(8), ends_at=at(12))

    answer = changed(program, appointment.uuid, status="confirmed")

    body = answer.json()
    assert (answer.status_code, body["error"]) == (409, "outside_working_hours")
    assert [time[11:16] for time in body["alternatives"]] == ["13:00", "13:15", "13:30"]
    appointment.refresh_from_db()
    assert appointment.status == freed


def test_a_doctor_who_left_gets_no_appointment_back(program, standing):
    appointment = standing("cancelled")
    Doctor.objects.update(active=False)

    answer = changed(program, appointment.uuid, status="confirmed")
    assert (answer.status_code, answer.json()["error"]) == (404, "professional_not_found")


def test_attended_belongs_to_the_day_of_the_appointment(program, booked):
    answer = changed(program, booked["id"], status="attended")

    assert (answer.status_code, answer.json()["error"]) == (409, "invalid_transition")
    assert answer.json()["message"] == "Só se faz check-in no dia da marcação, 23/11/2026."


@pytest.mark.parametrize("starts_at", ["9999-12-31T23:59:59Z", "2030-01-01T00:00:30.5Z"])
def test_a_time_too_far_ahead_is_refused_before_its_seconds(program, good, booked, starts_at):
    new = program("POST", "/appointments", good | {"startsAt": starts_at}).json()
    moved = changed(program, booked["id"], startsAt=starts_at).json()
    message = "Esta data está longe demais. Escolha até 20/11/2028."
    assert new["errors"] == moved["errors"] == [{"path": "startsAt", "message": message}]


def test_a_night_is_offered_and_booked_on_either_side_of_midnight(program, doctor, service, good_night):
    window = "from=2026-11-23T20:00:00-03:00&to=2026-11-24T08:00:00-03:00"
    items = program.get(f"/availability?serviceTypeId={service.uuid}&{window}").json()["items"]

    starts = [item["startsAt"][8:16] for item in items]
    assert (starts[0], starts[-1]) == ("23T20:00", "24T05:30")
    assert "23T23:45" in starts and "24T00:00" in starts
    body = good_night | {"startsAt": "2026-11-23T23:45:00-03:00"}
    answer = program("POST", "/appointments", body)
    assert (answer.status_code, answer.json()["endsAt"][8:16]) == (201, "24T00:15")


@pytest.fixture
def good_night(recife, doctor, service):
    WorkingHours.objects.create(clinic=recife, doctor=doctor, weekday=1, starts=time(20), ends=time(6))
    return {
        "professionalId": str(doctor.uuid),
        "serviceTypeId": str(service.uuid),
        "patientName": "Ana Beatriz",
        "patientPhone": "+5581988887777",
    }


def test_a_move_beyond_a_discount_is_asked_about(program, recife, doctor, at):
    discount = make_discount(recife, name="Verão", expires_on=MONDAY)
    appointment = book_appointment(doctor, starts_at=at(9), discount=discount.pk)
    tuesday = recife.local(at(9) + timedelta(days=1)).isoformat()

    answer = changed(program, appointment.uuid, startsAt=tuesday)
    assert (answer.status_code, answer.json()["error"]) == (409, "discount_expired")
    assert "withoutExpiredDiscount: true" in answer.json()["message"]
    assert AppliedDiscount.objects.count() == 1
    assert changed(program, appointment.uuid, startsAt=tuesday, withoutExpiredDiscount=True).status_code == 200
    assert AppliedDiscount.objects.count() == 0
    assert Appointment.objects.get().status == "rescheduled"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"patientNotes": "Traz exames."},
        {"patientNotes": None},
        {"metadata": {"sala": "2"}},
        {"status": "cancelled"},
        {"status": "confirmed", "metadata": None},
    ],
)
def test_giving_a_discount_up_needs_a_move(program, booked, more):
    before = program.get(f"/appointments/{booked['id']}").json()
    answer = changed(program, booked["id"], withoutExpiredDiscount=True, **more)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "path": "withoutExpiredDiscount",
            "message": "Só ao remarcar se retira um desconto: envie também startsAt ou professionalId.",
        }
    ]
    assert program.get(f"/appointments/{booked['id']}").json() == before


def test_keeping_a_discount_needs_no_move(program, booked):
    answer = changed(program, booked["id"], withoutExpiredDiscount=False, patientNotes="Traz exames.")
    assert (answer.status_code, answer.json()["patientNotes"]) == (200, "Traz exames.")


def test_a_move_that_was_made_already_may_be_asked_again(program, booked):
    again = {"startsAt": booked["startsAt"], "withoutExpiredDiscount": True}
    assert changed(program, booked["id"], **again).status_code == 200


def test_a_start_that_is_no_time_is_the_one_fault_of_a_move(program, booked):
    answer = changed(program, booked["id"], startsAt="amanhã", withoutExpiredDiscount=True)
    assert [error["path"] for error in answer.json()["errors"]] == ["startsAt"]


@pytest.mark.parametrize("value", ["true", 1, []])
def test_value_other_than_boolean_is_refused(program, booked, value):
    answer = changed(program, booked["id"], withoutExpiredDiscount=value)
    assert answer.json()["errors"] == [{"path": "withoutExpiredDiscount", "message": "Deve ser true ou false."}]
