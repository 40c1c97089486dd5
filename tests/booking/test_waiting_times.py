"""Which free times fit who waits, in which order, and what follows from a swap."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import booking
from clinic.booking import Freed, OfferedTime, WaitingList, WaitingWish, freed_by
from clinic.models import Absence, WorkingHours
from clinic.queries import waiting
from tests.booking.desk import BY, MONDAY
from tests.booking.test_waiting_list import FAR, put
from tests.factories import make_doctor, make_procedure

TUESDAY, THURSDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=3)


def the_list(desk, now=None):
    return WaitingList(desk.clinic, waiting.open_entries(desk.clinic), now=now or desk.now)


def times(desk, entry, now=None):
    """The next times of an entry as the clinic's clock has them."""
    listed = the_list(desk, now)
    found = listed.next_times(listed.entries)
    return [desk.clock(opening.starts_at) for opening in found.get(entry.pk, [])]


def at_nine(desk, day=MONDAY, minutes=30):
    return Freed(desk.doctor.pk, desk.at(9, day=day), desk.at(9, day=day) + timedelta(minutes=minutes))


def who_fits(desk, freed, now=None):
    """The ids of the entries that fit, and the start for each."""
    return {pk: desk.clock(opening.starts_at) for pk, opening in the_list(desk, now).fitting(freed).items()}


def block(desk, first, last, doctor=None):
    """The doctor is away between two instants."""
    Absence.objects.create(
        clinic=desk.clinic, doctor=doctor or desk.doctor, starts_at=first, ends_at=last, reason="curso"
    )


def test_the_next_times_are_on_different_half_days(desk):
    assert times(desk, put(desk)) == ["23/11 08:00", "23/11 13:00", "24/11 08:00"]


@pytest.mark.parametrize(
    ("wish", "first"),
    [
        ({"weekdays": [2, 4]}, "24/11 08:00"),
        ({"weekdays": [7]}, None),
        ({"from_time": time(14)}, "23/11 14:00"),
        ({"from_time": time(13), "to_time": time(13)}, "23/11 13:00"),
        ({"to_time": time(7, 59)}, None),
        ({"until": MONDAY, "weekdays": [2]}, None),
        ({"until": TUESDAY, "weekdays": [2]}, "24/11 08:00"),
    ],
)
def test_days_hours_and_the_last_date_narrow_them(desk, wish, first):
    assert times(desk, put(desk, **wish))[:1] == ([first] if first else [])


def test_only_wanted_doctors_who_perform_it_are_offered(desk):
    away = desk.at(23, 59, day=FAR)
    block(desk, desk.now, away)
    able = desk.another_doctor(days=[3])
    make_doctor(desk.clinic, procedures=[make_procedure(desk.clinic)])
    entry = put(desk)
    assert times(desk, entry)[0] == "25/11 08:00"
    other = put(desk, patient=desk.another_patient(), doctors=[desk.doctor.pk])
    assert times(desk, other) == []
    able.active = False
    able.save()
    assert times(desk, entry) == []


def test_a_procedure_that_is_no_longer_offered_has_no_times(desk):
    entry = put(desk)
    desk.procedure.active = False
    desk.procedure.save()
    assert times(desk, entry) == []


def test_a_time_that_was_declined_is_not_offered_again(desk):
    entry = put(desk)
    declined = OfferedTime(desk.doctor.pk, desk.at(8))
    booking.note_declined(entry.pk, [declined], clinic=desk.clinic, by=BY, now=desk.now)
    assert times(desk, entry)[0] == "23/11 08:15"


def test_where_the_patient_is_elsewhere_nothing_is_offered(desk):
    desk.book(starts_at=desk.at(8), doctor=desk.another_doctor().pk)
    assert times(desk, put(desk))[0] == "23/11 08:30"


def test_who_has_an_appointment_is_offered_earlier_times_only(desk):
    soon = desk.book(starts_at=desk.at(8, 30))
    entry = put(desk, appointment=soon.pk)
    # 08:15 would overlap nothing but the appointment that is given up.
    assert times(desk, entry) == ["23/11 08:00", "23/11 08:15"]


def test_a_longer_visit_needs_a_longer_gap(desk):
    long = make_procedure(desk.clinic, duration_minutes=60)
    desk.doctor.procedures.add(long)
    desk.book(starts_at=desk.at(8, 30))
    assert times(desk, put(desk, patient=desk.another_patient(), procedures=[long.pk]))[0] == "23/11 09:00"


def test_who_lost_the_appointment_or_ran_out_is_offered_nothing(desk):
    far = desk.book(starts_at=desk.at(10, day=FAR))
    entry = put(desk, appointment=far.pk)
    short = put(desk, patient=desk.another_patient(), until=MONDAY)
    assert len(times(desk, entry)) == 3 and times(desk, short)
    booking.change_status(far.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="patient")
    assert times(desk, entry) == []
    listed = the_list(desk)
    assert [listed.is_lost(each) for each in listed.entries] == [False, True]
    assert times(desk, short, now=desk.at(7, day=TUESDAY)) == []
    assert who_fits(desk, at_nine(desk)) == {short.pk: "23/11 09:00"}


