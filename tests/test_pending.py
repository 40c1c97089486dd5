"""Which appointments are pending, and why."""

from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection

from clinic import booking
from clinic.booking import LineRequest, LinesWish
from clinic.models import Absence, Appointment, CeasedProcedure, Closure, WorkingHours
from clinic.queries import pending
from clinic.queries.history import sentence
from clinic.queries.pending import Why, cause_of
from clinic.schedule import load_schedules
from tests.booking.desk import BY, MONDAY, open_desk
from tests.days import put
from tests.factories import make_doctor, make_patient, make_procedure, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return open_desk()


def away(desk, starts_at, ends_at, *, doctor=None, reason="doença"):
    return Absence.objects.create(
        clinic=desk.clinic, doctor=doctor, starts_at=starts_at, ends_at=ends_at, reason=reason
    )


def found(desk, now=None):
    return {row.pk: row.cause for row in pending.pending(desk.clinic, now=now or desk.now)}


def whys(desk, now=None):
    return [cause.why for cause in found(desk, now).values()]


def test_an_appointment_in_open_time_is_not_pending(desk):
    desk.book()
    assert found(desk) == {}


def test_an_absence_that_begins_within_an_appointment(desk):
    visit = desk.book()
    away(desk, desk.at(9, 15), desk.at(12), doctor=desk.doctor)
    assert {pk: str(cause) for pk, cause in found(desk).items()} == {visit.pk: "Dra. Helena Prado ausente (doença)"}


def test_an_absence_that_begins_at_the_end_changes_nothing(desk):
    desk.book()
    away(desk, desk.at(9, 30), desk.at(12), doctor=desk.doctor)
    assert found(desk) == {}


def test_a_closure_is_one_cause_for_all_doctors(desk):
    other = desk.another_doctor()
    desk.book()
    desk.book(doctor=other.pk, patient=desk.another_patient().pk)
    away(desk, desk.at(0), desk.at(23), reason="dedetização")
    assert [str(cause) for cause in set(found(desk).values())] == ["Clínica fechada (dedetização)"]


def test_a_public_holiday(desk):
    type(desk.clinic).objects.filter(pk=desk.clinic.pk).update(observes_holidays=False)
    desk.clinic.observes_holidays = False
    christmas = date(2026, 12, 25)
    desk.book(starts_at=desk.at(9, day=christmas))
    assert whys(desk) == []
    desk.clinic.observes_holidays = True
    assert whys(desk) == [Why.HOLIDAY]


def test_hours_that_were_deleted(desk):
    desk.book()
    WorkingHours.objects.filter(doctor=desk.doctor, weekday=1).delete()
    assert [str(cause) for cause in found(desk).values()] == ["A Dra. Helena Prado não trabalha nesse horário"]


def test_an_inactive_doctor(desk):
    desk.book()
    type(desk.doctor).objects.filter(pk=desk.doctor.pk).update(active=False)
    assert whys(desk) == [Why.INACTIVE]


def test_a_procedure_that_the_doctor_no_longer_performs(desk):
    desk.book()
    desk.doctor.procedures.set([make_procedure(desk.clinic)])
    assert [str(cause) for cause in found(desk).values()] == ["A Dra. Helena Prado não realiza mais Consulta"]


def test_a_procedure_that_is_performed_again_is_no_cause(desk):
    desk.book()
    desk.doctor.procedures.clear()
    desk.doctor.procedures.add(desk.procedure)
    assert (found(desk), CeasedProcedure.objects.count()) == ({}, 0)


@pytest.mark.parametrize("deleted", ["doctor", "procedure"])
def test_deleting_a_doctor_or_procedure_leaves_nothing_ceased(desk, deleted):
    doctor = make_doctor(desk.clinic, procedures=[make_procedure(desk.clinic), make_procedure(desk.clinic)])
    first, second = doctor.procedures.all()
    doctor.procedures.remove(first)
    assert list(CeasedProcedure.objects.values_list("doctor", "procedure")) == [(doctor.pk, first.pk)]
    if deleted == "procedure":
        first.delete()
        second.delete()
    else:
        doctor.delete()
    connection.check_constraints()
    assert not CeasedProcedure.objects.exists()


