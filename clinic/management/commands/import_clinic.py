"""Bring a clinic that `export_clinic` or the page has written into an empty installation."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.access import staff_links
from clinic.exchange import archive
from clinic.models import AppointmentEvent, Clinic, StaffUser
from clinic.registry import Author

LEADERS = [StaffUser.Role.MASTER, StaffUser.Role.MANAGER]


class Command(BaseCommand):
    help = (
        "Brings a clinic from an archive into an installation that has been migrated and has no clinic and no user yet:"
        " all of it or nothing, with its ids. Run it as the owner of the tables, while the clinic is closed. Nobody can"
        " sign in until invited again: it prints the links of masters and managers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="where the clinic is open (default: PUBLIC_URL)")

    def handle(self, *, file: Path, url: str, verbosity: int, **options: Any) -> None:
        try:
            with file.open("rb") as source:
                brought = archive.read_archive(source)
        except archive.ArchiveRefused as refused:
            raise CommandError(f"Nothing was written. {refused}") from refused
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        by = Author(AppointmentEvent.Channel.COMMAND, credential="import_clinic")
        archive.record_import(brought.clinic, brought.made_at, by)
        if verbosity:
            made_at = f"{brought.clinic.local(brought.made_at):%Y-%m-%d %H:%M}"
            self.stdout.write(f"{brought.clinic.name}, as it was at {made_at}: {sum(brought.counts.values())} rows.")
        self._invite(brought.clinic, url.rstrip("/"))

    def _invite(self, clinic: Clinic, url: str) -> None:
        leaders = StaffUser.objects.of(clinic).filter(role__in=LEADERS).order_by("pk")
        for user in leaders:
            link, secret = staff_links.invite_again(user, clinic=clinic, by=None)
            self.stdout.write(f"{link.name} ({user.role}): {url}{staff_links.path(secret)}")
        if not leaders:
            self.stdout.write("No master or manager came along: make a user with manage.py createsuperuser.")
