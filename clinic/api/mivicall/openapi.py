"""The parts of the OpenAPI document beside the operations themselves: errors, headers, examples, origins.

The examples of conflicts are built from the messages that the API answers with: as literals they stayed Brazilian in
Portugal's reference.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import translation
from ninja.openapi.schema import OpenAPISchema
from pydantic import BaseModel

from clinic.access.idempotency import KEY_PATTERN, MAX_KEY_LENGTH
from clinic.api.json_schema import JsonObject, without_null_defaults
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.reading import PHONE_FORM
from clinic.api.reading import WRITES
from clinic.models import ApiKey
from clinic.models.appointment import Status
from clinic.models.titles import in_sentence
from clinic.refusals import Reason, Refusal

# The names become those of packages and modules in generated clients: letters of ASCII only.
APPOINTMENTS, DIRECTORY, AVAILABILITY, PATIENTS, HEALTH = "marcacoes", "clinica", "disponibilidade", "utentes", "estado"
TAGS = [
    {"name": APPOINTMENTS, "x-displayName": "Marcações", "description": "Criar, listar, ver, alterar e cancelar."},
    {"name": DIRECTORY, "x-displayName": "Clínica", "description": "A clínica, os profissionais e os serviços."},
    {"name": AVAILABILITY, "x-displayName": "Disponibilidade", "description": "As horas livres de um serviço."},
    {"name": PATIENTS, "x-displayName": "Utentes", "description": "Por nome ou pelo hash do telefone."},
    {"name": HEALTH, "x-displayName": "Estado", "description": "Se o serviço responde."},
]
DESCRIPTION = f"""\
Marcações de uma clínica, para recepcionistas por voz e programas de gestão que já falam com a MiviCall.

**Chaves.** `Authorization: Bearer miv_live_…`, geradas em Integrações. Uma chave é de uma clínica só e
tem permissões; cada operação diz quais precisa (`x-permissoes`). Uma chave `miv_test_…` age num ambiente de testes, que
não ocupa horas verdadeiras, só é visto por chaves de teste e acaba à meia-noite da clínica.

**Erros.** `{{"error", "message", "requestId"}}`, com `errors` (`path`, `message`) em `validation_failed` e
`alternatives` (os inícios livres mais próximos) quando o conflito é da hora. Primeiro 422, com todos os campos de uma
vez; depois 404; depois 409. Num PATCH ou DELETE o `id` do endereço é procurado antes de se validarem os campos: 404. O
`requestId` vem também no cabeçalho `X-Request-Id` de cada resposta.

**Limite.** Por chave, {settings.API_REQUESTS_A_MINUTE} pedidos num minuto e {settings.API_REQUESTS_A_SECOND} num
segundo, contados para todos os processos juntos. Cada resposta traz `X-RateLimit-Limit`, `X-RateLimit-Remaining` e
`X-RateLimit-Reset`.

**Repetir sem medo.** `Idempotency-Key` em POST, PATCH e DELETE: o mesmo pedido com a mesma chave tem a mesma
resposta, com `Idempotency-Replayed: true`, e nada é feito duas vezes. O mesmo pedido tem o mesmo método, o mesmo
endereço e o mesmo corpo, comparado byte a byte: o mesmo JSON com as chaves noutra ordem, ou com outros espaços, é
outro pedido (422). A resposta fica guardada {settings.STORED_ANSWER_DAYS} dias. Um erro que nada alterou não fica
guardado, exceto um 409 decidido.

