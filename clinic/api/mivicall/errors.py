"""The error answers of MiviCall: `error` (a code), `message`, `requestId`, and `errors` for a validation only.

`requestId` is also in the `X-Request-Id` header of every answer and in the log line. A 409 about time has
`alternatives`: the next three free `startsAt` of the same professional and service.
"""

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from clinic import refusals
from clinic.api.errors import AfterRollback, ApiError, ErrorCode
from clinic.api.gateway import ApiRequest
from clinic.api.mivicall.reading import UNSTORABLE
from clinic.models import Doctor, Procedure
from clinic.models.limits import max_length
from clinic.models.procedure import LONGEST_DURATION, SHORTEST_DURATION
from clinic.refusals import Reason, Refusal
from clinic.registry import PHONE_FAULTS, ClinicFault, DoctorFault, ProcedureFault

API_ERRORS = {
    ErrorCode.HOST_UNKNOWN: (400, "invalid_host", "O cabeçalho Host falta ou não é o endereço desta API."),
    ErrorCode.MALFORMED_AUTHORIZATION: (401, "malformed_auth_header", "Envie Authorization: Bearer miv_live_…"),
    ErrorCode.INVALID_CREDENTIAL: (401, "invalid_api_key", "A chave não existe ou foi revogada."),
    ErrorCode.EXPIRED_CREDENTIAL: (401, "expired_api_key", "A chave expirou. Gere outra em Integrações."),
    ErrorCode.CLINIC_INACTIVE: (403, "tenant_inactive", "A clínica desta chave está inativa."),
    ErrorCode.SCOPE_MISSING: (403, "insufficient_scope", "A chave não tem a permissão {}."),
    ErrorCode.TOO_MANY_PARAMETERS: (400, "too_many_parameters", "O pedido tem parâmetros a mais na query."),
    ErrorCode.QUERY_NOT_UTF8: (400, "invalid_query", "A query do pedido não está em UTF-8."),
    ErrorCode.PARAMETER_UNKNOWN: (422, "unknown_parameter", "Este endereço não tem o parâmetro {}; tem: {}."),
    ErrorCode.PARAMETER_REPEATED: (422, "repeated_parameter", "O parâmetro {} só pode vir uma vez."),
    ErrorCode.TOO_LARGE: (413, "payload_too_large", "O corpo do pedido passa de 64 KiB."),
    ErrorCode.TOO_SLOW: (408, "request_timeout", "O corpo do pedido não chegou completo em 10 segundos."),
    ErrorCode.NOT_JSON: (415, "unsupported_media_type", "O corpo do pedido deve ser application/json."),
    ErrorCode.ENCODED: (415, "unsupported_encoding", "O corpo do pedido deve vir sem compressão."),
    ErrorCode.NOT_UTF8: (415, "unsupported_charset", "O corpo do pedido deve estar em UTF-8."),
    ErrorCode.KEY_REPEATED: (400, "repeated_key", "O corpo do pedido tem uma chave repetida: {}."),
    ErrorCode.UNREADABLE: (400, "invalid_json", "O corpo do pedido não é um JSON válido."),
    ErrorCode.NOT_FOUND: (404, "not_found", "Este endereço não existe."),
    ErrorCode.METHOD_NOT_ALLOWED: (405, "method_not_allowed", "Este endereço aceita: {}."),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: (
        422,
        "idempotency_key_reused",
        "A Idempotency-Key já foi usada com outro pedido.",
    ),
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: (
        409,
        "idempotency_in_progress",
        "Um pedido com esta Idempotency-Key ainda está em curso. Tente de novo.",
    ),
    ErrorCode.ANSWER_ERASED: (
        410,
        "answer_erased",
        "O pedido já foi feito da primeira vez, e a resposta já não está guardada, porque os dados do utente foram"
        " apagados ou limitados. Veja o que existe antes de fazer outro, com outra Idempotency-Key.",
    ),
    ErrorCode.BUSY: (503, "busy", "Outra pessoa está a guardar nesta mesma hora. Tente de novo."),
    ErrorCode.UNAVAILABLE: (503, "unavailable", "O serviço está temporariamente indisponível. Tente de novo."),
    ErrorCode.SERVER_ERROR: (500, "internal_error", "Algo falhou do nosso lado. Indique o requestId ao suporte."),
}
# Errors in the request itself, and their field.
FIELDS_OF_REASONS = {
    Reason.PATIENT_MISSING: "patientName",
    Reason.PATIENT_UNKNOWN: "patientName",
    Reason.PATIENT_EXISTS: "patientName",
    Reason.PATIENT_CHANGED: "patientName",
    Reason.PATIENT_DIED: "patientName",
    Reason.DIED_ON_IMPOSSIBLE: "patientName",
    Reason.DIED_ON_WITHOUT_MARK: "patientName",
    Reason.NAME_MISSING: "patientName",
    Reason.NAME_WITHOUT_LETTERS: "patientName",
    Reason.SOCIAL_NAME_WITHOUT_LETTERS: "patientName",
    Reason.NAME_TOO_LONG: "patientName",
    Reason.NAME_UNSTORABLE: "patientName",
    Reason.SOCIAL_NAME_TOO_LONG: "patientName",
    Reason.SOCIAL_NAME_UNSTORABLE: "patientName",
    Reason.ALERT_TOO_LONG: "patientName",
    Reason.ALERT_UNSTORABLE: "patientName",
    Reason.LABEL_TOO_LONG: "patientName",
    Reason.PHONE_TO_WRITE: "patientName",
    Reason.LABEL_UNSTORABLE: "patientName",
    Reason.PHONE_MISSING: "patientPhone",
    **dict.fromkeys(PHONE_FAULTS.values(), "patientPhone"),
    Reason.BIRTH_DATE_IMPOSSIBLE: "patientName",
    Reason.CPF_SHAPE: "patientName",
    Reason.CPF_IS_CNPJ: "patientName",
    Reason.CPF_INVALID: "patientName",
    Reason.CPF_TAKEN: "patientName",
    Reason.CPF_OTHER_BIRTH_DATE: "patientName",
    Reason.NIF_OF_NOBODY: "patientName",
    Reason.NIF_INVALID: "patientName",
    Reason.HEALTH_NUMBER_SHAPE: "patientName",
    Reason.HEALTH_NUMBER_IS_NIF: "patientName",
    Reason.HEALTH_NUMBER_TAKEN: "patientName",
    Reason.DOCUMENT_SHAPE: "patientName",
    Reason.PAYER_UNKNOWN: "patientName",
    Reason.CARD_NUMBER_SHAPE: "patientName",
    Reason.PAYER_NOT_YET: "startsAt",
    Reason.PAYER_ENDED: "startsAt",
    Reason.PAYER_NOT_TAKEN: "professionalId",
    Reason.PAYER_NOT_THAT_WEEKDAY: "startsAt",
    Reason.PAYER_FULL: "startsAt",
    Reason.PAYER_FULL_WITH_DOCTOR: "startsAt",
    Reason.AUTHORIZATION_MISSING: "patientName",
    Reason.EMAIL_INVALID: "patientName",
    Reason.DOCTOR_MISSING: "professionalId",
    Reason.PROCEDURES_MISSING: "serviceTypeId",
    Reason.PROCEDURES_TOO_MANY: "serviceTypeId",
    Reason.DISCOUNT_UNKNOWN: "serviceTypeId",
    Reason.DISCOUNT_EXPIRED: "serviceTypeId",
    Reason.DISCOUNT_ABOVE_LIMIT: "serviceTypeId",
    Reason.TOTAL_CHANGED: "serviceTypeId",
    Reason.NOTES_TOO_LONG: "patientNotes",
    Reason.NOTES_UNSTORABLE: "patientNotes",
    Reason.METADATA_UNSTORABLE: "metadata",
    Reason.START_MISSING: "startsAt",
    Reason.TIME_HAS_SECONDS: "startsAt",
    Reason.END_NOT_AFTER_START: "startsAt",
    Reason.TOO_LONG: "startsAt",
    Reason.TOO_SHORT: "startsAt",
    Reason.DATE_PAST: "startsAt",
    Reason.DATE_TOO_FAR: "startsAt",
    Reason.TIME_PAST: "startsAt",
    Reason.NOTHING_CHANGED: "startsAt",
    **dict.fromkeys((reason for reason in Reason if reason.name.startswith("PAYMENT")), "status"),
    Reason.CANCELLED_BY_MISSING: "status",
    Reason.CANCEL_REASON_TOO_LONG: "status",
    Reason.CANCEL_REASON_UNSTORABLE: "status",
}
NOT_OFFERED = 409, "service_not_offered"
OUTSIDE_HOURS = 409, "outside_working_hours"
TAKEN = 409, "slot_conflict"
TRANSITION = 409, "invalid_transition"
DISCOUNT = 409, "discount_expired"
# Requests that cannot be fulfilled. If several apply, the first one listed here is answered.
ANSWERS_OF_REASONS = {
    Reason.TRY_AGAIN: (503, "busy"),
    Reason.DOCTOR_UNKNOWN: (404, "professional_not_found"),
    Reason.PROCEDURE_UNKNOWN: (404, "service_not_found"),
    Reason.PROCEDURE_NOT_OFFERED: NOT_OFFERED,
    Reason.TRANSITION_FORBIDDEN: TRANSITION,
    Reason.NOT_THAT_DAY: TRANSITION,
    Reason.NOT_WAITING: TRANSITION,
    Reason.NOT_IN_QUEUE: TRANSITION,
    Reason.NOT_YET_BEGUN: TRANSITION,
    Reason.ANOTHER_IN_SERVICE: TRANSITION,
    Reason.UNDO_TOO_LATE: TRANSITION,
    Reason.NOTHING_TO_UNDO: TRANSITION,
    Reason.CHANGED_MEANWHILE: TRANSITION,
    Reason.CALL_AFTER_START: TRANSITION,
    Reason.CALL_NOT_NEEDED: TRANSITION,
    Reason.WAITING_TWICE: TRANSITION,
    Reason.WAITING_NOT_AHEAD: TRANSITION,
    Reason.WAITING_NOT_PERFORMED: TRANSITION,
    Reason.WAITING_NOTE_TOO_LONG: TRANSITION,
    Reason.WAITING_NOTE_UNSTORABLE: TRANSITION,
    Reason.WAITING_CLOSED: TRANSITION,
    Reason.WAITING_CHANGED: TRANSITION,
    Reason.WAITING_APPOINTMENT_GONE: TRANSITION,
    Reason.WAITING_NOT_EARLIER: TRANSITION,
    Reason.WAITING_ASK_WHO_PAYS: TRANSITION,
    **dict.fromkeys((reason for reason in Reason if reason.name.startswith(("FAMILY", "MERGE", "RECALL"))), TRANSITION),
    Reason.NOT_MOVABLE: TRANSITION,
    Reason.NOT_REPEATABLE: TRANSITION,
    Reason.NOT_CHANGEABLE: TRANSITION,
    Reason.NOT_PAYABLE: TRANSITION,
    Reason.FINISHED_FOR_MANAGERS: TRANSITION,
    Reason.DISCOUNT_LEFT_BEHIND: DISCOUNT,
    Reason.HOLIDAY: OUTSIDE_HOURS,
    Reason.CLINIC_CLOSED: OUTSIDE_HOURS,
    Reason.DOCTOR_ABSENT: OUTSIDE_HOURS,
    Reason.AGENDA_NOT_OPEN: OUTSIDE_HOURS,
    Reason.PROCEDURE_NOT_OPEN: OUTSIDE_HOURS,
    Reason.NOTICE_TOO_SHORT: OUTSIDE_HOURS,
    Reason.OUTSIDE_HOURS: OUTSIDE_HOURS,
    Reason.ENDS_AFTER_HOURS: OUTSIDE_HOURS,
    Reason.DAY_FULL: TAKEN,
    Reason.DAY_FULL_OF_PROCEDURE: TAKEN,
    Reason.DOCTOR_TAKEN: TAKEN,
    Reason.PATIENT_ELSEWHERE: TAKEN,
    **dict.fromkeys((reason for reason in Reason if reason.name.startswith("ENCAIXE")), TAKEN),
}
# Messages for the author of a program instead of the front desk, and without data that a write-only key may not see.
OWN_SENTENCES = {
    Reason.NOTES_UNSTORABLE: UNSTORABLE,
    **dict.fromkeys(PHONE_FAULTS.values(), "Este telefone não existe. Use o formato E.164, por exemplo +351912345678."),
    Reason.DOCTOR_UNKNOWN: "Nenhum profissional ativo tem este professionalId.",
    Reason.PROCEDURE_UNKNOWN: "Nenhum serviço ativo tem este serviceTypeId.",
    Reason.PATIENT_DIED: "Não é possível marcar para esta pessoa. A clínica deve ser contactada.",
    Reason.PATIENT_ELSEWHERE: "O utente já tem uma marcação a essa hora.",
    Reason.TRANSITION_FORBIDDEN: "Uma marcação no estado “%(current)s” não pode passar a “%(wanted)s”.",
    Reason.DISCOUNT_LEFT_BEHIND: (
        "O desconto %(discount)s da marcação vale só até %(date)s. Para remarcar sem ele, envie"
        " withoutExpiredDiscount: true."
    ),
    Reason.NOT_THAT_DAY: "Só se %(act)s no dia da marcação, %(date)s.",
    Reason.NOT_WAITING: "Só se chama quem fez check-in e espera.",
    Reason.NOT_IN_QUEUE: "A prioridade é de quem espera ou vem hoje.",
    Reason.CHANGED_MEANWHILE: "A marcação foi alterada entretanto.",
}
PROFESSIONAL_EXISTS = "Já existe um profissional ativo com este nome."
SERVICE_EXISTS = "Já existe um serviço ativo com este nome."
APPOINTMENTS_PENDING = (
    "Já há marcações que ficariam sem profissional: {}. Se for mesmo assim, repita com a confirmation na query."
)
WITHOUT_LETTERS = "Deve ter pelo menos uma letra."
TOO_LONG = "Passa de {} caracteres."
NOT_STORABLE = "Tem caracteres que não podem ser guardados."
REQUIRED = "Campo obrigatório."
DOCTOR_FAULTS = {
    DoctorFault.NAME_MISSING: ("name", REQUIRED),
    DoctorFault.NAME_WITHOUT_LETTERS: ("name", WITHOUT_LETTERS),
    DoctorFault.NAME_TOO_LONG: ("name", TOO_LONG.format(max_length(Doctor, "name"))),
    DoctorFault.NAME_UNSTORABLE: ("name", NOT_STORABLE),
    DoctorFault.SPECIALTY_TOO_LONG: ("specialty", TOO_LONG.format(max_length(Doctor, "specialty"))),
    DoctorFault.SPECIALTY_UNSTORABLE: ("specialty", NOT_STORABLE),
}
PROCEDURE_FAULTS = {
    ProcedureFault.NAME_MISSING: ("name", REQUIRED),
    ProcedureFault.NAME_WITHOUT_LETTERS: ("name", WITHOUT_LETTERS),
    ProcedureFault.NAME_TOO_LONG: ("name", TOO_LONG.format(max_length(Procedure, "name"))),
    ProcedureFault.NAME_UNSTORABLE: ("name", NOT_STORABLE),
    ProcedureFault.DURATION_IMPOSSIBLE: (
        "durationMinutes",
        f"Deve ser de {SHORTEST_DURATION} a {LONGEST_DURATION} minutos.",
    ),
    ProcedureFault.PRICE_IMPOSSIBLE: ("price", "Deve ser de 0 a 99999999.99."),
    ProcedureFault.PRICE_OF_PART_OF_CENT: ("price", "Deve ter dois decimais no máximo."),
    ProcedureFault.DOCTOR_UNKNOWN: ("professionalIds", "Tem um profissional que não está ativo nesta clínica."),
}
CLINIC_FAULTS = {
    ClinicFault.MISSING: REQUIRED,
    ClinicFault.WITHOUT_LETTERS: WITHOUT_LETTERS,
    ClinicFault.TOO_LONG: "É comprido demais.",
    ClinicFault.UNSTORABLE: NOT_STORABLE,
    ClinicFault.NO_PHONE: "Este telefone não existe. Use o formato E.164, por exemplo +351912345678.",
}
APPOINTMENT_NOT_FOUND = "Nenhuma marcação desta clínica tem este id."
PATIENT_NOT_FOUND = "Nenhum utente desta clínica tem este telefone."
IDEMPOTENCY_KEY = "Deve ter de 1 a 255 caracteres imprimíveis."


