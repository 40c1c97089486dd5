"""No-shows and cancellations: how many, whose, and how long before the hour. Reads only."""

from collections import Counter, defaultdict
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.models import Appointment
from clinic.queries.reports.outcomes import MISSED_RATE, Outcomes, outcome_columns
from clinic.queries.reports.tables import Column, Report, Table, Unit, percent
from clinic.queries.reports.wanted import Wanted

# Appointments are grouped once by all that is asked for, and these few groups then by each of it. Months are counted
# from the first one of the period: looking the beginning up takes half the time of turning each instant into a date.
MISSED_SQL = """
    WITH counted AS (
        SELECT visit.doctor_id AS doctor, visit.source, visit.status, visit.cancelled_by,
            width_bucket(visit.starts_at, %(months)s::timestamptz[]) AS month,
            CASE WHEN visit.status = 'cancelled' THEN width_bucket(
                visit.starts_at - visit.status_since,
                ARRAY['0', '2 hours', '24 hours', '3 days', '7 days']::interval[]
            ) END AS notice,
            count(*) AS times
        FROM clinic_appointment AS visit
        WHERE {visits}
        GROUP BY 1, 2, 3, 4, 5, 6
    )
    SELECT CASE grouping(doctor, source, month, notice)
            WHEN 7 THEN 'doctor' WHEN 11 THEN 'source' WHEN 13 THEN 'month' ELSE 'notice' END AS kind,
        doctor, source, month, cancelled_by, notice, status, sum(times)::bigint
    FROM counted
    GROUP BY GROUPING SETS ((doctor, status), (source, status), (month, status), (cancelled_by, notice, status))
"""


def missed(wanted: Wanted) -> Report:
    """Return the report. One query."""
    doctors: dict[int, Outcomes] = defaultdict(Outcomes)
    sources: dict[str, Outcomes] = defaultdict(Outcomes)
    months: dict[int, Outcomes] = defaultdict(Outcomes)
    notices: dict[int, Counter[str]] = defaultdict(Counter)
    for kind, doctor, source, month, cancelled_by, notice, status, times in wanted.fetch(MISSED_SQL):
        if kind == "doctor":
            doctors[doctor][status] += times
        elif kind == "source":
            sources[source][status] += times
        elif kind == "month":
            months[month][status] += times
        elif notice is not None:
            notices[notice][cancelled_by] += times
    named_doctors = [(each.full_name, doctors[pk]) for pk, each in wanted.doctors.items() if pk in doctors]
    labels: dict[str, Any] = dict(Appointment.Source.choices)
    named_sources = [(str(label), sources[source]) for source, label in labels.items() if source in sources]
    first_of = wanted.months
    named_months = [(date_format(first_of[n - 1], r"F \d\e Y").lower(), months[n]) for n in sorted(months)]
    return Report((
        _outcomes("medicos", _("Por médico(a)"), _("Médico(a)"), named_doctors),
        _outcomes("origens", _("Por origem"), _("Origem"), named_sources),
        _outcomes("meses", _("Por mês"), _("Mês"), named_months),
        _cancellations(notices),
    ))  # fmt: skip


def _outcomes(name: str, title: str, first: str, rows: list[tuple[str, Outcomes]]) -> Table:
    return outcome_table(name, title, Column(first, Unit.WORDS), rows, charted=MISSED_RATE)


def outcome_table(
    name: str, title: str, first: Column, rows: list[tuple[str, Outcomes]], charted: int | None = None
) -> Table:
    """Return a table of outcomes with the sum of its rows."""
    total = Outcomes()
    for _name, outcomes in rows:
        total += outcomes
    cells = [(label, *outcomes.cells) for label, outcomes in rows]
    return Table(name, title, (first, *outcome_columns()), cells, (_("Total"), *total.cells), charted)


def _cancellations(notices: dict[int, Counter[str]]) -> Table:
    """Return who cancelled how long before; the keys are those of width_bucket in MISSED_SQL."""
    by = [by.value for by in Appointment.CancelledBy]
    everything = sum(counts.total() for counts in notices.values())
    rows = []
    for label, notice in zip(_notices(), range(5, -1, -1), strict=True):
        if counts := notices.get(notice):
            rows.append((label, counts.total(), *(counts[each] for each in by), percent(counts.total(), everything)))
    sums = [sum(counts[each] for counts in notices.values()) for each in by]
    total = (_("Total"), everything, *sums, percent(everything, everything))
    return Table("cancelamentos", _("Cancelamentos, quanto antes"), _columns(), rows, total, charted=1)


def _notices() -> list[str]:
    """Return the words for the keys of width_bucket, from the last one down."""
    return [
        _("Mais de 7 dias antes"),
        _("De 3 a 7 dias antes"),
        _("De 24 horas a 3 dias antes"),
        _("De 2 a 24 horas antes"),
        _("Menos de 2 horas antes"),
        _("Depois da hora"),
    ]


def _columns() -> tuple[Column, ...]:
    return (
        Column(
            _("Antecedência"),
            Unit.WORDS,
            _("Da hora em que foi cancelado à hora do agendamento. O limite pertence à faixa mais distante."),
        ),
        Column(_("Cancelados"), Unit.COUNT, _("Estão na situação Cancelado.")),
        Column(_("Pelo paciente"), Unit.COUNT, _("Quem cancelou foi o paciente, como está no agendamento.")),
        Column(_("Pela clínica"), Unit.COUNT, _("Quem cancelou foi a clínica, como está no agendamento.")),
        Column(_("Parte"), Unit.PERCENT, _("Desta faixa entre todos os cancelados do período.")),
    )