**`x-origem`** diz quem decidiu: `seed`, a página de Create appointment da MiviCall; `site`, o resto da documentação
pública dela; `nossa`, nós.
"""


class OperationText(NamedTuple):
    """The texts of an operation. `origin`: the vendor's page, the vendor's other pages, or our decision."""

    tag: str
    origin: str
    summary: str
    description: str


OPERATIONS = {
    "createAppointment": OperationText(
        APPOINTMENTS,
        "seed",
        "Criar marcação",
        "Marca na hora pedida, já `confirmed`; `endsAt` sai da duração do serviço. Um utente com o mesmo telefone e "
        "o mesmo nome, sem diferença de maiúsculas e acentos, é o mesmo; senão cria-se um, que a receção vê como ficha "
        "incompleta. Chaves desconhecidas são ignoradas.",
    ),
    "listAppointments": OperationText(
        APPOINTMENTS,
        "site",
        "Listar marcações",
        "Por `startsAt` e depois por ordem de criação. `nextCursor` só vem quando há mais; com ele em `cursor`, e os "
        "mesmos filtros, continua-se. Um profissional desconhecido não tem marcações. Com `updatedSince`, o que "
        "mudou, para manter uma cópia.",
    ),
    "getAppointment": OperationText(APPOINTMENTS, "site", "Ver marcação", "A marcação, sem nada à volta."),
    "updateAppointment": OperationText(
        APPOINTMENTS,
        "site",
        "Alterar marcação",
        "Tudo o que vier, ou nada. Primeiro muda a hora ou o profissional (a marcação passa a `rescheduled`), depois o "
        "`status`, depois as observações e `metadata`. O que já é assim não se repete: repetir um PATCH dá 200, e um "
        "vazio não muda nada. Serviço, nome e telefone não se alteram assim: 422, com o que fazer. `attended` numa "
        "marcação de pé é a chegada do utente. Uma cancelada volta com `confirmed`, se a hora ainda está livre, e só "
        "depois se remarca. `endsAt` sai sempre da duração do serviço: enviado, é ignorado.",
    ),
    "cancelAppointment": OperationText(
        APPOINTMENTS,
        "site",
        "Cancelar marcação",
        "A marcação fica, `cancelled`, e a hora volta a estar livre. Outra vez: 204. A que está em consulta, acabou "
        "ou teve falta não se cancela: 409 `invalid_transition`.",
    ),
    "listProfessionals": OperationText(DIRECTORY, "site", "Listar profissionais", "Os que dão consultas, por nome."),
    "listServices": OperationText(
        DIRECTORY, "site", "Listar serviços", "Os que se podem marcar, por nome, com preço, duração e quem os faz."
    ),
    "createProfessional": OperationText(
        DIRECTORY,
        "site",
        "Criar profissional",
        "Um título antes do nome (“Dra.”) fica como título. O horário acerta-se depois, na administração: sem ele não "
        "há horas livres; os serviços, em `professionalIds` de cada um. Quem já está ativo com o mesmo nome, sem "
        "diferença de acentos e maiúsculas, não entra outra vez: 409 `professional_exists`.",
    ),
    "updateProfessional": OperationText(
        DIRECTORY,
        "site",
        "Alterar profissional",
        "O que vier. O nome tal como a lista o diz nada muda.",
    ),
    "deleteProfessional": OperationText(
        DIRECTORY,
        "site",
        "Retirar profissional",
        "O profissional fica inativo; outra vez: 204. Se já há marcações dele por vir, a resposta é 409 "
        "`appointments_pending`, com quantas são e uma `confirmation`: repetido com ela na query, elas ficam na lista "
        "das pendências da receção, que as remarca. Na administração a pergunta é a mesma.",
    ),
    "createService": OperationText(
        DIRECTORY,
        "site",
        "Criar serviço",
        "O preço é na moeda da clínica. Um serviço ativo com o mesmo nome não entra outra vez: 409 `service_exists`.",
    ),
    "updateService": OperationText(
        DIRECTORY,
        "site",
        "Alterar serviço",
        "O que vier. O que já está marcado mantém preço e duração. Se um profissional deixa de o fazer e há marcações "
        "por vir, a resposta é 409 `appointments_pending`, como em Retirar profissional.",
    ),
    "deleteService": OperationText(
        DIRECTORY,
        "site",
        "Retirar serviço",
        "O serviço deixa de se marcar; o que já está marcado faz-se. Outra vez: 204.",
    ),
    "getTenant": OperationText(
        DIRECTORY,
        "site",
        "Ver a clínica da chave",
        "`timezone` é o fuso das horas que esta API diz; telefone e morada são os que um robô diz a quem liga.",
    ),
    "updateTenant": OperationText(
        DIRECTORY,
        "site",
        "Alterar a clínica da chave",
        "Nome, telefone, morada e localidade; o que vier. O resto é do contrato ou da administração: 422, por nome.",
    ),
    "listAvailability": OperationText(
        AVAILABILITY,
        "nossa",
        "Listar horas livres",
        "Por ordem de hora. Cada uma pode ser marcada tal como vem, com POST /v1/appointments, enquanto ninguém a "
        "ocupar. Um profissional que não faz o serviço: 409 `service_not_offered`.",
    ),
    "searchPatients": OperationText(
        PATIENTS,
        "site",
        "Procurar utentes pelo nome",
        "Primeiro os nomes que começam assim. Dígitos no texto não contam: por telefone, procura-se com o hash. "
        "Com `updatedSince`, o que mudou, para manter uma cópia.",
    ),
    "getPatientsOfPhone": OperationText(
        PATIENTS,
        "site",
        "Ver os utentes de um telefone",
        "Pelo `patientPhoneHash` de uma marcação. Uma família pode partilhar um telefone: vêm todos, e as 200 "
        "marcações mais recentes deles. Se a ficha de um foi unida a outra da mesma pessoa, vem a que ficou, com o "
        "`id` e o hash dela. Pede também `appointments:read`.",
    ),
    "getHealth": OperationText(
        HEALTH, "site", "Ver se o serviço responde", "Sem chave e sem limite. Nada pergunta à base de dados."
    ),
}
DESCRIPTIONS = {
    200: "Feito.",
    201: "Feito.",
    204: "Feito; o mesmo quando já estava.",
    400: "O corpo não é JSON que se possa ler (mais de 32 níveis e chaves repetidas também não); query ilegível.",
    401: "Sem chave válida.",
    403: "A chave não pode, ou a clínica está inativa.",
    404: "Não existe nesta clínica.",
    408: "O corpo não chegou completo em 10 segundos.",
    409: "Não pode ser assim.",
    410: "Feito já da primeira vez; a resposta foi apagada, com dados do utente.",
    413: "Corpo com mais de 64 KiB.",
    415: "Corpo que não é application/json em UTF-8, ou vem comprimido.",
    422: "Campos inválidos, todos de uma vez; ou um parâmetro que o endereço não tem.",
    429: "Pedidos a mais; Retry-After diz quantos segundos esperar.",
    500: "Falhou do nosso lado.",
    503: "Outro pedido está a ocupar esta hora, ou o serviço está indisponível: repetir.",
}
COMMON_ERRORS: dict[int, type[BaseModel]] = {
    400: schemas.Error,
    401: schemas.Error,
    403: schemas.Error,
    422: schemas.Invalid,
    429: schemas.TooMany,
    500: schemas.Error,
    503: schemas.Error,
}
WRITE_ERRORS: dict[int, type[BaseModel]] = {
    408: schemas.Error,
    409: schemas.Conflict,
    410: schemas.Error,
    413: schemas.Error,
    415: schemas.Error,
}
OPERATION_ERRORS: dict[int, type[BaseModel]] = {404: schemas.Error, 409: schemas.Conflict}
BOOKING_CONFLICTS = ("slot_conflict", "outside_working_hours", "service_not_offered")
# The codes of each operation's 404 answers, and of its 409 answers besides the concurrent retry.
OPERATION_CODES = {
    "createAppointment": ("professional_not_found", "service_not_found", *BOOKING_CONFLICTS),
    "getAppointment": ("appointment_not_found",),
    "updateAppointment": (
        "appointment_not_found",
        "professional_not_found",
        *BOOKING_CONFLICTS,
        "discount_expired",
        "invalid_transition",
    ),
    "cancelAppointment": ("appointment_not_found", "invalid_transition"),
    "listAvailability": ("professional_not_found", "service_not_found", "service_not_offered"),
    "getPatientsOfPhone": ("patient_not_found",),
    "createProfessional": ("professional_exists",),
    "updateProfessional": ("professional_not_found", "professional_exists"),
    "deleteProfessional": ("professional_not_found", "appointments_pending"),
    "createService": ("service_exists",),
    "updateService": ("service_not_found", "service_exists", "appointments_pending"),
    "deleteService": ("service_not_found",),
    "updateTenant": (),
}
# Path parameters, with the values of the examples; `id` by what it is the id of.
IDS = {
    "appointments": (schemas.EXAMPLE_ID, "O `id` da marcação."),
    "professionals": (schemas.EXAMPLE_DOCTOR, "O `id` do profissional."),
    "services": (schemas.EXAMPLE_SERVICE, "O `id` do serviço."),
}
PATH_PARAMETERS = {
    "hash": (schemas.EXAMPLE_HASH, "O `patientPhoneHash` de uma marcação."),
}


def _link(operation: str, **pointers: str) -> JsonObject:
    """Return a link to an operation, with its parameters and their pointers into the answer."""
    parameters = {name: f"$response.body#{pointer}" for name, pointer in pointers.items()}
    return {operation: {"operationId": operation, "parameters": parameters}}


def _links_to_appointment(path: str) -> JsonObject:
    """Return the links of an answer with an appointment at this path."""
    links = _link("getPatientsOfPhone", hash=f"{path}/patientPhoneHash")
    for name in ("getAppointment", "updateAppointment", "cancelAppointment"):
        links |= _link(name, id=f"{path}/id")
    return links


# By operation; links of its successful answer.
LINKS = {
    "createAppointment": _links_to_appointment(""),
    "getAppointment": _links_to_appointment(""),
    "updateAppointment": _links_to_appointment(""),
    "listAppointments": _links_to_appointment("/items/0") | _link("listAppointments", cursor="/nextCursor"),
    "createProfessional": _link("updateProfessional", id="/id") | _link("deleteProfessional", id="/id"),
    "createService": _link("updateService", id="/id") | _link("deleteService", id="/id"),
    "listServices": _link("listAvailability", serviceTypeId="/items/0/id"),
    "searchPatients": _link("getPatientsOfPhone", hash="/items/0/patientPhoneHash"),
    "getPatientsOfPhone": _links_to_appointment("/appointments/0"),
}
DOCTOR, HOURS = in_sentence("Dra. Helena Prado"), "nesse dia dá consultas das 10:30 às 18:00"
ALTERNATIVES = ["2026-05-14T10:30:00+01:00", "2026-05-14T11:00:00+01:00", "2026-05-14T11:30:00+01:00"]


def _message(reason: Reason, **params: object) -> str:
    """Return a message as a clinic in Portugal gets it."""
    with translation.override("pt-pt"):
        return errors.sentence(Refusal(reason, {name: str(value) for name, value in params.items()}))


def _error(code: str, message: str, **more: object) -> JsonObject:
    return {"error": code, "message": message, "requestId": schemas.EXAMPLE_REQUEST, **more}


INVALID = [
    ("patientPhone", PHONE_FORM),
    ("startsAt", _message(Reason.DATE_PAST)),
]
# By status, then by code.
ERROR_EXAMPLES: dict[int, dict[str, JsonObject]] = {
    404: {
        "appointment_not_found": _error("appointment_not_found", errors.APPOINTMENT_NOT_FOUND),
        "professional_not_found": _error("professional_not_found", errors.OWN_SENTENCES[Reason.DOCTOR_UNKNOWN]),
        "service_not_found": _error("service_not_found", errors.OWN_SENTENCES[Reason.PROCEDURE_UNKNOWN]),
        "patient_not_found": _error("patient_not_found", errors.PATIENT_NOT_FOUND),
    },
    409: {
        "slot_conflict": _error(
            "slot_conflict", _message(Reason.DOCTOR_TAKEN, **DOCTOR, time="10:00"), alternatives=ALTERNATIVES
        ),
        "outside_working_hours": _error(
            "outside_working_hours",
            _message(Reason.OUTSIDE_HOURS, **DOCTOR, hours=HOURS),
            alternatives=ALTERNATIVES,
        ),
        "service_not_offered": _error(
            "service_not_offered", _message(Reason.PROCEDURE_NOT_OFFERED, **DOCTOR, procedure="Ecografia")
        ),
        "discount_expired": _error(
            "discount_expired", _message(Reason.DISCOUNT_LEFT_BEHIND, discount="Verão", date="12/05/2026")
        ),
        "professional_exists": _error("professional_exists", errors.PROFESSIONAL_EXISTS),
        "service_exists": _error("service_exists", errors.SERVICE_EXISTS),
        "appointments_pending": _error(
            "appointments_pending",
            errors.APPOINTMENTS_PENDING.format(3),
            count=3,
            confirmation="5f2c0e9d41a7b836",
        ),
        "invalid_transition": _error(
            "invalid_transition",
            _message(Reason.TRANSITION_FORBIDDEN, current=Status.FINISHED.label, wanted=Status.CANCELLED.label),
        ),
    },
    422: {
        "validation_failed": _error(
            "validation_failed",
            errors.validation_message(INVALID),
            errors=[{"path": path, "message": message} for path, message in INVALID],
        )
    },
}
# Examples of what a message names, by code.
DETAILS: dict[str, tuple[str, ...]] = {
    "insufficient_scope": (ApiKey.Scope.APPOINTMENTS_WRITE,),
    "method_not_allowed": ("GET, HEAD",),
    "unknown_parameter": ("dateStart", "from, to, limit"),
    "repeated_parameter": ("status",),
    "repeated_key": ("patientNotes",),
}
for _status, _code, _sentence in errors.API_ERRORS.values():
    ERROR_EXAMPLES.setdefault(_status, {})[_code] = _error(_code, _sentence.format(*DETAILS.get(_code, ())))

HEADERS = {
    "X-Request-Id": ("O requestId deste pedido.", {"type": "string", "format": "uuid"}),
    "X-RateLimit-Limit": ("Pedidos por minuto.", {"type": "integer"}),
    "X-RateLimit-Remaining": ("Quantos restam neste minuto.", {"type": "integer"}),
    "X-RateLimit-Reset": ("Segundo Unix em que volta a haver lugar.", {"type": "integer"}),
}
RETRY_AFTER = {"Retry-After": {"description": "Segundos a esperar.", "schema": {"type": "integer"}}}
REPLAYED = {
    "Idempotency-Replayed": {
        "description": "`true` quando é a resposta guardada de antes.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Identificador único para retry-safe. Ex: pms-create-{vosso-id}. O corpo é comparado byte a byte.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_LENGTH,
        "pattern": KEY_PATTERN,
    },
}


def error_schemas(method: str, statuses: Iterable[int]) -> dict[int, type[BaseModel]]:
    """Return the schema of each error answer; `statuses` are those besides the errors of every operation."""
    models = COMMON_ERRORS | (WRITE_ERRORS if method in WRITES else {})
    return models | {status: OPERATION_ERRORS[status] for status in statuses}


def operation_extras(
    method: str,
    origin: str,
    scopes: Collection[str],
    query: type[BaseModel] | None,
    body: type[BaseModel] | None,
) -> JsonObject:
    """Return what ninja cannot derive itself; its own entries are kept."""
    extras: JsonObject = {"x-origem": origin, "x-permissoes": sorted(scopes), "parameters": _parameters(query)}
    if method in WRITES:
        extras["parameters"].append(IDEMPOTENCY_KEY)
    if body:
        schema = {"$ref": f"#/components/schemas/{body.__name__}"}
        content = {"schema": schema, "examples": {"exemplo": {"value": schemas.example_of(body)}}}
        extras["requestBody"] = {"required": True, "content": {"application/json": content}}
    return extras


def _body_schemas() -> JsonObject:
    """Return the schemas of the bodies, which the views read themselves, by name."""
    return {
        body.__name__: _with_null(without_null_defaults(body.model_json_schema()))
        | {"examples": [schemas.example_of(body)]}
        for body in schemas.BODIES
    }


def _with_null(schema: JsonObject) -> JsonObject:
    """Allow null in the optional fields, where it means what leaving the field out does (`reading.read`)."""
    optional = {name: field for name, field in schema["properties"].items() if name not in schema.get("required", [])}
    nullable = {
        name: field | {"type": [field["type"], "null"]} | ({"enum": [*field["enum"], None]} if "enum" in field else {})
        for name, field in optional.items()
        if "null" not in field["type"]
    }
    return schema | {"properties": schema["properties"] | nullable}


def finish_document(document: OpenAPISchema) -> OpenAPISchema:
    """Add the parts that all answers share, and /health, which needs no key."""
    models = document["components"]["schemas"]
    models |= _body_schemas()
    document["paths"]["/health"] = {"get": _health(models)}
    for name, model in models.items():
        if "examples" in model:
            # Pydantic sorts the keys of an example alphabetically.
            model["examples"] = [schemas.example_of(getattr(schemas, name))]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in (item for item in operation["parameters"] if item["in"] == "path"):
                known = PATH_PARAMETERS | {"id": IDS.get(path.split("/")[2], ("", ""))}
                parameter["example"], parameter["description"] = known[parameter["name"]]
            for status, answer in operation["responses"].items():
                _finish_response(
                    answer, status, operation["operationId"], models, method.upper() in WRITES, path != "/health"
                )
    document["components"]["headers"] = {
        name: {"description": description, "schema": schema} for name, (description, schema) in HEADERS.items()
    }
    return document


UNSAID = {"title", "examples"}  # of a parameter's schema


def _parameters(query: type[BaseModel] | None) -> list[JsonObject]:
    if query is None:
        return []
    schema = query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "description": field.pop("description"),
            "schema": {key: value for key, value in field.items() if key not in UNSAID and value is not None},
        }
        | ({"example": field["examples"][0]} if "examples" in field else {})
        for name, field in schema["properties"].items()
    ]


def _finish_response(
    answer: JsonObject, status: int, operation: str, models: JsonObject, is_write: bool, is_limited: bool
) -> None:
    answer["description"] = DESCRIPTIONS[status]
    headers = list(HEADERS) if is_limited else ["X-Request-Id"]
    answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    if status in {409, 429, 503}:
        answer["headers"] |= RETRY_AFTER
    if is_write and status in {200, 201, 204, 409}:
        answer["headers"] |= REPLAYED
    if status < 300 and operation in LINKS:
        answer["links"] = LINKS[operation]
    for content in answer.get("content", {}).values():
        if status in ERROR_EXAMPLES:
            codes = [code for code in ERROR_EXAMPLES[status] if _can_occur(operation, status, code, is_write)]
            content["examples"] = {code: {"value": ERROR_EXAMPLES[status][code]} for code in codes}
        else:
            content["example"] = _example(models, content["schema"])


def _can_occur(operation: str, status: int, code: str, is_write: bool) -> bool:
    if code.startswith("idempotency"):
        return is_write
    return status not in {404, 409} or code in OPERATION_CODES[operation]


def _example(models: JsonObject, schema: JsonObject) -> Any:
    """Return an example of a model: its own, or one made of the examples of its parts."""
    if "$ref" not in schema:
        return None
    model = models[schema["$ref"].rsplit("/", 1)[-1]]
    if "examples" in model:
        return model["examples"][0]
    fields = {}
    for name, field in model["properties"].items():
        example = _example(models, field.get("items", field))
        if example is not None:
            fields[name] = [example] if "items" in field else example
    return fields or None


def _health(models: JsonObject) -> JsonObject:
    models["Health"] = schemas.Health.model_json_schema()
    text = OPERATIONS["getHealth"]
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Health"}}}
    return {
        "operationId": "getHealth",
        "summary": text.summary,
        "parameters": [],
        "responses": {200: {"content": content}},
        "description": text.description,
        "tags": [text.tag],
        "security": [],
        "x-origem": text.origin,
        "x-permissoes": [],
    }
