"""The PIN by which a manager approves, at a colleague's desk, what that colleague may not do alone.

It is hashed like a password, and its tries are counted before it is checked: MAX_WRONG wrong ones within an hour for
one manager and the user who is signed in, since all computers of a clinic may share one address; and for one manager,
from everywhere, as many tries within an hour as a user name has. It opens nothing by itself: who knows it is signed in
already, and every approval names both in the history.
"""

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password

from clinic.access import hashing, rate_limit
from clinic.access.guessing import TooManyTries
from clinic.models import Clinic, StaffUser

SHORTEST, LONGEST = 4, 8
MAX_WRONG = 5
PATIENT_SECONDS = 5  # that a check waits for its turn to hash
ASCENDING, DESCENDING = "01234567890", "09876543210"


class WrongPin(Exception):
    """The PIN is another one, or nobody of that id approves in this clinic by a PIN."""


def is_pin(text: str) -> bool:
    return SHORTEST <= len(text) <= LONGEST and text.isascii() and text.isdigit()


def is_guessable(pin: str) -> bool:
    """Return whether all digits are the same, or each follows the one before, upwards or downwards."""
    return len(set(pin)) == 1 or pin in ASCENDING or pin in DESCENDING


def set_pin(user: StaffUser, pin: str) -> None:
    """Store the hash of the PIN; "" for none."""
    user.pin = make_password(pin) if pin else ""
    user.save(update_fields=["pin"])


def approvers(clinic: Clinic) -> list[StaffUser]:
    """Return the users of the clinic who approve by a PIN, in order of name. One query."""
    return [user for user in StaffUser.objects.of(clinic).exclude(pin="").order_by("name", "pk") if user.may_approve]


def approved_by(clinic: Clinic, approver: int, pin: str, *, asked_by: StaffUser) -> int:
    """Return the id of the manager `approver` of this clinic, whose PIN this is.

    Unknown ids, those who do not approve here and those without a PIN answer like a wrong one, and take as long.
    Raises WrongPin, TooManyTries, and Busy, which does not count as wrong. Must run outside a transaction.
    """
    subject = _asked(approver, asked_by.pk)
    wait = rate_limit.admit_within_hour(subject, MAX_WRONG)
    wait = wait or rate_limit.admit_within_hour(_subject(approver), settings.SIGN_INS_OF_NAME_AN_HOUR)
    if wait:
        raise TooManyTries(wait)
    manager = next((user for user in approvers(clinic) if user.pk == approver), None)
    with hashing.patience(PATIENT_SECONDS):
        if manager is None:
            make_password(pin)  # takes as long as the check
            raise WrongPin
        if not check_password(pin, manager.pin):
            raise WrongPin
    rate_limit.forget_hour(subject)
    return manager.pk


def unlock(user: StaffUser) -> None:
    """Let the user's PIN be tried again at once, at every colleague's desk, and by the user at those of others."""
    colleagues = StaffUser.objects.of(user.clinic_id).values_list("pk", flat=True) if user.clinic_id else ()
    pairs = [_asked(*pair) for pk in colleagues for pair in ((user.pk, pk), (pk, user.pk))]
    rate_limit.forget_hour(_subject(user.pk), *pairs)


def _subject(approver: int) -> str:
    return f"pin of {approver}"


def _asked(approver: int, asked_by: int) -> str:
    return f"{_subject(approver)} asked by {asked_by}"
