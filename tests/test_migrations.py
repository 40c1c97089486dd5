"""Upgrading: while a backup or the version before is still running, and back again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from clinic.booking import LineRequest, change_status, edit_notes, reschedule
from clinic.models import AppliedDiscount, Appointment, AppointmentEvent, AppointmentProcedure, ClinicEvent
from clinic.queries.changes import changed_appointments, changed_patients, settled_until
from clinic.queries.pending import Why, pending
from tests.booking.desk import BY, open_desk
from tests.factories import make_discount, make_doctor_user, make_user, next_monday
from tests.migrated import migrate, migrate_again, models_at

RELEASED = "0003_staffsession"  # the last migration of the version before
BUILT_CONCURRENTLY = [
    ("0004_key_check", "0005_patient_letters", "patient_letters_trigram"),
    ("0009_words", "0010_events_by_time", "appointmentevent_clinic_at"),
]


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
def newest(own_database):
    """The tables of today in a database of the test's own."""
    own_database.begin()


@pytest.mark.parametrize(("before", "name", "index"), BUILT_CONCURRENTLY)
def test_an_index_waits_for_a_backup_and_can_be_built_again(own_database, before, name, index):
    own_database.begin(before)
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
def test_the_patience_of_a_connection_is_as_before_after_an_index(own_database, before, name, index):
    own_database.begin(before)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        usual = cursor.fetchone()
    migrate(name)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == usual


@pytest.mark.django_db
def test_new_columns_may_be_left_out_by_the_version_before():
    models = models_at(RELEASED).get_models()
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
    old = models_at(RELEASED)
    book_again(old, booked)
    write_again(old, "Patient", booked.patient_id, uuid=uuid4(), cpf=None)
    user = make_user(booked.clinic, username="recepcao")
    for name in ("ana", "rita", "Ana.Souza"):
        write_again(old, "StaffUser", user.pk, username=name)


def test_names_are_filled_again_after_the_version_before_has_ended(newest, booked):
    meanwhile = book_again(models_at(RELEASED), booked)
    moved = {"doctor": 1, "doctor_name": "Dr. Paulo Reis"}
    AppointmentEvent.objects.create(
        clinic=booked.clinic, appointment=booked, kind="rescheduled", channel="browser", after=moved
    )
    migrate_again("0013_fill_names_as_booked")
    assert Appointment.objects.get(pk=meanwhile.pk).doctor_name == "Helena Prado"  # the title has its own field by now
    assert Appointment.objects.get(pk=booked.pk).doctor_name == "Dr. Paulo Reis"
    assert set(AppointmentProcedure.objects.values_list("procedure_name", flat=True)) == {"Consulta"}
    assert set(AppliedDiscount.objects.values_list("discount_name", flat=True)) == {"Convênio"}


@pytest.fixture
def confirmed_and_bare(newest, booked):
    """An appointment whose status changed and whose notes did later, one without events, and since when they are so."""
    bare = book_again(models_at(RELEASED), booked)
    act = {"clinic": booked.clinic, "by": BY}
    change_status(booked.pk, "confirmed", now=booked.starts_at - timedelta(hours=3), **act)
    confirmed = booked.events.last().at
    edit_notes(booked.pk, notes="traz exames", now=booked.starts_at - timedelta(hours=2), **act)
    return {booked.pk: confirmed, bare.pk: bare.created_at}


def test_status_since_is_filled_from_the_events(own_database, confirmed_and_bare):
    own_database.carry("0018_validate_at_most_a_day")
    migrate("0020_fill_status_since")
    rows = models_at("0020_fill_status_since").get_model("clinic", "Appointment").objects
    assert dict(rows.values_list("pk", "status_since")) == confirmed_and_bare


def test_status_since_is_filled_again_after_the_version_before(confirmed_and_bare, booked):
    """It writes a status without it."""
    Appointment.objects.update(status_since=booked.starts_at)
    migrate_again("0020_fill_status_since")
    assert dict(Appointment.objects.values_list("pk", "status_since")) == confirmed_and_bare


ZONES = {"before": {"time_zone": "America/Recife"}, "after": {"time_zone": "America/Noronha"}}
NEW_ZONE = {"kind": "time_zone", "channel": "browser"} | ZONES
DELAY = {"kind": "delay", "channel": "browser"}
DELAY |= {"after": {"doctor": 1, "doctor_name": "Dra. Ana", "day": "2026-12-01", "minutes": 30}}


def is_validated(constraint):
    with connection.cursor() as cursor:
        cursor.execute("SELECT convalidated FROM pg_constraint WHERE conname = %s", [constraint])
        return cursor.fetchone()[0]


def rows_of(name, model, **fields):
    return models_at(name).get_model("clinic", model).objects.filter(**fields)


def test_the_way_back_is_open_after_a_new_time_zone(own_database, newest, booked):
    AppointmentEvent.objects.create(appointment=booked, clinic=booked.clinic, **NEW_ZONE)
    ClinicEvent.objects.create(clinic=booked.clinic, **NEW_ZONE)
    own_database.carry("0016_validate_kinds_of_events")
    migrate("0014_words_of_absences")
    assert not is_validated("appointmentevent_kind_known")
    migrate("0016_validate_kinds_of_events")
    assert rows_of("0016_validate_kinds_of_events", "AppointmentEvent", kind="time_zone").count() == 1
    assert is_validated("appointmentevent_kind_known")


