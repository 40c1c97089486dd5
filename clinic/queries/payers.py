"""The payers that forms offer, and how an expired card is named. Reads only."""

from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Clinic, Payer


def chosen_from(clinic: Clinic, chosen: int | None = None) -> list[Payer]:
    """Return the payers that the clinic accepts, and the one with the id `chosen`. One query."""
    return list(Payer.objects.of(clinic).filter(Q(active=True) | Q(pk=chosen)))


def are_kept(clinic: Clinic) -> bool:
    """Return whether the clinic accepts any payer. One query."""
    return Payer.objects.of(clinic).filter(active=True).exists()


def expired_card(expired_on: date) -> str:
    """Return the words for a card that was valid through that day."""
    return _("carteira vencida em %(day)s") % {"day": f"{expired_on:%d/%m/%Y}"}
