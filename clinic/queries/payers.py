"""The payers that forms offer, and how an expired card is named. Reads only."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Appointment, Clinic, Payer, Procedure, ProcedurePrice
from clinic.models.price import PriceOn


def chosen_from(clinic: Clinic, chosen: int | None) -> list[Payer]:
    """Return the payers that the clinic accepts, and the one with the id `chosen`. One query."""
    return list(Payer.objects.of(clinic).filter(Q(active=True) | Q(pk=chosen)))


def are_kept(clinic: Clinic) -> bool:
    """Return whether the clinic accepts any payer. One query."""
    return Payer.objects.of(clinic).filter(active=True).exists()


def prices_on_its_day(appointment: Appointment, payers: Iterable[Payer]) -> list[tuple[Payer, Decimal]]:
    """Return what the procedures of an appointment cost together on its day for the patients of each of these payers
    that has prices of its own for one of them. At most three queries."""
    clinic = appointment.clinic
    procedures = [line.procedure_id for line in appointment.lines.all()]
    own = ProcedurePrice.objects.of(clinic).filter(procedure__in=procedures, payer__isnull=False)
    ids = set(own.values_list("payer", flat=True))
    priced = [payer for payer in payers if payer.pk in ids]
    day = clinic.local(appointment.starts_at).date()
    then = {f"price_{payer.pk}": PriceOn(day, payer.pk) for payer in priced}
    rows = Procedure.objects.of(clinic).filter(pk__in=procedures).annotate(**then).values("pk", *then) if priced else []
    prices = {row["pk"]: row for row in rows}
    return [(payer, sum((prices[pk][f"price_{payer.pk}"] for pk in procedures), Decimal(0))) for payer in priced]


def expired_card(expired_on: date) -> str:
    """Return the words for a card that was valid through that day."""
    return _("carteira vencida em %(day)s") % {"day": f"{expired_on:%d/%m/%Y}"}
