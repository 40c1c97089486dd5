"""The pages on which two records of one person are found, compared, merged, and separated again."""

import re
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.booking import merge_patients
from clinic.models import Patient, PatientAccess, PatientMerge
from clinic.queries.merges import probable_doubles, visit_counts
from clinic.queries.namesakes import namesakes
from clinic.registry import change_patient, patient_version, redact_patient
from tests.booking.desk import BY
from tests.factories import (
    cpf,
    make_clinic,
    make_doctor_user,
    make_lisbon,
    make_manager,
    make_patient,
    make_user,
    phone,
)
from tests.web.patients import HTMX, visit

pytestmark = pytest.mark.django_db
BORN = date(1984, 3, 12)


@pytest.fixture
def kept(clinic):
    return make_patient(
        clinic, name="Ana de Souza", phone=phone(701), birth_date="1984-03-12", notes="Prefere a manhã."
    )


@pytest.fixture
def other(clinic):
    return make_patient(
        clinic, name="Ana Sousa", phone=phone(702), cpf=None, birth_date="1984-03-12", notes="Alérgica."
    )


def address(kept, other):
    return reverse("web:patient-merge", args=[kept.pk, other.pk])


def card_of(patient):
    return reverse("web:patient-detail", args=[patient.pk])


def compared(kept, other, **choices):
    """The form as it is drawn, with these choices."""
    versions = {"kept_version": patient_version(kept), "merged_version": patient_version(other)}
    return versions | choices


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


# Finding the other one


def test_the_card_leads_to_the_search_for_the_other_record(desk, kept, other):
    page = reverse("web:patient-merge-search", args=[kept.pk])
    assert f'href="{page}"' in desk.get(card_of(kept)).text

    found = desk.post(page, {"q": "ana"}, headers=HTMX)

    assert f'href="{address(kept, other)}"' in found.text and "<html" not in found.text
    assert address(kept, kept) not in found.text
    assert "Não há outro paciente com “zoé”" in desk.post(page, {"q": "zoé"}).text


def test_who_is_probably_the_same_person_is_named_on_the_card(desk, kept, other):
    text = text_of(desk.get(card_of(kept)))
    assert "Parece ser a mesma pessoa: Ana Sousa" in text and "Comparar Ana Sousa" in text
    assert f'href="{address(kept, other)}"' in desk.get(reverse("web:patient-merge-search", args=[kept.pk])).text


@pytest.mark.parametrize("called", ["+5581988880704", "+558188880704"], ids=["as stored", "without the ninth digit"])
def test_a_call_from_the_second_phone_is_a_probable_double(clinic, called):
    """As the booking of a voice receptionist adds the patient, without CPF and birth date."""
    known = make_patient(clinic, name="Rui Lima", birth_date=BORN, second_phone="+5581988880704")
    added = make_patient(clinic, name="Rui Lima", phone=called, cpf=None, birth_date=None)
    assert (probable_doubles(known), probable_doubles(added)) == ([added], [known])


@pytest.mark.parametrize(
    ("name", "is_double"),
    [
        ("Ana Sousa", True),
        ("Anna Maria de Souza", True),
        ("Luiz Souza", False),
        ("Ana", False),
        ("Ana Lima", False),
    ],
)
def test_names_that_are_heard_alike_on_one_birth_date(clinic, kept, name, is_double):
    other = make_patient(clinic, name=name, birth_date=kept.birth_date)
    younger = make_patient(clinic, name=name, birth_date="1984-03-13")
    make_patient(make_clinic(), name=name, birth_date=kept.birth_date)
    assert probable_doubles(kept) == ([other] if is_double else [])
    assert namesakes(clinic, name, besides=[other.pk, younger.pk], born=other.birth_date).first == (
        [kept] if is_double else []
    )


def test_a_name_heard_alike_is_named_while_typing_with_the_birth_date(desk, kept):
    typed = {"name": "Ana Sousa", "phone": "(81) 97777-0002", "birth_date": "12/03/1984"}
    check = reverse("web:patient-check")
    assert "Já existe Ana de Souza, nasc. 12/03/1984" in text_of(desk.post(check, typed, headers=HTMX))
    assert "Já existe" not in text_of(desk.post(check, typed | {"birth_date": ""}, headers=HTMX))


