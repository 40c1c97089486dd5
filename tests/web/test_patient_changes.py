import re

import pytest
from django.test import Client
from django.urls import reverse

from clinic.models import Patient
from clinic.web.patient.forms import formatted_details
from tests.factories import make_patient, make_user
from tests.web.patients import HTMX

pytestmark = pytest.mark.django_db


# --- who is there already ---------------------------------------------------------------------------------------------


@pytest.fixture
def gilda(clinic):
    return make_patient(clinic, name="Gilda Repetida", phone="+5581983331010", cpf=None, birth_date=None)


AGAIN = {"name": "gilda  REPETIDA", "phone": "81 98333-1010"}


def test_duplicate_is_asked_about_with_both_cards_before_saving(desk, gilda):
    answer = desk.post(reverse("web:patient-add"), AGAIN | {"notes": "veio com a filha"}, headers=HTMX)
    page = answer.content.decode()

    assert answer.status_code == 409 and Patient.objects.count() == 1
    assert "Já existe Gilda Repetida, é a mesma pessoa?" in page and "gilda  REPETIDA" in page
    assert "É a mesma: abrir" in page and "É outra pessoa: cadastrar" in page
    assert "veio com a filha" in page


def test_confirmed_namesake_is_registered_as_another_person(desk, gilda):
    answer = desk.post(reverse("web:patient-add"), AGAIN | {"besides": f"{gilda.pk} "})

    assert answer.status_code == 302 and Patient.objects.count() == 2
    again = desk.post(reverse("web:patient-add"), AGAIN | {"besides": f"{gilda.pk} x {'9' * 40}"})
    assert again.status_code == 409 and Patient.objects.count() == 2


def test_same_person_opens_with_the_other_typed_fields(desk, gilda):
    edit = reverse("web:patient-edit", args=[gilda.pk])

    assert desk.post(edit, AGAIN | {"same": gilda.pk}).url == reverse("web:patient-detail", args=[gilda.pk])
    answer = desk.post(edit, AGAIN | {"same": gilda.pk, "birth_date": "12/03/1984"}, headers=HTMX)
    page = answer.content.decode()
    assert answer["HX-Push-Url"] == edit and answer["HX-Retarget"] == "#main"
    assert 'value="12/03/1984"' in page and 'value="Gilda Repetida"' in page and "com o que você digitou" in page
    gilda.refresh_from_db()
    assert gilda.birth_date is None


STORED = {"email": "a@x.com", "notes": "diabetes", "nif": "501964843", "social_name": "Gil", "birth_date": "1984-03-12"}


# A box, choices, and what only a clinic with payers asks.
CHOICES = ("document_type", "no_document", "accepts_whatsapp", "payer_id")
UNSEEN = {(name, "") for name in ("died", *CHOICES, "card_number", "card_expires_on")}


def shown_stored(page):
    return dict(re.findall(r'id="stored-(\w+)">[^<]*<b><bdi>([^<]*)<', page))


