from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.form_fields import ids_in
from clinic.models import Appointment, Series
from clinic.queries import series as series_queries
from clinic.queries.series import Session
from clinic.refusals import Refused
from clinic.web.appointment.forms import CancelForm
from clinic.web.appointment.responses import BY_LABELS, detail_response, get_appointment, not_found_when_deleted
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.htmx import redirect as leave
from clinic.web.panel import author
from clinic.web.responses import private
from clinic.web.series.context import ahead, sessions_context, ticked
from clinic.web.series.forms import MoveSessionsForm, PreviewForm, SeriesForm, initial_of
from clinic.web.series.preview import refused_in_words, sent_starts


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@not_found_when_deleted
def add(request: ClinicRequest, pk: int) -> HttpResponse:
    """Repeat an appointment: show each date of the rule with what is in its way, and book the ticked ones when `save`
    is posted. Dates that were not shown are not booked."""
    appointment = get_appointment(request, pk)
    if request.method != "POST" and (refusals := booking.repeat_refusals(appointment)):
        return detail_response(request, pk, refusals=[refusal.message for refusal in refusals], status=409)
    standing = _standing(request, appointment)
    typed = request.POST if request.method == "POST" else take(request)
    typed = typed or initial_of(appointment, standing, timezone.now())
    form = SeriesForm(typed, appointment=appointment, standing=standing)
    if _is_sent(request) and (series := form.book(author(request))):
        number = len(sent_starts(form.data))
        sentence = ngettext("%(number)s sessão agendada.", "%(number)s sessões agendadas.", number)
        messages.success(request, sentence % {"number": number})
        return leave(request, "web:series-detail", series.pk)
    context = {
        "appointment": appointment,
        "seen": booking.as_repeated(appointment),
        "here": reverse("web:series-add", args=[pk]),
        "back": reverse("web:appointment-detail", args=[pk]),
    }
    return _form_response(request, "series/form.html", form, context)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show the sessions, and cancel the posted ones (`session`), each if it is still as it was shown, all or none; none
    where only a look at them is posted (`look`): the page comes back as it was typed.

    Ticked are those still ahead, from that of the appointment `de` on, or only that of `so`."""
    if request.method != "POST":
        typed = take(request)
        return _detail_response(request, pk, CancelForm(typed), chosen=ids_in(typed, "session") if typed else None)
    form, chosen = CancelForm(request.POST), ids_in(request.POST, "session")
    if "look" in request.POST:
        return _detail_response(request, pk, form, chosen=chosen)
    form.is_valid()
    if not chosen:
        return _detail_response(request, pk, form, [_("Selecione pelo menos uma sessão.")], chosen=chosen, status=422)
    seen = {session: request.POST.get(f"seen-{session}", "") for session in chosen}
    try:
        booking.cancel_sessions(pk, seen, clinic=request.clinic, by=author(request), **form.cleaned_data)
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as refused:
        return _cancel_refused(request, pk, form, chosen, refused)
    cancelled = ngettext("%(number)s sessão cancelada.", "%(number)s sessões canceladas.", len(chosen))
    messages.success(request, cancelled % {"number": len(chosen)})
    return leave(request, "web:series-detail", pk)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show where each of the posted sessions (`session`), or each that is still ahead, would be at another weekday and
    hour, and move those whose box is ticked when `save` is posted, all or none.

    Where none of them is ahead any more, the form stays as it was typed and says so."""
    typed = request.POST if request.method == "POST" else take(request)
    found = _sessions(request, pk)
    sessions, chosen = ahead(found, timezone.now()), ids_in(typed, "session") if typed is not None else []
    if typed is not None:
        sessions = [session for session in sessions if session.pk in chosen]
    form = MoveSessionsForm(typed, clinic=request.clinic, sessions=sessions)
    if not sessions and not chosen:
        return _detail_response(request, pk, CancelForm(), [_("Selecione pelo menos uma sessão.")], status=422)
    if not sessions:
        form.refusals = [
            _("Nenhuma das sessões selecionadas está mais por vir: mudaram neste meio tempo. Volte e veja como estão.")
        ]
    try:
        number = form.move(pk, author(request)) if sessions and _is_sent(request) else 0
    except Appointment.DoesNotExist as missing:
        raise Http404 from missing
    if number:
        moved = ngettext("%(number)s sessão remarcada.", "%(number)s sessões remarcadas.", number)
        messages.success(request, moved % {"number": number})
        return leave(request, "web:series-detail", pk)
    context = {
        "sessions": [(session, booking.place(session)) for session in sessions],
        "gone": [] if sessions else chosen,
        "patient": found[0].appointment.patient,
        "here": reverse("web:series-move", args=[pk]),
        "back": reverse("web:series-detail", args=[pk]),
    }
    return _form_response(request, "series/move.html", form, context)


