"""No text is stored otherwise than it was sent: what cannot be stored is refused at its field."""

import pytest

from clinic.models import Appointment
from clinic.models.characters import DIRECTION_MARKS

ODD = [
    ("a\0b", "U+0000"),
    ("a\ud800b", "U+D800"),
    ("\udfff", "U+DFFF"),
    ("a\x07\x1bb", "U+0007, U+001B"),
    ("a\x7f", "U+007F"),
    ("a\x85b", "U+0085"),
    ("a\ufffdb", "U+FFFD"),
]


def refused_at(answer):
    body = answer.json()
    assert (answer.status_code, body["error"]) == (422, "validation_failed")
    return [(error["path"], error["message"]) for error in body["errors"]]


@pytest.mark.parametrize(("odd", "shown"), ODD, ids=ascii)
@pytest.mark.parametrize("field", ["patientName", "patientNotes"])
def test_a_text_that_cannot_be_stored_is_refused_at_its_field(program, good, field, odd, shown):
    message = f"Tem caracteres que não podem ser guardados: {shown}."
    assert refused_at(program("POST", "/appointments", good | {field: odd})) == [(field, message)]
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("odd", [odd for odd, _ in ODD], ids=ascii)
def test_notes_of_a_change_are_refused_likewise(program, booked, odd):
    ((path, message),) = refused_at(program("PATCH", f"/appointments/{booked['id']}", {"patientNotes": odd}))
    assert path == "patientNotes" and message.startswith("Tem caracteres que não podem ser guardados: U+")
    assert program.get(f"/appointments/{booked['id']}").json() == booked


@pytest.mark.parametrize("key", ["patientNotes\0", "\0", "a\ud800", "a\x07"], ids=ascii)
def test_a_key_that_cannot_be_stored_is_refused(program, good, booked, key):
    for method, path in [("POST", "/appointments"), ("PATCH", f"/appointments/{booked['id']}")]:
        body = good if method == "POST" else {"patientNotes": "x"}
        ((path, message),) = refused_at(program(method, path, body | {key: "x"}))
        assert path == "" and message.startswith("O nome de um campo tem caracteres que não podem ser guardados: U+")


@pytest.mark.parametrize("write", ["book", "change"])
def test_notes_are_stored_without_marks_of_direction(program, good, booked, write):
    notes = {"patientNotes": "".join(f"{chr(mark)}10 mg" for mark in DIRECTION_MARKS)}
    sent = {
        "book": ("POST", "/appointments", good | notes | {"startsAt": "2026-11-23T10:00:00-03:00"}),
        "change": ("PATCH", f"/appointments/{booked['id']}", notes),
    }
    assert program(*sent[write]).json()["patientNotes"] == "10 mg" * 10


@pytest.mark.parametrize("notes", ["Jejum\n8 h", "a\tb", "Joa\u0303o", "👩🏽\u200d⚕️", "ﬁ ½"], ids=ascii)
def test_every_other_text_comes_back_as_it_was_sent(program, good, notes):
    assert program("POST", "/appointments", good | {"patientNotes": notes}).json()["patientNotes"] == notes


def test_metadata_keep_every_character_that_postgresql_holds(program, booked):
    sent = {"a\x07": ["\x1b", "\u202e", "\ufffd", "\uffff"]}
    assert program("PATCH", f"/appointments/{booked['id']}", {"metadata": sent}).json()["metadata"] == sent


@pytest.mark.parametrize("query", ["search=%ff", "search=Jo%e3o", "search=a&x=%ed%a0%80", "%c0%80=1", "search=%80"])
def test_a_query_that_is_not_utf_8_is_refused(program, query):
    answer = program("GET", f"/patients?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_query")


@pytest.mark.parametrize("text", ["a%00", "%1b", "%c2%85", "%ef%bf%bd", "a%7f"])
def test_a_search_that_no_text_can_be_is_refused(program, text):
    assert [path for path, _ in refused_at(program("GET", f"/patients?search={text}"))] == ["search"]
