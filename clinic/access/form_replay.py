"""Detect a form that is sent twice, by the user's last credential event at the time the page was rendered."""

from clinic.models import Clinic, CredentialEvent, StaffUser
from clinic.models.locks import get_locked


class AlreadySubmitted(Exception):
    """The form was sent twice, or the user has acted in another window since the page was rendered."""


def last_event_id(clinic: Clinic, user: StaffUser) -> int:
    """Return the id of this user's last credential event in the clinic, 0 without one. Forms carry it along."""
    events = CredentialEvent.objects.of(clinic).filter(user=user).order_by("-pk")
    return events.values_list("pk", flat=True).first() or 0


def require_unsubmitted(clinic: Clinic, user: StaffUser, seen: str) -> None:
    """Raise AlreadySubmitted unless `seen` is still the id of this user's last event.

    Locks the user's row, so that the second of two clicks waits and sees the event of the first.
    """
    get_locked(StaffUser.objects.filter(pk=user.pk))
    if seen != str(last_event_id(clinic, user)):
        raise AlreadySubmitted
