"""What another transaction holds: the page says so, keeps what was typed, and does not blame the database."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, time

import psycopg
import pytest
from django.contrib.admin.utils import quote
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import RequestFactory
from django.urls import reverse

from clinic.access import access_tokens, api_keys, first_clinic, form_replay
from clinic.models import AccessToken, ApiKey, Clinic, Discount, Patient, StaffUser, phones
from clinic.web.errors import server_error
from tests.factories import (
    PASSWORD,
    book_appointment,
    cpf,
    make_clinic,
    make_discount,
    make_doctor,
    make_manager,
    make_master,
    make_patient,
    make_user,
)
from tests.locks import PHONE_OR_CPF, held, wait_until_somebody_waits_for_a_lock
from tests.windows import Window

pytestmark = pytest.mark.usefixtures("impatient")

SENTENCE = "Outra pessoa está gravando isto neste momento. Nada foi gravado aqui: tente de novo."
HTMX = {"HX-Request": "true"}
PHONE = "+5581987654321"
ADD = "/admin/clinic/patient/add/"


@pytest.fixture
def impatient(transactional_db, settings, client):
    """No wait for a lock is longer than a fifth of a second, and an error of the server is answered."""
    settings.LOCK_WAIT_SECONDS = 0.2
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic, password=PASSWORD))
    return client


@pytest.fixture
def managing(client, clinic):
    client.force_login(make_manager(clinic))
    return client


@pytest.fixture
def master(client, clinic):
    user = make_master(clinic)
    client.force_login(user)
    return user


def sentences(answer):
    errors = answer.context["adminform"].form.errors
    return {name: list(errors[name]) for name in errors}


# A redaction


def test_a_redaction_of_a_held_patient_keeps_the_reason(client, clinic, master):
    patient = make_patient(clinic, notes="Segredo")
    page = reverse("web:patient-redact", args=[patient.pk])
    command = ["redact_patient", "--clinic", clinic.slug, "--patient", str(patient.pk), "--reason", "pedido"]
    with held(patient):
        answer = client.post(page, {"reason": "pedido do titular"}, headers=HTMX)
        with pytest.raises(CommandError, match="Try again"):
            call_command(*command, "--by", master.username)

    assert answer.status_code == 409 and SENTENCE in answer.text and 'value="pedido do titular"' in answer.text
    assert client.post(page, {"reason": "pedido do titular"}).status_code == 302


# Patients in the administration


@pytest.mark.parametrize("typed", ["(81) 98765-4321", "81987654321", "+55 81 98765-4321", "0 81 98765 4321"])
def test_a_new_patient_whose_phone_is_held_is_not_lost(managing, clinic, typed):
    window = Window(managing, ADD, "patient_form")
    with held() as other:
        other.execute(PHONE_OR_CPF, [clinic.pk, phones.spellings(PHONE)[0]])
        answer = window.save(name="Ana Nova", phone=typed, notes="prefere manhã")

    assert (answer.status_code, sentences(answer)) == (409, {"__all__": [SENTENCE]})
    assert (window.fields["name"], window.fields["notes"]) == (["Ana Nova"], ["prefere manhã"])
    assert not Patient.objects.exists()
    assert window.save().status_code == 302
    assert Patient.objects.get().phone.as_e164 == PHONE


def test_a_new_patient_whose_cpf_is_held_is_not_lost(managing, clinic):
    window = Window(managing, ADD, "patient_form")
    with held() as other:
        other.execute(PHONE_OR_CPF, [clinic.pk, cpf(1)])
        answer = window.save(name="Ana Nova", phone=PHONE, cpf=cpf(1))

    assert (answer.status_code, sentences(answer)) == (409, {"__all__": [SENTENCE]})
    assert window.save().status_code == 302


@pytest.mark.parametrize("changes", [{"notes": "x"}, {"name": "Ana"}, {"phone": "(81) 98333-1010"}, {"died": "on"}])
def test_an_edit_of_a_held_patient_is_not_lost_in_the_admin(managing, clinic, changes):
    patient = make_patient(clinic)
    window = Window(managing, f"/admin/clinic/patient/{patient.pk}/change/", "patient_form")
    with held(patient):
        answer = window.save(**changes)

    assert (answer.status_code, sentences(answer)) == (409, {"__all__": [SENTENCE]})
    assert window.save().status_code == 302


@pytest.mark.parametrize(
    ("twin", "field", "sentence"),
    [
        ({"name": "Bia", "cpf": cpf(1)}, "cpf", "Este CPF já é de Bia."),
        ({"name": "Ana Nova", "phone": PHONE, "cpf": None}, "__all__", "Já existe Ana Nova com este telefone."),
    ],
)
def test_a_patient_who_was_quicker_is_named_once(managing, clinic, twin, field, sentence):
    window = Window(managing, ADD, "patient_form")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
    with held() as other:
        # What another window holds while it registers the twin, which nobody sees before it commits.
        other.execute(PHONE_OR_CPF, [clinic.pk, twin["cpf"] or phones.spellings(PHONE)[0]])

        def register_twin():
            try:
                wait_until_somebody_waits_for_a_lock()
                make_patient(clinic, **twin)
                other.rollback()
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(register_twin)
            answer = window.save(name="Ana Nova", phone=PHONE, cpf=cpf(1))
            done.result(10)

    said = sentences(answer)
    assert answer.status_code == 409 and list(said) == [field]
    assert len(said[field]) == 1 and said[field][0].startswith(sentence)
    assert window.fields["name"] == ["Ana Nova"]


# Patients at the desk


def edited(patient):
    return {"name": patient.name, "phone": str(patient.phone), "version": patient.updated_at.isoformat()}


@pytest.mark.parametrize(
    "changes", [{"notes": "x"}, {"name": "Ana"}, {"email": "a@example.com"}, {"died": "on"}, {"birth_date": "1/2/1990"}]
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_edit_of_a_held_patient_is_not_lost_at_the_desk(desk, clinic, changes, headers):
    patient = make_patient(clinic)
    typed = edited(patient) | changes
    address = reverse("web:patient-edit", args=[patient.pk])
    with held(patient):
        answer = desk.post(address, typed, headers=headers)

    assert answer.status_code == 409 and SENTENCE in answer.text
    [(field, value)] = changes.items()
    assert answer.context["form"].data[field] == value
    assert desk.post(address, typed).status_code == 302


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_new_patient_whose_phone_is_held_is_not_lost_at_the_desk(desk, clinic, headers):
    with held() as other:
        other.execute(PHONE_OR_CPF, [clinic.pk, phones.spellings(PHONE)[0]])
        answer = desk.post(reverse("web:patient-add"), {"name": "Ana Nova", "phone": PHONE}, headers=headers)

    assert answer.status_code == 409 and SENTENCE in answer.text and "Ana Nova" in answer.text
    assert not Patient.objects.exists()


# Appointments


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("status", {"status": "confirmed"}),
        ("reschedule", {"move": "1", "date": "23/11/2026", "starts": "14:00"}),
        ("change", {"save": "1", "ends": "09:45"}),
        ("cancel", {"cancelled_by": "patient", "reason": "viagem"}),
        ("notes", {"notes": "em jejum", "seen": ""}),
        ("undo", {}),
    ],
)
def test_an_act_on_a_held_appointment_says_so(desk, clinic, time_machine, name, typed):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    appointment = book_appointment(make_doctor(clinic), starts_at=clinic.instant(date(2026, 11, 23), time(9)))
    if name == "undo":
        desk.post(reverse("web:appointment-status", args=[appointment.pk]), {"status": "confirmed"})
        typed |= {"event": appointment.events.latest("pk").pk}
    typed |= {"doctor": appointment.doctor_id, "procedure": appointment.lines.get().procedure_id}
    with held(appointment):
        answer = desk.post(reverse(f"web:appointment-{name}", args=[appointment.pk]), typed, headers=HTMX)

    assert answer.status_code in {409, 422} and SENTENCE in answer.text
    assert typed.get("reason", "") in answer.text and typed.get("notes", "") in answer.text


# Passwords and integrations


def test_a_password_whose_user_is_held_can_be_sent_again(desk):
    new = "outra senha comprida"
    typed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    user = StaffUser.objects.get()
    with held(user):
        answer = desk.post(reverse("web:password-change"), typed)

    assert answer.status_code == 409 and SENTENCE in answer.text
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert desk.post(reverse("web:password-change"), typed).status_code == 302


CENTRAL = {
    "name": "central", "scopes": ["directory:read"], "source": "voice_ai", "is_live": True, "by": None,
    "channel": "command",
}  # fmt: skip
KEY = {"name": "Central de voz", "scopes": ["directory:read"], "source": "voice_ai", "mode": "live"}


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("name", ["release", "token-end", "key-create", "key-rotate", "key-end"])
def test_an_act_on_a_held_credential_says_so(client, clinic, master, name, headers):
    key, _ = api_keys.create(clinic, **CENTRAL)
    token, _ = access_tokens.release(clinic, make_master(clinic), channel="command")
    args = {"token-end": [token.pk], "key-rotate": [key.pk], "key-end": [key.pk]}.get(name, [])
    before = ApiKey.objects.count(), AccessToken.objects.count()
    typed = KEY | {"seen": form_replay.last_event_id(clinic, master)}
    with held(master, key, token):
        answer = client.post(reverse(f"web:integration-{name}", args=args), typed, headers=headers)

    assert answer.status_code == 409 and SENTENCE in answer.text
    assert (ApiKey.objects.count(), AccessToken.objects.count()) == before
    assert ('value="Central de voz"' in answer.text) == (name == "key-create")
    assert not ApiKey.objects.exclude(revoked_at=None).exists()


def test_the_first_clinic_can_be_sent_again(client):
    address = first_clinic.path()
    typed = {
        "clinic_name": "Clínica Nova", "country": "BR", "time_zone": "America/Recife", "language": "pt-br",
        "name": "Ana", "username": "ana", "password1": "uma senha comprida", "password2": "uma senha comprida",
    }  # fmt: skip
    with held() as other:
        other.execute("LOCK TABLE clinic_staffuser IN ROW EXCLUSIVE MODE")
        answer = client.post(address, typed)

    assert answer.status_code == 409 and SENTENCE in answer.text and "Clínica Nova" in answer.text
    assert not Clinic.objects.exists()


# Every other page


def test_a_row_that_is_held_is_not_deleted_and_the_page_says_so(managing, clinic):
    discount = make_discount(clinic)
    with held(discount):
        answer = managing.post(f"/admin/clinic/discount/{quote(discount.pk)}/delete/", {"post": "yes"})

    assert answer.status_code == 409 and SENTENCE in answer.text
    assert Discount.objects.exists()


def test_an_action_on_a_held_row_says_so(managing, clinic):
    colleague = make_user(clinic)
    with held(colleague):
        typed = {"action": "release_reset", "_selected_action": [colleague.pk]}
        answer = managing.post("/admin/clinic/staffuser/", typed)

    assert answer.status_code == 409 and SENTENCE in answer.text


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.errors.LockNotAvailable,
        psycopg.errors.QueryCanceled,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.SerializationFailure,
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_no_wait_for_a_lock_is_called_a_fault_of_the_database(cause, htmx):
    request = RequestFactory().post("/pacientes/1/editar/")
    request.htmx = type("Htmx", (), {"__bool__": lambda self: htmx, "history_restore_request": False})()
    try:
        raise OperationalError("held") from cause()
    except OperationalError:
        answer = server_error(request)

    assert answer.status_code == 409 and SENTENCE in answer.text
    assert "banco de dados" not in answer.text and bool(re.search("<html", answer.text)) != htmx
