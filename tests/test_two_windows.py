"""Two windows on one row: what a form has not changed it does not write, and what both have changed is asked about."""

from contextlib import closing
from datetime import UTC, date, datetime, time
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction

from clinic.admin.base import BaseAdmin, ReadOnlyAdminMixin
from clinic.admin.filled import FilledForm, FilledFormSet
from clinic.booking import merge_patients
from clinic.models import ClinicHoliday, Closure, Discount, Doctor, Patient, StaffUser
from clinic.registry import change_patient
from tests.booking.desk import BY
from tests.factories import (
    PASSWORD,
    make_discount,
    make_doctor,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
)
from tests.locks import wait_until_somebody_waits_for_a_lock
from tests.windows import field_errors, opened, url

pytestmark = pytest.mark.django_db


def make_closure(clinic):
    return Closure.objects.create(
        clinic=clinic,
        reason="Dedetização",
        starts_at=datetime(2026, 12, 24, 12, tzinfo=UTC),
        ends_at=datetime(2026, 12, 24, 20, tzinfo=UTC),
    )


def make_holiday(clinic):
    return ClinicHoliday.objects.create(
        clinic=clinic, falls_on="24/12", name="Natal aberto", kind="opens", starts=time(12)
    )


def itself(clinic):
    return clinic


# What the first window changes, and something else that the second one does.
DIFFERENT_FIELDS = [
    (make_discount, {"expires_on": "31/12/2026"}, {"name": "Verão"}),
    (make_discount, {"percentage": "", "fixed": "12,50"}, {"name": "Verão"}),
    (make_patient, {"phone": "(81) 98333-1010"}, {"notes": "prefere manhã"}),
    (lambda c: make_patient(c, notes="a\nb"), {"died": "on", "died_on": "01/11/2026"}, {"email": "a@example.com"}),
    (make_patient, {"birth_date": "01/02/1990"}, {"cpf": ""}),
    (make_user, {"role": "manager"}, {"name": "Bia"}),
    (make_user, {"is_active": None}, {"may_squeeze_in": "on"}),
    (make_user, {"may_squeeze_in": "on"}, {"username": "outro-nome"}),
    (make_doctor, {"interval_minutes": "20"}, {"council_number": "CRM 77"}),
    (make_doctor, {"encaixes_per_day": "4"}, {"interval_minutes": "20"}),
    (make_doctor, {"active": None}, {"specialty": "Pediatria"}),
    (make_procedure, {"price": "1.234,56"}, {"code": "A1"}),
    (make_procedure, {"duration_minutes": "45"}, {"active": None}),
    (make_payer, {"active": None}, {"ans_number": "123456"}),
    (make_payer, {"kind": "other"}, {"name": "Unimed"}),
    (make_closure, {"ends_at_1": "18:30"}, {"reason": "Pintura"}),
    (make_closure, {"starts_at_0": "23/12/2026"}, {"ends_at_0": "25/12/2026"}),
    (make_holiday, {"starts": "13:00"}, {"name": "Natal"}),
    (make_holiday, {"ends": "18:00"}, {"falls_on": "23/12"}),
    (itself, {"observes_holidays": "on"}, {"name": "Clínica Nova"}),
    (itself, {"strict_cpf": "on"}, {"language": "pt-pt"}),
    (itself, {"confirmation_text": "Olá, {paciente}!"}, {"texts_tell_procedure": "on"}),
    (make_patient, {"accepts_whatsapp": "false"}, {"notes": "prefere manhã"}),
]  # fmt: skip


def stored(row):
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in {"updated_at", "changed_at"} and not field.generated
    }


@pytest.mark.parametrize(("make", "first", "second"), DIFFERENT_FIELDS)
def test_an_older_window_writes_only_what_was_changed_in_it(client, manager, make, first, second):
    row = make(manager.clinic)
    model = type(row)
    before = stored(model.objects.get(pk=row.pk))
    older, newer = opened(client, row), opened(client, row)

    assert newer.save(**first).status_code == 302
    between = stored(model.objects.get(pk=row.pk))
    assert older.save(**second).status_code == 302
    after = stored(model.objects.get(pk=row.pk))

    changed_first = {name for name in before if before[name] != between[name]}
    changed_second = {name for name in before if between[name] != after[name]}
    assert changed_first and changed_second and not changed_first & changed_second


