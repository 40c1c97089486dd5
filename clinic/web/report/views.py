"""Reports, for managers and receptionists with the permission: a page each, and the same numbers as files."""

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import export_required, reports_required
from clinic.models import Doctor, Procedure
from clinic.queries.reports import REPORTS, Overview, Report, ReportKind, Table, TooLongError, Values, Wanted, overview
from clinic.web import jinja
from clinic.web.report.chart import chart_of
from clinic.web.report.files import csv_of, xlsx_of
from clinic.web.report.forms import Asked, Preset, chosen, dates_of
from clinic.web.report.words import Writer
from clinic.web.responses import CSV, XLSX, attachment

SHADES = (0, 20, 40, 60, 80)  # percent from which a cell of a heat table has the next shade


@require_safe
@never_cache
@reports_required
def index(request: ClinicRequest) -> HttpResponse:
    """Show all reports, with figures of this month where one query gives them."""
    first, last = dates_of(Preset.THIS_MONTH, request.clinic.local(timezone.now()).date())
    figures = overview(Wanted(request.clinic, first, last, {}, {}))
    writer = Writer(request.clinic)
    kinds = [(kind, _figure(kind, figures, writer)) for kind in REPORTS.values()]
    return render(request, "report/index.html", {"kinds": kinds, "figures": figures, "month": first})


def _figure(kind: ReportKind, figures: Overview, writer: Writer) -> str:
    """Return the figure of a report for the list, "" for none."""
    if kind.name == "faltas" and figures.missed_rate is not None:
        return _("%(rate)s de faltas") % {"rate": writer.percentage(figures.missed_rate)}
    if kind.name == "origem" and figures.by_programs is not None:
        return _("%(part)s por programas") % {"part": writer.percentage(figures.by_programs)}
    if kind.name == "encaixes" and figures.encaixes:
        return ngettext("%(n)s encaixe", "%(n)s encaixes", figures.encaixes) % {"n": figures.encaixes}
    return ""


@require_safe
@never_cache
@reports_required
def show(request: ClinicRequest, name: str) -> HttpResponse:
    """Show a report over the dates `de` to `ate`, or a `periodo`; of a `medico` and a `procedimento`, if chosen."""
    kind = _kind(name)
    asked, wanted = _asked(request, kind)
    report, wanted = _read(kind, asked, wanted)
    query = _query(wanted, de=f"{wanted.first}", ate=f"{wanted.last}")
    writer = Writer(request.clinic)
    exported = query if request.user.exports else None
    context = {
        "kind": kind,
        "list": reverse("web:report-list"),
        "workbook": _address(exported, "web:report-workbook", kind.name),
        "presets": [(preset.label, _query(wanted, periodo=preset.value), preset is asked.preset) for preset in Preset],
        "form": asked.form,
        "wanted": wanted,
        "doctors": [(pk, doctor.full_name) for pk, doctor in wanted.doctors.items()],
        "procedures": [(pk, procedure.name) for pk, procedure in wanted.procedures.items()],
        "period": _("De %(first)s a %(last)s") % {"first": _written(wanted.first), "last": _written(wanted.last)},
        "filters": _filters(wanted),
        "notes": report.notes,
        "sections": [
            _section(table, writer, _address(exported, "web:report-table", kind.name, table.name))
            for table in report.tables
            if table.rows
        ],
        "icons": static("icons.svg"),
        "definitions": _definitions(report),
    }
    drawn = jinja.render("report/report.html", context)
    return render(request, "report/report.html", {"title": kind.title, "report": drawn})