# Comparing


def test_both_stand_side_by_side_and_only_what_differs_is_asked(desk, kept, other):
    visit(kept, days=2), visit(other, days=3), visit(other, days=-3)

    page = desk.get(address(kept, other))

    text = text_of(page)
    assert set(re.findall(r'type="radio" name="(\w+)"', page.text)) == {"name", "phone", "notes"}
    assert re.findall(r'name="notes" value="(\w+)"( checked)?', page.text) == [
        ("kept", ""),
        ("merged", ""),
        ("both", " checked"),
    ]
    assert "1 agendamento por vir · 1 no histórico" in text and "1 agendamento por vir · 0 no histórico" in text
    assert f'href="{address(other, kept)}"' in page.text
    assert "É mesmo a mesma pessoa?" not in text


def test_another_cpf_or_birth_date_is_doubted(desk, kept, other):
    Patient.objects.filter(pk=other.pk).update(cpf=cpf(700_000_001), birth_date="1990-01-01")
    assert "Diferente nos dois: Data de nascimento, CPF." in text_of(desk.get(address(kept, other)))


def test_who_refuses_messages_goes_on_refusing_them(desk, kept, other):
    Patient.objects.filter(pk=kept.pk).update(accepts_whatsapp=True)
    Patient.objects.filter(pk=other.pk).update(accepts_whatsapp=False)
    for pair in ((kept, other), (other, kept)):
        page = desk.get(address(*pair)).text
        checked = "merged" if pair[1] == other else "kept"
        assert f'name="accepts_whatsapp" value="{checked}" checked' in page


def test_a_death_that_one_record_has_is_asked_and_doubted(desk, kept, other):
    Patient.objects.filter(pk=other.pk).update(died=True, died_on="2026-01-31")
    page = desk.get(address(kept, other))
    text = text_of(page)
    assert 'name="died" value="merged" checked' in page.text and 'name="died" value="kept"' in page.text
    assert "não consta como falecido(a)" in text and "sim · 31/01/2026" in text
    assert "É mesmo a mesma pessoa?" in text
    other.refresh_from_db()
    kept.refresh_from_db()
    desk.post(address(kept, other), compared(kept, other, died="kept"))
    kept.refresh_from_db()
    assert not kept.died
    assert "31/01/2026" in text_of(desk.get(card_of(kept)))


def test_both_alerts_are_offered_where_they_fit(desk, kept, other):
    Patient.objects.filter(pk=kept.pk).update(alert="Alérgica a látex")
    Patient.objects.filter(pk=other.pk).update(alert="Usa cadeira de rodas")
    assert 'name="alert" value="both" checked' in desk.get(address(kept, other)).text
    Patient.objects.filter(pk=other.pk).update(alert="x" * 70)
    assert 'name="alert" value="both"' not in desk.get(address(kept, other)).text


