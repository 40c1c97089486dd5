"""What answers add when they are asked for it by `expand`: names, times in words, preparation, what is free instead."""

import pytest

from clinic.models import Absence, Clinic, Procedure
from tests.api.imagemais.conftest import MONDAY

from .imagemais import conftest as imagemais
from .mivicall import conftest as mivicall

desk = imagemais.desk
doctor, good, program, saturday, service = (
    getattr(mivicall, name) for name in ("doctor", "good", "program", "saturday", "service")
)
WORDS = {"spoken": "segunda, às nove", "label": "seg 23/11/2026 09:00"}
EVERY = {"expand": "professional,service,spoken"}


def prepare(procedure, text="Jejum de 8 horas."):
    Procedure.objects.filter(pk=procedure.pk).update(preparation=text)


@pytest.fixture
def booked(program, good):
    return program("POST", "/appointments", good).json()


def at(address, **query):
    return address + "?" + "&".join(f"{name}={value}" for name, value in query.items())


def test_mivicall_adds_names_and_words_to_every_appointment(program, doctor, service, good):
    prepare(service)
    made = program("POST", at("/appointments", **EVERY), good)
    plain = program("GET", f"/appointments/{made.json()['id']}").json()
    added = {
        "professional": {"id": str(doctor.uuid), "name": "Dra. Helena Prado", "specialty": doctor.specialty},
        "service": {
            "id": str(service.uuid), "name": "Consulta", "durationMinutes": 30, "preparation": "Jejum de 8 horas.",
        },
        **WORDS,
    }  # fmt: skip
    assert made.json() == plain | added and made.status_code == 201
    address = f"/appointments/{plain['id']}"
    answers = [
        program("GET", at(address, **EVERY)).json(),
        program("PATCH", at(address, **EVERY), {}).json(),
        *program("GET", at("/appointments", **EVERY)).json()["items"],
    ]
    assert answers == [made.json()] * 3
    assert program("GET", at(address, expand="spoken")).json() == plain | WORDS


def test_mivicall_adds_them_to_free_times(program, service):
    query = {"serviceTypeId": service.uuid, "from": "2026-11-23T12:00:00Z", "to": "2026-11-23T13:00:00Z"}
    plain = program("GET", at("/availability", **query)).json()["items"]
    first, *_ = program("GET", at("/availability", **query, **EVERY)).json()["items"]
    assert first.keys() - plain[0].keys() == {"professional", "service", "spoken", "label"}
    assert (first["label"], first["service"]["preparation"]) == ("seg 23/11/2026 09:00", None)


@pytest.mark.parametrize("text", ["", ",", "spoken,", "all", "spoken,all", "Spoken", "%00", "x" * 5000])
def test_mivicall_refuses_what_there_is_none_of(program, booked, good, text):
    for asked in [
        ("POST", "/appointments", good),
        ("GET", "/appointments"),
        ("GET", f"/appointments/{booked['id']}"),
        ("PATCH", f"/appointments/{booked['id']}", {"patientNotes": "x"}),
    ]:
        answer = program(asked[0], at(asked[1], expand=text), *asked[2:])
        assert answer.status_code == 422 and "expand" in answer.text
    assert program("GET", f"/appointments/{booked['id']}").json()["patientNotes"] is None


def test_imagemais_adds_words_and_preparation(desk):
    prepare(desk.procedures[0])
    made = desk.ask("POST", at("/appointments", expand="spoken,preparation"), desk.booking())
    address = f"/appointments/{made.json()[0]['id']}"
    plain = desk.ask("GET", address).json()
    for element, text in zip(plain, ["Jejum de 8 horas.", None], strict=True):
        element |= WORDS
        element["appointmentProcedures"]["procedure"]["preparation"] = text
    query = {"expand": "spoken,preparation"}
    assert made.json() == plain and made.status_code == 201
    assert desk.ask("GET", at(address, **query)).json() == plain
    assert desk.ask("GET", at("/appointments", **query)).json() == plain
    patched = desk.ask("PATCH", at(f"{address}/status", **query), {"action": "confirmado"}).json()
    assert [(element["spoken"], element["status"]["name"]) for element in patched] == [
        ("segunda, às nove", "Confirmado")
    ] * 2


