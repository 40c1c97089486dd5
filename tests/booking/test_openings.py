"""Free times: every one offered can be booked, and none that could be booked is missing."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.booking import LineRequest, Proposal, book, check, openings
from clinic.booking.openings import nearest_of, openings_near, spread
from clinic.models import Absence, Appointment, AppointmentProcedure, ClinicHoliday, WorkingHours
from clinic.queries import agenda
from clinic.schedule import Opening
from tests.booking.desk import BY, MONDAY, Desk, open_desk
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure, make_user

# Days on which the clocks of these zones do something, or nothing, and two holidays.
DAYS = [
    ("America/Recife", "BR", date(2026, 11, 23)),
    ("America/Manaus", "BR", date(2026, 12, 25)),
    ("America/Noronha", "BR", date(2026, 4, 21)),
    ("America/Sao_Paulo", "BR", date(2018, 11, 4)),  # no midnight
    ("America/Sao_Paulo", "BR", date(2018, 2, 17)),  # 23:00 twice
    ("Europe/Lisbon", "PT", date(2026, 3, 29)),
    ("Europe/Lisbon", "PT", date(2026, 10, 25)),
    ("Atlantic/Azores", "PT", date(2026, 3, 29)),  # no midnight
    ("Atlantic/Azores", "PT", date(2026, 10, 25)),  # midnight twice
    ("Atlantic/Azores", "PT", date(2026, 12, 25)),
]
MINUTES = st.integers(0, 24 * 12 - 1).map(lambda five: five * 5)
# (begins on the day or on the one before, start, end): minutes from midnight, the end beyond 24 hours for a night.
BLOCKS = st.lists(
    st.tuples(st.sampled_from([0, 0, -1]), MINUTES, st.integers(1, 120)).map(
        lambda block: (block[0], block[1], block[1] + block[2] * 5)
    ),
    min_size=1,
    max_size=3,
)
# From and until how many days after the date on which a block begins the hours hold; None for an open end.
VALIDITIES = st.sampled_from(
    [*[(None, None)] * 4, (0, 0), (0, None), (None, 0), (-7, 6), (1, None), (None, -1), (7, 7), (-1, -1)]
)
FIVES = st.integers(-3 * 12, 27 * 12).map(lambda five: five * 5)
LENGTHS = st.integers(1, 60).map(lambda five: five * 5)
SPANS = st.lists(st.tuples(FIVES, LENGTHS), max_size=3)
# What a doctor or a procedure restricts, at most: one of these, or two, or nothing.
RESTRICTIONS = st.fixed_dictionaries(
    {},
    optional={
        "per_day": st.sampled_from([1, 2, 3]),
        "days_ahead": st.sampled_from([1, 729]),
        "notice_hours": st.sampled_from([1, 5, 24]),
    },
)
# The clinic's own days: (what it does, for whom, start, minutes); 0 minutes for the whole day.
OWN_DAYS = st.lists(
    st.tuples(
        st.sampled_from(["closes", "opens"]),
        st.sampled_from(["all", "specialty", "doctor", "another"]),
        MINUTES,
        st.sampled_from([0, 0, 60, 240, 720]),
    ),
    max_size=3,
    unique_by=lambda own: own[0] == "closes" or own,
)


def wall(minutes):
    return time(minutes // 60 % 24, minutes % 60)


def validity(pair, day):
    """The columns of hours whose block begins on that day."""
    first, last = (None if days is None else day + timedelta(days=days) for days in pair)
    return {"valid_from": first, "valid_until": last}


def holds(pair):
    first, last = pair
    return (first is None or first <= 0) and (last is None or last >= 0)


def wall_instant(clinic, day, minutes):
    return clinic.nearest_instant(day + timedelta(days=minutes // (24 * 60)), wall(minutes))


def grid(clinic, doctor, blocks, day):
    """Every start on the doctor's grid, found minute by minute and not the way `openings` finds them.

    Of an hour that the clock shows twice only the first pass counts: a time as it is typed means that one."""
    working = set()
    for offset, starts, ends in blocks:
        first, last = (wall_instant(clinic, day + timedelta(days=offset), minutes) for minutes in (starts, ends))
        working |= {first + timedelta(minutes=n) for n in range((last - first) // timedelta(minutes=1))}
    begins = [minute for minute in sorted(working) if minute - timedelta(minutes=1) not in working]
    for begin in begins:
        step = timedelta(minutes=doctor.interval_minutes)
        starts_at = begin
        while all(begin + timedelta(minutes=n) in working for n in range((starts_at - begin) // timedelta(minutes=1))):
            if clinic.local(starts_at).date() == day and not clinic.local(starts_at).fold:
                yield starts_at
            starts_at += step


@pytest.mark.django_db
@settings(max_examples=15)
@given(
    where=st.sampled_from(DAYS),
    blocks=BLOCKS,
    valid=st.lists(VALIDITIES, min_size=3, max_size=3),
    interval=st.sampled_from([20, 30, 45, 60]),
    minutes=st.sampled_from([5, 20, 30, 60, 90]),
    away=SPANS,
    closed=SPANS.map(lambda spans: spans[:1]),
    taken=SPANS,
    elsewhere=SPANS.map(lambda spans: spans[:1]),
    freed=st.booleans(),
    now=st.integers(-60, 20 * 60),
    days_ahead=st.sampled_from([0, 0, 0, 729, 730, 731]),
    holidays=st.booleans(),
    own_days=OWN_DAYS,
    active=st.sampled_from([True, True, True, False]),
    of_doctor=RESTRICTIONS,
    of_procedure=RESTRICTIONS,
    with_notice=st.booleans(),
)
def test_rules_openings_and_day_page_offer_the_same_times(
    where,
    blocks,
    valid,
    interval,
    minutes,
    away,
    closed,
    taken,
    elsewhere,
    freed,
    now,
    days_ahead,
    holidays,
    own_days,
    active,
    of_doctor,
    of_procedure,
    with_notice,
):
    zone, country, day = where
    with transaction.atomic():
        clinic = make_clinic(time_zone=zone, country=country, observes_holidays=holidays)
        procedure = make_procedure(clinic, duration_minutes=minutes, **of_procedure)
        doctor = make_doctor(clinic, procedures=[procedure], hours=[], interval_minutes=interval, **of_doctor)
        patient, stranger = make_patient(clinic), make_patient(clinic)
        midnight = clinic.day(day)[0]
        now = clinic.day(day - timedelta(days=days_ahead))[0] + timedelta(minutes=now)
        for (offset, starts, ends), pair in zip(blocks, valid, strict=False):
            begins_on = day + timedelta(days=offset)
            WorkingHours.objects.create(
                clinic=clinic,
                doctor=doctor,
                weekday=begins_on.isoweekday(),
                starts=wall(starts),
                ends=wall(ends),
                **validity(pair, begins_on),
            )
        blocks = [block for block, pair in zip(blocks, valid, strict=False) if holds(pair)]

        def span(pair):
            starts_at = midnight + timedelta(minutes=pair[0])
            return {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=pair[1])}

        for pair in away:
            Absence.objects.create(clinic=clinic, doctor=doctor, reason="férias", **span(pair))
        for pair in closed:
            Absence.objects.create(clinic=clinic, reason="obras", **span(pair))
        for own in own_days:
            own_day(doctor, day, *own)
        for index, pair in enumerate(_apart(taken)):
            missed = "no_show" if freed and index == 0 else "confirmed"
            row = Appointment.objects.create(
                clinic=clinic, doctor=doctor, patient=stranger, status=missed, **span(pair)
            )
            if index != 1:
                line = {"procedure": procedure, "procedure_name": procedure.name, "price": 1, "position": 0}
                AppointmentProcedure.objects.create(clinic=clinic, appointment=row, **line)
        for pair in elsewhere:
            Appointment.objects.create(clinic=clinic, doctor=make_doctor(clinic), patient=patient, **span(pair))

        doctor.active = active
        doctor.save(update_fields=["active"])

        wish = {"doctor": doctor, "minutes": minutes, "first": day, "last": day, "now": now, "procedures": [procedure]}
        found = openings(clinic, **wish, patient=patient.pk, with_notice=with_notice)

        def proposal(starts_at):
            return Proposal(
                clinic=clinic,
                doctor=doctor.pk,
                lines=(LineRequest(procedure.pk),),
                starts_at=starts_at,
                patient=patient.pk,
                with_notice=with_notice,
            )

        expected = [at for at in grid(clinic, doctor, blocks, day) if check(proposal(at), now=now) is None]
        assert [opening.starts_at for opening in found] == expected
        assert {opening.ends_at - opening.starts_at for opening in found} <= {timedelta(minutes=minutes)}
        free = openings(clinic, **wish)
        assert slots(clinic, doctor, day, now) == [f"{clinic.local(opening.starts_at):%H:%M}" for opening in free]
        if found:
            book(proposal(found[-1].starts_at), by=BY, now=now)
        transaction.set_rollback(True)


def own_day(doctor, day, kind, whom, starts, minutes):
    ends = starts + minutes
    hours = {"starts": wall(starts), "ends": wall(ends) if ends < 24 * 60 else None} if minutes else {}
    specialty = doctor.specialty if (kind, whom) == ("opens", "specialty") else ""
    row = ClinicHoliday.objects.create(
        clinic=doctor.clinic, falls_on=f"{day:%d/%m/%Y}", name="próprio", kind=kind, specialty=specialty, **hours
    )
    if kind == "opens" and whom in {"doctor", "another"}:
        row.doctors.add(doctor if whom == "doctor" else make_doctor(doctor.clinic, hours=[]))


def slots(clinic, doctor, day, now):
    """The free times that the day's page shows of the doctor."""
    shown = agenda.day(clinic, day, now=now, doctors=[doctor.pk])
    cells = [cell for hour in shown.hours for row in hour.rows for cell in row.cells]
    return [cell.time for cell in cells if cell.kind == "slot" and cell.doctor_id == str(doctor.pk)]


