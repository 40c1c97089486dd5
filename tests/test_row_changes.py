"""Every change of a clinic's set-up is noted by PostgreSQL, with its author, and nobody rewrites what was noted."""

from decimal import Decimal
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.urls import reverse
from django.utils import timezone

from clinic.access.authors import is_noted
from clinic.models import Clinic, Discount, Doctor, Payer, Procedure, ProcedurePrice, RowChange, StaffUser, WorkingHours
from clinic.models.row_change import NOTED_TABLES
from clinic.queries.row_changes import FIELDS, LABELS, SECRETS, UNSAID, in_words, names_for
from clinic.registry import Rise, new_prices, raise_prices
from tests.database import OTHER_ROLE
from tests.factories import (
    PASSWORD,
    make_clinic,
    make_discount,
    make_doctor,
    make_manager,
    make_payer,
    make_procedure,
    make_superuser,
    make_user,
)
from tests.managed import NO_INLINES

pytestmark = pytest.mark.django_db

# Why no trigger notes a table's rows.
NOT_NOTED = {
    "an event says it": {
        "clinic_appointment", "clinic_appointmentprocedure", "clinic_applieddiscount", "clinic_receipt",
        "clinic_patient", "clinic_patientmerge", "clinic_formername", "clinic_recall", "clinic_waitingentry",
        "clinic_waitingentry_doctors", "clinic_waitingentry_procedures",
    },
    "it is a history itself": {
        "clinic_appointmentevent", "clinic_clinicevent", "clinic_credentialevent", "clinic_patientevent",
        "clinic_recallevent", "clinic_waitingevent", "clinic_rowchange", "clinic_patientaccess", "clinic_signin",
        "clinic_consent", "clinic_incident", "clinic_retentionrun",
    },
    "its own row says by whom and when, and no page changes it": {
        "clinic_series", "clinic_confirmationcall", "clinic_roomcall", "clinic_prioritymark", "clinic_datarequest",
        "clinic_importrun",
    },
    "people write about patients in it, and a redaction blanks it": {"clinic_importrow"},
    "it passes": {"clinic_storedanswer", "clinic_requestcount", "clinic_staffsession"},
    "PostgreSQL writes it, from what is noted": {"clinic_ceasedprocedure"},
    "the installation's, with nothing to read": {"clinic_keycheck"},
}  # fmt: skip
# Columns that no trigger notes: of every table (migration 0080), of some, and those that no page shows.
LEFT_OUT = {"id", "clinic_id", "uuid", "sort_name", "folded_name", "folded_username", "last_login", "changed_at"}
LEFT_OUT |= {"last_used_at", "updated_at", "sandbox_of_id", "sandbox_day", "changes"}
SECRET_NAMES = ("password", "pin", "digest", "secret", "jti", "hash", "token")


@pytest.fixture
def clinic():
    return make_clinic()


def changes(table, act=None):
    rows = RowChange.objects.filter(table=table).order_by("pk")
    return list(rows.filter(act=act) if act else rows)


