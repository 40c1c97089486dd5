"""Apply the terms of retention to one clinic, or show what is due. A deployment may run it daily."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic import retention
from clinic.management.lookup import get_clinic
from clinic.models import PatientEvent
from clinic.refusals import Refused
from clinic.registry import Author


class Command(BaseCommand):
    help = "Deletes, blanks and anonymises what is kept longer than it has to be; each run leaves a row."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clinic", required=True, help="the clinic's slug")
        parser.add_argument("--preview", action="store_true", help="count what is due, and write nothing")

    def handle(self, *, clinic: str, preview: bool, **options: Any) -> None:
        found = get_clinic(clinic)
        if preview:
            done = retention.preview(found)
        else:
            try:
                done = retention.apply(found, Author(PatientEvent.Channel.COMMAND, credential="apply_retention")).done
            except Refused as refused:
                raise CommandError("Another transaction is changing these rows. Try again.") from refused
        for kind, count in done.items():
            self.stdout.write(f"{kind}: {count}")
