"""What was booked, what of it came in to the clinic, what was lost, and which discounts were given. Reads only."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Appointment
from clinic.models.appointment import ATTENDED, in_sql
from clinic.queries.reports.tables import Column, Report, Table, Unit, Values, percent
from clinic.queries.reports.wanted import Wanted

LATE_HOURS = 24  # a cancellation that is later, before the hour or after it, counts as lost
CAME, MISSED, LATE, EARLY, OPEN = "came", "missed", "late", "early", "open"
OF_PROCEDURE = "AND line.procedure_id = %(procedure)s"  # the lines of an appointment that count, where one is chosen
OUTCOME_SQL = f"""
    CASE WHEN visit.status IN ({in_sql(ATTENDED)}) THEN '{CAME}'
        WHEN visit.status = 'no_show' THEN '{MISSED}'
        WHEN visit.status = 'cancelled' AND visit.starts_at - visit.status_since < interval '{LATE_HOURS} hours'
            THEN '{LATE}'
        WHEN visit.status = 'cancelled' THEN '{EARLY}'
        ELSE '{OPEN}' END"""
PRICES_SQL = f"""
    WITH line AS (
        SELECT visit.doctor_id AS doctor, line.procedure_id AS procedure, visit.payer_id AS payer,
            {OUTCOME_SQL} AS outcome, sum(line.price) AS value
        FROM clinic_appointment AS visit
        JOIN clinic_appointmentprocedure AS line
          ON line.clinic_id = visit.clinic_id AND line.appointment_id = visit.id
        WHERE {{visits}} {{lines}}
        GROUP BY 1, 2, 3, 4
    ), summed AS (
        SELECT CASE grouping(doctor, procedure, payer)
                WHEN 3 THEN 'doctor' WHEN 5 THEN 'procedure' ELSE 'payer' END AS kind,
            doctor, procedure, payer, outcome, sum(value) AS value
        FROM line GROUP BY GROUPING SETS ((doctor, outcome), (procedure, outcome), (payer, outcome))
    )
    SELECT summed.kind, coalesce(summed.doctor, summed.procedure, summed.payer, 0), coalesce(payer.name, ''),
        summed.outcome, summed.value
    FROM summed LEFT JOIN clinic_payer AS payer ON payer.id = summed.payer
"""  # noqa: S608 - no input in it
DISCOUNTS_SQL = f"""
    WITH applied AS (
        SELECT visit.doctor_id AS doctor, line.procedure_id AS procedure, visit.payer_id AS payer,
            applied.discount_id AS discount, visit.created_by_id AS author, visit.source,
            {OUTCOME_SQL} AS outcome, sum(applied.value) AS value, count(*) AS times
        FROM clinic_appointment AS visit
        JOIN clinic_appointmentprocedure AS line
          ON line.clinic_id = visit.clinic_id AND line.appointment_id = visit.id
        JOIN clinic_applieddiscount AS applied ON applied.line_id = line.id
        WHERE {{visits}} {{lines}}
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), summed AS (
        SELECT CASE grouping(doctor, procedure, payer, discount, author)
                WHEN 15 THEN 'doctor' WHEN 23 THEN 'procedure' WHEN 27 THEN 'payer' WHEN 29 THEN 'discount'
                ELSE 'author' END AS kind,
            doctor, procedure, payer, discount, author, source, outcome,
            sum(value) AS value, sum(times)::bigint AS times
        FROM applied
        GROUP BY GROUPING SETS (
            (doctor, outcome), (procedure, outcome), (payer, outcome), (discount), (author, source)
        )
    )
    SELECT summed.kind,
        coalesce(summed.doctor, summed.procedure, summed.payer, summed.discount, summed.author, 0),
        coalesce(payer.name, discount.name, author.name, ''), summed.source, summed.outcome,
        summed.value, summed.times
    FROM summed
    LEFT JOIN clinic_payer AS payer ON payer.id = summed.payer
    LEFT JOIN clinic_discount AS discount ON discount.id = summed.discount
    LEFT JOIN clinic_staffuser AS author ON author.id = summed.author
"""  # noqa: S608 - no input in it
NET = 1  # the place of the booked amount in a row


class Amounts:
    """Prices and discounts by outcome, in the clinic's currency."""

    def __init__(self, parts: Iterable["Amounts"] = ()) -> None:
        self.prices: dict[str, Decimal] = defaultdict(Decimal)
        self.discounts: dict[str, Decimal] = defaultdict(Decimal)
        for part in parts:
            for outcome in part.prices:
                self.prices[outcome] += part.prices[outcome]
                self.discounts[outcome] += part.discounts[outcome]

    def net(self, *outcomes: str) -> Decimal:
        """Return the prices less discounts of appointments with these outcomes."""
        return sum((self.prices[outcome] - self.discounts[outcome] for outcome in outcomes), Decimal())

    @property
    def cells(self) -> Values:
        """The values of `_columns` after the first."""
        booked = self.net(CAME, MISSED, LATE, EARLY, OPEN)
        lost = percent(self.net(MISSED, LATE), booked)
        outcomes = [self.net(outcome) for outcome in (CAME, MISSED, LATE)]
        return (booked, *outcomes, lost, self.net(EARLY), self.net(OPEN), sum(self.discounts.values(), Decimal()))


