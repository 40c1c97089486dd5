"""Values of a report as people read them."""

from decimal import Decimal
from functools import cache
from typing import assert_never

from django.utils.formats import get_format
from django.utils.translation import get_language

from clinic.models import Clinic
from clinic.queries.reports import Unit, Value

NOTHING = "–"


class Writer:
    """Writes values in the language that is active when it is made, amounts in the clinic's currency.

    Django's `number_format` takes five times as long for a number, and a page has hundreds."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self._separators = _separators(get_language())

    def written(self, value: Value, unit: Unit) -> str:
        """Format a value; NOTHING for None."""
        if value is None:
            return NOTHING
        match unit:
            case Unit.WORDS:
                return str(value)
            case Unit.COUNT:
                return self._number(value, 0)
            case Unit.MINUTES:
                places = 1 if isinstance(value, float) and value % 1 else 0
                return f"{self._number(value, places)}\N{NO-BREAK SPACE}min"
            case Unit.PERCENT:
                return self.percentage(float(value))
            case Unit.MONEY:
                return self.clinic.money(Decimal(value))
            case _:
                assert_never(unit)

    def percentage(self, value: float) -> str:
        """Format a percentage with one decimal, 12,5 %."""
        return f"{self._number(value, 1)}\N{NO-BREAK SPACE}%"

    def _number(self, value: Value, places: int) -> str:
        return f"{value:,.{places}f}".translate(self._separators)


@cache
def _separators(language: str | None) -> dict[int, str]:
    """Return what a language writes where Python writes commas and points in a number."""
    return {ord(","): get_format("THOUSAND_SEPARATOR", language), ord("."): get_format("DECIMAL_SEPARATOR", language)}
