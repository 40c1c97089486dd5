"""The lockout by django-axes, which counts failures of one user name at one address (see `addresses`)."""

from math import ceil
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from clinic.access import guessing
from clinic.models.staff import folded_username


def minutes_left(request: HttpRequest, credentials: dict[str, Any]) -> int:
    """Return the minutes until this user name may be tried again at this address, whether or not it exists."""
    (attempts,) = AxesDatabaseHandler().get_user_attempts(request, credentials)
    newest = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True).first() or timezone.now()
    left = newest + settings.AXES_COOLOFF_TIME - timezone.now()
    return max(1, ceil(left.total_seconds() / 60))


def counted_username(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name under which django-axes counts a try: `Recepcao` and `recepcao` are one user."""
    return folded_username((credentials or request.POST).get("username") or "")


def unlock(username: str) -> None:
    """Let this user try again at once, from every address."""
    AccessAttempt.objects.filter(username=folded_username(username)).delete()
    guessing.unlock(username)
