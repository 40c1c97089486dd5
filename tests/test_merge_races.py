"""Merging two patients while others book for them, merge them the other way round, or act on their appointments."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from clinic.booking import (
    WaitingWish,
    book,
    book_waiting,
    cancel_sessions,
    change_status,
    merge_patients,
    put_on_waiting_list,
    state,
    undo_merge,
)
from clinic.models import Appointment, Patient, PatientMerge
from clinic.refusals import Reason
from clinic.registry import MemoDetails, redact_patient, write_memo
from tests.booking.desk import BY, details, open_desk
from tests.factories import make_patient, make_series, make_user, phone
from tests.locks import another_connection, held
from tests.test_races import at_once, booking, deadlocks, in_background, reasons_of, until_somebody_waits, won

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20  # seconds
ROUNDS = 8


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def watcher():
    with another_connection(autocommit=True) as watching:
        yield watching


def two(desk):
    return make_patient(desk.clinic, name="Ana de Souza"), make_patient(desk.clinic, name="Ana Sousa")


def merging(desk, kept, merged):
    return lambda: merge_patients(kept.pk, merged.pk, clinic=desk.clinic, sides={}, by=BY, now=desk.now)


def undoing(desk, merge):
    return lambda: undo_merge(merge.pk, clinic=desk.clinic, by=BY, now=desk.now)


def nobody_has_an_appointment_but_current_patients():
    return not Appointment.objects.exclude(patient__merged_into=None).exists()


@pytest.mark.parametrize("is_first", [True, False], ids=["lower id", "higher id"])
def test_a_booking_under_way_moves_along(desk, watcher, is_first):
    """The booking holds the patient's row: the merge waits for it, and then sees what it has booked."""
    pair = two(desk)
    kept, merged = pair if is_first else pair[::-1]
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        other.execute("SELECT 1 FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE", [merged.pk])
        waiting = in_background(merging(desk, kept, merged))
        until_somebody_waits(watcher)
        other.execute(
            "INSERT INTO clinic_appointment (uuid, clinic_id, doctor_id, doctor_name, patient_id, starts_at, ends_at,"
            " status, source, notes, metadata, typed_cpf, encaixe_reason, cancelled_by, cancel_reason, created_at,"
            " updated_at) VALUES (gen_random_uuid(), %s, %s, '', %s, %s, %s, 'scheduled', 'manual', '', '{}', '', '',"
            " '', '', now(), now())",
            [desk.clinic.pk, desk.doctor.pk, merged.pk, desk.at(9), desk.at(10)],
        )
        assert not waiting.done()
        other.commit()
        assert len(waiting.result(PATIENCE).moved["appointments"]) == 1
    assert Appointment.objects.get().patient == kept


@pytest.mark.parametrize("who", ["id", "details"])
def test_a_booking_that_waits_for_the_merge_finds_the_kept_one(desk, watcher, who):
    kept, merged = two(desk)
    described = details(name=merged.name, phone=merged.phone.as_e164)
    proposal = desk.proposal(**({"patient": merged.pk} if who == "id" else {"details": described}))
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_patient WHERE id IN (%s, %s) FOR NO KEY UPDATE", [kept.pk, merged.pk])
        waiting = in_background(lambda: book(proposal, by=BY, now=desk.now))
        until_somebody_waits(watcher)
        other.execute("UPDATE clinic_patient SET merged_into_id = %s, cpf = NULL WHERE id = %s", [kept.pk, merged.pk])
        other.commit()
        assert waiting.result(PATIENCE).patient == kept


def test_a_booking_that_waits_for_the_doctor_finds_the_kept_one(desk, watcher):
    """Who is described is merged after the booking has first looked: by then it is another patient's record."""
    kept, merged = two(desk)
    described = details(name=merged.name, phone=merged.phone.as_e164)
    with held(desk.doctor):
        waiting = in_background(booking(desk, details=described))
        until_somebody_waits(watcher)
        merging(desk, kept, merged)()
    assert waiting.result(PATIENCE).patient == kept


