"""Doctors, free times, procedures, discounts and patients."""

from datetime import time, timedelta
from decimal import Decimal

import pytest

from clinic.models import Doctor, Patient
from tests.api.imagemais.conftest import MONDAY
from tests.factories import cpf, make_clinic, make_discount, make_doctor, make_patient, make_procedure


def priced(procedure, price):
    return {"id": procedure.pk, "name": procedure.name, "price": price}


# Doctors --------------------------------------------------------------------------------------------------------------


def test_doctor_is_listed_with_hours_days_and_procedures(desk):
    expected = {
        "id": desk.doctor.pk,
        "name": "Dr Victor",
        "intervalMinutes": 15,
        "startTime": "08:00",
        "endTime": "18:00",
        "workingDays": ["Segunda", "Terca", "Quarta", "Quinta", "Sexta"],
        "isBusy": False,
        "procedures": [priced(desk.procedures[1], "252"), priced(desk.procedures[0], "40")],
    }
    assert desk.ask.get("/doctors").json() == [expected]
    assert desk.ask.get(f"/doctors/{desk.doctor.pk}").json() == expected


def test_a_doctor_without_hours_has_no_times(desk):
    idle = make_doctor(desk.clinic, days=(), procedures=[make_procedure(desk.clinic, active=False)])
    answer = desk.ask.get(f"/doctors/{idle.pk}").json()
    assert (answer["startTime"], answer["endTime"], answer["workingDays"], answer["procedures"]) == (None, None, [], [])


def test_doctor_is_busy_while_a_patient_is_in_service(monday, desk):
    booked = desk.book()
    for action, busy in [("check-in", False), ("em atendimento", True), ("finalizado", False)]:
        desk.ask("PATCH", f"/appointments/{booked}/status", {"action": action})
        assert desk.ask.get(f"/doctors/{desk.doctor.pk}").json()["isBusy"] is busy


def test_inactive_doctor_is_not_listed(desk):
    Doctor.objects.update(active=False)
    assert desk.ask.get("/doctors").json() == []
    answer = desk.ask.get(f"/doctors/{desk.doctor.pk}")
    assert answer.json() == {"message": "Médico não encontrado", "error": "Not Found", "statusCode": 404}


