"""Databases as earlier migrations leave them, a test's own, and rows of today carried back into them.

The one migration of a version (tests/database.py) runs this file: it keeps a copy of the database at each of STOPS. A
test begins at a copy of a copy, puts its rows in and migrates the few steps that it is about, a second instead of the
minute that a way from the newest and back takes: Django draws up all models anew for nearly every operation.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from graphlib import TopologicalSorter
from unittest.mock import patch
from uuid import uuid4

import psycopg
from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from psycopg.sql import SQL, Identifier

from tests.database import MIGRATED

STOPS = (
    "0004_key_check",
    "0006_admit_within",
    "0009_words",
    "0011_hours_past_midnight",
    "0016_validate_kinds_of_events",
    "0018_validate_at_most_a_day",
    "0037_validate_delay_events",
    "0047_holidays",
    "0048_doctor_title",
    "0050_validate_payer",
    "0066_doctors_users",
    "0079_plans",
    "0081_audit_indexes",
)
# What PostgreSQL and the migrations write themselves.
NOT_CARRIED = ["clinic_keycheck", "clinic_rowchange"]
COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)
WHERE columns.table_schema = current_schema() AND table_type = 'BASE TABLE'
AND table_name LIKE 'clinic\\_%%' AND table_name <> ALL(%s) AND is_generated = 'NEVER'
"""
CHECKED_AT_ONCE = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND NOT condeferrable AND conrelid <> confrelid
"""
SEQUENCES = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name LIKE 'clinic\\_%' AND is_identity = 'YES'
"""


def migrate(name: str | None = None) -> None:
    """Run the migrations of the clinic's tables, or undo them, until `name` is the last that has run."""
    with options_not_drawn():
        call_command("migrate", "clinic", *([name] if name else []), verbosity=0)


@contextmanager
def options_not_drawn() -> Iterator[None]:
    """Draw no model again for an index, a constraint, an order or a name of it.

    Django then draws all models around it too, which is half the time of our migrations, though none of ours reads
    these of the models drawn; what migrations in Python are given is drawn when they begin. That the tables are the
    same without this is seen in tests/test_start.py. Operations that change a table by its options (its name, its
    comment, what is unique together) are left as they are.
    """
    with ExitStack() as stack:
        for name in ("_append_option", "_remove_option", "_alter_option", "alter_model_options"):
            stack.enter_context(patch.object(ProjectState, name, _not_drawn(getattr(ProjectState, name))))
        yield


WITH_KEYS = 4  # arguments of `alter_model_options` where AlterModelOptions calls it: names, options, and their keys


def _not_drawn(change: Callable[..., None]) -> Callable[..., None]:
    @wraps(change)
    def changed(state: ProjectState, *where: object, **what: object) -> None:
        if change.__name__ == "alter_model_options" and len(where) != WITH_KEYS:
            change(state, *where, **what)
            return
        drawn = state.__dict__.pop("apps", None)
        change(state, *where, **what)
        if drawn is not None:
            state.apps, state.is_delayed = drawn, True

    return changed


def migrate_again(name: str) -> None:
    """Run one migration on the newest tables, as after `migrate --fake` to the one before it."""
    recorded = MigrationRecorder(connection).migration_qs.filter(app="clinic", name__gte=name)
    names = list(recorded.values_list("name", flat=True))
    recorded.delete()
    migrate(name)
    for each in names:
        MigrationRecorder(connection).record_applied("clinic", each)


def models_at(name: str) -> Apps:
    """Return the models as they are after this migration."""
    return MigrationLoader(connection).project_state(("clinic", name)).apps


class OwnDatabase:
    """What a test's connection uses until its end, instead of the database that tests share."""

    def __init__(self) -> None:
        self._shared = connection.settings_dict["NAME"]
        self._made: list[str] = []

    def begin(self, name: str | None = None) -> None:
        """Go over to empty tables, as this migration leaves them, or as the newest does."""
        own = f"own_{uuid4().hex}"
        kept = _kept(name)
        with _session() as session:
            session.execute(
                SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(own), Identifier(kept or "template0"))
            )
        self._made.append(own)
        _use(own)
        if not kept:
            migrate(name)

    def carry(self, name: str | None = None) -> None:
        """Go over to the tables as this migration leaves them, or the newest, with the rows of now in the columns that
        both have."""
        now = self._made[-1]
        self.begin(name)
        with _session(now) as source, _session(self._made[-1]) as target, target.transaction():
            _carry(source, target)

    def drop(self) -> None:
        _use(self._shared)
        ContentType.objects.clear_cache()  # their ids are others in each
        with _session() as session:
            for own in self._made:
                session.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(own)))


def _use(database: str) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = database


@contextmanager
def _session(database: str = "postgres") -> Iterator[psycopg.Connection]:
    """A connection beside Django's, without a transaction."""
    parameters = connection.get_connection_params() | {"dbname": database}
    names = {"dbname", "user", "password", "host", "port"} & parameters.keys()
    with psycopg.connect(**{name: parameters[name] for name in names}, autocommit=True) as session:
        yield session


def _kept(name: str | None) -> str | None:
    """The database to copy: none on a server of somebody else's (DATABASE_URL), where nothing has been kept."""
    if connection.settings_dict["TEST"]["TEMPLATE"] != MIGRATED:
        return None
    assert name is None or name in STOPS, f"tests/migrated.py keeps no copy at {name}"
    return MIGRATED if name is None else f"at_{name}"


def _carry(source: psycopg.Connection, target: psycopg.Connection) -> None:
    there = set(source.execute(COLUMNS, [NOT_CARRIED]).fetchall())
    columns: dict[str, list[str]] = {}
    for table, column in target.execute(COLUMNS, [NOT_CARRIED]).fetchall():
        if (table, column) in there:
            columns.setdefault(table, []).append(column)
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(columns, ()))
    for table, needed in target.execute(CHECKED_AT_ONCE).fetchall():
        order.add(table, needed)
    for table in filter(columns.get, order.static_order()):
        names = SQL(", ").join(map(Identifier, columns[table]))
        read = SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, Identifier(table))
        write = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), names)
        with source.cursor().copy(read) as rows, target.cursor().copy(write) as copied:
            for row in rows:
                copied.write(row)
    for table, column in target.execute(SEQUENCES).fetchall():
        highest = SQL("(SELECT max({}) FROM {})").format(Identifier(column), Identifier(table))
        target.execute(SQL("SELECT setval(pg_get_serial_sequence(%s, %s), {})").format(highest), [table, column])


def keep_copies() -> None:
    """Migrate an empty database to the newest, and keep a copy of it at each of STOPS."""

    def keep(action: str, migration=None, fake: bool = False) -> None:
        if action == "apply_success" and migration.app_label == "clinic" and migration.name in STOPS:
            connection.close()
            connection.close_pool()
            copy = SQL("CREATE DATABASE {} TEMPLATE {}").format(
                Identifier(f"at_{migration.name}"), Identifier(connection.settings_dict["NAME"])
            )
            with _session() as session:
                session.execute(copy)

    leaves = MigrationLoader(connection).graph.leaf_nodes()
    MigrationExecutor(connection).migrate([leaf for leaf in leaves if leaf[0] != "clinic"])
    with options_not_drawn():
        MigrationExecutor(connection, keep).migrate(leaves)
    call_command("migrate", verbosity=0)  # what Django does after migrations, too
