"""Which patient is meant; registering and editing."""

from dataclasses import asdict, fields, replace
from datetime import date
from uuid import uuid4

import pytest
from django.db import transaction

from clinic.booking import check
from clinic.booking.sql import load_rows
from clinic.models import Patient
from clinic.refusals import Reason
from clinic.registry import (
    PHONE_FAULTS,
    PatientDetails,
    Policy,
    change_patient,
    check_patient,
    details_of,
    patient_version,
    register_patient,
    same_patients,
)
from clinic.registry.patient_details import clean_details
from clinic.registry.sql import FoundPatients, by_name_and_phone
from clinic.web.patient.forms import PatientForm
from tests.booking.desk import BY, details, open_desk, refused
from tests.factories import cpf, make_clinic, make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def joao(desk):
    """Somebody of whom only name and phone are known."""
    return make_patient(desk.clinic, name="João  da Silva", phone="+5581998765432", cpf=None, birth_date=None)


def booked_patient(desk, hour=9, policy=Policy.STRICT, **typed):
    return desk.book(details=details(**typed), policy=policy, starts_at=desk.at(hour)).patient


def test_name_and_phone_are_enough_for_a_new_patient(desk):
    patient = booked_patient(desk, name=" Maria   José ", phone="(81) 3456-7890")

    patient.refresh_from_db()
    assert (patient.name, patient.phone, patient.cpf) == ("Maria José", "+558134567890", None)
    assert patient.is_incomplete


@pytest.mark.parametrize("name", ["João da Silva", "joao da silva", "JOÃO   DA  SILVA ", "Joa\u0303o da Silva"])
def test_same_name_and_phone_in_any_spelling_is_the_same_patient(desk, joao, name):
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


@pytest.mark.parametrize(("typed", "compared"), [({}, 0), ({"cpf": "529.982.247-25"}, 1)])
def test_a_known_patient_is_found_with_the_doctor(desk, typed, compared, django_assert_num_queries):
    known = make_patient(desk.clinic, name="João da Silva", phone="+5581998765432", cpf="52998224725")
    proposal = desk.proposal(details=details(**typed), policy=Policy.LENIENT)

    with django_assert_num_queries(2):  # the rows, and what lies around the time
        assert check(proposal, now=desk.now) is None
    # These two, the appointment, a savepoint and its release; and the name, where people wrote a CPF with it.
    with django_assert_num_queries(5 + compared):
        assert desk.book(details=details(**typed)).patient == known


@pytest.mark.parametrize("lock", [False, True])
@pytest.mark.parametrize("name", ["João da Silva", "Joana da Silva"])
def test_rows_loaded_by_a_search_leave_open_who_is_meant(desk, joao, name, lock):
    search = by_name_and_phone(name, ["+5581998765432"])
    with transaction.atomic():
        rows = load_rows(desk.clinic, doctor=desk.doctor.pk, search=search, lock=lock)

    assert (rows.patient, rows.found) == (None, FoundPatients(search, [joao] if name == "João da Silva" else []))


def test_of_several_namesakes_the_first_is_meant(desk, joao):
    make_patient(desk.clinic, name="João da Silva", phone="+5581998765432", cpf=None, birth_date=None)

    assert booked_patient(desk) == joao


def test_namesake_with_other_birth_date_is_a_new_patient(desk):
    father = booked_patient(desk, birth_date=date(1960, 1, 1))
    son = booked_patient(desk, birth_date=date(1990, 1, 1), hour=10)

    assert son != father
    assert booked_patient(desk, birth_date=date(1990, 1, 1), hour=11) == son
    assert booked_patient(desk, birth_date=date(1960, 1, 1), hour=14) == father


def test_namesake_with_another_cpf_is_another_patient(desk):
    first = booked_patient(desk, cpf=cpf(400_000_001))

    assert booked_patient(desk, cpf=cpf(400_000_002), hour=10) != first


def test_booking_fills_blanks_of_known_patient_and_keeps_the_rest(desk, joao):
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


def test_strict_cpf_needs_same_name_or_social_name(desk):
    ana = make_patient(desk.clinic, name="Antônio Reis", social_name="Ana Reis")

    assert refused(desk.book, details=details(cpf=ana.cpf)).reasons == {Reason.CPF_TAKEN}
    assert booked_patient(desk, name="ana reis", cpf=ana.cpf) == ana


