from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.form_fields import is_short_number
from clinic.models import Appointment
from clinic.web.family.forms import FamilyForm, initial_of, pressed
from clinic.web.htmx import partial_or_page, triggered_by, wants_partial
from clinic.web.htmx import redirect as leave
from clinic.web.panel import author
from clinic.web.responses import private

BUTTONS = {"pick", "new", "forget", "choose", "add", "remove", "propose", "take", "look"}


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: ClinicRequest) -> HttpResponse:
    """Show a row for each of a family, beside the `agendamento` that one of them has already, and book all of them when
    `save` is posted, or none."""
    typed = request.POST if request.method == "POST" else take(request)
    booked = _booked(request, (typed if typed is not None else request.GET).get("agendamento", ""))
    data = pressed(typed, request.clinic) if typed is not None else initial_of(request.GET, request.clinic, booked)
    form = FamilyForm(data, clinic=request.clinic, booked=booked)
    is_sent = request.method == "POST" and "save" in request.POST
    if is_sent and (appointments := form.book(author(request))):
        sentence = ngettext("%(n)s agendamento feito.", "%(n)s agendamentos feitos.", len(appointments))
        messages.success(request, sentence % {"n": len(appointments)})
        day = request.clinic.local(appointments[0].starts_at).date()
        return leave(request, f"{reverse('web:agenda-day', args=[day])}#a{appointments[0].pk}")
    if not is_sent:
        if "propose" in data:
            form.propose()
        form.check()
    context = {"form": form, "here": reverse("web:family-book"), "booked": booked, "focus": _focus(form, data)}
    if is_sent or not wants_partial(request) or BUTTONS & data.keys():
        status = 409 if is_sent else None
        return private(partial_or_page(request, "family/form.html", "form", context, status))
    context["is_searching"] = (triggered_by(request) or "").startswith("q-")
    response = private(render(request, "family/_looked.html", context))
    response["HX-Reswap"] = "none"
    return response


def _booked(request: ClinicRequest, pk: str) -> Appointment | None:
    """Return the clinic's appointment with that id, None for none. Raises Http404 for an unknown one."""
    if not is_short_number(pk):
        return None
    kept = Appointment.objects.of(request.clinic).in_use().select_related("clinic", "doctor", "patient")
    return get_object_or_404(kept, pk=int(pk))


def _focus(form: FamilyForm, data: QueryDict) -> str:
    """Return the id of what has the focus: the sentence that refuses what was asked for, else after Enter the first of
    several who are called so, or the search that found nobody, else the first field to fill in, else the button that
    books."""
    if form.refusals and not {"save", "propose"}.isdisjoint(data):
        return "refusals"
    for member in form.members if "look" in data else ():
        if member.sent("q") and not (member.known or member.is_new):
            return member.named("pick" if member.offered else "q")
    for member in form.members:
        for name in ("name", "birth_date") if member.is_new else ():
            if not member.sent(name):
                return member.named(name)
        if member.is_empty:
            return member.named("q")
    for member in form.members:
        if not member.sent("starts"):
            return "propose"
    return "save"
