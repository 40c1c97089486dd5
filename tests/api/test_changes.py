"""What changed since an instant, in both APIs: parameters, order, pages, and what a copy has to remove."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from clinic.api.imagemais.urls import reference as imagemais_reference
from clinic.api.mivicall.urls import reference as mivicall_reference
from clinic.api.reference import groups
from clinic.booking import LineRequest
from clinic.models import Appointment, Patient, PatientAccess
from clinic.queries.changes import EARLIEST
from clinic.registry import Author, change_patient
from tests.factories import book_appointment, make_doctor, make_lisbon, make_patient, make_procedure, next_monday
from tests.locks import another_connection

pytestmark = pytest.mark.django_db

BEGINNING = "2000-01-01T00:00:00Z"
BY = Author(channel="command", credential="tests")
APIS, LISTS = ["imagemais", "mivicall"], ["/appointments", "/patients"]
IN_FUTURE = {"imagemais": "updatedSince não pode ser futuro", "mivicall": "Não pode ser um instante futuro."}
TOO_EARLY = {
    "imagemais": "updatedSince deve ser de 2000-01-01T00:00:00Z em diante",
    "mivicall": "Deve ser de 2000-01-01T00:00:00Z em diante.",
}
UNREADABLE = {
    "imagemais": "updatedSince deve ser um instante ISO 8601 com fuso, como 2025-12-22T16:35:33.920Z",
    "mivicall": "Deve ser ISO 8601 com data, hora e offset, por exemplo 2026-05-14T10:00:00+01:00.",
}
NOT_A_POSITION = {
    "imagemais": ["after deve ser o que veio em Link, com os mesmos filtros"],
    "mivicall": ["cursor: Não é um cursor desta lista."],
}
POSITION = {"imagemais": "after", "mivicall": "cursor"}


@pytest.fixture(autouse=True)
def many_requests(settings):
    settings.API_REQUESTS_A_SECOND = settings.API_REQUESTS_A_MINUTE = 10_000


@pytest.fixture
def doctor(recife):
    return make_doctor(recife, procedures=[make_procedure(recife, duration_minutes=30)])


@pytest.fixture(params=APIS)
def api(request, recife):
    """A program of each API, with what differs between the two."""
    return Api(request.param, request.getfixturevalue(request.param)(recife))


class Api:
    def __init__(self, name, program):
        self.name, self.program = name, program

    def ask(self, path, **query):
        return self.program.get(path, **query)

    def page(self, path, **query):
        """(what is listed by id, ids to remove, the position of the next page or None, from when to ask next time)."""
        answer = self.ask(path, **query)
        assert answer.status_code == 200, answer.content.decode()
        if self.name == "mivicall":
            body = answer.json()
            deleted = {each["id"] for each in body.get("deleted", [])}
            kept = {each["id"]: each for each in body["items"]}
            return kept, deleted, body.get("nextCursor"), body.get("nextUpdatedSince")
        elements = answer.json()
        deleted = {each["id"] for each in elements if each.get("deletedAt")}
        kept = {each["id"]: each for each in elements if each["id"] not in deleted}
        link = dict(parse_qsl(urlsplit(answer.headers.get("Link", "").split(">")[0]).query))
        return kept, deleted, link.get("after"), answer.headers.get("X-Next-Updated-Since")

    def since(self, path, instant=BEGINNING):
        kept, deleted, more, following = self.page(path, updatedSince=instant)
        assert more is None
        return list(kept), deleted, following

    def messages(self, answer):
        body = answer.json()
        if self.name == "mivicall":
            assert (answer.status_code, body["error"]) == (422, "validation_failed")
            return [f"{each['path']}: {each['message']}" for each in body["errors"]]
        assert (answer.status_code, body["error"]) == (400, "Bad Request")
        return body["message"]

    def id_of(self, row):
        return row.pk if self.name == "imagemais" else str(row.uuid)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("", UNREADABLE),
        ("ontem", UNREADABLE),
        ("2026-11-23", UNREADABLE),
        ("2026-11-23T10:00:00", UNREADABLE),
        ("1795341600", UNREADABLE),
        ("9" * 10_000, UNREADABLE),
        ("1999-12-31T23:59:59Z", TOO_EARLY),
        ("1926-11-23T10:00:00-03:00", TOO_EARLY),
        ("2126-11-23T10:00:00Z", IN_FUTURE),
    ],
)
def test_an_instant_that_cannot_be_meant_is_refused_by_name(api, path, since, expected):
    (message,) = api.messages(api.ask(path, updatedSince=since))
    assert message == ("updatedSince: " if api.name == "mivicall" else "") + expected[api.name]


@pytest.mark.parametrize("path", LISTS)
def test_a_minute_ahead_is_another_clock_and_two_are_the_future(api, path):
    def ahead(seconds):
        return (timezone.now() + timedelta(seconds=seconds)).isoformat()

    assert api.since(path, ahead(50))[:2] == ([], set())
    assert IN_FUTURE[api.name] in api.messages(api.ask(path, updatedSince=ahead(120)))[0]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("since", ["2026-02-30T10:00:00Z", "2026-11-23T10:00:00\0Z", "2026-11-23T25:00:00Z"])
def test_a_time_that_does_not_exist_is_refused_once(api, path, since):
    assert len(api.messages(api.ask(path, updatedSince=since))) == 1


@pytest.mark.parametrize("path", LISTS)
def test_any_offset_is_understood_even_with_a_bare_plus_sign(api, path, doctor):
    book_appointment(doctor)
    for since in ("2000-01-01T00:00:00+00:00", "2000-01-01T01:00:00 01:00", "1999-12-31T21:00:00.000-03:00"):
        assert len(api.since(path, since)[0]) == 1


FILTERS = {
    ("imagemais", "/appointments"): [{"date": "2026-11-23"}, {"status": "1"}, {"doctorId": 1}, {"offset": 0}],
    ("imagemais", "/patients"): [{"name": "ana"}, {"deleted": "true"}, {"offset": 1}, {"phone": "99999"}],
    ("mivicall", "/appointments"): [{"from": "2026-11-23T00:00:00Z"}, {"status": "cancelled"}],
    ("mivicall", "/patients"): [{"search": "ana"}],
}


@pytest.mark.parametrize("path", LISTS)
def test_no_filter_goes_with_it_that_a_row_could_leave(api, path):
    for filters in FILTERS[api.name, path]:
        (message,) = api.messages(api.ask(path, updatedSince=BEGINNING, **filters))
        assert message.startswith(next(iter(filters))) and "updatedSince" in message


def test_everything_is_listed_in_the_order_of_its_change(api, doctor):
    first, second, third = (
        book_appointment(doctor, starts_at=next_monday(doctor.clinic, hour)) for hour in (11, 10, 9)
    )
    assert api.since("/appointments")[0] == [api.id_of(row) for row in (first, second, third)]
    Appointment.objects.filter(pk=first.pk).update(notes="traz exames")
    assert api.since("/appointments")[0] == [api.id_of(row) for row in (second, third, first)]


@pytest.mark.parametrize("path", LISTS)
def test_next_time_only_what_changed_since_is_listed(api, path, doctor):
    booked = book_appointment(doctor)
    following = api.since(path)[2]
    assert api.since(path, following)[:2] == ([], set())
    change_patient(booked.patient_id, {"name": "Maria das Dores"}, clinic=doctor.clinic, by=BY)
    kept, deleted, _, again = api.page(path, updatedSince=following)
    row = booked if path == "/appointments" else booked.patient
    assert "Maria das Dores" in json.dumps(kept) and list(kept) == [api.id_of(row)] and not deleted
    assert api.since(path, again)[0] == []


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_changes_comes_in_pages_of_whole_rows(api, path, doctor):
    for hour in (8, 9, 10, 11, 14):
        book_appointment(doctor, starts_at=next_monday(doctor.clinic, hour))
    whole = api.since(path)[0]
    found, query = [], {}
    for _ in range(3):
        kept, _, more, following = api.page(path, updatedSince=BEGINNING, limit=2, **query)
        found += kept
        assert bool(more) != bool(following)
        query = {POSITION[api.name]: more}
    assert found == whole and more is None


def test_a_row_that_changes_between_two_pages_is_on_the_last(api, doctor):
    rows = [book_appointment(doctor, starts_at=next_monday(doctor.clinic, hour)) for hour in (8, 9, 10)]
    kept, _, more, _ = api.page("/appointments", updatedSince=BEGINNING, limit=1)
    for row in rows[:2]:
        Appointment.objects.filter(pk=row.pk).update(notes="mudou")
    page = {POSITION[api.name]: more, "limit": 10, "updatedSince": BEGINNING}
    later = list(api.page("/appointments", **page)[0])
    assert later == [api.id_of(rows[number]) for number in (2, 0, 1)]


LEAVES = {
    "/appointments": "UPDATE clinic_appointment SET deleted_at = now() WHERE id = %s",
    "/patients": "UPDATE clinic_patient SET died = TRUE WHERE id = %s",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", LISTS)
def test_a_row_that_changes_while_a_page_is_read_hides_none(api, path, doctor):
    assert_no_row_is_hidden(api, path, doctor, updatedSince=BEGINNING)


@pytest.mark.django_db(transaction=True)
def test_an_appointment_that_leaves_a_list_hides_none(api, doctor):
    assert_no_row_is_hidden(api, "/appointments", doctor)


@pytest.mark.django_db(transaction=True)
def test_a_patient_who_leaves_a_list_hides_none(recife, imagemais, doctor):
    assert_no_row_is_hidden(Api("imagemais", imagemais(recife)), "/patients", doctor)


def assert_no_row_is_hidden(api, path, doctor, **asked):
    """By one that leaves after the statement that reads a page and before the one that looks for a next page."""
    starts = [next_monday(doctor.clinic, hour) for hour in (8, 9, 10)]
    booked = [
        book_appointment(doctor, patient=make_patient(doctor.clinic).pk, starts_at=starts_at) for starts_at in starts
    ]
    rows = booked if path == "/appointments" else [each.patient for each in booked]
    leaving = [rows[0].pk]

    def let_one_leave(execute, statement, *parameters):
        found = execute(statement, *parameters)
        if leaving and " LIMIT " in statement and f"clinic_{path[1:-1]}" in statement:
            with another_connection(autocommit=True) as other:
                other.execute(LEAVES[path], [leaving.pop()])
        return found

    with connection.execute_wrapper(let_one_leave):
        _kept, _deleted, more, _next = api.page(path, limit=2, **asked)
    assert not leaving
    kept, *_ = api.page(path, limit=2, **asked | {POSITION[api.name]: more})
    assert api.id_of(rows[2]) in kept


def test_an_appointment_of_two_procedures_comes_whole(recife, imagemais):
    procedures = [make_procedure(recife, duration_minutes=10) for _ in range(2)]
    doctor = make_doctor(recife, procedures=procedures)
    for hour in (9, 10):
        lines = tuple(LineRequest(procedure.pk) for procedure in procedures)
        book_appointment(doctor, starts_at=next_monday(recife, hour), lines=lines)
    answer = imagemais(recife).get("/appointments", updatedSince=BEGINNING, limit=1)
    assert len({each["id"] for each in answer.json()}) == 1 and len(answer.json()) == 2
    assert "Link" in answer and "X-Next-Updated-Since" not in answer


# What a copy has to remove --------------------------------------------------------------------------------------------


def test_a_deleted_appointment_is_listed_to_be_removed(api, doctor):
    kept, gone = (book_appointment(doctor, starts_at=next_monday(doctor.clinic, hour)) for hour in (9, 10))
    following = api.since("/appointments")[2]
    Appointment.objects.filter(pk=gone.pk).update(deleted_at=datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert api.since("/appointments", following)[:2] == ([], {api.id_of(gone)})
    assert api.since("/appointments")[:2] == ([api.id_of(kept)], {api.id_of(gone)})
    assert "2026-11-23T12:00:00" in api.ask("/appointments", updatedSince=following).content.decode()


def test_a_patient_who_died_leaves_the_copy_and_may_come_back(api, recife):
    patient = make_patient(recife)
    following = api.since("/patients")[2]
    change_patient(patient.pk, {"died": True}, clinic=recife, by=BY)
    assert api.since("/patients", following)[:2] == ([], {api.id_of(patient)})
    change_patient(patient.pk, {"died": False}, clinic=recife, by=BY)
    assert api.since("/patients", following)[:2] == ([api.id_of(patient)], set())


def test_a_cancelled_appointment_is_no_deleted_one(api, doctor):
    booked = book_appointment(doctor)
    Appointment.objects.filter(pk=booked.pk).update(status="cancelled", cancelled_by="patient")
    assert api.since("/appointments")[:2] == ([api.id_of(booked)], set())


def test_an_element_to_remove_is_small_at_mivicall(mivicall, recife):
    patient = make_patient(recife, died=True)
    body = mivicall(recife).get("/patients", updatedSince=BEGINNING).json()
    at = Patient.objects.get(pk=patient.pk).changed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert body["deleted"] == [{"id": str(patient.uuid), "deletedAt": at}] and body["items"] == []


# Positions ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_booked(doctor):
    for hour in (9, 10):
        book_appointment(doctor, starts_at=next_monday(doctor.clinic, hour))


def positions(api, path):
    """A position of the list of changes, and one of the list of everything or None where it has none."""
    changes = api.page(path, updatedSince=BEGINNING, limit=1)[2]
    if (api.name, path) == ("mivicall", "/patients"):
        return changes, None
    answer = api.ask(path, limit=1)
    if api.name == "mivicall":
        return changes, answer.json()["nextCursor"]
    return changes, dict(parse_qsl(urlsplit(answer["Link"].split(">")[0]).query))["after"]


@pytest.mark.parametrize("path", LISTS)
def test_positions_of_another_list_are_refused(api, two_booked, path):
    other = LISTS[1 - LISTS.index(path)]
    (of_changes, of_list), (of_other, _) = positions(api, path), positions(api, other)

    def refusals(position, **query):
        return api.messages(api.ask(path, **{POSITION[api.name]: position}, **query))

    assert refusals(of_other, updatedSince=BEGINNING) == NOT_A_POSITION[api.name]
    if of_list:
        assert refusals(of_list, updatedSince=BEGINNING) == NOT_A_POSITION[api.name]
    assert NOT_A_POSITION[api.name][0] in refusals(of_changes)


@pytest.mark.parametrize("path", LISTS)
def test_a_position_of_another_clinic_or_cut_in_half_is_refused(request, api, two_booked, path):
    position, _ = positions(api, path)
    elsewhere = Api(api.name, request.getfixturevalue(api.name)(make_lisbon()))
    half = position[: len(position) // 2]
    for asked, text in [(elsewhere, position), (api, half), (api, position + "A"), (api, ""), (api, "x" * 10_000)]:
        answer = asked.ask(path, updatedSince=BEGINNING, **{POSITION[api.name]: text})
        assert asked.messages(answer) == NOT_A_POSITION[api.name]


def test_a_position_names_nobody(api, doctor, two_booked):
    position, _ = positions(api, "/patients")
    keys = json.loads(urlsafe_b64decode(position + "=="))
    assert keys[0] == f"patients by change {doctor.clinic.pk}" and len(keys) == 3


# Nothing else changes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
def test_nothing_of_another_clinic_is_listed(api, path):
    elsewhere = make_lisbon()
    book_appointment(make_doctor(elsewhere, procedures=[make_procedure(elsewhere)]))
    assert api.since(path)[:2] == ([], set())


def test_answers_gain_no_key_unless_asked(recife, doctor, imagemais, mivicall):
    book_appointment(doctor)
    patients, bookings = imagemais(recife).get("/patients"), imagemais(recife).get("/appointments")
    assert set(patients.json()[0]) == {"dateBirth", "id", "name", "cpf", "contact"}
    assert "X-Next-Updated-Since" not in patients and "X-Next-Updated-Since" not in bookings
    program = mivicall(recife)
    assert set(program.get("/appointments").json()) == {"items"}
    assert set(program.get("/patients", search="a").json()) == {"items"}


def test_patients_of_mivicall_need_a_search_or_an_instant(mivicall, recife):
    program = mivicall(recife)
    for query in ({}, {"limit": 3}):
        answer = program.get("/patients", **query)
        assert answer.json()["errors"] == [
            {"path": "search", "message": "Campo obrigatório, a não ser com updatedSince."}
        ]
    assert program.get("/patients", search="a", cursor="x").json()["errors"][0]["path"] == "cursor"


def test_a_key_without_patients_reads_no_changes_of_them(mivicall, recife):
    program = mivicall(recife, scopes=["appointments:read"])
    assert program.get("/patients", updatedSince=BEGINNING).status_code == 403
    assert program.get("/appointments", updatedSince=BEGINNING).status_code == 200


def test_patients_in_a_list_of_changes_were_shown(api, recife):
    for name in "ABC":
        make_patient(recife, name=name)
    PatientAccess.objects.all().delete()
    kept, *_ = api.page("/patients", updatedSince=BEGINNING, limit=2)
    assert PatientAccess.objects.count() == len(kept) == 2


def test_the_earliest_instant_is_that_of_the_references():
    assert datetime(2000, 1, 1, tzinfo=UTC) == EARLIEST


@pytest.mark.parametrize("reference", [imagemais_reference, mivicall_reference])
def test_the_references_examples_ask_what_can_be_asked(reference):
    shown = [each for group in groups(reference.document, "", "") for each in group.operations]
    lists = {each.path: each.curl for each in shown if each.method == "GET" and each.path.endswith(tuple(LISTS))}
    assert len(lists) == 2 and "updatedSince" not in "".join(lists.values())
    assert "search=Maria" in lists.get("/v1/patients", "search=Maria")
