"""Invitations and links for a new password: made by managers, opened once by whom they are for."""

import re
import threading
import uuid
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.auth import get_user
from django.db import connection
from django.http import QueryDict
from django.test import Client

from clinic.access import staff_links
from clinic.models import RowChange, StaffLink, StaffUser
from clinic.web.staff.forms import InvitationForm
from tests.factories import (
    PASSWORD,
    make_clinic,
    make_doctor,
    make_doctor_user,
    make_manager,
    make_master,
    make_user,
)

pytestmark = pytest.mark.django_db
TEAM = "/configuracoes/equipe/"
ANSWER = {"username": "bia", "password1": PASSWORD, "password2": PASSWORD}


def typed(**changed):
    return {"name": "Bia Lima", "role": "receptionist", "form_key": str(uuid.uuid4())} | changed


def address_of(page):
    return urlsplit(re.search(r">(http://testserver/acesso/[^<]+)</textarea>", page.text)[1]).path


@pytest.fixture
def link(client, manager):
    return address_of(client.post(f"{TEAM}convidar/", typed(may_export="on", max_discount_percent="10")))


def test_invited_person_chooses_name_and_password(client, manager, link):
    guest = Client()
    assert "Bia Lima" in guest.get(link).text

    assert guest.post(link, ANSWER).status_code == 302

    user = StaffUser.objects.get(username="bia")
    assert get_user(guest) == user and user.check_password(PASSWORD)
    assert (user.clinic, user.name, user.role, user.is_active) == (manager.clinic, "Bia Lima", "receptionist", True)
    assert (user.may_export, user.max_discount_percent, user.may_see_reports) == (True, 10, False)
    assert Client().post("/entrar/", ANSWER | {"password": PASSWORD}).status_code == 302


def test_the_link_is_shown_once_and_stored_as_a_digest(client, link):
    secret = link.split("/")[2]
    assert secret not in client.get(TEAM).text
    assert secret not in str(StaffLink.objects.values())
    assert "Bia Lima" in client.get(TEAM).text


def test_a_link_used_twice_opens_nothing(link):
    Client().post(link, ANSWER)

    second = Client()
    assert second.get(link).status_code == second.post(link, ANSWER | {"username": "eva"}).status_code == 404
    assert not get_user(second).is_authenticated


@pytest.mark.parametrize(("life", "kind"), [(7 * 24, "invitation"), (24, "reset")])
def test_a_link_expires(client, manager, time_machine, life, kind):
    time_machine.move_to("2026-11-23T15:00:00Z", tick=False)
    colleague = make_user(manager.clinic)
    client.force_login(manager)
    asked = (f"{TEAM}convidar/", typed()) if kind == "invitation" else (f"{TEAM}{colleague.pk}/senha/", {})
    path = address_of(client.post(*asked))
    time_machine.shift(timedelta(hours=life) - timedelta(seconds=1))
    assert Client().get(path).status_code == 200
    time_machine.shift(timedelta(seconds=1))
    assert Client().get(path).status_code == Client().post(path, ANSWER).status_code == 404
    later = Client()
    later.force_login(manager)
    assert "expirou" in later.get(TEAM).text


def test_a_withdrawn_invitation_opens_nothing(client, manager, link):
    row = StaffLink.objects.get()
    assert client.post(f"{TEAM}links/{row.pk}/retirar/").status_code == 302

    assert Client().get(link).status_code == 404
    row.refresh_from_db()
    assert (row.name, row.revoked_by) == ("Bia Lima", manager)
    assert not row.user.is_active and not row.user.has_usable_password()
    assert "Bia Lima" not in client.get(TEAM).text
    assert client.post(f"{TEAM}links/{row.pk}/retirar/").status_code == 302


def test_another_link_ends_the_one_before(client, link):
    newer = address_of(client.post(f"{TEAM}links/{StaffLink.objects.get().pk}/outro/"))

    assert Client().get(link).status_code == 404
    assert Client().post(newer, ANSWER).status_code == 302
    assert StaffUser.objects.filter(name="Bia Lima").count() == 1


def test_the_same_form_sent_twice_invites_once(client, manager):
    form = typed()
    client.post(f"{TEAM}convidar/", form)
    assert client.post(f"{TEAM}convidar/", form).status_code == 302
    assert StaffUser.objects.filter(name="Bia Lima").count() == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "123"}, "name"),
        ({"role": "master"}, "role"),
        ({"role": "doctor"}, "doctor"),
        ({"max_discount_percent": "101"}, "max_discount_percent"),
    ],
)
def test_an_invitation_is_refused_at_its_field(client, manager, changed, field):
    page = client.post(f"{TEAM}convidar/", typed(**changed))
    assert page.status_code == 422
    assert set(page.context["form"].errors) == {field}
    assert not StaffLink.objects.exists()


