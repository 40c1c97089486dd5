"""An appointment is moved and gets other procedures in one act, under one event."""

from decimal import Decimal

import pytest

from clinic.booking import (
    LineRequest,
    LinesWish,
    change_procedures,
    check_reschedule,
    contents,
    reschedule,
    undo,
    undo_verb,
    undoable,
)
from clinic.models import Appointment, Procedure
from clinic.queries import history
from clinic.refusals import Reason
from tests.booking.desk import BY, reasons
from tests.factories import make_discount, make_procedure


@pytest.fixture
def ecg(desk):
    return make_procedure(desk.clinic, name="ECG", price=Decimal(95), duration_minutes=20)


@pytest.fixture
def colleague(desk, ecg):
    return desk.another_doctor(name="Dr. Rui", procedures=[ecg])


def moved(desk, appointment, doctor, *procedures, at=11, **wish):
    lines = LinesWish(tuple(LineRequest(procedure.pk) for procedure in procedures), **wish)
    place = {"doctor": doctor.pk, "starts_at": desk.at(at), "ends_at": desk.at(at, 20)}
    return reschedule(appointment.pk, clinic=desk.clinic, lines=lines, by=BY, now=desk.now, **place)


def names(appointment):
    return [line.procedure_name for line in appointment.lines.all()]


def story(appointment):
    return history.story(Appointment.objects.select_related("clinic").get(pk=appointment.pk))[0].sentence


def test_a_colleague_who_performs_only_another_procedure_takes_over(desk, colleague, ecg):
    appointment = desk.book()

    moved(desk, appointment, colleague, ecg)

    stored = Appointment.objects.get(pk=appointment.pk)
    assert (stored.doctor, stored.starts_at, stored.ends_at) == (colleague, desk.at(11), desk.at(11, 20))
    assert (stored.status, names(stored)) == ("rescheduled", ["ECG"])
    assert stored.events.count() == 2
    assert story(stored) == (
        "Remarcado de 23/11/2026 09:00 com a Dra. Helena Prado para 23/11/2026 11:00 com o Dr. Rui, "
        "+ ECG (R$\xa095,00), − Consulta (R$\xa0252,00)"
    )


def test_undo_takes_the_move_and_the_procedures_back(desk, colleague, ecg):
    ten = make_discount(desk.clinic, name="Dez", percentage=Decimal(10))
    appointment = desk.book(discount=ten.pk)
    before, total = contents(appointment), sum(line.total for line in appointment.lines.all())
    moved(desk, appointment, colleague, ecg)
    assert undo_verb(undoable(appointment)) == "Desfazer remarcação"

    undo(appointment.pk, clinic=desk.clinic, by=BY, now=desk.now)

    stored = Appointment.objects.get(pk=appointment.pk)
    assert (contents(stored), stored.status) == (before, "scheduled")
    assert sum(line.total for line in stored.lines.all()) == total
    assert story(stored).endswith("− ECG (R$\xa095,00), total de R$\xa095,00 para R$\xa0226,80")
    assert undoable(stored) is None


def test_a_kept_procedure_costs_as_booked_and_must_be_performed(desk, colleague, ecg):
    appointment = desk.book()
    Procedure.objects.filter(pk=desk.procedure.pk).update(price=999, active=False)

    assert reasons(moved, desk, appointment, colleague, desk.procedure, ecg) == {Reason.PROCEDURE_NOT_OFFERED}
    colleague.procedures.add(desk.procedure)
    moved(desk, appointment, colleague, ecg, desk.procedure)

    assert [(line.procedure_name, line.price) for line in appointment.lines.all()] == [("Consulta", 252), ("ECG", 95)]


def test_unchanged_procedures_leave_an_ordinary_move(desk):
    appointment = desk.book()
    moved(desk, appointment, desk.doctor, desk.procedure)
    event = appointment.events.last()
    assert "lines" not in event.after and "−" not in story(appointment)


def test_each_rule_of_booking_and_moving_is_asked(desk, colleague, ecg):
    appointment = desk.book()
    gone = make_procedure(desk.clinic, active=False)
    colleague.procedures.add(gone)
    foreign = make_procedure()

    for wanted, procedures, wish in (
        ({Reason.PROCEDURES_MISSING}, (), {}),
        ({Reason.PROCEDURES_TOO_MANY}, [ecg] * 21, {}),
        ({Reason.PROCEDURE_NOT_OFFERED}, [desk.procedure], {}),
        ({Reason.PROCEDURE_UNKNOWN}, [gone], {}),
        ({Reason.PROCEDURE_UNKNOWN}, [foreign], {}),
        ({Reason.DISCOUNT_UNKNOWN}, [ecg], {"discount": make_discount().pk}),
        ({Reason.TOTAL_CHANGED}, [ecg], {"shown_total": Decimal(1)}),
        ({Reason.OUTSIDE_HOURS}, [ecg], {"at": 22}),
    ):
        assert reasons(moved, desk, appointment, colleague, *procedures, **wish) == wanted
    assert (appointment.events.count(), names(appointment)) == (1, ["Consulta"])
    lines = LinesWish((LineRequest(desk.procedure.pk),))
    place = {"doctor": colleague.pk, "starts_at": desk.at(11), "lines": lines}
    refused = check_reschedule(appointment.pk, clinic=desk.clinic, now=desk.now, **place)
    assert refused.reasons == {Reason.PROCEDURE_NOT_OFFERED}


def test_undo_is_refused_once_a_procedure_is_deleted(desk, colleague, ecg):
    appointment = desk.book()
    moved(desk, appointment, colleague, ecg)
    desk.doctor.procedures.remove(desk.procedure)
    Procedure.objects.filter(pk=desk.procedure.pk).delete()

    assert reasons(undo, appointment.pk, clinic=desk.clinic, by=BY, now=desk.now) == {Reason.PROCEDURE_UNKNOWN}
    assert names(appointment) == ["ECG"]


def test_procedures_that_were_changed_meanwhile_are_not_replaced(desk, colleague, ecg):
    appointment = desk.book()
    seen = contents(appointment)
    desk.doctor.procedures.add(ecg)
    both = (LineRequest(desk.procedure.pk), LineRequest(ecg.pk))
    change_procedures(appointment.pk, clinic=desk.clinic, lines=both, by=BY, now=desk.now)

    assert reasons(moved, desk, appointment, colleague, ecg, seen=seen) == {Reason.CHANGED_MEANWHILE}
    assert names(appointment) == ["Consulta", "ECG"]
    moved(desk, appointment, colleague, ecg, seen=contents(appointment))


def test_other_procedures_at_the_same_time_are_no_move(desk, ecg):
    desk.doctor.procedures.add(ecg)
    appointment = desk.book()
    assert reasons(moved, desk, appointment, desk.doctor, ecg, at=9) == {Reason.NOTHING_CHANGED}
