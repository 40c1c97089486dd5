"""Who pays for a patient: kept in the form of the patient, shown on the card, recorded, and redacted."""

from datetime import date

import pytest
from django.urls import reverse

from clinic.models import Patient, PatientAccess, PatientEvent, Payer
from clinic.refusals import Reason
from clinic.registry import Author, PatientDetails, change_patient, check_patient, redact_patient, register_patient
from tests.booking.desk import BY, refused
from tests.factories import make_clinic, make_lisbon, make_patient, make_payer, make_user
from tests.web.patients import HTMX, TYPED, typed_of

pytestmark = pytest.mark.django_db
EDIT, CARD = "web:patient-edit", "web:patient-detail"


@pytest.fixture
def unimed(clinic):
    return make_payer(clinic, name="Unimed")


@pytest.fixture
def patient(clinic):
    return make_patient(clinic, name="Ana Souza")


def page(desk, name, patient):
    return " ".join(desk.get(reverse(name, args=[patient.pk])).text.split())


def save(desk, patient, **typed):
    return desk.post(reverse(EDIT, args=[patient.pk]), typed_of(patient, **typed))


def plan_of(patient):
    patient.refresh_from_db()
    return patient.payer_id, patient.card_number, patient.card_expires_on


def test_a_clinic_without_payers_is_asked_nothing(desk, patient):
    assert "Quem paga" not in page(desk, EDIT, patient)
    assert "Quem paga" not in desk.get(reverse("web:patient-add")).text
    assert "Convênio" not in page(desk, CARD, patient)


def test_the_plan_is_kept_and_shown(desk, patient, unimed):
    assert "Quem paga" in page(desk, EDIT, patient)
    typed = {"payer_id": unimed.pk, "card_number": "0 123 4567", "card_expires_on": "31/10/2099"}
    assert save(desk, patient, **typed).status_code == 302
    assert plan_of(patient) == (unimed.pk, "01234567", date(2099, 10, 31))
    card = page(desk, CARD, patient)
    assert "Unimed" in card and "01234567" in card and "válida até 31/10/2099" in card
    assert PatientAccess.objects.filter(patient=patient).exists()


def test_a_new_patient_is_registered_with_a_plan(desk, unimed):
    typed = TYPED | {"payer_id": unimed.pk, "card_number": "99", "card_expires_on": ""}
    assert desk.post(reverse("web:patient-add"), typed).status_code == 302
    assert plan_of(Patient.objects.get()) == (unimed.pk, "99", None)


def test_the_change_is_recorded_and_written_with_names(desk, patient, unimed):
    save(desk, patient, payer_id=unimed.pk, card_number="123", card_expires_on="31/10/2026")
    (event,) = PatientEvent.objects.all()
    assert event.changes == {
        "payer_id": [None, unimed.pk],
        "card_number": ["", "123"],
        "card_expires_on": [None, "2026-10-31"],
    }
    card = page(desk, CARD, patient)
    assert "Convênio:</span> <bdi>vazio</bdi> → <bdi>Unimed</bdi>" in card
    assert "<bdi>31/10/2026</bdi>" in card


def test_a_private_patient_has_no_card(desk, patient, unimed):
    save(desk, patient, payer_id=unimed.pk, card_number="123", card_expires_on="31/10/2026")
    assert save(desk, patient, payer_id="").status_code == 302
    assert plan_of(patient) == (None, "", None)


@pytest.mark.parametrize("typed", ["12–34—5", "12‑34‒5", "12-34−5", "12.34/5", "12 34 5", "１２-34_5", "\u200b12345"])
def test_a_card_is_read_with_any_dash(desk, patient, unimed, typed):
    save(desk, patient, payer_id=unimed.pk, card_number=typed)
    assert plan_of(patient)[1] == "12345"


@pytest.mark.parametrize("typed", ["sem número", "ção1", "1" * 31])
def test_what_can_be_no_card_is_refused_at_its_field(desk, patient, unimed, typed):
    answer = save(desk, patient, payer_id=unimed.pk, card_number=typed)
    assert answer.status_code == 422
    assert "O número da carteira tem dígitos e letras" in answer.text and plan_of(patient) == (None, "", None)


