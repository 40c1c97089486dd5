"""A family that is booked in one act: all of it or none, and what is proposed to it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from clinic import booking
from clinic.booking import LineRequest, SoughtTime
from clinic.models import Appointment, Doctor, Patient, PayerDoctor, Procedure
from clinic.refusals import Reason
from clinic.registry import PatientDetails
from clinic.schedule import Span
from tests.booking.desk import BY, MONDAY, refused, stored
from tests.factories import make_payer, make_procedure


@pytest.fixture
def sister(desk):
    return desk.another_patient(name="Bia Souza")


def family(desk, *hours, patients=None, **changes):
    """The desk's patient and others, one after another."""
    patients = patients or [desk.patient, *(desk.another_patient() for _ in hours[1:])]
    return [
        desk.proposal(patient=patient.pk, starts_at=desk.at(hour), **changes)
        for hour, patient in zip(hours, patients, strict=True)
    ]


def book(desk, proposals, key=None):
    return booking.book_family(proposals, key=key or uuid4(), by=BY, now=desk.now)


def test_all_are_booked_each_with_its_own_event(desk):
    booked = book(desk, family(desk, 9, 10, 11))
    assert [desk.clock(each.starts_at) for each in booked] == ["23/11 09:00", "23/11 10:00", "23/11 11:00"]
    assert all(each.events.get().kind == "booked" for each in booked)


def test_where_one_is_refused_nothing_is_written(desk):
    proposals = family(desk, 9, 10, 23)
    before = stored()
    answer = refused(book, desk, proposals)
    assert (answer.number, answer.reasons) == (2, {Reason.OUTSIDE_HOURS})
    new = desk.proposal(details=PatientDetails(name="Caio Souza", phone="81 99876-5432"), starts_at=desk.at(9))
    assert refused(book, desk, [new, proposals[2]]).number == 1
    assert stored() == before


def test_sent_twice_it_books_once(desk):
    proposals, key = family(desk, 9, 10), uuid4()
    assert book(desk, proposals, key) == book(desk, proposals, key)
    assert Appointment.objects.count() == 2


def test_the_same_form_with_other_contents_is_refused(desk, sister):
    key, other = uuid4(), desk.another_doctor()
    rows = family(desk, 9, 10, 11, patients=[desk.patient, sister, desk.another_patient()])
    book(desk, rows, key)
    first, second, third = rows
    swapped = [replace(first, patient=second.patient), replace(second, patient=first.patient), third]
    more = [*rows, *family(desk, 14, patients=[desk.another_patient()])]
    for changed in ([replace(first, doctor=other.pk), second, third], swapped, rows[:2], more):
        assert booking.booked_family(changed, key) == []
        assert refused(book, desk, changed, key).reasons
    assert Appointment.objects.count() == 3


def test_of_a_merged_patient_it_is_still_the_same_form(desk, sister):
    rows, key = family(desk, 9, 10, patients=[desk.patient, sister]), uuid4()
    booked = book(desk, rows, key)
    kept = desk.another_patient(name="Bia Souza")
    booking.merge_patients(kept.pk, sister.pk, sides={}, clinic=desk.clinic, by=BY, now=desk.now)
    assert [each.pk for each in book(desk, rows, key)] == [each.pk for each in booked]


def test_after_one_was_cancelled_the_same_form_is_refused(desk):
    proposals, key = family(desk, 9, 10), uuid4()
    first, _second = book(desk, proposals, key)
    booking.change_status(first.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="patient")
    assert refused(book, desk, proposals, key).reasons
    assert Appointment.objects.count() == 2


def test_two_rows_for_one_patient_or_one_time_are_refused(desk, sister):
    twice = family(desk, 9, 10, patients=[desk.patient, desk.patient])
    answer = refused(book, desk, twice)
    assert (answer.number, answer.reasons) == (1, {Reason.FAMILY_TWICE})
    assert answer.message == "Ana Souza está em duas linhas. Deixe só uma."
    answer = refused(book, desk, family(desk, 9, 9, patients=[desk.patient, sister]))
    assert (answer.number, answer.reasons) == (1, {Reason.DOCTOR_TAKEN})
    assert [each.refusals[0].reason for each in booking.check_family(twice, now=desk.now)[1:]] == [Reason.FAMILY_TWICE]
    assert not Appointment.objects.exists()


