"""What is printed, as a PDF to be sent by e-mail: of the same parts of templates, and without a browser."""

from io import BytesIO
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from font_roboto import font_files

STYLE = Path(__file__).with_name("pdf.css")
# The fonts that every reader of PDFs has know no names from outside of Western Europe.
FONTS = {f"{name}.ttf": font_files[name] for name in ("Roboto", "RobotoBold")}


def pdf_response(template: str, context: dict[str, Any], filename: str) -> HttpResponse:
    """Return what the template draws as a PDF that is downloaded under that name. It loads nothing but its fonts."""
    from xhtml2pdf import pisa  # noqa: PLC0415 - half a second and 40 MB that only a PDF needs
    from xhtml2pdf.default import DEFAULT_CSS  # noqa: PLC0415

    file = BytesIO()
    style = DEFAULT_CSS + STYLE.read_text(encoding="utf-8")
    pisa.CreatePDF(render_to_string(template, context), file, link_callback=_font, default_css=style)
    response = HttpResponse(file.getvalue(), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _font(address: str, _base: str) -> str:
    """Return the path of what the document names; raises KeyError for anything but its fonts."""
    path: str = FONTS[address]
    return path
