"""What one statement leaves out of the pending is in open time: nights, changed clocks, absences and holidays."""

from datetime import date, time, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.models import Absence, Appointment, ClinicHoliday, Doctor, WorkingHours
from clinic.queries.pending import cause_of, pending
from clinic.schedule import Away, load_schedules
from tests.booking.test_openings import BLOCKS, DAYS, OWN_DAYS, SPANS, VALIDITIES, own_day, validity, wall
from tests.factories import make_clinic, make_doctor, make_patient, make_user

MINUTE = timedelta(minutes=1)


def every_cause(clinic, absence=None):
    """The cause of every stored appointment, looked at one by one."""
    rows = list(Appointment.objects.of(clinic).select_related("doctor"))
    found = {}
    for row in rows:
        first, last = (clinic.local(instant).date() for instant in (row.starts_at, row.ends_at))
        schedules = load_schedules(clinic, [row.doctor], first - timedelta(days=1), last)
        schedules = schedules.with_absence(absence) if absence else schedules
        cause = cause_of(
            row.doctor, row.starts_at, row.ends_at, schedules=schedules, is_encaixe=row.encaixe_by_id is not None
        )
        if cause:
            found[row.pk] = str(cause)
    return found


@pytest.mark.django_db
@settings(max_examples=40)
@given(
    where=st.sampled_from(DAYS),
    blocks=BLOCKS,
    valid=st.lists(VALIDITIES, min_size=3, max_size=3),
    away=SPANS,
    closed=SPANS.map(lambda spans: spans[:1]),
    starts=st.sets(st.integers(-24 * 4, 72 * 4), min_size=5, max_size=40),
    minutes=st.sampled_from([5, 15, 30, 90, 300]),
    encaixes=st.integers(1, 4),
    is_active=st.sampled_from([True, True, True, False]),
    is_asked=st.booleans(),
    own_days=OWN_DAYS,
    own_after=st.sampled_from([0, 1, 1]),
)
def test_none_is_left_out_that_is_pending(
    where, blocks, valid, away, closed, starts, minutes, encaixes, is_active, is_asked, own_days, own_after
):
    """The clinic's own days lie on the day, or on the next one: nearly all of the days count for another reason too."""
    zone, country, day = where
    with transaction.atomic():
        clinic = make_clinic(time_zone=zone, country=country, observes_holidays=True)
        doctor, user = make_doctor(clinic, hours=[]), make_user(clinic)
        midnight = clinic.day(day)[0]
        for (offset, since, until), pair in zip(blocks, valid, strict=False):
            hours = {"starts": wall(since), "ends": wall(until)}
            for number in (offset, offset + 1):
                begins_on = day + timedelta(days=number)
                hours |= {"weekday": begins_on.isoweekday(), **validity(pair, begins_on)}
                WorkingHours.objects.get_or_create(clinic=clinic, doctor=doctor, **hours)

        def span(pair):
            starts_at = midnight + pair[0] * MINUTE
            return {"starts_at": starts_at, "ends_at": starts_at + pair[1] * MINUTE}

        for pair in away:
            Absence.objects.create(clinic=clinic, doctor=doctor, reason="férias", **span(pair))
        for own in own_days:
            own_day(doctor, day + timedelta(days=own_after), *own)
        stored = [span(pair) for pair in closed]
        asked = Away(None, *stored[0].values(), "obras") if stored and is_asked else None
        for closure in [] if is_asked else stored:
            Absence.objects.create(clinic=clinic, reason="obras", **closure)
        for number, quarter in enumerate(sorted(starts)):
            by = {"encaixe_by": user, "encaixe_reason": "dor"} if number % encaixes else {}
            fields = {"doctor": doctor if not by else make_doctor(clinic, hours=[]), "patient": make_patient(clinic)}
            taken = span((quarter * 15, minutes))
            overlapping = Appointment.objects.of(clinic).filter(doctor=fields["doctor"], ends_at__gt=taken["starts_at"])
            if not overlapping.exists():
                Appointment.objects.create(clinic=clinic, **fields, **taken, **by)
        Doctor.objects.filter(pk=doctor.pk).update(active=is_active)
        now = midnight - timedelta(days=3)
        found = {row.pk: str(row.cause) for row in pending(clinic, now=now, absence=asked)}
        assert found == every_cause(clinic, asked)
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize(("starts", "minutes", "pending_hours"), [(0, 0, range(8, 18)), (600, 120, [10, 11])])
@pytest.mark.parametrize("rule", ["24/11/2026", "24/11", "Páscoa+233"])
def test_a_clinics_own_day_is_not_left_out(rule, starts, minutes, pending_hours):
    """On a Tuesday that counts for no other reason."""
    clinic, day = make_clinic(time_zone="America/Recife"), date(2026, 11, 24)
    doctor = make_doctor(clinic, hours=[(time(8), time(18))])
    own_day(doctor, day, "closes", "all", starts, minutes)
    ClinicHoliday.objects.update(falls_on=rule)
    for hour in range(8, 18):
        starts_at = clinic.instant(day, time(hour))
        taken = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=30)}
        Appointment.objects.create(clinic=clinic, doctor=doctor, patient=make_patient(clinic), **taken)
    found = pending(clinic, now=clinic.day(day)[0] - timedelta(days=1))
    assert [clinic.local(row.starts_at).hour for row in found] == list(pending_hours)
    assert {row.pk: str(row.cause) for row in found} == every_cause(clinic)
