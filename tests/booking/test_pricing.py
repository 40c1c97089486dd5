from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.booking import LineRequest, price_lines
from clinic.models import Discount, Procedure
from tests.factories import make_discount, make_procedure

MONEY = st.decimals(min_value=0, max_value="99999999.99", places=2)
ABOVE_ZERO = st.decimals(min_value="0.01", max_value="99999999.99", places=2)
PERCENTAGES = st.decimals(min_value="0.01", max_value=100, places=2)


def percentage(value, pk=1):
    return Discount(pk=pk, percentage=Decimal(value))


def fixed(value, pk=2):
    return Discount(pk=pk, fixed=Decimal(value))


def takes(prices, whole=None, own=()):
    """What comes off each line, summed over its discounts."""
    own = [*own, *[None] * (len(prices) - len(own))]
    lines = price_lines(
        [(Procedure(price=Decimal(price)), each) for price, each in zip(prices, own, strict=True)], whole
    )
    return [str(line.discount_total) for line in lines]


@pytest.mark.parametrize(
    ("price", "discount", "off"),
    [
        ("252.00", percentage(20), "50.40"),
        ("0.10", percentage(5), "0.01"),  # 0.005 goes up
        ("0.10", percentage("4.99"), "0.00"),
        ("33.33", percentage("33.33"), "11.11"),
        ("99.99", percentage(100), "99.99"),
        ("0.01", percentage("0.01"), "0.00"),
        ("99999999.99", percentage("99.99"), "99989999.99"),
        ("252.00", fixed("50.40"), "50.40"),
        ("30.00", fixed("50.00"), "30.00"),
        ("0.00", fixed("50.00"), "0.00"),
    ],
)
def test_line_discount_rounds_half_up_and_stops_at_the_price(price, discount, off):
    assert takes([price], own=[discount]) == [off]


@pytest.mark.parametrize(
    ("prices", "whole", "off"),
    [
        (["100.00", "50.00"], percentage(10), ["10.00", "5.00"]),
        (["100.00", "50.00"], fixed("30.00"), ["20.00", "10.00"]),
        (["10.00", "10.00", "10.00"], fixed("10.00"), ["3.33", "3.33", "3.34"]),
        (["10.00", "10.00", "10.00"], fixed("20.00"), ["6.67", "6.67", "6.66"]),
        (["1.00", "1.00", "1.00", "1.00"], fixed("0.02"), ["0.01", "0.01", "0.00", "0.00"]),
        (["10.00", "10.00", "10.00", "0.00"], fixed("10.00"), ["3.33", "3.33", "3.34", "0.00"]),
        (["40.00", "60.00"], fixed("500.00"), ["40.00", "60.00"]),
        (["0.00", "0.00"], fixed("10.00"), ["0", "0"]),
    ],
)
def test_fixed_discount_is_spread_with_odd_cents_on_last_fitting_line(prices, whole, off):
    assert [Decimal(each) for each in takes(prices, whole)] == [Decimal(each) for each in off]


def test_line_discounts_apply_before_the_discount_on_the_whole():
    line = price_lines([(Procedure(price=Decimal("100.00")), fixed("90.00"))], percentage(20))[0]

    assert [str(value) for _, value in line.discounts] == ["90.00", "10.00"]
    assert line.total == 0


def test_the_same_discount_on_the_line_and_on_the_whole_counts_once():
    assert takes(["100.00", "100.00"], percentage(10), own=[percentage(10)]) == ["10.00", "10.00"]


@given(prices=st.lists(MONEY, min_size=1, max_size=12), amount=ABOVE_ZERO)
def test_the_shares_of_a_fixed_amount_add_up_to_it_or_to_everything(prices, amount):
    lines = price_lines([(Procedure(price=price), None) for price in prices], fixed(amount))

    assert sum(line.discount_total for line in lines) == min(amount, sum(prices))
    for line in lines:
        exact = min(amount, sum(prices)) * line.price / sum(prices) if line.price else 0
        assert 0 <= line.discount_total <= line.price
        assert line.discount_total == line.discount_total.quantize(Decimal("0.01"))
        assert abs(line.discount_total - exact) <= Decimal("0.01") * len(prices)


ANY = st.one_of(st.none(), PERCENTAGES.map(percentage), ABOVE_ZERO.map(fixed))


@given(
    lines=st.lists(st.tuples(MONEY, ANY), min_size=1, max_size=6),
    whole=st.one_of(
        st.none(), PERCENTAGES.map(lambda value: percentage(value, 3)), ABOVE_ZERO.map(lambda value: fixed(value, 4))
    ),
)
def test_no_line_total_is_below_zero_or_above_its_price(lines, whole):
    for line in price_lines([(Procedure(price=price), own) for price, own in lines], whole):
        assert all(value >= 0 for _, value in line.discounts)
        assert 0 <= line.total <= line.price
        assert line.total == line.price - line.discount_total


def test_discounts_are_stored_per_line_and_rounding_stays_positive(desk):
    cheap = [make_procedure(desk.clinic, price=1, duration_minutes=5) for _ in range(4)]
    desk.doctor.procedures.set(cheap)
    whole = make_discount(desk.clinic, fixed=Decimal("0.02"))

    appointment = desk.book(lines=tuple(LineRequest(procedure.pk) for procedure in cheap), discount=whole.pk)

    assert [str(line.discounts.get().value) for line in appointment.lines.all()] == ["0.01", "0.01", "0.00", "0.00"]
