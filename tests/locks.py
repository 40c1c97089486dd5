"""Who waits for whom."""

from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import sql

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NOBODY_ELSE_IN_A_TRANSACTION = """SELECT count(*) = 0 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND xact_start IS NOT NULL"""
PHONE_OR_CPF = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"


def another_connection(**options):
    parameters = {name: value for name, value in connection.get_connection_params().items() if name != "pool"}
    parameters |= {"cursor_factory": psycopg.Cursor}
    return psycopg.connect(**parameters, **options)


@contextmanager
def held(*rows):
    """Another connection holds these committed rows, and inside gives itself to hold more; it ends with a rollback."""
    with another_connection() as other:
        for row in rows:
            table = sql.Identifier(row._meta.db_table)
            other.execute(sql.SQL("SELECT 1 FROM {} WHERE id = %s FOR NO KEY UPDATE").format(table), [row.pk])
        yield other
        other.rollback()


def wait_until_somebody_waits_for_a_lock():
    """In this database: other workers of the run wait for locks of their own."""
    _wait_until(WAITING, "nobody waits")


def wait_until_killed_sessions_have_ended():
    """The server goes on with what a killed process asked for; its locks would stop the emptying of the tables."""
    _wait_until(NOBODY_ELSE_IN_A_TRANSACTION, "a session is still in a transaction")


def _wait_until(query, otherwise):
    with connection.cursor() as cursor:
        for _ in range(2000):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(query)
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError(otherwise)
