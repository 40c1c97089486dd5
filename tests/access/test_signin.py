import statistics
import time

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.hashers import identify_hasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from clinic.models import StaffSession
from tests.access.door import sign_in, signed_in, way_back
from tests.factories import PASSWORD, make_clinic, make_lisbon, make_manager, make_master, make_superuser, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.door")]

REFUSED = "Usuário ou senha incorretos."


# --- signing in and out ----------------------------------------------------------------------------------------------


def test_signing_in_leads_to_the_agenda_and_signing_out_back(client):
    user = make_user(password=PASSWORD)

    assert sign_in(client, user).url == reverse("web:home")
    assert signed_in(client)

    assert client.post("/sair/").url == "/entrar/"
    assert not signed_in(client)


def test_after_a_wrong_password_the_cursor_stands_in_the_password(client):
    user = make_user(make_clinic())
    answer = client.post(reverse("web:signin"), {"username": user.username, "password": "errada"})
    form = answer.context["form"]
    assert "autofocus" in form["password"].as_widget()
    assert "autofocus" not in form["username"].as_widget()


def test_signing_out_needs_a_post(client):
    client.force_login(make_user())

    assert client.get("/sair/").status_code == 405
    assert signed_in(client)


def test_passwords_are_kept_as_argon2id():
    user = make_user(password=PASSWORD)

    assert identify_hasher(user.password).algorithm == "argon2"
    assert "argon2id" in user.password


def test_every_page_leads_a_stranger_to_sign_in_and_back(client):
    user = make_user(password=PASSWORD)

    asked = client.get("/onde/?dia=1")
    assert way_back(asked.url) == "/onde/?dia=1"
    page = client.get(asked.url)
    assert b'name="next" value="/onde/?dia=1"' in page.content
    data = {"username": user.username, "password": PASSWORD, "next": "/onde/?dia=1"}
    assert client.post("/entrar/", data).url == "/onde/?dia=1"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "http:///evil.example",
    ],
)
def test_the_way_on_never_leads_to_another_site(client, path):
    user = make_user(password=PASSWORD)

    answer = client.post("/entrar/", {"username": user.username, "password": PASSWORD, "next": path})

    assert answer.url == reverse("web:home")


def test_signed_in_user_is_not_asked_again(client):
    client.force_login(make_user())

    assert client.get("/entrar/?next=/onde/").url == "/onde/"


def test_a_superuser_starts_in_the_admin(client):
    assert sign_in(client, make_superuser(password=PASSWORD)).url == "/admin/"


@pytest.mark.parametrize("case", ["unknown", "wrong password", "switched off", "clinic switched off", "no password"])
def test_strangers_learn_nothing_from_a_refusal(client, case):
    user = {
        "unknown": "ninguem",
        "wrong password": make_user(password="outra-senha-comprida"),
        "switched off": make_user(password=PASSWORD, is_active=False),
        "clinic switched off": make_user(make_clinic(active=False), password=PASSWORD),
        "no password": make_user(),
    }[case]

    answer = sign_in(client, user)

    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors() == [REFUSED]
    assert not signed_in(client)


def test_refusals_take_the_same_time(client):
    """Each costs one hash: without it an unknown name answers at once."""
    users = {
        "unknown": "ninguem",
        "wrong": make_user(password="outra-senha-comprida"),
        "off": make_user(password=PASSWORD, is_active=False),
    }
    spent = {case: [] for case in users}
    for number in range(4):
        for case, user in users.items():
            started = time.perf_counter()
            sign_in(client, user, REMOTE_ADDR=f"10.0.0.{number}")
            spent[case].append(time.perf_counter() - started)
    fastest = {case: min(times) for case, times in spent.items()}

    assert min(fastest.values()) > statistics.mean(fastest.values()) / 2


@pytest.mark.parametrize("name", ["a\0b", "x" * 10_000, "😀", "\u202e", "'; drop table", "<b>"])
def test_odd_names_are_refused_in_words(client, name):
    assert sign_in(client, name).status_code == 200
    assert client.post("/entrar/", {"username": name, "password": "a\0" * 9}).status_code == 200


# --- password --------------------------------------------------------------------------------------------------------


def test_a_changed_password_ends_every_other_session(client):
    user = make_user(password=PASSWORD)
    elsewhere = Client()
    elsewhere.force_login(user)
    client.force_login(user)
    new = "outra-garoa-no-quintal"

    answer = client.post("/senha/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert answer.url == reverse("web:home")
    assert client.get("/onde/").status_code == 200
    assert elsewhere.get("/onde/").status_code == 302
    assert sign_in(Client(), user, new).status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "field", "sentence"),
    [
        ("errada", "outra-garoa-no-quintal", "outra-garoa-no-quintal", "old_password", "A senha atual não confere"),
        (PASSWORD, "outra-garoa-no-quintal", "outra", "new_password2", "não são iguais"),
        (PASSWORD, "curta", "curta", "new_password2", "curta"),
        (PASSWORD, "1234567890123", "1234567890123", "new_password2", "numérica"),
    ],
)
def test_a_refused_password_says_why_at_its_field(client, old, new, again, field, sentence):
    client.force_login(make_user(password=PASSWORD))

    answer = client.post("/senha/", {"old_password": old, "new_password1": new, "new_password2": again})

    assert sentence in " ".join(answer.context["form"].errors[field])


# --- whose clinic, and who may ---------------------------------------------------------------------------------------


def test_request_runs_in_clinic_zone_and_language_of_its_user(client):
    assert client.get("/entrar/").wsgi_request.clinic is None
    for clinic, expected in [
        (make_clinic(slug="r"), "r America/Recife pt-br"),
        (make_lisbon(slug="l"), "l Europe/Lisbon pt-pt"),
    ]:
        client.force_login(make_user(clinic))
        assert client.get("/onde/").text == expected
    assert timezone.get_current_timezone_name() == "UTC"
    assert translation.get_language() == "pt-br"


def test_a_superuser_is_in_no_clinic_until_one_is_chosen(client):
    client.force_login(make_superuser())
    assert client.get("/onde/").text == "None UTC pt-br"

    client.get("/escolher/")
    assert client.get("/onde/").text == "escolhida Europe/Lisbon pt-pt"


@pytest.mark.parametrize(
    ("make", "manager", "master"),
    [(make_user, 403, 403), (make_manager, 200, 403), (make_master, 200, 200), (make_superuser, 200, 200)],
)
def test_roles_open_their_pages(client, make, manager, master):
    client.force_login(make())

    assert client.get("/gestao/").status_code == manager
    assert client.get("/master/").status_code == master


def test_session_user_and_clinic_are_one_query(client, django_assert_num_queries):
    user = make_user()
    client.force_login(user)
    client.get("/onde/")
    with django_assert_num_queries(1):
        assert client.get("/onde/").text.startswith(user.clinic.slug)


def test_user_in_the_session_data_decides_its_owner(client):
    client.force_login(user := make_user())
    StaffSession.objects.update(user=make_user())
    assert get_user(client) == user
    assert client.get("/onde/").text.startswith(user.clinic.slug)


def test_a_session_goes_with_its_user_and_its_key_is_never_a_name(client):
    client.force_login(user := make_user())
    (session,) = StaffSession.objects.all()
    assert (session.user, session.pk in str(session)) == (user, False)

    user.delete()
    assert not StaffSession.objects.exists()
