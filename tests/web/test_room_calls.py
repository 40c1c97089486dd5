"""Calling patients to the doctor's room, priorities marked by hand, and what the waiting room's display shows."""

from datetime import date, time
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.access import display_links
from clinic.booking import Author, call_to_room, change_status, mark_priority
from clinic.models import Appointment, DisplayLink, PriorityMark, RoomCall
from clinic.models.names import initials
from clinic.queries import queue
from clinic.queries.priority import Rank, kinds, priority
from clinic.queries.room_calls import SHOWN_FOR, called_patients
from clinic.refusals import Reason, Refused
from clinic.registry.redaction import redact_patient
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_doctor_user,
    make_lisbon,
    make_manager,
    make_patient,
    make_user,
)

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)
BY = Author(channel="command", credential="tests")
PARTIAL = {"HX-Request": "true"}
Kind = PriorityMark.Kind


@pytest.fixture(autouse=True)
def clock(time_machine):
    """`clock(9, 30)` moves the time to 09:30 in Recife on Monday."""

    def move(hour, minute=0):
        time_machine.move_to(f"2026-11-23T{hour + 3:02}:{minute:02}:00Z", tick=False)

    move(7)
    return move


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado", room="Consultório 3")


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic, name="Rita"))
    return client


def visit(doctor, hour, name="Maria da Silva", minute=0, born=date(1990, 1, 1), arrives=True):
    patient = make_patient(doctor.clinic, name=name, birth_date=born)
    starts_at = doctor.clinic.instant(MONDAY, time(hour, minute))
    appointment = book_appointment(doctor, patient=patient.pk, starts_at=starts_at)
    if arrives:
        change_status(appointment.pk, "checked_in", clinic=doctor.clinic, by=BY)
    return Appointment.objects.get(pk=appointment.pk)


def call(appointment):
    return call_to_room(appointment.pk, clinic=appointment.clinic, by=BY)


def mark(appointment, kind):
    return mark_priority(appointment.pk, kind, clinic=appointment.clinic, by=BY)


def row_of(appointment):
    rows = queue.rows(appointment.clinic, now=timezone.now())
    return next(row for row in rows if row.appointment.pk == appointment.pk)


def order(clinic):
    return [row.appointment.patient.name for row in queue.rows(clinic, now=timezone.now())]


@pytest.fixture
def screen(clinic):
    """A browser that has opened the link of the clinic's display."""
    _, secret = display_links.create(clinic, name="Recepção", by=None)
    browser = Client()
    browser.get(reverse("web:display-open", args=[secret]))
    return browser


# Calls ----------------------------------------------------------------------------------------------------------------


def test_only_who_waits_is_called(doctor):
    expected = visit(doctor, 9, arrives=False)
    with pytest.raises(Refused) as refused:
        call(expected)
    assert refused.value.reasons == {Reason.NOT_WAITING}
    assert not RoomCall.objects.exists()


def test_who_came_yesterday_is_not_called(doctor, time_machine):
    waiting = visit(doctor, 9)
    time_machine.move_to("2026-11-24T12:00:00Z", tick=False)
    with pytest.raises(Refused) as refused:
        call(waiting)
    assert refused.value.reasons == {Reason.NOT_WAITING}


def test_a_call_leaves_the_appointment_as_it_was(doctor):
    waiting = visit(doctor, 9)
    call(waiting)
    assert Appointment.objects.get(pk=waiting.pk).updated_at == waiting.updated_at


def test_calls_are_counted_from_the_arrival_on(doctor, clock):
    waiting = visit(doctor, 9)
    for minute in (10, 20):
        clock(8, minute)
        call(waiting)
    row = row_of(waiting)
    assert (row.calls, doctor.clinic.local(row.called_at).minute) == (2, 20)
    clock(8, 30)
    for status in ("scheduled", "checked_in"):
        change_status(waiting.pk, status, clinic=doctor.clinic, by=BY)
    assert (row_of(waiting).calls, row_of(waiting).called_at) == (0, None)


def test_the_queue_calls_and_calls_again(desk, doctor, clock):
    waiting = visit(doctor, 9)
    clock(8, 10)
    seen = f"checked_in|{doctor.pk}|2026-11-23|09:00"
    answer = desk.post(reverse("web:queue-call", args=[waiting.pk]), {"seen": seen}, headers=PARTIAL)
    assert "chamado às 08:10" in answer.text
    assert "Chamar de novo" in answer.text
    stored = RoomCall.objects.get()
    assert (stored.user.name, stored.appointment_id) == ("Rita", waiting.pk)


def test_who_has_gone_in_meanwhile_is_not_called(desk, doctor):
    waiting = visit(doctor, 9)
    seen = f"checked_in|{doctor.pk}|2026-11-23|09:00"
    change_status(waiting.pk, "in_service", clinic=doctor.clinic, by=BY)
    answer = desk.post(reverse("web:queue-call", args=[waiting.pk]), {"seen": seen}, headers=PARTIAL)
    assert answer.status_code == 409
    assert not RoomCall.objects.exists()


