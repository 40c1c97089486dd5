"""A slip or one person's data as a PDF to be sent by e-mail: of the same parts of templates, and without a browser."""

from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string

from clinic.web.responses import attachment

STYLE = Path(__file__).with_name("pdf.css")
# The fonts that every reader of PDFs has know no names from outside of Western Europe.
FONTS = Path(str(files("font_roboto") / "files"))


def pdf_response(template: str, context: dict[str, Any], filename: str) -> HttpResponse:
    """Return what the template draws as a PDF that is downloaded under that name. It loads nothing but its fonts."""
    from xhtml2pdf import pisa  # noqa: PLC0415 - half a second and 40 MB that only a PDF needs
    from xhtml2pdf.config.resources import ResourceAccessPolicy  # noqa: PLC0415 - comes with it
    from xhtml2pdf.default import DEFAULT_CSS  # noqa: PLC0415 - comes with it

    file = BytesIO()
    drawn = pisa.CreatePDF(
        render_to_string(template, context),
        file,
        path=str(FONTS / "document.html"),
        default_css=DEFAULT_CSS + STYLE.read_text(encoding="utf-8"),
        resource_policy=ResourceAccessPolicy(allow_remote=False, base_dir=FONTS),
    )
    if drawn.err:
        raise RuntimeError(f"xhtml2pdf found {drawn.err} errors in {template}")
    return pdf_file(file.getvalue(), filename)


def pdf_file(content: bytes, filename: str) -> HttpResponse:
    """Return a PDF that is downloaded under that name."""
    return attachment(HttpResponse(content, content_type="application/pdf"), filename)
