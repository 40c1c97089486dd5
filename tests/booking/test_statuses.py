from datetime import timedelta
from itertools import product

import pytest

from clinic.booking import change_status, is_movable, next_statuses, reschedule, steps
from clinic.models import Appointment
from clinic.models.appointment import Status
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, reasons, refused

# Written out once more, so that a slip in clinic.booking.statuses is seen. Becoming Remarcado is moving, which is no
# change of status.
ALLOWED = {
    "scheduled": {"confirmed", "checked_in", "cancelled", "no_show"},
    "rescheduled": {"confirmed", "checked_in", "cancelled", "no_show"},
    "confirmed": {"checked_in", "cancelled", "no_show", "scheduled"},
    "checked_in": {"in_service", "scheduled", "confirmed", "cancelled", "no_show"},
    "in_service": {"finished", "checked_in"},
    "finished": {"in_service"},
    "no_show": {"checked_in", "scheduled"},
    "cancelled": {"scheduled"},
}
MOVABLE = {"scheduled", "rescheduled", "confirmed", "no_show"}
WAY = {
    "scheduled": [],
    "confirmed": ["confirmed"],
    "checked_in": ["checked_in"],
    "in_service": ["checked_in", "in_service"],
    "finished": ["checked_in", "in_service", "finished"],
    "no_show": ["no_show"],
    "cancelled": ["cancelled"],
}


def change(desk, appointment, status, *, now=None, cancelled_by="clinic", **changes):
    now = now or desk.at(9, 5)
    changes = {"clinic": desk.clinic, "by": BY, "now": now, "cancelled_by": cancelled_by} | changes
    return change_status(appointment.pk, status, **changes)


def move(desk, appointment, starts_at, **changes):
    changes = {"clinic": desk.clinic, "doctor": appointment.doctor_id, "by": BY, "now": desk.now} | changes
    return reschedule(appointment.pk, starts_at=starts_at, **changes)


def appointment_in(desk, status):
    """One of Monday 09:00 that came to `status` by the ordinary way."""
    if status == "rescheduled":
        return move(desk, desk.book(starts_at=desk.at(8)), desk.at(9))
    appointment = desk.book()
    for step in WAY[status]:
        appointment = change(desk, appointment, step)
    return appointment


@pytest.mark.parametrize(("current", "wanted"), list(product(Status.values, Status.values)))
def test_a_status_becomes_another_only_as_the_front_desks_table_says(desk, current, wanted):
    appointment = appointment_in(desk, current)
    assert appointment.status == current

    if wanted in ALLOWED[current]:
        assert change(desk, appointment, wanted).status == wanted
        assert Appointment.objects.get(pk=appointment.pk).status == wanted
        event = appointment.events.last()
        assert (event.kind, event.before["status"], event.after["status"]) == ("status_changed", current, wanted)
    else:
        events = appointment.events.count()
        refusal = refused(change, desk, appointment, wanted)
        assert refusal.reasons == {Reason.TRANSITION_FORBIDDEN}
        assert Appointment.objects.get(pk=appointment.pk).status == current
        assert appointment.events.count() == events


@pytest.mark.parametrize("current", Status.values)
def test_the_buttons_are_the_table_and_only_some_may_be_moved(desk, current):
    appointment = appointment_in(desk, current)

    assert next_statuses(appointment, now=desk.at(9, 5)) == [s for s in Status if s in ALLOWED[current]]
    assert is_movable(appointment) == (current in MOVABLE)
    assert reasons(move, desk, appointment, desk.at(10)) == (set() if current in MOVABLE else {Reason.NOT_MOVABLE})


@pytest.mark.parametrize("wanted", ["", "agendado", "SCHEDULED", "\0", "x" * 10_000, None, 3, "deleted"])
def test_unknown_status_is_a_forbidden_transition(desk, wanted):
    assert refused(change, desk, desk.book(), wanted).reasons == {Reason.TRANSITION_FORBIDDEN}


def test_an_appointment_is_missed_only_once_it_has_begun(desk):
    appointment = desk.book()

    assert reasons(change, desk, appointment, "no_show", now=desk.at(8, 59)) == {Reason.NOT_YET_BEGUN}
    assert "no_show" not in next_statuses(appointment, now=desk.at(8, 59))
    assert change(desk, appointment, "no_show", now=desk.at(9)).status == "no_show"


@pytest.mark.parametrize(("days", "time"), [(0, "09:00"), (1, "09:00 de 23/11/2026")])
def test_a_miss_too_early_says_the_date_unless_it_is_today(desk, days, time):
    (refusal,) = refused(change, desk, desk.book(), "no_show", now=desk.at(8) - timedelta(days=days)).refusals
    assert refusal.message == f"Só se marca falta depois do início, às {time}."