def api_error(request: ApiRequest, error: ApiError) -> HttpResponse:
    if error.code is ErrorCode.TOO_MANY_REQUESTS:
        return _too_many_requests(request, error.retry_after)
    if error.code is ErrorCode.IDEMPOTENCY_KEY_MALFORMED:
        return validation_failed(request, [("Idempotency-Key", IDEMPOTENCY_KEY)])
    status, code, sentence = API_ERRORS[error.code]
    response = error_answer(request, status, code, sentence.format(error.detail, ", ".join(error.known) or "nenhum"))
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def error_answer(request: ApiRequest, status: int, code: str, message: str, **more: object) -> HttpResponse:
    body = {"error": code, "message": message, "requestId": str(request.call.id), **more}
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})


def validation_failed(request: ApiRequest, errors: list[tuple[str, str]]) -> HttpResponse:
    """Answer 422 with every (path, message)."""
    items = [{"path": path, "message": message} for path, message in errors]
    return error_answer(request, 422, "validation_failed", validation_message(errors), errors=items)


def validation_message(errors: Sequence[tuple[str, str]]) -> str:
    """Return what is wrong in one sentence, which bots speak and log: the first field, and how many more there are."""
    (path, message), *others = errors
    more = f" E mais {len(others)}." if others else ""
    return f"{path}: {message}{more}" if path else f"{message}{more}"


