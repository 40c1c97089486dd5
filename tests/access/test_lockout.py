from datetime import timedelta

import pytest

from clinic.access.addresses import client_address
from tests.access.door import NOON, sign_in, signed_in
from tests.factories import PASSWORD, make_clinic, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.door")]


def fail(client, user, times, **extra):
    for _ in range(times):
        answer = sign_in(client, user, "errada-errada", **extra)
    return answer


@pytest.mark.parametrize(
    ("who", "address", "gets_in"),
    [
        ("same", "10.0.0.1", False),
        ("same", "10.0.0.2", True),
        ("colleague", "10.0.0.1", True),
        ("colleague", "10.0.0.2", True),
    ],
)
def test_five_failures_lock_one_user_at_one_address(client, who, address, gets_in):
    clinic = make_clinic()
    people = {"same": make_user(clinic, password=PASSWORD), "colleague": make_user(clinic, password=PASSWORD)}
    fail(client, people["same"], 5, REMOTE_ADDR="10.0.0.1")

    answer = sign_in(client, people[who], REMOTE_ADDR=address)

    assert signed_in(client) is gets_in
    assert answer.status_code == (302 if gets_in else 429)


def test_four_failures_do_not_lock(client):
    user = make_user(password=PASSWORD)
    assert fail(client, user, 4).status_code == 200

    assert sign_in(client, user).status_code == 302


def test_lockout_page_shows_the_wait_and_a_contact(client):
    answer = fail(client, make_user(password=PASSWORD), 5)

    assert answer.status_code == 429
    assert "Daqui a 15 minutos" in answer.text
    assert "gestão da clínica" in answer.text


def test_an_unknown_name_is_locked_like_a_known_one(client):
    known, unknown = fail(client, make_user(password=PASSWORD), 5), fail(client, "ninguem", 5)

    assert unknown.status_code == known.status_code
    assert unknown.templates[0].name == known.templates[0].name


def test_lockout_ends_after_15_minutes_whatever_tries_meanwhile(client, time_machine):
    user = make_user(password=PASSWORD)
    time_machine.move_to(NOON, tick=False)
    fail(client, user, 5)
    time_machine.shift(timedelta(minutes=10))
    assert "Daqui a 5 minutos" in fail(client, user, 3).text

    time_machine.shift(timedelta(minutes=5, seconds=1))
    assert sign_in(client, user).status_code == 302


def test_another_browser_at_the_same_address_is_locked_too(client):
    user = make_user(password=PASSWORD)
    for number in range(5):
        fail(client, user, 1, headers={"User-Agent": f"navegador {number}"})

    assert sign_in(client, user).status_code == 429


def test_a_password_is_never_stored_by_the_lockout(client):
    from axes.models import AccessAttempt  # noqa: PLC0415 - a table of django-axes, read nowhere else

    fail(client, "ninguem", 1)

    assert "errada" not in str(AccessAttempt.objects.values().get())


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("10.9.9.9, 10.0.0.7", "10.0.0.7"),
        ("lixo", None),
        ("2001:db8::1", "2001:db8::"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ],
)
def test_behind_a_proxy_the_address_is_what_the_proxy_appended(rf, settings, forwarded, address):
    settings.TRUSTED_PROXY = True
    assert client_address(rf.get("/", headers={"X-Forwarded-For": forwarded})) == address

    settings.TRUSTED_PROXY = False
    assert client_address(rf.get("/", headers={"X-Forwarded-For": forwarded})) == "127.0.0.1"
