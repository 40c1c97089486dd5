"""The panel of integrity: what is counted there should be nothing. Computed when it is asked for; reads only.

Appointments of the last PAST_DAYS days and all that lie ahead are looked at, however many lie behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment, Clinic
from clinic.models.appointment import NOT_BEGUN, STANDING_SQL
from clinic.queries.pending import Why, pending
from clinic.schedule import MAX_DURATION, bookable_dates

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

PAST_DAYS = 30
MAX_LISTED = 200
OVERLAPS, OUTSIDE, AMOUNTS, PENDING, INACTIVE, HISTORY = (
    "sobrepostos",
    "fora-do-horario",
    "valores",
    "pendencias",
    "inativos",
    "historico",
)

# One row for each fault, by start: the name of its check and the appointment's id. What belongs to an appointment is
# looked up for each one by an index: a join would read lines and events from end to end.
FAULTS_SQL = f"""
    WITH near AS MATERIALIZED (
        SELECT id, doctor_id, patient_id, starts_at, ends_at, status, encaixe_by_id, {STANDING_SQL} AS stands
        FROM clinic_appointment
        WHERE clinic_id = %(clinic)s AND starts_at > %(since)s AND starts_at < %(until)s AND deleted_at IS NULL
    ), standing AS (
        SELECT id, starts_at, encaixe_by_id,
            max(ends_at) OVER (
                PARTITION BY doctor_id, encaixe_by_id IS NULL ORDER BY starts_at, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS doctor_until,
            max(ends_at) OVER (
                PARTITION BY patient_id ORDER BY starts_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS patient_until
        FROM near WHERE stands
    )
    SELECT found.name, near.id FROM near JOIN (
    SELECT '{OVERLAPS}' AS name, id FROM standing
    WHERE encaixe_by_id IS NULL AND doctor_until > starts_at OR patient_until > starts_at
    UNION ALL
    SELECT '{AMOUNTS}', near.id FROM near
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, sum(price) AS total, bool_or(applied.value > price) AS is_below
        FROM clinic_appointmentprocedure AS line
        CROSS JOIN LATERAL (SELECT sum(value) AS value FROM clinic_applieddiscount WHERE line_id = line.id) AS applied
        WHERE line.appointment_id = near.id
    ) AS stored
    LEFT JOIN LATERAL (
        SELECT after -> 'lines' AS lines FROM clinic_appointmentevent
        WHERE appointment_id = near.id AND jsonb_typeof(after -> 'lines') = 'array' ORDER BY id DESC LIMIT 1
    ) AS noted ON true
    WHERE stored.lines = 0 OR stored.is_below OR stored.total <> (
        SELECT sum((line ->> 'price')::numeric) FROM jsonb_array_elements(noted.lines) AS line
    )
    UNION ALL
    SELECT '{INACTIVE}', near.id FROM near
    WHERE starts_at > %(now)s AND status = ANY (%(not_begun)s)
        AND EXISTS (SELECT FROM clinic_doctor WHERE id = doctor_id AND NOT active)
    UNION ALL
    SELECT '{HISTORY}', near.id FROM near
    LEFT JOIN LATERAL (
        SELECT after ->> 'status' AS status FROM clinic_appointmentevent
        WHERE appointment_id = near.id AND jsonb_exists(after, 'status') ORDER BY id DESC LIMIT 1
    ) AS noted ON true
    WHERE noted.status IS DISTINCT FROM near.status
    ) AS found USING (id) ORDER BY near.starts_at, near.id
"""  # noqa: S608 - only names and conditions of our own are inserted


@dataclass(frozen=True)
class Check:
    """Something that should be found nowhere; `name` is that of its address."""

    name: str
    title: "StrPromise"
    definition: "StrPromise"


@dataclass(frozen=True)
class Fault:
    """An appointment that a check finds, and why, where more is known than the check's definition; "" else."""

    appointment: int
    why: str = ""


CHECKS = {
    check.name: check
    for check in (
        Check(
            OVERLAPS,
            _("Horários sobrepostos"),
            _(
                "Agendamentos de pé que tomam um horário do mesmo médico ou do mesmo paciente já tomado por outro, sem"
                " ser encaixe. O banco de dados recusa todos; aqui se conta mesmo assim."
            ),
        ),
        Check(
            OUTSIDE,
            _("Fora do horário de atendimento"),
            _("Agendamentos de pé, daqui em diante, em hora em que o médico não trabalha, sem ser encaixe."),
        ),
        Check(
            AMOUNTS,
            _("Valores que não fecham"),
            _(
                "Agendamentos sem nenhum procedimento, com um desconto maior do que o preço, ou cuja soma de preços não"
                " é a do histórico."
            ),
        ),
        Check(
            PENDING,
            _("Pendências sem resposta"),
            _("Agendamentos daqui em diante que não podem acontecer como estão: o número de Pendências."),
        ),
        Check(
            INACTIVE,
            _("De quem não atende mais"),
            _("Agendamentos de pé, daqui em diante, de um médico inativo."),
        ),
        Check(
            HISTORY,
            _("Histórico que não confere"),
            _("Agendamentos cuja situação não é a do último acontecimento do seu histórico."),
        ),
    )
}


def faults(clinic: Clinic, *, now: datetime, days: int = PAST_DAYS) -> dict[str, list[Fault]]:
    """Return what every check finds at the instant `now`, by its name and start; of the past the last `days` days. At
    most seven queries."""
    found: dict[str, list[Fault]] = {name: [] for name in CHECKS}
    for name, pk in _stored_faults(clinic, now, days):
        found[name].append(Fault(pk))
    for row in pending(clinic, now=now):
        found[PENDING].append(Fault(row.pk, str(row.cause)))
        if row.cause.why is Why.HOURS:
            found[OUTSIDE].append(Fault(row.pk, str(row.cause)))
    return found


def counts(found: Mapping[str, Sequence[Fault]]) -> list[tuple[Check, int]]:
    """Return every check with how many it found."""
    return [(check, len(found[name])) for name, check in CHECKS.items()]


def with_appointments(clinic: Clinic, found: Sequence[Fault]) -> list[tuple[Appointment, str]]:
    """Return the first appointments that a check found, by start, each with why. One query."""
    why = {fault.appointment: fault.why for fault in found[:MAX_LISTED]}
    rows = Appointment.objects.of(clinic).filter(pk__in=why).select_related("clinic", "doctor", "patient")
    return [(row, why[row.pk]) for row in rows.order_by("starts_at", "pk")]


def _stored_faults(clinic: Clinic, now: datetime, days: int) -> list[tuple[str, int]]:
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "now": now,
        "since": now - timedelta(days=days),
        "until": clinic.day(bookable_dates(clinic, now)[1])[1] + MAX_DURATION,
        "not_begun": [status.value for status in NOT_BEGUN],
    }
    with connection.cursor() as cursor:
        cursor.execute(FAULTS_SQL, parameters)
        return list(cursor.fetchall())
