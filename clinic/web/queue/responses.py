"""What the queue and a doctor's own day answer to an act on one of their rows."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from clinic.access.requests import ClinicRequest
from clinic.models import Appointment
from clinic.refusals import Refused
from clinic.web.htmx import wants_partial
from clinic.web.responses import private


def act_response[Board](
    request: ClinicRequest,
    pk: int,
    act: Callable[[], object],
    *,
    read_board: Callable[[ClinicRequest], Board],
    note_shown: Callable[[Board], None],
    template: str,
    page: str,
) -> HttpResponse:
    """Call `act` and show the partial `queue` of the template whole, as an act moves its row; after a refusal with the
    reasons at the row. Without htmx lead back to the `page`, a view's name. Raises Http404."""
    sentences: list[str] = []
    try:
        act()
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        sentences = [refusal.message for refusal in refused.refusals]
    if wants_partial(request):
        board = read_board(request)
        note_shown(board)
        context = {"board": board, "refused": pk, "refusals": sentences}
        return private(render(request, f"{template}#queue", context, status=409 if sentences else 200))
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(page)
