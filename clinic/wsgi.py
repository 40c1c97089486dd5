import gc
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any
from wsgiref.types import StartResponse

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.translation.trans_real import translation

from clinic.server.environ import DECLARED_TYPE
from clinic.server.uploads import PREFIX

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

CONTENT_TYPE_LENGTH = 200
MAX_SENTENCES = 8192  # of a language that are kept as they are translated
FILE_FORM = re.compile(r"""multipart/form-data; ?boundary="?([\w'()+,./:=?-]{1,70})"?""", re.ASCII | re.IGNORECASE)

django = get_wsgi_application()
# Load the views and their imports now instead of during the first request, and exempt everything loaded from garbage
# collection: repeated collections took a fifth of every request's time.
import_module(settings.ROOT_URLCONF)
for language, _name in settings.LANGUAGES:
    # A sentence that stays as it is, as ours do in Brazil, is sought in eight catalogues, one after another, and a page
    # of the desk asks for a hundred.
    catalogue = translation(language)
    catalogue.gettext = lru_cache(MAX_SENTENCES)(catalogue.gettext)  # type: ignore[method-assign]  # the same, kept
gc.collect()
gc.freeze()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Run Django with a Content-Type that has no parameters and a limited length.

    Forms and queries are read as UTF-8, whatever charset is declared: our forms use it, and so does JSON. Django would
    read the query in the declared charset, and fails before it can render an error page when it cannot read the header.
    The one address that takes a file keeps the boundary of its form.
    """
    environ[DECLARED_TYPE] = declared = environ.get("CONTENT_TYPE", "")
    environ["CONTENT_TYPE"] = _content_type(declared, environ.get("PATH_INFO", ""))
    return django(environ, start_response)


def _content_type(declared: str, path: str) -> str:
    if path.startswith(PREFIX) and (form := FILE_FORM.fullmatch(declared.strip())):
        return f"multipart/form-data; boundary={form[1]}"
    return declared.partition(";")[0][:CONTENT_TYPE_LENGTH]