def test_merges_and_bookings_for_both_at_once_lose_no_appointment(desk, watcher):
    before = deadlocks(watcher)
    for number in range(ROUNDS):
        kept, merged = two(desk)[:: 1 if number % 2 else -1]
        start = desk.at(8) + number * timedelta(minutes=60)
        works = [
            merging(desk, kept, merged),
            booking(desk, patient=merged.pk, starts_at=start),
            booking(desk, patient=kept.pk, starts_at=start + timedelta(minutes=30)),
        ]
        outcomes = at_once(*works)
        assert all(getattr(each, "reasons", set()) <= {Reason.OUTSIDE_HOURS} for each in outcomes), outcomes
        booked = [outcome for outcome in won(outcomes) if isinstance(outcome, Appointment)]
        assert set(Appointment.objects.filter(patient=kept)) == set(booked)
        assert nobody_has_an_appointment_but_current_patients()
    assert deadlocks(watcher) == before


def test_of_both_at_one_time_one_is_refused_or_the_merge_is(desk):
    colleague = desk.another_doctor()
    for number in range(ROUNDS):
        kept, merged = two(desk)
        start = desk.at(13) + number * timedelta(minutes=30)
        merge, *bookings = at_once(
            merging(desk, kept, merged),
            booking(desk, patient=merged.pk, starts_at=start),
            booking(desk, patient=kept.pk, starts_at=start, doctor=colleague.pk),
        )
        refused = reasons_of([merge, *bookings])
        assert refused in ([{Reason.MERGE_AT_ONE_TIME}], [{Reason.PATIENT_ELSEWHERE}])
        assert nobody_has_an_appointment_but_current_patients()


def test_of_two_merges_crosswise_one_wins(desk, watcher):
    before = deadlocks(watcher)
    for _ in range(ROUNDS):
        one, other = two(desk)
        outcomes = at_once(merging(desk, one, other), merging(desk, other, one))
        assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.MERGED_ALREADY}]
        assert Patient.objects.filter(pk__in=[one.pk, other.pk], merged_into=None).count() == 1
    assert PatientMerge.objects.count() == ROUNDS
    assert deadlocks(watcher) == before


def test_a_merge_that_two_undo_at_once_is_undone_once(desk):
    kept, merged = two(desk)
    done = merging(desk, kept, merged)()
    outcomes = at_once(undoing(desk, done), undoing(desk, done))
    assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.MERGE_UNDONE}]


def test_acts_on_the_appointment_of_who_is_merged_say_try_again(desk, watcher):
    kept, merged = two(desk)
    appointment = desk.book(patient=merged.pk)
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE", [merged.pk])
        other.execute("UPDATE clinic_appointment SET patient_id = %s WHERE id = %s", [kept.pk, appointment.pk])
        act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
        waiting = in_background(lambda: change_status(appointment.pk, "confirmed", **act))
        until_somebody_waits(watcher)
        other.commit()
        assert reasons_of([waiting.exception(PATIENCE)]) == [{Reason.TRY_AGAIN}]
    assert change_status(appointment.pk, "confirmed", **act).patient == kept


def test_acts_on_a_series_of_who_is_merged_say_try_again(desk, watcher):
    kept, merged = two(desk)
    session = desk.book(patient=merged.pk)
    series = make_series(session)
    act = {"clinic": desk.clinic, "cancelled_by": "patient", "by": BY, "now": desk.now}
    cancelling = partial(cancel_sessions, series.pk, {session.pk: state(session)}, **act)
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE", [merged.pk])
        other.execute("UPDATE clinic_appointment SET patient_id = %s WHERE id = %s", [kept.pk, session.pk])
        waiting = in_background(cancelling)
        until_somebody_waits(watcher)
        other.commit()
        assert reasons_of([waiting.exception(PATIENCE)]) == [{Reason.TRY_AGAIN}]
    cancelling()


