"""Two desks that record the delay of one doctor at the same moment: one of them hears of the other's."""

from datetime import date

import pytest

from clinic.models import Delay
from clinic.registry import DelayChanged, record_delay
from tests.factories import make_doctor, make_user
from tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 11, 30)
ROUNDS = 4


@pytest.fixture
def doctor():
    return make_doctor()


def recording(doctor, minutes, *, seen):
    by = make_user(doctor.clinic)
    return lambda: record_delay(doctor, DAY, minutes, by=by, seen=seen)


def test_of_two_first_ones_the_second_is_refused(doctor):
    for _ in range(ROUNDS):
        Delay.objects.all().delete()
        outcomes = at_once(recording(doctor, 20, seen=0), recording(doctor, 45, seen=0))
        (refused,) = filter(None, outcomes)
        assert isinstance(refused, DelayChanged)
        assert refused.stored.minutes == Delay.objects.get().minutes


def test_of_two_changes_the_second_is_refused(doctor):
    for _ in range(ROUNDS):
        record_delay(doctor, DAY, 30, by=make_user(doctor.clinic), seen=0)
        outcomes = at_once(recording(doctor, 45, seen=30), recording(doctor, 0, seen=30))
        (refused,) = filter(None, outcomes)
        assert isinstance(refused, DelayChanged)
        Delay.objects.all().delete()
