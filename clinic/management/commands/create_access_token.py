"""Release an ImageMais access token for a script, as the master does in Integrações."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.access import access_tokens
from clinic.management.lookup import get_clinic, get_master
from clinic.models import Clinic, CredentialEvent, StaffUser


class Command(BaseCommand):
    help = "Releases an ImageMais access token and prints it, and nothing else, on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", required=True, help="the master who answers for it")
        parser.add_argument("--clinic", metavar="SLUG", help="which clinic, when the user is a superuser")

    def handle(self, *, username: str, clinic: str | None, **options: object) -> None:
        user = get_master(username)
        _, token = access_tokens.release(_clinic_of(user, clinic), user, channel=CredentialEvent.Channel.COMMAND)
        self.stdout.write(token)


def _clinic_of(user: StaffUser, slug: str | None) -> Clinic:
    """Return the clinic with this slug, or else the user's. Raises CommandError."""
    own_slug = user.clinic.slug if user.clinic else None
    if (chosen := slug or own_slug) is None:
        raise CommandError(f"The user {user.username} works for every clinic: say which with --clinic SLUG.")
    clinic = get_clinic(chosen)
    if not user.is_superuser and user.clinic != clinic:
        raise CommandError(f"The user {user.username} is of another clinic than {slug}.")
    return clinic
