"""What the tests of the pages about patients share."""

from datetime import timedelta

from django.utils import timezone

from clinic.booking import Author, LineRequest, Proposal, book, change_status
from clinic.models import AppointmentEvent
from clinic.web.patient.forms import formatted_details
from tests.factories import make_doctor, make_procedure

HTMX = {"HX-Request": "true"}
TYPED = {"name": "Maria Souza", "phone": "(81) 99999-9999", "birth_date": "12/03/1984"}
FINISHED = ("checked_in", "in_service", "finished")


def visit(patient, *, days, status=None, **fields):
    """An appointment of the patient so many days from now, at nine."""
    clinic = patient.clinic
    procedure = make_procedure(clinic, name="Ultrassom")
    doctor = make_doctor(clinic, name="Dr. Paulo Reis", procedures=[procedure], days=range(1, 8))
    author = Author(channel=AppointmentEvent.Channel.COMMAND, credential="tests")
    starts_at = clinic.instant(clinic.local(timezone.now()).date() + timedelta(days=days), doctor.hours.first().starts)
    before = starts_at - timedelta(minutes=1)
    proposal = Proposal(
        clinic=clinic, doctor=doctor.pk, patient=patient.pk, lines=(LineRequest(procedure.pk),), starts_at=starts_at
    )
    booked = book(proposal, by=author, now=before)
    for step in status or ():
        change_status(booked.pk, step, clinic=clinic, by=author, now=starts_at, **fields)
    return booked


def typed_of(patient, **changes):
    """The edit form as it is drawn, with these fields typed over."""
    patient.refresh_from_db()
    return {name: text for name, text in (formatted_details(patient, patient.clinic) | changes).items() if text}