def test_every_field_is_written_as_people_write_it(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    fields = {"health_number": "123456789", "document_type": "passport", "document_number": "FX1", "died": True}
    one = make_patient(clinic, **fields, accepts_whatsapp=False, guardian_name="Rita", guardian_relation="mãe")
    two = make_patient(clinic, phone_of="filha", no_document="declined", second_phone="+351912000111")
    text = text_of(client.get(address(one, two)))
    for written in ("123456789", "passaporte · FX1", "Rita (mãe)", "(filha)", "não quis dizer", "912 000 111"):
        assert written in text


def test_nobody_is_merged_with_oneself_or_with_a_stranger(desk, kept):
    stranger = make_patient(make_clinic())
    for path in (address(kept, kept), address(kept, stranger), address(stranger, kept)):
        assert desk.get(path).status_code == desk.post(path).status_code == 404


# Merging


def test_in_portugal_records_are_feminine(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    one, two = (make_patient(clinic, name="Ana", birth_date=day) for day in ("1990-01-01", "1991-01-01"))
    text = text_of(client.get(address(one, two)))
    assert "Diferente nas duas: " in text and "O que só uma das duas tem fica." in text
    assert "nos dois" not in text and "um dos dois" not in text


def test_the_merged_patients_card_leads_to_the_kept_one(desk, kept, other):
    visit(other, days=2)

    answer = desk.post(address(kept, other), compared(kept, other, name="merged", notes="both"))

    assert (answer.status_code, answer.url) == (302, card_of(kept))
    kept.refresh_from_db()
    assert (kept.name, kept.notes) == ("Ana Sousa", "Prefere a manhã.\n\nAlérgica.")
    text = text_of(desk.get(card_of(other), follow=True))
    assert "Cadastros juntados. 1 agendamento de Ana Sousa está agora aqui." in text
    assert "Juntado com o cadastro de Ana Sousa em" in text and "Desfazer" in text
    assert "Ana Sousa : Cadastros juntados" in text


def test_the_merged_one_is_in_no_search_and_no_list(desk, client, clinic, kept, other):
    merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    for view in ("web:patient-list", "web:patient-search"):
        found = desk.post(reverse(view), {"q": "Ana Sousa"}, headers=HTMX).text
        assert f"/pacientes/{other.pk}/" not in found and f'value="{other.pk}"' not in found
        assert "antes" in found and "Ana de Souza" in found  # by the name that the merged one had
    assert namesakes(clinic, "Ana Sousa").first == []
    client.force_login(make_manager(clinic))
    assert f"/{other.pk}/change/" not in client.get(reverse("admin:clinic_patient_changelist")).text


def test_other_pages_of_the_merged_one_are_about_the_kept_one(desk, clinic, kept, other):
    merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    for view in ("web:patient-edit", "web:patient-merge-search"):
        assert "Ana de Souza" in desk.get(reverse(view, args=[other.pk])).text
    for view in ("web:memo-add", "web:waiting-add", "web:appointment-book"):
        assert "Ana de Souza" in desk.get(reverse(view), {"paciente": other.pk}).text


def test_an_edit_that_was_begun_before_shows_the_difference(desk, clinic, kept, other):
    typed = {"name": "Ana Sousa", "phone": "(81) 98888-0001", "version": patient_version(other)}
    merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    answer = desk.post(reverse("web:patient-edit", args=[other.pk]), typed, headers=HTMX)
    assert answer.status_code == 409 and "No cadastro está:" in answer.text


def test_what_was_changed_meanwhile_is_shown_before_merging(desk, clinic, kept, other):
    posted = compared(kept, other)
    change_patient(other.pk, {"email": "ana@exemplo.com"}, clinic=clinic, by=BY)

    answer = desk.post(address(kept, other), posted, headers=HTMX)

    assert answer.status_code == 409 and not PatientMerge.objects.exists()
    assert "Um dos cadastros foi alterado depois do que você viu." in text_of(answer)
    assert "ana@exemplo.com" in answer.text
    versions = dict(re.findall(r'name="(\w+_version)" value="([^"]+)"', answer.text))
    assert desk.post(address(kept, other), versions, headers=HTMX)["HX-Redirect"] == card_of(kept)


def test_a_second_click_says_that_they_are_one(desk, kept, other):
    posted = compared(kept, other)
    for _ in range(2):
        answer = desk.post(address(kept, other), posted)
        assert (answer.status_code, answer.url) == (302, card_of(kept))
    assert PatientMerge.objects.count() == 1
    assert "Os dois cadastros já são um só." in text_of(desk.get(card_of(kept)))


def test_a_form_without_versions_or_with_odd_choices_merges_nobody(desk, kept, other):
    for posted in ({}, compared(kept, other, name="nobody", phone="nobody")):
        answer = desk.post(address(kept, other), posted, headers=HTMX)
        assert answer.status_code == 422 and "Nada foi juntado: leia os dois de novo" in answer.text
        assert (answer.text.count('aria-invalid="true"'), answer.text.count("autofocus")) == (
            (2, 1) if posted else (0, 0)
        )
    assert re.search(r'name="name" value="kept"\s+autofocus', answer.text)
    assert not PatientMerge.objects.exists()
    versions = dict(re.findall(r'name="(\w+_version)" value="([^"]+)"', answer.text))
    assert desk.post(address(kept, other), versions, headers=HTMX)["HX-Redirect"] == card_of(kept)


def test_two_appointments_at_one_time_are_named_and_the_choices_stay(desk, kept, other):
    visit(kept, days=2), visit(other, days=2)
    answer = desk.post(address(kept, other), compared(kept, other, name="merged"), headers=HTMX)
    assert answer.status_code == 409 and "Os dois têm agendamento ao mesmo tempo" in answer.text
    assert 'name="name" value="merged" checked' in answer.text


# Undoing


def undo(desk, merge):
    return desk.post(reverse("web:patient-merge-undo", args=[merge.pk]), follow=True)


def test_undoing_says_what_went_back_and_what_did_not(desk, clinic, kept, other):
    visit(other, days=2)
    merge = merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    change_patient(kept.pk, {"notes": "Outra."}, clinic=clinic, by=BY)
    visit(kept, days=4)
    PatientMerge.objects.update(at=Patient.objects.get(pk=kept.pk).created_at)

    text = text_of(undo(desk, merge))

    assert "Cadastros separados de novo. 1 agendamento voltou para Ana Sousa." in text
    assert "Ficou como está, porque mudou depois: Observações." in text
    assert desk.get(card_of(other)).status_code == 200
    assert "Esta junção já foi desfeita." in text_of(undo(desk, merge))


def test_a_number_of_another_patient_by_now_is_said_apart(desk, clinic, kept, other):
    Patient.objects.filter(pk=other.pk).update(cpf=cpf(700_000_003))
    merge = merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    make_patient(clinic, cpf=cpf(700_000_003))

    text = text_of(undo(desk, merge))

    assert "Não voltou, porque hoje é de outro paciente: CPF." in text
    assert "mudou depois" not in text


def test_after_thirty_days_the_card_offers_no_undoing(desk, clinic, kept, other):
    merge = merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    PatientMerge.objects.update(at="2026-01-01T00:00Z")
    assert "Juntado com o cadastro" not in text_of(desk.get(card_of(kept)))
    assert "Uma junção só se desfaz em 30 dias" in text_of(undo(desk, merge))


def test_a_doctors_user_neither_merges_nor_undoes(client, clinic, kept, other):
    client.force_login(make_doctor_user(clinic))
    assert client.post(address(kept, other), compared(kept, other)).status_code == 403
    assert not PatientMerge.objects.exists()


# Who saw, and what goes


def test_who_saw_the_merged_one_saw_the_person(client, clinic, kept, other):
    rosa = make_user(clinic, name="Rosa Recepção")
    client.force_login(rosa)
    client.get(card_of(other))
    assert PatientAccess.objects.filter(patient=other).exists()
    merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    client.force_login(make_manager(clinic))
    assert "Rosa Recepção" in client.get(reverse("web:patient-seen-by", args=[kept.pk])).text


def test_both_are_shown_and_logged_when_compared(desk, kept, other):
    desk.get(address(kept, other))
    rows = PatientAccess.objects.filter(page="web:patient-merge")
    assert set(rows.values_list("patient", flat=True)) == {kept.pk, other.pk}


def test_a_redaction_by_the_merged_id_is_the_persons(clinic, kept, other):
    merge_patients(kept.pk, other.pk, clinic=clinic, sides={}, by=BY)
    redact_patient(other.pk, clinic=clinic, by=BY, reason="pedido")
    assert set(Patient.objects.filter(pk__in=[kept.pk, other.pk]).values_list("notes", flat=True)) == {""}


def test_counts_are_one_query_for_both(clinic, kept, other, django_assert_num_queries):
    visit(other, days=2), visit(other, days=5), visit(other, days=-5)
    with django_assert_num_queries(1):
        assert visit_counts(clinic, [kept, other], timezone.now()) == [(0, 0), (2, 1)]
