"""The lists of what has changed since an instant: `items`, and in `deleted` what a program removes from its copy."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpResponse

from clinic.api import keyset
from clinic.api.json_schema import JsonObject
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import MivicallRequest, answer
from clinic.api.mivicall.expand import expand
from clinic.api.mivicall.reading import Reading
from clinic.api.moments import format_moment
from clinic.models import Appointment, Patient
from clinic.queries.changes import Changed, next_since, settled_until

NOT_A_CURSOR = "Não é um cursor desta lista."
FILTER_WITH_SINCE = "Não vai com updatedSince, porque o que deixasse de caber no filtro não viria."
WITH_SINCE = {"updatedSince", "limit", "cursor", "expand"}


def answer_changes[Row: (Appointment, Patient)](
    request: MivicallRequest,
    reading: Reading,
    changed: Changed[Row],
    *,
    order: str,
    show: Callable[[Row], JsonObject],
    deleted_at: Callable[[Row], datetime | None],
) -> HttpResponse:
    """Answer a page of what changed since `updatedSince`, and at the end from when to ask next time.

    No filter goes with it: what has left a filter would not be listed, and so be kept by the program for ever.
    """
    values = reading.values
    after = keyset.parse_instant_and_id(values["cursor"], order) if "cursor" in values else None
    if "cursor" in values and after is None:
        reading.errors["cursor"] = NOT_A_CURSOR
    reading.errors |= dict.fromkeys(sorted(request.GET.keys() - WITH_SINCE), FILTER_WITH_SINCE)
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    since, until = values["updatedSince"], settled_until()
    limit = values.get("limit", schemas.DEFAULT_LIMIT)
    rows = changed(request.clinic, since, until, after)
    page = list(rows[:limit])
    body: JsonObject = {
        "items": expand(request.clinic, [show(row) for row in page if deleted_at(row) is None], values),
        "deleted": [schemas.deleted(row, at) for row in page if (at := deleted_at(row))],
    }
    if len(page) == limit and keyset.has_more(rows, page):
        body["nextCursor"] = keyset.format_position(order, page[-1].pk, at=page[-1].changed_at)
    else:
        body["nextUpdatedSince"] = format_moment(next_since(since, until))
    return answer(body)
