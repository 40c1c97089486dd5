"""Patients: registered, changed, found, and whatever is sent as one."""

import pytest

from clinic.models import Patient
from tests.api.imagemais.conftest import ODD, VALID, new_doctor
from tests.factories import cpf, make_patient

# Patients -------------------------------------------------------------------------------------------------------------


def test_a_patient_is_registered(desk):
    answer = desk.ask("POST", "/patients", VALID)
    assert answer.status_code == 201
    assert answer.json() == {
        "dateBirth": "1990-01-01T00:00:00.000Z",
        "id": Patient.objects.get().pk,
        "name": "Ana Luísa Prado",
        "cpf": "529.982.247-25",
        "contact": {"phone": "(81) 99999-9999"},
    }


def test_foreign_phone_is_shown_with_its_country(desk):
    created = desk.ask("POST", "/patients", VALID | {"phone": "+351 912 345 678"}).json()
    assert created["contact"] == {"phone": "+351 912 345 678"}


@pytest.mark.parametrize("change", [{}, {"name": VALID["name"].upper()}, {"phone": "+5581999999999"}, {"cpf": None}])
def test_a_patient_who_is_there_is_a_conflict(desk, change):
    desk.ask("POST", "/patients", VALID | {"cpf": None})
    answer = desk.ask("POST", "/patients", VALID | change)
    assert answer.status_code == 409
    assert answer.json() == {
        "message": "Já existe um paciente com esse nome e telefone",
        "error": "Conflict",
        "statusCode": 409,
    }
    assert Patient.objects.of(desk.clinic).count() == 1


def test_namesake_on_same_phone_with_other_birth_date_is_registered(desk):
    desk.ask("POST", "/patients", VALID | {"cpf": None})
    son = VALID | {"cpf": None, "dateBirth": "2015-01-01"}
    assert desk.ask("POST", "/patients", son).status_code == 201


def test_a_second_patient_with_the_cpf_is_a_conflict(desk):
    desk.ask("POST", "/patients", VALID)
    answer = desk.ask("POST", "/patients", VALID | {"name": "Outra"})
    conflict = {"message": "Já existe um paciente com esse CPF", "error": "Conflict", "statusCode": 409}
    assert (answer.status_code, answer.json()) == (409, conflict)
    other = make_patient(desk.clinic)
    assert desk.ask("PATCH", f"/patients/{other.pk}", {"cpf": VALID["cpf"]}).json() == conflict
    slip = desk.ask("POST", "/patients", VALID | {"phone": "1"})
    assert slip.json()["message"] == ["O telefone deve estar no formato (81) 99999-9999"]


BAD_PATIENTS = {
    "nothing": (
        {"name": None, "phone": None, "dateBirth": None, "cpf": None},
        [
            "O nome é necessário",
            "name must be a string",
        ],
    ),
    "a wrong cpf": ({"cpf": "123.456.789-00"}, ["O CPF é inválido"]),
    "a short cpf": ({"cpf": "1"}, ["O CPF deve estar no formato 123.456.789-00"]),
    "a cpf that is a number": ({"cpf": 52998224725}, ["cpf must be a string"]),
    "rules and shapes": (
        {"name": 5, "phone": "1", "dateBirth": "2030-01-01", "cpf": "123.456.789-00"},
        [
            "O CPF é inválido",
            "A data de nascimento deve ser anterior a hoje",
            "O telefone deve estar no formato (81) 99999-9999",
            "name must be a string",
        ],
    ),
}


@pytest.mark.parametrize("case", BAD_PATIENTS)
def test_invalid_patient_is_not_registered(desk, case):
    changes, expected = BAD_PATIENTS[case]
    body = {name: value for name, value in (VALID | changes).items() if value is not None}
    answer = desk.ask("POST", "/patients", body)
    assert answer.json() == {"message": expected, "error": "Bad Request", "statusCode": 400}
    assert not Patient.objects.exists()


def test_only_what_is_sent_of_a_patient_changes(desk):
    patient = make_patient(desk.clinic, name="Ana", email="ana@exemplo.com")
    answer = desk.ask("PATCH", f"/patients/{patient.pk}", {"phone": "81 98888-8888"})
    assert answer.status_code == 200
    assert answer.json()["contact"] == {"phone": "(81) 98888-8888"}
    stored = Patient.objects.get()
    assert (stored.name, stored.email, stored.cpf) == ("Ana", "ana@exemplo.com", patient.cpf)


