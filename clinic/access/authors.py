"""The author of what a request changes, for PostgreSQL's triggers that note it (`clinic.models.row_change`).

Whatever writes into a noted table passes here, since every statement does: one that would is preceded by another that
sets `clinic.author` for its transaction. Outside a transaction it gets one of its own; nothing outlives it, so that the
next request of the pooled connection has no author by mistake."""

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from clinic.access.middleware import GetResponse
from clinic.models import PatientEvent, StaffUser
from clinic.models.row_change import NOTED_TABLES

SET_AUTHOR_SQL = "SELECT set_config('clinic.author', %s, true)"
WRITE = re.compile(r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?"?(\w+)', re.IGNORECASE)


class AuthorMiddleware:
    """Give PostgreSQL the author of what a request changes. The innermost but one: user and program are known when a
    statement runs, not before."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = uuid4()

        def with_author(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
            if not is_noted(sql) or _is_unknown_program(request):
                return execute(sql, params, many, context)
            with nullcontext() if connection.in_atomic_block else transaction.atomic():
                execute(SET_AUTHOR_SQL, [json.dumps(_author(request, request_id))], False, context)
                return execute(sql, params, many, context)

        with connection.execute_wrapper(with_author):
            return self.get_response(request)


def note_as(request: HttpRequest, user: StaffUser) -> None:
    """Note what the request changes from now on as this user's, who is not signed in yet."""
    vars(request)["noted_user"] = user


def _is_unknown_program(request: HttpRequest) -> bool:
    """Return whether it is a request of an API whose key is still looked up, which notes when it was used. There is no
    user to ask for: reading `request.user` would read a session."""
    return request.path_info.lower().startswith(settings.PROGRAMS) and getattr(request, "caller", None) is None


@lru_cache(maxsize=4096)
def is_noted(statement: str) -> bool:
    """Return whether the statement writes into a noted table."""
    return any(table in NOTED_TABLES for table in WRITE.findall(statement))


def _author(request: HttpRequest, request_id: UUID) -> dict[str, Any]:
    """Return what clinic_note_row reads: channel, user, credential, the id of the request, and the instant."""
    author: dict[str, Any] = {"at": timezone.now().isoformat(), "request": str(request_id)}
    if caller := getattr(request, "caller", None):
        by, call = caller.author, getattr(request, "call", None)
        user = by.user.pk if by.user else None
        author |= {"channel": by.channel, "user": user, "credential": by.credential}
        return author | ({"request": str(call.id)} if call else {})
    in_admin = request.resolver_match is not None and request.resolver_match.namespace == "admin"
    channel = PatientEvent.Channel.ADMIN if in_admin else PatientEvent.Channel.BROWSER
    # Who signs in is known only afterwards, and changes nothing that is noted.
    user = getattr(request, "noted_user", None) or getattr(request, "user", None)
    return author | {"channel": channel, "user": user.pk if user else None, "credential": ""}
