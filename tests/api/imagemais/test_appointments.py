"""Listing, reading, rescheduling and the statuses."""

import pytest

from clinic.api.imagemais.schemas import BookingIn
from clinic.models import Appointment, AppointmentEvent
from tests.api.imagemais.conftest import MONDAY
from tests.factories import make_doctor, make_procedure

DENIED = {"error": "Conflict", "statusCode": 409}


def another(desk, number, **changes):
    return desk.book(patient=desk.patient(name=f"Paciente {number}", phone=f"(81) 98888-000{number}"), **changes)


# Reading -----------------------------------------------------------------------------------------------------------


def test_one_appointment_reads_as_it_was_answered_when_booked(desk):
    created = desk.ask("POST", "/appointments", desk.booking()).json()
    answer = desk.ask.get(f"/appointments/{created[0]['id']}")
    assert (answer.status_code, answer.json()) == (200, created)


@pytest.mark.parametrize("pk", [0, 10**9, 2**63, 10**40])
def test_an_unknown_appointment_is_not_found(desk, pk):
    answer = desk.ask.get(f"/appointments/{pk}")
    assert answer.json() == {"message": "Agendamento não encontrado", "error": "Not Found", "statusCode": 404}


@pytest.mark.parametrize("pk", ["x", "-1", "1.5", "9" * 5000])
def test_invalid_id_is_not_found(desk, pk):
    assert desk.ask.get(f"/appointments/{pk}").status_code == 404


def listed(desk, **query):
    answer = desk.ask.get("/appointments", **query)
    assert answer.status_code == 200, answer.content.decode()
    return list(dict.fromkeys(element["id"] for element in answer.json()))


def test_list_is_by_time_with_lines_of_one_appointment_together(desk):
    late = another(desk, 1, startTime="10:00", endTime="10:15")
    early = another(desk, 2)
    ids = [element["id"] for element in desk.ask.get("/appointments").json()]
    assert ids == [early, early, late, late]
    assert listed(desk, limit=2) == [early]
    assert listed(desk, limit=2, offset=1) == [early, late]
    assert listed(desk, offset=4) == []


def test_the_list_is_filtered(desk, settings):
    settings.API_REQUESTS_A_SECOND = 1000
    colleague = make_doctor(desk.clinic, procedures=desk.procedures)
    monday, tuesday = another(desk, 1), another(desk, 2, date="2026-11-24", doctorId=colleague.pk)
    desk.ask("PATCH", f"/appointments/{tuesday}/status", {"action": "confirmado"})
    assert listed(desk, date="2026-11-24") == [tuesday]
    assert listed(desk, dateStart="2026-11-24") == [tuesday]
    assert listed(desk, dateEnd="2026-11-23") == [monday]
    assert listed(desk, dateStart="2026-11-23", dateEnd="2026-11-24") == [monday, tuesday]
    assert listed(desk, date="2026-11-23", dateStart="2026-11-24") == []
    assert listed(desk, dateStart="0001-01-01", dateEnd="9999-12-31") == [monday, tuesday]
    assert listed(desk, doctorId=colleague.pk) == [tuesday]
    assert listed(desk, doctorId=10**30) == []
    assert listed(desk, patientId=Appointment.objects.get(pk=monday).patient_id) == [monday]
    assert listed(desk, status="confirmado") == listed(desk, status="2") == [tuesday]
    assert listed(desk, status="agendado") == [monday]


def test_a_day_is_the_clinics_own(desk, settings):
    """22:30 in Recife is 01:30 of the next day in UTC."""
    desk.doctor.hours.update(ends="23:00")
    late = desk.book(startTime="22:30", endTime="22:45")
    assert listed(desk, date=f"{MONDAY}") == [late]
    assert listed(desk, date="2026-11-24") == []
    assert desk.ask.get(f"/appointments/{late}").json()[0]["date"] == f"{MONDAY}T00:00:00.000Z"


BAD_QUERIES = {
    "date=23/11/2026": ["date must be a valid ISO 8601 date string"],
    "dateStart=hoje": ["dateStart must be a valid ISO 8601 date string"],
    "dateEnd=": ["dateEnd must be a valid ISO 8601 date string"],
    "doctorId=x": ["doctorId must be a number conforming to the specified constraints"],
    "patientId=1.5": ["patientId must be a number conforming to the specified constraints"],
    "dateStart=2026-11-24&dateEnd=2026-11-23": ["dateEnd não pode ser anterior a dateStart"],
    "limit=101": ["limit must not be greater than 100"],
    "limit=0": ["limit must not be less than 1"],
    "limit=muitos": ["limit must be an integer number"],
    "limit=1.5": ["limit must be an integer number"],
    "offset=-1": ["offset must not be less than 0"],
    "offset=99999999999999999999": ["offset must not be greater than 2147483647"],
    "limit=0&offset=x": ["limit must not be less than 1", "offset must be an integer number"],
}


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_unreadable_query_is_reported(desk, query):
    answer = desk.ask("GET", f"/appointments?{query}")
    assert answer.json() == {"message": BAD_QUERIES[query], "error": "Bad Request", "statusCode": 400}


