"""Whether SECRET_KEY is the key of this database. Under another one no API key, session or stored phone hash is known
again, and without this check nothing would show it."""

from django.core import checks
from django.db import ProgrammingError, transaction

from clinic.access import secret_keys
from clinic.models import KeyCheck

ONE = 1  # the only row's id


class WrongSecretKey(Exception):
    """Neither SECRET_KEY nor one of its fallbacks is the key this database was made with."""


@transaction.atomic
def require_own_key() -> None:
    """Record the key of a database that has none yet. One that a fallback has brought here belongs to the present key
    from now on. Locks the row. Raises WrongSecretKey."""
    present, *older = secret_keys.check_values()
    row, _ = KeyCheck.objects.select_for_update().get_or_create(pk=ONE, defaults={"digest": present})
    if row.digest not in {present, *older}:
        raise WrongSecretKey
    if row.digest != present:
        adopt()


def adopt() -> None:
    """Make the present SECRET_KEY this database's own, whatever it was made with.

    The fallback can be taken out later. Going back to the old key alone is then refused, as its API keys would be."""
    KeyCheck.objects.update_or_create(pk=ONE, defaults={"digest": secret_keys.check_values()[0]})


def system_check(databases=None, **options) -> list[checks.CheckMessage]:
    """For `migrate` and `check --database default`; writes nothing. A database without the table is yet to be made."""
    try:
        row = KeyCheck.objects.filter(pk=ONE).first() if databases else None
    except ProgrammingError:
        return []
    if row is None or row.digest in secret_keys.check_values():
        return []
    hint = "Set the key it was made with, or run manage.py adopt_secret_key (clinic/server/README.md, Changing keys)."
    return [checks.Error("SECRET_KEY does not belong to this database.", hint=hint, id="clinic.E001")]
