from contextlib import closing
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from clinic.admin.constraint_messages import CONSTRAINT_MESSAGES
from clinic.models import Absence, Clinic, Closure, Discount, Doctor, Patient, Payer, Procedure, StaffUser, WorkingHours
from tests.factories import (
    PASSWORD,
    cpf,
    make_doctor,
    make_manager,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
)
from tests.locks import wait_until_somebody_waits_for_a_lock
from tests.managed import NO_INLINES, doctor_fields, errors, url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Doctor, WorkingHours, Absence, Procedure, Discount, Payer, Clinic, StaffUser])
def test_every_constraint_of_an_edited_model_has_its_sentence(model):
    untyped = ("_uuid_once", "_sandbox", "_sandbox_has_day")  # of columns that no form has
    typed = [each for each in model._meta.constraints if not each.name.endswith(untyped)]
    for constraint in typed:
        field, sentence = CONSTRAINT_MESSAGES[constraint.name]
        assert model._meta.get_field(field)
        assert sentence


REFUSED = [
    (Doctor, NO_INLINES | doctor_fields(council_number="CRM 1"), "council_number", "já usa este registro"),
    (Doctor, NO_INLINES | doctor_fields(interval_minutes="4"), "interval_minutes", "5 a 240"),
    (Doctor, NO_INLINES | doctor_fields(name="x" * 121), "name", "120"),
    (Doctor, NO_INLINES | doctor_fields(name="Dra. Dra. Ana"), "name", "ou outro no campo Título"),
    (Doctor, NO_INLINES | doctor_fields(name="Ana Reis, Dra."), "name", "no campo Título"),
    (Doctor, NO_INLINES | doctor_fields(title="o Dra."), "title", "Dra."),
    (Doctor, NO_INLINES | doctor_fields(name="a\0b"), "name", "nulo"),
    (Procedure, {"name": "Eco", "code": "A1", "price": "10", "duration_minutes": "30"}, "code", "já usa este código"),
    (Procedure, {"name": "Eco", "price": "-1", "duration_minutes": "30"}, "price", "negativo"),
    (Procedure, {"name": "Eco", "price": "dez", "duration_minutes": "30"}, "price", "número"),
    (Procedure, {"name": "Eco", "price": "10", "duration_minutes": "721"}, "duration_minutes", "5 a 720"),
    (Discount, {"name": "Verão"}, "percentage", "um dos dois"),
    (Discount, {"name": "Verão", "percentage": "10", "fixed": "5"}, "percentage", "um dos dois"),
    (Discount, {"name": "Verão", "percentage": "101"}, "percentage", "no máximo 100"),
    (Discount, {"name": "Verão", "fixed": "0"}, "fixed", "maior que zero"),
    (Discount, {"name": "Verão", "fixed": "5", "expires_on": "31/02/2026"}, "expires_on", "data não existe"),
    (Payer, {"name": "SAÚDE  sul", "kind": "health_plan"}, "name", "já tem este nome"),
    (Payer, {"name": "123", "kind": "health_plan"}, "name", "nenhuma letra"),
    (Payer, {"name": "Unimed", "kind": "sns"}, "kind", "lista"),
    (Payer, {"name": "Unimed", "kind": "other", "valid_from": "02/12/2026", "valid_until": "01/12/2026"},
     "valid_until", "fim da validade"),
    (Payer, {"name": "Unimed", "kind": "other", "per_day": "0"}, "per_day", "1 ou mais"),
    (Procedure, {"name": "Eco", "price": "1", "duration_minutes": "30", "return_days": "366"}, "return_days", "365"),
    (Payer, {"name": "Unimed", "kind": "health_plan", "return_days": "366"}, "return_days", "365"),
    (Payer, {"name": "Unimed", "kind": "health_plan", "ans_number": "12345"}, "ans_number", "seis dígitos"),
    (Payer, {"name": "Unimed", "kind": "health_plan", "ans_number": "1234567"}, "ans_number", "6"),
    (Patient, {"name": "", "phone": "81999990000"}, "name", "nome"),
    (Patient, {"name": "12345", "phone": "81999990000"}, "name", "nenhuma letra"),
    (Patient, {"name": "Ana", "phone": "123"}, "phone", "Faltam dígitos"),
    (Patient, {"name": "Ana", "phone": "(81) 99999-999"}, "phone", "Falta um dígito"),
    (Patient, {"name": "Ana", "phone": "81-3222-CASA"}, "phone", "CASA"),
    (Patient, {"name": "Ana", "phone": "81999990000", "cpf": "12.345.678/0001-95"}, "cpf", "CNPJ"),
    (Patient, {"name": "Ana", "phone": "81999990000", "cpf": "11111111112"}, "cpf", "não conferem"),
    (Patient, {"name": "Ana", "phone": "81999990000", "cpf": cpf(777)}, "cpf", "já é de"),
    (Patient, {"name": "Ana", "phone": "81999990000", "birth_date": "01/01/2199"}, "birth_date", "entre 1900 e hoje"),
    (Closure, {"reason": "x", "starts_at_0": "02/12/2026", "starts_at_1": "08:00", "ends_at_0": "01/12/2026",
               "ends_at_1": "08:00"}, "ends_at", "depois do início"),
    (StaffUser, {"name": "Bia", "username": "ja-existe", "role": "receptionist"}, "username", "Já existe"),
    (StaffUser, {"name": "Bia", "username": "bia", "role": "receptionist", "new_password": "123"},
     "new_password", "curta"),
    (StaffUser, {"name": "Bia", "username": "bia", "role": "master"}, "role", "master"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "typed", "field", "sentence"), REFUSED)
