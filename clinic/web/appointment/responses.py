"""The responses of views after an act on an appointment, which the booking panel gives too."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.models import Appointment, AppointmentEvent
from clinic.models.appointment import FREES_THE_TIME
from clinic.queries import history, memos, payers, pending, recalls, short_visits
from clinic.queries.delays import delay_sentence
from clinic.queries.moved_from import moved_from
from clinic.queries.receipts import receipts
from clinic.queries.series import place_in_series
from clinic.queries.unverified import unverified
from clinic.queries.waiting import entry_of
from clinic.registry import patient_version
from clinic.schedule import Opening
from clinic.web import jinja
from clinic.web.htmx import wants_partial
from clinic.web.panel import author, panel_response
from clinic.web.waiting.context import strip

type View = Callable[[ClinicRequest, int], HttpResponse]

BY_LABELS = {
    Appointment.CancelledBy.PATIENT.value: _("pelo(a) paciente"),
    Appointment.CancelledBy.CLINIC.value: _("pela clínica"),
}
KEEPS_PRICE = "preco"  # in the address of an appointment whose offered price was declined


def not_found_when_deleted(view: View) -> View:
    """Answer 404 where the appointment was deleted between loading and locking it."""

    @wraps(view)
    def wrapped(request: ClinicRequest, pk: int) -> HttpResponse:
        try:
            return view(request, pk)
        except Appointment.DoesNotExist as missing:
            raise Http404 from missing

    return wrapped


def get_appointment(request: ClinicRequest, pk: int) -> Appointment:
    """Return the clinic's appointment with clinic, doctor, patient, payer, and who allowed and approved an encaixe.

    Raises Http404, for one of a blocked patient too."""
    appointments = Appointment.objects.of(request.clinic).in_use()
    return get_object_or_404(
        appointments.select_related("clinic", "doctor", "patient", "payer", "encaixe_by", "encaixe_approved_by"), pk=pk
    )


def detail_or_redirect(request: ClinicRequest, pk: int, note: str = "", *, decided: bool = False) -> HttpResponse:
    """Show the appointment as it is now, under `note`: in the panel for htmx, otherwise by a redirect to its page."""
    if wants_partial(request):
        return detail_response(request, pk, note=note, decided=decided)
    if note:
        messages.info(request, note)
    return redirect("web:appointment-detail", pk=pk)


def day_response(
    request: ClinicRequest, appointment: Appointment, undoable: AppointmentEvent | None, *, note: str
) -> HttpResponse:
    """Answer an act on a card of the day by a message, or by `note`, which also undoes the event `undoable`; the panel
    stays as it is."""
    context = {
        "appointment": appointment,
        "time": f"{appointment.clinic.local(appointment.status_since):%H:%M}",
        "note": note,
        "event": undoable,
        "undo_verb": booking.undo_verb(undoable) if undoable else "",
        "undo": reverse("web:appointment-undo", args=[appointment.pk]),
        "icons": static("icons.svg"),
    }
    response = HttpResponse(jinja.render("appointment/done.html", context, request))
    response["HX-Reswap"] = "none"
    response["HX-Trigger"] = "refresh-day"
    return response


def detail_response(
    request: ClinicRequest,
    pk: int,
    *,
    refusals: Sequence[str] = (),
    free_times: Sequence[Opening] = (),
    note: str = "",
    booked: bool = False,
    decided: bool = False,
    status: int | None = None,
) -> HttpResponse:
    """Render the appointment's panel; after a refused act with the reasons and the nearest free times.

    Where it was `decided` about what is to be confirmed, the focus goes to the next of it, or to the heading: the
    button that had it is gone."""
    appointment = get_appointment(request, pk)
    context = _detail_context(request, appointment) | {
        "refusals": refusals,
        "free_times": free_times,
        "note": note,
        "booked": booked,
        "decided": decided,
    }
    day = request.clinic.local(appointment.starts_at).date()
    response = panel_response(request, "appointment/detail.html", context, day, status)
    if request.method == "POST":
        response["HX-Trigger"] = "refresh-day"
    if booked:
        # A reload shows what was booked, not the form again.
        response["HX-Replace-Url"] = reverse("web:appointment-detail", args=[pk])
    return response


def _detail_context(request: ClinicRequest, appointment: Appointment) -> dict[str, Any]:
    """Return what `appointment/detail.html` shows of an appointment, besides what an act has come to."""
    undoable = booking.undoable(appointment)
    lines = appointment.lines.select_related("procedure").prefetch_related("discounts")
    missing = short_visits.missing_minutes(appointment, lines)
    now = timezone.now()
    day, today = (request.clinic.local(instant).date() for instant in (appointment.starts_at, now))
    may_wait = booking.is_still_ahead(appointment, now) and not appointment.patient.died
    may_recall = booking.may_be_recalled(appointment)
    asks_price = KEEPS_PRICE not in request.GET
    return {
        "appointment": appointment,
        "seen": booking.state(appointment),
        "place": booking.place(appointment),
        "asks_who_pays": bool(appointment.payer_id) or payers.are_kept(request.clinic),
        "lines": lines,
        "price_offer": booking.price_offer(appointment, undoable, author(request)) if asks_price else None,
        "receipts": receipts(appointment),
        "total": sum(line.total for line in lines),
        "steps": booking.steps(appointment),
        "is_movable": booking.is_movable(appointment),
        "is_repeatable": booking.is_repeatable(appointment),
        "is_changeable": not booking.change_refusals(appointment, author(request)),
        "undoable_event": undoable,
        "undo_verb": booking.undo_verb(undoable) if undoable else "",
        "moved_from": moved_from(appointment),
        "cause": pending.cause_now(appointment, now=now),
        "may_wait": may_wait,
        "waiting": entry_of(appointment) if may_wait else None,
        "strip": strip(appointment, now=now),
        "may_recall": may_recall,
        "recalls": recalls.of_visit(appointment) if may_recall else [],
        "is_ahead": is_ahead(appointment),
        "series": place_in_series(appointment),
        "late": delay_sentence(appointment.doctor, day, today=today) if is_ahead(appointment) else "",
        "cancelled_by_choices": [(code, BY_LABELS[code]) for code in Appointment.CancelledBy.values],
        "history": history.story(appointment),
        "too_short": short_visits.in_words(missing) if missing > 0 else "",
        "unverified": unverified(appointment),
        "memos": memos.about_appointment(appointment),
        "patient_seen": patient_version(appointment.patient),
        "squeeze_in": _squeeze_in_address(appointment) if request.user.may_squeeze_in else "",
    }


def _squeeze_in_address(appointment: Appointment) -> str:
    """Return the address of the panel for an encaixe at the time of an appointment; "" where none would be one."""
    if appointment.is_encaixe or not is_ahead(appointment) or appointment.starts_at <= timezone.now():
        return ""
    starts_at = appointment.clinic.local(appointment.starts_at)
    query = {
        "medico": appointment.doctor_id,
        "data": f"{starts_at:%Y-%m-%d}",
        "inicio": f"{starts_at:%H:%M}",
        "encaixe": 1,
    }
    return reverse("web:appointment-book", query=query)


def is_ahead(appointment: Appointment) -> bool:
    """Return whether the appointment takes its time and is not over."""
    return appointment.status not in FREES_THE_TIME and appointment.ends_at > timezone.now()
