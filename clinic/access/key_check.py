"""Check that SECRET_KEY is the key of this database.

Under another key all API keys, sessions and stored phone hashes are unknown, and nothing else would report it.
"""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import ProgrammingError, transaction

from clinic.access import secret_keys
from clinic.models import KeyCheck

ROW_ID = 1  # of the only row


class WrongSecretKey(Exception):
    """Neither SECRET_KEY nor one of its fallbacks is the key that this database was created with."""


@transaction.atomic
def require_own_key() -> None:
    """Record the key of a database that has none yet; replace a fallback's check value by the current key's.

    Locks the row. Raises WrongSecretKey.
    """
    present, *older = secret_keys.check_values()
    row, _ = KeyCheck.objects.select_for_update().get_or_create(pk=ROW_ID, defaults={"digest": present})
    if row.digest not in {present, *older}:
        raise WrongSecretKey
    if row.digest != present:
        adopt()


def adopt() -> None:
    """Make the current SECRET_KEY this database's key, whatever it was before.

    The fallback can be removed later. Going back to the old key alone is then refused, as its API keys would be.
    """
    KeyCheck.objects.update_or_create(pk=ROW_ID, defaults={"digest": secret_keys.check_values()[0]})


def system_check(databases: Sequence[str] | None = None, **options: Any) -> list[checks.CheckMessage]:
    """Check the key in `migrate` and `check --database default`, without writing.

    A database without the table is still to be migrated, and passes.
    """
    try:
        row = KeyCheck.objects.filter(pk=ROW_ID).first() if databases else None
    except ProgrammingError:
        return []
    if row is None or row.digest in secret_keys.check_values():
        return []
    hint = "Set the key it was made with, or run manage.py adopt_secret_key (clinic/server/README.md, Changing keys)."
    return [checks.Error("SECRET_KEY does not belong to this database.", hint=hint, id="clinic.E001")]
