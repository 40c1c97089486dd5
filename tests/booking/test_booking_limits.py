"""What a clinic restricts of doctors and procedures: notice for programs, furthest day, number a day."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.booking import (
    Author,
    LineRequest,
    Wish,
    book,
    change_procedures,
    change_status,
    check,
    find,
    openings,
    replacement_times,
    reschedule,
    undo,
)
from clinic.models import Absence, Appointment, AppointmentProcedure, Doctor, Procedure
from clinic.models.booking_limits import MAX_VALUES
from clinic.queries import agenda
from clinic.refusals import Reason
from clinic.schedule import RESTRICTED, is_restricted
from tests.booking.desk import BY, MONDAY, open_desk, reasons, refused
from tests.factories import make_manager, make_patient, make_procedure, make_user
from tests.test_races import at_once, reasons_of, won

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TUESDAY = MONDAY + DAY


@pytest.fixture(params=[Doctor, Procedure])
def limit(request, desk):
    """Restricts the doctor, or the procedure."""

    def restrict(**limits):
        request.param.objects.update(**limits)

    restrict.model = request.param
    return restrict


def full(limit):
    return Reason.DAY_FULL if limit.model is Doctor else Reason.DAY_FULL_OF_PROCEDURE


def booked(desk, hour, day=MONDAY, **changes):
    return desk.book(starts_at=desk.at(hour, day=day), patient=make_patient(desk.clinic).pk, **changes)


def act(function, desk, appointment, *args, now=None, **changes):
    return function(appointment.pk, *args, clinic=desk.clinic, by=BY, now=now or desk.now, **changes)


def move(desk, appointment, hour, day=MONDAY, doctor=None, **changes):
    doctor = (doctor or desk.doctor).pk
    return act(reschedule, desk, appointment, doctor=doctor, starts_at=desk.at(hour, day=day), **changes)


# --- notice ----------------------------------------------------------------------------------------------------------


def test_a_program_books_from_the_notice_on_and_the_desk_at_once(desk, limit):
    limit(notice_hours=3)
    early = refused(desk.book, starts_at=desk.at(9, 45), with_notice=True)
    assert early.reasons == {Reason.NOTICE_TOO_SHORT}
    assert [desk.clock(opening.starts_at) for opening in early.alternatives][0] == "23/11 10:00"
    assert desk.book(starts_at=desk.at(10), with_notice=True)
    assert booked(desk, 8)


def test_the_longer_notice_counts(desk):
    Doctor.objects.update(notice_hours=24)
    Procedure.objects.update(notice_hours=26)
    proposal = {"with_notice": True, "starts_at": desk.at(8, 45, day=TUESDAY)}
    assert reasons(desk.book, **proposal) == {Reason.NOTICE_TOO_SHORT}
    assert "26 h" in refused(desk.book, **proposal).refusals[0].message
    assert desk.book(starts_at=desk.at(9, day=TUESDAY), with_notice=True)


def test_a_program_moves_into_the_notice_no_more_than_it_books(desk, limit):
    visit = booked(desk, 9, day=TUESDAY)
    limit(notice_hours=6)
    assert reasons(move, desk, visit, 11, with_notice=True) == {Reason.NOTICE_TOO_SHORT}
    assert move(desk, visit, 11).starts_at == desk.at(11)


def test_within_the_notice_a_program_makes_longer_what_is_there(desk, limit):
    visit = booked(desk, 9)
    limit(notice_hours=6)
    assert move(desk, visit, 9, ends_at=desk.at(9, 45), with_notice=True).ends_at == desk.at(9, 45)


# --- furthest day ----------------------------------------------------------------------------------------------------


def test_the_agenda_ends_with_its_last_day_for_everybody(desk, limit):
    limit(days_ahead=1)
    beyond = {Reason.AGENDA_NOT_OPEN if limit.model is Doctor else Reason.PROCEDURE_NOT_OPEN}
    assert reasons(booked, desk, 9, day=TUESDAY + DAY) == beyond
    visit = booked(desk, 9, day=TUESDAY)
    assert reasons(move, desk, visit, 9, day=TUESDAY + DAY) == beyond
    assert reasons(booked, desk, 9, day=TUESDAY + 800 * DAY) == {Reason.DATE_TOO_FAR}


def test_what_lies_beyond_can_be_cancelled_and_undone(desk, limit):
    visit = booked(desk, 9, day=TUESDAY + DAY)
    limit(days_ahead=1)
    assert act(change_status, desk, visit, "cancelled", cancelled_by="clinic").status == "cancelled"
    assert act(undo, desk, visit, now=desk.now + 2 * timedelta(minutes=1)).status == "scheduled"


def test_what_lies_beyond_moves_within_its_date(desk, limit):
    visit = booked(desk, 9, day=TUESDAY + DAY)
    limit(days_ahead=1)
    assert move(desk, visit, 11, day=TUESDAY + DAY).starts_at == desk.at(11, day=TUESDAY + DAY)
    assert reasons(move, desk, visit, 11, day=TUESDAY + 2 * DAY)


def test_a_move_within_its_date_beyond_is_offered_its_times(desk, limit):
    """Those of its own doctor on its own date, by whatever asks for times."""
    wednesday = TUESDAY + DAY
    visit = booked(desk, 9, day=wednesday)
    booked(desk, 10, day=wednesday)
    limit(days_ahead=1)
    offered = refused(move, desk, visit, 10, day=wednesday).alternatives
    assert {desk.clinic.local(opening.starts_at).date() for opening in offered} == {wednesday}
    visit.clinic = desk.clinic
    search = {"doctors": [Doctor.objects.get()], "minutes": 30, "procedures": [Procedure.objects.get()]}
    wish = Wish(clinic=desk.clinic, **search, first=wednesday, moving=visit)
    found = find(wish, now=desk.now).openings
    assert found and {desk.clinic.local(opening.starts_at).date() for opening in found} == {wednesday}
    act(change_status, desk, visit, "cancelled", cancelled_by="clinic")
    visit.refresh_from_db()
    assert find(replace(wish, moving=visit), now=desk.now).openings == []


def test_a_pending_one_beyond_is_proposed_its_own_date(desk, limit):
    wednesday = TUESDAY + DAY
    visit = booked(desk, 9, day=wednesday)
    limit(days_ahead=1)
    away = {"clinic": desk.clinic, "doctor": desk.doctor, "reason": "doença"}
    Absence.objects.create(**away, starts_at=desk.at(8, day=wednesday), ends_at=desk.at(12, day=wednesday))
    stored = Appointment.objects.select_related("clinic", "doctor", "patient").get(pk=visit.pk)
    [proposed] = replacement_times(desk.clinic, [stored], now=desk.now).values()
    assert proposed and {desk.clinic.local(opening.starts_at).date() for opening in proposed} == {wednesday}


def test_nothing_beyond_the_last_day_is_offered(desk, limit):
    limit(days_ahead=1)
    procedures = [Procedure.objects.get()]
    doctor = Doctor.objects.get()
    search = {"doctor": doctor, "minutes": 30, "first": MONDAY, "last": MONDAY + 9 * DAY, "now": desk.now}
    found = openings(desk.clinic, **search, procedures=procedures)
    assert max(desk.clinic.local(opening.starts_at).date() for opening in found) == TUESDAY
    wish = Wish(clinic=desk.clinic, doctors=[doctor], minutes=30, procedures=procedures, first=TUESDAY + DAY)
    assert find(wish, now=desk.now).openings == []
    assert agenda.day(desk.clinic, TUESDAY + DAY, now=desk.now).free == 0
    week = agenda.week(desk.clinic, doctor.pk, MONDAY, now=desk.now)
    assert {column.on: has_slots(week, column) for column in week.columns} == {
        MONDAY + number * DAY: number <= 1 for number in range(5)
    }
    month = agenda.month(desk.clinic, MONDAY.replace(day=1), now=desk.now)
    free = {day.day: day.morning.free for days in month.weeks for day in days}
    assert free[TUESDAY] > 0 and free[TUESDAY + DAY] == 0


def has_slots(week, column):
    cells = [cell for hour in week.hours for row in hour.rows for cell in row.cells]
    return any(cell.kind == "slot" and cell.column == column.number for cell in cells)


# --- number a day ----------------------------------------------------------------------------------------------------


def test_so_many_a_day_and_no_more(desk, limit):
    limit(per_day=2)
    first, second = booked(desk, 9), booked(desk, 10)
    assert reasons(booked, desk, 11) == {full(limit)}
    assert booked(desk, 11, day=TUESDAY)
    act(change_status, desk, first, "cancelled", cancelled_by="clinic")
    assert booked(desk, 11)
    assert reasons(act, undo, desk, first, now=desk.now + timedelta(minutes=2)) == {full(limit)}
    assert act(undo, desk, first).status == "scheduled"
    assert move(desk, second, 16).starts_at == desk.at(16)


def test_the_number_is_of_a_local_date_and_of_a_doctor(desk, limit):
    limit(per_day=1)
    booked(desk, 9, day=TUESDAY)
    assert reasons(move, desk, booked(desk, 9), 15, day=TUESDAY) == {full(limit)}
    other = desk.another_doctor()
    assert booked(desk, 9, day=TUESDAY, doctor=other.pk)


def test_an_appointment_that_is_there_can_be_made_longer(desk, limit):
    first, _second = booked(desk, 9), booked(desk, 10)
    limit(per_day=1)
    lines = (LineRequest(desk.procedure.pk),)
    longer = act(change_procedures, desk, first, lines=lines, ends_at=desk.at(9, 45))
    assert longer.ends_at == desk.at(9, 45)


def test_above_its_number_a_day_can_be_put_in_another_order(desk, limit):
    first, second = booked(desk, 9), booked(desk, 10)
    limit(per_day=1)
    search = {"minutes": 30, "now": desk.now, "procedures": [Procedure.objects.get()], "moving": first}
    doctor = Doctor.objects.get()
    assert openings(desk.clinic, doctor=doctor, first=MONDAY, last=MONDAY, **search)
    wish = Wish(clinic=desk.clinic, doctors=[doctor], minutes=30, procedures=search["procedures"], moving=first)
    assert desk.clock(find(wish, now=desk.now).openings[0].starts_at).startswith("23/11")
    assert move(desk, first, 16).starts_at == desk.at(16)
    assert act(undo, desk, first, now=desk.now + timedelta(minutes=2)).starts_at == desk.at(9)
    booked(desk, 9, day=TUESDAY)
    assert reasons(move, desk, second, 15, day=TUESDAY) == {full(limit)}
    act(change_status, desk, second, "cancelled", cancelled_by="clinic")
    later = desk.now + timedelta(minutes=2)
    refusal = refused(act, undo, desk, second, now=later)
    assert refusal.reasons == {full(limit)}
    assert refusal.alternatives
    assert {desk.clinic.local(each.starts_at).date() for each in refusal.alternatives}.isdisjoint({MONDAY, TUESDAY})


def test_a_program_is_offered_nothing_within_the_notice(desk, limit):
    visit = booked(desk, 9)
    program = Author(channel="imagemais", credential="bot")
    change_status(visit.pk, "cancelled", clinic=desk.clinic, by=program, now=desk.now, cancelled_by="patient")
    booked(desk, 9)
    limit(notice_hours=6)
    undoing = {"clinic": desk.clinic, "now": desk.now}
    offered = [refused(undo, visit.pk, by=by, **undoing).alternatives[0].starts_at for by in (BY, program)]
    assert offered[0] < desk.at(13) <= offered[1]


def test_with_a_procedure_beyond_the_number_it_becomes_an_encaixe(desk):
    echo = make_procedure(desk.clinic, name="Eco", per_day=1)
    desk.doctor.procedures.add(echo)
    booked(desk, 9, lines=(LineRequest(echo.pk),))
    visit = booked(desk, 10)
    rita = Author(channel="browser", user=make_user(desk.clinic, may_squeeze_in=True))
    manager = make_manager(desk.clinic)
    same = {"clinic": desk.clinic, "now": desk.now, "by": rita}
    wanted = same | {"lines": (LineRequest(desk.procedure.pk), LineRequest(echo.pk)), "encaixe_reason": "dor"}
    assert reasons(change_procedures, visit.pk, **wanted) == {Reason.DAY_FULL_OF_PROCEDURE}
    wanted["ends_at"] = desk.at(11)
    assert reasons(change_procedures, visit.pk, **wanted) == {Reason.DAY_FULL_OF_PROCEDURE}
    changed = change_procedures(visit.pk, **wanted, approved_by=manager.pk)
    assert (changed.ends_at, changed.encaixe_approved_by) == (desk.at(11), manager)
    assert undo(visit.pk, **same).encaixe_by is None


def test_a_procedure_that_is_added_counts(desk):
    echo = make_procedure(desk.clinic, name="Eco", per_day=1)
    desk.doctor.procedures.add(echo)
    booked(desk, 9, lines=(LineRequest(echo.pk),))
    visit = booked(desk, 10)
    both = (LineRequest(desk.procedure.pk), LineRequest(echo.pk))
    assert reasons(act, change_procedures, desk, visit, lines=both) == {Reason.DAY_FULL_OF_PROCEDURE}
    echo.per_day = 2
    echo.save()
    assert act(change_procedures, desk, visit, lines=both)
    assert AppointmentProcedure.objects.filter(appointment=visit).count() == 2


def test_an_encaixe_beyond_the_number_takes_a_managers_approval(desk, limit):
    limit(per_day=1)
    booked(desk, 9)
    rita = Author(channel="browser", user=make_user(desk.clinic, may_squeeze_in=True))
    manager = make_manager(desk.clinic)
    asked = {"by": rita, "encaixe_reason": "dor"}
    assert reasons(booked, desk, 10, **asked) == {full(limit)}
    visit = booked(desk, 10, **asked, approved_by=manager.pk)
    assert visit.encaixe_approved_by == manager


def test_a_full_day_is_not_offered(desk, limit):
    limit(per_day=1)
    visit = booked(desk, 9)
    doctor, procedures = Doctor.objects.get(), [Procedure.objects.get()]
    search = {"minutes": 30, "now": desk.now, "procedures": procedures}
    assert openings(desk.clinic, doctor=doctor, first=MONDAY, last=MONDAY, **search) == []
    assert openings(desk.clinic, doctor=doctor, first=MONDAY, last=MONDAY, **search, moving=visit)
    wish = Wish(clinic=desk.clinic, doctors=[doctor], minutes=30, procedures=procedures)
    days = {desk.clinic.local(opening.starts_at).date() for opening in find(wish, now=desk.now).openings}
    assert days == {TUESDAY}
    assert agenda.day(desk.clinic, MONDAY, now=desk.now).free == 0
    assert agenda.day(desk.clinic, TUESDAY, now=desk.now).free > 0
    month = agenda.month(desk.clinic, MONDAY.replace(day=1), now=desk.now)
    free = {day.day: day.morning.free for days in month.weeks for day in days}
    assert (free[MONDAY], free[TUESDAY] > 0) == (0, True)


def test_an_appointment_that_has_to_move_leaves_its_place_of_the_day(desk, limit):
    limit(per_day=1)
    visit, _other = booked(desk, 9), booked(desk, 9, day=TUESDAY)
    visit = Appointment.objects.select_related("clinic", "doctor", "patient").get(pk=visit.pk)
    found = replacement_times(desk.clinic, [visit], now=desk.now)[visit.pk]
    days = {desk.clinic.local(opening.starts_at).date() for opening in found}
    assert days and TUESDAY not in days


def test_no_last_place_of_a_date_is_proposed_to_two(desk, limit):
    pending = [booked(desk, hour) for hour in (9, 10)]
    limit(per_day=1)
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=desk.at(0), ends_at=desk.at(0, day=TUESDAY), reason="doença"
    )
    found = replacement_times(desk.clinic, pending, now=desk.now)
    days = [{desk.clinic.local(each.starts_at).date() for each in found[visit.pk]} for visit in pending]
    assert [len(of_one) for of_one in days] == [3, 3]
    assert days[0].isdisjoint(days[1])


def test_a_day_that_is_full_of_the_usual_procedure_offers_the_other(desk):
    Procedure.objects.update(per_day=1)
    echo = make_procedure(desk.clinic, name="Eco", duration_minutes=30)
    desk.doctor.procedures.add(echo)
    booked(desk, 9)
    day = agenda.day(desk.clinic, MONDAY, now=desk.now)
    slots = [cell for hour in day.hours for row in hour.rows for cell in row.cells if cell.kind == "slot"]
    assert {slot.procedure for slot in slots} == {str(echo.pk)}
    assert (day.free, day.short) == (0, len(slots))


def test_without_limits_no_statement_is_added(desk):
    def count(act, *arguments, **keywords):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            act(*arguments, **keywords)
        return len([query for query in captured if "AS counted" in query["sql"]]), len(captured)

    patients = [make_patient(desk.clinic).pk for _ in range(2)]
    desk.book(starts_at=desk.at(15))
    plain = count(desk.book, patient=patients[0])
    assert plain[0] == 0
    Doctor.objects.update(per_day=9)
    assert count(desk.book, patient=patients[1], starts_at=desk.at(10)) == (1, plain[1] + 1)
    Doctor.objects.update(per_day=None, notice_hours=1, days_ahead=9)
    assert count(check, desk.proposal(starts_at=desk.at(11), with_notice=True), now=desk.now)[0] == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Doctor, Procedure])
def test_of_many_at_once_exactly_so_many_are_booked(model):
    desk = open_desk()
    model.objects.update(per_day=5)
    times = [desk.at(hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 15, 30, 45)]
    Procedure.objects.update(duration_minutes=15)
    proposals = [desk.proposal(starts_at=at, patient=make_patient(desk.clinic).pk) for at in times]
    outcomes = at_once(*((lambda wanted=wanted: book(wanted, by=BY, now=desk.now)) for wanted in proposals))

    reason = Reason.DAY_FULL if model is Doctor else Reason.DAY_FULL_OF_PROCEDURE
    assert len(won(outcomes)) == Appointment.objects.standing().count() == 5
    assert reasons_of(outcomes) == [{reason}] * 27


@pytest.mark.parametrize("name", MAX_VALUES)
@pytest.mark.parametrize("model", [Doctor, Procedure])
def test_every_limit_makes_a_row_a_restricted_one(desk, model, name):
    assert not model.objects.filter(RESTRICTED).exists() and not any(map(is_restricted, model.objects.all()))
    model.objects.update(**{name: 1})
    assert model.objects.filter(RESTRICTED).exists() and all(map(is_restricted, model.objects.all()))
