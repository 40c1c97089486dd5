"""What a test key does: it acts in a sandbox of its clinic, which remembers until the local date ends."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.management.demo import real_clinics
from clinic.management.lookup import get_clinic
from clinic.models import (
    Absence,
    Appointment,
    AppointmentEvent,
    Clinic,
    ClinicEvent,
    ClinicHoliday,
    Doctor,
    Patient,
    PatientAccess,
    PatientEvent,
    Procedure,
    StoredAnswer,
)
from clinic.registry import sandbox
from tests.factories import book_appointment, make_doctor, make_patient, make_procedure, make_superuser

pytestmark = pytest.mark.django_db

# Of these no row is of a sandbox: credentials and users are the clinic's, only the desk knows calls, delays, discounts,
# imports, memos, payers, recalls and series, invented people need no access log, and no change of a sandbox is noted.
NOT_IN_A_SANDBOX = {
    "clinic_accesstoken",
    "clinic_apikey",
    "clinic_calendarfeed",
    "clinic_confirmationcall",
    "clinic_consent",
    "clinic_credentialevent",
    "clinic_datarequest",
    "clinic_delay",
    "clinic_discount",
    "clinic_displaylink",
    "clinic_importrow",
    "clinic_importrun",
    "clinic_incident",
    "clinic_memo",
    "clinic_patientaccess",
    "clinic_patientmerge",
    "clinic_payer",
    "clinic_payerdoctor",
    "clinic_pricerise",
    "clinic_prioritymark",
    "clinic_privacysettings",
    "clinic_recall",
    "clinic_recallevent",
    "clinic_retentionrun",
    "clinic_roomcall",
    "clinic_rowchange",
    "clinic_series",
    "clinic_stafflink",
    "clinic_staffuser",
    "clinic_waitingevent",
    "clinic_waitingentry",
}


@pytest.fixture
def tester(mivicall, recife):
    return mivicall(recife, is_live=False)


def rows_of(clinic):
    """Return number and digest of the rows of the clinic in every table that has some; names are the catalogue's."""
    contents = {}
    with connection.cursor() as cursor:
        for table in tables_of_clinics() - {"clinic_apikey"}:  # its last use is noted
            cursor.execute(
                f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t WHERE clinic_id = %s",  # noqa: S608
                [clinic.pk],
            )
            contents[table] = cursor.fetchone()
    return contents


def tables_of_clinics():
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'clinic_id'")
        return {table for (table,) in cursor.fetchall()}


def code(answer):
    return answer.status_code, answer.json()["error"]


def test_a_test_key_creates_moves_and_cancels(monday, tester, recife, good):
    before = rows_of(recife)
    booked = tester("POST", "/appointments", good).json()
    address = f"/appointments/{booked['id']}"
    assert tester.get(address).json() == booked
    moved = tester("PATCH", address, {"startsAt": "2026-11-23T10:00:00-03:00"})
    assert (moved.status_code, moved.json()["startsAt"]) == (200, "2026-11-23T10:00:00-03:00")
    assert tester("PATCH", address, {"status": "attended"}).status_code == 200
    assert tester.get(address).json()["status"] == "attended"
    other = tester("POST", "/appointments", good).json()
    assert tester("DELETE", f"/appointments/{other['id']}").status_code == 204
    listed = {item["id"]: item["status"] for item in tester.get("/appointments").json()["items"]}
    assert listed == {booked["id"]: "attended", other["id"]: "cancelled"}
    assert rows_of(recife) == before


def test_the_answers_are_those_of_a_live_key(tester, program, good):
    tested, real = (caller("POST", "/appointments", good).json() for caller in (tester, program))
    differ = {name: real[name] for name in ("id", "patientPhoneHash")}
    assert tested | differ == real
    assert tester.get("/tenants/me").json() == program.get("/tenants/me").json()
    assert tester.get("/professionals").json() == program.get("/professionals").json()
    assert tester.get("/services").json() == program.get("/services").json()


