"""Time that was given up and is taken again, and what is done on the day of the appointment only."""

from datetime import timedelta

import pytest

from clinic.booking import Author, LineRequest, next_statuses, undo
from clinic.models import Absence, AppliedDiscount, Clinic, Discount, Doctor, WorkingHours
from clinic.queries.history import left_out, story
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, reasons, refused
from tests.booking.test_nights import NIGHT, TUESDAY, open_at
from tests.booking.test_statuses import appointment_in, change, move
from tests.factories import make_discount, make_procedure

LATER = timedelta(minutes=2)


def closed_by_hours(desk):
    WorkingHours.objects.filter(doctor=desk.doctor, weekday=1).delete()


def closed_by_an_absence(desk):
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, reason="férias", starts_at=desk.at(8), ends_at=desk.at(12)
    )


def closed_by_the_clinic(desk):
    Absence.objects.create(clinic=desk.clinic, reason="obras", starts_at=desk.at(8), ends_at=desk.at(12))


def closed_by_a_holiday(desk):
    Clinic.objects.filter(pk=desk.clinic.pk).update(observes_holidays=True)


def closed_without_the_doctor(desk):
    Doctor.objects.filter(pk=desk.doctor.pk).update(active=False)


CLOSED = [
    (closed_by_hours, Reason.OUTSIDE_HOURS),
    (closed_by_an_absence, Reason.DOCTOR_ABSENT),
    (closed_by_the_clinic, Reason.CLINIC_CLOSED),
    (closed_without_the_doctor, Reason.DOCTOR_UNKNOWN),
]


def undone(desk, appointment, *, now, by=BY):
    return undo(appointment.pk, clinic=desk.clinic, by=by, now=now)


@pytest.mark.parametrize(("close", "reason"), CLOSED, ids=lambda case: getattr(case, "__name__", ""))
@pytest.mark.parametrize(
    ("freed", "back"), [("cancelled", "scheduled"), ("no_show", "scheduled"), ("no_show", "checked_in")]
)
def test_closed_time_is_not_taken_again(desk, freed, back, close, reason):
    appointment = appointment_in(desk, freed)
    close(desk)

    assert refused(change, desk, appointment, back).reasons == {reason}
    assert refused(undone, desk, appointment, now=desk.at(9, 5) + LATER).reasons == {reason}
    appointment.refresh_from_db()
    assert appointment.status == freed


def test_a_holiday_closes_the_time_that_is_taken_again(desk):
    monday = desk.at(9, day=MONDAY.replace(year=2027, month=11, day=15))  # the Republic's, a Monday
    appointment = desk.book(starts_at=monday)
    change(desk, appointment, "cancelled")
    closed_by_a_holiday(desk)

    refusal = refused(change, desk, appointment, "scheduled")
    assert refusal.reasons == {Reason.HOLIDAY}
    assert [desk.clock(each.starts_at) for each in refusal.alternatives] == [
        "16/11 08:00",
        "16/11 13:00",
        "17/11 08:00",
    ]


def test_closed_time_comes_with_the_three_nearest_times(desk):
    appointment = appointment_in(desk, "cancelled")
    closed_by_an_absence(desk)

    for act in (
        lambda: change(desk, appointment, "scheduled"),
        lambda: undone(desk, appointment, now=desk.at(9, 5) + LATER),
    ):
        refusal = refused(act)
        assert [desk.clock(each.starts_at) for each in refusal.alternatives] == [
            "23/11 13:00",
            "24/11 08:00",
            "24/11 13:00",
        ]


def test_a_time_that_has_begun_may_still_be_taken_again(desk):
    appointment = appointment_in(desk, "no_show")

    assert change(desk, appointment, "checked_in", now=desk.at(15)).status == "checked_in"


