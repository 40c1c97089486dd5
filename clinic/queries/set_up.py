"""How far a clinic is set up, derived from its rows: a step is done when they exist."""

from dataclasses import dataclass

from django.db import connection

from clinic.models import Clinic
from clinic.models.staff_link import IN_TEAM_SQL

# A clinic that has all it needs goes on having it: this process asks no more about it.
_set_up: set[int] = set()

STATE_SQL = f"""
    SELECT
        EXISTS (SELECT FROM clinic_staffuser AS member WHERE clinic_id = %(clinic)s AND {IN_TEAM_SQL} OFFSET 1),
        EXISTS (SELECT FROM clinic_procedure WHERE clinic_id = %(clinic)s AND active),
        EXISTS (
            SELECT FROM clinic_doctor AS doctor
            WHERE doctor.clinic_id = %(clinic)s AND doctor.active
                AND EXISTS (SELECT FROM clinic_workinghours WHERE doctor_id = doctor.id)
                AND EXISTS (
                    SELECT FROM clinic_doctor_procedures AS performed
                    JOIN clinic_procedure ON clinic_procedure.id = performed.procedure_id AND clinic_procedure.active
                    WHERE performed.doctor_id = doctor.id
                )
        ),
        (SELECT id FROM clinic_appointment WHERE clinic_id = %(clinic)s ORDER BY starts_at LIMIT 1) IS NOT NULL
"""  # noqa: S608 - own condition


@dataclass(frozen=True)
class SetUp:
    """Which steps are done; place and team may be left out."""

    place: bool
    team: bool
    procedures: bool
    doctor: bool
    booking: bool

    @property
    def is_place_left(self) -> bool:
        """True where the place was left out: a later step is done."""
        return not self.place and (self.team or self.procedures or self.doctor or self.booking)

    @property
    def is_finished(self) -> bool:
        return self.procedures and self.doctor and self.booking


def set_up_of(clinic: Clinic) -> SetUp:
    """Return the steps of a clinic. One query."""
    with connection.cursor() as cursor:
        cursor.execute(STATE_SQL, {"clinic": clinic.pk})
        steps = SetUp(bool(clinic.region or clinic.town), *cursor.fetchone())
    if steps.is_finished:
        _set_up.add(clinic.pk)
    return steps


def is_set_up(clinic: Clinic) -> bool:
    """Return whether the clinic has all it needs. One query, and none once it had."""
    return clinic.pk in _set_up or set_up_of(clinic).is_finished