# What both windows change, and the stored and the typed value in words.
SAME_FIELD = [
    (make_discount, {"expires_on": "31/12/2026"}, {"expires_on": "30/11/2026"}, "expires_on",
     ["31/12/2026", "30/11/2026"]),
    (make_discount, {"percentage": "10"}, {"percentage": "15,5"}, "percentage", ["10,00", "15,5"]),
    (make_patient, {"phone": "(81) 98333-1010"}, {"phone": "(81) 98333-2020"}, "phone",
     ["(81) 98333-1010", "(81) 98333-2020"]),
    (make_patient, {"cpf": ""}, {"cpf": "529.982.247-25"}, "cpf", ["vazio", "529.982.247-25"]),
    (make_patient, {"name": "Ana"}, {"name": ""}, "name", ["Ana", "vazio"]),
    (lambda c: make_user(c, role="manager"), {"username": "um"}, {"username": "dois"}, "username", ["um", "dois"]),
    (make_doctor, {"name": "Ana Um"}, {"name": "Ana Dois"}, "name", ["Ana Um", "Ana Dois"]),
    (make_procedure, {"price": "10"}, {"price": "R$ 20,00"}, "price", ["10,00", "R$ 20,00"]),
    (make_payer, {"name": "Um"}, {"name": "Dois"}, "name", ["Um", "Dois"]),
    (make_closure, {"ends_at_1": "18:00"}, {"ends_at_1": "19h"}, "ends_at", ["24/12/2026 18:00", "24/12/2026 19h"]),
    (make_holiday, {"starts": "13:00"}, {"starts": "14h"}, "starts", ["13:00", "14h"]),
    (itself, {"time_zone": "America/Recife", "name": "Um"}, {"name": "Dois"}, "name", ["Um", "Dois"]),
]  # fmt: skip


def test_every_form_of_the_admin_is_tried_in_two_windows(manager):
    """A new noun must be added to both tables; a new form or formset must compare what comes back."""
    edited = {model: each for model, each in admin.site._registry.items() if not isinstance(each, ReadOnlyAdminMixin)}
    for table in [DIFFERENT_FIELDS, SAME_FIELD]:
        assert {type(make(manager.clinic)) for make, *_ in table} == set(edited)
    for each in edited.values():
        assert isinstance(each, BaseAdmin) and issubclass(each.form, FilledForm) and not each.list_editable
        for inline in each.inlines:
            assert issubclass(inline.form, FilledForm) and issubclass(inline.formset, FilledFormSet)


@pytest.mark.parametrize(("make", "first", "second", "field", "values"), SAME_FIELD)
def test_field_changed_in_both_windows_asks_with_both_values(client, manager, make, first, second, field, values):
    row = make(manager.clinic)
    model = type(row)
    older, newer = opened(client, row), opened(client, row)
    assert newer.save(**first).status_code == 302
    before = stored(model.objects.get(pk=row.pk))

    answer = older.save(**second)

    assert answer.status_code == 409
    assert all(value in field_errors(answer)[field] for value in values), field_errors(answer)
    assert stored(model.objects.get(pk=row.pk)) == before
    assert {name: older.fields[name] for name in second} == {name: [value] for name, value in second.items()}

    if field != "name" or second["name"]:
        assert older.save().status_code == 302, "both values were seen, and this one is meant"
        assert stored(model.objects.get(pk=row.pk)) != before


def test_the_same_change_in_both_windows_is_no_conflict(client, manager):
    discount = make_discount(manager.clinic)
    older, newer = opened(client, discount), opened(client, discount)

    newer.save(expires_on="31/12/2026")
    assert older.save(expires_on="31122026", name="Verão").status_code == 302

    discount.refresh_from_db()
    assert (discount.name, discount.expires_on) == ("Verão", date(2026, 12, 31))


@pytest.mark.parametrize("typed", ["(81) 98333-1010", "81983331010", "+55 81 98333 1010"])
def test_a_phone_written_otherwise_is_no_change(client, manager, typed):
    patient = make_patient(manager.clinic, phone="+5581983331010")
    older, newer = opened(client, patient), opened(client, patient)

    newer.save(phone="(81) 98333-2020")
    assert older.save(phone=typed).status_code == 302

    patient.refresh_from_db()
    assert patient.phone.as_e164 == "+5581983332020"


def test_each_window_adds_and_takes_its_own_procedures(client, manager):
    one, two, three, four = (make_procedure(manager.clinic) for _ in range(4))
    doctor = make_doctor(manager.clinic, procedures=[one, two])
    older, newer = opened(client, doctor), opened(client, doctor)

    newer.save(procedures=[two.pk, three.pk])
    assert older.save(procedures=[one.pk, two.pk, four.pk]).status_code == 302

    assert set(doctor.procedures.all()) == {two, three, four}


