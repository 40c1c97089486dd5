"""Upgrading: while a backup or the version before is still running, and back again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from psycopg.sql import SQL, Identifier

from clinic.booking import LineRequest, change_status, edit_notes, reschedule
from clinic.models import AppliedDiscount, Appointment, AppointmentEvent, AppointmentProcedure, ClinicEvent
from clinic.queries.changes import changed_appointments, changed_patients, settled_until
from clinic.queries.pending import Why, pending
from tests.booking.desk import BY, open_desk
from tests.factories import make_discount, make_doctor_user, make_user, next_monday

RELEASED = "0003_staffsession"  # the last migration of the version before
BUILT_CONCURRENTLY = [
    ("0004_key_check", "0005_patient_letters", "patient_letters_trigram"),
    ("0009_words", "0010_events_by_time", "appointmentevent_clinic_at"),
]


def migrate(name=None, **options):
    call_command("migrate", "clinic", *([name] if name else []), verbosity=0, **options)


def migrate_with_little_patience(name):
    """In a thread, whose connection gives up a wait for a lock after a tenth of a second."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        migrate(name)
    finally:
        connection.close()


@contextmanager
def open_snapshot():
    """What a running backup holds."""
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": True}) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        session.execute("SELECT 1")
        yield


def waiting_for_longer_than_its_patience():
    """The process of the server that has waited for three tenths of a second to build an index."""
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                " AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND clock_timestamp() - query_start > '300ms'"
            )
            if found := cursor.fetchone():
                return found[0]
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("no index waits")


def is_valid(index):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::text::regclass", [index])
        return cursor.fetchone()[0]


@pytest.fixture
def the_newest_again(transactional_db):
    yield
    migrate()


@pytest.fixture
def empty_database(django_db_setup, django_db_blocker):
    """One of the test's own: to begin at the first migrations takes a fraction of going back to them."""
    settings, own = connection.settings_dict, f"empty_{uuid4().hex}"
    with django_db_blocker.unblock(), psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        connection.close()
        connection.close_pool()
        session.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(own)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(settings, "NAME", own)
            yield
            connection.close()
            connection.close_pool()
        session.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(own)))


@pytest.mark.parametrize(("before", "name", "index"), BUILT_CONCURRENTLY)
def test_an_index_waits_for_a_backup_and_can_be_built_again(empty_database, before, name, index):
    migrate(before)
    with ThreadPoolExecutor() as threads:
        with open_snapshot():
            built = threads.submit(migrate_with_little_patience, name)
            waiting = waiting_for_longer_than_its_patience()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_cancel_backend(%s)", [waiting])
            with pytest.raises(OperationalError):
                built.result(timeout=20)
            assert not is_valid(index)
            built = threads.submit(migrate_with_little_patience, name)
            waiting_for_longer_than_its_patience()
        built.result(timeout=20)
    assert is_valid(index)


@pytest.mark.parametrize(("before", "name", "index"), BUILT_CONCURRENTLY)
def test_the_patience_of_a_connection_is_as_before_after_an_index(empty_database, before, name, index):
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        usual = cursor.fetchone()
    migrate(before)
    migrate(name)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == usual


@pytest.mark.django_db
def test_new_columns_may_be_left_out_by_the_version_before():
    models = models_before().get_models()
    known = {(model._meta.db_table, field.column) for model in models for field in model._meta.local_concrete_fields}
    tables = sorted({table for table, _ in known})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND table_name = ANY(%s) AND is_nullable = 'NO' AND column_default IS NULL"
            " AND is_identity = 'NO' AND is_generated = 'NEVER'",
            [tables],
        )
        needed = set(cursor.fetchall())
    assert needed & known
    assert needed - known == set()


def models_before():
    return MigrationLoader(connection).project_state(("clinic", RELEASED)).apps


@pytest.fixture
def booked():
    desk = open_desk()
    discount = make_discount(desk.clinic, name="Convênio")
    return desk.book(lines=(LineRequest(desk.procedure.pk, discount.pk),))


def write_again(old, model, pk, **changes):
    """A copy of that row with these changes, as the version before writes one."""
    row = old.get_model("clinic", model).objects.get(pk=pk)
    row.pk, row._state.adding = None, True
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def book_again(old, booked):
    """What the version before books."""
    week = timedelta(days=7)
    times = {"starts_at": booked.starts_at + week, "ends_at": booked.ends_at + week}
    again = write_again(old, "Appointment", booked.pk, uuid=uuid4(), **times)
    line = write_again(old, "AppointmentProcedure", booked.lines.get().pk, appointment_id=again.pk)
    write_again(old, "AppliedDiscount", AppliedDiscount.objects.get().pk, line_id=line.pk)
    return Appointment.objects.get(pk=again.pk)


@pytest.mark.django_db
def test_the_version_before_books_and_adds_people_meanwhile(booked):
    old = models_before()
    book_again(old, booked)
    write_again(old, "Patient", booked.patient_id, uuid=uuid4(), cpf=None)
    user = make_user(booked.clinic, username="recepcao")
    for name in ("ana", "rita", "Ana.Souza"):
        write_again(old, "StaffUser", user.pk, username=name)