def test_an_api_knows_a_patient_by_the_cpf_alone(desk):
    assert booked_patient(desk, name="A. Souza", cpf=desk.patient.cpf, policy=Policy.LENIENT) == desk.patient


@pytest.mark.parametrize("policy", Policy)
def test_a_cpf_with_another_birth_date_is_refused_to_everybody(desk, policy):
    typed = details(name="Ana Souza", cpf=desk.patient.cpf, birth_date=date(1999, 9, 9))

    assert refused(desk.book, details=typed, policy=policy).reasons == {Reason.CPF_OTHER_BIRTH_DATE}
    assert check(desk.proposal(details=typed, policy=policy), now=desk.now).reasons == {Reason.CPF_OTHER_BIRTH_DATE}


def test_unverified_cpf_from_api_is_kept_on_the_appointment_only(desk):
    appointment = desk.book(details=details(cpf="123.456.789-00"), policy=Policy.LENIENT)

    assert appointment.unverified_cpf == "12345678900"
    assert appointment.patient.cpf is None


def test_a_strict_clinic_takes_a_doubtful_cpf_from_nobody():
    desk = open_desk(strict_cpf=True)
    typed = details(cpf="123.456.789-00")

    assert refused(desk.book, details=typed, policy=Policy.LENIENT).reasons == {Reason.CPF_INVALID}


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
    patient = register_patient(desk.clinic, PatientDetails(**FULL), by=BY)

    patient.refresh_from_db()
    assert (patient.cpf, patient.nif, patient.phone) == ("52998224725", "123456789", "+351912345678")
    assert (patient.name, patient.display_name, patient.birth_date) == ("Íris Nóbrega", "Ira", date(1988, 8, 8))
    assert (patient.email, patient.notes) == ("iris@exemplo.pt", "linha 1\nlinha 2")


def test_second_patient_may_not_share_cpf_or_name_and_phone(desk):
    register_patient(desk.clinic, PatientDetails(**FULL), by=BY)

    [refusal] = refused(register_patient, desk.clinic, PatientDetails(**FULL), by=BY).refusals
    assert (refusal.reason, refusal.field) == (Reason.CPF_TAKEN, "cpf")
    assert refusal.message == "Este CPF já é de Ira. Escolha esse cadastro na busca ou corrija o número."
    assert check_patient(PatientDetails(**FULL), clinic=desk.clinic) == [refusal]
    [refusal] = refused(register_patient, desk.clinic, PatientDetails(**FULL | {"cpf": ""}), by=BY).refusals
    assert refusal.reason is Reason.PATIENT_EXISTS
    register_patient(make_clinic(), PatientDetails(**FULL), by=BY)


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
def test_known_patient_is_registered_again_only_after_confirmation(desk, joao, typed):
    typed = PatientDetails(**{"phone": "81998765432"} | typed)
    before = Patient.objects.count()

    assert refused(register_patient, desk.clinic, typed, by=BY).reasons == {Reason.PATIENT_EXISTS}
    assert same_patients(desk.clinic, typed) == [joao]
    assert Patient.objects.count() == before
    other = register_patient(desk.clinic, typed, besides=[joao.pk], by=BY)
    assert other != joao
    assert refused(register_patient, desk.clinic, replace(typed, cpf=""), besides=[joao.pk], by=BY).reasons == {
        Reason.PATIENT_EXISTS
    }


@pytest.mark.parametrize(
    "typed", [{"name": "Joana da Silva"}, {"phone": "81998765433"}, {"birth_date": date(1990, 1, 1)}, {"phone": "1"}]
)
def test_nobody_is_asked_about_another_person(desk, joao, typed):
    Patient.objects.filter(pk=joao.pk).update(birth_date=date(1960, 1, 1))
    typed = PatientDetails(**{"name": "João da Silva", "phone": "81998765432"} | typed)

    assert same_patients(desk.clinic, typed) == []


def test_booking_besides_a_namesake_takes_the_next_or_adds_one(desk, joao):
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
    first = register_patient(desk.clinic, PatientDetails(**FULL), key=key, by=BY)

    assert register_patient(desk.clinic, PatientDetails(**FULL), key=key, by=BY) == first
    assert register_patient(desk.clinic, PatientDetails(**FULL | {"cpf": "", "name": "Outra"}), key=key, by=BY) != first
    assert refused(register_patient, desk.clinic, PatientDetails(**FULL), key=uuid4(), by=BY).reasons == {
        Reason.CPF_TAKEN
    }


