from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect as plain_redirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import manager_required, master_required
from clinic.form_fields import is_short_number
from clinic.models import Patient, shown
from clinic.queries import accesses, consents, memos, merges, patient_card, patient_changes, patients
from clinic.refusals import Refused
from clinic.registry import Redacted, redact_patient, redactable
from clinic.web.htmx import partial_or_page, redirect, triggered_by, wants_partial
from clinic.web.panel import author
from clinic.web.patient.forms import (
    PatientForm,
    RedactionForm,
    fill_blanks,
    initial_for_search,
    new_patient_label,
    phone_fault,
)
from clinic.web.patient.lookup import patient_or_404
from clinic.web.patient.seen_by import asked_of, position_of, written_position

MAX_LISTED = 50
VISITS_PER_PAGE = 20
LAST_PAGE = 1000
SEARCH_SESSION_KEY = "patient_search"
# The query does not hold the text: it would put names and documents into the browser's history and every log.
LAST_SEARCH = {"busca": "ultima"}
DIGEST_LETTERS = 16


# Finding -------------------------------------------------------------------------------------------------------------


@resumable
@never_cache
def search(request: ClinicRequest) -> HttpResponse:
    """Search for the posted `q`; with `?busca=ultima`, for the last text again; otherwise list today's patients."""
    if request.method == "POST":
        text = request.session[SEARCH_SESSION_KEY] = request.POST.get("q", "")[: patients.LONGEST_TEXT]
        if not wants_partial(request):
            return plain_redirect(_search_url(text))
    elif typed := take(request):
        text = request.session[SEARCH_SESSION_KEY] = typed.get("q", "")[: patients.LONGEST_TEXT]
    else:
        text = searched(request)
    response = partial_or_page(request, "patient/list.html", "found", _list_context(request, text))
    if request.method == "POST":
        response["HX-Replace-Url"] = _search_url(text)
    return response


@require_POST
@never_cache
def options(request: ClinicRequest) -> HttpResponse:
    """Render the patients found by the text typed in the booking panel, as buttons of its form."""
    text = request.POST.get("q", "")
    context = {
        "options": patients.options(request.clinic, text, timezone.now()),
        "new_patient_label": new_patient_label(text, request.clinic),
    }
    return render(request, "patient/_options.html", context)


def _list_context(request: ClinicRequest, text: str) -> dict[str, Any]:
    clinic, now = request.clinic, timezone.now()
    with shown.choosing():
        if text.strip():
            found: Iterable[Patient] = patients.search(clinic, text, MAX_LISTED + 1, dead_too=True, widely=True)
        else:
            found = patient_card.on_day(clinic, clinic.local(now).date(), MAX_LISTED + 1)
        listed = patient_card.with_next_appointment(clinic, found, now)
    shown.add(row.patient for row in listed[:MAX_LISTED])
    return {
        "q": text,
        "found_query": urlencode(LAST_SEARCH | {"texto": search_digest(text)}),
        "new_patient_label": new_patient_label(text, clinic),
        "patients": listed[:MAX_LISTED],
        "has_more": len(listed) > MAX_LISTED,
        "limit": MAX_LISTED,
        "phone_fault": "" if listed else phone_fault(text, clinic),
        "oob": wants_partial(request),
    }


def searched(request: ClinicRequest) -> str:
    """Return the text of the last search where the address asks for it (`busca=ultima`), else ""."""
    return str(request.session.get(SEARCH_SESSION_KEY, "")) if asks_for_last_search(request) else ""


def asks_for_last_search(request: ClinicRequest) -> bool:
    """Return whether the address has `busca=ultima`."""
    return LAST_SEARCH.items() <= request.GET.dict().items()


def search_digest(text: str) -> str:
    """Return by what an address says which search it means (`texto`): nobody reads the text from it."""
    return salted_hmac(SEARCH_SESSION_KEY, text, algorithm="sha256").hexdigest()[:DIGEST_LETTERS]


def _search_url(text: str) -> str:
    return reverse("web:patient-list", query=LAST_SEARCH if text.strip() else None)


# One patient ---------------------------------------------------------------------------------------------------------


