"""Draws the grid of the day, the one template that Jinja renders (Django's backend for it, see settings.TEMPLATES)."""

from typing import Any

from django.template import loader
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from jinja2 import Environment


def environment(**options: Any) -> Environment:
    """Return Jinja's environment with Django's translations; values are escaped."""
    environment = Environment(extensions=["jinja2.ext.i18n"], **options)  # noqa: S701 - Django's backend sets autoescape
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined] # by the extension
    return environment


def grid_html(context: dict[str, Any]) -> SafeString:
    """Return the HTML of the grid of the day in `context`."""
    return SafeString(loader.get_template("agenda/grid.html", using="jinja2").render(context))
