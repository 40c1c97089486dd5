import re
from contextlib import closing
from datetime import UTC, datetime, time
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection, models, transaction
from django.urls import reverse

from clinic.admin.constraint_messages import CONSTRAINT_MESSAGES
from clinic.admin.doctor import summary
from clinic.models import (
    Absence,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Closure,
    Discount,
    Doctor,
    Patient,
    Procedure,
    StaffUser,
    WorkingHours,
)
from tests.factories import (
    PASSWORD,
    cpf,
    make_clinic,
    make_discount,
    make_doctor,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_procedure,
    make_superuser,
    make_user,
)
from tests.locks import wait_until_somebody_waits_for_a_lock

pytestmark = pytest.mark.django_db

EDITED = [Doctor, Closure, Procedure, Discount, Patient, StaffUser, Clinic]
LOOKED_AT = [Appointment, AppointmentEvent]
NO_INLINES = {f"{prefix}-{part}_FORMS": "0" for prefix in ("hours", "absences") for part in ("TOTAL", "INITIAL")}


def make_closure(clinic, **fields):
    defaults = {
        "reason": "Dedetização",
        "starts_at": datetime(2026, 12, 24, 12, tzinfo=UTC),
        "ends_at": datetime(2026, 12, 24, 20, tzinfo=UTC),
    }
    return Closure.objects.create(clinic=clinic, **defaults | fields)


def make_appointment(clinic, number=0):
    """Written without booking: these tests look at rows, not at rules."""
    doctor, patient = make_doctor(clinic), make_patient(clinic)
    appointment = Appointment.objects.create(
        clinic=clinic,
        doctor=doctor,
        doctor_name=doctor.name,
        patient=patient,
        starts_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        ends_at=datetime(2026, 11, 23, 13, tzinfo=UTC),
    )
    procedure = doctor.procedures.get()
    AppointmentProcedure.objects.create(
        clinic=clinic, appointment=appointment, position=1, procedure=procedure, procedure_name=procedure.name, price=1
    )
    after = {"starts_at": appointment.starts_at.isoformat(), "doctor_name": appointment.doctor.name}
    AppointmentEvent.objects.create(
        clinic=clinic, appointment=appointment, kind="booked", channel="browser", after=after
    )
    return appointment


MAKE = {
    Doctor: make_doctor,
    Closure: make_closure,
    Procedure: make_procedure,
    Discount: make_discount,
    Patient: make_patient,
    StaffUser: make_user,
    Appointment: make_appointment,
    AppointmentEvent: lambda clinic: make_appointment(clinic).events.get(),
}


def url(model, what="changelist", *args):
    return reverse(f"admin:clinic_{model._meta.model_name}_{what}", args=args)


def errors(response):
    form = response.context["adminform"].form
    return {name: list(sentences) for name, sentences in form.errors.items()}


@pytest.fixture
def manager(client):
    manager = make_manager()
    client.force_login(manager)
    return manager


# --- who gets in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "status"), [(make_user, 403), (make_manager, 200), (make_master, 200), (make_superuser, 200)]
)
def test_the_admin_is_for_managers(client, make, status):
    client.force_login(make())

    assert client.get("/admin/").status_code == status
    assert client.get(url(Doctor)).status_code == status


def test_a_stranger_signs_in_at_the_one_door(client):
    assert client.get("/admin/").url == "/entrar/?next=%2Fadmin%2F"
    assert client.get("/admin/login/?next=/admin/clinic/").url == "/entrar/?next=/admin/clinic/"


def test_a_password_is_changed_at_the_one_door(client, manager):
    assert client.get("/admin/password_change/").url == "/senha/"


def test_index_lists_what_managers_organise_and_nothing_else(client, manager):
    page = client.get("/admin/").text

    for model in [*EDITED, *LOOKED_AT]:
        assert url(model) in page
    assert {model._meta.app_label for model in admin.site._registry} == {"clinic"}
    assert "Fechamentos da clínica" in page
    assert reverse("web:home") in page


