"""The part of a list that a request asks for, and the headers that lead to the rest.

`limit` and `offset` count the elements of the array. A program that adds to `offset` may lose or repeat an element when
others are added or removed meanwhile; one that follows `Link` does not.
"""

from collections.abc import Callable
from functools import partial

from django.db.models import Model, QuerySet
from django.http import HttpResponse

from clinic.api import keyset
from clinic.api.gateway import ApiRequest
from clinic.api.imagemais import messages
from clinic.api.imagemais.reading import Query
from clinic.api.moments import format_moment
from clinic.models import Appointment, Patient
from clinic.queries.changes import Changed, next_since, settled_until

MAX_COUNTED = 1000  # a list of a million would be read for its number
NEXT_SINCE = "X-Next-Updated-Since"
WITH_SINCE = {"updatedSince", "limit", "after", "expand"}


class Page[Position]:
    """`after` is the position of the last element before the page, None for a page that begins at `offset`.

    `parse` reads the text of a position, and returns None for any other text; without it the list has no positions."""

    def __init__(self, reader: Query, parse: Callable[[str], Position | None] | None = None) -> None:
        self.limit, self.offset = reader.page()
        self.after: Position | None = None
        if parse and reader.has("after"):
            self.after = parse(reader.text("after", required=False))
            if self.after is None and reader.is_valid("after"):
                reader.add_errors("after", messages.NOT_A_POSITION)
            if reader.has("offset"):
                reader.add_errors("offset", messages.OFFSET_WITH_AFTER)

    def of[Row: Model](
        self,
        rows: QuerySet[Row],
        request: ApiRequest,
        response: HttpResponse,
        position: Callable[[Row], str] | None = None,
    ) -> list[Row]:
        """Return the page's part of the rows, which come after `after`, and set the headers of the answer.

        `position` writes the position of a row; without it the next page begins at an offset."""
        end = self.offset + self.limit
        page = list(rows[self.offset : end])
        has_more = len(page) == self.limit and keyset.has_more(rows, page, self.offset)
        if self.after is None and self.offset == 0:
            # In the order of the list, which has an index, and without what rows are annotated with, so that no table
            # is read from end to end.
            total = rows.values("pk")[: MAX_COUNTED + 1].count() if has_more else len(page)
            if total <= MAX_COUNTED:
                response["X-Total-Count"] = str(total)
        if has_more:
            query = request.GET.copy()
            if position:
                query.pop("offset", None)
                query["after"] = position(page[-1])
            else:
                query["offset"] = str(end)
            address = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
            response["Link"] = f'<{address}>; rel="next"'
        return page


def page_of_changes[Row: (Appointment, Patient)](
    reader: Query, changed: Changed[Row], order: str, request: ApiRequest, response: HttpResponse
) -> list[Row]:
    """Return a page of the rows that changed since `updatedSince`, and set the headers of the answer: at the end of the
    list, from when to ask next time. Raises RequestError.

    No filter goes with it: what has left a filter would not be listed, and so be kept by the program for ever.
    """
    since = reader.since("updatedSince")
    page = Page(reader, partial(keyset.parse_instant_and_id, order=order))
    for name in sorted(request.GET.keys() - WITH_SINCE):
        reader.add_errors(name, messages.FILTER_WITH_SINCE.format(name))
    reader.raise_if_invalid()
    until = settled_until()
    rows = changed(request.clinic, since, until, page.after)
    listed = page.of(rows, request, response, lambda row: keyset.format_position(order, row.pk, at=row.changed_at))
    if "Link" not in response:
        response[NEXT_SINCE] = format_moment(next_since(since, until))
    return listed
