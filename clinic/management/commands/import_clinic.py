"""Bring a clinic that `export_clinic` or the page has written into an empty installation."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from clinic.access import staff_links
from clinic.exchange import archive
from clinic.models import AppointmentEvent, StaffUser
from clinic.registry import Author


class Command(BaseCommand):
    help = (
        "Brings a clinic from an archive into an installation that has been migrated and has no clinic and no user yet:"
        " all of it or nothing, with its ids. Run it as the owner of the tables, while the clinic is closed. Nobody can"
        " sign in until invited again: the team is, and the links of masters and managers are printed, who release"
        " those of the others on the page Equipe."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="where the clinic is open (default: PUBLIC_URL)")

    def handle(self, *, file: Path, url: str, verbosity: int, **options: Any) -> None:
        try:
            with file.open("rb") as source, transaction.atomic():
                brought = archive.read_archive(source)
                by = Author(AppointmentEvent.Channel.COMMAND, credential="import_clinic")
                archive.record_import(brought.clinic, brought.made_at, by)
                invited = _invite(brought)
        except archive.ArchiveRefused as refused:
            raise CommandError(f"Nothing was written. {refused}") from refused
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        if verbosity:
            made_at = f"{brought.clinic.local(brought.made_at):%Y-%m-%d %H:%M}"
            self.stdout.write(f"{brought.clinic.name}, as it was at {made_at}: {sum(brought.counts.values())} rows.")
        self._print(invited, url.rstrip("/"))

    def _print(self, invited: list[tuple[StaffUser, str]], url: str) -> None:
        leaders = [(user, secret) for user, secret in invited if user.is_manager]
        for user, secret in leaders:
            self.stdout.write(f"{user.name} ({user.role}): {url}{staff_links.path(secret)}")
        if not leaders:
            self.stdout.write("No master or manager came along: make a user with manage.py createsuperuser.")
        if others := len(invited) - len(leaders):
            self.stdout.write(f"{others} more are invited: release their links on the page Equipe.")


def _invite(brought: archive.Brought) -> list[tuple[StaffUser, str]]:
    """Invite who was in the team, not who has left; return each user with the secret of the invitation."""
    team = StaffUser.objects.of(brought.clinic).filter(pk__in=brought.team).order_by("pk")
    return [(user, staff_links.invite_again(user, clinic=brought.clinic, by=None)[1]) for user in team]