@pytest.mark.parametrize(
    ("field", "typed", "stored"),
    [
        ("email", "novo@x.com", "a@x.com"),
        ("notes", "alergia a penicilina", "diabetes"),
        ("nif", "245 624 139", "501964843"),
        ("social_name", "Gilda Ana", "Gil"),
        ("birth_date", "13/03/1984", "12/03/1984"),
        ("birth_date", "31/02/1984", "12/03/1984"),
        ("phone", "(81) 97777-6666", "(81) 98333-1010"),
        ("name", "Gilda Repetida Silva", "Gilda Repetida"),
        ("cpf", "529.982.247-25", "vazio"),
    ],
)
def test_nothing_typed_of_the_same_person_is_lost(desk, gilda, field, typed, stored):
    Patient.objects.filter(pk=gilda.pk).update(**STORED)
    gilda.refresh_from_db()
    edit = reverse("web:patient-edit", args=[gilda.pk])

    page = desk.post(edit, AGAIN | {"same": gilda.pk, field: typed}, headers=HTMX).content.decode()
    assert shown_stored(page) == {field: stored}
    assert "com o que você digitou" in page and "Este cadastro foi alterado" not in page
    filled = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page.split('id="patient-form"')[1]))
    filled["notes"] = re.search(r"<textarea[^>]*>\s*([^<]*)</textarea>", page)[1]
    assert filled.pop("died") == "sim" and 'name="died" value="sim" checked' not in page
    before = formatted_details(gilda, gilda.clinic)
    assert filled.items() >= (before | {"phone": AGAIN["phone"], field: typed}).items() - UNSEEN
    assert formatted_details(Patient.objects.get(), gilda.clinic) == before

    saved = desk.post(edit, filled)
    assert saved.status_code == (422 if typed.startswith("31/02") else 302)


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"email": " a@x.com ", "notes": "diabetes\r\n"},
        {"nif": "PT 501 964 843", "birth_date": "12 de março de 1984"},
        {"phone": "0055 81983331010"},
        {"social_name": "  Gil"},
        {"name": "GILDA repetidá"},
    ],
)
def test_unchanged_duplicate_opens_the_card(desk, gilda, typed):
    Patient.objects.filter(pk=gilda.pk).update(**STORED)
    answer = desk.post(reverse("web:patient-edit", args=[gilda.pk]), AGAIN | {"same": gilda.pk} | typed)

    assert answer.status_code == 302 and answer.url == reverse("web:patient-detail", args=[gilda.pk])


@pytest.mark.parametrize("field", ["name", "phone", "birth_date", "cpf", "nif", "email", "notes"])
@pytest.mark.parametrize("text", ["\0", "a\x1bb", "\ufffd", "😀" * 3000, "9" * 5000, "+49 123456789012345"], ids=ascii)
def test_no_text_typed_of_the_same_person_is_an_error(desk, gilda, field, text):
    typed = AGAIN | {"same": gilda.pk, field: text}
    assert desk.post(reverse("web:patient-edit", args=[gilda.pk]), typed, headers=HTMX).status_code == 200


def test_same_person_after_session_end_returns_with_everything(clinic, gilda, time_machine):
    user = make_user(clinic)
    Patient.objects.filter(pk=gilda.pk).update(**STORED)
    client = Client()
    time_machine.move_to("2026-11-23T20:00:00Z")
    client.force_login(user)
    edit = reverse("web:patient-edit", args=[gilda.pk])
    client.get(edit)
    time_machine.move_to("2026-11-24T11:00:00Z")

    late = client.post(edit, AGAIN | {"same": gilda.pk, "email": "novo@x.com", "notes": ""})
    assert late.status_code == 302 and "entrar" in late.url
    client.force_login(user)
    page = client.get(edit).content.decode()

    assert shown_stored(page) == {"email": "a@x.com"}
    assert 'value="novo@x.com"' in page and "diabetes" in page and 'value="501964843"' in page


def test_another_clinics_patient_is_neither_asked_about_nor_opened(desk):
    other = make_patient(name="Gilda Repetida", phone="+5581983331010")

    assert desk.post(reverse("web:patient-edit", args=[other.pk]), AGAIN | {"same": other.pk}).status_code == 404
    assert desk.post(reverse("web:patient-add"), AGAIN).status_code == 302


# --- editing ----------------------------------------------------------------------------------------------------------


def opened(desk, patient):
    """The fields of the edit form, as the browser would send them back."""
    page = desk.get(reverse("web:patient-edit", args=[patient.pk])).content.decode()
    fields = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page.split('id="patient-form"')[1]))
    return fields | {"notes": patient.notes}


def save(desk, patient, fields, **headers):
    return desk.post(reverse("web:patient-edit", args=[patient.pk]), fields, headers=headers)


def test_form_shows_formatted_data_and_saves_it_unchanged(desk, clinic):
    ana = make_patient(clinic, name="Ana", cpf="52998224725", phone="+5581987654321", nif="245624139", notes="a\nb")

    fields = opened(desk, ana)

    assert (fields["phone"], fields["cpf"]) == ("(81) 98765-4321", "529.982.247-25")
    assert fields["birth_date"] == "17/05/1980"
    assert save(desk, ana, fields).url == reverse("web:patient-detail", args=[ana.pk])
    again = Patient.objects.get()
    assert (again.cpf, again.phone, again.notes) == (ana.cpf, "+5581987654321", "a\nb")


