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


def transformer_of(statement, parameter):
    """What psycopg has found out about a statement's parameters and columns."""
    with prepared_cursor() as cursor:
        cursor.execute(statement, [parameter])
        return cursor._tx


def kept_results():
    return [each.pgresult for each in vars(connection.connection)["kept_cursors"].values()]


def test_what_is_known_of_a_statement_is_kept():
    assert transformer_of(ONE, 1) is transformer_of(ONE, 2)
    assert transformer_of(ONE, 1) is not transformer_of(OTHER, "a")


def test_a_statement_that_is_composed_again_is_known():
    first, second = ("".join(["SELECT ", "%s::int"]) for _ in range(2))
    assert first is not second
    assert transformer_of(first, 1) is transformer_of(second, 2)


def test_rows_that_were_read_are_not_kept():
    with prepared_cursor() as cursor:
        cursor.execute(ONE, [1])
        cursor.execute(OTHER, ["a"])
        assert cursor.fetchall() == [("a",)]
    assert set(kept_results()) == {None}
    assert run(ONE, 2) == [(2,)]


def test_rows_are_read_one_after_the_other():
    with prepared_cursor() as cursor:
        cursor.execute("SELECT generate_series(1, %s)", [3])
        assert list(cursor) == [(1,), (2,), (3,)]


def test_before_a_statement_there_is_nothing_to_read():
    with prepared_cursor() as cursor, pytest.raises(psycopg.ProgrammingError):
        cursor.fetchone()


def test_a_connection_that_was_closed_begins_anew():
    assert run(ONE, 1) == [(1,)]
    with psycopg.connect(**parameters_of_connection()) as other:
        _PreparedCursor(other).execute(ONE, [1])
    with psycopg.connect(**parameters_of_connection()) as other:
        prepared = _PreparedCursor(other)
        prepared.execute(ONE, [2])
        assert prepared.fetchone() == (2,)


def parameters_of_connection():
    parameters = connection.get_connection_params()
    return {each: parameters[each] for each in {"dbname", "user", "password", "host", "port"} & parameters.keys()}


def test_a_connection_that_nothing_refers_to_is_gone_at_once():
    with psycopg.connect(**parameters_of_connection()) as other:
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


def test_a_column_that_has_another_type_by_now_is_read():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changes ON COMMIT DROP AS SELECT 1 AS first")
    assert run("SELECT first FROM changes WHERE %s", True) == [(1,)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE changes ALTER first TYPE text")
    assert run("SELECT first FROM changes WHERE %s", True) == [("1",)]
