"""The first clinic and its master, made in the browser by the person who can read the terminal.

The link's token is signed, so nothing of it is stored, cleaned up, or given away by a dump: it is good for LIFE and as
long as no user exists, hence once. Two windows wait for the lock of the users' table.
"""

from datetime import timedelta

from django.core import signing
from django.db import connection, transaction
from django.urls import reverse
from django.utils.text import slugify

from clinic.models import Clinic, StaffUser
from clinic.models.limits import max_length

LIFE = timedelta(hours=24)
# A point between the parts: a colon would be escaped in the address.
SIGNER = {"salt": "clinic.access.first_clinic", "sep": "."}
VALUE = "first"


class NotWanted(Exception):
    """Some user exists, so there is nothing to make."""


def is_wanted() -> bool:
    return not StaffUser.objects.exists()


def path() -> str:
    """The page's path with a new token."""
    return reverse("web:first-clinic", query={"link": signing.TimestampSigner(**SIGNER).sign(VALUE)})


def is_good(token: str) -> bool:
    """Whether we signed it, under this key or a fallback, within LIFE."""
    try:
        return signing.TimestampSigner(**SIGNER).unsign(token, max_age=LIFE) == VALUE
    except signing.BadSignature:
        return False


@transaction.atomic
def create(clinic: Clinic, master: StaffUser) -> None:
    """Store both, `clinic` with an identifier of its own and `master` as its master. Raises NotWanted.

    Locks the table of users against every other writer."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE clinic_staffuser IN SHARE ROW EXCLUSIVE MODE")
    if not is_wanted():
        raise NotWanted
    clinic.slug = _free_slug(clinic.name)
    clinic.save()
    master.clinic, master.role = clinic, StaffUser.Role.MASTER
    master.save()


def _free_slug(name):
    """From the name, and numbered if a clinic without users has that one already."""
    longest = max_length(Clinic, "slug") - len("-99")
    slug = slugify(name)[:longest].strip("-") or "clinica"
    candidates = (slug, *(f"{slug}-{number}" for number in range(2, 100)))
    taken = set(Clinic.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(candidate for candidate in candidates if candidate not in taken)