def test_a_test_booking_takes_no_real_time(tester, program, good):
    assert tester("POST", "/appointments", good).status_code == 201
    assert code(tester("POST", "/appointments", good)) == (409, "slot_conflict")
    assert program("POST", "/appointments", good).status_code == 201
    assert code(program("POST", "/appointments", good)) == (409, "slot_conflict")


def test_each_kind_of_key_sees_its_own_rows_only(tester, program, doctor, at, good):
    real = book_appointment(doctor, starts_at=at(14), now=timezone.now())
    tested = tester("POST", "/appointments", good | {"patientName": "Zoé Inventada"}).json()
    assert [item["id"] for item in tester.get("/appointments").json()["items"]] == [tested["id"]]
    assert [item["id"] for item in program.get("/appointments").json()["items"]] == [str(real.uuid)]
    assert code(tester.get(f"/appointments/{real.uuid}")) == (404, "appointment_not_found")
    assert code(program.get(f"/appointments/{tested['id']}")) == (404, "appointment_not_found")


def test_all_test_keys_of_a_clinic_share_its_sandbox(mivicall, tester, recife, good):
    booked = tester("POST", "/appointments", good).json()
    assert mivicall(recife, is_live=False).get(f"/appointments/{booked['id']}").json() == booked


def test_a_test_key_sees_invented_patients_only(tester, program, recife):
    make_patient(recife, name="Joana Real")
    everyone = "/patients?updatedSince=2000-01-01T00:00:00Z"
    names = [item["name"] for item in tester.get(everyone).json()["items"]]
    assert sorted(names) == sorted(patient.name for patient in sandbox.INVENTED_PATIENTS)
    assert [item["name"] for item in program.get(everyone).json()["items"]] == ["Joana Real"]
    assert tester.get("/patients", search="Joana").json()["items"] == []


def test_an_invented_patient_is_recognised_by_the_phone(tester, good):
    known = good | {"patientName": "Carlos Exemplo Nunes", "patientPhone": "+5581900000002"}
    assert tester("POST", "/appointments", known).status_code == 201
    assert Patient.objects.filter(name="Carlos Exemplo Nunes").count() == 1


def test_free_times_are_those_of_the_clinic_without_visits(tester, program, recife, doctor, service, at):
    other = make_doctor(recife, procedures=[service], name="Rui Prado")
    make_doctor(recife, procedures=[make_procedure(recife, name="Raio X")], name="Inativo", active=False)
    Absence.objects.create(clinic=recife, doctor=doctor, starts_at=at(8), ends_at=at(10), reason="férias")
    Absence.objects.create(clinic=recife, starts_at=at(16), ends_at=at(17), reason="obras")
    day = ClinicHoliday.objects.create(clinic=recife, falls_on="24/11/2026", name="Aniversário", kind="closes")
    opened = ClinicHoliday.objects.create(clinic=recife, falls_on="24/11/2026", name="Mutirão", kind="opens")
    opened.doctors.add(other)
    asked = {"serviceTypeId": service.uuid, "from": "2026-11-23T00:00:00Z", "to": "2026-11-26T00:00:00Z"}
    real = program.get("/availability", **asked).json()
    assert tester.get("/availability", **asked).json() == real
    assert {slot["professionalId"] for slot in real["items"]} == {str(doctor.uuid), str(other.uuid)}
    assert day.clinic_id == recife.pk


def test_a_sandbox_ends_with_the_local_date(saturday, tester, recife, good):
    booked = tester("POST", "/appointments", good).json()
    address = f"/appointments/{booked['id']}"
    saturday.move_to("2026-11-22T02:59:59Z", tick=False)  # 23:59:59 in Recife
    assert tester.get(address).json() == booked
    saturday.move_to("2026-11-22T03:00:00Z", tick=False)
    assert code(tester.get(address)) == (404, "appointment_not_found")
    assert tester.get("/appointments").json()["items"] == []


