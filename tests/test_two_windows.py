"""Two windows on one row: what a form has not changed it does not write, and what both have changed is asked about."""

import re
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core import signing
from django.db import connection, transaction
from django.urls import reverse

from clinic.admin.base import BaseAdmin, ReadOnlyAdminMixin
from clinic.admin.filled import FilledForm, FilledFormSet
from clinic.booking import Author, change_status, reschedule
from clinic.models import Absence, Closure, Discount, Doctor, Patient, StaffUser, WorkingHours
from clinic.registry import change_patient
from tests.factories import (
    PASSWORD,
    book_appointment,
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
from tests.windows import Window

pytestmark = pytest.mark.django_db


def url(model, what="change", *args):
    return reverse(f"admin:clinic_{model._meta.model_name}_{what}", args=args)


def opened(client, row):
    return Window(client, url(type(row), "change", row.pk), f"{row._meta.model_name}_form")


def make_closure(clinic):
    return Closure.objects.create(
        clinic=clinic,
        reason="Dedetização",
        starts_at=datetime(2026, 12, 24, 12, tzinfo=UTC),
        ends_at=datetime(2026, 12, 24, 20, tzinfo=UTC),
    )


def field_errors(answer):
    return {name: " ".join(sentences) for name, sentences in answer.context["adminform"].form.errors.items()}


def row_errors(answer, prefix):
    formsets = [each.formset for each in answer.context["inline_admin_formsets"]]
    return [form.errors for each in formsets if each.prefix == prefix for form in each.forms]


def inline_errors(answer, prefix):
    formsets = [each.formset for each in answer.context["inline_admin_formsets"]]
    return " ".join(sentence for each in formsets if each.prefix == prefix for sentence in each.non_form_errors())


@pytest.fixture
def manager(client):
    manager = make_manager()
    client.force_login(manager)
    return manager


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
    (make_doctor, {"active": None}, {"specialty": "Pediatria"}),
    (make_procedure, {"price": "1.234,56"}, {"code": "A1"}),
    (make_procedure, {"duration_minutes": "45"}, {"active": None}),
    (make_closure, {"ends_at_1": "18:30"}, {"reason": "Pintura"}),
    (make_closure, {"starts_at_0": "23/12/2026"}, {"ends_at_0": "25/12/2026"}),
    (itself, {"observes_holidays": "on"}, {"name": "Clínica Nova"}),
    (itself, {"strict_cpf": "on"}, {"language": "pt-pt"}),
]  # fmt: skip


def stored(row):
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in {"updated_at"} and not field.generated
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
     ["+5581983331010", "(81) 98333-2020"]),
    (make_patient, {"cpf": ""}, {"cpf": "529.982.247-25"}, "cpf", ["vazio", "529.982.247-25"]),
    (make_patient, {"name": "Ana"}, {"name": ""}, "name", ["Ana", "vazio"]),
    (lambda c: make_user(c, role="manager"), {"username": "um"}, {"username": "dois"}, "username", ["um", "dois"]),
    (make_doctor, {"name": "Dra. Um"}, {"name": "Dra. Dois"}, "name", ["Dra. Um", "Dra. Dois"]),
    (make_procedure, {"price": "10"}, {"price": "R$ 20,00"}, "price", ["10,00", "R$ 20,00"]),
    (make_closure, {"ends_at_1": "18:00"}, {"ends_at_1": "19h"}, "ends_at", ["24/12/2026 18:00", "24/12/2026 19h"]),
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

    assert older.save(name="Dra. Outra").status_code == 302
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


SAVE_OF_A_DISCOUNT = 16  # as many as before forms were compared: the row is locked by the statement that reads it


def test_a_save_asks_the_database_no_more_than_before(client, manager, django_assert_num_queries):
    discount = make_discount(manager.clinic)
    window = opened(client, discount)

    with django_assert_num_queries(SAVE_OF_A_DISCOUNT):
        window.save(name="Verão")


# --- rights and accounts ---------------------------------------------------------------------------------------------


def test_rights_taken_away_meanwhile_do_not_come_back(client):
    master = make_master()
    client.force_login(master)
    colleague = make_master(master.clinic, may_squeeze_in=True)
    older, newer = opened(client, colleague), opened(client, colleague)
    newer.save(role="receptionist", is_active=None, may_squeeze_in=None)

    assert older.save(name="Beatriz").status_code == 302

    colleague.refresh_from_db()
    assert (colleague.name, colleague.role, colleague.is_active, colleague.may_squeeze_in) == (
        "Beatriz",
        "receptionist",
        False,
        False,
    )


