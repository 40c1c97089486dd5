"""Days and weeks as this process drew them within the minute.

Many screens show one date, and when a row of it is written they all ask again: it is drawn for the first of them, and
the others are given the same. What an answer has of its own user stands around it.
"""

import re
from collections.abc import Callable, Hashable
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.queries.agenda import Grid
from clinic.web.htmx import wants_partial
from clinic.web.responses import private, versioned

KNOWN = re.compile(r'"[0-9a-f]+\.(?P<rows>[0-9a-f]+)\.(?P<until>[0-9]{1,10})"', re.ASCII)  # the ETag
MAX_KEPT = 16  # a day of twenty full doctors takes about a megabyte


class Drawn[G: Grid]:
    """A day or a week, and its HTML, which is made when it is first asked for."""

    def __init__(self, grid: G, draw: Callable[[G], str]) -> None:
        self.grid = grid
        self._draw = draw

    @cached_property
    def html(self) -> str:
        return self._draw(self.grid)


class _Kept(NamedTuple):
    """`minute` is when it was drawn, an instant; `rows` is the version of the rows that it was drawn from, "" if that
    was not asked for."""

    minute: datetime
    rows: str
    drawn: Drawn[Any]


# By what the page is about, the clinic included; the oldest first.
_kept: dict[Hashable, _Kept] = {}


def polled_drawing[G: Grid](
    request: HttpRequest,
    about: Hashable,
    rows_version: Callable[[], str],
    draw: Callable[[], Drawn[G]],
    answer: Callable[[Drawn[G]], HttpResponse],
) -> HttpResponse:
    """Do what `polled` does for a page that is dear to draw: where neither a row was written nor time has changed
    anything since the version that the page has, nothing is drawn.

    `about` names the page, the clinic included. `rows_version` is a short text that changes with every row that `draw`
    reads, and takes a query: a whole page that nobody asked for within the minute is drawn without it, and only when it
    is asked for again, it is worth to know whether what was drawn still holds. The ETag is "version.rows.until": the
    page sends back the newest that it was given, with a 304 too (static/js/day/refresh.js). `until` is in seconds since
    1970."""
    if not wants_partial(request):
        rows = rows_version() if _was_drawn(about) else ""
        return private(answer(_get_drawn(about, rows, draw)))
    known = KNOWN.search(request.headers.get("If-None-Match", ""))
    rows = rows_version()
    if known and known["rows"] == rows and timezone.now().timestamp() < int(known["until"]):
        return versioned(request, known[0], None)
    drawn = _get_drawn(about, rows, draw)
    etag = f'"{drawn.grid.version}.{rows}.{int(drawn.grid.stays_until.timestamp())}"'
    is_known = f'"{drawn.grid.version}' in request.headers.get("If-None-Match", "")
    return versioned(request, etag, None if is_known else lambda: answer(drawn))


def _was_drawn(about: Hashable) -> bool:
    kept = _kept.get(about)
    return kept is not None and kept.minute == _minute()


def _get_drawn[G: Grid](about: Hashable, rows: str, draw: Callable[[], Drawn[G]]) -> Drawn[G]:
    """Return what `draw` makes, or what it made before within the minute from the same rows.

    In a transaction it is always drawn: the version does not tell apart the transaction's own changes."""
    if connection.in_atomic_block:
        return draw()
    minute, kept = _minute(), _kept.get(about)
    if kept and rows and (kept.minute, kept.rows) == (minute, rows) and timezone.now() < kept.drawn.grid.stays_until:
        return kept.drawn
    drawn = draw()
    _kept.pop(about, None)
    # One at a time: to free sixteen days took one request as long as a week is laid out. Other threads end an iterator.
    if len(_kept) >= MAX_KEPT:
        _kept.pop(list(_kept)[0], None)
    _kept[about] = _Kept(minute, rows, drawn)
    return drawn


def _minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)
