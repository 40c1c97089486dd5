"""Templates that Jinja renders, which takes a sixth of the time: those of pages that are mostly cells.

Django's backend for it: see settings.TEMPLATES."""

from typing import Any

from django.http import HttpRequest
from django.template import loader
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from jinja2 import Environment


def environment(**options: Any) -> Environment:
    """Return Jinja's environment with Django's translations; values are escaped."""
    environment = Environment(extensions=["jinja2.ext.i18n"], **options)  # noqa: S701 - Django's backend sets autoescape
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined] # by the extension
    return environment


def render(template: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
    """Return the HTML of a template in templates/jinja2; with the request it knows `csrf_input`."""
    return SafeString(loader.get_template(template, using="jinja2").render(context, request))


def call(template: str, macro: str, *arguments: object) -> SafeString:
    """Return the HTML of a macro of a template in templates/jinja2, which is given no context.

    What stands outside its macros is evaluated anew with each call: Jinja's own `module` would keep it in the language
    of the first request."""
    module = loader.get_template(template, using="jinja2").template.make_module()  # type: ignore[attr-defined] # Jinja's
    return SafeString(getattr(module, macro)(*arguments))
