"""Who belongs to a patient's family, as far as their data say. Reads only."""

from django.db.models import Q

from clinic.models import Patient
from clinic.models.names import same_letters
from clinic.models.patient import CURRENT

MAX_SHOWN = 8


def relatives(patient: Patient) -> list[Patient]:
    """Return at most MAX_SHOWN other living patients, by name, who are reached at one of this one's phones, or are the
    guardian. One query, none for a patient without either."""
    numbers = [str(number) for number in (patient.phone and patient.phone.as_e164, patient.second_phone) if number]
    shared = Q(phone__in=numbers) | Q(second_phone__in=numbers) if numbers else Q()
    if patient.guardian_name:
        shared |= same_letters("search", patient.guardian_name)
    if not shared:
        return []
    others = Patient.objects.of(patient.clinic_id).filter(CURRENT, died=False).exclude(pk=patient.pk)
    return list(others.filter(shared).order_by("folded_name", "pk")[:MAX_SHOWN])
