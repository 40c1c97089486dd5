"""The error answers of ImageMais: always `message`, `error` and `statusCode`.

`message` is a list with the messages of all invalid fields, or one string for any other error.
"""

from http import HTTPStatus

from django.http import HttpResponse, JsonResponse

from clinic.api.errors import ApiError, ErrorCode
from clinic.api.json_schema import JsonObject

INVALID_TOKEN = 401, "invalid token"
API_ERRORS = {
    ErrorCode.HOST_UNKNOWN: (400, "O cabeçalho Host falta ou não é o endereço desta API"),
    ErrorCode.MALFORMED_AUTHORIZATION: INVALID_TOKEN,
    ErrorCode.INVALID_CREDENTIAL: INVALID_TOKEN,
    ErrorCode.CLINIC_INACTIVE: INVALID_TOKEN,
    ErrorCode.EXPIRED_CREDENTIAL: (401, "jwt expired"),
    ErrorCode.TOO_MANY_REQUESTS: (429, "Too Many Requests"),
    ErrorCode.TOO_MANY_PARAMETERS: (400, "A requisição tem parâmetros demais na query"),
    ErrorCode.QUERY_NOT_UTF8: (400, "A query da requisição não está em UTF-8"),
    ErrorCode.PARAMETER_UNKNOWN: (400, "Este endereço não tem o parâmetro {}; tem: {}"),
    ErrorCode.PARAMETER_REPEATED: (400, "O parâmetro {} só pode vir uma vez"),
    ErrorCode.TOO_LARGE: (413, "O corpo da requisição passa de 64 KiB"),
    ErrorCode.TOO_SLOW: (408, "O corpo da requisição não chegou completo em 10 segundos"),
    ErrorCode.NOT_JSON: (415, "O corpo da requisição deve ser application/json"),
    ErrorCode.ENCODED: (415, "O corpo da requisição deve vir sem compressão"),
    ErrorCode.NOT_UTF8: (415, "O corpo da requisição deve estar em UTF-8"),
    ErrorCode.KEY_REPEATED: (400, "O corpo da requisição tem uma chave repetida: {}"),
    ErrorCode.UNREADABLE: (400, "O corpo da requisição não é um JSON válido"),
    ErrorCode.NOT_FOUND: (404, "Endereço não encontrado"),
    ErrorCode.METHOD_NOT_ALLOWED: (405, "Método não permitido neste endereço, que aceita: {}"),
    ErrorCode.IDEMPOTENCY_KEY_MALFORMED: (400, "Idempotency-Key deve ter de 1 a 255 caracteres imprimíveis"),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: (422, "Idempotency-Key já usada com outra requisição"),
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: (409, "Requisição idêntica em andamento"),
    ErrorCode.ANSWER_ERASED: (
        410,
        "O pedido já foi feito da primeira vez, e a resposta já não está guardada, porque os dados do paciente foram"
        " apagados ou limitados. Veja o que existe antes de fazer outro, com outra Idempotency-Key",
    ),
    ErrorCode.BUSY: (503, "Outra pessoa está gravando isto neste momento. Tente de novo"),
    ErrorCode.UNAVAILABLE: (503, "O serviço está temporariamente indisponível. Tente de novo"),
    ErrorCode.SERVER_ERROR: (500, "Internal server error"),
}
# As the vendor's framework writes them; Python's own phrases differ between versions.
PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}


class RequestError(Exception):
    """A request is refused, with a list of messages about its fields or one message about a single cause."""

    def __init__(self, status: int, message: str | list[str]) -> None:
        super().__init__(status)
        self.status = status
        self.message = message


def api_error(error: ApiError) -> HttpResponse:
    status, sentence = API_ERRORS[error.code]
    response = error_answer(status, sentence.format(error.detail, ", ".join(error.known) or "nenhum"))
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def error_answer(status: int, message: str | list[str], **more: object) -> HttpResponse:
    return JsonResponse(error_body(status, message) | more, status=status, json_dumps_params={"ensure_ascii": False})


def error_body(status: int, message: str | list[str]) -> JsonObject:
    """Return the body of an error: a list of messages about fields or one message; 401 and 500 have no `error`."""
    if status in {401, 500}:
        return {"statusCode": status, "message": message}
    return {"message": message, "error": PHRASES.get(status, HTTPStatus(status).phrase), "statusCode": status}
