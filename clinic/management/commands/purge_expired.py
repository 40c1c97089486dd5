"""Forgets what is kept for a while only. `start` runs it; a deployment runs it once a day (README, Deploying)."""

from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from clinic.access import idempotency, rate_limit


class Command(BaseCommand):
    help = "Deletes answers that an Idempotency-Key kept for longer than STORED_ANSWER_DAYS, and old request counts."

    def handle(self, *, verbosity, **options):
        answers = idempotency.forget(timezone.now() - timedelta(days=settings.STORED_ANSWER_DAYS))
        counts = rate_limit.forget()
        if verbosity:
            self.stdout.write(f"Forgotten: {answers} stored answers, {counts} request counts.")
