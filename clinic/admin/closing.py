"""Asking before time is closed in which appointments lie: who, and when.

Nothing is cancelled by it: people call the patients, and move or cancel one by one.
"""

from collections.abc import Iterable

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.admin.forms import SentencesForm
from clinic.models import Clinic
from clinic.models.appointment import AppointmentQuerySet
from clinic.queries.appointments import lying_in
from clinic.schedule import Span

MOST_NAMED = 20


class Lying:
    """The appointments ahead in time about to be closed. Two queries."""

    def __init__(self, appointments: AppointmentQuerySet):
        self.count = appointments.count()
        self.first = list(appointments.select_related("patient")[:MOST_NAMED])
        self.more = self.count - len(self.first)

    @property
    def asked(self) -> str:
        """What is sent along with the answer: another number, or other ones first, are asked about again."""
        return f"{self.count}-{'-'.join(str(each.pk) for each in self.first)}"

    @property
    def numbers(self) -> str:
        return ngettext(
            "%(n)s agendamento cai em horário que vai fechar",
            "%(n)s agendamentos caem em horário que vai fechar",
            self.count,
        ) % {"n": self.count}


class ClosingForm(SentencesForm):
    """A form that may close time. Its `clean` calls `ask_about` with what it closes."""

    lying = None
    is_confirmed = False

    def ask_about(
        self, clinic: Clinic, spans: Iterable[Span], field: str, *, closed_before: Iterable[Span] = ()
    ) -> None:
        """Refuse, at that field, until the box beside the names is checked."""
        lying = Lying(lying_in(clinic, spans, now=timezone.now(), besides=closed_before))
        self.lying = lying if lying.count else None
        self.is_confirmed = self.data.get("close_over") == lying.asked
        if self.lying and not self.is_confirmed:
            self.add_error(field, _("%(numbers)s. Confira a lista no alto e confirme.") % {"numbers": lying.numbers})
