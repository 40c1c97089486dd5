"""Two windows on one account: rights that were taken away do not come back, and no password is overwritten unseen."""

import pytest
from django.core import signing

from clinic.models import StaffUser
from tests.factories import PASSWORD, make_clinic, make_master, make_superuser, make_user
from tests.windows import field_errors, opened

pytestmark = pytest.mark.django_db


def test_rights_taken_away_meanwhile_do_not_come_back(client):
    master = make_master()
    client.force_login(master)
    colleague = make_master(master.clinic, may_squeeze_in=True)
    older, newer = opened(client, colleague), opened(client, colleague)
    newer.save(role="receptionist", is_active=None, may_squeeze_in=None)

    assert older.save(name="Beatriz").status_code == 302

    colleague.refresh_from_db()
    assert (colleague.name, colleague.role, colleague.is_active, colleague.may_squeeze_in) == (
        "Beatriz",
        "receptionist",
        False,
        False,
    )


def test_a_colleague_made_master_meanwhile_is_out_of_a_managers_reach(client, manager):
    colleague = make_user(manager.clinic)
    window = opened(client, colleague)
    StaffUser.objects.filter(pk=colleague.pk).update(role="master")

    assert window.save(role="receptionist").status_code == 403
    colleague.refresh_from_db()
    assert colleague.role == "master"


def test_a_superuser_moves_nobody_back_to_another_clinic(client):
    client.force_login(make_superuser())
    user, other = make_user(), make_clinic()
    older, newer = opened(client, user), opened(client, user)
    newer.save(clinic=other.pk, is_superuser="on")

    assert older.save(name="Bia").status_code == 302
    user.refresh_from_db()
    assert (user.clinic, user.is_superuser, user.name) == (other, True, "Bia")


def test_a_field_left_alone_takes_back_no_change(client, manager):
    user = make_user(manager.clinic)
    older, newer = opened(client, user), opened(client, user)
    newer.save(role="manager")

    assert older.save(name="Bia").status_code == 302
    user.refresh_from_db()
    assert (user.role, user.name) == ("manager", "Bia")


def test_a_password_typed_in_one_window_is_kept_by_the_other(client, manager):
    user = make_user(manager.clinic, password=PASSWORD)
    older, newer = opened(client, user), opened(client, user)
    newer.save(new_password="outra-garoa-na-varanda")

    assert older.save(name="Bia").status_code == 302
    user.refresh_from_db()
    assert user.name == "Bia" and user.check_password("outra-garoa-na-varanda")


def test_a_password_typed_in_both_windows_is_asked_about(client, manager):
    user = make_user(manager.clinic, password=PASSWORD)
    older, newer = opened(client, user), opened(client, user)
    newer.save(new_password="outra-garoa-na-varanda")

    answer = older.save(new_password="terceira-garoa-na-varanda", name="Bia")

    assert answer.status_code == 409 and "já trocou esta senha" in field_errors(answer)["new_password"]
    assert older.fields["name"] == ["Bia"]
    user.refresh_from_db()
    assert user.check_password("outra-garoa-na-varanda")
    assert older.save(new_password="terceira-garoa-na-varanda").status_code == 302
    user.refresh_from_db()
    assert user.check_password("terceira-garoa-na-varanda") and user.name == "Bia"


def test_a_password_stands_in_no_page(client, manager):
    user = make_user(manager.clinic, password=PASSWORD)
    window = opened(client, user)
    answer = window.save(new_password="curta-e-secreta"[:5], name="Bia")

    assert answer.status_code == 200
    assert "curta" not in answer.text.replace("demasiado curta", "").replace("muito curta", "")
    shown = signing.loads(window.fields["filled_with"][0], salt="clinic.admin.filled")
    assert user.password not in str(shown) and "argon2" not in str(shown)
