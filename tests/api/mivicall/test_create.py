"""POST /v1/appointments, straight from the vendor's page."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from clinic.models import Appointment
from clinic.models.patient import phone_hash
from tests.factories import make_doctor, make_procedure

pytestmark = pytest.mark.django_db

# The vendor's page, its sample request and answer: only ids and dates are mapped.
SAMPLE = {
    "professionalId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "serviceTypeId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "patientName": "Maria Silva",
    "patientPhone": "+351912345678",
    "startsAt": "2026-05-14T10:00:00+01:00",
    "patientNotes": "<string>",
}
ANSWERED = [
    "id",
    "professionalId",
    "patientName",
    "startsAt",
    "endsAt",
    "status",
    "source",
    "serviceTypeId",
    "patientPhoneHash",
    "patientNotes",
    "metadata",
    "createdAt",
]


@pytest.fixture
def may(time_machine):
    """Monday of the week of the vendor's sample: its own date lies in the future."""
    time_machine.move_to("2026-05-11T08:12:43Z", tick=False)


@pytest.fixture
def doctor(lisbon):
    return make_doctor(lisbon, procedures=[make_procedure(lisbon, duration_minutes=40)])


@pytest.fixture
def sample(doctor):
    return SAMPLE | {"professionalId": str(doctor.uuid), "serviceTypeId": str(doctor.procedures.get().uuid)}


def test_the_vendors_sample_books_and_is_answered_as_the_vendor_answers(may, mivicall, lisbon, doctor, sample):
    answer = mivicall(lisbon)("POST", "/appointments", sample)
    assert answer.status_code == 201
    told = answer.json()
    assert list(told) == ANSWERED
    assert UUID(told["id"]).version == 4
    assert told == {
        "id": told["id"],
        "professionalId": sample["professionalId"],
        "patientName": "Maria Silva",
        "startsAt": "2026-05-14T10:00:00+01:00",
        "endsAt": "2026-05-14T10:40:00+01:00",
        "status": "confirmed",
        "source": "voice_ai",
        "serviceTypeId": sample["serviceTypeId"],
        "patientPhoneHash": phone_hash("+351912345678", lisbon.pk),
        "patientNotes": "<string>",
        "metadata": {},
        "createdAt": "2026-05-11T08:12:43Z",
    }
    booked = Appointment.objects.get()
    assert (str(booked.uuid), booked.doctor, booked.status) == (told["id"], doctor, "confirmed")
    assert (booked.starts_at, booked.ends_at) == (
        datetime(2026, 5, 14, 9, tzinfo=UTC),
        datetime(2026, 5, 14, 9, 40, tzinfo=UTC),
    )
