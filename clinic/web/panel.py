"""The response of every view of the panel beside the day, and the author of its acts."""

from datetime import date
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from clinic.access.requests import ClinicRequest
from clinic.booking import Author
from clinic.models import AppointmentEvent
from clinic.web.agenda import views as agenda
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.responses import private


def author(request: ClinicRequest) -> Author:
    """Return the signed-in user as the author of an act in the browser."""
    return Author(channel=AppointmentEvent.Channel.BROWSER, user=request.user)


def panel_response(
    request: ClinicRequest, template: str, context: dict[str, Any], day: date | None, status: int | None
) -> HttpResponse:
    """Render the panel alone for htmx, otherwise the page of that local date (None: today) with the panel open.

    Browsers may store neither.
    """
    if not wants_partial(request):
        context = agenda.day_context(request, day or request.clinic.local(timezone.now()).date()) | context
    response = partial_or_page(request, template, "panel", context, status)
    if status == HTTPStatus.CONFLICT:
        # What was refused is not as the day beside shows it.
        response["HX-Trigger"] = "refresh-day"
    return private(response)
