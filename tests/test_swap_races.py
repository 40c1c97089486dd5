"""Several desks that give times to who waits, really at once: one time once, nothing lost, no deadlock."""

from datetime import timedelta
from itertools import combinations

import pytest
from django.db import transaction

from clinic.booking import book_waiting, change_status, place, put_back_waiting, undo, undo_waiting, withdraw_waiting
from clinic.models import Appointment, WaitingEntry, WaitingEvent
from clinic.refusals import Reason, Refused
from tests.booking.desk import BY, open_desk
from tests.booking.test_waiting_list import FAR, put
from tests.locks import another_connection
from tests.test_races import at_once, in_background, reasons_of, until_somebody_waits, won

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, DESKS = 5, 8


@pytest.fixture
def desk():
    return open_desk()


def waiting_with_an_appointment(desk, number, doctor=None):
    patient = desk.another_patient()
    starts_at = desk.at(8, day=FAR) + number * timedelta(minutes=30)
    far = desk.book(patient=patient.pk, starts_at=starts_at, doctor=(doctor or desk.doctor).pk)
    return put(desk, patient=patient, appointment=far.pk)


def giving(desk, entry, starts_at, doctor=None, seen=None, place=None):
    target = {"clinic": desk.clinic, "doctor": (doctor or desk.doctor).pk, "starts_at": starts_at}
    return lambda: book_waiting(entry.pk, by=BY, now=desk.now, seen=seen, place=place, **target)


def test_of_two_desks_that_offer_one_time_the_second_is_refused(desk):
    one, other = waiting_with_an_appointment(desk, 0), put(desk)
    outcomes = at_once(giving(desk, one, desk.at(9)), giving(desk, other, desk.at(9)))
    assert len(won(outcomes)) == 1
    assert reasons_of(outcomes) == [{Reason.DOCTOR_TAKEN}]
    assert sorted(entry.outcome for entry in WaitingEntry.objects.all()) == ["", "booked"]


def test_one_request_given_twice_at_once_is_booked_once(desk):
    entry = put(desk)
    outcomes = at_once(giving(desk, entry, desk.at(9)), giving(desk, entry, desk.at(10)))
    assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.WAITING_CLOSED}]
    assert Appointment.objects.count() == 1


def test_a_swap_and_the_cancelling_of_its_partner_never_mix(desk):
    for number in range(ROUNDS):
        entry = waiting_with_an_appointment(desk, number)
        far = entry.appointment_id
        starts_at = desk.at(8) + number * timedelta(minutes=30)

        def cancel(pk=far):
            act = {"clinic": desk.clinic, "by": BY, "now": desk.now, "cancelled_by": "patient"}
            return change_status(pk, "cancelled", **act)

        swapped, cancelled = at_once(giving(desk, entry, starts_at), cancel)
        assert isinstance(cancelled, Appointment)
        entry.refresh_from_db()
        if isinstance(swapped, Refused):
            assert swapped.reasons == {Reason.WAITING_APPOINTMENT_GONE} and entry.closed_at is None
        else:
            assert entry.booked_id == far
        kept = Appointment.objects.get(pk=far)
        assert kept.status == "cancelled"
        assert (kept.starts_at == starts_at) == (not isinstance(swapped, Refused))


def test_of_two_who_undo_one_swap_the_second_is_refused(desk):
    for number in range(ROUNDS):
        entry = waiting_with_an_appointment(desk, number)
        stood_at, seen = entry.appointment.starts_at, swap(desk, entry, desk.at(9))
        outcomes = at_once(undoing(desk, entry, seen), undoing(desk, entry, seen))
        assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.WAITING_CHANGED}]
        entry.refresh_from_db()
        assert (entry.outcome, entry.version) == ("", seen + 1)
        assert Appointment.objects.get(pk=entry.appointment_id).starts_at == stood_at


