"""From an empty database to a master who is signed in: the link that `start` prints, and its page."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user
from django.core.management import CommandError, call_command
from django.core.signing import TimestampSigner
from django.db import connection
from django.test import Client

from clinic.access import first_clinic
from clinic.models import Clinic, StaffUser
from tests.factories import PASSWORD, make_clinic, make_superuser, make_user

pytestmark = pytest.mark.django_db

TYPED = {
    "clinic_name": "Clínica São José",
    "country": "BR",
    "time_zone": "America/Recife",
    "language": "pt-br",
    "name": "Ana Souza",
    "username": "ana",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


def post(client, path=None, **changed):
    return client.post(path or first_clinic.path(), TYPED | changed)


def test_the_link_makes_the_clinic_and_signs_its_master_in(client):
    path = first_clinic.path()
    assert client.get(path).status_code == 200

    assert post(client, path).url == "/comecar/passos/"

    clinic, master = Clinic.objects.get(), StaffUser.objects.get()
    stored = (clinic.name, clinic.slug, clinic.country, clinic.time_zone, clinic.language, clinic.currency)
    assert stored == ("Clínica São José", "clinica-sao-jose", "BR", "America/Recife", "pt-br", "BRL")
    assert (master.clinic, master.role, master.is_superuser, master.name) == (clinic, "master", False, "Ana Souza")
    assert get_user(client) == master
    assert "A clínica está criada" in client.get("/comecar/passos/", follow=True).text
    assert Client().post("/entrar/", {"username": "ana", "password": PASSWORD}).status_code == 302


def test_portuguese_clinic_uses_euros_and_its_language(client):
    answer = post(client, country="PT", time_zone="Atlantic/Madeira", language="pt-pt")

    assert answer.status_code == 302
    assert Clinic.objects.get().currency == "EUR"


def test_the_page_guesses_the_country_from_the_browser(client):
    form = client.get(first_clinic.path(), headers={"Accept-Language": "pt-PT"}).context["form"]
    assert [form[name].value() for name in ("country", "time_zone", "language")] == ["PT", "Europe/Lisbon", "pt-pt"]


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"clinic_name": "  "}, "clinic_name", "obrigatório"),
        ({"clinic_name": "x" * 121}, "clinic_name", "120"),
        ({"country": "AR"}, "country", "válida"),
        ({"time_zone": "Europe/Lisbon"}, "time_zone", "outro país"),
        ({"country": "PT"}, "time_zone", "outro país"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "válida"),
        ({"language": "en"}, "language", "válida"),
        ({"name": ""}, "name", "obrigatório"),
        ({"username": "ana souza"}, "username", "válido"),
        ({"username": "a\0b"}, "username", "nul"),
        ({"password2": "outra"}, "password2", "não são iguais"),
        ({"password1": "curta", "password2": "curta"}, "password2", "10"),
        ({"password1": "ana-souza-ana", "password2": "ana-souza-ana", "username": "ana-souza-ana"}, "password2", "par"),
    ],
)
def test_refusal_has_a_reason_and_keeps_the_rest(client, changed, field, sentence):
    answer = post(client, **changed)

    form = answer.context["form"]
    assert answer.status_code == 422
    assert sentence in " ".join(form.errors[field]).lower()
    assert set(form.errors) == {field}
    kept = set(TYPED) - {"password1", "password2", *changed}
    assert {name: form[name].value() for name in kept} == {name: TYPED[name] for name in kept}
    assert not Clinic.objects.exists() and not StaffUser.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?link=",
        "?link=first",
        "?link=first.1xXAXX.GMOlvrhH_bsN6X9IQwN0NMhTqBodEbssK6UJbguOE6s",
        "?link=" + TimestampSigner(salt="something else", sep=".").sign("first"),
        "?link=" + TimestampSigner(key="x" * 50, salt=first_clinic.SALT, sep=".").sign("first"),
        "?link=%00%ff",
    ],
    ids=["none", "empty", "unsigned", "old", "other salt", "other key", "bytes"],
)
def test_without_the_right_link_there_is_nothing(client, query):
    for answer in (client.get(f"/comecar/{query}"), post(client, f"/comecar/{query}")):
        assert answer.status_code == 404
        assert "Este link não vale mais" in answer.text
        assert "first_clinic_link" in answer.text
    assert not StaffUser.objects.exists()


def test_a_link_is_good_for_a_day(client, time_machine):
    time_machine.move_to("2026-11-23T15:00:00Z", tick=False)
    path = first_clinic.path()
    time_machine.shift(timedelta(hours=24))
    assert client.get(path).status_code == 200
    time_machine.shift(timedelta(seconds=1))
    assert post(client, path).status_code == 404


@pytest.mark.parametrize("make", [make_user, make_superuser], ids=["staff", "createsuperuser"])
def test_once_a_user_exists_every_link_is_dead(client, make):
    path = first_clinic.path()
    make()

    for answer in (client.get(path), post(client, path)):
        assert answer.status_code == 404
        assert "já foi criada" in answer.text
    assert StaffUser.objects.count() == 1
    with pytest.raises(CommandError, match="There are users already"):
        call_command("first_clinic_link")


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_once_make_one_clinic():
    path, statuses, together = first_clinic.path(), [], threading.Barrier(4)

    def press(number):
        client = Client()
        client.get(path)
        together.wait()
        statuses.append(post(client, path, username=f"ana{number}").status_code)
        connection.close()

    windows = [threading.Thread(target=press, args=(number,)) for number in range(4)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()

    assert sorted(statuses) == [302, 404, 404, 404]
    assert (Clinic.objects.count(), StaffUser.objects.count()) == (1, 1)


def test_a_clinic_without_users_keeps_its_identifier(client):
    make_clinic(slug="clinica-sao-jose")
    assert post(client).status_code == 302
    assert StaffUser.objects.get().clinic.slug == "clinica-sao-jose-2"


@pytest.mark.parametrize(("name", "slug"), [("診療所", "clinica"), ("x" * 120, "x" * 37), ("Ação & Fé", "acao-fe")])
def test_any_name_gives_an_identifier(client, name, slug):
    assert post(client, clinic_name=name).status_code == 302
    assert Clinic.objects.get().slug == slug


def test_the_sign_in_page_says_what_to_do_while_there_is_nobody(client):
    assert "first_clinic_link" in client.get("/entrar/").text
    make_user()
    assert "first_clinic_link" not in client.get("/entrar/").text


def test_the_command_prints_the_link_alone(client, settings):
    settings.PUBLIC_URL = "https://agenda.example"
    out = StringIO()
    call_command("first_clinic_link", "--url", "https://agenda.example/", stdout=out)
    address, rest = out.getvalue().split("/comecar/")
    assert address == "https://agenda.example" and rest.count("\n") == 1
    assert client.get(f"/comecar/{rest.strip()}").status_code == 200


def test_the_form_is_protected_against_other_sites():
    assert post(Client(enforce_csrf_checks=True)).status_code == 403
    assert not StaffUser.objects.exists()


@pytest.mark.parametrize("field", ["clinic_name", "name"])
@pytest.mark.parametrize("name", ["12345", "!!!", "🙂", "٣٤", "(1)"])
def test_a_name_has_a_letter(client, field, name):
    answer = post(client, **{field: name})
    assert answer.status_code == 422 and "nenhuma letra" in answer.content.decode()
    assert not Clinic.objects.exists()
