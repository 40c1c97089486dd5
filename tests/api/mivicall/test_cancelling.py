"""The appointments that are there: cancelled."""

import pytest
from django.utils import timezone

from clinic.api.mivicall import openapi
from clinic.models import Appointment
from tests.api.mivicall.conftest import address, as_it_was, events, listed
from tests.factories import book_appointment, make_patient

pytestmark = pytest.mark.django_db


def test_a_cancelled_appointment_stays_and_frees_its_time(program, booked, good):
    answer = program("DELETE", address(booked["id"]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert program.get(address(booked["id"])).json() == booked | {"status": "cancelled"}
    assert program("POST", "/appointments", good).status_code == 201


def test_cancelling_again_is_done_already(program, booked):
    for _ in range(3):
        assert program("DELETE", address(booked["id"])).status_code == 204
    assert events(Appointment.objects.get()) == ["booked", "status_changed"]


def test_a_cancelled_one_comes_back_as_the_reference_says(program, booked):
    program("DELETE", address(booked["id"]))
    later = {"startsAt": "2026-11-23T10:00:00-03:00"}
    assert program("PATCH", address(booked["id"]), later).json()["error"] == "invalid_transition"

    assert program("PATCH", address(booked["id"]), {"status": "confirmed"}).json() == booked
    assert program("PATCH", address(booked["id"]), later).json()["status"] == "rescheduled"
    said = openapi.OPERATIONS["updateAppointment"].description
    assert "cancelada volta com `confirmed`" in said and "cancelada não volta" not in said


@pytest.mark.parametrize("status", ["scheduled", "confirmed", "checked_in", "cancelled"])
def test_future_appointment_can_be_cancelled(program, standing, status):
    assert program("DELETE", address(standing(status))).status_code == 204


@pytest.mark.parametrize("status", ["in_service", "finished", "no_show"])
def test_past_visit_cannot_be_cancelled(program, standing, status):
    appointment = standing(status)
    before = as_it_was(appointment)
    answer = program("DELETE", address(appointment))
    assert (answer.status_code, answer.json()["error"]) == (409, "invalid_transition")
    assert as_it_was(appointment) == before


def test_a_body_with_a_cancellation_is_only_read_as_json(program, booked):
    assert program("DELETE", address(booked["id"]), {"reason": 7}).status_code == 204
    assert program("DELETE", address(booked["id"]), raw="{").status_code == 400


def test_a_deleted_appointment_is_not_found(program, recife, doctor, at):
    gone = book_appointment(doctor, starts_at=at(9), patient=make_patient(recife).pk)
    Appointment.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    assert program.get(address(gone)).status_code == 404
    assert program("DELETE", address(gone)).status_code == 404
    assert listed(program)["items"] == []
