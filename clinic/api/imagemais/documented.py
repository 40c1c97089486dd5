"""What the OpenAPI document says of an operation beside its schemas: where it comes from, examples, headers, errors."""

from clinic.api.imagemais.errors import enveloped
from clinic.api.imagemais.reading import FURTHEST_OFFSET, MOST_AT_ONCE, USUALLY_AT_ONCE
from clinic.api.imagemais.schemas import NUMERIC, BareMessageOut, MessageOut, MessagesOut

JSON = "application/json"
SEED, SITE, OURS = "seed", "site", "nossa"

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Até 255 caracteres imprimíveis. Repetir o pedido com a mesma chave repete a primeira resposta, com"
    " `Idempotency-Replayed: true`, sem fazer nada de novo. (Decisão nossa.)",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "agendamento-2025-12-23-joao-silva",
}
DAY = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
ID = {"anyOf": [{"type": "integer", "minimum": 0}, NUMERIC]}


def query(name, schema, description, *, example=None, required=False):
    parameter = {"in": "query", "name": name, "required": required, "description": description, "schema": schema}
    return parameter if example is None else parameter | {"example": example}


PAGE = [
    query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": USUALLY_AT_ONCE},
        f"Quantos, no máximo {MOST_AT_ONCE}.",
    ),
    query(
        "offset",
        {"type": "integer", "minimum": 0, "maximum": FURTHEST_OFFSET, "default": 0},
        "Quantos saltar desde o começo.",
    ),
]

UNAUTHORIZED = {
    "Token ausente, inválido ou revogado": "invalid token",
    "Token de mais de uma hora": "jwt expired",
}
# What any operation, and what any write, may be answered.
ALWAYS = {
    401: (BareMessageOut, UNAUTHORIZED),
    429: (MessageOut, {"Pedidos demais": "Too Many Requests"}),
    500: (BareMessageOut, {"Falha nossa": "Internal server error"}),
    503: (
        MessageOut,
        {
            "Gravação concorrente": "Outra pessoa está gravando neste mesmo horário. Tente de novo",
            "Indisponível": "O serviço está temporariamente indisponível. Tente de novo",
        },
    ),
}
WRITES = {
    400: (MessagesOut, {"Corpo ilegível": "O corpo da requisição não é um JSON válido"}),
    409: (MessageOut, {"O mesmo pedido ainda em andamento": "Requisição idêntica em andamento"}),
    413: (MessageOut, {"Corpo grande demais": "O corpo da requisição passa de 64 KiB"}),
    415: (MessageOut, {"Corpo que não é JSON": "O corpo da requisição deve ser application/json"}),
    422: (MessageOut, {"Chave já usada": "Idempotency-Key já usada com outra requisição"}),
}


def operation(
    name,
    *,
    tag,
    origin,
    summary,
    description,
    answer,
    example,
    status=200,
    body=None,
    said=None,
    parameters=(),
    errors=None,
):
    """The keyword arguments of a route.

    `example` is an answer, `said` a body by names of examples; `errors` holds {status: {what happened: message}}.
    """
    models, examples = {status: answer}, {}
    known = ALWAYS | WRITES if body else ALWAYS
    for code in sorted({*known, *(errors or {})}):
        model, told = known.get(code, (MessagesOut if code == 400 else MessageOut, {}))
        models[code] = model
        told = (errors or {}).get(code, {}) | told
        examples[code] = {what: {"value": enveloped(code, message)} for what, message in told.items()}
    extra = {
        "x-origem": origin,
        "parameters": [*parameters, *([IDEMPOTENCY_KEY] if body else [])],
        "responses": {
            status: {"content": {JSON: {"example": example}}},
            **{code: {"content": {JSON: {"examples": each}}} for code, each in examples.items()},
        },
    }
    if body:
        schema = {"$ref": f"#/components/schemas/{body.__name__}"}
        extra["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": schema, "examples": {name: {"value": value} for name, value in said.items()}}},
        }
    told = {
        SEED: "Documentado pelo fornecedor.",
        SITE: "Documentado pelo fornecedor em linhas gerais; os detalhes são decisão nossa.",
        OURS: "Decisão nossa.",
    }
    return {
        "response": models,
        "operation_id": name,
        "tags": [tag],
        "summary": summary,
        "description": f"{description}\n\n*{told[origin]}*",
        "openapi_extra": extra,
    }