def test_an_edit_changes_only_that_patient_and_may_empty_fields(desk, clinic):
    ana, bia = make_patient(clinic, name="Ana", social_name="Noa"), make_patient(clinic, name="Bia")

    save(desk, ana, opened(desk, ana) | {"name": "Ana Lima", "social_name": "", "cpf": ""})

    ana.refresh_from_db(), bia.refresh_from_db()
    assert (ana.name, ana.social_name, ana.cpf, bia.name) == ("Ana Lima", "", None, "Bia")


def test_second_window_does_not_overwrite_the_first_unseen(desk, clinic):
    ana = make_patient(clinic, name="Ana", phone="+5581987654321")
    first, second = opened(desk, ana), opened(desk, ana)
    save(desk, ana, first | {"phone": "(81) 91111-1111", "email": "ana@b.co"})

    answer = save(desk, ana, second | {"name": "Ana Lima"})

    page = answer.content.decode()
    assert answer.status_code == 409 and "Este cadastro foi alterado em" in page
    stored = dict(re.findall(r'id="stored-(\w+)">[^<]*<b><bdi>([^<]*)<', page))
    assert stored == {"name": "Ana", "phone": "(81) 91111-1111", "email": "ana@b.co"}
    assert 'value="Ana Lima"' in page and 'value="(81) 98765-4321"' in page
    assert re.search(r'id="name"[^>]*autofocus', page)
    ana.refresh_from_db()
    assert (ana.name, ana.phone.as_e164) == ("Ana", "+5581911111111")

    seen = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page.split('id="patient-form"')[1]))
    assert save(desk, ana, seen | {"phone": "81911111111"}).status_code == 302
    ana.refresh_from_db()
    assert (ana.name, ana.phone.as_e164) == ("Ana Lima", "+5581911111111")


def test_two_windows_that_write_the_same_are_no_conflict(desk, clinic):
    ana = make_patient(clinic, name="Ana", phone="+5581987654321")
    first, second = opened(desk, ana), opened(desk, ana)
    save(desk, ana, first | {"phone": "(81) 91111-1111", "cpf": "529.982.247-25"})

    assert save(desk, ana, second | {"phone": "+55 81911111111", "cpf": "52998224725"}).status_code == 302


def test_a_patient_keeps_their_own_cpf_and_cannot_take_anothers(desk, clinic):
    ana, bia = make_patient(clinic, name="Ana"), make_patient(clinic, name="Bia")
    fields = opened(desk, ana)

    check, left = reverse("web:patient-check", args=[ana.pk]), HTMX | {"HX-Trigger-Name": "cpf"}
    taken, own = desk.post(check, fields | {"cpf": bia.cpf}, headers=left), desk.post(check, fields, headers=left)

    assert "Este CPF já é de Bia." in taken.content.decode() and "Este CPF" not in own.content.decode()
    assert save(desk, ana, fields | {"cpf": bia.cpf}).status_code == 422


def test_form_left_open_overnight_returns_as_typed_after_sign_in(clinic, time_machine):
    user = make_user(clinic)
    ana = make_patient(clinic, name="Ana")
    client = Client()
    time_machine.move_to("2026-11-23T20:00:00Z")
    client.force_login(user)
    url = reverse("web:patient-edit", args=[ana.pk])
    fields = opened(client, ana)
    time_machine.move_to("2026-11-24T11:00:00Z")

    late = client.post(url, fields | {"name": "Ana Lima", "email": "x"})
    assert late.status_code == 302 and "entrar" in late.url
    client.force_login(user)
    page = client.get(url).content.decode()

    assert 'value="Ana Lima"' in page and "Este e-mail não é válido." in page
    ana.refresh_from_db()
    assert ana.name == "Ana"
