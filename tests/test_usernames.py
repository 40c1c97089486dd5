"""User names are one name in every case, at every door that takes one."""

from io import StringIO

import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from clinic.models import StaffUser
from tests.factories import PASSWORD, make_clinic, make_manager, make_master, make_user
from tests.migrated import migrate, models_at

pytestmark = pytest.mark.django_db

SAME = [
    ("recepcao", "Recepcao"),
    ("Recepcao", "recepcao"),
    ("ana.souza", "ANA.SOUZA"),
    ("ﬁlipa", "FILIPA"),  # a ligature
    ("weiß", "WEISS"),
    ("ΟΔΟΣ", "οδος"),  # a final sigma is a small sigma
    ("ｍａｒｉａ", "Maria"),  # full width
]


def sign_in(client, username, password=PASSWORD):
    return client.post("/entrar/", {"username": username, "password": password})


@pytest.mark.parametrize(("stored", "typed"), SAME)
def test_one_signs_in_with_the_name_in_any_case(client, stored, typed):
    make_user(username=stored, password=PASSWORD)
    assert sign_in(client, typed).status_code == 302
    assert client.get("/dia/", follow=True).wsgi_request.user.username == StaffUser.normalize_username(stored)


@pytest.mark.parametrize(("stored", "typed"), SAME)
def test_the_admin_makes_no_second_user_of_the_same_name(client, stored, typed):
    manager = make_manager()
    make_user(manager.clinic, username=stored)
    client.force_login(manager)
    fields = {"username": typed, "name": "Outra", "role": "receptionist", "is_active": "on"}
    answer = client.post(reverse("admin:clinic_staffuser_add"), fields)
    assert answer.status_code == 200
    (sentence,) = answer.context["adminform"].form.errors["username"]
    assert sentence.startswith(("Já existe “", "Já existe um usuário com esse nome"))
    assert StaffUser.objects.count() == 2


@pytest.mark.parametrize(("stored", "typed"), SAME)
def test_the_database_refuses_a_second_user_of_the_same_name(stored, typed):
    clinic = make_clinic()
    make_user(clinic, username=stored)
    with pytest.raises(IntegrityError, match="staffuser_"), transaction.atomic():
        make_user(clinic, username=typed)


def test_a_user_may_change_the_case_of_their_own_name(client):
    manager = make_manager()
    user = make_user(manager.clinic, username="recepcao")
    client.force_login(manager)
    fields = {"username": "Recepcao", "name": user.name, "role": "receptionist", "is_active": "on"}
    assert client.post(reverse("admin:clinic_staffuser_change", args=[user.pk]), fields).status_code == 302
    user.refresh_from_db()
    assert (user.username, user.folded_username) == ("Recepcao", "recepcao")


def test_failures_in_every_case_are_counted_together(client):
    make_user(username="recepcao", password=PASSWORD)
    tried = ["Recepcao", "RECEPCAO", "recepcao", "rEcepcao"]
    assert [sign_in(client, name, "errada").status_code for name in tried] == [200] * 4
    assert sign_in(client, "recepcaO", "errada").status_code == 429
    assert {attempt.username for attempt in AccessAttempt.objects.all()} == {"recepcao"}


def test_a_manager_releases_a_user_who_was_locked_in_another_case(client):
    manager = make_manager()
    user = make_user(manager.clinic, username="Recepcao", password=PASSWORD)
    for _ in range(5):
        sign_in(client, "RECEPCAO", "errada")
    client.force_login(manager)
    client.post(reverse("admin:clinic_staffuser_changelist"), {"action": "unlock", "_selected_action": user.pk})
    client.logout()
    assert sign_in(client, "recepcao").status_code == 302


def test_a_sign_in_forgives_the_failures_in_another_case(client):
    make_user(username="Recepcao", password=PASSWORD)
    sign_in(client, "RECEPCAO", "errada")
    assert sign_in(client, "recepcao").status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_token_is_released_by_a_name_in_any_case():
    make_master(username="Chefe")
    token = StringIO()
    call_command("create_access_token", username="cHEFE", stdout=token)
    assert token.getvalue().count(".") == 2


@pytest.mark.django_db(transaction=True)
def test_the_migration_names_doubles_and_changes_nothing(own_database):
    own_database.begin("0006_admit_within")
    users = models_at("0006_admit_within").get_model("clinic", "StaffUser").objects
    for username in ("Recepcao", "recepcao", "RECEPCAO", "outra"):
        users.create(username=username, name=username, is_superuser=True)
    with pytest.raises(CommandError, match="Recepcao and recepcao; Recepcao and RECEPCAO"):
        migrate()
    assert users.filter(username__in=["Recepcao", "recepcao", "RECEPCAO"]).count() == 3
    for number, user in enumerate(users.exclude(username="outra")):
        users.filter(pk=user.pk).update(username=f"renomeada-{number}")
    migrate("0007_folded_username")
    folded = models_at("0007_folded_username").get_model("clinic", "StaffUser").objects
    assert folded.get(username="outra").folded_username == "outra"
