"""Every address of the front desk as a doctor: the own day is open, and all others are refused."""

import re

import pytest
import time_machine
from django.db import connection, transaction
from django.urls import URLPattern, reverse

from clinic.models import Appointment
from clinic.web.urls import urlpatterns
from tests.factories import make_doctor, make_doctor_user
from tests.web.test_own_day import visit

pytestmark = pytest.mark.django_db

OPEN_TO_DOCTORS = {
    "home",
    "agenda-today",
    "own-day",
    "own-day-status",
    "own-day-call",
    "keys",
    "signin",
    "signout",
    "password-change",
    "own-sessions",
    "own-session-end",
}
OPEN_TO_DOCTORS |= {"calendar-feed", "display", "display-open", "staff-link"}  # to whatever has the address


@pytest.fixture(scope="module")
def stored(django_db_setup, django_db_blocker):
    """A doctor's user and a visit of that doctor's today, Monday at 8 in Recife: in a transaction around those of the
    tests, each of which finds the rows as they were."""
    with django_db_blocker.unblock(), time_machine.travel("2026-11-23T11:00:00Z", tick=False), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        doctor = make_doctor()
        yield make_doctor_user(doctor=doctor), visit(doctor, 10, "Ana Clara")
        transaction.set_rollback(True)


def test_only_these_pages_are_open_to_a_doctor():
    names = {pattern.name for pattern in urlpatterns if getattr(pattern.callback, "doctors_too", False)}
    assert names == OPEN_TO_DOCTORS


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "pattern",
    [one for one in urlpatterns if isinstance(one, URLPattern) and one.name not in OPEN_TO_DOCTORS | {"first-clinic"}],
    ids=lambda pattern: str(pattern.pattern),
)
def test_every_other_page_is_refused(client, stored, pattern, method):
    user, ana = stored
    client.force_login(user)
    names = dict.fromkeys(re.findall(r"<int:(\w+)>", str(pattern.pattern)), ana.pk)
    names |= dict.fromkeys(re.findall(r"<str:(\w+)>", str(pattern.pattern)), "2026-11-23")
    data = {"q": "ana", "status": "cancelled", "cancelled_by": "clinic"}
    answer = getattr(client, method)(reverse(f"web:{pattern.name}", kwargs=names), data)
    assert answer.status_code == 403 and "Ana Clara" not in answer.text
    assert Appointment.objects.get().status == "scheduled"
