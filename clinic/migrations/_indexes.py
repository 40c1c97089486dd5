"""Building indexes beside the work that goes on."""

from contextlib import contextmanager

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently


class AddIndexAnew(AddIndexConcurrently):
    """Add an index concurrently; may be repeated after an interruption.

    Building waits until every older transaction of the database has ended, a running backup too. The connection's
    lock_timeout would end that wait and leave an invalid index of that name, so there is none meanwhile, and what an
    earlier try has left is dropped first.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with waiting_for_any_time(schema_editor):
            drop_leftover(schema_editor, self.index.name)
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        with waiting_for_any_time(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveIndexInTime(RemoveIndexConcurrently):
    """Remove an index concurrently, however long older transactions take; may be repeated after an interruption, in
    both directions: on the way back it is built as AddIndexAnew builds."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with waiting_for_any_time(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        with waiting_for_any_time(schema_editor):
            drop_leftover(schema_editor, self.name)
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def drop_leftover(schema_editor, name):
    """Drop the index of that name, which may be an invalid one of an earlier try, if there is one."""
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")


@contextmanager
def waiting_for_any_time(schema_editor):
    """Without lock_timeout; afterwards the connection has its own again."""
    schema_editor.execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        schema_editor.execute("RESET lock_timeout")
