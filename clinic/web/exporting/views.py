"""The lists of the screen as files for spreadsheets, for who may export; all who are in a file stand in the access log.
A file is of one instant, whatever is booked while it is written.

The next 48 hours as a file and the PDF of a day are no exports: the desk works from them when the network falls, and on
paper (`web.printed`)."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import export_required
from clinic.transactions import one_snapshot
from clinic.web.exporting.tables import TABLES, Asked, Exported
from clinic.web.patient.views import asks_for_last_search, search_digest, searched
from clinic.web.responses import CSV, XLSX, attachment, private
from clinic.web.spreadsheet_files import csv_of_texts, workbook_of_texts


@require_safe
@never_cache
@export_required
def csv_file(request: ClinicRequest, name: str) -> HttpResponse:
    """Answer a list as CSV, with the filters of its page."""
    with one_snapshot():
        table = _table(request, name)
        if table is None:
            return _other_search(request)
        content = csv_of_texts(table.rows).encode()
    return attachment(HttpResponse(content, content_type=CSV), f"{table.name}.csv")


@require_safe
@never_cache
@export_required
def workbook(request: ClinicRequest, name: str) -> HttpResponse:
    """Answer the same as a workbook."""
    with one_snapshot():
        table = _table(request, name)
        if table is None:
            return _other_search(request)
        content = workbook_of_texts(table.title, table.rows)
    return attachment(HttpResponse(content, content_type=XLSX), f"{table.name}.xlsx")


def _table(request: ClinicRequest, name: str) -> Exported | None:
    """Return the table of that list, None where the last search is not the one whose result is asked for. Raises
    Http404, also for a search of nothing, and PermissionDenied for a list that is for managers alone."""
    listed = TABLES.get(name)
    if listed is None:
        raise Http404
    if listed.for_managers and not request.user.is_manager:
        raise PermissionDenied(_("Esta lista quem exporta é a gestão da clínica."))
    asked = Asked(request.clinic, request.GET, timezone.now(), request.user)
    if not asks_for_last_search(request):
        return listed.table(asked)
    text = searched(request)
    if not text.strip():
        raise Http404
    if request.GET.get("texto") != search_digest(text):
        return None
    return listed.table(asked._replace(searched=text))


def _other_search(request: ClinicRequest) -> HttpResponse:
    sentence = _("A última busca já é outra, talvez em outra janela. Busque de novo e exporte os encontrados.")
    return private(render(request, "409.html", {"sentence": sentence}, status=409))
