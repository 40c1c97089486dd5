"""The first steps of a clinic, from an empty one to the first booking. What is done is read from the rows: each step
can be left, found again, and done differently in the administration."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from clinic import booking, transactions
from clinic.access import staff_links
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import manager_required
from clinic.models import Clinic, Doctor, Procedure
from clinic.models.clinic import zone_name
from clinic.models.staff_link import team_of
from clinic.queries.pending import newly_pending, pending
from clinic.queries.set_up import set_up_of
from clinic.refusals import Refused
from clinic.registry import (
    DoctorFault,
    DoctorRefused,
    ProcedureFault,
    ProcedureRefused,
    doctors_named,
    new_hours,
    place_clinic,
    procedures_named,
    register_doctor,
    register_procedure,
    save_hours,
)
from clinic.registry.starter_procedures import STARTER_PROCEDURES
from clinic.web.first_steps.forms import ColleagueForm, FirstDoctorForm, PlaceForm, ProceduresForm
from clinic.web.panel import author

LOOKED_AHEAD = timedelta(days=60)
STEPS = {
    "clinica": ("place", gettext_lazy("A clínica")),
    "equipe": ("team", gettext_lazy("A equipe")),
    "procedimentos": ("procedures", gettext_lazy("Procedimentos")),
    "medico": ("doctor", gettext_lazy("Quem atende")),
    "marcar": ("booking", gettext_lazy("O primeiro agendamento")),
}


class StrandsAppointments(Exception):
    """Raised within the transaction: holidays would close time that appointments have."""


class NamedTwice(Exception):
    """Raised within the transaction: two rows of the form have the same name."""


@require_safe
@never_cache
@manager_required
def index(request: ClinicRequest) -> HttpResponse:
    """Lead to the first step that is not done, team and a left place aside; to the last one when all are."""
    state = set_up_of(request.clinic)
    left = {"team", "place"} if state.is_place_left else {"team"}
    needed = [name for name, (column, _label) in STEPS.items() if not (column in left or getattr(state, column))]
    return redirect(f"web:first-steps-{needed[0] if needed else 'marcar'}")


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@manager_required
def place(request: ClinicRequest) -> HttpResponse:
    """Say where the clinic is and on which holidays it closes."""
    form = PlaceForm(request.clinic, _typed(request))
    if request.method != "POST" or not form.is_valid():
        return _page(request, "clinica", form=form)
    try:
        transactions.run_in_transaction(lambda: _place(request, form.cleaned_data))
    except StrandsAppointments:
        sentence = _("Há agendamentos nesses feriados. Altere na Administração, que mostra quais são.")
        form.add_error(None, sentence)
    except Refused as refused:
        form.add_error(None, refused.message)
    else:
        return redirect("web:first-steps-equipe")
    return _page(request, "clinica", form=form, status=HTTPStatus.CONFLICT)


def _place(request: ClinicRequest, cleaned: dict[str, Any]) -> None:
    before, now = {row.pk for row in pending(request.clinic, now=timezone.now())}, timezone.now()
    stored = place_clinic(request.clinic, **cleaned, by=author(request))
    if newly_pending(stored, before, now=now):
        raise StrandsAppointments


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@manager_required
@sensitive_variables("made", "secret")
def team(request: ClinicRequest) -> HttpResponse:
    """Invite managers and receptionists by links; may be left out."""
    form = ColleagueForm(request.clinic, request.user, _typed(request))
    if request.method != "POST" or not form.is_valid():
        return _page(request, "equipe", form=form)
    if (made := form.invite(request.user)) is None:
        return _page(request, "equipe", form=form, status=HTTPStatus.CONFLICT)
    link, secret = made
    if not secret:
        return redirect("web:first-steps-equipe")
    address = request.build_absolute_uri(staff_links.path(secret))
    fresh = ColleagueForm(request.clinic, request.user)
    return _page(request, "equipe", form=fresh, released=link, address=address)


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@manager_required
def procedures(request: ClinicRequest) -> HttpResponse:
    """Begin the list of procedures with those of a speciality that have a price; `outra` shows another one's then."""
    typed = _typed(request)
    specialty, other = (typed or request.GET).get("especialidade", ""), request.POST.get("outra", "")
    form = ProceduresForm(request.clinic, specialty, typed)
    if request.method != "POST" or not form.is_valid(may_be_empty=bool(other)):
        return _page(request, "procedimentos", form=form, specialty=specialty)
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            known = _add_procedures(request, form)
    except NamedTwice:
        return _page(request, "procedimentos", form=form, specialty=specialty)
    except Refused as refused:
        form.error = refused.message
        return _page(request, "procedimentos", form=form, specialty=specialty, status=HTTPStatus.CONFLICT)
    if known:
        messages.info(request, _("Já estavam na lista, e ficaram como estavam: %(n)s.") % {"n": known})
    if other:
        return redirect(reverse("web:first-steps-procedimentos", query={"especialidade": other}, fragment="precos"))
    return redirect("web:first-steps-medico")


