"""What stands in a PDF or a workbook that was answered."""

from io import BytesIO

from openpyxl import load_workbook
from pypdf import PdfReader

PDF = "application/pdf"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def pages_of(answer):
    """The words of each page."""
    assert (answer.status_code, answer["Content-Type"]) == (200, PDF)
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(answer.content)).pages]


def sheets_of(answer):
    """The rows of each sheet by its title, each the values of its cells."""
    assert (answer.status_code, answer["Content-Type"]) == (200, WORKBOOK)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in load_workbook(BytesIO(answer.content))}


def text_of(answer):
    """The words of an answer, of a PDF or a workbook too."""
    kind = answer.get("Content-Type")
    if kind == PDF:
        return " ".join(pages_of(answer))
    if kind == WORKBOOK:
        sheets = sheets_of(answer)
        return "\n".join([*sheets, *(str(cell) for rows in sheets.values() for row in rows for cell in row if cell)])
    return answer.text
