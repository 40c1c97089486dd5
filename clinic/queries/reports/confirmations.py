"""What came of the calls before a day, and whether who has confirmed comes. Reads only."""

from collections import Counter, defaultdict

from django.utils.translation import gettext as _

from clinic.models.appointment import ATTENDED, EXPECTED, Status, in_sql
from clinic.queries.reports.outcomes import Outcomes, kept_columns, missed_rate_column
from clinic.queries.reports.sources import Program, program_name
from clinic.queries.reports.tables import Column, Report, Table, Unit, percent
from clinic.queries.reports.wanted import Wanted

RESULTS = ["confirmed", "cancelled", "not_reached", "call_later"]
# What is taken back has an event of its own, which is no result.
CALLS_SQL = f"""
    WITH counted AS (
        SELECT event.door, CASE WHEN event.door = 'imagemais' THEN '' ELSE event.credential END AS credential,
            event.user_id AS person,
            CASE WHEN event.kind = 'status_changed' THEN event.after ->> 'status' ELSE event.kind END AS result,
            count(*) AS times
        FROM clinic_appointmentevent AS event
        WHERE {{events}} AND (
            event.kind IN ('not_reached', 'call_later') AND NOT event.after ? 'undo'
            OR event.kind = 'status_changed' AND NOT event.after ? 'undo'
              AND event.before ->> 'status' IN ({in_sql(EXPECTED)})
              AND (
                  event.after ->> 'status' = 'confirmed'
                  OR event.after ->> 'status' = 'cancelled' AND event.after ->> 'cancelled_by' = 'patient'
              )
        )
        GROUP BY 1, 2, 3, 4
    )
    SELECT counted.door, coalesce(nullif(counted.credential, ''), who.name, ''), counted.result, counted.times
    FROM counted LEFT JOIN clinic_staffuser AS who ON who.id = counted.person
"""  # noqa: S608 - only statuses are inserted
# A visit counts as confirmed if Confirmado is what it was when its patient came, or was marked as missing:
# the last time, since an arrival may have been taken back.
# Event by event of each visit: nothing tells PostgreSQL that the events of a month's visits are few among all arrivals.
KEPT_SQL = f"""
    SELECT decided.was = 'confirmed', visit.status, count(*)
    FROM clinic_appointment AS visit
    CROSS JOIN LATERAL (
        SELECT event.before ->> 'status' AS was FROM clinic_appointmentevent AS event
        WHERE event.appointment_id = visit.id
          AND event.kind = 'status_changed' AND event.after ->> 'status' IN ('checked_in', 'no_show')
          AND event.before ->> 'status' IN ({in_sql(EXPECTED)})
        ORDER BY event.at DESC, event.id DESC LIMIT 1
    ) AS decided
    WHERE {{visits}} AND visit.status IN ({in_sql((*ATTENDED, Status.NO_SHOW))})
    GROUP BY 1, 2
"""  # noqa: S608 - only statuses are inserted


def confirmations(wanted: Wanted) -> Report:
    """Return the report. Two queries."""
    results: dict[Program, Counter[str]] = defaultdict(Counter)
    for channel, name, result, times in wanted.fetch(CALLS_SQL):
        results[channel, name][result] += times
    kept: dict[bool, Outcomes] = defaultdict(Outcomes)
    for confirmed, status, times in wanted.fetch(KEPT_SQL):
        kept[confirmed][status] += times
    return Report([_results(results), _kept(kept)])


def _results(results: dict[Program, Counter[str]]) -> Table:
    columns = (
        Column(_("Quem"), Unit.WORDS, _("O usuário; de um programa, a chave, ou quem liberou o token.")),
        Column(
            _("Ligações"),
            Unit.COUNT,
            _("A soma dos quatro resultados, anotados nas datas do período em qualquer página."),
        ),
        Column(_("Confirmou"), Unit.COUNT, _("Passou a Confirmado; o que foi desfeito na hora ainda conta.")),
        Column(_("Cancelou"), Unit.COUNT, _("Cancelado pelo paciente antes do check-in.")),
        Column(_("Não atendeu"), Unit.COUNT, _("Anotado como “não atende”, cada vez; o que foi desfeito ainda conta.")),
        Column(
            _("Ligar depois"),
            Unit.COUNT,
            _("Anotado com uma hora para ligar de novo, cada vez; o que foi desfeito ainda conta."),
        ),
        Column(_("Parte confirmada"), Unit.PERCENT, _("Confirmou ÷ ligações.")),
    )
    total: Counter[str] = Counter()
    for counts in results.values():
        total += counts
    rows = [(_who(who), *_values(results[who])) for who in sorted(results, key=lambda who: (who[0] != "browser", who))]
    return Table("ligacoes", _("Resultado das ligações"), columns, rows, (_("Total"), *_values(total)), charted=1)


def _who(who: Program) -> str:
    channel, name = who
    return name if channel == "browser" else program_name(who)


def _values(results: Counter[str]) -> tuple[int | float | None, ...]:
    calls = results.total()
    return calls, *(results[result] for result in RESULTS), percent(results["confirmed"], calls)


def _kept(kept: dict[bool, Outcomes]) -> Table:
    columns = (
        Column(
            _("Antes da visita"),
            Unit.WORDS,
            _("A situação que o agendamento tinha quando o paciente chegou ou foi dado como ausente."),
        ),
        Column(_("Visitas"), Unit.COUNT, _("Agendamentos do período em que isso foi anotado.")),
        *kept_columns(),
        missed_rate_column(),
    )
    words = {True: _("Confirmado"), False: _("Não confirmado")}
    rows = [(label, *_kept_values(kept[confirmed])) for confirmed, label in words.items() if confirmed in kept]
    total = Outcomes()
    for outcomes in kept.values():
        total += outcomes
    return Table("faltas", _("Faltas de quem confirmou"), columns, rows, (_("Total"), *_kept_values(total)), charted=4)


def _kept_values(outcomes: Outcomes) -> tuple[int | float | None, ...]:
    return outcomes.total(), outcomes.attended, outcomes.missed, outcomes.missed_rate
