from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.models import Recall, shown
from clinic.queries import booking_options, recalls
from clinic.refusals import Refused
from clinic.web.appointment.responses import detail_or_redirect, get_appointment, not_found_when_deleted
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.panel import author, panel_response
from clinic.web.reading import read_number, version_seen
from clinic.web.recall.context import COMING, Board
from clinic.web.recall.forms import RecallForm, fields_of, read_new_date, read_until
from clinic.web.responses import polled, private


@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    """Show the recalls that are due `ate` a date, with `medico` those that this doctor could see, a page of them; with
    `retorno`, the id of one, until its date or a later one, the page that has it.

    When htmx asks with the version it has, an unchanged list is a 304 without a body."""
    board = _board(request, request.GET)

    def answer() -> HttpResponse:
        shown.add(row.patient for row in board.rows)
        context = {"board": board, "doctors": [] if wants_partial(request) else booking_options.doctors(request.clinic)}
        return partial_or_page(request, "recall/list.html", "list", context)

    return polled(request, board.version, answer)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@not_found_when_deleted
def add(request: ClinicRequest, pk: int) -> HttpResponse:
    """Write a recall at an appointment, in the panel of which it is asked for."""
    appointment = get_appointment(request, pk)
    form = RecallForm(
        request.POST if request.method == "POST" else take(request) or fields_of(appointment), appointment=appointment
    )
    if request.method == "POST" and form.is_valid():
        try:
            written = booking.write_recall(pk, form.wish, clinic=request.clinic, by=author(request))
        except Refused as refused:
            form.show_refusals(refused.refusals)
        else:
            note = _("Retorno anotado para %(day)s.") % {"day": f"{written.due_on:%d/%m/%Y}"}
            return detail_or_redirect(request, pk, note=note)
    day = request.clinic.local(appointment.starts_at).date()
    context = {"appointment": appointment, "form": form, "focus": form.first_wrong}
    return panel_response(request, "recall/form.html", context, day, 422 if request.method == "POST" else None)


@require_POST
def close(request: ClinicRequest, pk: int) -> HttpResponse:
    """Close a recall with the posted `outcome`, if it is still as the row shows it."""
    outcome, seen = request.POST.get("outcome", ""), version_seen(request.POST)
    return _act_response(
        request,
        pk,
        lambda: booking.close_recall(pk, outcome, clinic=request.clinic, by=author(request), seen=seen),
    )


@require_POST
def postpone(request: ClinicRequest, pk: int) -> HttpResponse:
    """Give a recall the posted date (`due_on`), if it is still as the row shows it."""
    typed = request.POST.get("due_on", "")

    def act() -> object:
        due_on = read_new_date(typed)
        return booking.postpone_recall(
            pk, due_on, clinic=request.clinic, by=author(request), seen=version_seen(request.POST)
        )

    return _act_response(request, pk, act, typed)


@require_POST
def undo(request: ClinicRequest, pk: int) -> HttpResponse:
    """Open a recall again that a person has closed, if it is still as the row shows it."""
    seen = version_seen(request.POST)
    return _act_response(
        request, pk, lambda: booking.reopen_recall(pk, clinic=request.clinic, by=author(request), seen=seen)
    )


def _act_response(request: ClinicRequest, pk: int, act: Callable[[], object], typed: str = "") -> HttpResponse:
    """Call `act` and show the row as it is now, and how many are left; after a refusal with the reasons and the date
    that was typed."""
    get_object_or_404(Recall.objects.of(request.clinic), pk=pk)
    sentences: list[str] = []
    try:
        act()
    except Recall.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        sentences = [refusal.message for refusal in refused.refusals]
    except ValidationError as unreadable:
        sentences = list(unreadable.messages)
    if wants_partial(request):
        return _row_response(request, pk, sentences, typed if sentences else "")
    for sentence in sentences:
        messages.error(request, sentence)
    kept = _board(request, request.POST).asked if "ate" in request.POST else {}
    return redirect(f"{reverse('web:recall-list', query={**kept, 'retorno': pk})}#t{pk}")


def _row_response(request: ClinicRequest, pk: int, sentences: list[str], typed: str) -> HttpResponse:
    recall = recalls.get(request.clinic, pk)
    if recall is None:
        raise Http404
    board = _board(request, request.POST)
    context = {"board": board, "row": board.row(recall), "refusals": sentences, "typed": typed}
    return private(render(request, "recall/_changed.html", context, status=409 if sentences else 200))


def _board(request: ClinicRequest, asked: QueryDict) -> Board:
    now = timezone.now()
    board = Board(
        request.clinic,
        now,
        until=read_until(asked.get("ate", "")) or request.clinic.local(now).date() + COMING,
        doctor=read_number(asked.get("medico", "")),
        page=max(read_number(asked.get("pagina", "")) or 1, 1),
    )
    named = read_number(asked.get("retorno", ""))
    if named and (place := recalls.place_of(request.clinic, named, doctor=board.doctor)):
        board.until, board.page = max(board.until, place.due_on), place.page
    return board
