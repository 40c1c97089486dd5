"""The text by which a patient is reminded of another visit. Reads only."""

from django.utils.translation import gettext as _

from clinic.models import Recall
from clinic.models.message_texts import filled


def recall_text(recall: Recall) -> str:
    """Return the clinic's text, or ours, for the patient or for whose phone it is, in the active language.

    It names the procedure only where the clinic chose so for its texts, and never the note. The recall comes with
    clinic, patient, doctor and procedure."""
    patient, clinic = recall.patient, recall.clinic
    if own := clinic.recall_text_to_other if patient.answers_phone else clinic.recall_text:
        return filled(own, _values(recall))
    values = {"patient": patient.first_name, "clinic": clinic.name}
    greeting = _("Olá, %(patient)s! Aqui é da %(clinic)s.") % values
    if patient.answers_phone:  # it is not the patient who reads it
        greeting = _("Olá! Aqui é da %(clinic)s, sobre %(patient)s.") % values
    return " ".join([greeting, _asked(recall), _("Qual dia e horário é melhor? Podemos agendar por aqui.")])


def _values(recall: Recall) -> dict[str, str]:
    clinic = recall.clinic
    return {
        "paciente": recall.patient.first_name,
        "medico": recall.doctor.in_sentence["the_doctor"] if recall.doctor else _("a nossa equipe"),
        "clinica": clinic.name,
        "endereco": ", ".join(filter(None, [clinic.address, clinic.town])),
        "procedimento": recall.procedure.name if clinic.texts_tell_procedure else "",
    }


def _asked(recall: Recall) -> str:
    """Return that it is time for the visit, and with which doctor where that is known."""
    if recall.doctor:
        sentence = _("Está na hora do retorno com %(the_doctor)s.") % recall.doctor.in_sentence
    else:
        sentence = _("Está na hora do retorno.")
    if not recall.clinic.texts_tell_procedure:
        return sentence
    return f"{sentence} {_('Procedimento: %(procedure)s.') % {'procedure': recall.procedure.name}}"
