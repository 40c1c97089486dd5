from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.models import Absence, Clinic
from clinic.schedule import Away, ClosedReason, DoctorHours, Schedules, load_schedules, merged, without
from clinic.schedule.holidays import holiday_name
from tests.factories import make_clinic, make_doctor, make_lisbon

MONDAY = date(2026, 11, 23)


def schedules(clinic, doctor, day=MONDAY):
    return load_schedules(clinic, [doctor], day, day)


def said(clinic, spans):
    return [
        (f"{clinic.local(span.starts_at):%H:%M}", f"{clinic.local(span.ends_at):%H:%M}", span.reason) for span in spans
    ]


def away(clinic, doctor, starts, ends, reason, day=MONDAY):
    return Absence.objects.create(
        clinic=clinic,
        doctor=doctor,
        starts_at=clinic.instant(day, time(*starts)),
        ends_at=clinic.instant(day, time(*ends)),
        reason=reason,
    )


@pytest.fixture
def doctor(db):
    return make_doctor()


def test_a_working_day_is_open_but_for_lunch_and_the_night(doctor):
    day = schedules(doctor.clinic, doctor)

    assert said(doctor.clinic, day.open(doctor.pk, MONDAY)) == [("08:00", "12:00", ""), ("13:00", "18:00", "")]
    closed = day.closed(doctor.pk, MONDAY)
    assert said(doctor.clinic, closed) == [
        ("00:00", "08:00", "fora do horário"),
        ("12:00", "13:00", "almoço"),
        ("18:00", "00:00", "fora do horário"),
    ]
    assert {span.closed_by for span in closed} == {ClosedReason.HOURS}


def test_a_gap_at_another_hour_is_a_pause(db):
    doctor = make_doctor(hours=[(time(8), time(9)), (time(10), time(11))])

    closed = schedules(doctor.clinic, doctor).closed(doctor.pk, MONDAY)

    assert [span.reason for span in closed] == [
        "fora do horário",
        "intervalo",
        "fora do horário",
    ]


def test_a_day_without_hours_is_closed_from_midnight_to_midnight(doctor):
    sunday = MONDAY - timedelta(days=1)
    day = schedules(doctor.clinic, doctor, sunday)

    assert day.open(doctor.pk, sunday) == []
    assert said(doctor.clinic, day.closed(doctor.pk, sunday)) == [("00:00", "00:00", "fora do horário")]


def test_touching_and_overlapping_hours_are_one_block(db):
    doctor = make_doctor(hours=[(time(10), time(12)), (time(8), time(10)), (time(9), time(11)), (time(14), time(15))])

    blocks = schedules(doctor.clinic, doctor).blocks(doctor.pk, MONDAY)

    assert said(doctor.clinic, blocks) == [("08:00", "12:00", ""), ("14:00", "15:00", "")]


def test_an_absence_is_cut_out_and_named_with_whose_it_is(doctor):
    away(doctor.clinic, doctor, (9, 0), (10, 0), "congresso")
    away(doctor.clinic, None, (15, 0), (20, 0), "dedetização")
    day = schedules(doctor.clinic, doctor)

    assert said(doctor.clinic, day.open(doctor.pk, MONDAY)) == [
        ("08:00", "09:00", ""),
        ("10:00", "12:00", ""),
        ("13:00", "15:00", ""),
    ]
    named = {span.reason: span.closed_by for span in day.closed(doctor.pk, MONDAY)}
    assert named == {
        "fora do horário": ClosedReason.HOURS,
        "almoço": ClosedReason.HOURS,
        "congresso": ClosedReason.ABSENCE,
        "dedetização": ClosedReason.CLINIC,
    }


def test_an_absence_of_days_covers_each_of_them_whole(doctor):
    clinic = doctor.clinic
    Absence.objects.create(
        clinic=clinic,
        doctor=doctor,
        starts_at=clinic.instant(MONDAY - timedelta(days=3), time(15)),
        ends_at=clinic.instant(MONDAY + timedelta(days=1), time(9)),
        reason="férias",
    )
    loaded = load_schedules(clinic, [doctor], MONDAY - timedelta(days=3), MONDAY + timedelta(days=1))

    assert said(clinic, loaded.closed(doctor.pk, MONDAY)) == [("00:00", "00:00", "férias")]
    assert said(clinic, loaded.open(doctor.pk, MONDAY + timedelta(days=1)))[0] == ("09:00", "12:00", "")
    assert said(clinic, loaded.open(doctor.pk, MONDAY - timedelta(days=3)))[-1] == ("13:00", "15:00", "")


def test_overlapping_absences_show_once_clinic_before_doctor(doctor):
    away(doctor.clinic, doctor, (8, 0), (11, 0), "consulta própria")
    away(doctor.clinic, doctor, (9, 0), (12, 0), "reunião")
    away(doctor.clinic, None, (10, 0), (10, 30), "queda de luz")

    closed = schedules(doctor.clinic, doctor).closed(doctor.pk, MONDAY)

    assert said(doctor.clinic, closed)[1:-2] == [
        ("08:00", "10:00", "consulta própria"),
        ("10:00", "10:30", "queda de luz"),
        ("10:30", "11:00", "consulta própria"),
        ("11:00", "12:00", "reunião"),
    ]


