from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.shortcuts import redirect as plain_redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clinic.access.resumable_forms import resumable, take
from clinic.form_fields import is_short_number
from clinic.models import Patient
from clinic.queries import patients
from clinic.web.htmx import partial_or_page, redirect, triggered_by, wants_partial
from clinic.web.patient.forms import PatientForm, begun_with, completed, phone_fault

LISTED = 50
VISITS_A_PAGE = 20
LAST_PAGE = 1000
SEARCHED = "patient_search"
# The text itself would put names and documents into the browser's history and every log on the way.
LAST_SEARCH = {"busca": "ultima"}


# Finding -------------------------------------------------------------------------------------------------------------


@resumable
@never_cache
def search(request):
    """Looks for what is posted as `q`; with `?busca=ultima`, once more for what was looked for last."""
    if request.method == "POST":
        text = request.session[SEARCHED] = request.POST.get("q", "")[: patients.LONGEST_TEXT]
        if not wants_partial(request):
            return plain_redirect(_search_url(text))
    elif typed := take(request):
        text = typed.get("q", "")
    else:
        text = request.session.get(SEARCHED, "") if LAST_SEARCH.items() <= request.GET.dict().items() else ""
    response = partial_or_page(request, "patient/list.html", "found", _found(request, text))
    if request.method == "POST":
        response["HX-Replace-Url"] = _search_url(text)
    return response


@require_POST
@never_cache
def options(request):
    """Those who may be meant by what is typed in the booking panel, as buttons of its form."""
    text = request.POST.get("q", "")
    context = {
        "patients": patients.options(request.clinic, text),
        "q": text,
        "is_whole_number": patients.is_whole_number(request.clinic, text),
    }
    return render(request, "patient/_options.html", context)


def _found(request, text):
    clinic, now = request.clinic, timezone.now()
    if text.strip():
        found = patients.search(clinic, text, LISTED + 1, dead_too=True)
    else:
        found = patients.on_day(clinic, clinic.local(now).date(), LISTED + 1)
    found = patients.with_next_appointment(clinic, found, now)
    more = len(found) > LISTED
    context = {"q": text, "patients": found[:LISTED], "more": more, "limit": LISTED, "oob": wants_partial(request)}
    return context if found else context | {"phone_fault": phone_fault(text, clinic)}


def _search_url(text):
    return reverse("web:patient-list", query=LAST_SEARCH if text.strip() else None)


# One patient ---------------------------------------------------------------------------------------------------------


@require_safe
@never_cache
def card(request, pk):
    patient = _patient(request, pk)
    now = timezone.now()
    page = _page(request)
    first = (page - 1) * VISITS_A_PAGE
    past = list(patients.past_visits(patient, now)[first : first + VISITS_A_PAGE + 1])
    context = {
        "patient": patient,
        "missing": patients.missing(patient),
        "coming": patients.coming_visits(patient, now),
        "past": past[:VISITS_A_PAGE],
        "page": page,
        "newer": page - 1,
        "older": page + 1 if len(past) > VISITS_A_PAGE else None,
    }
    return partial_or_page(request, "patient/card.html", "past", context)


@resumable
@never_cache
def add(request):
    typed = request.POST if request.method == "POST" else take(request)
    if typed and "begin" in typed:
        return _form(request, PatientForm(clinic=request.clinic, initial=begun_with(typed["begin"])))
    form = PatientForm(typed, clinic=request.clinic)
    if request.method == "POST":
        if patient := form.register():
            messages.success(request, _("Paciente cadastrado."))
            return redirect(request, "web:patient-detail", patient.pk)
        return _form(request, form, status=form.status)
    if typed:
        form.check()
    return _form(request, form)


@resumable
@never_cache
def edit(request, pk):
    patient = _patient(request, pk)
    typed = request.POST if request.method == "POST" else take(request)
    if typed and "same" in typed:
        return _the_same(request, patient, typed)
    form = PatientForm(typed, clinic=request.clinic, patient=patient)
    if request.method == "POST":
        if _saved(form):
            messages.success(request, _("Cadastro salvo."))
            return redirect(request, "web:patient-detail", pk)
        return _form(request, form, status=form.status)
    if typed:
        form.check()
    return _form(request, form)


@require_POST
@never_cache
def check(request, pk=None):
    """What the form says of a field as soon as it is left: the same rules as the save."""
    patient = _patient(request, pk) if pk else None
    form = PatientForm(request.POST, clinic=request.clinic, patient=patient)
    form.check(left=triggered_by(request))
    return render(request, "patient/_checked.html", {"form": form})


def _the_same(request, patient, typed):
    """The patient who was about to be registered again: the card, or the form when anything else was typed than is
    stored. The form shows both and saves nothing by itself: which of two e-mails is right only the person at the
    counter knows."""
    form = PatientForm(completed(patient, request.clinic, typed), clinic=request.clinic, patient=patient)
    if not form.compare():
        return redirect(request, "web:patient-detail", patient.pk)
    response = render(request, "patient/form.html", {"form": form, "patient": patient, "completed": True})
    # The form took the place of another one's; now it is the page that changes.
    response["HX-Retarget"] = response["HX-Reselect"] = "#main"
    response["HX-Reswap"] = "outerHTML"
    response["HX-Push-Url"] = reverse("web:patient-edit", args=[patient.pk])
    return response


def _patient(request, pk):
    return get_object_or_404(Patient.objects.of(request.clinic).select_related("clinic"), pk=pk)


def _saved(form):
    try:
        return form.save()
    except Patient.DoesNotExist as missing:
        raise Http404 from missing


def _form(request, form, status=None):
    return partial_or_page(request, "patient/form.html", "form", {"form": form, "patient": form.patient}, status)


def _page(request):
    asked = request.GET.get("pagina", "1")
    return min(max(int(asked), 1), LAST_PAGE) if is_short_number(asked) else 1
