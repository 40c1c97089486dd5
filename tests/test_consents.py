"""What a patient agrees to: by channel and purpose, asked, given, taken back."""

import pytest
from django.db import Error, connection, transaction
from django.urls import reverse

from clinic.models import Consent, Patient
from clinic.queries import consents
from clinic.registry import Author, change_patient, redact_patient
from tests.factories import make_clinic, make_lisbon, make_manager, make_patient, make_user
from tests.migrated import migrate
from tests.web.patients import typed_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[make_clinic, make_lisbon], ids=["recife", "lisboa"])
def patient(request):
    return make_patient(request.param())


def answers(patient):
    found = consents.states(Patient.objects.select_related("clinic").get(pk=patient.pk))
    return {(state.channel.value, state.purpose.value): state.answer.value for state in found}


def post(client, patient, **sent):
    page = reverse("web:privacy-consents", args=[patient.pk])
    return client.post(page, {"purpose": "reminder", "answer": "given", "asked": "counter"} | sent)


def test_nothing_is_known_until_somebody_asks(patient):
    assert set(answers(patient).values()) == {"cleared"} and len(answers(patient)) == 8


def test_an_answer_keeps_question_author_and_way(client, patient):
    user = make_user(patient.clinic)
    client.force_login(user)
    assert post(client, patient, channel="sms", purpose="marketing").status_code == 302
    row = Consent.objects.get()
    assert (row.user_id, row.asked, row.via) == (user.pk, "counter", "browser")
    assert "por SMS novidades" in row.text
    assert answers(patient)["sms", "marketing"] == "given"
    assert answers(patient)["sms", "reminder"] == "cleared"


def test_the_clinics_own_question_is_kept(client, patient):
    client.force_login(make_user(patient.clinic))
    post(client, patient, channel="email", text="Podemos escrever?")
    assert Consent.objects.get().text == "Podemos escrever?"


def test_it_is_taken_back_by_one_click_on_the_card(client, patient):
    client.force_login(make_user(patient.clinic))
    post(client, patient, channel="email", purpose="marketing")
    card = client.get(reverse("web:patient-detail", args=[patient.pk])).text
    assert 'name="answer" value="withdrawn"' in card
    back = post(client, patient, channel="email", purpose="marketing", answer="withdrawn")
    assert back.url == reverse("web:patient-detail", args=[patient.pk])
    assert [row.answer for row in Consent.objects.all()] == ["withdrawn", "given"]


def test_whatsapp_reminders_are_the_field_of_the_form(client, patient):
    client.force_login(make_user(patient.clinic))
    post(client, patient, channel="whatsapp", answer="withdrawn")
    patient.refresh_from_db()
    assert patient.accepts_whatsapp is False
    assert patient.events.get().changes == {"accepts_whatsapp": [None, False]}

    edit = reverse("web:patient-edit", args=[patient.pk])
    assert client.post(edit, typed_of(patient, accepts_whatsapp="sim")).status_code == 302
    assert [row.answer for row in Consent.objects.all()] == ["given", "withdrawn"]
    assert answers(patient)["whatsapp", "reminder"] == "given"


@pytest.mark.parametrize(
    "sent", [{"channel": "pigeon"}, {"channel": "sms", "answer": "x"}, {"channel": "sms", "text": "a\0b"}, {}]
)
def test_what_is_no_answer_is_refused_at_its_field(client, patient, sent):
    client.force_login(make_user(patient.clinic))
    assert post(client, patient, **sent).status_code == 422
    assert not Consent.objects.exists()


@pytest.mark.parametrize("statement", ["UPDATE clinic_consent SET answer = 'given'", "DELETE FROM clinic_consent"])
def test_no_answer_is_rewritten(client, patient, statement):
    client.force_login(make_user(patient.clinic))
    post(client, patient, channel="sms", answer="withdrawn")
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_redaction_leaves_the_proof(client, patient):
    client.force_login(make_user(patient.clinic))
    post(client, patient, channel="sms")
    by = Author(channel="browser", user=make_manager(patient.clinic))
    redact_patient(patient.pk, clinic=patient.clinic, by=by, reason="pedido")
    assert Consent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [make_clinic, make_lisbon], ids=["recife", "lisboa"])
def test_answers_from_before_become_rows_and_stay(own_database, make):
    own_database.begin()
    clinic = make()
    by = Author(channel="browser", user=make_manager(clinic))
    asked, without_event = make_patient(clinic), make_patient(clinic, accepts_whatsapp=True)
    change_patient(asked.pk, {"accepts_whatsapp": False}, clinic=clinic, by=by)
    make_patient(clinic)
    own_database.carry("0081_audit_indexes")
    migrate()
    rows = {row.patient_id: row for row in Consent.objects.all()}
    assert {pk: row.answer for pk, row in rows.items()} == {asked.pk: "withdrawn", without_event.pk: "given"}
    assert rows[asked.pk].user == by.user and rows[without_event.pk].credential == "migration 0082"
    assert Patient.objects.get(pk=asked.pk).accepts_whatsapp is False


def test_the_field_says_what_is_not_sent(client, patient):
    client.force_login(make_user(patient.clinic))
    page = client.get(reverse("web:privacy-consents", args=[patient.pk])).text
    assert '<p class="hint" id="hint-channel">Este programa não envia SMS nem e-mail' in page
