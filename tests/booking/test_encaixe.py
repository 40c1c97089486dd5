"""An encaixe: over another appointment or outside the hours, by a user who may, with a reason, few a day."""

from datetime import date, timedelta

import pytest

from clinic.booking import Author, book, change_status, could_be_encaixe, openings, reschedule, undo
from clinic.models import Absence, Appointment, AppointmentEvent, Doctor, StaffUser
from clinic.queries import history
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, outcome, reasons, refused, stored
from tests.factories import make_clinic, make_manager, make_superuser, make_user

pytestmark = pytest.mark.django_db

CHRISTMAS = date(2026, 12, 25)


@pytest.fixture
def rita(desk):
    return make_user(desk.clinic, name="Rita", may_squeeze_in=True)


@pytest.fixture
def squeeze(desk, rita):
    """Books over Monday 09:00, which is taken, for another patient each time."""
    desk.book()

    def act(**changes):
        defaults = {"patient": desk.another_patient().pk, "encaixe_reason": "dor", "by": by(rita)}
        return desk.book(**defaults | changes)

    return act


def by(user):
    return Author(channel=AppointmentEvent.Channel.BROWSER, user=user)


def move(desk, appointment, starts_at, **changes):
    by_ = changes.pop("by", BY)
    doctor = changes.pop("doctor", desk.doctor)
    target = {"clinic": desk.clinic, "doctor": doctor.pk, "starts_at": starts_at, "by": by_, "now": desk.now}
    return reschedule(appointment.pk, **target | changes)


def act(function, desk, appointment, *args, now=None, **changes):
    return function(appointment.pk, *args, clinic=desk.clinic, by=BY, now=now or desk.now, **changes)


def test_author_and_reason_are_in_the_row_and_the_history(desk, squeeze, rita):
    appointment = Appointment.objects.get(pk=squeeze(encaixe_reason="  pedido do\tmédico ").pk)

    assert (appointment.encaixe_by, appointment.encaixe_reason) == (rita, "pedido do médico")
    event = appointment.events.get()
    assert event.after["encaixe_by"] == rita.pk and event.after["encaixe_reason"] == "pedido do médico"
    assert [entry.sentence for entry in history.story(appointment)] == [
        "Agendado para 23/11/2026 09:00 com a Dra. Helena Prado, como encaixe (pedido do médico)"
    ]


def test_where_nothing_is_in_the_way_it_is_an_ordinary_appointment(desk, squeeze):
    appointment = squeeze(starts_at=desk.at(10))

    assert (appointment.encaixe_by, appointment.encaixe_reason) == (None, "")
    assert reasons(desk.book, starts_at=desk.at(10), patient=desk.another_patient().pk) == {Reason.DOCTOR_TAKEN}


def test_it_may_lie_outside_the_hours(desk, squeeze):
    assert squeeze(starts_at=desk.at(19)).is_encaixe
    assert squeeze(starts_at=desk.at(11, 45)).is_encaixe


def test_it_takes_no_free_time_but_its_patients(desk, squeeze, rita):
    appointment = squeeze(starts_at=desk.at(8, 45))
    free = {"doctor": desk.doctor, "minutes": 15, "first": MONDAY, "last": MONDAY, "now": desk.now}

    assert desk.at(8, 45) in {opening.starts_at for opening in openings(desk.clinic, **free)}
    of_patient = openings(desk.clinic, **free, patient=appointment.patient_id)
    assert desk.at(8, 45) not in {opening.starts_at for opening in of_patient}
    assert desk.book(starts_at=desk.at(8, 30), patient=desk.another_patient().pk)


def absent(desk):
    span = {"starts_at": desk.at(9, 15), "ends_at": desk.at(11), "reason": "reunião"}
    Absence.objects.create(clinic=desk.clinic, doctor=desk.doctor, **span)
    return {}


def closed(desk):
    Absence.objects.create(clinic=desk.clinic, starts_at=desk.at(8), ends_at=desk.at(20), reason="dedetização")
    return {}


def inactive(desk):
    Doctor.objects.update(active=False)
    return {}


def same_patient(desk):
    return {"patient": desk.patient.pk}


def patient_elsewhere(desk):
    patient = desk.another_patient()
    desk.book(doctor=desk.another_doctor().pk, patient=patient.pk)
    return {"patient": patient.pk}


