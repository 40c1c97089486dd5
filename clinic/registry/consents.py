"""Recording what a patient agrees to, by channel and purpose."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Clinic, Consent, Patient, PatientEvent
from clinic.models.locks import get_locked
from clinic.registry.merged import current_id
from clinic.registry.patient_details import PatientDetails
from clinic.registry.patient_events import Author, record_event
from clinic.transactions import run_in_transaction

# The answer of which is a column of the patient.
COLUMN = "accepts_whatsapp"
OF_COLUMN = (Consent.Channel.WHATSAPP, Consent.Purpose.REMINDER)
ANSWERS = {True: Consent.Answer.GIVEN, False: Consent.Answer.WITHDRAWN, None: Consent.Answer.CLEARED}
VALUES = {answer: value for value, answer in ANSWERS.items()}


def question(channel: str, purpose: str) -> str:
    """Return what a person is asked where the clinic has no words of its own, in the active language."""
    words = Consent.Channel(channel).label
    if purpose == Consent.Purpose.REMINDER:
        return _("Aceita receber por %(channel)s lembretes e avisos sobre os seus agendamentos?") % {"channel": words}
    sentence = _("Aceita receber por %(channel)s novidades e ofertas da clínica? Pode retirar quando quiser.")
    return sentence % {"channel": words}


def record_consent(
    patient_id: int, *, channel: str, purpose: str, answer: str, text: str, asked: str, clinic: Clinic, by: Author
) -> Consent:
    """Store the answer of a patient; of a merged one, of the patient that was kept.

    An answer about reminders by WhatsApp changes the patient's column too, with its event. Locks the patient's row.
    Raises Patient.DoesNotExist, and Refused (TRY_AGAIN).
    """

    def work() -> Consent:
        patient = get_locked(Patient.objects.of(clinic).filter(pk=current_id(clinic, patient_id)))
        if (channel, purpose) == OF_COLUMN and VALUES[Consent.Answer(answer)] is not patient.accepts_whatsapp:
            before, patient.accepts_whatsapp = patient.accepts_whatsapp, VALUES[Consent.Answer(answer)]
            patient.save(update_fields=[COLUMN, "updated_at"])
            record_event(patient, PatientEvent.Kind.CHANGED, {COLUMN: [before, patient.accepts_whatsapp]}, by)
        return _store(patient, channel, purpose, answer, text, asked, by)

    return run_in_transaction(work)


def follow_column(patient: Patient, before: PatientDetails | None, after: PatientDetails, by: Author) -> None:
    """Store the answer that a change of the patient's data has brought. Runs in the caller's transaction."""
    old = before.accepts_whatsapp if before else None
    if old is not after.accepts_whatsapp:
        _store(patient, *OF_COLUMN, ANSWERS[after.accepts_whatsapp], question(*OF_COLUMN), "", by)


def follow_registered(patients: Iterable[Patient], by: Author) -> None:
    """Store the answers that patients who were added at once have brought; what each was asked is not known. Runs in
    the caller's transaction."""
    Consent.objects.bulk_create(
        _made(patient, *OF_COLUMN, ANSWERS[patient.accepts_whatsapp], "", "", by)
        for patient in patients
        if patient.accepts_whatsapp is not None
    )


def _store(patient: Patient, channel: str, purpose: str, answer: str, text: str, asked: str, by: Author) -> Consent:
    consent = _made(patient, channel, purpose, answer, text, asked, by)
    consent.save(force_insert=True)
    return consent


def _made(patient: Patient, channel: str, purpose: str, answer: str, text: str, asked: str, by: Author) -> Consent:
    values: dict[str, Any] = {"channel": channel, "purpose": purpose, "answer": answer, "text": text, "asked": asked}
    author = {"via": by.channel, "user": by.user, "credential": by.credential}
    return Consent(clinic_id=patient.clinic_id, patient=patient, **values, **author)
