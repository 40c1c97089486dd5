"""Positions in a list, as opaque texts: what comes after an element is the same whatever was added before it.

The keys that a list is ordered by are integers, after an instant or alone. A name is no key: texts of positions are
sent in addresses. A position names its list and clinic (`order`): in any other list it would stand anywhere.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db.models import BigIntegerField, Model, QuerySet

from clinic.models import Clinic


def order_of(name: str, clinic: Clinic) -> str:
    """Return the text by which positions name a list of a clinic."""
    return f"{name} {clinic.pk}"


def format_position(order: str, *ids: int, at: datetime | None = None) -> str:
    """Return the text of the position of an element with these keys."""
    keys = [order, at.astimezone(UTC).isoformat(), *ids] if at else [order, *ids]
    return urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def parse_ids(text: str, order: str, count: int) -> tuple[int, ...] | None:
    """Return the ids of a position without an instant, None for a text that is no such position of this list."""
    ids = _ids(_parse(text)[1:], count)
    return ids if ids and format_position(order, *ids) == text else None


def parse_instant_and_ids(text: str, order: str, count: int) -> tuple[datetime, tuple[int, ...]] | None:
    """Return the instant, in UTC, and the ids of a position, None for a text that is no such position of this list."""
    first, *rest = _parse(text)[1:] or [None]
    ids = _ids(rest, count)
    try:
        at = datetime.fromisoformat(first) if isinstance(first, str) and ids else None
        return (at, ids) if at and ids and format_position(order, *ids, at=at) == text else None
    except (ValueError, OverflowError):
        return None


def parse_instant_and_id(text: str, order: str) -> tuple[datetime, int] | None:
    """Return the instant, in UTC, and the id of a position, None for a text that is no such position of this list."""
    position = parse_instant_and_ids(text, order, 1)
    return (position[0], position[1][0]) if position else None


def has_more[Row: Model](rows: QuerySet[Row], page: Sequence[Row], begin: int = 0) -> bool:
    """Return whether there are rows after those of the page, which began at the offset `begin`; looked for in their
    order, which has an index. One query.

    The rows of the page are left out by their ids and not counted: one that has left the list since it was read would
    be made up for by the row that follows the page, and that one would be in no page.

    None is loaded: the access log takes every patient who is loaded for one who was shown."""
    others = rows.exclude(pk__in=[row.pk for row in page])
    return bool(others.prefetch_related(None).values_list("pk", flat=True)[begin : begin + 1])


def _parse(text: str) -> list[object]:
    """Return the keys in a text, an empty list for any other text."""
    try:
        keys = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return []
    return keys if isinstance(keys, list) else []


def _ids(keys: list[object], count: int) -> tuple[int, ...] | None:
    ids = tuple(key for key in keys if type(key) is int and 0 <= key <= BigIntegerField.MAX_BIGINT)
    return ids if len(ids) == len(keys) == count else None
