import gc
import os
from collections.abc import Iterable
from importlib import import_module
from typing import Any
from wsgiref.types import StartResponse

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

CONTENT_TYPE_LENGTH = 200

django = get_wsgi_application()
# Load the views and their imports now instead of during the first request, and exempt everything loaded from garbage
# collection: repeated collections took a fifth of every request's time.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Run Django with a Content-Type that has no parameters and a limited length.

    Forms and queries are read as UTF-8, whatever charset is declared: our forms use it, and so does JSON. Django would
    read the query in the declared charset, and fails before it can render an error page when it cannot read the header.
    """
    environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").partition(";")[0][:CONTENT_TYPE_LENGTH]
    return django(environ, start_response)