class Given:
    """Discounts that were given: their sum, and how often one was."""

    def __init__(self) -> None:
        self.value, self.times = Decimal(), 0

    def add(self, value: Decimal, times: int) -> None:
        self.value += value
        self.times += times


class Found:
    """What the two statements found, by the ids of doctors, procedures and payers, 0 for private appointments."""

    def __init__(self, wanted: Wanted) -> None:
        self.by: dict[str, dict[int, Amounts]] = defaultdict(lambda: defaultdict(Amounts))
        self.payers = {0: _("Particular")}
        self.discounts: dict[tuple[int, str], Given] = defaultdict(Given)
        self.authors: dict[tuple[int, str], Given] = defaultdict(Given)
        lines = OF_PROCEDURE if wanted.procedure is not None else ""
        for kind, pk, payer, outcome, value in wanted.fetch(PRICES_SQL, lines=lines):
            self.by[kind][pk].prices[outcome] += value
            if kind == "payer" and pk:
                self.payers[pk] = payer
        sources: dict[str, Any] = dict(Appointment.Source.choices)
        for kind, pk, name, source, outcome, value, times in wanted.fetch(DISCOUNTS_SQL, lines=lines):
            if kind == "discount":
                self.discounts[pk, name].add(value, times)
            elif kind == "author":
                self.authors[pk, name or str(sources[source])].add(value, times)
            else:
                self.by[kind][pk].discounts[outcome] += value


def revenue(wanted: Wanted) -> Report:
    """Return the report. Two queries."""
    found = Found(wanted)
    doctors, procedures, payers = found.by["doctor"], found.by["procedure"], found.by["payer"]
    by_name = sorted(payers, key=lambda pk: (pk != 0, found.payers[pk]))
    return Report(
        (
            _amounts(
                "medicos",
                _("Por médico(a)"),
                Column(_("Médico(a)"), Unit.WORDS),
                [(each.full_name, doctors[pk]) for pk, each in wanted.doctors.items() if pk in doctors],
            ),
            _amounts(
                "procedimentos",
                _("Por procedimento"),
                Column(_("Procedimento"), Unit.WORDS, _("Com o nome que o procedimento tem hoje.")),
                [(each.name, procedures[pk]) for pk, each in wanted.procedures.items() if pk in procedures],
            ),
            _amounts(
                "convenios",
                _("Por convênio"),
                Column(_("Convênio"), Unit.WORDS, _("O convênio do agendamento; sem nenhum, particular.")),
                [(found.payers[pk], payers[pk]) for pk in by_name],
            ),
            _given(
                "descontos",
                _("Descontos dados"),
                Column(_("Desconto"), Unit.WORDS, _("Com o nome que o desconto tem hoje.")),
                found.discounts,
            ),
            _given(
                "autores",
                _("Descontos por quem agendou"),
                Column(_("Quem agendou"), Unit.WORDS, _("O usuário; de um programa, a origem do agendamento.")),
                found.authors,
            ),
        ),
        [_("São preços como foram agendados, e não pagamentos recebidos.")],
    )


def _amounts(name: str, title: str, first: Column, rows: list[tuple[str, Amounts]]) -> Table:
    total = Amounts(amounts for _label, amounts in rows)
    cells = [(label, *amounts.cells) for label, amounts in rows]
    return Table(name, title, (first, *_columns()), cells, (_("Total"), *total.cells), charted=NET)


def _columns() -> tuple[Column, ...]:
    money = Unit.MONEY
    return (
        Column(
            _("Agendado"),
            money,
            _("Preços menos descontos dos agendamentos que começam nas datas do período, em qualquer situação."),
        ),
        Column(_("De quem veio"), money, _("Dos que estão em Check-in, Em atendimento ou Finalizado.")),
        Column(_("Perdido: faltas"), money, _("Dos que estão na situação Faltou.")),
        Column(
            _("Perdido: cancelado tarde"),
            money,
            _("Dos cancelados a menos de %(hours)s horas do início, ou depois dele.") % {"hours": LATE_HOURS},
        ),
        Column(_("Parte perdida"), Unit.PERCENT, _("Perdido nas duas formas ÷ agendado.")),
        Column(_("Cancelado a tempo"), money, _("Dos outros cancelados.")),
        Column(_("Em aberto"), money, _("Dos agendados, confirmados e remarcados: ainda sem desfecho.")),
        Column(_("Descontos"), money, _("Os descontos já tirados do valor agendado.")),
    )


def _given(name: str, title: str, first: Column, given: dict[tuple[int, str], Given]) -> Table:
    rows = sorted(given.items(), key=lambda row: (-row[1].value, row[0]))
    columns = (
        first,
        Column(_("Vezes"), Unit.COUNT, _("Em quantos procedimentos agendados foi dado, em qualquer situação.")),
        Column(_("Valor"), Unit.MONEY, _("A soma do que foi descontado.")),
    )
    times, value = sum(each.times for _key, each in rows), sum((each.value for _key, each in rows), Decimal())
    cells = [(label, each.times, each.value) for (_pk, label), each in rows]
    return Table(name, title, columns, cells, (_("Total"), times, value), charted=2)
