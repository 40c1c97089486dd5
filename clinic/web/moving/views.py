"""Moving an appointment on the day itself: the script asks where to, and posts where it was dropped."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.models import Appointment
from clinic.queries import history
from clinic.refusals import Reason, Refusal
from clinic.web.appointment.responses import day_response, get_appointment, not_found_when_deleted
from clinic.web.booking_panel import fields
from clinic.web.booking_panel.forms import MoveForm
from clinic.web.booking_panel.lines import is_elsewhere
from clinic.web.htmx import wants_partial
from clinic.web.moving.context import places_context, refused_context
from clinic.web.panel import author

SHOWN_BESIDE = "#refused"  # the element of the day that shows at the card why it stays


@require_http_methods(["GET", "HEAD", "POST"])
@not_found_when_deleted
def move(request: ClinicRequest, pk: int) -> HttpResponse:
    """Answer the free times of the date in `data` that the appointment could have; move it when it is posted.

    What is posted are the fields of *Remarcar*, or in `choose` a time that was offered instead. Refused, it is answered
    with the reasons and the nearest times, to be shown at the card."""
    appointment = get_appointment(request, pk)
    if request.method == "POST":
        return _dropped(request, appointment)
    if not wants_partial(request):
        return redirect("web:appointment-reschedule", pk=pk)
    if not booking.is_movable(appointment):
        refusal = Refusal(Reason.NOT_MOVABLE, {"current": appointment.get_status_display()})
        return _refused(request, appointment, [refusal.message])
    response = render(request, "appointment/_places.html", places_context(appointment, request.GET.get("data", "")))
    return _private(response)


def _dropped(request: ClinicRequest, appointment: Appointment) -> HttpResponse:
    form = MoveForm(_chosen(request.POST, appointment), appointment=appointment)
    is_moved = form.move(author(request))
    if is_moved or _is_there(form, appointment):
        return _moved(request, appointment)
    sentences = [str(sentence) for errors in form.errors.values() for sentence in errors]
    return _refused(request, appointment, [*sentences, *form.expired_discounts], form)


def _chosen(posted: QueryDict, appointment: Appointment) -> QueryDict:
    return fields.apply_move_button(posted, appointment, None) if "choose" in posted else posted


def _is_there(form: MoveForm, appointment: Appointment) -> bool:
    """Return whether a refused move has been made already: its answer was lost, or it was sent twice."""
    wanted = form.cleaned_data.get("doctor"), form.cleaned_data.get("starts_at")
    return is_elsewhere(form, appointment) and wanted == (appointment.doctor_id, appointment.starts_at)


def _moved(request: ClinicRequest, appointment: Appointment) -> HttpResponse:
    note = history.last_sentence(appointment)
    if wants_partial(request):
        return day_response(request, appointment, note=note)
    messages.info(request, note)
    return redirect("web:appointment-detail", pk=appointment.pk)


def _refused(
    request: ClinicRequest, appointment: Appointment, sentences: list[str], form: MoveForm | None = None
) -> HttpResponse:
    if not wants_partial(request):
        for sentence in sentences:
            messages.error(request, sentence)
        return redirect("web:appointment-reschedule", pk=appointment.pk)
    context = refused_context(appointment, form) | {"sentences": sentences}
    response = render(request, "appointment/_move_refused.html", context, status=HTTPStatus.CONFLICT)
    response["HX-Retarget"] = SHOWN_BESIDE
    # What was refused is not as the day shows it.
    response["HX-Trigger"] = "refresh-day"
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_store=True)
    return response
