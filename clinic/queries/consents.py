"""What a patient agrees to, as it stands. Reads only."""

from dataclasses import dataclass

from clinic.models import Consent, Patient
from clinic.registry import ANSWERS, OF_COLUMN, record_ids


@dataclass(frozen=True)
class State:
    """The answer about one channel and purpose; `last` is the row that says so, None where nobody has asked."""

    channel: Consent.Channel
    purpose: Consent.Purpose
    answer: Consent.Answer
    last: Consent | None

    @property
    def is_given(self) -> bool:
        return self.answer == Consent.Answer.GIVEN


def states(patient: Patient) -> list[State]:
    """Return the answer of a patient about each channel and purpose, whichever record of theirs it was given for. One
    query more than merges in a row."""
    last: dict[tuple[str, str], Consent] = {}
    for row in history(patient):
        last.setdefault((row.channel, row.purpose), row)
    found = []
    for purpose in Consent.Purpose:
        for channel in Consent.Channel:
            newest = last.get((channel, purpose))
            answer = Consent.Answer(newest.answer) if newest else Consent.Answer.CLEARED
            if (channel, purpose) == OF_COLUMN:
                answer = ANSWERS[patient.accepts_whatsapp]
            found.append(State(channel, purpose, answer, newest))
    return found


def history(patient: Patient) -> list[Consent]:
    """Return every answer of a patient, newest first."""
    rows = Consent.objects.of(patient.clinic_id).filter(patient__in=record_ids(patient))
    return list(rows.select_related("user").order_by("-at", "-pk"))
