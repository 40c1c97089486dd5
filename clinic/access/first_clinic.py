"""Create the first clinic and its master in the browser, by a link that is printed in the terminal.

The token in the link is signed, so it is not stored, cleaned up or revealed by a dump. It is valid for LIFE and only
while no user exists, so it works once. Two windows wait for the lock of the users' table.
"""

from datetime import timedelta

from django.core import signing
from django.db import connection, transaction
from django.urls import reverse
from django.utils.text import slugify

from clinic.models import Clinic, StaffUser
from clinic.models.limits import max_length

LIFE = timedelta(hours=24)
SALT = "clinic.access.first_clinic"
VALUE = "first"


class NotNeeded(Exception):
    """A user exists, so the first clinic cannot be created any more."""


def is_needed() -> bool:
    """Return whether no user exists yet."""
    return not StaffUser.objects.exists()


def path() -> str:
    """Return the path of the page, with a new token."""
    return reverse("web:first-clinic", query={"link": _signer().sign(VALUE)})


def is_good(token: str) -> bool:
    """Return whether the token was signed by us, with this key or a fallback, within LIFE."""
    try:
        return _signer().unsign(token, max_age=LIFE) == VALUE
    except signing.BadSignature:
        return False


@transaction.atomic
def create(clinic: Clinic, master: StaffUser) -> None:
    """Store the clinic with a unique slug, and `master` as its master. Raises NotNeeded.

    Locks the table of users against every other writer.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE clinic_staffuser IN SHARE ROW EXCLUSIVE MODE")
    if not is_needed():
        raise NotNeeded
    clinic.slug = free_slug(clinic.name)
    clinic.save()
    master.clinic, master.role = clinic, StaffUser.Role.MASTER
    master.save()


def _signer() -> signing.TimestampSigner:
    # A separator that needs no escaping in a URL, unlike the default colon.
    return signing.TimestampSigner(salt=SALT, sep=".")


def usual_slug(name: str) -> str:
    """Return the slug of a name, as long as there is no other."""
    return slugify(name)[: max_length(Clinic, "slug")].strip("-") or "clinica"


def free_slug(name: str) -> str:
    """Make a slug from the name, with a number when a clinic without users has it already."""
    longest = max_length(Clinic, "slug") - len("-99")
    slug = usual_slug(name)[:longest].strip("-")
    candidates = (slug, *(f"{slug}-{number}" for number in range(2, 100)))
    taken = set(Clinic.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(candidate for candidate in candidates if candidate not in taken)
