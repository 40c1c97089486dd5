from datetime import timedelta

import pytest

from tests.access.door import NOON
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.door")]


@pytest.mark.parametrize(
    ("minutes_between_requests", "requests", "still_in"),
    [(119, 1, True), (120, 1, False), (115, 6, True), (60, 11, True), (60, 12, False)],
)
def test_a_session_ends_after_2_idle_hours_or_12_in_all(
    client, time_machine, minutes_between_requests, requests, still_in
):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    for _ in range(requests):
        time_machine.shift(timedelta(minutes=minutes_between_requests))
        answer = client.get("/onde/")

    assert (answer.status_code == 200) is still_in


def test_a_page_that_refreshes_itself_keeps_no_session_alive(client, time_machine):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    for _ in range(12):
        time_machine.shift(timedelta(minutes=10))
        answer = client.get("/onde/", headers={"X-Background": "1", "HX-Request": "true"})

    assert answer.headers["HX-Redirect"].startswith("/entrar/")


def test_an_ended_session_says_so_at_the_door(client, time_machine):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    time_machine.shift(timedelta(hours=3))

    assert "Sua sessão terminou" in client.get("/onde/", follow=True).text


def test_being_seen_is_written_at_most_every_five_minutes(client, time_machine, django_assert_num_queries):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    reading = 1  # the session with its user and clinic; a write is an update inside a savepoint

    for minutes, queries in [(0, reading), (4, reading), (1, reading + 3), (1, reading), (4, reading + 3)]:
        time_machine.shift(timedelta(minutes=minutes))
        with django_assert_num_queries(queries, info=f"after {minutes} minutes"):
            client.get("/onde/")


def test_a_stranger_costs_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/onde/")


@pytest.mark.parametrize("switched_off", ["user", "clinic"])
def test_inactive_user_is_signed_out_at_the_next_request(client, switched_off):
    user = make_user()
    client.force_login(user)
    assert client.get("/onde/").status_code == 200

    row = user if switched_off == "user" else user.clinic
    type(row).objects.filter(pk=row.pk).update(**{"is_active" if row == user else "active": False})

    assert client.get("/onde/").status_code == 302
