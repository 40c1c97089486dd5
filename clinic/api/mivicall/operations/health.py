"""Report that the service is up, without key, rate limit or query."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from clinic.api.gateway import ApiCall
from clinic.api.mivicall import schemas
from clinic.api.mivicall.api import answer

SERVICE = "clinic-agenda"


@csrf_exempt  # it writes nothing, and a POST should be answered with 405 instead of a CSRF failure
@login_not_required
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    call = ApiCall()
    now = schemas.in_utc(timezone.now())
    response = answer({"status": "ok", "service": SERVICE, "timestamp": now, "requestId": str(call.id)})
    response["X-Request-Id"] = str(call.id)
    return response
