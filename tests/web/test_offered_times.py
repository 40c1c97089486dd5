"""Every free time that the day shows can be booked as it is opened: the page, the panel and the rules agree."""

import re
from datetime import time, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.models import Appointment
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure, make_user

LINK = re.compile(r'<a href="(/agendamentos/novo/[^"]+)" aria-label')
FIELD = re.compile(r'<(?:input|select)[^>]* name="(starts|date)" [^>]*value="([^"]*)"')
CHOSEN = re.compile(r'<select[^>]* name="procedure".*?<option value="(\d+)" selected', re.DOTALL)


@pytest.mark.django_db
@settings(max_examples=12)
@given(
    interval=st.sampled_from([5, 10, 15, 20, 30]),
    durations=st.lists(st.sampled_from([5, 10, 15, 20, 25, 30, 40, 60, 90]), min_size=1, max_size=3),
    taken=st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from(["confirmed", "cancelled"])), max_size=5
    ),
    chosen=st.randoms(use_true_random=False),
)
def test_every_free_time_shown_books_as_it_is_opened(interval, durations, taken, chosen):
    with transaction.atomic():
        clinic = make_clinic()
        procedures = [make_procedure(clinic, duration_minutes=minutes) for minutes in durations]
        hours = [(time_of("08:00"), time_of("10:00"))]
        doctor = make_doctor(clinic, procedures=procedures, days=range(1, 8), hours=hours, interval_minutes=interval)
        day = clinic.local(timezone.now()).date() + timedelta(days=3)
        fill(doctor, day, taken)
        desk = Client()
        desk.force_login(make_user(clinic))
        links = [unescape(link) for link in LINK.findall(desk.get(f"/agenda/{day}/").content.decode())]
        for link in chosen.sample(links, min(len(links), 3)):
            with transaction.atomic():
                answer = desk.post("/agendamentos/novo/", as_opened(desk, link) | {"patient": make_patient(clinic).pk})
                assert answer.status_code == 302, f"{link}: {answer.content.decode()}"
                transaction.set_rollback(True)
        transaction.set_rollback(True)


def time_of(text):
    return time.fromisoformat(text)


def fill(doctor, day, taken):
    """Store appointments on a grid of five minutes; of those that stand, none over another."""
    until = 0
    for start, length, status in sorted(taken):
        if start < until and status == "confirmed":
            continue
        until = max(until, start + length) if status == "confirmed" else until
        starts_at = doctor.clinic.instant(day, time_of("08:00")) + timedelta(minutes=5 * start)
        Appointment.objects.create(
            clinic=doctor.clinic,
            doctor=doctor,
            doctor_name=doctor.full_name,
            patient=make_patient(doctor.clinic),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=5 * length),
            status=status,
            cancelled_by="clinic" if status == "cancelled" else "",
        )


def as_opened(desk, link):
    """The fields of the panel that the link opens, without a patient; nothing in it may be refused."""
    panel = desk.get(link, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-invalid="true"' not in panel, link
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    fields = dict(FIELD.findall(panel))
    assert fields["starts"] == asked["inicio"]
    return fields | {"key": uuid4(), "doctor": asked["medico"], "procedure": CHOSEN.search(panel)[1]}
