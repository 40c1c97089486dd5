"""How the tables are emptied after a test that commits.

Django truncates all hundred of them, which makes a new file for each table and for each of its indexes. A DELETE of few
rows is many times faster; triggers and foreign keys have no part in it (session_replication_role, which is granted in
tests/database.py). The lock waits, as TRUNCATE does, until what the test has left running has ended.
"""

from collections.abc import Sequence

from django.db.backends.postgresql.operations import DatabaseOperations

# Django would write them again as they were, which takes longer than to empty all other tables: they stay.
KEPT = {"django_content_type"}
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE;
    SET LOCAL session_replication_role = replica;
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    SET LOCAL session_replication_role = origin;
END $$
"""


def sql_flush(
    operations: DatabaseOperations,
    style: object,
    tables: Sequence[str],
    *,
    reset_sequences: bool = False,
    **options: object,
) -> list[str]:
    """Return the statements of Django's `flush`, in place of its own; the sequences of ids go on."""
    assert not reset_sequences, "a DELETE resets no sequence"
    emptied = [table for table in tables if table not in KEPT]
    names = ", ".join(f"'{table}'" for table in emptied)
    return [EMPTY.format(tables=", ".join(map(operations.quote_name, emptied)), names=names)]


def nothing_to_write_again(*arguments: object, **options: object) -> None:
    """Stand in for the signal after `flush`, whose receivers compare what is KEPT with the models."""
