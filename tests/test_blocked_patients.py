"""A blocked or restricted patient in what is read of appointments and histories, and in what is done to them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import booking
from clinic.access import access_tokens, api_keys
from clinic.api.mivicall.schemas import in_utc
from clinic.booking import (
    Author,
    begin_call,
    change_status,
    edit_notes,
    load,
    record_not_reached,
    undo,
)
from clinic.models import (
    ApiKey,
    Appointment,
    AppointmentEvent,
    Patient,
    PatientAccess,
    shown,
)
from clinic.queries import audit, patient_card, printed, queue
from clinic.queries.agenda import differences
from clinic.registry import change_patient, request_deletion, restrict
from tests.factories import make_clinic, make_manager, make_master, make_patient
from tests.web.patients import FINISHED, visit

pytestmark = pytest.mark.django_db
SECRET = "Zika na gravidez"
NAME = "Zulmira Quixabeira"
BEGINNING = "2000-01-01T00:00:00Z"


@pytest.fixture
def patient():
    return make_patient(make_clinic(), name="Zulmira", notes="")


@pytest.fixture
def by(patient):
    return Author(channel="browser", user=make_manager(patient.clinic))


@pytest.fixture(params=["blocked", "restricted"])
def past(request, patient, by):
    """The past appointment of a patient who is out of use since, with texts in its row and its history."""
    clinic = patient.clinic
    change_patient(patient.pk, {"name": NAME, "notes": SECRET}, clinic=clinic, by=by)
    booked = visit(patient, days=-2, status=FINISHED)
    edit_notes(booked.pk, clinic=clinic, by=by, notes=SECRET)
    act = request_deletion if request.param == "blocked" else restrict
    act(patient.pk, clinic=clinic, reason="pedido da Zulmira", by=by)
    if request.param == "blocked":  # a text that is written since, as by a program
        Appointment.objects.filter(pk=booked.pk).update(notes=SECRET)
    return Appointment.objects.get(pk=booked.pk)


# The lists of changes ------------------------------------------------------------------------------------------------


def test_imagemais_has_it_leave_a_copy(past):
    _, token = access_tokens.release(past.clinic, make_master(past.clinic), channel="command")
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client().get("/api/appointments", {"updatedSince": BEGINNING}, headers=headers)
    (row,) = answer.json()
    at = Patient.objects.get(pk=past.patient_id).blocked_at
    assert row["id"] == past.pk and row["deletedAt"][:19] == f"{at:%Y-%m-%dT%H:%M:%S}"
    assert row["notes"] is None and SECRET not in answer.text and "Quixabeira" not in answer.text


def test_mivicall_has_it_leave_a_copy(past):
    _, key = api_keys.create(
        past.clinic, name="central", scopes=ApiKey.Scope.values, source=ApiKey.Source.VOICE_AI, is_live=True, by=None,
        channel="command",
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {key}"}
    answer = Client().get("/v1/appointments", {"updatedSince": BEGINNING}, headers=headers)
    at = Patient.objects.get(pk=past.patient_id).blocked_at
    assert answer.json()["deleted"] == [{"id": str(past.uuid), "deletedAt": in_utc(at)}]
    assert answer.json()["items"] == [] and SECRET not in answer.text


def test_the_patients_of_a_day_leave_it_out(past):
    day = past.clinic.local(past.starts_at).date()
    assert not patient_card.on_day(past.clinic, day, limit=8)


# What the desk and programs do ---------------------------------------------------------------------------------------

ACTS = {
    "notes": lambda row, by: edit_notes(row.pk, clinic=row.clinic, by=by, notes="x"),
    "status": lambda row, by: change_status(row.pk, "checked_in", clinic=row.clinic, by=by),
    "undo": lambda row, by: undo(row.pk, clinic=row.clinic, by=by),
    "call": lambda row, by: begin_call(row.pk, clinic=row.clinic, caller=by.user),
    "not reached": lambda row, by: record_not_reached(row.pk, clinic=row.clinic, by=by),
    "load": lambda row, by: load(row.clinic, row.pk),
    "procedures": lambda row, by: booking.check_change(row.pk, clinic=row.clinic, lines=(), by=by),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_nothing_is_done_to_its_appointment(past, by, act):
    events = AppointmentEvent.objects.count()
    with pytest.raises(Appointment.DoesNotExist):
        act(past, by)
    assert AppointmentEvent.objects.count() == events


def test_an_act_of_a_program_finds_no_appointment(past):
    _, token = access_tokens.release(past.clinic, make_master(past.clinic), channel="command")
    for path, body in (
        ("", {"notes": "x"}),
        ("/status", {"action": "no-show"}),
        ("/reschedule", {"startTime": "10:00"}),
    ):
        answer = Client().patch(
            f"/api/appointments/{past.pk}{path}", body, "application/json", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code in {400, 404} and SECRET not in answer.text, (path, answer.text)
    assert Appointment.objects.get(pk=past.pk).notes == SECRET


def test_no_page_writes_to_its_appointment(client, past, by):
    client.force_login(by.user)
    assert client.post(reverse("web:queue-priority", args=[past.pk]), {"kind": "elderly"}).status_code == 404
    for name in ("waiting-add", "memo-add"):
        assert client.get(reverse(f"web:{name}"), {"agendamento": past.pk}).status_code == 404


# What is read of it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["audit", "audit-table"])
def test_the_audit_says_no_text_of_it(client, past, by, name):
    client.force_login(by.user)
    text = client.get(reverse(f"web:{name}")).text
    assert "Observações alteradas" in text
    assert SECRET not in text and "Quixabeira" not in text and "pedido da Zulmira" not in text


def test_what_a_day_has_become_says_no_text_of_it(past):
    clinic = past.clinic
    day = clinic.local(past.starts_at).date()
    (found,) = differences(clinic, day, past.starts_at - timedelta(days=30), timezone.now())
    assert (found.appointment, found.events) == (past.pk, [])


def test_no_sheet_and_no_own_day_has_it(client, past):
    clinic = past.clinic
    assert printed.sheets(clinic, past.starts_at - timedelta(days=1), timezone.now()) == []
    today = past.starts_at + timedelta(minutes=5)
    assert queue.rows(clinic, now=today) == [] and queue.rows(clinic, now=today, doctor=past.doctor_id) == []


def test_who_is_beyond_the_page_of_the_audit_was_not_shown(client, patient, by):
    for number in range(3):
        other = make_patient(patient.clinic, name=f"Zulmira {number}")
        change_patient(other.pk, {"email": "z@example.org"}, clinic=patient.clinic, by=by)
    with shown.collecting() as collected:
        audit.entries(audit.Wanted(patient.clinic, kind="ficha"), limit=1)
    assert list(collected.patients) == [other.pk]
    client.force_login(by.user)
    client.get(reverse("web:audit"))
    assert PatientAccess.objects.filter(page="web:audit", patient=other.pk).exists()