def test_a_doctor_is_invited_with_a_doctor(client, manager):
    doctor = make_doctor(manager.clinic)
    other = make_doctor(make_clinic())
    assert client.post(f"{TEAM}convidar/", typed(role="doctor", doctor=other.pk)).status_code == 422
    path = address_of(client.post(f"{TEAM}convidar/", typed(role="doctor", doctor=doctor.pk)))
    client.post(f"{TEAM}links/{StaffLink.objects.get().pk}/retirar/")
    assert Client().get(path).status_code == 404
    path = address_of(client.post(f"{TEAM}convidar/", typed(role="doctor", doctor=doctor.pk)))
    guest = Client()
    guest.post(path, ANSWER)
    assert get_user(guest).doctor == doctor


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "GESTOR"}, "username"),
        ({"username": "a b"}, "username"),
        ({"password2": "outra-senha-longa"}, "password2"),
        ({"password1": "curta", "password2": "curta"}, "password2"),
    ],
)
def test_a_wrong_answer_leaves_the_link_good(manager, link, changed, field):
    make_user(manager.clinic, username="gestor")
    page = Client().post(link, ANSWER | changed)
    assert page.status_code == 422 and set(page.context["form"].errors) == {field}
    assert Client().post(link, ANSWER).status_code == 302


def test_a_reset_changes_the_password_and_ends_sessions(client, manager):
    colleague = make_user(manager.clinic, username="bia", password="a senha de antes")
    desk = Client()
    desk.post("/entrar/", {"username": "bia", "password": "a senha de antes"})
    path = address_of(client.post(f"{TEAM}{colleague.pk}/senha/"))
    assert get_user(desk) == colleague

    phone = Client()
    assert phone.post(path, {"password1": PASSWORD, "password2": PASSWORD, "username": "outra"}).status_code == 302

    colleague.refresh_from_db()
    assert colleague.check_password(PASSWORD) and colleague.username == "bia"
    assert get_user(phone) == colleague and not get_user(desk).is_authenticated
    assert Client().get(path).status_code == 404


def test_managers_reset_no_masters_and_nobody_themselves(client, manager):
    master = make_master(manager.clinic)
    assert client.post(f"{TEAM}{master.pk}/senha/").status_code == 403
    assert client.post(f"{TEAM}{manager.pk}/senha/").status_code == 403
    assert client.post(f"{TEAM}{make_user(manager.clinic, is_active=False).pk}/senha/").status_code == 404
    client.force_login(master)
    assert client.post(f"{TEAM}{manager.pk}/senha/").status_code == 200


def test_a_manager_touches_no_link_of_a_master(client, manager):
    master = make_master(manager.clinic)
    boss = make_master(manager.clinic)
    link, _secret = staff_links.release_reset(master, clinic=boss.clinic, by=boss)
    assert client.post(f"{TEAM}links/{link.pk}/outro/").status_code == 403
    assert client.post(f"{TEAM}links/{link.pk}/retirar/").status_code == 403


def test_links_of_another_clinic_are_not_there(client, manager):
    elsewhere = make_manager()
    link, _secret = staff_links.invite(elsewhere.clinic, by=elsewhere, name="Zulmira")
    assert client.post(f"{TEAM}links/{link.pk}/outro/").status_code == 404
    assert client.post(f"{TEAM}links/{link.pk}/retirar/").status_code == 404
    assert client.post(f"{TEAM}{elsewhere.pk}/senha/").status_code == 404
    assert "Zulmira" not in client.get(TEAM).text


def test_who_leaves_has_no_session_and_no_link(client, manager):
    colleague = make_user(manager.clinic, username="bia")
    _link, secret = staff_links.release_reset(colleague, clinic=manager.clinic, by=manager)
    desk = Client()
    desk.force_login(colleague)
    form = {"name": colleague.name, "username": "bia", "role": "receptionist"}

    assert client.post(f"/admin/clinic/staffuser/{colleague.pk}/change/", form).status_code == 302

    assert not get_user(desk).is_authenticated
    assert Client().get(f"/acesso/{secret}/").status_code == 404
    colleague.refresh_from_db()
    colleague.is_active = True
    colleague.save()
    assert not get_user(desk).is_authenticated
    assert Client().get(f"/acesso/{secret}/").status_code == 404


def alter(client, user, **changed):
    """The form of a user in the admin, with these fields changed."""
    fields = {"name": user.name, "username": user.username, "role": user.role, "is_active": "on"} | changed
    return client.post(f"/admin/clinic/staffuser/{user.pk}/change/", fields)


def test_an_invitation_ends_when_the_user_is_activated(client, manager, link):
    user = StaffUser.objects.get(name="Bia Lima")
    assert alter(client, user, role="manager").status_code == 302

    guest = Client()
    assert guest.get(link).status_code == guest.post(link, ANSWER).status_code == 404
    assert StaffLink.objects.get().revoked_by == manager
    user.refresh_from_db()
    assert (user.is_active, user.role) == (True, "manager")
    client.post(f"{TEAM}links/{StaffLink.objects.get().pk}/retirar/")
    user.refresh_from_db()
    assert user.role == "manager"


