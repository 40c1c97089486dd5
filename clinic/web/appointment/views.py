from django.http import Http404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import booking
from clinic.access.resumable_forms import resumable, take
from clinic.form_fields import is_short_number
from clinic.models import Appointment
from clinic.models.appointment import Status
from clinic.queries import history
from clinic.refusals import Refused
from clinic.web.appointment.forms import CancelForm, NotesForm
from clinic.web.appointment.responses import detail_response, done, get_appointment
from clinic.web.panel import author, beside_the_day


@require_http_methods(["GET", "HEAD"])
def detail(request, pk):
    return detail_response(request, pk)


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
def cancel(request, pk):
    """Ask who cancels, and why. If it is cancelled already, show who did it, and keep what was typed if it differs."""
    appointment = get_appointment(request, pk)
    form = CancelForm(request.POST if request.method == "POST" else take(request))
    if request.method == "POST" and form.is_valid():
        try:
            seen = request.POST.get("seen")
            booking.change_status(pk, Status.CANCELLED, seen=seen, **_hand(request), **form.cleaned_data)
        except Refused as refused:
            appointment = get_appointment(request, pk)
            form.refuse(refused, appointment)
        else:
            return done(request, pk)
    if appointment.status == Status.CANCELLED and (not form.is_bound or form.says(appointment)):
        return done(request, pk, note=_already(appointment))
    context = {
        "appointment": appointment,
        "seen": booking.state(appointment),
        "form": form,
        "who": Appointment.CancelledBy.choices,
    }
    day = request.clinic.local(appointment.starts_at).date()
    status = 409 if form.was_changed_meanwhile else 422 if form.errors else None
    return beside_the_day(request, "appointment/cancel.html", context, day, status)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def annotate(request, pk):
    """Edit the notes. Notes stored since they were opened are shown beside the typed ones: saving again decides."""
    appointment = get_appointment(request, pk)
    begun = {"notes": appointment.notes, "seen": appointment.notes}
    form = NotesForm(request.POST if request.method == "POST" else take(request) or begun)
    if request.method == "POST" and form.is_valid():
        try:
            booking.edit_notes(pk, **_hand(request), **form.cleaned_data)
        except Refused as refused:
            appointment = get_appointment(request, pk)
            form.refuse(refused, appointment)
        else:
            return done(request, pk)
    day = request.clinic.local(appointment.starts_at).date()
    context = {"appointment": appointment, "form": form}
    status = 409 if form.stored is not None else 422 if form.errors else None
    return beside_the_day(request, "appointment/notes.html", context, day, status)


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
        if is_there := already(get_appointment(request, pk)):
            return done(request, pk, note=is_there)
        sentences = [refusal.message for refusal in refused.refusals]
        return detail_response(request, pk, refusals=sentences, times=refused.alternatives, status=409)
    return done(request, pk, note=note(appointment))


def _already(appointment):
    return _("Já estava “%(status)s”: nada foi alterado.") % {"status": appointment.get_status_display()}