def test_imagemais_adds_where_the_clinic_is(desk):
    desk.ask("POST", "/appointments", desk.booking())
    plain = desk.ask("GET", "/appointments").json()
    assert all("clinic" not in element for element in plain)
    nothing = {"name": desk.clinic.name, "phone": None, "address": None, "city": None}
    asked = at("/appointments", expand="clinic")
    assert [element["clinic"] for element in desk.ask("GET", asked).json()] == [nothing] * len(plain)
    known = {"phone": "+558130000000", "address": "Rua das Marés, 100", "town": "Recife"}
    Clinic.objects.filter(pk=desk.clinic.pk).update(**known)
    whole = {"name": desk.clinic.name, "phone": "+558130000000", "address": "Rua das Marés, 100", "city": "Recife"}
    assert desk.ask("GET", asked).json()[0] == plain[0] | {"clinic": whole}


def test_imagemais_adds_words_to_free_times(desk):
    address = f"/doctors/{desk.doctor.pk}/slots"
    plain = desk.ask("GET", at(address, date=MONDAY)).json()
    spoken = desk.ask("GET", at(address, date=MONDAY, expand="spoken")).json()
    assert spoken[0] == plain[0] | {"spoken": "segunda, às oito", "label": "seg 23/11/2026 08:00"}


def test_imagemais_says_what_is_free_instead_if_asked(desk):
    desk.book()
    again = desk.booking(patient=desk.patient(name="Outra Pessoa", phone="(81) 98888-0000", cpf="529.982.247-25"))
    plain = desk.ask("POST", "/appointments", again)
    asked = desk.ask("POST", at("/appointments", expand="alternatives"), again)
    body = asked.json()
    assert asked.status_code == plain.status_code == 409 and plain.json().items() <= body.items()
    assert body.keys() - plain.json().keys() == {"alternatives"} and len(body["alternatives"]) == 3
    first = body["alternatives"][0]
    assert first["doctorId"] == desk.doctor.pk and first.keys() >= {"spoken", "label"}
    times = {name: first[name] for name in ("doctorId", "date", "startTime", "endTime")}
    assert desk.ask("POST", "/appointments", again | times).status_code == 201


def test_imagemais_says_why_a_time_is_closed_if_asked(desk):
    starts_at, ends_at = desk.clinic.day(MONDAY)
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=starts_at, ends_at=ends_at, reason="férias"
    )
    asked = desk.ask("POST", at("/appointments", expand="alternatives"), desk.booking())
    assert asked.status_code == 400 and asked.json()["message"] == ["Fora do expediente do médico"]
    assert asked.json()["reason"].endswith("não atende nesse horário por ausência: férias.")
    days = [each["date"] for each in asked.json()["alternatives"]]
    assert len(days) == 3 and min(days) == "2026-11-24"


def test_imagemais_offers_times_for_a_move_if_asked(desk):
    first, second = desk.book(), desk.book(startTime="10:00", endTime="10:15")
    move = {"doctorId": desk.doctor.pk, "date": f"{MONDAY}", "startTime": "09:00", "endTime": "09:15"}
    body = desk.ask("PATCH", at(f"/appointments/{second}/reschedule", expand="alternatives"), move).json()
    assert len(body["alternatives"]) == 3 and first != second


def test_imagemais_refuses_what_there_is_none_of(desk):
    booked = desk.book()
    for method, address, *body in [
        ("POST", "/appointments", desk.booking(startTime="11:00", endTime="11:15")),
        ("GET", "/appointments"),
        ("GET", f"/appointments/{booked}"),
        ("PATCH", f"/appointments/{booked}", {"notes": "x"}),
        ("PATCH", f"/appointments/{booked}/status", {"action": "confirmado"}),
        ("GET", f"/doctors/{desk.doctor.pk}/slots?date={MONDAY}"),
    ]:
        joined = address + ("&" if "?" in address else "?") + "expand=spoken,all"
        answer = desk.ask(method, joined, *body)
        assert answer.status_code == 400 and "each value in expand" in answer.json()["message"][0]