def test_a_colleague_made_master_meanwhile_is_out_of_a_managers_reach(client, manager):
    colleague = make_user(manager.clinic)
    window = opened(client, colleague)
    StaffUser.objects.filter(pk=colleague.pk).update(role="master")

    assert window.save(role="receptionist").status_code == 403
    colleague.refresh_from_db()
    assert colleague.role == "master"


def test_a_superuser_moves_nobody_back_to_another_clinic(client):
    client.force_login(make_superuser())
    user, other = make_user(), make_clinic()
    older, newer = opened(client, user), opened(client, user)
    newer.save(clinic=other.pk, is_superuser="on")

    assert older.save(name="Bia").status_code == 302
    user.refresh_from_db()
    assert (user.clinic, user.is_superuser, user.name) == (other, True, "Bia")


def test_a_field_left_alone_takes_back_no_change(client, manager):
    user = make_user(manager.clinic)
    older, newer = opened(client, user), opened(client, user)
    newer.save(role="manager")

    assert older.save(name="Bia").status_code == 302
    user.refresh_from_db()
    assert (user.role, user.name) == ("manager", "Bia")


def test_a_password_typed_in_one_window_is_kept_by_the_other(client, manager):
    user = make_user(manager.clinic, password=PASSWORD)
    older, newer = opened(client, user), opened(client, user)
    newer.save(new_password="outra-garoa-na-varanda")

    assert older.save(name="Bia").status_code == 302
    user.refresh_from_db()
    assert user.name == "Bia" and user.check_password("outra-garoa-na-varanda")


def test_a_password_typed_in_both_windows_is_asked_about(client, manager):
    user = make_user(manager.clinic, password=PASSWORD)
    older, newer = opened(client, user), opened(client, user)
    newer.save(new_password="outra-garoa-na-varanda")

    answer = older.save(new_password="terceira-garoa-na-varanda", name="Bia")

    assert answer.status_code == 409 and "já trocou esta senha" in field_errors(answer)["new_password"]
    assert older.fields["name"] == ["Bia"]
    user.refresh_from_db()
    assert user.check_password("outra-garoa-na-varanda")
    assert older.save(new_password="terceira-garoa-na-varanda").status_code == 302
    user.refresh_from_db()
    assert user.check_password("terceira-garoa-na-varanda") and user.name == "Bia"


def test_a_password_stands_in_no_page(client, manager):
    user = make_user(manager.clinic, password=PASSWORD)
    window = opened(client, user)
    answer = window.save(new_password="curta-e-secreta"[:5], name="Bia")

    assert answer.status_code == 200
    assert "curta" not in answer.text.replace("demasiado curta", "").replace("muito curta", "")
    shown = signing.loads(window.fields["filled_with"][0], salt="clinic.admin.filled")
    assert user.password not in str(shown) and "argon2" not in str(shown)


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


# --- rows inside a doctor --------------------------------------------------------------------------------------------


MONDAY = {"days": [1], "hours": ((time(8), time(12)), (time(13), time(18)))}


def make_absence(doctor, **fields):
    defaults = {
        "reason": "férias",
        "starts_at": datetime(2026, 12, 1, 11, tzinfo=UTC),
        "ends_at": datetime(2026, 12, 2, 11, tzinfo=UTC),
    }
    return Absence.objects.create(clinic=doctor.clinic, doctor=doctor, **defaults | fields)


def spans(doctor):
    return sorted(hours.span for hours in doctor.hours.all())


def test_a_row_inside_is_merged_field_by_field(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)

    newer.save(**{"hours-0-starts": "07:00"})
    assert older.save(**{"hours-0-ends": "11:00", "name": "Dra. Nova"}).status_code == 302

    assert spans(doctor) == ["07:00–11:00", "13:00–18:00"]


def test_a_row_that_both_windows_changed_is_asked_about(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{"hours-1-ends": "17:00"})

    answer = older.save(**{"hours-1-ends": "16h", "name": "Dra. Nova"})

    assert answer.status_code == 409
    sentence = " ".join(row_errors(answer, "hours")[1]["ends"])
    assert "17:00" in sentence and "16h" in sentence
    assert older.fields["hours-1-ends"] == ["16h"] and older.fields["name"] == ["Dra. Nova"]
    assert older.save().status_code == 302
    assert spans(doctor) == ["08:00–12:00", "13:00–16:00"]


