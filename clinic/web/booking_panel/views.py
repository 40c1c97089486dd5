from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.form_fields import is_short_number
from clinic.models import Appointment, Patient
from clinic.queries import history
from clinic.web.appointment.responses import (
    detail_or_redirect,
    detail_response,
    get_appointment,
    not_found_when_deleted,
)
from clinic.web.appointment.views import act_response
from clinic.web.booking_panel import context as booking_panel
from clinic.web.booking_panel import fields
from clinic.web.booking_panel.change_context import change_context
from clinic.web.booking_panel.change_form import ChangeForm, apply_change_button, data_of_lines
from clinic.web.booking_panel.encaixe import encaixe_context
from clinic.web.booking_panel.forms import BookingForm, MoveForm
from clinic.web.booking_panel.lines import read_amount
from clinic.web.booking_panel.payer import PayerForm, data_of_payer, prices_beside
from clinic.web.htmx import redirect as leave
from clinic.web.htmx import triggered_by, wants_partial
from clinic.web.panel import author, panel_response


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("approval_pin")
def book(request: ClinicRequest) -> HttpResponse:
    """Show the booking panel beside its day, and book what is posted."""
    if request.method == "POST":
        form = BookingForm(request.POST, clinic=request.clinic)
        form.approve(request.user)
        if appointment := form.book(author(request)):
            return _booked_response(request, appointment, form)
        is_conflict = form.alternatives or form.asks_about_doubles or form.total_changed
        return _book_page(request, form, status=409 if is_conflict else 422)
    typed = take(request)
    form = BookingForm(typed or fields.initial_data(request.GET, request.clinic), clinic=request.clinic)
    form.check(author(request))
    return _book_page(request, form)


