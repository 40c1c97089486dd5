"""Build the parts of an operation that its schemas do not contain: origin, examples, headers and errors."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from clinic.access.idempotency import KEY_PATTERN, MAX_KEY_LENGTH
from clinic.api.errors import ErrorCode
from clinic.api.imagemais.errors import API_ERRORS, error_body
from clinic.api.imagemais.messages import SINCE_FAULTS, TOO_LARGE
from clinic.api.imagemais.paging import MAX_COUNTED, NEXT_SINCE
from clinic.api.imagemais.reading import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from clinic.api.imagemais.schemas import NUMERIC, BareMessageOut, MessageOut, MessagesOut
from clinic.api.json_schema import JsonObject
from clinic.api.moments import SinceFault

# By their cause, in Portuguese.
type Messages = Mapping[str, str | list[str]]

JSON = "application/json"
# The names become those of packages and modules in generated clients: letters of ASCII only.
APPOINTMENTS, DOCTORS, PATIENTS, FINANCES = "agendamentos", "medicos", "pacientes", "financas"
TAGS = [
    {
        "name": APPOINTMENTS,
        "x-displayName": "Agendamentos",
        "description": "Criar, listar, reagendar, mudar o status.",
    },
    {"name": DOCTORS, "x-displayName": "Médicos", "description": "Quem atende, quando, e os horários livres."},
    {"name": PATIENTS, "x-displayName": "Pacientes", "description": "O cadastro da clínica."},
    {"name": FINANCES, "x-displayName": "Finanças", "description": "Os procedimentos com os preços, e os descontos."},
]
SEED, SITE, OURS = "seed", "site", "nossa"

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Até 255 caracteres imprimíveis. Repetir o pedido com a mesma chave repete a primeira resposta, com"
    " `Idempotency-Replayed: true`, sem fazer nada de novo; o corpo é comparado byte a byte. (Decisão nossa.)",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": KEY_PATTERN},
}
# By the answers that have them: all, those that ask to wait, those that are kept, and pages of a list.
HEADERS: JsonObject = {
    "X-Request-Id": {"description": "O id deste pedido.", "schema": {"type": "string", "format": "uuid"}},
    "X-RateLimit-Limit": {"description": "Pedidos por minuto.", "schema": {"type": "integer"}},
    "X-RateLimit-Remaining": {"description": "Quantos restam neste minuto.", "schema": {"type": "integer"}},
    "X-RateLimit-Reset": {"description": "Segundo Unix em que volta a haver vaga.", "schema": {"type": "integer"}},
}
RETRY_AFTER: JsonObject = {"Retry-After": {"description": "Segundos a esperar.", "schema": {"type": "integer"}}}
REPLAYED: JsonObject = {
    "Idempotency-Replayed": {
        "description": "`true` quando é a resposta guardada da primeira vez.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
PAGED: JsonObject = {
    "Link": {
        "description": 'Enquanto há mais, o endereço da página seguinte: `<…>; rel="next"`.',
        "schema": {"type": "string"},
    },
    "X-Total-Count": {
        "description": f"Na primeira página, quantos elementos há; acima de {MAX_COUNTED} não vem.",
        "schema": {"type": "integer"},
    },
}
DAY = {"type": "string", "format": "date"}
ID: JsonObject = {"anyOf": [{"type": "integer", "minimum": 0}, NUMERIC]}


def query(
    name: str, schema: JsonObject, description: str, *, example: str | None = None, required: bool = False
) -> JsonObject:
    """Return a parameter of the query string."""
    parameter = {"in": "query", "name": name, "required": required, "description": description, "schema": schema}
    return parameter if example is None else parameter | {"example": example}


PAGE = [
    query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        f"Quantos elementos, no máximo {MAX_LIMIT}.",
    ),
    query(
        "offset",
        {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
        "Quantos elementos saltar desde o começo.",
    ),
]
AFTER = query(
    "after",
    {"type": "string", "minLength": 1},
    'Continua depois de um elemento: o endereço inteiro vem no cabeçalho `Link` (`rel="next"`). Quem o segue não perde'
    " nem repete nada, mesmo que entretanto se agende. Não vai com `offset`.",
)

SINCE_DESCRIPTION = (
    "Para manter uma cópia: {}, na ordem em que mudaram; o que sai dela vem com `deletedAt`. ISO 8601 com fuso, de"
    " 2000-01-01T00:00:00Z até agora. Siga `Link`; a última página traz em `X-Next-Updated-Since` o valor da próxima"
    " vez. Vai só com `limit` e `after`."
)


def updated_since(changed: str) -> JsonObject:
    """Return the parameter; `changed` says what is listed. It has no example: that would stand beside the filters'."""
    return query("updatedSince", {"type": "string", "format": "date-time"}, SINCE_DESCRIPTION.format(changed))


NEXT_SINCE_HEADER: JsonObject = {
    NEXT_SINCE: {
        "description": "Com `updatedSince`, na última página: o `updatedSince` da próxima vez.",
        "schema": {"type": "string", "format": "date-time"},
    }
}

SINCE_ERRORS = {"Instante futuro": [SINCE_FAULTS[SinceFault.FUTURE]]}
LIMIT_TOO_HIGH = {"Limite alto demais": [TOO_LARGE.format("limit", MAX_LIMIT)]}
# Path parameters, with the values of the examples.
PATH_PARAMETERS: dict[str, tuple[int, str]] = {
    "appointment_id": (58, "Id do agendamento."),
    "doctor_id": (1, "Id do médico."),
    "patient_id": (9253, "Id do paciente."),
}


