"""Numbered cases about documents, by every entry point that they concern."""

import re
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from clinic.models import Patient
from clinic.models.patient import incomplete
from clinic.queries import patients
from tests.factories import make_clinic, make_lisbon, make_patient, make_user
from tests.patient_doors import (
    DOORS,
    HTMX,
    PHONES,
    imagemais,
    in_the_admin,
    in_the_panel,
    mivicall,
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


# 19 ------------------------------------------------------------------------------------------------------------------

PASSPORT = {"document_type": "passport", "document_country": "PT"}
FOREIGNER = PASSPORT | {"no_document": "foreigner", "birth_date": "12/03/1984"}


@pytest.mark.parametrize("door", [on_the_patients_page, in_the_admin], ids=lambda door: door.__name__)
@pytest.mark.parametrize("typed", ["FX123456", "fx 123-456"])
def test_19_a_foreigner_is_complete_and_found_by_the_passport(client, door, typed):
    clinic = BR()
    make_patient(clinic, name="Fx Lima", phone="+5581912345678")
    assert door(client, clinic, FOREIGNER | {"name": "John Smith", "document_number": typed}).status_code == 302

    john = Patient.objects.get(name="John Smith")
    stored = (john.document_type, john.document_number, john.document_country, john.no_document)
    assert stored == ("passport", "FX123456", "PT", "foreigner") and not john.is_incomplete
    assert Patient.objects.filter(incomplete()).count() == 0
    for text in ("FX123456", "fx123456", "FX 123 456", "fx-123.456"):
        assert patients.search(clinic, text)[0] == john and john in patients.fitting(Patient.objects.of(clinic), text)
        assert patients.options(clinic, text, timezone.now()).likely[0].patient == john
    assert patients.search(clinic, "FX123457") == [] == patients.search(BR(), "FX123456")
    client.force_login(make_user(clinic))
    page = page_of(client.get(reverse("web:patient-detail", args=[john.pk])))
    assert "FX123456 (" in page and "estrangeiro(a)" in page and "incompleto" not in page


def test_19_a_reason_alone_ends_the_question_and_a_cpf_the_reason(client):
    clinic = BR()
    newborn = {"name": "RN de Ana", "birth_date": "20/11/2026", "no_document": "newborn"}
    on_the_patients_page(client, clinic, newborn)
    child = Patient.objects.get()
    assert not child.is_incomplete and child.missing == []

    edit = reverse("web:patient-edit", args=[child.pk])
    form = client.get(edit).context["form"]
    assert client.post(edit, form.initial | {"version": form.version, "cpf": "529.982.247-25"}).status_code == 302
    child.refresh_from_db()
    assert (child.cpf, child.no_document) == ("52998224725", "")


def test_19_no_program_finds_anybody_by_a_passport():
    clinic = BR()
    make_patient(clinic, name="John Smith", document_type="passport", document_number="FX123456")

    assert mivicall(clinic).get("/patients", search="FX123456").json() == {"items": []}
    assert imagemais(clinic).get("/patients", name="FX123456").json() == []


@pytest.mark.parametrize("typed", ["FX1", "passaporte", "ÉX123456", "F" * 29 + "12", "FX\0123"])
def test_19_what_is_no_number_of_a_document_is_explained(client, typed):
    page = page_of(on_the_patients_page(client, BR(), {"name": "John", "document_number": typed}))

    assert "O número do documento tem de 4 a 30 letras" in page and not Patient.objects.exists()


# 24, 25 --------------------------------------------------------------------------------------------------------------


@DOORS
@pytest.mark.parametrize("typed", ["123 456 789", "123456789", "n.º de utente: 123.456.789", "SNS 123456789"])
def test_24_a_numero_de_utente_is_stored_and_found(client, door, typed):
    clinic = PT()
    door(client, clinic, {"name": "Rui Sá", "health_number": typed})

    rui = Patient.objects.get()
    assert rui.health_number == "123456789"
    for text in ("123456789", "123 456 789", "123.456.789"):
        assert patients.search(clinic, text) == [rui] == list(patients.fitting(Patient.objects.of(clinic), text))
        assert [option.is_exact for option in patients.options(clinic, text, timezone.now()).likely] == [True]


@DOORS
def test_24_a_second_patient_with_the_number_is_refused(client, door):
    clinic = PT()
    rui = make_patient(clinic, name="Rui Sá", health_number="123456789")
    make_patient(PT(), health_number="123456780")
    page = page_of(door(client, clinic, {"name": "Ana Sá", "health_number": "123 456 789"}))
    assert "Este número de utente já é de Rui Sá." in page and f'id="owner-{rui.pk}"' in page

    door(client, clinic, {"name": "Ana Sá", "health_number": "123 456 780"})
    assert Patient.objects.of(clinic).filter(name="Ana Sá").values_list("health_number", flat=True)[0] == "123456780"


def test_24_the_panel_knows_the_owner_who_is_called_so(client):
    clinic = PT()
    rui = make_patient(clinic, name="Rui Sá", health_number="123456789", phone="+351912345670")
    in_the_panel(client, clinic, {"name": "rui sa", "health_number": "123 456 789"})

    assert Patient.objects.of(clinic).get() == rui and rui.appointments.count() == 1


def test_24_of_two_windows_one_has_the_number():
    clinic = PT()
    make_patient(clinic, health_number="123456789")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_patient(clinic, health_number="123456789")


@DOORS
@pytest.mark.parametrize("typed", ["12345678", "1234567890", "12345678X"])
def test_25_nine_digits_are_asked_for(client, door, typed):
    page = page_of(door(client, PT(), {"name": "Rui Sá", "health_number": typed}))

    assert "São 9 dígitos." in page and typed in page and not Patient.objects.exists()


@DOORS
def test_25_the_nif_is_no_numero_de_utente(client, door):
    page = page_of(door(client, PT(), {"name": "Rui", "nif": "245123458", "health_number": "245 123 458"}))

    assert "Este é o NIF; o número de utente é outro." in page and not Patient.objects.exists()


def test_25_a_clinic_in_brazil_has_no_such_field(client):
    client.force_login(make_user(BR()))

    assert "health_number" not in page_of(client.get(reverse("web:patient-add")))


def test_19_a_conflict_shows_the_stored_document_in_words(client):
    clinic = BR()
    passport = {"no_document": "foreigner", "document_type": "passport", "document_number": "FX1234"}
    john = make_patient(clinic, name="John", cpf=None, **passport)
    client.force_login(make_user(clinic))
    edit = reverse("web:patient-edit", args=[john.pk])
    form = client.get(edit).context["form"]
    Patient.objects.update(email="j@x.com", updated_at=timezone.now() + timedelta(seconds=1))
    answer = client.post(edit, form.initial | {"version": form.version, "no_document": "", "document_type": "identity"})

    stored = dict(re.findall(r'id="stored-(\w+)">[^<]*<b><bdi>([^<]*)<', page_of(answer)))
    assert answer.status_code == 409 and 'id="other-documents" open' in page_of(answer)
    assert stored == {"email": "j@x.com", "no_document": "estrangeiro(a)", "document_type": "passaporte"}


@pytest.mark.parametrize(("number", "found"), [("1234567", True), ("12345", False)])
def test_19_a_document_of_digits_is_found_by_six_or_more(number, found):
    clinic = BR()
    john = make_patient(clinic, document_type="identity", document_number=number)

    assert (john in patients.search(clinic, number)) is found
