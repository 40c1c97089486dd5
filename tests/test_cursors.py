"""Hand-written statements, each of which its connection knows from the run before."""

import gc
from weakref import ref

import psycopg
import pytest
from django.db import DataError, connection, transaction

from clinic.cursors import _PreparedCursor, prepared_cursor

pytestmark = pytest.mark.django_db

ONE, OTHER = "SELECT %s::bigint", "SELECT %s::text"


def run(statement, parameter):
    with prepared_cursor() as cursor:
        cursor.execute(statement, [parameter])
        return cursor.fetchall()


def adapters_of(statement, parameter):
    with prepared_cursor() as cursor:
        cursor.execute(statement, [parameter])
        return cursor.adapters


def test_each_statement_keeps_a_cursor_of_its_own():
    assert adapters_of(ONE, 1) is adapters_of(ONE, 2)
    assert adapters_of(ONE, 1) is not adapters_of(OTHER, "a")


def test_a_connection_that_nothing_refers_to_is_gone_at_once():
    parameters = connection.get_connection_params()
    names = {"dbname", "user", "password", "host", "port"} & parameters.keys()
    with psycopg.connect(**{each: parameters[each] for each in names}) as other:
        prepared = _PreparedCursor(other)
        prepared.execute(ONE, [1])
        assert prepared.fetchone() == (1,)
    reference = ref(other)
    gc.disable()
    try:
        del prepared, other
        assert reference() is None
    finally:
        gc.enable()


def test_rows_of_two_statements_are_fetched_side_by_side():
    with prepared_cursor() as one, prepared_cursor() as other:
        one.execute(ONE, [1])
        other.execute(OTHER, ["a"])
        assert (one.fetchone(), other.fetchone()) == ((1,), ("a",))


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("SELECT %s::bigint", [1, 2**40, None, 3]),
        ("SELECT %s::bigint[]", [[], [1], [2**40, None], [5]]),
        ("SELECT %s::text", ["a", None, "ç"]),
    ],
)
def test_parameters_of_other_sizes_follow_each_other(statement, parameters):
    assert [run(statement, parameter) for parameter in parameters * 2] == [[(each,)] for each in parameters * 2]


def test_a_statement_runs_again_after_it_has_failed():
    with pytest.raises(DataError), transaction.atomic():
        run("SELECT 1 / %s::int", 0)

    assert run("SELECT 1 / %s::int", 1) == [(1,)]


def test_columns_that_were_added_meanwhile_are_read():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE grows ON COMMIT DROP AS SELECT 1 AS first")
    assert run("SELECT to_jsonb(grows) ->> %s FROM grows", "second") == [(None,)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE grows ADD second text DEFAULT 'a'")
    assert run("SELECT to_jsonb(grows) ->> %s FROM grows", "second") == [("a",)]
