"""Procedures, discounts, and the limits of every list."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.api.imagemais.conftest import MONDAY, priced
from tests.factories import make_discount, make_procedure


def test_procedures_are_listed_with_price_and_duration(desk):
    make_procedure(desk.clinic, active=False)
    assert desk.ask.get("/procedures").json() == [
        priced(desk.procedures[1], "252") | {"durationMinutes": 10},
        priced(desk.procedures[0], "40") | {"durationMinutes": 5},
    ]


def test_discounts_are_listed_while_they_are_valid(desk):
    fixed = make_discount(desk.clinic, name="Dez reais", fixed=Decimal("10.50"), expires_on=MONDAY)
    half = make_discount(desk.clinic, name="Meio", percentage=Decimal("12.50"))
    make_discount(desk.clinic, name="Natal", expires_on=MONDAY - timedelta(days=3))
    assert desk.ask.get("/discounts").json() == [
        {"id": desk.discount.pk, "name": "Desconto de 20%", "fixed": None, "percentage": 20, "expirationDate": None},
        {
            "id": fixed.pk,
            "name": "Dez reais",
            "fixed": "10.5",
            "percentage": None,
            "expirationDate": f"{MONDAY}T00:00:00.000Z",
        },
        {"id": half.pk, "name": "Meio", "fixed": None, "percentage": 12.5, "expirationDate": None},
    ]


@pytest.mark.parametrize(
    ("price", "written"),
    [("0", "0"), ("100.00", "100"), ("0.50", "0.5"), ("1280.05", "1280.05"), ("99999999.99", "99999999.99")],
)
def test_money_has_no_more_digits_than_it_takes(desk, price, written):
    make_procedure(desk.clinic, name="A", price=Decimal(price))
    assert desk.ask.get("/procedures").json()[1]["price"] == written


@pytest.mark.parametrize("path", ["/doctors", "/procedures", "/discounts", "/patients", "/appointments"])
def test_every_list_has_a_limit_and_an_offset(desk, settings, path):
    settings.API_REQUESTS_A_SECOND = 1000
    desk.book()
    whole = desk.ask.get(path).json()
    assert whole
    assert desk.ask.get(path, limit=100).json() == whole
    assert desk.ask.get(path, limit=1, offset=50).json() == []
    answer = desk.ask.get(path, limit=101)
    assert answer.json()["message"] == ["limit must not be greater than 100"]
    assert desk.ask.get(path, limit="x", offset="").json()["message"] == [
        "limit must be an integer number",
        "offset must be an integer number",
    ]


def test_a_list_gives_fifty_unless_asked_for_more(desk):
    for number in range(51):
        make_discount(desk.clinic, name=f"Desconto {number}")
    assert len(desk.ask.get("/discounts").json()) == 50
    assert len(desk.ask.get("/discounts", limit=100).json()) == 52