def test_null_takes_away_what_a_patient_can_be_without(desk):
    patient = make_patient(desk.clinic, birth_date="1990-01-01", cpf=cpf(222333444))
    changed = desk.ask("PATCH", f"/patients/{patient.pk}", {"cpf": None}).json()
    assert (changed["cpf"], changed["dateBirth"]) == (None, "1990-01-01T00:00:00.000Z")
    assert desk.ask("PATCH", f"/patients/{patient.pk}", {"dateBirth": None}).json()["dateBirth"] is None
    patient.refresh_from_db()
    assert (patient.cpf, patient.birth_date) == (None, None)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("name", ["O nome é necessário", "name must be a string"]),
        ("phone", ["O telefone é necessário", "phone must be a string"]),
    ],
)
def test_null_is_no_name_and_no_phone(desk, field, message):
    patient = make_patient(desk.clinic)
    answer = desk.ask("PATCH", f"/patients/{patient.pk}", {field: None})
    assert (answer.status_code, answer.json()["message"]) == (400, message)


def test_errors_in_a_change_of_a_patient_are_reported(desk):
    patient = make_patient(desk.clinic)
    answer = desk.ask("PATCH", f"/patients/{patient.pk}", {"name": "", "phone": 5, "cpf": "1"})
    assert answer.json()["message"] == [
        "O CPF deve estar no formato 123.456.789-00",
        "phone must be a string",
        "O nome é necessário",
    ]
    for raw in ("", "[]", "null", "5"):
        answer = desk.ask("PATCH", f"/patients/{patient.pk}", raw=raw)
        assert answer.json()["message"] == ["O corpo da requisição deve ser um objeto JSON"]


def test_no_patient_loses_a_cpf_to_a_blank_one(desk):
    patient = make_patient(desk.clinic)
    for blank in ("", " ", "..-"):
        assert desk.ask("PATCH", f"/patients/{patient.pk}", {"cpf": blank}).status_code == 400
    assert Patient.objects.get().cpf == patient.cpf


def test_an_unknown_patient_is_not_found(desk):
    answer = desk.ask("PATCH", "/patients/999999", {"name": "x"})
    assert answer.json() == {"message": "Paciente não encontrado", "error": "Not Found", "statusCode": 404}


def test_patients_are_found_by_name_cpf_and_phone(desk, settings):
    settings.API_REQUESTS_A_SECOND = 1000
    ana = make_patient(desk.clinic, name="Ana Luísa Prado", cpf=cpf(111222333), phone="+5581911112222")
    bia = make_patient(desk.clinic, name="Bia Prado", phone="+5581933334444")

    def found(**query):
        return [patient["id"] for patient in desk.ask.get("/patients", **query).json()]

    assert found() == [ana.pk, bia.pk]
    assert found(name="prado") == [ana.pk, bia.pk]
    assert found(name="LUISA prado") == [ana.pk]
    assert found(name="%") == found(name="x\u200b") == []
    assert found(cpf=cpf(111222333)) == [ana.pk]
    assert found(cpf=cpf(999888777)) == []
    assert found(phone="(81) 91111-2222") == found(phone="081911112222") == found(phone="2222") == [ana.pk]
    assert found(name="prado", phone="3333") == [bia.pk]
    assert desk.ask.get("/patients", cpf="1", phone="12", limit=0).json()["message"] == [
        "O CPF deve estar no formato 123.456.789-00",
        "O telefone deve ter pelo menos 4 dígitos",
        "limit must not be less than 1",
    ]


def test_patients_are_found_by_the_second_phone_too(desk):
    """To which the desk puts the phone that a program's new one has replaced."""
    ana = make_patient(desk.clinic, phone="+5581911112222", second_phone="+5581987654321")
    for phone in ("(81) 98765-4321", "87654321", "4321", "8187654321", "558187654321"):
        (found,) = desk.ask.get("/patients", phone=phone).json()
        assert (found["id"], found["contact"]) == (ana.pk, {"phone": "(81) 91111-2222"})


# Whatever is sent -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["name", "phone", "dateBirth", "cpf"])
def test_any_patient_body_is_never_a_500(desk, settings, field):
    settings.API_REQUESTS_A_SECOND = 1000
    patient = make_patient(desk.clinic)
    for odd in ODD:
        assert desk.ask("POST", "/patients", VALID | {field: odd}).status_code in {201, 400, 409}, odd
        assert desk.ask("PATCH", f"/patients/{patient.pk}", {field: odd}).status_code in {200, 400}, odd


DOUBTFUL_PHONES = {
    "(81) 9999-9999": "+558199999999",
    "(81) 99999-999": "+558199999999",
    "8188887777": "+558188887777",
    "(20) 99999-9999": "+5520999999999",
    "(81) 89999-9999": "+5581899999999",
    "+351 512 345 678": "+351512345678",
    "+44 20 7946 095": "+44207946095",
}


