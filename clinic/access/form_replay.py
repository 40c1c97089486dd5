"""One form, one act: what somebody did with credentials since the form was drawn tells that it has been sent before."""

from clinic.models import Clinic, CredentialEvent, StaffUser
from clinic.models.locks import get_locked


class Repeated(Exception):
    """Sent twice, or from a page that does not show yet what its reader has done in another window."""


def newest(clinic: Clinic, user: StaffUser) -> int:
    """The id of this user's last act in the clinic, 0 before the first; a form takes it along."""
    events = CredentialEvent.objects.of(clinic).filter(user=user).order_by("-pk")
    return events.values_list("pk", flat=True).first() or 0


def require_first(clinic: Clinic, user: StaffUser, seen: str) -> None:
    """Raises Repeated unless `seen` is still this user's last act. Locks the user's row, so that of two clicks the
    second waits and sees what the first has done."""
    get_locked(StaffUser.objects.filter(pk=user.pk))
    if seen != str(newest(clinic, user)):
        raise Repeated