def test_urgent_ones_first_then_the_furthest_then_the_longest_wait(desk):
    patients = [desk.another_patient() for _ in range(5)]
    weeks = [desk.book(patient=each.pk, starts_at=desk.at(9 + n, day=FAR)) for n, each in enumerate(patients[:2])]
    near = put(desk, patient=patients[0], appointment=weeks[0].pk)
    far = put(desk, patient=patients[1], appointment=weeks[1].pk)
    late = put(desk, patient=patients[2], now=desk.at(6, 30))
    early = put(desk, patient=patients[3], now=desk.at(6))
    urgent = put(desk, patient=patients[4], is_urgent=True)
    assert list(who_fits(desk, at_nine(desk))) == [urgent.pk, early.pk, late.pk, far.pk, near.pk]


def test_a_freed_time_is_offered_where_it_is_really_free(desk):
    long = make_procedure(desk.clinic, duration_minutes=60)
    desk.doctor.procedures.add(long)
    short = put(desk)
    longer = put(desk, patient=desk.another_patient(), procedures=[long.pk])
    neighbour = desk.another_patient()
    desk.book(patient=neighbour.pk, starts_at=desk.at(9, 30))
    # Together with the time before it, the freed half-hour has room for an hour.
    assert who_fits(desk, at_nine(desk)) == {short.pk: "23/11 09:00", longer.pk: "23/11 08:30"}
    desk.book(patient=neighbour.pk, starts_at=desk.at(8, 30))
    assert who_fits(desk, at_nine(desk)) == {short.pk: "23/11 09:00"}
    block(desk, desk.at(9), desk.at(10))
    assert who_fits(desk, at_nine(desk)) == {}


def test_a_time_of_another_doctor_or_one_that_is_over_fits_nobody(desk):
    put(desk)
    other = make_doctor(desk.clinic)
    assert who_fits(desk, Freed(other.pk, desk.at(9), desk.at(10))) == {}
    assert who_fits(desk, at_nine(desk), now=desk.at(9, 45)) == {}


def test_new_hours_are_offered_as_soon_as_they_are_there(desk):
    WorkingHours.objects.of(desk.clinic).exclude(weekday=4).delete()
    entry = put(desk, weekdays=[2])
    assert times(desk, entry) == []
    WorkingHours.objects.create(clinic=desk.clinic, doctor=desk.doctor, weekday=2, starts=time(8), ends=time(9))
    assert times(desk, entry)[0] == "24/11 08:00"


def test_a_swap_frees_a_time_that_fits_the_next_one(desk):
    far = desk.book(starts_at=desk.at(10, day=FAR))
    entry = put(desk, appointment=far.pk)
    afternoons = put(desk, patient=desk.another_patient(), from_time=time(14))
    mornings = put(desk, patient=desk.another_patient(), to_time=time(12))
    listed = the_list(desk)
    followers = {each.pk: listed.follower(each) for each in listed.entries}
    assert followers[entry.pk].pk == mornings.pk
    assert (followers[afternoons.pk], followers[mornings.pk]) == (None, None)


def test_a_cancelled_or_moved_appointment_frees_its_time(desk):
    visit = desk.book()
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    assert freed_by(visit, now=desk.now) is None
    moved = booking.reschedule(visit.pk, doctor=desk.doctor.pk, starts_at=desk.at(11), **act)
    assert freed_by(moved, now=desk.now) == at_nine(desk)
    assert freed_by(moved, now=desk.at(8)) is None  # an hour later
    cancelled = booking.change_status(visit.pk, "cancelled", cancelled_by="clinic", **act)
    assert freed_by(cancelled, now=desk.now).starts_at == desk.at(11)
    assert freed_by(cancelled, now=desk.at(11, 30)) is None


def test_an_undone_move_frees_nothing(desk):
    visit = desk.book()
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    booking.reschedule(visit.pk, doctor=desk.doctor.pk, starts_at=desk.at(11), **act)
    back = booking.undo(visit.pk, **act)
    assert freed_by(back, now=desk.now) is None


def test_many_who_wait_cost_no_query_more(desk):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            listed = the_list(desk)
            listed.next_times(listed.entries)
            listed.fitting(at_nine(desk))
            [listed.follower(each) for each in listed.entries]
        return len(queries)

    put(desk)
    few = cost()
    for number in range(12):
        patient = desk.another_patient()
        far = desk.book(patient=patient.pk, starts_at=desk.at(13 + number % 4, day=FAR + timedelta(days=number // 4)))
        put(desk, patient=patient, appointment=far.pk, weekdays=[1 + number % 5])
    assert cost() == few == 8


def test_a_changed_wish_is_sought_anew(desk):
    entry = put(desk)
    wish = WaitingWish(procedures=[desk.procedure.pk], weekdays=[4])
    booking.change_waiting(entry.pk, wish, clinic=desk.clinic, by=BY, seen=1, now=desk.now)
    assert times(desk, entry)[0] == "26/11 08:00"