def _apart(spans):
    """Those that do not overlap one before them: the database would refuse the others."""
    kept = []
    for begin, length in spans:
        if all(begin + length <= other or begin >= other + long for other, long in kept):
            kept.append((begin, length))
    return kept


def found(desk, *, minutes=30, first=MONDAY, last=MONDAY, now=None, **narrowed):
    spans = openings(
        desk.clinic, doctor=desk.doctor, minutes=minutes, first=first, last=last, now=now or desk.now, **narrowed
    )
    return [desk.clock(span.starts_at) for span in spans]


def test_working_day_has_openings_on_the_grid_but_not_over_lunch(desk):
    starts = found(desk)

    assert starts[:2] == ["23/11 08:00", "23/11 08:15"]
    assert starts[-1] == "23/11 17:30"
    assert len(starts) == 15 + 19
    assert not {"23/11 11:45", "23/11 12:00", "23/11 12:45"} & set(starts)


def test_grid_restarts_with_each_block_of_working_hours(desk):
    desk.doctor.interval_minutes = 40
    desk.book(ends_at=desk.at(9, 5), starts_at=desk.at(8))

    assert found(desk)[:3] == ["23/11 09:20", "23/11 10:00", "23/11 10:40"]


def test_touching_blocks_of_work_are_one(desk):
    WorkingHours.objects.create(clinic=desk.clinic, doctor=desk.doctor, weekday=1, starts=time(12), ends=time(13))

    assert len(found(desk)) == 39
    assert len(found(desk, minutes=600)) == 1