# --- one clinic ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [*EDITED, *LOOKED_AT])
@pytest.mark.parametrize("what", ["change", "delete", "history"])
@pytest.mark.parametrize("make", [make_manager, make_master])
def test_rows_of_another_clinic_do_not_exist(client, make, model, what):
    client.force_login(make())
    row = make_clinic() if model is Clinic else MAKE[model](make_clinic())

    assert client.get(url(model, what, row.pk)).status_code in {404, 403 if what == "delete" else 404}
    assert client.post(url(model, what, row.pk), {"name": "x", "post": "yes"}).status_code in {403, 404}
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [*EDITED, *LOOKED_AT])
@pytest.mark.parametrize("pk", ["0", "999999999999999999999999999999", "x", "_00", "1; drop", "-1"])
def test_a_row_that_does_not_exist_is_not_found(client, manager, model, pk):
    assert client.get(url(model, "change", pk)).status_code == 404


@pytest.mark.parametrize("model", list(MAKE))
def test_a_list_shows_the_rows_of_its_own_clinic_only(client, manager, model):
    own, foreign = MAKE[model](manager.clinic), MAKE[model](make_clinic())

    page = client.get(url(model)).text

    assert url(model, "change", own.pk) in page
    assert url(model, "change", foreign.pk) not in page


@pytest.mark.parametrize("model", [Doctor, Closure, Procedure, Discount, Patient])
def test_a_bulk_deletion_leaves_other_clinics_alone(client, manager, model):
    own, foreign = MAKE[model](manager.clinic), MAKE[model](make_clinic())
    chosen = {"action": "delete_selected", "_selected_action": [own.pk, foreign.pk], "post": "yes"}

    client.post(url(model), chosen)

    assert not model.objects.filter(pk=own.pk).exists()
    assert model.objects.filter(pk=foreign.pk).exists()


def test_choices_are_of_the_own_clinic_only(client, manager):
    own, foreign = make_procedure(manager.clinic), make_procedure()

    page = client.get(url(Doctor, "add")).text
    assert own.name in page
    assert foreign.name not in page

    answer = client.post(url(Doctor, "add"), NO_INLINES | doctor_fields(procedures=[foreign.pk]))
    assert "procedures" in errors(answer)


def test_filters_name_the_own_doctors_only(client, manager):
    own, foreign = make_appointment(manager.clinic), make_appointment(make_clinic())

    page = client.get(url(Appointment)).text

    assert own.doctor.name in page
    assert foreign.doctor.name not in page


def test_added_rows_and_inlines_belong_to_the_own_clinic(client, manager):
    other = make_clinic()
    inside = {
        "hours-TOTAL_FORMS": "1",
        "hours-0-weekday": "1",
        "hours-0-starts": "08:00",
        "hours-0-ends": "12:00",
        "absences-TOTAL_FORMS": "1",
        "absences-0-starts_at_0": "24/12/2026",
        "absences-0-starts_at_1": "08:00",
        "absences-0-ends_at_0": "31/12/2026",
        "absences-0-ends_at_1": "18:00",
        "absences-0-reason": "férias",
    }

    answer = client.post(url(Doctor, "add"), NO_INLINES | doctor_fields(clinic=other.pk) | inside)

    assert answer.status_code == 302
    doctor = Doctor.objects.get()
    assert doctor.clinic == manager.clinic
    assert doctor.hours.get().clinic == manager.clinic
    absence = doctor.absences.get()
    assert absence.clinic == manager.clinic
    assert absence.starts_at == datetime(2026, 12, 24, 11, tzinfo=UTC), "08:00 in Recife"


def test_closure_closes_own_clinic_and_excludes_doctor_absences(client, manager):
    doctor = make_doctor(manager.clinic)
    absent = Absence.objects.create(
        clinic=manager.clinic,
        doctor=doctor,
        reason="férias",
        starts_at=datetime(2026, 12, 1, tzinfo=UTC),
        ends_at=datetime(2026, 12, 2, tzinfo=UTC),
    )
    typed = {
        "reason": "Dedetização",
        "starts_at_0": "24/12/2026",
        "starts_at_1": "12:00",
        "ends_at_0": "24/12/2026",
        "ends_at_1": "18:00",
    }

    assert client.post(url(Closure, "add"), typed).status_code == 302
    closure = Closure.objects.get(doctor=None)
    assert (closure.clinic, closure.starts_at.hour) == (manager.clinic, 15)
    assert client.get(url(Closure, "change", absent.pk)).status_code == 404


