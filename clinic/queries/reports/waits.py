"""How long patients waited, and how late visits began. Reads only."""

from typing import Any

from django.utils.translation import gettext as _

from clinic.queries.reports.tables import Column, Report, Table, Unit, Values
from clinic.queries.reports.wanted import Wanted
from clinic.queries.visit_moments import BEGUN_SQL

WAITS_SQL = f"""
    {BEGUN_SQL}
    SELECT doctor, count(*), count(waited),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY waited), max(waited),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY late), max(late)
    FROM begun GROUP BY GROUPING SETS ((doctor), ())
"""  # noqa: S608 - no input in it
MEDIAN_WAIT = 3


def waits(wanted: Wanted) -> Report:
    """Return the report. One query."""
    found = {row[0]: _values(*row[1:]) for row in wanted.fetch(WAITS_SQL)}
    rows = [(each.full_name, *found[pk]) for pk, each in wanted.doctors.items() if pk in found]
    total = (_("Todos"), *found[None]) if rows else None
    table = Table("medicos", _("Por médico(a)"), _columns(), rows, total, charted=MEDIAN_WAIT)
    return Report([table])


def _values(visits: int, waited: int, waits: Any, longest: int | None, delays: Any, latest: int | None) -> Values:
    return (visits, waited, *_rounded(waits), longest, *_rounded(delays), latest)


def _rounded(percentiles: list[float] | None) -> tuple[float | None, float | None]:
    half, ninety = percentiles or (None, None)
    return (None if half is None else round(half, 1), None if ninety is None else round(ninety, 1))


def _columns() -> tuple[Column, ...]:
    minutes = Unit.MINUTES
    return (
        Column(_("Médico(a)"), Unit.WORDS),
        Column(
            _("Visitas"),
            Unit.COUNT,
            _("Agendamentos do período em atendimento ou finalizados, cujo início foi anotado no próprio dia."),
        ),
        Column(_("Com check-in"), Unit.COUNT, _("Visitas com um check-in antes do início: só estas têm espera.")),
        Column(
            _("Espera: mediana"),
            minutes,
            _("Do check-in ao início do atendimento, em minutos completos: metade esperou no máximo isto."),
        ),
        Column(
            _("Espera: 9 em 10"), minutes, _("Nove em cada dez esperaram no máximo isto (percentil 90, interpolado).")
        ),
        Column(_("Espera: maior"), minutes, _("A espera mais longa.")),
        Column(
            _("Atraso: mediana"),
            minutes,
            _("Da hora do agendamento ao início, em minutos completos; quem começou antes conta como 0."),
        ),
        Column(_("Atraso: 9 em 10"), minutes, _("Nove em cada dez começaram com no máximo este atraso.")),
        Column(_("Atraso: maior"), minutes, _("O maior atraso.")),
    )