def test_edited_patient_keeps_own_cpf_and_loses_emptied_fields(desk):
    patient = register_patient(desk.clinic, PatientDetails(**FULL), by=BY)

    assert check_patient(PatientDetails(**FULL), clinic=desk.clinic, patient_id=patient.pk) == []
    change_patient(
        patient.pk, asdict(PatientDetails(**FULL | {"social_name": "", "birth_date": None})), clinic=desk.clinic, by=BY
    )

    patient.refresh_from_db()
    assert (patient.cpf, patient.display_name, patient.birth_date) == ("52998224725", "Íris Nóbrega", None)


def test_an_edit_that_breaks_rules_changes_nothing(desk):
    patient = register_patient(desk.clinic, PatientDetails(**FULL), by=BY)
    wrong = PatientDetails(**FULL | {"name": "", "phone": "1", "cpf": desk.patient.cpf})

    refusal = refused(change_patient, patient.pk, asdict(wrong), clinic=desk.clinic, by=BY)

    assert refusal.reasons == {Reason.NAME_MISSING, Reason.PHONE_IMPOSSIBLE, Reason.CPF_TAKEN}
    patient.refresh_from_db()
    assert patient.name == "Íris Nóbrega"


def test_another_clinics_patient_cannot_be_edited(desk):
    for pk in (make_patient().pk, 10**30):
        with pytest.raises(Patient.DoesNotExist):
            change_patient(pk, asdict(PatientDetails(**FULL)), clinic=desk.clinic, by=BY)


# Phones


def test_a_change_begun_before_another_is_refused(desk):
    patient = register_patient(desk.clinic, PatientDetails(**FULL), by=BY)
    seen = patient_version(patient)
    change_patient(patient.pk, {"email": "nova@example.com"}, clinic=desk.clinic, seen=seen, by=BY)
    older = asdict(PatientDetails(**FULL)) | {"notes": "liga de volta"}

    refusal = refused(change_patient, patient.pk, older, clinic=desk.clinic, seen=seen, by=BY)
    assert refusal.reasons == {Reason.PATIENT_CHANGED}
    patient.refresh_from_db()
    assert (patient.email, patient.notes) == ("nova@example.com", "linha 1\nlinha 2")
    change_patient(patient.pk, older, clinic=desk.clinic, seen=patient_version(patient), by=BY)
    patient.refresh_from_db()
    assert (patient.email, patient.notes) == (FULL.get("email", ""), "liga de volta")


def test_a_change_to_what_is_stored_by_now_is_no_conflict(desk):
    patient = register_patient(desk.clinic, PatientDetails(**FULL), by=BY)
    seen, wanted = patient_version(patient), asdict(PatientDetails(**FULL)) | {"email": "nova@example.com"}
    for _ in range(2):
        change_patient(patient.pk, wanted, clinic=desk.clinic, seen=seen, by=BY)
    assert Patient.objects.get(pk=patient.pk).email == "nova@example.com"


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
        ("BR", "00351 912345678", "+351912345678"),
        ("BR", "0044 20 7946 0958", "+442079460958"),
        ("BR", "(00) 44 20 7946 0958", "+442079460958"),
        ("BR", "00258 84 123 4567", "+258841234567"),
        ("BR", "0055 81 99876-5432", "+5581998765432"),
        ("BR", "0800 726 0101", "+558007260101"),
        ("BR", "4004-0001", "+5540040001"),
        ("BR", "4002-8922", "+5540028922"),
        ("BR", "(81) 7070-7070", "+558170707070"),
        ("BR", "(0xx81) 99876-5432", "+5581998765432"),
        ("BR", "015 81 99876-5432", "+5581998765432"),
        ("BR", "tel.: (81) 99876–5432", "+5581998765432"),
        ("BR", "nº 81\u00a099876\u22125432\ufeff", "+5581998765432"),
        ("BR", "８１ ９９８７６－５４３２", "+5581998765432"),
        ("BR", "+44 20 7946 095", "+44207946095"),
        ("BR", "+1 212 555 0123", "+12125550123"),
        ("PT", "912 345 678", "+351912345678"),
        ("PT", "00351 912345678", "+351912345678"),
        ("PT", "212 345 678", "+351212345678"),
        ("PT", "91 234 56 78", "+351912345678"),
        ("PT", "351 912 345 678", "+351912345678"),
        ("PT", "923 456 789", "+351923456789"),
        ("PT", "+244 923 456 789", "+244923456789"),
        ("PT", "+258 84 123 4567", "+258841234567"),
        ("PT", "+238 991 23 45", "+2389912345"),
        ("PT", "808 200 520", "+351808200520"),
        ("PT", "+55 (81) 99876-5432", "+5581998765432"),
        ("PT", "0055 81 99876 5432", "+5581998765432"),
    ],
)
def test_a_phone_is_read_as_people_of_that_country_write_it(country, typed, stored):
    desk = open_desk(country=country)

    assert booked_patient(desk, phone=typed).phone == stored