def test_superuser_sees_every_clinic_and_changes_the_chosen_one(client):
    client.force_login(make_superuser())
    recife, lisbon = make_doctor(), make_doctor(make_lisbon())
    page = client.get(url(Doctor)).text
    assert recife.name in page
    assert lisbon.clinic.name in page
    assert client.get(url(Doctor, "add")).status_code == 403
    assert "_save" not in client.get(url(Doctor, "change", recife.pk)).text

    client.post(url(Clinic), {"action": "work_here", "_selected_action": [recife.clinic.pk]})
    assert client.get(url(Doctor, "change", recife.pk)).status_code == 200
    assert client.get(url(Doctor, "change", lisbon.pk)).status_code == 404
    client.post(url(Doctor, "add"), NO_INLINES | doctor_fields(name="Nova"))
    assert Doctor.objects.get(name="Nova").clinic == recife.clinic

    client.post(url(Clinic), {"action": "leave", "_selected_action": [recife.clinic.pk]})
    assert client.get(url(Doctor, "change", lisbon.pk)).status_code == 200


def test_a_manager_chooses_no_clinic(client, manager):
    client.post(url(Clinic), {"action": "work_here", "_selected_action": [manager.clinic.pk]})

    assert "chosen_clinic" not in client.session


# --- sentences at fields ---------------------------------------------------------------------------------------------


def doctor_fields(**fields):
    return {"name": "Ana", "specialty": "Pediatria", "council_number": "", "interval_minutes": "15"} | fields


@pytest.mark.parametrize("model", [Doctor, WorkingHours, Absence, Procedure, Discount, Clinic, StaffUser])
def test_every_constraint_of_an_edited_model_has_its_sentence(model):
    typed = [each for each in model._meta.constraints if not each.name.endswith("_uuid_once")]
    for constraint in typed:
        field, sentence = CONSTRAINT_MESSAGES[constraint.name]
        assert model._meta.get_field(field)
        assert sentence


REFUSED = [
    (Doctor, NO_INLINES | doctor_fields(council_number="CRM 1"), "council_number", "já usa este registro"),
    (Doctor, NO_INLINES | doctor_fields(interval_minutes="4"), "interval_minutes", "5 a 240"),
    (Doctor, NO_INLINES | doctor_fields(name="x" * 121), "name", "120"),
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
    (Patient, {"name": "", "phone": "81999990000"}, "name", "nome"),
    (Patient, {"name": "12345", "phone": "81999990000"}, "name", "nenhuma letra"),
    (Patient, {"name": "Ana", "phone": "123"}, "phone", "Faltam dígitos"),
    (Patient, {"name": "Ana", "phone": "(81) 99999-999"}, "phone", "Falta um dígito"),
    (Patient, {"name": "Ana", "phone": "81-3222-CASA"}, "phone", "CASA"),
    (Patient, {"name": "Ana", "phone": "81999990000", "cpf": "12.345.678/0001-95"}, "cpf", "CNPJ"),
    (Patient, {"name": "Ana", "phone": "81999990000", "cpf": "11111111112"}, "cpf", "não conferem"),
    (Patient, {"name": "Ana", "phone": "81999990000", "cpf": cpf(777)}, "cpf", "já é de"),
    (Patient, {"name": "Ana", "phone": "81999990000", "birth_date": "01/01/2199"}, "birth_date", "anterior a hoje"),
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
    make_user(username="ja-existe")
    before = model.objects.count()

    answer = client.post(url(model, "add"), typed)

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
    typed = NO_INLINES | doctor_fields(name="Dra. Interrompida") | hours((1, "08:00", "12:00"))

    assert client.post(url(Doctor, "add"), typed).status_code == 302
    client.post("/entrar/", {"username": user.username, "password": PASSWORD})
    answer = client.get(url(Doctor, "add"))

    assert "Dra. Interrompida" in answer.text
    assert 'value="08:00' in answer.text
    assert "confira e salve de novo" in answer.text
    assert not Doctor.objects.exists()
    assert client.post(url(Doctor, "add"), typed).status_code == 302
    assert Doctor.objects.get().name == "Dra. Interrompida"


# --- what history needs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Doctor, Patient, Procedure])
def test_row_with_history_is_not_deleted_and_page_says_what_to_do(client, manager, model):
    appointment = make_appointment(manager.clinic)
    row = {
        Doctor: appointment.doctor,
        Patient: appointment.patient,
        Procedure: appointment.doctor.procedures.get(),
    }[model]

    for answer in [
        client.get(url(model, "delete", row.pk)),
        client.post(url(model, "delete", row.pk), {"post": "yes"}),
        client.post(url(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}),
    ]:
        assert answer.status_code == 200
        assert "o histórico da clínica precisa dele" in answer.text
        assert "Em vez de excluir" in answer.text
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [Doctor, Patient, Procedure, Discount, Closure])
def test_row_without_history_can_be_deleted(client, manager, model):
    row = MAKE[model](manager.clinic)

    assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", LOOKED_AT)
