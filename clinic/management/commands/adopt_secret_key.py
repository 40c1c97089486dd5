"""Adopt the current SECRET_KEY after the old one was lost or leaked (clinic/server/README.md, Changing keys)."""

from django.core.management import call_command
from django.core.management.base import BaseCommand

from clinic.access import key_check


class Command(BaseCommand):
    help = (
        "Makes the present SECRET_KEY this database's own and rewrites the phone hashes. Sessions, API keys and tokens "
        "that were made under another key, one of SECRET_KEY_FALLBACKS excepted, stay refused."
    )
    # The checks of `database` would refuse exactly the key that is to be adopted.
    requires_system_checks = ()

    def handle(self, *, verbosity: int, **options: object) -> None:
        key_check.adopt()
        call_command("rehash_phones", verbosity=verbosity, stdout=self.stdout)
        if verbosity:
            self.stdout.write("The present SECRET_KEY is this database's own now.")
