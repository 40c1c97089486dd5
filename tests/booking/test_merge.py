"""Two patients who are one person: what the kept one gets, what moves along, and what undoing brings back."""

from dataclasses import fields, replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from clinic.booking import (
    WaitingWish,
    cancel_sessions,
    change_status,
    change_waiting,
    merge_patients,
    put_on_waiting_list,
    reschedule,
    state,
    undo,
    undo_merge,
)
from clinic.models import Appointment, AppointmentEvent, FormerName, Memo, Patient, PatientEvent, PatientMerge
from clinic.refusals import Reason
from clinic.registry import (
    MemoDetails,
    Side,
    change_patient,
    details_of,
    differing,
    merged_details,
    patient_version,
    redact_patient,
    register_patient,
    sides_of,
    write_memo,
)
from clinic.registry.merging import CHOICES
from clinic.registry.patient_details import PatientDetails
from tests.booking.desk import BY, details, reasons, refused
from tests.factories import cpf, make_clinic, make_patient, make_payer, make_series, make_user, phone

pytestmark = pytest.mark.django_db
CPF, OTHER_CPF = cpf(300_000_001), cpf(300_000_002)
PHONE, OTHER_PHONE = phone(501), phone(502)


@pytest.fixture
def kept(desk):
    return make_patient(desk.clinic, name="Ana de Souza", cpf=CPF, phone=PHONE, notes="Prefere a manhã.")


@pytest.fixture
def merged(desk):
    return make_patient(desk.clinic, name="Ana Sousa", cpf=OTHER_CPF, phone=OTHER_PHONE, email="ana@exemplo.com")


@pytest.fixture
def act(desk):
    return {"clinic": desk.clinic, "by": BY, "now": desk.now}


def merge(kept, merged, act, **sides):
    chosen = {name: Side(side) for name, side in sides.items()}
    return merge_patients(kept.pk, merged.pk, sides=chosen, **act)


def again(*rows):
    for row in rows:
        row.refresh_from_db()


# Whose data


def test_what_only_one_of_them_has_is_kept(kept, merged, act):
    merge(kept, merged, act)
    again(kept, merged)

    assert (kept.name, kept.cpf, kept.phone.as_e164, kept.email) == ("Ana de Souza", CPF, PHONE, "ana@exemplo.com")
    assert (merged.merged_into, merged.cpf, merged.name) == (kept, None, "Ana Sousa")


def test_each_field_can_be_taken_from_either_side(kept, merged, act):
    merge(kept, merged, act, name="merged", cpf="merged")
    again(kept)

    assert (kept.name, kept.cpf, kept.phone.as_e164) == ("Ana Sousa", OTHER_CPF, PHONE)


def test_the_phone_that_is_not_taken_becomes_the_second_one(kept, merged, act):
    merge(kept, merged, act)
    again(kept)

    assert (kept.phone.as_e164, kept.second_phone) == (PHONE, OTHER_PHONE)


def test_a_second_phone_that_is_taken_as_the_first_is_not_there_twice():
    one, other = PatientDetails(phone=PHONE, second_phone=OTHER_PHONE), PatientDetails(phone=OTHER_PHONE)

    chosen = merged_details(one, other, {"phone": Side.MERGED})

    assert (chosen.phone, chosen.second_phone) == (OTHER_PHONE, PHONE)


@pytest.mark.parametrize(
    ("side", "notes"), [({}, "um\n\ndois"), ({"notes": Side.KEPT}, "um"), ({"notes": Side.MERGED}, "dois")]
)
def test_notes_of_both_are_joined_unless_one_side_is_chosen(side, notes):
    one, other = PatientDetails(notes="um"), PatientDetails(notes="dois")

    assert merged_details(one, other, side).notes == notes
    assert merged_details(one, one, side).notes == "um"


def test_a_payer_goes_with_its_card():
    one = PatientDetails(payer_id=1, card_number="A1")
    other = PatientDetails(payer_id=2, card_expires_on=date(2027, 1, 31))

    chosen = merged_details(one, other, {"payer_id": Side.MERGED})

    assert (chosen.payer_id, chosen.card_number, chosen.card_expires_on) == (2, "", date(2027, 1, 31))