@pytest.mark.parametrize("make", [make_manager, make_superuser])
def test_appointments_and_history_are_looked_at_only(client, make, model):
    row = MAKE[model](make_clinic())
    user = make(row.clinic) if make is make_manager else make()
    client.force_login(user)

    assert client.get(url(model, "change", row.pk)).status_code == 200
    assert client.get(url(model, "add")).status_code == 403
    assert client.get(url(model, "delete", row.pk)).status_code == 403
    assert client.post(url(model, "change", row.pk), {"notes": "x"}).status_code == 403
    client.post(url(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model.objects.filter(pk=row.pk).exists()


# --- people ----------------------------------------------------------------------------------------------------------


def staff_fields(**fields):
    return {"name": "Bia", "username": "bia", "role": "receptionist", "is_active": "on"} | fields


def test_a_new_colleague_gets_a_password_that_is_shown_once(client, manager):
    answer = client.post(url(StaffUser, "add"), staff_fields(), follow=True)

    user = StaffUser.objects.get(username="bia")
    assert user.clinic == manager.clinic
    password = re.search(r"Senha de bia: (\S+) ", answer.text)[1]
    assert user.check_password(password)
    assert password not in client.get(url(StaffUser)).text
    assert not LogEntry.objects.filter(change_message__contains=password).exists()


def test_a_typed_password_is_not_shown(client, manager):
    answer = client.post(url(StaffUser, "add"), staff_fields(new_password=PASSWORD), follow=True)

    assert StaffUser.objects.get(username="bia").check_password(PASSWORD)
    assert PASSWORD not in answer.text


def test_an_empty_password_leaves_it_as_it_is(client, manager):
    user = make_user(manager.clinic, password=PASSWORD, username="bia")

    client.post(url(StaffUser, "change", user.pk), staff_fields(name="Beatriz"))

    user.refresh_from_db()
    assert user.name == "Beatriz"
    assert user.check_password(PASSWORD)


def test_manager_resets_passwords_of_colleagues_but_not_of_masters(client, manager):
    colleague, master = make_user(manager.clinic, password=PASSWORD), make_master(manager.clinic, password=PASSWORD)
    chosen = {"action": "give_new_password", "_selected_action": [colleague.pk, master.pk, manager.pk]}

    page = client.post(url(StaffUser), chosen, follow=True).text

    password = re.search(rf"Senha de {colleague.username}: (\S+) ", page)[1]
    colleague.refresh_from_db()
    master.refresh_from_db()
    assert colleague.check_password(password)
    assert master.check_password(PASSWORD)


def test_a_manager_releases_a_locked_colleague(client, manager):
    colleague = make_user(manager.clinic, password=PASSWORD)
    desk = client.__class__()
    for _ in range(5):
        desk.post("/entrar/", {"username": colleague.username, "password": "errada-errada"})
    assert desk.post("/entrar/", {"username": colleague.username, "password": PASSWORD}).status_code == 429

    client.post(url(StaffUser), {"action": "unlock", "_selected_action": [colleague.pk]})

    assert desk.post("/entrar/", {"username": colleague.username, "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(("make", "may"), [(make_manager, False), (make_master, True)])
def test_only_a_master_makes_and_changes_masters(client, make, may):
    user = make()
    client.force_login(user)
    master = make_master(user.clinic)

    client.post(url(StaffUser, "add"), staff_fields(role="master"))
    assert StaffUser.objects.filter(username="bia").exists() is may
    answer = client.post(url(StaffUser, "change", master.pk), staff_fields(username="c", role="receptionist"))
    assert answer.status_code == (302 if may else 403)


def test_a_superuser_is_out_of_sight_and_nobody_becomes_one(client):
    master = make_master()
    client.force_login(master)
    superuser = make_superuser(clinic=master.clinic)

    assert client.get(url(StaffUser, "change", superuser.pk)).status_code == 404
    client.post(url(StaffUser, "add"), staff_fields(is_superuser="on", clinic=make_clinic().pk))
    user = StaffUser.objects.get(username="bia")
    assert (user.is_superuser, user.clinic) == (False, master.clinic)


@pytest.mark.parametrize("make", [make_manager, make_master, make_superuser])
def test_nobody_takes_away_the_own_access(client, make):
    user = make()
    client.force_login(user)
    typed = {"name": "Eu", "username": user.username, "role": "receptionist"}  # and no is_active

    assert client.post(url(StaffUser, "change", user.pk), typed).status_code == 302
    changed = StaffUser.objects.get(pk=user.pk)
    assert (changed.name, changed.role, changed.is_active) == ("Eu", user.role, True)
    assert changed.is_superuser == user.is_superuser
    assert client.get("/admin/").status_code == 200


def test_changing_the_own_password_keeps_the_session(client, manager):
    typed = {"name": "Eu", "username": manager.username, "new_password": PASSWORD}

    client.post(url(StaffUser, "change", manager.pk), typed)

    assert client.get("/admin/").status_code == 200


def test_nobody_is_deleted(client, manager):
    user = make_user(manager.clinic)

    assert client.post(url(StaffUser, "delete", user.pk), {"post": "yes"}).status_code == 403
    client.post(url(StaffUser), {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    assert StaffUser.objects.filter(pk=user.pk).exists()


def test_a_hash_cannot_be_guessed_through_the_list(client, manager):
    assert client.get(url(StaffUser), {"password__startswith": "argon2"}).status_code in {302, 400}


def test_a_manager_edits_the_own_clinic_but_not_what_it_is(client, manager):
    slug = manager.clinic.slug
    typed = {"name": "Nova", "slug": "tomada", "time_zone": "America/Manaus", "language": "pt-br", "country": "PT"}

    assert client.post(url(Clinic, "change", manager.clinic.pk), typed).status_code == 302

    clinic = Clinic.objects.get()
    assert (clinic.name, clinic.time_zone) == ("Nova", "America/Recife")
    assert (clinic.slug, clinic.country, clinic.active) == (slug, "BR", True)
    assert client.get(url(Clinic, "add")).status_code == 403
    assert client.get(url(Clinic, "delete", clinic.pk)).status_code == 403


# --- patients --------------------------------------------------------------------------------------------------------


def test_a_patient_goes_through_the_rules_of_the_desk(client, manager):
    typed = {
        "name": "  Ana\u202e  Sá ",
        "phone": "(81) 99999-0000",
        "cpf": "529.982.247-25",
        "birth_date": "17/05/1980",
    }

    assert client.post(url(Patient, "add"), typed).status_code == 302
    patient = Patient.objects.get()
    assert (patient.name, patient.cpf, str(patient.phone)) == ("Ana Sá", "52998224725", "+5581999990000")
    assert patient.clinic == manager.clinic
    assert LogEntry.objects.get().object_id == str(patient.pk)

    client.post(url(Patient, "change", patient.pk), typed | {"name": "Ana Souza", "cpf": ""})
    patient.refresh_from_db()
    assert (patient.name, patient.cpf) == ("Ana Souza", None)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("alvaro", True),
        ("ÁLVARO", True),
        ("var lor", True),
        ("lia", True),
        ("alvaro bispo", False),
        ("99876", True),
        ("(81) 99876-5432", True),
        ("529.982", True),
        ("123", False),
        ("50%", False),
        ("_", False),
    ],
)
def test_a_patient_is_found_without_accents_by_any_part_and_by_digits(client, manager, typed, found):
    make_patient(
        manager.clinic, name="Álvaro Lôro", social_name="Élia", phone="+5581998765432", cpf="52998224725", nif=""
    )

    assert ("Élia" in client.get(url(Patient), {"q": typed}).text) is found


def test_the_admin_asks_about_an_age_and_a_year_of_two_digits(client, manager):
    typed = {"name": "Ana", "phone": "(81) 98333-1010", "birth_date": "01/01/1901"}

    answer = client.post(url(Patient, "add"), typed)
    assert answer.status_code == 200 and 'name="old_is_right" value="1901-01-01"' in answer.text
    assert "quatro algarismos" in client.post(url(Patient, "add"), typed | {"birth_date": "01/01/25"}).text
    assert Patient.objects.count() == 0
    assert client.post(url(Patient, "add"), typed | {"old_is_right": "1901-01-01"}).status_code == 302
    assert "01/01/1901 (12" in client.get(url(Patient)).text


def test_a_double_is_asked_about_in_the_admin_too(client, manager):
    rita = make_patient(manager.clinic, name="Rita Lima", phone="+5581983331010", cpf=None)
    typed = {"name": "RITA  lima", "phone": "(81) 98333-1010"}

    answer = client.post(url(Patient, "add"), typed)
    assert answer.status_code == 200 and Patient.objects.count() == 1
    assert "Já existe Rita Lima, é a mesma pessoa?" in answer.text and url(Patient, "change", rita.pk) in answer.text
    assert "É outra pessoa: cadastrar" in answer.text
    link = re.search(r"<a [^>]*>É a mesma: abrir em outra aba</a>", answer.text)[0]
    assert 'target="_blank"' in link and 'rel="noopener"' in link  # what was typed stays in this one

    assert client.post(url(Patient, "add"), typed | {"besides": f"x {'9' * 5000} {rita.pk}"}).status_code == 302
    assert Patient.objects.count() == 2
    assert client.post(url(Patient, "change", rita.pk), typed).status_code == 302


@pytest.mark.parametrize(
    "typed", ["davila", "d’avila", "(rita)", "rita.", "Sra. Rita", "tel 98333-1010", "rita, cel. (81) 98333-1010"]
)
def test_the_admin_looks_for_a_patient_as_the_desk_does(client, manager, typed):
    rita = make_patient(manager.clinic, name="Rita D'Ávila", phone="+5581983331010")
    make_patient(manager.clinic, name="Bruno Dias", phone="+5581977772222")

    page = client.get(url(Patient), {"q": typed})
    assert list(page.context["cl"].queryset) == [rita]


@pytest.mark.parametrize("typed", ["davila", "(davila)", "D’Ávila,", "helena davila", "avila."])
def test_the_admin_finds_a_doctor_whatever_stands_between_the_letters(client, manager, typed):
    helena = make_doctor(manager.clinic, name="Dra. Helena D'Ávila")
    make_doctor(manager.clinic, name="Dr. Bruno Dias")

    assert list(client.get(url(Doctor), {"q": typed}).context["cl"].queryset) == [helena]


@pytest.mark.parametrize("mark", "ʹʺʻʼʽˆˈˋː")
@pytest.mark.parametrize(("model", "make"), [(Doctor, make_doctor), (Patient, make_patient)])
def test_the_admin_finds_nobody_by_marks_without_letters(client, manager, model, make, mark):
    helena = make(manager.clinic, name="Helena D’Ávila")
    assert list(client.get(url(model), {"q": mark * 3}).context["cl"].queryset) == []
    assert list(client.get(url(model), {"q": f"D{mark}avila"}).context["cl"].queryset) == [helena]


@pytest.mark.parametrize("model", [*EDITED, *LOOKED_AT])
@pytest.mark.parametrize("typed", ["ánà", "a\0b", "%", "'", "\\", "x" * 1000, "12:00 ☎"])
def test_no_search_breaks_a_list(client, manager, model, typed):
    assert client.get(url(model), {"q": typed}).status_code == 200


# --- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ""),
        ([(1, 8, 12)], "Seg 08:00–12:00"),
        ([(day, *span) for day in range(1, 6) for span in [(8, 12), (13, 18)]], "Seg–Sex 08:00–12:00, 13:00–18:00"),
        ([(1, 8, 12), (3, 8, 12), (4, 9, 12)], "Seg 08:00–12:00 · Qua 08:00–12:00 · Qui 09:00–12:00"),
    ],
)  # fmt: skip
def test_hours_are_summed_up_in_a_line(rows, expected):
    hours = [WorkingHours(weekday=day, starts=time(starts), ends=time(ends)) for day, starts, ends in rows]

    assert summary(hours) == expected


@pytest.mark.parametrize(
    ("who", "columns", "fields"),
    [
        (lambda: make_manager(make_clinic()), ["cpf"], ["cpf", "nif"]),
        (lambda: make_manager(make_lisbon()), ["nif"], ["nif", "cpf"]),
        (make_superuser, ["cpf", "nif"], ["cpf", "nif"]),
    ],
    ids=["Recife", "Lisbon", "a superuser without a clinic"],
)
def test_patient_list_shows_the_document_of_the_clinic_country(client, who, columns, fields):
    user = who()
    patient = make_patient(user.clinic, nif="501964843")
    client.force_login(user)

    page = client.get(url(Patient))
    assert re.findall(r'class="field-(cpf|nif)', page.text) == columns
    assert re.findall(r"\?(cpf|nif)__isempty=1", page.text) == columns
    assert re.findall(r'field-(cpf|nif)"', client.get(url(Patient, "change", patient.pk)).text) == fields


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("model", "queries"),
    [
        (Doctor, 6),
        (Closure, 6),
        (Procedure, 4),
        (Discount, 4),
        (Patient, 3),
        (StaffUser, 4),
        (Appointment, 6),
        (AppointmentEvent, 5),
    ],
)
def test_a_list_costs_the_same_however_long(client, django_assert_num_queries, model, queries, count):
    clinic = make_clinic()
    if model is StaffUser:
        count -= 1
    client.force_login(make_manager(clinic))
    client.get("/admin/")
    for _ in range(count):
        MAKE[model](clinic)

    with django_assert_num_queries(queries):
        client.get(url(model))


@pytest.mark.parametrize("model", [*EDITED, *LOOKED_AT])
@pytest.mark.parametrize("make", [make_manager, make_superuser])
def test_every_page_opens(client, make, model):
    clinic = make_clinic()
    user = make() if make is make_superuser else make(clinic)
    row = clinic if model is Clinic else MAKE[model](clinic)
    client.force_login(user)

    assert client.get(url(model)).status_code == 200
    assert client.get(url(model, "change", row.pk)).status_code == 200
    assert client.get(url(model, "history", row.pk)).status_code == 200
    assert client.get(url(model, "add")).status_code in {200, 403}


def test_every_model_with_a_clinic_is_limited_to_one(client):
    for model, model_admin in admin.site._registry.items():
        if model not in {Clinic, StaffUser}:
            assert "get_queryset" in dir(model_admin)
            assert isinstance(model._meta.get_field("clinic"), models.ForeignKey)
            assert "clinic" in model_admin.get_exclude(client.get("/entrar/").wsgi_request)
