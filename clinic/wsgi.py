import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

CONTENT_TYPE_LENGTH = 200

django = get_wsgi_application()
# The views and what they need are loaded now instead of by the first request, and all that is loaded stays: looking
# through it for garbage again and again took a fifth of every request's time.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()


def application(environ, start_response):
    """The kind of a body is handed on without its parameters, and not at any length.

    Every form and every query is read as UTF-8, whatever charset is declared: ours are, and so is JSON. Django would
    read the query in the declared one, and fails before any page can answer when it cannot read the header."""
    environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").partition(";")[0][:CONTENT_TYPE_LENGTH]
    return django(environ, start_response)
