"""Delete data stored for a limited time. `start` runs it; a deployment runs it daily (clinic/server/README.md)."""

from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from clinic import exchange
from clinic.access import accesses, idempotency, rate_limit, staff_links
from clinic.access.sessions import SessionStore
from clinic.models import Clinic
from clinic.registry import empty_sandbox, forget_merged_values


class Command(BaseCommand):
    help = (
        "Deletes ended sessions, old request counts, accesses after two years, sign-ins after one, the contents of"
        " sandboxes whose day is over, what an Idempotency-Key kept for STORED_ANSWER_DAYS, links of staff that were"
        " used, withdrawn or have expired a month ago, and the data for undoing a merge of patients, and the rows of"
        " imports, when neither can be undone any more."
    )

    def handle(self, *, verbosity: int, **options: object) -> None:
        SessionStore.clear_expired()
        answers = idempotency.forget(timezone.now() - timedelta(days=settings.STORED_ANSWER_DAYS))
        counts = rate_limit.forget()
        seen = accesses.forget(timezone.now())
        merges = forget_merged_values(timezone.now())
        imports = exchange.forget_rows(timezone.now())
        links = staff_links.forget(timezone.now())
        sandboxes = sum(map(empty_sandbox, Clinic.objects.real()))
        if verbosity:
            self.stdout.write(
                f"Forgotten: {answers} stored answers, {counts} request counts, {seen} accesses, {merges} merges,"
                f" {imports} imports, {links} links, {sandboxes} sandboxes."
            )