def new_doctor(desk, **changes):
    body = {
        "name": "Dra Ana",
        "procedureIds": [desk.procedures[0].pk],
        "startTime": "07:30",
        "endTime": "12:00",
        "intervalMinutes": 20,
        "workingDays": ["Segunda", "Sabado"],
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def test_a_doctor_is_added_and_can_be_booked(desk):
    answer = desk.ask("POST", "/doctors", new_doctor(desk))
    assert answer.status_code == 201
    created = answer.json()
    assert created == {
        "id": Doctor.objects.latest("pk").pk,
        "name": "Dra Ana",
        "intervalMinutes": 20,
        "startTime": "07:30",
        "endTime": "12:00",
        "workingDays": ["Segunda", "Sabado"],
        "isBusy": False,
        "procedures": [priced(desk.procedures[0], "40")],
    }
    line = [{"id": desk.procedures[0].pk}]
    assert desk.book(doctorId=created["id"], procedures=line, startTime="07:30", endTime="07:50")


@pytest.mark.parametrize(
    "days",
    [
        "Segunda,Quarta",
        "segunda-feira, quarta-feira",
        ["Segunda", "Quarta"],
        ["SEGUNDA-FEIRA", "quarta"],
        ["Quarta,Segunda", "Quarta"],
    ],
)
def test_working_days_come_one_by_one_or_in_one_text(desk, days):
    answer = desk.ask("POST", "/doctors", new_doctor(desk, workingDays=days))
    assert answer.json()["workingDays"] == ["Segunda", "Quarta"]


def test_accents_of_days_are_tolerated(desk):
    answer = desk.ask("POST", "/doctors", new_doctor(desk, workingDays=["Terça-feira", "Sábado"]))
    assert answer.json()["workingDays"] == ["Terca", "Sabado"]


UNKNOWN_DAY = "each value in workingDays must be one of the following values: " + ", ".join(
    ["Segunda", "Terca", "Quarta", "Quinta", "Sexta", "Sabado", "Domingo"]
)
BAD_DOCTORS = {
    "no name": ({"name": None}, ["name should not be empty", "name must be a string"]),
    "an empty name": ({"name": ""}, ["name should not be empty"]),
    "a name of spaces": ({"name": "  "}, ["name should not be empty"]),
    "a long name": ({"name": "x" * 121}, ["name must be shorter than or equal to 120 characters"]),
    "a number for a name": ({"name": 5}, ["name must be a string"]),
    "no procedures": (
        {"procedureIds": None},
        [
            "Procedimentos não encontrados",
            "Pelo menos um procedimento deve ser informado",
            "Os procedimentos são necessários",
        ],
    ),
    "an unknown procedure": ({"procedureIds": [10**30]}, ["Procedimentos não encontrados"]),
    "an unreadable procedure": ({"procedureIds": [True, "x"]}, ["Procedimentos não encontrados"]),
    "no start": ({"startTime": None}, ["startTime should not be empty", "startTime must be a string"]),
    "an end before the start": ({"endTime": "07:00"}, ["endTime deve ser posterior a startTime"]),
    "an end before the start, and no days": (
        {"endTime": "07:00", "workingDays": []},
        ["endTime deve ser posterior a startTime", "workingDays should not be empty"],
    ),
    "an end at the start, and days that are none": (
        {"startTime": "08:00", "endTime": "08:00", "workingDays": "Domingueira"},
        ["endTime deve ser posterior a startTime", UNKNOWN_DAY],
    ),
    "an end of another shape": ({"endTime": "noon"}, ["endTime deve estar no formato HH:mm"]),
    "no interval": (
        {"intervalMinutes": None},
        [
            "intervalMinutes should not be empty",
            "intervalMinutes must be a number conforming to the specified constraints",
        ],
    ),
    "a short interval": ({"intervalMinutes": 4}, ["intervalMinutes must not be less than 5"]),
    "a long interval": ({"intervalMinutes": 241}, ["intervalMinutes must not be greater than 240"]),
    "no days": ({"workingDays": None}, ["workingDays should not be empty", "workingDays must be an array"]),
    "an empty array of days": ({"workingDays": []}, ["workingDays should not be empty"]),
    "a number of days": ({"workingDays": 5}, ["workingDays must be an array"]),
    "an unknown day": ({"workingDays": ["Segunda", "Feriado"]}, [UNKNOWN_DAY]),
    "an empty text of days": ({"workingDays": ""}, [UNKNOWN_DAY]),
    "a day in an array in an array": ({"workingDays": [["Segunda"]]}, [UNKNOWN_DAY]),
    "several at once": (
        {"name": "", "procedureIds": [10**9], "startTime": "8", "intervalMinutes": 1, "workingDays": "x"},
        [
            "name should not be empty",
            "Procedimentos não encontrados",
            "startTime deve estar no formato HH:mm",
            "intervalMinutes must not be less than 5",
            UNKNOWN_DAY,
        ],
    ),
}


@pytest.mark.parametrize("case", BAD_DOCTORS)
def test_invalid_doctor_is_not_added(desk, case):
    changes, expected = BAD_DOCTORS[case]
    answer = desk.ask("POST", "/doctors", new_doctor(desk, **changes))
    assert answer.json() == {"message": expected, "error": "Bad Request", "statusCode": 400}
    assert Doctor.objects.count() == 1


def test_foreign_and_inactive_procedures_are_unknown(desk):
    for procedure in (make_procedure(make_clinic()), make_procedure(desk.clinic, active=False)):
        answer = desk.ask("POST", "/doctors", new_doctor(desk, procedureIds=[procedure.pk]))
        assert answer.json()["message"] == ["Procedimentos não encontrados"]


@pytest.mark.parametrize("raw", ["", "[]", "null", "5"])
def test_empty_doctor_body_gets_every_message(desk, raw):
    assert len(desk.ask("POST", "/doctors", raw=raw).json()["message"]) == 13


# Free times -----------------------------------------------------------------------------------------------------------


def test_free_times_lie_on_the_grid_and_leave_out_what_is_taken(desk):
    desk.book(startTime="08:15", endTime="08:30")
    slots = desk.ask.get(f"/doctors/{desk.doctor.pk}/slots", date=f"{MONDAY}").json()
    assert slots[:2] == [
        {"startTime": "08:00", "endTime": "08:15"},
        {"startTime": "08:30", "endTime": "08:45"},
    ]
    assert {"startTime": "12:00", "endTime": "12:15"} not in slots
    assert slots[-1] == {"startTime": "17:45", "endTime": "18:00"}


def test_there_are_no_free_times_on_days_without_work_or_in_the_past(desk):
    for day in ("2026-11-22", "2026-11-20", "0001-01-01", "9999-12-31"):
        assert desk.ask.get(f"/doctors/{desk.doctor.pk}/slots", date=day).json() == []


def test_a_free_time_can_be_booked(desk):
    slot = desk.ask.get(f"/doctors/{desk.doctor.pk}/slots", date=f"{MONDAY}").json()[5]
    assert desk.book(**slot)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["date should not be empty", "date must be a valid ISO 8601 date string"]),
        ("?date=", ["date should not be empty", "date must be a valid ISO 8601 date string"]),
        ("?date=amanha", ["date must be a valid ISO 8601 date string"]),
    ],
)
def test_free_times_want_a_date(desk, query, expected):
    assert desk.ask("GET", f"/doctors/{desk.doctor.pk}/slots{query}").json()["message"] == expected


