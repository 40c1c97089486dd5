"""Polling an unchanged day or week: whether anything was written since is one statement."""

import re
from datetime import time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.models import (
    Absence,
    Appointment,
    AppointmentProcedure,
    Clinic,
    ClinicHoliday,
    Delay,
    Doctor,
    Memo,
    Patient,
    Procedure,
    StaffUser,
)
from clinic.queries import agenda
from clinic.queries.agenda.rows_version import ROWS_SQL
from tests.days import EARLIER, MONDAY, hours, put, shown
from tests.factories import make_clinic, make_doctor, make_procedure, make_user
from tests.locks import another_connection

pytestmark = pytest.mark.django_db

# Written only together with an appointment.
NOT_LOOKED_AT = {"clinic_appointmentevent"}


@pytest.fixture
def visit():
    """An appointment on a day of which everything that can be drawn is stored."""
    clinic = make_clinic()
    doctor, user = make_doctor(clinic, hours=hours(("08:00", "12:00"))), make_user(clinic)
    Delay.objects.create(clinic=clinic, doctor=doctor, day=MONDAY, minutes=20, recorded_by=user)
    Memo.objects.create(clinic=clinic, kind="note", text="Trazer o laudo", day=MONDAY, written_by=user)
    holiday = ClinicHoliday.objects.create(clinic=clinic, falls_on="08/12", name="Conceição", kind="opens")
    holiday.doctors.add(doctor)
    at = clinic.instant(MONDAY, time(18))
    Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=at, ends_at=at + timedelta(hours=2), reason="curso")
    return put(doctor, "09:00", status="rescheduled")


def version(visit):
    return agenda.rows_version(visit.clinic, MONDAY, MONDAY)