def another_clinics_user(desk):
    return {"by": by(make_user(make_clinic(), may_squeeze_in=True))}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (absent, {Reason.DOCTOR_ABSENT}),
        (closed, {Reason.CLINIC_CLOSED}),
        (lambda desk: {"starts_at": desk.at(9, day=CHRISTMAS)}, {Reason.HOLIDAY}),
        (inactive, {Reason.DOCTOR_UNKNOWN}),
        (same_patient, {Reason.PATIENT_ELSEWHERE}),
        (patient_elsewhere, {Reason.PATIENT_ELSEWHERE}),
        (lambda desk: {"starts_at": desk.at(6)}, {Reason.TIME_PAST}),
        (lambda desk: {"by": BY}, {Reason.ENCAIXE_NOT_PERMITTED, Reason.DOCTOR_TAKEN}),
        (another_clinics_user, {Reason.ENCAIXE_NOT_PERMITTED, Reason.DOCTOR_TAKEN}),
        (lambda desk: {"encaixe_reason": ""}, {Reason.ENCAIXE_REASON_MISSING}),
        (lambda desk: {"encaixe_reason": "d" * 5000}, {Reason.ENCAIXE_REASON_TOO_LONG}),
        (lambda desk: {"encaixe_reason": None}, {Reason.DOCTOR_TAKEN}),
    ],
)
def test_what_else_is_in_the_way_stays_in_the_way(desk, squeeze, spoil, reason):
    desk.clinic.observes_holidays = True
    desk.clinic.save()
    changes = spoil(desk)
    before = stored()

    assert reasons(squeeze, **changes) == reason
    assert stored() | {"Patient": 0} == before | {"Patient": 0}


def over_another(desk, squeeze, rita):
    squeeze()
    squeeze(starts_at=desk.at(9, 15))


def a_third_that_day(desk, squeeze, rita):
    for hour in (9, 19, 20):
        squeeze(starts_at=desk.at(hour))


def permission_has_ended(desk, squeeze, rita):
    StaffUser.objects.filter(pk=rita.pk).update(may_squeeze_in=False)
    squeeze(starts_at=desk.at(10))


def approved_by_the_desk_itself(desk, squeeze, rita):
    squeeze(starts_at=desk.at(10), approved_by=rita.pk)


SENTENCES = {
    Reason.ENCAIXE_NOT_APPROVED: (
        approved_by_the_desk_itself,
        "Quem aprova um encaixe é da gestão desta clínica. Escolha outra pessoa.",
    ),
    Reason.ENCAIXE_TAKEN: (
        over_another,
        "A Dra. Helena Prado já tem um encaixe às 09:00. Escolha um horário sem outro encaixe.",
    ),
    Reason.ENCAIXE_LIMIT: (
        a_third_that_day,
        "O máximo de encaixes por dia da Dra. Helena Prado é 2, e em 23/11 já há 2. Escolha outro dia.",
    ),
    Reason.ENCAIXE_NOT_PERMITTED: (
        permission_has_ended,
        "Este usuário não tem permissão para encaixe. Peça à gestão, ou escolha um horário livre.",
    ),
    Reason.ENCAIXE_REASON_MISSING: (
        lambda desk, squeeze, rita: squeeze(encaixe_reason=" \t"),
        "Diga o motivo do encaixe.",
    ),
    Reason.ENCAIXE_REASON_TOO_LONG: (
        lambda desk, squeeze, rita: squeeze(encaixe_reason="d" * 201),
        "O motivo do encaixe tem 201 caracteres; o máximo é 200.",
    ),
    Reason.ENCAIXE_REASON_UNSTORABLE: (
        lambda desk, squeeze, rita: squeeze(encaixe_reason="d\x1b"),
        "O motivo do encaixe tem caracteres que não podem ser gravados (U+001B). Escreva-o de novo.",
    ),
}


@pytest.mark.parametrize("reason", SENTENCES, ids=lambda reason: reason.name)
def test_each_refusal_has_its_sentence(desk, squeeze, rita, reason):
    refuse, sentence = SENTENCES[reason]
    assert [(one.reason, one.message) for one in refused(refuse, desk, squeeze, rita).refusals] == [(reason, sentence)]


@pytest.mark.parametrize("limit", [0, 1])
def test_each_doctor_has_a_limit_a_day(desk, squeeze, limit):
    Doctor.objects.filter(pk=desk.doctor.pk).update(encaixes_per_day=limit)
    outcomes = [reasons(squeeze, starts_at=desk.at(hour)) for hour in (19, 20)]

    assert outcomes == [set()] * limit + [{Reason.ENCAIXE_LIMIT}] * (2 - limit)
    assert reasons(squeeze, starts_at=desk.at(19, day=MONDAY + timedelta(days=1))) == (
        set() if limit else {Reason.ENCAIXE_LIMIT}
    )


