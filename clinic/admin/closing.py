"""Ask for confirmation before time is closed in which appointments lie.

Nothing is cancelled: people call the patients, and move or cancel the appointments one by one.
"""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.admin.forms import ConstraintMessagesForm
from clinic.models import Clinic
from clinic.models.appointment import AppointmentQuerySet
from clinic.queries.appointments import lying_in
from clinic.schedule import Span

MAX_LISTED = 20


class AffectedAppointments:
    """The future appointments in the time about to be closed. Two queries."""

    def __init__(self, appointments: AppointmentQuerySet) -> None:
        self.count = appointments.count()
        self.first = list(appointments.select_related("patient")[:MAX_LISTED])
        self.more = self.count - len(self.first)

    @property
    def asked(self) -> str:
        """Sent along with the answer: with another number or other first appointments, the question is asked again."""
        return f"{self.count}-{'-'.join(str(appointment.pk) for appointment in self.first)}"

    @property
    def numbers(self) -> str:
        return ngettext(
            "%(n)s agendamento cai em horário que vai fechar",
            "%(n)s agendamentos caem em horário que vai fechar",
            self.count,
        ) % {"n": self.count}


class ClosingForm(ConstraintMessagesForm):
    """A form that may close time. Its `clean` calls `ask_about` with the spans that it closes."""

    affected: AffectedAppointments | None = None
    is_confirmed = False

    def ask_about(
        self, clinic: Clinic, spans: Iterable[Span], field: str | None, *, closed_before: Iterable[Span] = ()
    ) -> None:
        """Refuse the form, at this field, until the box beside the list of patients is checked."""
        affected = AffectedAppointments(lying_in(clinic, spans, now=timezone.now(), besides=closed_before))
        self.affected = affected if affected.count else None
        self.is_confirmed = self.data.get("close_over") == affected.asked
        if self.affected and not self.is_confirmed:
            self.add_error(field, _("%(numbers)s. Confira a lista no alto e confirme.") % {"numbers": affected.numbers})
