"""The appointments that are there: changed."""

from uuid import uuid4

import pytest

from clinic.models import ApiKey, Appointment
from tests.api.mivicall.conftest import address, as_it_was, events
from tests.factories import book_appointment, make_doctor

pytestmark = pytest.mark.django_db


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


def test_null_empties_the_notes_and_is_nothing_elsewhere(program, booked):
    """Clients of generators send null for what they leave out."""
    before = patched(program, booked["id"], patientNotes="x", metadata={"a": 1}).json()
    nothing = dict.fromkeys(["status", "startsAt", "professionalId", "metadata", "withoutExpiredDiscount"])
    assert patched(program, booked["id"], **nothing).json() == before
    assert patched(program, booked["id"], patientNotes=None, metadata={}).json() == before | {
        "patientNotes": None,
        "metadata": {},
    }


def test_the_message_names_the_first_field_and_how_many_more(program, booked):
    answer = patched(program, booked["id"], status="x", startsAt="x", metadata=7).json()
    first, *others = answer["errors"]
    assert answer["message"] == f"{first['path']}: {first['message']} E mais {len(others)}."
    alone = patched(program, booked["id"], metadata=7).json()
    assert alone["message"] == "metadata: Deve ser um objeto JSON."


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
    "status": [True, 7, [], {}, "", "scheduled", "Confirmed", "\0"],
    "patientNotes": [True, 7, 1.5, [], {}, "\0", "\ud800", "x" * 10_000],
    "startsAt": [True, 7, 10**30, [], {}, "", "2026-11-23", "2026-11-23T09:00:00", "9999-12-31T23:59:59Z"],
    "professionalId": [True, 7, 10**30, [], {}, "", "x"],
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