def _add_procedures(request: ClinicRequest, form: ProceduresForm) -> int:
    """Add the rows that have a price, and return how many of them were on the list before. Raises NamedTwice, with the
    complaint at its row."""
    added: set[int] = set()
    known = 0
    for row in form.priced_rows:
        try:
            added.add(register_procedure(request.clinic, row.details, author(request)).pk)
        except ProcedureRefused as refused:
            if refused.faults != [ProcedureFault.NAME_TAKEN]:
                raise
            if procedures_named(request.clinic, row.details.name).filter(pk__in=added).exists():
                row.add_error("name", _("Este nome já está em outra linha."))
                raise NamedTwice from refused
            known += 1
    return known


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@manager_required
def doctor(request: ClinicRequest) -> HttpResponse:
    """Add a doctor with the hours of a week."""
    form = FirstDoctorForm(request.clinic, _typed(request))
    if request.method != "POST" or not form.is_valid():
        return _page(request, "medico", form=form)
    cleaned = form.cleaned_data
    try:
        transactions.run_in_transaction(lambda: _add_doctor(request, cleaned))
    except DoctorRefused as refused:
        if refused.faults != [DoctorFault.NAME_TAKEN]:
            raise
        known = doctors_named(request.clinic, cleaned["name"])[0]
        sentence = _("%(name)s já está na agenda.") % {"name": known.full_name}
        if not _is_as_typed(known, cleaned):
            form.add_error("name", sentence)
            return _page(request, "medico", form=form, known=known, status=HTTPStatus.CONFLICT)
        messages.info(request, sentence)
    except Refused as refused:
        form.add_error(None, refused.message)
        return _page(request, "medico", form=form, status=HTTPStatus.CONFLICT)
    return redirect("web:first-steps-marcar")


def _is_as_typed(doctor: Doctor, cleaned: dict[str, Any]) -> bool:
    """Return whether a doctor has the hours and procedures of the form: it was sent twice."""
    hours = {(row.weekday, row.starts, row.ends) for row in doctor.hours.all()}
    return hours == set(map(tuple, cleaned["week"].hours)) and set(doctor.procedures.all()) == set(
        cleaned["procedures"]
    )


def _add_doctor(request: ClinicRequest, cleaned: dict[str, Any]) -> None:
    added = register_doctor(
        request.clinic,
        name=cleaned["name"],
        title=cleaned["title"],
        procedures=[procedure.pk for procedure in cleaned["procedures"]],
        by=author(request),
    )
    save_hours(added, new_hours(added, cleaned["week"].hours), request.user)


@require_safe
@never_cache
@manager_required
def booking_step(request: ClinicRequest) -> HttpResponse:
    """Lead to the booking panel, at the first free time of a doctor."""
    return _page(request, "marcar", first=_first_free(request.clinic))


def _first_free(clinic: Clinic) -> str:
    """Return the address of the panel at the first free time ahead, or without a time if there is none."""
    now = timezone.now()
    today = clinic.local(now).date()
    for each in Doctor.objects.of(clinic).filter(active=True).order_by("sort_name", "pk"):
        shortest = each.procedures.filter(active=True).order_by("duration_minutes", "pk").first()
        if shortest is None:
            continue
        for opening in booking.openings(
            clinic,
            doctor=each,
            minutes=shortest.duration_minutes,
            first=today,
            last=today + LOOKED_AHEAD,
            now=now,
            limit=1,
            procedures=[shortest],
        ):
            local = clinic.local(opening.starts_at)
            query = {"medico": each.pk, "data": local.date().isoformat(), "inicio": f"{local:%H:%M}"}
            return reverse("web:appointment-book", query=query)
    return reverse("web:appointment-book")


def _typed(request: ClinicRequest) -> Any:
    return request.POST if request.method == "POST" else take(request)


def _page(request: ClinicRequest, step: str, *, status: int | None = None, **context: Any) -> HttpResponse:
    state, clinic = set_up_of(request.clinic), request.clinic
    form = context.get("form")
    refused = request.method == "POST" and "released" not in context
    names = list(STEPS)
    following = names[names.index(step) + 1 :]
    common = {
        "step": step,
        "steps": [(name, label, getattr(state, column)) for name, (column, label) in STEPS.items()],
        "next_step": f"web:first-steps-{following[0]}" if following else "",
        "state": state,
        "zone": zone_name(clinic.time_zone),
        "specialties": list(STARTER_PROCEDURES[clinic.country]),
        "known_procedures": Procedure.objects.of(clinic).filter(active=True),
        "team": team_of(clinic).exclude(pk=request.user.pk),
        "form": form,
    }
    usual = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return render(request, f"first_steps/{step}.html", common | context, status=status or usual)
