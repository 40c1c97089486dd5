"""The free return that the panel proposes, and the one whose days are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import booking
from clinic.models import Doctor, Patient
from clinic.queries.booking_options import PricedProcedure
from clinic.web.fields import RefusableForm

MENTIONED_FOR = timedelta(days=90)  # that a return is over
LAST_INSTANT = timedelta(microseconds=1)  # before the next midnight: still the day whose time is not chosen yet


class AsksAboutReturn(RefusableForm):
    """A form that proposes a free return. `return_for` are patient and doctor of the proposal that was shown: as long
    as they are the same, the box says whether it is wanted."""

    as_return = forms.BooleanField(required=False)
    return_for = forms.CharField(required=False)

    @property
    def return_key(self) -> str:
        return f"{self.data.get('patient', '')}|{self.data.get('doctor', '')}"

    @property
    def wants_return(self) -> bool:
        """A return that is free is wanted until the box is unticked."""
        return bool(self.data.get("as_return")) or self.data.get("return_for", "") != self.return_key


@dataclass(frozen=True)
class FreeReturn:
    """What the panel says about a return: `offer`, "" where nothing is free, and `over`, "" where nothing was.
    `prices` are those of the chosen procedures, in order."""

    prices: Sequence[Decimal]
    offer: str = ""
    over: str = ""


def free_return(
    form: Any, chosen: Sequence[PricedProcedure], patient: Patient | None, doctor: Doctor | None, day: date
) -> FreeReturn:
    """Return what these procedures cost, and the sentences about it. At most one query."""
    prices = [procedure.price_then for procedure in chosen]
    paid = booking.paid_before(
        form.clinic,
        chosen,
        patient=patient.pk if patient else None,
        doctor=doctor.pk if doctor else None,
        starts_at=form.cleaned_data.get("starts_at") or form.clinic.day(day)[1] - LAST_INSTANT,
        payer=form.cleaned_data.get("payer"),
    )
    if paid is None or doctor is None:
        return FreeReturn(prices)
    until = [(procedure, last) for procedure in chosen if (last := paid.free_until(procedure))]
    free = [last for procedure, last in until if paid.is_free(procedure)]
    over = [last for procedure, last in until if not paid.is_free(procedure) and paid.day - last <= MENTIONED_FOR]
    by_payer = _days_of_payer(form, paid)
    if free and form.wants_return:
        prices = [Decimal(0) if paid.is_free(each) else each.price_then for each in chosen]
    return FreeReturn(
        prices,
        f"{_offer(doctor, paid.visited, min(free))}{by_payer}" if free else "",
        _over(max(over), by_payer) if over else "",
    )


def _days_of_payer(form: Any, paid: booking.PaidBefore) -> str:
    """Return " (Unimed: 15 dias)" where the payer's own days count; "" else."""
    if paid.payer_days is None:
        return ""
    payer = next((payer for payer in form.payers if payer.pk == form.cleaned_data.get("payer")), "")
    days = ngettext("%(payer)s: %(days)d dia", "%(payer)s: %(days)d dias", paid.payer_days)
    return f" ({days % {'payer': payer, 'days': paid.payer_days}})"


def _over(last: date, by_payer: str) -> str:
    sentence = _("O retorno venceu em %(day)s%(by_payer)s: o preço é o de uma nova consulta.")
    return sentence % {"day": f"{last:%d/%m/%Y}", "by_payer": by_payer}


def _offer(doctor: Doctor, visited: date, until: date) -> str:
    today = timezone.localdate()
    written = [f"{day:%d/%m}" if day.year == today.year else f"{day:%d/%m/%Y}" for day in (visited, until)]
    sentence = _("Retorno da visita de %(visited)s com %(the_doctor)s, sem custo até %(until)s")
    return sentence % {"visited": written[0], "until": written[1], **doctor.in_sentence}
