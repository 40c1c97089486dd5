"""The whole clinic as one file, for managers: what is in it, and the file itself, which is an access to every patient.

It is written to a file on the disk before the answer begins: the database's snapshot does not last as long as a slow
download, and an answer that has begun is complete. `clinic.server.application` sends it from there, without a thread
and however large it is. The file has no name: nothing of it stays, however the request or the process ends. There is
one file of each clinic at a time, from when it is made until it is sent: the archive's lock goes with it.
"""

import logging
from contextlib import ExitStack
from http import HTTPStatus
from weakref import finalize

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.exchange import archive
from clinic.models import shown
from clinic.queries import exported
from clinic.server.disk import close_file, unnamed_file
from clinic.web.panel import author
from clinic.web.responses import private

logger = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@manager_required
def page(request: ClinicRequest) -> HttpResponseBase:
    """Say what the file holds; a POST answers it."""
    if request.method != "POST":
        return _page(request)
    try:
        lock = archive.ArchiveLock(request.clinic)
    except archive.BeingWritten:
        return _page(
            request,
            _(
                "O arquivo já está sendo feito ou baixado em outra janela, ou por outra pessoa."
                " Espere o download terminar e tente de novo."
            ),
        )
    try:
        return private(_answer(request, lock))
    except OSError:
        logger.exception("An archive of a clinic could not be written to the disk")
        return _page(request, _("O disco do servidor não tem lugar para o arquivo. Fale com quem cuida dele."))


def _answer(request: ClinicRequest, lock: archive.ArchiveLock) -> FileResponse:
    """Return the archive as an answer that holds the lock until it is closed. Raises OSError.

    What fails closes lock and file itself: its traceback refers to both, and may be in a cycle."""
    clinic = request.clinic
    with ExitStack() as opened:
        opened.callback(lock.close)
        file = unnamed_file()
        opened.callback(close_file, file)
        file.kept = lock
        archive.write_archive(lock, file, timezone.now())
        file.flush()
        archive.record_export(clinic, author(request))
        shown.add_ids(exported.patient_ids(clinic), clinic.pk)
        size = file.tell()
        file.seek(0)
        name = f"{clinic.slug}-{clinic.local(timezone.now()):%Y-%m-%d}.zip"
        response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
        response["Content-Length"] = str(size)
        finalize(response, file.close)  # one that is never sent, too
        opened.pop_all()
    return response


def _page(request: ClinicRequest, sentence: str = "") -> HttpResponse:
    counts = exported.counts(request.clinic)
    context = {
        "counts": counts,
        "grouped": {name: number_format(number, force_grouping=True) for name, number in counts.items()},
        "sentences": [sentence] if sentence else [],
    }
    status = HTTPStatus.CONFLICT if sentence else None
    return private(render(request, "exporting/whole_clinic.html", context, status=status))
