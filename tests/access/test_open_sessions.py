"""Where somebody is signed in: listed and ended, one's own and a colleague's."""

import pytest
from django.contrib.auth import get_user
from django.test import Client

from clinic.access import open_sessions
from tests.factories import PASSWORD, make_doctor_user, make_manager, make_master, make_superuser, make_user

pytestmark = pytest.mark.django_db
TEAM = "/configuracoes/equipe/"


def signed_in(user, address="10.0.0.1", client=None):
    client = client or Client(REMOTE_ADDR=address)
    assert client.post("/entrar/", {"username": user.username, "password": PASSWORD}).status_code == 302
    client.get("/sessoes-abertas/")
    return client


def digest_in(page):
    return [session.digest for session in page.context["sessions"] if not session.is_this]


def test_own_sessions_say_when_from_where_and_in_what_browser():
    user = make_user(password=PASSWORD)
    desk, phone = signed_in(user), signed_in(user, "10.9.9.9")

    page = desk.get("/sessoes-abertas/")

    by_address = {session.address: session for session in page.context["sessions"]}
    assert by_address.keys() == {"10.0.0.1", "10.9.9.9"}
    assert by_address["10.0.0.1"].is_this and not by_address["10.9.9.9"].is_this
    assert not by_address["10.9.9.9"].is_known_browser
    assert all(session.since and session.seen_at for session in by_address.values())
    assert phone.session.session_key not in page.text
    desk.post("/sair/")
    signed_in(user, client=desk)
    again = open_sessions.open_sessions(user, asking=desk.get("/sessoes-abertas/").wsgi_request)
    assert [session.is_known_browser for session in again if session.is_this] == [True]


def test_one_ends_another_session_and_keeps_this_one():
    user = make_user(password=PASSWORD)
    desk, phone = signed_in(user), signed_in(user)
    [digest] = digest_in(desk.get("/sessoes-abertas/"))

    desk.post("/sessoes-abertas/encerrar/", {"session": digest})

    assert get_user(desk) == user and not get_user(phone).is_authenticated
    assert "já tinha terminado" in desk.post("/sessoes-abertas/encerrar/", {"session": digest}, follow=True).text


def test_all_others_end_at_once():
    user = make_user(password=PASSWORD)
    desk, others = signed_in(user), [signed_in(user) for _ in range(2)]
    assert "2 sessões encerradas" in desk.post("/sessoes-abertas/encerrar/", {"all": "1"}, follow=True).text
    assert get_user(desk) == user and not any(get_user(other).is_authenticated for other in others)


def test_nobody_ends_a_session_of_another_by_its_digest():
    user, other = make_user(password=PASSWORD), make_user(password=PASSWORD)
    desk, theirs = signed_in(user), signed_in(other)
    digest = open_sessions.digest_of(theirs.session.session_key)
    desk.post("/sessoes-abertas/encerrar/", {"session": digest})
    assert get_user(theirs) == other


def test_a_manager_sees_and_ends_a_colleagues_sessions(client, manager):
    colleague = make_user(manager.clinic, password=PASSWORD)
    phone = signed_in(colleague, "10.9.9.9")
    page = client.get(f"{TEAM}{colleague.pk}/sessoes/")
    assert "10.9.9.9" in page.text
    client.post(f"{TEAM}{colleague.pk}/sessoes/encerrar/", {"session": digest_in(page)[0]})
    assert not get_user(phone).is_authenticated


@pytest.mark.parametrize("make", [make_user, make_doctor_user])
def test_colleagues_sessions_are_for_managers(client, make):
    user = make()
    client.force_login(user)
    assert client.get("/sessoes-abertas/").status_code == 200
    other = make_user(user.clinic)
    assert client.get(f"{TEAM}{other.pk}/sessoes/").status_code == 403
    assert client.post(f"{TEAM}{other.pk}/sessoes/encerrar/", {"all": "1"}).status_code == 403
    assert client.get(TEAM).status_code == 403


def test_masters_and_other_clinics_are_out_of_reach(client, manager):
    assert client.get(f"{TEAM}{make_master(manager.clinic).pk}/sessoes/").status_code == 403
    assert client.get(f"{TEAM}{make_manager().pk}/sessoes/").status_code == 404
    assert client.get(f"{TEAM}{make_superuser().pk}/sessoes/").status_code == 404


def test_a_superuser_without_clinic_has_own_sessions(client):
    client.force_login(make_superuser())
    assert client.get("/sessoes-abertas/").status_code == 200
