"""How often one may ask: a sliding minute and a second, counted in PostgreSQL for everybody together."""

import threading
import time

import pytest
from django.db import connection

from clinic.access import rate_limit
from clinic.models import RequestCount

pytestmark = pytest.mark.django_db
A_MINUTE, A_SECOND = 5, 3


@pytest.fixture(autouse=True)
def limits(settings):
    settings.API_FAILURES_A_MINUTE = 2


def let_pass(seconds):
    """Time itself goes on for PostgreSQL's own clock; what is counted moves back instead."""
    for count in RequestCount.objects.order_by("tick"):
        RequestCount.objects.filter(pk=count.pk).update(tick=count.tick - round(seconds * 10))


def test_a_second_holds_its_burst_and_the_next_one_more():
    before = time.time()
    answers = [rate_limit.admit("key 1", A_MINUTE, A_SECOND) for _ in range(4)]
    assert [each.admitted for each in answers] == [True, True, True, False]
    assert [each.remaining for each in answers] == [4, 3, 2, 2]
    assert [each.wait for each in answers] == [0, 0, 0, 1]
    assert {each.limit for each in answers} == {5}
    assert all(before + 59 <= each.reset <= time.time() + 62 for each in answers)
    let_pass(1)
    assert rate_limit.admit("key 1", A_MINUTE, A_SECOND).admitted


def test_a_minute_holds_its_number_and_says_how_long_to_wait():
    for _ in range(3):
        rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    let_pass(20)
    for _ in range(2):
        rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    let_pass(1)
    full = rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    assert not full.admitted and full.remaining == 0
    assert 38 <= full.wait <= 40
    assert abs(full.reset - time.time() - full.wait) <= 2

    let_pass(39)
    after = rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    assert after.admitted and after.remaining == 2


def test_a_refused_request_is_not_counted():
    for _ in range(10):
        rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    assert sum(RequestCount.objects.values_list("count", flat=True)) == 3


def test_everybody_is_counted_apart():
    for _ in range(4):
        rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    assert rate_limit.admit("key 2", A_MINUTE, A_SECOND).admitted
    assert rate_limit.admit_failure("192.0.2.1").admitted


def test_failures_are_counted_by_address():
    answers = [rate_limit.admit_failure("192.0.2.1").admitted for _ in range(3)]
    assert answers == [True, True, False]
    assert rate_limit.admit_failure("192.0.2.2").admitted
    assert rate_limit.admit_failure(None).admitted


def test_one_statement_tells(django_assert_num_queries):
    with django_assert_num_queries(1):
        rate_limit.admit("key 1", A_MINUTE, A_SECOND)


def test_only_the_last_minute_is_kept():
    rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    let_pass(61)
    rate_limit.admit("key 1", A_MINUTE, A_SECOND)
    assert RequestCount.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_admitted_as_often_as_one_after_another():
    admitted, together = [], threading.Barrier(20)

    def ask():
        together.wait()
        admitted.append(rate_limit.admit("key 1", A_MINUTE, A_SECOND).admitted)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 20 and 3 <= sum(admitted) <= 5
    assert sum(RequestCount.objects.values_list("count", flat=True)) == sum(admitted)