def test_absences_are_merged_too(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    absence = make_absence(doctor)
    older, newer = opened(client, doctor), opened(client, doctor)

    newer.save(**{"absences-0-ends_at_0": "05/12/2026"})
    assert older.save(**{"absences-0-reason": "congresso"}).status_code == 302

    absence.refresh_from_db()
    assert (absence.reason, absence.ends_at) == ("congresso", datetime(2026, 12, 5, 11, tzinfo=UTC))


@pytest.mark.parametrize("gone", [0, 1])
def test_a_row_deleted_in_another_window_is_named(client, manager, gone):
    doctor = make_doctor(manager.clinic, **MONDAY)
    rows = list(doctor.hours.all())
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{f"hours-{gone}-DELETE": "on"})

    answer = older.save(name="Dra. Nova", **{f"hours-{1 - gone}-weekday": "2"})

    assert answer.status_code == 409
    span = f"{rows[gone].starts:%H:%M} · {rows[gone].ends:%H:%M}"
    sentence = f"Outra janela excluiu “Segunda-feira · {span}”. O resto está como você deixou"
    assert sentence in inline_errors(answer, "hours") and sentence in answer.text
    assert older.fields["hours-TOTAL_FORMS"] == older.fields["hours-INITIAL_FORMS"] == ["1"]
    assert older.fields["hours-0-weekday"] == ["2"] and older.fields["name"] == ["Dra. Nova"]
    doctor.refresh_from_db()
    assert doctor.name != "Dra. Nova"

    assert older.save().status_code == 302
    doctor.refresh_from_db()
    assert doctor.name == "Dra. Nova"
    assert [(row.pk, row.weekday) for row in doctor.hours.all()] == [(rows[1 - gone].pk, 2)]


@pytest.mark.parametrize("how", ["deleted by another window", "deleted by a statement"])
def test_a_row_deleted_elsewhere_and_changed_here_comes_back_as_new(client, manager, how):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    if how == "deleted by another window":
        newer.save(**{"hours-0-DELETE": "on"})
    else:
        WorkingHours.objects.filter(doctor=doctor, starts=time(8)).delete()

    answer = older.save(**{"hours-0-ends": "11:00", "name": "Dra. Nova"})

    assert answer.status_code == 409
    assert "excluiu “Segunda-feira · 08:00 · 12:00”, que foi mudado nesta" in inline_errors(answer, "hours")
    assert older.fields["hours-1-ends"] == ["11:00"] and older.fields["name"] == ["Dra. Nova"]
    assert spans(doctor) == ["13:00–18:00"]
    assert older.save().status_code == 302, "saved again it is a new row"
    assert spans(doctor) == ["08:00–11:00", "13:00–18:00"]


def test_a_row_deleted_in_both_windows_is_deleted(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{"hours-0-DELETE": "on"})

    assert older.save(**{"hours-0-DELETE": "on", "name": "Dra. Nova"}).status_code == 302
    assert spans(doctor) == ["13:00–18:00"]


def test_a_row_deleted_here_and_changed_elsewhere_is_asked_about(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{"hours-0-ends": "11:00"})

    answer = older.save(**{"hours-0-DELETE": "on"})

    assert answer.status_code == 409
    changed = "Outra janela mudou “Segunda-feira · 08:00 · 12:00” para “Segunda-feira · 08:00 · 11:00”"
    assert changed in inline_errors(answer, "hours") and "hours-0-DELETE" in older.fields
    assert spans(doctor) == ["08:00–11:00", "13:00–18:00"]
    assert older.save().status_code == 302
    assert spans(doctor) == ["13:00–18:00"]


def test_a_row_added_in_another_window_stays_and_is_crossed_by_none(client, manager):
    doctor = make_doctor(manager.clinic, days=[1], hours=[(time(8), time(12))])
    older, newer = opened(client, doctor), opened(client, doctor)
    added = {"hours-TOTAL_FORMS": "2", "hours-1-weekday": "1", "hours-1-starts": "13:00", "hours-1-ends": "18:00"}
    assert newer.save(**added).status_code == 302

    answer = older.save(**added | {"hours-1-starts": "14:00"})
    assert answer.status_code == 200 and "cruza com" in str(row_errors(answer, "hours"))
    assert spans(doctor) == ["08:00–12:00", "13:00–18:00"]

    assert opened(client, doctor).save(name="Dra. Nova").status_code == 302
    assert spans(doctor) == ["08:00–12:00", "13:00–18:00"]