def test_unknown_status_is_refused_with_the_valid_ones(desk):
    (message,) = desk.ask.get("/appointments", status="perdido").json()["message"]
    assert message.startswith("status must be one of the following values: agendado, confirmado, cancelado,")


# Rescheduling ------------------------------------------------------------------------------------------------------


def move(desk, pk, **changes):
    body = {"doctorId": desk.doctor.pk, "date": "2026-11-24", "startTime": "10:00", "endTime": "10:15"} | changes
    sent = {name: value for name, value in body.items() if value is not None}
    return desk.ask("PATCH", f"/appointments/{pk}/reschedule", sent)


def test_an_appointment_moves_and_becomes_reagendado(desk, booked):
    colleague = make_doctor(desk.clinic, name="Dra Ana", procedures=desk.procedures)
    answer = move(desk, booked, doctorId=colleague.pk)
    assert answer.status_code == 200
    element = answer.json()[0]
    assert (element["date"], element["startTime"], element["endTime"]) == ("2026-11-24T00:00:00.000Z", "10:00", "10:15")
    assert element["doctor"] == {"id": colleague.pk, "name": "Dra Ana"}
    assert element["status"] == {"id": 8, "name": "Reagendado", "color": "#11a2af"}
    event = AppointmentEvent.objects.latest("pk")
    assert (event.kind, event.channel) == ("rescheduled", "imagemais")


def test_everything_is_required_to_move(desk, booked):
    answer = desk.ask("PATCH", f"/appointments/{booked}/reschedule", {})
    assert answer.json()["message"] == [
        "doctorId should not be empty",
        "doctorId must be a number conforming to the specified constraints",
        "date should not be empty",
        "A data deve ser hoje ou uma data futura",
        "A data deve ser uma data válida",
        "startTime should not be empty",
        "startTime must be a string",
        "endTime should not be empty",
        "endTime must be a string",
    ]


def test_a_move_obeys_the_rules_of_booking(desk, booked, settings):
    settings.API_REQUESTS_A_SECOND = 1000
    idle = make_doctor(desk.clinic, procedures=[])
    another(desk, 1, date="2026-11-24", startTime="10:00", endTime="10:15")
    assert move(desk, booked).json() == DENIED | {"message": "Horários 10:00 já estão ocupados por outros agendamentos"}
    assert move(desk, booked, startTime="07:00", endTime="07:15").json()["message"] == ["Fora do expediente do médico"]
    assert move(desk, booked, doctorId=10**9).json()["message"] == "Médico não encontrado"
    assert move(desk, booked, date="2026-11-20").json()["message"] == ["A data deve ser hoje ou uma data futura"]
    assert move(desk, booked, doctorId=idle.pk).json()["message"] == [
        "O médico não realiza: 17 BETA ESTRADIOL E2 - SEGUNDA AMOSTRA",
        "O médico não realiza: HEMOGRAMA",
    ]
    same = move(desk, booked, date=f"{MONDAY}", startTime="09:00", endTime="09:15")
    assert same.json() == DENIED | {"message": "O agendamento já está nesse horário"}


@pytest.mark.parametrize("pk", [0, "0", 0.0, -1, 2**63])
@pytest.mark.parametrize("day", ["2026-11-20", "2026-11-21", "2026-11-23"])
def test_unknown_doctor_id_is_reported_by_every_api_at_any_time(desk, booked, pk, day):
    time = {"date": day, "startTime": "10:00", "endTime": "10:15"}
    for answer in (
        desk.ask("POST", "/appointments", desk.booking(doctorId=pk, **time)),
        desk.ask("PATCH", f"/appointments/{booked}/reschedule", {"doctorId": pk} | time),
    ):
        assert answer.status_code == (404 if day == "2026-11-23" else 400), answer.content.decode()
    answer = desk.ask("PATCH", f"/appointments/{booked}/status", {"action": "confirmado", "doctorId": pk})
    assert (answer.status_code, answer.json()["message"]) == (400, ["doctorId deve ser o médico do agendamento"])
    if isinstance(pk, str):
        assert desk.ask.get("/appointments", doctorId=pk).json() == []
        assert desk.ask.get(f"/doctors/{pk}/slots", date=day).status_code == 404


