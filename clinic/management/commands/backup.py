"""Dump the whole database into a file, completely or not at all (clinic/server/README.md, Backup)."""

import os
import secrets
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.local.postgres_server import private, sync
from clinic.management import pg_programs

# Tables whose rows grant access or are worthless tomorrow: a dump must not contain open sessions.
WITHOUT_ROWS = ("clinic_staffsession", "clinic_requestcount")


class Command(BaseCommand):
    # Some checks query the database, which may be down.
    requires_system_checks = ()

    help = "Writes the whole database to a file that `restore` and pg_restore read, whether or not the clinic is open."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="replaced when the backup is complete, left as it is when it fails")

    def handle(self, *, file: str, verbosity: int, **options: object) -> None:
        # A symbolic link is kept, and the file it points to is replaced.
        target = Path(file).resolve()
        try:
            if target.exists() and not target.is_file():
                raise CommandError(f"{target} is no file: name one in a folder that exists.")
            size = write(target)
        except OSError as error:
            raise CommandError(f"{error.filename or target}: {error.strerror}") from None
        if verbosity:
            self.stdout.write(f"{target}: {size} bytes. Keep the secret key as well, and not in the same place.")


def write(target: Path) -> int:
    """Replace the file by a dump that only its owner may read; return its size in bytes.

    Raises CommandError or OSError.
    """
    fresh = target.with_name(f".clinic-backup-{secrets.token_hex(8)}")
    try:
        with open(fresh, "xb", opener=private) as file, pg_programs.database() as session:
            pg_dump = pg_programs.find_program("pg_dump", session.info.server_version // 10000)
            leave_out = [f"--exclude-table-data=public.{table}" for table in WITHOUT_ROWS]
            # Passed by name: PostgreSQL 18 writes its table of contents twice if standard output is a file.
            reason = pg_programs.run(pg_dump, session, "--format=custom", f"--file={fresh}", *leave_out)
            if reason:
                raise CommandError(f"The backup failed: {reason}. What was in {target} before is still there.")
            os.fsync(file.fileno())
        fresh.replace(target)
        sync(target.parent)
        return target.stat().st_size
    finally:
        fresh.unlink(missing_ok=True)
