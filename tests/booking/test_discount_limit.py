"""What a receptionist may take off a price is limited by a switch on the staff row; nobody else has a limit."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from clinic.booking import (
    Author,
    LineRequest,
    LinesWish,
    book,
    book_series,
    change_procedures,
    check,
    check_series,
    reschedule,
)
from clinic.models import AppliedDiscount, AppointmentEvent
from clinic.refusals import Reason
from clinic.schedule import Recurrence
from tests.booking.desk import BY, MONDAY, refused
from tests.factories import make_discount, make_manager, make_master, make_procedure, make_user

pytestmark = pytest.mark.django_db


def by(user, channel=AppointmentEvent.Channel.BROWSER):
    return Author(channel=channel, user=user)


@pytest.fixture
def rita(desk):
    desk.procedure.price = Decimal(200)
    desk.procedure.save()
    return make_user(desk.clinic, name="Rita", max_discount_percent=10)


def percent(desk, number):
    return make_discount(desk.clinic, percentage=Decimal(number), fixed=None).pk


def test_up_to_the_limit_and_no_further(desk, rita):
    desk.book(by=by(rita), discount=percent(desk, 10))
    far = desk.proposal(discount=percent(desk, "10.01"), starts_at=desk.at(11))
    [refusal] = refused(book, far, by=by(rita), now=desk.now).refusals
    assert refusal.reason == Reason.DISCOUNT_ABOVE_LIMIT
    assert refusal.message.replace("\xa0", " ") == (
        "Seu limite de desconto é de 10%, R$ 20,00; este dá R$ 20,02. Escolha outro, ou peça à gestão."
    )
    assert check(far, by=by(rita), now=desk.now).reasons == {Reason.DISCOUNT_ABOVE_LIMIT}
    assert check(far, now=desk.now) is None


def test_the_limit_is_of_all_prices_together(desk, rita):
    dear = make_procedure(desk.clinic, price=Decimal(1000), duration_minutes=10)
    desk.doctor.procedures.add(dear)
    lines = (LineRequest(desk.procedure.pk, percent(desk, 50)), LineRequest(dear.pk))
    assert desk.book(by=by(rita), lines=lines)
    whole = percent(desk, 20)
    assert refused(desk.book, by=by(rita), lines=lines, discount=whole, starts_at=desk.at(11)).reasons == {
        Reason.DISCOUNT_ABOVE_LIMIT
    }


def test_zero_allows_none_and_empty_any(desk, rita):
    rita.max_discount_percent = 0
    one = percent(desk, 1)
    assert refused(desk.book, by=by(rita), discount=one).reasons == {Reason.DISCOUNT_ABOVE_LIMIT}
    rita.max_discount_percent = None
    assert desk.book(by=by(rita), discount=percent(desk, 100))


@pytest.mark.parametrize("make", [make_manager, make_master])
def test_managers_have_no_limit(desk, rita, make):
    boss = make(desk.clinic, max_discount_percent=0)
    assert desk.book(by=by(boss), discount=percent(desk, 50))


def test_programs_have_no_limit(desk, rita):
    assert desk.book(by=BY, discount=percent(desk, 50))
    api = by(rita, AppointmentEvent.Channel.IMAGEMAIS)
    assert desk.book(by=api, discount=percent(desk, 50), starts_at=desk.at(11), patient=desk.another_patient().pk)


def test_altering_keeps_what_a_manager_gave(desk, rita):
    half = percent(desk, 50)
    appointment = desk.book(by=by(make_manager(desk.clinic)), discount=half)
    cheap = make_procedure(desk.clinic, price=Decimal(0), duration_minutes=5)
    desk.doctor.procedures.add(cheap)
    both = (LineRequest(desk.procedure.pk), LineRequest(cheap.pk))
    act = {"clinic": desk.clinic, "by": by(rita), "now": desk.now}
    change_procedures(appointment.pk, lines=both, discount=half, **act)
    more = percent(desk, 60)
    assert refused(change_procedures, appointment.pk, lines=both, discount=more, **act).reasons == {
        Reason.DISCOUNT_ABOVE_LIMIT
    }
    there = {"doctor": desk.doctor.pk, "starts_at": desk.at(11)}
    wish = LinesWish(both, more, None, None)
    assert refused(reschedule, appointment.pk, lines=wish, **there, **act).reasons == {Reason.DISCOUNT_ABOVE_LIMIT}
    assert reschedule(appointment.pk, **there, **act).starts_at == desk.at(11)


def test_the_allowed_percentage_is_allowed_on_every_line(desk, rita):
    """10% of two lines of 79.95 is twice 8.00, more than 10% of their sum to the cent."""
    desk.procedure.price = Decimal("79.95")
    desk.procedure.save()
    lines = (LineRequest(desk.procedure.pk), LineRequest(desk.procedure.pk))
    ten = percent(desk, 10)
    appointment = desk.book(by=by(rita), lines=lines, discount=ten)
    given = AppliedDiscount.objects.filter(line__appointment=appointment).values_list("value", flat=True)
    assert sum(given) == Decimal("16.00")


def test_what_was_given_on_a_line_goes_with_it(desk, rita):
    half = percent(desk, 50)
    appointment = desk.book(by=by(make_manager(desk.clinic)), discount=half)
    other = make_procedure(desk.clinic, price=Decimal(200), duration_minutes=10)
    desk.doctor.procedures.add(other)
    act = {"clinic": desk.clinic, "by": by(rita), "now": desk.now}
    lines = (LineRequest(other.pk),)
    refusal = refused(change_procedures, appointment.pk, lines=lines, discount=half, **act)
    assert refusal.reasons == {Reason.DISCOUNT_ABOVE_LIMIT}


def test_repeating_a_visit_repeats_what_a_manager_gave(desk, rita):
    appointment = desk.book(by=by(make_manager(desk.clinic)), discount=percent(desk, 50))
    desk.procedure.price = Decimal(300)
    desk.procedure.save()
    starts = [desk.at(9, day=MONDAY + timedelta(weeks=week)) for week in (1, 2)]
    assert all(row.is_free for row in check_series(appointment, starts, now=desk.now))
    rule = Recurrence(every=1, weekdays=frozenset({1}), count=2)
    act = {"clinic": desk.clinic, "key": uuid4(), "by": by(rita), "now": desk.now}
    assert book_series(appointment.pk, starts, rule, **act).sessions.count() == 3