def test_all_rows_deleted_elsewhere_are_all_named(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    make_absence(doctor)
    older = opened(client, doctor)
    doctor.hours.all().delete()
    doctor.absences.all().delete()

    answer = older.save(name="Dra. Nova")

    assert inline_errors(answer, "hours").count("Outra janela excluiu") == 2
    assert "“01/12/2026 08:00 · 02/12/2026 08:00 · férias”" in inline_errors(answer, "absences")
    assert older.save().status_code == 302
    doctor.refresh_from_db()
    assert doctor.name == "Dra. Nova" and not doctor.hours.exists() and not doctor.absences.exists()


def test_new_rows_typed_beside_a_deleted_one_are_kept(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older = opened(client, doctor)
    doctor.hours.first().delete()
    new = {"hours-TOTAL_FORMS": "3", "hours-2-weekday": "6", "hours-2-starts": "8", "hours-2-ends": "11"}

    assert older.save(**new).status_code == 409
    assert older.fields["hours-1-weekday"] == ["6"] and older.fields["hours-1-starts"] == ["8"]
    assert older.save().status_code == 302
    assert spans(doctor) == ["08:00–11:00", "13:00–18:00"]


@pytest.mark.parametrize("pk", ["0", "x", "", "99999999999999999999", "-1"])
def test_an_inline_row_of_nobody_breaks_nothing(client, manager, pk):
    doctor = make_doctor(manager.clinic, **MONDAY)
    window = opened(client, doctor)

    assert window.save(**{"hours-0-id": pk}).status_code in {302, 409}
    assert spans(doctor) == ["08:00–12:00", "13:00–18:00"]


def test_a_row_of_another_doctor_is_not_moved(client, manager):
    doctor, other = make_doctor(manager.clinic, **MONDAY), make_doctor(make_clinic(), **MONDAY)
    foreign = other.hours.first()
    window = opened(client, doctor)

    window.save(**{"hours-0-id": str(foreign.pk), "hours-0-ends": "10:00"})

    foreign.refresh_from_db()
    assert (foreign.doctor, foreign.ends) == (other, time(12))


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
    change_patient(patient.pk, {"email": "nova@example.com"}, clinic=manager.clinic)

    assert window.save(notes="liga de volta").status_code == 302
    patient.refresh_from_db()
    assert (patient.email, patient.notes) == ("nova@example.com", "liga de volta")


# --- outside the admin -----------------------------------------------------------------------------------------------


MOVES = [
    ({"doctor": "other"}, {"starts": "11:00"}),
    ({"starts": "10:00"}, {"doctor": "other"}),
    ({"starts": "10:00"}, {"starts": "11:00"}),
    ({"date": "tuesday"}, {"starts": "11:00"}),
    ({"doctor": "other", "date": "tuesday", "starts": "16:00"}, {"date": "tuesday"}),
]


@pytest.mark.parametrize(("first", "second"), MOVES)
def test_an_older_window_moves_no_appointment_back(client, first, second):
    procedure = make_procedure()
    doctor, other = (make_doctor(procedure.clinic, procedures=[procedure]) for _ in range(2))
    appointment = book_appointment(doctor)
    tuesday = f"{procedure.clinic.local(appointment.starts_at) + timedelta(days=1):%d/%m/%Y}"
    first, second = (
        {name: {"other": str(other.pk), "tuesday": tuesday}.get(text, text) for name, text in typed.items()}
        for typed in (first, second)
    )
    client.force_login(make_user(procedure.clinic))
    older, newer = (
        Window(client, reverse("web:appointment-reschedule", args=[appointment.pk]), "booking") for _ in "12"
    )
    assert newer.save(move="1", **first).status_code == 302
    appointment.refresh_from_db()
    stands = appointment.doctor, appointment.starts_at

    answer = older.save(move="1", **second)

    assert answer.status_code == 409
    at = procedure.clinic.local(appointment.starts_at)
    assert f"Outra janela já remarcou este agendamento para {at:%d/%m} às {at:%H:%M}, com {stands[0]}" in answer.text
    appointment.refresh_from_db()
    assert (appointment.doctor, appointment.starts_at) == stands
    assert {name: older.fields[name] for name in second} == {name: [text] for name, text in second.items()}
    assert older.save(move="1").status_code == 302, "both places were seen, and this one is meant"
    appointment.refresh_from_db()
    assert (appointment.doctor, appointment.starts_at) != stands


def test_a_move_sent_twice_is_no_conflict(client):
    appointment = book_appointment()
    client.force_login(make_user(appointment.clinic))
    address = reverse("web:appointment-reschedule", args=[appointment.pk])
    older, newer = Window(client, address, "booking"), Window(client, address, "booking")

    newer.save(move="1", starts="11:00")

    assert "Este já é o horário do agendamento" in older.save(move="1", starts="11:00").text


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("checked_in", "confirmed"),
        ("checked_in", "no_show"),
        ("in_service", "checked_in"),
        ("confirmed", "no_show"),
        ("moved", "confirmed"),
    ],
)
def test_a_button_drawn_earlier_takes_no_change_back(client, time_machine, there, here):
    appointment = book_appointment()
    doctor, clinic = appointment.doctor, appointment.clinic
    time_machine.move_to(appointment.starts_at + timedelta(minutes=1), tick=False)
    client.force_login(make_user(clinic))
    address = reverse("web:appointment-detail", args=[appointment.pk])
    drawn = re.search(r'name="seen" value="([^"]+)"', client.get(address).text)[1]
    by = Author(channel="browser", credential="other window")
    if there == "moved":
        moved_to = appointment.starts_at + timedelta(hours=2)
        reschedule(appointment.pk, clinic=clinic, doctor=doctor.pk, starts_at=moved_to, by=by)
    else:
        for status in {"in_service": ["checked_in", "in_service"]}.get(there, [there]):
            change_status(appointment.pk, status, clinic=clinic, by=by)
    appointment.refresh_from_db()
    stands = appointment.status

    press = reverse("web:appointment-status", args=[appointment.pk])
    answer = client.post(press, {"status": here, "seen": drawn})

    assert answer.status_code == 409 and "foi alterado depois do que você viu" in answer.text
    appointment.refresh_from_db()
    assert appointment.status == stands
    assert f'name="seen" value="{stands}|' in answer.text


