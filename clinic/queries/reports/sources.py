"""Where appointments come from, and what each program did. Reads only."""

from collections import Counter, defaultdict
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Appointment, AppointmentEvent
from clinic.queries.reports.missed import outcome_table
from clinic.queries.reports.outcomes import Outcomes
from clinic.queries.reports.tables import Column, Report, Table, Unit, Values
from clinic.queries.reports.wanted import Wanted

SOURCES_SQL = """
    SELECT visit.source, visit.status, count(*)
    FROM clinic_appointment AS visit WHERE {visits} GROUP BY 1, 2
"""
# A token of ImageMais lives an hour: what counts is the user who released it. A key and a command have a name.
# What the desk books names its user and has its source, so that its events are not looked up.
PROGRAMS_SQL = """
    WITH counted AS (
        SELECT event.door, CASE WHEN event.door = 'imagemais' THEN '' ELSE event.credential END AS credential,
            CASE WHEN event.door = 'imagemais' THEN event.user_id END AS released_by, visit.status, count(*) AS times
        FROM clinic_appointment AS visit
        JOIN clinic_appointmentevent AS event
          ON event.appointment_id = visit.id AND event.kind = 'booked' AND event.door <> 'browser'
        WHERE {visits} AND (visit.created_by_id IS NULL OR visit.source <> 'manual')
        GROUP BY 1, 2, 3, 4
    )
    SELECT counted.door, coalesce(nullif(counted.credential, ''), person.name, ''), counted.status, counted.times
    FROM counted LEFT JOIN clinic_staffuser AS person ON person.id = counted.released_by
"""
ACTS_SQL = """
    WITH counted AS (
        SELECT event.door, CASE WHEN event.door = 'imagemais' THEN '' ELSE event.credential END AS credential,
            CASE WHEN event.door = 'imagemais' THEN event.user_id END AS released_by,
            CASE WHEN event.kind <> 'status_changed' THEN event.kind
                ELSE event.kind || ' ' || (event.after ->> 'status') END AS act,
            count(*) AS times
        FROM clinic_appointmentevent AS event
        WHERE {events} AND event.door <> 'browser'
        GROUP BY 1, 2, 3, 4
    )
    SELECT counted.door, coalesce(nullif(counted.credential, ''), person.name, ''), counted.act, counted.times
    FROM counted LEFT JOIN clinic_staffuser AS person ON person.id = counted.released_by
"""
type Program = tuple[str, str]  # the channel, and the name of the key or command, or of the user who released tokens
COUNTED_ACTS = ["booked", "rescheduled", "status_changed cancelled", "status_changed confirmed"]


def sources(wanted: Wanted) -> Report:
    """Return the report. Three queries."""
    by_source: dict[str, Outcomes] = defaultdict(Outcomes)
    for source, status, times in wanted.fetch(SOURCES_SQL):
        by_source[source][status] += times
    by_program: dict[Program, Outcomes] = defaultdict(Outcomes)
    for channel, name, status, times in wanted.fetch(PROGRAMS_SQL):
        by_program[channel, name][status] += times
    acts: dict[Program, Counter[str]] = defaultdict(Counter)
    for channel, name, act, times in wanted.fetch(ACTS_SQL):
        acts[channel, name][act] += times
    labels: dict[str, Any] = dict(Appointment.Source.choices)
    return Report(
        (
            outcome_table(
                "origens",
                _("Por origem"),
                Column(_("Origem"), Unit.WORDS, _("A origem com que o agendamento foi feito.")),
                [(str(label), by_source[source]) for source, label in labels.items() if source in by_source],
                charted=1,
            ),
            outcome_table(
                "programas",
                _("O que os programas agendaram"),
                Column(
                    _("Programa"),
                    Unit.WORDS,
                    _("A chave ou o comando que agendou; da API ImageMais, quem liberou o token."),
                ),
                [(program_name(program), by_program[program]) for program in sorted(by_program)],
            ),
            _acts(acts),
        ),
        [_("O que a agenda recusou a um programa não fica registrado, e por isso não aparece aqui.")],
    )


def program_name(program: Program) -> str:
    """Return what a program is called: the channel, and its name."""
    labels: dict[str, Any] = dict(AppointmentEvent.Channel.choices)
    channel, name = program
    return f"{labels[channel]} · {name}" if name else str(labels[channel])


def _acts(acts: dict[Program, Counter[str]]) -> Table:
    rows: list[Values] = [(program_name(program), *_counts(acts[program])) for program in sorted(acts)]
    total: Counter[str] = Counter()
    for counts in acts.values():
        total += counts
    columns = (
        Column(_("Programa"), Unit.WORDS, _("A chave ou o comando que agiu; da API ImageMais, quem liberou o token.")),
        Column(_("Agendou"), Unit.COUNT, _("Agendamentos feitos nas datas do período, sejam para quando forem.")),
        Column(_("Remarcou"), Unit.COUNT, _("Mudanças de horário ou de médico feitas nas datas do período.")),
        Column(_("Cancelou"), Unit.COUNT, _("Cancelamentos feitos nas datas do período.")),
        Column(_("Confirmou"), Unit.COUNT, _("Confirmações feitas nas datas do período.")),
        Column(_("Outros atos"), Unit.COUNT, _("Tudo o mais que está no histórico dos agendamentos.")),
    )
    return Table("atos", _("O que cada programa fez"), columns, rows, (_("Total"), *_counts(total)), charted=1)


def _counts(acts: Counter[str]) -> tuple[int, ...]:
    counted = [acts[act] for act in COUNTED_ACTS]
    return (*counted, acts.total() - sum(counted))
