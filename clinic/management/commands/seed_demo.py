"""Create two demo clinics with a day in full swing."""

from collections import Counter
from datetime import timedelta
from random import Random

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from clinic.local.output import print_line
from clinic.management.demo import DEMO_SLUGS, real_clinics
from clinic.management.demo.access import access_file, create_users, write_access_file
from clinic.management.demo.clinics import CLINICS, DemoClinic
from clinic.management.demo.memos import write_memos
from clinic.management.demo.recalls import remind_some
from clinic.management.demo.rows import set_up
from clinic.management.demo.story import Story
from clinic.management.demo.visits import Book
from clinic.management.demo.waiting import put_some
from clinic.models import Appointment, Clinic, StaffUser
from clinic.models.staff import folded_username

LOCK = 7_365_102  # of pg_advisory_xact_lock: a number used for nothing else


class Command(BaseCommand):
    help = "Creates the demo clinics (Recife and Lisbon) with users, patients and seven weeks of appointments."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--past-weeks", type=int, default=3)
        parser.add_argument("--coming-weeks", type=int, default=4)

    def handle(self, *, past_weeks: int, coming_weeks: int, verbosity: int, **options: object) -> None:
        self.is_quiet = verbosity == 0
        if real := real_clinics():
            raise CommandError(f"This database holds a real clinic ({real[0].name}): nothing was added.")
        with transaction.atomic():
            self._take_lock()
            if Clinic.objects.filter(slug__in=DEMO_SLUGS).exists():
                self._report_existing_demo()
                return
            self._require_free_usernames()
            passwords: dict[str, str] = {}
            for demo in CLINICS:
                passwords |= self._seed(demo, timedelta(weeks=past_weeks), timedelta(weeks=coming_weeks))
            write_access_file(passwords)
        self._print(f"Sign-ins: {access_file()}")

    def _take_lock(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                raise CommandError("Another seed_demo is at work on this database.")

    def _require_free_usernames(self) -> None:
        names = [user.username for demo in CLINICS for user in demo.users]
        if taken := StaffUser.objects.filter(folded_username__in=map(folded_username, names)).first():
            raise CommandError(f"There is a user named {taken.username} already, and the demo needs that name.")

    def _print(self, line: str) -> None:
        if not self.is_quiet:
            print_line(self.stdout, line)

    def _report_existing_demo(self) -> None:
        self._print("The demo clinics exist already: nothing was changed.")
        if not access_file().exists():
            users = StaffUser.objects.filter(clinic__slug__in=DEMO_SLUGS).order_by("pk")
            names = ", ".join(user.username for user in users)
            self._print(f"{access_file()} is gone. New passwords: manage.py changepassword USER ({names})")

    def _seed(self, demo: DemoClinic, past: timedelta, coming: timedelta) -> dict[str, str]:
        """Create one clinic from `past` ago to `coming` ahead; return its users' passwords by user name."""
        now = timezone.now()
        rng = Random(f"{demo.slug} {now:%Y-%m-%d}")  # noqa: S311 - a demo that looks the same all day
        registry = set_up(demo, now, rng)
        passwords = create_users(registry.clinic, demo)
        self._print(f"{registry.clinic.name}: {len(registry.doctors)} doctors, {len(registry.patients)} patients")
        today = registry.clinic.local(now).date()
        receptionist = StaffUser.objects.get(username=demo.users[0].username)
        write_memos(registry, receptionist, now)
        story = Story(registry, receptionist, now, rng)
        story.write(Book(registry, today, rng).fill(today - past, today + coming))
        for done, _ in enumerate(story.run(), 1):
            if done % 1000 == 0:
                self._print(f"  {done} acts of the front desk …")
        put_some(registry.clinic, story.desk, now)
        remind_some(registry.clinic, story.desk, now)
        self._print_summary(registry.clinic)
        return passwords

    def _print_summary(self, clinic: Clinic) -> None:
        statuses = Counter(Appointment.objects.of(clinic).values_list("status", flat=True))
        labels = dict(Appointment.Status.choices)
        counts = ", ".join(f"{labels[status]} {count}" for status, count in statuses.most_common())
        self._print(f"  {statuses.total()} appointments: {counts}")
