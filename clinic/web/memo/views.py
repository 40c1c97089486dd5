from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.form_fields import is_short_number
from clinic.models import Appointment, Memo
from clinic.queries import memos
from clinic.refusals import Refused
from clinic.registry import MemoDone, finish_memo, reopen_memo, write_memo
from clinic.templatetags.formats import phone
from clinic.web.htmx import partial_or_page, redirect, wants_partial
from clinic.web.memo.context import Board
from clinic.web.memo.forms import About, MemoForm
from clinic.web.patient.forms import initial_for_search
from clinic.web.patient.lookup import patient_or_404
from clinic.web.reading import read_date, read_instant, state_seen
from clinic.web.responses import polled, private


@require_safe
def index(request: ClinicRequest) -> HttpResponse:
    """Show the memos to be done, with `feitos` those done lately, with `meus` those for the user or for anybody.

    When htmx asks with the version it has, an unchanged list is a 304 without a body."""
    board = _board(request)
    return polled(request, board.version, lambda: partial_or_page(request, "memo/list.html", "list", {"board": board}))


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: ClinicRequest) -> HttpResponse:
    """Write a memo: about the patient, the appointment or the day in the address, or begun with the text of a search
    that found nobody, which is posted (`begin`), since it may be a name or a number."""
    typed = request.POST if request.method == "POST" else take(request)
    form = _form(request, typed)
    if request.method == "POST" and form.is_bound and form.is_valid():
        write_memo(request.clinic, form.details, key=form.key, by=request.user)
        messages.success(request, _("Recado anotado."))
        return _leave(request, form.about)
    status = 422 if request.method == "POST" and form.errors else None
    context = {"form": form, "focus": form.first_wrong}
    return private(partial_or_page(request, "memo/form.html", "form", context, status))


@require_POST
def finish(request: ClinicRequest, pk: int) -> HttpResponse:
    """Note that the user has done what the memo asks for; say who did it where another person was first."""
    return _act_response(request, pk, lambda: finish_memo(pk, clinic=request.clinic, by=request.user))


@require_POST
def reopen(request: ClinicRequest, pk: int) -> HttpResponse:
    """Take it back that the memo was done at the posted instant (`seen`); say who did it where it was done again."""
    seen = read_instant(state_seen(request.POST))
    return _act_response(request, pk, lambda: reopen_memo(pk, clinic=request.clinic, seen=seen))


def _act_response(request: ClinicRequest, pk: int, act: Callable[[], Memo]) -> HttpResponse:
    """Call `act` and show the row as it is now; after a refusal with the reasons."""
    sentences: list[str] = []
    try:
        act()
    except Memo.DoesNotExist as missing:
        raise Http404 from missing
    except MemoDone as done:
        at = request.clinic.local(done.at)
        sentences = [_("%(who)s já fez, em %(at)s.") % {"who": done.by, "at": f"{at:%d/%m %H:%M}"}]
    except Refused as refused:
        sentences = [refusal.message for refusal in refused.refusals]
    if wants_partial(request):
        return _row_response(request, pk, sentences)
    for sentence in sentences:
        messages.error(request, sentence)
    return redirect(request, "web:memo-list")


def _row_response(request: ClinicRequest, pk: int, sentences: list[str]) -> HttpResponse:
    memo = memos.get(request.clinic, pk)
    if memo is None:
        raise Http404
    context = {"row": _board(request).row(memo), "refusals": sentences}
    response = private(render(request, "memo/_row.html", context, status=409 if sentences else 200))
    response["HX-Trigger"] = "refresh-number"
    return response


def _board(request: ClinicRequest) -> Board:
    is_done, is_mine = "feitos" in request.GET, "meus" in request.GET
    return Board(request.clinic, timezone.now(), request.user, is_done=is_done, is_mine=is_mine)


def _form(request: ClinicRequest, typed: QueryDict | None) -> MemoForm:
    """Return the form as it was sent or kept, else begun with what is known."""
    chosen = typed or request.GET
    about = _about(request, chosen)
    common: dict[str, Any] = {"clinic": request.clinic, "now": timezone.now(), "about": about}
    if typed and "begin" in typed:
        return MemoForm(initial=initial_for_search(str(typed.get("begin", ""))), **common)
    if typed:
        return MemoForm(typed, **common)
    return MemoForm(initial=_initial(request, about), **common)


def _about(request: ClinicRequest, chosen: QueryDict) -> About:
    """Return what the form is about. Raises Http404 for rows that the clinic does not have."""
    if text := chosen.get("agendamento"):
        found = Appointment.objects.of(request.clinic).in_use().select_related("patient")
        appointment = get_object_or_404(found, pk=_id(text))
        return About(appointment.patient, appointment)
    if text := chosen.get("paciente"):
        return About(patient_or_404(request, _id(text)))
    return About()


def _id(text: str) -> int:
    if not is_short_number(text):
        raise Http404
    return int(text)


def _initial(request: ClinicRequest, about: About) -> dict[str, Any]:
    day = read_date(request.GET.get("dia", ""))
    kind = Memo.Kind.NOTE if day or about.patient else Memo.Kind.CALL
    initial = {"kind": kind, "day": f"{day:%d/%m/%Y}" if day else ""}
    if patient := about.patient:
        initial |= {"name": patient.display_name, "phone": phone(patient.phone, request.clinic)}
    return initial


def _leave(request: ClinicRequest, about: About) -> HttpResponse:
    """Go back to what the memo is about, else to the list."""
    if about.appointment:
        return redirect(request, "web:appointment-detail", about.appointment.pk)
    if about.patient:
        return redirect(request, "web:patient-detail", about.patient.pk)
    return redirect(request, "web:memo-list")