@pytest.mark.parametrize(("sent", "number"), DOUBTFUL_PHONES.items())
def test_a_phone_that_may_not_exist_is_kept_as_it_was_sent(desk, sent, number):
    desk.book(patient=desk.patient(phone=sent))
    assert Patient.objects.get().phone.as_e164 == number and Patient.objects.get().has_doubtful_phone
    answer = desk.ask("POST", "/patients", VALID | {"name": "Rui Sá", "cpf": None, "phone": sent})
    assert answer.status_code == 201
    changed = desk.ask("PATCH", f"/patients/{answer.json()['id']}", {"phone": sent, "name": "Rui S"})
    assert changed.status_code == 200 and Patient.objects.get(name="Rui S").phone.as_e164 == number


NO_PHONES = {
    "81-3222-CASA": "O telefone contém “CASA”, que não é número",
    "81 98888-7777 ramal 3": "O telefone contém “ramal”, que não é número",
    "00 15 81 98876 5432": "O telefone começa por 00 e o código de uma operadora (15)",
    "0015351 912345678": "O telefone começa por 00 e o código de uma operadora (15)",
    "(81) 98888-7777 / (81) 3421-5678": "O telefone deve ser um só",
    "(81) 99999-99": "O telefone deve estar no formato (81) 99999-9999",
    "99999-9999": "O telefone deve estar no formato (81) 99999-9999",
    "+49 123456789012345": "O telefone deve estar no formato (81) 99999-9999",
    "+2348001234567890": "O telefone deve estar no formato (81) 99999-9999",
}


@pytest.mark.parametrize(("sent", "sentence"), NO_PHONES.items())
def test_invalid_phone_is_refused_and_explained(desk, sent, sentence):
    booked = desk.ask("POST", "/appointments", desk.booking(patient=desk.patient(phone=sent)))
    assert (booked.status_code, booked.json()["message"]) == (400, [f"patient.{sentence}"])
    assert desk.ask("POST", "/patients", VALID | {"phone": sent}).json()["message"] == [sentence]
    assert not Patient.objects.exists()


@pytest.mark.parametrize("sent", list(NO_PHONES)[:5])
def test_a_search_by_what_is_no_phone_is_refused_and_named(desk, sent):
    make_patient(desk.clinic, phone="+5581322299999")
    answer = desk.ask.get("/patients", phone=sent)
    assert (answer.status_code, answer.json()["message"]) == (400, [NO_PHONES[sent]])


def test_a_search_finds_a_mobile_with_and_without_its_ninth_digit(desk):
    ana = make_patient(desk.clinic, name="Ana", phone="+5581988887777")
    bia = make_patient(desk.clinic, name="Bia", phone="+558177776666")
    old = make_patient(desk.clinic, name="Caio", phone="+558166665555")

    def found(phone):
        return [patient["id"] for patient in desk.ask.get("/patients", phone=phone).json()]

    assert found("(81) 8888-7777") == found("tel. 0055 81 98888-7777") == found("８８８８－７７７７") == [ana.pk]
    assert found("(81) 7777-6666") == [bia.pk]
    assert found("(81) 96666-5555") == [old.pk]


@pytest.mark.parametrize(
    "sent",
    [
        "CPF: 529.982.247-25",
        "529.982.247\u221225",
        "\ufeff529 982 247 25",
        "５２９.982.247/25",
        "C.P.F. nº 52998224725",
    ],
)
def test_a_cpf_is_read_with_its_label_and_any_dash(desk, sent):
    answer = desk.ask("POST", "/patients", VALID | {"cpf": sent})
    assert (answer.status_code, answer.json()["cpf"]) == (201, "529.982.247-25")
    assert [patient["id"] for patient in desk.ask.get("/patients", cpf=sent).json()] == [answer.json()["id"]]


@pytest.mark.parametrize("name", ["12345", "---", "🙂", "(1)", "٣٤"])
def test_a_name_without_a_letter_is_refused(desk, name):
    assert desk.ask("POST", "/patients", VALID | {"name": name}).json() == {
        "message": ["O nome deve ter pelo menos uma letra"],
        "error": "Bad Request",
        "statusCode": 400,
    }
    booked = desk.ask("POST", "/appointments", desk.booking(patient=desk.patient(name=name)))
    assert booked.json()["message"] == ["patient.O nome deve ter pelo menos uma letra"]
    added = desk.ask("POST", "/doctors", new_doctor(desk, name=name))
    assert added.json()["message"] == ["name must contain at least one letter"]
    assert not Patient.objects.exists()


# The vendor's own shape -----------------------------------------------------------------------------------------------


