"""A clinic into an archive, row by row, as it is at one instant."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO

from django.db import connection, transaction

from clinic.exchange.archive.lock import ArchiveLock
from clinic.exchange.archive.read_me import NAME as READ_ME
from clinic.exchange.archive.read_me import read_me
from clinic.exchange.archive.tables import FORMAT, TABLES, Table
from clinic.models import Clinic

MANIFEST = "archive.json"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a zip: the same rows are the same bytes
PRIVATE = 0o600 << 16  # what is unpacked is its owner's alone
AT_ONCE = 2000  # rows
SCHEMA_SQL = "SELECT max(name) FROM django_migrations WHERE app = 'clinic'"


def write_archive(lock: ArchiveLock, file: IO[bytes], made_at: datetime) -> dict[str, int]:
    """Write the clinic of the lock as a zip and return how many rows each table has: a file in JSON Lines a table, a
    text that describes them, and last the manifest. Only that has `made_at`; all else is the same bytes for the same
    rows.

    All rows are of one snapshot, unless a transaction runs already. AT_ONCE rows are in memory."""
    clinic = lock.clinic
    counts = {}
    with _snapshot() as schema, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, READ_ME, read_me(clinic, TABLES))
        for table in TABLES:
            counts[table.name] = 0
            with archive.open(_entry(table.file), "w", force_zip64=True) as part:
                for lines in _lines(table, clinic):
                    part.write("".join(f"{line}\n" for line in lines).encode())
                    counts[table.name] += len(lines)
        manifest = {
            "format": FORMAT,
            "schema": schema,
            "clinic": {"slug": clinic.slug, "uuid": str(clinic.uuid)},
            "made_at": made_at.isoformat(),
            "tables": counts,
        }
        _write(archive, MANIFEST, json.dumps(manifest, indent=1))
    return counts


def schema_of_database() -> str:
    """Return the name of the last migration, which says what the tables are like. One query."""
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA_SQL)
        return str(cursor.fetchone()[0])


@contextmanager
def _snapshot() -> Iterator[str]:
    """Enclose what is read of one snapshot, and yield the name of the last migration in it."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
        yield schema_of_database()


def _lines(table: Table, clinic: Clinic) -> Iterator[list[str]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(table.select_sql, {"clinic": clinic.pk})
        while rows := cursor.fetchmany(AT_ONCE):
            yield [line for (line,) in rows]


def _write(archive: zipfile.ZipFile, name: str, text: str) -> None:
    with archive.open(_entry(name), "w") as part:
        part.write(text.encode())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, PRIVATE
    return entry