@pytest.mark.parametrize(
    ("country", "typed", "why"),
    [
        ("BR", "99876-5432", Reason.PHONE_AREA_MISSING),
        ("BR", "3456-7890", Reason.PHONE_AREA_MISSING),
        ("BR", "+55 99876-5432", Reason.PHONE_AREA_MISSING),
        ("BR", "912 345 678", Reason.PHONE_AREA_MISSING),
        ("BR", "190", Reason.PHONE_TOO_SHORT),
        ("BR", "81 99876-5432 ramal 12", Reason.PHONE_NOT_DIGITS),
        ("BR", "81 99876-5432 #12", Reason.PHONE_NOT_DIGITS),
        ("BR", "(81) 99876-54321", Reason.PHONE_TOO_LONG),
        ("BR", "00000000000", Reason.PHONE_IMPOSSIBLE),
        ("BR", "telefone", Reason.PHONE_IMPOSSIBLE),
        ("BR", "9" * 300, Reason.PHONE_IMPOSSIBLE),
        ("BR", "+", Reason.PHONE_IMPOSSIBLE),
        ("BR", "+999 123456789", Reason.PHONE_IMPOSSIBLE),
        ("PT", "2345678", Reason.PHONE_DIGITS_MISSING),
        ("PT", "81 99876-5432", Reason.PHONE_OF_BRAZIL),
        ("PT", "+0 81", Reason.PHONE_IMPOSSIBLE),
    ],
)
def test_a_phone_that_nobody_can_call_is_refused(country, typed, why):
    desk = open_desk(country=country)

    assert refused(desk.book, details=details(phone=typed)).reasons == {why}


DOUBTFUL = [
    ("BR", "(81) 9999-9999", "+558199999999", Reason.PHONE_NINTH_DIGIT),
    ("BR", "81 8888-7777", "+558188887777", Reason.PHONE_NINTH_DIGIT),
    ("BR", "8199999999", "+558199999999", Reason.PHONE_TEN_DIGITS),
    ("BR", "(81) 99999-999", "+558199999999", Reason.PHONE_DIGIT_MISSING),
    ("BR", "(81) 34215-678", "+558134215678", Reason.PHONE_DIGIT_MISSING),
    ("BR", "(20) 99999-9999", "+5520999999999", Reason.PHONE_AREA_UNKNOWN),
    ("BR", "(76) 99999-9999", "+5576999999999", Reason.PHONE_AREA_UNKNOWN),
    ("BR", "(81) 89999-9999", "+5581899999999", Reason.PHONE_NOT_IN_BRAZIL),
    ("BR", "(81) 19999-9999", "+5581199999999", Reason.PHONE_NOT_IN_BRAZIL),
    ("PT", "512345678", "+351512345678", Reason.PHONE_NOT_IN_PORTUGAL),
    ("PT", "012345678", "+351012345678", Reason.PHONE_NOT_IN_PORTUGAL),
    ("PT", "940 000 000", "+351940000000", Reason.PHONE_NOT_IN_PORTUGAL),
    ("PT", "+55 (81) 9999-9999", "+558199999999", Reason.PHONE_NINTH_DIGIT),
]


@pytest.mark.parametrize(("country", "typed", "number", "why"), DOUBTFUL)
@pytest.mark.parametrize("policy", [Policy.LENIENT, Policy.EXACT_CPF])
def test_a_doubtful_phone_is_refused_to_people_and_kept_from_machines(country, typed, number, why, policy):
    desk = open_desk(country=country)

    assert refused(desk.book, details=details(phone=typed)).reasons == {why}
    assert booked_patient(desk, phone=typed, policy=policy).phone == number


