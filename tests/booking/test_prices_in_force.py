"""Prices that begin on a date: which one is in force, against a slow reference, and what is booked at it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.booking import LineRequest, PayerWish, change_procedures, reschedule
from clinic.models import Procedure, ProcedurePrice
from clinic.models.price import PriceOn
from clinic.queries import booking_options
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, reasons
from tests.factories import make_payer, make_procedure

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def begins(procedure, day, price, **fields):
    return ProcedurePrice.objects.create(
        clinic=procedure.clinic, procedure=procedure, valid_from=day, price=price, **fields
    )


def price_on(procedure, day, payer=None):
    priced = Procedure.objects.filter(pk=procedure.pk).annotate(there=PriceOn(day, payer))
    return priced.values_list("there", flat=True).get()


def line_prices(appointment):
    return [line.price for line in appointment.lines.order_by("position")]


@st.composite
def dated_prices(draw):
    """Rows of (payer 0, 1 or None, first day, days until the end or None, price), each first day once a payer."""
    row = st.tuples(
        st.sampled_from([None, 0, 1]),
        st.integers(0, 20),
        st.none() | st.integers(0, 20),
        st.integers(0, 300),
    )
    return draw(st.lists(row, max_size=8, unique_by=lambda each: each[:2]))


def slowly(rows, base, day, payer):
    """The price by looking at one day after the other, back from the wanted one: the first row of the payer that is
    met there counts, ended or not; where it has ended, or none is met, the private ones are asked."""
    for wanted in (payer, None) if payer is not None else (None,):
        for back in range(day, -1, -1):
            met = [row for row in rows if row[:2] == (wanted, back)]
            if met:
                _of, first, length, price = met[0]
                if wanted is None or length is None or first + length >= day:
                    return price
                break
    return base


@settings(max_examples=60)
@given(rows=dated_prices(), day=st.integers(0, 25), payer=st.sampled_from([None, 0, 1]))
def test_the_price_in_force_is_that_of_a_slow_reference(django_db_setup, django_db_blocker, rows, day, payer):
    with django_db_blocker.unblock(), transaction.atomic():
        procedure = make_procedure(price=Decimal(1000))
        payers = [make_payer(procedure.clinic), make_payer(procedure.clinic)]
        for of, first, length, price in rows:
            until = MONDAY + (first + length) * DAY if of is not None and length is not None else None
            of_payer = None if of is None else payers[of]
            begins(procedure, MONDAY + first * DAY, price, payer=of_payer, valid_until=until)
        found = price_on(procedure, MONDAY + day * DAY, None if payer is None else payers[payer].pk)
        transaction.set_rollback(True)
    assert found == slowly(rows, 1000, day, payer)


def test_the_day_of_the_appointment_counts(desk):
    begins(desk.procedure, MONDAY + DAY, "300")
    assert line_prices(desk.book()) == [Decimal("252.00")]
    assert line_prices(desk.book(starts_at=desk.at(10, day=MONDAY + DAY))) == [Decimal("300.00")]


def test_a_booked_price_stays(desk):
    appointment = desk.book()
    begins(desk.procedure, MONDAY, "300")
    moved = reschedule(
        appointment.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(11), by=BY, now=desk.now
    )
    assert line_prices(moved) == [Decimal("252.00")]
    other = make_procedure(desk.clinic, price="10.00")
    desk.doctor.procedures.add(other)
    begins(other, MONDAY, "12")
    begins(other, MONDAY + DAY, "14")
    lines = (LineRequest(desk.procedure.pk), LineRequest(other.pk))
    changed = change_procedures(appointment.pk, clinic=desk.clinic, lines=lines, by=BY, now=desk.now)
    assert line_prices(changed) == [Decimal("252.00"), Decimal("12.00")]


def test_the_total_that_was_shown_must_be_that_of_the_day(desk):
    begins(desk.procedure, MONDAY, "300")
    assert reasons(desk.book, shown_total=Decimal("252.00")) == {Reason.TOTAL_CHANGED}
    assert desk.book(shown_total=Decimal("300.00"))


def test_a_payer_has_prices_of_its_own(desk):
    unimed = make_payer(desk.clinic)
    begins(desk.procedure, MONDAY, "80", payer=unimed, valid_until=MONDAY)
    paid = desk.book(payer=PayerWish(unimed.pk))
    assert line_prices(paid) == [Decimal("80.00")]
    after = desk.book(payer=PayerWish(unimed.pk), starts_at=desk.at(10, day=MONDAY + DAY))
    assert line_prices(after) == [Decimal("252.00")]


def test_a_superseded_price_does_not_come_back(desk):
    unimed = make_payer(desk.clinic)
    begins(desk.procedure, MONDAY, "80", payer=unimed)
    begins(desk.procedure, MONDAY + DAY, "90", payer=unimed, valid_until=MONDAY + DAY)
    found = [price_on(desk.procedure, MONDAY + days * DAY, unimed.pk) for days in range(3)]
    assert found == [Decimal(80), Decimal(90), Decimal(252)]


def test_the_panel_lists_the_prices_of_the_day(desk):
    begins(desk.procedure, MONDAY, "300")
    for day, price in ((MONDAY - DAY, "252.00"), (MONDAY, "300.00")):
        (listed,) = booking_options.priced_procedures(desk.clinic, desk.doctor.pk, [], day=day)
        assert listed.price_then == Decimal(price)
