"""What stands in a PDF that was answered."""

from io import BytesIO

from pypdf import PdfReader

PDF = "application/pdf"


def pages_of(answer):
    """The words of each page."""
    assert (answer.status_code, answer["Content-Type"]) == (200, PDF)
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(answer.content)).pages]


def text_of(answer):
    """The words of an answer, of a PDF too."""
    return " ".join(pages_of(answer)) if answer.get("Content-Type") == PDF else answer.text
