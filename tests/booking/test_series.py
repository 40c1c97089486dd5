"""Sessions that are booked, moved and cancelled together: all of them or none, each an appointment of its own."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import booking
from clinic.booking import SessionMove, SessionRefused, sql
from clinic.models import Absence, Appointment, Series
from clinic.queries.series import place_in_series, sessions
from clinic.refusals import Reason
from clinic.schedule import MAX_DATES, Recurrence, bookable_dates, dates_after
from tests.booking.desk import BY, MONDAY, open_desk, reasons, refused, stored
from tests.factories import make_discount, make_payer

WEEKLY = Recurrence(every=1, weekdays=frozenset({1}), count=9)


@pytest.fixture
def first(desk):
    return desk.book()


def weeks(desk, *numbers, hour=9, minute=0):
    """Mondays so many weeks after the first."""
    return [desk.at(hour, minute, day=MONDAY + timedelta(weeks=number)) for number in numbers]


def repeat(desk, appointment, starts, rule=WEEKLY, key=None, seen=None):
    return booking.book_series(
        appointment.pk, starts, rule, clinic=desk.clinic, key=key or uuid4(), seen=seen, by=BY, now=desk.now
    )


def check(desk, appointment, starts):
    return booking.check_series(appointment, starts, now=desk.now)


def starts_of(series):
    return [session.starts_at for session in series.sessions.order_by("starts_at")]


def take(desk, starts_at):
    """Another patient has the doctor then."""
    return desk.book(patient=desk.another_patient().pk, starts_at=starts_at)


def test_each_session_is_an_appointment_with_its_own_event(desk, first):
    series = repeat(desk, first, weeks(desk, 1, 2))
    assert starts_of(series) == weeks(desk, 0, 1, 2)
    for session in series.sessions.exclude(pk=first.pk):
        assert (session.patient, session.doctor, session.status) == (desk.patient, desk.doctor, "scheduled")
        assert session.ends_at - session.starts_at == first.ends_at - first.starts_at
        assert [event.kind for event in session.events.all()] == ["booked"]
        assert [line.procedure for line in session.lines.all()] == [desk.procedure]
    asked = Series.objects.values_list("every", "unit", "weekdays", "count", "until", "starts")
    assert list(asked) == [(1, "week", [1], 10, None, time(9))]


def test_a_session_takes_over_what_was_booked(desk):
    payer, discount = make_payer(desk.clinic), make_discount(desk.clinic)
    wish = booking.PayerWish(payer.pk, "G123", "S9")
    lines = (booking.LineRequest(desk.procedure.pk, discount.pk),)
    half = desk.at(9) + timedelta(minutes=45)
    model = desk.book(payer=wish, lines=lines, notes="traz exames", ends_at=half)
    repeat(desk, model, weeks(desk, 1))
    session = Appointment.objects.latest("starts_at")
    assert (session.payer, session.authorization_number, session.authorization_password) == (payer, "G123", "S9")
    assert (session.notes, session.ends_at - session.starts_at) == ("traz exames", timedelta(minutes=45))
    assert [applied.discount for applied in session.lines.get().discounts.all()] == [discount]


def test_one_refused_date_books_nothing_and_is_named(desk, first):
    starts = weeks(desk, 1, 2, 3)
    take(desk, starts[1])
    before = stored()
    refusal = refused(repeat, desk, first, starts)
    assert isinstance(refusal, SessionRefused)
    assert (refusal.starts_at, refusal.reasons) == (starts[1], {Reason.DOCTOR_TAKEN})
    assert stored() == before and not Series.objects.exists()


def test_sent_twice_it_books_once(desk, first):
    key = uuid4()
    series = repeat(desk, first, weeks(desk, 1, 2), key=key)
    before = stored()
    assert repeat(desk, first, weeks(desk, 1, 2), key=key) == series
    assert stored() == before
    # Another form with the same times is refused as any second booking.
    assert reasons(repeat, desk, first, weeks(desk, 1, 2)) == {Reason.DOCTOR_TAKEN}


def move_first(desk, first):
    target = {"doctor": desk.doctor.pk, "starts_at": desk.at(11)}
    booking.reschedule(first.pk, clinic=desk.clinic, by=BY, now=desk.now, **target)


def lengthen(desk, first):
    lines = (booking.LineRequest(desk.procedure.pk),)
    ends_at = desk.at(10)
    booking.change_procedures(first.pk, lines=lines, ends_at=ends_at, clinic=desk.clinic, by=BY, now=desk.now)


def change_payer(desk, first):
    wish = booking.PayerWish(make_payer(desk.clinic).pk)
    booking.change_payer(first.pk, wish=wish, clinic=desk.clinic, by=BY, now=desk.now)


@pytest.mark.parametrize("change", [move_first, lengthen, change_payer])
def test_an_appointment_changed_since_is_not_repeated(desk, first, change):
    seen = booking.as_repeated(first)
    change(desk, first)
    before = stored()
    assert reasons(repeat, desk, first, weeks(desk, 1), seen=seen) == {Reason.CHANGED_MEANWHILE}
    assert stored() == before and not Series.objects.exists()
    first.refresh_from_db()
    assert len(starts_of(repeat(desk, first, weeks(desk, 1), seen=booking.as_repeated(first)))) == 2


def test_a_cancelled_appointment_is_not_repeated(desk, first):
    booking.change_status(first.pk, "cancelled", clinic=desk.clinic, cancelled_by="clinic", by=BY, now=desk.now)
    first.refresh_from_db()
    assert not booking.is_repeatable(first)
    assert reasons(repeat, desk, first, weeks(desk, 1)) == {Reason.NOT_REPEATABLE}
    assert not Series.objects.exists()


def test_further_sessions_continue_the_series(desk, first):
    series = repeat(desk, first, weeks(desk, 1, 3))
    assert repeat(desk, series.sessions.latest("starts_at"), weeks(desk, 2, 4)) == series
    assert Series.objects.count() == 1
    assert starts_of(series) == weeks(desk, 0, 1, 2, 3, 4)


def test_a_preview_names_each_date_that_cannot_be_had(desk, first):
    free, taken, absent, closed = weeks(desk, 1, 2, 3, 4)
    take(desk, taken)
    away = desk.at(0, day=MONDAY + timedelta(weeks=3)), desk.at(23, day=MONDAY + timedelta(weeks=3))
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=away[0], ends_at=away[1], reason="congresso"
    )
    desk.clinic.observes_holidays = True
    desk.clinic.save()
    christmas = desk.at(9, day=date(2026, 12, 25))
    first.refresh_from_db()
    before = stored()
    rows = check(desk, first, [free, taken, absent, christmas])
    assert [row.is_free for row in rows] == [True, False, False, False]
    found = [{refusal.reason for refusal in row.refusals} for row in rows[1:]]
    assert found == [{Reason.DOCTOR_TAKEN}, {Reason.DOCTOR_ABSENT}, {Reason.HOLIDAY}]
    assert stored() == before


def test_what_a_preview_proposes_can_be_booked_with_the_rest(desk, first):
    starts = weeks(desk, 1, 2, 3)
    take(desk, starts[1])
    rows = check(desk, first, starts)
    nearest = rows[1].alternatives
    assert len(nearest) == 3 and desk.clinic.local(nearest[0].starts_at).date() == MONDAY + timedelta(weeks=2)
    series = repeat(desk, first, [starts[0], nearest[0].starts_at, starts[2]])
    assert len(starts_of(series)) == 4


def test_no_time_is_proposed_that_another_session_would_take(desk, first):
    """Every day of a week, of which three are an absence: none of the other days' hours, and none twice."""
    days = [MONDAY + timedelta(days=number) for number in range(1, 9)]
    away = desk.at(0, day=days[0]), desk.at(23, day=days[2])
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=away[0], ends_at=away[1], reason="congresso"
    )
    rows = check(desk, first, [desk.at(9, day=day) for day in days])
    wanted = [row.starts_at for row in rows if row.is_free]
    proposed = [opening.starts_at for row in rows for opening in row.alternatives]
    assert len(proposed) >= 9 and len(set(proposed + wanted)) == len(proposed) + len(wanted)


