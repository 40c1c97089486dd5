"""What stands around every page and is the same for many users: drawn once in a process for each of its variants."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language

register = template.Library()

MAX_VARIANTS = 1024  # of 4 kB each

type Fact = str | bool | tuple[tuple[str, str], ...]


@register.simple_tag(takes_context=True)
def menu(context: dict[str, Any]) -> str:
    """Return the links to the pages that the user may see, that of the present one marked."""
    request, user = context["request"], context["user"]
    return _draw(
        "_menu.html",
        here=request.resolver_match.view_name if request.resolver_match else "",
        has_clinic=request.clinic is not None,
        is_manager=user.is_manager,
        sees_reports=user.sees_reports,
        set_up_is_open=context["set_up_is_open"](),
        month=f"{timezone.localdate():%Y-%m}",
    )


@register.simple_tag(takes_context=True)
def trouble(context: dict[str, Any]) -> str:
    """Return the messages that scripts show when a request has failed. The page of an error may know no user."""
    user = context.get("user")
    return _draw("_trouble.html", is_signed_in=bool(user and user.is_authenticated))


@register.simple_tag
def icon(name: str) -> str:
    """Return what components/icon.html draws, for the pages that are asked for most."""
    return _draw("components/icon.html", name=name)


@register.simple_tag
def announcements(acts: Iterable[tuple[str, str]]) -> str:
    """Return what scripts announce and offer beside a day; `acts` are `booking.forward_verbs`."""
    return _draw("agenda/_announcements.html", acts=tuple(acts))


def _draw(name: str, /, **facts: Fact) -> str:
    """Return the HTML of a template that knows nothing but the language and these facts."""
    if settings.DEBUG:  # where templates are edited
        return render_to_string(name, facts)
    return _drawn(name, get_language(), tuple(facts.items()))


@lru_cache(maxsize=MAX_VARIANTS)
def _drawn(name: str, language: str | None, facts: tuple[tuple[str, Fact], ...]) -> str:
    return render_to_string(name, dict(facts))
