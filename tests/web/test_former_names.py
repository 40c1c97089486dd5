"""The names that patients had: kept at a change, found by the search of the desk, shown, forgotten by a redaction."""

from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from clinic.access import access_tokens, api_keys
from clinic.models import ApiKey, FormerName, Patient
from clinic.queries import patient_card, patients
from clinic.registry import Author, change_patient, redact_patient
from tests.factories import make_clinic, make_master, make_patient, make_user
from tests.web.patients import HTMX, typed_of

pytestmark = pytest.mark.django_db
BY = Author(channel="command", credential="tests")


@pytest.fixture
def ana(clinic):
    """Ana Lima, who was Ana Souza."""
    patient = make_patient(clinic, name="Ana Souza")
    return rename(patient, "Ana Lima")


def rename(patient, name, **changes):
    return change_patient(patient.pk, {"name": name, **changes}, clinic=patient.clinic, by=BY)


def former(patient):
    return patient_card.former_names(patient)


def found(clinic, text):
    return [(patient.name, patient.found_by) for patient in patients.search(clinic, text, widely=True)]


def test_another_name_leaves_the_former_one(clinic, ana):
    assert former(ana) == ["Ana Souza"]
    rename(ana, "Ana Prado")
    assert former(ana) == ["Ana Lima", "Ana Souza"]


@pytest.mark.parametrize("same", ["ana  SOUZA", "Aná Sóuza"])
def test_a_name_with_the_same_letters_is_none(clinic, same):
    patient = make_patient(clinic, name="Ana Souza")
    rename(patient, same)
    assert former(patient) == []


def test_a_name_taken_back_is_no_former_one(ana):
    rename(ana, "Ana Souza")
    assert former(ana) == ["Ana Lima"]


def test_another_phone_leaves_no_name(ana):
    change_patient(ana.pk, {"alert": "surda"}, clinic=ana.clinic, by=BY)
    assert former(ana) == ["Ana Souza"]


@pytest.mark.parametrize(
    "steps",
    [
        [{"name": "Amanda Araújo", "social_name": "Amanda"}],
        [{"name": "Amanda Araújo"}, {"social_name": "Amanda"}],
        [{"name": "Amanda Araújo"}, {"social_name": "Amanda"}, {"social_name": ""}, {"name": "Amanda Lins"}],
    ],
    ids=["at once", "later", "dropped"],
)
def test_a_social_name_makes_the_former_ones_forgotten(clinic, steps):
    patient = make_patient(clinic, name="Armando Araújo")
    for changes in steps:
        change_patient(patient.pk, changes, clinic=clinic, by=BY)
    assert "Armando Araújo" not in former(patient)


@pytest.mark.parametrize("changes", [{}, {"social_name": ""}])
def test_of_who_has_a_social_name_nothing_is_kept(clinic, changes):
    patient = make_patient(clinic, name="Pedro Lima", social_name="Petra")
    rename(patient, "Petra Lima", **changes)
    assert former(patient) == [] and found(clinic, "pedro lima") == []


@pytest.mark.parametrize("text", ["ana souza", "souza", "Sóuza ana", "SOUZA"])
def test_the_former_name_finds_the_patient_and_says_so(clinic, ana, text):
    assert found(clinic, text) == [("Ana Lima", "Ana Souza")]


def test_the_present_name_finds_without_a_word_of_the_former(clinic, ana):
    assert found(clinic, "ana") == found(clinic, "lima") == [("Ana Lima", "")]


def test_of_several_former_names_the_latest_is_named(clinic, ana):
    rename(ana, "Ana Souza Prado"), rename(ana, "Beatriz Sá")
    assert found(clinic, "souza") == [("Beatriz Sá", "Ana Souza Prado")]


def test_those_called_so_now_come_first(clinic, ana):
    make_patient(clinic, name="Zoé Souza")
    assert found(clinic, "souza") == [("Zoé Souza", ""), ("Ana Lima", "Ana Souza")]


def test_a_former_name_is_found_before_names_that_sound_alike(clinic, ana):
    make_patient(clinic, name="Ana Sousa")
    assert found(clinic, "souza") == [("Ana Lima", "Ana Souza"), ("Ana Sousa", "")]


def test_a_number_beside_it_has_to_fit(clinic, ana):
    assert found(clinic, f"souza {ana.phone.as_national}") == [("Ana Lima", "Ana Souza")]
    assert found(clinic, "souza 81 99999-0000") == []


def test_other_clinics_and_the_dead_are_left_out(clinic, ana):
    assert found(make_clinic(), "souza") == []
    Patient.objects.filter(pk=ana.pk).update(died=True)
    assert found(clinic, "souza") == []
    assert len(patients.search(clinic, "souza", widely=True, dead_too=True)) == 1


def test_without_a_hit_it_is_one_query_more(clinic, django_assert_num_queries):
    with django_assert_num_queries(4):  # begun, others, former, heard
        assert not patients.search(clinic, "ninguem", widely=True)


def test_the_card_and_both_searches_say_the_former_name(desk, clinic):
    patient = make_patient(clinic, name="Ana Souza")
    desk.post(f"/pacientes/{patient.pk}/editar/", typed_of(patient, name="Ana Lima"))
    card = " ".join(desk.get(f"/pacientes/{patient.pk}/").text.split())
    assert "antes: <bdi>Ana Souza</bdi>" in card
    for address in ("/pacientes/", "/pacientes/busca/"):
        hits = " ".join(desk.post(address, {"q": "ana souza"}, headers=HTMX).text.split())
        assert "Ana Lima" in hits and "antes <bdi>Ana Souza</bdi>" in hits, address
        assert "antes <bdi>" not in desk.post(address, {"q": "ana lima"}, headers=HTMX).text


def test_an_api_renames_too_and_finds_nobody_by_the_former(client, clinic):
    patient = make_patient(clinic, name="Ana Souza")
    _, token = access_tokens.release(clinic, make_master(clinic), channel="command")
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.patch(
        f"/api/patients/{patient.pk}", {"name": "Ana Lima"}, content_type="application/json", headers=headers
    )
    assert answer.status_code == 200, answer.text
    assert former(patient) == ["Ana Souza"]
    assert "Ana Lima" not in client.get("/api/patients", {"name": "souza"}, headers=headers).text
    every = {"scopes": ApiKey.Scope.values, "source": "voice_ai", "is_live": True}
    _, key = api_keys.create(clinic, name="central", **every, by=None, channel="command")
    shown = client.get("/v1/patients", {"search": "souza"}, headers={"Authorization": f"Bearer {key}"})
    assert shown.status_code == 200 and "Ana Lima" not in shown.text


def test_a_redaction_forgets_them(ana):
    redact_patient(ana.pk, clinic=ana.clinic, by=Author("browser", user=make_user(ana.clinic)), reason="pedido")
    assert former(ana) == []


def test_histories_of_before_are_read_once(clinic, ana):
    rename(ana, "Ana Prado")
    social = make_patient(clinic, name="Pedro Lima")
    rename(social, "Petra Lima"), change_patient(social.pk, {"social_name": "Petra"}, clinic=clinic, by=BY)
    FormerName.objects.all().delete()
    migration = import_module("clinic.migrations.0065_former_names")
    with connection.cursor() as cursor:
        cursor.execute(migration.FROM_HISTORY)
    assert set(former(ana)) == {"Ana Souza", "Ana Lima"} and former(social) == []
    assert FormerName.objects.filter(until__lte=timezone.now()).count() == 2