def test_a_cancelled_appointment_does_not_move(desk, booked, act):
    act("cancelado")
    assert move(desk, booked).json() == DENIED | {
        "message": "Um agendamento com status Cancelado não pode ser reagendado"
    }


# Statuses ----------------------------------------------------------------------------------------------------------


def test_a_visit_goes_through_its_statuses(monday, desk, booked, act):
    for action, expected in [
        ("confirmado", (2, "Confirmado")),
        ("check-in", (4, "Check-in")),
        ("em atendimento", (5, "Em atendimento")),
        ("finalizados", (7, "Finalizado")),
    ]:
        answer = act(action)
        assert answer.status_code == 200, answer.content.decode()
        status = answer.json()[0]["status"]
        assert (status["id"], status["name"]) == expected


def test_a_status_is_taken_as_answers_write_it(desk, booked, act):
    for action in ("Confirmado", "AGENDADO", "Cancelado"):
        answer = act(action)
        name = answer.json()[0]["status"]["name"]
        assert name.lower() == action.lower()
        assert desk.ask.get("/appointments", status=name).json() == answer.json()


def test_finalizado_is_taken_as_well_as_finalizados(monday, desk, booked, act):
    act("check-in")
    act("em atendimento")
    assert act("finalizado").json()[0]["status"]["name"] == "Finalizado"


def test_a_cancellation_is_the_clinics(desk, booked, act):
    assert act("cancelado", doctorId=desk.doctor.pk).json()[0]["status"]["id"] == 3
    assert Appointment.objects.get().cancelled_by == Appointment.CancelledBy.CLINIC


def test_a_forbidden_transition_names_both_statuses(desk, booked, act):
    answer = act("finalizados")
    assert answer.status_code == 409
    assert answer.json() == DENIED | {"message": "Transição de Agendado para Finalizado não permitida"}


def test_a_miss_waits_for_the_beginning(desk, booked, act):
    assert act("faltou").json() == DENIED | {"message": "Só se marca falta depois do início, às 09:00 de 23/11/2026"}


def test_one_doctor_serves_one_patient(monday, desk, booked, act):
    act("check-in")
    act("em atendimento")
    second = another(desk, 1, startTime="10:00", endTime="10:15")
    desk.ask("PATCH", f"/appointments/{second}/status", {"action": "check-in"})
    answer = desk.ask("PATCH", f"/appointments/{second}/status", {"action": "em atendimento"})
    assert answer.json() == DENIED | {"message": "O médico já está atendendo outro paciente"}


def test_cancelled_appointment_returns_only_if_its_time_is_free(desk, booked, act):
    act("cancelado")
    another(desk, 1)
    assert act("agendado").json() == DENIED | {"message": "Horários 09:00 já estão ocupados por outros agendamentos"}


def test_a_doctor_who_is_sent_must_be_the_appointments(desk, booked, act):
    answer = act("confirmado", doctorId=desk.doctor.pk + 1)
    assert answer.json()["message"] == ["doctorId deve ser o médico do agendamento"]
    assert Appointment.objects.get().status == "scheduled"


@pytest.mark.parametrize(
    "action", ["reagendado", "confirmados", "", 5, ["confirmado"], {"a": 1}, True, "\ud800", "x" * 10_000]
)
def test_unknown_action_is_refused_with_the_valid_ones(desk, booked, act, action):
    answer = act(action)
    assert answer.json()["message"] == [
        "action must be one of the following values: agendado, confirmado, cancelado, check-in, em atendimento, faltou,"
        " finalizados, finalizado"
    ]


@pytest.mark.parametrize("raw", ["", "[]", "null", '{"action": null}'])
def test_missing_action_is_reported(desk, booked, raw):
    answer = desk.ask("PATCH", f"/appointments/{booked}/status", raw=raw)
    assert answer.json()["message"][0] == "action should not be empty"


