"""One figure each for the page that lists the reports, of those that one pass over the appointments gives."""

from dataclasses import dataclass

from clinic.queries.reports.outcomes import Outcomes
from clinic.queries.reports.tables import percent
from clinic.queries.reports.wanted import Wanted

OVERVIEW_SQL = """
    SELECT visit.status, visit.source = 'manual', visit.encaixe_by_id IS NOT NULL, count(*)
    FROM clinic_appointment AS visit WHERE {visits} GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Overview:
    """How many appointments begin in the period; the rate of no-shows and the part booked by programs, in percent, None
    without any; how many encaixes."""

    booked: int
    missed_rate: float | None
    by_programs: float | None
    encaixes: int


def overview(wanted: Wanted) -> Overview:
    """Return the figures. One query."""
    outcomes, programs, encaixes = Outcomes(), 0, 0
    for status, is_of_desk, is_encaixe, times in wanted.fetch(OVERVIEW_SQL):
        outcomes[status] += times
        programs += 0 if is_of_desk else times
        encaixes += times if is_encaixe else 0
    booked = outcomes.total()
    return Overview(booked, outcomes.missed_rate, percent(programs, booked), encaixes)
