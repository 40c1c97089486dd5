import re

import pytest
from django.contrib.admin.models import LogEntry

from clinic.models import Doctor, Patient
from tests.factories import make_doctor, make_patient
from tests.managed import EDITED, LOOKED_AT, url

pytestmark = pytest.mark.django_db


def test_a_patient_goes_through_the_rules_of_the_desk(client, manager):
    typed = {
        "name": "  Ana\u202e  Sá ",
        "phone": "(81) 99999-0000",
        "cpf": "529.982.247-25",
        "birth_date": "17/05/1980",
    }

    assert client.post(url(Patient, "add"), typed).status_code == 302
    patient = Patient.objects.get()
    assert (patient.name, patient.cpf, str(patient.phone)) == ("Ana Sá", "52998224725", "+5581999990000")
    assert patient.clinic == manager.clinic
    assert LogEntry.objects.get().object_id == str(patient.pk)

    client.post(url(Patient, "change", patient.pk), typed | {"name": "Ana Souza", "cpf": ""})
    patient.refresh_from_db()
    assert (patient.name, patient.cpf) == ("Ana Souza", None)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("alvaro", True),
        ("ÁLVARO", True),
        ("var lor", True),
        ("lia", True),
        ("alvaro bispo", False),
        ("99876", True),
        ("(81) 99876-5432", True),
        ("529.982", True),
        ("123", False),
        ("50%", False),
        ("_", False),
    ],
)
def test_a_patient_is_found_without_accents_by_any_part_and_by_digits(client, manager, typed, found):
    make_patient(
        manager.clinic, name="Álvaro Lôro", social_name="Élia", phone="+5581998765432", cpf="52998224725", nif=""
    )

    assert ("Élia" in client.get(url(Patient), {"q": typed}).text) is found


def test_the_admin_asks_about_an_age_and_a_year_of_two_digits(client, manager):
    typed = {"name": "Ana", "phone": "(81) 98333-1010", "birth_date": "01/01/1901"}

    answer = client.post(url(Patient, "add"), typed)
    assert answer.status_code == 200 and 'name="old_is_right" value="1901-01-01"' in answer.text
    assert "quatro dígitos" in client.post(url(Patient, "add"), typed | {"birth_date": "01/01/25"}).text
    assert Patient.objects.count() == 0
    assert client.post(url(Patient, "add"), typed | {"old_is_right": "1901-01-01"}).status_code == 302
    assert "01/01/1901 (12" in client.get(url(Patient)).text


def test_a_double_is_asked_about_in_the_admin_too(client, manager):
    rita = make_patient(manager.clinic, name="Rita Lima", phone="+5581983331010", cpf=None)
    typed = {"name": "RITA  lima", "phone": "(81) 98333-1010"}

    answer = client.post(url(Patient, "add"), typed)
    assert answer.status_code == 200 and Patient.objects.count() == 1
    assert "Já existe Rita Lima, é a mesma pessoa?" in answer.text and url(Patient, "change", rita.pk) in answer.text
    assert "É outra pessoa: cadastrar" in answer.text
    link = re.search(r"<a [^>]*>É a mesma: abrir em outra aba</a>", answer.text)[0]
    assert 'target="_blank"' in link and 'rel="noopener"' in link  # what was typed stays in this one

    assert client.post(url(Patient, "add"), typed | {"besides": f"x {'9' * 5000} {rita.pk}"}).status_code == 302
    assert Patient.objects.count() == 2
    assert client.post(url(Patient, "change", rita.pk), typed).status_code == 302


@pytest.mark.parametrize(
    "typed", ["davila", "d’avila", "(rita)", "rita.", "Sra. Rita", "tel 98333-1010", "rita, cel. (81) 98333-1010"]
)
def test_the_admin_looks_for_a_patient_as_the_desk_does(client, manager, typed):
    rita = make_patient(manager.clinic, name="Rita D'Ávila", phone="+5581983331010")
    make_patient(manager.clinic, name="Bruno Dias", phone="+5581977772222")

    page = client.get(url(Patient), {"q": typed})
    assert list(page.context["cl"].queryset) == [rita]


@pytest.mark.parametrize("typed", ["davila", "(davila)", "D’Ávila,", "helena davila", "avila."])
def test_the_admin_finds_a_doctor_whatever_stands_between_the_letters(client, manager, typed):
    helena = make_doctor(manager.clinic, name="Dra. Helena D'Ávila")
    make_doctor(manager.clinic, name="Dr. Bruno Dias")

    assert list(client.get(url(Doctor), {"q": typed}).context["cl"].queryset) == [helena]


@pytest.mark.parametrize("mark", "ʹʺʻʼʽˆˈˋː")
@pytest.mark.parametrize(("model", "make"), [(Doctor, make_doctor), (Patient, make_patient)])
def test_the_admin_finds_nobody_by_marks_without_letters(client, manager, model, make, mark):
    helena = make(manager.clinic, name="Helena D’Ávila")
    assert list(client.get(url(model), {"q": mark * 3}).context["cl"].queryset) == []
    assert list(client.get(url(model), {"q": f"D{mark}avila"}).context["cl"].queryset) == [helena]


@pytest.mark.parametrize("model", [*EDITED, *LOOKED_AT])
@pytest.mark.parametrize("typed", ["ánà", "a\0b", "%", "'", "\\", "x" * 1000, "12:00 ☎"])
def test_no_search_breaks_a_list(client, manager, model, typed):
    assert client.get(url(model), {"q": typed}).status_code == 200


def test_results_are_counted_for_a_search_only(client, manager):
    make_patient(manager.clinic, name="Ana Sá")

    assert "Mostrar tudo" not in client.get(url(Patient, "changelist")).text
    assert "1 resultado" in client.get(url(Patient, "changelist"), {"q": "ana"}).text
    assert "Mostrar tudo" in client.get(url(Patient, "changelist"), {"birth_date__isempty": "1"}).text
