"""Changing procedures, discounts and length of a standing appointment, and undoing that."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.booking import Author, LineRequest, change_procedures, contents, undo, undo_verb, undoable
from clinic.models import Absence, Appointment, AppointmentEvent, Discount, Procedure
from clinic.queries import history
from clinic.refusals import Reason
from tests.booking.desk import BY, outcome, reasons
from tests.booking.test_statuses import appointment_in, change
from tests.factories import make_discount, make_manager, make_procedure, make_user


@pytest.fixture
def ecg(desk):
    procedure = make_procedure(desk.clinic, name="ECG", price=Decimal(95), duration_minutes=20)
    desk.doctor.procedures.add(procedure)
    return procedure


def altered(desk, appointment, *procedures, by=BY, now=None, **changes):
    lines = changes.pop("lines", tuple(LineRequest(procedure.pk) for procedure in procedures))
    changes = {"clinic": desk.clinic, "by": by, "now": now or desk.now} | changes
    return change_procedures(appointment.pk, lines=lines, **changes)


def kept(appointment):
    return [(line.procedure_name, line.price, line.total) for line in appointment.lines.all()]


def story(appointment):
    return history.story(Appointment.objects.select_related("clinic").get(pk=appointment.pk))[0].sentence


def test_added_procedure_has_its_price_and_the_event_says_so(desk, ecg):
    appointment = desk.book()

    altered(desk, appointment, desk.procedure, ecg, ends_at=desk.at(9, 50))

    stored = Appointment.objects.get(pk=appointment.pk)
    assert (stored.starts_at, stored.ends_at, stored.status) == (desk.at(9), desk.at(9, 50), "scheduled")
    assert kept(stored) == [("Consulta", desk.procedure.price, desk.procedure.price), ("ECG", 95, 95)]
    event = stored.events.last()
    assert (event.kind, event.after["lines"][1]["procedure"]) == ("procedures", "ECG")
    assert story(stored) == "Procedimentos alterados: + ECG (R$\xa095,00), fim de 09:30 para 09:50"


def test_kept_line_has_name_and_price_as_booked(desk, ecg):
    appointment = desk.book()
    booked = desk.procedure.price
    Procedure.objects.filter(pk=desk.procedure.pk).update(price=999, name="Consulta nova", active=False)

    altered(desk, appointment, ecg, desk.procedure)

    assert kept(appointment) == [("Consulta", booked, booked), ("ECG", 95, 95)]


def test_discounts_are_computed_now_on_the_prices_as_booked(desk, ecg):
    appointment = desk.book(lines=(LineRequest(ecg.pk),))
    ten = make_discount(desk.clinic, name="Dez", percentage=Decimal(10), fixed=None)
    Procedure.objects.filter(pk=ecg.pk).update(price=200)

    altered(desk, appointment, ecg, discount=ten.pk)

    assert kept(appointment) == [("ECG", 95, Decimal("85.50"))]
    assert story(appointment) == "Alterado: total de R$\xa095,00 para R$\xa085,50"


def test_what_is_there_already_writes_nothing(desk, ecg):
    appointment = desk.book()
    seen = contents(appointment)
    for _press in range(2):
        altered(desk, appointment, desk.procedure, ecg, ends_at=desk.at(9, 50), seen=seen)

    assert appointment.events.count() == 2


def test_a_change_of_what_was_changed_since_is_refused(desk, ecg):
    appointment = desk.book()
    seen = contents(appointment)
    altered(desk, appointment, desk.procedure, ecg)

    assert reasons(altered, desk, appointment, ecg, seen=seen) == {Reason.CHANGED_MEANWHILE}
    assert len(kept(appointment)) == 2


def test_a_change_is_refused_by_each_rule_of_a_booking(desk, ecg):
    appointment = desk.book()
    desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    other = make_procedure(desk.clinic)
    gone = make_procedure(desk.clinic, active=False)
    desk.doctor.procedures.add(gone)
    foreign = make_procedure()
    expired = make_discount(desk.clinic, expires_on=desk.now.date() - timedelta(days=1))
    both = desk.procedure, ecg

    for wanted, procedures, changes in (
        ({Reason.PROCEDURES_MISSING}, (), {}),
        ({Reason.PROCEDURES_TOO_MANY}, [ecg] * 21, {}),
        ({Reason.PROCEDURE_NOT_OFFERED}, (desk.procedure, other), {}),
        ({Reason.PROCEDURE_UNKNOWN}, (desk.procedure, gone), {}),
        ({Reason.PROCEDURE_UNKNOWN}, (desk.procedure, foreign), {}),
        ({Reason.DISCOUNT_EXPIRED}, both, {"discount": expired.pk}),
        ({Reason.DISCOUNT_UNKNOWN}, both, {"discount": make_discount().pk}),
        ({Reason.TOTAL_CHANGED}, both, {"shown_total": Decimal(1)}),
        ({Reason.END_NOT_AFTER_START}, both, {"ends_at": desk.at(9)}),
        ({Reason.TOO_LONG}, both, {"ends_at": desk.at(22)}),
        ({Reason.TIME_HAS_SECONDS}, both, {"ends_at": desk.at(9, 50) + timedelta(seconds=1)}),
        ({Reason.DOCTOR_TAKEN}, both, {"ends_at": desk.at(10, 5)}),
    ):
        assert reasons(altered, desk, appointment, *procedures, **changes) == wanted
    assert appointment.events.count() == 1
    assert reasons(altered, desk, appointment, *[ecg] * 20) == set()


def test_hours_and_absences_count_only_for_a_later_end(desk, ecg):
    appointment = desk.book(ends_at=desk.at(9, 40))
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=desk.at(8), ends_at=desk.at(12), reason="plantão"
    )

    later = reasons(altered, desk, appointment, ecg, ends_at=desk.at(9, 50))
    assert later == {Reason.DOCTOR_ABSENT}
    assert altered(desk, appointment, ecg, ends_at=desk.at(9, 30)).ends_at == desk.at(9, 30)


def test_nothing_is_added_for_a_doctor_who_left(desk, ecg):
    appointment = desk.book(lines=(LineRequest(desk.procedure.pk), LineRequest(ecg.pk)))
    desk.doctor.active = False
    desk.doctor.save()

    assert reasons(altered, desk, appointment, desk.procedure, ecg, ecg) == {Reason.DOCTOR_UNKNOWN}
    assert reasons(altered, desk, appointment, ecg) == set()


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("scheduled", set()),
        ("confirmed", set()),
        ("checked_in", set()),
        ("in_service", set()),
        ("finished", {Reason.FINISHED_FOR_MANAGERS}),
        ("rescheduled", set()),
        ("no_show", {Reason.NOT_CHANGEABLE}),
        ("cancelled", {Reason.NOT_CHANGEABLE}),
    ],
)
def test_the_status_decides_whether_procedures_can_be_changed(desk, ecg, status, wanted):
    appointment = appointment_in(desk, status)

    assert reasons(altered, desk, appointment, ecg, now=desk.at(9, 10)) == wanted


def test_a_manager_changes_a_finished_appointment(desk, ecg):
    appointment = appointment_in(desk, "finished")
    manager = Author(AppointmentEvent.Channel.BROWSER, make_manager(desk.clinic))

    altered(desk, appointment, ecg, by=manager, now=desk.at(9, 10))

    assert kept(appointment) == [("ECG", 95, 95)]
    assert reasons(undo, appointment.pk, clinic=desk.clinic, by=BY) == {Reason.FINISHED_FOR_MANAGERS}


def test_undo_brings_back_lines_discounts_and_end(desk, ecg):
    ten = make_discount(desk.clinic, name="Dez", percentage=Decimal(10), fixed=None)
    appointment = desk.book(discount=ten.pk)
    before, lines = contents(appointment), kept(appointment)
    altered(desk, appointment, ecg, ends_at=desk.at(9, 50))
    assert undo_verb(undoable(appointment)) == "Desfazer alteração"

    undo(appointment.pk, clinic=desk.clinic, by=BY, now=desk.now)

    stored = Appointment.objects.get(pk=appointment.pk)
    assert (contents(stored), kept(stored)) == (before, lines)
    assert story(stored).endswith("(desfeito)")
    assert undoable(stored) is None


def test_undo_of_a_shorter_end_is_refused_once_taken(desk):
    appointment = desk.book(ends_at=desk.at(10))
    altered(desk, appointment, desk.procedure, ends_at=desk.at(9, 30))
    desk.book(starts_at=desk.at(9, 30), patient=desk.another_patient().pk)

    assert reasons(undo, appointment.pk, clinic=desk.clinic, by=BY, now=desk.now) == {Reason.DOCTOR_TAKEN}


def test_undo_says_which_discount_and_procedure_no_longer_exist(desk, ecg):
    ten = make_discount(desk.clinic, name="Dez", percentage=Decimal(10), fixed=None)
    appointment = desk.book(discount=ten.pk)
    altered(desk, appointment, desk.procedure, ecg)
    Discount.objects.filter(pk=ten.pk).delete()

    undo(appointment.pk, clinic=desk.clinic, by=BY, now=desk.now)

    assert "Dez" in history.left_out(appointment)
    altered(desk, appointment, ecg)
    desk.doctor.procedures.remove(desk.procedure)
    Procedure.objects.filter(pk=desk.procedure.pk).delete()
    assert reasons(undo, appointment.pk, clinic=desk.clinic, by=BY, now=desk.now) == {Reason.PROCEDURE_UNKNOWN}


def test_a_change_after_the_visit_began_is_possible(desk, ecg):
    appointment = change(desk, appointment_in(desk, "checked_in"), "in_service")

    grown = outcome(altered, desk, appointment, desk.procedure, ecg, ends_at=desk.at(9, 50), now=desk.at(9, 20))

    assert grown.ends_at == desk.at(9, 50)


def test_twenty_procedures_take_as_many_statements_as_two(desk, ecg):
    ten = make_discount(desk.clinic, name="Dez", percentage=Decimal(10), fixed=None)
    counts = []
    for number, hour in ((2, 9), (20, 14)):
        appointment = desk.book(starts_at=desk.at(hour))
        with CaptureQueriesContext(connection) as statements:
            altered(desk, appointment, *[ecg] * number, discount=ten.pk)
            undo(appointment.pk, clinic=desk.clinic, by=BY, now=desk.now)
        counts.append(len(statements))

    assert counts[0] == counts[1] > 0


def test_added_discount_of_a_kept_line_replaces_the_one_before(desk, ecg):
    ten = make_discount(desk.clinic, name="Dez", percentage=Decimal(10), fixed=None)
    five = make_discount(desk.clinic, name="Cinco", percentage=Decimal(5), fixed=None)
    appointment = desk.book(lines=(LineRequest(ecg.pk, ten.pk),))

    altered(desk, appointment, lines=(LineRequest(ecg.pk, five.pk),))

    assert [applied.discount for applied in appointment.lines.get().discounts.all()] == [five]
    assert kept(appointment) == [("ECG", 95, Decimal("90.25"))]


def test_of_equal_procedures_the_one_with_its_discount_is_kept(desk, ecg):
    ten = make_discount(desk.clinic, name="Dez", percentage=Decimal(10))
    appointment = desk.book(lines=(LineRequest(ecg.pk),))
    Procedure.objects.filter(pk=ecg.pk).update(price=100)
    altered(desk, appointment, lines=(LineRequest(ecg.pk), LineRequest(ecg.pk, ten.pk)))
    assert kept(appointment) == [("ECG", 95, 95), ("ECG", 100, 90)]

    altered(desk, appointment, lines=(LineRequest(ecg.pk, ten.pk),))

    assert kept(appointment) == [("ECG", 100, 90)]


def test_an_expired_discount_stays_where_only_the_end_changes(desk):
    ten = make_discount(desk.clinic, percentage=Decimal(10))
    appointment = desk.book(discount=ten.pk)
    Discount.objects.filter(pk=ten.pk).update(expires_on=desk.now.date() - timedelta(days=1))

    altered(desk, appointment, desk.procedure, discount=ten.pk, ends_at=desk.at(9, 40))
    assert appointment.events.count() == 2
    assert reasons(altered, desk, appointment, desk.procedure, desk.procedure, discount=ten.pk) == {
        Reason.DISCOUNT_EXPIRED
    }


def test_nothing_is_added_for_a_patient_who_died(desk, ecg):
    appointment = desk.book()
    desk.patient.died = True
    desk.patient.save()

    assert reasons(altered, desk, appointment, desk.procedure, ecg) == {Reason.PATIENT_DIED}


def test_a_longer_encaixe_takes_the_permission_for_one(desk):
    desk.book(starts_at=desk.at(9))
    rita = Author(AppointmentEvent.Channel.BROWSER, make_user(desk.clinic, may_squeeze_in=True))
    other = desk.another_patient().pk
    squeezed = desk.book(starts_at=desk.at(9), patient=other, encaixe_reason="dor", by=rita)
    assert squeezed.is_encaixe
    without = Author(AppointmentEvent.Channel.BROWSER, make_user(desk.clinic))

    longer = {"ends_at": desk.at(11)}
    assert reasons(altered, desk, squeezed, desk.procedure, by=without, **longer) == {Reason.ENCAIXE_NOT_PERMITTED}
    assert altered(desk, squeezed, desk.procedure, by=without, ends_at=desk.at(9, 20)).ends_at == desk.at(9, 20)
    assert altered(desk, squeezed, desk.procedure, by=rita, **longer).ends_at == desk.at(11)
