from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from clinic.access.resumable_forms import resumable, take
from clinic.web.appointment.responses import detail_response, done, get_appointment
from clinic.web.booking_panel import context as booking_panel
from clinic.web.booking_panel.forms import BookingForm, MoveForm
from clinic.web.htmx import triggered_by, wants_partial
from clinic.web.panel import author, beside_the_day


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


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def reschedule(request, pk):
    appointment = get_appointment(request, pk)
    if request.method == "POST" and "move" in request.POST:
        form = MoveForm(request.POST, clinic=request.clinic)
        if form.move(appointment, author(request)):
            return done(request, pk)
        asks = form.alternatives or form.discounts_off or form.was_moved_elsewhere
        return _move_page(request, appointment, form, status=409 if asks else 422)
    typed = booking_panel.pressed(request.POST, request.clinic) if request.method == "POST" else take(request)
    form = MoveForm(typed or booking_panel.as_it_is(appointment), clinic=request.clinic)
    if typed:
        form.check(appointment)
    else:
        form.is_valid()
    return _move_page(request, appointment, form)


def _booked(request, appointment):
    if wants_partial(request):
        return detail_response(request, appointment.pk, booked=True)
    messages.success(request, _("Agendado."))
    return redirect(_day_url(appointment))


def _panel(request, form, status=None):
    return beside_the_day(request, "appointment/book.html", booking_panel.context(form), form.day, status)


def _move_page(request, appointment, form, status=None):
    context = booking_panel.move_context(form, appointment)
    return beside_the_day(request, "appointment/move.html", context, form.cleaned_data.get("date"), status)


def _day_url(appointment):
    day = appointment.clinic.local(appointment.starts_at).date()
    return f"{reverse('web:agenda-day', args=[day])}#a{appointment.pk}"
