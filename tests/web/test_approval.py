"""A manager's PIN: made on the page of the password, and asked for where an encaixe is refused without an approval."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from clinic.access import pins
from clinic.access.resumable_forms import SECRET_FIELDS
from clinic.models import Appointment, Doctor, StaffUser
from tests.factories import (
    PASSWORD,
    book_appointment,
    make_clinic,
    make_doctor,
    make_manager,
    make_master,
    make_patient,
    make_procedure,
    make_superuser,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

PIN, OTHER_PIN = "2580", "9517"
BOOK = reverse("web:appointment-book")
CHECK = reverse("web:appointment-check")
OWN_PAGE = reverse("web:password-change")
MONDAY = date(2026, 11, 23)
HALF = timedelta(minutes=30)
BLOCK = "Aprovação da gestão"
WRONG = "Este não é o PIN de quem aprova. Digite-o de novo."
BLOCKED = "Foram muitos PINs errados: até 13:00 nenhum é aceito aqui."


@pytest.fixture
def saturday(time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[make_procedure(clinic)], encaixes_per_day=0)


@pytest.fixture
def severino(clinic):
    return with_pin(make_manager(clinic, name="Severino"))


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic, name="Rita", may_squeeze_in=True))
    return client


@pytest.fixture
def maria(client, clinic):
    client.force_login(make_user(clinic, name="Maria"))
    return client


@pytest.fixture
def form(doctor, clinic):
    """The form with the question open for 09:00, which is taken, and its reason chosen."""
    book_appointment(doctor, starts_at=at(doctor, 9))
    return {
        "patient": make_patient(clinic, name="Ana Souza").pk,
        "doctor": doctor.pk,
        "procedure": [doctor.procedures.get().pk],
        "discount": [""],
        "date": "23/11/2026",
        "starts": "09:00",
        "notes": "chega às nove",
        "encaixe_for": f"{doctor.pk}|{at(doctor, 9).isoformat()}",
        "motive": "dor",
    }


def at(doctor, hour):
    return doctor.clinic.instant(MONDAY, time(hour))


def with_pin(user, pin=PIN):
    pins.set_pin(user, pin)
    return user


def approved(form, approver, pin=PIN):
    return form | {
        "approval_for": form["encaixe_for"],
        "approver": getattr(approver, "pk", approver),
        "approval_pin": pin,
    }


# --- the PIN itself --------------------------------------------------------------------------------------------------


def change(client, pin, again=None, password=PASSWORD, **more):
    typed = {"pin_password": password, "new_pin": pin, "new_pin_again": pin if again is None else again}
    return client.post(OWN_PAGE, typed | more)


@pytest.mark.parametrize("make", [make_manager, make_master])
def test_a_manager_makes_and_removes_a_pin(client, make):
    user = make(password=PASSWORD)
    client.force_login(user)
    assert "Você ainda não tem um PIN." in client.get(OWN_PAGE).content.decode()
    assert change(client, PIN).status_code == 302

    user.refresh_from_db()
    assert user.pin.startswith("argon2") and PIN not in user.pin
    assert "Remover o PIN" in client.get(OWN_PAGE).content.decode()
    assert change(client, "", remove="1").status_code == 302
    user.refresh_from_db()
    assert user.pin == "" and user.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("pin", "field"),
    [
        ("123", "new_pin"),
        ("258046139", "new_pin"),
        ("25a0", "new_pin"),
        ("٢٥٨٠", "new_pin"),
        ("", "new_pin"),
        ("7777", "new_pin"),
        ("1234", "new_pin"),
        ("4321", "new_pin"),
        ("7890", "new_pin"),
    ],
)
def test_a_pin_that_is_no_good_says_why(client, pin, field):
    user = make_manager(password=PASSWORD)
    client.force_login(user)
    answer = change(client, pin)

    assert list(answer.context["pin_form"].errors) == [field]
    user.refresh_from_db()
    assert user.pin == ""


def test_the_pin_asks_for_password_and_repetition(client):
    user = make_manager(password=PASSWORD)
    client.force_login(user)
    assert list(change(client, PIN, password="errada").context["pin_form"].errors) == ["pin_password"]
    answer = change(client, PIN, again=OTHER_PIN)
    assert list(answer.context["pin_form"].errors) == ["new_pin_again"] and PIN not in answer.content.decode()

    user.refresh_from_db()
    assert user.pin == ""


@pytest.mark.parametrize("make", [make_user, make_superuser])
def test_who_approves_nowhere_makes_no_pin(client, make):
    user = make(password=PASSWORD)
    client.force_login(user)
    assert "PIN" not in client.get(OWN_PAGE).content.decode()
    assert change(client, PIN).status_code == 403
    assert StaffUser.objects.get(pk=user.pk).pin == ""


def test_the_hash_is_neither_shown_nor_searched_in_the_admin(client, clinic, severino):
    client.force_login(make_master(clinic))
    pages = [client.get("/admin/clinic/staffuser/"), client.get(f"/admin/clinic/staffuser/{severino.pk}/change/")]
    assert all("argon2" not in page.content.decode() for page in pages)
    assert client.get("/admin/clinic/staffuser/", {"pin__startswith": "a"}).status_code == 400


def test_a_form_kept_over_a_sign_in_holds_no_pin():
    assert any(secret in "approval_pin" for secret in SECRET_FIELDS)


# --- the approval ----------------------------------------------------------------------------------------------------


def test_beyond_the_number_a_day_the_pin_is_asked_for(desk, form, severino):
    refused = desk.post(BOOK, form)
    page = refused.content.decode()
    assert refused.status_code == 409 and BLOCK in page and "chega às nove" in page
    assert "Severino" in page and "Aprovar e encaixar às 09:00" in page

    assert desk.post(BOOK, approved(form, severino)).status_code == 302
    booked = Appointment.objects.get(patient=form["patient"])
    assert (booked.encaixe_by.name, booked.encaixe_approved_by) == ("Rita", severino)
    shown = desk.get(reverse("web:appointment-detail", args=[booked.pk])).content.decode()
    assert "Encaixe por Rita: dor" in shown and "Aprovado por Severino" in shown
    assert "como encaixe (dor) aprovado por Severino" in shown


def test_without_the_permission_it_is_asked_for_at_once(maria, form, severino):
    Doctor.objects.update(encaixes_per_day=2)
    opened = {name: value for name, value in form.items() if name not in {"encaixe_for", "motive"}}
    assert "Encaixar às 09:00 mesmo assim…" in maria.post(BOOK, opened).content.decode()
    assert BLOCK in maria.post(CHECK, opened | {"encaixe": "1"}).content.decode()

    assert maria.post(BOOK, approved(form, severino)).status_code == 302
    assert Appointment.objects.get(patient=form["patient"]).encaixe_approved_by == severino


def test_without_a_manager_with_a_pin_it_says_how_to_make_one(desk, form, clinic):
    make_manager(clinic)
    page = desk.post(BOOK, form).content.decode()

    assert BLOCK in page and "Quem é da gestão define o seu em “Senha”" in page and "approval_pin" not in page


@pytest.mark.parametrize(
    ("approver", "pin"),
    [
        (lambda clinic: make_manager(clinic), PIN),
        (lambda clinic: make_manager(clinic), ""),
        (lambda clinic: with_pin(make_manager(clinic, is_active=False)), PIN),
        (lambda clinic: with_pin(make_manager()), PIN),
        (lambda clinic: with_pin(make_user(clinic)), PIN),
        (lambda clinic: with_pin(make_manager(clinic), OTHER_PIN), PIN),
        (lambda clinic: 2**40, PIN),
        (lambda clinic: "", PIN),
        (lambda clinic: "x", PIN),
    ],
)
def test_nobody_else_approves(desk, form, clinic, severino, approver, pin):
    answer = desk.post(BOOK, approved(form, approver(clinic), pin))
    errors = answer.context["form"].errors

    assert answer.status_code == 409 and errors.keys() & {"approver", "approval_pin"}
    assert "chega às nove" in answer.content.decode() and f'value="{PIN}"' not in answer.content.decode()
    assert Appointment.objects.count() == 1


def test_a_wrong_pin_and_an_unknown_manager_answer_alike(desk, form, severino):
    for approver, pin in [(severino, OTHER_PIN), (2**40, PIN)]:
        assert desk.post(BOOK, approved(form, approver, pin)).context["form"].errors["approval_pin"] == [WRONG]


def test_after_five_wrong_pins_the_right_one_waits(desk, form, severino, clinic, time_machine):
    for _ in range(5):
        assert WRONG in desk.post(BOOK, approved(form, severino, OTHER_PIN)).content.decode()
    answer = desk.post(BOOK, approved(form, severino))
    assert BLOCKED in answer.content.decode() and Appointment.objects.count() == 1

    desk.force_login(severino)  # signs in, and is counted apart
    assert desk.post(BOOK, approved(form, severino)).status_code == 302


def test_a_right_pin_forgets_the_wrong_ones(clinic, severino):
    rita = make_user(clinic)
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(pins.WrongPin):
                pins.approved_by(clinic, severino.pk, OTHER_PIN, asked_by=rita)
        assert pins.approved_by(clinic, severino.pk, PIN, asked_by=rita) == severino.pk


def test_a_pin_of_an_unfinished_form_is_not_tried(desk, form, severino):
    for _ in range(6):
        desk.post(BOOK, approved(form, severino, OTHER_PIN) | {"starts": "99:99"})
        desk.post(CHECK, approved(form, severino, OTHER_PIN))
    assert desk.post(BOOK, approved(form, severino)).status_code == 302


def test_over_an_absence_no_approval_is_asked_for(desk, form, severino, doctor):
    span = {"starts_at": at(doctor, 8), "ends_at": at(doctor, 12), "reason": "férias"}
    doctor.absences.create(clinic=doctor.clinic, **span)
    answer = desk.post(BOOK, approved(form, severino))

    assert answer.status_code == 409 and BLOCK not in answer.content.decode()


def test_moving_beyond_the_number_a_day_is_approved(desk, form, doctor, severino):
    own = book_appointment(doctor, starts_at=at(doctor, 11))
    address = reverse("web:appointment-reschedule", args=[own.pk])
    fields = {name: form[name] for name in ("doctor", "date", "starts", "encaixe_for", "motive")} | {"move": "1"}
    assert BLOCK in desk.post(address, fields).content.decode()
    assert WRONG in desk.post(address, approved(fields, severino, OTHER_PIN)).content.decode()
    assert desk.post(address, approved(fields, severino)).status_code == 302

    own.refresh_from_db()
    assert (own.starts_at, own.encaixe_approved_by) == (at(doctor, 9), severino)


# --- a later end in *Alterar* ----------------------------------------------------------------------------------------


@pytest.fixture
def own(doctor):
    """From 11:00 to 11:30, with another appointment right after it."""
    book_appointment(doctor, starts_at=at(doctor, 11) + HALF)
    return book_appointment(doctor, starts_at=at(doctor, 11))


def longer(own, **more):
    """What *Alterar* sends to end at 11:45 instead."""
    ends_at = at(own.doctor, 11) + 1.5 * HALF
    place = f"{own.doctor_id}|{own.starts_at.isoformat()}|{ends_at.isoformat()}"
    fields = {"procedure": [own.doctor.procedures.get().pk], "discount": [""], "ends": "11:45", "save": "1"}
    return fields | {"encaixe_for": place, "motive": "dor"} | more


def change_page(own):
    return reverse("web:appointment-change", args=[own.pk])


def test_a_later_end_over_taken_time_is_offered_as_an_encaixe(desk, own, doctor):
    Doctor.objects.update(encaixes_per_day=2)
    plain = {name: value for name, value in longer(own).items() if name not in {"encaixe_for", "motive"}}
    offered = desk.post(change_page(own), plain).content.decode()
    assert "Terminar às 11:45 mesmo assim, como encaixe…" in offered
    opened = {name: value for name, value in plain.items() if name != "save"} | {"encaixe": "1"}
    asked = desk.post(change_page(own), opened, headers={"HX-Request": "true"}).content.decode()
    assert "Motivo do encaixe até as 11:45" in asked and "Terminar às 11:45, como encaixe" in asked

    assert desk.post(change_page(own), longer(own)).status_code == 302
    own.refresh_from_db()
    assert (own.ends_at, own.encaixe_by.name, own.encaixe_approved_by) == (at(doctor, 11) + 1.5 * HALF, "Rita", None)
    shown = desk.get(reverse("web:appointment-detail", args=[own.pk])).content.decode()
    assert "fim de 11:30 para 11:45, como encaixe (dor)" in shown


def test_a_later_end_beyond_the_number_a_day_is_approved(desk, own, doctor, severino):
    refused = desk.post(change_page(own), longer(own))
    assert refused.status_code == 422 and BLOCK in refused.content.decode()
    assert "Aprovar e terminar às 11:45" in refused.content.decode()
    wrong = desk.post(change_page(own), approved(longer(own), severino, OTHER_PIN)).content.decode()
    assert WRONG in wrong and f'value="{OTHER_PIN}"' not in wrong

    assert desk.post(change_page(own), approved(longer(own), severino)).status_code == 302
    own.refresh_from_db()
    assert (own.encaixe_by.name, own.encaixe_approved_by) == ("Rita", severino)


def test_without_the_permission_a_later_end_asks_at_once(maria, own, severino):
    Doctor.objects.update(encaixes_per_day=2)
    assert BLOCK in maria.post(change_page(own), longer(own)).content.decode()
    assert maria.post(change_page(own), approved(longer(own), severino)).status_code == 302
    own.refresh_from_db()
    assert own.encaixe_approved_by == severino


def test_the_later_end_of_an_encaixe_is_approved_too(maria, own, doctor, severino, clinic):
    rita = make_user(clinic, may_squeeze_in=True)
    Appointment.objects.filter(pk=own.pk).update(encaixe_by=rita, encaixe_reason="febre")
    Doctor.objects.update(encaixes_per_day=2)
    plain = {name: value for name, value in longer(own).items() if name not in {"encaixe_for", "motive"}}
    asked = maria.post(change_page(own), plain).content.decode()
    assert BLOCK in asked and 'value="febre"' in asked
    typed = plain | {"encaixe_for": longer(own)["encaixe_for"], "other_motive": "febre"}
    assert maria.post(change_page(own), approved(typed, severino)).status_code == 302
    own.refresh_from_db()
    assert (own.encaixe_by, own.encaixe_reason, own.encaixe_approved_by) == (rita, "febre", severino)


def test_undoing_makes_it_an_ordinary_appointment_again(desk, own, doctor):
    Doctor.objects.update(encaixes_per_day=2)
    desk.post(change_page(own), longer(own))
    undo = reverse("web:appointment-undo", args=[own.pk])
    assert desk.post(undo, {"event": own.events.latest("pk").pk}).status_code == 302
    own.refresh_from_db()
    assert (own.ends_at, own.is_encaixe) == (at(doctor, 11) + HALF, False)


def test_undoing_asks_for_the_time_that_it_takes_again(desk, own, doctor):
    Doctor.objects.update(encaixes_per_day=2)
    desk.post(change_page(own), longer(own))
    book_appointment(doctor, starts_at=at(doctor, 11))  # an encaixe takes none of the doctor's time
    undo = reverse("web:appointment-undo", args=[own.pk])
    assert desk.post(undo, {"event": own.events.latest("pk").pk}).status_code == 409
    own.refresh_from_db()
    assert own.is_encaixe


@pytest.mark.parametrize("what", ["an absence", "no reason", "free time"])
def test_what_no_encaixe_lifts_and_what_needs_none(desk, own, doctor, what):
    Doctor.objects.update(encaixes_per_day=2)
    typed = longer(own)
    if what == "an absence":
        span = {"starts_at": at(doctor, 11) + HALF, "ends_at": at(doctor, 12), "reason": "férias"}
        doctor.absences.create(clinic=doctor.clinic, **span)
    elif what == "no reason":
        typed["motive"] = ""
    else:
        Appointment.objects.exclude(pk=own.pk).update(status="cancelled", cancelled_by="clinic")
    answer = desk.post(change_page(own), typed)
    own.refresh_from_db()
    assert answer.status_code == (302 if what == "free time" else 422) and not own.is_encaixe


def test_portugal_reads_its_own_words(client):
    clinic = make_clinic(country="PT", language="pt-pt", time_zone="Europe/Lisbon", currency="EUR")
    client.force_login(make_manager(clinic))
    page = client.get(OWN_PAGE).content.decode()

    assert "PIN de aprovação" in page and "encaixe" not in page and "Definir o PIN" in page
