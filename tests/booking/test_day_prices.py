"""The price of the day, offered after another payer or another date: taken by a person, never by itself."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from clinic.booking import (
    Author,
    LineRequest,
    PayerWish,
    change_payer,
    change_status,
    price_offer,
    reschedule,
    take_day_prices,
    undo,
    undoable,
)
from clinic.models import Appointment, AppointmentEvent, ProcedurePrice
from clinic.queries import history
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, open_desk, reasons
from tests.factories import make_discount, make_payer, make_procedure, make_user

pytestmark = pytest.mark.django_db
JANUARY = date(2027, 1, 4)


@pytest.fixture
def desk():
    desk = open_desk()
    desk.procedure.price = Decimal("200.00")
    desk.procedure.save()
    return desk


@pytest.fixture
def unimed(desk):
    payer = make_payer(desk.clinic, name="Unimed")
    priced(desk, "80.00", payer=payer)
    return payer


def priced(desk, price, *, payer=None, first=MONDAY):
    fields = {"clinic": desk.clinic, "procedure": desk.procedure, "payer": payer}
    ProcedurePrice.objects.create(price=price, valid_from=first, **fields)


def changed_to(desk, payer, visit):
    return change_payer(visit.pk, clinic=desk.clinic, wish=PayerWish(payer), by=BY, now=desk.now)


def offered(visit):
    visit = Appointment.objects.select_related("clinic", "doctor", "patient").get(pk=visit.pk)
    return price_offer(visit, undoable(visit), BY)


def taken(desk, visit, total, by=BY, after=None):
    """Take it after the event `after`, the last one without it."""
    seen = {"shown_total": Decimal(total), "seen_event": (after or undoable(visit)).pk}
    return take_day_prices(visit.pk, clinic=desk.clinic, **seen, by=by, now=desk.now)


def price(visit):
    return visit.lines.get().price


def test_the_plans_price_is_offered_and_taken(desk, unimed):
    visit = desk.book()
    assert offered(visit) is None
    changed_to(desk, unimed.pk, visit)
    assert offered(visit) == (Decimal("200.00"), Decimal("80.00"))
    assert price(visit) == Decimal("200.00")
    taken(desk, visit, "80.00")
    assert price(visit) == Decimal("80.00") and offered(visit) is None
    said = history.last_sentence(Appointment.objects.get(pk=visit.pk)).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Preço alterado: Consulta de R$ 200,00 para R$ 80,00."


def test_taking_it_twice_writes_one_event(desk, unimed):
    visit = desk.book()
    changed_to(desk, unimed.pk, visit)
    seen = undoable(visit)
    taken(desk, visit, "80.00", after=seen)
    taken(desk, visit, "80.00", after=seen)
    assert AppointmentEvent.objects.filter(appointment=visit, kind="procedures").count() == 1


def test_it_is_undone_like_other_changes(desk, unimed):
    visit = desk.book()
    changed_to(desk, unimed.pk, visit)
    taken(desk, visit, "80.00")
    undo(visit.pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert price(visit) == Decimal("200.00") and offered(visit) is None


def test_another_total_than_the_one_seen_is_refused(desk, unimed):
    visit = desk.book()
    changed_to(desk, unimed.pk, visit)
    priced(desk, "95.00", payer=unimed, first=MONDAY - timedelta(days=1))
    ProcedurePrice.objects.filter(price="80.00").update(price="90.00")
    assert reasons(taken, desk, visit, "80.00") == {Reason.TOTAL_CHANGED}
    assert price(visit) == Decimal("200.00")


def test_a_move_into_another_validity_offers_its_price(desk):
    priced(desk, "216.00", first=date(2027, 1, 1))
    visit = desk.book()
    same = {"clinic": desk.clinic, "doctor": desk.doctor.pk, "by": BY, "now": desk.now}
    reschedule(visit.pk, starts_at=desk.at(10), **same)
    assert offered(visit) is None
    reschedule(visit.pk, starts_at=desk.at(10, day=JANUARY), **same)
    assert offered(visit) == (Decimal("200.00"), Decimal("216.00"))
    taken(desk, visit, "216.00")
    assert price(visit) == Decimal("216.00")
    undo(visit.pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert price(visit) == Decimal("200.00")


def test_where_neither_payer_nor_date_changes_none_is_offered(desk, unimed):
    visit = desk.book()
    changed_to(desk, unimed.pk, visit)
    wish = PayerWish(unimed.pk, authorization_number="17")
    change_payer(visit.pk, clinic=desk.clinic, wish=wish, by=BY, now=desk.now)
    assert undoable(visit).kind == "payer" and offered(visit) is None
    same = {"clinic": desk.clinic, "doctor": desk.doctor.pk, "by": BY, "now": desk.now}
    reschedule(visit.pk, starts_at=desk.at(10), **same)
    assert offered(visit) is None
    reschedule(visit.pk, starts_at=desk.at(10, day=MONDAY + timedelta(days=1)), **same)
    assert offered(visit) == (Decimal("200.00"), Decimal("80.00"))


def test_after_another_act_it_is_taken_no_more(desk, unimed):
    visit = desk.book()
    changed_to(desk, unimed.pk, visit)
    seen = undoable(visit)
    change_status(visit.pk, "confirmed", clinic=desk.clinic, by=BY, now=desk.now)
    assert reasons(taken, desk, visit, "80.00", after=seen) == {Reason.CHANGED_MEANWHILE}
    assert price(visit) == Decimal("200.00")


def test_what_a_manager_gave_is_above_no_limit(desk, unimed):
    half = make_discount(desk.clinic, name="Metade", percentage=Decimal(50), fixed=None)
    visit = desk.book(lines=(LineRequest(desk.procedure.pk, half.pk),))
    ProcedurePrice.objects.update(price="300.00")
    changed_to(desk, unimed.pk, visit)
    rita = Author(channel="browser", user=make_user(desk.clinic, max_discount_percent=10))
    taken(desk, visit, "150.00", by=rita)
    assert price(visit) == Decimal("300.00")


def test_discounts_are_computed_on_the_new_price(desk, unimed):
    twenty = make_discount(desk.clinic, name="Amigo")
    visit = desk.book(lines=(LineRequest(desk.procedure.pk, twenty.pk),))
    changed_to(desk, unimed.pk, visit)
    assert offered(visit) == (Decimal("160.00"), Decimal("64.00"))
    taken(desk, visit, "64.00")
    line = visit.lines.get()
    assert (line.price, line.discounts.get().value) == (Decimal("80.00"), Decimal("16.00"))


def test_a_procedure_no_longer_offered_keeps_its_price(desk, unimed):
    other = make_procedure(desk.clinic, name="ECG", price="95.00")
    desk.doctor.procedures.add(other)
    visit = desk.book(lines=(LineRequest(desk.procedure.pk), LineRequest(other.pk)))
    ProcedurePrice.objects.create(clinic=desk.clinic, procedure=other, payer=unimed, price="10.00", valid_from=MONDAY)
    other.active = False
    other.save()
    changed_to(desk, unimed.pk, visit)
    assert offered(visit) == (Decimal("295.00"), Decimal("175.00"))


@pytest.mark.parametrize("status", ["cancelled", "confirmed"])
def test_after_another_act_nothing_is_offered(desk, unimed, status):
    visit = desk.book()
    changed_to(desk, unimed.pk, visit)
    more = {"cancelled_by": "patient"} if status == "cancelled" else {}
    change_status(visit.pk, status, clinic=desk.clinic, by=BY, now=desk.now, **more)
    assert offered(visit) is None


@pytest.mark.parametrize(("days", "of_day"), [(10, None), (40, Decimal("200.00"))])
def test_a_return_stays_free_within_its_days(desk, days, of_day):
    desk.procedure.return_days = 30
    desk.procedure.save()
    first = desk.book(starts_at=desk.at(9))
    visit = desk.book(starts_at=desk.at(10, day=MONDAY + timedelta(days=1)))
    visit.lines.update(price=0)
    Appointment.objects.filter(pk=first.pk).update(status="finished")
    day = MONDAY + timedelta(days=7 if days == 10 else 42)
    same = {"clinic": desk.clinic, "doctor": desk.doctor.pk, "by": BY, "now": desk.now}
    reschedule(visit.pk, starts_at=desk.at(10, day=day), **same)
    assert offered(visit) == (None if of_day is None else (0, of_day))
