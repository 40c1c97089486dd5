from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.form_fields import is_short_number
from clinic.models import Appointment, Clinic, Patient, WaitingEntry, shown
from clinic.queries import booking_options, waiting
from clinic.refusals import Refused
from clinic.web.booking_panel.finder_fields import read_time_value
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.htmx import redirect as leave
from clinic.web.panel import author
from clinic.web.patient.lookup import patient_or_404
from clinic.web.reading import read_number, state_seen, version_seen
from clinic.web.responses import polled, private
from clinic.web.waiting.context import Board, WayOn, address_of_row, way_on
from clinic.web.waiting.forms import WaitingForm, fields_of, wanted_in


@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    """Show who waits, a page of them: with `livre`, the id of an appointment, who wants the time that it gave up; with
    `medico` who wants that doctor; with `pedido`, the id of an entry, the page that has it.

    When htmx asks with the version it has, an unchanged list is a 304 without a body."""
    with shown.choosing():
        board = board_of(request.clinic, request.GET)
        version = board.version

    def answer() -> HttpResponse:
        shown.add(board.patients)
        doctors = [] if wants_partial(request) else booking_options.doctors(request.clinic)
        return partial_or_page(request, "waiting/list.html", "list", {"board": board, "doctors": doctors})

    return polled(request, version, answer)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: ClinicRequest) -> HttpResponse:
    """Put a patient on the list: `paciente`, or whose `agendamento` is to be exchanged for an earlier time."""
    typed = request.POST if request.method == "POST" else take(request)
    appointment = _appointment(request.clinic, (typed or request.GET).get("agendamento", ""))
    patient = appointment.patient if appointment else _patient(request, (typed or request.GET).get("paciente", ""))
    if patient is None:
        messages.info(request, _("Busque o paciente e use “Pôr na fila de espera” na ficha dele."))
        return redirect("web:patient-list")
    form = WaitingForm(typed or wanted_in(request.GET, appointment), clinic=request.clinic, appointment=appointment)
    if request.method == "POST" and form.is_valid():
        try:
            put = booking.put_on_waiting_list(patient.pk, form.wish, clinic=request.clinic, by=author(request))
        except Refused as refused:
            form.show_refusals(refused.refusals)
        else:
            messages.success(request, _("%(name)s está na fila de espera.") % {"name": patient.display_name})
            return _leave_to_row(request, put.pk)
    context = {"patient": patient, "appointment": appointment, "here": reverse("web:waiting-add")}
    return _form_response(request, form, context)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: ClinicRequest, pk: int) -> HttpResponse:
    """Change what is wanted, if the request is still as it was shown (`seen`)."""
    stored = waiting.entry(request.clinic, pk)
    if stored is None:
        raise Http404
    if stored.closed_at is not None:
        messages.info(request, _("Este pedido já saiu da fila de espera."))
        return leave(request, "web:waiting-list")
    typed = request.POST if request.method == "POST" else take(request)
    seen = state_seen(typed) if typed is not None else str(stored.version)
    form = WaitingForm(typed or fields_of(stored), clinic=request.clinic, appointment=stored.appointment)
    if request.method == "POST" and form.is_valid():
        try:
            booking.change_waiting(
                pk, form.wish, clinic=request.clinic, by=author(request), seen=version_seen(request.POST)
            )
        except Refused as refused:
            form.show_refusals(refused.refusals)
        else:
            return _leave_to_row(request, pk)
    here = reverse("web:waiting-change", args=[pk])
    context = {"patient": stored.patient, "appointment": stored.appointment, "here": here, "seen": seen, "pk": pk}
    return _form_response(request, form, context)


@require_POST
def accept(request: ClinicRequest, pk: int) -> HttpResponse:
    """Give the request the posted time (`to`): a booking, or the move of its appointment if still at `place`."""
    offered = _offered_time(request.POST.get("to", ""))

    def act() -> object:
        return booking.book_waiting(
            pk,
            clinic=request.clinic,
            doctor=offered.doctor_id if offered else None,
            starts_at=offered.starts_at if offered else None,
            seen=version_seen(request.POST),
            place=request.POST.get("place", ""),
            by=author(request),
        )

    return _list_changed(_act_response(request, pk, act, offered))


@require_POST
def not_reached(request: ClinicRequest, pk: int) -> HttpResponse:
    """Record a call that was not answered."""
    return _act_response(request, pk, lambda: booking.note_not_reached(pk, clinic=request.clinic, by=author(request)))


@require_POST
def decline(request: ClinicRequest, pk: int) -> HttpResponse:
    """Record that the patient wants none of the times that the row shows (`offered`)."""
    times = [time for value in request.POST.getlist("offered") if (time := _offered_time(value))]
    return _act_response(
        request, pk, lambda: booking.note_declined(pk, times, clinic=request.clinic, by=author(request))
    )


