"""What Django reads of a request."""

import pytest

from clinic.server.body import Body
from clinic.server.environ import wsgi_environ


def environ(*headers: tuple[bytes, bytes], raw_path: bytes = b"/", body: Body = Body()) -> dict:  # noqa: B008 - frozen
    scope = {
        "method": "POST", "raw_path": raw_path, "query_string": b"a=%ff", "client": ("127.0.0.1", "5000"),
        "server": ("127.0.0.1", "8000"), "scheme": "http", "http_version": "1.1", "headers": headers,
    }  # fmt: skip
    return wsgi_environ(scope, body)


def test_a_name_with_an_underscore_is_dropped():
    read = environ((b"x-forwarded-for", b"203.0.113.9"), (b"x_forwarded_for", b"198.51.100.1"))
    assert read["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"


def test_headers_of_one_name_are_joined():
    read = environ((b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"accept", b"text/html"), (b"accept", b"*/*"))
    assert (read["HTTP_COOKIE"], read["HTTP_ACCEPT"]) == ("a=1; b=2", "text/html,*/*")


@pytest.mark.parametrize(
    ("raw", "path"), [(b"/a%2Fb", "/a/b"), (b"/%C3%A9", "/Ã©"), (b"/%ff", "/ÿ"), (b"/%zz", "/%zz"), (b"*", "*")]
)
def test_a_path_keeps_its_bytes(raw, path):
    assert environ(raw_path=raw)["PATH_INFO"] == path


def test_the_length_is_that_of_what_was_read():
    chunked = environ((b"transfer-encoding", b"chunked"), body=Body(b"a=1"))
    assert chunked["CONTENT_LENGTH"] == "3" and chunked["wsgi.input"].read() == b"a=1"
    assert "CONTENT_LENGTH" not in environ()