def test_who_has_a_document_by_now_needs_no_reason_for_having_none():
    assert merged_details(PatientDetails(no_document="declined"), PatientDetails(cpf=CPF), {}).no_document == ""


def test_only_what_both_have_and_differs_is_asked(kept, merged):
    assert differing(details_of(kept), details_of(merged)) == ["name", "phone", "cpf"]
    same = replace(details_of(kept), accepts_whatsapp=False)
    assert differing(same, replace(same, accepts_whatsapp=True)) == ["accepts_whatsapp"]


def test_a_refusal_of_messages_stays_without_a_choice():
    refuses, accepts = PatientDetails(accepts_whatsapp=False), PatientDetails(accepts_whatsapp=True)
    for one, other in ((refuses, accepts), (accepts, refuses)):
        assert merged_details(one, other, {}).accepts_whatsapp is False
    assert merged_details(accepts, refuses, {"accepts_whatsapp": Side.KEPT}).accepts_whatsapp is True


def test_a_death_is_always_asked_and_stays_without_a_choice():
    alive, dead = PatientDetails(), PatientDetails(died=True, died_on=date(2026, 1, 31))
    for one, other in ((alive, dead), (dead, alive)):
        assert differing(one, other) == ["died"]
        assert merged_details(one, other, {}).died_on == date(2026, 1, 31)
    assert not merged_details(alive, dead, {"died": Side.KEPT}).died
    assert differing(alive, alive) == differing(dead, dead) == []


def test_both_alerts_stand_one_beside_the_other_where_they_fit():
    one, other = PatientDetails(alert="Alérgica a látex"), PatientDetails(alert="Usa cadeira de rodas")
    assert merged_details(one, other, {}).alert == "Alérgica a látex · Usa cadeira de rodas"
    assert merged_details(one, other, {"alert": Side.MERGED}).alert == "Usa cadeira de rodas"
    assert merged_details(one, one, {}).alert == "Alérgica a látex"
    assert sides_of("alert", one, other) == [Side.KEPT, Side.MERGED, Side.BOTH]


def test_an_alert_that_does_not_fit_goes_to_the_notes():
    one, other = PatientDetails(alert="a" * 60, notes="um"), PatientDetails(alert="b" * 60, notes="dois")
    assert sides_of("alert", one, other) == [Side.KEPT, Side.MERGED]
    chosen = merged_details(one, other, {})
    assert (chosen.alert, chosen.notes) == ("a" * 60, f"um\n\ndois\n\n{'b' * 60}")
    chosen = merged_details(one, other, {"alert": Side.MERGED, "notes": Side.KEPT})
    assert (chosen.alert, chosen.notes) == ("b" * 60, f"um\n\n{'a' * 60}")


def test_what_is_not_taken_of_the_merged_is_in_the_history(desk, kept, merged, act):
    payer, other_payer = make_payer(desk.clinic), make_payer(desk.clinic)
    theirs = {"email": "b@exemplo.com", "alert": "b" * 60, "birth_date": "1990-01-02", "nif": "123456789"}
    Patient.objects.filter(pk=kept.pk).update(
        email="a@exemplo.com", alert="a" * 60, birth_date="1990-01-01", payer=payer
    )
    Patient.objects.filter(pk=kept.pk).update(nif="229999993", notes="x" * 4990, card_number="A1")
    Patient.objects.filter(pk=merged.pk).update(**theirs, payer=other_payer, card_number="B2")

    merge(kept, merged, act)

    event = PatientEvent.objects.get(patient=merged, kind="merged")
    assert {name: pair[0] for name, pair in event.changes.items()} == theirs | {
        "name": "Ana Sousa",
        "phone": OTHER_PHONE,
        "cpf": OTHER_CPF,
        "payer_id": other_payer.pk,
        "card_number": "B2",
    }


def test_joined_notes_that_are_too_long_are_refused(kept, merged, act):
    Patient.objects.update(notes="x" * 2600)
    Patient.objects.filter(pk=merged.pk).update(notes="y" * 2600)

    assert reasons(merge, kept, merged, act) == {Reason.NOTES_TOO_LONG}
    merge(kept, merged, act, notes="kept")


# What moves along


