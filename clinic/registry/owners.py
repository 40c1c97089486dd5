"""Who has a number already, for the questions and refusals of forms. Reads only."""

from clinic.models import Clinic, Patient
from clinic.models.patient import CURRENT


def nif_owner(clinic: Clinic, nif: str, *, besides: int | None) -> Patient | None:
    """Return the first patient with this NIF, nine digits, but for the one with the id `besides`.

    A family may share one, so a NIF is never refused for its owner: a person is asked.
    """
    owners = Patient.objects.of(clinic).filter(CURRENT, nif=nif).order_by("pk")
    return (owners.exclude(pk=besides) if besides else owners).first()