@pytest.mark.parametrize(("country", "typed", "number", "why"), DOUBTFUL)
def test_a_stored_phone_stays_until_it_is_changed(country, typed, number, why):
    desk = open_desk(country=country)
    old = make_patient(desk.clinic, name="Ana Antiga", phone=number)
    old.refresh_from_db()
    as_stored = replace(details_of(old), notes="nova")

    assert check_patient(as_stored, clinic=desk.clinic, patient_id=old.pk) == []
    assert change_patient(old.pk, asdict(as_stored), clinic=desk.clinic, by=BY).notes == "nova"
    other = replace(as_stored, phone="(81) 9999-999")
    assert refused(change_patient, old.pk, asdict(other), clinic=desk.clinic, by=BY).reasons & set(
        PHONE_FAULTS.values()
    )


def test_an_old_name_or_nif_stays_until_it_is_changed(desk):
    old = make_patient(desk.clinic, name="12345", social_name="6", nif="999999990")
    old.refresh_from_db()

    assert (
        change_patient(old.pk, asdict(replace(details_of(old), notes="nova")), clinic=desk.clinic, by=BY).nif
        == "999999990"
    )
    changed = replace(details_of(old), name="1234", social_name="7", nif="999999999")
    assert refused(change_patient, old.pk, asdict(changed), clinic=desk.clinic, by=BY).reasons == {
        Reason.NAME_WITHOUT_LETTERS,
        Reason.SOCIAL_NAME_WITHOUT_LETTERS,
        Reason.NIF_INVALID,
    }


@pytest.mark.parametrize(
    ("stored", "typed"), [("+5581988887777", "(81) 8888-7777"), ("+558188887777", "(81) 98888-7777")]
)
def test_a_mobile_with_and_without_its_ninth_digit_is_one_phone(desk, stored, typed):
    known = make_patient(desk.clinic, name="João da Silva", phone=stored, cpf=None)

    assert booked_patient(desk, phone=typed, policy=Policy.LENIENT) == known
    assert known.phone == stored


def test_a_trunk_of_eight_digits_is_no_mobile_with_a_ninth(desk):
    make_patient(desk.clinic, name="João da Silva", phone="+558170707070", cpf=None)

    assert same_patients(desk.clinic, details(phone="(81) 97070-7070")) == []


@pytest.mark.parametrize("name", ["12345", "---", "🙂", "...", "٣٤", "(81) 99999-9999"])
def test_a_name_has_a_letter(desk, name):
    assert refused(desk.book, details=details(name=name)).reasons == {Reason.NAME_WITHOUT_LETTERS}
    typed = details(name="Ana", social_name=name)
    assert refused(register_patient, desk.clinic, typed, by=BY).reasons == {Reason.SOCIAL_NAME_WITHOUT_LETTERS}


@pytest.mark.parametrize("name", ["Ó", "王小明", "Ana 2", "João III", "Ж"])
def test_a_letter_of_any_script_is_one(desk, name):
    assert booked_patient(desk, name=name).name == name


def test_no_detail_of_a_patient_is_dropped_on_its_way():
    """A field that cleaning or the form left out would be erased by the next change at the desk."""
    given = PatientDetails(
        name="Ana Souza",
        phone="(81) 99999-9999",
        phone_of="mãe",
        second_phone="(81) 3421-5678",
        second_phone_of="casa",
        guardian_name="Rita Souza",
        guardian_relation="mãe",
        birth_date=date(1990, 1, 1),
        cpf=cpf(123456789),
        nif="501964843",
        health_number="123456789",
        document_type="passport",
        document_number="FX123456",
        document_country="França",
        no_document="foreigner",
        payer_id=1,
        card_number="123",
        card_expires_on=date(2026, 10, 31),
        accepts_whatsapp=True,
        email="ana@example.com",
        social_name="Ana",
        notes="traz exames",
        alert="alérgica a lidocaína",
        died=True,
        died_on=date(2026, 1, 1),
    )
    clinic = make_clinic()
    cleaned = clean_details(given, clinic, today=date(2026, 11, 23), policy=Policy.STRICT).details
    names = {field.name for field in fields(PatientDetails)}
    assert {name for name in names if not getattr(given, name)} == set(), "give the new field a value here"
    assert {name for name in names if not getattr(cleaned, name)} == {"no_document"}, "with a CPF there is no reason"
    cleaned = clean_details(replace(given, cpf="", nif=""), clinic, today=date(2026, 11, 23), policy=Policy.STRICT)
    assert cleaned.details.no_document == "foreigner"
    assert names <= PatientForm.base_fields.keys()