def test_every_appointment_becomes_the_kept_patients_with_its_history(desk, kept, merged, act):
    past, ahead, own = (
        desk.book(patient=patient.pk, starts_at=desk.at(hour))
        for patient, hour in ((merged, 9), (merged, 10), (kept, 11))
    )
    change_status(past.pk, "cancelled", cancelled_by="patient", **act)
    events = list(AppointmentEvent.objects.order_by("pk").values())

    done = merge(kept, merged, act)

    assert set(Appointment.objects.filter(patient=kept)) == {past, ahead, own}
    assert done.moved["appointments"] == [past.pk, ahead.pk]
    assert list(AppointmentEvent.objects.order_by("pk").values()) == events
    assert undo(past.pk, **act).patient == kept


def test_the_history_of_both_says_who_merged_them(kept, merged, act):
    merge(kept, merged, act)

    events = PatientEvent.objects.filter(kind="merged").order_by("patient")
    assert [(event.patient, event.credential, event.at) for event in events] == [
        (kept, BY.credential, act["now"]),
        (merged, BY.credential, act["now"]),
    ]
    assert events[0].changes == {"second_phone": ["", OTHER_PHONE], "email": ["", "ana@exemplo.com"]}
    assert events[1].changes == {
        "name": ["Ana Sousa", "Ana de Souza"],
        "phone": [OTHER_PHONE, PHONE],
        "cpf": [OTHER_CPF, ""],
    }


def test_memos_and_wishes_for_another_time_move_along(desk, kept, merged, act):
    user = make_user(desk.clinic)
    memo = write_memo(desk.clinic, MemoDetails(kind="note", text="ligar", patient_id=merged.pk), key=uuid4(), by=user)
    wish = WaitingWish(procedures=[desk.procedure.pk])
    entry = put_on_waiting_list(merged.pk, wish, **act)

    done = merge(kept, merged, act)
    again(memo, entry)

    assert (memo.patient, entry.patient) == (kept, kept)
    assert reasons(change_waiting, entry.pk, wish, seen=1, **act) == {Reason.WAITING_CHANGED}
    change_waiting(entry.pk, wish, seen=2, **act)
    undo_merge(done.pk, **act)
    again(memo, entry)
    assert (memo.patient, entry.patient) == (merged, merged)


def test_two_appointments_at_one_time_are_told_with_both_times(desk, kept, merged, act):
    colleague = desk.another_doctor(name="Dr. Rui Alves")
    desk.book(patient=kept.pk, starts_at=desk.at(9, 0))
    second = desk.book(patient=merged.pk, doctor=colleague.pk, starts_at=desk.at(9, 15))

    refusal = refused(merge, kept, merged, act)

    assert refusal.message == (
        "Os dois têm agendamento ao mesmo tempo: 23/11/2026 09:00 (Dra. Helena Prado) e 23/11/2026 09:15 (Dr. Rui"
        " Alves). Cancele ou remarque um deles e junte de novo. Nada foi alterado."
    )
    assert not PatientMerge.objects.exists() and Patient.objects.filter(merged_into=None).count() == 3
    change_status(second.pk, "cancelled", cancelled_by="patient", **act)
    merge(kept, merged, act)


# Afterwards


def test_who_books_for_the_merged_patient_books_for_the_kept_one(desk, kept, merged, act):
    merge(kept, merged, act)

    assert desk.book(patient=merged.pk).patient == kept
    wish = WaitingWish(procedures=[desk.procedure.pk])
    assert put_on_waiting_list(merged.pk, wish, **act).patient == kept


def test_details_of_the_merged_patient_mean_the_kept_one(desk, kept, merged, act):
    merge(kept, merged, act)
    number = Patient.objects.count()

    booked = desk.book(details=details(name="Ana Sousa", phone=OTHER_PHONE))

    assert booked.patient == kept and Patient.objects.count() == number
    assert reasons(register_patient, desk.clinic, details(name="Ana Sousa", phone=OTHER_PHONE), by=BY) == {
        Reason.PATIENT_EXISTS
    }


def test_the_cpf_that_was_not_taken_is_its_true_owners(desk, kept, merged, act):
    merge(kept, merged, act)

    mother = desk.book(details=details(name="Ana Sousa", phone=OTHER_PHONE, cpf=OTHER_CPF)).patient

    assert mother.cpf == OTHER_CPF and mother not in {kept, merged}


