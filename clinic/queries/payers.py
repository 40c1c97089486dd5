"""The payers that forms offer. Reads only."""

from django.db.models import Q

from clinic.models import Clinic, Payer


def chosen_from(clinic: Clinic, chosen: int | None = None) -> list[Payer]:
    """Return the payers that the clinic accepts, and the one with the id `chosen`. One query."""
    return list(Payer.objects.of(clinic).filter(Q(active=True) | Q(pk=chosen)))
