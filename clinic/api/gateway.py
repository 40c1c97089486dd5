"""Handle what all requests of both APIs share, in this order: credential, rate limit, query, body, kept answer.

An API subclasses Gateway with its own credentials and its own messages, and wraps each of its views in it. Rules of
every request are written here once, so that a new operation cannot forget them.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedHost
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, URLPattern, path, re_path
from django.utils import timezone, translation
from django.utils.csp import CSP
from django.views.decorators.cache import cache_control
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI

from clinic import refusals, transactions
from clinic.access import idempotency
from clinic.access.addresses import client_address
from clinic.access.rate_limit import RateLimitStatus, admit_failure
from clinic.api.errors import AfterRollback, ApiError, ErrorCode
from clinic.api.reading import WRITES, check_parameters, read_body, read_json, read_query
from clinic.booking import Author
from clinic.models import Clinic, StoredAnswer

log = logging.getLogger("clinic.api")

JSON = "application/json"
AUTHENTICATION_FAILURES = {
    ErrorCode.MALFORMED_AUTHORIZATION,
    ErrorCode.INVALID_CREDENTIAL,
    ErrorCode.EXPIRED_CREDENTIAL,
}
CONFLICT = 409
REPLAYED_HEADER = "Idempotency-Replayed"
UNAVAILABLE_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The program that sent a request. The log calls it `log_name`; the clinic of a test key is a sandbox."""

    clinic: Clinic
    author: Author
    log_name: str
    rate_limit: RateLimitStatus


@dataclass
class ApiCall:
    """The state of one request in the gateway: its id, and the values read so far.

    `caller` is None until the credential is found valid. `payload` is the value of the JSON `body` of a write.
    """

    id: UUID = field(default_factory=uuid4)
    caller: Caller | None = None
    body: bytes = b""
    payload: Any = None


class ApiRequest(HttpRequest):
    """A request of an API. `caller` and `clinic` are set before a view runs."""

    call: ApiCall
    caller: Caller
    clinic: Clinic
    resolver_match: ResolverMatch


type View = Callable[..., HttpResponse]
type Work = Callable[[], HttpResponse]
# By the methods of an address: the names of the query's parameters, and whether each may be repeated.
type Parameters = Mapping[str, Mapping[str, bool]]


class Bearer:
    """Return the authenticated caller to ninja, and declare in the OpenAPI document that a credential is required."""

    openapi_security_schema: ClassVar = {"type": "http", "scheme": "bearer"}

    def __call__(self, request: ApiRequest) -> Caller:
        return request.caller


def bearer(request: HttpRequest) -> str:
    """Return the credential in the header `Authorization: Bearer …`. Raises ApiError."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise ApiError(ErrorCode.MALFORMED_AUTHORIZATION)
    return credential.strip()


class Api(NinjaAPI):
    """An API behind a gateway: it answers what it has a handler for, and leaves other exceptions to the gateway.

    Bodies are `request.call.payload`, read by the gateway; ninja reads none.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(openapi_url=None, docs_url=None, auth=Bearer(), **options)

    def set_default_exception_handlers(self) -> None:
        """Set none of ninja's own."""


