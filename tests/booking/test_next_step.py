"""Which status is expected next, by status and day: the one that cards of the day and the appointment's page offer."""

from datetime import timedelta

import pytest

from clinic.booking import next_step, steps
from clinic.models.appointment import Status
from tests.booking.desk import MONDAY

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "before", "on_the_day", "after"),
    [
        ("scheduled", "confirmed", "checked_in", "no_show"),
        ("rescheduled", "confirmed", "checked_in", "no_show"),
        ("confirmed", None, "checked_in", "no_show"),
        ("checked_in", None, "in_service", None),
        ("in_service", None, "finished", "finished"),
        ("finished", None, None, None),
        ("no_show", None, "checked_in", None),
        ("cancelled", None, None, None),
    ],
)
def test_the_next_step_follows_status_and_day(desk, status, before, on_the_day, after):
    appointment = desk.book()
    appointment.status = status
    for shift, wanted in ((-DAY, before), (timedelta(), on_the_day), (DAY, after)):
        now = desk.at(12, day=MONDAY) + shift
        found = next_step(status, appointment.starts_at, appointment.ends_at, clinic=desk.clinic, now=now)
        assert found == (Status(wanted) if wanted else None)
        onward = steps(appointment, now=now).onward
        assert (onward[0] if onward else None) == found