@pytest.mark.parametrize("close", [close for close, _ in CLOSED], ids=lambda close: close.__name__)
@pytest.mark.parametrize("freed", ["cancelled", "no_show"])
def test_ones_own_slip_is_undone_within_a_minute(desk, freed, close):
    appointment = appointment_in(desk, freed)
    close(desk)

    assert reasons(undone, desk, appointment, now=desk.at(9, 5), by=Author(channel="command", credential="colega"))
    assert reasons(undone, desk, appointment, now=desk.at(9, 6))
    assert undone(desk, appointment, now=desk.at(9, 5) + timedelta(seconds=59)).status == "scheduled"


def test_ones_own_slip_is_not_undone_into_a_time_that_is_taken(desk):
    appointment = appointment_in(desk, "cancelled")
    desk.book(patient=desk.another_patient().pk)

    assert refused(undone, desk, appointment, now=desk.at(9, 5)).reasons == {Reason.DOCTOR_TAKEN}


def test_a_move_is_not_undone_into_closed_time_but_within_a_minute(desk):
    appointment = move(desk, desk.book(), desk.at(14))
    closed_by_an_absence(desk)

    assert refused(undone, desk, appointment, now=desk.now + LATER).reasons == {Reason.DOCTOR_ABSENT}
    assert undone(desk, appointment, now=desk.now + timedelta(seconds=30)).starts_at == desk.at(9)


# The day of the appointment

STEPS = {"checked_in": [], "in_service": ["checked_in"], "finished": ["checked_in", "in_service"]}


@pytest.mark.parametrize("days", [-365, -30, -1, 1, 30])
@pytest.mark.parametrize("wanted", ["checked_in", "in_service"])
def test_a_visit_begins_on_its_own_day_only(desk, wanted, days):
    appointment = desk.book()
    for step in STEPS[wanted]:
        change(desk, appointment, step)
        appointment.refresh_from_db()
    other_day = desk.at(9, 5) + timedelta(days=days)

    assert refused(change, desk, appointment, wanted, now=other_day).reasons == {Reason.NOT_THAT_DAY}
    assert wanted not in next_statuses(appointment, now=other_day)
    assert change(desk, appointment, wanted, now=desk.at(0, 1)).status == wanted


def test_visit_can_be_finished_on_its_day_or_later(desk):
    appointment = appointment_in(desk, "in_service")

    assert refused(change, desk, appointment, "finished", now=desk.at(9) - timedelta(days=1)).reasons == {
        Reason.NOT_THAT_DAY
    }
    assert refused(change, desk, appointment, "checked_in", now=desk.at(9, day=TUESDAY)).reasons == {
        Reason.NOT_THAT_DAY
    }
    assert change(desk, appointment, "finished", now=desk.at(9, day=TUESDAY)).status == "finished"


def test_undoing_does_not_begin_a_visit_on_another_day(desk):
    appointment = change(desk, appointment_in(desk, "checked_in"), "confirmed")

    assert refused(undone, desk, appointment, now=desk.at(9, day=TUESDAY)).reasons == {Reason.NOT_THAT_DAY}
    assert undone(desk, appointment, now=desk.at(10)).status == "checked_in"


@pytest.mark.django_db
def test_a_visit_over_midnight_begins_and_ends_on_either_day():
    desk = open_at([NIGHT], days=[1])
    appointment = desk.book(starts_at=desk.at(23, 45), ends_at=desk.at(0, 15, day=TUESDAY))

    for minute, step in enumerate(["checked_in", "in_service", "finished", "in_service"]):
        assert change(desk, appointment, step, now=desk.at(0, minute, day=TUESDAY)).status == step


# Discounts


def discounted(desk, **fields):
    discount = make_discount(desk.clinic, name="Verão", **{"expires_on": MONDAY} | fields)
    return desk.book(discount=discount.pk), desk.at(9, day=TUESDAY)