@require_POST
@sensitive_post_parameters("approval_pin")
def check(request: ClinicRequest) -> HttpResponse:
    """Render the parts of the panel that change when a field is left or a button in it is pressed.

    Nothing else is replaced, so what is being typed meanwhile stays.
    """
    just_left = triggered_by(request)
    form = BookingForm(fields.apply_button(request.POST, request.clinic, just_left), clinic=request.clinic)
    form.check(author(request), just_left=just_left)
    if not wants_partial(request):
        return _book_page(request, form)
    context = encaixe_context(form, request.user, booking_panel.context(form))
    is_finding = context["finder"] is not None
    sections = fields.stale_sections(form, just_left, request.POST, is_finding=is_finding)
    date_was_in_words = form.data.get("date") != request.POST.get("date") and "choose" not in request.POST
    parts = {"sections": sections, "date_was_in_words": date_was_in_words}
    response = render(request, "appointment/_checked.html", context | parts)
    response["HX-Reswap"] = "none"
    if just_left is None:
        trigger_client_event(response, "panel-focus", {"id": context["focus"]}, after="settle")
    return response


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("approval_pin")
@not_found_when_deleted
def reschedule(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show the form for another time or doctor, which the address may name by `medico`, `data` and `inicio`; move the
    appointment when `move` is posted."""
    appointment = get_appointment(request, pk)
    if request.method == "POST" and "move" in request.POST:
        form = MoveForm.of(appointment, request.POST)
        form.approve(request.user)
        if form.move(author(request)):
            return detail_or_redirect(request, pk, note=history.last_sentence(appointment))
        is_conflict = form.alternatives or form.expired_discounts or form.was_moved_elsewhere or form.total_changed
        return _move_page(request, form, status=409 if is_conflict else 422)
    is_posted, just_left = request.method == "POST", triggered_by(request)
    typed = fields.apply_move_button(request.POST, appointment, just_left) if is_posted else take(request)
    typed = typed or fields.data_to(request.GET, appointment)
    form = MoveForm.of(appointment, typed or fields.data_of(appointment))
    if typed:
        form.check(author(request))
    else:
        form.is_valid()
    return _move_page(request, form)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("approval_pin")
@not_found_when_deleted
def change(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show the form for other procedures, discounts or another end, and change the appointment when `save` is posted.

    Without `save` the parts that change when a field is left or a button is pressed are rendered."""
    appointment, by = get_appointment(request, pk), author(request)
    if request.method != "POST" and (refusals := booking.change_refusals(appointment, by)):
        return detail_response(request, pk, refusals=[refusal.message for refusal in refusals], status=409)
    if "save" in request.POST:
        before = booking.contents(appointment)
        form = ChangeForm(request.POST, appointment=appointment)
        form.approve(request.user)
        if changed := form.change(by):
            return detail_or_redirect(request, pk, note=_change_note(before, changed))
        is_conflict = form.was_changed_meanwhile or form.total_changed
        return _change_page(request, form, status=409 if is_conflict else 422)
    if request.method == "POST":
        just_left = triggered_by(request)
        form = ChangeForm(apply_change_button(request.POST), appointment=appointment)
        form.check(by, just_left=just_left)
        return _changed_parts(request, form, just_left) if wants_partial(request) else _change_page(request, form)
    form = ChangeForm(take(request) or data_of_lines(appointment), appointment=appointment)
    form.check(by)
    return _change_page(request, form)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@not_found_when_deleted
def change_payer(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show the form for payer, card and guia of an appointment, and change them when it is posted.

    After a conflict the form stays, and saving again decides."""
    appointment = get_appointment(request, pk)
    data = request.POST if request.method == "POST" else take(request) or data_of_payer(appointment)
    form = PayerForm(data, appointment=appointment)
    if request.method == "POST" and form.change(author(request)):
        return detail_or_redirect(request, pk)
    seen = "" if form.was_changed_meanwhile else data.get("seen")
    day = request.clinic.local(appointment.starts_at).date()
    form.is_valid()
    context = {
        "appointment": appointment,
        "form": form,
        "seen": seen or booking.payment(appointment),
        "expired_card": form.expired_card_on(day),
        "prices_beside": prices_beside(appointment, form.payers, author(request)),
    }
    status = 409 if form.was_changed_meanwhile else 422 if form.errors else None
    return panel_response(request, "appointment/payer.html", context, day, status)


@require_POST
def take_day_prices(request: ClinicRequest, pk: int) -> HttpResponse:
    """Give the appointment the prices of its day, if they still make the posted `total` and the posted `event` is still
    its last one; without these, show it."""
    shown, event = read_amount(request.POST.get("total", "")), request.POST.get("event", "")
    if shown is None or not is_short_number(event):
        return detail_or_redirect(request, get_appointment(request, pk).pk)
    clinic, by = request.clinic, author(request)
    return act_response(
        request,
        pk,
        lambda: booking.take_day_prices(pk, clinic=clinic, shown_total=shown, seen_event=int(event), by=by),
        unchanged_note=lambda appointment: "",
        note=history.last_sentence,
    )


def _booked_response(request: ClinicRequest, appointment: Appointment, form: BookingForm) -> HttpResponse:
    note = _merge_note(appointment, form.proposal().patient)
    if wants_partial(request) and "repeat" not in request.POST:
        return detail_response(request, appointment.pk, booked=True, note=note)
    booked = _("Agendado.")
    messages.success(request, f"{booked} {note}".strip())
    if "repeat" in request.POST:
        return leave(request, "web:series-add", appointment.pk)
    return redirect(_day_url(appointment))


def _merge_note(appointment: Appointment, chosen: int | None) -> str:
    """Say so where the chosen patient was merged into another one while the form was open."""
    if chosen in {None, appointment.patient_id}:
        return ""
    merged = Patient.objects.of(appointment.clinic).get(pk=chosen)
    sentence = _("O cadastro de %(merged)s foi juntado ao de %(kept)s enquanto você agendava; o agendamento é deste.")
    return sentence % {"merged": merged.display_name, "kept": appointment.patient.display_name}


def _book_page(request: ClinicRequest, form: BookingForm, status: int | None = None) -> HttpResponse:
    context = encaixe_context(form, request.user, booking_panel.context(form))
    return panel_response(request, "appointment/book.html", context, form.day, status)


def _move_page(request: ClinicRequest, form: MoveForm, status: int | None = None) -> HttpResponse:
    context = encaixe_context(form, request.user, booking_panel.move_context(form))
    return panel_response(request, "appointment/move.html", context, form.cleaned_data.get("date"), status)


def _change_page(request: ClinicRequest, form: ChangeForm, status: int | None = None) -> HttpResponse:
    day = request.clinic.local(form.appointment.starts_at).date()
    context = encaixe_context(form, request.user, change_context(form))
    return panel_response(request, "appointment/change.html", context, day, status)


def _changed_parts(request: ClinicRequest, form: ChangeForm, just_left: str | None) -> HttpResponse:
    are_lines_stale = just_left != "ends" and "choose_end" not in request.POST
    context = encaixe_context(form, request.user, change_context(form)) | {"are_lines_stale": are_lines_stale}
    response = render(request, "appointment/_change_checked.html", context)
    response["HX-Reswap"] = "none"
    if just_left is None:
        trigger_client_event(response, "panel-focus", {"id": context["focus"]}, after="settle")
    return response


def _change_note(before: str, after: Appointment) -> str:
    if booking.contents(after) == before:
        return _("Já estava assim: nada foi alterado.")
    return history.last_sentence(after)


def _day_url(appointment: Appointment) -> str:
    day = appointment.clinic.local(appointment.starts_at).date()
    return f"{reverse('web:agenda-day', args=[day])}#a{appointment.pk}"
