"""Editing an appointment: its notes, its patient, and what belongs to another call."""

from datetime import timedelta

import pytest

from clinic.api.imagemais.bodies import EditBody, PatientBody
from clinic.models import Appointment, Patient
from tests.factories import cpf, make_patient


def edit(desk, pk, body):
    return desk.ask("PATCH", f"/appointments/{pk}", body)


def test_notes_are_replaced(desk, booked):
    answer = edit(desk, booked, {"notes": "Jejum de 8 horas"})
    assert (answer.status_code, answer.json()[0]["notes"]) == (200, "Jejum de 8 horas")
    assert edit(desk, booked, {"notes": ""}).json()[0]["notes"] is None


def test_the_patients_data_are_replaced_and_the_cpf_may_stay_out(desk, booked):
    body = {"patient": {"name": "João da Silva", "phone": "(81) 97777-6666", "dateBirth": "1991-02-03"}}
    patient = edit(desk, booked, body).json()[0]["patient"]
    assert patient["name"] == "João da Silva"
    assert patient["contact"] == {"phone": "(81) 97777-6666"}
    assert patient["dateBirth"] == "1991-02-03T00:00:00.000Z"
    assert patient["cpf"] is None


def test_a_doubtful_cpf_leaves_the_stored_one_as_it_is(desk, booked):
    patient = desk.patient(cpf=cpf(222333444))
    assert edit(desk, booked, {"patient": patient}).status_code == 200
    assert edit(desk, booked, {"patient": desk.patient()}).status_code == 200
    assert Patient.objects.get().cpf == cpf(222333444)


@pytest.mark.parametrize("body_of", ["appointment", "patient"])
def test_concurrent_change_of_a_patient_at_the_desk_is_kept(desk, booked, monkeypatch, body_of):
    """After the patient is read and before it is locked, a colleague at the desk saves the rest of the form."""
    body, save = {"appointment": (EditBody, "_save_patient"), "patient": (PatientBody, "save")}[body_of]
    patient = Appointment.objects.get(pk=booked).patient
    slowly = getattr(body, save)

    def after_the_desk(self, read, by):
        Patient.objects.filter(pk=patient.pk).update(email="joao@exemplo.com", notes="usa cadeira de rodas")
        return slowly(self, read, by)

    monkeypatch.setattr(body, save, after_the_desk)
    if body_of == "patient":
        answer = desk.ask("PATCH", f"/patients/{patient.pk}", {"phone": "(81) 98888-8888"})
    else:
        answer = edit(desk, booked, {"patient": desk.patient(phone="(81) 98888-8888")})

    assert answer.status_code == 200, answer.content.decode()
    hashed = patient.phone_hash
    patient.refresh_from_db()
    assert (patient.email, patient.notes) == ("joao@exemplo.com", "usa cadeira de rodas")
    assert patient.phone == "+5581988888888" and patient.phone_hash != hashed


@pytest.mark.parametrize(
    "written",
    [
        "1990-05-17T03:00:00.000Z",
        "1990-05-17T23:59:59-03:00",
        "1990-05-17T00:00",
        "1990-05-17T00:00:00,5+0100",
        "1990-05-17",
    ],
)
def test_birth_date_is_read_as_written_whatever_its_time_part(desk, booked, written):
    patient = edit(desk, booked, {"patient": desk.patient(dateBirth=written)}).json()[0]["patient"]
    assert patient["dateBirth"] == "1990-05-17T00:00:00.000Z"
    answer = desk.ask("POST", "/appointments", desk.booking(date="2026-11-24T03:00:00.000Z"))
    assert "A data deve ser uma data válida" in answer.json()["message"]


@pytest.mark.parametrize("written", ["1990-05-17T25:00:00Z", "1990-05-17T", "1990-05-17 03:00", "1990-02-30T03:00:00Z"])
def test_birth_date_with_an_invalid_time_is_refused(desk, booked, written):
    answer = edit(desk, booked, {"patient": desk.patient(dateBirth=written)})
    assert answer.json()["message"] == ["patient.dateBirth must be a valid ISO 8601 date string"]


def test_an_edit_tells_all_that_is_wrong_and_changes_nothing(desk, booked):
    known = make_patient(desk.clinic)
    answer = edit(desk, booked, {"patient": desk.patient(name="Outro", cpf=known.cpf), "notes": "x" * 5001})
    assert answer.json()["message"] == [
        "patient.Já existe um paciente com esse CPF",
        "notes deve ter no máximo 5000 caracteres",
    ]
    answer = edit(desk, booked, {"patient": {"phone": "1", "dateBirth": "2030-01-01"}, "notes": 5})
    assert answer.json()["message"] == [
        "patient.A data de nascimento deve ser anterior a hoje",
        "patient.O telefone deve estar no formato (81) 99999-9999",
        "patient.O nome é necessário",
        "patient.name must be a string",
        "notes must be a string",
    ]
    assert set(Patient.objects.values_list("name", flat=True)) == {"João Silva", known.name}
    assert Appointment.objects.get().notes == "Observações sobre o agendamento"


