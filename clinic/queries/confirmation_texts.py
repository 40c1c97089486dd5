"""The text by which a patient is asked to confirm an appointment. Reads only."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.models import Appointment, Clinic
from clinic.models.message_texts import OF_HEALTH, filled
from clinic.models.titles import in_sentence


def confirmation_text(appointment: Appointment) -> str:
    """Return the clinic's text, or ours, for the patient or for whose phone it is, in the active language.

    The procedures and their preparation are in it only where the clinic chose so. The appointment comes with clinic,
    doctor, patient, and lines with their procedures."""
    clinic, patient = appointment.clinic, appointment.patient
    own, ours = clinic.confirmation_text, _own_text()
    if patient.answers_phone:  # it is not the patient who reads it
        own, ours = clinic.confirmation_text_to_other, _text_to_other()
    if clinic.texts_tell_procedure:
        ours = "\n".join([ours, _("Procedimento: {procedimento}"), _("Preparo: {preparo}")])
    return filled(own or ours, _values(appointment, clinic))


def _values(appointment: Appointment, clinic: Clinic) -> dict[str, str]:
    local = clinic.local(appointment.starts_at)
    lines = appointment.lines.all()
    preparations = dict.fromkeys(line.procedure.preparation for line in lines)
    values = {
        "paciente": appointment.patient.first_name,
        "data": f"{date_format(local, 'l').lower()}, {local:%d/%m}",
        "hora": f"{local:%H:%M}",
        "medico": in_sentence(appointment.doctor_name, appointment.doctor.title)["the_doctor"],
        "clinica": clinic.name,
        "endereco": ", ".join(filter(None, [clinic.address, clinic.town])),
        "procedimento": appointment.procedures_as_booked,
        "preparo": " ".join(filter(None, preparations)),
    }
    return values if clinic.texts_tell_procedure else values | dict.fromkeys(OF_HEALTH, "")


def _own_text() -> str:
    return _(
        "Olá, {paciente}! Aqui é da {clinica}.\n"
        "Lembramos o seu horário: {data}, às {hora}, com {medico}.\n"
        "{endereco}\n"
        "Podemos confirmar? Responda SIM, ou diga se precisa de outro horário."
    )


def _text_to_other() -> str:
    return _(
        "Olá! Aqui é da {clinica}.\n"
        "Lembramos o horário de {paciente}: {data}, às {hora}, com {medico}.\n"
        "{endereco}\n"
        "Podemos confirmar? Responda SIM, ou diga se precisa de outro horário."
    )
