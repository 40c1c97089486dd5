"""Static files as a deployment serves them: in bundles, and each is asked for once by one browser context.

Playwright's `route` would do for bundles, but it sends every request through its driver and turns the cache off.
"""

import mimetypes
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import Http404, HttpResponse

from clinic.bundles import script, style

HEADERS = {"Cache-Control": "max-age=3600, immutable"}


class CollectedFilesHandler(StaticFilesHandler):
    def serve(self, request):
        name = self.file_path(request.path)
        return HttpResponse(_content(name), content_type=mimetypes.guess_type(name)[0], headers=HEADERS)


@cache
def _content(name):
    """Read a file, or join a bundle, once a run: every window of every test loads it anew."""
    if name.startswith("bundles/"):
        return style(name, source) if name.endswith(".css") else script(name, source, set())
    path = finders.find(name)
    if path is None:
        raise Http404(name)
    return Path(path).read_bytes()


def source(name):
    return (settings.ROOT / "static" / name).read_text(encoding="utf-8")