def test_nobody_elses_absence_counts(doctor):
    away(doctor.clinic, make_doctor(doctor.clinic), (8, 0), (18, 0), "férias")
    away(make_clinic(), None, (8, 0), (18, 0), "obras")

    assert len(schedules(doctor.clinic, doctor).open(doctor.pk, MONDAY)) == 2


@pytest.mark.parametrize(
    ("make", "day", "name"),
    [
        (make_clinic, date(2026, 12, 25), "Natal"),
        (make_clinic, date(2026, 4, 21), "Tiradentes"),
        (make_clinic, date(2026, 11, 20), "Dia Nacional de Zumbi e da Consciência Negra"),
        (make_clinic, date(2026, 4, 3), "Sexta-feira Santa"),
        (make_lisbon, date(2026, 12, 25), "Dia de Natal"),
        (make_lisbon, date(2026, 4, 25), "Dia da Liberdade"),
        (make_lisbon, date(2026, 6, 4), "Corpo de Deus"),
    ],
)
def test_national_holiday_closes_the_clinic_unless_switched_off(db, make, day, name):
    clinic = make(observes_holidays=True)
    doctor = make_doctor(clinic, days=range(1, 8))
    loaded = schedules(clinic, doctor, day)

    assert loaded.open(doctor.pk, day) == []
    assert said(clinic, loaded.closed(doctor.pk, day)) == [("00:00", "00:00", name)]
    assert loaded.closed(doctor.pk, day)[0].closed_by is ClosedReason.HOLIDAY

    Clinic.objects.filter(pk=clinic.pk).update(observes_holidays=False)
    clinic.refresh_from_db()
    assert len(schedules(clinic, doctor, day).open(doctor.pk, day)) == 2


def test_each_country_keeps_its_own_holidays(db):
    brazil, portugal = make_clinic(observes_holidays=True), make_lisbon(observes_holidays=True)
    tiradentes, freedom = date(2026, 4, 21), date(2026, 4, 25)

    def names(day):
        return [holiday_name(clinic, day) for clinic in (brazil, portugal)]

    assert names(tiradentes) == ["Tiradentes", ""]
    assert names(freedom) == ["", "Dia da Liberdade"]


@pytest.mark.parametrize("number", [1, 3])
def test_schedules_cost_one_query_however_many_doctors_and_days(db, number):
    clinic = make_clinic()
    doctors = [make_doctor(clinic) for _ in range(number)]

    with CaptureQueriesContext(connection) as queries:
        loaded = load_schedules(clinic, doctors, MONDAY, MONDAY + timedelta(days=30 * number))
        for doctor in doctors:
            loaded.open(doctor.pk, MONDAY)
            loaded.closed(doctor.pk, MONDAY)

    assert len(queries) == 1


SPANS = st.lists(st.tuples(st.integers(-100, 1700), st.integers(1, 800)), max_size=4)
DAYS = [MONDAY, date(2026, 3, 29), date(2026, 10, 25)]


@settings(max_examples=60)
@given(
    zone=st.sampled_from(["America/Recife", "Europe/Lisbon", "Atlantic/Azores"]),
    day=st.sampled_from(DAYS),
    blocks=st.lists(st.tuples(st.integers(0, 1380), st.integers(1, 59)), max_size=4),
    own=SPANS,
    everybodys=SPANS,
)
def test_open_and_closed_time_fill_the_local_day_exactly(zone, day, blocks, own, everybodys):
    clinic = Clinic(time_zone=zone, country="PT", observes_holidays=False)
    midnight, next_midnight = clinic.day(day)

    def absence(pair, doctor):
        starts_at = midnight + timedelta(minutes=pair[0])
        return Away(doctor, starts_at, starts_at + timedelta(minutes=pair[1]), "x")

    def hours(start, length):
        ends = start + length
        wall = time(start // 60, start % 60), time(ends // 60, ends % 60)
        return DoctorHours(1, day.isoweekday(), *wall)

    absences = [absence(pair, 1) for pair in own] + [absence(pair, None) for pair in everybodys]
    loaded = Schedules(clinic, [hours(*block) for block in blocks], absences)

    spans = loaded.open(1, day) + loaded.closed(1, day)
    spans = sorted(spans, key=lambda span: span.starts_at)

    assert spans[0].starts_at == midnight
    assert spans[-1].ends_at == next_midnight
    for before, after in zip(spans, spans[1:], strict=False):
        assert before.starts_at < before.ends_at == after.starts_at
    assert without(loaded.blocks(1, day), loaded.open(1, day) + loaded._away(1)) == []
    assert merged(spans)[0].starts_at == midnight and len(merged(spans)) == 1