def test_a_cancelled_encaixe_comes_back_within_the_limit_only(desk, squeeze):
    first, _second = squeeze(), squeeze(starts_at=desk.at(19))
    act(change_status, desk, first, "cancelled", cancelled_by="patient")
    assert reasons(act, undo, desk, first) == set()
    act(change_status, desk, first, "cancelled", cancelled_by="patient")
    squeeze(starts_at=desk.at(20))

    assert reasons(act, undo, desk, first) == {Reason.ENCAIXE_LIMIT}
    assert reasons(act, undo, desk, first, now=desk.now + timedelta(minutes=2)) == {Reason.ENCAIXE_LIMIT}


def test_it_comes_back_over_its_time_but_not_over_an_absence(desk, squeeze):
    appointment = squeeze()
    act(change_status, desk, appointment, "cancelled", cancelled_by="patient")
    assert act(undo, desk, appointment, now=desk.now + timedelta(minutes=2)).is_encaixe
    act(change_status, desk, appointment, "cancelled", cancelled_by="patient")
    absent(desk)

    assert reasons(act, undo, desk, appointment, now=desk.now + timedelta(minutes=2)) == {Reason.DOCTOR_ABSENT}


def test_what_it_lies_over_is_cancelled_and_comes_back(desk, squeeze):
    squeeze()
    covered = Appointment.objects.get(encaixe_by=None)
    act(change_status, desk, covered, "cancelled", cancelled_by="patient")

    assert reasons(act, undo, desk, covered) == set()


def test_moved_it_becomes_ordinary_and_undone_an_encaixe_again(desk, squeeze, rita):
    appointment = squeeze()
    moved = move(desk, appointment, desk.at(10))
    assert not moved.is_encaixe and history.story(moved)[0].sentence.endswith(", deixa de ser encaixe")

    back = Appointment.objects.get(pk=act(undo, desk, appointment).pk)
    assert (back.starts_at, back.encaixe_by, back.encaixe_reason) == (desk.at(9), rita, "dor")


def test_moved_onto_taken_time_it_must_be_asked_for_again(desk, squeeze, rita):
    appointment = squeeze()
    desk.book(starts_at=desk.at(11), patient=desk.another_patient().pk)

    refusal = refused(move, desk, appointment, desk.at(11))
    assert refusal.reasons == {Reason.DOCTOR_TAKEN} and could_be_encaixe(refusal)
    assert reasons(move, desk, appointment, desk.at(11), encaixe_reason="dor") == {
        Reason.ENCAIXE_NOT_PERMITTED,
        Reason.DOCTOR_TAKEN,
    }
    moved = move(desk, appointment, desk.at(11), encaixe_reason="paciente do dia", by=by(rita))
    assert (moved.encaixe_by, moved.encaixe_reason) == (rita, "paciente do dia")


def test_undoing_the_move_of_an_ordinary_one_needs_its_time_free(desk, squeeze, rita):
    ordinary = desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    move(desk, ordinary, desk.at(9), encaixe_reason="dor", by=by(rita))
    taking = desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    assert reasons(act, undo, desk, ordinary) == {Reason.DOCTOR_TAKEN}
    act(change_status, desk, taking, "cancelled", cancelled_by="clinic")

    assert not act(undo, desk, ordinary).is_encaixe


def test_a_refusal_says_whether_an_encaixe_could_be_asked_for(desk):
    desk.book()
    at = {"taken": {}, "closed hours": {"starts_at": desk.at(19)}, "past": {"starts_at": desk.at(6)}}
    found = {name: could_be_encaixe(refused(desk.book, patient=None, **changes)) for name, changes in at.items()}

    assert found == {"taken": True, "closed hours": True, "past": False}
    absent(desk)
    assert not could_be_encaixe(outcome(book, desk.proposal(starts_at=desk.at(9, 30)), by=BY, now=desk.now))


# --- approved by a manager -------------------------------------------------------------------------------------------


@pytest.fixture
def severino(desk):
    return make_manager(desk.clinic, name="Severino")


def full(desk, squeeze):
    """The doctor's encaixes of Monday are all given, at 19:00 and 20:00."""
    squeeze(starts_at=desk.at(19))
    squeeze(starts_at=desk.at(20))


def test_an_approval_lifts_the_number_a_day(desk, squeeze, rita, severino):
    full(desk, squeeze)
    assert reasons(squeeze) == {Reason.ENCAIXE_LIMIT}
    booked = Appointment.objects.get(pk=squeeze(approved_by=severino.pk).pk)

    assert (booked.encaixe_by, booked.encaixe_approved_by) == (rita, severino)
    assert history.story(booked)[0].sentence.endswith(", como encaixe (dor) aprovado por Severino")


