"""Which patient is meant; registering and editing."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from clinic.booking import (
    CpfPolicy,
    PatientDetails,
    Reason,
    check,
    check_patient,
    edit_patient,
    register_patient,
    same_patients,
)
from clinic.models import Patient
from tests.booking.desk import details, open_desk, refused
from tests.factories import cpf, make_clinic, make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def joao(desk):
    """Somebody of whom only name and phone are known."""
    return make_patient(desk.clinic, name="João  da Silva", phone="+5581998765432", cpf=None, birth_date=None)


def booked_patient(desk, hour=9, policy=CpfPolicy.STRICT, **typed):
    return desk.book(details=details(**typed), policy=policy, starts_at=desk.at(hour)).patient


def test_name_and_phone_are_enough_for_a_new_patient(desk):
    patient = booked_patient(desk, name=" Maria   José ", phone="(81) 3456-7890")

    patient.refresh_from_db()
    assert (patient.name, patient.phone, patient.cpf) == ("Maria José", "+558134567890", None)
    assert patient.is_incomplete


@pytest.mark.parametrize("name", ["João da Silva", "joao da silva", "JOÃO   DA  SILVA ", "Joa\u0303o da Silva"])
def test_a_namesake_on_the_same_phone_is_the_same_patient_however_it_is_typed(desk, joao, name):
    assert booked_patient(desk, name=name, phone="81998765432") == joao


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Jørgen Łukasz", "Jorgen Lukasz"),
        ("Rita D'Ávila", "rita d’avila"),
        ("Eva Müller-Weiß", "Eva Muller Weiss"),
        ("Đặng Thị", "dang thi"),
        ("Ægir Þór", "Aegir Thor"),
    ],
)
def test_names_are_compared_by_their_letters_with_and_without_a_cpf(desk, stored, typed):
    known = make_patient(desk.clinic, name=stored, phone="+5581998765432")

    assert booked_patient(desk, name=typed, phone="81998765432", cpf=known.cpf) == known
    assert booked_patient(desk, name=typed, phone="81998765432", hour=10) == known


@pytest.mark.parametrize("typed", [{"name": "Joana da Silva"}, {"phone": "(81) 99876-5433"}])
def test_another_name_or_another_phone_is_another_patient(desk, joao, typed):
    assert booked_patient(desk, **typed) != joao


def test_a_namesake_with_another_birth_date_is_the_son_and_the_next_time_each_is_found(desk):
    father = booked_patient(desk, birth_date=date(1960, 1, 1))
    son = booked_patient(desk, birth_date=date(1990, 1, 1), hour=10)

    assert son != father
    assert booked_patient(desk, birth_date=date(1990, 1, 1), hour=11) == son
    assert booked_patient(desk, birth_date=date(1960, 1, 1), hour=14) == father


def test_a_namesake_with_another_cpf_is_somebody_else(desk):
    first = booked_patient(desk, cpf=cpf(400_000_001))

    assert booked_patient(desk, cpf=cpf(400_000_002), hour=10) != first


def test_a_known_patients_blanks_are_filled_and_nothing_is_overwritten(desk, joao):
    booked_patient(desk, cpf=cpf(400_000_003), birth_date=date(1970, 2, 3), email="joao@exemplo.com")

    joao.refresh_from_db()
    assert (joao.cpf, joao.birth_date, joao.email) == (cpf(400_000_003), date(1970, 2, 3), "joao@exemplo.com")

    same = booked_patient(
        desk,
        name="JOAO DA SILVA",
        phone="(81) 3333-4444",
        cpf=cpf(400_000_003),
        email="outro@exemplo.com",
        social_name="Jota",
        hour=10,
    )

    joao.refresh_from_db()
    assert same == joao
    assert (joao.name, joao.phone, joao.email) == ("João  da Silva", "+5581998765432", "joao@exemplo.com")
    assert joao.social_name == "Jota"


def test_a_refused_booking_fills_no_blanks_and_adds_nobody(desk, joao):
    for typed in ({}, {"name": "Alguém Novo"}):
        refused(desk.book, details=details(cpf=cpf(400_000_004), **typed), starts_at=desk.at(12))

    joao.refresh_from_db()
    assert joao.cpf is None
    assert Patient.objects.of(desk.clinic).count() == 2


def test_at_the_counter_a_cpf_with_another_name_is_refused_but_the_social_name_is_that_patients(desk):
    ana = make_patient(desk.clinic, name="Antônio Reis", social_name="Ana Reis")

    assert refused(desk.book, details=details(cpf=ana.cpf)).reasons == {Reason.CPF_TAKEN}
    assert booked_patient(desk, name="ana reis", cpf=ana.cpf) == ana


def test_an_api_knows_a_patient_by_the_cpf_alone(desk):
    assert booked_patient(desk, name="A. Souza", cpf=desk.patient.cpf, policy=CpfPolicy.LENIENT) == desk.patient


@pytest.mark.parametrize("policy", CpfPolicy)
def test_a_cpf_with_another_birth_date_is_refused_to_everybody(desk, policy):
    typed = details(name="Ana Souza", cpf=desk.patient.cpf, birth_date=date(1999, 9, 9))

    assert refused(desk.book, details=typed, policy=policy).reasons == {Reason.CPF_OTHER_BIRTH_DATE}
    assert check(desk.proposal(details=typed, policy=policy), now=desk.now).reasons == {Reason.CPF_OTHER_BIRTH_DATE}


def test_an_api_may_send_a_doubtful_cpf_which_is_kept_beside_the_appointment_only(desk):
    appointment = desk.book(details=details(cpf="123.456.789-00"), policy=CpfPolicy.LENIENT)

    assert appointment.typed_cpf == "12345678900"
    assert appointment.patient.cpf is None


def test_a_strict_clinic_takes_a_doubtful_cpf_from_nobody():
    desk = open_desk(strict_cpf=True)
    typed = details(cpf="123.456.789-00")

    assert refused(desk.book, details=typed, policy=CpfPolicy.LENIENT).reasons == {Reason.CPF_INVALID}


def test_a_patient_of_another_clinic_is_never_meant(desk):
    other = make_patient(make_clinic(), name="João da Silva", phone="+5581998765432", cpf=cpf(400_000_005))

    patient = booked_patient(desk, cpf=other.cpf)

    assert patient != other
    assert (patient.clinic, patient.cpf) == (desk.clinic, other.cpf)


# Registering and editing


FULL = {
    "name": "Íris Nóbrega",
    "social_name": "Ira",
    "phone": "+351 912 345 678",
    "birth_date": date(1988, 8, 8),
    "cpf": "529.982.247-25",
    "nif": "123 456 789",
    "email": "iris@exemplo.pt",
    "notes": "linha 1\r\nlinha 2",
}


def test_a_registered_patient_is_stored_as_typed_but_for_punctuation(desk):
    patient = register_patient(desk.clinic, PatientDetails(**FULL))

    patient.refresh_from_db()
    assert (patient.cpf, patient.nif, patient.phone) == ("52998224725", "123456789", "+351912345678")
    assert (patient.name, patient.called, patient.birth_date) == ("Íris Nóbrega", "Ira", date(1988, 8, 8))
    assert (patient.email, patient.notes) == ("iris@exemplo.pt", "linha 1\nlinha 2")


def test_a_second_patient_may_share_neither_the_cpf_nor_name_and_phone(desk):
    register_patient(desk.clinic, PatientDetails(**FULL))

    [refusal] = refused(register_patient, desk.clinic, PatientDetails(**FULL)).refusals
    assert (refusal.reason, refusal.field) == (Reason.CPF_TAKEN, "cpf")
    assert refusal.message == "Este CPF já é de Ira. Escolha esse cadastro na busca ou corrija o número."
    assert check_patient(PatientDetails(**FULL), clinic=desk.clinic) == [refusal]
    [refusal] = refused(register_patient, desk.clinic, PatientDetails(**FULL | {"cpf": ""})).refusals
    assert refusal.reason is Reason.PATIENT_EXISTS
    register_patient(make_clinic(), PatientDetails(**FULL))


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "JOAO DA SILVA"},
        {"name": "joão  da   silva", "phone": "+55 81 99876-5432"},
        {"name": "João-da Silva", "birth_date": date(1970, 1, 1)},
        {"name": "João daSilva", "cpf": cpf(400_000_020)},
        {"name": "(João) da Silva.", "email": "joao@exemplo.com"},
    ],
)
def test_who_is_there_is_registered_again_only_after_a_look(desk, joao, typed):
    typed = PatientDetails(**{"phone": "81998765432"} | typed)
    before = Patient.objects.count()

    assert refused(register_patient, desk.clinic, typed).reasons == {Reason.PATIENT_EXISTS}
    assert same_patients(desk.clinic, typed) == [joao]
    assert Patient.objects.count() == before
    other = register_patient(desk.clinic, typed, besides=[joao.pk])
    assert other != joao
    assert refused(register_patient, desk.clinic, replace(typed, cpf=""), besides=[joao.pk]).reasons == {
        Reason.PATIENT_EXISTS
    }


@pytest.mark.parametrize(
    "typed", [{"name": "Joana da Silva"}, {"phone": "81998765433"}, {"birth_date": date(1990, 1, 1)}, {"phone": "1"}]
)
def test_nobody_is_asked_about_another_person(desk, joao, typed):
    Patient.objects.filter(pk=joao.pk).update(birth_date=date(1960, 1, 1))
    typed = PatientDetails(**{"name": "João da Silva", "phone": "81998765432"} | typed)

    assert same_patients(desk.clinic, typed) == []


def test_a_booking_for_another_namesake_takes_the_next_one_or_adds_one(desk, joao):
    other = booked_patient(desk, name="João da Silva", phone="81998765432")
    assert other == joao
    another = desk.book(
        details=details(name="João da Silva", phone="81998765432"), besides=(joao.pk,), starts_at=desk.at(10)
    ).patient
    assert another != joao
    both = (joao.pk, another.pk)
    third = desk.book(details=details(name="João da Silva", phone="81998765432"), besides=both, starts_at=desk.at(11))
    assert third.patient_id not in both


def test_a_patient_sent_twice_with_one_key_is_registered_once(desk):
    key = uuid4()
    first = register_patient(desk.clinic, PatientDetails(**FULL), key=key)

    assert register_patient(desk.clinic, PatientDetails(**FULL), key=key) == first
    assert register_patient(desk.clinic, PatientDetails(**FULL | {"cpf": "", "name": "Outra"}), key=key) != first
    assert refused(register_patient, desk.clinic, PatientDetails(**FULL), key=uuid4()).reasons == {Reason.CPF_TAKEN}


def test_an_edited_patient_keeps_the_own_cpf_and_may_lose_what_is_emptied(desk):
    patient = register_patient(desk.clinic, PatientDetails(**FULL))

    assert check_patient(PatientDetails(**FULL), clinic=desk.clinic, patient_id=patient.pk) == []
    edit_patient(patient.pk, PatientDetails(**FULL | {"social_name": "", "birth_date": None}), clinic=desk.clinic)

    patient.refresh_from_db()
    assert (patient.cpf, patient.called, patient.birth_date) == ("52998224725", "Íris Nóbrega", None)


def test_an_edit_that_breaks_rules_changes_nothing(desk):
    patient = register_patient(desk.clinic, PatientDetails(**FULL))
    wrong = PatientDetails(**FULL | {"name": "", "phone": "1", "cpf": desk.patient.cpf})

    refusal = refused(edit_patient, patient.pk, wrong, clinic=desk.clinic)

    assert refusal.reasons == {Reason.NAME_MISSING, Reason.PHONE_IMPOSSIBLE, Reason.CPF_TAKEN}
    patient.refresh_from_db()
    assert patient.name == "Íris Nóbrega"


def test_another_clinics_patient_cannot_be_edited(desk):
    for pk in (make_patient().pk, 10**30):
        with pytest.raises(Patient.DoesNotExist):
            edit_patient(pk, PatientDetails(**FULL), clinic=desk.clinic)


# Phones


@pytest.mark.parametrize(
    ("country", "typed", "stored"),
    [
        ("BR", "(81) 99876-5432", "+5581998765432"),
        ("BR", "81998765432", "+5581998765432"),
        ("BR", " 81 9 9876.5432 ", "+5581998765432"),
        ("BR", "081 99876-5432", "+5581998765432"),
        ("BR", "+55 81 99876-5432", "+5581998765432"),
        ("BR", "(81) 3456-7890", "+558134567890"),
        ("BR", "+351 912 345 678", "+351912345678"),
        ("BR", "+1 212 555 0123", "+12125550123"),
        ("PT", "912 345 678", "+351912345678"),
        ("PT", "00351 912345678", "+351912345678"),
        ("PT", "212 345 678", "+351212345678"),
        ("PT", "+55 (81) 99876-5432", "+5581998765432"),
        ("PT", "0055 81 99876 5432", "+5581998765432"),
    ],
)
def test_a_phone_is_read_as_people_of_that_country_write_it(country, typed, stored):
    desk = open_desk(country=country)

    assert booked_patient(desk, phone=typed).phone == stored


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("BR", "99876-5432"),
        ("BR", "3456-7890"),
        ("BR", "+55 99876-5432"),
        ("BR", "912 345 678"),
        ("BR", "190"),
        ("BR", "81 99876-5432 ramal 12"),
        ("BR", "(81) 99876-54321"),
        ("BR", "00000000000"),
        ("BR", "telefone"),
        ("BR", "9" * 300),
        ("BR", "+"),
        ("BR", "+999 123456789"),
        ("PT", "2345678"),
        ("PT", "81 99876-5432"),
    ],
)
def test_a_phone_that_nobody_can_call_is_refused(country, typed):
    desk = open_desk(country=country)

    assert refused(desk.book, details=details(phone=typed)).reasons == {Reason.PHONE_IMPOSSIBLE}
