"""The list of payers that managers keep: the kinds of the country, registro ANS, switching off, deleting."""

import re

import pytest

from clinic.booking import PayerWish
from clinic.models import Payer
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_patient,
    make_payer,
    make_user,
)
from tests.managed import url

pytestmark = pytest.mark.django_db


def kinds(page):
    return re.findall(r'<option value="(\w+)"', page.partition('name="kind"')[2].partition("</select>")[0])


@pytest.mark.parametrize(
    ("make", "offered", "has_ans"),
    [(make_clinic, ["health_plan", "other"], True), (make_lisbon, ["subsystem", "insurance", "sns", "other"], False)],
)
def test_each_country_has_kinds_of_its_own(client, make, offered, has_ans):
    clinic = make()
    client.force_login(make_manager(clinic))
    page = client.get(url(Payer, "add")).text
    assert kinds(page) == offered and ('name="ans_number"' in page) is has_ans
    typed = {"name": "Saúde", "kind": offered[0], "active": "on"}
    assert client.post(url(Payer, "add"), typed).status_code == 302
    assert Payer.objects.of(clinic).get().kind == offered[0]
    assert ("column-ans_number" in client.get(url(Payer)).text) is has_ans


def test_a_payer_is_found_without_accents(client, manager):
    make_payer(manager.clinic, name="Saúde Sul")
    assert "Saúde Sul" in client.get(url(Payer), {"q": "saude"}).text


@pytest.mark.parametrize("of", ["patient", "appointment"])
def test_a_payer_in_use_is_switched_off_not_deleted(client, manager, of):
    payer = make_payer(manager.clinic, name="Unimed")
    if of == "patient":
        make_patient(manager.clinic, payer=payer)
    else:
        book_appointment(make_doctor(manager.clinic), payer=PayerWish(payer.pk))
    assert client.post(url(Payer, "delete", payer.pk), {"post": "yes"}).status_code != 302
    assert Payer.objects.filter(pk=payer.pk).exists()
    typed = {"name": "Unimed", "kind": "health_plan", "ans_number": ""}
    assert client.post(url(Payer, "change", payer.pk), typed).status_code == 302
    payer.refresh_from_db()
    assert not payer.active


def test_receptionists_keep_no_payers(client, manager):
    client.force_login(make_user(manager.clinic))
    assert client.get(url(Payer)).status_code == 403
