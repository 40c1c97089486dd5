"""The error answers of ImageMais: always `message`, `error` and `statusCode`.

`message` is a list with the messages of all invalid fields, or one string for any other error.
"""

from http import HTTPStatus

from django.http import HttpResponse, JsonResponse

from clinic.api.errors import Problem, Refused

INVALID_TOKEN = 401, "invalid token"
SENTENCES = {
    Problem.MALFORMED_AUTHORIZATION: INVALID_TOKEN,
    Problem.INVALID_CREDENTIAL: INVALID_TOKEN,
    Problem.CLINIC_INACTIVE: INVALID_TOKEN,
    Problem.EXPIRED_CREDENTIAL: (401, "jwt expired"),
    Problem.TOO_MANY_REQUESTS: (429, "Too Many Requests"),
    Problem.TOO_MANY_PARAMETERS: (400, "A requisição tem parâmetros demais na query"),
    Problem.QUERY_NOT_UTF8: (400, "A query da requisição não está em UTF-8"),
    Problem.TOO_LARGE: (413, "O corpo da requisição passa de 64 KiB"),
    Problem.TOO_SLOW: (408, "O corpo da requisição não chegou completo em 10 segundos"),
    Problem.NOT_JSON: (415, "O corpo da requisição deve ser application/json"),
    Problem.UNREADABLE: (400, "O corpo da requisição não é um JSON válido"),
    Problem.NOT_FOUND: (404, "Endereço não encontrado"),
    Problem.METHOD_NOT_ALLOWED: (405, "Método não permitido neste endereço"),
    Problem.IDEMPOTENCY_KEY_MALFORMED: (400, "Idempotency-Key deve ter de 1 a 255 caracteres imprimíveis"),
    Problem.IDEMPOTENCY_KEY_REUSED: (422, "Idempotency-Key já usada com outra requisição"),
    Problem.IDEMPOTENCY_IN_PROGRESS: (409, "Requisição idêntica em andamento"),
    Problem.BUSY: (503, "Outra pessoa está gravando isto neste momento. Tente de novo"),
    Problem.UNAVAILABLE: (503, "O serviço está temporariamente indisponível. Tente de novo"),
    Problem.SERVER_ERROR: (500, "Internal server error"),
}
# As the vendor's framework writes them; Python's own phrases differ between versions.
PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}


class Rejected(Exception):
    """A request is refused, with a list of messages about its fields or one message about a single cause."""

    def __init__(self, status: int, message: str | list[str]):
        super().__init__(status)
        self.status = status
        self.message = message


def refusal(refused: Refused) -> HttpResponse:
    status, sentence = SENTENCES[refused.problem]
    response = envelope(status, sentence)
    if refused.retry_after is not None:
        response["Retry-After"] = str(refused.retry_after)
    return response


def envelope(status: int, message: str | list[str]) -> HttpResponse:
    return JsonResponse(enveloped(status, message), status=status, json_dumps_params={"ensure_ascii": False})


def enveloped(status: int, message: str | list[str]) -> dict:
    """Return the body of an error: a list of messages about fields or one message; 401 and 500 have no `error`."""
    if status in {401, 500}:
        return {"statusCode": status, "message": message}
    return {"message": message, "error": PHRASES.get(status, HTTPStatus(status).phrase), "statusCode": status}