@require_POST
def withdraw(request: ClinicRequest, pk: int) -> HttpResponse:
    """Take the request off the list if it is still as the row shows it."""
    seen = version_seen(request.POST)
    return _act_response(
        request, pk, lambda: booking.withdraw_waiting(pk, clinic=request.clinic, by=author(request), seen=seen)
    )


@require_POST
def detach(request: ClinicRequest, pk: int) -> HttpResponse:
    """Keep the request without the appointment that can no longer be exchanged, also one whose date is over."""
    stored = waiting.entry(request.clinic, pk)
    if stored is None:
        raise Http404
    form = WaitingForm(fields_of(stored), clinic=request.clinic, appointment=None)
    seen = version_seen(request.POST)

    def act() -> object:
        form.is_valid()
        return booking.change_waiting(
            pk, form.wish, clinic=request.clinic, by=author(request), seen=seen, may_have_run_out=True
        )

    return _act_response(request, pk, act)


@require_POST
def undo(request: ClinicRequest, pk: int) -> HttpResponse:
    """Open a request again that was closed a moment ago, if it is still as the row shows it: withdrawn, or swapped,
    which moves the appointment back."""
    seen = version_seen(request.POST)

    def act() -> None:
        booking.undo_waiting(pk, clinic=request.clinic, by=author(request), seen=seen)

    return _list_changed(_act_response(request, pk, act))


def _act_response(
    request: ClinicRequest, pk: int, act: Callable[[], object], offered: booking.OfferedTime | None = None
) -> HttpResponse:
    """Call `act` and show the row as it is now; after a refusal with the reasons, and with the way to give the
    `offered` time by hand. Without htmx that way is taken at once."""
    sentences: list[str] = []
    way: WayOn | None = None
    try:
        act()
    except (WaitingEntry.DoesNotExist, Appointment.DoesNotExist) as missing:
        raise Http404 from missing
    except Refused as refused:
        sentences = [refusal.message for refusal in refused.refusals]
        entry = waiting.entry(request.clinic, pk) if offered else None
        way = way_on(entry, offered, refused) if entry and offered else None
    if wants_partial(request):
        return _row_response(request, pk, sentences, way)
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(way.address if way else address_of_row(pk))


def _list_changed(response: HttpResponse) -> HttpResponse:
    """Return the response, after which the page reads its list again: other rows offer the time that was given too.

    Not after a refusal, whose reasons the list does not show."""
    if response.status_code < 400:
        response["HX-Trigger-After-Settle"] = "refresh-day"
    return response


def _row_response(request: ClinicRequest, pk: int, sentences: list[str], way: WayOn | None) -> HttpResponse:
    board = board_of(request.clinic, request.POST)
    row = board.row(pk)
    if row is None:
        raise Http404
    shown.add(row.patients)
    context = {"board": board, "row": row, "refusals": sentences, "way_on": way}
    return private(render(request, "waiting/_row.html", context, status=409 if sentences else 200))


def _form_response(request: ClinicRequest, form: WaitingForm, context: dict[str, Any]) -> HttpResponse:
    status = 422 if request.method == "POST" else None
    context |= {"form": form, "focus": form.first_wrong if status else ""}
    return private(partial_or_page(request, "waiting/form.html", "form", context, status))


def _leave_to_row(request: ClinicRequest, pk: int) -> HttpResponse:
    return leave(request, address_of_row(pk))


def board_of(clinic: Clinic, asked: QueryDict) -> Board:
    """Return the list that an address or a form asks for: `livre`, `medico`, `pagina`, `pedido`. Raises Http404."""
    appointment = _appointment(clinic, asked.get("livre", ""))
    now = timezone.now()
    board = Board(
        clinic,
        now,
        freed=booking.freed_by(appointment, now=now) if appointment else None,
        doctor=read_number(asked.get("medico", "")),
        page=max(read_number(asked.get("pagina", "")) or 1, 1),
        asked=appointment.pk if appointment else None,
    )
    if entry := read_number(asked.get("pedido", "")):
        board.page = board.page_of(entry)
    return board


def _appointment(clinic: Clinic, pk: str) -> Appointment | None:
    """Return the clinic's appointment with that id, None for none. Raises Http404 for an unknown one."""
    if not is_short_number(pk):
        return None
    kept = Appointment.objects.of(clinic).in_use().select_related("clinic", "doctor", "patient")
    return get_object_or_404(kept, pk=int(pk))


def _patient(request: ClinicRequest, pk: str) -> Patient | None:
    return patient_or_404(request, int(pk)) if is_short_number(pk) else None


def _offered_time(value: str) -> booking.OfferedTime | None:
    """Read a time as `booking.time_value` writes it; None for anything else."""
    doctor, starts_at = read_time_value(value)
    return booking.OfferedTime(doctor, starts_at) if doctor is not None and starts_at else None
