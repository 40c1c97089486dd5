import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

django = get_wsgi_application()
# The views and what they need are loaded now instead of by the first request, and all that is loaded stays: looking
# through it for garbage again and again took a fifth of every request's time.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()


def application(environ, start_response):
    """To programs everything is UTF-8, as JSON is. Of any charset that one declares, Django would make the reading of
    its query, and fail where no view can answer for it."""
    if environ.get("PATH_INFO", "").startswith(settings.PROGRAMS):
        environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").partition(";")[0]
    return django(environ, start_response)
