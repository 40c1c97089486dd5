"""Second phones, and who is responsible for a minor or a ward: through each door, and where it is shown."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import Patient
from clinic.queries import patients
from tests.factories import book_appointment, make_clinic, make_lisbon, make_patient, make_user
from tests.patient_doors import DOORS, HTMX, doctor_of, imagemais, in_the_admin, on_the_patients_page, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

PAGES = pytest.mark.parametrize("door", [on_the_patients_page, in_the_admin], ids=lambda door: door.__name__)
MINOR = {"name": "Davi Lima", "birth_date": "10/05/2019"}


@pytest.fixture
def saturday(time_machine):
    """21 November 2026, noon in Recife."""
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


# Responsible ---------------------------------------------------------------------------------------------------------


@DOORS
@pytest.mark.parametrize(
    "typed",
    [
        {"guardian_name": "Ana", "guardian_relation": "mãe"},
        {"guardian_name": "Ana", "phone": "(81) 98888-7777 (mãe)"},
        {"guardian_name": " Ana ", "guardian_relation": "mãe", "phone": "(81) 98888-7777 mãe"},
    ],
)
def test_09_the_phone_of_a_minor_is_the_mothers(client, door, typed):
    clinic = make_clinic()
    door(client, clinic, MINOR | typed)

    davi = Patient.objects.get()
    assert (davi.guardian_name, davi.guardian_relation, davi.answers_phone) == ("Ana", "mãe", "Ana (mãe)")
    client.force_login(make_user(clinic))
    page = page_of(client.get(reverse("web:patient-detail", args=[davi.pk])))
    assert re.search(r'href="tel:[^"]*">Ligar para Ana \(mãe\)</a>', page)


def test_whose_the_phone_is_is_shown_wherever_it_is(client):
    clinic = make_clinic()
    davi = make_patient(clinic, name="Davi Lima", guardian_name="Ana", guardian_relation="mãe", phone="+5581988887777")
    visit = book_appointment(doctor_of(clinic), patient=davi.pk)
    client.force_login(make_user(clinic))

    for answer in (
        client.post(reverse("web:patient-list"), {"q": "davi"}, headers=HTMX),
        client.get(reverse("web:appointment-detail", args=[visit.pk])),
        client.get(reverse("web:appointment-book"), {"paciente": davi.pk}),
    ):
        assert re.search(r"\(81\) 98888-7777</a>\s*<bdi class=\"dim\">Ana \(mãe\)</bdi>", page_of(answer))


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, ""),
        ({"phone_of": "vizinha"}, "vizinha"),
        ({"guardian_name": "Ana"}, "Ana"),
        ({"guardian_name": "Ana", "guardian_relation": "mãe", "phone_of": "mãe"}, "Ana (mãe)"),
        ({"guardian_name": "Ana", "guardian_relation": "mãe", "phone_of": "avó Rita"}, "avó Rita"),
    ],
)
def test_the_phone_is_the_guardians_unless_another_is_named(fields, shown):
    assert Patient(**fields).answers_phone == shown


def test_the_guardian_is_offered_as_soon_as_a_minors_birth_is_left(client):
    client.force_login(make_user(make_clinic()))
    left = HTMX | {"HX-Trigger-Name": "birth_date"}
    question = "Menor de idade: quem é responsável?"
    for address in (reverse("web:patient-check"), reverse("web:appointment-check")):
        page = page_of(client.post(address, MINOR | {"is_new": "1", "guardian_name": "An"}, headers=left))
        assert question in page and re.search('id="guardian" hx-swap-oob="true"', page) and 'value="An"' in page
        page = page_of(client.post(address, MINOR | {"is_new": "1", "birth_date": "21/11/2008"}, headers=left))
        assert question not in page and 'id="guardian"' in page
        page = page_of(client.post(address, MINOR | {"is_new": "1"}, headers=HTMX | {"HX-Trigger-Name": "phone"}))
        assert 'id="guardian"' not in page  # what is being typed there stays


def test_a_minor_without_guardian_is_offered_one_when_edited(client):
    clinic = make_clinic()
    minor, adult = make_patient(clinic, birth_date="2019-05-10"), make_patient(clinic)
    client.force_login(make_user(clinic))

    for patient, opened in ((minor, True), (adult, False)):
        page = page_of(client.get(reverse("web:patient-edit", args=[patient.pk])))
        assert bool(re.search(r'id="guardian">\s*<details open', page)) is opened
        card = page_of(client.get(reverse("web:patient-detail", args=[patient.pk])))
        assert ("<dt>Responsável</dt>" in card) is opened


@PAGES
def test_a_ward_of_any_age_has_a_guardian(client, door):
    door(client, make_lisbon(), {"name": "Rui Sá", "birth_date": "01/02/1934", "guardian_name": "Eva Sá"})

    assert Patient.objects.get().guardian == "Eva Sá"


# Second phone --------------------------------------------------------------------------------------------------------


@PAGES
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"second_phone": "(81) 3421-5678", "second_phone_of": "casa"}, ("+558134215678", "casa")),
        ({"second_phone": "(81) 98888-7776 (filha)"}, ("+5581988887776", "filha")),
        ({"second_phone": "00351 912 345 678"}, ("+351912345678", "")),
        ({"second_phone": "3421-5678"}, ("+558134215678", "")),
        ({"second_phone": ""}, (None, "")),
    ],
)
def test_a_second_phone_is_read_like_the_first(client, door, typed, stored):
    clinic = make_clinic(area_code="81")
    door(client, clinic, {"name": "Rita"} | typed)

    rita = Patient.objects.get()
    assert (rita.second_phone, rita.second_phone_of) == stored
    client.force_login(make_user(clinic))
    page = page_of(client.get(reverse("web:patient-detail", args=[rita.pk])))
    assert ("<dt>Segundo telefone</dt>" in page) is bool(stored[0]) and stored[1] in page


@PAGES
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("(81) 9999-9999", "É (81) 99999-9999? Escreva o número por inteiro, ou corrija."),
        ("(81) 99999-999", "Falta um dígito: (81) 99999-999_."),
        ("123", "Faltam dígitos: são só 3."),
        ("+999 123456789", "Este telefone não existe."),
        ("81 98888-7777 / 81 98888-7776", "São vários telefones."),
    ],
)
def test_a_wrong_second_phone_is_explained_at_its_field(client, door, typed, sentence):
    page = page_of(door(client, make_clinic(), {"name": "Rita", "second_phone": typed}))

    assert not Patient.objects.exists()
    at_its_field = rf'id="error-second_phone"[^>]*>{re.escape(sentence)}'
    assert re.search(at_its_field, page) if door is on_the_patients_page else sentence in page


def test_a_search_finds_the_second_phone(client):
    clinic = make_clinic()
    rita = make_patient(clinic, name="Rita", second_phone="+5581988887776")
    make_patient(clinic, name="Ana")

    for text in ("(81) 98888-7776", "88887776", "7776", "+55 81 98888-7776", "Rita 98888-7776"):
        assert patients.search(clinic, text) == [rita] == list(patients.fitting(Patient.objects.of(clinic), text))
    assert [option.is_exact for option in patients.options(clinic, "81988887776", timezone.now()).likely] == [True]
    assert patients.search(clinic, "98888-7775") == []


def test_an_edit_keeps_what_it_does_not_change(client):
    clinic = make_clinic()
    contacts = {"second_phone": "+5581988887776", "second_phone_of": "filha", "guardian_name": "Eva", "phone_of": "Eva"}
    rita = make_patient(clinic, **contacts)
    client.force_login(make_user(clinic))
    edit = reverse("web:patient-edit", args=[rita.pk])
    form = client.get(edit).context["form"]

    assert client.post(edit, form.initial | {"version": form.version, "notes": "x"}).status_code == 302
    assert imagemais(clinic)("PATCH", f"/patients/{rita.pk}", {"name": "Rita Lima"}).status_code == 200
    rita.refresh_from_db()
    assert {name: getattr(rita, name) for name in contacts} == contacts and rita.notes == "x"