def test_the_queue_costs_the_same_with_calls_and_marks(desk, doctor):
    for hour in (9, 10, 11, 14):
        waiting = visit(doctor, hour)
        call(waiting), mark(waiting, Kind.PREGNANT)
    desk.get(reverse("web:queue"))
    with CaptureQueriesContext(connection) as queries:
        desk.get(reverse("web:queue"))
    assert len(queries) <= 6


# Priorities -----------------------------------------------------------------------------------------------------------


def test_marked_ones_go_before_others_and_donors_after_them(clinic, doctor, clock):
    people = ["Ana Comum", "Bia Doadora", "Caio Idoso", "Davi Autista", "Eva Anciã"]
    born = {"Caio Idoso": date(1960, 1, 1), "Eva Anciã": date(1940, 1, 1)}
    for minute, name in enumerate(people):
        clock(8, minute)
        hour, half = 9 + minute // 2, minute % 2 * 30
        waiting = visit(doctor, hour, name=name, minute=half, born=born.get(name, date(1990, 1, 1)))
        marked = {"Bia Doadora": Kind.DONOR, "Davi Autista": Kind.AUTISTIC}
        if name in marked:
            mark(waiting, marked[name])
    assert order(clinic) == ["Eva Anciã", "Caio Idoso", "Davi Autista", "Bia Doadora", "Ana Comum"]


def test_a_mark_can_take_a_priority_away(doctor):
    elderly = visit(doctor, 9, born=date(1940, 1, 1))
    assert row_of(elderly).priority.rank is Rank.VERY_ELDERLY
    mark(elderly, Kind.NONE)
    assert row_of(elderly).priority == (Rank.NONE, "")


def test_the_newest_mark_counts_and_the_same_adds_nothing(doctor):
    waiting = visit(doctor, 9)
    for kind in (Kind.PREGNANT, Kind.INFANT, Kind.INFANT):
        mark(waiting, kind)
    assert row_of(waiting).priority.reason == "com criança de colo"
    assert PriorityMark.objects.count() == 2


def test_age_of_eighty_goes_before_a_mark(clinic):
    assert priority(clinic, date(1940, 1, 1), MONDAY, Kind.PREGNANT).rank is Rank.VERY_ELDERLY


def test_in_portugal_only_marks_count(clinic):
    lisbon = make_lisbon()
    assert priority(lisbon, date(1930, 1, 1), MONDAY).rank is Rank.NONE
    assert priority(lisbon, date(1930, 1, 1), MONDAY, Kind.ELDERLY).rank is Rank.BY_LAW
    assert Kind.DONOR in kinds(clinic) and Kind.DONOR not in kinds(lisbon)


def test_the_queue_marks_and_says_why(desk, doctor):
    waiting = visit(doctor, 9)
    address = reverse("web:queue-priority", args=[waiting.pk])
    answer = desk.post(address, {"kind": "pregnant"}, headers=PARTIAL)
    assert "prioridade: gestante" in " ".join(answer.text.split())
    assert desk.post(address, {"kind": "elderly"}, headers=PARTIAL).status_code == 400
    assert desk.post(address, {"kind": "x" * 900}, headers=PARTIAL).status_code == 400


def test_a_redaction_deletes_marks_of_what_is_over(clinic, doctor, clock):
    waiting = visit(doctor, 8)
    mark(waiting, Kind.DISABLED)
    clock(18)
    redact_patient(waiting.patient_id, clinic=clinic, by=BY, reason="pedido")
    assert not PriorityMark.objects.exists()


# The display ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written"),
    [("Maria da Silva", "M. S."), ("Ayla", "A."), ("zé  d'ávila", "Z. D."), ("(Bia) Reis", "B. R.")],
)
def test_initials_are_of_the_first_and_the_last_name(name, written):
    assert initials(name) == written


def test_the_display_shows_no_name(screen, doctor):
    call(visit(doctor, 9))
    text = screen.get(reverse("web:display")).text
    assert "M. S." in text and "Consultório 3" in text and "09:00" in text
    assert "Maria" not in text and "Silva" not in text


def test_newest_first_each_once_and_not_for_long(clinic, doctor, clock):
    first, second = visit(doctor, 9, name="Ana Lima"), visit(doctor, 10, name="Bia Reis")
    for minute, waiting in enumerate([first, second, first]):
        clock(8, minute)
        call(waiting)
    now = timezone.now()
    assert [shown.initials for shown in called_patients(clinic, now=now)] == ["A. L.", "B. R."]
    assert [shown.initials for shown in called_patients(clinic, now=now + SHOWN_FOR)] == []
    change_status(first.pk, "scheduled", clinic=clinic, by=BY)
    assert [shown.initials for shown in called_patients(clinic, now=now)] == ["B. R."]


