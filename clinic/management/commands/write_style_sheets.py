"""Write the three style sheets that are generated from other files, and committed."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from clinic import bundles
from clinic.form_fields import FIRST_ROW, LAST_ROW, ROW_MINUTES
from clinic.queries.agenda import MAX_COLUMNS
from clinic.schedule import DAY_MINUTES

SOURCES = settings.ROOT / "static"
ROWS = 25 * 12  # the longest day, in five-minute rows
DOCTORS_ON_PAPER = 5  # side by side
HEADER = "/* The bundle of its name, written by `manage.py write_style_sheets`. */\n"


class Command(BaseCommand):
    help = (
        "Writes static/css/day/placement.css, the places of the day, static/css/week_placement.css, those of a week of "
        "hours, and static/standalone.css, of error pages."
    )
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        for path, text in sheets().items():
            path.write_text(text, encoding="utf-8")


def sheets() -> dict[Path, str]:
    """Return the texts of the files by path.

    Error pages load theirs from the sources, because static files may not be collected yet.
    """
    return {
        SOURCES / "css" / "day" / "placement.css": "\n".join(_placement()) + "\n",
        SOURCES / "css" / "week_placement.css": "\n".join(_week_placement()) + "\n",
        SOURCES / "standalone.css": HEADER + bundles.style("bundles/standalone.css", _source),
    }


def _source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _placement() -> Iterator[str]:
    yield "/* The places of the day, written by `manage.py write_style_sheets`: five-minute rows under the header, and"
    yield "   a column a doctor beside the hours. Classes, because the security policy forbids style attributes. */"
    for row in range(ROWS + 1):
        yield f".from-{row}{{grid-row-start:{row + 2};--from:{row}}}.to-{row}{{grid-row-end:{row + 2};--to:{row}}}"
    for column in range(1, MAX_COLUMNS + 1):
        yield f".col-{column}{{grid-column:{column + 1};order:{column}}}"
    yield f"/* On paper: {DOCTORS_ON_PAPER} doctors a sheet, one sheet of `--down` rows under the other (print.css). */"
    yield "@media print{"
    for column in range(MAX_COLUMNS):
        number, place = divmod(column, DOCTORS_ON_PAPER)
        yield f".col-{column + 1}{{grid-column:{place + 1};--sheet:{number}}}"
    yield ".lane,.shade,.slot,.appt{--above:calc(var(--sheet)*var(--down) + var(--head) + 1);"
    yield "grid-row:calc(var(--from) + var(--above))/calc(var(--to) + var(--above))}"
    yield "}"


def _week_placement() -> Iterator[str]:
    yield "/* The five-minute rows of a week of hours, written by `manage.py write_style_sheets`: an hour a line. */"
    yield f".week-grid{{--first:{FIRST_ROW};--last:{LAST_ROW}}}"
    rows, an_hour = DAY_MINUTES // ROW_MINUTES, 60 // ROW_MINUTES
    yield f".whole .week-grid,.week-grid[data-night]{{--first:0;--last:{rows}}}"
    for hour in range(0, rows + 1, an_hour):
        numbers = range(hour, min(hour + an_hour, rows + 1))
        yield "".join(f".week-grid .from-{row}{{--from:{row}}}.week-grid .to-{row}{{--to:{row}}}" for row in numbers)
