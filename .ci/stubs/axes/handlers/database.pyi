from abc import ABC
from typing import Any

from axes.models import AccessAttempt
from django.db.models import QuerySet
from django.http import HttpRequest

class AxesDatabaseHandler(ABC):
    def get_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> list[QuerySet[AccessAttempt]]: ...
