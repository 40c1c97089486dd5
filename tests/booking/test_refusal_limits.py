"""Where a refusal begins and ends, and its words in cases that are seldom met."""

from datetime import UTC, date, datetime, timedelta

from clinic.booking import book
from clinic.refusals import Reason
from clinic.registry import Policy
from tests.booking.desk import BY, MONDAY, details, refused
from tests.factories import cpf, make_discount


def test_hours_of_a_day_off_are_described_in_words(desk):
    saturday = desk.at(9, day=date(2026, 11, 28))

    [refusal] = refused(desk.book, starts_at=saturday).refusals

    assert refusal.message == "A Dra. Helena Prado não atende nesse horário: não trabalha nesse dia."


def test_phone_refusal_in_portugal_has_a_portuguese_example(desk):
    desk.clinic.country = "PT"

    [refusal] = refused(desk.book, details=details(phone="")).refusals

    assert refusal.message == "Informe um telefone com DDD, por exemplo 912 345 678."


def test_discount_is_valid_through_its_last_day_of_appointment(desk):
    discount = make_discount(desk.clinic, expires_on=MONDAY)
    tuesday = desk.at(9, day=MONDAY + timedelta(days=1))

    assert refused(desk.book, discount=discount.pk, starts_at=tuesday).reasons == {Reason.DISCOUNT_EXPIRED}
    desk.book(discount=discount.pk)


def test_the_lenient_policy_still_refuses_what_is_no_cpf_at_all(desk):
    proposal = desk.proposal(details=details(cpf="12"), policy=Policy.LENIENT)

    assert refused(book, proposal, by=BY, now=desk.now).reasons == {Reason.CPF_SHAPE}


def test_a_cpf_of_eleven_equal_digits_is_invalid(desk):
    assert refused(desk.book, details=details(cpf="111.111.111-11")).reasons == {Reason.CPF_INVALID}


def test_a_cpf_counts_with_and_without_punctuation(desk):
    digits = cpf(400_000_001)
    written = f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"

    assert desk.book(details=details(cpf=written)).patient.cpf == digits


def test_the_birth_date_may_be_anything_from_1900_to_yesterday(desk):
    for hour, born in ((9, date(1900, 1, 1)), (10, MONDAY - timedelta(days=1))):
        assert desk.book(details=details(birth_date=born), starts_at=desk.at(hour)).patient.birth_date == born

    too_early = details(birth_date=date(1899, 12, 31))
    assert refused(desk.book, details=too_early, starts_at=desk.at(11)).reasons == {Reason.BIRTH_DATE_IMPOSSIBLE}


def test_a_booking_at_the_ends_of_the_calendar_is_refused_by_date(desk):
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    assert refused(desk.book, starts_at=first).reasons == {Reason.DATE_PAST}
    assert refused(desk.book, starts_at=last).reasons == {Reason.DATE_TOO_FAR}
    assert refused(desk.book, starts_at=desk.at(9), ends_at=last).reasons == {Reason.TOO_LONG}