def _is_sent(request: ClinicRequest) -> bool:
    """Return whether the form was sent to act, not to look."""
    return request.method == "POST" and "save" in request.POST


def _form_response(request: ClinicRequest, template: str, form: PreviewForm, context: dict[str, Any]) -> HttpResponse:
    """Render the page, the form of it after a refused act, or the parts that change when a field of it is left.

    Nothing else is replaced then, so what is being typed meanwhile stays."""
    context |= {"form": form, "focus": _focus(request, form)}
    if _is_sent(request) or not wants_partial(request):
        return private(partial_or_page(request, template, "form", context, _status(request, form)))
    response = private(render(request, "series/_looked.html", context))
    response["HX-Retarget"], response["HX-Reswap"] = "#series-dates", "innerHTML"
    return response


def _focus(request: ClinicRequest, form: PreviewForm) -> str:
    """Return what has the focus: the sentence above the form, else the first wrong field; of a form that was not sent
    the first one."""
    if form.refusals:
        return "refusals"
    return form.first_wrong or ("" if _is_sent(request) else next(iter(form.fields)))


def _status(request: ClinicRequest, form: PreviewForm) -> int | None:
    if form.refusals:
        return 409
    return 422 if _is_sent(request) else None


def _standing(request: ClinicRequest, appointment: Appointment) -> list[Appointment]:
    """Return the sessions that are there already; of an appointment without series itself."""
    if appointment.series_id is None:
        return [appointment]
    return series_queries.standing(series_queries.sessions(request.clinic, appointment.series_id))


def _sessions(request: ClinicRequest, pk: int) -> list[Session]:
    found = series_queries.sessions(request.clinic, pk)
    if not found:
        raise Http404
    return found


def _cancel_refused(
    request: ClinicRequest, pk: int, form: CancelForm, chosen: Sequence[int], refused: Refused
) -> HttpResponse:
    """Show what was refused at its field, or above the sessions with the date of the one that it is about."""
    if {refusal.field for refusal in refused.refusals} <= form.fields.keys():
        form.show_refusals(refused.refusals)
        return _detail_response(request, pk, form, chosen=chosen, status=422)
    sentence = refused.message
    if isinstance(refused, booking.SessionRefused):
        sentence = f"{refused_in_words(request.clinic, refused)} {_('Nada foi cancelado.')}"
    return _detail_response(request, pk, form, [sentence], chosen=chosen, status=409)


def _detail_response(
    request: ClinicRequest,
    pk: int,
    form: CancelForm,
    refusals: Sequence[str] = (),
    *,
    chosen: Sequence[int] | None = None,
    status: int | None = None,
) -> HttpResponse:
    series = get_object_or_404(Series.objects.of(request.clinic).select_related("clinic"), pk=pk)
    found, now = _sessions(request, pk), timezone.now()
    context = sessions_context(series, found, now) | {
        "form": form,
        "chosen": ticked(request.GET, ahead(found, now)) if chosen is None else set(chosen),
        "since": request.GET.get("de", ""),
        "refusals": refusals,
        "cancelled_by_choices": list(BY_LABELS.items()),
        "is_looked_at": "look" in request.POST,
    }
    return private(render(request, "series/detail.html", context, status=status))