def test_every_table_is_noted_or_has_a_reason_not_to_be():
    """A new table of the set-up: `note_rows` in its migration, and its name in NOTED_TABLES. Of others say here why."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'clinic_note_row'::regproc")
        noted = {table for (table,) in cursor.fetchall()}
    tables = {model._meta.db_table for model in apps.get_app_config("clinic").get_models(include_auto_created=True)}
    excused = [table for group in NOT_NOTED.values() for table in group]

    assert noted == NOTED_TABLES
    assert sorted([*noted, *excused]) == sorted(tables)


def test_no_secret_of_a_noted_table_could_be_read():
    left_out = {"password", "pin", "digest", "jti", "secret"}  # clinic_note_row
    columns = {
        field.column
        for model in apps.get_app_config("clinic").get_models(include_auto_created=True)
        if model._meta.db_table in NOTED_TABLES
        for field in model._meta.concrete_fields
        if any(part in field.column for part in SECRET_NAMES)
    }
    assert columns <= left_out


def test_every_noted_column_is_named_for_people():
    unnamed = {column for (table, column), field in FIELDS.items() if table != "memo" and not field._verbose_name}
    assert unnamed - LEFT_OUT <= {*LABELS, *SECRETS, *UNSAID}


def test_a_save_in_the_admin_says_who_from_what_to_what(client, clinic):
    procedure = make_procedure(clinic, name="ECG", price="95.00")
    manager = make_manager(clinic)
    client.force_login(manager)
    typed = {"name": "ECG", "price": "110,00", "duration_minutes": "30", "active": "on", "code": "", "preparation": ""}
    path = reverse("admin:clinic_procedure_change", args=[procedure.pk])
    assert client.post(path, typed).status_code == 302
    [change] = changes("procedure", "changed")
    assert (change.before, change.after) == ({"name": "ECG", "price": 95.0}, {"name": "ECG", "price": 110.0})
    assert (change.clinic_id, change.row, change.user, change.channel) == (clinic.pk, procedure.pk, manager, "admin")
    assert isinstance(change.request_id, UUID)


def test_a_changed_price_says_from_when_it_holds(clinic):
    payer, procedure = make_payer(clinic), make_procedure(clinic)
    price = ProcedurePrice.objects.create(
        clinic=clinic, procedure=procedure, payer=payer, price=80, valid_from="2026-12-01"
    )
    ProcedurePrice.objects.filter(pk=price.pk).update(price=90)
    [change] = changes("procedureprice", "changed")
    naming = {"payer_id": payer.pk, "procedure_id": procedure.pk, "valid_from": "2026-12-01"}
    assert (change.before, change.after) == (naming | {"price": 80.0}, naming | {"price": 90.0})


def test_a_rise_is_noted_without_its_list_of_prices(clinic):
    manager = make_manager(clinic)
    make_procedure(clinic, price="100.00")
    rise = Rise(first=clinic.local(timezone.now()).date(), percentage=Decimal(8))
    raise_prices(clinic, rise, new_prices(clinic, rise), by=manager)
    [change] = changes("pricerise")
    assert change.after["percentage"] == 8 and "changes" not in change.after
    labels = [each.label for each in in_words(change, clinic, names_for(clinic, [change]))]
    assert {"porcentagem", "feito por", "vale de"} <= set(labels) and not {"made at", "rounding"} & set(labels)


def test_what_a_doctor_performs_is_noted_as_the_same_act(client, clinic):
    doctor, procedure = make_doctor(clinic), make_procedure(clinic)
    with transaction.atomic():
        doctor.procedures.add(procedure)
        Doctor.objects.filter(pk=doctor.pk).update(room="3")
    [added], [changed] = changes("doctor_procedures", "added")[-1:], changes("doctor", "changed")
    assert added.after == {"doctor_id": doctor.pk, "procedure_id": procedure.pk}
    assert (added.clinic_id, added.transaction) == (clinic.pk, changed.transaction)
    assert (changed.before["room"], changed.after["room"]) == ("", "3")


@pytest.mark.parametrize("make", [make_procedure, make_discount, make_payer, make_doctor, make_user])
def test_a_row_that_goes_is_kept_whole(clinic, make):
    row = make(clinic)
    name, pk, table = row.name, row.pk, row._meta.model_name
    row.delete()
    [change] = changes(table, "removed")
    assert (change.row, change.before["name"], change.after) == (pk, name, {})


def test_no_secret_is_noted_but_that_it_changed(clinic):
    user = make_user(clinic, password=PASSWORD)
    user.set_password("outra senha bem longa")
    user.pin = "a hash"
    user.save()
    added, changed = changes("staffuser")
    assert {"password", "pin"}.isdisjoint(added.after)
    assert (changed.after["password"], changed.after["pin"]) == (True, True)
    assert "argon2" not in str([added.after, changed.before, changed.after])


def test_a_sign_in_and_an_unchanged_save_are_no_change(client, clinic):
    user = make_user(clinic, password=PASSWORD)
    client.post(reverse("web:signin"), {"username": user.username, "password": PASSWORD})
    StaffUser.objects.get(pk=user.pk).save()
    assert [change.act for change in changes("staffuser")] == ["added"]


def test_a_statement_by_hand_is_noted_without_a_person(clinic):
    procedure = make_procedure(clinic)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL application_name = 'psql'")
        cursor.execute("UPDATE clinic_procedure SET price = 1 WHERE id = %s", [procedure.pk])
    change = changes("procedure")[-1]
    assert (change.channel, change.user, change.credential) == ("command", None, "psql")


def test_a_superusers_own_row_is_of_no_clinic():
    make_superuser()
    assert [change.clinic for change in changes("staffuser")] == [None]


def test_what_is_rolled_back_was_not_changed(clinic):
    with transaction.atomic():
        make_payer(clinic)
        transaction.set_rollback(True)
    assert changes("payer") == []


@pytest.mark.django_db(transaction=True)
def test_the_author_of_one_request_is_not_that_of_the_next(client):
    clinic = make_clinic()
    client.force_login(make_manager(clinic))
    typed = {"kind": "other", "name": "Unimed", "ans_number": "", "active": "on"} | NO_INLINES
    answer = client.post(reverse("admin:clinic_payer_add"), typed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    Payer.objects.update(active=False)
    first, second = changes("payer")
    assert (first.user is None, second.user is None) == (False, True)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('UPDATE "clinic_doctor" SET "room" = 1', True),
        ("WITH x AS (DELETE FROM clinic_absence RETURNING id) SELECT 1", True),
        ('INSERT INTO "clinic_workinghours" ("clinic_id") VALUES (1) ON CONFLICT DO NOTHING', True),
        ('SELECT * FROM "clinic_doctor" FOR NO KEY UPDATE OF "clinic_doctor"', False),
        ('UPDATE "clinic_appointment" SET "doctor_id" = 1', False),
    ],
)
def test_statements_that_write_noted_tables_are_known(statement, expected):
    assert is_noted(statement) is expected


def _exists(role):
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        return bool(cursor.rowcount)


@pytest.fixture
def role(clinic):
    """A role with the rights of the application, which the session has until its transaction ends. Another server than
    the embedded one is given it by its superuser."""
    make_procedure(clinic)
    with connection.cursor() as cursor:
        if not _exists(OTHER_ROLE):
            cursor.execute(f"CREATE ROLE {OTHER_ROLE} LOGIN")
            cursor.execute(f"GRANT {OTHER_ROLE} TO CURRENT_USER WITH SET TRUE, INHERIT FALSE")
        call_command("grant_application", OTHER_ROLE, verbosity=0)
        cursor.execute(f"SET LOCAL ROLE {OTHER_ROLE}")
    yield OTHER_ROLE
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


TAMPERING = [
    "UPDATE clinic_rowchange SET after = '{}'",
    "DELETE FROM clinic_rowchange",
    "TRUNCATE clinic_rowchange",
    "ALTER TABLE clinic_rowchange DISABLE TRIGGER ALL",
    "DROP TRIGGER rowchange_append_only ON clinic_rowchange",
    "DROP TRIGGER procedure_note_row ON clinic_procedure",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION clinic_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    'INSERT INTO clinic_rowchange ("table", act, at, channel, credential, transaction, before, after)'
    " VALUES ('doctor', 'added', now(), 'browser', '', 1, '{}', '{}')",
    "UPDATE clinic_clinicevent SET after = '{}'",
    "TRUNCATE clinic_appointmentevent CASCADE",
    "ALTER TABLE clinic_patientevent DISABLE TRIGGER ALL",
    "CREATE TEMPORARY TABLE clinic_rowchange (LIKE public.clinic_rowchange)",
]


@pytest.mark.parametrize("statement", TAMPERING)
def test_the_applications_role_cannot_rewrite_a_history(role, statement):
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_temporary_table_takes_no_tables_place(clinic):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE clinic_rowchange (LIKE public.clinic_rowchange) ON COMMIT DROP")
        make_procedure(clinic)
        for schema, expected in (("public", 1), ("pg_temp", 0)):
            cursor.execute(f"SELECT FROM {schema}.clinic_rowchange WHERE \"table\" = 'procedure'")
            assert cursor.rowcount == expected, schema


def test_what_the_applications_role_changes_is_noted(role, clinic):
    Procedure.objects.update(price="12.00")
    assert changes("procedure")[-1].after["price"] == 12


@pytest.mark.parametrize("statement", TAMPERING[:2])
def test_the_owner_is_refused_too_while_the_triggers_stand(clinic, statement):
    make_procedure(clinic)
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_rights_are_granted_to_no_owner_and_to_nobody_unknown():
    with pytest.raises(CommandError, match="There is no role"):
        call_command("grant_application", "nobody")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
    with pytest.raises(CommandError, match="could rewrite"):
        call_command("grant_application", owner)


def test_a_clinic_without_rows_can_still_go():
    clinic = make_clinic()
    Clinic.objects.filter(pk=clinic.pk).update(town="Recife")
    clinic.delete()
    assert [change.act for change in changes("clinic")] == ["changed", "removed"]
    assert not Discount.objects.exists() and not WorkingHours.objects.exists()