def test_a_change_of_the_merged_patient_changes_the_kept_one(desk, kept, merged, act):
    merge(kept, merged, act)

    changed = change_patient(merged.pk, {"email": "nova@exemplo.com"}, clinic=desk.clinic, by=BY)

    assert (changed, changed.email) == (kept, "nova@exemplo.com")


def test_a_chain_of_merges_leads_to_its_end(desk, kept, merged, act):
    last = make_patient(desk.clinic, name="Ana S.")
    first = merge(kept, merged, act)
    merge(last, kept, act)

    assert desk.book(patient=merged.pk).patient == last
    assert reasons(undo_merge, first.pk, **act) == {Reason.MERGED_SINCE}


def test_the_kept_one_is_found_by_the_other_name(kept, merged, act):
    done = merge(kept, merged, act)
    assert [name.name for name in FormerName.objects.filter(patient=kept)] == ["Ana Sousa"]
    undo_merge(done.pk, **act)
    assert not FormerName.objects.exists()


def test_of_who_has_a_nome_social_no_other_name_is_kept(kept, merged, act):
    Patient.objects.filter(pk=merged.pk).update(social_name="Aná")
    merge(kept, merged, act)
    assert not FormerName.objects.exists()


# Refusals


def test_what_was_changed_meanwhile_is_read_again_first(kept, merged, act):
    seen = {patient.pk: patient_version(patient) for patient in (kept, merged)}
    change_patient(merged.pk, {"email": "outra@exemplo.com"}, clinic=kept.clinic, by=BY)

    assert reasons(merge_patients, kept.pk, merged.pk, sides={}, seen=seen, **act) == {Reason.MERGE_CHANGED}


def test_nobody_is_merged_twice(desk, kept, merged, act):
    merge(kept, merged, act)
    third = make_patient(desk.clinic)

    for pair in ((kept, merged), (merged, kept), (third, merged), (merged, third)):
        assert reasons(merge, *pair, act) == {Reason.MERGED_ALREADY}


def test_a_patient_of_another_clinic_is_unknown(kept, act):
    stranger = make_patient(make_clinic())
    with pytest.raises(Patient.DoesNotExist):
        merge(kept, stranger, act)


# Undoing


def test_undoing_brings_both_back(desk, kept, merged, act):
    again(kept, merged)
    before = [details_of(patient) for patient in (kept, merged)]
    of_merged, of_kept = desk.book(patient=merged.pk), desk.book(patient=kept.pk, starts_at=desk.at(10))
    done = merge(kept, merged, act, name="merged", phone="merged", cpf="merged")

    separated = undo_merge(done.pk, **act)
    again(kept, merged, of_merged, of_kept)

    assert [details_of(patient) for patient in (kept, merged)] == before
    assert (of_merged.patient, of_kept.patient, merged.merged_into) == (merged, kept, None)
    assert (separated.appointments, separated.since, separated.left) == (1, 0, ([], []))
    assert PatientEvent.objects.filter(kind="separated").count() == 2
    assert reasons(undo_merge, done.pk, **act) == {Reason.MERGE_UNDONE}
    merge(kept, merged, act)


def test_what_was_booked_and_changed_since_stays(desk, kept, merged, act):
    moved = desk.book(patient=merged.pk)
    done = merge(kept, merged, act, name="merged", phone="merged")
    later = act | {"now": act["now"] + timedelta(minutes=1)}
    change_patient(kept.pk, {"phone": phone(777)}, clinic=desk.clinic, by=BY)
    reschedule(moved.pk, doctor=desk.doctor.pk, starts_at=desk.at(14), **later)
    booked = desk.book(patient=kept.pk, now=later["now"])

    separated = undo_merge(done.pk, **later)
    again(kept, merged, moved, booked)

    assert (separated.appointments, separated.since, separated.left.changed) == (1, 1, ["phone"])
    assert (kept.name, kept.phone.as_e164) == ("Ana de Souza", phone(777))
    assert (moved.patient, booked.patient, merged.cpf) == (merged, kept, OTHER_CPF)


def test_a_number_that_another_patient_has_by_now_is_not_given_back(desk, kept, merged, act):
    done = merge(kept, merged, act)
    make_patient(desk.clinic, cpf=OTHER_CPF)

    separated = undo_merge(done.pk, **act)
    again(kept, merged)

    assert (separated.left, merged.cpf, kept.cpf) == (([], ["cpf"]), None, CPF)


