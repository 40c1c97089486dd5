"""Whatever charset or kind a form or a query declares, every address answers it, protected as ever."""

from io import BytesIO

import pytest
from django.test import RequestFactory
from django.utils.module_loading import import_string

CHARSETS = ["iso-8859-1", "windows-1252", "UTF8", "utf-8", "utf-16", "idna", "hex", "undefined", "rot13", "x", "", "="]
ADDRESSES = [
    "/entrar/",
    "/agendamentos/novo/",
    "/pacientes/novo/",
    "/pacientes/",
    "/senha/",
    "/sair/",
    "/admin/",
    "/x/",
    "/api/appointments",
    "/v1/appointments",
    "/health",
]
FORM = "application/x-www-form-urlencoded"
KINDS = {charset: f"{FORM}; charset={charset}" for charset in CHARSETS} | {
    "charset of a parameter": "a; x*=bogus''y",
    "charset of UTF-8's parameter": f"{FORM}; x*=idna''%ff",
    "too long": "a" * 20_000,
    "too long a parameter": f"{FORM}; a={'b' * 20_000}",
    "multipart without a boundary": "multipart/form-data",
    "multipart with a parameter": "multipart/form-data; boundary*=bogus''y",
    "no kind": ";",
}
FILE = b"--b\r\nContent-Disposition: form-data; name=a; filename=a.bin\r\n\r\n"


def answered(method, address, kind):
    """Status and headers, asked of the application as the server does it."""
    environ = RequestFactory().generic(method, address, b"a=%ff&b=1", "application/x-www-form-urlencoded").environ
    environ |= {"CONTENT_TYPE": kind, "wsgi.input": BytesIO(b"a=%ff&b=1")}
    seen = []
    for _ in import_string("clinic.wsgi.application")(environ, lambda *answer: seen.append(answer)):
        pass
    status, headers = seen[0]
    return int(status.split()[0]), {name.lower(): value for name, value in headers}


@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_kind_of_body_is_an_error_of_ours(kind):
    for address in ADDRESSES:
        for method, query in (("POST", ""), ("GET", "?next=%ff")):
            status, headers = answered(method, address + query, kind)
            assert status < 500, (method, address)
            assert headers["x-content-type-options"] == "nosniff" and "content-security-policy" in headers, address


@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.django_db(transaction=True)
def test_a_form_with_files_leaves_no_file(tmp_path, settings):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    part = FILE + b"a" * 5_000_000 + b"\r\n--b--\r\n"
    environ = RequestFactory().generic("POST", "/entrar/", part, "multipart/form-data; boundary=b").environ
    seen = []
    for _ in import_string("clinic.wsgi.application")(environ, lambda *answer: seen.append(answer)):
        assert list(tmp_path.iterdir()) == []
    assert seen[0][0].startswith("400")
