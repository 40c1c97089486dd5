from collections.abc import Callable, Collection
from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.form_fields import ids_in, is_short_number
from clinic.models import Appointment
from clinic.models.appointment import Status
from clinic.models.limits import max_length
from clinic.queries import memos, pending
from clinic.refusals import Reason, Refused
from clinic.web.booking_panel.finder_fields import read_time_value
from clinic.web.htmx import wants_partial
from clinic.web.panel import author
from clinic.web.pending.context import Board, shown_as
from clinic.web.reading import event_to_undo, read_number
from clinic.web.responses import private


@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    """Show a page of the pending appointments, without those whose ids are in `depois`."""
    board = _board(request, before=set(ids_in(request.GET, "depois")))
    return private(render(request, "pending/list.html", {"board": board}))


@require_safe
def number(request: ClinicRequest) -> HttpResponse:
    """Answer how many are pending, and how many memos are due, for the navigation of every page, which asks for both
    at once when it is shown: neither costs the page itself a query."""
    now = timezone.now()
    count = len(pending.pending(request.clinic, now=now))
    due = memos.number_due(request.clinic, request.user, request.clinic.local(now).date())
    return private(render(request, "pending/_numbers.html", {"count": count, "due": due}))


@require_safe
def changes(request: ClinicRequest) -> HttpResponse:
    """Answer the head and those of the shown rows that have changed; 204 if nothing has.

    `shown` is the appointment's id and what was drawn of it (`shown_as`), for every row that was pending; `undoable`
    its id and that of the event, for every row with a button that undoes one; `known` how many there were, and `left`
    how many of them were pending."""
    board = _board(request, known=read_number(request.GET.get("known", "")))
    states, undoable = (_by_id(request.GET.getlist(name)) for name in ("shown", "undoable"))
    rows = board.as_they_are([*_changed_ids(request, board, states), *_no_longer_undoable(board, undoable)])
    left = read_number(request.GET.get("left", ""))
    if not rows and (board.total, len(board.found)) == (board.known, left):
        return private(HttpResponse(status=204))
    return private(render(request, "pending/_changes.html", {"board": board, "rows": rows, "oob": True}))


@require_POST
def move(request: ClinicRequest, pk: int) -> HttpResponse:
    """Move the appointment to the posted time if it is still at the place in `place`; one already there is shown."""
    doctor, starts_at = read_time_value(request.POST.get("to", ""))

    def act() -> Appointment:
        return booking.reschedule(
            pk,
            clinic=request.clinic,
            doctor=doctor,
            starts_at=starts_at,
            seen=request.POST.get("place"),
            by=author(request),
        )

    return _act_response(request, pk, act)


@require_POST
def not_reached(request: ClinicRequest, pk: int) -> HttpResponse:
    """Record a call that was not answered."""
    seen = request.POST.get("seen")
    return _act_response(
        request, pk, lambda: booking.record_not_reached(pk, clinic=request.clinic, by=author(request), seen=seen)
    )


@require_POST
def cancel(request: ClinicRequest, pk: int) -> HttpResponse:
    """Cancel; `cancelled_by` is the patient or the clinic. The clinic's reason is the cause that the row shows."""
    seen, cancelled_by = request.POST.get("seen"), request.POST.get("cancelled_by", "")
    reason = request.POST.get("cause", "") if cancelled_by == Appointment.CancelledBy.CLINIC else ""

    def act() -> Appointment:
        return booking.change_status(
            pk,
            Status.CANCELLED,
            clinic=request.clinic,
            by=author(request),
            cancelled_by=cancelled_by,
            reason=reason[: max_length(Appointment, "cancel_reason")],
            seen=seen,
        )

    return _act_response(request, pk, act)


@require_POST
def undo(request: ClinicRequest, pk: int) -> HttpResponse:
    """Undo the posted `event` if it is still the last one."""
    seen = event_to_undo(request.POST)
    return _act_response(request, pk, lambda: booking.undo(pk, clinic=request.clinic, by=author(request), seen=seen))


def _act_response(request: ClinicRequest, pk: int, act: Callable[[], Appointment]) -> HttpResponse:
    """Call `act` and show the row as it is now; after a refusal with the reasons. Where a move was made already, the
    row names the author, and that is enough."""
    sentences: list[str] = []
    status = HTTPStatus.OK
    try:
        act()
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        status = HTTPStatus.CONFLICT
        sentences = [each.message for each in refused.refusals if each.reason != Reason.NOTHING_CHANGED]
    if wants_partial(request):
        return _row_response(request, pk, sentences, status)
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(f"{reverse('web:pending-list')}#p{pk}")


def _row_response(request: ClinicRequest, pk: int, sentences: list[str], status: int) -> HttpResponse:
    board = _board(request, known=read_number(request.POST.get("known", "")))
    rows = board.as_they_are([pk])
    if not rows:
        raise Http404
    context = {"board": board, "row": rows[0], "refusals": sentences}
    return private(render(request, "pending/_changed.html", context, status=status))


def _by_id(texts: list[str]) -> dict[int, str]:
    """Read `id|value` of each row."""
    values = dict(text.partition("|")[::2] for text in texts)
    return {int(pk): value for pk, value in values.items() if is_short_number(pk)}


def _changed_ids(request: ClinicRequest, board: Board, states: dict[int, str]) -> list[int]:
    """Return those that are drawn otherwise than they are now (`shown_as`), or are no longer pending."""
    still = {row.pk for row in board.found}
    now_in = Appointment.objects.of(request.clinic).filter(pk__in=states).only("status", "doctor", "starts_at")
    return [
        row.pk for row in now_in if row.pk not in still or shown_as(row, board.calls.get(row.pk, [])) != states[row.pk]
    ]


def _no_longer_undoable(board: Board, events: dict[int, str]) -> list[int]:
    """Return those whose event, by its id, the reader can no longer undo."""
    undoable = {row.appointment.pk: str(row.event.pk) for row in board.resolved if row.event and row.is_undoable}
    return [pk for pk, event in events.items() if undoable.get(pk) != event]


def _board(request: ClinicRequest, *, known: int | None = None, before: Collection[int] = ()) -> Board:
    return Board(request.clinic, timezone.now(), known=known, before=before, by=author(request))