def test_the_kept_ones_own_number_may_have_gone_to_another(desk, kept, merged, act):
    done = merge(kept, merged, act, cpf="merged")
    make_patient(desk.clinic, cpf=CPF)

    separated = undo_merge(done.pk, **act)
    again(kept, merged)

    assert (separated.left, merged.cpf, kept.cpf) == (([], ["cpf"]), None, OTHER_CPF)


def test_a_plan_that_was_changed_in_part_stays_as_a_whole(desk, kept, merged, act):
    payer = make_payer(desk.clinic)
    Patient.objects.filter(pk=merged.pk).update(payer=payer, card_number="A1")
    done = merge(kept, merged, act)
    change_patient(kept.pk, {"card_number": "B2"}, clinic=desk.clinic, by=BY)

    assert undo_merge(done.pk, **act).left.changed == ["payer_id"]
    again(kept)
    assert (kept.payer, kept.card_number) == (payer, "B2")


def test_a_payer_that_is_gone_since_is_not_brought_back(desk, kept, merged, act):
    gone, payer = make_payer(desk.clinic), make_payer(desk.clinic)
    Patient.objects.filter(pk=kept.pk).update(payer=gone, card_number="A1")
    Patient.objects.filter(pk=merged.pk).update(payer=payer, card_number="B2")
    done = merge(kept, merged, act, payer_id="merged")
    gone.delete()

    separated = undo_merge(done.pk, **act)
    again(kept, merged)

    assert (separated.left.changed, kept.payer, kept.card_number) == (["payer_id"], payer, "B2")


def test_a_reason_for_no_document_does_not_come_back_beside_one(desk, kept, merged, act):
    Patient.objects.filter(pk=kept.pk).update(cpf=None, no_document="declined")
    done = merge(kept, merged, act)
    change_patient(kept.pk, {"cpf": CPF}, clinic=desk.clinic, by=BY)

    separated = undo_merge(done.pk, **act)
    again(kept, merged)

    assert (separated.left.changed, kept.cpf, kept.no_document) == (["cpf", "no_document"], CPF, "")


@pytest.mark.parametrize(("days", "refusal"), [(30, set()), (31, {Reason.MERGE_TOO_OLD})])
def test_a_merge_can_be_undone_for_thirty_days(kept, merged, act, days, refusal):
    done = merge(kept, merged, act)
    later = act | {"now": act["now"] + timedelta(days=days)}

    assert reasons(undo_merge, done.pk, **later) == refusal


def test_undoing_one_merge_leaves_another_of_the_same_patient(desk, kept, merged, act):
    third = make_patient(desk.clinic, name="Ana M. Souza")
    appointments = [
        desk.book(patient=patient.pk, starts_at=desk.at(9 + n)) for n, patient in enumerate((merged, third))
    ]
    first = merge(kept, merged, act)
    merge(kept, third, act)

    undo_merge(first.pk, **act)
    again(*appointments)

    assert [appointment.patient for appointment in appointments] == [merged, kept]


def add_session(desk, series, patient, *, days, now):
    session = desk.book(patient=patient.pk, starts_at=desk.at(9) + timedelta(days=days), now=now)
    Appointment.objects.filter(pk=session.pk).update(series=series)
    return session


def test_sessions_added_since_go_back_with_their_series(desk, kept, merged, act):
    first = desk.book(patient=merged.pk)
    series = make_series(first)
    own = desk.book(patient=kept.pk, starts_at=desk.at(11))
    make_series(own)
    done = merge(kept, merged, act)
    later = act | {"now": act["now"] + timedelta(minutes=1)}
    added = add_session(desk, series, kept, days=7, now=later["now"])
    added_to_own = add_session(desk, own.series, kept, days=8, now=later["now"])

    separated = undo_merge(done.pk, **later)
    again(added, added_to_own)

    assert set(series.sessions.values_list("patient", flat=True)) == {merged.pk}
    assert (added.series, added_to_own.patient) == (series, kept)
    assert (separated.appointments, separated.since) == (2, 1)