@pytest.mark.parametrize("typed", ["31/02/2027", "amanhã cedo", "99/99/9999"])
def test_a_day_that_does_not_exist_is_refused(desk, patient, unimed, typed):
    answer = save(desk, patient, payer_id=unimed.pk, card_expires_on=typed)
    assert answer.status_code == 422 and "Esta data não existe." in answer.text
    assert plan_of(patient) == (None, "", None)


def test_a_payer_of_another_clinic_is_not_known(desk, patient, clinic):
    other = make_payer()
    answer = save(desk, patient, payer_id=other.pk)
    assert answer.status_code == 422 and "não é mais aceito" in answer.text or "Quem paga" not in answer.text
    assert plan_of(patient)[0] is None
    details = {"payer_id": other.pk}
    assert refused(change_patient, patient.pk, details, clinic=clinic, by=BY).reasons == {Reason.PAYER_UNKNOWN}
    described = PatientDetails(name="Rita Lima", phone="(81) 98333-1010", payer_id=other.pk)
    assert refused(register_patient, clinic, described, by=BY).reasons == {Reason.PAYER_UNKNOWN}
    assert {refusal.reason for refusal in check_patient(described, clinic=clinic)} == {Reason.PAYER_UNKNOWN}


def test_a_payer_that_is_accepted_no_more_stays_where_it_is(desk, patient, unimed, clinic):
    late = make_patient(clinic)
    save(desk, patient, payer_id=unimed.pk, card_number="123")
    Payer.objects.update(active=False)
    assert save(desk, patient, payer_id=unimed.pk, email="ana@example.com").status_code == 302
    assert plan_of(patient) == (unimed.pk, "123", None)
    assert "não é mais aceito" in page(desk, CARD, patient)
    assert "Quem paga" not in page(desk, EDIT, late)
    answer = save(desk, late, payer_id=unimed.pk)
    assert answer.status_code == 422 and plan_of(late)[0] is None


def test_the_plan_that_another_window_changed_is_asked_about(desk, patient, unimed, clinic):
    opened = typed_of(patient) | {"version": patient.updated_at.isoformat()}
    change_patient(patient.pk, {"payer_id": unimed.pk, "card_number": "123"}, clinic=clinic, by=BY)
    other = make_payer(clinic, name="Bradesco")
    answer = desk.post(reverse(EDIT, args=[patient.pk]), opened | {"payer_id": other.pk}, headers=HTMX)
    assert answer.status_code == 409 and "<b><bdi>Unimed</bdi></b>" in " ".join(answer.text.split())
    assert plan_of(patient)[0] == unimed.pk


def test_a_redaction_blanks_the_card(patient, unimed, clinic):
    details = {"payer_id": unimed.pk, "card_number": "SEGREDO1", "card_expires_on": date(2026, 10, 31)}
    change_patient(patient.pk, details, clinic=clinic, by=BY)
    redact_patient(patient.pk, clinic=clinic, by=Author("command"), reason="pedido")
    assert plan_of(patient) == (unimed.pk, "", None)
    assert "SEGREDO1" not in str(list(PatientEvent.objects.values_list("changes", flat=True)))


def test_portugal_has_words_of_its_own(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    patient = make_patient(clinic, payer=make_payer(clinic, name="ADSE", kind="subsystem"), card_number="12AB")
    Patient.objects.update(card_expires_on=date(2026, 1, 31))
    card = page(client, CARD, patient)
    assert "Entidade" in card and "N.º de beneficiário" in card and "cartão caducado em 31/01/2026" in card
    form = page(client, EDIT, patient)
    assert "Validade do cartão" in form and "Convênio" not in form and "Carteira" not in form


def test_no_patient_of_another_clinic_has_it(client, patient, unimed):
    client.force_login(make_user(make_clinic()))
    answer = client.post(reverse(EDIT, args=[patient.pk]), {"payer_id": unimed.pk})
    assert answer.status_code == 404
