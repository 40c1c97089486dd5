"""Whether a row that a day or a week is drawn from was written since: one statement, a fraction of drawing it."""

from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

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
    SELECT kind, count(*), sum(written::text::bigint) FROM (
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
    ) AS stored
    GROUP BY kind ORDER BY kind
"""


def rows_version(clinic: Clinic, first: date, last: date, *about: object) -> str:
    """Return a short hash that changes with every row that the local dates from `first` to `last` are drawn from, and
    with the repr of what the page is about besides.

    One query. It is asked for before the page is drawn: what is written in between is then seen the next time."""
    starts_at, ends_at = clinic.day(first)[0], clinic.day(last)[1] + MAX_DURATION
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "earliest": starts_at - OVERLAP_LOOKBACK,
        "first": starts_at,
        "last": ends_at,
        "absences_until": ends_at + timedelta(days=LOOK_AHEAD),
        "first_day": first,
        "last_day": last,
    }
    with prepared_cursor() as cursor:
        cursor.execute(ROWS_SQL, parameters)
        return blake2b(repr((first, last, about, cursor.fetchall())).encode(), digest_size=12).hexdigest()
