"""Moving an appointment on the day itself: the script asks where to, and posts where it was dropped, or its end."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.models import Appointment
from clinic.models.history import last_event
from clinic.queries import history
from clinic.refusals import Reason, Refusal
from clinic.web.appointment.responses import day_response, not_found_when_deleted
from clinic.web.booking_panel.change_form import ChangeForm
from clinic.web.booking_panel.forms import MoveForm
from clinic.web.booking_panel.lines import changed_message, is_elsewhere
from clinic.web.fields import RefusableForm
from clinic.web.htmx import wants_partial
from clinic.web.moving.context import places_context, refused_context, resize_context, shown_state
from clinic.web.moving.posted import data_of_choice, data_of_end, read_days, read_minutes
from clinic.web.panel import author
from clinic.web.responses import private

SHOWN_BESIDE = "#refused"  # the element of the day that shows at the card why it stays


@require_http_methods(["GET", "HEAD", "POST"])
@not_found_when_deleted
def move(request: ClinicRequest, pk: int) -> HttpResponse:
    """Answer the free times of the date in `data` that the appointment could have; move it when it is posted.

    With `dias` they are those of so many dates from it on; with `minutos` it is to last so long, and may be one that
    only gets another end. What is posted are the fields of *Remarcar*, or in `choose` a time that was offered instead.
    Refused, it is answered with the reasons and the nearest times, to be shown at the card."""
    if request.method == "POST":
        return _dropped(request, pk)
    appointment = booking.load(request.clinic, pk)
    if not wants_partial(request):
        return redirect("web:appointment-reschedule", pk=pk)
    minutes = read_minutes(request.GET.get("minutos", ""))
    if refusals := _refusals(request, appointment, is_resized=minutes is not None):
        return _move_refused(request, appointment, [refusal.message for refusal in refusals])
    context = places_context(appointment, request.GET.get("data", ""), read_days(request.GET.get("dias", "")), minutes)
    return private(render(request, "appointment/_places.html", context))


@require_POST
@not_found_when_deleted
def resize(request: ClinicRequest, pk: int) -> HttpResponse:
    """End the appointment at the posted wall time `ends` if it is still where and as long as in `shown`."""
    appointment = booking.load(request.clinic, pk)
    form = ChangeForm(data_of_end(request.POST, appointment), appointment=appointment)
    if request.POST.get("shown", "") != shown_state(appointment):
        if form.data["ends"] == form.data["proposed"]:  # its answer was lost, or it was sent twice
            return _done(request, appointment)
        return _resize_refused(request, appointment, [changed_message(appointment)])
    if changed := form.change(author(request)):
        return _done(request, changed)
    return _resize_refused(request, appointment, _sentences(form))


def _refusals(request: ClinicRequest, appointment: Appointment, *, is_resized: bool) -> list[Refusal]:
    if is_resized:
        return booking.change_refusals(appointment, author(request))
    if booking.is_movable(appointment):
        return []
    return [Refusal(Reason.NOT_MOVABLE, {"current": appointment.get_status_display()})]


def _dropped(request: ClinicRequest, pk: int) -> HttpResponse:
    form = _move_form(request, pk)
    if moved := form.move(author(request)):
        return _done(request, moved)
    if _is_there(form):
        return _done(request, form.appointment)
    return _move_refused(request, form.appointment, [*_sentences(form), *form.expired_discounts], form)


def _move_form(request: ClinicRequest, pk: int) -> MoveForm:
    if "choose" not in request.POST:
        return MoveForm(request.POST, clinic=request.clinic, pk=pk)
    appointment = booking.load(request.clinic, pk)
    return MoveForm.of(appointment, data_of_choice(request.POST, appointment))


def _is_there(form: MoveForm) -> bool:
    """Return whether a refused move has been made already: its answer was lost, or it was sent twice."""
    wanted = form.cleaned_data.get("doctor"), form.cleaned_data.get("starts_at")
    present = form.appointment
    return is_elsewhere(form, present) and wanted == (present.doctor_id, present.starts_at)


def _sentences(form: RefusableForm) -> list[str]:
    return [str(sentence) for errors in form.errors.values() for sentence in errors]


def _done(request: ClinicRequest, appointment: Appointment) -> HttpResponse:
    last = appointment.written_event or last_event(appointment)
    note = history.as_sentence(last, appointment)
    if wants_partial(request):
        undoable = last if last and booking.is_reversible(last) else None
        return day_response(request, appointment, undoable, note=note)
    messages.info(request, note)
    return redirect("web:appointment-detail", pk=appointment.pk)


def _move_refused(
    request: ClinicRequest, appointment: Appointment, sentences: list[str], form: MoveForm | None = None
) -> HttpResponse:
    context = refused_context(appointment, form) | {"sentences": sentences}
    return _refused(request, "appointment/_move_refused.html", "web:appointment-reschedule", context)


def _resize_refused(request: ClinicRequest, appointment: Appointment, sentences: list[str]) -> HttpResponse:
    context = resize_context(appointment, author(request)) | {"sentences": sentences}
    return _refused(request, "appointment/_resize_refused.html", "web:appointment-change", context)


def _refused(request: ClinicRequest, template: str, form_page: str, context: dict[str, Any]) -> HttpResponse:
    """Show the reasons at the card; without the script, above the form of its own page."""
    if not wants_partial(request):
        for sentence in context["sentences"]:
            messages.error(request, sentence)
        return redirect(form_page, pk=context["appointment"].pk)
    response = render(request, template, context, status=HTTPStatus.CONFLICT)
    response["HX-Retarget"] = SHOWN_BESIDE
    # What was refused is not as the day shows it.
    response["HX-Trigger"] = "refresh-day"
    return private(response)