def test_the_way_back_is_open_after_a_delay(own_database, newest, booked):
    ClinicEvent.objects.create(clinic=booked.clinic, **DELAY)
    own_database.carry("0037_validate_delay_events")
    migrate("0035_discount_ages")
    assert not is_validated("clinicevent_kind_known")
    migrate("0037_validate_delay_events")
    assert rows_of("0037_validate_delay_events", "ClinicEvent").get().kind == "delay"
    assert is_validated("clinicevent_kind_known")


def test_what_was_ceased_before_is_found_when_upgrading(own_database, newest):
    desk = open_desk()
    now = timezone.now()
    visit = desk.book(starts_at=next_monday(desk.clinic), now=now)
    own_database.carry("0037_validate_delay_events")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM clinic_doctor_procedures")
    migrate("0038_ceased_procedures")
    own_database.carry()
    assert [(row.pk, row.cause.why) for row in pending(desk.clinic, now=now)] == [(visit.pk, Why.NOT_PERFORMED)]


def test_rows_from_before_change_once_though_an_upgrade_broke_off(own_database, newest, booked):
    own_database.carry("0050_validate_payer")
    began = timezone.now()
    with connection.cursor() as cursor:  # as an interrupted upgrade leaves it
        cursor.execute("ALTER TABLE clinic_patient ADD COLUMN changed_at timestamptz DEFAULT now() NOT NULL")
    migrate("0051_changed_at")
    until = timezone.now()
    for model, pk in (("Appointment", booked.pk), ("Patient", booked.patient_id)):
        changed = rows_of("0051_changed_at", model, changed_at__range=(began, until))
        assert [row.pk for row in changed] == [pk]


def test_the_way_back_switches_doctors_users_off(own_database, newest):
    """The version before takes a role that it does not know for one of the desk."""
    user = make_doctor_user()
    own_database.carry("0066_doctors_users")
    migrate("0065_former_names")
    with connection.cursor() as cursor:
        cursor.execute("SELECT role, is_active FROM clinic_staffuser WHERE id = %s", [user.pk])
        assert cursor.fetchone() == ("receptionist", False)
    migrate("0066_doctors_users")
    stored = rows_of("0066_doctors_users", "StaffUser").get(pk=user.pk)
    assert (stored.role, stored.doctor, stored.is_active) == ("receptionist", None, False)


def test_older_events_are_given_their_doctor(own_database, newest):
    desk = open_desk()
    kept, moved = desk.book(), desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    edit_notes(kept.pk, notes="liga antes", clinic=desk.clinic, by=BY, now=desk.now)
    other = desk.another_doctor()
    edit_notes(moved.pk, notes="liga antes", clinic=desk.clinic, by=BY, now=desk.now)
    reschedule(moved.pk, clinic=desk.clinic, doctor=other.pk, starts_at=desk.at(9), by=BY, now=desk.now)
    edit_notes(moved.pk, notes="liga depois", clinic=desk.clinic, by=BY, now=desk.now)
    written = list(AppointmentEvent.objects.order_by("pk").values_list("appointment", "kind", "doctor"))
    own_database.carry("0079_plans")
    migrate("0081_audit_indexes")
    events = rows_of("0081_audit_indexes", "AppointmentEvent").order_by("pk")
    assert list(events.values_list("appointment", "kind", "doctor")) == written
    assert {doctor for pk, _, doctor in written if pk == moved.pk} == {desk.doctor.pk, other.pk}


def test_indexes_that_broke_off_are_built_in_both_directions(own_database):
    own_database.begin()
    broke_off = "CREATE INDEX %s ON clinic_appointmentevent (id)"
    for name, other, first in (
        ("appointmentevent_doctor_at", "appointmentevent_doctor_acts", "0091_booking_limits"),
        ("appointmentevent_former_acts", "appointmentevent_former_doctor", None),
    ):
        with connection.cursor() as cursor:
            cursor.execute(broke_off % name)
        migrate(first)
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'clinic_appointmentevent'")
            built = dict(cursor.fetchall())
        assert "(id)" not in built[name] and other not in built


def test_the_whole_way_back_and_here_again_keeps_what_is_booked(newest, booked):
    """Through every migration since users' names were folded, with rows that earlier versions do not know."""
    visit = {"clinic": booked.clinic, "by": BY}
    change_status(booked.pk, "confirmed", now=booked.starts_at - timedelta(hours=1), **visit)
    AppointmentEvent.objects.create(appointment=booked, clinic=booked.clinic, doctor=booked.doctor, **NEW_ZONE)
    for event in (NEW_ZONE, DELAY):
        ClinicEvent.objects.create(clinic=booked.clinic, **event)
    user = make_doctor_user(doctor=booked.doctor)
    kinds = list(booked.events.values_list("kind", "doctor"))
    booked.refresh_from_db()
    migrate("0006_admit_within")
    began = timezone.now()
    migrate()
    until = settled_until()
    again = Appointment.objects.get()
    assert [getattr(again, name) for name in KEPT] == [getattr(booked, name) for name in KEPT]
    assert (again.lines.get().procedure_name, AppliedDiscount.objects.get().discount_name) == ("Consulta", "Convênio")
    assert list(again.events.values_list("kind", "doctor")) == kinds
    assert [row.pk for row in changed_appointments(booked.clinic, began, until)] == [booked.pk]
    assert [row.pk for row in changed_patients(booked.clinic, began, until)] == [booked.patient_id]
    assert list(changed_appointments(booked.clinic, until, settled_until())) == []
    assert is_validated("appointmentevent_kind_known") and is_validated("clinicevent_kind_known")
    user.refresh_from_db()
    assert (user.role, user.doctor, user.is_active) == ("receptionist", None, False)


KEPT = ("pk", "uuid", "starts_at", "ends_at", "status", "status_since", "doctor_id", "doctor_name", "patient_id")
