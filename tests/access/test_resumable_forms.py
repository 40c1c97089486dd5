from datetime import timedelta

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from clinic.access import resumable_forms
from clinic.models import StaffSession
from tests.access.door import NOON, sign_in, way_back
from tests.factories import PASSWORD, make_superuser, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.door")]

TYPED = {"name": "Álvaro <b>😀</b>", "notes": "a\r\nb", "procedures": ["3", "5"], "authorization_password": "S9"}
SECRET = {"password": "segredo", "new_password1": "segredo", "csrfmiddlewaretoken": "segredo"}


@pytest.fixture
def ended(client, time_machine):
    """A client whose user's session has just ended, and that user."""
    user = make_user(password=PASSWORD)
    time_machine.move_to(NOON, tick=False)
    client.force_login(user)
    client.get("/onde/")
    time_machine.shift(timedelta(hours=2, minutes=1))
    return client, user


@pytest.mark.parametrize("htmx", [False, True])
def test_a_form_sent_after_the_end_comes_back_filled_after_signing_in(ended, htmx):
    client, user = ended
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/agenda/"} if htmx else {}

    answer = client.post("/formulario/", TYPED | SECRET, headers=headers)
    location = answer.headers["HX-Redirect"] if htmx else answer.url

    assert answer.status_code == (200 if htmx else 302)
    assert answer.headers.get("X-Form-Kept") == ("1" if htmx else None)
    assert way_back(location) == "/formulario/"
    assert "lvaro" not in location
    assert "o que você digitou está guardado" in client.get(location).text
    sign_in(client, user)
    fields = QueryDict(client.get("/formulario/").text)
    assert fields.dict() == TYPED | {"procedures": "5"}
    assert fields.getlist("procedures") == ["3", "5"]
    assert client.get("/formulario/").text == "", "it is given once"


def test_a_form_left_open_over_a_weekend_comes_back_too(client, time_machine):
    user = make_user(password=PASSWORD)
    time_machine.move_to("2026-11-20T20:00:00Z", tick=False)
    client.force_login(user)
    client.get("/onde/")
    time_machine.move_to("2026-11-23T11:00:00Z", tick=False)

    client.post("/formulario/", TYPED)
    sign_in(client, user)

    assert "procedures=3" in client.get("/formulario/").text


def test_forms_of_two_windows_both_come_back(ended):
    client, user = ended
    client.post("/formulario/", {"name": "um"})
    client.post("/outro/", {"name": "dois"})
    sign_in(client, user)

    assert client.get("/outro/").text == "name=dois"
    assert client.get("/formulario/").text == "name=um"


def test_a_form_sent_after_signing_out_in_another_window_comes_back(client):
    user = make_user(password=PASSWORD)
    client.force_login(user)
    client.post("/sair/")
    client.post("/formulario/", {"name": "um"})
    sign_in(client, user)

    assert client.get("/formulario/").text == "name=um"


def test_form_from_before_sign_in_returns_instead_of_csrf_failure():
    client, user = Client(enforce_csrf_checks=True), make_user()
    client.force_login(user)
    own = {"Sec-Fetch-Site": "same-origin"}

    assert client.post("/formulario/", {"name": "um"}, headers=own).url == "/formulario/"
    assert client.get("/formulario/").text == "name=um"

    answer = client.post("/formulario/", {"name": "um"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "nada foi gravado" in answer.text
    assert client.get("/formulario/").text == ""


def csrf_of(client):
    return client.cookies["csrftoken"].value


@pytest.mark.parametrize(("who", "works"), [("the same person", True), ("a colleague", False)])
def test_windows_left_open_work_again_once_their_own_user_is_back(who, works):
    client, user = Client(enforce_csrf_checks=True), make_user(password=PASSWORD)
    client.get("/entrar/")
    client.force_login(user)
    open_window = csrf_of(client)
    client.post("/sair/", {"csrfmiddlewaretoken": open_window})
    back = user if who == "the same person" else make_user(user.clinic, password=PASSWORD)
    data = {"username": back.username, "password": PASSWORD, "csrfmiddlewaretoken": csrf_of(client)}
    assert client.post("/entrar/", data).status_code == 302

    assert (client.post("/botao/", {"csrfmiddlewaretoken": open_window}).status_code == 200) is works


def test_stale_part_of_a_page_gets_409_and_stays():
    client = Client(enforce_csrf_checks=True)
    client.get("/entrar/")
    client.force_login(make_user())

    answer = client.post("/botao/", headers={"HX-Request": "true"})

    assert answer.status_code == 403
    assert answer.headers["HX-Reswap"] == "none"
    assert "Nada foi gravado" in answer.text
    assert "<html" not in answer.text


def test_without_its_cookie_a_part_of_a_page_leads_to_signing_in():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())

    answer = client.post("/botao/", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/entrar/")
    assert client.get("/entrar/", follow=True).status_code == 200 and csrf_of(client)


@pytest.mark.parametrize(
    ("colleague", "sees_it"), [("same clinic", True), ("another clinic", False), ("superuser", False)]
)
def test_kept_form_is_for_the_same_clinic_only(ended, colleague, sees_it):
    client, user = ended
    client.post("/formulario/", {"name": "um"})
    other = {
        "same clinic": lambda: make_user(user.clinic, password=PASSWORD),
        "another clinic": lambda: make_user(password=PASSWORD),
        "superuser": lambda: make_superuser(password=PASSWORD),
    }[colleague]()
    sign_in(client, other)

    assert bool(client.get("/formulario/").text) is sees_it
    client.post("/sair/")
    sign_in(client, user)
    assert client.get("/formulario/").text == "", "and nobody finds it later"


def test_form_is_kept_for_twelve_hours(ended, time_machine):
    client, user = ended
    client.post("/formulario/", {"name": "um"})
    time_machine.shift(timedelta(hours=12))
    sign_in(client, user)

    assert client.get("/formulario/").text == ""


def test_a_stranger_stores_nothing(client):
    answer = client.post("/formulario/", TYPED)

    assert answer.status_code == 302
    assert not StaffSession.objects.exists()


def test_a_page_without_cookies_is_not_left():
    client, headers = Client(enforce_csrf_checks=True), {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
    for sent in (client.post, Client().post):
        answer = sent("/formulario/", TYPED, headers=headers)
        assert answer.headers["HX-Redirect"].startswith(reverse("web:signin"))
        assert "X-Form-Kept" not in answer.headers


def test_a_monstrous_form_is_not_kept(ended):
    client, _ = ended

    assert client.post("/formulario/", {"notes": "x" * 200_000}).status_code == 302
    assert resumable_forms.FORMS not in client.session


def test_a_button_leads_back_to_its_page(ended):
    client, _ = ended

    answer = client.post("/botao/", headers={"Referer": "http://testserver/onde/?dia=1"})
    assert way_back(answer.url) == "/onde/?dia=1"
    for elsewhere in ("http://evil.example/onde/", "http://testserver//evil.example/onde/"):
        answer = client.post("/botao/", headers={"Referer": elsewhere})
        assert way_back(answer.url) == reverse("web:home")


def test_an_htmx_request_of_an_ended_session_moves_the_whole_page(ended):
    client, _ = ended
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/onde/?dia=1"}

    answer = client.get("/botao/", headers=headers)

    assert answer.content == b""
    assert way_back(answer.headers["HX-Redirect"]) == "/onde/?dia=1"
