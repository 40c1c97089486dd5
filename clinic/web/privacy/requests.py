"""Requests for deletion and restriction: asked on a patient's card, confirmed by a second manager, kept in a list."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import manager_required
from clinic.models import DataRequest, Patient, shown
from clinic.queries import data_requests, patient_changes
from clinic.refusals import Refused
from clinic.registry import (
    RequestFault,
    RequestRefused,
    appointment_ahead,
    current_patient,
    decide,
    lift_restriction,
    needs_second_person,
    open_identity,
    open_request,
    proposal,
    request_deletion,
    restrict,
)
from clinic.web.htmx import partial_or_page, redirect
from clinic.web.panel import author
from clinic.web.patient.lookup import patient_or_404
from clinic.web.privacy.export import json_file
from clinic.web.privacy.forms import AskForm, ReasonForm

WITH_REASON = {"lift", "open", "export"}
SENTENCES = {
    RequestFault.APPOINTMENT_AHEAD: gettext_lazy("Há um agendamento por vir. Cancele-o antes; nada foi alterado."),
    RequestFault.OPEN_ALREADY: gettext_lazy("Já há um pedido em aberto sobre este paciente."),
    RequestFault.DECIDED_ALREADY: gettext_lazy("Este pedido já foi decidido."),
    RequestFault.SAME_PERSON: gettext_lazy("Quem pediu não confirma: precisa ser outra pessoa da gestão."),
    RequestFault.NUMBERS_TAKEN: gettext_lazy(
        "O CPF ou o número do SNS é agora de outra ficha. Corrija-a antes; nada foi alterado."
    ),
}


@manager_required
@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask(request: ClinicRequest, pk: int) -> HttpResponse:
    """Say what a request would do with the patient's data, and take it."""
    patient = patient_or_404(request, pk)
    by_two = needs_second_person(request.clinic)
    typed = request.POST if request.method == "POST" else take(request)
    form = AskForm(typed, patient=patient, needs_typing=not by_two)
    sentences: list[str] = []
    is_valid = request.method == "POST" and form.is_valid()
    if is_valid and (done := _try(sentences, lambda: _asked(request, patient, form))):
        return _after(request, done)
    context = {
        "patient": patient,
        "form": form,
        "sentences": sentences,
        "proposal": proposal(patient),
        "ahead": appointment_ahead(patient, timezone.now()),
        "waiting": data_requests.waiting(patient),
        "by_two": by_two,
    }
    status = 409 if sentences else 422 if form.errors else None
    return partial_or_page(request, "privacy/ask.html", "form", context, status)


@manager_required
@require_safe
@never_cache
def index(request: ClinicRequest) -> HttpResponse:
    """List the requests, without the name of anybody who is blocked."""
    return render(request, "privacy/requests.html", {"requests": data_requests.listed(request.clinic)})


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def detail(request: ClinicRequest, pk: int) -> HttpResponseBase:
    """Show a request; confirm or decline it, take a restriction off, or, for masters, see who is blocked, or have the
    file of their data."""
    found = data_requests.get(request.clinic, pk)
    if found is None:
        raise Http404
    form = ReasonForm(request.POST if request.POST.get("act") in WITH_REASON else None)
    sentences: list[str] = []
    context: dict[str, Any] = {}
    if request.method == "POST":
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise Http404
        if not form.is_bound or form.is_valid():
            done = _try(sentences, lambda: act(request, pk, form))
            if isinstance(done, DataRequest):
                return _after(request, done)
            if isinstance(done, StreamingHttpResponse):
                return done
            context = {"identity": done}
    patient = _named(request, found)
    context |= {"request_row": found, "form": form, "sentences": sentences, "patient": patient}
    if patient and not found.outcome:
        context |= {"proposal": proposal(patient), "ahead": appointment_ahead(patient, timezone.now())}
    status = 409 if sentences else 422 if form.errors else None
    return render(request, "privacy/request.html", context, status=status)


def _named(request: ClinicRequest, found: DataRequest) -> Patient | None:
    """Return the patient that a request is about, None once they are blocked."""
    return current_patient(request.clinic, found.patient_id)


def _asked(request: ClinicRequest, patient: Patient, form: AskForm) -> DataRequest:
    reason, by = form.cleaned_data["reason"], author(request)
    act = request_deletion if form.cleaned_data["kind"] == DataRequest.Kind.DELETION else restrict
    return act(patient.pk, clinic=request.clinic, reason=reason, by=by)


def _confirm(request: ClinicRequest, pk: int, form: ReasonForm) -> DataRequest:
    return decide(pk, clinic=request.clinic, accept=True, by=author(request))


def _decline(request: ClinicRequest, pk: int, form: ReasonForm) -> DataRequest:
    return decide(pk, clinic=request.clinic, accept=False, by=author(request))


def _lift(request: ClinicRequest, pk: int, form: ReasonForm) -> DataRequest:
    return lift_restriction(pk, clinic=request.clinic, reason=form.cleaned_data["reason"], by=author(request))


def _open(request: ClinicRequest, pk: int, form: ReasonForm) -> list[list[tuple[str, str]]]:
    _require_master(request)
    found = open_identity(pk, clinic=request.clinic, reason=form.cleaned_data["reason"], by=author(request))
    shown.add(Patient.objects.of(request.clinic).filter(data_requests=pk))
    return [patient_changes.labelled(values, request.clinic) for values in found]


def _export(request: ClinicRequest, pk: int, form: ReasonForm) -> StreamingHttpResponse:
    """Answer the file of a sealed patient, with what the request keeps."""
    _require_master(request)
    opened = open_request(pk, clinic=request.clinic, reason=form.cleaned_data["reason"], by=author(request))
    return json_file(opened.patient, kept=opened.kept)


def _require_master(request: ClinicRequest) -> None:
    if not request.user.is_master:
        raise PermissionDenied(_("Esta página é só do usuário master da clínica."))


ACTS: dict[str, Callable[[ClinicRequest, int, ReasonForm], Any]] = {
    "confirm": _confirm,
    "decline": _decline,
    "lift": _lift,
    "open": _open,
    "export": _export,
}


def _try(sentences: list[str], act: Callable[[], Any]) -> Any:
    """Return what the act returns, None where it was refused: then its sentence is added."""
    try:
        return act()
    except RequestRefused as refused:
        sentences.append(str(SENTENCES[refused.fault]))
    except Refused as refused:
        sentences.append(refused.message)
    except (Patient.DoesNotExist, DataRequest.DoesNotExist) as missing:
        raise Http404 from missing
    return None


def _after(request: ClinicRequest, done: DataRequest) -> HttpResponse:
    """Say what was done, on the page of the request."""
    if not done.outcome:
        messages.success(request, _("Pedido registrado: outra pessoa da gestão precisa confirmar."))
    elif done.outcome == DataRequest.Outcome.RELEASED:
        messages.success(request, _("A ficha voltou ao uso."))
    else:
        messages.success(request, _("Feito: %(outcome)s.") % {"outcome": done.get_outcome_display()})
    return redirect(request, "web:privacy-request-detail", done.pk)
