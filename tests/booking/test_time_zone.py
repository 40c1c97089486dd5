"""A clinic gets another time zone: what is ahead keeps its time on the clock, or its instant as what is over does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from clinic.booking import (
    AskHowToKeep,
    Keep,
    TimesClash,
    change_status,
    change_time_zone,
    check,
    look_ahead,
    reschedule,
    undo,
)
from clinic.models import Absence, Appointment, AppointmentEvent, Clinic, ClinicEvent
from clinic.queries.history import story
from clinic.refusals import Reason
from tests.booking.desk import BY, open_desk, refused
from tests.factories import make_patient, make_user

pytestmark = pytest.mark.django_db

RECIFE, MANAUS, LISBON, AZORES, NORONHA = (
    "America/Recife",
    "America/Manaus",
    "Europe/Lisbon",
    "Atlantic/Azores",
    "America/Noronha",
)


@pytest.fixture
def desk():
    return open_desk()


def change(desk, zone, keep=Keep.CLOCK, now=None):
    event = change_time_zone(desk.clinic, zone, keep=keep, by=BY, now=now or desk.now)
    desk.clinic.refresh_from_db()
    return event


def clock(desk, row, name="starts_at"):
    row.refresh_from_db()
    return f"{desk.clinic.local(getattr(row, name)):%d/%m %H:%M}"


def stored_appointment(desk, starts_at, minutes=30, *, patient=None, doctor=None, **fields):
    """Written without booking, so that it may lie wherever a test wants it."""
    doctor = doctor or desk.doctor
    return Appointment.objects.create(
        clinic=desk.clinic,
        doctor=doctor,
        doctor_name=doctor.full_name,
        patient=patient or make_patient(desk.clinic),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        **fields,
    )


@pytest.mark.parametrize("zone", [MANAUS, NORONHA, LISBON, AZORES, "America/Rio_Branco", "America/Sao_Paulo"])
def test_clock_kept_shows_the_same_time_in_the_new_zone(desk, zone):
    appointment = desk.book()
    change(desk, zone)
    assert clock(desk, appointment) == "23/11 09:00"
    assert clock(desk, appointment, "ends_at") == "23/11 09:30"
    assert desk.clinic.time_zone == zone


@pytest.mark.parametrize(
    ("zone", "shown"), [(MANAUS, "08:00"), (NORONHA, "10:00"), (LISBON, "12:00"), (AZORES, "11:00")]
)
def test_instant_kept_shows_another_time_on_the_clock(desk, zone, shown):
    appointment = desk.book()
    before = appointment.starts_at
    change(desk, zone, Keep.INSTANT)
    appointment.refresh_from_db()
    assert appointment.starts_at == before
    assert clock(desk, appointment) == f"23/11 {shown}"


@pytest.mark.parametrize("zone", [MANAUS, NORONHA])
def test_a_full_day_moves_by_an_hour_without_meeting_itself(desk, zone):
    """Each of them lands where the next one was, in either direction."""
    rows = [stored_appointment(desk, desk.at(8) + timedelta(minutes=30 * n)) for n in range(20)]
    before = [clock(desk, row) for row in rows]
    change(desk, zone)
    assert [clock(desk, row) for row in rows] == before
    assert not Appointment.objects.exclude(deleted_at=None).exists()


def test_begun_and_past_appointments_keep_their_instant(desk):
    over, begun = stored_appointment(desk, desk.at(8)), stored_appointment(desk, desk.at(9, 45))
    later = stored_appointment(desk, desk.at(15))
    before = [over.starts_at, begun.starts_at]
    change(desk, NORONHA, now=desk.at(10))
    assert clock(desk, later) == "23/11 15:00"
    assert [Appointment.objects.get(pk=row.pk).starts_at for row in (over, begun)] == before
    assert not over.events.exists() and not begun.events.exists()


@pytest.mark.parametrize("status", ["cancelled", "no_show", "rescheduled", "confirmed"])
def test_appointments_of_every_status_ahead_keep_their_clock(desk, status):
    cancelled = {"cancelled_by": "patient"} if status == "cancelled" else {}
    row = stored_appointment(desk, desk.at(15), status=status, **cancelled)
    change(desk, MANAUS)
    assert clock(desk, row) == "23/11 15:00"
    assert row.status == status


def test_a_deleted_appointment_stays_deleted_and_where_it_was(desk):
    row = stored_appointment(desk, desk.at(15), deleted_at=desk.now)
    before = row.starts_at, row.deleted_at
    stored_appointment(desk, desk.at(16))
    change(desk, MANAUS)
    row.refresh_from_db()
    assert (row.starts_at, row.deleted_at) == before


def test_other_clinics_stay_as_they_are(desk):
    other = open_desk()
    theirs = other.book()
    desk.book()
    change(desk, MANAUS)
    assert clock(other, theirs) == "23/11 09:00"
    assert Clinic.objects.get(pk=other.clinic.pk).time_zone == RECIFE
    assert theirs.events.count() == 1


# Absences -------------------------------------------------------------------------------------------------------------


def absence(desk, starts_at, ends_at, **fields):
    return Absence.objects.create(clinic=desk.clinic, starts_at=starts_at, ends_at=ends_at, reason="férias", **fields)


def test_absences_and_closures_ahead_keep_their_clock(desk):
    own = absence(desk, desk.at(0, day=date(2026, 12, 1)), desk.at(0, day=date(2026, 12, 3)), doctor=desk.doctor)
    closed = absence(desk, desk.at(14), desk.at(18))
    change(desk, LISBON)
    assert [clock(desk, own), clock(desk, own, "ends_at")] == ["01/12 00:00", "03/12 00:00"]
    assert [clock(desk, closed), clock(desk, closed, "ends_at")] == ["23/11 14:00", "23/11 18:00"]


def test_absences_keep_their_instants_with_everything_else(desk):
    row = absence(desk, desk.at(14), desk.at(18))
    change(desk, MANAUS, Keep.INSTANT)
    assert clock(desk, row) == "23/11 13:00"


def test_an_absence_that_has_begun_keeps_its_start(desk):
    row = absence(desk, desk.at(0, day=date(2026, 11, 16)), desk.at(0, day=date(2026, 11, 30)), doctor=desk.doctor)
    before = row.starts_at
    change(desk, MANAUS)
    row.refresh_from_db()
    assert row.starts_at == before
    assert clock(desk, row, "ends_at") == "30/11 00:00"


def test_an_absence_of_minutes_is_never_left_without_time(desk):
    row = absence(desk, desk.at(6, 50), desk.at(7, 10))
    change(desk, LISBON)
    row.refresh_from_db()
    assert row.ends_at - row.starts_at == timedelta(minutes=20)


def test_an_absence_that_is_over_is_history(desk):
    row = absence(desk, desk.at(5), desk.at(6))
    change(desk, MANAUS)
    assert clock(desk, row) == "23/11 04:00"


# Clock changes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "local", "kept"),
    [
        # 28/03/2027, 01:00 to 02:00, does not exist in Lisbon; 00:00 to 01:00 not in the Azores.
        (RECIFE, LISBON, datetime(2027, 3, 28, 1, 30), "28/03 02:30"),
        (RECIFE, LISBON, datetime(2027, 3, 28, 1, 0), "28/03 02:00"),
        (RECIFE, LISBON, datetime(2027, 3, 28, 0, 59), "28/03 00:59"),
        (RECIFE, LISBON, datetime(2027, 3, 28, 2, 0), "28/03 02:00"),
        (LISBON, AZORES, datetime(2027, 3, 28, 0, 15), "28/03 01:15"),
        (LISBON, RECIFE, datetime(2027, 3, 28, 2, 30), "28/03 02:30"),
        # 31/10/2027, 01:00 to 02:00, comes twice in Lisbon: the first is meant where nothing says the second.
        (RECIFE, LISBON, datetime(2027, 10, 31, 1, 30), "31/10 01:30"),
        (LISBON, RECIFE, datetime(2027, 10, 31, 1, 30), "31/10 01:30"),
        (LISBON, RECIFE, datetime(2027, 7, 1, 9, 0), "01/07 09:00"),
        (LISBON, RECIFE, datetime(2027, 1, 4, 9, 0), "04/01 09:00"),
    ],
)
def test_a_time_that_clocks_jump_over_is_put_after_the_jump(old, new, local, kept):
    desk = open_desk(time_zone=old)
    row = stored_appointment(desk, desk.clinic.nearest_instant(local.date(), local.time()), 45)
    jumps = kept[6:] != f"{local:%H:%M}"
    assert look_ahead(desk.clinic, new, desk.now).jumped == jumps
    change(desk, new)
    assert clock(desk, row) == kept
    assert row.ends_at - row.starts_at == timedelta(minutes=45)


@pytest.mark.parametrize("fold", [0, 1])
def test_the_second_of_two_equal_times_stays_the_second(fold):
    desk = open_desk(time_zone=LISBON)
    local = datetime(2027, 10, 31, 1, 30, tzinfo=desk.clinic.zone, fold=fold)
    row = stored_appointment(desk, local.astimezone(UTC))
    before = row.starts_at
    change(desk, "Atlantic/Madeira")
    row.refresh_from_db()
    assert row.starts_at == before


# Times that clash -----------------------------------------------------------------------------------------------------


def clash_pairs(found):
    return {frozenset([each.appointment.pk, each.other.pk]) for each in found}


def nothing_changed(desk, rows):
    spans = list(Appointment.objects.order_by("pk").values_list("pk", "starts_at", "ends_at", "updated_at"))
    assert spans == [(row.pk, row.starts_at, row.ends_at, row.updated_at) for row in rows]
    assert Clinic.objects.get(pk=desk.clinic.pk).time_zone == desk.clinic.time_zone
    assert not ClinicEvent.objects.exists() and not AppointmentEvent.objects.filter(kind="time_zone").exists()


@pytest.mark.parametrize("whose", ["doctor", "patient"])
def test_times_that_a_jump_lays_over_each_other_are_named(whose):
    """01:30 and 02:30 in Recife are both 02:30 in Lisbon on the day its clocks jump."""
    desk = open_desk()
    day = date(2027, 3, 28)
    patient = make_patient(desk.clinic)
    shared = {"patient": patient} if whose == "patient" else {}
    rows = [
        stored_appointment(desk, desk.at(1, 30, day), **shared),
        stored_appointment(
            desk, desk.at(2, 30, day), **shared, doctor=desk.doctor if whose == "doctor" else desk.another_doctor()
        ),
        stored_appointment(desk, desk.at(4, 30, day)),
    ]
    assert clash_pairs(look_ahead(desk.clinic, LISBON, desk.now).clashes) == {frozenset(row.pk for row in rows[:2])}
    with pytest.raises(TimesClash) as caught:
        change_time_zone(desk.clinic, LISBON, keep=Keep.CLOCK, by=BY, now=desk.now)
    assert clash_pairs(caught.value.clashes) == {frozenset(row.pk for row in rows[:2])}
    nothing_changed(desk, rows)
    change(desk, LISBON, Keep.INSTANT)
    assert desk.clinic.time_zone == LISBON


def test_one_that_has_begun_stands_in_the_way_of_one_that_moves(desk):
    begun, later = stored_appointment(desk, desk.at(9), 60), stored_appointment(desk, desk.at(10, 15))
    with pytest.raises(TimesClash) as caught:
        change_time_zone(desk.clinic, NORONHA, keep=Keep.CLOCK, by=BY, now=desk.at(10))
    assert clash_pairs(caught.value.clashes) == {frozenset([begun.pk, later.pk])}
    nothing_changed(desk, [begun, later])


@pytest.mark.parametrize("freed", ["cancelled", "no_show", "encaixe", "deleted"])
def test_appointment_that_takes_no_time_never_clashes(freed):
    desk = open_desk()
    day = date(2027, 3, 28)
    squeezed = {"encaixe_by": make_user(desk.clinic), "encaixe_reason": "dor"}
    fields = {
        "cancelled": {"status": "cancelled", "cancelled_by": "clinic"},
        "no_show": {"status": "no_show"},
        "encaixe": squeezed,
        "deleted": {"deleted_at": desk.now},
    }[freed]
    stored_appointment(desk, desk.at(1, 30, day), **fields)
    stored_appointment(desk, desk.at(2, 30, day))
    change(desk, LISBON)
    assert desk.clinic.time_zone == LISBON


# What is asked, and what is written of it -----------------------------------------------------------------------------


def test_with_something_ahead_a_choice_must_be_made(desk):
    row = desk.book()
    with pytest.raises(AskHowToKeep):
        change_time_zone(desk.clinic, MANAUS, keep=None, by=BY, now=desk.now)
    assert Clinic.objects.get(pk=desk.clinic.pk).time_zone == RECIFE
    assert row.events.count() == 1


def test_with_nothing_ahead_nothing_is_asked(desk):
    stored_appointment(desk, desk.at(6))
    event = change(desk, MANAUS, None)
    assert event.after == {"time_zone": MANAUS, "keep": "", "appointments": 0, "absences": 0}


def test_the_clinic_has_one_event_with_the_numbers(desk):
    for hour in (9, 10, 11):
        desk.book(starts_at=desk.at(hour), patient=desk.another_patient().pk)
    absence(desk, desk.at(14), desk.at(18))
    change(desk, MANAUS)
    event = ClinicEvent.objects.get()
    assert event.before == {"time_zone": RECIFE}
    assert event.after == {"time_zone": MANAUS, "keep": "clock", "appointments": 3, "absences": 1}
    assert (event.clinic, event.kind, event.channel, event.credential) == (desk.clinic, "time_zone", "command", "tests")


@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_history_of_a_clinic_is_append_only(desk, act):
    change(desk, MANAUS, None)
    events = ClinicEvent.objects.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        events.update(credential="x") if act == "update" else events.delete()


@pytest.mark.parametrize(
    ("keep", "sentence", "booked"),
    [
        (Keep.CLOCK, "Fuso horário de Recife para Manaus: continua em 23/11/2026 09:00", "23/11/2026 09:00"),
        (
            Keep.INSTANT,
            "Fuso horário de Recife para Manaus: era 23/11/2026 09:00, agora é 23/11/2026 08:00",
            "23/11/2026 09:00",
        ),
    ],
)
def test_the_history_of_an_appointment_shows_each_time_as_it_was(desk, keep, sentence, booked):
    row = desk.book()
    change(desk, MANAUS, keep)
    appointment = Appointment.objects.select_related("clinic").get(pk=row.pk)
    newest, oldest = story(appointment)
    assert newest.sentence == sentence
    assert oldest.sentence == f"Agendado para {booked} com a Dra. Helena Prado"


@pytest.mark.parametrize("keep", list(Keep))
def test_programs_see_that_an_appointment_was_changed(desk, keep):
    """Both APIs show times on the clock; one of them shows when a row was changed last."""
    row = desk.book()
    change(desk, MANAUS, keep, now=desk.at(8))
    row.refresh_from_db()
    assert row.updated_at == open_desk().at(8)


def test_a_move_from_before_is_not_undone_by_the_old_clock(desk):
    row = desk.book()
    acting = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    reschedule(row.pk, doctor=desk.doctor.pk, starts_at=desk.at(11), **acting)
    change(desk, MANAUS)
    assert refused(undo, row.pk, **acting | {"clinic": desk.clinic}).reasons == {Reason.NOTHING_TO_UNDO}
    assert clock(desk, row) == "23/11 11:00"


@pytest.mark.parametrize("act", ["book", "move"])
def test_nobody_writes_by_a_zone_that_is_the_clinics_no_longer(desk, act):
    """As one does whose request had begun before the zone was changed."""
    row = desk.book(starts_at=desk.at(16))
    desk.clinic = Clinic.objects.get(pk=desk.clinic.pk)
    change_time_zone(desk.clinic, MANAUS, keep=Keep.CLOCK, by=BY, now=desk.now)
    works = {
        "book": lambda: desk.book(starts_at=desk.at(11), patient=desk.another_patient().pk),
        "move": lambda: reschedule(
            row.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(11), by=BY, now=desk.now
        ),
    }
    assert Reason.TRY_AGAIN in refused(works[act]).reasons
    assert row.events.last().kind == "time_zone" and Appointment.objects.count() == 1


def test_time_given_up_is_taken_again_by_the_new_clock(desk):
    row = desk.book(starts_at=desk.at(15))
    acting = {"by": BY, "now": desk.now}
    change_status(row.pk, "cancelled", clinic=desk.clinic, cancelled_by="patient", **acting)
    change(desk, MANAUS)
    change_status(row.pk, "scheduled", clinic=desk.clinic, **acting)
    assert clock(desk, row) == "23/11 15:00" and row.status == "scheduled"


def test_the_rules_look_at_the_clock_too(desk):
    read_before = Clinic.objects.get(pk=desk.clinic.pk)
    change(desk, MANAUS, None)
    desk.clinic = read_before
    assert check(desk.proposal(starts_at=desk.at(11)), now=desk.now).reasons == {Reason.TRY_AGAIN}


def test_a_zone_that_was_changed_meanwhile_is_not_changed_again(desk):
    read_before = Clinic.objects.get(pk=desk.clinic.pk)
    change(desk, MANAUS, None)
    refusal = refused(change_time_zone, read_before, LISBON, keep=None, by=BY, now=desk.now)
    assert refusal.reasons == {Reason.TRY_AGAIN}
    assert Clinic.objects.get(pk=desk.clinic.pk).time_zone == MANAUS
