"""Keeping the name that a patient had, in the transaction of the change."""

from clinic.models import Clinic, FormerName, Patient
from clinic.models.names import same_letters
from clinic.registry import sql


def keep_former_name(clinic: Clinic, patient: Patient, name: str, social_name: str) -> None:
    """Store the `name` that the patient had until now, unless the new one, which is stored, has the same letters; a
    former name with the letters of the new one is forgotten. At most three queries, in the caller's transaction.

    Of a patient who has a nome social, or had one until now (`social_name`), nothing is kept, and what was is
    forgotten: the old name is to be read nowhere."""
    former_names = FormerName.objects.of(clinic).filter(patient=patient)
    if social_name or patient.social_name:
        former_names.delete()
        return
    former_names.filter(same_letters("search", patient.name)).delete()
    if not sql.is_called(clinic, patient, name):
        former = FormerName(clinic=clinic, patient=patient, name=name)
        FormerName.objects.bulk_create(
            [former], update_conflicts=True, unique_fields=["clinic", "patient", "name"], update_fields=["until"]
        )
