"""The waiting list: who is put on it, what changes and closes an entry, and what is kept of it."""

from datetime import date, time, timedelta

import pytest
from django.db import Error, connection, transaction

from clinic import booking
from clinic.booking import WaitingWish
from clinic.models import WaitingEntry, WaitingEvent
from clinic.refusals import Reason
from clinic.registry import redact_patient
from tests.booking.desk import BY, MONDAY, reasons, refused
from tests.factories import make_clinic, make_patient, make_procedure, make_user

FAR = MONDAY + timedelta(weeks=6)


def put(desk, *, patient=None, now=None, **wish):
    defaults = {} if "appointment" in wish else {"procedures": [desk.procedure.pk]}
    asked = WaitingWish(**defaults | wish)
    patient_id = (patient or desk.patient).pk
    return booking.put_on_waiting_list(patient_id, asked, clinic=desk.clinic, by=BY, now=now or desk.now)


def kinds(entry):
    return [event.kind for event in WaitingEvent.objects.filter(entry=entry)]


def test_a_request_keeps_what_is_wanted_and_who_put_it(desk):
    user = make_user(desk.clinic)
    wish = WaitingWish(
        procedures=[desk.procedure.pk],
        doctors=[desk.doctor.pk],
        weekdays=[4, 2, 2],
        from_time=time(8),
        until=FAR,
        is_urgent=True,
        note="  prefere   telefone ",
    )
    by = booking.Author(channel="browser", user=user)
    entry = booking.put_on_waiting_list(desk.patient.pk, wish, clinic=desk.clinic, by=by, now=desk.now)

    entry.refresh_from_db()
    assert (entry.weekdays, entry.from_time, entry.to_time) == ([2, 4], time(8), time(23, 59))
    assert (entry.until, entry.is_urgent, entry.note) == (FAR, True, "prefere telefone")
    assert (entry.created_by, entry.created_at, entry.version) == (user, desk.now, 1)
    event = entry.events.get()
    assert (event.kind, event.user, event.channel) == ("put", user, "browser")
    assert event.after["note"] == "prefere telefone" and event.after["doctors"] == [desk.doctor.pk]


def test_a_request_with_an_appointment_wants_what_that_one_has(desk):
    far = desk.book(starts_at=desk.at(9, day=FAR))
    entry = put(desk, appointment=far.pk, procedures=[make_procedure(desk.clinic).pk])
    read = WaitingEntry.objects.of(desk.clinic).in_full().get(pk=entry.pk)
    assert (read.needed, read.procedure_names, read.length) == (
        [desk.procedure.pk],
        ["Consulta"],
        timedelta(minutes=30),
    )
    assert list(entry.procedures.all()) == []


@pytest.mark.parametrize(
    ("reason", "field", "wish"),
    [
        (Reason.PROCEDURES_MISSING, "procedures", {"procedures": []}),
        (Reason.PROCEDURE_UNKNOWN, "procedures", {"procedures": [0]}),
        (Reason.DOCTOR_UNKNOWN, "doctors", {"doctors": [0]}),
        (Reason.END_NOT_AFTER_START, "to_time", {"from_time": time(11), "to_time": time(9)}),
        (Reason.DATE_PAST, "until", {"until": MONDAY - timedelta(days=1)}),
        (Reason.WAITING_NOTE_TOO_LONG, "note", {"note": "a" * 201}),
        (Reason.WAITING_NOTE_UNSTORABLE, "note", {"note": "a\x00"}),
        (Reason.WAITING_NOT_AHEAD, "appointment", {"appointment": 0}),
    ],
)
def test_what_cannot_be_wanted_is_refused(desk, reason, field, wish):
    answer = refused(put, desk, **wish)
    assert [(refusal.reason, refusal.field) for refusal in answer.refusals] == [(reason, field)]
    assert not WaitingEntry.objects.exists()


def test_every_broken_rule_is_named_at_once(desk):
    wish = {"from_time": time(11), "to_time": time(9), "until": date(2020, 1, 1), "note": "a" * 201}
    assert reasons(put, desk, **wish) == {
        Reason.END_NOT_AFTER_START,
        Reason.DATE_PAST,
        Reason.WAITING_NOTE_TOO_LONG,
    }


def test_somebody_else_s_appointment_cannot_be_exchanged(desk):
    of_another = desk.book(patient=desk.another_patient().pk, starts_at=desk.at(9, day=FAR))
    assert reasons(put, desk, appointment=of_another.pk) == {Reason.WAITING_NOT_AHEAD}


def test_what_is_over_or_cancelled_cannot_be_exchanged(desk):
    far = desk.book(starts_at=desk.at(9))
    assert reasons(put, desk, appointment=far.pk, now=desk.at(9, 1)) == {Reason.WAITING_NOT_AHEAD}
    booking.change_status(far.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="patient")
    assert reasons(put, desk, appointment=far.pk) == {Reason.WAITING_NOT_AHEAD}


