"""Auditoria: who did what in the clinic, for managers; as a page, and as files.

The list and its filters are drawn by Jinja: hundreds of cells and options, which Django's templates drew for as long as
all the rest of the page took."""

from typing import Any, NamedTuple

from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.models import Clinic, PatientEvent
from clinic.models.appointment import Status
from clinic.queries import audit
from clinic.queries.audit import Choices, Entry, Wanted
from clinic.queries.reports import Column, Report, Table, Unit
from clinic.web import jinja
from clinic.web.audit.forms import LAST_DAYS, Period, period_of, position_of, query_of, wanted_of, written_position
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.report.files import csv_of, xlsx_of
from clinic.web.responses import CSV, XLSX, attachment

MAX_EXPORTED = 10_000


@require_safe
@never_cache
@manager_required
def index(request: ClinicRequest) -> HttpResponse:
    """Show a page of the newest entries that the filters of the address let through; `antes` asks for older ones."""
    choices, period, wanted = _asked(request)
    found, older = audit.entries(wanted, before=position_of(request.GET.get("antes", "")))
    this_year = request.clinic.local(timezone.now()).year
    context = {
        "rows": [_row(entry, request.clinic, this_year) for entry in found],
        "older": query_of(request.GET, antes=written_position(older)) if older else "",
        "everything": reverse("web:audit"),
        "icons": static("icons.svg"),
    }
    page: dict[str, Any] = {"entries": jinja.render("audit/entries.html", context), "has_entries": bool(found)}
    if not wants_partial(request):
        filters = _as_chosen(request, choices, period, wanted)
        page |= {"filters": jinja.render("audit/filters.html", filters), "query": query_of(request.GET)}
    return partial_or_page(request, "audit/index.html", "entries", page)


class Row(NamedTuple):
    """An entry as the page shows it: `at` as ISO 8601 and `when` for people, both in the clinic's time; the `address`
    of what it was done to and the words for `more` rows, "" for none."""

    entry: Entry
    at: str
    when: str
    address: str
    more: str


def _row(entry: Entry, clinic: Clinic, this_year: int) -> Row:
    local, n = clinic.local(entry.at), len(entry.rows)
    return Row(
        entry,
        local.isoformat(),
        f"{local:%d/%m %H:%M}" if local.year == this_year else f"{local:%d/%m/%Y %H:%M}",
        reverse(entry.page[0], args=[entry.page[1]]) if entry.page else "",
        ngettext("e mais %(n)s linha", "e mais %(n)s linhas", n) % {"n": n} if n else "",
    )


def _as_chosen(request: ClinicRequest, choices: Choices, period: Period, wanted: Wanted) -> dict[str, Any]:
    """Return what the filters offer, and what of it the address of the page has chosen."""
    return {
        "form": period.form,
        "wanted": wanted,
        "choices": choices,
        "kinds": audit.kinds(),
        "statuses": Status.choices,
        "channels": PatientEvent.Channel.choices,
        "presets": [
            (label, query_of(request.GET, dias=days, de="", ate=""), days == period.days and not _has_dates(period))
            for days, label in LAST_DAYS
        ],
        "days": period.days,
        "cancelled_last_week": f"{reverse('web:audit')}?situacao=cancelled&dias=7",
    }


@require_safe
@never_cache
@manager_required
def workbook(request: ClinicRequest) -> HttpResponse:
    """Answer the newest MAX_EXPORTED entries of the page's filters as a workbook."""
    choices, period, wanted = _asked(request)
    table, today = _table(wanted), request.clinic.local(timezone.now()).date()
    report = Report([table], [_("No máximo as %(n)s linhas mais novas.") % {"n": MAX_EXPORTED}])
    content = xlsx_of(report, _("Auditoria"), period.first, period.last, _filters(wanted, choices))
    return attachment(HttpResponse(content, content_type=XLSX), f"auditoria-{today}.xlsx")


@require_safe
@never_cache
@manager_required
def table_file(request: ClinicRequest) -> HttpResponse:
    """Answer the newest MAX_EXPORTED entries of the page's filters as CSV."""
    _choices, _period, wanted = _asked(request)
    response = HttpResponse(csv_of(_table(wanted)), content_type=CSV)
    return attachment(response, f"auditoria-{request.clinic.local(timezone.now()).date()}.csv")


def _asked(request: ClinicRequest) -> tuple[Choices, Period, Wanted]:
    choices = audit.choices_of(request.clinic)
    period = period_of(request.GET, request.clinic.local(timezone.now()).date())
    return choices, period, wanted_of(request.GET, request.clinic, choices, period)


def _filters(wanted: Wanted, choices: Choices) -> list[tuple[str, str]]:
    """Return what narrows the list beside its dates, as label and name."""
    kinds = {value: name for _label, group in audit.kinds() for value, name in group}
    chosen = [
        (_("Tipo"), kinds.get(wanted.kind)),
        (_("Situação"), dict(Status.choices).get(wanted.status)),
        (_("Médico(a)"), choices.doctors[wanted.doctor] if wanted.doctor else ""),
        (_("Quem"), choices.users[wanted.user] if wanted.user else wanted.credential),
        (_("Via"), dict(PatientEvent.Channel.choices).get(wanted.channel)),
    ]
    return [(label, str(name)) for label, name in chosen if name]


def _has_dates(period: Period) -> bool:
    return not period.days and bool(period.first or period.last)


def _table(wanted: Wanted) -> Table:
    labels = (_("Data e hora"), _("Tipo"), _("O quê"), _("De → para"), _("Quem"), _("Via"), _("Pedido"))
    columns = tuple(Column(label, Unit.WORDS) for label in labels)
    found, _older = audit.entries(wanted, limit=MAX_EXPORTED)
    return Table("auditoria", _("Auditoria"), columns, [_as_row(entry, wanted) for entry in found])


def _as_row(entry: Entry, wanted: Wanted) -> tuple[str, ...]:
    at = f"{wanted.clinic.local(entry.at):%d/%m/%Y %H:%M:%S}"
    return at, entry.kind, entry.about, audit.as_text(entry), entry.who, entry.channel, entry.request_id
