from collections.abc import Callable
from datetime import date

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.form_fields import TypedDateField
from clinic.models import Appointment, shown
from clinic.models.appointment import Status
from clinic.queries import confirmations
from clinic.refusals import Refused
from clinic.web.confirmation.context import Board
from clinic.web.confirmation.forms import CallLaterForm
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.panel import author
from clinic.web.reading import event_to_undo, read_date
from clinic.web.responses import polled, private


@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    """Go to the typed day (`dia`), else to the next one with appointments."""
    try:
        typed = TypedDateField(required=False).clean(request.GET.get("dia", ""))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        typed = None
    on = typed or confirmations.next_day(request.clinic, now=timezone.now())
    return redirect("web:confirmation-day", date=on.isoformat())


@require_safe
def day(request: ClinicRequest, date: str) -> HttpResponse:
    """Show the list of a day. When htmx asks with the version it has, an unchanged list is a 304 without a body."""
    on = read_date(date)
    if on is None:
        raise Http404
    board = _board(request, on)

    def answer() -> HttpResponse:
        shown.add_day(on)
        return partial_or_page(request, "confirmation/day.html", "list", {"board": board})

    return polled(request, board.version, answer)


@require_POST
def calling(request: ClinicRequest, pk: int) -> HttpResponse:
    """Note that the user is calling the patient; show the row if a colleague already is, or if there is no call to
    make, with the reason."""
    seen = request.POST.get("seen")
    try:
        is_noted = booking.begin_call(pk, clinic=request.clinic, caller=request.user, seen=seen)
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        return _shown(request, pk, [refusal.message for refusal in refused.refusals], status=409)
    if is_noted and wants_partial(request):
        return private(HttpResponse(status=204))
    return _shown(request, pk, [])


@require_POST
def confirm(request: ClinicRequest, pk: int) -> HttpResponse:
    """Confirm the appointment if it is still in the state that the row shows."""
    return _act_response(request, pk, lambda: _change(request, pk, Status.CONFIRMED))


@require_POST
def cancel(request: ClinicRequest, pk: int) -> HttpResponse:
    """Cancel; `cancelled_by` is the patient or the clinic, `reason` may be empty."""
    answers = {name: request.POST.get(name, "") for name in ("cancelled_by", "reason")}
    return _act_response(request, pk, lambda: _change(request, pk, Status.CANCELLED, **answers))


@require_POST
def not_reached(request: ClinicRequest, pk: int) -> HttpResponse:
    """Record a call that was not answered."""
    seen = request.POST.get("seen")
    return _act_response(
        request, pk, lambda: booking.record_not_reached(pk, clinic=request.clinic, by=author(request), seen=seen)
    )


@require_POST
def call_later(request: ClinicRequest, pk: int) -> HttpResponse:
    """Keep the hour of today (`at`) at which to call again."""
    today, seen = request.clinic.local(timezone.now()).date(), request.POST.get("seen")
    form = CallLaterForm(request.POST, clinic=request.clinic, today=today)
    if not form.is_valid():
        return _shown(request, pk, form.complaints, status=422)
    at = form.cleaned_data["at"]
    return _act_response(
        request, pk, lambda: booking.call_later(pk, at, clinic=request.clinic, by=author(request), seen=seen)
    )


@require_POST
def undo(request: ClinicRequest, pk: int) -> HttpResponse:
    """Undo the posted `event` if it is still the last one."""
    seen = event_to_undo(request.POST)
    return _act_response(request, pk, lambda: booking.undo(pk, clinic=request.clinic, by=author(request), seen=seen))


def _change(
    request: ClinicRequest, pk: int, status: Status, *, cancelled_by: str = "", reason: str = ""
) -> Appointment:
    return booking.change_status(
        pk,
        status,
        clinic=request.clinic,
        by=author(request),
        seen=request.POST.get("seen"),
        cancelled_by=cancelled_by,
        reason=reason,
    )


def _act_response(request: ClinicRequest, pk: int, act: Callable[[], Appointment]) -> HttpResponse:
    """Call `act`, which also ends the user's call, and show the row as it is now; after a refusal with the reasons."""
    sentences: list[str] = []
    try:
        act()
        booking.end_call(pk, clinic=request.clinic, caller=request.user)
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        sentences = [refusal.message for refusal in refused.refusals]
    return _shown(request, pk, sentences, status=409 if sentences else 200)


def _shown(request: ClinicRequest, pk: int, sentences: list[str], *, status: int = 200) -> HttpResponse:
    """Answer the row and the head for htmx, else go to the row on its page; with the sentences of what was refused, and
    for htmx what was typed for it."""
    board = _board(request, read_date(request.POST.get("day", "")) or request.clinic.local(timezone.now()).date())
    row = board.row(pk)
    if row is None:
        raise Http404
    shown.add([row.appointment.patient])
    if wants_partial(request):
        context = {"board": board, "row": row, "refusals": sentences, "typed": request.POST if sentences else None}
        return private(render(request, "confirmation/_changed.html", context, status=status))
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(f"{reverse('web:confirmation-day', args=[board.day])}#c{pk}")


def _board(request: ClinicRequest, on: date) -> Board:
    return Board(request.clinic, on, timezone.now(), request.user)
