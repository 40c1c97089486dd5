"""The one address that takes a file, and the ticket without which not a byte of it is read.

A ticket is in the address of the form of a page that only a signed-in manager sees. The event loop checks its signature
and asks no database; whether the session still stands, and whose it is, the view asks like any other.
"""

from django.core.signing import BadSignature, TimestampSigner

PREFIX = "/importar/arquivo/"
MAX_BYTES = 65 * 1024 * 1024  # the file, a bit more, and the form around it
SECONDS = 300  # for the whole file: 64 MB at 2 Mbit a second
MAX_AT_ONCE = 2  # of one process: each may fill the disk with MAX_BYTES
TICKET_SECONDS = 3600  # of an open page
SALT = "clinic.server.uploads"


def ticket(user_id: int) -> str:
    """Return a new ticket for this user."""
    return TimestampSigner(salt=SALT).sign(str(user_id))


def is_ticket_of(text: str, user_id: int) -> bool:
    """Return whether it is a ticket of this user that has not run out."""
    return _owner(text) == str(user_id)


def takes_file(path: str) -> bool:
    """Return whether the path is that of an upload, with a ticket that has not run out."""
    return path.startswith(PREFIX) and bool(_owner(path.removeprefix(PREFIX).removesuffix("/")))


def _owner(text: str) -> str:
    try:
        return TimestampSigner(salt=SALT).unsign(text, max_age=TICKET_SECONDS)
    except BadSignature:
        return ""
