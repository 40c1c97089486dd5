import re
from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import timezone

from clinic.access import calendar_feeds
from clinic.admin.doctor import summary
from clinic.models import (
    Absence,
    Appointment,
    AppointmentEvent,
    Clinic,
    Closure,
    Discount,
    Doctor,
    Patient,
    Payer,
    Procedure,
    StaffUser,
    WorkingHours,
)
from tests.factories import (
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_procedure,
    make_superuser,
    make_user,
)
from tests.managed import EDITED, LOOKED_AT, MAKE, NO_INLINES, doctor_fields, errors, make_appointment, url

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("model", [Doctor, Closure, Procedure, Discount, Payer])
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

    assert own.doctor.full_name in page
    assert foreign.doctor.full_name not in page


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


# --- what history needs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Doctor, Procedure])
def test_row_with_history_is_not_deleted_and_page_says_what_to_do(client, manager, model):
    appointment = make_appointment(manager.clinic)
    row = {
        Doctor: appointment.doctor,
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


@pytest.mark.parametrize("model", [Doctor, Procedure, Discount, Payer, Closure])
def test_row_without_history_can_be_deleted(client, manager, model):
    row = MAKE[model](manager.clinic)

    assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not model.objects.filter(pk=row.pk).exists()


def test_a_person_who_adds_a_namesake_reads_so(client, manager):
    typed = {"name": "Ecocardiograma", "price": "90", "duration_minutes": "30", "active": "on"}
    assert "Já havia outro" not in client.post(url(Procedure, "add"), typed, follow=True).text
    assert (
        "outro cadastro com o nome “ecocardiograma”"
        in client.post(url(Procedure, "add"), typed | {"name": "ecocardiograma"}, follow=True).text
    )
    make_doctor(manager.clinic, name="Dra. Ana Reis")
    page = client.post(url(Doctor, "add"), NO_INLINES | doctor_fields(name="Ana Reis"), follow=True)
    assert "outro cadastro com o nome “Ana Reis”" in page.text


def test_a_manager_who_adds_a_discount_of_one_name_reads_so(client, manager):
    MAKE[Discount](manager.clinic, name="Idoso", expires_on=timezone.now().date() - timedelta(days=2))
    typed = {"name": "idoso", "percentage": "10"}
    assert "Já havia outro" not in client.post(url(Discount, "add"), typed, follow=True).text
    page = client.post(url(Discount, "add"), typed | {"name": "Idóso"}, follow=True)
    assert "outro cadastro com o nome “Idóso”" in page.text


def test_what_goes_with_a_deleted_row_is_named_for_people(client, manager):
    procedure = make_procedure(manager.clinic, name="ECG")
    doctor = make_doctor(manager.clinic, name="Dra. Ana Reis", procedures=[procedure])
    starts_at = timezone.now()
    away = {"starts_at": starts_at, "ends_at": starts_at + timedelta(days=1), "reason": "férias"}
    Absence.objects.create(clinic=manager.clinic, doctor=doctor, **away)
    calendar_feeds.release(doctor, clinic=manager.clinic, by=manager)
    for row in (procedure, doctor):
        confirmation = client.get(url(type(row), "delete", row.pk))
        of_list = client.post(url(type(row)), {"action": "delete_selected", "_selected_action": [row.pk]})
        for page in (confirmation, of_list):
            assert "object (" not in page.text
            assert "doctor-procedure" not in page.text
            assert "+00:00" not in page.text


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
    assert re.findall(r'class="field-(?:written_)?(cpf|nif)', page.text) == columns
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
        (Payer, 4),
        (Patient, 4),
        (StaffUser, 4),
        (Appointment, 7),
        (AppointmentEvent, 6),
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
