"""Create a MiviCall key for a script, as the master does in Integrações."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.access import api_keys
from clinic.management.lookup import get_clinic
from clinic.models import ApiKey, CredentialEvent
from clinic.models.limits import max_length
from clinic.models.names import has_letter


class Command(BaseCommand):
    help = "Creates a MiviCall API key and prints it, and nothing else, on standard output. It is shown only this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clinic", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, help="who will use it, as the list of keys shows it")
        parser.add_argument(
            "--scopes",
            default=",".join(ApiKey.Scope.values),
            metavar="A,B",
            help="what it may do, comma-separated (default: everything, %(default)s)",
        )
        parser.add_argument(
            "--source",
            default=ApiKey.Source.SYNC_EXTERNAL.value,
            help=f"what its bookings are marked with: {', '.join(ApiKey.Source.values)} (default: %(default)s)",
        )
        parser.add_argument("--test", action="store_true", help="a key that acts in a sandbox of the clinic")

    def handle(self, *, clinic: str, name: str, scopes: str, source: str, test: bool, **options: object) -> None:
        _, secret = api_keys.create(
            get_clinic(clinic),
            name=_name(name),
            scopes=_scopes(scopes),
            source=_source(source),
            is_live=not test,
            by=None,
            channel=CredentialEvent.Channel.COMMAND,
        )
        self.stdout.write(secret)


def _name(text: str) -> str:
    """Return the name without blanks around it. Raises CommandError."""
    longest = max_length(ApiKey, "name")
    name = text.strip()
    if not (0 < len(name) <= longest and name.isprintable() and has_letter(name)):
        raise CommandError(f"A name has from 1 to {longest} printable characters, one of them a letter.")
    return name


def _scopes(text: str) -> list[str]:
    """Return the scopes without duplicates, in the model's order. Raises CommandError."""
    names = {scope.strip() for scope in text.split(",") if scope.strip()}
    if unknown := sorted(names - set(ApiKey.Scope.values)):
        raise CommandError(f"Unknown scope: {', '.join(unknown)}. The scopes are: {', '.join(ApiKey.Scope.values)}")
    if not names:
        raise CommandError("A key needs at least one scope.")
    return [scope for scope in ApiKey.Scope.values if scope in names]


def _source(text: str) -> str:
    """Return the source unchanged. Raises CommandError."""
    if text not in ApiKey.Source.values:
        raise CommandError(f"Unknown source: {text}. The sources are: {', '.join(ApiKey.Source.values)}")
    return text