@pytest.fixture
def used(saturday, tester, recife, doctor, service, good):
    """A sandbox with rows in every table that a test key writes."""
    ClinicHoliday.objects.create(clinic=recife, falls_on="24/11/2026", name="Mutirão", kind="opens").doctors.add(doctor)
    booked = tester("POST", "/appointments", good, key="pms-1").json()
    tester("PATCH", f"/services/{service.uuid}", {"professionalIds": []})
    tester("PATCH", f"/professionals/{doctor.uuid}", {"specialty": "Dermatologia"})
    tester("POST", "/professionals", {"name": "Dra. Inês Falcão"})
    tester("DELETE", f"/appointments/{booked['id']}")
    made = Clinic.objects.get(sandbox_of=recife)
    written = {table for table, (count, _) in rows_of(made).items() if count}
    assert {"clinic_appointmentevent", "clinic_clinicevent", "clinic_patientevent", "clinic_storedanswer"} <= written
    return made


def test_the_next_date_begins_with_a_fresh_copy(saturday, tester, program, recife, doctor, service, used, good):
    program("PATCH", f"/services/{service.uuid}", {"name": "Retorno"})
    before = rows_of(recife)
    saturday.move_to("2026-11-22T12:00:00Z", tick=False)
    assert tester.get("/professionals").json() == program.get("/professionals").json()
    assert tester.get("/services").json() == program.get("/services").json()
    left = {table for table, (count, _) in rows_of(used).items() if count}
    assert left == {
        "clinic_clinicholiday",
        "clinic_doctor",
        "clinic_patient",
        "clinic_procedure",
        "clinic_workinghours",
    }
    assert Patient.objects.of(used).count() == len(sandbox.INVENTED_PATIENTS)
    assert tester("POST", "/appointments", good, key="pms-1").status_code == 201
    assert tester("POST", "/professionals", {"name": "Dra. Inês Falcão"}).status_code == 201
    assert rows_of(recife) == before


def test_a_number_that_went_to_another_doctor_is_copied(saturday, tester, recife, doctor):
    Doctor.objects.filter(pk=doctor.pk).update(council_number="CRM 1")
    other = make_doctor(recife, council_number="CRM 2")
    tester.get("/services")
    Doctor.objects.filter(pk=doctor.pk).update(council_number="")
    Doctor.objects.filter(pk=other.pk).update(council_number="CRM 1")
    Doctor.objects.filter(pk=doctor.pk).update(council_number="CRM 2")
    saturday.move_to("2026-11-22T12:00:00Z", tick=False)
    assert tester.get("/services").status_code == 200
    copies = Doctor.objects.filter(clinic__sandbox_of=recife)
    assert dict(copies.values_list("uuid", "council_number")) == {doctor.uuid: "CRM 2", other.uuid: "CRM 1"}


def test_purge_expired_empties_a_sandbox_that_is_over(saturday, recife, used, tester, good):
    call_command("purge_expired", verbosity=0)
    assert Appointment.objects.of(used).exists()
    before = rows_of(recife)
    saturday.move_to("2026-11-22T12:00:00Z", tick=False)
    for _ in "12":
        call_command("purge_expired", verbosity=0)
        left = {table for table, (count, _) in rows_of(used).items() if count}
        assert left == {"clinic_doctor", "clinic_procedure"}
    assert rows_of(recife) == before
    connection.check_constraints()
    assert tester("POST", "/appointments", good).status_code == 201


def test_every_table_of_a_clinic_is_emptied():
    named = set(re.findall(r"DELETE FROM (\w+)", sandbox.EMPTY_SQL)) | {"clinic_doctor", "clinic_procedure"}
    assert tables_of_clinics() - named == NOT_IN_A_SANDBOX


def test_every_column_of_a_clinic_is_copied():
    own = {"id", "uuid", "slug", "active", "sandbox_of", "sandbox_day"}
    assert {field.name for field in Clinic._meta.concrete_fields} - set(sandbox.COPIED_FROM_CLINIC) == own


def test_a_sandbox_found_is_one_query_more(tester, program):
    tester.get("/services"), program.get("/services")
    with CaptureQueriesContext(
        connection,
    ) as of_live:
        program.get("/services")
    with CaptureQueriesContext(connection) as of_test:
        tester.get("/services")
    assert len(of_test) == len(of_live) + 1


