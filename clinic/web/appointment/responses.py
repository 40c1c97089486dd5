"""The answers of views after an act on an appointment; the booking panel gives them too."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect

from clinic import booking
from clinic.models import Appointment
from clinic.queries import history
from clinic.web.htmx import wants_partial
from clinic.web.panel import beside_the_day


def get_appointment(request, pk):
    rows = Appointment.objects.of(request.clinic).kept()
    return get_object_or_404(rows.select_related("clinic", "doctor", "patient"), pk=pk)


def done(request, pk, note=""):
    """The appointment as it is now, under `note`."""
    if wants_partial(request):
        return detail_response(request, pk, note=note)
    if note:
        messages.info(request, note)
    return redirect("web:appointment-detail", pk=pk)


def detail_response(request, pk, *, refusals=(), times=(), note="", booked=False, status=None):
    appointment = get_appointment(request, pk)
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
    response = beside_the_day(
        request, "appointment/detail.html", context, request.clinic.local(appointment.starts_at).date(), status
    )
    if request.method == "POST":
        response["HX-Trigger"] = "refresh-day"
    return response
