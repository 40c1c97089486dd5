"""What MiviCall answers when it refuses: `error`, `message`, `requestId`, `errors` (mivicall.md, "Errors")."""

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from clinic.api.refused import Problem, Refused

CODES = {
    Problem.MALFORMED_AUTHORIZATION: (401, "malformed_auth_header", "Envie Authorization: Bearer miv_live_…"),
    Problem.INVALID_CREDENTIAL: (401, "invalid_api_key", "A chave não existe ou foi revogada."),
    Problem.EXPIRED_CREDENTIAL: (401, "expired_api_key", "A chave expirou. Gere outra em Configurações → Integrações."),
    Problem.CLINIC_INACTIVE: (403, "tenant_inactive", "A clínica desta chave está inativa."),
    Problem.SCOPE_MISSING: (403, "insufficient_scope", "A chave não tem a permissão {}."),
    Problem.TOO_LARGE: (413, "payload_too_large", "O corpo do pedido passa de 64 KiB."),
    Problem.NOT_JSON: (415, "unsupported_media_type", "O corpo do pedido deve ser application/json."),
    Problem.UNREADABLE: (400, "invalid_json", "O corpo do pedido não é um JSON válido."),
    Problem.NOT_FOUND: (404, "not_found", "Este endereço não existe."),
    Problem.METHOD_NOT_ALLOWED: (405, "method_not_allowed", "Este endereço aceita: {}."),
    Problem.IDEMPOTENCY_KEY_REUSED: (422, "idempotency_key_reused", "A Idempotency-Key já foi usada com outro pedido."),
    Problem.IDEMPOTENCY_IN_PROGRESS: (
        409,
        "idempotency_in_progress",
        "Um pedido com esta Idempotency-Key ainda está em curso. Tente de novo.",
    ),
    Problem.BUSY: (503, "busy", "Outra pessoa está a gravar neste mesmo horário. Tente de novo."),
    Problem.SERVER_ERROR: (500, "internal_error", "Algo falhou do nosso lado. Indique o requestId ao suporte."),
}
IDEMPOTENCY_KEY = "Deve ter de 1 a 255 caracteres imprimíveis."


def refusal(request, refused: Refused) -> HttpResponse:
    if refused.problem is Problem.TOO_MANY_REQUESTS:
        return _too_many(request, refused.retry_after)
    if refused.problem is Problem.IDEMPOTENCY_KEY_MALFORMED:
        return validation_failed(request, [("Idempotency-Key", IDEMPOTENCY_KEY)])
    status, code, sentence = CODES[refused.problem]
    response = envelope(request, status, code, sentence.format(refused.detail))
    if refused.retry_after is not None:
        response["Retry-After"] = str(refused.retry_after)
    return response


def envelope(request, status: int, code: str, message: str, **more) -> HttpResponse:
    body = {"error": code, "message": message, "requestId": str(request.visit.id), **more}
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})


def validation_failed(request, errors: list[tuple[str, str]]) -> HttpResponse:
    """422 with every (path, message)."""
    listed = [{"path": path, "message": message} for path, message in errors]
    return envelope(request, 422, "validation_failed", "O pedido tem campos inválidos.", errors=listed)


def _too_many(request, seconds):
    limit = settings.API_REQUESTS_A_MINUTE
    message = f"API key exceeded {limit} req/min. Retry in {seconds} seconds."
    body = {"error": "rate_limit_exceeded", "message": message, "retryAfter": seconds}
    response = JsonResponse(body, status=429)
    response["Retry-After"] = str(seconds)
    return response
