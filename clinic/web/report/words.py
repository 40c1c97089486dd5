"""Values of a report as people read them."""

from decimal import Decimal
from typing import assert_never

from django.utils.formats import number_format

from clinic.models import Clinic
from clinic.queries.reports import Unit, Value

NOTHING = "–"


def written(value: Value, unit: Unit, clinic: Clinic) -> str:
    """Format a value in the active language; amounts in the clinic's currency, NOTHING for None."""
    if value is None:
        return NOTHING
    match unit:
        case Unit.WORDS:
            return str(value)
        case Unit.COUNT:
            return number_format(value, use_l10n=True, force_grouping=True)
        case Unit.MINUTES:
            places = 1 if isinstance(value, float) and value % 1 else 0
            return f"{number_format(value, places, use_l10n=True, force_grouping=True)}\N{NO-BREAK SPACE}min"
        case Unit.PERCENT:
            return percentage(float(value))
        case Unit.MONEY:
            return clinic.money(Decimal(value))
        case _:
            assert_never(unit)


def percentage(value: float) -> str:
    """Format a percentage with one decimal, 12,5 %, in the active language."""
    return f"{number_format(value, 1, use_l10n=True)}\N{NO-BREAK SPACE}%"
