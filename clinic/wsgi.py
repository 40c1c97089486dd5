import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

django = get_wsgi_application()


def application(environ, start_response):
    """To programs everything is UTF-8, as JSON is. Of any charset that one declares, Django would make the reading of
    its query, and fail where no view can answer for it."""
    if environ.get("PATH_INFO", "").startswith(settings.PROGRAMS):
        environ["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "").partition(";")[0]
    return django(environ, start_response)
