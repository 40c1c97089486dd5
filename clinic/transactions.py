"""What every act on an appointment does around its rules: lock, write, record the event, name what was refused.

Two things keep bookings apart. The doctor's row is locked first, then the patient's, always in this order; and
exclusion constraints have the last word. Measured with 32 clients on one doctor: the constraint alone is right but slow
to lose (31 to 62 deadlocks, 12 to 21 s for the slowest percent), with the lock before it there was no deadlock and 26
to 41 ms. The lock alone would depend on every future writer remembering it. FOR NO KEY UPDATE, so that rows which refer
to the doctor can still be inserted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, OperationalError, transaction

from clinic.booking import sql
from clinic.booking.alternatives import with_alternatives
from clinic.booking.rules import Case
from clinic.models import Appointment, AppointmentEvent, Clinic, StaffUser
from clinic.models.locks import get_locked
from clinic.refusals import BookingRefused, Reason, Refusal

DEADLOCK, SERIALIZATION = "40P01", "40001"
# A lock that was not let go in lock_timeout, or at once; a wait for a queue of locks that took too long.
NOT_LET_GO = {"55P03", "57014"}
DISK_FULL = "53100"
# A row that was there when the rules looked: the second look names what is gone.
DELETED_MEANWHILE = "23503"
# What only one of two can get. A rule asks first; these have the last word.
RACED_FOR = {
    "appointment_doctor_free",
    "appointment_patient_in_one_place",
    "appointment_one_in_service",
    "patient_cpf_once",
    "appointment_uuid_once",
}


@dataclass(frozen=True)
class Author:
    """Who acts, and by which door: a person, or a token, key or command by its name."""

    door: str
    user: StaffUser | None = None
    credential: str = ""


def run_in_transaction[T](work: Callable[[], T]) -> T:
    """Run `work` in a transaction, once more after a conflict.

    The second time the rules see what the other transaction has committed and refuse with their own sentence, so the
    name of a constraint never reaches a person. Inside another `work` it is a savepoint, whose rollback lets go the
    rows locked since; foreign keys are checked when the outermost ends, which then runs all of it once more. Raises
    BookingRefused; free times are sought after the rollback.
    """
    try:
        return _with_one_retry(work)
    except BookingRefused as refused:
        with_alternatives(refused)
        raise


def is_transient(error: IntegrityError | OperationalError) -> bool:
    """Whether the same work may succeed in a moment: a second conflict, or a lock that was not let go."""
    return _is_conflict(error) or getattr(error.__cause__, "sqlstate", None) in NOT_LET_GO


def _is_conflict(error):
    """Whether PostgreSQL refused it for what another transaction did meanwhile."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) in {DEADLOCK, SERIALIZATION, DELETED_MEANWHILE} or (
        isinstance(error, IntegrityError) and cause.diag.constraint_name in RACED_FOR
    )


def disk_is_full(error: Exception) -> bool:
    """Whether PostgreSQL had no room on its disk for what it was to write."""
    return getattr(error.__cause__, "sqlstate", None) == DISK_FULL


@contextmanager
def try_again_when_held() -> Iterator[None]:
    """Around what is written: raises BookingRefused (TRY_AGAIN) where the same may succeed in a moment.

    Entry points answer it with 409 and one sentence, in the form where there is one. 503 is for a database that is away
    or full: here nothing is wrong with the database or with what was typed."""
    try:
        yield
    except (IntegrityError, OperationalError) as error:
        if not is_transient(error):
            raise
        raise BookingRefused([Refusal(Reason.TRY_AGAIN)]) from error


def _with_one_retry(work):
    with try_again_when_held():
        try:
            return _atomically(work)
        except (IntegrityError, OperationalError) as error:
            if not _is_conflict(error):
                raise
            return _atomically(work)


def _atomically(work):
    with transaction.atomic():
        return work()


def refuse(refusals: list[Refusal], case: Case | None = None) -> None:
    """Raises BookingRefused when there are any; with `case` free times are offered instead of a refused one."""
    if refusals:
        raise BookingRefused(refusals, case)


def locked(clinic: Clinic, appointment_id: int, *other_doctors) -> Appointment:
    """The appointment with its own row locked, and before it the doctors', in order of id, and the patient's."""
    kept = Appointment.objects.of(clinic).kept()
    doctor, patient = kept.values_list("doctor", "patient").get(pk=appointment_id)
    sql.hold(clinic, {doctor} | {other.pk for other in other_doctors if other}, patient)
    related = kept.select_related("clinic", "doctor", "patient").defer("patient__phone")
    return get_locked(related.filter(pk=appointment_id), of=("self",))


def write(appointment: Appointment, now: datetime, **values) -> None:
    for name, value in values.items():
        setattr(appointment, name, value)
    appointment.updated_at = now
    appointment.save(update_fields=[*values, "updated_at"])


def record(appointment: Appointment, kind: str, by: Author, now: datetime, before: dict, after: dict) -> None:
    event(appointment, kind, by, now, before, after).save()


def event(
    appointment: Appointment, kind: str, by: Author, now: datetime, before: dict, after: dict
) -> AppointmentEvent:
    return AppointmentEvent(
        clinic=appointment.clinic,
        appointment=appointment,
        kind=kind,
        at=now,
        door=by.door,
        user=by.user,
        credential=by.credential,
        before=before,
        after=after,
    )


def snapshot(appointment: Appointment) -> dict:
    """What an event says of an appointment before or after it was booked or moved; instants as ISO 8601."""
    return {
        "doctor": appointment.doctor_id,
        "doctor_name": appointment.doctor_name,
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "status": appointment.status,
    }
