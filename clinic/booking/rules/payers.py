"""The rules about who pays: on which days, with which doctors, how often a day."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.dates import WEEKDAYS

from clinic.models import Doctor, Payer, PayerDoctor
from clinic.refusals import Reason, Refusal


@dataclass(frozen=True)
class PaidVisit:
    """A visit that a payer is to pay for, on a local date; `takers` are the doctors who take the payer, by id, none for
    all. `booked` counts the other standing visits of the date that it pays for, `booked_with_doctor` those of this
    doctor."""

    payer: Payer
    doctor: Doctor
    day: date
    takers: Mapping[int, PayerDoctor]
    booked: int = 0
    booked_with_doctor: int = 0

    @property
    def taker(self) -> PayerDoctor | None:
        return self.takers.get(self.doctor.pk)


type PayerRule = Callable[[PaidVisit], Iterator[Refusal]]


def payer_is_accepted_that_day(visit: PaidVisit) -> Iterator[Refusal]:
    """The day of the appointment counts, as it does for prices and discounts."""
    payer = visit.payer
    if payer.valid_from and visit.day < payer.valid_from:
        yield Refusal(Reason.PAYER_NOT_YET, {"payer": payer.name, "date": f"{payer.valid_from:%d/%m/%Y}"})
    if payer.valid_until and visit.day > payer.valid_until:
        yield Refusal(Reason.PAYER_ENDED, {"payer": payer.name, "date": f"{payer.valid_until:%d/%m/%Y}"})


def doctor_takes_the_payer(visit: PaidVisit) -> Iterator[Refusal]:
    params = {"payer": visit.payer.name, **visit.doctor.in_sentence}
    if visit.takers and visit.taker is None:
        yield Refusal(Reason.PAYER_NOT_TAKEN, params)
    elif visit.taker and visit.taker.weekdays and visit.day.isoweekday() not in visit.taker.weekdays:
        days = ", ".join(str(WEEKDAYS[weekday - 1]).lower() for weekday in sorted(visit.taker.weekdays))
        yield Refusal(Reason.PAYER_NOT_THAT_WEEKDAY, params | {"days": days})


def payer_has_room_that_day(visit: PaidVisit) -> Iterator[Refusal]:
    params = {"payer": visit.payer.name, "date": f"{visit.day:%d/%m/%Y}"}
    limit = visit.payer.per_day
    if limit is not None and visit.booked >= limit:
        yield Refusal(Reason.PAYER_FULL, params | {"count": visit.booked, "limit": limit})
        return
    of_doctor = visit.taker.per_day if visit.taker else None
    if of_doctor is not None and visit.booked_with_doctor >= of_doctor:
        count = {"count": visit.booked_with_doctor, "limit": of_doctor}
        yield Refusal(Reason.PAYER_FULL_WITH_DOCTOR, params | count | visit.doctor.in_sentence)


PAYER_RULES: list[PayerRule] = [payer_is_accepted_that_day, doctor_takes_the_payer, payer_has_room_that_day]


def payer_violations(visit: PaidVisit) -> list[Refusal]:
    """Return a refusal for every broken rule about who pays."""
    return [refusal for rule in PAYER_RULES for refusal in rule(visit)]


def authorization_violations(payer: Payer, number: str) -> list[Refusal]:
    """Refuse an appointment without a guia where the payer requires one."""
    is_missing = payer.requires_authorization and not number
    return [Refusal(Reason.AUTHORIZATION_MISSING, {"payer": payer.name})] if is_missing else []
