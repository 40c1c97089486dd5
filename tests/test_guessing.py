"""Strangers who guess passwords: how many tries they get, and that the real person still gets in."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user
from django.core import signing
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse

from clinic.access import guessing, hashing, known_browser, rate_limit
from clinic.models import RequestCount, StaffUser
from tests.factories import PASSWORD, make_clinic, make_manager, make_user

pytestmark = pytest.mark.django_db

CEILING = 30
WRONG = "errada-errada"


def guess(client, name, password=WRONG, *, next="", **extra):
    return client.post("/entrar/", {"username": name, "password": password, "next": next}, **extra)


def addresses(many):
    return [f"10.1.{number // 250}.{number % 250}" for number in range(many)]


def let_pass(seconds):
    """PostgreSQL's own clock goes on by itself, as the process's does; what is counted moves back instead."""
    for address in guessing._refused_until:
        guessing._refused_until[address] -= seconds
    RequestCount.objects.update(tick=F("tick") - seconds * 10)


def use_up_name(name, tries=CEILING):
    """From as many addresses as there are tries."""
    return [guess(Client(), name, REMOTE_ADDR=address) for address in addresses(tries)]


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    """Thirty tries are thirty hashes; what one costs is tested in test_hashing."""
    monkeypatch.setattr(hashing.Argon2Hasher, "memory_cost", 8)
    monkeypatch.setattr(hashing.Argon2Hasher, "time_cost", 1)


@pytest.fixture
def user():
    return make_user(username="rosa", password=PASSWORD)


def browser_that_has_signed_in(name):
    browser = Client()
    guess(browser, name, PASSWORD, REMOTE_ADDR="192.0.2.1")
    browser.post("/sair/")
    RequestCount.objects.all().delete()
    return browser


@pytest.fixture
def known(user):
    return browser_that_has_signed_in("rosa")


# --- an address, over all names --------------------------------------------------------------------------------------


def test_200_names_from_one_address_get_thirty_tries_a_minute(client):
    make_user(username="nome7")
    answers = [guess(client, f"nome{number}") for number in range(200)]

    assert [answer.status_code for answer in answers] == [200] * CEILING + [429] * 170
    refused = answers[-1]
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "a partir deste endereço. Espere" in refused.text
    assert 'value="nome199"' in refused.text and "errada" not in refused.text
    assert AccessAttempt.objects.count() == CEILING, "what was not checked is no failure"

    let_pass(60)
    assert guess(client, "nome200").status_code == 200


def test_a_refused_address_costs_no_query(client, django_assert_num_queries):
    for number in range(CEILING + 1):
        guess(client, f"nome{number}")
    with django_assert_num_queries(0):
        again = guess(client, "<b>rosa", next="/agenda/")
    assert again.status_code == 429 and 1 <= int(again["Retry-After"]) <= 60
    assert 'value="&lt;b&gt;rosa"' in again.text and WRONG not in again.text
    assert again["Content-Security-Policy"] and again["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in again["Cache-Control"]
    assert client.get("/entrar/").status_code == 200


def test_page_of_a_blocked_address_signs_in_once_the_wait_is_over(user):
    browser = Client(enforce_csrf_checks=True)
    browser.get("/entrar/?next=/pacientes/")
    typed = {"username": "rosa", "password": PASSWORD, "next": "/pacientes/"}
    typed["csrfmiddlewaretoken"] = browser.cookies["csrftoken"].value
    for number in range(CEILING):
        guess(Client(), f"nome{number}")
    for _ in range(2):
        refused = browser.post("/entrar/", typed)
        assert refused.status_code == 429
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', refused.text))
    assert hidden == {name: typed[name] for name in hidden} and len(hidden) == 3

    let_pass(60)
    assert browser.post("/entrar/", hidden | {"password": PASSWORD}).url == "/pacientes/"


def test_only_so_many_refused_addresses_are_remembered(client, monkeypatch):
    monkeypatch.setattr(guessing, "MAX_REMEMBERED", 3)
    for number in range(5):
        guessing._remember_refusal(f"10.0.0.{number}", 60)
    assert list(guessing._refused_until) == ["10.0.0.2", "10.0.0.3", "10.0.0.4"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("lixo", "mais lixo", True),
    ],
)
def test_requests_are_counted_by_address(settings, first, second, same):
    settings.SIGN_INS_A_MINUTE, settings.TRUSTED_PROXY = 1, True
    statuses = [
        guess(Client(), name, headers={"X-Forwarded-For": f"9.9.9.{number}, {address}"}).status_code
        for number, (name, address) in enumerate([("um", first), ("dois", second)])
    ]
    assert statuses == [200, 429 if same else 200]


# --- a name, over all addresses --------------------------------------------------------------------------------------


def test_200_addresses_get_thirty_tries_an_hour_at_one_name(settings, known, user):
    settings.TRUSTED_PROXY = True
    statuses = [guess(Client(), "rosa", headers={"X-Forwarded-For": address}).status_code for address in addresses(200)]
    assert statuses == [200] * CEILING + [429] * 170

    other = guess(Client(), "rosa", PASSWORD, headers={"X-Forwarded-For": "192.0.2.9"})
    assert other.status_code == 429 and "desbloqueie o acesso" in other.text
    assert guess(known, "rosa", PASSWORD, headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 302
    assert get_user(known) == user


def test_a_name_is_free_again_after_an_hour(user):
    use_up_name("rosa")
    let_pass(3600 - 60)
    refused = guess(Client(), "rosa", PASSWORD)
    assert refused.status_code == 429 and int(refused["Retry-After"]) <= 60
    assert "daqui a 1 min," in refused.text

    let_pass(60)
    assert guess(Client(), "rosa", PASSWORD).status_code == 302


def test_an_unknown_name_is_treated_like_a_known_one(user):
    known, unknown = use_up_name("rosa", 32), use_up_name("ninguem", 32)

    def shown(answers, name):
        sentences = [answer.context["form"].non_field_errors() for answer in answers]
        return [
            (answer.status_code, sentence, name in answer.text)
            for answer, sentence in zip(answers, sentences, strict=True)
        ]

    assert shown(known, "rosa") == shown(unknown, "ninguem")


@pytest.mark.parametrize("spelling", ["Rosa", "ROSA", "\uff32\uff2f\uff33\uff21", " rosa ", "ro\u017fa"])
def test_other_spellings_of_a_name_are_no_more_tries(user, spelling):
    use_up_name("rosa", CEILING - 1)
    assert guess(Client(), spelling).status_code == 200
    assert guess(Client(), "rosa", PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 429


def test_one_address_does_not_use_up_a_name(user):
    """django-axes locks the pair before the name is counted."""
    for _ in range(CEILING + 5):
        guess(Client(), "rosa")
    assert guess(Client(), "rosa", PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 302


def test_a_manager_lets_a_name_in_again(client):
    clinic = make_clinic()
    user = make_user(clinic, username="rosa", password=PASSWORD)
    use_up_name("rosa")
    client.force_login(make_manager(clinic))
    action = {"action": "unlock", "_selected_action": [user.pk]}
    client.post(reverse("admin:clinic_staffuser_changelist"), action)

    assert guess(Client(), "rosa", PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 302


def test_names_are_counted_without_the_name_and_for_an_hour(user):
    guess(Client(), "rosa")
    assert not RequestCount.objects.filter(who__contains="rosa").exists()

    let_pass(61)
    assert rate_limit.forget() == 1, "the address"
    let_pass(3600)
    assert rate_limit.forget() == 1, "the name"


@pytest.mark.django_db(transaction=True)
def test_forty_tries_at_once_are_no_more_than_one_after_another(settings, monkeypatch):
    monkeypatch.setattr(hashing, "_turns", threading.BoundedSemaphore(40))
    settings.SIGN_INS_OF_NAME_AN_HOUR = 5
    make_user(username="rosa")

    def one(address):
        try:
            return guess(Client(), "rosa", REMOTE_ADDR=address).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(one, addresses(40)))
    assert sorted(statuses) == [200] * 5 + [429] * 35


# --- the browser that is known ---------------------------------------------------------------------------------------


def test_the_known_browser_gets_in_from_a_crowded_address(known):
    for number in range(CEILING + 1):
        answer = guess(Client(), f"nome{number}", REMOTE_ADDR="192.0.2.1")
    assert answer.status_code == 429

    assert guess(known, "rosa", PASSWORD, REMOTE_ADDR="192.0.2.1").status_code == 302


def test_the_known_browser_has_a_ceiling_of_its_own(known):
    for address in addresses(CEILING):
        assert guess(known, "rosa", REMOTE_ADDR=address).status_code == 200
    assert guess(known, "rosa", PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 429


def test_a_browser_is_known_for_its_own_users_only(known):
    make_user(username="gestor", password=PASSWORD)
    use_up_name("gestor")
    assert guess(known, "gestor", PASSWORD).status_code == 429


def test_several_users_share_a_browser():
    clinic, browser = make_clinic(), Client()
    users = [make_user(clinic, username=f"usuario{n}", password=PASSWORD) for n in range(known_browser.MAX_USERS + 1)]
    for user in users:
        guess(browser, user.username, PASSWORD, REMOTE_ADDR=f"192.0.2.{user.pk % 250}")
        browser.post("/sair/")
    for user, is_known in ((users[0], False), (users[1], True), (users[-1], True)):
        use_up_name(user.username)
        assert (guess(browser, user.username, PASSWORD, REMOTE_ADDR="192.0.2.251").status_code == 302) is is_known
        browser.post("/sair/")


def test_the_cookie_names_nobody_and_is_for_the_server_alone(client, user, settings):
    settings.SESSION_COOKIE_SECURE = True
    guess(client, "rosa", PASSWORD)
    cookie = client.cookies[known_browser.COOKIE]

    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookie["max-age"] == 365 * 24 * 3600
    marks = cookie.value[:32]
    assert "rosa" not in cookie.value and int(marks, 16) and cookie.value[32] == "."


@pytest.mark.parametrize("how", ["altered", "another's key", "another purpose", "old", "without signature", "empty"])
def test_a_cookie_that_is_not_ours_makes_no_browser_known(known, how, time_machine):
    marks = known_browser.mark("rosa")
    salt = known_browser.COOKIE + known_browser.SALT
    if how == "old":
        time_machine.move_to(time.time() + known_browser.LIFE_SECONDS + 1, tick=False)
    else:
        known.cookies = SimpleCookie()
        known.cookies[known_browser.COOKIE] = {
            "altered": signing.get_cookie_signer(salt)
            .sign(marks)
            .replace(marks[0], "0" if marks[0] != "0" else "1", 1),
            "another's key": signing.TimestampSigner(key="x" * 50, salt=salt).sign(marks),
            "another purpose": signing.get_cookie_signer("other").sign(marks),
            "without signature": marks,
            "empty": "",
        }[how]
    use_up_name("rosa")
    assert guess(known, "rosa", PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == 429


@pytest.mark.parametrize(("keeps", "status"), [(True, 302), (False, 429)])
def test_the_cookie_follows_the_secret_key(known, settings, keeps, status):
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-" + "n" * 50, [before] if keeps else []
    use_up_name("rosa")
    assert guess(known, "rosa", PASSWORD, REMOTE_ADDR="192.0.2.9").status_code == status


def test_a_failed_sign_in_makes_no_browser_known(client, user):
    guess(client, "rosa")
    assert known_browser.COOKIE not in client.cookies


# --- the present password at /senha/ ---------------------------------------------------------------------------------


def change(client, old, **extra):
    new = "outra-garoa-no-quintal"
    return client.post("/senha/", {"old_password": old, "new_password1": new, "new_password2": new}, **extra)


def test_guessing_the_own_password_locks_like_signing_in(client, user):
    client.force_login(user)
    statuses = [change(client, "errada-errada").status_code for _ in range(12)]

    assert statuses == [200] * 4 + [429] * 8
    assert change(client, PASSWORD).status_code == 429
    assert guess(Client(), "rosa", PASSWORD).status_code == 429, "and counts there"


def test_guessing_the_own_password_from_many_addresses_ends_as_well(client, user):
    client.force_login(user)
    statuses = [change(client, "errada-errada", REMOTE_ADDR=address).status_code for address in addresses(40)]

    assert statuses == [200] * CEILING + [429] * 10
    refused = change(client, PASSWORD, REMOTE_ADDR="192.0.2.9")
    assert "Foram muitas tentativas" in " ".join(refused.context["form"].errors["old_password"])
    assert user.password == StaffUser.objects.get().password


def test_strangers_do_not_keep_anybody_from_changing_the_own_password(client, user):
    client.force_login(user)
    use_up_name("rosa")
    assert change(client, PASSWORD).status_code == 302
