"""Half-open spans of time, and what is left of them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import NamedTuple


class ClosedReason(Enum):
    """Why time is closed: the doctor's hours, an absence of the doctor or of the whole clinic, a public holiday."""

    HOURS = "hours"
    ABSENCE = "absence"
    CLINIC = "clinic"
    HOLIDAY = "holiday"


class Span(NamedTuple):
    """The half-open time between two UTC instants; `reason` is in Portuguese and empty for open time."""

    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    closed_by: ClosedReason | None = None

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.starts_at < ends_at and self.ends_at > starts_at

    def contains(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.starts_at <= starts_at and self.ends_at >= ends_at


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as `spans`, in order, with touching and overlapping ones joined; reasons are dropped."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.starts_at):
        if joined and span.starts_at <= joined[-1].ends_at:
            joined[-1] = Span(joined[-1].starts_at, max(joined[-1].ends_at, span.ends_at))
        else:
            joined.append(span)
    return joined


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Return what is left of `spans` outside `holes`, in the order of `spans`; reasons are kept."""
    holes = sorted(holes, key=lambda hole: hole.starts_at)
    return [part for span in spans for part in _parts(span, holes)]


def within(span: Span, starts_at: datetime, ends_at: datetime) -> Span:
    """Return the part of `span` between two instants; without length, or less, where it lies outside."""
    return Span(max(span.starts_at, starts_at), min(span.ends_at, ends_at), span.reason, span.closed_by)


def _parts(span: Span, holes: list[Span]) -> Iterator[Span]:
    """Yield the parts of `span` between holes that are sorted by their starts."""
    starts_at = span.starts_at
    for hole in holes:
        if hole.starts_at >= span.ends_at:
            break
        if hole.ends_at > starts_at:
            if hole.starts_at > starts_at:
                yield Span(starts_at, hole.starts_at, span.reason, span.closed_by)
            starts_at = hole.ends_at
    if starts_at < span.ends_at:
        yield Span(starts_at, span.ends_at, span.reason, span.closed_by)