def _written(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _address(query: str | None, route: str, *names: str) -> str:
    """Return the address of a file with the query of the page; "" without one, for who may not export."""
    return "" if query is None else f"{reverse(route, args=names)}?{query}"


@require_safe
@never_cache
@reports_required
@export_required
def workbook(request: ClinicRequest, name: str) -> HttpResponse:
    """Answer a report as a workbook, with the query of its page; that page where the dates are wrong."""
    kind = _kind(name)
    asked, wanted = _asked(request, kind)
    if asked.form.errors:
        return _to_page(request, kind)
    try:
        report = kind.read(wanted)
    except TooLongError:
        return _too_long(request, kind)
    content = xlsx_of(report, str(kind.title), wanted.first, wanted.last, _filters(wanted))
    return attachment(HttpResponse(content, content_type=XLSX), f"{kind.name}-{_suffix(wanted)}.xlsx")


@require_safe
@never_cache
@reports_required
@export_required
def table_file(request: ClinicRequest, name: str, table: str) -> HttpResponse:
    """Answer one table of a report as CSV, with the query of its page; that page where the dates are wrong."""
    kind = _kind(name)
    asked, wanted = _asked(request, kind)
    if asked.form.errors:
        return _to_page(request, kind)
    try:
        report = kind.read(wanted)
    except TooLongError:
        return _too_long(request, kind)
    found = next((each for each in report.tables if each.name == table), None)
    if found is None:
        raise Http404
    response = HttpResponse(csv_of(found), content_type=CSV)
    return attachment(response, f"{kind.name}-{found.name}-{_suffix(wanted)}.csv")


def _read(kind: ReportKind, asked: Asked, wanted: Wanted) -> tuple[Report, Wanted]:
    """Return the report, and what it is of: this month where the period has too much to count, about which the form
    then complains."""
    try:
        return kind.read(wanted), wanted
    except TooLongError:
        asked.form.add_error("ate", _sentence_too_long())
        first, last = dates_of(Preset.THIS_MONTH, wanted.clinic.local(timezone.now()).date())
        wanted = replace(wanted, first=first, last=last)
        return kind.read(wanted), wanted


def _sentence_too_long() -> str:
    return _("Há agendamentos demais nestas datas para contá-los. Escolha um período mais curto.")


def _too_long(request: ClinicRequest, kind: ReportKind) -> HttpResponse:
    """Lead to the report of this month, with a sentence: the page of the period would be as long to count."""
    messages.error(request, _sentence_too_long())
    return HttpResponseRedirect(reverse("web:report", args=[kind.name]))


def _to_page(request: ClinicRequest, kind: ReportKind) -> HttpResponse:
    """Lead to the page of the report, which names what is wrong with the dates."""
    return HttpResponseRedirect(f"{reverse('web:report', args=[kind.name])}?{request.GET.urlencode()}")


def _filters(wanted: Wanted) -> list[tuple[str, str]]:
    """Return the chosen doctor and procedure, (label, name)."""
    doctor = [(_("Médico(a)"), wanted.chosen_doctor.full_name)] if wanted.chosen_doctor else []
    return doctor + ([(_("Procedimento"), wanted.chosen_procedure.name)] if wanted.chosen_procedure else [])


def _suffix(wanted: Wanted) -> str:
    """Return the dates and the filters as they end the name of a file."""
    names = (slugify(name) for _label, name in _filters(wanted))
    return "-".join([f"{wanted.first}-{wanted.last}", *filter(None, names)])


def _kind(name: str) -> ReportKind:
    if name not in REPORTS:
        raise Http404
    return REPORTS[name]


def _asked(request: ClinicRequest, kind: ReportKind) -> tuple[Asked, Wanted]:
    """Return what the address asks. Two queries, one of a report that no procedure can be chosen for."""
    asked = Asked(request.GET, request.clinic.local(timezone.now()).date())
    doctors = {doctor.pk: doctor for doctor in Doctor.objects.of(request.clinic).only("title", "name", "active")}
    procedures = {}
    if kind.by_procedure:
        procedures = {procedure.pk: procedure for procedure in Procedure.objects.of(request.clinic).only("name")}
    wanted = Wanted(
        request.clinic,
        asked.first,
        asked.last,
        doctors,
        procedures,
        chosen(request.GET, "medico", doctors),
        chosen(request.GET, "procedimento", procedures),
    )
    return asked, wanted


def _query(wanted: Wanted, **dates: str) -> str:
    """Return the query of an address with these dates and the filters as they are."""
    filters = {"medico": wanted.doctor, "procedimento": wanted.procedure}
    return urlencode(dates | {name: str(pk) for name, pk in filters.items() if pk is not None})


def _section(table: Table, writer: Writer, file: str) -> dict[str, Any]:
    """Return a table with its values as they are written, a row as its name and its cells (text, shade); `file` is the
    address of the same as CSV, "" where it is not for the user."""
    units = [column.unit for column in table.columns]

    def cells(row: Values) -> tuple[str, list[tuple[str, int]]]:
        name, *texts = (writer.written(value, unit) for value, unit in zip(row, units, strict=True))
        shades = [_shade(value) if table.is_heat else 0 for value in row[1:]]
        return name, list(zip(texts, shades, strict=True))

    return {
        "table": table,
        "file": file,
        "chart": chart_of(table, writer),
        "rows": [cells(row) for row in table.rows],
        "total": cells(table.total) if table.total and len(table.rows) > 1 else None,
    }


def _definitions(report: Report) -> list[tuple[str, str]]:
    """Return what every number means, (label, definition), each once."""
    columns = (column for table in report.tables for column in table.columns if column.definition)
    return list(dict.fromkeys((column.label, column.definition) for column in columns))


def _shade(value: Any) -> int:
    return 0 if value is None else sum(value > least for least in SHADES)