def test_past_and_just_begun_times_are_not_offered(desk):
    assert found(desk, now=desk.at(9))[0] == "23/11 09:15"
    assert found(desk, now=desk.at(17, 30)) == []
    assert found(desk, first=date(2000, 1, 1), now=desk.at(17, 14))[0] == "23/11 17:15"
    assert found(desk, last=MONDAY - timedelta(days=1)) == []


def test_openings_stay_bookable_at_the_far_end_and_odd_lengths(desk):
    last = MONDAY + timedelta(days=730)

    far = found(desk, first=last - timedelta(days=1), last=date.max)
    assert far and {when[:5] for when in far} == {"21/11", "22/11"}
    assert [found(desk, minutes=minutes) for minutes in (0, -5, 721, 10**12)] == [[], [], [], []]
    desk.doctor.active = False
    assert found(desk) == []


def test_appointment_being_moved_does_not_block_itself(desk):
    appointment = desk.book()

    assert "23/11 09:00" not in found(desk)
    assert "23/11 09:15" in found(desk, moving=appointment)


def test_times_adjacent_to_an_appointment_are_free(desk):
    desk.book()

    assert [when[6:] for when in found(desk)[:5]] == ["08:00", "08:15", "08:30", "09:30", "09:45"]


def test_an_encaixe_leaves_the_time_open(desk):
    appointment = desk.book()
    user = make_user(desk.clinic)
    Appointment.objects.filter(pk=appointment.pk).update(encaixe_by=user, encaixe_reason="dor")

    assert "23/11 09:00" in found(desk)
    assert "23/11 09:00" not in found(desk, patient=desk.patient.pk)


def test_a_limit_ends_the_search(desk):
    assert found(desk, last=MONDAY + timedelta(days=30), limit=2) == ["23/11 08:00", "23/11 08:15"]


@pytest.mark.parametrize("days", [1, 30])
@pytest.mark.parametrize("booked", [1, 3])
def test_openings_cost_three_queries_for_any_days_and_appointments(desk, days, booked):
    for hour in range(booked):
        desk.book(starts_at=desk.at(9 + hour))

    with CaptureQueriesContext(connection) as queries:
        found(desk, last=MONDAY + timedelta(days=days), patient=desk.patient.pk)

    assert len(queries) <= 3