def test_a_series_begun_since_with_a_moved_appointment_goes_back(desk, kept, merged, act):
    first = desk.book(patient=merged.pk)
    done = merge(kept, merged, act)
    series = make_series(first)
    later = act | {"now": act["now"] + timedelta(minutes=1)}
    add_session(desk, series, kept, days=7, now=later["now"])

    undo_merge(done.pk, **later)

    assert set(series.sessions.values_list("patient", flat=True)) == {merged.pk}


def test_sessions_since_leave_a_series_that_both_had(desk, kept, merged, act):
    first = desk.book(patient=merged.pk)
    series = make_series(first)
    add_session(desk, series, kept, days=1, now=act["now"])
    done = merge(kept, merged, act)
    later = act | {"now": act["now"] + timedelta(minutes=1)}
    added = add_session(desk, series, kept, days=7, now=later["now"])

    separated = undo_merge(done.pk, **later)
    again(added)

    assert (added.patient, added.series, separated.since) == (kept, None, 1)


def test_a_wish_goes_back_with_its_appointment(desk, kept, merged, act):
    of_merged = desk.book(patient=merged.pk, starts_at=desk.at(16))
    wish = WaitingWish(procedures=[desk.procedure.pk])
    moved = put_on_waiting_list(merged.pk, wish, **act)
    done = merge(kept, merged, act)
    since = put_on_waiting_list(kept.pk, WaitingWish(appointment=of_merged.pk), **act)
    of_kept = desk.book(patient=kept.pk, starts_at=desk.at(15))
    again(moved)
    change_waiting(moved.pk, WaitingWish(appointment=of_kept.pk), seen=moved.version, **act)

    undo_merge(done.pk, **act)
    again(since, moved)

    assert (since.patient, moved.patient) == (merged, kept)


# Redaction


def test_a_redaction_blanks_what_was_merged_too(kept, merged, act):
    secret = "Segredo da consulta"
    change_patient(merged.pk, {"notes": secret, "alert": secret}, clinic=kept.clinic, by=BY)
    done = merge(kept, merged, act)

    redact_patient(kept.pk, clinic=kept.clinic, by=BY, reason="pedido do titular")

    rows = [*Patient.objects.values(), *PatientEvent.objects.values(), *PatientMerge.objects.values()]
    assert secret not in str(rows)
    again(done)
    assert (done.changes, done.numbers) == ({}, {})
    undo_merge(done.pk, **act)
    again(merged)
    assert (merged.notes, merged.alert, merged.cpf) == ("", "", None)


def test_a_redaction_after_undoing_blanks_what_the_other_took_over(kept, merged, act):
    secret = "Segredo da consulta"
    change_patient(merged.pk, {"notes": secret}, clinic=kept.clinic, by=BY)
    undo_merge(merge(kept, merged, act).pk, **act)

    redact_patient(merged.pk, clinic=kept.clinic, by=BY, reason="pedido do titular")

    rows = [*Patient.objects.values(), *PatientEvent.objects.values(), *PatientMerge.objects.values()]
    assert secret not in str(rows)


def test_a_memo_for_the_merged_patient_becomes_the_kept_ones(desk, kept, merged, act):
    merge(kept, merged, act)
    memo = MemoDetails(kind="note", text="ligar", patient_id=merged.pk)
    write_memo(desk.clinic, memo, key=uuid4(), by=make_user(desk.clinic))
    assert Memo.objects.get().patient == kept


def test_the_sessions_of_a_merged_patient_stay_one_series(desk, kept, merged, act):
    first = desk.book(patient=merged.pk)
    series = make_series(first)
    second = desk.book(patient=merged.pk, starts_at=first.starts_at + timedelta(days=7))
    Appointment.objects.filter(pk=second.pk).update(series=series)
    merge(kept, merged, act)
    assert set(series.sessions.values_list("patient", flat=True)) == {kept.pk}
    seen = {session.pk: state(session) for session in (first, second)}
    cancel_sessions(series.pk, seen, cancelled_by="patient", **act)
    assert set(series.sessions.values_list("status", flat=True)) == {"cancelled"}


def test_every_field_of_a_patient_is_chosen_once_in_a_merge():
    chosen = [name for together in CHOICES.values() for name in together]
    assert sorted(chosen) == sorted(field.name for field in fields(PatientDetails))
