from collections.abc import Callable
from typing import TypedDict

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.models import Appointment, AppointmentEvent, Clinic, shown
from clinic.models.appointment import Status
from clinic.queries import history
from clinic.refusals import Refused
from clinic.web.appointment.forms import CancelForm, NotesForm
from clinic.web.appointment.responses import (
    day_response,
    detail_or_redirect,
    detail_response,
    get_appointment,
    not_found_when_deleted,
)
from clinic.web.htmx import wants_partial
from clinic.web.panel import author, panel_response
from clinic.web.reading import event_to_undo


class ActArguments(TypedDict):
    clinic: Clinic
    by: booking.Author


@require_http_methods(["GET", "HEAD"])
def detail(request: ClinicRequest, pk: int) -> HttpResponse:
    return detail_response(request, pk)


@require_POST
def change_status(request: ClinicRequest, pk: int) -> HttpResponse:
    """Change the status if it is still the one in `seen`: a button rendered before another change has no effect."""
    wanted, seen = request.POST.get("status", ""), request.POST.get("seen")
    return act_response(
        request,
        pk,
        lambda: booking.change_status(pk, wanted, seen=seen, **_act_arguments(request)),
        unchanged_note=lambda appointment: _unchanged_note(appointment) if appointment.status == wanted else "",
    )


@require_POST
def undo(request: ClinicRequest, pk: int) -> HttpResponse:
    """Undo the posted `event` if it is still the last one."""
    seen = event_to_undo(request.POST)
    return act_response(
        request,
        pk,
        lambda: booking.undo(pk, seen=seen, **_act_arguments(request)),
        unchanged_note=lambda appointment: _("Já foi desfeito.") if history.is_undone(appointment, seen) else "",
        note=history.undone,
    )


@require_POST
def undo_last(request: ClinicRequest) -> HttpResponse:
    """Undo the user's last act on any appointment, if that may be; otherwise say so."""
    event = booking.last_own_act(request.clinic, author(request))
    if event is None or booking.undoable(event.appointment) != event:
        return _nothing_to_undo(request, event)
    pk = event.appointment_id
    return act_response(
        request,
        pk,
        lambda: booking.undo(pk, seen=event.pk, **_act_arguments(request)),
        unchanged_note=lambda appointment: _("Já foi desfeito.") if history.is_undone(appointment, event.pk) else "",
        note=history.undone_with_name,
    )


def _nothing_to_undo(request: ClinicRequest, event: AppointmentEvent | None) -> HttpResponse:
    messages.info(request, _why_not_undone(event))
    if not wants_partial(request):
        return redirect("web:agenda-today")
    response = render(request, "_messages.html", {"oob": True})
    response["HX-Reswap"] = "none"
    return response


def _why_not_undone(event: AppointmentEvent | None) -> str:
    """Return why `undo_last` leaves the user's last act as it is."""
    if event is None or event.after.get("undo"):
        return _("Nos últimos dez minutos não há ação sua que se possa desfazer.")
    patient = event.appointment.patient
    shown.add([patient])
    if booking.is_reversible(event):
        sentence = _("%(name)s: depois da sua última ação houve outra. Abra o agendamento e confira o histórico.")
    else:
        sentence = _("%(name)s: sua última ação não se desfaz assim. Abra o agendamento para alterar ou cancelar.")
    return sentence % {"name": patient.display_name}


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@not_found_when_deleted
def cancel(request: ClinicRequest, pk: int) -> HttpResponse:
    """Ask who cancels and why, and cancel.

    An appointment that is already cancelled is shown; if the posted reason differs from the stored one, the form stays.
    """
    appointment = get_appointment(request, pk)
    form = CancelForm(request.POST if request.method == "POST" else take(request))
    if request.method == "POST" and form.is_valid():
        try:
            seen = request.POST.get("seen")
            booking.change_status(pk, Status.CANCELLED, seen=seen, **_act_arguments(request), **form.cleaned_data)
        except Refused as refused:
            appointment = get_appointment(request, pk)
            form.refuse(refused, appointment)
        else:
            return detail_or_redirect(request, pk)
    if appointment.status == Status.CANCELLED and (not form.is_bound or form.matches(appointment)):
        return detail_or_redirect(request, pk, note=_unchanged_note(appointment))
    context = {
        "appointment": appointment,
        "seen": booking.state(appointment),
        "form": form,
        "cancelled_by_choices": Appointment.CancelledBy.choices,
    }
    day = request.clinic.local(appointment.starts_at).date()
    status = 409 if form.was_changed_meanwhile else 422 if form.errors else None
    return panel_response(request, "appointment/cancel.html", context, day, status)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@not_found_when_deleted
def edit_notes(request: ClinicRequest, pk: int) -> HttpResponse:
    """Edit the notes. After a conflict the stored notes are shown beside the typed ones, and saving again decides."""
    appointment = get_appointment(request, pk)
    stored = {"notes": appointment.notes, "seen": appointment.notes}
    form = NotesForm(request.POST if request.method == "POST" else take(request) or stored)
    if request.method == "POST" and form.is_valid():
        try:
            booking.edit_notes(pk, **_act_arguments(request), **form.cleaned_data)
        except Refused as refused:
            appointment = get_appointment(request, pk)
            form.refuse(refused, appointment)
        else:
            return detail_or_redirect(request, pk)
    day = request.clinic.local(appointment.starts_at).date()
    context = {"appointment": appointment, "form": form}
    status = 409 if form.stored is not None else 422 if form.errors else None
    return panel_response(request, "appointment/notes.html", context, day, status)


def _act_arguments(request: ClinicRequest) -> ActArguments:
    return {"clinic": request.clinic, "by": author(request)}


def _no_note(appointment: Appointment) -> str:
    return ""


def act_response(
    request: ClinicRequest,
    pk: int,
    act: Callable[[], Appointment],
    *,
    unchanged_note: Callable[[Appointment], str],
    note: Callable[[Appointment], str] = _no_note,
    decided: bool = False,
) -> HttpResponse:
    """Call `act` and show the appointment under its `note`; after a refusal, as it is now, with the reasons.

    A second press (a double click, another window) is refused too, though its result is already there. Then
    `unchanged_note` returns a sentence that is shown instead of the refusal; otherwise "". An act on a card of the day
    (`in_day`) opens the panel only when it is refused. `decided` is `detail_response`'s.
    """
    in_day = "in_day" in request.POST and wants_partial(request)
    try:
        appointment = act()
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        appointment = get_appointment(request, pk)
        if unchanged := unchanged_note(appointment):
            if in_day:
                return day_response(request, appointment, None, note=unchanged)
            return detail_or_redirect(request, pk, note=unchanged, decided=decided)
        sentences = [refusal.message for refusal in refused.refusals]
        free_times = refused.alternatives
        return detail_response(request, pk, refusals=sentences, free_times=free_times, decided=decided, status=409)
    if in_day:
        return day_response(request, appointment, booking.undoable(appointment), note=note(appointment))
    return detail_or_redirect(request, pk, note=note(appointment), decided=decided)


def _unchanged_note(appointment: Appointment) -> str:
    return _("Já estava “%(status)s”: nada foi alterado.") % {"status": appointment.get_status_display()}