def test_a_new_one_who_is_another_row_s_patient_is_refused(desk):
    same = PatientDetails(name="Ana Souza", phone=desk.patient.phone.as_e164)
    described = desk.proposal(details=same, starts_at=desk.at(10), besides=())
    answer = refused(book, desk, [*family(desk, 9), described])
    assert answer.number == 1
    assert not Appointment.objects.exists()


def test_two_new_ones_share_a_phone(desk):
    names = ("Caio Souza", "Davi Souza")
    rows = [
        desk.proposal(details=PatientDetails(name=name, phone="81 99876-5432"), starts_at=desk.at(9 + number))
        for number, name in enumerate(names)
    ]
    booked = book(desk, rows)
    assert [each.patient.name for each in booked] == list(names)
    assert len({each.patient.phone.as_e164 for each in booked}) == 1


def test_one_new_person_in_two_rows_is_refused(desk):
    details = PatientDetails(name="Caio Souza", phone="81 99876-5432")
    rows = [desk.proposal(details=details, starts_at=desk.at(hour)) for hour in (9, 10)]
    answer = refused(book, desk, rows)
    assert (answer.number, answer.reasons) == (1, {Reason.FAMILY_TWICE})
    assert not Patient.objects.filter(name="Caio Souza").exists()


def test_each_row_says_what_is_in_its_way_and_what_is_free(desk, sister):
    desk.book(starts_at=desk.at(9), patient=desk.another_patient().pk)
    first, second = booking.check_family(family(desk, 9, 9, patients=[desk.patient, sister]), now=desk.now)
    assert {refusal.reason for refusal in first.refusals} == {Reason.DOCTOR_TAKEN}
    assert {refusal.reason for refusal in second.refusals} == {Reason.DOCTOR_TAKEN}
    assert first.alternatives and not set(first.alternatives) & set(second.alternatives)


def test_with_two_doctors_the_same_time_is_free(desk, sister):
    other = desk.another_doctor()
    rows = [
        desk.proposal(starts_at=desk.at(9)),
        desk.proposal(starts_at=desk.at(9), doctor=other.pk, patient=sister.pk),
    ]
    assert not any(each.refusals for each in booking.check_family(rows, now=desk.now))
    assert len(book(desk, rows)) == 2


def test_who_pays_is_as_in_the_panel_or_asked(desk, sister):
    payer = make_payer(desk.clinic)
    sister.payer = payer
    sister.save()
    booked = book(desk, family(desk, 9, 10, patients=[desk.patient, sister]))
    assert [each.payer for each in booked] == [None, payer]
    payer.active = False
    payer.save()
    answer = refused(book, desk, family(desk, 14, 15, patients=[desk.patient, sister]))
    assert (answer.number, answer.reasons) == (1, {Reason.FAMILY_ASK_WHO_PAYS})


def sought(desk, *doctors, minutes=30):
    return [SoughtTime(doctors=[doctor], minutes=minutes) for doctor in doctors]


def proposed(desk, rows, **options):
    (times,) = booking.times_near_each_other(desk.clinic, rows, MONDAY, now=desk.now, **options) or [None]
    return times and [desk.clock(each.starts_at)[6:] for each in times]


def test_with_one_doctor_they_come_one_after_another(desk):
    assert proposed(desk, sought(desk, desk.doctor, desk.doctor, desk.doctor)) == ["08:00", "08:30", "09:00"]


def test_a_gap_that_is_too_short_is_passed_over(desk):
    desk.book(starts_at=desk.at(8, 30), patient=desk.another_patient().pk)
    assert proposed(desk, sought(desk, desk.doctor, desk.doctor)) == ["09:00", "09:30"]


