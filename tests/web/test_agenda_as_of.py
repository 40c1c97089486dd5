"""A agenda como estava: the day of any recorded moment as it was seen then, and what two moments have different."""

import contextlib
from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clinic.booking import (
    LineRequest,
    change_procedures,
    change_status,
    edit_notes,
    merge_patients,
    reschedule,
    undo,
)
from clinic.models import Absence, Appointment, PatientAccess, WorkingHours
from clinic.queries import agenda
from clinic.queries.agenda import Change
from clinic.queries.agenda.as_of import COMPARED, _rows_as_of
from clinic.queries.agenda.rows import AppointmentRow
from clinic.queries.agenda.stored import stored_values
from clinic.refusals import Refused
from clinic.registry import redact_patient
from tests.booking.desk import BY, MONDAY, open_desk
from tests.factories import make_clinic, make_doctor_user, make_manager, make_master, make_procedure, make_user

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk():
    return open_desk()


def address(day=MONDAY, **query):
    return reverse("web:agenda-as-of", args=[day.isoformat()], query=query or None)


def snapshot(desk, day, now):
    """What the page of the day shows of its appointments, as it is stored at this moment."""
    midnight, end = desk.clinic.day(day)
    here = Appointment.objects.of(desk.clinic).kept().overlapping(midnight, end)
    rows = [AppointmentRow(*values) for values in stored_values(here, desk.clinic, now)]
    return {row.id: tuple(getattr(row, name) for name in COMPARED) for row in rows}


def rebuilt(desk, day, moment):
    rows = _rows_as_of(desk.clinic, day, moment)
    return {pk: tuple(getattr(row, name) for name in COMPARED) for pk, row in rows.items()}


KINDS = ["book", "move", "status", "notes", "lines", "undo"]
ACTS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=10)


