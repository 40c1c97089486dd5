"""The rules about start and end as they were requested."""

from collections.abc import Iterator
from datetime import timedelta

from clinic.booking.slots import Candidate, clock, local_date
from clinic.refusals import Reason, Refusal
from clinic.schedule import MAX_DURATION, bookable_dates


def time_is_given(candidate: Candidate) -> Iterator[Refusal]:
    if candidate.starts_at is None:
        yield Refusal(Reason.START_MISSING)


def time_is_in_whole_minutes(candidate: Candidate) -> Iterator[Refusal]:
    """Only times that the screen can show may be taken. Past times are left to another rule: before there were time
    zones, the offset of a clock had seconds."""
    instants = [candidate.starts_at, candidate.ends_at]
    ahead = [instant for instant in instants if instant and instant > candidate.now]
    if any(instant.second or instant.microsecond for instant in ahead):
        yield Refusal(Reason.TIME_HAS_SECONDS)


def end_is_after_start(candidate: Candidate) -> Iterator[Refusal]:
    if candidate.starts_at is None or candidate.ends_at is None:
        return
    if candidate.ends_at <= candidate.starts_at:
        yield Refusal(Reason.END_NOT_AFTER_START)
    elif candidate.ends_at - candidate.starts_at > MAX_DURATION:
        yield Refusal(Reason.TOO_LONG, {"hours": MAX_DURATION // timedelta(hours=1)})


def procedures_have_their_time(candidate: Candidate) -> Iterator[Refusal]:
    """A person may plan less, and knows why; a program that sends an end is held to it where the clinic wants so."""
    if candidate.duration is None or candidate.starts_at is None or candidate.ends_at is None:
        return
    if candidate.starts_at < candidate.ends_at < candidate.starts_at + candidate.duration:
        yield Refusal(Reason.TOO_SHORT, {"minutes": candidate.duration // timedelta(minutes=1)})


def time_is_ahead(candidate: Candidate) -> Iterator[Refusal]:
    if candidate.starts_at is None:
        return
    today, last = bookable_dates(candidate.clinic, candidate.now)
    day = local_date(candidate.clinic, candidate.starts_at)
    if day < today:
        yield Refusal(Reason.DATE_PAST)
    elif candidate.starts_at <= candidate.now:
        yield Refusal(Reason.TIME_PAST, {"now": clock(candidate.clinic, candidate.now)})
    elif day > last:
        yield Refusal(Reason.DATE_TOO_FAR, {"date": f"{last:%d/%m/%Y}"})