def test_with_two_doctors_they_come_beside_each_other(desk):
    assert proposed(desk, sought(desk, desk.doctor, desk.another_doctor())) == ["08:00", "08:00"]


def test_they_come_next_to_who_is_booked_already(desk):
    booked = desk.book(starts_at=desk.at(10))
    near = Span(booked.starts_at, booked.ends_at)
    assert proposed(desk, sought(desk, desk.doctor, desk.doctor), near=near) == ["09:00", "09:30"]


def test_a_patient_s_own_appointments_count_as_taken(desk):
    other = desk.another_doctor()
    desk.book(starts_at=desk.at(8), doctor=other.pk)
    rows = [SoughtTime(doctors=[desk.doctor], minutes=30, patient=desk.patient.pk)]
    assert proposed(desk, rows) == ["08:30"]


def test_where_the_day_has_no_such_times_none_is_proposed(desk):
    assert proposed(desk, [*sought(desk, desk.doctor), SoughtTime(doctors=[], minutes=30)]) is None
    sunday = MONDAY - timedelta(days=1)
    rows = sought(desk, desk.doctor)
    assert booking.times_near_each_other(desk.clinic, rows, sunday, now=desk.now) == []


def over(desk, rows, first, days, **options):
    """The first times that are proposed, on each date."""
    last = first + timedelta(days=days)
    found = booking.times_near_each_other(desk.clinic, rows, first, last, now=desk.now, **options)
    return [[desk.clock(each.starts_at) for each in times] for times in found]


def test_over_several_dates_the_nearest_that_fit_are_proposed(desk, django_assert_num_queries):
    for starts_at, ends_at in ((desk.at(8), desk.at(12)), (desk.at(13), desk.at(18))):
        desk.book(starts_at=starts_at, ends_at=ends_at, patient=desk.another_patient().pk)
    rows = sought(desk, desk.doctor, desk.doctor)
    with django_assert_num_queries(2):
        found = over(desk, rows, MONDAY - timedelta(days=3), 14)
    assert found == [[f"{day}/11 08:00", f"{day}/11 08:30"] for day in (24, 25, 26)]
    assert over(desk, rows, MONDAY, 1) == found[:1]
    assert over(desk, rows, MONDAY, 0) == []
    friday = MONDAY + timedelta(days=4)
    assert [times[0][:5] for times in over(desk, rows, friday, 7)] == ["27/11", "30/11", "01/12"]


def test_only_on_its_own_date_they_come_next_to_who_is_booked(desk):
    booked = desk.book(starts_at=desk.at(10))
    near = Span(booked.starts_at, booked.ends_at)
    found = over(desk, sought(desk, desk.doctor), MONDAY, 1, near=near)
    assert found == [["23/11 09:30"], ["24/11 08:00"]]


def test_where_their_own_order_does_not_fit_another_one_is_tried(desk):
    for starts_at, ends_at in ((desk.at(9), desk.at(11)), (desk.at(11, 30), desk.at(12)), (desk.at(13), desk.at(18))):
        desk.book(starts_at=starts_at, ends_at=ends_at, patient=desk.another_patient().pk)
    rows = [*sought(desk, desk.doctor), *sought(desk, desk.doctor, minutes=60)]
    assert proposed(desk, rows) == ["11:00", "08:00"]
    assert proposed(desk, [*rows, *sought(desk, desk.doctor)]) is None


def test_longer_visits_get_longer_times(desk):
    long = make_procedure(desk.clinic, duration_minutes=60)
    desk.doctor.procedures.add(long)
    rows = [*sought(desk, desk.doctor, minutes=60), *sought(desk, desk.doctor)]
    assert proposed(desk, rows) == ["08:00", "09:00"]
    lines = (LineRequest(long.pk),)
    assert (
        len(
            book(
                desk,
                [desk.proposal(starts_at=desk.at(8), lines=lines), *family(desk, 9, patients=[desk.another_patient()])],
            )
        )
        == 2
    )


