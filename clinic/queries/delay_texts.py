"""The text that says to a patient who is still to come that the doctor is late. Reads only."""

from django.utils.translation import gettext as _

from clinic.models import Appointment
from clinic.models.titles import in_sentence


def delay_text(appointment: Appointment, minutes: int) -> str:
    """Return the text for the patient, or for whose phone it is, in the active language, for a delay of so many
    minutes. It names neither procedure nor preparation. The appointment comes with clinic, doctor and patient."""
    clinic, patient = appointment.clinic, appointment.patient
    words = _delay_to_other() if patient.answers_phone else _own_delay()
    return words % {
        "patient": patient.first_name,
        "clinic": clinic.name,
        "hour": f"{clinic.local(appointment.starts_at):%H:%M}",
        "minutes": minutes,
        **in_sentence(appointment.doctor_name, appointment.doctor.title),
    }


def _own_delay() -> str:
    return _(
        "Olá, %(patient)s! Aqui é da %(clinic)s.\n"
        "Hoje %(the_doctor)s está com cerca de %(minutes)s min de atraso; o seu horário é às %(hour)s.\n"
        "Se preferir outro dia, responda aqui."
    )


def _delay_to_other() -> str:
    return _(
        "Olá! Aqui é da %(clinic)s.\n"
        "Hoje %(the_doctor)s está com cerca de %(minutes)s min de atraso; o horário de %(patient)s é às %(hour)s.\n"
        "Se preferir outro dia, responda aqui."
    )