def test_a_cancelling_begun_before_a_move_is_asked_about(client):
    appointment = book_appointment()
    client.force_login(make_user(appointment.clinic))
    cancel, move = (reverse(f"web:appointment-{act}", args=[appointment.pk]) for act in ("cancel", "reschedule"))
    older, newer = Window(client, cancel, "cancelling"), Window(client, move, "booking")
    newer.save(move="1", starts="11:00")

    answer = older.save(cancelled_by="patient", reason="viagem")

    assert answer.status_code == 409
    assert "foi alterado depois do que você viu" in answer.text and "11:00" in answer.text
    assert (older.fields["cancelled_by"], older.fields["reason"]) == (["patient"], ["viagem"])
    appointment.refresh_from_db()
    assert appointment.status == "rescheduled"
    older.save()
    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancel_reason) == ("cancelled", "viagem")


@pytest.mark.django_db(transaction=True)
def test_the_own_password_takes_back_no_right(client):
    """The page reads the user before a master takes the rights away, and writes after it."""
    user = make_master(password=PASSWORD)
    client.force_login(user)
    written = Event()

    def other_master():
        with closing(connection), transaction.atomic():
            StaffUser.objects.filter(pk=user.pk).update(role="receptionist", is_active=False)
            written.set()
            wait_until_somebody_waits_for_a_lock()

    other = Thread(target=other_master)
    other.start()
    written.wait(10)
    new = "outra-garoa-na-varanda"
    typed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    client.post(reverse("web:password-change"), typed)
    other.join()

    user.refresh_from_db()
    assert (user.role, user.is_active, user.check_password(new)) == ("receptionist", False, True)


def test_portugal_reads_its_own_words(client):
    master = make_master(make_lisbon())
    client.force_login(master)
    discount = make_discount(master.clinic)
    older, newer = opened(client, discount), opened(client, discount)
    newer.save(name="Um")

    sentence = field_errors(older.save(name="Dois"))["name"]

    assert sentence.startswith("Outra janela mudou este campo: lá ficou “Um”, aqui está “Dois”. Para guardar “Dois”,")
    assert "guarde de novo" in sentence
