"""A form of the admin that adds a row, sent twice: a double click, or a page that was reloaded, adds one row.

The form has a key; with what was typed it tells one sending from all others. Django's log of additions keeps the digest
of both, and nothing keeps the key, so that no password can be guessed from it.
"""

import json
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from clinic.models.locks import hold_advisory

FIELD = "add_key"
REMEMBERED = timedelta(hours=1)  # no reload of a page is older, and the log is searched no further back
LOCK = "hashtextextended(%s, 0)"


def new_key() -> str:
    """Return a key for a new page."""
    return str(uuid4())


def submission_id(request: HttpRequest) -> str:
    """Return a digest of the form's key and fields, "" without a key: equal for the same form sent twice."""
    try:
        key = UUID(request.POST.get(FIELD, ""))
    except ValueError:
        return ""
    typed = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    return str(uuid5(key, json.dumps(typed)))


def added_before(request: HttpRequest, model: type[Model]) -> str | None:
    """Return the id of the row that the same sending has added already.

    Within a transaction: holds an advisory lock, so that of two clicks the second waits for the first. Raises
    OperationalError (55P03, 57014) when that takes too long.
    """
    if not (submission := submission_id(request)):
        return None
    with connection.cursor() as cursor:
        hold_advisory(cursor, LOCK, [submission])
    entries = LogEntry.objects.filter(
        user=request.user.pk,
        content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
        action_flag=ADDITION,
        action_time__gte=timezone.now() - REMEMBERED,
        change_message__contains=submission,
    )
    return entries.values_list("object_id", flat=True).first()
