"""Reports for managers: each a file with its statements, its definitions and its tables. Reads only.

All rows are aggregated by PostgreSQL, so that a report over ten years takes no more memory than one over a week. What a
number means stands in the definition of its column, which page, chart and exports have from the same place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from clinic.queries.reports.confirmations import confirmations
from clinic.queries.reports.encaixes import encaixes
from clinic.queries.reports.missed import missed
from clinic.queries.reports.occupancy import occupancy
from clinic.queries.reports.overview import Overview, overview
from clinic.queries.reports.revenue import revenue
from clinic.queries.reports.sources import sources
from clinic.queries.reports.tables import Column, Report, Table, Unit, Value, Values
from clinic.queries.reports.waits import waits
from clinic.queries.reports.wanted import TooLongError, Wanted, is_always_fast

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

__all__ = [
    "Column",
    "Overview",
    "REPORTS",
    "Report",
    "ReportKind",
    "Table",
    "TooLongError",
    "Unit",
    "Value",
    "Values",
    "Wanted",
    "is_always_fast",
    "overview",
]


@dataclass(frozen=True)
class ReportKind:
    """A report by the name in its address: what it is called, what it answers, and how it is read.

    `by_procedure` says whether a procedure can be chosen for it."""

    name: str
    title: "StrPromise"
    question: "StrPromise"
    read: Callable[[Wanted], Report]
    by_procedure: bool = True


REPORTS = {
    kind.name: kind
    for kind in (
        ReportKind(
            "ocupacao",
            _("Ocupação"),
            _("Quanto do tempo de trabalho está ocupado, por médico(a), dia da semana e hora."),
            occupancy,
            by_procedure=False,
        ),
        ReportKind(
            "faltas",
            _("Faltas e cancelamentos"),
            _("Quem faltou, quem cancelou e quanto antes, por médico(a), origem e mês."),
            missed,
        ),
        ReportKind(
            "origem", _("Origem"), _("De onde vêm os agendamentos, e o que cada robô ou programa fez."), sources
        ),
        ReportKind(
            "espera",
            _("Espera e atraso"),
            _("Quanto os pacientes esperam depois do check-in, e quanto as visitas atrasam."),
            waits,
        ),
        ReportKind(
            "receita",
            _("Receita"),
            _("O que foi agendado, o que veio e o que se perdeu, com os descontos e quem os deu."),
            revenue,
        ),
        ReportKind("encaixes", _("Encaixes"), _("De quem, por quem, e com a aprovação de quem."), encaixes),
        ReportKind(
            "confirmacoes",
            _("Confirmações"),
            _("O que as ligações deram, e se quem confirma vem mais do que quem não confirma."),
            confirmations,
        ),
    )
}
