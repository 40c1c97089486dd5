"""Bringing a spreadsheet into the clinic: the file, its columns, the check, the import, taking it back.

For managers. The page itself has the batches worked through, one request each; opened anew it goes on where the run
stands, in whichever browser.
"""

from collections.abc import Callable
from itertools import chain

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import exchange
from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.exchange import ImportRefused
from clinic.models import ImportRun, PatientEvent
from clinic.queries import imports
from clinic.refusals import Refused
from clinic.registry import Author
from clinic.server import uploads
from clinic.web.htmx import partial_or_page, redirect
from clinic.web.importing.context import MAX_MEGABYTES, columns_context, run_context
from clinic.web.importing.forms import ColumnsForm, kind_in
from clinic.web.responses import CSV, attachment, private
from clinic.web.spreadsheet_files import csv_of_texts

SECONDS = 1.0  # of work a request


@require_safe
@never_cache
@manager_required
def index(request: ClinicRequest) -> HttpResponse:
    """Show the form for a file, and the newest runs."""
    return _index(request)


@require_POST
@never_cache
@manager_required
def upload(request: ClinicRequest, ticket: str) -> HttpResponse:
    """Read the posted `file` of a `kind` into a run, and lead to its columns."""
    if not uploads.is_ticket_of(ticket, request.user.pk):
        return _index(request, _("A página ficou aberta tempo demais. Escolha o arquivo de novo."), 422)
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or file.file is None:
        return _index(request, _("Escolha o arquivo da planilha."), 422)
    try:
        kind = kind_in(request.POST)
        run = exchange.stage(file.file, file.name or "", clinic=request.clinic, by=_author(request), kind=kind)
    except ImportRefused as refused:
        return _index(request, str(refused), 422)
    return redirect(request, "web:import-columns", run.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@manager_required
def columns(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show which column is which field; a POST chooses them and has the rows checked."""
    run = _run(request, pk)
    if run.imported_at or request.method != "POST":
        return redirect(request, "web:import", pk) if run.imported_at else _columns(request, run)
    form = ColumnsForm(request.POST, run)
    try:
        exchange.choose_columns(
            pk, form.columns, month_first=form.month_first, overwrites=form.overwrites, clinic=request.clinic
        )
    except (ImportRefused, Refused) as refused:
        run.columns, run.month_first, run.overwrites = form.columns, form.month_first, form.overwrites
        return _columns(request, run, _sentence(refused), 422)
    return redirect(request, "web:import", pk)


@require_safe
@never_cache
@manager_required
def show(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show how far a run is, and its rows: those of a `destino`, `depois` of a line of the file."""
    run = _run(request, pk)
    if run.state == ImportRun.State.READ:
        return redirect(request, "web:import-columns", pk)
    context = {"run": run, "percent": imports.percent_done(run)} if run.is_under_way else run_context(run, request.GET)
    return private(render(request, "importing/show.html", context))


@require_POST
@never_cache
@manager_required
def advance(request: ClinicRequest, pk: int) -> HttpResponse:
    """Work on for a second, and show how far the run is."""
    run = _run(request, pk)
    is_held = False
    try:
        run = exchange.advance(pk, clinic=request.clinic, by=_author(request), seconds=SECONDS)
    except Refused:  # another window works on it, or holds a patient
        is_held = True
    if not run.is_under_way:
        return redirect(request, "web:import", pk)
    context = {"run": run, "percent": imports.percent_done(run), "is_held": is_held}
    return private(partial_or_page(request, "importing/show.html", "progress", context))


@require_POST
@never_cache
@manager_required
def begin(request: ClinicRequest, pk: int) -> HttpResponse:
    """Begin the import."""
    seen = request.POST.get("seen", "")
    return _act(request, pk, lambda: exchange.begin(pk, clinic=request.clinic, by=_author(request), seen=seen))


@require_POST
@never_cache
@manager_required
def take_back(request: ClinicRequest, pk: int) -> HttpResponse:
    """Begin to take the import back."""
    return _act(request, pk, lambda: exchange.take_back(pk, clinic=request.clinic, by=_author(request)))


@require_POST
@never_cache
@manager_required
def discard(request: ClinicRequest, pk: int) -> HttpResponse:
    """Delete a run that was not imported."""
    run = _run(request, pk)
    try:
        exchange.discard(pk, clinic=request.clinic)
    except (ImportRefused, Refused) as refused:
        messages.error(request, _sentence(refused))
        return redirect(request, "web:import", pk)
    messages.success(request, _("A planilha %(file)s foi descartada. Nada mudou.") % {"file": run.file_name})
    return redirect(request, "web:import-list")


@require_safe
@never_cache
@manager_required
def refused_file(request: ClinicRequest, pk: int) -> HttpResponse:
    """Answer the rows that were not imported as CSV, with their sentences, to be corrected and sent again."""
    run = _run(request, pk)
    heading = [*run.headings, _("Linha"), _("Por quê")]
    rows = (
        [*row.cells, *[""] * (len(run.headings) - len(row.cells)), str(row.number), " ".join(row.sentences)]
        for row in imports.refused_rows(run)
    )
    content = csv_of_texts(chain([heading], rows))
    return attachment(HttpResponse(content, content_type=CSV), f"importacao-{run.pk}.csv")


def _run(request: ClinicRequest, pk: int) -> ImportRun:
    run = ImportRun.objects.of(request.clinic).select_related("user").filter(pk=pk).first()
    if run is None:
        raise Http404
    return run


def _index(request: ClinicRequest, sentence: str = "", status: int | None = None) -> HttpResponse:
    context = {
        "runs": imports.imports(request.clinic),
        "ticket": uploads.ticket(request.user.pk),
        "megabytes": MAX_MEGABYTES,
        "kinds": ImportRun.Kind.choices,
        "kind": kind_in(request.POST),
        "sentences": [sentence] if sentence else [],
    }
    return private(render(request, "importing/index.html", context, status=status))


def _columns(request: ClinicRequest, run: ImportRun, sentence: str = "", status: int | None = None) -> HttpResponse:
    return private(render(request, "importing/columns.html", columns_context(run, sentence), status=status))


def _act(request: ClinicRequest, pk: int, act: Callable[[], ImportRun]) -> HttpResponse:
    _run(request, pk)
    try:
        act()
    except (ImportRefused, Refused) as refused:
        messages.error(request, _sentence(refused))
    return redirect(request, "web:import", pk)


def _sentence(refused: ImportRefused | Refused) -> str:
    return str(refused) if isinstance(refused, ImportRefused) else refused.refusals[0].message


def _author(request: ClinicRequest) -> Author:
    return Author(PatientEvent.Channel.BROWSER, user=request.user)
