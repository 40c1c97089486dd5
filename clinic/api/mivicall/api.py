"""The MiviCall-compatible API: its authentication, and the declaration of its operations."""

import time
from collections.abc import Collection

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from pydantic import BaseModel

from clinic import refusals
from clinic.access import api_keys
from clinic.api.errors import Problem, Refused
from clinic.api.gateway import Api, Caller, Door, bearer
from clinic.api.mivicall import errors, openapi
from clinic.booking import Author
from clinic.models import ApiKey, AppointmentEvent, StoredAnswer

# (method, route below /v1/) of every operation, and the scopes that it requires.
REQUIRED_SCOPES: dict[tuple[str, str], frozenset[str]] = {}
READ = ApiKey.Scope.APPOINTMENTS_READ
WRITE = ApiKey.Scope.APPOINTMENTS_WRITE
DIRECTORY = ApiKey.Scope.DIRECTORY_READ
PATIENTS = ApiKey.Scope.PATIENTS_READ


class MivicallDoor(Door):
    credential = StoredAnswer.Credential.MIVICALL

    def authenticate(self, request) -> Caller:
        text = bearer(request)
        if " " in text or "," in text:
            raise Refused(Problem.MALFORMED_AUTHORIZATION)
        try:
            key = api_keys.authenticate(text)
        except api_keys.ExpiredKey as error:
            raise Refused(Problem.EXPIRED_CREDENTIAL) from error
        except api_keys.InvalidKey as error:
            raise Refused(Problem.INVALID_CREDENTIAL) from error
        if not key.clinic.active:
            raise Refused(Problem.CLINIC_INACTIVE)
        author = Author(channel=AppointmentEvent.Channel.MIVICALL, credential=key.name)
        return Caller(key.clinic, author, key, who=f"api key {key.pk}", writes=key.is_live)

    def permit(self, request):
        """Refuse operations without declared scopes, and keys without the declared ones."""
        route = request.resolver_match.route.removeprefix("v1")
        offered = [method for method, path in REQUIRED_SCOPES if path == route]
        if not offered:
            raise Refused(Problem.NOT_FOUND)
        if request.method not in offered:
            raise Refused(Problem.METHOD_NOT_ALLOWED, detail=", ".join(offered))
        if missing := REQUIRED_SCOPES[request.method, route] - set(request.visit.caller.credential.scopes):
            raise Refused(Problem.SCOPE_MISSING, detail=", ".join(sorted(missing)))

    def refuse(self, request, refused):
        return errors.refusal(request, refused)

    def finish(self, request, response):
        visit = request.visit
        response["X-Request-Id"] = str(visit.id)
        limit = settings.API_REQUESTS_A_MINUTE
        admission = visit.admission
        response["X-RateLimit-Limit"] = str(limit)
        response["X-RateLimit-Remaining"] = str(admission.remaining if admission else limit)
        response["X-RateLimit-Reset"] = str(admission.reset if admission else int(time.time()) + 60)


class MivicallApi(Api):
    def get_openapi_schema(self, *, path_prefix="v1/", path_params=None):
        return openapi.finish_document(super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params))


door = MivicallDoor()
api = MivicallApi(
    title="API MiviCall",
    version="1.0.0",
    description=openapi.DESCRIPTION,
    urls_namespace="mivicall",
    openapi_extra={"tags": openapi.TAGS},
)


@api.exception_handler(refusals.Refused)
def _booking_refused(request, refused):
    raise errors.after_rollback(request, refused)


def operation(
    method: str,
    path: str,
    name: str,
    *,
    needs: Collection[str],
    answers: dict[int, type[BaseModel] | None],
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    refuses: Collection[int] = (),
):
    """Declare a view as the operation `name` of the reference, for keys with all the scopes in `needs`.

    `query` and `body` are the schemas that the view reads; `refuses` are statuses besides those of every operation.
    """
    REQUIRED_SCOPES[method, path.replace("{", "<").replace("}", ">")] = frozenset(needs)
    text = openapi.OPERATIONS[name]
    return api.api_operation(
        [method],
        path,
        response=answers | openapi.errors_of(method, refuses, has_query=query is not None),
        operation_id=name,
        summary=text.summary,
        description=text.description,
        tags=[text.tag],
        openapi_extra=openapi.operation_extras(method, text.origin, needs, query, body),
    )


def answer(body: dict | None, status: int = 200) -> HttpResponse:
    if body is None:
        return HttpResponse(status=status)
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
