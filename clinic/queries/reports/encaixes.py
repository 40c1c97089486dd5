"""Encaixes: of which doctors, by which authors, and which of them a manager approved. Reads only."""

from collections import Counter, defaultdict

from django.utils.translation import gettext as _

from clinic.models.appointment import FREED
from clinic.queries.reports.tables import Column, Report, Table, Unit, Values, percent
from clinic.queries.reports.wanted import Wanted

ENCAIXES_SQL = """
    WITH counted AS (
        SELECT visit.doctor_id AS doctor, visit.encaixe_by_id AS author, visit.encaixe_approved_by_id AS approver,
            visit.status, count(*) AS times
        FROM clinic_appointment AS visit
        WHERE {visits} AND visit.encaixe_by_id IS NOT NULL
        GROUP BY 1, 2, 3, 4
    )
    SELECT counted.doctor, counted.author, author.name, counted.approver, approver.name, counted.status, counted.times
    FROM counted JOIN clinic_staffuser AS author ON author.id = counted.author
    LEFT JOIN clinic_staffuser AS approver ON approver.id = counted.approver
    ORDER BY author.name, counted.author, approver.name, counted.approver
"""
ALL, APPROVED, FREED_ONES = "all", "approved", "freed"


def encaixes(wanted: Wanted) -> Report:
    """Return the report. One query."""
    doctors: dict[int, Counter[str]] = defaultdict(Counter)
    authors: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    approvers: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for doctor, author, author_name, approver, approver_name, status, times in wanted.fetch(ENCAIXES_SQL):
        counted = Counter({ALL: times, APPROVED: times if approver else 0, FREED_ONES: times if status in FREED else 0})
        doctors[doctor] += counted
        authors[author, author_name] += counted
        if approver:
            approvers[approver, approver_name] += counted
    by_doctor = [(each.full_name, doctors[pk]) for pk, each in wanted.doctors.items() if pk in doctors]
    return Report((
        _table("medicos", _("Por médico(a)"), Column(_("Médico(a)"), Unit.WORDS), by_doctor),
        _table(
            "autores",
            _("Por quem fez"),
            Column(_("Quem fez"), Unit.WORDS, _("O usuário que fez o encaixe, ou que o remarcou por último.")),
            [(name, counts) for (_pk, name), counts in authors.items()],
        ),
        _approvers([(name, counts[ALL]) for (_pk, name), counts in approvers.items()]),
    ))  # fmt: skip


def _table(name: str, title: str, first: Column, rows: list[tuple[str, Counter[str]]]) -> Table:
    total: Counter[str] = Counter()
    for _label, counts in rows:
        total += counts
    cells = [(label, *_values(counts)) for label, counts in rows]
    return Table(name, title, (first, *_columns()), cells, (_("Total"), *_values(total)), charted=1)


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("Encaixes"), Unit.COUNT, _("Encaixes que começam nas datas do período, em qualquer situação.")),
        Column(
            _("Com aprovação"),
            Unit.COUNT,
            _("Aprovados pelo PIN da gestão: além do número do dia, ou feitos por quem não tem a permissão."),
        ),
        Column(_("Sem aprovação"), Unit.COUNT, _("Dentro do número do dia, por quem tem a permissão.")),
        Column(_("Cancelados ou faltas"), Unit.COUNT, _("Os que estão na situação Cancelado ou Faltou.")),
        Column(_("Parte aprovada"), Unit.PERCENT, _("Com aprovação ÷ encaixes.")),
    )


def _values(counts: Counter[str]) -> Values:
    everything, approved = counts[ALL], counts[APPROVED]
    return everything, approved, everything - approved, counts[FREED_ONES], percent(approved, everything)


def _approvers(rows: list[tuple[str, int]]) -> Table:
    columns = (
        Column(_("Quem aprovou"), Unit.WORDS, _("De quem é o PIN com que o encaixe foi aprovado.")),
        Column(_("Aprovados"), Unit.COUNT, _("Encaixes do período aprovados por esta pessoa.")),
    )
    return Table("aprovacoes", _("Por quem aprovou"), columns, rows, (_("Total"), sum(count for _name, count in rows)))
