"""Prints static/css/day/placement.css: `python3 -m tests.grid_sheet > static/css/day/placement.css`."""

ROWS = 25 * 12  # the longest day, in five-minute rows
COLUMNS = 200
ON_A_SHEET = 5  # doctors


def sheet():
    yield "/* Where things stand in the day, by tests/grid_sheet.py: five-minute rows under the header row, one column"
    yield "   a doctor beside the hours. Classes, because the content security policy forbids style attributes. */"
    for row in range(ROWS + 1):
        yield f".from-{row}{{grid-row-start:{row + 2};--from:{row}}}.to-{row}{{grid-row-end:{row + 2};--to:{row}}}"
    for column in range(1, COLUMNS + 1):
        yield f".col-{column}{{grid-column:{column + 1}}}"
    yield f"/* On paper: {ON_A_SHEET} doctors a sheet, one sheet of `--down` rows under the other (agenda.css). */"
    yield "@media print{"
    for column in range(COLUMNS):
        number, place = divmod(column, ON_A_SHEET)
        yield f".col-{column + 1}{{grid-column:{place + 1};--sheet:{number}}}"
    yield ".lane,.shade,.slot,.appt{--above:calc(var(--sheet)*var(--down) + var(--head) + 1);"
    yield "grid-row:calc(var(--from) + var(--above))/calc(var(--to) + var(--above))}"
    yield "}"


if __name__ == "__main__":
    print("\n".join(sheet()))