def test_a_move_beyond_a_discount_is_asked_about_and_takes_it_off(desk):
    appointment, tuesday = discounted(desk)

    assert refused(move, desk, appointment, tuesday).reasons == {Reason.DISCOUNT_LEFT_BEHIND}
    assert AppliedDiscount.objects.count() == 1
    moved = move(desk, appointment, tuesday, without_expired=True)
    assert (moved.starts_at, AppliedDiscount.objects.count()) == (tuesday, 0)
    [off] = moved.events.last().after["discounts_off"]
    assert off["name"] == "Verão"


def test_the_discount_comes_back_with_the_move_undone(desk):
    appointment, tuesday = discounted(desk)
    before = AppliedDiscount.objects.values("line", "discount", "value").get()
    move(desk, appointment, tuesday, without_expired=True)

    undone(desk, appointment, now=desk.now + LATER)

    assert AppliedDiscount.objects.values("line", "discount", "value").get() == before


@pytest.mark.parametrize("expires_on", [None, TUESDAY, TUESDAY + timedelta(days=1)])
def test_a_discount_that_is_still_valid_then_goes_along(desk, expires_on):
    appointment, tuesday = discounted(desk, expires_on=expires_on)

    move(desk, appointment, tuesday, without_expired=True)

    assert AppliedDiscount.objects.count() == 1


# A discount, or a doctor, that is deleted between a move and its undoing


def moved_beyond_two(desk):
    """An appointment with two discounts, and the day it was moved to without them."""
    first, second = (make_discount(desk.clinic, name=name, expires_on=MONDAY) for name in ("Verão", "Inverno"))
    scan = make_procedure(desk.clinic)
    desk.doctor.procedures.add(scan)
    lines = (LineRequest(desk.procedure.pk, first.pk), LineRequest(scan.pk, second.pk))
    appointment = desk.book(lines=lines)
    move(desk, appointment, desk.at(9, day=TUESDAY), without_expired=True)
    return appointment, first, second


@pytest.mark.django_db(transaction=True)
def test_a_move_is_undone_without_the_discount_that_was_deleted(desk):
    appointment, tuesday = discounted(desk)
    move(desk, appointment, tuesday, without_expired=True)
    Discount.objects.get().delete()

    back = undone(desk, appointment, now=desk.now + LATER)

    assert (back.starts_at, AppliedDiscount.objects.count()) == (desk.at(9), 0)
    assert back.events.last().after["discounts_gone"] == ["Verão"]
    assert "sem o desconto Verão, que não existe mais" in story(back)[0].sentence
    assert "O desconto Verão não existe mais" in left_out(back)


@pytest.mark.parametrize("deleted", [(0,), (1,), (0, 1)])
def test_the_discounts_that_are_still_there_come_back(desk, deleted):
    appointment, *discounts = moved_beyond_two(desk)
    for index in deleted:
        Discount.objects.get(pk=discounts[index].pk).delete()

    back = undone(desk, appointment, now=desk.now + LATER)

    gone = [discounts[index].name for index in deleted]
    kept = {each.name for each in discounts} - set(gone)
    assert set(AppliedDiscount.objects.values_list("discount_name", flat=True)) == kept
    assert back.events.last().after["discounts_gone"] == gone


def test_an_undo_that_gives_back_everything_names_nothing(desk):
    appointment, tuesday = discounted(desk)
    move(desk, appointment, tuesday, without_expired=True)

    back = undone(desk, appointment, now=desk.now + LATER)

    assert "discounts_gone" not in back.events.last().after and left_out(back) == ""


@pytest.mark.parametrize("now", [timedelta(seconds=30), timedelta(hours=1)])
def test_a_move_is_not_undone_to_a_doctor_who_was_deleted(desk, now):
    appointment, colleague = desk.book(), desk.another_doctor()
    move(desk, appointment, desk.at(10), doctor=colleague.pk)
    Doctor.objects.get(pk=desk.doctor.pk).delete()

    assert refused(undone, desk, appointment, now=desk.now + now).reasons == {Reason.DOCTOR_UNKNOWN}