CHANGES = {
    "status": lambda visit: Appointment.objects.update(status="confirmed"),
    "deleted for good": lambda visit: (AppointmentProcedure.objects.all().delete(), Appointment.objects.all().delete()),
    "moved to another date": lambda visit: Appointment.objects.update(
        starts_at=visit.starts_at + timedelta(days=7), ends_at=visit.ends_at + timedelta(days=7)
    ),
    "booked": lambda visit: put(visit.doctor, "11:00", patient=visit.patient),
    "line": lambda visit: AppointmentProcedure.objects.update(procedure_name="Outro exame"),
    "patient": lambda visit: Patient.objects.update(alert="alergia a látex"),
    "clinic": lambda visit: Clinic.objects.update(name="Outro nome"),
    "doctor": lambda visit: Doctor.objects.update(specialty="Pediatria"),
    "colleague": lambda visit: Doctor.objects.create(clinic=visit.clinic, name="Ana", council_number="CRM-PE 9"),
    "procedure": lambda visit: Procedure.objects.update(duration_minutes=45),
    "performs another": lambda visit: visit.doctor.procedures.add(make_procedure(visit.clinic)),
    "performs nothing": lambda visit: visit.doctor.procedures.clear(),
    "hours": lambda visit: visit.doctor.hours.update(ends=time(11)),
    "absence": lambda visit: Absence.objects.update(reason="congresso"),
    "holiday": lambda visit: ClinicHoliday.objects.update(name="Padroeira"),
    "doctors of a holiday": lambda visit: ClinicHoliday.objects.get().doctors.clear(),
    "delay": lambda visit: Delay.objects.update(minutes=40),
    "memo": lambda visit: Memo.objects.update(text="Trazer o exame"),
    "author of a memo": lambda visit: StaffUser.objects.update(name="Outra Pessoa"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_row_that_is_drawn_changes_the_version(visit, change):
    first = version(visit)
    with transaction.atomic():  # a savepoint is what gives the change another xmin in here
        change(visit)
    assert version(visit) != first


def test_the_version_stays_while_other_dates_and_clinics_are_written(visit):
    first = version(visit)
    with transaction.atomic():
        put(visit.doctor, "09:00", day=MONDAY + timedelta(days=7), patient=visit.patient)
        put(make_doctor(), "09:00")
        Delay.objects.create(
            clinic=visit.clinic,
            doctor=visit.doctor,
            day=MONDAY + timedelta(days=1),
            minutes=5,
            recorded_by=StaffUser.objects.get(clinic=visit.clinic),
        )
    assert version(visit) == first


def test_a_version_is_of_dates_and_of_what_the_page_is_about(visit):
    versions = [
        version(visit),
        agenda.rows_version(visit.clinic, MONDAY, MONDAY + timedelta(days=6)),
        agenda.rows_version(visit.clinic, MONDAY, MONDAY, "medico=1"),
        agenda.rows_version(visit.clinic, MONDAY, MONDAY, "medico=2"),
    ]
    assert len(set(versions)) == 4


def test_no_table_that_is_drawn_from_is_overlooked(visit):
    """What the drawing of a day or of a week comes to read later belongs into the statement."""
    with CaptureQueriesContext(connection) as captured:
        shown(visit.clinic)
        agenda.week(visit.clinic, visit.doctor_id, MONDAY, now=EARLIER)
    drawn_from = tables(*(query["sql"] for query in captured))
    assert drawn_from - tables(ROWS_SQL) == NOT_LOOKED_AT


def tables(*statements):
    names = set(connection.introspection.table_names())
    return {name for sql in statements for name in re.findall(r"\bclinic_[a-z_]+\b", sql)} & names


# The pages ------------------------------------------------------------------------------------------------------------


def page(client, address, version=""):
    return client.get(address, headers={"HX-Request": "true"} | ({"If-None-Match": version} if version else {}))


@pytest.fixture(params=["day", "week"])
def address(request, visit, time_machine):
    time_machine.move_to(visit.clinic.instant(MONDAY, time(8, 1)), tick=False)
    return f"/agenda/{MONDAY}/" if request.param == "day" else f"/agenda/semana/{visit.doctor_id}/{MONDAY}/"


@pytest.fixture
def desk(client, visit, address):
    client.force_login(make_user(visit.clinic))
    client.get(address)
    return client


def test_an_unchanged_page_costs_two_queries(desk, address):
    first = page(desk, address)["ETag"]
    with CaptureQueriesContext(connection) as captured:
        again = page(desk, address, first)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first)
    assert len(captured) == 2


@pytest.mark.django_db(transaction=True)
def test_while_nothing_is_written_only_the_session_is_read(desk, address):
    first = page(desk, address)["ETag"]

    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert page(desk, address, first).status_code == 304
        assert len(captured) <= 2
        return len(captured)

    assert any(cost() == 1 for _ in range(200))  # the snapshot is of all databases, and others are written to
    Appointment.objects.update(status="confirmed")
    assert page(desk, address, first).status_code == 200


def test_a_drawn_page_learns_the_rest_with_its_first_304(desk, address):
    drawn = desk.get(address).content.decode()
    known = re.search(r'If-None-Match": "\\"([0-9a-f]+)\\""', drawn)[1]
    first = page(desk, address, f'"{known}"')
    assert first.status_code == 304 and first["ETag"].startswith(f'"{known}.')


def test_what_is_written_but_not_drawn_is_a_304(desk, address, visit):
    first = page(desk, address)["ETag"]
    with transaction.atomic():
        Appointment.objects.update(metadata={"ticket": 7})
    again = page(desk, address, first)
    assert again.status_code == 304 and again["ETag"] != first
    with CaptureQueriesContext(connection) as captured:
        assert page(desk, address, again["ETag"]).status_code == 304
    assert len(captured) == 2


@pytest.mark.parametrize(
    ("arrived", "later", "status"),
    [(None, "08:04", 304), (None, "08:16", 200), ("07:51", "08:04", 304), ("07:48", "08:04", 200)],
    ids=["nothing passes", "a free time passes", "a wait is not long yet", "a patient has waited long"],
)
def test_time_alone_changes_an_unwritten_page(desk, address, visit, time_machine, arrived, later, status):
    if arrived:
        since = visit.clinic.instant(MONDAY, time.fromisoformat(arrived))
        Appointment.objects.update(status="checked_in", status_since=since)
    first = page(desk, address)["ETag"]
    time_machine.move_to(visit.clinic.instant(MONDAY, time.fromisoformat(later)), tick=False)
    assert page(desk, address, first).status_code == status


@pytest.mark.parametrize("version", ["", "*", '"', '"x.y.z"', '"00.00.99999999999999"', 'W/"00.00.1"', "\x80"])
def test_a_version_that_was_never_given_is_answered_with_the_page(desk, address, version):
    assert page(desk, address, version).status_code == 200


def test_filters_and_doctors_of_this_computer_are_part_of_the_version(desk, visit, address):
    first = page(desk, f"/agenda/{MONDAY}/")["ETag"]
    make_doctor(visit.clinic)
    everybody = page(desk, f"/agenda/{MONDAY}/", first)["ETag"]
    desk.get(f"/agenda/{MONDAY}/?medico={visit.doctor_id}&lembrar=1")
    assert page(desk, f"/agenda/{MONDAY}/", everybody).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_no_row_is_read_again_until_a_transaction_ends(visit):
    first = version(visit)
    with another_connection() as other:
        began, ended = "", snapshot()
        while began != ended:  # autovacuum writes too
            began = snapshot()
            assert version(visit) == first
            before = scans("clinic_appointment")
            assert version(visit) == first
            after, ended = scans("clinic_appointment"), snapshot()
        assert after == before
        other.execute("UPDATE clinic_patient SET alert = 'alergia' WHERE id = %s", [visit.patient_id])
        assert version(visit) == first
        other.commit()
        assert version(visit) != first and scans("clinic_appointment") > before


@pytest.mark.django_db(transaction=True)
def test_on_a_new_connection_every_row_is_read_again(visit):
    """What was known before a crash of PostgreSQL may not answer after it, with whatever snapshot."""
    first = version(visit)
    assert any(not read_for(visit) for _ in range(200))  # until the snapshot stays: it is of all databases
    connection.close()
    assert any(not read_for(visit) for _ in range(200))  # the pool gave the same one
    connection.close()
    connection.close_pool()
    assert read_for(visit) and version(visit) == first


def read_for(visit):
    """How often the appointments were read for a version."""
    before = scans("clinic_appointment")
    version(visit)
    return scans("clinic_appointment") - before


def snapshot():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return cursor.fetchone()[0]


def scans(table):
    """How often the table or an index of it was read from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = %s", [table])
        return cursor.fetchone()[0]
