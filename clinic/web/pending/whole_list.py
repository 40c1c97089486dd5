"""Many pending appointments, moved to the times that are proposed for them by one act of the user."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.form_fields import ids_in
from clinic.models import Appointment
from clinic.refusals import Refused
from clinic.web.booking_panel.finder_fields import read_time_value
from clinic.web.panel import author
from clinic.web.pending.context import Board, Row
from clinic.web.responses import private

MAX_AT_ONCE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def whole_list(request: ClinicRequest) -> HttpResponse:
    """Show the pending appointments whose ids are in `linha`, a proposed time for each; move them when it is posted.

    Each is moved on its own, as by the button of its row: what is refused meanwhile stays pending, the others do not.
    """
    if request.method == "POST":
        return _move(request)
    ids = ids_in(request.GET, "linha")
    rows = _rows(request, ids)
    if not rows:
        messages.info(request, _("Nenhum deles tem horário proposto agora."))
        return redirect("web:pending-list")
    context = {"rows": rows, "limit": MAX_AT_ONCE if len(ids) > MAX_AT_ONCE else None}
    return private(render(request, "pending/whole_list.html", context))


def _rows(request: ClinicRequest, ids: list[int]) -> list[Row]:
    """Return those of these that are pending and have a time proposed, of at most MAX_AT_ONCE."""
    board = Board(request.clinic, timezone.now())
    found = [row for row in board.found if row.pk in ids][:MAX_AT_ONCE]
    return [row for row in board.rows(found) if row.proposals]


def _move(request: ClinicRequest) -> HttpResponse:
    ids = ids_in(request.POST, "linha")[:MAX_AT_ONCE]
    refused = [pk for pk in ids if not _is_moved(request, pk, request.POST)]
    moved = len(ids) - len(refused)
    if moved:
        words = ngettext(
            "%(n)s remarcado. Avise a pessoa: a mensagem está em “resolvidos hoje”.",
            "%(n)s remarcados. Avise cada pessoa: a mensagem está em “resolvidos hoje”.",
            moved,
        )
        messages.success(request, words % {"n": moved})
    if refused:
        _say_what_became_of(request, refused)
    if not ids:
        messages.info(request, _("Nada foi remarcado: ninguém estava escolhido."))
    return redirect(reverse("web:pending-list", query={"resolvidos": "1"} if moved else None))


def _say_what_became_of(request: ClinicRequest, refused: list[int]) -> None:
    still = {row.pk for row in Board(request.clinic, timezone.now()).found}
    pending = len(still.intersection(refused))
    settled = len(refused) - pending
    if settled:
        words = ngettext(
            "%(n)s já não estava pendente: ficou como estava.",
            "%(n)s já não estavam pendentes: ficaram como estavam.",
            settled,
        )
        messages.info(request, words % {"n": settled})
    if pending:
        words = ngettext(
            "%(n)s não pôde ser remarcado: mudou ou o horário foi ocupado neste meio tempo. Continua abaixo.",
            "%(n)s não puderam ser remarcados: mudaram ou o horário foi ocupado neste meio tempo. Continuam abaixo.",
            pending,
        )
        messages.error(request, words % {"n": pending})


def _is_moved(request: ClinicRequest, pk: int, posted: QueryDict) -> bool:
    """Move the appointment to the posted time if it is still at the posted place; return whether it was."""
    doctor, starts_at = read_time_value(posted.get(f"to-{pk}", ""))
    seen = posted.get(f"place-{pk}", "")
    try:
        booking.reschedule(pk, clinic=request.clinic, doctor=doctor, starts_at=starts_at, seen=seen, by=author(request))
    except (Refused, Appointment.DoesNotExist):
        return False
    return True
