"""Restore a backup into an empty database, completely or not at all (clinic/server/README.md, Restore).

Never over existing data: nothing is deleted by mistake, and tables of different versions are not mixed.
"""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from clinic.access import key_check
from clinic.management import pg_programs

TABLES = "SELECT 1 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 1"
OPTIONS = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-comments")


class Command(BaseCommand):
    # Some checks query the database, which may be down.
    requires_system_checks = ()

    help = "Fills an empty database from a file that `backup` or pg_dump --format=custom wrote."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *, file: str, verbosity: int, **options: object) -> None:
        source = Path(file).resolve()
        if not source.is_file():
            raise CommandError(f"{source}: there is no such file.")
        with pg_programs.database() as session:
            if session.execute(TABLES).fetchone():
                raise CommandError(
                    "This database is not empty, and a backup goes into an empty one: end `start` and move "
                    f"{settings.DATA_DIR / 'postgres'} away, or name a new database in DATABASE_URL."
                )
            pg_restore = pg_programs.find_program("pg_restore", session.info.server_version // 10000)
            reason = pg_programs.run(pg_restore, session, *OPTIONS, str(source))
        if reason:
            raise CommandError(f"Nothing was restored from {source}: {reason}.")
        if verbosity:
            self.stdout.write(f"Restored from {source}. `start` or `migrate` brings it up to date.")
        for error in key_check.system_check(databases=["default"]):
            self.stderr.write(f"Before that: {error.msg} {error.hint}")
        # It may still be opening connections when the server ends, and would log errors.
        connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL's connection, not in the stubs
