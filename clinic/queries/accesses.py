"""Who was shown a patient. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Patient, StaffUser
from clinic.registry import record_ids

ROWS = 50
# One row for each person or credential and local day, newest first. By the index (patient, at desc), twice: first only
# when each was last shown the patient, then the moments and pages of the rows that are wanted. No local day has more
# than 25 hours.
SEEN_BY_SQL = """
    WITH seen AS NOT MATERIALIZED (
        SELECT user_id, credential, page, at, (at AT TIME ZONE %(zone)s)::date AS day
        FROM clinic_patientaccess
        WHERE patient_id = ANY(%(patients)s) AND clinic_id = %(clinic)s
          AND at >= coalesce(%(since)s::timestamptz, '-infinity') AND at < coalesce(%(until)s::timestamptz, 'infinity')
          AND (%(user)s::bigint IS NULL OR user_id = %(user)s)
    ), newest AS MATERIALIZED (
        SELECT user_id, credential, day, max(at) AS last FROM seen
        GROUP BY user_id, credential, day
        HAVING %(at)s::timestamptz IS NULL
            OR (max(at), coalesce(user_id, 0), credential) < (%(at)s, %(before_user)s, %(before_credential)s)
        ORDER BY last DESC, coalesce(user_id, 0) DESC, credential DESC
        LIMIT %(limit)s
    )
    SELECT newest.user_id, newest.credential, newest.day, times, first, last, pages
    FROM newest CROSS JOIN LATERAL (
        SELECT count(DISTINCT at), min(at), array_agg(DISTINCT page) FROM seen
        WHERE seen.user_id IS NOT DISTINCT FROM newest.user_id AND seen.credential = newest.credential
          AND seen.day = newest.day AND at <= last AND at > last - interval '25 hours'
    ) AS moments (times, first, pages)
    ORDER BY last DESC, coalesce(user_id, 0) DESC, credential DESC
"""
# What people call a page, by the beginning of its route's name; the first that fits.
PLACES = {
    "web:patient-seen-by": gettext_lazy("quem viu"),
    "web:agenda-as-of": gettext_lazy("agenda como estava"),
    "web:patient-detail": gettext_lazy("ficha"),
    "web:patient-redact": gettext_lazy("ficha"),
    "web:privacy-consents": gettext_lazy("ficha"),
    "web:privacy-ask": gettext_lazy("ficha"),
    "web:privacy-request": gettext_lazy("pedidos dos titulares"),
    "web:privacy-breach": gettext_lazy("lista para incidente"),
    "web:privacy-export": gettext_lazy("exportação dos dados"),
    "command:export_patient": gettext_lazy("exportação dos dados"),
    "web:patient-edit": gettext_lazy("ficha"),
    "web:patient-check": gettext_lazy("ficha"),
    "web:patient-merge": gettext_lazy("juntar cadastros"),
    "web:patient": gettext_lazy("lista de pacientes"),
    "web:appointment": gettext_lazy("agendamento"),
    "web:series": gettext_lazy("sessões"),
    "web:family": gettext_lazy("família"),
    "web:pending": gettext_lazy("pendências"),
    "web:confirmation": gettext_lazy("confirmações"),
    "web:audit": gettext_lazy("auditoria"),
    "web:queue": gettext_lazy("fila"),
    "web:memo": gettext_lazy("recados"),
    "web:own-day": gettext_lazy("o dia do médico ou da médica"),
    "web:waiting": gettext_lazy("fila de espera"),
    "web:integrity": gettext_lazy("painel de integridade"),
    "web:recall": gettext_lazy("retornos"),
    "command:export_clinic": gettext_lazy("exportação da clínica inteira"),
    "web:export-clinic": gettext_lazy("exportação da clínica inteira"),
    "web:export": gettext_lazy("exportação"),
    "web:import": gettext_lazy("importação"),
    "web:printed-pack": gettext_lazy("arquivo das próximas horas"),
    "web:printed-slip-pdf": gettext_lazy("comprovante em PDF"),
    "web:printed-day-pdf": gettext_lazy("lista em PDF"),
    "web:printed-slip": gettext_lazy("comprovante"),
    "web:printed": gettext_lazy("lista impressa"),
    "web:": gettext_lazy("agenda"),
    "admin:": gettext_lazy("administração"),
}


@dataclass(frozen=True)
class Seen:
    """What one person or credential was shown of a patient on a local `day`; `first` and `last` are instants."""

    who: str
    day: date
    times: int
    first: datetime
    last: datetime
    places: list[str]


@dataclass(frozen=True)
class Position:
    """The last row of a page: its last instant, its user's id, 0 for none, and its credential; two rows can end at the
    same instant."""

    at: datetime
    user: int
    credential: str


@dataclass(frozen=True)
class Asked:
    """What is asked of who saw a patient; None is no filter. `since` and `until` are instants, half-open."""

    user: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def seen_by(
    patient: Patient, asked: Asked | None = None, *, before: Position | None = None, limit: int = ROWS
) -> tuple[list[Seen], Position | None]:
    """Return at most `limit`, newest first, those after the position `before`; and the position to ask for older ones
    by, None without any. Who was shown a patient that is merged by now is among them. Three queries; the patient comes
    with their clinic."""
    asked = asked or Asked()
    parameters: dict[str, Any] = {
        "zone": patient.clinic.time_zone,
        "patients": record_ids(patient),
        "clinic": patient.clinic_id,
        "at": before.at if before else None,
        "before_user": before.user if before else 0,
        "before_credential": before.credential if before else "",
        "user": asked.user,
        "since": asked.since,
        "until": asked.until,
        "limit": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(SEEN_BY_SQL, parameters)
        found = cursor.fetchall()
    people = StaffUser.objects.only("name", "username").in_bulk({user for user, *_rest in found if user})
    rows = [
        Seen(
            who=credential or str(people.get(user) or _("pessoa que já não está no sistema")),
            day=day,
            times=times,
            first=first,
            last=last,
            places=sorted({place(page) for page in pages}),
        )
        for user, credential, day, times, first, last, pages in found[:limit]
    ]
    if len(found) <= limit:
        return rows, None
    user, credential = found[limit - 1][:2]
    return rows, Position(rows[-1].last, user or 0, credential)


def place(page: str) -> str:
    """Return what people call a page; of an API its operation, as the reference writes it."""
    return next((str(words) for start, words in PLACES.items() if page.startswith(start)), page)