def test_an_activated_user_without_a_revoked_link_has_none(link):
    StaffUser.objects.filter(name="Bia Lima").update(is_active=True)
    assert Client().get(link).status_code == Client().post(link, ANSWER).status_code == 404
    with pytest.raises(staff_links.LinkGone):
        staff_links.renew(StaffLink.objects.get(), by=None)
    row = StaffLink.objects.get()
    with pytest.raises(staff_links.LinkGone):
        staff_links.use(row, username="eva", password_hash="!")
    staff_links.revoke(row.pk, clinic=row.clinic, by=None)
    assert StaffUser.objects.get(name="Bia Lima").may_export


@pytest.mark.parametrize("changed", [{"role": "master"}, {"new_password": PASSWORD}])
def test_a_reset_ends_with_another_role_or_password(client, manager, changed):
    colleague = make_user(manager.clinic, username="bia")
    _link, secret = staff_links.release_reset(colleague, clinic=manager.clinic, by=manager)
    client.force_login(make_master(manager.clinic))
    assert alter(client, colleague, name="Beatriz").status_code == 302
    assert Client().get(f"/acesso/{secret}/").status_code == 200
    assert alter(client, colleague, **changed).status_code == 302
    assert Client().get(f"/acesso/{secret}/").status_code == 404


def test_the_own_new_password_ends_a_reset_and_other_sessions(client, manager):
    _link, secret = staff_links.release_reset(manager, clinic=manager.clinic, by=None)
    manager.set_password("a senha de antes")
    manager.save()
    elsewhere = Client()
    for browser in (elsewhere, client):
        browser.post("/entrar/", {"username": manager.username, "password": "a senha de antes"})
    typed = {"old_password": "a senha de antes", "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post("/senha/", typed).status_code == 302
    assert Client().get(f"/acesso/{secret}/").status_code == 404
    assert len(client.get("/sessoes-abertas/").context["sessions"]) == 1


@pytest.mark.parametrize("by_link", [True, False])
def test_sessions_before_a_new_password_are_not_listed(client, manager, by_link):
    colleague = make_user(manager.clinic, username="bia")
    Client().force_login(colleague)
    desk = Client()
    desk.force_login(colleague)
    if by_link:
        path = address_of(client.post(f"{TEAM}{colleague.pk}/senha/"))
        assert desk.post(path, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
        assert get_user(desk) == colleague
    else:
        alter(client, colleague, new_password=PASSWORD)
    page = client.get(f"{TEAM}{colleague.pk}/sessoes/")
    assert len(page.context["sessions"]) == by_link


def test_a_withdrawn_invitation_takes_the_switches_too(client, link):
    client.post(f"{TEAM}links/{StaffLink.objects.get().pk}/retirar/")
    user = StaffUser.objects.get(name="Bia Lima")
    assert (user.may_export, user.max_discount_percent) == (False, None)


def test_what_a_link_writes_is_noted_as_its_users(link):
    Client().post(link, ANSWER)
    user = StaffUser.objects.get(username="bia")
    last = RowChange.objects.filter(table="staffuser", row=user.pk).order_by("pk").last()
    assert (last.after["username"], last.user_id) == ("bia", user.pk)


def test_ending_the_sessions_of_a_colleague_is_noted(client, manager):
    colleague = make_user(manager.clinic, name="Rita Lima")
    Client().force_login(colleague)
    client.post(f"{TEAM}{colleague.pk}/sessoes/encerrar/", {"all": "1"})
    [change] = RowChange.objects.filter(table="staffuser", row=colleague.pk, act="changed")
    assert change.user_id == manager.pk and change.after["sessions_ended_at"]
    assert "sessões encerradas pela gestão" in client.get("/auditoria/").text


def test_two_invitations_of_one_doctor_are_told_apart(manager):
    doctor = make_doctor(manager.clinic)
    form = InvitationForm(manager.clinic, manager, QueryDict(urlencode(typed(role="doctor", doctor=doctor.pk))))
    assert form.is_valid()
    make_doctor_user(doctor=doctor)
    assert form.invite(manager) is None
    assert set(form.errors) == {"doctor"} and not StaffLink.objects.exists()


def test_links_of_a_closed_clinic_open_nothing(manager, link):
    manager.clinic.active = False
    manager.clinic.save()
    assert Client().get(link).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_windows_one_is_signed_in():
    manager = make_manager()
    _link, secret = staff_links.invite(manager.clinic, by=manager, name="Bia Lima")
    together, statuses = threading.Barrier(2), []

    def answer(number):
        try:
            window = Client()
            together.wait()
            statuses.append(window.post(f"/acesso/{secret}/", ANSWER | {"username": f"bia{number}"}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=answer, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302, 404]
