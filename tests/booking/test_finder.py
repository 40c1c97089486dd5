"""The next free times: each can be booked, and none that comes earlier is left out."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clinic.booking import (
    FINDER_DAYS,
    LineRequest,
    PartOfDay,
    Proposal,
    Wish,
    book,
    check,
    doctors_performing_all,
    find,
    openings_of_any,
)
from clinic.models import Absence, Appointment, WorkingHours
from tests.booking.desk import BY, MONDAY, open_desk
from tests.booking.test_openings import BLOCKS, DAYS, SPANS, VALIDITIES, validity, wall
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure

MORNING, AFTERNOON, NIGHT = PartOfDay


def in_part(clinic, opening, parts):
    hour = clinic.local(opening.starts_at).hour
    part = MORNING if hour < 12 else AFTERNOON if hour < 18 else NIGHT
    return not parts or part in parts


def every(wish, now, first, last):
    """Every time of `openings_of_any` that the wish allows, one for each start, that of the first doctor."""
    found = {}
    for opening in openings_of_any(
        wish.clinic,
        doctors=wish.doctors,
        minutes=wish.minutes,
        first=first,
        last=last,
        now=now,
        patient=wish.patient,
        moving=wish.moving,
    ):
        weekday = wish.clinic.local(opening.starts_at).isoweekday()
        is_present = wish.moving and opening.starts_at == wish.moving.starts_at
        if in_part(wish.clinic, opening, wish.parts) and not is_present and weekday in (wish.weekdays or range(8)):
            found.setdefault(opening.starts_at, opening)
    return [found[start] for start in sorted(found)]


@pytest.mark.django_db
@settings(max_examples=25)
@given(
    where=st.sampled_from(DAYS),
    blocks=st.lists(BLOCKS, min_size=1, max_size=3),
    valid=st.lists(VALIDITIES, min_size=3, max_size=3),
    interval=st.sampled_from([20, 30, 45, 60]),
    minutes=st.sampled_from([5, 20, 30, 90]),
    away=SPANS,
    closed=SPANS.map(lambda spans: spans[:1]),
    taken=SPANS,
    elsewhere=SPANS.map(lambda spans: spans[:1]),
    now=st.integers(-60, 20 * 60),
    parts=st.frozensets(st.sampled_from(PartOfDay), max_size=2),
    weekdays=st.frozensets(st.integers(1, 7), max_size=2),
    after=st.none() | st.integers(0, 9 * 24 * 60),
    is_moving=st.booleans(),
    is_earliest=st.booleans(),
)
@example(  # the times before the last one of the only date
    where=DAYS[0],
    blocks=[[(0, 5, 110)]],
    valid=[(0, 0)],
    interval=20,
    minutes=5,
    away=[],
    closed=[],
    taken=[],
    elsewhere=[],
    now=0,
    parts=frozenset(),
    weekdays=frozenset(),
    after=None,
    is_moving=False,
    is_earliest=False,
)
def test_the_times_found_are_the_first_that_the_rules_allow(
    where,
    blocks,
    valid,
    interval,
    minutes,
    away,
    closed,
    taken,
    elsewhere,
    now,
    parts,
    weekdays,
    after,
    is_moving,
    is_earliest,
):
    zone, country, day = where
    with transaction.atomic():
        clinic = make_clinic(time_zone=zone, country=country, observes_holidays=True)
        procedure = make_procedure(clinic, duration_minutes=minutes)
        doctors = [
            make_doctor(clinic, procedures=[procedure], hours=[], interval_minutes=interval) for _block in blocks
        ]
        patient = make_patient(clinic)
        midnight = clinic.day(day)[0]
        for doctor, of_doctor in zip(doctors, blocks, strict=True):
            for (offset, starts, ends), pair in zip(of_doctor, valid, strict=False):
                begins_on = day + timedelta(days=offset)
                WorkingHours.objects.create(
                    clinic=clinic,
                    doctor=doctor,
                    weekday=begins_on.isoweekday(),
                    starts=wall(starts),
                    ends=wall(ends),
                    **validity(pair, begins_on),
                )

        def span(pair):
            starts_at = midnight + timedelta(minutes=pair[0])
            return {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=pair[1])}

        for pair in away:
            Absence.objects.create(clinic=clinic, doctor=doctors[0], reason="férias", **span(pair))
        for pair in closed:
            Absence.objects.create(clinic=clinic, reason="obras", **span(pair))
        booked = [
            Appointment.objects.create(clinic=clinic, doctor=doctor, patient=make_patient(clinic), **span(pair))
            for doctor, pair in zip(doctors, taken, strict=False)
        ]
        for pair in elsewhere:
            Appointment.objects.create(clinic=clinic, doctor=make_doctor(clinic), patient=patient, **span(pair))
        now = midnight + timedelta(minutes=now)
        wish = Wish(
            clinic=clinic,
            doctors=doctors,
            minutes=minutes,
            parts=parts,
            weekdays=weekdays,
            is_earliest=is_earliest,
            patient=patient.pk,
            moving=booked[0] if booked and is_moving else None,
        )
        after = None if after is None else now + timedelta(minutes=after)
        found = find(wish, now=now, after=after)
        possible = [
            opening for opening in every(wish, now, found.first, found.last) if not after or opening.starts_at > after
        ]
        assert found.openings[:1] == possible[:1]
        assert len(found.openings) == min(3, len(possible))
        assert set(found.openings) <= set(possible)
        if is_earliest:
            assert found.openings == possible[:3]
        if possible:
            earlier = find(wish, now=now, before=possible[-1].starts_at)
            before = [opening for opening in every(wish, now, earlier.first, earlier.last) if opening < possible[-1]]
            assert earlier.openings[-1:] == before[-1:]
        proposals = [
            Proposal(
                clinic=clinic,
                doctor=opening.doctor_id,
                lines=(LineRequest(procedure.pk),),
                starts_at=opening.starts_at,
                patient=patient.pk,
            )
            for opening in found.openings
        ]
        if not is_moving:
            assert [check(proposal, now=now) for proposal in proposals] == [None] * len(proposals)
            for proposal in proposals[-1:]:
                book(proposal, by=BY, now=now)
        transaction.set_rollback(True)


@pytest.fixture
def desk(db):
    return open_desk()


def wish(desk, **changes):
    return Wish(**{"clinic": desk.clinic, "doctors": [desk.doctor], "minutes": 30} | changes)


def times(desk, found):
    return [desk.clock(opening.starts_at) for opening in found.openings]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["23/11 08:00", "23/11 08:15", "23/11 08:30"]),
        ({"is_earliest": False}, ["23/11 08:00", "23/11 13:00", "24/11 08:00"]),
        ({"parts": {AFTERNOON}}, ["23/11 13:00", "23/11 13:15", "23/11 13:30"]),
        ({"parts": {AFTERNOON}, "is_earliest": False}, ["23/11 13:00", "24/11 13:00", "25/11 13:00"]),
        ({"parts": {NIGHT}}, []),
        ({"weekdays": {3}, "is_earliest": False}, ["25/11 08:00", "25/11 13:00", "02/12 08:00"]),
        ({"weekdays": {6, 7}}, []),
        ({"first": date(2026, 12, 1)}, ["01/12 08:00", "01/12 08:15", "01/12 08:30"]),
        ({"first": date(2020, 1, 1)}, ["23/11 08:00", "23/11 08:15", "23/11 08:30"]),
        ({"first": date(2029, 1, 1)}, []),
        ({"minutes": 0}, []),
        ({"minutes": 12 * 60}, []),
        ({"minutes": 20 * 720}, []),
        ({"doctors": []}, []),
    ],
)
def test_a_wish_finds_these_times(desk, changes, expected):
    assert times(desk, find(wish(desk, **changes), now=desk.now)) == expected


def test_later_and_earlier_times_go_on_where_the_last_ended(desk):
    first = find(wish(desk), now=desk.now)
    later = find(wish(desk), now=desk.now, after=first.openings[-1].starts_at)
    assert times(desk, later) == ["23/11 08:45", "23/11 09:00", "23/11 09:15"]
    assert find(wish(desk), now=desk.now, before=later.openings[0].starts_at).openings == first.openings
    assert find(wish(desk), now=desk.now, before=first.openings[0].starts_at).openings == []
    assert find(wish(desk), now=desk.now, before=desk.at(8, day=date(2020, 1, 1))).openings == []


def test_a_search_stops_at_its_limit_of_days(desk):
    Absence.objects.create(
        clinic=desk.clinic, reason="obras", starts_at=desk.at(0), ends_at=desk.at(0, day=MONDAY + timedelta(days=100))
    )
    found = find(wish(desk), now=desk.now)
    assert (found.openings, found.first, found.last) == ([], MONDAY, MONDAY + timedelta(days=FINDER_DAYS - 1))
    further = find(wish(desk, first=found.last + timedelta(days=1)), now=desk.now)
    assert times(desk, further)[0] == "03/03 08:00"


def test_of_doctors_free_at_one_time_the_first_is_offered(desk):
    other = desk.another_doctor()
    for doctors in ([desk.doctor, other], [other, desk.doctor]):
        found = find(wish(desk, doctors=doctors), now=desk.now)
        assert {opening.doctor_id for opening in found.openings} == {doctors[0].pk}


def test_a_search_among_many_doctors_asks_three_queries(desk):
    doctors = [desk.doctor, *(desk.another_doctor() for _ in range(4))]
    with CaptureQueriesContext(connection) as queries:
        find(wish(desk, doctors=doctors, parts={NIGHT}), now=desk.now)
    assert len(queries) == 2
    for doctor in doctors:
        Absence.objects.create(
            clinic=desk.clinic,
            doctor=doctor,
            reason="curso",
            starts_at=desk.at(8, 1),
            ends_at=desk.at(8, 1, day=MONDAY + timedelta(days=100)),
        )
        WorkingHours.objects.create(clinic=desk.clinic, doctor=doctor, weekday=6, starts="22:00", ends="02:00")
    with CaptureQueriesContext(connection) as queries:
        find(wish(desk, doctors=doctors), now=desk.at(9))
    assert len(queries) <= 3


def test_doctors_performing_all_of_several_procedures_are_found(desk):
    second, foreign = make_procedure(desk.clinic), make_procedure()
    both = make_doctor(desk.clinic, procedures=[desk.procedure, second])
    make_doctor(desk.clinic, procedures=[desk.procedure, second], active=False)
    assert {doctor.pk for doctor in doctors_performing_all(desk.clinic, [desk.procedure.pk])} == {
        desk.doctor.pk,
        both.pk,
    }
    assert doctors_performing_all(desk.clinic, [desk.procedure.pk, second.pk, second.pk]) == [both]
    assert doctors_performing_all(desk.clinic, [desk.procedure.pk, foreign.pk]) == []
    assert doctors_performing_all(desk.clinic, []) == []