@pytest.mark.django_db(transaction=True)
def test_first_requests_at_once_make_one_sandbox(tester, recife, doctor):
    def ask(_):
        try:
            return tester.get("/services").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(16))) == {200}
    assert Clinic.objects.filter(sandbox_of=recife).count() == 1
    assert Doctor.objects.count() == 2


def test_a_retry_of_a_test_key_is_replayed(tester, program, good):
    first = tester("POST", "/appointments", good, key="pms-1")
    again = tester("POST", "/appointments", good, key="pms-1")
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert program("POST", "/appointments", good, key="pms-1").status_code == 201
    assert StoredAnswer.objects.count() == 2


def test_the_directory_is_changed_in_the_sandbox_only(tester, program, recife, doctor, service):
    before = rows_of(recife)
    assert tester("PATCH", f"/services/{service.uuid}", {"name": "Retorno"}).status_code == 200
    assert tester("PATCH", "/tenants/me", {"name": "Outra clínica"}).status_code == 200
    assert tester("DELETE", f"/professionals/{doctor.uuid}").status_code == 204
    assert tester.get("/tenants/me").json()["name"] == "Outra clínica"
    assert tester.get("/professionals").json()["items"] == []
    recife.refresh_from_db()
    assert rows_of(recife) == before
    assert program.get("/tenants/me").json()["name"] == recife.name
    assert Procedure.objects.of(recife).get().name == "Consulta"


def test_what_a_test_key_is_shown_is_in_no_access_log(tester, program, recife, good):
    tester("POST", "/appointments", good)
    assert tester.get("/patients", search="Exemplo").json()["items"]
    assert not PatientAccess.objects.exists()
    make_patient(recife, name="Joana Real")
    program.get("/patients", search="Joana")
    assert PatientAccess.objects.count() == 1


def test_a_sandbox_is_in_no_list_of_clinics(tester, recife):
    tester.get("/services")
    made = Clinic.objects.get(sandbox_of=recife)
    assert real_clinics() == [recife]
    with pytest.raises(CommandError, match=f"The clinics are: {recife.slug}$"):
        get_clinic(made.slug)


def test_a_superuser_is_shown_no_sandbox(tester, client, recife):
    tester.get("/services")
    made = Clinic.objects.get(sandbox_of=recife)
    client.force_login(make_superuser())
    assert "Exemplo" not in client.get(reverse("admin:clinic_patient_changelist")).text
    staff = client.get(reverse("admin:clinic_staffuser_add")).text
    assert f'<option value="{recife.pk}">' in staff and f'<option value="{made.pk}">' not in staff
    listed = client.get(reverse("admin:clinic_doctor_changelist")).text
    assert f"clinic__id__exact={made.pk}" not in listed


@pytest.mark.parametrize("rows", [AppointmentEvent, PatientEvent, ClinicEvent])
def test_history_is_deletable_in_a_sandbox_only(tester, program, good, service, rows):
    for caller in (tester, program):
        caller("POST", "/appointments", good)
        caller("PATCH", f"/services/{service.uuid}", {"name": "Retorno"})
    real, made = (rows.objects.filter(clinic__sandbox_of__isnull=is_real) for is_real in (True, False))
    assert real.exists() and made.exists()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        real._raw_delete("default")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        made.update(credential="another")
    made._raw_delete("default")
    assert real.exists() and not made.exists()


def test_a_clinic_never_becomes_a_sandbox(tester, recife):
    tester.get("/services")
    made = Clinic.objects.get(sandbox_of=recife)
    with pytest.raises(IntegrityError, match="never becomes a sandbox"), transaction.atomic():
        Clinic.objects.filter(pk=recife.pk).update(sandbox_of=made, sandbox_day=date(2026, 11, 21))
    with pytest.raises(IntegrityError, match="never becomes a sandbox"), transaction.atomic():
        Clinic.objects.filter(pk=made.pk).update(sandbox_of=None, sandbox_day=None)


def test_a_test_key_of_a_clinic_switched_off_is_refused(tester, recife):
    tester.get("/services")
    recife.active = False
    recife.save()
    assert tester.get("/services").status_code == 403
