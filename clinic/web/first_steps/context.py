"""Whether a page says that the clinic is not set up yet, asked only where a template reads it."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest

from clinic.queries.set_up import is_set_up


def set_up(request: HttpRequest) -> dict[str, Callable[[], bool]]:
    """Give every template `set_up_is_open`: true for a manager of a clinic that cannot book yet."""

    @cache
    def set_up_is_open() -> bool:
        clinic, user = getattr(request, "clinic", None), getattr(request, "user", None)
        return bool(clinic and user and user.is_authenticated and user.is_manager and not is_set_up(clinic))

    return {"set_up_is_open": set_up_is_open}
