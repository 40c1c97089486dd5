"""Prints static/grid.css: `python3 -m tests.grid_sheet > static/grid.css`."""

ROWS = 25 * 12  # the longest day, in five-minute rows
COLUMNS = 200


def sheet():
    yield "/* Where things stand in the day, by tests/grid_sheet.py: five-minute rows under the header row, one column"
    yield "   a doctor beside the hours. Classes, because the content security policy forbids style attributes. */"
    for row in range(ROWS + 1):
        yield f".from-{row}{{grid-row-start:{row + 2}}}.to-{row}{{grid-row-end:{row + 2}}}"
    for column in range(1, COLUMNS + 1):
        yield f".col-{column}{{grid-column:{column + 1}}}"


if __name__ == "__main__":
    print("\n".join(sheet()))
