import re

import pytest
from django.contrib.admin.models import LogEntry

from clinic.access import pins
from clinic.access.guessing import TooManyTries
from clinic.models import Clinic, StaffLink, StaffUser
from tests.factories import PASSWORD, make_clinic, make_manager, make_master, make_superuser, make_user
from tests.managed import url

pytestmark = pytest.mark.django_db


def staff_fields(**fields):
    return {"name": "Bia", "username": "bia", "role": "receptionist", "is_active": "on"} | fields


def test_a_new_colleague_gets_a_password_that_is_shown_once(client, manager):
    answer = client.post(url(StaffUser, "add"), staff_fields(), follow=True)

    user = StaffUser.objects.get(username="bia")
    assert user.clinic == manager.clinic
    password = re.search(r"Senha de bia: (\S+) ", answer.text)[1]
    assert user.check_password(password)
    assert password not in client.get(url(StaffUser)).text
    assert not LogEntry.objects.filter(change_message__contains=password).exists()


def test_a_typed_password_is_not_shown(client, manager):
    answer = client.post(url(StaffUser, "add"), staff_fields(new_password=PASSWORD), follow=True)

    assert StaffUser.objects.get(username="bia").check_password(PASSWORD)
    assert PASSWORD not in answer.text


def test_an_empty_password_leaves_it_as_it_is(client, manager):
    user = make_user(manager.clinic, password=PASSWORD, username="bia")

    client.post(url(StaffUser, "change", user.pk), staff_fields(name="Beatriz"))

    user.refresh_from_db()
    assert user.name == "Beatriz"
    assert user.check_password(PASSWORD)


def test_manager_makes_reset_links_for_colleagues_only(client, manager):
    colleague, master = make_user(manager.clinic, password=PASSWORD), make_master(manager.clinic, password=PASSWORD)
    left = make_user(manager.clinic, is_active=False)
    chosen = {"action": "release_reset", "_selected_action": [colleague.pk, master.pk, manager.pk, left.pk]}

    page = client.post(url(StaffUser), chosen).text

    assert len(re.findall(r"/acesso/[^<]+<", page)) == 1
    assert [link.user for link in StaffLink.objects.all()] == [colleague]
    colleague.refresh_from_db()
    assert colleague.check_password(PASSWORD)


def test_unlocking_releases_a_blocked_pin(client, manager):
    approver, desk = make_manager(manager.clinic), make_user(manager.clinic)
    pins.set_pin(approver, "7291")

    def tries():
        for pin in ["0000"] * pins.MAX_WRONG + ["7291"]:
            try:
                return pins.approved_by(manager.clinic, approver.pk, pin, asked_by=desk)
            except pins.WrongPin:
                pass

    with pytest.raises(TooManyTries):
        tries()

    client.post(url(StaffUser), {"action": "unlock", "_selected_action": [approver.pk]})

    assert pins.approved_by(manager.clinic, approver.pk, "7291", asked_by=desk) == approver.pk


def test_a_manager_releases_a_locked_colleague(client, manager):
    colleague = make_user(manager.clinic, password=PASSWORD)
    desk = client.__class__()
    for _ in range(5):
        desk.post("/entrar/", {"username": colleague.username, "password": "errada-errada"})
    assert desk.post("/entrar/", {"username": colleague.username, "password": PASSWORD}).status_code == 429

    client.post(url(StaffUser), {"action": "unlock", "_selected_action": [colleague.pk]})

    assert desk.post("/entrar/", {"username": colleague.username, "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(("make", "may"), [(make_manager, False), (make_master, True)])
def test_only_a_master_makes_and_changes_masters(client, make, may):
    user = make()
    client.force_login(user)
    master = make_master(user.clinic)

    client.post(url(StaffUser, "add"), staff_fields(role="master"))
    assert StaffUser.objects.filter(username="bia").exists() is may
    answer = client.post(url(StaffUser, "change", master.pk), staff_fields(username="c", role="receptionist"))
    assert answer.status_code == (302 if may else 403)


def test_a_superuser_is_out_of_sight_and_nobody_becomes_one(client):
    master = make_master()
    client.force_login(master)
    superuser = make_superuser(clinic=master.clinic)

    assert client.get(url(StaffUser, "change", superuser.pk)).status_code == 404
    client.post(url(StaffUser, "add"), staff_fields(is_superuser="on", clinic=make_clinic().pk))
    user = StaffUser.objects.get(username="bia")
    assert (user.is_superuser, user.clinic) == (False, master.clinic)


@pytest.mark.parametrize("make", [make_manager, make_master, make_superuser])
def test_nobody_takes_away_the_own_access(client, make):
    user = make()
    client.force_login(user)
    typed = {"name": "Eu", "username": user.username, "role": "receptionist"}  # and no is_active

    assert client.post(url(StaffUser, "change", user.pk), typed).status_code == 302
    changed = StaffUser.objects.get(pk=user.pk)
    assert (changed.name, changed.role, changed.is_active) == ("Eu", user.role, True)
    assert changed.is_superuser == user.is_superuser
    assert client.get("/admin/").status_code == 200


def test_changing_the_own_password_keeps_the_session(client, manager):
    typed = {"name": "Eu", "username": manager.username, "new_password": PASSWORD}

    client.post(url(StaffUser, "change", manager.pk), typed)

    assert client.get("/admin/").status_code == 200


def test_nobody_is_deleted(client, manager):
    user = make_user(manager.clinic)

    assert client.post(url(StaffUser, "delete", user.pk), {"post": "yes"}).status_code == 403
    client.post(url(StaffUser), {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    assert StaffUser.objects.filter(pk=user.pk).exists()


def test_a_hash_cannot_be_guessed_through_the_list(client, manager):
    assert client.get(url(StaffUser), {"password__startswith": "argon2"}).status_code in {302, 400}


def test_a_manager_edits_the_own_clinic_but_not_what_it_is(client, manager):
    slug = manager.clinic.slug
    typed = {"name": "Nova", "slug": "tomada", "time_zone": "America/Manaus", "language": "pt-br", "country": "PT"}

    assert client.post(url(Clinic, "change", manager.clinic.pk), typed).status_code == 302

    clinic = Clinic.objects.get()
    assert (clinic.name, clinic.time_zone) == ("Nova", "America/Recife")
    assert (clinic.slug, clinic.country, clinic.active) == (slug, "BR", True)
    assert client.get(url(Clinic, "add")).status_code == 403
    assert client.get(url(Clinic, "delete", clinic.pk)).status_code == 403