def test_a_procedure_that_is_no_longer_offered_is_no_cause(desk):
    desk.book()
    type(desk.procedure).objects.update(active=False)
    assert found(desk) == {}


@pytest.mark.parametrize(("status", "is_pending"), [
    ("scheduled", True), ("confirmed", True), ("rescheduled", True), ("checked_in", True),
    ("in_service", False), ("finished", False), ("no_show", False), ("cancelled", False),
])  # fmt: skip
def test_only_visits_that_have_not_begun(desk, status, is_pending):
    put(desk.doctor, "09:00", status=status)
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    assert bool(found(desk)) is is_pending


def test_a_patient_who_waits_is_pending_until_the_end(desk):
    put(desk.doctor, "09:00", status="checked_in")
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    assert whys(desk, desk.at(9, 29)) == [Why.ABSENCE]
    assert whys(desk, desk.at(9, 30)) == []


def test_an_encaixe_may_lie_outside_the_hours(desk):
    user = make_user(desk.clinic)
    put(desk.doctor, "19:00", encaixe_by=user, encaixe_reason="dor")
    assert found(desk) == {}
    away(desk, desk.at(18), desk.at(20), doctor=desk.doctor)
    assert whys(desk) == [Why.ABSENCE]


def test_an_encaixe_on_what_became_a_holiday_is_pending(desk):
    user, christmas = make_user(desk.clinic), date(2026, 12, 25)
    put(desk.doctor, "09:00", day=christmas, encaixe_by=user, encaixe_reason="dor")
    desk.clinic.observes_holidays = True
    assert whys(desk) == [Why.HOLIDAY]


def test_another_clinic_sees_none_of_it(desk):
    desk.book()
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    assert found(open_desk()) == {}


def test_the_number_of_queries_is_fixed(desk, django_assert_num_queries):
    for hour in (9, 10, 11):
        desk.book(starts_at=desk.at(hour), patient=desk.another_patient().pk)
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    with django_assert_num_queries(5):
        assert len(pending.pending(desk.clinic, now=desk.now)) == 3


def test_an_absence_over_a_change_of_the_clocks():
    """In Lisbon 25/10/2026 01:00 to 02:00 comes twice; an absence until 09:00 covers 08:30, not 09:00."""
    desk = open_desk(country="PT", time_zone="Europe/Lisbon", language="pt-pt", currency="EUR")
    sunday = date(2026, 10, 25)
    WorkingHours.objects.create(clinic=desk.clinic, doctor=desk.doctor, weekday=7, starts=time(8), ends=time(12))
    before = desk.at(8, day=date(2026, 10, 20))
    inside = desk.book(starts_at=desk.at(8, 30, day=sunday), now=before)
    desk.book(starts_at=desk.at(9, day=sunday), now=before, patient=make_patient(desk.clinic).pk)
    away(desk, desk.at(20, day=date(2026, 10, 24)), desk.at(9, day=sunday), doctor=desk.doctor)
    assert list(found(desk, before)) == [inside.pk]


def test_a_card_is_judged_by_what_the_day_has_loaded(desk, django_assert_num_queries):
    away(desk, desk.at(8), desk.at(10), doctor=desk.doctor)
    schedules = load_schedules(desk.clinic, [desk.doctor], MONDAY, MONDAY)
    with django_assert_num_queries(0):
        early = cause_of(desk.doctor, desk.at(9), desk.at(9, 30), schedules=schedules)
        late = cause_of(desk.doctor, desk.at(11), desk.at(11, 30), schedules=schedules)
        unable = cause_of(desk.doctor, desk.at(11), desk.at(11, 30), schedules=schedules, unperformed="ECG")
    assert (str(early), late, str(unable)) == (
        "Dra. Helena Prado ausente (doença)", None, "A Dra. Helena Prado não realiza mais ECG",
    )  # fmt: skip


