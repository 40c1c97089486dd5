"""The appointments that are there: listed, shown, changed, cancelled."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from clinic.booking import Author, change_status
from clinic.models import ApiKey, Appointment, AppointmentEvent
from clinic.models.appointment import Status
from tests.api.mivicall.test_create import ANSWERED
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_procedure

pytestmark = pytest.mark.django_db

BY = Author(channel="command", credential="tests")
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
ROAD = {
    "confirmed": ["confirmed"],
    "checked_in": ["checked_in"],
    "in_service": ["checked_in", "in_service"],
    "finished": ["checked_in", "in_service", "finished"],
    "no_show": ["no_show"],
    "cancelled": ["cancelled"],
}


@pytest.fixture
def standing(doctor, at, saturday):
    """`standing("finished")` is an appointment of Monday at 9 in that status; the clock stands at 9:10 then."""

    def made(status="scheduled"):
        appointment = book_appointment(doctor, starts_at=at(8, 30) if status == "rescheduled" else at(9))
        saturday.move_to(at(9, 10), tick=False)
        for step in ROAD.get(status, []):
            change_status(appointment.pk, step, clinic=doctor.clinic, by=BY, cancelled_by="clinic")
        appointment.refresh_from_db()
        return appointment

    return made


def address(appointment):
    return f"/appointments/{getattr(appointment, 'uuid', appointment)}"


def events(appointment):
    return [event.kind for event in AppointmentEvent.objects.filter(appointment=appointment).order_by("pk")]


def as_it_was(appointment):
    """Return the stored row, whatever this test did to the object."""
    return Appointment.objects.values().get(pk=appointment.pk), events(appointment)


# Listing --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def week(doctor, at):
    """Three appointments on Monday: 9:00, 9:30, 10:00."""
    return [book_appointment(doctor, starts_at=at(9) + timedelta(minutes=30 * n)) for n in range(3)]


def listed(program, **query):
    answer = program.get("/appointments", **query)
    assert answer.status_code == 200, answer.json()
    return answer.json()


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


def test_the_cursor_of_another_clinic_opens_nothing(program, mivicall, week):
    cursor = listed(program, limit=1)["nextCursor"]
    assert listed(mivicall(make_clinic()), cursor=cursor) == {"items": []}


def encoded(text):
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


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
    encoded('["2026-11-23T12:00:00+00:00"]'),
    encoded('["2026-11-23T12:00:00+00:00", "1"]'),
    encoded('["2026-11-23T12:00:00+00:00", true]'),
    encoded('["2026-11-23T12:00:00+00:00", 1.0]'),
    encoded('["2026-11-23T12:00:00+00:00", -1]'),
    encoded('["2026-11-23T12:00:00+00:00", ' + "9" * 30 + "]"),
    encoded('["2026-11-23T12:00:00+00:00", ' + "9" * 5000 + "]"),
    encoded('["2026-11-23T12:00:00", 1]'),
    encoded('["0001-01-01T00:00:00+14:00", 1]'),
    encoded("[7, 7]"),
]


@pytest.mark.parametrize("cursor", NO_CURSORS, ids=lambda text: text[:24] or "empty")
def test_invalid_cursor_is_refused(program, doctor, cursor):
    answer = program.get("/appointments", cursor=cursor)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": "cursor", "message": "Não é um cursor desta lista."}]


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
    answer = program(method, address(id), {"status": "cancelled"} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert answer.json()["error"] in {"appointment_not_found", "not_found"}


# Changing -------------------------------------------------------------------------------------------------------------


def patched(program, appointment, **changes):
    return program("PATCH", address(appointment), changes)


@pytest.mark.parametrize(
    ("status", "wanted", "becomes"),
    [
        ("scheduled", "confirmed", "scheduled"),
        ("scheduled", "attended", "checked_in"),
        ("scheduled", "no_show", "no_show"),
        ("scheduled", "cancelled", "cancelled"),
        ("confirmed", "confirmed", "confirmed"),
        ("confirmed", "attended", "checked_in"),
        ("confirmed", "no_show", "no_show"),
        ("confirmed", "cancelled", "cancelled"),
        ("checked_in", "attended", "checked_in"),
        ("checked_in", "confirmed", "confirmed"),
        ("checked_in", "cancelled", "cancelled"),
        ("checked_in", "no_show", "no_show"),
        ("in_service", "attended", "in_service"),
        ("finished", "attended", "finished"),
        ("no_show", "no_show", "no_show"),
        ("no_show", "attended", "checked_in"),
        ("cancelled", "cancelled", "cancelled"),
    ],
)
def test_a_status_may_become_what_booking_lets_it(program, standing, status, wanted, becomes):
    appointment = standing(status)
    answer = patched(program, appointment, status=wanted)
    assert (answer.status_code, answer.json()["status"]) == (200, wanted)
    appointment.refresh_from_db()
    assert appointment.status == becomes


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("in_service", "confirmed"),
        ("in_service", "no_show"),
        ("in_service", "cancelled"),
        ("finished", "confirmed"),
        ("finished", "no_show"),
        ("finished", "cancelled"),
        ("no_show", "cancelled"),
        ("cancelled", "attended"),
        ("cancelled", "no_show"),
    ],
)
def test_a_status_may_not_become_anything_else(program, standing, status, wanted):
    appointment = standing(status)
    before = as_it_was(appointment)
    answer = patched(program, appointment, status=wanted)
    assert (answer.status_code, answer.json()["error"]) == (409, "invalid_transition")
    assert "alternatives" not in answer.json()
    assert as_it_was(appointment) == before


@pytest.mark.parametrize("status", ["no_show", "cancelled"])
def test_cancelled_or_missed_can_be_confirmed_while_time_is_free(program, standing, doctor, status):
    appointment = standing(status)
    assert patched(program, appointment, status="confirmed").json()["status"] == "confirmed"
    assert Appointment.objects.get(pk=appointment.pk).status == "scheduled"


@pytest.mark.parametrize("status", ["no_show", "cancelled"])
def test_cancelled_or_missed_is_not_confirmed_once_time_is_taken(program, standing, doctor, at, saturday, status):
    appointment = standing(status)
    saturday.move_to(at(8, 50), tick=False)
    book_appointment(doctor, starts_at=at(9))
    answer = patched(program, appointment, status="confirmed")
    assert (answer.status_code, answer.json()["error"]) == (409, "slot_conflict")


def test_nobody_has_missed_what_has_not_begun(program, booked):
    answer = patched(program, booked["id"], status="no_show")
    assert (answer.status_code, answer.json()["error"]) == (409, "invalid_transition")
    assert "09:00" in answer.json()["message"]


def test_a_status_it_has_already_is_written_down_once(monday, program, booked):
    for _ in range(2):
        assert patched(program, booked["id"], status="attended").status_code == 200
    assert events(Appointment.objects.get()) == ["booked", "status_changed"]


@pytest.mark.parametrize(
    ("source", "by"),
    [("voice_ai", "patient"), ("self_service", "patient"), ("sync_external", "clinic"), ("manual", "clinic")],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_source_of_the_key_decides_who_cancelled(mivicall, recife, standing, source, by, method):
    appointment = standing()
    body = {"status": "cancelled"} if method == "PATCH" else None
    assert mivicall(recife, source=source)(method, address(appointment), body).status_code in {200, 204}
    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancelled_by) == ("cancelled", by)
    assert set(ApiKey.Source.values) == {"voice_ai", "self_service", "sync_external", "manual"}


def test_a_new_start_moves_the_appointment_which_keeps_its_length(program, booked, at):
    body = patched(program, booked["id"], startsAt="2026-11-23T10:15:00-03:00").json()
    assert body == booked | {
        "status": "rescheduled",
        "startsAt": "2026-11-23T10:15:00-03:00",
        "endsAt": "2026-11-23T10:45:00-03:00",
    }
    assert Appointment.objects.get().starts_at == at(10, 15)


def test_professional_can_change_with_or_without_the_time(program, booked, recife, doctor, service):
    other = make_doctor(recife, procedures=[service])
    body = patched(program, booked["id"], professionalId=str(other.uuid)).json()
    assert (body["professionalId"], body["startsAt"]) == (str(other.uuid), booked["startsAt"])
    body = patched(program, booked["id"], professionalId=str(doctor.uuid), startsAt="2026-11-23T11:00:00-03:00").json()
    assert (body["professionalId"], body["startsAt"]) == (str(doctor.uuid), "2026-11-23T11:00:00-03:00")


def test_the_time_it_has_already_is_no_move(program, booked):
    answer = patched(program, booked["id"], startsAt="2026-11-23T12:00:00Z", professionalId=booked["professionalId"])
    assert (answer.status_code, answer.json()) == (200, booked)
    assert events(Appointment.objects.get()) == ["booked"]


def test_a_patch_repeated_is_done_once(program, booked):
    for _ in range(2):
        answer = patched(
            program, booked["id"], status="confirmed", startsAt="2026-11-23T10:00:00-03:00", patientNotes="x"
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")
    assert events(Appointment.objects.get()) == ["booked", "rescheduled", "status_changed", "annotated"]


def test_rescheduled_is_what_moving_makes_of_it(program, booked):
    body = patched(program, booked["id"], status="rescheduled", startsAt="2026-11-23T10:00:00-03:00").json()
    assert body["status"] == "rescheduled"
    assert patched(program, booked["id"], status="rescheduled").status_code == 200


@pytest.mark.parametrize("more", [{}, {"startsAt": "2026-11-23T09:00:00-03:00"}], ids=["alone", "where it is"])
def test_rescheduled_without_a_move_is_invalid(program, booked, more):
    answer = patched(program, booked["id"], status="rescheduled", **more)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["startsAt"]


@pytest.mark.parametrize("status", ["cancelled", "checked_in", "in_service", "finished"])
def test_appointment_not_to_come_cannot_be_moved(program, standing, status):
    appointment = standing(status)
    answer = patched(program, appointment, startsAt="2026-11-23T11:00:00-03:00")
    assert (answer.status_code, answer.json()["error"]) == (409, "invalid_transition")


def test_missed_appointment_can_be_rescheduled(program, standing):
    body = patched(program, standing("no_show"), startsAt="2026-11-23T11:00:00-03:00").json()
    assert body["status"] == "rescheduled"


def test_a_move_to_a_taken_time_is_a_conflict_with_alternatives(program, booked, recife, doctor, at):
    book_appointment(doctor, starts_at=at(10))
    answer = patched(program, booked["id"], startsAt="2026-11-23T10:00:00-03:00")
    body = answer.json()
    assert (answer.status_code, body["error"], len(body["alternatives"])) == (409, "slot_conflict", 3)
    assert [time[11:16] for time in body["alternatives"]] == ["10:30", "10:45", "11:00"]
    assert patched(program, booked["id"], startsAt=body["alternatives"][0]).status_code == 200


def test_missed_time_that_is_taken_now_is_a_conflict(program, standing, doctor, recife, at, saturday):
    missed = standing("no_show")
    saturday.move_to(at(8, 50), tick=False)
    book_appointment(doctor, starts_at=at(9))
    answer = patched(program, missed, status="attended")
    assert (answer.status_code, answer.json()["error"]) == (409, "slot_conflict")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"startsAt": "2026-11-23T19:00:00-03:00"}, 409, "outside_working_hours"),
        ({"startsAt": "2026-11-14T09:00:00-03:00"}, 422, "validation_failed"),
        ({"professionalId": str(uuid4())}, 404, "professional_not_found"),
        ({"professionalId": str(uuid4()), "startsAt": "2026-11-14T09:00:00-03:00"}, 422, "validation_failed"),
    ],
    ids=["outside hours", "past", "nobody", "nobody in the past"],
)
def test_a_move_is_refused_as_a_booking_is(program, booked, changes, status, code):
    before = as_it_was(Appointment.objects.get())
    answer = patched(program, booked["id"], **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert as_it_was(Appointment.objects.get()) == before


def test_move_to_doctor_without_the_procedure_is_not_offered(program, booked, recife):
    answer = patched(program, booked["id"], professionalId=str(make_doctor(recife).uuid))
    assert (answer.status_code, answer.json()["error"]) == (409, "service_not_offered")


def test_notes_and_metadata_are_replaced_and_notes_can_be_taken_away(program, booked):
    body = patched(
        program, booked["id"], patientNotes="Traz exames.", metadata={"a": 1, "b": {"c": [None, "é"]}}
    ).json()
    assert (body["patientNotes"], body["metadata"]) == ("Traz exames.", {"a": 1, "b": {"c": [None, "é"]}})
    body = patched(program, booked["id"], metadata={"b": 2}).json()
    assert (body["patientNotes"], body["metadata"]) == ("Traz exames.", {"b": 2})
    body = patched(program, booked["id"], patientNotes=None, metadata={}).json()
    assert body == booked


def test_null_empties_the_metadata_as_it_does_the_notes(program, booked):
    patched(program, booked["id"], patientNotes="x", metadata={"a": 1})
    body = patched(program, booked["id"], metadata=None).json()
    assert (body["patientNotes"], body["metadata"]) == ("x", {})


UNCHANGING = {
    "serviceTypeId": "Não se altera: cancele com DELETE /v1/appointments/{id} e crie outra com POST /v1/appointments.",
    "patientName": "Não se altera por esta API: a ficha do utente corrige-se na receção da clínica.",
    "patientPhone": "Não se altera por esta API: a ficha do utente corrige-se na receção da clínica.",
}


@pytest.mark.parametrize("field", UNCHANGING)
@pytest.mark.parametrize("value", [None, "", "Outra", 7, {}], ids=repr)
def test_unchangeable_field_is_reported_at_its_field(program, booked, field, value):
    answer = patched(program, booked["id"], **{field: value}, patientNotes="x")
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")
    assert answer.json()["errors"] == [{"path": field, "message": UNCHANGING[field]}]
    assert program.get(address(booked["id"])).json() == booked


def test_several_changes_at_once_are_all_made(monday, program, booked):
    body = patched(
        program,
        booked["id"],
        metadata={"n": 1},
        status="attended",
        patientNotes="x",
        startsAt="2026-11-23T10:00:00-03:00",
    ).json()
    assert body == booked | {
        "metadata": {"n": 1},
        "status": "attended",
        "patientNotes": "x",
        "startsAt": "2026-11-23T10:00:00-03:00",
        "endsAt": "2026-11-23T10:30:00-03:00",
    }


@pytest.mark.parametrize(
    "wrong", [{"status": "no_show"}, {"patientNotes": "x" * 5001}, {"metadata": 7}], ids=["status", "notes", "metadata"]
)
def test_several_changes_of_which_one_is_refused_change_nothing(program, booked, wrong):
    before = as_it_was(Appointment.objects.get())
    fine = {"startsAt": "2026-11-23T10:00:00-03:00", "status": "attended", "patientNotes": "x", "metadata": {"n": 1}}
    assert patched(program, booked["id"], **fine | wrong).status_code in {409, 422}
    assert as_it_was(Appointment.objects.get()) == before


def test_all_errors_of_a_change_are_reported_together(program, booked):
    wrong = {"status": 7, "patientNotes": "x" * 5001, "startsAt": "2026-11-14T09:00:00-03:00", "metadata": []}
    body = patched(program, booked["id"], **wrong, professionalId="7").json()
    assert {error["path"] for error in body["errors"]} == {*wrong, "professionalId"}


@pytest.mark.parametrize("nothing", [{}, {"unknown": 7}], ids=str)
def test_a_change_of_nothing_changes_nothing(program, booked, nothing):
    answer = patched(program, booked["id"], **nothing)
    assert (answer.status_code, answer.json()) == (200, booked)
    assert events(Appointment.objects.get()) == ["booked"]


WRONG = {
    "status": [None, True, 7, [], {}, "", "scheduled", "Confirmed", "\0"],
    "patientNotes": [True, 7, 1.5, [], {}, "\0", "\ud800", "x" * 10_000],
    "startsAt": [None, True, 7, 10**30, [], {}, "", "2026-11-23", "2026-11-23T09:00:00", "9999-12-31T23:59:59Z"],
    "professionalId": [None, True, 7, 10**30, [], {}, "", "x"],
    "metadata": [
        True,
        7,
        "x",
        [],
        [{}],
        {"a": "x" * 4096},
        {"x" * 4096: 1},
        {"é" * 2048: 1},
        {"a": "\0"},
        {"\0": 1},
        {"a": [{"b": "\ud800"}]},
    ],
}


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in WRONG.items() for value in values],
    ids=lambda value: ascii(value)[:40],
)
def test_a_wrong_change_is_a_message_at_its_field(program, booked, field, value):
    answer = patched(program, booked["id"], **{field: value})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("body", ["[]", "7", "null", '"x"'])
def test_a_change_that_is_no_object_is_refused_as_a_whole(program, booked, body):
    answer = program("PATCH", address(booked["id"]), raw=body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "")


@pytest.mark.parametrize("number", ["1e308", "-1e16", "1e-5", "1e400", "[[1e300]]"])
def test_number_too_long_for_postgresql_is_refused_as_metadata(program, booked, number):
    answer = program("PATCH", address(booked["id"]), raw=f'{{"metadata": {{"a": {number}}}}}')
    assert answer.status_code in {400, 422}, answer.content.decode()
    assert answer.json()["error"] in {"invalid_json", "validation_failed"}


def test_a_number_in_metadata_comes_back_as_it_was_sent(program, booked):
    sent = [0.0001, 1.0, 9999999999999998.0, -0.1, 0.0, 10**300, 123456.789]
    stored = patched(program, booked["id"], metadata={"a": sent}).json()["metadata"]["a"]
    assert stored == sent and [type(value) for value in stored] == [type(value) for value in sent]


def test_metadata_holds_what_json_holds_up_to_four_kibibytes(program, booked):
    full = {"a": "x" * (4096 - len('{"a": ""}'))}
    assert patched(program, booked["id"], metadata=full).json()["metadata"] == full
    odd = {"": 10**30, "𝄞": [1.5, True, None], "\\u0000": "\\u0000"}
    assert patched(program, booked["id"], metadata=odd).json()["metadata"] == odd


# Cancelling -----------------------------------------------------------------------------------------------------------


def test_a_cancelled_appointment_stays_and_frees_its_time(program, booked, good):
    answer = program("DELETE", address(booked["id"]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert program.get(address(booked["id"])).json() == booked | {"status": "cancelled"}
    assert program("POST", "/appointments", good).status_code == 201


def test_cancelling_again_is_done_already(program, booked):
    for _ in range(3):
        assert program("DELETE", address(booked["id"])).status_code == 204
    assert events(Appointment.objects.get()) == ["booked", "status_changed"]


@pytest.mark.parametrize("status", ["scheduled", "confirmed", "checked_in", "cancelled"])
def test_future_appointment_can_be_cancelled(program, standing, status):
    assert program("DELETE", address(standing(status))).status_code == 204


@pytest.mark.parametrize("status", ["in_service", "finished", "no_show"])
def test_past_visit_cannot_be_cancelled(program, standing, status):
    appointment = standing(status)
    before = as_it_was(appointment)
    answer = program("DELETE", address(appointment))
    assert (answer.status_code, answer.json()["error"]) == (409, "invalid_transition")
    assert as_it_was(appointment) == before


def test_a_body_with_a_cancellation_is_only_read_as_json(program, booked):
    assert program("DELETE", address(booked["id"]), {"reason": 7}).status_code == 204
    assert program("DELETE", address(booked["id"]), raw="{").status_code == 400


def test_a_deleted_appointment_is_not_found(program, recife, doctor, at):
    gone = book_appointment(doctor, starts_at=at(9), patient=make_patient(recife).pk)
    Appointment.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    assert program.get(address(gone)).status_code == 404
    assert program("DELETE", address(gone)).status_code == 404
    assert listed(program)["items"] == []