def test_names_are_filled_again_after_the_version_before_has_ended(the_newest_again, booked):
    meanwhile = book_again(models_before(), booked)
    moved = {"doctor": 1, "doctor_name": "Dr. Paulo Reis"}
    AppointmentEvent.objects.create(
        clinic=booked.clinic, appointment=booked, kind="rescheduled", channel="browser", after=moved
    )
    migrate("0012_names_as_booked", fake=True)
    migrate("0013_fill_names_as_booked")
    migrate(fake=True)
    assert Appointment.objects.get(pk=meanwhile.pk).doctor_name == "Helena Prado"  # the title has its own field by now
    assert Appointment.objects.get(pk=booked.pk).doctor_name == "Dr. Paulo Reis"
    assert set(AppointmentProcedure.objects.values_list("procedure_name", flat=True)) == {"Consulta"}
    assert set(AppliedDiscount.objects.values_list("discount_name", flat=True)) == {"Convênio"}


def test_status_since_is_filled_from_the_events(the_newest_again, booked):
    """Again after the version before has ended, which writes a status without it; for a row without events, too."""
    bare = book_again(models_before(), booked)
    act = {"clinic": booked.clinic, "by": BY}
    change_status(booked.pk, "confirmed", now=booked.starts_at - timedelta(hours=3), **act)
    confirmed = booked.events.last().at
    edit_notes(booked.pk, notes="traz exames", now=booked.starts_at - timedelta(hours=2), **act)
    migrate("0018_validate_at_most_a_day")
    migrate()
    assert since(booked, bare) == [confirmed, bare.created_at]
    Appointment.objects.update(status_since=booked.starts_at)
    migrate("0019_appointment_status_since", fake=True)
    migrate("0020_fill_status_since")
    migrate(fake=True)
    assert since(booked, bare) == [confirmed, bare.created_at]


def since(*appointments):
    return [Appointment.objects.get(pk=each.pk).status_since for each in appointments]


def test_the_way_back_is_open_after_a_new_time_zone(the_newest_again, booked):
    zones = {"before": {"time_zone": "America/Recife"}, "after": {"time_zone": "America/Noronha"}}
    event = {"clinic": booked.clinic, "kind": "time_zone", "channel": "browser"} | zones
    AppointmentEvent.objects.create(appointment=booked, **event)
    ClinicEvent.objects.create(**event)
    MigrationExecutor(connection).migrate([("clinic", "0014_words_of_absences")])
    migrate()
    assert AppointmentEvent.objects.filter(kind="time_zone").count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT convalidated FROM pg_constraint WHERE conname = 'appointmentevent_kind_known'")
        assert cursor.fetchone() == (True,)


def test_the_way_back_is_open_after_a_delay(the_newest_again, booked):
    delay = {"doctor": 1, "doctor_name": "Dra. Ana", "day": "2026-12-01", "minutes": 30}
    ClinicEvent.objects.create(clinic=booked.clinic, kind="delay", channel="browser", after=delay)
    migrate("0035_discount_ages")
    migrate()
    assert ClinicEvent.objects.get().kind == "delay"
    with connection.cursor() as cursor:
        cursor.execute("SELECT convalidated FROM pg_constraint WHERE conname = 'clinicevent_kind_known'")
        assert cursor.fetchone() == (True,)


def test_what_was_ceased_before_is_found_when_upgrading(the_newest_again, transactional_db):
    desk = open_desk()
    now = timezone.now()
    visit = desk.book(starts_at=next_monday(desk.clinic), now=now)
    migrate("0037_validate_delay_events")
    desk.doctor.procedures.clear()
    migrate()
    assert [(row.pk, row.cause.why) for row in pending(desk.clinic, now=now)] == [(visit.pk, Why.NOT_PERFORMED)]


def test_rows_from_before_are_listed_as_changed_once(the_newest_again, booked):
    migrate("0050_validate_payer")
    began = timezone.now()
    with connection.cursor() as cursor:  # as an interrupted upgrade leaves it
        cursor.execute("ALTER TABLE clinic_patient ADD COLUMN changed_at timestamptz DEFAULT now() NOT NULL")
    migrate()
    until = settled_until()
    assert [row.pk for row in changed_appointments(booked.clinic, began, until)] == [booked.pk]
    assert [row.pk for row in changed_patients(booked.clinic, began, until)] == [booked.patient_id]
    assert list(changed_appointments(booked.clinic, until, settled_until())) == []


def test_the_way_back_switches_doctors_users_off(the_newest_again, transactional_db):
    """The version before takes a role that it does not know for one of the desk."""
    user = make_doctor_user()
    migrate("0065_former_names")
    with connection.cursor() as cursor:
        cursor.execute("SELECT role, is_active FROM clinic_staffuser WHERE id = %s", [user.pk])
        assert cursor.fetchone() == ("receptionist", False)
    migrate()
    user.refresh_from_db()
    assert (user.role, user.doctor, user.is_active) == ("receptionist", None, False)


def test_older_events_are_given_their_doctor(the_newest_again, transactional_db):
    desk = open_desk()
    kept, moved = desk.book(), desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    edit_notes(kept.pk, notes="liga antes", clinic=desk.clinic, by=BY, now=desk.now)
    other = desk.another_doctor()
    edit_notes(moved.pk, notes="liga antes", clinic=desk.clinic, by=BY, now=desk.now)
    reschedule(moved.pk, clinic=desk.clinic, doctor=other.pk, starts_at=desk.at(9), by=BY, now=desk.now)
    edit_notes(moved.pk, notes="liga depois", clinic=desk.clinic, by=BY, now=desk.now)
    events = AppointmentEvent.objects.order_by("pk").values_list("appointment", "kind", "doctor")
    written = list(events)
    migrate("0074_validate_hours_events")
    migrate()
    assert list(events) == written
    assert {doctor for pk, _, doctor in written if pk == moved.pk} == {desk.doctor.pk, other.pk}