def visited(desk, patient):
    """A paid visit of a week ago to the desk's doctor, whose returns are free."""
    day = MONDAY - timedelta(days=7)
    visit = desk.book(patient=patient.pk, starts_at=desk.at(9, day=day), now=desk.at(7, day=day))
    Appointment.objects.filter(pk=visit.pk).update(status="finished")
    desk.procedure.return_days = 30
    desk.procedure.save()


def test_a_return_is_free_as_in_the_panel(desk, sister):
    visited(desk, sister)
    booked = book(desk, family(desk, 9, 10, patients=[desk.patient, sister]))
    assert [each.lines.get().price for each in booked] == [desk.procedure.price, 0]


def insure(patient, payer):
    patient.payer = payer
    patient.save()
    return patient


def test_a_number_a_day_counts_those_of_the_family(desk, sister):
    limited = make_payer(desk.clinic, name="Unimed", per_day=2)
    patients = [insure(each, limited) for each in (desk.patient, sister, desk.another_patient())]
    rows = family(desk, 9, 10, 11, patients=patients)
    found = [{refusal.reason for refusal in each.refusals} for each in booking.check_family(rows, now=desk.now)]
    assert found == [set(), set(), {Reason.PAYER_FULL}]
    answer = refused(book, desk, rows)
    assert (answer.number, answer.reasons) == (2, {Reason.PAYER_FULL})


def test_a_doctor_s_number_counts_that_doctor_only(desk, sister):
    payer, other = make_payer(desk.clinic), desk.another_doctor()
    for doctor in (desk.doctor, other):
        PayerDoctor.objects.create(clinic=desk.clinic, payer=payer, doctor=doctor, per_day=1)
    rows = family(desk, 9, 10, patients=[insure(each, payer) for each in (desk.patient, sister)])
    found = [{refusal.reason for refusal in each.refusals} for each in booking.check_family(rows, now=desk.now)]
    assert found == [set(), {Reason.PAYER_FULL_WITH_DOCTOR}]
    apart = [rows[0], replace(rows[1], doctor=other.pk)]
    assert not any(each.refusals for each in booking.check_family(apart, now=desk.now))
    next_day = [rows[0], replace(rows[1], starts_at=desk.at(10, day=MONDAY + timedelta(days=1)))]
    assert not any(each.refusals for each in booking.check_family(next_day, now=desk.now))


@pytest.mark.parametrize("model", [Doctor, Procedure])
def test_a_number_of_doctor_or_procedure_counts_the_family(desk, model):
    model.objects.update(per_day=2)
    reason = Reason.DAY_FULL if model is Doctor else Reason.DAY_FULL_OF_PROCEDURE
    rows = family(desk, 9, 10, 11)
    checked = booking.check_family(rows, now=desk.now)
    assert [{refusal.reason for refusal in each.refusals} for each in checked] == [set(), set(), {reason}]
    assert (checked[2].alternatives, checked[2].is_day_full) == ([], True)
    answer = refused(book, desk, rows)
    assert (answer.number, answer.reasons) == (2, {reason})
    next_day = replace(rows[2], starts_at=desk.at(11, day=MONDAY + timedelta(days=1)))
    elsewhere = replace(rows[2], doctor=desk.another_doctor().pk)
    for third in (next_day, elsewhere):
        assert not any(each.refusals for each in booking.check_family([*rows[:2], third], now=desk.now))


@pytest.mark.parametrize("model", [Doctor, Procedure])
def test_times_together_hold_to_the_numbers_a_day(desk, model):
    model.objects.update(per_day=1)
    doctors, procedures = list(Doctor.objects.all()), list(Procedure.objects.all())
    search = {"first": MONDAY, "last": MONDAY + timedelta(days=1), "now": desk.now}
    both = [SoughtTime(doctors, 30, procedures=procedures)] * 2
    assert booking.times_near_each_other(desk.clinic, both, **search) == []
    doctors.append(desk.another_doctor(per_day=1))
    found = booking.times_near_each_other(desk.clinic, both, **search)
    assert [len({time.doctor_id for time in times}) for times in found] == [2, 2]
