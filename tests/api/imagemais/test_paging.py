"""Lists in pages: no loop loses or repeats an element, and nothing that is asked means everybody."""

import re
from datetime import time
from urllib.parse import parse_qsl, urlsplit

import pytest

from clinic.api import keyset
from clinic.models import PatientAccess
from tests.factories import book_appointment, cpf, make_doctor, make_patient, make_procedure, next_monday

pytestmark = pytest.mark.django_db


def next_query(answer):
    """The parameters of the address in `Link`, None without one."""
    found = re.fullmatch('<(.*)>; rel="next"', answer.headers.get("Link", ""))
    return dict(parse_qsl(urlsplit(found[1]).query)) if found else None


@pytest.fixture(autouse=True)
def many_requests(settings):
    settings.API_REQUESTS_A_SECOND = settings.API_REQUESTS_A_MINUTE = 10_000


@pytest.fixture
def full(desk):
    """Five appointments of two procedures, ten elements."""
    for number in range(4):
        desk.book(
            patient=desk.patient(name=f"P {number}", cpf=cpf(111222333 + number)),
            startTime=f"10:{15 * number:02}",
            endTime="11:00",
            doctorId=make_doctor(desk.clinic, procedures=desk.procedures).pk,
        )
    desk.book()
    return desk


def keys(answer):
    assert answer.status_code == 200, answer.content.decode()
    return [(element["id"], element["appointmentProcedures"]["procedure"]["id"]) for element in answer.json()]


def walk(desk, path, read, between=lambda: None, **query):
    """All elements of a list, page after page; `between` is called after each."""
    answer = desk.ask.get(path, **query)
    found = read(answer)
    while query := next_query(answer):
        between()
        answer = desk.ask.get(path, **query)
        found += read(answer)
    return found


def test_limit_and_offset_count_the_elements(full):
    whole = keys(full.ask.get("/appointments"))
    assert len(whole) == 10
    assert keys(full.ask.get("/appointments", limit=3)) == whole[:3]
    assert keys(full.ask.get("/appointments", limit=3, offset=3)) == whole[3:6]
    by_length, offset = [], 0
    while page := keys(full.ask.get("/appointments", limit=3, offset=offset)):
        by_length += page
        offset += len(page)
    assert by_length == whole


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 10, 100])
def test_the_links_lead_through_the_whole_list(full, limit):
    assert walk(full, "/appointments", keys, limit=limit) == keys(full.ask.get("/appointments"))


def test_who_follows_the_links_loses_and_repeats_nothing_meanwhile(full):
    whole = keys(full.ask.get("/appointments"))
    hours = iter(range(5, 9))

    def book_earlier():
        doctor = make_doctor(full.clinic, hours=((time(0), time(9)),), procedures=[make_procedure(full.clinic)])
        book_appointment(doctor, starts_at=next_monday(full.clinic, next(hours)))

    found = walk(full, "/appointments", keys, book_earlier, limit=3)
    assert [key for key in found if key in whole] == whole
    assert len(found) == len(set(found))


def test_patients_are_listed_once_each_while_others_are_added(desk):
    for name in "CDE":
        make_patient(desk.clinic, name=name)
    before = [patient["id"] for patient in desk.ask.get("/patients").json()]

    def ids(answer):
        return [patient["id"] for patient in answer.json()]

    found = walk(desk, "/patients", ids, lambda: make_patient(desk.clinic, name="A") and None, limit=2, name="c")
    assert found == [before[0]]
    found = walk(desk, "/patients", ids, limit=1)
    assert found == ids(desk.ask.get("/patients"))


@pytest.mark.parametrize("path", ["/appointments", "/patients", "/doctors", "/procedures", "/discounts"])
def test_the_first_page_says_how_many_there_are(full, path):
    total = int(full.ask.get(path, limit=1)["X-Total-Count"])
    assert total == int(full.ask.get(path)["X-Total-Count"]) == len(full.ask.get(path).json())
    later = full.ask.get(path, offset=1)
    assert "X-Total-Count" not in later


def test_a_long_list_is_not_counted(full, monkeypatch):
    monkeypatch.setattr("clinic.api.imagemais.paging.MAX_COUNTED", 9)
    answer = full.ask.get("/appointments", limit=2)
    assert "X-Total-Count" not in answer and "Link" in answer


def test_only_patients_of_the_page_were_shown(desk):
    for name in "CDE":
        make_patient(desk.clinic, name=name)
    listed = desk.ask.get("/patients", limit=2)
    seen = PatientAccess.objects.values_list("patient", flat=True)
    assert sorted(seen) == sorted(patient["id"] for patient in listed.json()) and "Link" in listed


def test_the_link_keeps_the_filters(full):
    query = next_query(full.ask.get("/appointments", limit=1, dateStart="2026-11-23", doctorId=full.doctor.pk))
    assert query.keys() == {"limit", "dateStart", "doctorId", "after"}


ELSEWHERE = [
    "",
    "x",
    "W10",
    "WzFd",
    keyset.format_position("patients 1", 2**63 - 1),
    keyset.format_position("appointments by start 1", 1, 2),
    "\u0663",
    "W" * 5000,
    "W1tbW1td",
]


@pytest.mark.parametrize("after", ELSEWHERE)
def test_what_is_no_position_of_the_list_is_refused(full, after):
    answer = full.ask.get("/appointments", after=after)
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        ["after deve ser o que veio em Link, com os mesmos filtros"],
    )


def test_a_position_and_an_offset_exclude_each_other(full):
    after = next_query(full.ask.get("/appointments", limit=1))["after"]
    answer = full.ask.get("/appointments", after=after, offset=1)
    assert answer.json()["message"] == ["offset e after não vão juntos: after já diz onde continua"]


@pytest.mark.parametrize("name", ["", " ", "\u200b "])
def test_an_empty_name_is_refused_and_never_means_everybody(desk, name):
    make_patient(desk.clinic)
    answer = desk.ask.get("/patients", name=name)
    assert answer.status_code == 400 or answer.json() == []


def test_a_name_that_no_patient_can_have_is_refused(desk):
    assert desk.ask.get("/patients", name="a" * 161).json()["message"] == ["name deve ter no máximo 160 caracteres"]


def test_no_patient_is_deleted(desk):
    make_patient(desk.clinic)
    assert desk.ask.get("/patients", deleted="true").json() == []
    assert desk.ask.get("/patients", deleted="false").json() == desk.ask.get("/patients").json()
    assert desk.ask.get("/patients", deleted="1").status_code == 400
