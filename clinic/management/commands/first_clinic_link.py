"""Print the link that creates the first clinic, while nobody can sign in yet; `start` prints it as well."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.access import first_clinic


class Command(BaseCommand):
    help = "Prints a link, good once and for a day, that makes the first clinic and its master in the browser."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="where the clinic is open (default: PUBLIC_URL)")

    def handle(self, *, url: str, **options: object) -> None:
        if not first_clinic.is_needed():
            raise CommandError("There are users already: sign in, or make a superuser with manage.py createsuperuser.")
        self.stdout.write(url.rstrip("/") + first_clinic.path())
