"""Insert millions of appointments by COPY, to measure with."""

import time

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.management.demo import bulk, real_clinics


class Command(BaseCommand):
    help = "Fills a clinic of its own with appointments, to measure with. Never on a database that holds a real clinic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--appointments", type=int, required=True, help="how many the clinic holds afterwards")

    def handle(self, *, appointments: int, **options: object) -> None:
        if real := real_clinics():
            raise CommandError(f"This database holds a real clinic ({real[0].name}): nothing was added.")
        clinic = bulk.load_clinic()
        began, added = time.monotonic(), 0
        for count in bulk.fill(clinic, appointments):
            added += count
            rate = added / (time.monotonic() - began)
            self.stdout.write(f"  {added} appointments, {rate:.0f}/s, {3 * rate:.0f} rows/s")
            self.stdout.flush()
        self.stdout.write(f"{clinic.name}: {added} appointments added, each with a line and an event.")