class Gateway[R: ApiRequest]:
    """Wraps the views of an API; `credential` is the name of the API among stored answers and in the log."""

    credential: StoredAnswer.Credential
    put_is_patch = False  # clients of ImageMais use either; its documentation names neither

    def authenticate(self, request: R) -> Caller:
        """Return the caller, whose request is counted. Raises ApiError."""
        raise NotImplementedError

    def authorize(self, request: R) -> None:
        """Check that the caller may send this request, of which nothing has been read yet. Raises ApiError."""

    def error_response(self, request: R, error: ApiError) -> HttpResponse:
        """Return the error in this API's words."""
        raise NotImplementedError

    def __call__(self, view: View, parameters: Parameters | None = None) -> View:
        """Wrap a view that answers these methods, with None any. The wrapper answers every exception: none reaches
        Django. HEAD is answered as GET is, without the body."""

        @csrf_exempt  # the credential is in a header, which no other site can make a browser send
        @login_not_required
        @cache_control(no_store=True)
        @csp_override({"default-src": [CSP.NONE], "frame-ancestors": [CSP.NONE]})  # an answer is no page
        @wraps(view)
        def wrapper(request: R, *args: Any, **kwargs: Any) -> HttpResponse:
            started = time.perf_counter()
            request.call = ApiCall()
            is_head = request.method == "HEAD"
            request.method = self._method(request, parameters or {})
            response = self._respond(request, lambda: view(request, *args, **kwargs), parameters)
            request.method = "HEAD" if is_head else request.method
            _add_headers(request.call, response)
            self._log(request, response, time.perf_counter() - started)
            # Stops Django's own request log, which would write addresses: they contain ids of patients.
            response._has_been_logged = True  # type: ignore[attr-defined]  # private to Django
            return response

        return wrapper

    def _method(self, request: R, parameters: Parameters) -> str | None:
        """Return the method by which the request is answered."""
        if request.method == "PUT" and self.put_is_patch and "PATCH" in parameters:
            return "PATCH"
        return "GET" if request.method == "HEAD" else request.method

    def routes(self, api: NinjaAPI) -> list[URLPattern]:
        """Return the API's routes, each wrapped, and one that answers 404 to every other address below.

        Each has a second one that ends with a slash, as the vendors' servers take both."""
        patterns = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern)]
        routes = [pattern for pattern in patterns if pattern.name != "api-root"]
        parameters = _parameters_by_route(api)
        for pattern in routes:
            pattern.callback = self(pattern.callback, parameters[str(pattern.pattern)])
        with_slash = [path(f"{pattern.pattern}/", pattern.callback) for pattern in routes]
        return [*routes, *with_slash, re_path("", self.refuse)]

    @property
    def refuse(self) -> View:
        """A view that answers 404, or why the request is refused before any address is looked for."""
        return self(_not_found)

    def _respond(self, request: R, work: Work, parameters: Parameters | None) -> HttpResponse:
        call = request.call
        try:
            _check_host(request)
            call.caller = request.caller = self._authenticate(request)
            if not request.caller.rate_limit.admitted:
                raise ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=request.caller.rate_limit.wait)
            _check_method(request, parameters)
            self.authorize(request)
            read_query(request)
            if parameters is not None:
                check_parameters(request, parameters[request.method or ""])
            if request.method in WRITES:
                call.body = read_body(request)
                call.payload = read_json(call.body, request)
            request.clinic = request.caller.clinic
            with timezone.override(request.clinic.zone), translation.override(request.clinic.language):
                return self._write(request, work) if request.method in WRITES else _run(work)
        except ApiError as error:
            response = self.error_response(request, error)
            if error.code is ErrorCode.METHOD_NOT_ALLOWED:
                response["Allow"] = error.detail
            return response
        except refusals.Refused:  # with TRY_AGAIN: every other refusal the API has answered itself
            return self.error_response(request, ApiError(ErrorCode.BUSY, retry_after=1))
        except Exception as exception:  # a program is always answered in its API's words, never with a page
            log.exception("Request %s", call.id)
            return self.error_response(request, _unexpected_error(exception))

    def _authenticate(self, request: R) -> Caller:
        """Return the caller; count a failure by its address."""
        try:
            return self.authenticate(request)
        except ApiError as error:
            if error.code in AUTHENTICATION_FAILURES:
                failures = admit_failure(client_address(request))
                if not failures.admitted:
                    raise ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=failures.wait) from error
            raise

    def _write(self, request: R, work: Work) -> HttpResponse:
        """Run one transaction around the write and the answer that is kept of it; a refused write leaves nothing.

        The acts of booking are parts of it; after a conflict all of it is done once more.
        """
        idempotent = self._idempotent_request(request) if "Idempotency-Key" in request.headers else None

        def write() -> HttpResponse:
            claimed = _claim(idempotent) if idempotent else None
            if isinstance(claimed, StoredAnswer):
                return _replay(claimed)
            response = work()
            if response.status_code >= 400:
                transaction.set_rollback(True)
            elif claimed is not None:
                idempotency.keep(claimed, response.status_code, response.content.decode())
            return response

        response = _run(lambda: transactions.run_as_one(write))
        if idempotent and response.status_code == CONFLICT and REPLAYED_HEADER not in response:
            return _keep_conflict(idempotent, response)
        return response

    def _idempotent_request(self, request: R) -> idempotency.Request:
        try:
            key = idempotency.checked_key(request.headers["Idempotency-Key"])
        except idempotency.MalformedKey as error:
            raise ApiError(ErrorCode.IDEMPOTENCY_KEY_MALFORMED) from error
        return idempotency.Request(
            clinic=request.caller.clinic,
            credential=self.credential,
            key=key,
            method=request.method or "",
            path=request.get_full_path(),
            body=request.call.body,
        )

    def _log(self, request: R, response: HttpResponse, seconds: float) -> None:
        """Log the request by its route, not by its address: addresses contain ids of patients."""
        call = request.call
        log.info(
            "%s %s /%s %s %.0f ms %s %s",
            self.credential,
            request.method,
            request.resolver_match.route if request.resolver_match else "-",
            response.status_code,
            seconds * 1000,
            call.id,
            call.caller.log_name if call.caller else "-",
        )


