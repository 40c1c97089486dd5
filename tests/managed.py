"""What managers see in the admin: rows of every kind, addresses and errors of their forms."""

from datetime import UTC, datetime

from django.urls import reverse

from clinic.models import (
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Closure,
    Discount,
    Doctor,
    Patient,
    Payer,
    Procedure,
    StaffUser,
)
from tests.factories import make_discount, make_doctor, make_patient, make_payer, make_procedure, make_user

EDITED = [Doctor, Closure, Procedure, Discount, Payer, Patient, StaffUser, Clinic]
LOOKED_AT = [Appointment, AppointmentEvent]
INLINES = ("hours", "absences", "takers", "prices")
NO_INLINES = {f"{prefix}-{part}_FORMS": "0" for prefix in INLINES for part in ("TOTAL", "INITIAL")}


def make_closure(clinic, **fields):
    defaults = {
        "reason": "Dedetização",
        "starts_at": datetime(2026, 12, 24, 12, tzinfo=UTC),
        "ends_at": datetime(2026, 12, 24, 20, tzinfo=UTC),
    }
    return Closure.objects.create(clinic=clinic, **defaults | fields)


def make_appointment(clinic, number=0):
    """Written without booking: these tests look at rows, not at rules."""
    doctor, patient = make_doctor(clinic), make_patient(clinic)
    appointment = Appointment.objects.create(
        clinic=clinic,
        doctor=doctor,
        doctor_name=doctor.full_name,
        patient=patient,
        starts_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        ends_at=datetime(2026, 11, 23, 13, tzinfo=UTC),
    )
    procedure = doctor.procedures.get()
    AppointmentProcedure.objects.create(
        clinic=clinic, appointment=appointment, position=1, procedure=procedure, procedure_name=procedure.name, price=1
    )
    after = {"starts_at": appointment.starts_at.isoformat(), "doctor_name": appointment.doctor.full_name}
    AppointmentEvent.objects.create(
        clinic=clinic, appointment=appointment, kind="booked", channel="browser", after=after
    )
    return appointment


MAKE = {
    Doctor: make_doctor,
    Closure: make_closure,
    Procedure: make_procedure,
    Discount: make_discount,
    Payer: make_payer,
    Patient: make_patient,
    StaffUser: make_user,
    Appointment: make_appointment,
    AppointmentEvent: lambda clinic: make_appointment(clinic).events.get(),
}


def url(model, what="changelist", *args):
    return reverse(f"admin:clinic_{model._meta.model_name}_{what}", args=args)


def errors(response):
    form = response.context["adminform"].form
    return {name: list(sentences) for name, sentences in form.errors.items()}


def doctor_fields(**fields):
    return {
        "title": "a Dra.",
        "name": "Ana",
        "specialty": "Pediatria",
        "council_number": "",
        "interval_minutes": "15",
        "encaixes_per_day": "2",
    } | fields
