from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from clinic import booking
from clinic.access.resumable_forms import resumable, take
from clinic.booking import Author
from clinic.form_fields import is_short_number
from clinic.models import Appointment, AppointmentEvent
from clinic.models.appointment import Status
from clinic.queries import history
from clinic.refusals import Refused
from clinic.web.agenda import views as agenda
from clinic.web.appointment.forms import CancelForm, MoveForm, NotesForm
from clinic.web.booking_panel import context as booking_panel
from clinic.web.booking_panel.forms import BookingForm
from clinic.web.htmx import partial_or_page, triggered_by, wants_partial

# Booking ------------------------------------------------------------------------------------------------------------


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def book(request):
    """The booking panel, beside the day it is about."""
    if request.method == "POST":
        form = BookingForm(request.POST, clinic=request.clinic)
        if appointment := form.book(author(request)):
            return _booked(request, appointment)
        return _panel(request, form, status=409 if form.alternatives or form.asks_who or form.total_changed else 422)
    typed = take(request)
    form = BookingForm(typed or booking_panel.begun(request.GET, request.clinic), clinic=request.clinic)
    form.check()
    return _panel(request, form)


@require_POST
def check(request):
    """What the panel says after a field was left or a button in it pressed: only the parts that hang on that.

    Nothing else is drawn anew, so that what is being typed meanwhile stays.
    """
    form = BookingForm(booking_panel.pressed(request.POST, request.clinic), clinic=request.clinic)
    form.check(left=triggered_by(request))
    if not wants_partial(request):
        return _panel(request, form)
    context = booking_panel.context(form)
    sections = booking_panel.sections(triggered_by(request), request.POST)
    response = render(request, "appointment/_checked.html", context | {"sections": sections})
    response["HX-Reswap"] = "none"
    if triggered_by(request) is None:
        trigger_client_event(response, "panel-focus", {"id": context["focus"]}, after="settle")
    return response


def _booked(request, appointment):
    if wants_partial(request):
        return _detail(request, appointment.pk, booked=True)
    messages.success(request, _("Agendado."))
    return redirect(_day_url(appointment))


def _panel(request, form, status=None):
    return _beside_the_day(request, "appointment/book.html", booking_panel.context(form), form.day, status)


# One appointment ------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD"])
def detail(request, pk):
    return _detail(request, pk)


@require_POST
def change_status(request, pk):
    """Change the status that the person saw: a button drawn before another change does not take that back."""
    wanted, seen = request.POST.get("status", ""), request.POST.get("seen")
    return _act(
        request,
        pk,
        lambda: booking.change_status(pk, wanted, seen=seen, **_hand(request)),
        already=lambda appointment: _already(appointment) if appointment.status == wanted else "",
    )


@require_POST
def undo(request, pk):
    """Undo the event that the person saw last, and no later one."""
    event = request.POST.get("event", "")
    seen = int(event) if is_short_number(event) else None
    return _act(
        request,
        pk,
        lambda: booking.undo(pk, seen=seen, **_hand(request)),
        already=lambda appointment: _("Já foi desfeito.") if history.is_undone(appointment, seen) else "",
        note=history.left_out,
    )


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def reschedule(request, pk):
    appointment = _appointment(request, pk)
    if request.method == "POST" and "move" in request.POST:
        form = MoveForm(request.POST, clinic=request.clinic)
        if form.move(appointment, author(request)):
            return _done(request, pk)
        asks = form.alternatives or form.discounts_off or form.was_moved_elsewhere
        return _move_page(request, appointment, form, status=409 if asks else 422)
    typed = booking_panel.pressed(request.POST, request.clinic) if request.method == "POST" else take(request)
    form = MoveForm(typed or booking_panel.as_it_is(appointment), clinic=request.clinic)
    if typed:
        form.check(appointment)
    else:
        form.is_valid()
    return _move_page(request, appointment, form)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request, pk):
    """Ask who cancels, and why. If it is cancelled already, show who did it, and keep what was typed if it differs."""
    appointment = _appointment(request, pk)
    form = CancelForm(request.POST if request.method == "POST" else take(request))
    if request.method == "POST" and form.is_valid():
        try:
            seen = request.POST.get("seen")
            booking.change_status(pk, Status.CANCELLED, seen=seen, **_hand(request), **form.cleaned_data)
        except Refused as refused:
            appointment = _appointment(request, pk)
            form.refuse(refused, appointment)
        else:
            return _done(request, pk)
    if appointment.status == Status.CANCELLED and (not form.is_bound or form.says(appointment)):
        return _done(request, pk, note=_already(appointment))
    context = {
        "appointment": appointment,
        "seen": booking.state(appointment),
        "form": form,
        "who": Appointment.CancelledBy.choices,
    }
    day = request.clinic.local(appointment.starts_at).date()
    status = 409 if form.was_changed_meanwhile else 422 if form.errors else None
    return _beside_the_day(request, "appointment/cancel.html", context, day, status)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def annotate(request, pk):
    """Edit the notes. Notes stored since they were opened are shown beside the typed ones: saving again decides."""
    appointment = _appointment(request, pk)
    begun = {"notes": appointment.notes, "seen": appointment.notes}
    form = NotesForm(request.POST if request.method == "POST" else take(request) or begun)
    if request.method == "POST" and form.is_valid():
        try:
            booking.edit_notes(pk, **_hand(request), **form.cleaned_data)
        except Refused as refused:
            appointment = _appointment(request, pk)
            form.refuse(refused, appointment)
        else:
            return _done(request, pk)
    day = request.clinic.local(appointment.starts_at).date()
    context = {"appointment": appointment, "form": form}
    status = 409 if form.stored is not None else 422 if form.errors else None
    return _beside_the_day(request, "appointment/notes.html", context, day, status)


