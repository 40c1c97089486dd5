"""Exceptions of single dates as people write them."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.schedule import ClosedDay, OpenDay, read_exceptions

SATURDAY, EVE = date(2026, 12, 5), date(2026, 12, 24)


def read_date(text):
    return {"05/12": SATURDAY, "5/12/2026": SATURDAY, "24/12": EVE}.get(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05/12 8-12", [OpenDay(SATURDAY, time(8), time(12))]),
        ("5/12/2026 8h às 12h e 14-18", [OpenDay(SATURDAY, time(8), time(12)), OpenDay(SATURDAY, time(14), time(18))]),
        ("24/12 encerrado", [ClosedDay(EVE, None, None, "")]),
        ("24/12 fechado", [ClosedDay(EVE, None, None, "")]),
        ("24/12 fechado 12-18 (Reunião da equipe)", [ClosedDay(EVE, time(12), time(18), "Reunião da equipe")]),
        ("24/12: folga; 05/12: 8-12", [ClosedDay(EVE, None, None, ""), OpenDay(SATURDAY, time(8), time(12))]),
        ("\n 05/12 20-2\n\n", [OpenDay(SATURDAY, time(20), time(2))]),
        ("05/12 8-12 \r\n24/12 fechado", [OpenDay(SATURDAY, time(8), time(12)), ClosedDay(EVE, None, None, "")]),
        ("", []),
    ],
)  # fmt: skip
def test_lines_are_understood(text, expected):
    assert read_exceptions(text, read_date) == (expected, [])


@pytest.mark.parametrize(
    ("text", "places", "understood"),
    [
        ("31/02 8-12\n05/12 8-12", ["31/02"], 1),
        ("8-12", ["8"], 0),
        ("05/12", ["05/12"], 0),
        ("05/12 8", ["8"], 0),
        ("05/12 aberto 8-12", ["aberto"], 0),
        ("sáb 8-12", ["sáb"], 0),
        ("05/12 seg 8-12", ["seg", "8", "-", "12"], 0),
        ("05/12 25-26", ["25", "26"], 0),
        ("24/12 8-12 fechado 14-18", ["8-12"], 0),
        ("24/12 das 12 às 18 fechado\n05/12 8-12", ["12 às 18"], 1),
        ("05/12 8-12 (mutirão)", ["(mutirão)"], 0),
    ],
)
def test_mistakes_are_named_at_their_place(text, places, understood):
    found = read_exceptions(text, read_date)

    assert [text[mistake.start : mistake.end] for mistake in found.mistakes] == places
    assert len(found.days) == understood


@given(st.text(max_size=60) | st.text(alphabet="0125/ -;()fechado\n", max_size=60))
def test_any_text_is_read(text):
    found = read_exceptions(text, read_date)

    assert all(0 <= mistake.start < mistake.end <= len(text) for mistake in found.mistakes)