@pytest.mark.parametrize("by_id_of", ["kept", "merged"])
def test_a_redaction_that_waits_for_a_merge_says_try_again(desk, watcher, by_id_of):
    """Who was asked for is by then another patient's record: that one has the texts."""
    kept, merged = two(desk)[::-1]
    last = make_patient(desk.clinic, name="Ana S.")
    asked, into = {"kept": (merged, kept), "merged": (kept, last)}[by_id_of]
    if by_id_of == "merged":
        merging(desk, kept, merged)()
    redacting = partial(redact_patient, asked.pk, clinic=desk.clinic, by=BY, reason="pedido")
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE", [asked.pk])
        waiting = in_background(redacting)
        until_somebody_waits(watcher)
        other.execute("UPDATE clinic_patient SET merged_into_id = %s, cpf = NULL WHERE id = %s", [into.pk, asked.pk])
        other.execute("UPDATE clinic_patient SET notes = 'Segredo' WHERE id = %s", [into.pk])
        other.commit()
        assert reasons_of([waiting.exception(PATIENCE)]) == [{Reason.TRY_AGAIN}]
    redacting()
    into.refresh_from_db()
    assert into.notes == ""


def test_a_redaction_while_another_is_merged_into_the_patient(desk, watcher):
    kept, merged = two(desk)
    Patient.objects.filter(pk=merged.pk).update(notes="Segredo")
    redacting = partial(redact_patient, kept.pk, clinic=desk.clinic, by=BY, reason="pedido")
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE", [kept.pk])
        waiting = in_background(redacting)
        until_somebody_waits(watcher)
        other.execute("UPDATE clinic_patient SET merged_into_id = %s, cpf = NULL WHERE id = %s", [kept.pk, merged.pk])
        other.commit()
        assert reasons_of([waiting.exception(PATIENCE)]) == [{Reason.TRY_AGAIN}]


def test_a_time_given_to_who_is_merged_meanwhile_is_the_kept_ones(desk):
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    for number in range(ROUNDS):
        kept, merged = two(desk)
        entry = put_on_waiting_list(merged.pk, WaitingWish(procedures=[desk.procedure.pk]), **act)
        target = act | {"doctor": desk.doctor.pk, "starts_at": desk.at(13) + number * timedelta(minutes=30)}

        def give(pk=entry.pk, target=target):
            return book_waiting(pk, seen=None, place=None, **target)

        assert len(won(at_once(merging(desk, kept, merged), give))) == 2
        entry.refresh_from_db()
        assert entry.patient == kept and nobody_has_an_appointment_but_current_patients()


def test_a_memo_that_waits_for_the_merge_is_the_kept_ones(desk, watcher):
    kept, merged = two(desk)
    memo, user = MemoDetails(kind="note", text="ligar", patient_id=merged.pk), make_user(desk.clinic)
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE", [merged.pk])
        waiting = in_background(lambda: write_memo(desk.clinic, memo, key=uuid4(), by=user))
        until_somebody_waits(watcher)
        other.execute("UPDATE clinic_patient SET merged_into_id = %s, cpf = NULL WHERE id = %s", [kept.pk, merged.pk])
        other.commit()
        assert waiting.result(PATIENCE).patient == kept


def test_undoing_and_redacting_at_once_leave_no_text(desk, watcher):
    before = deadlocks(watcher)
    for _ in range(ROUNDS):
        kept, merged = two(desk)
        Patient.objects.filter(pk=merged.pk).update(notes="Segredo da consulta")
        done = merging(desk, kept, merged)()

        def redact(pk=kept.pk):
            return redact_patient(pk, clinic=desk.clinic, by=BY, reason="pedido")

        assert len(won(at_once(undoing(desk, done), redact))) == 2
        kept.refresh_from_db()
        assert "Segredo" not in kept.notes
    assert deadlocks(watcher) == before


def test_a_phone_that_both_have_leads_to_one_of_them(desk):
    kept, merged = two(desk)
    Patient.objects.filter(pk__in=[kept.pk, merged.pk]).update(phone=phone(903), name="Ana Sousa")
    merging(desk, kept, merged)()
    booked = desk.book(details=details(name="Ana Sousa", phone=phone(903), birth_date=None))
    assert booked.patient == kept
