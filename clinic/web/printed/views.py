"""What the desk prints: a day in lists, the next hours for when the network falls, an appointment for its patient."""

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.continuity_pack import pack
from clinic.form_fields import ids_in
from clinic.queries.printed import Sheet, sheets
from clinic.web.appointment.responses import get_appointment
from clinic.web.htmx import partial_or_page
from clinic.web.printed.list_pdf import MAX_VISITS, list_pdf
from clinic.web.printed.pdf import pdf_file, pdf_response
from clinic.web.reading import read_date
from clinic.web.responses import attachment

CHOSEN = "escolhido"  # sent with the form: without it phones are printed, and notes are not


@never_cache
@require_safe
def day_list(request: ClinicRequest, date: str) -> HttpResponse:
    """Show a local date as lists, one doctor a sheet, with what the form chooses to print."""
    return partial_or_page(request, "printed/list.html", "sheets", _list_context(request, date))


@never_cache
@require_safe
def day_list_pdf(request: ClinicRequest, date: str) -> HttpResponse:
    """Answer the same lists as a PDF; of more than MAX_VISITS lead to the page, which says so."""
    context = _list_context(request, date)
    if context["no_pdf"]:
        return HttpResponseRedirect(f"{reverse('web:printed-day', args=[date])}?{request.GET.urlencode()}")
    chosen = {name: context[name] for name in ("shows_phones", "shows_notes")}
    content = list_pdf(context["sheets"], request.clinic, request.user, **chosen)
    return pdf_file(content, f"agenda-{date}.pdf")


def _list_context(request: ClinicRequest, date: str) -> dict[str, Any]:
    """Return the lists of a local date and what is shown in them. Raises Http404."""
    day = read_date(date)
    if day is None:
        raise Http404
    chosen = CHOSEN in request.GET
    doctors = set(ids_in(request.GET, "medico"))
    since, before = request.clinic.day(day)
    found = sheets(request.clinic, since, before)
    wanted = [sheet for sheet in found if sheet.doctor.pk in doctors or not doctors]
    return {
        "clinic": request.clinic,
        "day": day,
        "sheets": wanted,
        "no_pdf": _why_no_pdf(wanted),
        "doctors": [(sheet.doctor, sheet.doctor.pk in doctors) for sheet in found],
        "shows_phones": "telefone" in request.GET or not chosen,
        "shows_notes": "observacoes" in request.GET,
        "printed_at": timezone.now(),
        "printed_by": request.user,
    }


def _why_no_pdf(wanted: list[Sheet]) -> str:
    """Return the sentence about sheets with more than MAX_VISITS, "" where a PDF takes them."""
    if sum(len(sheet.appointments) for sheet in wanted) <= MAX_VISITS:
        return ""
    return _("Um PDF leva até %(most)s agendamentos. Escolha alguns médicos(as).") % {
        "most": number_format(MAX_VISITS, force_grouping=True)
    }


@never_cache
@require_safe
def slip(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show an appointment as its patient takes it home."""
    return render(request, "printed/slip.html", _slip_context(request, pk))


@never_cache
@require_safe
def slip_pdf(request: ClinicRequest, pk: int) -> HttpResponse:
    """Answer the same as a PDF."""
    return pdf_response("printed/slip_pdf.html", _slip_context(request, pk), f"comprovante-{pk}.pdf")


def _slip_context(request: ClinicRequest, pk: int) -> dict[str, Any]:
    """Raises Http404."""
    appointment = get_appointment(request, pk)
    lines = appointment.lines.select_related("procedure").order_by("position")
    return {"appointment": appointment, "lines": lines, "clinic": request.clinic}


@never_cache
@require_safe
def download_pack(request: ClinicRequest) -> HttpResponse:
    """Answer the next 48 hours as a file that needs no network."""
    now = timezone.now()
    name = f"agenda-{request.clinic.slug}-{request.clinic.local(now):%Y-%m-%d-%H%M}.html"
    return attachment(HttpResponse(pack(request.clinic, now)), name)
