"""How appointments ended, counted by status, and the columns that several reports show of it."""

from collections import Counter

from django.utils.translation import gettext as _

from clinic.models.appointment import ATTENDED, Status
from clinic.queries.reports.tables import Column, Unit, Values, percent


class Outcomes(Counter[str]):
    """How many appointments have each status."""

    @property
    def attended(self) -> int:
        return sum(self[status] for status in ATTENDED)

    @property
    def missed(self) -> int:
        return self[Status.NO_SHOW]

    @property
    def cancelled(self) -> int:
        return self[Status.CANCELLED]

    @property
    def missed_rate(self) -> float | None:
        """The part of those who did not come, among the appointments of which it is known."""
        return percent(self.missed, self.missed + self.attended)

    @property
    def cancelled_rate(self) -> float | None:
        return percent(self.cancelled, self.total())

    @property
    def cells(self) -> Values:
        """The values of `outcome_columns`."""
        undecided = self.total() - self.attended - self.missed - self.cancelled
        counts = (self.total(), self.attended, self.missed, self.cancelled, undecided)
        return (*counts, self.missed_rate, self.cancelled_rate)


MISSED_RATE = 6  # the place of the rate of no-shows in a row that begins with its name


def outcome_columns() -> tuple[Column, ...]:
    """Return the columns of `Outcomes.cells`."""
    return (
        Column(
            _("Agendados"),
            Unit.COUNT,
            _("Agendamentos que começam nas datas do período, em qualquer situação; os apagados não contam."),
        ),
        *kept_columns(),
        Column(_("Cancelados"), Unit.COUNT, _("Estão na situação Cancelado.")),
        Column(
            _("Sem desfecho"),
            Unit.COUNT,
            _("Agendado, Confirmado ou Remarcado: ainda vão acontecer, ou ninguém disse como terminaram."),
        ),
        missed_rate_column(),
        Column(_("Taxa de cancelamento"), Unit.PERCENT, _("Cancelados ÷ agendados.")),
    )


def kept_columns() -> tuple[Column, Column]:
    """Return how many visits were kept and missed."""
    return (
        Column(_("Vieram"), Unit.COUNT, _("Estão na situação Check-in, Em atendimento ou Finalizado.")),
        Column(_("Faltas"), Unit.COUNT, _("Estão na situação Faltou.")),
    )


def missed_rate_column() -> Column:
    """Return the rate of no-shows, of the visits that are known to have been kept or missed."""
    return Column(_("Taxa de faltas"), Unit.PERCENT, _("Faltas ÷ (faltas + vieram). Sem nenhum dos dois, um traço."))