def test_a_preview_costs_a_statement_for_each_date(desk, first):
    def count(number):
        with CaptureQueriesContext(connection) as queries:
            rows = check(desk, first, weeks(desk, *range(1, number + 1)))
        assert all(row.is_free for row in rows)
        return len(queries)

    assert count(12) - count(2) == 10
    assert count(MAX_DATES) <= MAX_DATES + 8


def test_an_expired_discount_is_named_at_its_date(desk):
    discount = make_discount(desk.clinic, expires_on=MONDAY + timedelta(days=10))
    model = desk.book(lines=(booking.LineRequest(desk.procedure.pk, discount.pk),))
    rows = check(desk, model, weeks(desk, 1, 2))
    assert [row.is_free for row in rows] == [True, False]
    assert {refusal.reason for refusal in rows[1].refusals} == {Reason.DISCOUNT_EXPIRED}
    assert rows[1].alternatives == []


def test_the_wall_time_survives_both_changeovers(db):
    """Lisbon: 25/10/2026 back to winter time, 28/03/2027 to summer time."""
    desk = open_desk(country="PT", time_zone="Europe/Lisbon", language="pt-pt", currency="EUR")
    monday = date(2026, 10, 19)
    now = desk.at(7, day=monday)
    model = desk.book(now=now, starts_at=desk.at(9, day=monday))
    rule = Recurrence(every=1, weekdays=frozenset({1}), count=24)
    dates = dates_after(monday, rule, bookable_dates(desk.clinic, now)).dates
    starts = [desk.at(9, day=day) for day in dates]
    series = booking.book_series(model.pk, starts, rule, clinic=desk.clinic, key=uuid4(), by=BY, now=now)
    local = [desk.clinic.local(starts_at) for starts_at in starts_of(series)]
    assert {f"{at:%a %H:%M}" for at in local} == {"Mon 09:00"}
    assert {at.utcoffset() for at in local} == {timedelta(hours=1), timedelta(0)}
    assert len({at.date() for at in local}) == 25


