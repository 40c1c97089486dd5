"""The numbered cases of issue 11 about documents, through each door that they concern."""

import re
from datetime import date

import pytest
from django.urls import reverse

from clinic.models import Patient
from tests.factories import make_clinic, make_lisbon, make_patient, make_user
from tests.patient_doors import (
    DOORS,
    HTMX,
    PHONES,
    imagemais,
    in_the_admin,
    in_the_panel,
    on_the_patients_page,
    page_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

TODAY = date(2026, 11, 21)
BR, PT = make_clinic, make_lisbon


@pytest.fixture
def saturday(time_machine):
    """21 November 2026, noon in Recife."""
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


# 17 ------------------------------------------------------------------------------------------------------------------

CNPJS = ["12.ABan export45/01DE-35", "12.ABC.345/01DE-35", "12abc34501de35", "12.345.678/0001-95"]


@DOORS
@pytest.mark.parametrize("typed", CNPJS)
def test_17_a_cnpj_in_the_cpf_is_named(client, door, typed):
    page = page_of(door(client, BR(), {"name": "Rita", "cpf": typed}))

    assert "Isto é um CNPJ; aqui vai o CPF da pessoa." in page and typed in page and not Patient.objects.exists()


@pytest.mark.parametrize("typed", CNPJS)
def test_17_a_cnpj_is_no_cpf_for_a_program_either(typed):
    sent = {"name": "Rita", "phone": PHONES["BR"], "dateBirth": "1990-01-01", "cpf": typed}

    answer = imagemais(BR())("POST", "/patients", sent)
    assert answer.status_code == 400 and "CPF" in answer.json()["message"][0] and not Patient.objects.exists()


# 18 ------------------------------------------------------------------------------------------------------------------


@DOORS
def test_18_the_owner_of_a_cpf_can_be_opened(client, door):
    clinic = BR()
    owner = make_patient(clinic, name="Bruno Dias", cpf="24681357928")
    page = page_of(door(client, clinic, {"name": "Rita", "cpf": "246.813.579-28"}))

    assert "Este CPF já é de Bruno Dias." in page and Patient.objects.get() == owner
    opens = {
        on_the_patients_page: f'href="{reverse("web:patient-detail", args=[owner.pk])}"',
        in_the_panel: f'name="pick" value="{owner.pk}"',
        in_the_admin: f'href="{reverse("admin:clinic_patient_change", args=[owner.pk])}"',
    }
    assert re.search(f'id="owner-{owner.pk}"[^>]*{opens[door]}', page)


def test_18_the_button_is_there_as_soon_as_the_cpf_is_left(client):
    clinic = BR()
    owner = make_patient(clinic, name="Bruno Dias", cpf="24681357928")
    client.force_login(make_user(clinic))
    typed = {"name": "Rita", "cpf": "246.813.579-28", "phone": PHONES["BR"], "is_new": "1"}
    for address in (reverse("web:patient-check"), reverse("web:appointment-check")):
        left = client.post(address, typed, headers=HTMX | {"HX-Trigger-Name": "cpf"})
        assert f'id="owner-{owner.pk}"' in page_of(left)
        assert "owner-" not in page_of(client.post(address, typed | {"cpf": ""}, headers=HTMX))


# 20 ------------------------------------------------------------------------------------------------------------------


@DOORS
@pytest.mark.parametrize("typed", ["21/11/2026", "21112026"])
def test_20_a_newborn_of_today_is_taken_from_a_person(client, door, typed):
    door(client, BR(), {"name": "RN de Ana Lima", "birth_date": typed})

    assert Patient.objects.get().birth_date == TODAY


@DOORS
def test_20_nobody_is_born_tomorrow(client, door):
    page = page_of(door(client, BR(), {"name": "Rita", "birth_date": "22/11/2026"}))

    assert "A data de nascimento deve ficar entre 1900 e hoje." in page and not Patient.objects.exists()


def test_20_a_program_is_refused_the_day_of_today_as_before():
    program = imagemais(BR())
    sent = {"name": "Rita", "phone": PHONES["BR"], "dateBirth": "2026-11-21"}

    answer = program("POST", "/patients", sent)
    assert (answer.status_code, answer.json()["message"]) == (400, ["A data de nascimento deve ser anterior a hoje"])
    newborn = make_patient(program.clinic, birth_date=TODAY)
    assert program("PATCH", f"/patients/{newborn.pk}", {"phone": "(81) 98888-7776"}).status_code == 200


# 21, 23 --------------------------------------------------------------------------------------------------------------


@DOORS
@pytest.mark.parametrize("typed", ["999 999 990", "PT999999990", "999.999.990"])
def test_21_the_nif_of_nobody_is_nobodys(client, door, typed):
    page = page_of(door(client, PT(), {"name": "Rita", "nif": typed}))

    assert "É o NIF de consumidor final. Deixe em branco." in page and not Patient.objects.exists()


@DOORS
def test_23_a_nif_is_never_shared_in_silence(client, door):
    clinic = PT()
    ana = make_patient(clinic, name="Ana Sá", nif="245123458", cpf=None)
    typed = {"name": "Rui Sá", "nif": "245 123 458"}

    page = page_of(door(client, clinic, typed))
    question = "Este NIF já está na ficha de Ana Sá. É a mesma pessoa, ou um familiar?"
    assert question in page and f'id="owner-{ana.pk}"' in page and Patient.objects.get() == ana
    door(client, clinic, typed | {"nif_is_right": "245624139"})
    assert Patient.objects.get() == ana
    door(client, clinic, typed | {"nif_is_right": "245123458"})
    assert sorted(Patient.objects.values_list("name", "nif")) == [("Ana Sá", "245123458"), ("Rui Sá", "245123458")]


def test_23_a_stored_nif_is_not_asked_about_again(client):
    clinic = PT()
    for name in ("Ana Sá", "Rui Sá"):
        make_patient(clinic, name=name, nif="245123458", cpf=None)
    make_patient(PT(), nif="245123467", cpf=None)
    rui = Patient.objects.get(name="Rui Sá")
    client.force_login(make_user(clinic))
    form = client.get(reverse("web:patient-edit", args=[rui.pk])).context["form"]

    assert client.post(reverse("web:patient-edit", args=[rui.pk]), form.initial | {"notes": "n"}).status_code == 302


@DOORS
@pytest.mark.parametrize("typed", ["501 964 843", "PT 600 084 884"])
def test_a_companys_nif_is_asked_about(client, door, typed):
    clinic = PT()
    page = page_of(door(client, clinic, {"name": "Rui Sá", "nif": typed}))
    assert "Este NIF é de uma empresa ou entidade" in page and not Patient.objects.exists()

    digits = re.sub("[^0-9]", "", typed)
    door(client, clinic, {"name": "Rui Sá", "nif": typed, "nif_is_right": digits})
    assert Patient.objects.get().nif == digits