def test_valid_notes_are_not_kept_when_the_patient_is_refused(desk, booked):
    assert edit(desk, booked, {"patient": desk.patient(phone="1"), "notes": "novas"}).status_code == 400
    assert Appointment.objects.get().notes == "Observações sobre o agendamento"


@pytest.mark.parametrize("raw", ["", "[]", "5", "null", '"notes"'])
def test_edit_that_is_no_object_is_refused(desk, booked, raw):
    answer = desk.ask("PATCH", f"/appointments/{booked}", raw=raw)
    assert answer.json()["message"] == ["O corpo da requisição deve ser um objeto JSON"]


@pytest.mark.parametrize("nothing", [{}, {"unknown": 5}], ids=str)
def test_an_empty_edit_changes_nothing(desk, booked, nothing):
    before = desk.ask.get(f"/appointments/{booked}").json()
    answer = edit(desk, booked, nothing)
    assert (answer.status_code, answer.json()) == (200, before)


def test_null_takes_away_the_notes_and_the_cpf_of_an_appointment(desk, booked):
    assert edit(desk, booked, {"notes": None}).json()[0]["notes"] is None
    edit(desk, booked, {"patient": desk.patient(cpf=cpf(222333444))})
    assert edit(desk, booked, {"patient": desk.patient(cpf=None)}).json()[0]["patient"]["cpf"] == "222.333.444-05"
    patient = edit(desk, booked, {"patient": desk.patient() | {"cpf": None}}).json()[0]["patient"]
    assert patient["cpf"] is None and Patient.objects.get().cpf is None


@pytest.mark.parametrize("patient", [None, {}, {"name": None, "phone": None, "dateBirth": None}], ids=str)
def test_an_appointment_cannot_be_without_its_patient(desk, booked, patient):
    answer = edit(desk, booked, {"patient": patient})
    assert answer.status_code == 400
    assert "patient.O nome é necessário" in answer.json()["message"]
    assert Patient.objects.get().name == "João Silva"


BOOK_ANEW = "cancele com PATCH /api/appointments/{id}/status e crie outro com POST /api/appointments"
MOVE = "use PATCH /api/appointments/{id}/reschedule"
EDIT = "use PATCH /api/appointments/{id}"
CHANGE_STATUS = "use PATCH /api/appointments/{id}/status"
ELSEWHERE = {
    "": {
        "procedures": BOOK_ANEW,
        "discountId": BOOK_ANEW,
        "doctorId": MOVE,
        "date": MOVE,
        "startTime": MOVE,
        "endTime": MOVE,
        "withoutExpiredDiscount": MOVE,
        "status": CHANGE_STATUS,
        "action": CHANGE_STATUS,
    },
    "/reschedule": {
        "patient": EDIT,
        "procedures": BOOK_ANEW,
        "discountId": BOOK_ANEW,
        "notes": EDIT,
        "status": CHANGE_STATUS,
        "action": CHANGE_STATUS,
    },
    "/status": {
        "patient": EDIT,
        "procedures": BOOK_ANEW,
        "discountId": BOOK_ANEW,
        "date": MOVE,
        "startTime": MOVE,
        "endTime": MOVE,
        "withoutExpiredDiscount": MOVE,
        "notes": EDIT,
        "status": CHANGE_STATUS,
    },
}
GOOD_CHANGES = {
    "": lambda desk: {"notes": "x"},
    "/reschedule": lambda desk: {
        "doctorId": desk.doctor.pk,
        "date": "2026-11-24",
        "startTime": "10:00",
        "endTime": "10:15",
    },
    "/status": lambda desk: {"action": "confirmado"},
}


@pytest.mark.parametrize(("path", "key"), [(path, key) for path, keys in ELSEWHERE.items() for key in keys])
@pytest.mark.parametrize("value", [lambda desk, key: desk.booking().get(key, "confirmado"), lambda desk, key: None])
def test_field_of_another_call_is_reported_with_that_call(desk, booked, path, key, value):
    before = desk.ask.get(f"/appointments/{booked}").json()
    body = GOOD_CHANGES[path](desk) | {key: value(desk, key)}
    answer = desk.ask("PATCH", f"/appointments/{booked}{path}", body)
    message = f"{key} não muda por esta chamada: {ELSEWHERE[path][key]}"
    assert answer.json() == {"message": [message], "error": "Bad Request", "statusCode": 400}
    assert desk.ask.get(f"/appointments/{booked}").json() == before


def test_all_fields_of_other_calls_are_reported_together(desk, booked):
    answer = edit(desk, booked, {"status": "confirmado", "startTime": "10:00", "procedures": [], "notes": 5}).json()
    assert answer["message"] == [
        "notes must be a string",
        f"procedures não muda por esta chamada: {BOOK_ANEW}",
        f"startTime não muda por esta chamada: {MOVE}",
        f"status não muda por esta chamada: {CHANGE_STATUS}",
    ]


def test_an_edit_moves_updated_at_and_not_created_at(desk, booked, saturday):
    saturday.shift(timedelta(minutes=5))
    element = edit(desk, booked, {"notes": "x"}).json()[0]
    assert (element["createdAt"], element["updatedAt"]) == ("2026-11-21T15:00:00.123Z", "2026-11-21T15:05:00.123Z")
