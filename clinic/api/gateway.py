"""Handle what all requests of both APIs share, in this order: credential, rate limit, body, kept answer.

An API subclasses Door with its own credentials and its own words, and puts it around each of its routes. What holds for
every request is written here once, so that a new operation cannot forget it.
"""

import logging
import time
from dataclasses import dataclass, field
from functools import wraps
from typing import ClassVar
from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.http import HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, re_path
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI

from clinic import refusals, transactions
from clinic.access import idempotency, rate_limit
from clinic.access.addresses import client_address
from clinic.api.errors import AfterRollback, Problem, Refused
from clinic.api.reading import WRITES, read_body, read_json, read_query
from clinic.booking import Author
from clinic.models import AccessToken, ApiKey, Clinic, StoredAnswer

log = logging.getLogger("clinic.api")

JSON = "application/json"
FAILURES = {Problem.MALFORMED_AUTHORIZATION, Problem.INVALID_CREDENTIAL, Problem.EXPIRED_CREDENTIAL}
CONFLICT = 409
REPLAYED = "Idempotency-Replayed"
UNAVAILABLE_SECONDS = 5


@dataclass(frozen=True)
class Caller:
    """Who asks. `who` is what the log calls them; a test key's caller `writes` nothing."""

    clinic: Clinic
    author: Author
    credential: AccessToken | ApiKey
    who: str
    writes: bool = True


@dataclass
class Visit:
    """One request on its way through the door; `request.visit`. `payload` is what the JSON `body` of a write holds."""

    id: UUID = field(default_factory=uuid4)
    caller: Caller | None = None
    admission: rate_limit.Admission | None = None
    body: bytes = b""
    payload: object = None


class Bearer:
    """Return the authenticated caller to ninja, and declare in the OpenAPI document that a credential is required."""

    openapi_security_schema: ClassVar = {"type": "http", "scheme": "bearer"}

    def __call__(self, request):
        return request.visit.caller


def bearer(request) -> str:
    """The credential in the header `Authorization: Bearer …`. Raises Refused."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Refused(Problem.MALFORMED_AUTHORIZATION)
    return credential.strip()


class Api(NinjaAPI):
    """An API behind a door: it answers what it has a handler for, and leaves every other exception to the door.

    Bodies are `request.visit.payload`, read by the door; ninja reads none."""

    def __init__(self, **options):
        super().__init__(openapi_url=None, docs_url=None, auth=Bearer(), **options)

    def set_default_exception_handlers(self):
        """None of ninja's own."""


