"""Count what should be found nowhere: the same as the panel of integrity shows (`clinic.queries.integrity`)."""

import sys

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation

from clinic.management.lookup import get_clinic
from clinic.models import Clinic
from clinic.queries.integrity import PAST_DAYS, counts, faults

LONGEST = 3660


class Command(BaseCommand):
    help = "Counts faults of the stored appointments, clinic by clinic. The exit code is 1 where a number is not 0."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clinic", metavar="SLUG", help="only this one")
        parser.add_argument(
            "--days", type=int, default=PAST_DAYS, help=f"how many days back, besides all ahead (default: {PAST_DAYS})"
        )

    def handle(self, *, clinic: str | None, days: int, **options: object) -> None:
        if not 1 <= days <= LONGEST:
            raise CommandError(f"--days is a number from 1 to {LONGEST}.")
        clinics = [get_clinic(clinic)] if clinic else list(Clinic.objects.real())
        if sum(self._report(each, days) for each in clinics):
            sys.exit(1)

    def _report(self, clinic: Clinic, days: int) -> int:
        """Write what is found at a clinic; return how much that is."""
        with translation.override(clinic.language):
            found = counts(faults(clinic, now=timezone.now(), days=days))
            for check, number in found:
                self.stdout.write(f"{clinic.slug}: {check.title}: {number}")
        return sum(number for _check, number in found)
