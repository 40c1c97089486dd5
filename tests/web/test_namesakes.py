"""Who is called like the new patient is seen while the name is typed, and stands in the way of no booking."""

import re

import pytest
from django.urls import reverse

from clinic.models import Appointment, Patient
from clinic.queries.namesakes import namesakes
from tests.factories import make_clinic, make_patient
from tests.web.test_booking_panel import (
    BOOK,
    CHECK,
    HTMX,
    clinic,
    desk,
    doctor,
    form,
    patient,
    procedure,
    saturday,
)

__all__ = ["clinic", "desk", "doctor", "form", "patient", "procedure", "saturday"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

LUIZ = "Já existe Luiz Gomes, nasc. 28/11/1977, tel. (81) 98888-0001. É esta pessoa?"
ADD = reverse("web:patient-add")


@pytest.fixture
def luiz(clinic):
    return make_patient(clinic, name="Luiz Gomes", phone="+5581988880001", birth_date="1977-11-28")


@pytest.fixture
def typed(form):
    """A new patient with the same name and another phone."""
    return form | {"patient": "", "is_new": "1", "name": "luiz  GOMES", "phone": "(81) 97777-0002"}


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_the_panel_names_a_namesake_before_saving(desk, typed, luiz):
    assert LUIZ in text_of(desk.post(CHECK, typed, headers=HTMX | {"HX-Trigger-Name": "name"}))
    assert LUIZ in text_of(desk.post(CHECK, typed))


def test_the_button_takes_the_namesake(desk, typed, luiz):
    answer = desk.post(CHECK, typed | {"pick": luiz.pk}, headers=HTMX)
    assert f'<input type="hidden" name="patient" value="{luiz.pk}">' in answer.text
    assert "Já existe" not in answer.text and "Novo paciente" not in answer.text


def test_a_namesake_stands_in_the_way_of_no_booking(desk, typed, luiz):
    assert desk.post(BOOK, typed, headers=HTMX).status_code == 200
    assert Appointment.objects.get().patient_id != luiz.pk
    assert Patient.objects.filter(folded_name="luiz gomes").count() == 2


def test_who_is_asked_about_as_a_double_is_named_once(desk, typed, luiz):
    answer = desk.post(BOOK, typed | {"phone": "(81) 98888-0001"}, headers=HTMX)
    assert answer.status_code == 409
    assert "é a mesma pessoa?" in answer.text and "É esta pessoa?" not in answer.text


@pytest.mark.parametrize("name", ["Luiz", "Luiz Gomes Filho", "", "Lu", "\ud800Luiz Gomes", "L\0uiz Gomes"])
def test_another_name_has_no_namesake(clinic, luiz, name):
    assert not namesakes(clinic, name).first


@pytest.mark.parametrize(
    ("stored", "name"),
    [("Luíz Gômes", "Luiz Gomes"), ("Caio D’Ávila", "caio davila"), ("Ana-Rita Sá", "Ana Rita Sá")],
)
def test_accents_and_punctuation_do_not_matter(clinic, stored, name):
    known = make_patient(clinic, name=stored)
    assert namesakes(clinic, name).first == [known]


def test_a_single_word_is_compared_as_the_whole_name(clinic, luiz):
    dandara = make_patient(clinic, name="Dandara")
    assert namesakes(clinic, "DANDARA").first == [dandara]


def test_a_social_name_is_a_name(clinic):
    noa = make_patient(clinic, name="Paulo Reis", social_name="Noa Reis")
    assert namesakes(clinic, "noa reis").first == [noa]


@pytest.mark.usefixtures("luiz")
def test_the_dead_and_patients_of_other_clinics_are_not_named(clinic):
    Patient.objects.update(died=True)
    make_patient(make_clinic(), name="Luiz Gomes")
    assert not namesakes(clinic, "Luiz Gomes").first


def test_three_are_named_and_the_others_counted(desk, clinic, typed, django_assert_num_queries):
    for number in range(5):
        make_patient(clinic, name="Luiz Gomes", phone=f"+558198888000{number}")
    text = text_of(desk.post(CHECK, typed, headers=HTMX))
    assert text.count("Já existe Luiz Gomes") == 3 and "e mais 2" in text
    with django_assert_num_queries(1):
        assert namesakes(clinic, "Luiz Gomes").more == 2


def test_the_page_of_a_new_patient_names_the_namesake(desk, luiz):
    new = {"name": "Luiz Gomes", "phone": "(81) 97777-0002"}
    answer = desk.post(reverse("web:patient-check"), new, headers=HTMX)
    assert LUIZ in text_of(answer)
    assert f'formaction="{reverse("web:patient-edit", args=[luiz.pk])}"' in answer.text


def test_an_edited_name_is_compared_with_the_others_only(desk, clinic, luiz):
    check = reverse("web:patient-check", args=[luiz.pk])
    assert "Já existe" not in desk.post(check, {"name": "Luiz Gomes", "phone": "(81) 98888-0001"}, headers=HTMX).text
    lui = make_patient(clinic, name="Lui Gomes")
    check = reverse("web:patient-check", args=[lui.pk])
    assert LUIZ in text_of(desk.post(check, {"name": "Luiz Gomes", "phone": "(81) 97777-0002"}, headers=HTMX))


@pytest.mark.parametrize(
    ("stored", "born", "number", "is_named"),
    [
        (None, "", "(81) 98888-0003", True),
        ("1980-05-04", "", "(81) 98888-0003", True),
        (None, "04/05/1980", "(81) 98888-0003", True),
        ("1980-05-04", "05/05/1980", "(81) 98888-0003", False),
        (None, "", "(81) 97777-0002", False),
        (None, "", "", False),
    ],
)
@pytest.mark.parametrize("field", ["phone", "second_phone"])
def test_the_same_phone_stands_in_for_a_birth_date(desk, clinic, stored, born, number, is_named, field):
    make_patient(clinic, name="Bárbara Nova da Silva", birth_date=stored, **{field: "+5581988880003"})
    new = {"name": "Barbara Nova Silva", "phone": number, "birth_date": born}
    text = text_of(desk.post(reverse("web:patient-check"), new, headers=HTMX))
    assert ("Já existe Bárbara Nova da Silva" in text) is is_named