def test_a_date_beyond_two_years_is_refused(desk, first):
    last = bookable_dates(desk.clinic, desk.now)[1]
    beyond = desk.at(9, day=last + timedelta(days=1))
    assert reasons(repeat, desk, first, [beyond]) == {Reason.DATE_TOO_FAR}


def test_a_session_on_the_leap_day(desk, first):
    leap = desk.at(9, day=date(2028, 2, 29))
    assert check(desk, first, [leap])[0].is_free
    assert starts_of(repeat(desk, first, [leap]))[-1] == leap


def test_sessions_are_counted_without_the_cancelled(desk, first):
    series = repeat(desk, first, weeks(desk, 1, 2))
    second = series.sessions.order_by("starts_at")[1]
    cancel(desk, series, [second])
    first.refresh_from_db()
    assert [session.number for session in sessions(desk.clinic, series.pk)] == [1, None, 2]
    place = place_in_series(first)
    assert (place.number, place.total, place.previous) == (1, 2, None)
    assert place.next.starts_at == weeks(desk, 2)[0]
    assert place_in_series(take(desk, desk.at(11))) is None


def cancel(desk, series, chosen, **changes):
    seen = {session.pk: booking.state(session) for session in chosen}
    act = {"cancelled_by": "patient", "reason": "viajou", "now": desk.now} | changes
    return booking.cancel_sessions(series.pk, seen, clinic=desk.clinic, by=BY, **act)


def statuses(series):
    return [session.status for session in series.sessions.order_by("starts_at")]