def test_refusal_is_shown_at_its_field(client, manager, model, typed, field, sentence):
    make_doctor(manager.clinic, council_number="CRM 1")
    make_procedure(manager.clinic, code="A1")
    make_patient(manager.clinic, cpf=cpf(777))
    make_payer(manager.clinic, name="Saúde Sul")
    make_user(username="ja-existe")
    before = model.objects.count()

    answer = client.post(url(model, "add"), NO_INLINES | typed)

    assert answer.status_code == 200
    assert sentence in " ".join(errors(answer)[field])
    assert list(errors(answer)) == [field]
    assert "foi violada" not in answer.text
    assert model.objects.count() == before


def test_the_same_code_in_another_clinic_is_free(client, manager):
    make_procedure(code="A1")
    make_doctor(council_number="CRM 1")

    client.post(url(Procedure, "add"), {"name": "Eco", "code": "A1", "price": "10", "duration_minutes": "30"})
    client.post(url(Doctor, "add"), NO_INLINES | doctor_fields(council_number="CRM 1"))

    assert Procedure.objects.of(manager.clinic).get().code == "A1"
    assert Doctor.objects.of(manager.clinic).get().council_number == "CRM 1"


@pytest.mark.parametrize(
    ("typed", "price"), [("252", 252), ("252,5", "252.50"), ("1.234,56", "1234.56"), ("R$ 1.234,56", "1234.56")]
)
def test_prices_are_typed_as_people_write_them(client, manager, typed, price):
    client.post(url(Procedure, "add"), {"name": "Eco", "price": typed, "duration_minutes": "30"})

    procedure = Procedure.objects.get()
    assert procedure.price == Decimal(price)
    shown = client.get(url(Procedure, "change", procedure.pk)).context["adminform"].form["price"].value()
    assert Decimal(shown) == procedure.price


@pytest.mark.parametrize("typed", ["15", "15%", "15,00 %"])
def test_a_percentage_is_typed_with_or_without_sign(client, manager, typed):
    client.post(url(Discount, "add"), {"name": "Sênior", "percentage": typed})

    assert Discount.objects.get().percentage == 15


def test_a_price_is_shown_with_a_comma(client, manager):
    procedure = make_procedure(manager.clinic, price="252.50")

    assert 'value="252,50"' in client.get(url(Procedure, "change", procedure.pk)).text


def hours(*rows):
    fields = {"hours-TOTAL_FORMS": str(len(rows)), "hours-INITIAL_FORMS": "0"}
    for number, (weekday, starts, ends) in enumerate(rows):
        fields |= {f"hours-{number}-weekday": weekday, f"hours-{number}-starts": starts, f"hours-{number}-ends": ends}
    return fields


@pytest.mark.parametrize(
    ("rows", "blamed"),
    [
        ([(1, "08:00", "12:00"), (1, "12:00", "18:00")], None),
        ([(1, "08:00", "12:00"), (2, "08:00", "12:00")], None),
        ([(1, "08:00", "12:00"), (1, "11:59", "18:00")], 1),
        ([(1, "13:00", "18:00"), (1, "08:00", "13:01")], 0),
        ([(1, "08:00", "18:00"), (1, "09:00", "10:00"), (1, "10:00", "11:00")], 2),
        ([(1, "08:00", "12:00"), (1, "08:00", "12:00")], 1),
    ],
)
def test_hours_that_cross_are_refused_at_their_field(client, manager, rows, blamed):
    answer = client.post(url(Doctor, "add"), NO_INLINES | doctor_fields() | hours(*rows))

    if blamed is None:
        assert answer.status_code == 302
    else:
        (formset, _) = answer.context["inline_admin_formsets"]
        assert "cruza com" in str(formset.formset.forms[blamed].errors["starts"])
        assert not Doctor.objects.exists()


def test_hours_end_after_they_start(client, manager):
    answer = client.post(url(Doctor, "add"), NO_INLINES | doctor_fields() | hours((1, "12:00", "08:00")))

    (formset, _) = answer.context["inline_admin_formsets"]
    assert "depois do início" in str(formset.formset.forms[0].errors["ends"])


@pytest.mark.django_db(transaction=True)
def test_a_twin_that_is_quicker_is_named_at_the_field(client, manager):
    """Between the check and the write another manager takes the code: the database refuses, and the form says so."""
    written = Event()

    def other_manager():
        with closing(connection), transaction.atomic():
            make_procedure(manager.clinic, code="A1")
            written.set()
            wait_until_somebody_waits_for_a_lock()

    other = Thread(target=other_manager)
    other.start()
    written.wait(10)
    typed = {"name": "Eco", "code": "A1", "price": "10", "duration_minutes": "30"}
    answer = client.post(url(Procedure, "add"), typed)
    other.join()

    assert "já usa este código" in errors(answer)["code"][0]


def test_form_sent_after_session_end_returns_filled_and_unsaved(client, time_machine):
    user = make_manager(password=PASSWORD)
    time_machine.move_to("2026-11-23T15:00:00Z", tick=False)
    client.force_login(user)
    client.get("/admin/")
    time_machine.move_to("2026-11-23T18:00:00Z", tick=False)
    typed = NO_INLINES | doctor_fields(name="Rita Interrompida") | hours((1, "08:00", "12:00"))

    assert client.post(url(Doctor, "add"), typed).status_code == 302
    client.post("/entrar/", {"username": user.username, "password": PASSWORD})
    answer = client.get(url(Doctor, "add"))

    assert "Rita Interrompida" in answer.text
    assert 'value="08:00' in answer.text
    assert "confira e salve de novo" in answer.text
    assert not Doctor.objects.exists()
    assert client.post(url(Doctor, "add"), typed).status_code == 302
    assert Doctor.objects.get().name == "Rita Interrompida"
