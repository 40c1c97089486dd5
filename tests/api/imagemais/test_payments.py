"""Payments that a program receives for an appointment: stored, told of at the desk, summed nowhere."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import translation

from clinic.booking import Author, undoable
from clinic.models import Appointment, AppointmentEvent, Patient, Receipt
from clinic.queries import history
from clinic.queries.receipts import receipts
from clinic.registry import redact_patient
from tests.factories import make_clinic, make_user

FLAG_SHAPE = "flag deve ter letras e dígitos, no máximo 30, e nunca o número do cartão"
PAYMENT = {"method": "cartão de crédito", "value": "252", "flag": "Visa", "instalments": 3, "protocol": "123"}
IN_WORDS = "Recebido R$\xa0252,00 · cartão de crédito · Visa · 3× · protocolo 123"


@pytest.fixture
def pay(desk, booked):
    def receive(body=PAYMENT, *, appointment=booked, **options):
        return desk.ask("POST", f"/appointments/{appointment}/receive-payment", body, **options)

    return receive


def test_a_payment_is_stored_and_answered_with_the_appointment(saturday, desk, booked, pay):
    saturday.shift(60)
    answer = pay()
    assert (answer.status_code, answer.json()) == (201, desk.ask.get(f"/appointments/{booked}").json())
    assert answer.json()[0]["status"]["name"] == "Agendado"
    assert answer.json()[0]["updatedAt"] > answer.json()[0]["createdAt"]
    receipt = Receipt.objects.get()
    assert (receipt.method, receipt.value, receipt.instalments) == ("credit_card", Decimal(252), 3)
    event = AppointmentEvent.objects.latest("pk")
    assert (event.kind, event.channel, event.credential[:6]) == ("received", "imagemais", "token ")
    assert undoable(Appointment.objects.get()) is None


def test_the_desk_reads_payments_in_words(desk, booked, pay, client):
    pay()
    pay({"method": "pix", "value": 0.5})
    client.force_login(make_user(desk.clinic))
    page = client.get(reverse("web:appointment-detail", args=[booked])).text
    assert page.count(IN_WORDS) == 2  # on the card and in its history
    assert "Recebido R$\xa00,50 · Pix" in page
    with translation.override("pt-pt"):
        assert history.last_sentence(Appointment.objects.get()).startswith("Recebido")


def test_a_visit_in_service_is_finished_by_its_payment(monday, desk, booked, act, pay):
    for action in ("check-in", "em atendimento"):
        act(action)
    assert {element["status"]["name"] for element in pay().json()} == {"Finalizado"}
    assert pay({"method": "dinheiro", "value": 10}).json()[0]["status"]["name"] == "Finalizado"
    kinds = list(AppointmentEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds[-3:] == ["received", "status_changed", "received"]


@pytest.mark.parametrize("action", ["cancelado", "faltou"])
def test_what_does_not_take_place_is_not_paid_for(monday, desk, booked, act, pay, imagemais, action):
    monday.move_to("2026-11-23T12:10:00Z", tick=False)
    desk.ask.secret = imagemais(desk.clinic).secret
    assert act(action).status_code == 200
    name = {"cancelado": "Cancelado", "faltou": "Faltou"}[action]
    body = {"message": f"Um agendamento com status {name} não recebe pagamento", "error": "Conflict", "statusCode": 409}
    assert pay().json() == body
    assert not Receipt.objects.exists()


VALUE = ["value deve ser maior que zero, com no máximo 2 casas decimais"]
METHODS = (
    "method must be one of the following values: dinheiro, cartão de crédito, cartão de débito, pix, transferência,"
    " cheque, outro"
)
BAD = {
    "nothing": (
        {"method": None, "value": None},
        [
            "method should not be empty",
            METHODS,
            "value should not be empty",
            "value must be a number conforming to the specified constraints",
        ],
    ),
    "a negative value": ({"value": -1}, VALUE),
    "no value": ({"value": "0.00"}, VALUE),
    "a third of a cent": ({"value": "0.333"}, VALUE),
    "too much": ({"value": 1e8}, VALUE),
    "a word": ({"value": "dez"}, ["value must be a number conforming to the specified constraints"]),
    "a comma": ({"value": "1,50"}, ["value must be a number conforming to the specified constraints"]),
    "true": ({"value": True}, ["value must be a number conforming to the specified constraints"]),
    "another method": ({"method": "ouro"}, [METHODS]),
    "a name for a flag": ({"flag": "Visa\n"}, [FLAG_SHAPE]),
    "a long flag": ({"flag": "a" * 31}, [FLAG_SHAPE]),
    "the card's number": ({"flag": "4111111111111111"}, [FLAG_SHAPE]),
    "the card's number as it is printed": ({"flag": "Visa 4111 1111 1111 1111"}, [FLAG_SHAPE]),
    "the card's number with slashes": ({"flag": "4111/1111/1111/1111"}, [FLAG_SHAPE]),
    "the card's number far apart": ({"flag": "4111 - 1111 - 1111 - 1111"}, [FLAG_SHAPE]),
    "a short card's number": ({"flag": "676770000001"}, [FLAG_SHAPE]),
    "NUL": ({"flag": "a\0"}, ["flag contém caracteres que não podem ser gravados"]),
    "no instalment": ({"instalments": 0}, ["instalments deve ser de 1 a 48"]),
    "49 instalments": ({"instalments": 49}, ["instalments deve ser de 1 a 48"]),
    "a patient's name": (
        {"protocol": "João Silva"},
        ["protocol deve ter letras sem acento, dígitos e . / : _ -, no máximo 60"],
    ),
    "two fields": (
        {"value": "x", "instalments": 0},
        ["value must be a number conforming to the specified constraints", "instalments deve ser de 1 a 48"],
    ),
}


@pytest.mark.parametrize(("changes", "messages"), BAD.values(), ids=BAD)
def test_a_payment_that_cannot_be_is_refused_at_its_field(desk, booked, pay, changes, messages):
    answer = pay(PAYMENT | changes)
    assert answer.json() == {"message": messages, "error": "Bad Request", "statusCode": 400}
    assert not Receipt.objects.exists() and AppointmentEvent.objects.count() == 1


def test_one_key_pays_once(pay):
    first, second = pay(key="caixa-1"), pay(key="caixa-1")
    assert (first.status_code, first.content) == (201, second.content)
    assert second["Idempotency-Replayed"] == "true"
    assert Receipt.objects.count() == 1
    assert pay(PAYMENT | {"value": 5}, key="caixa-1").status_code == 422


def test_an_unknown_appointment_or_another_clinics_is_not_found(desk, imagemais, booked, pay):
    assert pay(appointment=10**9).json()["message"] == "Agendamento não encontrado"
    other = imagemais(make_clinic())
    assert other("POST", f"/appointments/{booked}/receive-payment", PAYMENT).status_code == 404
    assert not Receipt.objects.exists()


def test_a_receipt_outlives_a_redaction_and_names_nobody(desk, booked, pay):
    pay()
    Appointment.objects.update(status="finished")
    by = Author(channel="command", credential="tests")
    redact_patient(Patient.objects.get().pk, clinic=desk.clinic, by=by, reason="pedido")
    assert receipts(Appointment.objects.get()) == [IN_WORDS]
    assert history.last_sentence(Appointment.objects.get()) == f"{IN_WORDS}."


def test_put_does_what_patch_does(desk, booked):
    changed = desk.ask("PUT", f"/appointments/{booked}", {"notes": "por PUT"}, key="once")
    assert (changed.status_code, changed.json()[0]["notes"]) == (200, "por PUT")
    again = desk.ask("PATCH", f"/appointments/{booked}", {"notes": "por PUT"}, key="once")
    assert again["Idempotency-Replayed"] == "true"
    assert desk.ask("PUT", f"/appointments/{booked}/status", {"action": "confirmado"}).status_code == 200
    assert desk.ask("PUT", "/appointments", {}).status_code == 405
