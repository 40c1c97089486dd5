"""The appointments that are there: listed and shown."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from uuid import uuid4

import pytest

from clinic.models.appointment import Status
from tests.api.mivicall.conftest import address, listed
from tests.api.mivicall.test_create import ANSWERED
from tests.factories import book_appointment, make_clinic, make_doctor, make_procedure

pytestmark = pytest.mark.django_db

CLINIC = 10**9
SHOWN = {
    "scheduled": "confirmed",
    "confirmed": "confirmed",
    "rescheduled": "rescheduled",
    "checked_in": "attended",
    "in_service": "attended",
    "finished": "attended",
    "no_show": "no_show",
    "cancelled": "cancelled",
}


# Listing --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def week(doctor, at):
    """Three appointments on Monday: 9:00, 9:30, 10:00."""
    return [book_appointment(doctor, starts_at=at(9) + timedelta(minutes=30 * n)) for n in range(3)]


def ids(page):
    return [item["id"] for item in page["items"]]


def test_complete_list_is_by_time_and_has_no_cursor(program, week):
    page = listed(program)
    assert list(page) == ["items"]
    assert ids(page) == [str(appointment.uuid) for appointment in week]
    assert all(list(item) == ANSWERED for item in page["items"])


def test_from_is_inclusive_and_to_is_exclusive(program, week, at):
    page = listed(program, **{"from": "2026-11-23T09:30:00-03:00", "to": "2026-11-23T13:00:00Z"})
    assert ids(page) == [str(week[1].uuid)]


def test_a_plus_sign_that_was_not_encoded_is_understood(program, week):
    answer = program("GET", "/appointments?from=2026-11-23T13:00:00+01:00&to=2026-11-23T13:30:00+01:00")
    assert ids(answer.json()) == [str(week[0].uuid)]


def test_the_list_can_be_of_one_professional(program, week, recife, doctor, at):
    other = book_appointment(make_doctor(recife), starts_at=at(9))
    assert ids(listed(program, professionalId=str(other.doctor.uuid))) == [str(other.uuid)]
    assert len(ids(listed(program, professionalId=str(doctor.uuid)))) == 3
    assert ids(listed(program, professionalId=str(uuid4()))) == []
    assert ids(listed(program, professionalId=str(make_doctor().uuid))) == []


@pytest.mark.parametrize("status", SHOWN)
def test_the_list_can_be_of_one_status_as_it_is_shown_here(program, standing, recife, status):
    appointment = standing(status)
    if status == "rescheduled":
        program("PATCH", address(appointment), {"startsAt": "2026-11-23T10:00:00-03:00"})
    for shown in {*SHOWN.values()}:
        found = listed(program, status=shown)
        assert [item["status"] for item in found["items"]] == ([shown] if SHOWN[status] == shown else [])


def test_pages_follow_one_another_without_a_gap_or_a_double(program, doctor, recife, at):
    """Three doctors at each of five times: the pages break between appointments of one moment."""
    doctors = [doctor, make_doctor(recife), make_doctor(recife)]
    made = [book_appointment(one, starts_at=at(9) + timedelta(minutes=30 * n)) for n in range(5) for one in doctors]
    found, page = [], listed(program, limit=4)
    while "nextCursor" in page:
        assert len(page["items"]) == 4
        found += ids(page)
        page = listed(program, limit=4, cursor=page["nextCursor"])
    assert found + ids(page) == [str(appointment.uuid) for appointment in made]
    assert len(page["items"]) == 3


def test_a_full_last_page_has_no_cursor(program, week):
    assert "nextCursor" not in listed(program, limit=3)


def test_fifty_come_unless_more_are_asked_for(saturday, program, recife, at):
    doctor = make_doctor(recife, procedures=[make_procedure(recife, duration_minutes=5)], interval_minutes=5)
    for n in range(51):
        book_appointment(doctor, starts_at=at(13) + timedelta(minutes=5 * n))
    assert len(listed(program)["items"]) == 50
    assert len(listed(program, limit=200)["items"]) == 51


def test_the_cursor_of_another_clinic_is_refused(program, mivicall, week):
    cursor = listed(program, limit=1)["nextCursor"]
    answer = mivicall(make_clinic()).get("/appointments", cursor=cursor)
    assert answer.json()["errors"] == [{"path": "cursor", "message": "Não é um cursor desta lista."}]


def encoded(text):
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def of_list(keys):
    """Keys, as JSON, after the names of this list and of the clinic."""
    return encoded(f'["appointments by start {CLINIC}", {keys}]')


NO_CURSORS = [
    "",
    "x",
    "é",
    "====",
    "A" * 10_000,
    encoded("[]"),
    encoded("{}"),
    encoded("[" * 100_000),
    encoded('"ab"'),
    encoded("null"),
    of_list('"2026-11-23T12:00:00+00:00"'),
    of_list('"2026-11-23T12:00:00+00:00", "1"'),
    of_list('"2026-11-23T12:00:00+00:00", true'),
    of_list('"2026-11-23T12:00:00+00:00", 1.0'),
    of_list('"2026-11-23T12:00:00+00:00", -1'),
    of_list('"2026-11-23T12:00:00+00:00", ' + "9" * 30),
    of_list('"2026-11-23T12:00:00+00:00", ' + "9" * 5000),
    of_list('"2026-11-23T12:00:00", 1'),
    of_list('"0001-01-01T00:00:00+14:00", 1'),
    of_list("7, 7"),
    encoded("[7, 7]"),
]


@pytest.mark.parametrize("cursor", NO_CURSORS, ids=range(len(NO_CURSORS)))
def test_invalid_cursor_is_refused(mivicall, cursor):
    program = mivicall(make_clinic(pk=CLINIC))
    answer = program.get("/appointments", cursor=cursor)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": "cursor", "message": "Não é um cursor desta lista."}]


def test_a_cursor_as_this_list_writes_it_is_taken(mivicall):
    cursor = of_list('"2026-11-23T12:00:00+00:00", 1')
    assert listed(mivicall(make_clinic(pk=CLINIC)), cursor=cursor) == {"items": []}


def test_a_cursor_that_was_tampered_with_is_invalid(program, week):
    cursor = listed(program, limit=1)["nextCursor"]
    assert urlsafe_b64decode(cursor + "==")  # opaque, not secret
    for changed in (cursor[:-1], cursor + "A", cursor + "=", cursor + "\n", cursor[:5] + "!" + cursor[5:]):
        assert program.get("/appointments", cursor=changed).status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-11-23"},
        {"from": "2026-11-23T09:00:00"},
        {"to": "ontem"},
        {"to": ""},
        {"from": "9999-12-31T23:59:59-14:00"},
        {"professionalId": "7"},
        {"professionalId": ""},
        {"status": "scheduled"},
        {"status": "CONFIRMED"},
        {"status": "\0"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "-1"},
        {"limit": "1_0"},
        {"limit": "1.0"},
        {"limit": "٣"},
        {"limit": "9" * 30},
        {"limit": ""},
        {"cursor": "\0"},
    ],
    ids=str,
)
def test_a_wrong_filter_is_a_message_at_its_name(program, doctor, query):
    answer = program.get("/appointments", **query)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == list(query)


@pytest.mark.parametrize("path", ["/appointments", "/availability"])
def test_a_window_that_ends_before_it_begins_is_refused(program, path, service):
    query = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-23T23:59:59Z"}
    query |= {"serviceTypeId": str(service.uuid)} if path == "/availability" else {}
    answer = program.get(path, **query)
    assert answer.json()["errors"] == [{"path": "to", "message": "Não pode ser anterior a from."}]
    assert program.get(path, **query | {"to": query["from"]}).json() == {"items": []}


def test_all_invalid_filters_are_reported_together(program, doctor):
    query = {"from": "x", "to": "x", "professionalId": "x", "status": "x", "limit": "x", "cursor": "x"}
    assert {error["path"] for error in program.get("/appointments", **query).json()["errors"]} == set(query)


def test_the_ends_of_the_calendar_are_only_far_away(program, week):
    assert len(listed(program, **{"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"})["items"]) == 3


# Showing --------------------------------------------------------------------------------------------------------------


def test_single_appointment_equals_the_one_in_the_list(program, booked):
    assert program.get(address(booked["id"])).json() == booked == listed(program)["items"][0]


@pytest.mark.parametrize("status", SHOWN)
def test_each_of_the_eight_statuses_is_one_of_the_five_here(program, standing, status):
    appointment = standing(status)
    if status == "rescheduled":
        program("PATCH", address(appointment), {"startsAt": "2026-11-23T10:00:00-03:00"})
    assert program.get(address(appointment)).json()["status"] == SHOWN[status]
    assert set(SHOWN) == set(Status.values)


def test_appointment_of_the_front_desk_is_listed_like_any_other(program, doctor, recife, at):
    by_hand = book_appointment(doctor, starts_at=at(9), notes="de manhã")
    body = program.get(address(by_hand)).json()
    assert (body["source"], body["patientNotes"]) == ("manual", "de manhã")
    assert body["serviceTypeId"] == str(doctor.procedures.get().uuid)


NOBODYS = [
    "7",
    "x",
    "3c90c3cc0d444b5088888dd25736052a",
    "%00",
    "9" * 40,
    "..%2f",
    "3c90c3cc-0d44-4b50-8888-8dd25736052a",
]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("id", NOBODYS)
def test_an_id_that_is_nobodys_is_not_found(program, doctor, method, id):
    """Before the fields of the body are checked."""
    answer = program(method, address(id), {"status": "unreadable"} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert answer.json()["error"] in {"appointment_not_found", "not_found"}