def author(request) -> Author:
    return Author(channel=AppointmentEvent.Channel.BROWSER, user=request.user)


def _hand(request):
    return {"clinic": request.clinic, "by": author(request)}


def _act(request, pk, act, *, already, note=lambda appointment: ""):
    """Do it and show the appointment under what `note` says of it; if it is refused, as it is now with the reason.

    A second press (a double click, another window) is refused like the rest, but what it wants is there: `already` says
    so of the appointment as it is now, or says nothing.
    """
    try:
        appointment = act()
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        if is_there := already(_appointment(request, pk)):
            return _done(request, pk, note=is_there)
        sentences = [refusal.message for refusal in refused.refusals]
        return _detail(request, pk, refusals=sentences, times=refused.alternatives, status=409)
    return _done(request, pk, note=note(appointment))


def _already(appointment):
    return _("Já estava “%(status)s”: nada foi alterado.") % {"status": appointment.get_status_display()}


def _done(request, pk, note=""):
    """The appointment as it is now, under `note`."""
    if wants_partial(request):
        return _detail(request, pk, note=note)
    if note:
        messages.info(request, note)
    return redirect("web:appointment-detail", pk=pk)


def _appointment(request, pk):
    rows = Appointment.objects.of(request.clinic).kept()
    return get_object_or_404(rows.select_related("clinic", "doctor", "patient"), pk=pk)


def _detail(request, pk, *, refusals=(), times=(), note="", booked=False, status=None):
    appointment = _appointment(request, pk)
    lines = appointment.lines.prefetch_related("discounts")
    last = booking.undoable(appointment)
    context = {
        "appointment": appointment,
        "seen": booking.state(appointment),
        "place": booking.place(appointment),
        "lines": lines,
        "total": sum(line.total for line in lines),
        "steps": booking.steps(appointment),
        "may_move": booking.is_movable(appointment),
        "undoable": last,
        "story": history.story(appointment),
        "refusals": refusals,
        "times": times,
        "note": note,
        "booked": booked,
    }
    response = _beside_the_day(
        request, "appointment/detail.html", context, request.clinic.local(appointment.starts_at).date(), status
    )
    if request.method == "POST":
        response["HX-Trigger"] = "refresh-day"
    return response


def _move_page(request, appointment, form, status=None):
    context = booking_panel.move_context(form, appointment)
    return _beside_the_day(request, "appointment/move.html", context, form.cleaned_data.get("date"), status)


def _beside_the_day(request, template, context, day, status=None):
    """The panel alone for htmx, else the page of that day with the panel open. No browser keeps either."""
    if not wants_partial(request):
        context = agenda.page(request, day or request.clinic.local(timezone.now()).date()) | context
    response = partial_or_page(request, template, "panel", context, status)
    patch_cache_control(response, private=True, no_store=True)
    return response


def _day_url(appointment):
    day = appointment.clinic.local(appointment.starts_at).date()
    return f"{reverse('web:agenda-day', args=[day])}#a{appointment.pk}"
