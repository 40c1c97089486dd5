"""An archive into an installation without a clinic: all of it or nothing.

Nothing of the file is believed: which parts it has, how large they are unpacked, which columns a row has; and every
constraint of the database holds for its rows. Only the triggers are off meanwhile, which would note the import as an
act of its own and set the times of changes anew. Ids stay as they are, so that what histories name is still found.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import psycopg
from django.contrib.auth.hashers import make_password
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InternalError,
    connection,
    transaction,
)

from clinic.exchange.archive.read_me import NAME as READ_ME
from clinic.exchange.archive.tables import FORMAT, LEFT_OUT_COLUMNS, TABLES, Table, quoted
from clinic.exchange.archive.writing import MANIFEST, schema_of_database
from clinic.exchange.faults import UNREADABLE_ZIP
from clinic.exchange.files import packs_too_well
from clinic.models import Clinic
from clinic.models.patient import phone_hash

CHUNK = 1024 * 1024  # bytes that are unpacked and stored at a time
MAX_LINE = 16 * CHUNK
NOT_A_ROW = (ValueError, RecursionError)


class ArchiveRefused(Exception):
    """Raised when nothing was written; `str()` is the sentence, in English, for who runs the command."""


@dataclass(frozen=True)
class Brought:
    """What an import has stored: the clinic, the rows of each table, and when its archive was made; and the ids of the
    staff who were in the team and are not invited yet."""

    clinic: Clinic
    counts: dict[str, int]
    made_at: datetime
    team: list[int]


def read_archive(file: IO[bytes]) -> Brought:
    """Store the clinic of an archive, in one transaction of the tables' owner. `file` is seekable and stays open.

    Locks all its tables against every other writer. Raises ArchiveRefused."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive)
            with transaction.atomic():
                team = _store_all(archive, manifest["tables"])
                return Brought(Clinic.objects.get(), manifest["tables"], manifest["made_at"], team)
    except UNREADABLE_ZIP as error:
        raise ArchiveRefused("The file is damaged, or no archive of a clinic.") from error
    except DatabaseError as error:
        sentence = "Close the clinic meanwhile, and run it as the owner of the tables."
        raise ArchiveRefused(f"PostgreSQL refused: {_reason(error)}. {sentence}") from error


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return what the manifest says, once all parts are there, none is a bomb, and it is of this version."""
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if MANIFEST not in names:
        raise ArchiveRefused(f"It is no archive of a clinic: there is no {MANIFEST} in it.")
    if any(part.flag_bits & 1 for part in parts):
        raise ArchiveRefused("The file is encrypted. Unlock it first.")
    if any(map(packs_too_well, parts)):
        raise ArchiveRefused("Unpacked, the file would be far larger than any clinic's.")
    manifest = _read_manifest(archive)
    if {*names} != (expected := {READ_ME, MANIFEST, *(table.file for table in TABLES)}) or len(names) > len(expected):
        wrong = ", ".join(sorted({*names} ^ expected)) or "a part that is there twice"
        raise ArchiveRefused(f"The parts are not those of an archive: {wrong}.")
    return manifest


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        with archive.open(MANIFEST) as part:
            manifest = json.loads(part.read(CHUNK))
        theirs, here = (manifest["format"], manifest["schema"]), (FORMAT, schema_of_database())
        counts = {table.name: int(manifest["tables"].get(table.name, 0)) for table in TABLES}
        made_at = datetime.fromisoformat(manifest["made_at"])
    except (KeyError, TypeError, AttributeError, *NOT_A_ROW) as error:
        raise ArchiveRefused(f"{MANIFEST} cannot be read.") from error
    if theirs != here:
        raise ArchiveRefused(
            f"The archive is of another version, format {theirs[0]} after {theirs[1]}; here it is format {here[0]}"
            f" after {here[1]}. Import it where it fits, and bring that installation up to date."
        )
    return {"tables": counts, "made_at": made_at}


def _store_all(archive: zipfile.ZipFile, counts: dict[str, int]) -> list[int]:
    """Store all rows, and return the ids of the staff in the team, who come without access."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table.stored_name} DISABLE TRIGGER USER")
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table.stored_name})")  # noqa: S608 - own names
            if cursor.fetchone() == (True,):
                raise ArchiveRefused("This installation is not empty, and an archive goes into an empty one.")
        for table in TABLES:
            with _named(table):
                stored = _store(archive, table)
            if stored != counts[table.name] or (table.model is Clinic and stored != 1):
                raise ArchiveRefused(f"{table.file} has {stored} rows, and should have {counts[table.name]}.")
        cursor.execute("UPDATE clinic_staffuser SET is_active = false WHERE is_active RETURNING id")
        team = sorted(pk for (pk,) in cursor.fetchall())
        with _named(None):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table.stored_name} ENABLE TRIGGER USER")
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), max({table.key})) FROM {table.stored_name}",  # noqa: S608 - own names
                [table.stored_name, table.key],
            )
            cursor.execute(f"ANALYZE {table.stored_name}")
    return team


