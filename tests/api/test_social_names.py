"""Both APIs answer with the name by which the patient wants to be called, wherever a name is spoken or shown."""

import pytest

from clinic.models import Patient
from tests.factories import book_appointment, make_doctor, make_patient


@pytest.fixture
def maria(recife):
    names = {"name": "Teste Seis", "social_name": "Maria Social"}
    return make_patient(recife, phone="+5581988887777", cpf="52998224725", **names)


@pytest.fixture
def visit(recife, maria):
    return book_appointment(make_doctor(recife), patient=maria.pk)


def test_mivicall_answers_with_the_social_name_everywhere(mivicall, recife, maria, visit):
    program = mivicall(recife)

    assert [item["name"] for item in program.get("/patients", search="Seis").json()["items"]] == ["Maria Social"]
    assert [item["name"] for item in program.get("/patients", search="Maria").json()["items"]] == ["Maria Social"]
    family = program.get(f"/patients/{maria.phone_hash}").json()
    assert (family["patients"][0]["name"], family["appointments"][0]["patientName"]) == ("Maria Social",) * 2
    assert program.get("/appointments").json()["items"][0]["patientName"] == "Maria Social"
    assert program.get(f"/appointments/{visit.uuid}").json()["patientName"] == "Maria Social"
    changed = program("PATCH", f"/appointments/{visit.uuid}", {"status": "confirmed"})
    assert changed.json()["patientName"] == "Maria Social"


def test_imagemais_answers_with_the_social_name_everywhere(imagemais, recife, maria, visit):
    program = imagemais(recife)
    day = f"{recife.local(visit.starts_at):%Y-%m-%d}"

    for search in ({"name": "Seis"}, {"name": "social"}, {"cpf": "529.982.247-25"}):
        assert [patient["name"] for patient in program.get("/patients", **search).json()] == ["Maria Social"]
    for answer in (
        program.get("/appointments", date=day),
        program("PATCH", f"/appointments/{visit.pk}/status", {"action": "confirmado"}),
    ):
        assert '"Maria Social"' in answer.content.decode() and "Teste Seis" not in answer.content.decode()
    changed = program("PATCH", f"/patients/{maria.pk}", {"phone": "(81) 98888-7778"})
    assert changed.json()["name"] == "Maria Social"


def test_a_name_sent_back_as_it_was_read_changes_no_document(imagemais, recife, maria, visit):
    program = imagemais(recife)
    read = program.get("/patients", name="Seis").json()[0]
    sent = {"name": read["name"], "phone": read["contact"]["phone"], "dateBirth": "1980-05-17"}

    assert program("PATCH", f"/patients/{maria.pk}", {"name": " Maria  Social"}).status_code == 200
    assert program("PATCH", f"/appointments/{visit.pk}", {"patient": sent}).status_code == 200
    maria.refresh_from_db()
    assert (maria.name, maria.social_name) == ("Teste Seis", "Maria Social")
    assert program("PATCH", f"/patients/{maria.pk}", {"name": "Maria Seis"}).json()["name"] == "Maria Social"
    maria.refresh_from_db()
    assert maria.name == "Maria Seis"


def test_who_is_booked_by_the_social_name_is_known(mivicall, recife, maria, visit):
    body = {
        "professionalId": str(visit.doctor.uuid),
        "serviceTypeId": str(visit.doctor.procedures.get().uuid),
        "patientName": "maria social",
        "patientPhone": "+5581988887777",
        "startsAt": recife.local(visit.ends_at).isoformat(),
    }
    answer = mivicall(recife)("POST", "/appointments", body)

    assert (answer.status_code, answer.json()["patientName"]) == (201, "Maria Social")
    assert Patient.objects.get() == maria
