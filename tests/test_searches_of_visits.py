"""Whom and what the administration's lists of appointments and events find, and what they say of their own limits."""

import pytest
from django.urls import reverse
from django.utils.formats import get_format

from clinic.access import access_tokens, api_keys
from clinic.admin import appointment as appointments
from clinic.admin.base import ShortPaginator
from clinic.booking import Author, change_status
from clinic.models import Appointment, AppointmentEvent, Patient
from tests.factories import book_appointment, make_clinic, make_doctor, make_manager, make_master, make_patient

pytestmark = pytest.mark.django_db

LISTS = [Appointment, AppointmentEvent]


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def manager(client, clinic):
    client.force_login(make_manager(clinic))
    return client


def page(manager, model, **asked):
    return manager.get(reverse(f"admin:clinic_{model._meta.model_name}_changelist"), asked)


def found(manager, model, typed):
    rows = page(manager, model, q=typed).context["cl"].queryset
    return {row.pk if model is Appointment else row.appointment_id for row in rows}


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("typed", ["gilda", "Gilda Ramos", "98333-1010", "529.982.247-25", "sra. gilda"])
def test_the_visits_of_who_died_are_found(manager, clinic, model, typed):
    gilda = make_patient(clinic, name="Gilda Ramos", phone="+5581983331010", cpf="52998224725")
    visit = book_appointment(make_doctor(clinic), patient=gilda.pk)
    book_appointment(make_doctor(clinic))
    Patient.objects.filter(pk=gilda.pk).update(died=True)

    assert found(manager, model, typed) == {visit.pk}


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("typed", ["davila", "(avila)", "D’Ávila,", "luis davila", "d'avila", "Dr. Luís"])
def test_the_visits_of_a_doctor_are_found_by_letters(manager, clinic, model, typed):
    visit = book_appointment(make_doctor(clinic, name="Dr. Luís D'Ávila"))
    book_appointment(make_doctor(clinic, name="Dr. Bruno Dias"))

    assert found(manager, model, typed) == {visit.pk}


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("typed", ["()", "☎", "%", "zzz"])
def test_a_text_that_names_nobody_finds_nothing(manager, clinic, model, typed):
    book_appointment(make_doctor(clinic))

    assert found(manager, model, typed) == set()


def confirmed_by(clinic, **author):
    visit = book_appointment(make_doctor(clinic))
    change_status(visit.pk, "confirmed", clinic=clinic, by=Author(**author))
    return visit


@pytest.mark.parametrize("typed", ["bia.souza", "BIA", "souza", "beatriz", "Beatriz Anta"])
def test_events_are_found_by_who_did_it(manager, clinic, typed):
    bia = make_manager(clinic, username="bia.souza", name="Beatriz Antá")
    visit = confirmed_by(clinic, channel="browser", user=bia)
    confirmed_by(clinic, channel="browser", user=make_manager(clinic, username="rui", name="Rui"))

    assert found(manager, AppointmentEvent, typed) == {visit.pk}


@pytest.mark.parametrize("typed", ["central", "Central de voz", "VOZ", "central voz", "entra"])
def test_events_are_found_by_the_key_that_did_it(manager, clinic, typed):
    for name in ("Central de voz", "Bot"):
        whole = {"scopes": ["directory:read"], "source": "voice_ai", "is_live": True, "by": None, "channel": "command"}
        api_keys.create(clinic, name=name, **whole)
    visit = confirmed_by(clinic, channel="mivicall", credential="Central de voz")
    confirmed_by(clinic, channel="mivicall", credential="Bot")

    assert found(manager, AppointmentEvent, typed) == {visit.pk}


@pytest.mark.parametrize("form", ["{}", "token {}", "TOKEN {}"])
def test_events_are_found_by_the_token_that_did_it(manager, clinic, form):
    master = make_master(clinic)
    token, _ = access_tokens.release(clinic, master, channel="command")
    visit = confirmed_by(clinic, channel="imagemais", user=master, credential=f"token {token}")
    confirmed_by(clinic, channel="browser", user=make_manager(clinic))

    assert found(manager, AppointmentEvent, form.format(token)) == {visit.pk}


def test_another_clinics_users_and_keys_find_nothing(manager, clinic):
    make_manager(make_clinic(), username="estranho")
    book_appointment(make_doctor(clinic))

    assert found(manager, AppointmentEvent, "estranho") == set()


@pytest.mark.parametrize("model", LISTS)
def test_the_list_says_how_many_patients_a_search_covers(manager, model):
    assert f"no máximo {appointments.MAX_PATIENTS} pacientes" in page(manager, model).text


@pytest.mark.parametrize(("rows", "sentence"), [(3, "{}: mais de 2"), (2, "2 {}"), (1, "1 {}")])
@pytest.mark.parametrize("model", [*LISTS, Patient])
def test_a_list_that_stops_counting_says_so(manager, clinic, monkeypatch, model, rows, sentence):
    monkeypatch.setattr(ShortPaginator, "MAX_COUNT", 2)
    for _ in range(rows):
        book_appointment(make_doctor(clinic), patient=make_patient(clinic, name="Ana Souza").pk)

    for asked in ({}, {"q": "ana"}):
        answer = page(manager, model, **asked)
        assert ("mais de 2" in answer.text) == (rows == 3)
        names = model._meta.verbose_name if rows == 1 else model._meta.verbose_name_plural
        assert sentence.format(names) in " ".join(answer.text.split())


@pytest.mark.parametrize("language", ["pt-br", "pt-pt"])
def test_now_beside_a_time_is_written_without_seconds(language):
    assert get_format("TIME_INPUT_FORMATS", language)[0] == "%H:%M"