def test_a_procedure_deleted_meanwhile_stops_no_doctors_form(client, manager):
    one, two = make_procedure(manager.clinic), make_procedure(manager.clinic)
    doctor = make_doctor(manager.clinic, procedures=[one, two])
    older = opened(client, doctor)
    doctor.procedures.remove(two)
    two.delete()

    assert older.save(name="Outra Prado").status_code == 302
    assert list(doctor.procedures.all()) == [one]


def test_a_form_refused_otherwise_shows_what_is_stored_now(client, manager):
    discount = make_discount(manager.clinic)
    older, newer = opened(client, discount), opened(client, discount)
    newer.save(expires_on="31/12/2026")

    answer = older.save(percentage="101")

    assert answer.status_code == 200 and "no máximo 100" in field_errors(answer)["percentage"]
    assert older.fields["expires_on"] == ["31/12/2026"]
    assert older.save(percentage="100").status_code == 302
    discount.refresh_from_db()
    assert (discount.percentage, discount.expires_on) == (100, date(2026, 12, 31))


def test_constraints_look_at_what_both_windows_make_together(client, manager):
    discount = make_discount(manager.clinic, fixed=Decimal(5))
    older, newer = opened(client, discount), opened(client, discount)
    newer.save(fixed="", percentage="10")

    assert older.save(name="Verão").status_code == 302
    discount.refresh_from_db()
    assert (discount.fixed, discount.percentage, discount.name) == (None, 10, "Verão")


def test_the_history_names_only_what_the_window_changed(client, manager):
    discount = make_discount(manager.clinic)
    older, newer = opened(client, discount), opened(client, discount)
    newer.save(expires_on="31/12/2026")
    older.save(name="Verão")

    messages = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert "álido até" in messages[0] and "ome" not in messages[0]
    assert "ome" in messages[1] and "álido até" not in messages[1]


def test_nothing_changed_writes_nothing(client, manager):
    patient = make_patient(manager.clinic)
    before = Patient.objects.get(pk=patient.pk).updated_at

    assert opened(client, patient).save().status_code == 302
    assert Patient.objects.get(pk=patient.pk).updated_at == before


# As many as if forms were not compared: the row is locked by the statement that reads it. Three for each constraint.
SAVE_OF_A_DISCOUNT = 19


def test_a_save_asks_the_database_no_more_than_before(client, manager, django_assert_num_queries):
    discount = make_discount(manager.clinic)
    window = opened(client, discount)

    with django_assert_num_queries(SAVE_OF_A_DISCOUNT):
        window.save(name="Verão")


# --- rights and accounts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["x", "a:b:c", "", " ", "é", "x" * 5000])
def test_a_page_of_unknown_content_asks_about_every_difference(client, manager, version):
    user = make_user(manager.clinic, name="Bia")
    window = opened(client, user)
    StaffUser.objects.filter(pk=user.pk).update(role="manager")
    window.fields["filled_with"] = version

    answer = window.save()

    assert answer.status_code == 409
    assert "Gestão" in field_errors(answer)["role"] and "Recepção" in field_errors(answer)["role"]
    user.refresh_from_db()
    assert user.role == "manager"


def test_values_of_another_page_do_not_count(client, manager):
    one, two = make_user(manager.clinic, role="manager"), make_user(manager.clinic)
    of_one, of_two = opened(client, one), opened(client, two)

    assert of_two.save(filled_with=of_one.fields["filled_with"], role="manager").status_code == 409
    two.refresh_from_db()
    assert two.role == "receptionist"


@pytest.mark.django_db(transaction=True)
def test_a_save_waits_for_the_one_before_and_then_compares(client):
    manager = make_manager()
    client.force_login(manager)
    discount = make_discount(manager.clinic)
    window = opened(client, discount)
    written = Event()

    def other_manager():
        with closing(connection), transaction.atomic():
            Discount.objects.filter(pk=discount.pk).update(expires_on=date(2026, 12, 31), name="Inverno")
            written.set()
            wait_until_somebody_waits_for_a_lock()

    other = Thread(target=other_manager)
    other.start()
    written.wait(10)
    answer = window.save(name="Verão")
    other.join()

    assert answer.status_code == 409 and "Inverno" in field_errors(answer)["name"]


@pytest.mark.django_db(transaction=True)
def test_a_row_held_too_long_leaves_the_form_as_typed(client, settings):
    settings.LOCK_WAIT_SECONDS = 0.2
    manager = make_manager()
    client.force_login(manager)
    discount = make_discount(manager.clinic)
    window = opened(client, discount)
    held, answered = Event(), Event()

    def other_manager():
        with closing(connection), transaction.atomic():
            Discount.objects.select_for_update(no_key=True).get(pk=discount.pk)
            held.set()
            answered.wait(10)

    other = Thread(target=other_manager)
    other.start()
    held.wait(10)
    answer = window.save(name="Verão")
    answered.set()
    other.join()

    assert answer.status_code == 409 and "Nada foi gravado" in field_errors(answer)["__all__"]
    assert window.fields["name"] == ["Verão"]
    assert window.save().status_code == 302
    discount.refresh_from_db()
    assert discount.name == "Verão"