def test_a_finished_visit_comes_back_on_the_same_local_day_only(desk):
    appointment = appointment_in(desk, "finished")
    midnight = desk.at(0, day=MONDAY + timedelta(days=1))

    assert reasons(change, desk, appointment, "in_service", now=midnight) == {Reason.UNDO_TOO_LATE}
    assert next_statuses(appointment, now=midnight) == []
    assert change(desk, appointment, "in_service", now=midnight - timedelta(seconds=1)).status == "in_service"


@pytest.mark.parametrize(
    ("freed", "back"), [("cancelled", "scheduled"), ("no_show", "scheduled"), ("no_show", "checked_in")]
)
def test_a_time_given_away_meanwhile_is_not_taken_back(desk, freed, back):
    appointment = appointment_in(desk, freed)
    rival = desk.book(patient=desk.another_patient().pk)

    assert refused(change, desk, appointment, back).reasons == {Reason.DOCTOR_TAKEN}
    change(desk, rival, "cancelled")
    assert change(desk, appointment, back).status == back


@pytest.mark.parametrize("freed", ["cancelled", "no_show"])
def test_a_time_is_not_taken_back_while_the_patient_is_elsewhere(desk, freed):
    appointment = appointment_in(desk, freed)
    desk.book(doctor=desk.another_doctor().pk)

    assert refused(change, desk, appointment, "scheduled").reasons == {Reason.PATIENT_ELSEWHERE}


def test_cancelled_appointment_keeps_author_and_reason_until_restored(desk):
    appointment = desk.book()

    cancelled = change(desk, appointment, "cancelled", cancelled_by="patient", reason=" viajou\u200b  hoje ")
    assert (cancelled.cancelled_by, cancelled.cancel_reason) == ("patient", "viajou hoje")
    assert appointment.events.last().after == {
        "status": "cancelled",
        "cancelled_by": "patient",
        "reason": "viajou hoje",
    }

    back = change(desk, appointment, "scheduled")
    assert (back.cancelled_by, back.cancel_reason) == ("", "")


def test_a_doctor_sees_one_patient_at_a_time_and_two_doctors_two(desk):
    first = appointment_in(desk, "in_service")
    second = desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    colleague = desk.book(doctor=desk.another_doctor().pk, patient=desk.another_patient().pk)
    for appointment in (second, colleague):
        change(desk, appointment, "checked_in")

    assert reasons(change, desk, second, "in_service") == {Reason.ANOTHER_IN_SERVICE}
    assert change(desk, colleague, "in_service").status == "in_service"
    change(desk, first, "finished")
    assert change(desk, second, "in_service").status == "in_service"
    assert reasons(change, desk, first, "in_service") == {Reason.ANOTHER_IN_SERVICE}


def test_cancelling_tells_both_what_is_missing_and_what_is_too_long(desk):
    refusal = refused(change, desk, desk.book(), "cancelled", cancelled_by="", reason="r" * 300)

    assert refusal.reasons == {Reason.CANCELLED_BY_MISSING, Reason.CANCEL_REASON_TOO_LONG}


def test_no_second_visit_is_offered_for_service(desk):
    appointment_in(desk, "in_service")
    waiting = desk.book(patient=desk.another_patient().pk, starts_at=desk.at(10))
    waiting = change(desk, waiting, "checked_in")
    now = desk.at(9, 5)
    assert Status.IN_SERVICE not in next_statuses(waiting, now=now)
    (reason,) = steps(waiting, now=now).in_the_way
    assert reason.reason is Reason.ANOTHER_IN_SERVICE
    assert refused(change, desk, waiting, "in_service").reasons == {Reason.ANOTHER_IN_SERVICE}


@pytest.mark.parametrize("status", Status.values)
def test_the_steps_are_the_next_statuses(desk, status):
    appointment = appointment_in(desk, status)
    now = desk.at(9, 5)
    offered = steps(appointment, now=now)
    sides = [each for each, _ in offered.forward], [each for each, _ in offered.backward]
    assert not set(sides[0]) & set(sides[1])
    expected = set(next_statuses(appointment, now=now))
    assert {*sides[0], *sides[1]} | ({Status.CANCELLED} if offered.may_cancel else set()) == expected


@pytest.mark.parametrize(("status", "queries"), [("scheduled", 0), ("checked_in", 1), ("cancelled", 0)])
def test_the_next_statuses_cost_a_query_at_most(desk, django_assert_num_queries, status, queries):
    appointment = Appointment.objects.select_related("clinic", "doctor").get(pk=appointment_in(desk, status).pk)
    with django_assert_num_queries(queries):
        steps(appointment, now=desk.at(9, 5))
