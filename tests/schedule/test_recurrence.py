"""The dates of what is repeated, whatever is asked for."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.schedule import MAX_DATES, MAX_INTERVAL, Recurrence, dates_after, period_of

MONDAY = date(2026, 11, 23)
BOOKABLE = MONDAY, MONDAY + timedelta(days=730)

days = st.dates(date(2026, 11, 23), date(2028, 3, 1))
weekdays = st.frozensets(st.integers(1, 7))
rules = st.builds(
    Recurrence,
    every=st.integers(1, MAX_INTERVAL),
    weekdays=weekdays,
    count=st.none() | st.integers(0, MAX_DATES + 5),
    until=st.none() | days,
)


def dates(first, *, bookable=BOOKABLE, **rule):
    return dates_after(first, Recurrence(**{"every": 1} | rule), bookable)


def in_words(found):
    return [f"{day:%d/%m/%y}" for day in found.dates]


def test_every_week_on_the_weekday_of_the_first():
    assert in_words(dates(MONDAY, weekdays=frozenset({1}), count=3)) == ["30/11/26", "07/12/26", "14/12/26"]


def test_several_weekdays_begin_in_the_week_of_the_first():
    found = dates(MONDAY, weekdays=frozenset({1, 3, 5}), count=4)
    assert in_words(found) == ["25/11/26", "27/11/26", "30/11/26", "02/12/26"]


def test_every_second_week_skips_the_weeks_between():
    found = dates(MONDAY + timedelta(days=3), every=2, weekdays=frozenset({1, 4}), count=3)
    assert in_words(found) == ["07/12/26", "10/12/26", "21/12/26"]


def test_every_so_many_days_with_and_without_a_leap_day():
    assert in_words(dates(date(2028, 2, 28), count=2)) == ["29/02/28", "01/03/28"]
    assert in_words(dates(date(2027, 2, 28), count=2)) == ["01/03/27", "02/03/27"]
    assert in_words(dates(date(2028, 2, 15), every=14, count=2)) == ["29/02/28", "14/03/28"]


def test_the_last_date_is_included_and_nothing_is_cut():
    found = dates(MONDAY, weekdays=frozenset({1}), until=MONDAY + timedelta(weeks=2))
    assert in_words(found) == ["30/11/26", "07/12/26"] and not found.is_cut
    assert dates(MONDAY, weekdays=frozenset({1}), until=MONDAY) == ([], False)


def test_the_end_of_what_can_be_booked_cuts():
    late = BOOKABLE[1] - timedelta(days=8)
    found = dates(late, every=7, count=3)
    assert found.dates == [late + timedelta(days=7)] and found.is_cut
    assert dates(late, every=7, until=late + timedelta(days=30)).is_cut
    assert not dates(late, every=7, count=1).is_cut


def test_at_most_so_many_dates_at_once():
    found = dates(MONDAY, until=MONDAY + timedelta(days=MAX_DATES + 1))
    assert len(found.dates) == MAX_DATES and found.is_cut
    assert not dates(MONDAY, until=MONDAY + timedelta(days=MAX_DATES)).is_cut


def test_dates_that_have_passed_do_not_count():
    found = dates(MONDAY - timedelta(weeks=3), weekdays=frozenset({1}), count=2)
    assert in_words(found) == ["23/11/26", "30/11/26"]


def test_dates_that_are_there_already_are_passed_over():
    there = {MONDAY + timedelta(weeks=1), MONDAY + timedelta(weeks=3)}
    found = dates_after(MONDAY, Recurrence(1, frozenset({1}), count=2), BOOKABLE, besides=there)
    assert in_words(found) == ["07/12/26", "21/12/26"]


def test_the_end_of_the_calendar_ends_it():
    assert dates(date.max - timedelta(days=2), count=9, bookable=(MONDAY, date.max)).is_cut


@given(first=days, rule=rules)
def test_every_date_follows_the_rule(first, rule):
    found, is_cut = dates_after(first, rule, BOOKABLE)
    assert found == sorted(set(found)) and len(found) <= MAX_DATES
    assert all(first < day and BOOKABLE[0] <= day <= BOOKABLE[1] for day in found)
    assert rule.until is None or all(day <= rule.until for day in found)
    assert rule.count is None or len(found) <= rule.count
    monday = first - timedelta(days=first.isoweekday() - 1)
    for day in found:
        if rule.weekdays:
            assert day.isoweekday() in rule.weekdays and (day - monday).days // 7 % rule.every == 0
        else:
            assert (day - first).days % rule.every == 0


@given(first=days, rule=rules)
def test_no_date_of_the_rule_is_left_out(first, rule):
    found, is_cut = dates_after(first, rule, BOOKABLE)
    monday = first - timedelta(days=first.isoweekday() - 1)

    def follows(day):
        if rule.weekdays:
            return day.isoweekday() in rule.weekdays and (day - monday).days // 7 % rule.every == 0
        return (day - first).days % rule.every == 0

    if not is_cut and len(found) != rule.count:
        assert rule.until is not None
        span = range(1, max((rule.until - first).days, 0) + 1)
        assert found == [day for days in span if follows(day := first + timedelta(days=days))]
    if found:
        between = range(1, (found[-1] - first).days)
        assert set(found) >= {day for days in between if follows(day := first + timedelta(days=days))} - {None}


@pytest.mark.parametrize(
    ("rule", "days", "periods"),
    [
        # Weeks from Monday on; the first date is a Wednesday.
        (Recurrence(1, frozenset({3})), [-3, -2, 0, 4, 5], [-1, 0, 0, 0, 1]),
        (Recurrence(2, frozenset({3})), [-3, 0, 7, 11, 12], [-1, 0, 0, 0, 1]),
        (Recurrence(1), [-1, 0, 1], [-1, 0, 1]),
        # The days that are nearer to a date than to the next.
        (Recurrence(5), [-3, -2, 2, 3, 7, 8], [-1, 0, 0, 1, 1, 2]),
    ],
)
def test_each_day_is_in_the_period_of_one_interval(rule, days, periods):
    first = date(2026, 11, 25)
    assert [period_of(first, rule, first + timedelta(days=number)) for number in days] == periods
