"""Look up the rows that a command's arguments name, or fail with one line that explains the problem."""

from django.core.management.base import CommandError
from django.db import ProgrammingError
from psycopg.errors import UndefinedTable

from clinic.models import Clinic, StaffUser
from clinic.models.staff import folded_username


def get_clinic(slug: str) -> Clinic:
    """Return the active clinic with this slug. Raises CommandError.

    Inactive clinics are refused because no credential of theirs would be accepted.
    """
    try:
        clinic = Clinic.objects.real().filter(slug=slug).first()
    except ProgrammingError as error:
        if isinstance(error.__cause__, UndefinedTable):
            raise CommandError(
                "This database has no tables yet. Give the command the server's DATABASE_URL or CLINIC_DATA_DIR."
            ) from error
        raise
    if clinic is None:
        known = ", ".join(Clinic.objects.real().order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(f"There is no clinic {slug!r}. The clinics are: {known or 'none'}")
    if not clinic.active:
        raise CommandError(f"The clinic {slug} is switched off.")
    return clinic


def get_master(username: str) -> StaffUser:
    """Return the active master with this user name, who may release tokens. Raises CommandError."""
    user = StaffUser.objects.select_related("clinic").filter(folded_username=folded_username(username)).first()
    if user is None:
        raise CommandError(f"There is no user {username!r}.")
    if not user.is_active:
        raise CommandError(f"The user {user.username} is switched off.")
    if not user.is_master:
        raise CommandError(f"The user {user.username} is not a master: only a master may release a token.")
    return user
