"""Hours are changed while others book, or change them too: real threads, a PostgreSQL that really commits."""

import pytest
from django.db import transaction
from django.test import Client

from clinic.models import Doctor
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refused
from clinic.registry import set_week
from tests.booking.desk import MONDAY, open_desk, stored
from tests.factories import make_manager
from tests.locks import another_connection
from tests.test_races import PATIENCE, at_once, booking, in_background, until_somebody_waits
from tests.test_week_of_doctor import Page, hours_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def watcher():
    with another_connection(autocommit=True) as watching:
        yield watching


def test_a_booking_beside_new_hours_is_refused_by_them(desk, watcher):
    manager = make_manager(desk.clinic)
    with transaction.atomic():
        doctor = get_locked(Doctor.objects.filter(pk=desk.doctor.pk).select_related(None))
        doctor.clinic = desk.clinic
        set_week(doctor, [], manager, first=MONDAY, last=None)
        waiting = in_background(booking(desk))
        until_somebody_waits(watcher)
        assert not waiting.done()

    with pytest.raises(Refused) as refused:
        waiting.result(PATIENCE)
    assert refused.value.reasons == {Reason.OUTSIDE_HOURS}
    assert stored()["Appointment"] == 0


def test_of_two_managers_at_once_the_second_is_asked(desk):
    pages = []
    for number, week in enumerate(("seg 9-10", "ter 9-10")):
        client = Client()
        client.force_login(make_manager(desk.clinic, username=f"gestor{number}"))
        pages.append(Page(client, desk.doctor))
        pages[-1].send(week=week)

    answers = at_once(*(lambda page=page: page.send("save") for page in pages))

    assert sorted(answer.status_code for answer in answers) == [302, 409]
    assert ("seg 9-10" in hours_of(desk.doctor)) != ("ter 9-10" in hours_of(desk.doctor))
