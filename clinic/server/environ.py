"""Build the WSGI environment (PEP 3333) of an ASGI request."""

import sys
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from clinic.server.body import Body, Message

# The status with which a page (`clinic.web.middleware`) or an API (`clinic.api.reading`) answers a refused body.
REFUSED_BODY = "clinic.refused_body"
# The Content-Type as it was declared: what Django gets of it is cut (`clinic.wsgi`), and an API asks for its charset.
DECLARED_TYPE = "clinic.declared_type"

# as in PEP 3333
type Environ = dict[str, Any]


def wsgi_environ(scope: Message, body: Body) -> Environ:
    """Return the environment of an HTTP request; `scope` is ASGI's, `body` the body that was read.

    Header names with an underscore are dropped: CGI's names do not distinguish them from the same name with a hyphen,
    which a proxy may have set or removed. Repeated headers are joined, cookies as in RFC 6265.
    """
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": scope["client"][0],
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body.file or BytesIO(body.content),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    for name, value in scope["headers"]:
        if b"_" not in name:
            _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    if body.file is None and (body.content or "CONTENT_LENGTH" in environ):
        environ["CONTENT_LENGTH"] = str(len(body.content))
    if body.refused:
        environ[REFUSED_BODY] = body.refused
    return environ


def _add_header(environ: Environ, name: str, value: str) -> None:
    key = name.upper().replace("-", "_")
    if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        key = f"HTTP_{key}"
    if key in environ:
        value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
    environ[key] = value