def test_an_approval_lifts_the_missing_permission(desk, squeeze, severino):
    maria = make_user(desk.clinic)
    assert Reason.ENCAIXE_NOT_PERMITTED in reasons(squeeze, by=by(maria))
    booked = squeeze(by=by(maria), approved_by=severino.pk)

    assert (booked.encaixe_by, booked.encaixe_approved_by) == (maria, severino)


def test_an_ordinary_appointment_keeps_no_approval(desk, squeeze, severino):
    assert squeeze(starts_at=desk.at(10), approved_by=severino.pk).encaixe_approved_by is None


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (absent, {Reason.DOCTOR_ABSENT}),
        (closed, {Reason.CLINIC_CLOSED}),
        (lambda desk: {"starts_at": desk.at(9, day=CHRISTMAS)}, {Reason.HOLIDAY}),
        (same_patient, {Reason.PATIENT_ELSEWHERE}),
        (patient_elsewhere, {Reason.PATIENT_ELSEWHERE}),
        (lambda desk: {"encaixe_reason": ""}, {Reason.ENCAIXE_REASON_MISSING}),
        (lambda desk: {"by": BY}, {Reason.ENCAIXE_NOT_PERMITTED, Reason.DOCTOR_TAKEN}),
        (another_clinics_user, {Reason.ENCAIXE_NOT_PERMITTED, Reason.DOCTOR_TAKEN}),
    ],
)
def test_an_approval_lifts_nothing_else(desk, squeeze, severino, spoil, reason):
    desk.clinic.observes_holidays = True
    desk.clinic.save()
    assert reasons(squeeze, **{"approved_by": severino.pk} | spoil(desk)) == reason


def test_an_approval_lifts_no_second_encaixe_at_a_minute(desk, squeeze, severino):
    squeeze()
    assert reasons(squeeze, approved_by=severino.pk) == {Reason.ENCAIXE_TAKEN}


@pytest.mark.parametrize(
    "other",
    [
        lambda clinic: make_user(clinic),
        lambda clinic: make_user(clinic, may_squeeze_in=True),
        lambda clinic: make_manager(clinic, is_active=False),
        lambda clinic: make_manager(make_clinic()),
        lambda clinic: make_superuser(),
    ],
)
def test_only_an_active_manager_of_the_clinic_approves(desk, squeeze, other):
    Doctor.objects.update(encaixes_per_day=0)
    before = stored()
    for approved_by in (other(desk.clinic).pk, 2**40):
        assert Reason.ENCAIXE_NOT_APPROVED in reasons(squeeze, approved_by=approved_by)
    assert stored() | {"Patient": 0} == before | {"Patient": 0}


def test_moved_it_loses_the_approval_and_undone_has_it_again(desk, squeeze, rita, severino):
    full(desk, squeeze)
    appointment = squeeze(approved_by=severino.pk)
    moved = move(desk, appointment, desk.at(10))
    assert (moved.encaixe_by, moved.encaixe_approved_by) == (None, None)

    back = Appointment.objects.get(pk=act(undo, desk, appointment, now=desk.now + timedelta(minutes=2)).pk)
    assert (back.starts_at, back.encaixe_by, back.encaixe_approved_by) == (desk.at(9), rita, severino)


def test_moved_beyond_the_number_a_day_it_is_approved_anew(desk, squeeze, rita, severino):
    full(desk, squeeze)
    ordinary = squeeze(starts_at=desk.at(10))
    wanted = {"starts_at": desk.at(9), "encaixe_reason": "dor", "by": by(rita)}
    assert reasons(move, desk, ordinary, **wanted) == {Reason.ENCAIXE_LIMIT}
    moved = move(desk, ordinary, **wanted, approved_by=severino.pk)

    assert moved.encaixe_approved_by == severino
    assert history.story(moved)[0].sentence.endswith(", como encaixe (dor) aprovado por Severino")
    assert act(undo, desk, ordinary).encaixe_approved_by is None


def test_cancelled_it_comes_back_although_the_day_is_full(desk, squeeze, severino):
    full(desk, squeeze)
    appointment = squeeze(approved_by=severino.pk)
    act(change_status, desk, appointment, "cancelled", cancelled_by="patient")

    assert act(undo, desk, appointment, now=desk.now + timedelta(minutes=2)).encaixe_approved_by == severino