def test_this_and_the_following_are_cancelled_at_once(desk, first):
    series = repeat(desk, first, weeks(desk, 1, 2))
    cancel(desk, series, series.sessions.order_by("starts_at")[1:])
    assert statuses(series) == ["scheduled", "cancelled", "cancelled"]
    last = series.sessions.latest("starts_at")
    assert (last.cancelled_by, last.cancel_reason) == ("patient", "viajou")
    # Each can be undone by itself.
    booking.undo(last.pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert statuses(series) == ["scheduled", "cancelled", "scheduled"]


def test_one_session_that_was_changed_leaves_all_standing(desk, first):
    series = repeat(desk, first, weeks(desk, 1, 2))
    chosen = list(series.sessions.order_by("starts_at")[1:])
    booking.change_status(chosen[1].pk, "confirmed", clinic=desk.clinic, by=BY, now=desk.now)
    refusal = refused(cancel, desk, series, chosen)
    assert (refusal.starts_at, refusal.reasons) == (chosen[1].starts_at, {Reason.CHANGED_MEANWHILE})
    assert statuses(series) == ["scheduled", "scheduled", "confirmed"]
    assert reasons(cancel, desk, series, chosen[:1], cancelled_by="") == {Reason.CANCELLED_BY_MISSING}


def test_an_appointment_of_no_series_is_not_cancelled_with_it(desk, first):
    series = repeat(desk, first, weeks(desk, 1))
    other = take(desk, desk.at(11))
    with pytest.raises(Appointment.DoesNotExist):
        cancel(desk, series, [first, other])
    assert statuses(series) == ["scheduled", "scheduled"]


def moves(desk, series, hour, days=1):
    return [
        SessionMove(session.pk, desk.at(hour, day=day + timedelta(days=days)), booking.place(session))
        for session in series.sessions.order_by("starts_at")[1:]
        for day in [desk.clinic.local(session.starts_at).date()]
    ]


def move(desk, series, wanted):
    return booking.move_sessions(series.pk, wanted, clinic=desk.clinic, by=BY, now=desk.now)


def test_this_and_the_following_move_to_another_weekday(desk, first):
    series = repeat(desk, first, weeks(desk, 1, 2))
    move(desk, series, moves(desk, series, 10))
    tuesdays = [desk.at(10, day=MONDAY + timedelta(weeks=number, days=1)) for number in (1, 2)]
    assert starts_of(series) == [desk.at(9), *tuesdays]
    assert statuses(series) == ["scheduled", "rescheduled", "rescheduled"]
    last = series.sessions.latest("starts_at")
    assert booking.undo(last.pk, clinic=desk.clinic, by=BY, now=desk.now).starts_at == weeks(desk, 2)[0]


def test_one_taken_time_leaves_all_where_they_are(desk, first):
    series = repeat(desk, first, weeks(desk, 1, 2))
    wanted = moves(desk, series, 10)
    take(desk, wanted[1].starts_at)
    chosen = {session.pk: session for session in series.sessions.all()}
    rows = booking.check_moves([(chosen[pk], starts_at) for pk, starts_at, _seen in wanted], now=desk.now)
    assert [row.is_free for row in rows] == [True, False] and len(rows[1].alternatives) == 3
    refusal = refused(move, desk, series, wanted)
    assert refusal.reasons == {Reason.DOCTOR_TAKEN} and refusal.starts_at == weeks(desk, 2)[0]
    assert starts_of(series) == weeks(desk, 0, 1, 2)


def test_a_session_that_was_moved_since_is_not_moved_again(desk, first):
    series = repeat(desk, first, weeks(desk, 1))
    wanted = moves(desk, series, 10)
    target = {"doctor": desk.doctor.pk, "starts_at": desk.at(11, day=MONDAY + timedelta(weeks=1))}
    booking.reschedule(wanted[0].appointment, clinic=desk.clinic, by=BY, now=desk.now, **target)
    assert reasons(move, desk, series, wanted) == {Reason.CHANGED_MEANWHILE}


def test_two_sessions_are_not_moved_to_one_time(desk, first):
    """Two of a week to one weekday: the preview refuses the second, as the act does."""
    wednesday = MONDAY + timedelta(weeks=1, days=2)
    series = repeat(desk, first, [*weeks(desk, 1), desk.at(9, day=wednesday)])
    thursday = wednesday + timedelta(days=1)
    chosen = list(series.sessions.order_by("starts_at")[1:])
    for minute, are_free in ((0, [True, False]), (15, [True, False]), (30, [True, True])):
        to = [desk.at(10, day=thursday), desk.at(10, minute, day=thursday)]
        rows = booking.check_moves(list(zip(chosen, to, strict=True)), now=desk.now)
        assert [row.is_free for row in rows] == are_free
    to = [desk.at(10, day=thursday)] * 2
    row = booking.check_moves(list(zip(chosen, to, strict=True)), now=desk.now)[1]
    (refusal,) = row.refusals
    assert refusal.reason == Reason.DOCTOR_TAKEN and "10:00" in refusal.message
    # What is proposed instead can be had with the rest.
    to[1] = row.alternatives[0].starts_at
    move(desk, series, [SessionMove(each.pk, at, booking.place(each)) for each, at in zip(chosen, to, strict=True)])
    assert starts_of(series)[1:] == sorted(to)


def test_a_session_given_away_meanwhile_is_tried_again(desk, first, monkeypatch):
    """Between reading the sessions and their locks another doctor got one of them."""
    series = repeat(desk, first, weeks(desk, 1))
    second = series.sessions.latest("starts_at")
    other, lock_rows = desk.another_doctor(), sql.lock_rows

    def locked_too_late(*arguments):
        Appointment.objects.filter(pk=second.pk).update(doctor=other)
        lock_rows(*arguments)

    monkeypatch.setattr(sql, "lock_rows", locked_too_late)
    assert reasons(cancel, desk, series, [first, second]) == {Reason.TRY_AGAIN}
    assert statuses(series) == ["scheduled", "scheduled"]


def test_the_place_in_a_series_is_read_without_the_rows_beside(desk, first):
    repeat(desk, first, weeks(desk, 1, 2))
    first = Appointment.objects.select_related("clinic").get(pk=first.pk)
    with CaptureQueriesContext(connection) as queries:
        place = place_in_series(first)
    (statement,) = queries
    assert place.total == 3 and "JOIN" not in statement["sql"] and "notes" not in statement["sql"]


def test_a_session_deleted_meanwhile_has_no_place(desk, first):
    repeat(desk, first, weeks(desk, 1))
    first.refresh_from_db()
    Appointment.objects.filter(pk=first.pk).update(deleted_at=desk.now)
    assert place_in_series(first) is None


def test_the_event_of_a_session_names_its_series(desk, first):
    series = repeat(desk, first, weeks(desk, 1))
    session = series.sessions.latest("starts_at")
    assert session.events.get().after["series"] == series.pk
    assert "series" not in first.events.get().after


def test_a_doctor_of_a_series_without_sessions_can_be_deleted(desk, first):
    other = desk.another_doctor()
    model = desk.book(doctor=other.pk, patient=desk.another_patient().pk)
    series = repeat(desk, model, weeks(desk, 1))
    for session in series.sessions.all():
        target = {"doctor": desk.doctor.pk, "starts_at": session.starts_at + timedelta(hours=1)}
        booking.reschedule(session.pk, clinic=desk.clinic, by=BY, now=desk.now, **target)
    other.delete()
    assert series.sessions.count() == 2
