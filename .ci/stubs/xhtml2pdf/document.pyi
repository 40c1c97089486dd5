from collections.abc import Callable
from typing import IO, Any

from xhtml2pdf.config.resources import ResourceAccessPolicy
from xhtml2pdf.context import pisaContext

def pisaDocument(
    src: str | bytes | IO[bytes],
    dest: IO[bytes] | None = None,
    dest_bytes: bool = False,
    path: str = "",
    link_callback: Callable[[str, str], str] | None = None,
    debug: int = 0,
    default_css: str | None = None,
    xhtml: bool = False,
    encoding: str | None = None,
    xml_output: IO[bytes] | None = None,
    raise_exception: bool = True,
    capacity: int = ...,
    context_meta: dict[str, Any] | None = None,
    encrypt: object = None,
    signature: dict[str, Any] | None = None,
    show_error_as_pdf: bool = False,
    resource_policy: ResourceAccessPolicy | None = None,
    pdfx: object = None,
) -> pisaContext: ...
