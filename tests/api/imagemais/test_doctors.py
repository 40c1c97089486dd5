"""Doctors and their free times."""

from datetime import time

import pytest

from clinic.models import Doctor
from tests.api.imagemais.conftest import MONDAY, ODD, new_doctor, priced
from tests.factories import make_clinic, make_doctor, make_procedure

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


@pytest.mark.parametrize("name", ["Dra Ana", "Dra. ÁNA", "Dr. Ana", "  ana "])
def test_a_doctor_who_works_here_is_not_added_again(desk, name):
    assert desk.ask("POST", "/doctors", new_doctor(desk)).status_code == 201
    answer = desk.ask("POST", "/doctors", new_doctor(desk, name=name))
    body = {"message": "Já existe um médico ativo com esse nome", "error": "Conflict", "statusCode": 409}
    assert answer.json() == body
    assert Doctor.objects.count() == 2
    Doctor.objects.update(active=False)
    assert desk.ask("POST", "/doctors", new_doctor(desk, name=name)).status_code == 201


def test_a_namesake_at_another_clinic_is_another_doctor(desk):
    make_doctor(make_clinic(slug="other"), name="Dra Ana")
    assert desk.ask("POST", "/doctors", new_doctor(desk)).status_code == 201


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
        {"startTime": "08:00", "endTime": "08:15", "freeUntil": "08:15"},
        {"startTime": "08:30", "endTime": "08:45", "freeUntil": "12:00"},
    ]
    assert "12:00" not in [slot["startTime"] for slot in slots]
    assert slots[-1] == {"startTime": "17:45", "endTime": "18:00", "freeUntil": "18:00"}


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


def slots(desk, **query):
    return desk.ask.get(f"/doctors/{desk.doctor.pk}/slots", date=f"{MONDAY}", **query)


def test_free_times_fit_the_procedures_that_are_asked_for(desk):
    """HEMOGRAMA takes 5 minutes and the other 10; the long one does not fit before what is booked."""
    long = make_procedure(desk.clinic, name="CHECK-UP", duration_minutes=45)
    long.doctors.add(desk.doctor)
    desk.book(startTime="08:30", endTime="12:00")
    assert slots(desk, procedureId=long.pk).json()[0] == {"startTime": "13:00", "endTime": "13:45"}
    assert slots(desk).json()[0] == {"startTime": "08:00", "endTime": "08:15", "freeUntil": "08:30"}
    both = slots(desk, procedureId=[long.pk, desk.procedures[1].pk, desk.procedures[0].pk]).json()
    assert both[0] == {"startTime": "13:00", "endTime": "14:00"}
    assert slots(desk, durationMinutes=60).json() == both


def test_until_when_the_doctor_is_free_holds_with_every_end(desk):
    """Also where no whole step of the grid is left before it."""
    desk.book(startTime="08:50", endTime="12:00")
    free = slots(desk).json()
    assert [slot["freeUntil"] for slot in free[:4]] == ["08:50", "08:50", "08:50", "18:00"]
    assert desk.book(
        startTime="08:30", endTime=free[2]["freeUntil"], patient=desk.patient(phone="(81) 98888-7777", name="Ana Luísa")
    )


def test_the_doctor_of_a_night_is_free_until_its_end(desk):
    night = make_doctor(desk.clinic, hours=[(time(20), time(2))], interval_minutes=15)
    free = desk.ask.get(f"/doctors/{night.pk}/slots", date=f"{MONDAY}").json()
    assert free[-1] == {"startTime": "23:45", "endTime": "00:00", "freeUntil": "02:00"}


def test_every_time_that_fits_can_be_booked_as_it_came(desk):
    ids = [procedure.pk for procedure in desk.procedures]
    last = slots(desk, procedureId=ids).json()[-1]
    assert desk.book(**last, procedures=[{"id": pk} for pk in ids])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"procedureId": "x"}, "procedureId must be a number conforming to the specified constraints"),
        ({"procedureId": [1] * 21}, "Devem ser informados no máximo 20 procedimentos"),
        ({"durationMinutes": "0"}, "durationMinutes must not be less than 1"),
        ({"durationMinutes": "721"}, "durationMinutes must not be greater than 720"),
        ({"durationMinutes": "x"}, "durationMinutes must be an integer number"),
        (
            {"durationMinutes": 5, "procedureId": 1},
            "durationMinutes e procedureId não vão juntos: os procedimentos já dizem a duração",
        ),
    ],
)
def test_an_unusable_length_is_refused(desk, query, expected):
    assert slots(desk, **query).json()["message"] == [expected]


def test_a_procedure_not_performed_has_no_free_times(desk):
    assert slots(desk, procedureId=make_procedure(desk.clinic).pk).json() == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (lambda desk: 10**12, "Procedimentos não encontrados"),
        (lambda desk: make_procedure(desk.clinic, active=False).pk, "Procedimentos não encontrados"),
        (lambda desk: [desk.procedures[0].pk] * 2, "O procedimento {} foi informado mais de uma vez"),
    ],
    ids=["unknown", "inactive", "repeated"],
)
def test_free_times_refuse_unknown_and_repeated_procedures(desk, wanted, expected):
    asked = wanted(desk)
    ids = asked if isinstance(asked, list) else [asked]
    message = [expected.format(ids[0])]
    answer = slots(desk, procedureId=ids)
    assert (answer.status_code, answer.json()["message"]) == (400, message)

    body = desk.booking(procedures=[{"id": pk} for pk in ids])
    assert desk.ask("POST", "/appointments", body).json()["message"] == message


# Whatever is sent -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["name", "procedureIds", "startTime", "endTime", "intervalMinutes", "workingDays"])
def test_any_doctor_body_is_never_a_500(desk, settings, field):
    settings.API_REQUESTS_A_SECOND = 1000
    for odd in ODD:
        answer = desk.ask("POST", "/doctors", new_doctor(desk) | {field: odd})
        assert answer.status_code in {201, 400}, (odd, answer.content)


def test_a_clinics_own_hours_may_end_late(desk):
    answer = desk.ask("POST", "/doctors", new_doctor(desk, startTime="00:00", endTime="23:59"))
    assert answer.json()["endTime"] == "23:59"
    assert Doctor.objects.latest("pk").hours.first().starts == time(0)