def test_another_clinics_appointments_and_closures_do_not_matter(desk):
    other = open_desk()
    Absence.objects.create(clinic=other.clinic, starts_at=desk.at(0), ends_at=desk.at(23), reason="feira")

    assert len(found(desk)) == 34


def test_the_nearest_are_spread_over_half_days(desk):
    arguments = {"doctor": desk.doctor, "minutes": 30, "wanted": desk.at(10, 5), "now": desk.now}

    near = nearest_of(desk.clinic, openings_near(desk.clinic, **arguments), desk.at(10, 5), 3)
    moving = desk.book(starts_at=desk.at(10))
    besides = nearest_of(desk.clinic, openings_near(desk.clinic, **arguments, moving=moving), desk.at(10, 5), 1)

    assert [desk.clock(each.starts_at) for each in near] == ["23/11 10:00", "23/11 13:00", "24/11 08:00"]
    assert [desk.clock(each.starts_at) for each in besides] == ["23/11 10:15"]
    assert near[0] == Opening(desk.at(10), desk.at(10, 30), desk.doctor.pk)


def test_times_that_share_a_half_day_are_an_hour_apart(desk):
    desk.doctor.hours.exclude(weekday=1, starts=time(8)).delete()
    found = openings_near(desk.clinic, doctor=desk.doctor, minutes=30, wanted=desk.at(8), now=desk.now)
    monday = [opening for opening in found if opening.starts_at < desk.at(13)]

    assert [desk.clock(each.starts_at) for each in spread(desk.clinic, monday, 3)] == [
        "23/11 08:00",
        "23/11 09:00",
        "23/11 10:00",
    ]
    assert len(spread(desk.clinic, monday[:3], 3)) == 3  # closer together than an hour, but free


# Clocks


def at_night(zone, country="BR", hours=((time(0), time(4)),)):
    clinic = make_clinic(time_zone=zone, country=country)
    procedure = make_procedure(clinic)
    doctor = make_doctor(clinic, procedures=[procedure], days=range(1, 8), hours=hours, interval_minutes=30)
    return Desk(clinic, procedure, doctor, make_patient(clinic))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "day", "first", "number"),
    [
        ("America/Recife", date(2026, 11, 23), datetime(2026, 11, 23, 3, tzinfo=UTC), 8),
        ("America/Manaus", date(2026, 11, 23), datetime(2026, 11, 23, 4, tzinfo=UTC), 8),
        ("America/Noronha", date(2026, 11, 23), datetime(2026, 11, 23, 2, tzinfo=UTC), 8),
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC), 6),
        ("Europe/Lisbon", date(2026, 3, 29), datetime(2026, 3, 29, 0, tzinfo=UTC), 6),
        ("Europe/Lisbon", date(2026, 10, 25), datetime(2026, 10, 24, 23, tzinfo=UTC), 8),
        ("Atlantic/Azores", date(2026, 3, 29), datetime(2026, 3, 29, 1, tzinfo=UTC), 6),
        ("Atlantic/Azores", date(2026, 10, 25), datetime(2026, 10, 25, 0, tzinfo=UTC), 8),
    ],
)
def test_a_night_shift_has_the_half_hours_that_the_clock_shows(zone, day, first, number):
    desk = at_night(zone)
    now = first - timedelta(days=1)

    spans = openings(desk.clinic, doctor=desk.doctor, minutes=30, first=day, last=day, now=now)

    assert spans[0].starts_at == first
    assert len(spans) == number
    for span in spans:
        booked = desk.book(starts_at=span.starts_at, patient=desk.another_patient().pk, now=now)
        assert desk.clinic.local(booked.starts_at).date() == day


@pytest.mark.django_db
def test_today_is_the_clinics_own_today():
    """23:30 of the 22nd in Recife is the 23rd in Lisbon: one may still book the 22nd, the other no more."""
    now = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
    late = ((time(22), time(23, 59)),)
    recife = at_night("America/Recife", hours=late)
    lisbon = at_night("Europe/Lisbon", "PT", hours=late)

    def left(desk):
        days = {"first": date(2026, 11, 1), "last": date(2026, 11, 22)}
        return openings(desk.clinic, doctor=desk.doctor, minutes=25, now=now - timedelta(minutes=10), **days)

    assert [recife.clock(opening.starts_at) for opening in left(recife)] == ["22/11 23:30"]
    assert left(lisbon) == []
