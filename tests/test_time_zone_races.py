"""A clinic's zone is changed while others book: real threads, real connections, a PostgreSQL that really commits."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from clinic.booking import Keep, change_time_zone, edit_notes
from clinic.models import Absence, Appointment, Clinic, ClinicEvent, Doctor
from clinic.refusals import Reason, Refused
from clinic.registry import Hours, register_doctor
from tests.booking.desk import BY, open_desk, stored
from tests.factories import make_manager, make_master, make_patient
from tests.locks import another_connection
from tests.test_races import (
    PATIENCE,
    at_once,
    booking,
    deadlocks,
    in_background,
    insert,
    reasons_of,
    until_somebody_waits,
    won,
)

pytestmark = pytest.mark.django_db(transaction=True)

MANAUS, LISBON = "America/Manaus", "Europe/Lisbon"


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def watcher():
    with another_connection(autocommit=True) as watching:
        yield watching


def changing(desk, zone=MANAUS, keep=Keep.CLOCK):
    return lambda: change_time_zone(desk.clinic, zone, keep=keep, by=BY, now=desk.now)


def clocks(desk):
    clinic = Clinic.objects.get(pk=desk.clinic.pk)
    return [f"{clinic.local(each.starts_at):%H:%M}" for each in Appointment.objects.of(clinic).order_by("starts_at")]


def test_a_booking_under_way_is_waited_for_and_keeps_its_clock_too(desk, watcher):
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        insert(other, "clinic_appointment", desk, desk.patient)
        waiting = in_background(changing(desk))
        until_somebody_waits(watcher)
        other.commit()
        assert waiting.result(PATIENCE).after["appointments"] == 1

    assert clocks(desk) == ["09:00"]


def test_booking_that_waited_for_a_zone_change_is_refused(desk, watcher):
    stale = booking(desk)
    with transaction.atomic():
        changing(desk)()
        waiting = in_background(stale)
        until_somebody_waits(watcher)
        assert not waiting.done()

    with pytest.raises(Refused) as refused:
        waiting.result(PATIENCE)
    assert refused.value.reasons == {Reason.TRY_AGAIN}
    assert stored()["Appointment"] == 0

    desk.clinic.refresh_from_db()
    assert booking(desk)().starts_at == desk.at(9)


@pytest.mark.parametrize("keep", list(Keep))
def test_bookings_during_zone_change_keep_their_time_or_are_refused(desk, watcher, keep):
    standing = desk.book(starts_at=desk.at(8))
    before = deadlocks(watcher)
    wanted = [desk.at(9) + timedelta(minutes=30 * n) for n in range(6)]
    read_before = Clinic.objects.get(pk=desk.clinic.pk)

    event, *booked = at_once(
        changing(desk, keep=keep),
        *(booking(desk, starts_at=starts_at, patient=make_patient(desk.clinic).pk) for starts_at in wanted),
    )

    assert all(Reason.TRY_AGAIN in reasons for reasons in reasons_of(booked))
    clinic = Clinic.objects.get(pk=desk.clinic.pk)
    shown = {clinic.local(row.starts_at).time() for row in Appointment.objects.exclude(pk=standing.pk)}
    meant = {read_before.local(each.starts_at).time() for each in won(booked)}
    if keep is Keep.CLOCK:
        assert shown == meant
    assert len(shown) == len(won(booked)) == event.after["appointments"] - 1
    assert deadlocks(watcher) == before


def test_a_doctor_who_is_being_added_is_waited_for(desk, watcher):
    with transaction.atomic():
        new_doctor(desk)
        waiting = in_background(changing(desk))
        until_somebody_waits(watcher)
        assert not waiting.done()

    assert waiting.result(PATIENCE)


def test_a_doctor_is_added_when_the_zone_is_changed(desk, watcher):
    with transaction.atomic():
        changing(desk)()
        waiting = in_background(lambda: new_doctor(desk))
        until_somebody_waits(watcher)
        assert not waiting.done()

    assert waiting.result(PATIENCE) in Doctor.objects.of(desk.clinic)


def new_doctor(desk):
    hours = {Hours(1, desk.doctor.hours.first().starts, desk.doctor.hours.first().ends)}
    return register_doctor(
        desk.clinic, name="Dr. Novo", by=BY, procedures=[desk.procedure.pk], hours=hours, interval_minutes=15
    )


def test_a_closure_typed_meanwhile_is_read_by_the_new_clock(desk, client, watcher):
    client.force_login(make_manager(desk.clinic))
    client.get("/admin/")
    typed = {"reason": "Obras", "starts_at_0": "24/12/2030", "starts_at_1": "12:00"}
    typed |= {"ends_at_0": "24/12/2030", "ends_at_1": "18:00"}
    with transaction.atomic():
        changing(desk, LISBON, None)()
        waiting = in_background(lambda: client.post("/admin/clinic/closure/add/", typed))
        until_somebody_waits(watcher)

    assert waiting.result(PATIENCE).status_code == 302
    row = Absence.objects.get()
    clinic = Clinic.objects.get(pk=desk.clinic.pk)
    assert clinic.time_zone == LISBON
    assert f"{clinic.local(row.starts_at):%H:%M}" == "12:00"


def test_of_two_who_change_the_zone_at_once_one_does(desk):
    desk.book()

    outcomes = at_once(changing(desk, MANAUS), changing(desk, LISBON, Keep.INSTANT))

    assert len(won(outcomes)) == ClinicEvent.objects.count() == 1
    assert reasons_of(outcomes) == [{Reason.TRY_AGAIN}]


@pytest.mark.parametrize("held", ["clinic", "doctor", "appointment"])
def test_a_row_that_is_held_for_too_long_leaves_nothing_half_written(desk, held, watcher):
    """Of three doctors the last is held; of the appointments one has been moved out of sight already."""
    rows = [desk.book(), desk.book(starts_at=desk.at(10), patient=make_patient(desk.clinic).pk)]
    last = desk.another_doctor()
    pk = {"clinic": desk.clinic, "doctor": last, "appointment": rows[1]}[held].pk

    def impatient():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
            return changing(desk)()

    with another_connection() as other:
        other.execute(f"SELECT 1 FROM clinic_{held} WHERE id = %s FOR NO KEY UPDATE", [pk])  # noqa: S608 - of three
        outcome = at_once(impatient)

    assert reasons_of(outcome) == [{Reason.TRY_AGAIN}]
    assert clocks(desk) == ["09:00", "10:00"]
    assert Clinic.objects.get(pk=desk.clinic.pk).time_zone == "America/Recife"
    assert not ClinicEvent.objects.exists() and not Appointment.objects.exclude(deleted_at=None).exists()


def test_notes_written_meanwhile_are_kept(desk, watcher):
    row = desk.book()
    with transaction.atomic():
        changing(desk)()
        waiting = in_background(lambda: edit_notes(row.pk, clinic=desk.clinic, by=BY, notes="trazer exames"))
        until_somebody_waits(watcher)

    assert waiting.result(PATIENCE).notes == "trazer exames"
    assert clocks(desk) == ["09:00"]


def test_booking_between_question_and_save_is_asked_about(desk, client, watcher):
    """With nothing ahead nothing is asked; a booking that commits while the save waits for it must be."""
    client.force_login(make_master(desk.clinic))
    client.get("/admin/")
    typed = {"name": "Nova", "time_zone": MANAUS, "language": "pt-br"}
    address = f"/admin/clinic/clinic/{desk.clinic.pk}/change/"
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        insert(other, "clinic_appointment", desk, desk.patient, timezone.now() + timedelta(days=1))
        waiting = in_background(lambda: client.post(address, typed))
        until_somebody_waits(watcher)
        other.commit()

    answer = waiting.result(PATIENCE)
    assert answer.status_code == 409
    assert "1 agendamento futuro" in answer.text and 'value="Nova"' in answer.text
    assert Clinic.objects.get(pk=desk.clinic.pk).time_zone == "America/Recife"


def test_zone_with_locked_doctor_is_unchanged_and_form_keeps_input(desk, client, settings):
    settings.LOCK_WAIT_SECONDS = 0.2
    client.force_login(make_master(desk.clinic))
    client.get("/admin/")
    typed = {"name": "Nova", "time_zone": MANAUS, "language": "pt-br"}
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        answer = in_background(lambda: client.post(f"/admin/clinic/clinic/{desk.clinic.pk}/change/", typed)).result(
            PATIENCE
        )

    assert answer.status_code == 409
    assert "tente de novo" in answer.text and 'value="Nova"' in answer.text
    assert Clinic.objects.get(pk=desk.clinic.pk).time_zone == "America/Recife"


def test_the_event_comes_after_the_booking_that_was_waited_for(desk, watcher):
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        waiting = in_background(lambda: change_time_zone(desk.clinic, MANAUS, keep=Keep.CLOCK, by=BY))
        until_somebody_waits(watcher)
        released = timezone.now()
        other.rollback()

    assert waiting.result(PATIENCE).at > released
