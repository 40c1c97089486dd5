"""The ImageMais-compatible API: its authentication and its OpenAPI document."""

from collections.abc import Mapping
from typing import Any, Literal

from django.http import HttpResponse
from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from ninja.renderers import JSONRenderer
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from clinic.access import access_tokens
from clinic.api.errors import ApiError, ErrorCode
from clinic.api.gateway import Api, ApiRequest, Caller, Gateway, bearer
from clinic.api.imagemais import errors, messages, schemas
from clinic.api.imagemais.openapi import HEADERS, PATH_PARAMETERS, TAGS
from clinic.api.json_schema import without_null_defaults
from clinic.booking import Author
from clinic.models import AppointmentEvent, Patient, StoredAnswer

DESCRIPTION = """\
A API da agenda, compatível com a do ImageMais Clinic: quem fala com aquela aponta para cá e só troca o endereço.

**Acesso.** O usuário master da clínica libera o token em Integrações. Ele vale uma hora e vai em
`Authorization: Bearer <accessToken>`. Tudo se passa na clínica do token; o id de outra clínica é desconhecido.

**Convenções.** Ids são números inteiros, aceitos também como texto. Dinheiro é texto sem zeros à direita (`"50.4"`).
Instantes são ISO 8601 em UTC com milissegundos; uma data do calendário é `2025-12-25T00:00:00.000Z`; horários são
`HH:mm` no fuso da clínica. Campos desconhecidos de um corpo são ignorados; um parâmetro que o endereço não tem é 400,
com o nome dele, para que um filtro nunca se perca.

**Listas.** São vetores. `limit` e `offset` contam os elementos do vetor. Enquanto há mais, `Link` traz o endereço da
página seguinte (`rel="next"`); quem o segue não perde nem repete nada, mesmo que entretanto se agende. A primeira
página diz em `X-Total-Count` quantos elementos há, até 1 000.

**Cabeçalhos.** Toda resposta traz `X-Request-Id`, que o suporte pede, e `X-RateLimit-Limit`, `X-RateLimit-Remaining` e
`X-RateLimit-Reset`.

**Erros.** `{"message", "error", "statusCode"}`: em 400, `message` traz todas as mensagens de todos os campos, nesta
ordem: paciente (CPF, nascimento, telefone, nome), procedimentos, médico, data, início, término, desconto, observações.
400 vem antes de 404, e 404 antes de 409.

**Idempotency-Key.** Em toda escrita: a mesma chave com o mesmo pedido repete a primeira resposta, sem fazer nada de
novo. O mesmo pedido é o de mesmo método, mesmo endereço e mesmo corpo, comparado byte a byte: o mesmo JSON com as
chaves em outra ordem, ou com outros espaços, é outro pedido, e a resposta é 422.

`x-origem` diz, em cada operação, de onde ela vem: `seed`, documentada na página pública do fornecedor; `site`, descrita
em outras páginas dele; `nossa`, decisão nossa onde a documentação dele silencia.
"""


class PlainRenderer(JSONRenderer):
    """Render JSON with unescaped accents."""

    json_dumps_params: Mapping[str, Any] = {"ensure_ascii": False}


class ImagemaisApi(Api):
    def get_openapi_schema(
        self, *, path_prefix: str | None = "api/", path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Add the schemas of bodies, which the views read themselves."""
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        bodies: list[tuple[type[BaseModel], Literal["validation"]]] = [(body, "validation") for body in schemas.BODIES]
        _, definitions = models_json_schema(bodies, ref_template=REF_TEMPLATE)
        document["components"]["schemas"] |= {
            name: without_null_defaults(schema) for name, schema in definitions["$defs"].items()
        }
        document["components"]["headers"] = HEADERS
        for methods in document["paths"].values():
            for parameter in (item for operation in methods.values() for item in operation["parameters"]):
                if parameter["in"] == "path":
                    parameter["example"], parameter["description"] = PATH_PARAMETERS[parameter["name"]]
        return document


api = ImagemaisApi(
    title="API ImageMais",
    version="1.0.0",
    description=DESCRIPTION,
    urls_namespace="imagemais",
    openapi_extra={"tags": TAGS},
    renderer=PlainRenderer(),
)


@api.exception_handler(errors.RequestError)
def request_error(request: ApiRequest, error: errors.RequestError) -> HttpResponse:
    return errors.error_answer(error.status, error.message)


@api.exception_handler(Patient.DoesNotExist)
def patient_gone(request: ApiRequest, error: Patient.DoesNotExist) -> HttpResponse:
    """Answer 404 when the patient was deleted before the row was locked."""
    return errors.error_answer(404, messages.PATIENT_UNKNOWN)


class ImagemaisGateway(Gateway[ApiRequest]):
    credential = StoredAnswer.Credential.IMAGEMAIS
    put_is_patch = True

    def authenticate(self, request: ApiRequest) -> Caller:
        try:
            token, rate_limit = access_tokens.authenticate(bearer(request))
        except access_tokens.ExpiredToken as error:
            raise ApiError(ErrorCode.EXPIRED_CREDENTIAL) from error
        except access_tokens.InvalidToken as error:
            raise ApiError(ErrorCode.INVALID_CREDENTIAL) from error
        author = Author(channel=AppointmentEvent.Channel.IMAGEMAIS, user=token.user, credential=f"token {token}")
        return Caller(
            clinic=token.clinic,
            author=author,
            log_name=f"access token {token.pk}",
            rate_limit=rate_limit,
        )

    def error_response(self, request: ApiRequest, error: ApiError) -> HttpResponse:
        return errors.api_error(error)


gateway = ImagemaisGateway()
