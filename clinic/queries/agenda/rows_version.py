"""Whether a row that a day or a week is drawn from was written since: one statement, a fraction of drawing it.

Many screens ask about the same dates. As long as no transaction has ended or begun to write in between, which the
snapshot of PostgreSQL says, the answer to the last of them in this process holds for the next one, and no row is read.
The session comes with the snapshot in which it was loaded: where that is the known one, nothing is asked at all.
After a crash or a failover of PostgreSQL the same snapshot may stand for other rows: both end every connection, so what
is known ends with the first question on a new one.
"""

from datetime import date, timedelta
from hashlib import blake2b
from typing import Any
from weakref import WeakSet

from django.db import connection

from clinic.cursors import prepared_cursor
from clinic.models import Clinic
from clinic.models.appointment import OVERLAP_LOOKBACK
from clinic.queries.agenda.layout import LOOK_AHEAD
from clinic.schedule import MAX_DURATION

# Every version of a row has in xmin the transaction that wrote it, so each kind's number of rows and the sum of their
# xmin change with every row that is added, changed or deleted, whatever wrote it. Rows that are written only together
# with one of these are left out: the events of appointments. So are the appointments of other dates, which say what a
# doctor is booked for most often.
ROWS_SQL = """
    WITH visit AS (
        SELECT id, patient_id, xmin AS written FROM clinic_appointment
        WHERE clinic_id = %(clinic)s AND starts_at > %(earliest)s AND starts_at < %(last)s AND ends_at > %(first)s
    )
    SELECT jsonb_object_agg(kind, ARRAY[number, total]) FROM (
    SELECT kind, count(*) AS number, sum(written::text::bigint) AS total FROM (
        SELECT 'appointment' AS kind, written FROM visit
        UNION ALL
        SELECT 'patient', patient.xmin FROM visit JOIN clinic_patient AS patient ON patient.id = visit.patient_id
        UNION ALL
        SELECT 'line', line.xmin
        FROM visit JOIN clinic_appointmentprocedure AS line ON line.appointment_id = visit.id
        UNION ALL
        SELECT 'clinic', xmin FROM clinic_clinic WHERE id = %(clinic)s
        UNION ALL
        SELECT 'doctor', xmin FROM clinic_doctor WHERE clinic_id = %(clinic)s
        UNION ALL
        SELECT 'procedure', xmin FROM clinic_procedure WHERE clinic_id = %(clinic)s
        UNION ALL
        SELECT 'performs', performs.xmin
        FROM clinic_doctor_procedures AS performs JOIN clinic_doctor AS doctor ON doctor.id = performs.doctor_id
        WHERE doctor.clinic_id = %(clinic)s
        UNION ALL
        SELECT 'hours', xmin FROM clinic_workinghours WHERE clinic_id = %(clinic)s
        UNION ALL
        SELECT 'absence', xmin FROM clinic_absence
        WHERE clinic_id = %(clinic)s AND starts_at < %(absences_until)s AND ends_at > %(first)s
        UNION ALL
        SELECT 'holiday', xmin FROM clinic_clinicholiday WHERE clinic_id = %(clinic)s
        UNION ALL
        SELECT 'holiday of a doctor', meant.xmin
        FROM clinic_clinicholiday_doctors AS meant
        JOIN clinic_clinicholiday AS holiday ON holiday.id = meant.clinicholiday_id
        WHERE holiday.clinic_id = %(clinic)s
        UNION ALL
        SELECT 'delay', xmin FROM clinic_delay
        WHERE clinic_id = %(clinic)s AND day BETWEEN %(first_day)s AND %(last_day)s
        UNION ALL
        SELECT unnest(ARRAY['memo', 'author']), unnest(ARRAY[memo.xmin, author.xmin])
        FROM clinic_memo AS memo JOIN clinic_staffuser AS author ON author.id = memo.written_by_id
        WHERE memo.clinic_id = %(clinic)s AND done_at IS NULL AND day BETWEEN %(first_day)s AND %(last_day)s
    ) AS stored GROUP BY kind
    ) AS kinds
"""
SNAPSHOT_SQL = f"""
    SELECT pg_current_snapshot()::text,
        CASE WHEN pg_current_snapshot()::text = %(known)s THEN NULL ELSE ({ROWS_SQL}) END
"""
MAX_KNOWN = 512

# By clinic and dates: the snapshot, and what was stored.
type Known = dict[tuple[int, date, date], tuple[str, str]]


class Memory:
    """What is known since the process asked last on a new connection; a connection that returns to the pool stays one
    that is not new."""

    def __init__(self) -> None:
        self._connections: WeakSet[Any] = WeakSet()
        self._known: Known = {}

    def of_connection(self) -> Known:
        """Return what is known, to be read and added to. What another thread got before the last new connection is
        another dictionary, so that nothing from before a crash is added to what is known after it."""
        connection.ensure_connection()
        if connection.connection not in self._connections:
            self._known = {}
            self._connections.add(connection.connection)
        return self._known


_memory = Memory()


def rows_version(clinic: Clinic, first: date, last: date, *about: object, snapshot: str = "") -> str:
    """Return a short hash that changes with every row that the local dates from `first` to `last` are drawn from, and
    with the clinic and the repr of what the page is about besides.

    One query; none where `snapshot`, that of PostgreSQL when the request began, is the one of the last answer. It is
    asked for before the page is drawn: what is written in between is then seen the next time."""
    stored = _stored(clinic, first, last, snapshot)
    return blake2b(repr((clinic.pk, first, last, about, stored)).encode(), digest_size=12).hexdigest()


def _stored(clinic: Clinic, first: date, last: date, snapshot: str) -> str:
    """Return numbers and sums of the rows, as JSON text.

    In a transaction they are always read: its own changes are in no snapshot."""
    key, known = (clinic.pk, first, last), _memory.of_connection()
    known_snapshot, known_rows = ("", "") if connection.in_atomic_block else known.get(key, ("", ""))
    if snapshot and snapshot == known_snapshot:
        return known_rows
    starts_at, ends_at = clinic.day(first)[0], clinic.day(last)[1] + MAX_DURATION
    parameters: dict[str, Any] = {
        "known": known_snapshot,
        "clinic": clinic.pk,
        "earliest": starts_at - OVERLAP_LOOKBACK,
        "first": starts_at,
        "last": ends_at,
        "absences_until": ends_at + timedelta(days=LOOK_AHEAD),
        "first_day": first,
        "last_day": last,
    }
    with prepared_cursor() as cursor:
        cursor.execute(SNAPSHOT_SQL, parameters)
        read_in, rows = cursor.fetchone()
    if rows is None:
        return known_rows
    if not connection.in_atomic_block:
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[key] = read_in, rows
    return str(rows)
