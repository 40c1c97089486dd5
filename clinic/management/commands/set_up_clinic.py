"""Set up a clinic from a TOML file, as the first steps in the browser do."""

import tomllib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from clinic.access import staff_links
from clinic.management.set_up import FileRefused, Outcome, set_up
from clinic.refusals import Refused


class Command(BaseCommand):
    help = "Adds a clinic, its staff, procedures and doctors as a TOML file says, where they are missing: all or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would be added, and write nothing")
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="where the clinic is open (default: PUBLIC_URL)")

    def handle(self, *, file: Path, dry_run: bool, url: str, **options: object) -> None:
        content = _read(file)
        try:
            with transaction.atomic():
                outcome = set_up(content)
                transaction.set_rollback(dry_run)
        except FileRefused as refused:
            lines = [f"  {key}: {sentence}" for key, sentence in sorted(refused.faults.items())]
            raise CommandError("\n".join([f"Nothing was written. In {file.name}:", *lines])) from refused
        except Refused as refused:
            raise CommandError(f"Nothing was written. {refused.message}") from refused
        except IntegrityError as conflict:
            raise CommandError("Nothing was written: another run wrote the same just now. Run it again.") from conflict
        self._tell(outcome, url.rstrip("/"), dry_run=dry_run)

    def _tell(self, outcome: Outcome, url: str, *, dry_run: bool) -> None:
        if not outcome.added:
            self.stdout.write("Nothing changed: everything was there already.")
            return
        self.stdout.write("Would be added:" if dry_run else "Added:")
        self.stdout.write("".join(f"  {line}\n" for line in outcome.added), ending="")
        for link, secret in [] if dry_run else outcome.invited:
            self.stdout.write(f"{link.name}: {url}{staff_links.path(secret)}")


def _read(file: Path) -> dict[str, Any]:
    """Return what the file says. Raises CommandError."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is no TOML: {error}") from error
