"""Both APIs after two patients were merged: the merged id is answered for, lists and copies have the kept one alone."""

import pytest

from clinic.booking import merge_patients, undo_merge
from clinic.models import Patient
from tests.api.test_changes import APIS, Api
from tests.booking.desk import BY
from tests.factories import book_appointment, cpf, make_doctor, make_patient, phone

pytestmark = pytest.mark.django_db
OLD_PHONE = phone(611)


@pytest.fixture
def kept(recife):
    return make_patient(recife, name="Ana de Souza", second_phone=phone(610))


@pytest.fixture
def visit(recife):
    merged = make_patient(recife, name="Ana Sousa", phone=OLD_PHONE, cpf=cpf(611_000_000))
    return book_appointment(make_doctor(recife), patient=merged.pk)


@pytest.fixture(params=APIS)
def api(request, recife):
    return Api(request.param, request.getfixturevalue(request.param)(recife))


def merge(kept, visit):
    return merge_patients(kept.pk, visit.patient_id, clinic=kept.clinic, sides={}, by=BY)


def test_a_copy_removes_the_merged_one_and_gets_its_visits_anew(api, kept, visit):
    merged = visit.patient
    following = api.since("/patients")[2]
    done = merge(kept, visit)

    assert api.since("/patients", following)[:2] == ([api.id_of(kept)], {api.id_of(merged)})
    changed = api.page("/appointments", updatedSince=following)[0]
    assert list(changed) == [api.id_of(visit)]
    shown = str(changed[api.id_of(visit)])
    assert "Ana de Souza" in shown and "Ana Sousa" not in shown

    undo_merge(done.pk, clinic=kept.clinic, by=BY)
    assert set(api.since("/patients", following)[0]) == {api.id_of(kept), api.id_of(merged)}
    assert "Ana Sousa" in str(api.page("/appointments", updatedSince=following)[0])


def test_imagemais_lists_the_kept_one_and_answers_for_the_merged_id(imagemais, kept, visit):
    program, merged = imagemais(kept.clinic), visit.patient_id
    merge(kept, visit)

    assert [each["id"] for each in program.get("/patients").json()] == [kept.pk]
    assert [each["id"] for each in program.get("/patients", name="sousa").json()] == []
    assert [each["id"] for each in program.get("/appointments", patientId=merged).json()] == [visit.pk]
    answer = program("PATCH", f"/patients/{merged}", {"name": "Ana S. Souza"})
    assert (answer.status_code, answer.json()["id"], answer.json()["name"]) == (200, kept.pk, "Ana S. Souza")
    assert Patient.objects.get(pk=merged).name == "Ana Sousa"


def test_mivicall_finds_the_kept_one_by_the_phone_of_the_merged(mivicall, kept, visit):
    program, old = mivicall(kept.clinic), visit.patient
    merge(kept, visit)

    found = program.get(f"/patients/{old.phone_hash}").json()
    assert [each["id"] for each in found["patients"]] == [str(kept.uuid)]
    assert [each["id"] for each in found["appointments"]] == [str(visit.uuid)]
    searched = program.get("/patients", search="Ana").json()
    assert [each["id"] for each in searched["items"]] == [str(kept.uuid)]


def test_a_booking_with_the_data_of_the_merged_one_is_the_kept_ones(imagemais, mivicall, kept, visit):
    merge(kept, visit)
    number = Patient.objects.count()
    doctor = visit.doctor
    body = {
        "professionalId": str(doctor.uuid),
        "serviceTypeId": str(doctor.procedures.get().uuid),
        "startsAt": visit.ends_at.isoformat(),
        "patientName": "Ana Sousa",
        "patientPhone": OLD_PHONE,
    }
    answer = mivicall(kept.clinic)("POST", "/appointments", body)
    assert answer.status_code == 201 and answer.json()["patientName"] == "Ana de Souza"
    assert Patient.objects.count() == number
