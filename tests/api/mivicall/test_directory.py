"""Professionals, services, free times and patients of a clinic, and the health of the service."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.models import Absence, Patient
from tests.api.mivicall.conftest import PHONE
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_procedure

pytestmark = pytest.mark.django_db

MONDAY = {"from": "2026-11-23T00:00:00-03:00", "to": "2026-11-24T00:00:00-03:00"}


def items(answer):
    assert answer.status_code == 200, answer.json()
    assert set(answer.json()) == {"items"}
    return answer.json()["items"]


def queries_of(program, path, **query):
    """How many statements a call costs; the first of its minute also notes that the key is in use."""
    program.get("/tenants/me")
    with CaptureQueriesContext(connection) as queries:
        answer = program.get(path, **query)
    assert answer.status_code == 200, answer.json()
    return len(queries)


LET_IN = 1  # the key with its clinic, counted by the same statement
LOGGED = 1  # who was shown which patients


# Professionals, services, the clinic ----------------------------------------------------------------------------------


def test_professionals_are_those_who_see_patients_by_name(program, recife, doctor):
    alvaro = make_doctor(recife, name="Álvaro Reis", specialty="Cardiologia")
    make_doctor(recife, name="Bruna Leal", active=False)
    make_doctor()
    assert items(program.get("/professionals")) == [
        {"id": str(alvaro.uuid), "name": "Álvaro Reis", "specialty": "Cardiologia"},
        {"id": str(doctor.uuid), "name": "Dra. Helena Prado", "specialty": "Clínica médica"},
    ]


def test_services_are_those_that_are_offered_with_who_performs_them(program, recife, doctor, service):
    other = make_doctor(recife, name="Abel", procedures=[service])
    make_doctor(recife, procedures=[service], active=False)
    lonely = make_procedure(recife, name="Ecografia", price=Decimal("99999999.99"), duration_minutes=45)
    make_procedure(recife, active=False)
    make_procedure()
    assert items(program.get("/services")) == [
        {
            "id": str(service.uuid),
            "name": "Consulta",
            "durationMinutes": 30,
            "price": 252.0,
            "currency": "BRL",
            "professionalIds": [str(other.uuid), str(doctor.uuid)],
        },
        {
            "id": str(lonely.uuid),
            "name": "Ecografia",
            "durationMinutes": 45,
            "price": 99999999.99,
            "currency": "BRL",
            "professionalIds": [],
        },
    ]


def test_services_come_in_order_of_name(program, recife):
    for letter in "HGFEDCBA":
        make_procedure(recife, name=letter)
    assert [service["name"] for service in items(program.get("/services"))] == list("ABCDEFGH")


def test_the_clinic_of_the_key(mivicall, lisbon):
    assert mivicall(lisbon).get("/tenants/me").json() == {
        "id": str(lisbon.uuid),
        "name": lisbon.name,
        "specialty": "medical",
        "status": "active",
        "phone": None,
        "address": None,
        "city": None,
        "publicSlug": lisbon.slug,
        "config": {"timezone": "Europe/Lisbon", "locale": "pt-PT", "specialties": []},
    }


def test_the_clinics_specialty_is_what_its_professionals_do(program, recife, doctor):
    make_doctor(recife, specialty="Cardiologia")
    make_doctor(recife, specialty="Cardiologia")
    make_doctor(recife, specialty="Ortopedia", active=False)
    assert program.get("/tenants/me").json()["config"]["specialties"] == ["Cardiologia", "Clínica médica"]
    assert program.get("/tenants/me").json()["config"]["locale"] == "pt-BR"


@pytest.mark.parametrize("path", ["/professionals", "/services", "/tenants/me"])
def test_a_directory_costs_one_query_however_long_it_is(program, recife, doctor, path):
    assert queries_of(program, path) == LET_IN + 1
    for _ in range(3):
        make_doctor(recife)
    assert queries_of(program, path) == LET_IN + 1


def test_first_call_of_a_minute_costs_three_queries(program, doctor):
    with CaptureQueriesContext(connection) as queries:
        program.get("/professionals")
    assert len(queries) == 3


def test_a_list_of_appointments_costs_one_query_however_long_it_is(program, recife, doctor, at):
    book_appointment(doctor, starts_at=at(9))
    assert queries_of(program, "/appointments") == LET_IN + 1 + LOGGED
    for _ in range(3):
        book_appointment(make_doctor(recife), starts_at=at(10))
    assert queries_of(program, "/appointments") == LET_IN + 1 + LOGGED


# Free times -----------------------------------------------------------------------------------------------------------


def free(program, service, **query):
    return items(program.get("/availability", serviceTypeId=str(service.uuid), **MONDAY | query))


def starts(free_times):
    return [datetime.fromisoformat(item["startsAt"]).strftime("%H:%M") for item in free_times]


def test_free_times_are_the_professionals_grid_without_what_is_taken(program, doctor, service, at):
    book_appointment(doctor, starts_at=at(9))
    free_times = free(program, service, professionalId=str(doctor.uuid))
    assert free_times[0] == {
        "startsAt": "2026-11-23T08:00:00-03:00",
        "endsAt": "2026-11-23T08:30:00-03:00",
        "professionalId": str(doctor.uuid),
    }
    assert starts(free_times)[:5] == ["08:00", "08:15", "08:30", "09:30", "09:45"]
    assert starts(free_times)[-1] == "17:30"


def test_from_is_inclusive_and_to_exclusive_on_the_start(program, doctor, service):
    free_times = free(program, service, **{"from": "2026-11-23T08:15:00-03:00", "to": "2026-11-23T08:45:00-03:00"})
    assert starts(free_times) == ["08:15", "08:30"]


def test_without_professional_all_who_perform_service_are_offered(program, recife, doctor, service):
    other = make_doctor(recife, procedures=[service], hours=((time(8), time(9)),))
    make_doctor(recife)
    make_doctor(recife, procedures=[service], active=False)
    free_times = free(program, service, **{"to": "2026-11-23T08:30:00-03:00"})
    assert [(item["startsAt"][11:16], item["professionalId"]) for item in free_times] == [
        ("08:00", str(doctor.uuid)),
        ("08:00", str(other.uuid)),
        ("08:15", str(doctor.uuid)),
        ("08:15", str(other.uuid)),
    ]


def test_fifty_free_times_come_unless_others_are_asked_for(program, doctor, service):
    week = {"to": "2026-11-28T00:00:00-03:00"}
    assert len(free(program, service, **week)) == 50
    assert len(free(program, service, **week, limit=7)) == 7
    assert len(free(program, service, **week, limit=200)) > 100


def test_every_listed_free_time_can_be_booked(program, recife, doctor, service, good, at):
    """Every seventh of a week with a holiday hour, an absence and an appointment."""
    make_doctor(recife, procedures=[service], days=[1, 3], hours=((time(7), time(9, 40)),), interval_minutes=20)
    Absence.objects.create(clinic=recife, doctor=doctor, starts_at=at(8), ends_at=at(9, 10), reason="congresso")
    book_appointment(doctor, starts_at=at(10, 5))
    free_times = free(program, service, **{"to": "2026-11-30T00:00:00-03:00"}, limit=200)
    assert {item["professionalId"] for item in free_times} != {str(doctor.uuid)}
    taken = []
    for item in free_times[::7]:
        span = item["professionalId"], item["startsAt"], item["endsAt"]
        if any(one == span[0] and begin < span[2] and end > span[1] for one, begin, end in taken):
            continue
        body = good | {"professionalId": span[0], "startsAt": span[1], "patientName": f"Pessoa {len(taken)}"}
        answer = program("POST", "/appointments", body)
        assert (answer.status_code, answer.json().get("endsAt")) == (201, span[2]), answer.json()
        taken.append(span)
    assert len(taken) > 15


@pytest.mark.parametrize(
    ("since", "before"),
    [
        ("2026-11-20T00:00:00-03:00", "2026-11-21T12:00:00-03:00"),
        ("2026-11-23T09:00:00-03:00", "2026-11-23T09:00:00-03:00"),
        ("0001-01-01T00:00:00Z", "0001-02-01T00:00:00Z"),
        ("9999-12-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("2029-01-01T00:00:00Z", "2029-02-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_where_there_is_no_time_there_is_none_free(program, doctor, service, since, before):
    assert free(program, service, **{"from": since, "to": before}) == []


def test_nothing_is_free_before_now(program, doctor, service, saturday, at):
    saturday.move_to(at(10, 5), tick=False)
    assert starts(free(program, service))[0] == "10:15"


def test_a_service_nobody_performs_is_never_free(program, recife, doctor):
    assert free(program, make_procedure(recife)) == []


def test_professional_without_the_service_is_refused(program, recife, doctor):
    other = make_procedure(recife, name="Ecografia")
    answer = program.get("/availability", serviceTypeId=str(other.uuid), professionalId=str(doctor.uuid), **MONDAY)
    assert (answer.status_code, answer.json()["error"]) == (409, "service_not_offered")


@pytest.mark.parametrize("whose", ["nobody's", "another clinic's", "inactive"])
@pytest.mark.parametrize(
    ("field", "code", "make"),
    [
        ("professionalId", "professional_not_found", make_doctor),
        ("serviceTypeId", "service_not_found", make_procedure),
    ],
    ids=["professional", "service"],
)
def test_row_unknown_to_the_clinic_is_not_found(program, recife, doctor, service, field, code, make, whose):
    made = {"another clinic's": make, "inactive": lambda: make(recife, active=False)}
    query = {"serviceTypeId": str(service.uuid), "professionalId": str(doctor.uuid), **MONDAY}
    query[field] = str(made[whose]().uuid) if whose in made else str(uuid4())
    answer = program.get("/availability", **query)
    assert (answer.status_code, answer.json()["error"]) == (404, code)


def test_all_query_errors_are_reported_together(program, doctor):
    query = {"professionalId": "x", "serviceTypeId": "x", "from": "2026-11-23", "to": "x", "limit": "0"}
    answer = program.get("/availability", **query)
    assert answer.status_code == 422
    assert {error["path"] for error in answer.json()["errors"]} == set(query)
    answer = program.get("/availability")
    assert {error["path"] for error in answer.json()["errors"]} == {"serviceTypeId", "from", "to"}


def test_a_window_is_62_days_at_most(program, doctor, service):
    whole = {"serviceTypeId": str(service.uuid), "from": "2026-11-23T00:00:00-03:00"}
    assert program.get("/availability", **whole, to="2027-01-24T00:00:00-03:00").status_code == 200
    answer = program.get("/availability", **whole, to="2027-01-24T00:00:01-03:00")
    assert answer.json()["errors"] == [{"path": "to", "message": "No máximo 62 dias depois de from."}]


def test_thirty_days_of_any_professionals_cost_three_queries(program, recife, doctor, service, at):
    query = {
        "serviceTypeId": str(service.uuid),
        "from": "2026-11-23T00:00:00-03:00",
        "to": "2026-12-23T00:00:00-03:00",
        "limit": 200,
    }
    assert queries_of(program, "/availability", **query, professionalId=str(doctor.uuid)) == LET_IN + 3
    for _ in range(3):
        book_appointment(make_doctor(recife, procedures=[service]), starts_at=at(9))
    assert queries_of(program, "/availability", **query) == LET_IN + 3


# Clocks that change ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "sunday", "before", "after"),
    [
        ("2026-03-20T12:00:00Z", date(2026, 3, 29), "+00:00", "+01:00"),
        ("2026-10-16T12:00:00Z", date(2026, 10, 25), "+01:00", "+00:00"),
    ],
    ids=["forward", "back"],
)
def test_every_time_has_the_offset_of_its_own_day(mivicall, lisbon, time_machine, now, sunday, before, after):
    """Lisbon changes its clocks on a Sunday night; the same wall time is given on both sides of it."""
    time_machine.move_to(now, tick=False)
    program = mivicall(lisbon)
    doctor = make_doctor(lisbon, days=range(1, 8), hours=((time(9), time(10)),))
    service = doctor.procedures.get()
    saturday, monday = sunday - timedelta(days=1), sunday + timedelta(days=1)
    free_times = items(
        program.get(
            "/availability",
            serviceTypeId=str(service.uuid),
            **{"from": f"{saturday}T00:00:00{before}", "to": f"{monday}T23:00:00{after}"},
        )
    )
    nines = [item["startsAt"] for item in free_times if "T09:00" in item["startsAt"]]
    assert nines == [f"{saturday}T09:00:00{before}", f"{sunday}T09:00:00{after}", f"{monday}T09:00:00{after}"]
    for number, starts_at in enumerate(nines):
        booked = program(
            "POST",
            "/appointments",
            {
                "professionalId": str(doctor.uuid),
                "serviceTypeId": str(service.uuid),
                "patientName": f"Maria {number}",
                "patientPhone": "+351912345678",
                "startsAt": starts_at,
            },
        ).json()
        assert (booked["startsAt"], booked["endsAt"]) == (starts_at, starts_at.replace("T09:00", "T09:30"))
        assert program.get(f"/appointments/{booked['id']}").json() == booked
    assert [item["startsAt"] for item in items(program.get("/appointments"))] == nines


def test_both_passes_of_a_repeated_hour_are_bookable_and_distinct(mivicall, lisbon, time_machine):
    time_machine.move_to("2026-10-16T12:00:00Z", tick=False)
    program = mivicall(lisbon)
    doctor = make_doctor(lisbon, days=[7], hours=((time(0), time(6)),))
    booked_starts = []
    for name, starts_at in (("Ana", "2026-10-25T01:30:00+01:00"), ("Bia", "2026-10-25T01:30:00+00:00")):
        body = {
            "professionalId": str(doctor.uuid),
            "serviceTypeId": str(doctor.procedures.get().uuid),
            "patientName": name,
            "patientPhone": "+351912345678",
            "startsAt": starts_at,
        }
        booked_starts.append(program("POST", "/appointments", body).json()["startsAt"])
    assert booked_starts == ["2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00+00:00"]


# Patients -------------------------------------------------------------------------------------------------------------


def test_patients_are_found_by_any_part_of_their_name_without_accents(program, recife):
    ines = make_patient(recife, name="Inês Araújo")
    make_patient(recife, name="Bruno Dias")
    make_patient(name="Inês Araújo")
    for text in ("ines", "ARAUJO", "Araú", "araujo ines"):
        assert items(program.get("/patients", search=text)) == [
            {"id": str(ines.uuid), "name": "Inês Araújo", "patientPhoneHash": ines.phone_hash}
        ]


@pytest.mark.parametrize(
    "text", ["davila", "d’ávila", "(ines)", "ines.", "Dra. Inês", "tel 98888-7777 ines", "Inês 12"]
)
def test_a_name_is_found_whatever_stands_around_and_inside_it(program, recife, text):
    ines = make_patient(recife, name="Inês D'Ávila")
    make_patient(recife, name="Bruno Dias")
    assert [patient["id"] for patient in items(program.get("/patients", search=text))] == [str(ines.uuid)]


def test_a_label_without_a_name_finds_nobody(program, recife):
    make_patient(recife, name="Telma", phone=PHONE)
    assert items(program.get("/patients", search="tel 8888-7777")) == []


@pytest.mark.parametrize(
    "text", ["81988887777", "+5581988887777", "8888", "52998224725", "17/05/1980", "???", " ", "ʼʼʼ"]
)
def test_nothing_else_of_a_patient_can_be_guessed_by_searching(program, recife, text):
    make_patient(recife, name="Ana", phone=PHONE, cpf="52998224725")
    assert items(program.get("/patients", search=text)) == []


def test_a_name_with_a_number_beside_it_is_the_name(program, recife):
    make_patient(recife, name="Ana", phone=PHONE)
    assert len(items(program.get("/patients", search="Ana 0000"))) == 1


def test_twenty_patients_come_unless_more_are_asked_for(program, recife):
    for n in range(21):
        make_patient(recife, name=f"Ana {n}")
    assert len(items(program.get("/patients", search="ana"))) == 20
    assert len(items(program.get("/patients", search="ana", limit=200))) == 21


def test_a_search_costs_the_same_however_many_it_finds(program, recife):
    make_patient(recife, name="Ana")
    first = queries_of(program, "/patients", search="ana")
    for _ in range(3):
        make_patient(recife, name="Ana")
    assert queries_of(program, "/patients", search="ana") == first == LET_IN + 2 + LOGGED


@pytest.mark.parametrize("text", [None, "", "a\0", "a" * 101], ids=lambda text: str(text)[:8])
def test_a_search_for_nothing_or_too_much_is_invalid(program, recife, text):
    answer = program.get("/patients", **{} if text is None else {"search": text})
    assert [error["path"] for error in answer.json()["errors"]] == ["search"]


def test_phone_hash_finds_its_patients_and_their_appointments(program, booked, recife, doctor, at):
    son = make_patient(recife, name="Bento Nogueira", phone=PHONE)
    book_appointment(doctor, patient=son.pk, starts_at=at(10))
    book_appointment(doctor, starts_at=at(11))
    body = program.get(f"/patients/{booked['patientPhoneHash']}").json()
    mother = Patient.objects.get(name="Ana Beatriz Nogueira")
    assert body["patientPhoneHash"] == booked["patientPhoneHash"]
    assert {patient["id"]: patient["name"] for patient in body["patients"]} == {
        str(mother.uuid): mother.name,
        str(son.uuid): son.name,
    }
    assert [visit["patientName"] for visit in body["appointments"]] == [son.name, mother.name]
    assert body["appointments"][1] == booked


def test_either_hash_of_a_phone_opens_everybody_while_its_key_changes(program, booked, recife, settings):
    settings.PHONE_HASH_KEY = "another key"
    son = make_patient(recife, name="Bento Nogueira", phone=PHONE)
    assert son.phone_hash != booked["patientPhoneHash"]
    for hash in (booked["patientPhoneHash"], son.phone_hash):
        body = program.get(f"/patients/{hash}").json()
        assert [patient["name"] for patient in body["patients"]] == ["Ana Beatriz Nogueira", "Bento Nogueira"]
        assert body["appointments"] == [booked]


@pytest.mark.parametrize("hash", ["x", "0" * 64, "F" * 64, PHONE, "%00", "0" * 63])
def test_a_hash_that_is_nobodys_is_not_found(program, booked, hash):
    answer = program.get(f"/patients/{hash}")
    assert (answer.status_code, answer.json()["error"]) == (404, "patient_not_found")


def test_hash_of_another_clinic_finds_nothing_for_same_phone(program, mivicall, booked):
    other = make_clinic()
    theirs = make_patient(other, phone=PHONE)
    assert theirs.phone_hash != booked["patientPhoneHash"]
    assert program.get(f"/patients/{theirs.phone_hash}").status_code == 404
    assert mivicall(other).get(f"/patients/{booked['patientPhoneHash']}").status_code == 404


def test_a_family_costs_two_queries_however_large(program, booked, recife, doctor, at):
    path = f"/patients/{booked['patientPhoneHash']}"
    assert queries_of(program, path) == LET_IN + 2 + LOGGED
    for n in range(3):
        patient = make_patient(recife, phone=PHONE)
        book_appointment(doctor, patient=patient.pk, starts_at=at(14 + n))
    assert queries_of(program, path) == LET_IN + 2 + LOGGED


# Health ---------------------------------------------------------------------------------------------------------------


def test_the_service_answers_without_a_key_and_without_the_database(saturday, db):
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get("/health")
    assert (answer.status_code, len(queries)) == (200, 0)
    body = answer.json()
    assert list(body) == ["status", "service", "timestamp", "requestId"]
    assert (body["status"], body["timestamp"]) == ("ok", "2026-11-21T15:00:00Z")
    assert str(UUID(body["requestId"])) == answer["X-Request-Id"]


def test_whether_the_service_answers_can_only_be_asked(db):
    assert Client().head("/health").status_code == 200
    assert Client(enforce_csrf_checks=True).post("/health").status_code == 405
