from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.form_fields import ids_in
from clinic.models import Appointment, PriorityMark, shown
from clinic.queries.priority import kinds
from clinic.web.htmx import partial_or_page
from clinic.web.panel import author
from clinic.web.queue.context import Board
from clinic.web.queue.responses import act_response
from clinic.web.reading import event_to_undo
from clinic.web.responses import polled


@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    """Show the queue of today. When htmx asks with the version it has, an unchanged queue is a 304 without a body."""
    board = _board(request)

    def answer() -> HttpResponse:
        _note_shown(board)
        return partial_or_page(request, "queue/today.html", "queue", {"board": board})

    return polled(request, board.version, answer)


@require_POST
def change_status(request: ClinicRequest, pk: int) -> HttpResponse:
    """Change the status if the appointment is still in the state that the row shows (`seen`)."""
    wanted, seen = request.POST.get("status", ""), request.POST.get("seen")
    return _act_response(
        request,
        pk,
        lambda: booking.change_status(pk, wanted, seen=seen, clinic=request.clinic, by=author(request)),
    )


@require_POST
def call(request: ClinicRequest, pk: int) -> HttpResponse:
    """Call the patient to the doctor's room if the appointment is still in the state that the row shows (`seen`)."""
    seen = request.POST.get("seen")
    return _act_response(
        request, pk, lambda: booking.call_to_room(pk, seen=seen, clinic=request.clinic, by=author(request))
    )


@require_POST
def mark_priority(request: ClinicRequest, pk: int) -> HttpResponse:
    """Mark the posted `kind` of priority, one that the law of the clinic's country knows."""
    get_object_or_404(Appointment.objects.of(request.clinic).in_use(), pk=pk)
    kind, seen = request.POST.get("kind", ""), request.POST.get("seen")
    if kind not in kinds(request.clinic):
        raise BadRequest
    return _act_response(
        request,
        pk,
        lambda: booking.mark_priority(
            pk, PriorityMark.Kind(kind), seen=seen, clinic=request.clinic, by=author(request)
        ),
    )


@require_POST
def undo(request: ClinicRequest, pk: int) -> HttpResponse:
    """Undo the posted `event` if it is still the last one."""
    seen = event_to_undo(request.POST)
    return _act_response(request, pk, lambda: booking.undo(pk, seen=seen, clinic=request.clinic, by=author(request)))


def _act_response(request: ClinicRequest, pk: int, act: Callable[[], object]) -> HttpResponse:
    return act_response(
        request, pk, act, read_board=_board, note_shown=_note_shown, template="queue/today.html", page="web:queue"
    )


def _board(request: ClinicRequest) -> Board:
    chosen = request.POST if request.method == "POST" else request.GET
    return Board(request.clinic, timezone.now(), frozenset(ids_in(chosen, "medico")))


def _note_shown(board: Board) -> None:
    """Note for the access log that the day is shown, and who is left of the day before."""
    today = board.clinic.local(board.now).date()
    shown.add_day(today)
    shown.add(
        row.appointment.patient for row in board.rows if board.clinic.local(row.appointment.starts_at).date() != today
    )
