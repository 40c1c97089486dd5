"""Who waits for whom."""

from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import sql

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
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
    with connection.cursor() as cursor:
        for _ in range(2000):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("nobody waits")