def test_a_later_swap_is_not_undone_by_an_older_row(desk):
    """It was undone and swapped again while the undo waited for the appointment."""
    entry = waiting_with_an_appointment(desk, 0)
    seen = swap(desk, entry, desk.at(9))
    with another_connection(autocommit=True) as watcher, transaction.atomic():
        Appointment.objects.select_for_update().get(pk=entry.appointment_id)
        waiting = in_background(undoing(desk, entry, seen))
        until_somebody_waits(watcher)
        undo(entry.appointment_id, clinic=desk.clinic, by=BY, now=desk.now)
        swap(desk, entry, desk.at(10))
    with pytest.raises(Refused) as refused:
        waiting.result()
    assert refused.value.reasons == {Reason.WAITING_CHANGED}
    assert Appointment.objects.get(pk=entry.appointment_id).starts_at == desk.at(10)


def swap(desk, entry, starts_at):
    """The version of the entry that is closed by it."""
    giving(desk, entry, starts_at)()
    return WaitingEntry.objects.get(pk=entry.pk).version


def undoing(desk, entry, seen):
    return lambda: undo_waiting(entry.pk, clinic=desk.clinic, by=BY, seen=seen, now=desk.now)


def test_a_stampede_of_swaps_loses_nothing(desk):
    """Two doctors, swaps in both directions over the same few times, withdrawals and undone swaps between them."""
    second = desk.another_doctor()
    doctors = [desk.doctor, second]
    entries = [waiting_with_an_appointment(desk, number, doctors[number % 2]) for number in range(DESKS)]
    for number in range(ROUNDS):
        slots = [desk.at(9) + (number % 2 * 2 + n % 3) * timedelta(minutes=30) for n in range(DESKS)]
        works = [
            giving(desk, entry, slot, doctors[(n + number) % 2])
            for n, (entry, slot) in enumerate(zip(entries, slots, strict=True))
        ]
        outcomes = at_once(*works, *_meanwhile(desk, entries, number))
        unexpected = [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)]
        assert unexpected == []
        _agree(desk, entries)
        if number % 2:
            for entry in WaitingEntry.objects.filter(outcome="booked"):
                undo(entry.booked_id, clinic=desk.clinic, by=BY, now=desk.now)
        for entry in WaitingEntry.objects.filter(outcome="withdrawn"):
            put_back_waiting(entry.pk, clinic=desk.clinic, by=BY, now=desk.now, seen=None)
        _agree(desk, entries)
    assert {"booked", "reopened", "withdrawn"} <= set(WaitingEvent.objects.values_list("kind", flat=True))


def _meanwhile(desk, entries, number):
    """Others withdraw one entry and undo whatever was swapped last."""
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    one, other = entries[number % DESKS], entries[(number + 3) % DESKS]
    return [lambda: withdraw_waiting(one.pk, seen=None, **act), lambda: undo(other.appointment_id, **act)]


def _agree(desk, entries):
    """Every appointment stands, none overlaps another of its doctor, and an entry is closed by its own one only."""
    rows = list(Appointment.objects.of(desk.clinic).standing())
    assert len(rows) == len(entries)
    for one, other in combinations(rows, 2):
        is_apart = one.ends_at <= other.starts_at or other.ends_at <= one.starts_at
        assert is_apart or one.doctor_id != other.doctor_id
    for entry in WaitingEntry.objects.all():
        assert entry.booked_id in (None, entry.appointment_id)
        is_near = next(row for row in rows if row.pk == entry.appointment_id).starts_at < desk.at(0, day=FAR)
        assert is_near == (entry.outcome == "booked")


def test_swaps_in_opposite_directions_do_not_deadlock(desk):
    second = desk.another_doctor()
    one, other = waiting_with_an_appointment(desk, 0), waiting_with_an_appointment(desk, 1, second)
    for number in range(ROUNDS):
        starts_at = desk.at(9) + number * timedelta(minutes=30)
        outcomes = at_once(
            giving(desk, one, starts_at, second, place=place(one.appointment)),
            giving(desk, other, starts_at, desk.doctor, place=place(other.appointment)),
        )
        assert [each for each in outcomes if isinstance(each, Exception)] == []
        for entry in (one, other):
            undo(entry.appointment_id, clinic=desk.clinic, by=BY, now=desk.now)
