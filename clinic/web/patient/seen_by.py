"""Who saw a patient: the filters, as they stand in the address, and the same rows as files."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.form_fields import ids_in, is_short_number
from clinic.models import Clinic, Patient, StaffUser
from clinic.models.staff import COULD_SIGN_IN
from clinic.queries import accesses
from clinic.queries.accesses import Asked, Position
from clinic.queries.reports import Column, Report, Table, Unit
from clinic.web.audit.forms import Period, period_of
from clinic.web.patient.lookup import patient_or_404
from clinic.web.reading import read_instant
from clinic.web.report.files import csv_of, xlsx_of
from clinic.web.responses import CSV, XLSX, attachment

MAX_EXPORTED = 10_000


@dataclass(frozen=True)
class Filters:
    """What is asked, the dates as typed, the users of the clinic to choose from, and the query that asks the same."""

    asked: Asked
    period: Period
    users: list[StaffUser]
    query: str


def asked_of(data: MultiValueDict[str, str], clinic: Clinic) -> Filters:
    """Return the filters of the address; what it names of another clinic, or wrongly, is none. One query."""
    period = period_of(data, clinic.local(timezone.now()).date())
    users = list(StaffUser.objects.of(clinic).filter(COULD_SIGN_IN).only("name", "username"))
    chosen = [pk for pk in ids_in(data, "quem") if pk in {user.pk for user in users}]
    asked = Asked(
        user=chosen[0] if chosen else None,
        since=clinic.day(period.first)[0] if period.first else None,
        until=clinic.day(period.last)[1] if period.last else None,
    )
    kept = {name: data.get(name, "") for name in ("quem", "de", "ate", "dias")}
    return Filters(asked, period, users, urlencode({name: value for name, value in kept.items() if value}))


def written_position(position: Position) -> str:
    return f"{position.at.isoformat()}~{position.user}~{position.credential}"


def position_of(text: str) -> Position | None:
    """Read the position of a link to older rows; None for anything else."""
    at, _tilde, rest = text.partition("~")
    user, _tilde, credential = rest.partition("~")
    instant = read_instant(at)
    if instant is None or not is_short_number(user) or "\0" in credential:
        return None
    return Position(instant, int(user), credential)


@manager_required
@require_safe
@never_cache
def workbook(request: ClinicRequest, pk: int) -> HttpResponse:
    """Answer the rows of the page, at most MAX_EXPORTED, as a workbook."""
    patient = patient_or_404(request, pk)
    table, today = _table(request, patient), request.clinic.local(timezone.now()).date()
    filters = asked_of(request.GET, request.clinic)
    who = [(_("Quem"), user.name) for user in filters.users if user.pk == filters.asked.user]
    report = Report([table], [_("No máximo as %(n)s linhas mais novas.") % {"n": MAX_EXPORTED}])
    content = xlsx_of(report, patient.display_name, filters.period.first, filters.period.last, who)
    return attachment(HttpResponse(content, content_type=XLSX), f"quem-viu-{pk}-{today}.xlsx")


@manager_required
@require_safe
@never_cache
def table_file(request: ClinicRequest, pk: int) -> HttpResponse:
    """Answer the same as CSV."""
    content, today = csv_of(_table(request, patient_or_404(request, pk))), request.clinic.local(timezone.now()).date()
    return attachment(HttpResponse(content, content_type=CSV), f"quem-viu-{pk}-{today}.csv")


def _table(request: ClinicRequest, patient: Patient) -> Table:
    clinic = request.clinic
    rows, _older = accesses.seen_by(patient, asked_of(request.GET, clinic).asked, limit=MAX_EXPORTED)
    labels = (_("Dia"), _("Das"), _("Às"), _("Quem"), _("Onde"), _("Vezes"))
    columns = tuple(Column(label, Unit.COUNT if label == labels[-1] else Unit.WORDS) for label in labels)
    values = [(f"{row.day:%d/%m/%Y}", *_clocks(row, clinic), row.who, ", ".join(row.places), row.times) for row in rows]
    return Table("quem-viu", _("Quem viu esta ficha"), columns, values)


def _clocks(row: accesses.Seen, clinic: Clinic) -> tuple[str, str]:
    return f"{clinic.local(row.first):%H:%M}", f"{clinic.local(row.last):%H:%M}"