def _store(archive: zipfile.ZipFile, table: Table) -> int:
    """Store the rows of a table, and return how many there are. A statement a CHUNK."""
    left_out = sorted(LEFT_OUT_COLUMNS.get(table.stored_name, ()))
    columns = ", ".join(map(quoted, [*table.columns, *left_out]))
    statement = (
        f"INSERT INTO {table.stored_name} ({columns}) SELECT {columns}"  # noqa: S608 - own names
        f" FROM json_populate_recordset(NULL::{table.stored_name}, %s::json)"
    )
    defaults = {column: getattr(table.model(), column) for column in left_out}
    stored = 0
    with archive.open(table.file) as part, connection.cursor() as cursor:
        for lines in _chunks(part, table):
            rows = [_whole(line, table, defaults, stored + place) for place, line in enumerate(lines, start=1)]
            cursor.execute(statement, [f"[{','.join(rows)}]"])
            stored += len(rows)
    return stored


def _chunks(part: IO[bytes], table: Table) -> Iterator[list[bytes]]:
    """Yield the lines of about a CHUNK each time."""
    rest = b""
    while chunk := part.read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE:
            raise ArchiveRefused(f"{table.file} has a line that is far too long.")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _whole(line: bytes, table: Table, defaults: dict[str, Any], number: int) -> str:
    """Return a line with what stayed behind in it. Raises ArchiveRefused for a line that is no row of the table."""
    try:
        text = line.decode()
        row = json.loads(text)
    except NOT_A_ROW as error:
        raise ArchiveRefused(f"Line {number} of {table.file} is no JSON.") from error
    if not isinstance(row, dict) or row.keys() != set(table.columns):
        raise ArchiveRefused(f"Line {number} of {table.file} has other columns than the table.")
    if not defaults:
        return text
    filled = FILLED[table.stored_name](row) if table.stored_name in FILLED else {}
    return json.dumps(row | defaults | filled)


def _phone_hash(row: dict[str, Any]) -> dict[str, Any]:
    return {"phone_hash": phone_hash(str(row["phone"]), row["clinic_id"]) if row["phone"] else ""}


def _unable_to_sign_in(row: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in for how a row of staff signed in."""
    username = f"arquivo-{row['id']}"
    return {"username": username, "folded_username": username, "password": make_password(None)}


FILLED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "clinic_patient": _phone_hash,
    "clinic_staffuser": _unable_to_sign_in,
}


@contextmanager
def _named(table: Table | None) -> Iterator[None]:
    """Have what the database refuses become a sentence with the name of the file, None for a link between two."""
    try:
        yield
    except (DataError, IntegrityError, InternalError) as error:
        where = f"In {table.file}: " if table else "A row names another that is not there: "
        raise ArchiveRefused(f"{where}{_reason(error)}.") from error


def _reason(error: DatabaseError) -> str:
    """Return the constraint, or the number of PostgreSQL's error: its sentence may hold a value of the row."""
    diagnosis = error.__cause__.diag if isinstance(error.__cause__, psycopg.Error) else None
    if diagnosis is None:
        return type(error).__name__
    table = (diagnosis.table_name or "").removeprefix("clinic_")
    return f"{table}, {diagnosis.constraint_name}" if diagnosis.constraint_name else f"SQLSTATE {diagnosis.sqlstate}"
