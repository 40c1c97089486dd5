"""The times proposed for appointments that have to move."""

from datetime import timedelta

from clinic.booking import LineRequest, record_not_reached, replacement_times, state
from clinic.models import Absence, AppointmentEvent
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, reasons
from tests.factories import make_procedure


def away(desk, days=1):
    Absence.objects.create(
        clinic=desk.clinic,
        doctor=desk.doctor,
        starts_at=desk.at(0),
        ends_at=desk.at(0, day=MONDAY + timedelta(days=days)),
        reason="doença",
    )


def proposed(desk, *visits):
    times = replacement_times(desk.clinic, visits, now=desk.now)
    return [[(time.doctor_id, desk.clock(time.starts_at)) for time in times[visit.pk]] for visit in visits]


def test_own_doctor_in_the_same_half_day_first(desk):
    visit = desk.book(starts_at=desk.at(14))
    away(desk)
    own = desk.doctor.pk
    assert proposed(desk, visit) == [[(own, "24/11 14:00"), (own, "25/11 14:00"), (own, "26/11 14:00")]]


def test_the_third_is_of_another_who_performs_it(desk):
    other = desk.another_doctor()
    visit = desk.book(starts_at=desk.at(14))
    away(desk)
    own = desk.doctor.pk
    assert proposed(desk, visit) == [[(own, "24/11 14:00"), (own, "25/11 14:00"), (other.pk, "23/11 14:00")]]


def test_only_others_while_the_own_doctor_is_away(desk):
    other = desk.another_doctor()
    desk.another_doctor(procedures=[make_procedure(desk.clinic)])
    visit = desk.book(starts_at=desk.at(14))
    away(desk, days=40)
    assert proposed(desk, visit) == [[(other.pk, "23/11 14:00"), (other.pk, "24/11 14:00"), (other.pk, "25/11 14:00")]]


def test_colleagues_of_the_speciality_come_before_other_doctors(desk):
    desk.another_doctor(specialty="Dermatologia")
    colleague = desk.another_doctor(specialty=desk.doctor.specialty)
    visit = desk.book(starts_at=desk.at(14))
    away(desk)
    assert proposed(desk, visit)[0][2] == (colleague.pk, "23/11 14:00")


def test_others_are_proposed_where_no_colleague_has_time(desk):
    other = desk.another_doctor(specialty="Dermatologia")
    colleague = desk.another_doctor(specialty=desk.doctor.specialty)
    Absence.objects.create(
        clinic=desk.clinic, doctor=colleague, starts_at=desk.at(0), ends_at=desk.at(0) + timedelta(days=60), reason="x"
    )
    visit = desk.book(starts_at=desk.at(14))
    away(desk)
    assert proposed(desk, visit)[0][2] == (other.pk, "23/11 14:00")


def test_one_patient_is_not_proposed_one_time_twice(desk):
    other = desk.another_doctor(procedures=[desk.procedure])
    tuesday = desk.at(9, day=MONDAY + timedelta(days=1))
    visits = [desk.book(starts_at=desk.at(9)), desk.book(doctor=other.pk, starts_at=tuesday)]
    Absence.objects.create(
        clinic=desk.clinic, starts_at=desk.at(0), ends_at=desk.at(0, day=MONDAY + timedelta(days=2)), reason="obras"
    )
    times = [{when for _, when in of_visit} for of_visit in proposed(desk, *visits)]
    assert not times[0] & times[1]


def test_no_time_is_proposed_to_two(desk):
    other = desk.another_doctor()
    doctors = (desk.doctor.pk, other.pk)
    visits = [desk.book(doctor=pk, starts_at=desk.at(14), patient=desk.another_patient().pk) for pk in doctors]
    Absence.objects.create(
        clinic=desk.clinic, starts_at=desk.at(0), ends_at=desk.at(0, day=MONDAY + timedelta(days=1)), reason="obras"
    )
    first, second = proposed(desk, *visits)
    assert not set(first) & set(second)


def test_of_a_long_list_each_has_a_time_of_its_own(desk):
    minutes = [minute for hour in (9, 10, 11, 13, 14, 15, 16) for minute in (hour * 60, hour * 60 + 30)]
    starts = [desk.at(0) + timedelta(minutes=minute) for minute in minutes]
    visits = [desk.book(starts_at=starts_at, patient=desk.another_patient().pk) for starts_at in starts]
    away(desk, days=20)
    other = desk.another_doctor(specialty="Dermatologia", procedures=[make_procedure(desk.clinic)])
    elsewhere = desk.book(
        doctor=other.pk,
        patient=desk.another_patient().pk,
        starts_at=desk.at(9),
        lines=(LineRequest(other.procedures.get().pk),),
    )
    *of_each, of_another_doctor = proposed(desk, *visits, elsewhere)
    times = [time for of_visit in of_each for time in of_visit]
    assert all(of_each) and len(set(times)) == len(times)
    assert len(of_another_doctor) == 3


def test_no_time_at_which_the_patient_is_elsewhere(desk):
    other = desk.another_doctor()
    visit = desk.book(starts_at=desk.at(14))
    desk.book(doctor=other.pk, starts_at=desk.at(14, day=MONDAY + timedelta(days=1)))
    away(desk, days=40)
    assert proposed(desk, visit)[0][1] == (other.pk, "24/11 13:30")


def test_queries_do_not_grow_with_the_appointments(desk, django_assert_num_queries):
    visits = [desk.book(starts_at=desk.at(hour), patient=desk.another_patient().pk) for hour in (9, 10, 14, 15)]
    away(desk)
    with django_assert_num_queries(4):
        replacement_times(desk.clinic, visits, now=desk.now)


def test_nothing_for_nobody(desk, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert replacement_times(desk.clinic, [], now=desk.now) == {}


def test_a_call_without_answer_is_an_event(desk):
    visit = desk.book()
    record_not_reached(visit.pk, clinic=desk.clinic, by=BY, seen=state(visit), now=desk.now)
    assert visit.events.latest("pk").kind == AppointmentEvent.Kind.NOT_REACHED


def test_a_call_about_what_has_changed_is_refused(desk):
    visit = desk.book()
    refused = reasons(record_not_reached, visit.pk, clinic=desk.clinic, by=BY, seen="confirmed|1|x", now=desk.now)
    assert refused == {Reason.CHANGED_MEANWHILE}
