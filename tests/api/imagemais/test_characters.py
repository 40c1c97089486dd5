"""No text is stored otherwise than it was sent: what cannot be stored is refused, in every call and every query."""

import pytest

from clinic.models import Appointment, Doctor, Patient
from clinic.models.characters import DIRECTION_MARKS
from tests.api.imagemais.conftest import VALID, new_doctor
from tests.factories import make_patient

ODD = ["a\0b", "\0", "a\ud800b", "\udfff", "a\x07b", "a\x1b[31m", "a\x7f", "a\x85b", "a\ufffdb"]
WRITES = {
    "booking": lambda desk, odd: ("POST", "/appointments", desk.booking(notes=odd)),
    "booking's name": lambda desk, odd: ("POST", "/appointments", desk.booking(patient=desk.patient(name=odd))),
    "booking's phone": lambda desk, odd: (
        "POST",
        "/appointments",
        desk.booking(patient=desk.patient(phone=f"(81) 99999-9999{odd}")),
    ),
    "edit": lambda desk, odd: ("PATCH", f"/appointments/{desk.book()}", {"notes": odd}),
    "edit's name": lambda desk, odd: ("PATCH", f"/appointments/{desk.book()}", {"patient": desk.patient(name=odd)}),
    "patient": lambda desk, odd: ("POST", "/patients", VALID | {"name": odd}),
    "change of a patient": lambda desk, odd: ("PATCH", f"/patients/{make_patient(desk.clinic).pk}", {"name": odd}),
    "doctor": lambda desk, odd: ("POST", "/doctors", new_doctor(desk) | {"name": odd}),
}
MESSAGES = {
    "booking": "notes contém caracteres que não podem ser gravados",
    "booking's name": "patient.O nome contém caracteres que não podem ser gravados",
    "booking's phone": "patient.O telefone contém caracteres que não podem ser gravados",
    "edit": "notes contém caracteres que não podem ser gravados",
    "edit's name": "patient.O nome contém caracteres que não podem ser gravados",
    "patient": "O nome contém caracteres que não podem ser gravados",
    "change of a patient": "O nome contém caracteres que não podem ser gravados",
    "doctor": "name contém caracteres que não podem ser gravados",
}


def stored():
    return [
        *Appointment.objects.values_list("notes", "patient__name"),
        *Patient.objects.values_list("name"),
        *Doctor.objects.values_list("name"),
    ]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_a_text_that_cannot_be_stored_is_refused_in_the_envelope(desk, write, odd):
    request = WRITES[write](desk, odd)
    before = stored()
    answer = desk.ask(*request)
    assert answer.json() == {"message": [MESSAGES[write]], "error": "Bad Request", "statusCode": 400}
    assert stored() == before


@pytest.mark.parametrize("key", ["notes\0", "\0", "a\ud800", "a\x07"], ids=ascii)
@pytest.mark.parametrize("where", ["around", "patient", "procedures"])
def test_a_key_that_cannot_be_stored_is_refused(desk, key, where):
    body = desk.booking()
    inner = {"around": body, "patient": body["patient"], "procedures": body["procedures"][0]}[where]
    inner[key] = "x"
    answer = desk.ask("POST", "/appointments", body)
    sentence = "O nome de um campo contém caracteres que não podem ser gravados"
    assert answer.json() == {"message": [sentence], "error": "Bad Request", "statusCode": 400}
    assert not Appointment.objects.exists()


def test_notes_are_stored_without_marks_of_direction(desk):
    notes = "".join(f"{chr(mark)}10 mg" for mark in DIRECTION_MARKS)
    assert desk.ask("POST", "/appointments", desk.booking(notes=notes)).json()[0]["notes"] == "10 mg" * 10


@pytest.mark.parametrize("notes", ["Jejum\n8 h", "a\tb", "Joa\u0303o", "👩🏽\u200d⚕️", "ﬁ ½"], ids=ascii)
def test_every_other_text_comes_back_as_it_was_sent(desk, notes):
    assert desk.ask("POST", "/appointments", desk.booking(notes=notes)).json()[0]["notes"] == notes


@pytest.mark.parametrize(
    "query", ["name=a%00b", "name=%07", "cpf=529.982.247-25%00", "phone=99999%1b", "name=%ef%bf%bd"]
)
def test_a_query_that_no_text_can_be_is_refused(desk, query):
    answer = desk.ask("GET", f"/patients?{query}")
    field = query.partition("=")[0]
    assert (answer.status_code, answer.json()["message"]) == (400, [f"{field} contém caracteres inválidos"])


@pytest.mark.parametrize("query", ["name=%ff", "name=Jo%e3o", "x=%ed%a0%80", "%c0%80=1", "name=a%80"])
@pytest.mark.parametrize("path", ["/patients", "/appointments", "/doctors"])
def test_a_query_that_is_not_utf_8_is_refused(desk, path, query):
    answer = desk.ask("GET", f"{path}?{query}")
    body = {"message": "A query da requisição não está em UTF-8", "error": "Bad Request", "statusCode": 400}
    assert (answer.status_code, answer.json()) == (400, body)
