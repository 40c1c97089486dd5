"""What computing a password hash costs, and how many are computed at a time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, identify_hasher
from django.db import connection
from django.test import Client

from clinic.access import hashing
from clinic.models import StaffUser
from tests.factories import PASSWORD, make_user
from tests.test_guessing import browser_that_has_signed_in, guess, use_up_name

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(username="rosa", password=PASSWORD)


@pytest.fixture
def known(user):
    return browser_that_has_signed_in("rosa")


@pytest.fixture
def hashed(monkeypatch):
    """A list that grows by one for every hash that is computed."""
    computed = []

    def noted(function):
        def noting(*arguments, **options):
            computed.append(function)
            return function(*arguments, **options)

        return noting

    monkeypatch.setattr(argon2.low_level, "hash_secret", noted(argon2.low_level.hash_secret))
    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted(argon2.PasswordHasher.verify))
    return computed


def test_refusals_for_too_many_tries_take_no_hash(user, hashed):
    use_up_name("rosa")
    assert hashed
    hashed.clear()
    assert {guess(Client(), "rosa", REMOTE_ADDR="192.0.2.9").status_code for _ in range(10)} == {429}
    assert hashed == []


@pytest.mark.parametrize("hasher", [Argon2PasswordHasher(), PBKDF2PasswordHasher()], ids=["100 MiB", "PBKDF2"])
def test_an_older_hash_is_replaced_at_sign_in(client, hasher):
    user = make_user(username="rosa")
    StaffUser.objects.filter(pk=user.pk).update(password=hasher.encode(PASSWORD, "saltsaltsalt"))

    assert guess(client, "rosa", "errada-errada").status_code == 200
    assert StaffUser.objects.get().password.startswith(hasher.algorithm)
    assert guess(client, "rosa", PASSWORD).status_code == 302
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in StaffUser.objects.get().password
    assert get_user(client) == user, "the session outlives its hash"


def test_every_password_is_hashed_with_the_present_costs(user):
    assert identify_hasher(user.password).params().memory_cost == 19456


@pytest.fixture
def busy():
    """Both turns are taken; the semaphore itself, to be released by the test."""
    for _ in range(hashing.AT_ONCE):
        assert hashing._turns.acquire(timeout=1)
    taken = [hashing._turns] * hashing.AT_ONCE
    yield taken
    for turns in taken:
        turns.release()


def test_a_stranger_is_turned_away_at_once_when_hashes_are_under_way(client, user, busy):
    started = time.perf_counter()
    answers = [guess(client, name, PASSWORD) for name in ("rosa", "ninguem")]

    assert time.perf_counter() - started < 2
    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        assert "Há muita gente entrando neste instante" in answer.text
    assert 'value="rosa"' in answers[0].text
    assert not AccessAttempt.objects.exists()


def test_a_stranger_costs_no_query_while_hashes_are_under_way(busy, django_assert_num_queries):
    browser = Client(enforce_csrf_checks=True)
    with django_assert_num_queries(0):
        refused = guess(browser, "<b>rosa", next="/agenda/")
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    assert 'value="&lt;b&gt;rosa"' in refused.text and 'value="/agenda/"' in refused.text


def test_the_known_browser_waits_for_its_turn(known, busy):
    threading.Timer(0.3, lambda: busy.pop().release()).start()
    assert guess(known, "rosa", PASSWORD).status_code == 302


def test_a_turn_comes_back_whatever_happens(client, user):
    for _ in range(3):
        with pytest.raises(argon2.exceptions.HashingError, match="Salt is too short"):
            hashing.Argon2Hasher().encode("x", "ab")
    guess(client, "rosa")
    for _ in range(hashing.AT_ONCE):
        assert hashing._turns.acquire(blocking=False)
    for _ in range(hashing.AT_ONCE):
        hashing._turns.release()


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_compute_two_hashes_at_a_time(monkeypatch):
    make_user(username="nome0", password=PASSWORD)
    under_way, most, lock = 0, 0, threading.Lock()

    def watched(function):
        def watching(*arguments, **options):
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            try:
                return function(*arguments, **options)
            finally:
                with lock:
                    under_way -= 1

        return watching

    monkeypatch.setattr(argon2.low_level, "hash_secret", watched(argon2.low_level.hash_secret))
    monkeypatch.setattr(argon2.PasswordHasher, "verify", watched(argon2.PasswordHasher.verify))

    def one(number):
        try:
            return guess(Client(), f"nome{number % 3}", REMOTE_ADDR=f"10.2.0.{number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as threads:
        statuses = list(threads.map(one, range(48)))
    assert set(statuses) <= {200, 429, 503} and 200 in statuses
    assert 1 <= most <= 2