def nested(**changes):
    """A patient as our answers, and the vendor's, write it: the phone is in `contact`."""
    flat = {"name": "Rita Nova", "dateBirth": "1990-01-01", "contact": {"phone": "(81) 99999-1234"}}
    return {name: value for name, value in (flat | changes).items() if value is not None}


def test_a_phone_in_contact_registers_books_and_changes(desk):
    registered = desk.ask("POST", "/patients", nested())
    assert registered.json()["contact"] == {"phone": "(81) 99999-1234"}, registered.json()
    changed = desk.ask("PATCH", f"/patients/{registered.json()['id']}", {"contact": {"phone": "(81) 98888-1234"}})
    assert changed.json()["contact"] == {"phone": "(81) 98888-1234"}
    booked = desk.ask("POST", "/appointments", desk.booking(patient=nested(cpf="529.982.247-25")))
    assert booked.json()[0]["patient"]["contact"] == {"phone": "(81) 99999-1234"}


def test_an_answer_sent_back_as_it_was_read_is_accepted(desk):
    registered = desk.ask("POST", "/patients", nested(cpf="529.982.247-25")).json()
    assert desk.ask("PATCH", f"/patients/{registered['id']}", registered).json() == registered
    edited = desk.ask("PATCH", f"/appointments/{desk.book()}", {"patient": registered | {"cpf": None}})
    assert edited.json()[0]["patient"]["contact"] == registered["contact"]


@pytest.mark.parametrize("phone", ["(81) 99999-0000", "", 7, [], {}])
def test_two_different_phones_are_refused(desk, phone):
    answer = desk.ask("POST", "/patients", nested(phone=phone))
    assert (answer.status_code, answer.json()["message"][0]) == (400, "phone e contact.phone devem ser iguais")


@pytest.mark.parametrize("phone", ["", 7, [], {}, {"a": []}])
def test_an_unusable_phone_in_contact_is_reported_as_a_phone(desk, phone):
    within = desk.ask("POST", "/patients", nested(contact={"phone": phone}))
    assert within.status_code == 400
    assert within.json() == desk.ask("POST", "/patients", nested(contact=None, phone=phone)).json()


@pytest.mark.parametrize("contact", [7, "x", []])
def test_a_contact_that_is_no_object_is_refused(desk, contact):
    answer = desk.ask("POST", "/patients", nested(contact=contact))
    assert answer.json()["message"][0] == "contact deve ser um objeto com phone"


@pytest.mark.parametrize("contact", [7, {}, {"phone": None}])
def test_a_contact_without_a_phone_takes_none_away(desk, contact):
    stored = make_patient(desk.clinic)
    changed = desk.ask("PATCH", f"/patients/{stored.pk}", {"contact": contact})
    booked = desk.ask("POST", "/appointments", desk.booking(patient=nested(contact=contact)))
    assert changed.json()["message"] == ["contact deve ser um objeto com phone"]
    assert "patient.contact deve ser um objeto com phone" in booked.json()["message"]


@pytest.mark.parametrize("contact", [{}, {"phone": None}, {"email": "rita@example.com"}])
def test_a_phone_beside_a_contact_without_one_is_taken(desk, contact):
    answer = desk.ask("POST", "/patients", nested(contact=contact, phone="(81) 99999-1234"))
    assert answer.status_code == 201, answer.json()


def test_a_contact_that_is_null_is_none(desk):
    answer = desk.ask("POST", "/patients", nested() | {"contact": None})
    assert (answer.status_code, answer.json()["contact"]) == (201, {"phone": None})


def test_a_birth_date_may_be_missing_where_no_booking_needs_it(desk):
    registered = desk.ask("POST", "/patients", nested(dateBirth=None))
    assert (registered.status_code, registered.json()["dateBirth"]) == (201, None)


@pytest.mark.parametrize("field", ["rg", "gender", "address"])
def test_a_change_of_what_is_not_kept_is_refused_by_name(desk, field):
    patient = make_patient(desk.clinic)
    answer = desk.ask("PATCH", f"/patients/{patient.pk}", {"name": "Outra", field: "x"})
    assert answer.json()["message"] == [f"{field} não é guardado nesta instalação: nada mudaria"]
    patient.refresh_from_db()
    assert patient.name != "Outra"
    assert desk.ask("POST", "/patients", nested(**{field: "x"})).status_code == 201
    edited = desk.ask("PATCH", f"/appointments/{desk.book()}", {"patient": nested(**{field: "x"})})
    assert edited.json()["message"] == [f"patient.{field} não é guardado nesta instalação: nada mudaria"]


def test_an_accent_sent_apart_from_its_letter_is_stored_with_it(desk):
    registered = desk.ask("POST", "/patients", nested(name="Joa\u0303o Conceic\u0327a\u0303o"))
    assert registered.json()["name"] == "João Conceição"