def test_another_clinics_calls_are_not_shown(screen):
    call(visit(make_doctor(make_clinic()), 9))
    assert "M. S." not in screen.get(reverse("web:display")).text


def test_an_unchanged_display_costs_no_body(screen, doctor):
    address = reverse("web:display")
    version = screen.get(address, headers=PARTIAL)["ETag"]
    assert screen.get(address, headers=PARTIAL | {"If-None-Match": version}).status_code == 304
    call(visit(doctor, 9))
    assert screen.get(address, headers=PARTIAL | {"If-None-Match": version}).status_code == 200


def test_a_guessed_or_revoked_link_shows_nothing(screen, clinic, doctor):
    call(visit(doctor, 9))
    stranger = Client()
    assert stranger.get(reverse("web:display")).status_code == 404
    assert stranger.get(reverse("web:display-open", args=["x" * 43])).status_code == 404
    display_links.revoke(DisplayLink.objects.get().pk, clinic=clinic, by=None)
    answer = screen.get(reverse("web:display"))
    assert answer.status_code == 404
    assert "M. S." not in answer.text


def test_the_link_of_a_closed_clinic_shows_nothing(screen, clinic):
    type(clinic).objects.filter(pk=clinic.pk).update(active=False)
    assert screen.get(reverse("web:display")).status_code == 404


def test_the_secret_is_neither_stored_nor_in_a_later_address(clinic):
    _, secret = display_links.create(clinic, name="Recepção", by=None)
    assert secret not in str(DisplayLink.objects.values())
    answer = Client().get(reverse("web:display-open", args=[secret]))
    assert answer["Location"] == reverse("web:display")
    cookie = answer.cookies["display"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/painel/")


def test_managers_create_and_revoke_links(client, clinic):
    client.force_login(make_manager(clinic))
    page = client.post(reverse("web:display-create"), {"name": "Recepção"})
    assert "/painel/" in page.text
    link = DisplayLink.objects.get()
    assert (link.name, link.created_by is not None) == ("Recepção", True)
    client.post(reverse("web:display-revoke", args=[link.pk]))
    link.refresh_from_db()
    revoked_at = link.revoked_at
    assert revoked_at and link.revoked_by
    client.post(reverse("web:display-revoke", args=[link.pk]))
    link.refresh_from_db()
    assert link.revoked_at == revoked_at
    assert client.post(reverse("web:display-create"), {"name": " "}).status_code == 422


def test_receptionists_have_no_links(desk):
    assert desk.get(reverse("web:display-links")).status_code == 403
    assert desk.post(reverse("web:display-create"), {"name": "Recepção"}).status_code == 403


def test_a_display_is_two_queries_a_look(screen, doctor):
    for number in range(3):
        call(visit(doctor, 9 + number))
    with CaptureQueriesContext(connection) as queries:
        screen.get(reverse("web:display"))
    assert len(queries) == 2


def test_a_call_of_before_the_last_arrival_is_shown_no_more(clinic, doctor, clock):
    waiting = visit(doctor, 9)
    call(waiting)
    clock(7, 5)
    for status in ("scheduled", "checked_in"):
        change_status(waiting.pk, status, clinic=clinic, by=BY)
    assert called_patients(clinic, now=timezone.now()) == []
    call(waiting)
    assert len(called_patients(clinic, now=timezone.now())) == 1
    change_status(waiting.pk, "in_service", clinic=clinic, by=BY)
    assert called_patients(clinic, now=timezone.now()) == []


def test_a_display_keeps_no_session_alive(desk, clinic):
    _, secret = display_links.create(clinic, name="Recepção", by=None)
    desk.get(reverse("web:display-open", args=[secret]))
    assert '"X-Background": "1"' in unescape(desk.get(reverse("web:display")).text)


def test_a_display_is_shown_where_a_doctor_has_signed_in(client, clinic, doctor):
    client.force_login(make_doctor_user(doctor=doctor))
    _, secret = display_links.create(clinic, name="Recepção", by=None)
    client.get(reverse("web:display-open", args=[secret]))
    assert client.get(reverse("web:display")).status_code == 200


def test_a_display_keeps_its_link_for_another_year(screen):
    assert screen.get(reverse("web:display")).cookies["display"]["max-age"] == 365 * 24 * 3600
    assert "display" not in screen.get(reverse("web:display"), headers=PARTIAL).cookies


@pytest.mark.parametrize("status", ["cancelled", "finished", "no_show"])
def test_no_priority_is_marked_on_what_is_over(doctor, status):
    over = visit(doctor, 9)
    Appointment.objects.filter(pk=over.pk).update(status=status, cancelled_by="patient" * (status == "cancelled"))
    with pytest.raises(Refused) as refused:
        mark(over, Kind.PREGNANT)
    assert refused.value.reasons == {Reason.NOT_IN_QUEUE}
