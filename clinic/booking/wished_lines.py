"""The lines that an appointment is to have, beside those that it has: what is kept, what is added, and the prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from clinic.booking import lines, sql
from clinic.booking.pricing import PricedLine, price_lines
from clinic.booking.proposal import DoctorKey, LineRequest
from clinic.booking.returns import PaidBefore, paid_before
from clinic.booking.slots import local_date
from clinic.models import Appointment, AppointmentProcedure, Discount, Procedure


class _Choice(NamedTuple):
    """A wanted line: its number in the request, its procedure at the price that counts, its own discount's id, and the
    stored line if kept."""

    number: int
    procedure: Procedure | None
    discount: int | None
    kept: AppointmentProcedure | None


@dataclass(frozen=True)
class WishedLines:
    """`choices` are the kept lines in their stored order, then the added ones as requested; `priced` those of a known
    procedure by their numbers in the request. `rows` are what was loaded for them, with the doctor who is to perform
    them."""

    stored: Sequence[AppointmentProcedure]
    choices: Sequence[_Choice]
    priced: Mapping[int, PricedLine]
    are_stored: bool
    rows: sql.LoadedRows

    @property
    def by_request(self) -> list[PricedLine | None]:
        """A line for each requested one, in that order; None where its procedure is unknown."""
        return [self.priced.get(number) for number in range(len(self.choices))]

    @property
    def complete_lines(self) -> list[PricedLine]:
        """The lines as they would be stored; none as long as a procedure or a discount is unknown."""
        if len(self.priced) < len(self.choices) or None in self.rows.discounts:
            return []
        return [self.priced[choice.number] for choice in self.choices]

    @property
    def procedures(self) -> list[Procedure | None]:
        return [choice.procedure for choice in self.choices]

    @property
    def kept_procedures(self) -> frozenset[int]:
        """The ids of the procedures of kept lines."""
        return frozenset(choice.kept.procedure_id for choice in self.choices if choice.kept)

    @property
    def new_procedures(self) -> list[Procedure]:
        """The known procedures that the appointment has not yet, each once."""
        present = {line.procedure_id for line in self.stored}
        known = dict.fromkeys(procedure for procedure in self.procedures if procedure)
        return [procedure for procedure in known if procedure.pk not in present]

    @property
    def given_before(self) -> Decimal:
        """What the discounts of the kept lines take off as booked."""
        kept = [choice.kept for choice in self.choices if choice.kept]
        return sum((row.value for line in kept for row in line.discounts.all()), Decimal(0))

    @property
    def adds(self) -> bool:
        return any(choice.kept is None for choice in self.choices)

    def write(self, appointment: Appointment) -> None:
        """Store the lines, unless they are stored already. No rule refuses them: every procedure is known."""
        if not self.are_stored:
            wanted = [(self.priced[choice.number], choice.kept) for choice in self.choices]
            lines.write(appointment, self.stored, wanted)


def load_wished(
    appointment: Appointment,
    requests: Sequence[LineRequest],
    whole: int | None,
    *,
    doctor: DoctorKey | None,
    starts_at: datetime | None = None,
    at_day_prices: bool = False,
) -> WishedLines:
    """Return the lines that an appointment is to have, and the doctor who is to perform them; `whole` is the id of the
    discount on the whole. `starts_at` is when it is to begin, None where it begins.

    A kept line has name and price as booked, an added one those of the day; discounts are computed now on all these
    prices, unless nothing is changed. `at_day_prices` gives kept lines the price of the day too, for the present payer:
    but for a return that is free still, and for a procedure that is no longer offered. Three statements; with
    `at_day_prices` one more where a line is free.
    """
    stored = lines.load(appointment)
    discounts = [*(line.discount for line in requests), whole]
    rows = sql.load_rows(
        appointment.clinic,
        doctor=doctor,
        procedures=[line.procedure for line in requests],
        discounts=[pk for pk in discounts if pk is not None],
        day=local_date(appointment.clinic, starts_at or appointment.starts_at),
        payer=appointment.payer_id,
    )
    known = {discount.pk: discount for discount in rows.discounts if discount}
    choices = _choices(requests, rows.procedures, stored, whole)
    if at_day_prices:
        _give_day_prices(choices, rows.prices, _paid_before(appointment, stored))
    are_stored = _are_stored(choices, whole, stored)
    priced = _as_stored(choices, known) if are_stored else _price(choices, known, whole, rows.prices)
    return WishedLines(stored, choices, priced, are_stored, rows)


def _choices(
    requests: Sequence[LineRequest],
    procedures: Sequence[Procedure | None],
    stored: Sequence[AppointmentProcedure],
    whole: int | None,
) -> list[_Choice]:
    remaining, kept, added = list(stored), [], []
    for number, (wanted, procedure) in enumerate(zip(requests, procedures, strict=True)):
        line = _kept_line(remaining, wanted, whole)
        if line is None:
            added.append(_Choice(number, procedure, wanted.discount, None))
        else:
            remaining.remove(line)
            kept.append((line.position, _Choice(number, lines.as_booked(line), wanted.discount, line)))
    return [choice for _, choice in sorted(kept, key=lambda pair: pair[0])] + added


def _give_day_prices(choices: Sequence[_Choice], prices: Mapping[int, Decimal], paid: PaidBefore | None) -> None:
    """Set the price of each kept choice to that of the day, by the id of its procedure; each has a copy of its own."""
    for choice in choices:
        procedure = choice.procedure
        if procedure is None or choice.kept is None or procedure.pk not in prices:
            continue
        if procedure.price or paid is None or not paid.is_free(procedure):
            procedure.price = prices[procedure.pk]


def _paid_before(appointment: Appointment, stored: Sequence[AppointmentProcedure]) -> PaidBefore | None:
    """Return the visit of which an appointment with a free line is the return. At most one query."""
    return paid_before(
        appointment.clinic,
        [line.procedure for line in stored if not line.price],
        patient=appointment.patient_id,
        doctor=appointment.doctor_id,
        starts_at=appointment.starts_at,
        payer=appointment.payer_id,
    )


def _kept_line(
    remaining: Sequence[AppointmentProcedure], wanted: LineRequest, whole: int | None
) -> AppointmentProcedure | None:
    """Return the stored line of this procedure: of several the one with the same discounts, else the first."""
    of_procedure = [line for line in remaining if wanted.procedure in (line.procedure_id, line.procedure.uuid)]
    discounts = {wanted.discount, whole} - {None}
    same = (line for line in of_procedure if lines.discount_ids(line) == discounts)
    return next(same, of_procedure[0] if of_procedure else None)


def _are_stored(choices: Sequence[_Choice], whole: int | None, stored: Sequence[AppointmentProcedure]) -> bool:
    """Return whether these are the stored lines, with the same discounts."""
    if not choices or [choice.kept for choice in choices] != list(stored):
        return False
    if any(choice.procedure and choice.kept and choice.procedure.price != choice.kept.price for choice in choices):
        return False
    wanted = [{choice.discount, whole} - {None} for choice in choices]
    return wanted == [lines.discount_ids(line) for line in stored]


def _as_stored(choices: Sequence[_Choice], known: Mapping[int, Discount]) -> dict[int, PricedLine]:
    """Return the kept lines with the amounts as booked."""
    return {
        choice.number: PricedLine(
            procedure,
            procedure.price,
            tuple((known[applied.discount_id], applied.value) for applied in choice.kept.discounts.all()),
        )
        for choice in choices
        if (procedure := choice.procedure) and choice.kept
    }


def _price(
    choices: Sequence[_Choice], known: Mapping[int, Discount], whole: int | None, prices: Mapping[int, Decimal]
) -> dict[int, PricedLine]:
    """Return the lines whose procedure is known, by their numbers, without the discounts that are unknown; `prices`
    are those of added ones, by the id of the procedure."""
    of_known = [(choice, choice.procedure) for choice in choices if choice.procedure]
    priced = price_lines(
        [(procedure, known.get(choice.discount or 0)) for choice, procedure in of_known],
        known.get(whole or 0),
        [procedure.price if choice.kept else prices[procedure.pk] for choice, procedure in of_known],
    )
    return {choice.number: line for (choice, _), line in zip(of_known, priced, strict=True)}
