from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.access.roles import doctors_too
from clinic.models import Appointment, shown
from clinic.models.appointment import BEGUN, Status
from clinic.web.htmx import partial_or_page
from clinic.web.own_day.context import OwnBoard
from clinic.web.panel import author
from clinic.web.queue.responses import act_response
from clinic.web.responses import polled


@doctors_too
@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    """Show a doctor's own visits of today; the desk has the day of all doctors. When htmx asks with the version it has,
    an unchanged day is a 304 without a body."""
    if not request.user.is_doctor:
        return redirect("web:agenda-today")
    board = _board(request)

    def answer() -> HttpResponse:
        _note_shown(board)
        return partial_or_page(request, "own_day/today.html", "queue", {"board": board})

    return polled(request, board.version, answer)


@doctors_too
@require_POST
def change_status(request: ClinicRequest, pk: int) -> HttpResponse:
    """Begin or finish an own visit if it is still in the state that the row shows (`seen`)."""
    appointment = _own(request, pk)
    wanted, seen = request.POST.get("status", ""), request.POST.get("seen", "")
    if wanted not in BEGUN or appointment.status == Status.FINISHED:
        raise PermissionDenied(_("Aqui se inicia e se finaliza. O resto é da recepção."))
    return _act_response(
        request,
        pk,
        lambda: booking.change_status(pk, wanted, seen=seen, clinic=request.clinic, by=author(request)),
    )


@doctors_too
@require_POST
def call(request: ClinicRequest, pk: int) -> HttpResponse:
    """Call the patient of an own visit to the room if it is still in the state that the row shows (`seen`)."""
    _own(request, pk)
    seen = request.POST.get("seen", "")
    return _act_response(
        request, pk, lambda: booking.call_to_room(pk, seen=seen, clinic=request.clinic, by=author(request))
    )


def _own(request: ClinicRequest, pk: int) -> Appointment:
    """Return a visit of the doctor's own. Raises Http404 for any other."""
    if not request.user.is_doctor:
        raise Http404
    own = Appointment.objects.of(request.clinic).in_use().filter(doctor=_doctor(request))
    return get_object_or_404(own, pk=pk)


def _doctor(request: ClinicRequest) -> int:
    """Return the id of the doctor who has signed in. Raises PermissionDenied for one who works here no more."""
    doctor = request.user.doctor
    if doctor is None or not doctor.active:
        raise PermissionDenied(_("O seu cadastro de médico(a) está inativo. Fale com a gestão da clínica."))
    return doctor.pk


def _act_response(request: ClinicRequest, pk: int, act: Callable[[], object]) -> HttpResponse:
    return act_response(
        request, pk, act, read_board=_board, note_shown=_note_shown, template="own_day/today.html", page="web:own-day"
    )


def _board(request: ClinicRequest) -> OwnBoard:
    return OwnBoard(request.clinic, timezone.now(), _doctor(request))


def _note_shown(board: OwnBoard) -> None:
    shown.add(row.appointment.patient for row in board.rows)
