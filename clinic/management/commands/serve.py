"""`manage.py serve`: run the web server of a deployment in the foreground. It prepares nothing; `start` does."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from clinic.access import key_check
from clinic.management.serving import free_address, serve_until_stopped
from clinic.server import MAX_WORKERS, workers_for_this_machine


class Command(BaseCommand):
    # The database may start later than this process; until then requests that need it are answered with 503.
    requires_system_checks = ()

    help = "Serves the clinic to a proxy: worker processes that are replaced when they die, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--workers",
            type=int,
            choices=range(1, MAX_WORKERS + 1),
            default=workers_for_this_machine(),
            help=f"worker processes, 1 to {MAX_WORKERS} (default: one a core)",
        )

    def handle(self, *, host: str, port: int, workers: int, **options: object) -> None:
        address = free_address(host, port)
        require_own_key()
        self.stdout.write(f"Serving at {address}, port {port}, by {workers} worker processes")
        self.stdout.flush()
        serve_until_stopped(address, port, workers)


def require_own_key() -> None:
    """Raise CommandError when SECRET_KEY belongs to another database; do not wait for a database that is down."""
    try:
        problems = key_check.system_check(databases=["default"])
    except OperationalError:
        return
    for problem in problems:
        raise CommandError(f"{problem.msg} {problem.hint}")