def after_rollback(
    request: ApiRequest, refused: refusals.Refused, unreadable: dict[str, str] | None = None
) -> AfterRollback:
    """Return the exception after which `booking_refused` is answered."""
    return AfterRollback(lambda: booking_refused(request, refused, unreadable))


def booking_refused(
    request: ApiRequest, refused: refusals.Refused, unreadable: dict[str, str] | None = None
) -> HttpResponse:
    """Answer errors of the request first (422, all fields at once), then missing rows (404), then conflicts (409).

    Conflicts of time include the next free times.
    """
    invalid = dict(unreadable or {})
    for refusal in refused.refusals:
        if refusal.reason in FIELDS_OF_REASONS:
            invalid.setdefault(FIELDS_OF_REASONS[refusal.reason], sentence(refusal))
    answers = sorted(refused.reasons & ANSWERS_OF_REASONS.keys(), key=list(ANSWERS_OF_REASONS).index)
    if answers[:1] == [Reason.TRY_AGAIN]:
        return api_error(request, ApiError(ErrorCode.BUSY, retry_after=1))
    if invalid:
        return validation_failed(request, list(invalid.items()))
    status, code = ANSWERS_OF_REASONS[answers[0]]
    sentences = [
        sentence(refusal) for refusal in refused.refusals if ANSWERS_OF_REASONS.get(refusal.reason) == (status, code)
    ]
    local = request.clinic.local
    times = [local(opening.starts_at).isoformat() for opening in refused.following]
    more = {"alternatives": times} if (status, code) in {OUTSIDE_HOURS, TAKEN} else {}
    return error_answer(request, status, code, " ".join(sentences), **more)


def sentence(refusal: Refusal) -> str:
    own = OWN_SENTENCES.get(refusal.reason)
    return own % refusal.params if own else refusal.message


def too_many_message(seconds: int | None, *, within_the_minute: bool = False) -> str:
    """Return the vendor's sentence, with the limit of a second where that of the minute is not reached."""
    limit = (
        f"{settings.API_REQUESTS_A_SECOND} req/s" if within_the_minute else f"{settings.API_REQUESTS_A_MINUTE} req/min"
    )
    return f"API key exceeded {limit}. Retry in {seconds} seconds."


def _too_many_requests(request: ApiRequest, seconds: int | None) -> HttpResponse:
    """Answer 429. Without a caller it is the address that failed too often."""
    caller = request.call.caller
    message = too_many_message(seconds, within_the_minute=caller is not None and caller.rate_limit.remaining > 0)
    if caller is None:
        message = f"Too many failed authentications from this address. Retry in {seconds} seconds."
    body = {"error": "rate_limit_exceeded", "message": message, "retryAfter": seconds}
    response = JsonResponse(body, status=429)
    response["Retry-After"] = str(seconds)
    return response
