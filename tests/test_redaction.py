"""Blanking what was written about a patient, and nothing about patients in Django's own log."""

import json
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.urls import reverse

from clinic.booking import Author, Payment, edit_notes, receive_payment
from clinic.models import AppointmentEvent, Patient, PatientEvent, StoredAnswer
from clinic.queries import history, patient_changes
from clinic.registry import change_patient, redact_patient
from tests.factories import make_clinic, make_manager, make_master, make_patient, make_user
from tests.managed import url
from tests.web.patients import visit

pytestmark = pytest.mark.django_db
SECRET = "Zika na gravidez"


@pytest.fixture
def patient():
    patient = make_patient(make_clinic(), notes="", alert="")
    by = Author(channel="browser", user=make_manager(patient.clinic))
    change_patient(patient.pk, {"notes": SECRET, "alert": SECRET}, clinic=patient.clinic, by=by)
    for days in (-2, 2):
        booked = visit(patient, days=days)
        edit_notes(booked.pk, clinic=patient.clinic, by=by, notes=f"{SECRET} {days}")
    return patient


def stored(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT json_agg(t)::text FROM {table} t")  # noqa: S608 - a name written here
        return json.dumps(json.loads(cursor.fetchone()[0]), ensure_ascii=False)


def test_what_was_written_is_gone_and_who_did_what_stays(patient):
    events = AppointmentEvent.objects.count()
    by = Author(channel="browser", user=make_manager(patient.clinic))

    assert redact_patient(patient.pk, clinic=patient.clinic, by=by, reason="pedido do titular") == (1, 1)

    assert SECRET not in stored("clinic_patient") + stored("clinic_patientevent")
    # The visit that is still ahead keeps its notes.
    assert f"{SECRET} -2" not in stored("clinic_appointment") + stored("clinic_appointmentevent")
    assert f"{SECRET} 2" in stored("clinic_appointment")
    assert AppointmentEvent.objects.count() == events
    last, changed = PatientEvent.objects.filter(patient=patient)
    assert (last.kind, last.user, last.reason) == ("redacted", by.user, "pedido do titular")
    assert changed.changes == {"notes": [None, None], "alert": [None, None]} and changed.kind == "changed"
    patient.refresh_from_db()
    assert [entry.what for entry in patient_changes.story(patient)] == ["Textos apagados", "Alterado"]
    for appointment in patient.appointments.select_related("clinic"):
        assert history.story(appointment)


def test_what_was_written_beside_a_payment_is_gone(patient):
    paid = patient.appointments.earliest("starts_at")
    by = Author(channel="imagemais", user=make_manager(patient.clinic))
    payment = Payment(method="credit_card", value=Decimal(90), flag="Lilica", protocol="Lilica-1")
    receive_payment(paid.pk, payment, clinic=patient.clinic, by=by)

    redact_patient(patient.pk, clinic=patient.clinic, by=by, reason="pedido do titular")
    assert "Lilica" not in stored("clinic_receipt") + stored("clinic_appointmentevent")
    receipt = paid.receipts.get()
    assert (receipt.value, receipt.method) == (Decimal(90), "credit_card")
    assert "Recebido R$\xa090,00 · cartão de crédito" in [entry.sentence for entry in history.story(paid)]


def test_stored_answers_about_the_patient_are_gone(patient):
    paid, other = patient.appointments.earliest("starts_at"), make_patient(patient.clinic)
    bodies = {
        "imagemais": [
            json.dumps([{"id": paid.pk, "notes": SECRET, "patient": {"id": patient.pk, "cpf": None}}]),
            json.dumps({"id": patient.pk, "name": "Zulmira", "cpf": None}),
            json.dumps({"id": patient.pk, "patient": {"id": other.pk, "cpf": None}}),
            "",
        ],
        "mivicall": [
            json.dumps({"id": str(paid.uuid), "patientNotes": SECRET}),
            json.dumps({"patient": {"id": str(patient.uuid)}}),
            json.dumps({"id": str(other.uuid)}),
        ],
    }
    for credential, texts in bodies.items():
        for key, body in enumerate(texts):
            StoredAnswer.objects.create(
                clinic=patient.clinic, credential=credential, key=f"{key}", fingerprint="f", status=201, body=body
            )
    by = Author(channel="browser", user=make_manager(patient.clinic))
    redact_patient(patient.pk, clinic=patient.clinic, by=by, reason="pedido do titular")
    left = [answer.body for answer in StoredAnswer.objects.order_by("pk")]
    assert left == ["", "", bodies["imagemais"][2], "", "", "", bodies["mivicall"][2]]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_redaction_needs_a_reason(patient, reason):
    with pytest.raises(ValueError, match="reason"):
        redact_patient(patient.pk, clinic=patient.clinic, by=Author("command"), reason=reason)
    assert SECRET in stored("clinic_patient")


def test_a_master_redacts_by_a_command(patient, capsys):
    master, stranger = make_master(patient.clinic), make_master(make_clinic())
    sent = ["redact_patient", "--clinic", patient.clinic.slug, "--patient", str(patient.pk), "--reason", "pedido"]
    for wrong in (stranger, make_manager(patient.clinic)):
        with pytest.raises(CommandError):
            call_command(*sent, "--by", wrong.username)
    assert SECRET in stored("clinic_patient")
    call_command(*sent, "--by", master.username)
    assert "1 appointments; 1 are ahead" in capsys.readouterr().out
    assert PatientEvent.objects.filter(kind="redacted", user=master, channel="command").count() == 1


def test_a_master_redacts_on_a_page_that_says_what_goes(client, patient):
    client.force_login(make_master(patient.clinic))
    page = reverse("web:patient-redact", args=[patient.pk])
    assert page in client.get(reverse("web:patient-detail", args=[patient.pk])).text
    asked = client.get(page).text
    assert "1 agendamento que já passou" in asked and "1 agendamento ainda por vir mantém" in asked

    for reason in ("", " ", "x" * 201, "a\0b"):
        refused = client.post(page, {"reason": reason})
        assert refused.status_code == 422 and 'aria-invalid="true" autofocus' in " ".join(refused.text.split())
    assert SECRET in stored("clinic_patient")

    card = client.post(page, {"reason": "pedido do titular"}, follow=True).text
    assert SECRET not in stored("clinic_patient") and "pedido do titular" in card
    assert "Textos apagados, também os de 1 agendamento. 1 agendamento ainda por vir manteve os seus." in card


def test_only_masters_redact(client, patient):
    page = reverse("web:patient-redact", args=[patient.pk])
    for make in (make_user, make_manager):
        client.force_login(make(patient.clinic))
        assert client.post(page, {"reason": "pedido"}).status_code == 403
        assert page not in client.get(reverse("web:patient-detail", args=[patient.pk])).text
    assert SECRET in stored("clinic_patient")


def test_of_another_clinic_nobody_is_redacted(patient):
    with pytest.raises(Patient.DoesNotExist):
        redact_patient(patient.pk, clinic=make_clinic(), by=Author("command"), reason="engano")


@pytest.mark.parametrize("column", ["kind = 'booked'", "at = now()", "user_id = NULL"])
def test_a_redaction_cannot_alter_who_and_when(patient, column):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('clinic.redacting', 'on', true)")
        with pytest.raises(Error, match="append-only"):
            cursor.execute(f"UPDATE clinic_patientevent SET {column}")  # noqa: S608 - a column written here
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "value",
    [
        """jsonb_set(changes, '{notes}', '["a", "b"]')""",
        """changes || '{"name": [null, null]}'""",
        "changes - 'notes'",
        "'[]'",
    ],
)
def test_a_redaction_only_blanks(patient, value):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('clinic.redacting', 'on', true)")
        with pytest.raises(Error, match="append-only"):
            cursor.execute(f"UPDATE clinic_patientevent SET changes = {value}")  # noqa: S608 - written here
        transaction.set_rollback(True)


def test_the_admins_own_log_holds_no_name(client, manager):
    typed = {"name": "Ana Souza", "phone": "(81) 99999-0000"}
    assert client.post(url(Patient, "add"), typed).status_code == 302
    patient = Patient.objects.get()
    assert client.post(url(Patient, "change", patient.pk), typed | {"name": "Ana Sá"}).status_code == 302
    entries = LogEntry.objects.all()
    assert {entry.object_id for entry in entries} == {str(patient.pk)} and len(entries) == 2
    assert "Ana" not in "".join(entry.object_repr + entry.change_message for entry in entries)


def test_the_admin_deletes_no_patient(client, manager):
    patient = make_patient(manager.clinic)
    assert client.post(url(Patient, "delete", patient.pk), {"post": "yes"}).status_code == 403
    sent = {"action": "delete_selected", "_selected_action": patient.pk, "post": "yes"}
    client.post(url(Patient), sent)
    assert Patient.objects.filter(pk=patient.pk).exists()