# Procedures and discounts ---------------------------------------------------------------------------------------------


def test_procedures_are_listed_with_price_and_duration(desk):
    make_procedure(desk.clinic, active=False)
    assert desk.ask.get("/procedures").json() == [
        priced(desk.procedures[1], "252") | {"durationMinutes": 10},
        priced(desk.procedures[0], "40") | {"durationMinutes": 5},
    ]


def test_discounts_are_listed_while_they_are_valid(desk):
    fixed = make_discount(desk.clinic, name="Dez reais", fixed=Decimal("10.50"), expires_on=MONDAY)
    half = make_discount(desk.clinic, name="Meio", percentage=Decimal("12.50"))
    make_discount(desk.clinic, name="Natal", expires_on=MONDAY - timedelta(days=3))
    assert desk.ask.get("/discounts").json() == [
        {"id": desk.discount.pk, "name": "Desconto de 20%", "fixed": None, "percentage": 20, "expirationDate": None},
        {
            "id": fixed.pk,
            "name": "Dez reais",
            "fixed": "10.5",
            "percentage": None,
            "expirationDate": f"{MONDAY}T00:00:00.000Z",
        },
        {"id": half.pk, "name": "Meio", "fixed": None, "percentage": 12.5, "expirationDate": None},
    ]


@pytest.mark.parametrize(
    ("price", "written"),
    [("0", "0"), ("100.00", "100"), ("0.50", "0.5"), ("1280.05", "1280.05"), ("99999999.99", "99999999.99")],
)
def test_money_has_no_more_digits_than_it_takes(desk, price, written):
    make_procedure(desk.clinic, name="A", price=Decimal(price))
    assert desk.ask.get("/procedures").json()[1]["price"] == written


@pytest.mark.parametrize("path", ["/doctors", "/procedures", "/discounts", "/patients", "/appointments"])
def test_every_list_has_a_limit_and_an_offset(desk, settings, path):
    settings.API_REQUESTS_A_SECOND = 1000
    desk.book()
    whole = desk.ask.get(path).json()
    assert whole
    assert desk.ask.get(path, limit=100).json() == whole
    assert desk.ask.get(path, limit=1, offset=50).json() == []
    answer = desk.ask.get(path, limit=101)
    assert answer.json()["message"] == ["limit must not be greater than 100"]
    assert desk.ask.get(path, limit="x", offset="").json()["message"] == [
        "limit must be an integer number",
        "offset must be an integer number",
    ]


def test_a_list_gives_fifty_unless_asked_for_more(desk):
    for number in range(51):
        make_discount(desk.clinic, name=f"Desconto {number}")
    assert len(desk.ask.get("/discounts").json()) == 50
    assert len(desk.ask.get("/discounts", limit=100).json()) == 52


# Patients -------------------------------------------------------------------------------------------------------------


VALID = {"name": "Ana Luísa Prado", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "529.982.247-25"}


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
            "A data de nascimento é necessária",
            "dateBirth must be a valid ISO 8601 date string",
            "O telefone é necessário",
            "phone must be a string",
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


# Whatever is sent -----------------------------------------------------------------------------------------------------

ODD = [None, True, 0, 0.1, 10**30, "", "\0", "\ud800", "x" * 10_000, [], [None, {}, [], "\ud800"], {}, {"id": []}]


@pytest.mark.parametrize("field", ["name", "procedureIds", "startTime", "endTime", "intervalMinutes", "workingDays"])
def test_any_doctor_body_is_never_a_500(desk, settings, field):
    settings.API_REQUESTS_A_SECOND = 1000
    for odd in ODD:
        answer = desk.ask("POST", "/doctors", new_doctor(desk) | {field: odd})
        assert answer.status_code in {201, 400}, (odd, answer.content)


@pytest.mark.parametrize("field", ["name", "phone", "dateBirth", "cpf"])
def test_any_patient_body_is_never_a_500(desk, settings, field):
    settings.API_REQUESTS_A_SECOND = 1000
    patient = make_patient(desk.clinic)
    for odd in ODD:
        assert desk.ask("POST", "/patients", VALID | {field: odd}).status_code in {201, 400, 409}, odd
        assert desk.ask("PATCH", f"/patients/{patient.pk}", {field: odd}).status_code in {200, 400}, odd


def test_a_clinics_own_hours_may_end_late(desk):
    answer = desk.ask("POST", "/doctors", new_doctor(desk, startTime="00:00", endTime="23:59"))
    assert answer.json()["endTime"] == "23:59"
    assert Doctor.objects.latest("pk").hours.first().starts == time(0)


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