def test_wanted_doctors_perform_all_of_it(desk):
    other = desk.another_doctor(procedures=[make_procedure(desk.clinic)])
    assert reasons(put, desk, doctors=[other.pk]) == {Reason.WAITING_NOT_PERFORMED}
    assert reasons(put, desk, procedures=[make_procedure(desk.clinic).pk]) == {Reason.WAITING_NOT_PERFORMED}
    assert put(desk, doctors=[other.pk, desk.doctor.pk])


def test_a_patient_waits_once_for_the_same(desk):
    far = desk.book(starts_at=desk.at(9, day=FAR))
    other = make_procedure(desk.clinic)
    desk.doctor.procedures.add(other)
    put(desk, appointment=far.pk)
    put(desk)
    assert reasons(put, desk, appointment=far.pk) == {Reason.WAITING_TWICE}
    assert reasons(put, desk, procedures=[desk.procedure.pk, other.pk]) == {Reason.WAITING_TWICE}
    put(desk, procedures=[other.pk])
    put(desk, patient=desk.another_patient())
    assert WaitingEntry.objects.count() == 4


def test_patients_of_others_and_deceased_ones_do_not_wait(desk):
    of_another_clinic = make_patient(make_clinic())
    assert reasons(put, desk, patient=of_another_clinic) == {Reason.PATIENT_UNKNOWN}
    desk.patient.died = True
    desk.patient.save()
    assert reasons(put, desk) == {Reason.PATIENT_DIED}


def test_a_change_is_refused_if_another_came_between(desk):
    entry = put(desk)
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    wish = WaitingWish(procedures=[desk.procedure.pk], note="de manhã")
    changed = booking.change_waiting(entry.pk, wish, seen=1, **act)
    assert (changed.note, changed.version) == ("de manhã", 2)
    assert reasons(booking.change_waiting, entry.pk, wish, seen=1, **act) == {Reason.WAITING_CHANGED}
    event = WaitingEvent.objects.filter(entry=entry).last()
    assert (event.kind, event.before["note"], event.after["note"]) == ("changed", "", "de manhã")


def test_without_its_appointment_the_procedures_are_kept(desk):
    far = desk.book(starts_at=desk.at(9, day=FAR))
    entry = put(desk, appointment=far.pk)
    booking.change_status(far.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="patient")
    booking.change_waiting(entry.pk, WaitingWish(), clinic=desk.clinic, by=BY, seen=1, now=desk.now)
    read = WaitingEntry.objects.of(desk.clinic).in_full().get(pk=entry.pk)
    assert (read.appointment, read.needed) == (None, [desk.procedure.pk])


def test_withdrawn_and_put_back(desk):
    entry = put(desk)
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    closed = booking.withdraw_waiting(entry.pk, seen=None, **act)
    assert (closed.outcome, closed.closed_at) == ("withdrawn", desk.now)
    assert reasons(booking.withdraw_waiting, entry.pk, seen=None, **act) == {Reason.WAITING_CLOSED}
    assert reasons(booking.note_not_reached, entry.pk, **act) == {Reason.WAITING_CLOSED}
    assert booking.put_back_waiting(entry.pk, seen=None, **act).closed_at is None
    assert reasons(booking.put_back_waiting, entry.pk, seen=None, **act) == {Reason.WAITING_CLOSED}
    assert kinds(entry) == ["put", "withdrawn", "reopened"]


def test_who_waits_anew_is_not_put_back_as_well(desk):
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    entry = put(desk)
    booking.withdraw_waiting(entry.pk, seen=None, **act)
    put(desk)
    assert reasons(booking.put_back_waiting, entry.pk, seen=None, **act) == {Reason.WAITING_TWICE}


def test_requests_of_another_clinic_are_not_there(desk):
    entry = put(desk)
    act = {"clinic": make_clinic(), "by": BY}
    for call in (booking.withdraw_waiting, booking.put_back_waiting):
        with pytest.raises(WaitingEntry.DoesNotExist):
            call(entry.pk, seen=1, **act)
    with pytest.raises(WaitingEntry.DoesNotExist):
        booking.note_not_reached(entry.pk, **act)
    with pytest.raises(WaitingEntry.DoesNotExist):
        booking.change_waiting(entry.pk, WaitingWish(), seen=1, **act)
    with pytest.raises(WaitingEntry.DoesNotExist):
        booking.book_waiting(entry.pk, doctor=desk.doctor.pk, starts_at=desk.at(9), seen=None, place=None, **act)


def test_the_history_is_append_only_and_redacted(desk):
    entry = put(desk, note="tem medo de agulha")
    event = entry.events.get()
    for query in ("UPDATE clinic_waitingevent SET kind = 'changed'", "DELETE FROM clinic_waitingevent"):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(query)
    redact_patient(desk.patient.pk, clinic=desk.clinic, by=BY, reason="pedido do titular")
    entry.refresh_from_db()
    event.refresh_from_db()
    assert (entry.note, event.after["note"], event.after["procedures"]) == ("", "", [desk.procedure.pk])
