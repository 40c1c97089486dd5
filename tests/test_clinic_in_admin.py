"""The clinic's own phone and address in the admin, and what programs changed of its directory."""

import pytest
from django.urls import reverse

from clinic.models import Clinic, Procedure, RowChange
from clinic.queries.row_changes import in_words
from clinic.registry import Author, change_clinic, place_clinic, register_doctor
from tests.factories import make_clinic, make_lisbon, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[make_clinic, make_lisbon], ids=["Recife", "Lisbon"])
def clinic(request):
    return request.param()


@pytest.fixture
def page(client, clinic):
    client.force_login(make_user(clinic, role="manager"))
    address = reverse("admin:clinic_clinic_change", args=[clinic.pk])

    def ask(**typed):
        if not typed:
            return client.get(address).text
        fields = {"name": clinic.name, "language": clinic.language, "area_code": "", "region": ""}
        return client.post(address, fields | typed)

    return ask


def test_a_phone_is_typed_and_written_as_people_do(clinic, page):
    typed, stored = ("(81) 3344-5566", "+558133445566") if clinic.country == "BR" else ("211 234 567", "+351211234567")
    assert page(phone=typed, address="Praça  Dom\u202e Pedro IV, 12", town="Lisboa").status_code == 302
    clinic.refresh_from_db()
    assert (clinic.phone, clinic.address, clinic.town) == (stored, "Praça Dom Pedro IV, 12", "Lisboa")
    assert f'value="{typed}"' in page()


def test_a_clinics_phone_may_stay_empty(clinic, page):
    assert page(phone="").status_code == 302
    assert Clinic.objects.get().phone == ""


@pytest.mark.parametrize("typed", ["123", "abc", "+351 999"])
def test_a_phone_that_does_not_exist_is_refused_at_its_field(clinic, page, typed):
    answer = page(phone=typed)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors.keys() == {"phone"}
    assert Clinic.objects.get().phone == ""


def test_a_clinics_history_names_what_programs_changed(clinic, page):
    by = Author(channel="mivicall", credential="Gestão da rede")
    register_doctor(clinic, name="Dra. Inês Falcão", by=by)
    change_clinic(clinic, {"town": "Olinda"}, by)
    portugal = clinic.country == "PT"
    text = page()
    assert f"Gestão da rede: {'Adicionado' if portugal else 'Incluído'}: Dra. Inês Falcão." in text
    assert f"{'localidade' if portugal else 'cidade'} de vazio para “Olinda”." in text


def test_a_changed_region_is_named_and_not_coded(clinic, page):
    code, name = ("11", "Lisboa") if clinic.country == "PT" else ("PE", "Pernambuco")
    by = Author(channel="browser", user=make_user(clinic, role="manager"))
    place_clinic(clinic, region=code, town="", observes_holidays=True, by=by)
    assert f"de vazio para “{name}”" in page()
    change = RowChange.objects.get(table="clinic", act="changed", after__has_key="region")
    assert name in [said.after for said in in_words(change, clinic, {})]


def test_names_are_kept_without_marks_of_direction(clinic, page, client):
    assert page(name="Clínica\u202e  \ufeffNova").status_code == 302
    typed = {"name": "Eco\u2067grafia", "price": "10", "duration_minutes": "30", "active": "on"}
    client.post(reverse("admin:clinic_procedure_add"), typed)
    assert (Clinic.objects.get().name, Procedure.objects.get().name) == ("Clínica Nova", "Ecografia")