def resolved(desk, now=None):
    now = now or desk.now
    still = set(found(desk, now))
    return [(row.appointment.pk, row.cause.why) for row in pending.resolved_today(desk.clinic, now=now, still=still)]


def move(desk, visit, hour, **wish):
    return booking.reschedule(
        visit.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(hour), by=BY, now=desk.now, **wish
    )


def test_resolved_are_those_moved_or_cancelled_today(desk):
    first, second, third = (
        desk.book(starts_at=desk.at(hour), patient=desk.another_patient().pk) for hour in (9, 10, 14)
    )
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    move(desk, first, 15)
    booking.change_status(second.pk, "cancelled", clinic=desk.clinic, by=BY, cancelled_by="clinic", now=desk.now)
    move(desk, third, 16)  # had no cause to move
    assert resolved(desk) == [(second.pk, Why.ABSENCE), (first.pk, Why.ABSENCE)]
    assert resolved(desk, desk.now + timedelta(days=1)) == []


def test_what_is_undone_is_pending_again(desk):
    visit = desk.book()
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    move(desk, visit, 15)
    booking.undo(visit.pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert (resolved(desk), list(found(desk))) == ([], [visit.pk])


def test_what_was_moved_into_closed_time_is_not_resolved(desk):
    visit = desk.book()
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    move(desk, visit, 15)
    away(desk, desk.at(14), desk.at(18), doctor=desk.doctor)
    assert (resolved(desk), list(found(desk))) == ([], [visit.pk])


def test_a_move_out_of_closed_time_by_undoing_resolves(desk):
    visit = desk.book()
    move(desk, visit, 15)
    away(desk, desk.at(14), desk.at(18), doctor=desk.doctor)
    booking.undo(visit.pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert (resolved(desk), found(desk)) == ([(visit.pk, Why.ABSENCE)], {})


def test_a_deleted_appointment_is_not_resolved(desk):
    visit = desk.book()
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    move(desk, visit, 15)
    Appointment.objects.filter(pk=visit.pk).update(deleted_at=desk.now)
    assert (resolved(desk), found(desk)) == ([], {})


def test_an_absence_taken_back_after_half_were_moved(desk):
    first, second = (desk.book(starts_at=desk.at(hour), patient=desk.another_patient().pk) for hour in (9, 10))
    absence = away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    move(desk, first, 15)
    absence.delete()
    assert (found(desk), resolved(desk)) == ({}, [])
    assert Appointment.objects.get(pk=first.pk).starts_at == desk.at(15)
    assert Appointment.objects.get(pk=second.pk).starts_at == desk.at(10)


def encaixe_in_the_evening(desk):
    return put(desk.doctor, "19:00", encaixe_by=make_user(desk.clinic), encaixe_reason="dor")


def cancel(desk, visit):
    booking.change_status(visit.pk, "cancelled", clinic=desk.clinic, by=BY, cancelled_by="clinic", now=desk.now)


def test_an_encaixe_outside_the_hours_was_never_pending(desk):
    move(desk, encaixe_in_the_evening(desk), 15)
    cancel(desk, encaixe_in_the_evening(desk))
    assert resolved(desk) == []


def test_an_encaixe_in_an_absence_is_resolved_by_a_move(desk):
    visit = encaixe_in_the_evening(desk)
    away(desk, desk.at(18), desk.at(20), doctor=desk.doctor)
    move(desk, visit, 15)
    assert resolved(desk) == [(visit.pk, Why.ABSENCE)]


@pytest.fixture
def ecg(desk):
    """Performed by the doctor, until a test takes it away."""
    ecg = make_procedure(desk.clinic, name="ECG")
    desk.doctor.procedures.add(ecg)
    return ecg


@pytest.fixture
def with_ecg(desk, ecg):
    """A visit for a consultation and an ECG, which the doctor no longer performs."""
    visit = desk.book(lines=(LineRequest(desk.procedure.pk), LineRequest(ecg.pk)))
    desk.doctor.procedures.remove(ecg)
    return visit


def change(desk, visit, *procedures, **wish):
    """*Alterar*: give the visit these procedures."""
    lines = tuple(LineRequest(procedure.pk) for procedure in procedures)
    return booking.change_procedures(visit.pk, clinic=desk.clinic, lines=lines, by=BY, now=desk.now, **wish)


def test_an_unperformed_procedure_taken_off_is_resolved(desk, with_ecg):
    change(desk, with_ecg, desk.procedure)
    assert (resolved(desk), found(desk)) == ([(with_ecg.pk, Why.NOT_PERFORMED)], {})


def test_a_procedure_taken_off_and_put_back_is_pending(desk, with_ecg):
    change(desk, with_ecg, desk.procedure)
    booking.undo(with_ecg.pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert (resolved(desk), list(found(desk))) == ([], [with_ecg.pk])


def test_a_move_with_other_procedures_is_resolved(desk, with_ecg):
    move(desk, with_ecg, 15, lines=LinesWish((LineRequest(desk.procedure.pk),)))
    assert (resolved(desk), found(desk)) == ([(with_ecg.pk, Why.NOT_PERFORMED)], {})


def test_what_was_resolved_stays_so_after_other_changes(desk, with_ecg):
    change(desk, with_ecg, desk.procedure)
    move(desk, with_ecg, 15)
    other = desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    away(desk, desk.at(10), desk.at(11), doctor=desk.doctor)
    move(desk, other, 16)
    blood = make_procedure(desk.clinic, name="Sangue")
    desk.doctor.procedures.add(blood)
    change(desk, other, desk.procedure, blood)
    assert resolved(desk) == [(other.pk, Why.ABSENCE), (with_ecg.pk, Why.NOT_PERFORMED)]


def test_a_visit_shortened_before_an_absence_is_resolved(desk):
    visit = desk.book(ends_at=desk.at(10))
    away(desk, desk.at(9, 30), desk.at(12), doctor=desk.doctor)
    change(desk, visit, desk.procedure, ends_at=desk.at(9, 30))
    assert resolved(desk) == [(visit.pk, Why.ABSENCE)]


def test_procedures_changed_in_an_absence_resolve_nothing(desk, ecg):
    visit = desk.book()
    away(desk, desk.at(8), desk.at(12), doctor=desk.doctor)
    change(desk, visit, desk.procedure, ecg, ends_at=desk.at(9, 20))
    Appointment.objects.filter(pk=visit.pk).update(status="in_service")
    assert (resolved(desk), found(desk)) == ([], {})


def test_queries_about_what_was_resolved_are_fixed(desk, with_ecg, django_assert_num_queries):
    change(desk, with_ecg, desk.procedure)
    for hour in (10, 11):
        visit = desk.book(starts_at=desk.at(hour), patient=desk.another_patient().pk)
        away(desk, desk.at(hour), desk.at(hour + 1), doctor=desk.doctor)
        move(desk, visit, hour + 5)
    with django_assert_num_queries(5):
        rows = pending.resolved_today(desk.clinic, now=desk.now, still=set())
        assert len([sentence(row.event, desk.clinic.zone) for row in rows]) == 3


def test_calls_are_listed_in_order(desk):
    visit = desk.book()
    for minutes in (0, 5):
        now = desk.now + timedelta(minutes=minutes)
        booking.record_not_reached(visit.pk, clinic=desk.clinic, by=BY, now=now)
        booking.record_not_reached(visit.pk, clinic=desk.clinic, by=BY, now=now + timedelta(seconds=2))
    calls = pending.calls_without_answer(desk.clinic, [visit.pk])
    assert calls == {visit.pk: [desk.now, desk.now + timedelta(minutes=5)]}


def test_closures_are_absences_of_nobody(desk):
    desk.book()
    Closure.objects.create(clinic=desk.clinic, starts_at=desk.at(8), ends_at=desk.at(12), reason="obra")
    assert whys(desk) == [Why.CLINIC]


def test_one_beyond_what_may_be_booked_is_left_alone(desk):
    assert isinstance(desk.now, datetime)
    put(desk.doctor, "09:00", day=MONDAY + timedelta(days=3 * 365))
    type(desk.doctor).objects.update(active=False)
    assert found(desk) == {}