@require_safe
@never_cache
def card(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show the patient; the address of a merged one leads to the card of the one that was kept."""
    patient = patient_or_404(request, pk)
    if patient.pk != pk:
        return plain_redirect("web:patient-detail", patient.pk)
    now = timezone.now()
    page = _page_number(request)
    first = (page - 1) * VISITS_PER_PAGE
    past = list(patient_card.past_visits(patient, now)[first : first + VISITS_PER_PAGE + 1])
    context = {
        "patient": patient,
        "missing": patient_card.missing(patient),
        "former_names": patient_card.former_names(patient),
        "upcoming": patient_card.coming_visits(patient, now),
        "past": past[:VISITS_PER_PAGE],
        "card_is_expired": patient.has_expired_card(request.clinic.local(now).date()),
        "changes": patient_changes.story(patient),
        "consents": consents.states(patient),
        "memos": memos.about_patient(patient),
        "merges": merges.undoable_merges(patient, now),
        "doubles": merges.probable_doubles(patient),
        "page": page,
        "newer_page": page - 1,
        "older_page": page + 1 if len(past) > VISITS_PER_PAGE else None,
    }
    return partial_or_page(request, "patient/card.html", "past", context)


@manager_required
@require_safe
@never_cache
def seen_by(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show who was shown the patient, a row for each person and day.

    For managers and masters: the log says as much about those who work here as about the patient, and it is they who
    answer a patient who asks.
    """
    patient = patient_or_404(request, pk)
    filters = asked_of(request.GET, request.clinic)
    rows, older = accesses.seen_by(patient, filters.asked, before=position_of(request.GET.get("antes", "")))
    more = urlencode({"antes": written_position(older)}) if older else ""
    context = {
        "patient": patient,
        "rows": rows,
        "older": "&".join(filter(None, [more, filters.query])) if older else "",
        "filters": filters,
    }
    return partial_or_page(request, "patient/seen_by.html", "seen", context)


@master_required
@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def redact(request: ClinicRequest, pk: int) -> HttpResponse:
    """Blank what was written about the patient, after showing what goes and what stays. It cannot be undone."""
    patient = patient_or_404(request, pk)
    form = RedactionForm(request.POST if request.method == "POST" else take(request))
    sentences: list[str] = []
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            redacted = redact_patient(pk, clinic=request.clinic, by=author(request), reason=reason)
        except Refused as refused:
            sentences = [refusal.message for refusal in refused.refusals]
        else:
            messages.success(request, _redacted_message(redacted))
            return redirect(request, "web:patient-detail", pk)
    context = {"patient": patient, "form": form, "redactable": redactable(patient), "sentences": sentences}
    wrong = {"focus": "reason"} if form.errors else {}
    status = 409 if sentences else 422 if wrong else None
    return partial_or_page(request, "patient/redact.html", "form", context | wrong, status)


def _redacted_message(redacted: Redacted) -> str:
    done = ngettext(
        "Textos apagados, também os de %(count)d agendamento.",
        "Textos apagados, também os de %(count)d agendamentos.",
        redacted.appointments,
    ) % {"count": redacted.appointments}
    left = ngettext(
        "%(count)d agendamento ainda por vir manteve os seus.",
        "%(count)d agendamentos ainda por vir mantiveram os seus.",
        redacted.left,
    ) % {"count": redacted.left}
    return f"{done} {left}" if redacted.left else done


@resumable
@never_cache
def add(request: ClinicRequest) -> HttpResponse:
    typed = request.POST if request.method == "POST" else take(request)
    if typed and "begin" in typed:
        return _form_page(
            request, PatientForm(clinic=request.clinic, initial=initial_for_search(typed.get("begin", "")))
        )
    form = PatientForm(typed, clinic=request.clinic)
    if request.method == "POST":
        if patient := form.register(author(request)):
            messages.success(request, _("Paciente cadastrado."))
            return redirect(request, "web:patient-detail", patient.pk)
        return _form_page(request, form, status=form.status)
    if typed:
        form.check()
    return _form_page(request, form)


@resumable
@never_cache
def edit(request: ClinicRequest, pk: int) -> HttpResponse:
    patient = patient_or_404(request, pk)
    typed = request.POST if request.method == "POST" else take(request)
    if typed and "same" in typed:
        return _same_patient_response(request, patient, typed)
    form = PatientForm(typed, clinic=request.clinic, patient=patient)
    if request.method == "POST":
        if _saved(request, form, patient):
            messages.success(request, _("Cadastro salvo."))
            return redirect(request, "web:patient-detail", pk)
        return _form_page(request, form, status=form.status)
    if typed:
        form.check()
    return _form_page(request, form)


@require_POST
@never_cache
def check(request: ClinicRequest, pk: int | None = None) -> HttpResponse:
    """Render the errors of the form after a field was left, by the same rules as the save."""
    patient = patient_or_404(request, pk) if pk else None
    form = PatientForm(request.POST, clinic=request.clinic, patient=patient)
    just_left = triggered_by(request)
    form.check(just_left=just_left)
    context = {"form": form, "namesakes": form.namesakes, "is_birth_left": just_left == "birth_date"}
    return render(request, "patient/_checked.html", context)


def _same_patient_response(request: ClinicRequest, patient: Patient, typed: QueryDict) -> HttpResponse:
    """Answer that the typed new patient is this one: show the card, or the form if the typed data differ.

    The form shows both and saves nothing by itself: which of two e-mails is right only the person at the counter knows.
    """
    form = PatientForm(fill_blanks(patient, request.clinic, typed), clinic=request.clinic, patient=patient)
    if not form.differs_from(patient):
        return redirect(request, "web:patient-detail", patient.pk)
    response = render(request, "patient/form.html", {"form": form, "patient": patient, "already_registered": True})
    # The posted form would replace itself only; here the whole page changes.
    response["HX-Retarget"] = response["HX-Reselect"] = "#main"
    response["HX-Reswap"] = "outerHTML"
    response["HX-Push-Url"] = reverse("web:patient-edit", args=[patient.pk])
    return response


def _saved(request: ClinicRequest, form: PatientForm, patient: Patient) -> bool:
    try:
        return form.save(patient, author(request))
    except Patient.DoesNotExist as missing:
        raise Http404 from missing


def _form_page(request: ClinicRequest, form: PatientForm, status: int | None = None) -> HttpResponse:
    context = {"form": form, "patient": form.patient, "namesakes": form.namesakes}
    return partial_or_page(request, "patient/form.html", "form", context, status)


def _page_number(request: ClinicRequest) -> int:
    text = request.GET.get("pagina", "1")
    return min(max(int(text), 1), LAST_PAGE) if is_short_number(text) else 1
