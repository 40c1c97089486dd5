"""What every act on an appointment does around its rules: lock, write, record the event, name what was refused.

Two things keep bookings apart. The doctor's row is locked first, then the patient's, always in this order; and
exclusion constraints have the last word. Measured with 32 clients on one doctor: the constraint alone is right but slow
to lose (31 to 62 deadlocks, 12 to 21 s for the slowest percent), with the lock before it there was no deadlock and 26
to 41 ms. The lock alone would depend on every future writer remembering it. FOR NO KEY UPDATE, so that rows which refer
to the doctor can still be inserted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, OperationalError, transaction

from clinic.booking import rows
from clinic.booking.refusals import BookingRefused, Reason, Refusal
from clinic.models import Appointment, AppointmentEvent, Clinic, StaffUser
from clinic.models.locks import get_locked

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


_one_transaction = ContextVar("one_transaction", default=False)


@contextmanager
def one_transaction() -> Iterator[None]:
    """A door's transaction around several acts, or around an act and the answer that is kept of it.

    The acts inside begin none of their own, since each asks its rules before it writes. What PostgreSQL refuses ends
    the whole; `lost_a_race` tells whether to begin it once more.
    """
    token = _one_transaction.set(True)
    try:
        with transaction.atomic():
            yield
    finally:
        _one_transaction.reset(token)


def transacted(work: Callable, alternatives: Callable = lambda refusals: ()):
    """Run `work` in one transaction; once more when PostgreSQL refuses it for what somebody else did meanwhile.

    The second time the rules see what the other one wrote and name it, so that the last word of a constraint and the
    first word of a rule are the same sentence. Raises BookingRefused with what `alternatives(refusals)` gives.
    """
    try:
        return work() if _one_transaction.get() else _tried_twice(work)
    except BookingRefused as refused:
        raise BookingRefused(refused.refusals, *alternatives(refused.refusals)) from refused


def lost_a_race(error: IntegrityError | OperationalError) -> bool:
    """Whether it is what somebody else did meanwhile that PostgreSQL refused."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) in {DEADLOCK, SERIALIZATION, DELETED_MEANWHILE} or (
        isinstance(error, IntegrityError) and cause.diag.constraint_name in RACED_FOR
    )


def is_in_somebodys_way(error: IntegrityError | OperationalError) -> bool:
    """Whether the same work may succeed in a moment: a race lost twice, or a lock that was not let go."""
    return lost_a_race(error) or getattr(error.__cause__, "sqlstate", None) in NOT_LET_GO


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
        if not is_in_somebodys_way(error):
            raise
        raise BookingRefused([Refusal(Reason.TRY_AGAIN)]) from error


def _tried_twice(work):
    with try_again_when_held():
        try:
            return _once(work)
        except (IntegrityError, OperationalError) as error:
            if not lost_a_race(error):
                raise
            return _once(work)


def _once(work):
    with transaction.atomic():
        return work()


def refuse(refusals: list[Refusal]) -> None:
    """Raises BookingRefused when there are any."""
    if refusals:
        raise BookingRefused(refusals)


def locked(clinic: Clinic, appointment_id: int, *other_doctors) -> Appointment:
    """The appointment with its own row locked, and before it the doctors', in order of id, and the patient's."""
    kept = Appointment.objects.of(clinic).kept()
    doctor, patient = kept.values_list("doctor", "patient").get(pk=appointment_id)
    rows.hold(clinic, {doctor} | {other.pk for other in other_doctors if other}, patient)
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
