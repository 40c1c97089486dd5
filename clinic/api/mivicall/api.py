"""The MiviCall-compatible API: its authentication, and the declaration of its operations."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, JsonResponse
from ninja.openapi.schema import OpenAPISchema
from pydantic import BaseModel

from clinic import refusals
from clinic.access import api_keys
from clinic.api.errors import ApiError, ErrorCode
from clinic.api.gateway import Api, ApiRequest, Caller, Gateway, bearer
from clinic.api.json_schema import JsonObject
from clinic.api.mivicall import errors, openapi
from clinic.booking import Author
from clinic.models import ApiKey, Appointment, AppointmentEvent, StoredAnswer
from clinic.registry import sandbox_of

# (method, route below /v1/) of every operation, and the scopes that it requires.
REQUIRED_SCOPES: dict[tuple[str, str], frozenset[str]] = {}
READ = ApiKey.Scope.APPOINTMENTS_READ
WRITE = ApiKey.Scope.APPOINTMENTS_WRITE
DIRECTORY = ApiKey.Scope.DIRECTORY_READ
DIRECTORY_WRITE = ApiKey.Scope.DIRECTORY_WRITE
PATIENTS = ApiKey.Scope.PATIENTS_READ


@dataclass(frozen=True, kw_only=True)
class KeyCaller(Caller):
    key: ApiKey


class MivicallRequest(ApiRequest):
    caller: KeyCaller


class MivicallGateway(Gateway[MivicallRequest]):
    credential = StoredAnswer.Credential.MIVICALL

    def authenticate(self, request: MivicallRequest) -> KeyCaller:
        text = bearer(request)
        if " " in text or "," in text:
            raise ApiError(ErrorCode.MALFORMED_AUTHORIZATION)
        try:
            key, rate_limit = api_keys.authenticate(text)
        except api_keys.ExpiredKey as error:
            raise ApiError(ErrorCode.EXPIRED_CREDENTIAL) from error
        except api_keys.InvalidKey as error:
            raise ApiError(ErrorCode.INVALID_CREDENTIAL) from error
        if not key.clinic.active:
            raise ApiError(ErrorCode.CLINIC_INACTIVE)
        author = Author(channel=AppointmentEvent.Channel.MIVICALL, credential=key.name)
        return KeyCaller(
            clinic=key.clinic if key.is_live else sandbox_of(key.clinic),
            author=author,
            key=key,
            log_name=f"api key {key.pk}",
            rate_limit=rate_limit,
        )

    def authorize(self, request: MivicallRequest) -> None:
        """Refuse operations without declared scopes, and keys without the declared ones."""
        operation = request.method or "", request.resolver_match.route.removeprefix("v1").rstrip("/")
        if operation not in REQUIRED_SCOPES:
            raise ApiError(ErrorCode.NOT_FOUND)
        if missing := REQUIRED_SCOPES[operation] - set(request.caller.key.scopes):
            raise ApiError(ErrorCode.SCOPE_MISSING, detail=", ".join(sorted(missing)))

    def error_response(self, request: MivicallRequest, error: ApiError) -> HttpResponse:
        return errors.api_error(request, error)


class MivicallApi(Api):
    def get_openapi_schema(
        self, *, path_prefix: str | None = "v1/", path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        return openapi.finish_document(super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params))


gateway = MivicallGateway()
api = MivicallApi(
    title="API MiviCall",
    version="1.0.0",
    description=openapi.DESCRIPTION,
    urls_namespace="mivicall",
    openapi_extra={"tags": openapi.TAGS},
)


@api.exception_handler(refusals.Refused)
def booking_refused(request: ApiRequest, refused: refusals.Refused) -> HttpResponse:
    raise errors.after_rollback(request, refused)


@api.exception_handler(Appointment.DoesNotExist)
def appointment_gone(request: ApiRequest, error: Appointment.DoesNotExist) -> HttpResponse:
    """Answer 404 when the appointment was deleted before the row was locked."""
    return errors.error_answer(request, 404, "appointment_not_found", errors.APPOINTMENT_NOT_FOUND)


def operation[F: Callable[..., HttpResponse]](
    method: str,
    path: str,
    name: str,
    *,
    scopes: Collection[str],
    answers: dict[int, type[BaseModel] | None],
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    error_statuses: Collection[int] = (),
) -> Callable[[F], F]:
    """Declare a view as the operation `name` of the reference, for keys with all the `scopes`.

    `query` and `body` are the schemas that the view reads; `error_statuses` are those besides those of every operation.
    """
    REQUIRED_SCOPES[method, path.replace("{", "<").replace("}", ">")] = frozenset(scopes)
    text = openapi.OPERATIONS[name]
    return api.api_operation(
        [method],
        path,
        response=answers | openapi.error_schemas(method, error_statuses),
        operation_id=name,
        summary=text.summary,
        description=text.description,
        tags=[text.tag],
        openapi_extra=openapi.operation_extras(method, text.origin, scopes, query, body),
    )


def answer(body: JsonObject | None, status: int = 200) -> HttpResponse:
    if body is None:
        return HttpResponse(status=status)
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
