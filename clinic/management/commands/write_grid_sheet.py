"""`manage.py write_grid_sheet`: the style sheet that places things in the day."""

from collections.abc import Iterator

from django.conf import settings
from django.core.management.base import BaseCommand

from clinic.queries.agenda import MOST_COLUMNS

SHEET = settings.ROOT / "static" / "css" / "day" / "placement.css"
ROWS = 25 * 12  # the longest day, in five-minute rows
DOCTORS_ON_PAPER = 5  # side by side


class Command(BaseCommand):
    help = "Writes static/css/day/placement.css: classes for the place of everything in the day."
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        SHEET.write_text(sheet(), encoding="utf-8")


def sheet() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "/* The places of the day, written by `manage.py write_grid_sheet`: five-minute rows under the header, and a"
    yield "   column a doctor beside the hours. Classes, because the security policy forbids style attributes. */"
    for row in range(ROWS + 1):
        yield f".from-{row}{{grid-row-start:{row + 2};--from:{row}}}.to-{row}{{grid-row-end:{row + 2};--to:{row}}}"
    for column in range(1, MOST_COLUMNS + 1):
        yield f".col-{column}{{grid-column:{column + 1}}}"
    yield f"/* On paper: {DOCTORS_ON_PAPER} doctors a sheet, one sheet of `--down` rows under the other (print.css). */"
    yield "@media print{"
    for column in range(MOST_COLUMNS):
        number, place = divmod(column, DOCTORS_ON_PAPER)
        yield f".col-{column + 1}{{grid-column:{place + 1};--sheet:{number}}}"
    yield ".lane,.shade,.slot,.appt{--above:calc(var(--sheet)*var(--down) + var(--head) + 1);"
    yield "grid-row:calc(var(--from) + var(--above))/calc(var(--to) + var(--above))}"
    yield "}"