class Door:
    """`credential` names, among stored answers, those of this API."""

    credential: str

    def authenticate(self, request) -> Caller:
        """Raises Refused."""
        raise NotImplementedError

    def permit(self, request) -> None:
        """Whether this caller may ask for this at all; nothing of the request has been read yet. Raises Refused."""

    def refuse(self, request, refused: Refused) -> HttpResponse:
        """The refusal in this API's words."""
        raise NotImplementedError

    def finish(self, request, response: HttpResponse) -> None:
        """Put this API's headers on an answer."""

    def __call__(self, view):
        """The view behind the door. It must answer whatever happens: nothing it raises reaches Django."""

        @csrf_exempt  # the credential is in a header, which no other site can make a browser send
        @login_not_required
        @wraps(view)
        def guarded(request, *args, **kwargs):
            began = time.perf_counter()
            request.visit = Visit()
            response = self._answer(request, lambda: view(request, *args, **kwargs))
            self.finish(request, response)
            self._log(request, response, time.perf_counter() - began)
            response._has_been_logged = True  # or Django would log the address of what it finds wrong
            return response

        return guarded

    def routes(self, api: NinjaAPI) -> list[URLPattern]:
        """The API's routes, each behind the door, and a 404 of its own for every other address below."""
        patterns = [each for each in api.urls[0] if each.name != "api-root"]
        for pattern in patterns:
            pattern.callback = self(pattern.callback)
        return [*patterns, re_path("", self(_not_found))]

    def _answer(self, request, work):
        visit = request.visit
        try:
            visit.caller = self._authenticated(request)
            visit.admission = visit.caller.credential.admission
            if not visit.admission.admitted:
                raise Refused(Problem.TOO_MANY_REQUESTS, retry_after=visit.admission.wait)
            self.permit(request)
            read_query(request)
            if request.method in WRITES:
                visit.body = read_body(request)
                visit.payload = read_json(visit.body, request.content_type)
            request.clinic = visit.caller.clinic
            with timezone.override(request.clinic.zone), translation.override(request.clinic.language):
                response = self._written(request, work) if request.method in WRITES else _answered(work)
            if isinstance(response, HttpResponseNotAllowed):
                raise Refused(Problem.METHOD_NOT_ALLOWED, detail=response["Allow"])
            return response
        except Refused as refused:
            response = self.refuse(request, refused)
            if refused.problem is Problem.METHOD_NOT_ALLOWED:
                response["Allow"] = refused.detail
            return response
        except refusals.Refused:  # with TRY_AGAIN: every other refusal the API has answered itself
            return self.refuse(request, Refused(Problem.BUSY, retry_after=1))
        except Exception as error:  # whatever it is, a program is answered in its API's words, never with a page
            log.exception("Request %s", visit.id)
            return self.refuse(request, _unexpected(error))

    def _authenticated(self, request):
        try:
            return self.authenticate(request)
        except Refused as refused:
            if refused.problem in FAILURES:
                admission = rate_limit.admit_failure(client_address(request))
                if not admission.admitted:
                    raise Refused(Problem.TOO_MANY_REQUESTS, retry_after=admission.wait) from refused
            raise

    def _written(self, request, work):
        """Run one transaction around the write and the answer that is kept of it; a refused write leaves nothing.

        The acts of booking are parts of it; after a conflict all of it is done once more."""
        again, caller = self._again(request), request.visit.caller
        keeps = again is not None and caller.writes

        def once():
            claimed = _claimed(again) if keeps else None
            if isinstance(claimed, StoredAnswer):
                return _replayed(claimed)
            response = work()
            if response.status_code >= 400 or not caller.writes:
                transaction.set_rollback(True)
            elif keeps:
                idempotency.keep(claimed, response.status_code, response.content.decode())
            return response

        response = _answered(lambda: transactions.run_as_one(once))
        if keeps and response.status_code == CONFLICT and REPLAYED not in response:
            return self._kept_refusal(again, response)
        return response

    def _again(self, request):
        if "Idempotency-Key" not in request.headers:
            return None
        try:
            key = idempotency.checked_key(request.headers["Idempotency-Key"])
        except idempotency.MalformedKey as error:
            raise Refused(Problem.IDEMPOTENCY_KEY_MALFORMED) from error
        asked = request.method, request.get_full_path(), request.visit.body
        return idempotency.Request(request.visit.caller.clinic, self.credential, key, *asked)

    def _kept_refusal(self, again, response):
        """A decided conflict is an answer like any other. The work that it undid took the claim with it: if a twin
        was quicker to claim it anew, the twin's answer is everybody's; if another request was, this answer is not kept.
        """
        try:
            with transaction.atomic():
                claimed = _claimed(again)
                if not isinstance(claimed, int):
                    return _replayed(claimed)
                idempotency.keep(claimed, response.status_code, response.content.decode())
        except Refused as refused:
            if refused.problem is not Problem.IDEMPOTENCY_KEY_REUSED:
                raise
        return response

    def _log(self, request, response, seconds):
        """By route, never by address: addresses hold patients' numbers."""
        visit = request.visit
        log.info(
            "%s %s /%s %s %.0f ms %s %s",
            self.credential,
            request.method,
            request.resolver_match.route,
            response.status_code,
            seconds * 1000,
            visit.id,
            visit.caller.who if visit.caller else "-",
        )


def _answered(work):
    try:
        return work()
    except AfterRollback as refused:
        return refused.answer()


def _unexpected(error):
    """The database is away, or a row was held; anything else is a fault of ours."""
    if isinstance(error, IntegrityError | OperationalError) and transactions.is_transient(error):
        return Refused(Problem.BUSY, retry_after=1)
    if isinstance(error, OperationalError | InterfaceError):
        return Refused(Problem.UNAVAILABLE, retry_after=UNAVAILABLE_SECONDS)
    return Refused(Problem.SERVER_ERROR)


def _not_found(request):
    raise Refused(Problem.NOT_FOUND)


def _claimed(again):
    try:
        return idempotency.claim(again)
    except idempotency.KeyReused as error:
        raise Refused(Problem.IDEMPOTENCY_KEY_REUSED) from error
    except idempotency.InProgress as error:
        raise Refused(Problem.IDEMPOTENCY_IN_PROGRESS, retry_after=1) from error


def _replayed(stored):
    response = HttpResponse(stored.body, content_type=JSON, status=stored.status)
    response[REPLAYED] = "true"
    return response
