from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import absence_recorder_required
from clinic.models import Absence, Doctor
from clinic.queries.pending import Affected, affected_by
from clinic.registry import absence_was_deleted, delete_absence, record_absence
from clinic.transactions import run_in_transaction
from clinic.web.absence.forms import AbsenceForm, DelayForm, Motive, When
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.htmx import redirect as leave
from clinic.web.responses import private


@resumable
@absence_recorder_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: ClinicRequest) -> HttpResponse:
    """Record that a doctor does not come.

    The form shows at once which appointments it concerns. It is saved by a button that names them: if others have come
    to it since, it is shown again.
    """
    form = _form(request)
    affected = affected_by(request.clinic, form.away, now=form.now) if form.is_valid() else None
    if request.method == "POST" and affected and _is_answered(request, affected):
        absence = form.absence
        run_in_transaction(lambda: record_absence(absence, request.user))
        return _saved_response(request, form, affected)
    context = {
        "form": form,
        "affected": affected,
        "is_asked_again": request.method == "POST" and affected,
        "focus": _focus(request, form),
    }
    status = 422 if request.method == "POST" and not affected else 409 if request.method == "POST" else None
    return private(partial_or_page(request, "absence/add.html", "form", context, status))


@require_POST
def take_back(request: ClinicRequest, pk: int) -> HttpResponse:
    """Delete an absence, for those who record them, or a closure, for managers. Who was moved stays moved.

    After a second click, or a colleague's, a message says that it is deleted already."""

    def work() -> Absence | None:
        absence = Absence.objects.of(request.clinic).select_for_update().filter(pk=pk).first()
        if absence is None:
            return None
        if not (request.user.records_absences if absence.doctor_id else request.user.is_manager):
            raise PermissionDenied(_("Desfazer esta ausência é de quem tem essa permissão. Peça à gestão da clínica."))
        delete_absence(absence, request.user)
        return absence

    absence = run_in_transaction(work)
    if absence is None:
        if not absence_was_deleted(request.clinic, pk):
            raise Http404
        messages.info(request, _("Esta ausência já tinha sido desfeita."))
        return leave(request, "web:pending-list")
    messages.success(
        request,
        _("Ausência desfeita (%(reason)s). Quem já foi remarcado fica no horário novo.") % {"reason": absence.reason},
    )
    return leave(request, "web:pending-list")


@absence_recorder_required
@require_POST
def delay(request: ClinicRequest) -> HttpResponse:
    """Record by how many minutes a doctor is late on a day, or that there is no delay. It moves nothing.

    Where a colleague has recorded another delay since the form was opened, nothing is written: the form stays as it
    was typed, and is recorded when it is sent again."""
    form = DelayForm(request.POST, clinic=request.clinic, now=timezone.now())
    is_recorded = form.is_valid() and form.record(request.user)
    refusal = "" if is_recorded else str(next(iter(form.errors.values()))[0])
    if is_recorded:
        messages.success(request, _delay_sentence(form.cleaned_data["doctor"], form.wanted_minutes))
    if not wants_partial(request):
        if refusal:
            messages.error(request, refusal)
        return leave(request, "web:agenda-day", f"{form.cleaned_data.get('day') or form.today}")
    status = 200 if is_recorded else 409 if form.was_changed_meanwhile else 422
    response = render(request, "agenda/_delay_answer.html", {"form": form, "refusal": refusal}, status=status)
    response["HX-Reswap"] = "none"
    if status != 422:
        response["HX-Trigger"] = "refresh-day"
    return response


def _delay_sentence(doctor: Doctor, minutes: int) -> str:
    words = {"doctor": doctor.full_name, "minutes": minutes}
    return (_("%(doctor)s: atraso de %(minutes)s min registrado.") if minutes else _("%(doctor)s: sem atraso.")) % words


def _form(request: ClinicRequest) -> AbsenceForm:
    """Return the form as it was sent, or for the doctor in the address: who does not come today, from now on."""
    begun = {"doctor": request.GET.get("medico", ""), "when": When.TODAY, "motive": Motive.ILLNESS}
    form = partial(AbsenceForm, clinic=request.clinic, now=timezone.now())
    if request.method == "POST":
        return form(request.POST)
    if typed := take(request) or ("when" in request.GET and request.GET):
        return form(typed)
    return form(begun) if begun["doctor"] else form(initial=begun)


def _focus(request: ClinicRequest, form: AbsenceForm) -> str:
    """Return which field has the focus: the first wrong one of a form that was sent, else the first one."""
    if request.method == "POST":
        return next((name for name in form.fields if name in form.errors), "")
    return next(iter(form.fields))


def _is_answered(request: ClinicRequest, affected: Affected) -> bool:
    return not affected.count or affected.asked in (request.POST.get("close_over"), request.POST.get("move_over"))


def _saved_response(request: ClinicRequest, form: AbsenceForm, affected: Affected) -> HttpResponse:
    absence = form.absence
    words = _("Ausência registrada: %(doctor)s (%(reason)s).") % {"doctor": absence.doctor, "reason": absence.reason}
    if affected.count:
        left = ngettext("%(n)s agendamento em Pendências.", "%(n)s agendamentos em Pendências.", affected.count)
        words += " " + left % {"n": affected.count}
    messages.success(request, words)
    if "move_over" in request.POST:
        return leave(request, "web:pending-list")
    return leave(request, "web:agenda-day", f"{request.clinic.local(absence.starts_at):%Y-%m-%d}")