@settings(max_examples=15, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_each_recorded_moment_comes_back_as_it_was(acts):
    desk = open_desk()
    doctors = [desk.doctor, desk.another_doctor()]
    patients = [desk.patient, *(desk.another_patient() for _ in range(3))]
    ecg = make_procedure(desk.clinic, name="ECG", duration_minutes=15)
    for doctor in doctors:
        doctor.procedures.add(ecg)
    now, booked, seen = desk.at(7, day=MONDAY - timedelta(days=3)), [], []
    for act, one, other in acts:
        now += MINUTE
        with contextlib.suppress(Refused):
            perform(desk, act, one, other, now, booked=booked, doctors=doctors, patients=patients, ecg=ecg)
        seen.append((now, {day: snapshot(desk, day, now) for day in (MONDAY, TUESDAY)}))
    for moment, days in seen:
        for day, was in days.items():
            assert rebuilt(desk, day, moment) == was
            assert rebuilt(desk, day, moment + MINUTE / 2) == was
    assert rebuilt(desk, MONDAY, seen[0][0] - MINUTE) == {}


def perform(desk, act, one, other, now, *, booked, doctors, patients, ecg):
    common = {"clinic": desk.clinic, "by": BY, "now": now}
    starts_at = desk.at(9 + other % 4, 0, day=(MONDAY, TUESDAY)[one % 2])
    if act == "book":
        wish = {"doctor": doctors[one // 2 % 2].pk, "patient": patients[other % 4].pk, "starts_at": starts_at}
        booked.append(desk.book(now=now, **wish).pk)
    elif booked:
        pk = booked[one % len(booked)]
        if act == "move":
            reschedule(pk, doctor=doctors[other % 2].pk, starts_at=starts_at, **common)
        elif act == "status":
            status = ["confirmed", "cancelled", "scheduled", "checked_in"][other % 4]
            change_status(pk, status, cancelled_by="patient" if status == "cancelled" else "", **common)
        elif act == "notes":
            edit_notes(pk, notes="liga antes" * (other % 2), **common)
        elif act == "lines":
            lines = (LineRequest(desk.procedure.pk), *[LineRequest(ecg.pk)] * (other % 2))
            change_procedures(pk, lines=lines, **common)
        else:
            undo(pk, **common)


def test_hours_absences_and_doctors_are_those_of_then(desk):
    other = desk.another_doctor()
    moment = timezone.now()
    WorkingHours.objects.filter(doctor=desk.doctor).update(starts=time(14), ends=time(18))
    WorkingHours.objects.filter(doctor=other).first().delete()
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=desk.at(14), ends_at=desk.at(16), reason="curso"
    )
    later = timezone.now()
    other.active = False
    other.save()
    before = agenda.day_as_of(desk.clinic, MONDAY, moment, timezone.now()).day
    after = agenda.day_as_of(desk.clinic, MONDAY, later, timezone.now()).day
    assert [column.name for column in before.columns] == sorted([desk.doctor.full_name, other.full_name])
    assert before.hours[0].time == "08:00" and "curso" not in str(before.hours)
    assert other.full_name in [*after.off_duty, *(column.name for column in after.columns)]
    assert "curso" in str(after.hours)
    assert other.full_name not in str(agenda.day_as_of(desk.clinic, MONDAY, timezone.now(), timezone.now()).day)


def test_the_difference_names_what_and_by_whom(desk):
    rita = make_user(desk.clinic, name="Rita Recepção")
    by = type(BY)("browser", user=rita)
    stays, goes, cancelled = (
        desk.book(patient=desk.another_patient().pk, starts_at=desk.at(hour)) for hour in (8, 9, 10)
    )
    first = desk.now
    now = first + 2 * MINUTE
    reschedule(stays.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(11), by=by, now=now)
    reschedule(goes.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(9, day=TUESDAY), by=by, now=now)
    change_status(cancelled.pk, "cancelled", clinic=desk.clinic, by=by, cancelled_by="clinic", now=now)
    added = desk.book(starts_at=desk.at(9), now=now, by=by)
    found = {one.appointment: one for one in agenda.differences(desk.clinic, MONDAY, first, now)}
    assert {pk: one.kind for pk, one in found.items()} == {
        stays.pk: Change.MOVED,
        goes.pk: Change.MOVED_AWAY,
        cancelled.pk: Change.CANCELLED,
        added.pk: Change.ADDED,
    }
    assert {who for one in found.values() for _at, _sentence, who in one.events} == {"Rita Recepção"}
    [arrived] = agenda.differences(desk.clinic, TUESDAY, first, now)
    assert arrived.kind is Change.MOVED_HERE
    assert agenda.differences(desk.clinic, MONDAY, now, now + MINUTE) == []


def test_a_redaction_holds_for_the_past_too(desk):
    appointment = desk.book()
    edit_notes(appointment.pk, notes="segredo", clinic=desk.clinic, by=BY, now=desk.now + MINUTE)
    moment = desk.now + 2 * MINUTE
    edit_notes(appointment.pk, notes="", clinic=desk.clinic, by=BY, now=desk.now + 3 * MINUTE)
    assert rebuilt(desk, MONDAY, moment)[appointment.pk][-1] is True
    change_status(appointment.pk, "cancelled", clinic=desk.clinic, by=BY, cancelled_by="patient", now=moment + MINUTE)
    redact_patient(desk.patient.pk, clinic=desk.clinic, by=BY, reason="pedido")
    assert rebuilt(desk, MONDAY, moment)[appointment.pk][-1] is False


def test_a_merged_patient_is_shown_as_today(desk, client):
    other = desk.another_patient(name="Rosa Kept")
    desk.book()
    merge_patients(other.pk, desk.patient.pk, clinic=desk.clinic, by=BY, sides={})
    [row] = _rows_as_of(desk.clinic, MONDAY, desk.now + MINUTE).values()
    assert row.patient == "Rosa Kept"


@pytest.fixture
def manager(desk, client):
    client.force_login(make_manager(desk.clinic))
    return client


def test_the_page_says_that_it_is_the_past_and_acts_in_nothing(desk, manager):
    desk.book(now=desk.now)
    text = manager.get(address()).text
    assert desk.patient.display_name in text and "Só para ver" in text and "Voltar a agora" in text
    own = text.split('id="day"')[1]
    assert "bundles/day.js" not in text and "agendamentos/novo" not in own and "<button" not in own.split("moments")[0]
    assert 'method="post"' not in own.split("</main>")[0]


def test_what_changed_since_then_is_on_the_same_page(desk, manager):
    appointment = desk.book(now=desk.now, starts_at=desk.at(9))
    now = desk.now + 5 * MINUTE
    change_status(appointment.pk, "cancelled", clinic=desk.clinic, by=BY, cancelled_by="patient", now=now)
    text = manager.get(address(em="2026-11-23T07:02", ate="agora")).text
    assert "De Agendado para Cancelado" in text and "<b>Cancelado</b>" in text
    assert "Nada mudou neste dia." in manager.get(address(em="2026-11-23T08:00", ate="2026-11-23T09:00")).text


@pytest.mark.parametrize(
    ("em", "sentence"),
    [("ontem", "Escreva dia e hora"), ("2999-01-01T10:00", "Escreva dia"), ("2150-01-01T10:00", "ainda não chegou"),
     ("2026-02-31T10:00", "Escreva dia e hora"), ("2026-11-20T10:00+00:00", "Escreva dia e hora")],
)  # fmt: skip
def test_a_moment_that_cannot_be_is_named(desk, manager, em, sentence):
    answer = manager.get(address(em=em))
    assert answer.status_code == 422 and sentence in answer.text
    assert sentence in manager.get(address(em="2020-01-01T10:00", ate=em)).text


def test_only_managers_see_the_past(desk, client):
    for make, status in ((make_user, 403), (make_doctor_user, 403), (make_manager, 200), (make_master, 200)):
        client.force_login(make(desk.clinic))
        assert client.get(address()).status_code == status
    assert client.get("/agenda/x/como-estava/").status_code == 404


def test_another_clinics_day_is_its_own(desk, client):
    desk.book()
    client.force_login(make_manager(make_clinic()))
    assert desk.patient.display_name not in client.get(address()).text


def test_who_was_moved_away_is_in_the_access_log(desk, manager):
    now = timezone.now()
    day = desk.clinic.local(now).date() + timedelta(days=1)
    appointment = desk.book(now=now - timedelta(hours=3), starts_at=first_free(desk, day))
    moved_to = first_free(desk, day + timedelta(days=1))
    reschedule(appointment.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=moved_to, by=BY, now=now)
    Appointment.objects.update(created_at=now - timedelta(hours=3))
    asked = desk.clinic.local(appointment.starts_at).date()
    assert desk.patient.display_name in manager.get(address(asked)).text
    assert PatientAccess.objects.filter(patient=desk.patient, page="web:agenda-as-of").exists()


def first_free(desk, day: date):
    while day.isoweekday() > 5:
        day += timedelta(days=1)
    return desk.at(9, day=day)


def test_a_fuller_day_asks_no_more_queries(desk):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            agenda.day_as_of(desk.clinic, MONDAY, desk.now + MINUTE, timezone.now())
        return len(queries)

    desk.book(now=desk.now)
    few = asked()
    for hour in (8, 10, 11):
        booked = desk.book(patient=desk.another_patient().pk, starts_at=desk.at(hour), now=desk.now)
        edit_notes(booked.pk, notes="x", clinic=desk.clinic, by=BY, now=desk.now + 2 * MINUTE)
    assert asked() == few <= 18