def test_a_portuguese_clinic_gets_the_same_names(saturday, lisbon, imagemais):
    doctor = make_doctor(lisbon)
    ask = imagemais(lisbon)
    body = {
        "patient": {"name": "Ana", "phone": "912 345 678", "dateBirth": "1990-01-01", "cpf": "123.456.789-00"},
        "procedures": [{"id": doctor.procedures.get().pk}],
        "doctorId": doctor.pk,
        "date": f"{MONDAY}",
        "startTime": "09:00",
        "endTime": "09:30",
    }
    (element,) = ask("POST", "/appointments", body).json()
    assert element["status"]["name"] == "Agendado"
    assert (element["startTime"], element["patient"]["contact"]) == ("09:00", {"phone": "912 345 678"})
    answer = ask("PATCH", f"/appointments/{element['id']}/status", {"action": "em atendimento"})
    assert answer.json()["message"] == "Transição de Agendado para Em atendimento não permitida"
    ask("PATCH", f"/appointments/{element['id']}/status", {"action": "cancelado"})
    answer = ask(
        "PATCH",
        f"/appointments/{element['id']}/reschedule",
        {k: body[k] for k in ("doctorId", "date", "startTime", "endTime")},
    )
    assert answer.json()["message"] == "Um agendamento com status Cancelado não pode ser reagendado"


# The bad bodies of every write ---------------------------------------------------------------------------------------

ODD = [None, True, 0, 0.1, 10**30, "", "\0", "\ud800", "x" * 10_000, [], [None, {}], {}, {"id": []}]
WRITES = {
    "/appointments/{}": ["patient", "patient.cpf", "patient.dateBirth", "patient.phone", "patient.name", "notes"],
    "/appointments/{}/reschedule": ["doctorId", "date", "startTime", "endTime"],
    "/appointments/{}/status": ["action", "doctorId"],
}


@pytest.mark.parametrize("path", WRITES)
def test_whatever_is_sent_in_a_change_is_never_a_500(desk, booked, settings, path):
    settings.API_REQUESTS_A_SECOND = 1000
    good = {
        "/appointments/{}": lambda: {"patient": desk.patient(), "notes": "x"},
        "/appointments/{}/reschedule": lambda: {
            "doctorId": desk.doctor.pk,
            "date": "2026-11-24",
            "startTime": "10:00",
            "endTime": "10:15",
        },
        "/appointments/{}/status": lambda: {"action": "finalizado"},
    }[path]
    for field in WRITES[path]:
        for odd in ODD:
            body = good()
            inner = body["patient"] if "." in field else body
            inner[field.rpartition(".")[2]] = odd
            answer = desk.ask("PATCH", path.format(booked), body)
            assert answer.status_code in {200, 400, 404, 409}, (field, odd, answer.content)
            assert answer.status_code == 200 or answer.json().keys() == {"message", "error", "statusCode"}


def test_change_of_unknown_appointment_reports_bad_input_before_404(desk):
    for path, good in [("", {"notes": "x"}), ("/status", {"action": "confirmado"})]:
        answer = desk.ask("PATCH", f"/appointments/999999{path}", good)
        assert (answer.status_code, answer.json()["message"]) == (404, "Agendamento não encontrado")
    assert move(desk, 999999).json()["message"] == "Agendamento não encontrado"
    assert desk.ask("PATCH", "/appointments/999999", {"notes": 5}).status_code == 400
    assert desk.ask("PATCH", "/appointments/999999/status", {"action": 5}).status_code == 400
    assert move(desk, 999999, date=None).status_code == 400


def test_events_tell_the_token_and_its_user(desk, booked):
    event = AppointmentEvent.objects.get()
    assert event.channel == "imagemais"
    assert event.user.is_master and event.credential.startswith("token ")


def test_a_procedure_that_comes_twice_is_refused_by_its_id(desk):
    one, other = (procedure.pk for procedure in desk.procedures)
    twice = [{"id": one}, {"id": other}, {"id": f"{one}", "discountId": desk.discount.pk}]
    answer = desk.ask("POST", "/appointments", desk.booking(procedures=twice))
    sentence = f"O procedimento {one} foi informado mais de uma vez"
    assert (answer.status_code, answer.json()["message"]) == (400, [sentence])
    assert not Appointment.objects.exists()


def test_twenty_procedures_is_the_limit_and_is_documented(desk):
    made = [make_procedure(desk.clinic, name=f"Exame {number}") for number in range(21)]
    desk.doctor.procedures.set(made)
    procedures = [{"id": procedure.pk} for procedure in made]
    assert len(desk.ask("POST", "/appointments", desk.booking(procedures=procedures[:20])).json()) == 20
    answer = desk.ask("POST", "/appointments", desk.booking(procedures=procedures, startTime="10:00"))
    assert answer.status_code == 400
    assert "Devem ser informados no máximo 20 procedimentos" in answer.json()["message"]
    schema = BookingIn.model_json_schema()["properties"]["procedures"]
    assert (schema["minItems"], schema["maxItems"]) == (1, 20)