def test_a_form_whose_session_ended_is_still_compared(client, time_machine):
    time_machine.move_to("2026-11-23T15:00:00Z", tick=False)
    user = make_manager(password=PASSWORD)
    client.force_login(user)
    discount = make_discount(user.clinic)
    window = opened(client, discount)
    Discount.objects.filter(pk=discount.pk).update(expires_on=date(2026, 12, 31))
    time_machine.move_to("2026-11-23T18:00:00Z", tick=False)
    window.save(name="Verão")
    client.post("/entrar/", {"username": user.username, "password": PASSWORD})

    window = opened(client, discount)
    assert window.fields["name"] == ["Verão"]
    assert window.save().status_code == 302
    discount.refresh_from_db()
    assert (discount.name, discount.expires_on) == ("Verão", date(2026, 12, 31))


# --- the row itself is gone ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [make_discount, make_procedure, make_closure, make_patient, make_doctor])
def test_typed_fields_of_a_deleted_row_return_as_a_new_row(client, manager, make):
    row = make(manager.clinic)
    model = type(row)
    window = opened(client, row)
    named = "reason" if model is Closure else "name"
    model.objects.get(pk=row.pk).delete()

    answer = window.save(**{named: "Nome digitado"})

    assert answer.status_code == 409
    assert "Outra janela excluiu este cadastro" in field_errors(answer)["__all__"]
    assert window.fields[named] == ["Nome digitado"]
    assert f'action="{url(model, "add")}"' in answer.text
    assert not model.objects.filter(**{named: "Nome digitado"}).exists()

    window.address = url(model, "add")
    assert window.save().status_code == 302
    again = model.objects.get(**{named: "Nome digitado"})
    assert again.pk != row.pk and again.clinic == manager.clinic
    if model is Doctor:
        assert again.hours.count() == 10


def test_a_patient_who_was_merged_meanwhile_is_not_made_again(client, manager):
    merged, kept = make_patient(manager.clinic), make_patient(manager.clinic, name="Ana <b>Kept</b>")
    window = opened(client, merged)
    merge_patients(kept.pk, merged.pk, clinic=manager.clinic, sides={}, by=BY)
    kept_address = url(Patient, "change", kept.pk)

    for _ in range(2):
        answer = window.save(name="Nome digitado")
        assert answer.status_code == 409
        assert f'<a href="{kept_address}">Ana &lt;b&gt;Kept&lt;/b&gt;</a>, e nada foi salvo' in answer.text
        assert "excluiu este cadastro" not in answer.text
        assert window.fields["name"] == ["Nome digitado"]

    assert not Patient.objects.filter(name="Nome digitado").exists()
    assert client.get(url(Patient, "change", merged.pk)).url == kept_address


@pytest.mark.parametrize("filled_with", ["", "x", "of another row"])
def test_a_row_that_never_was_is_not_found(client, manager, filled_with):
    discount = make_discount(manager.clinic)
    if filled_with == "of another row":
        filled_with = opened(client, discount).fields["filled_with"]
    typed = {"name": "x", "percentage": "1", "filled_with": filled_with}

    assert client.post(url(Discount, "change", 10**9), typed).status_code == 404
    assert client.post(url(Discount, "change", make_discount().pk), typed).status_code == 404


def test_what_an_api_changed_meanwhile_is_not_put_back(client, manager):
    patient = make_patient(manager.clinic, email="velha@example.com")
    window = opened(client, patient)
    change_patient(patient.pk, {"email": "nova@example.com"}, clinic=manager.clinic, by=BY)

    assert window.save(notes="liga de volta").status_code == 302
    patient.refresh_from_db()
    assert (patient.email, patient.notes) == ("nova@example.com", "liga de volta")


# --- outside the admin -----------------------------------------------------------------------------------------------


def test_portugal_reads_its_own_words(client):
    master = make_master(make_lisbon())
    client.force_login(master)
    discount = make_discount(master.clinic)
    older, newer = opened(client, discount), opened(client, discount)
    newer.save(name="Um")

    sentence = field_errors(older.save(name="Dois"))["name"]

    assert sentence.startswith("Outra janela mudou este campo: lá ficou “Um”, aqui está “Dois”. Para guardar “Dois”,")
    assert "guarde de novo" in sentence
