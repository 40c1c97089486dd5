"""Errors of a request that occur before any rule of booking is checked; each API has its own messages for them."""

from collections.abc import Callable, Sequence
from enum import Enum, auto

from django.http import HttpResponse


class ErrorCode(Enum):
    HOST_UNKNOWN = auto()
    MALFORMED_AUTHORIZATION = auto()
    INVALID_CREDENTIAL = auto()
    EXPIRED_CREDENTIAL = auto()
    CLINIC_INACTIVE = auto()
    SCOPE_MISSING = auto()
    TOO_MANY_REQUESTS = auto()
    TOO_MANY_PARAMETERS = auto()
    QUERY_NOT_UTF8 = auto()
    PARAMETER_UNKNOWN = auto()
    PARAMETER_REPEATED = auto()
    TOO_LARGE = auto()
    TOO_SLOW = auto()
    NOT_JSON = auto()
    ENCODED = auto()
    NOT_UTF8 = auto()
    KEY_REPEATED = auto()
    UNREADABLE = auto()
    NOT_FOUND = auto()
    METHOD_NOT_ALLOWED = auto()
    IDEMPOTENCY_KEY_MALFORMED = auto()
    IDEMPOTENCY_KEY_REUSED = auto()
    IDEMPOTENCY_IN_PROGRESS = auto()
    ANSWER_ERASED = auto()
    BUSY = auto()
    UNAVAILABLE = auto()
    SERVER_ERROR = auto()


class AfterRollback(Exception):
    """Raised by a view to refuse: what the request wrote is rolled back first, then `answer` is called.

    So no row is locked while free times are sought for the answer.
    """

    def __init__(self, answer: Callable[[], HttpResponse]) -> None:
        super().__init__()
        self.answer = answer


class ApiError(Exception):
    """`retry_after` is in whole seconds, None if a retry is pointless; `detail` is a value for the message, as is
    `known`: the names of the parameters that the address has."""

    def __init__(
        self, code: ErrorCode, *, retry_after: int | None = None, detail: str = "", known: Sequence[str] = ()
    ) -> None:
        super().__init__(code.name)
        self.code = code
        self.retry_after = retry_after
        self.detail = detail
        self.known = known
