"""What of a clinic has changed since an instant, for programs that keep a copy of it. Reads only.

A row is given its `changed_at` when it is written, and is seen when its transaction commits: of two transactions the
first to write may be the last to commit. A reader that went on from the newest `changed_at` it has seen would never see
that row. So a list ends before `settled_until`, the start of the oldest transaction that has written anything in this
database and not ended yet: nothing that is still to be committed can be earlier.

Why it holds. Both instants are the database's clock. The trigger takes the transaction's id before it reads the clock
(migration 0051), so a transaction that has no id yet will write a `changed_at` later than the look at pg_stat_activity;
one that has an id and is not seen there has committed before the look, and the list, a later statement, sees it. Only
writers count: backups, reports and sessions that wait for a first statement hold nothing up. A writer that stays idle
is ended by the server after a minute (`idle_in_transaction_session_timeout`). A proxy that pools by transaction changes
nothing, since the database's own sessions are looked at. The start of another role's session is hidden from a role that
is not its member, and that of a prepared transaction is not stored: while one of those writes, nothing is listed, and
the client asks again from where it was. Run on the primary: a standby does not see its sessions. A database clock that
is set back by more than the time between two requests may hide rows: keep it by NTP, which slews it.

An id of a transaction in each row (xid8) would need no clock, but a restored backup begins to count anew.
"""

from datetime import UTC, datetime
from typing import Protocol

from django.db import connection
from django.db.models import Model, Q, QuerySet

from clinic.models import Appointment, Clinic, Patient
from clinic.models.appointment import AppointmentQuerySet

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # nothing was written before
SETTLED_SQL = """
    SELECT least(
        statement_timestamp(),
        (
            SELECT min(coalesce(xact_start, %(earliest)s)) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_xid IS NOT NULL AND usesysid IS NOT NULL
                AND pid <> pg_backend_pid()
        ),
        (SELECT min(%(earliest)s::timestamptz) FROM pg_prepared_xacts WHERE database = current_database())
    )
"""

# The last row that a client has: its `changed_at`, and its id.
type Position = tuple[datetime, int]


class Changed[Row: Model](Protocol):
    """What loads the rows of a clinic that changed in a span, after a position."""

    def __call__(
        self, clinic: Clinic, since: datetime, until: datetime, after: Position | None = None, /
    ) -> QuerySet[Row]: ...


def settled_until() -> datetime:
    """Return the instant before which nothing can change any more. Ask it in a statement before the list's own, and
    outside a transaction: within one pg_stat_activity is read only once."""
    with connection.cursor() as cursor:
        cursor.execute(SETTLED_SQL, {"earliest": EARLIEST})
        until: datetime = cursor.fetchone()[0]
    return until.astimezone(UTC)


def next_since(since: datetime, until: datetime) -> datetime:
    """Return from when a program that was given what changed in [since, until) asks next time.

    That is `until` even where it asked since a later instant: who wrote before that may commit after it. While the
    start of a writer is hidden (EARLIEST), it is from where it was."""
    return until if until > EARLIEST else since


def changed_appointments(
    clinic: Clinic, since: datetime, until: datetime, after: Position | None = None
) -> AppointmentQuerySet:
    """Return the appointments that changed in [since, until), with doctor and patient, in the order of their changes.

    Deleted ones and those of blocked patients are among them (`appointment_left_at`). An appointment changes with what
    both APIs show of its patient, too. `after` is the position of the last one that the client has.
    """
    rows: AppointmentQuerySet = Appointment.objects.of(clinic).select_related("doctor", "patient")
    return rows.filter(_changed(since, until, after)).order_by("changed_at", "pk")


def changed_patients(
    clinic: Clinic, since: datetime, until: datetime, after: Position | None = None
) -> QuerySet[Patient]:
    """Return the patients that changed in [since, until), the dead and the merged included, in the order of their
    changes."""
    return Patient.objects.of(clinic).filter(_changed(since, until, after)).order_by("changed_at", "pk")


def appointment_left_at(appointment: Appointment) -> datetime | None:
    """Return since when an appointment is in no list: it was deleted, or its patient blocked; None for any other."""
    return appointment.deleted_at or appointment.patient.blocked_at


def left_lists_at(patient: Patient) -> datetime | None:
    """Return the last change of a patient who died, was merged into another or is blocked, since the lists leave these
    out; None for any other."""
    return patient.changed_at if patient.died or patient.merged_into_id or patient.blocked_at else None


def _changed(since: datetime, until: datetime, after: Position | None) -> Q:
    within = Q(changed_at__gte=since, changed_at__lt=until)
    if after is None:
        return within
    at, pk = after
    return within & Q(changed_at__gte=at) & (Q(changed_at__gt=at) | Q(pk__gt=pk))