def links_to(parameter: str, pointer: str, *operations: str) -> JsonObject:
    """Return links: where in an answer the id is that these operations take."""
    return {name: {"operationId": name, "parameters": {parameter: f"$response.body#{pointer}"}} for name in operations}


# Links of every answer that contains an appointment.
TO_APPOINTMENT = links_to(
    "appointment_id",
    "/0/id",
    "getAppointment",
    "editAppointment",
    "rescheduleAppointment",
    "changeAppointmentStatus",
    "receivePayment",
)


def _message(code: ErrorCode) -> str:
    return API_ERRORS[code][1]


UNAUTHORIZED = {
    "Token ausente, inválido ou revogado": _message(ErrorCode.INVALID_CREDENTIAL),
    "Token de mais de uma hora": _message(ErrorCode.EXPIRED_CREDENTIAL),
}
# Answers that any operation, and that any write, may have.
COMMON_ERRORS: dict[int, tuple[type[BaseModel], Messages]] = {
    400: (
        MessagesOut,
        {
            "Parâmetro desconhecido": _message(ErrorCode.PARAMETER_UNKNOWN).format(
                "dateInitial", "date, dateStart, dateEnd"
            )
        },
    ),
    401: (BareMessageOut, UNAUTHORIZED),
    429: (MessageOut, {"Pedidos demais": _message(ErrorCode.TOO_MANY_REQUESTS)}),
    500: (BareMessageOut, {"Falha nossa": _message(ErrorCode.SERVER_ERROR)}),
    503: (
        MessageOut,
        {
            "Gravação concorrente": _message(ErrorCode.BUSY),
            "Indisponível": _message(ErrorCode.UNAVAILABLE),
        },
    ),
}
WRITE_ERRORS: dict[int, tuple[type[BaseModel], Messages]] = {
    400: (MessagesOut, {**COMMON_ERRORS[400][1], "Corpo ilegível": _message(ErrorCode.UNREADABLE)}),
    408: (MessageOut, {"Corpo lento demais": _message(ErrorCode.TOO_SLOW)}),
    409: (MessageOut, {"O mesmo pedido ainda em andamento": _message(ErrorCode.IDEMPOTENCY_IN_PROGRESS)}),
    410: (MessageOut, {"Resposta apagada": _message(ErrorCode.ANSWER_ERASED)}),
    413: (MessageOut, {"Corpo grande demais": _message(ErrorCode.TOO_LARGE)}),
    415: (
        MessageOut,
        {
            "Corpo que não é JSON": _message(ErrorCode.NOT_JSON),
            "Corpo comprimido": _message(ErrorCode.ENCODED),
            "Corpo em outro charset": _message(ErrorCode.NOT_UTF8),
        },
    ),
    422: (MessageOut, {"Chave já usada": _message(ErrorCode.IDEMPOTENCY_KEY_REUSED)}),
}


def _headers(status: int, is_write: bool) -> JsonObject:
    """Return the headers of an answer with this status."""
    headers: JsonObject = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    if status in {429, 503} or (is_write and status == 409):
        headers |= RETRY_AFTER
    if is_write and status in {200, 201, 409}:
        headers |= REPLAYED
    return headers


def operation(
    name: str,
    *,
    tag: str,
    origin: str,
    summary: str,
    description: str,
    answer: Any,
    example: Any,
    status: int = 200,
    body: type[BaseModel] | None = None,
    bodies: Mapping[str, JsonObject] | None = None,
    parameters: Iterable[JsonObject] = (),
    errors: Mapping[int, Messages] | None = None,
    links: JsonObject | None = None,
    headers: JsonObject | None = None,
) -> dict[str, Any]:
    """Return the keyword arguments of a route.

    `example` is an answer, `bodies` are examples of the body by name; `errors` holds {status: {cause: message}};
    `links` are the operations that can follow a successful answer, and `headers` its own.
    """
    models: dict[int, Any] = {status: answer}
    examples: dict[int, JsonObject] = {}
    shared = COMMON_ERRORS | WRITE_ERRORS if body else COMMON_ERRORS
    for code in sorted({*shared, *(errors or {})}):
        model, messages = shared.get(code, (MessagesOut if code == 400 else MessageOut, {}))
        models[code] = model
        messages = {**(errors or {}).get(code, {}), **messages}
        examples[code] = {cause: {"value": error_body(code, message)} for cause, message in messages.items()}
    parameters = list(parameters)
    own = (PAGED if PAGE[0] in parameters else {}) | (headers or {})
    extra: JsonObject = {
        "x-origem": origin,
        "parameters": [*parameters, *([IDEMPOTENCY_KEY] if body else [])],
        "responses": {
            status: {"content": {JSON: {"example": example}}, "headers": _headers(status, bool(body)) | own}
            | ({"links": links} if links else {}),
            **{
                code: {"content": {JSON: {"examples": by_cause}}, "headers": _headers(code, bool(body))}
                for code, by_cause in examples.items()
            },
        },
    }
    if body:
        schema = {"$ref": f"#/components/schemas/{body.__name__}"}
        extra["requestBody"] = {
            "required": True,
            "content": {
                JSON: {"schema": schema, "examples": {name: {"value": value} for name, value in (bodies or {}).items()}}
            },
        }
    origins = {
        SEED: "Documentado pelo fornecedor.",
        SITE: "Documentado pelo fornecedor em linhas gerais; os detalhes são decisão nossa.",
        OURS: "Decisão nossa.",
    }
    return {
        "response": models,
        "operation_id": name,
        "tags": [tag],
        "summary": summary,
        "description": f"{description}\n\n*{origins[origin]}*",
        "openapi_extra": extra,
    }