def _parameters_by_route(api: NinjaAPI) -> dict[str, Parameters]:
    """Return what each route of the API takes in its query, as the API's reference declares it."""
    return {
        route.lstrip("/").replace("{", "<").replace("}", ">"): {
            method: {
                item["name"]: item["schema"].get("type") == "array"
                for item in (operation.openapi_extra or {})["parameters"]
                if item["in"] == "query"
            }
            for operation in view.operations
            for method in operation.methods
        }
        for route, view in api.default_router.path_operations.items()
    }


def _check_host(request: ApiRequest) -> None:
    try:
        request.get_host()
    except DisallowedHost as error:
        raise ApiError(ErrorCode.HOST_UNKNOWN) from error


def _check_method(request: ApiRequest, parameters: Parameters | None) -> None:
    if parameters is not None and request.method not in parameters:
        allowed = [name for method in parameters for name in ([method, "HEAD"] if method == "GET" else [method])]
        raise ApiError(ErrorCode.METHOD_NOT_ALLOWED, detail=", ".join(allowed))


def _add_headers(call: ApiCall, response: HttpResponse) -> None:
    """Put on every answer what support and a program's own pace need, and on a 401 how to authenticate."""
    limit = settings.API_REQUESTS_A_MINUTE
    rate_limit = call.caller.rate_limit if call.caller else None
    response["X-Request-Id"] = str(call.id)
    response["X-RateLimit-Limit"] = str(limit)
    response["X-RateLimit-Remaining"] = str(rate_limit.remaining if rate_limit else limit)
    response["X-RateLimit-Reset"] = str(rate_limit.reset if rate_limit else int(time.time()) + 60)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="clinic"'
    if response.content:
        response["Content-Type"] = JSON


def _run(work: Work) -> HttpResponse:
    """Run the work, and a refusal's answer after it, when its transaction has been rolled back."""
    try:
        return work()
    except AfterRollback as refusal:
        return refusal.answer()


def _unexpected_error(exception: Exception) -> ApiError:
    """Return BUSY for a row that was locked, UNAVAILABLE without a database, SERVER_ERROR for our own faults."""
    if isinstance(exception, IntegrityError | OperationalError) and transactions.is_transient(exception):
        return ApiError(ErrorCode.BUSY, retry_after=1)
    if isinstance(exception, OperationalError | InterfaceError):
        return ApiError(ErrorCode.UNAVAILABLE, retry_after=UNAVAILABLE_SECONDS)
    return ApiError(ErrorCode.SERVER_ERROR)


def _not_found(request: ApiRequest) -> HttpResponse:
    raise ApiError(ErrorCode.NOT_FOUND)


def _claim(idempotent: idempotency.Request) -> int | StoredAnswer:
    """Return the id of the claimed key, or the stored answer. Raises ApiError."""
    try:
        return idempotency.claim(idempotent)
    except idempotency.KeyReused as error:
        raise ApiError(ErrorCode.IDEMPOTENCY_KEY_REUSED) from error
    except idempotency.InProgress as error:
        raise ApiError(ErrorCode.IDEMPOTENCY_IN_PROGRESS, retry_after=1) from error


def _keep_conflict(idempotent: idempotency.Request, response: HttpResponse) -> HttpResponse:
    """Store a 409, which is an answer like any other, and return it.

    The rollback released the key, so it is claimed again. If a concurrent retry has stored its answer first, that one
    is returned; if another request has used the key, this answer is not stored.
    """
    try:
        with transaction.atomic():
            claimed = _claim(idempotent)
            if isinstance(claimed, StoredAnswer):
                return _replay(claimed)
            idempotency.keep(claimed, response.status_code, response.content.decode())
    except ApiError as error:
        if error.code is not ErrorCode.IDEMPOTENCY_KEY_REUSED:
            raise
    return response


def _replay(stored: StoredAnswer) -> HttpResponse:
    """Return the stored answer. Raises ApiError when its body was erased with the data of its patient."""
    if not stored.body and stored.status != HTTPStatus.NO_CONTENT:
        raise ApiError(ErrorCode.ANSWER_ERASED)
    response = HttpResponse(stored.body, content_type=JSON, status=stored.status)
    response[REPLAYED_HEADER] = "true"
    return response
