"""Write the next hours of a clinic into a file that is printed without network or server (README, "First steps")."""

import os
import secrets
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clinic.access import accesses
from clinic.continuity_pack import HOURS, pack
from clinic.local.postgres_server import private
from clinic.management.lookup import get_clinic
from clinic.models import Clinic, shown

LONGEST = 14 * 24
NAME = "write_pack"


class Command(BaseCommand):
    help = "Writes a clinic's appointments of the next hours into a file, a sheet for each doctor and date, to print."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="replaced when the new one is complete, left as it is when it fails")
        parser.add_argument("--clinic", required=True, metavar="SLUG")
        parser.add_argument("--hours", type=int, default=HOURS, help=f"how many from now on (default: {HOURS})")

    def handle(self, *, file: str, clinic: str, hours: int, **options: object) -> None:
        if not 1 <= hours <= LONGEST:
            raise CommandError(f"--hours is a number from 1 to {LONGEST}.")
        target = Path(file).resolve()
        fresh = target.with_name(f".clinic-pack-{secrets.token_hex(8)}")
        text = _pack(get_clinic(clinic), hours)
        try:
            with open(fresh, "x", opener=private, encoding="utf-8") as written:
                written.write(text)
                written.flush()
                os.fsync(written.fileno())
            fresh.replace(target)
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror}") from None
        finally:
            fresh.unlink(missing_ok=True)


def _pack(clinic: Clinic, hours: int) -> str:
    """Return the file, and write the access log of the days in it."""
    now = timezone.now()
    with shown.collecting() as seen:
        text = pack(clinic, now, hours)
    if seen.days:
        accesses.record(seen, accesses.Viewer(clinic, None, NAME, ""), NAME, now)
    return text
