"""The file of an upload: kept on the disk in a file without a name while it is read, and nowhere afterwards."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from clinic.server.disk import close_file, unnamed_file
from clinic.server.uploads import PREFIX
from clinic.web.middleware import refused_body

logger = logging.getLogger(__name__)


class UnnamedFileHandler(FileUploadHandler):
    """Keep the first file of a form, up to the bound that the server has for its whole body. Others are read and
    dropped; Django's SkipFile would close the first one. `is_lost` says that the disk has not taken the file."""

    file: IO[bytes] | None = None
    is_first = False
    is_lost = False

    def new_file(self, *args: object, **options: object) -> None:
        super().new_file(*args, **options)  # type: ignore[arg-type]  # passed on as they came
        self.is_first = self.file is None and not self.is_lost
        if self.is_first:
            with self._losing():
                self.file = unnamed_file()  # Django closes it with the request

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.file is not None and self.is_first:
            with self._losing():
                self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes] | None":
        if self.file is None or not self.is_first:
            return None
        with self._losing():
            self.file.seek(0)
        return UploadedFile(file=self.file, name=self.file_name, size=file_size) if self.file else None

    @contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            logger.exception("An uploaded file could not be written to the disk")
            close_file(self.file)
            self.file, self.is_lost = None, True


class FileUploadMiddleware:
    """Have the form of the one address that takes a file read into a file. Everywhere else FILE_UPLOAD_HANDLERS is
    empty, and what a form sends as a file is dropped. What the disk has not taken is answered with
    507, whatever became of the form without it. Runs before the CSRF check, which reads the form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "POST" and request.path_info.startswith(PREFIX):
            handler = UnnamedFileHandler(request)
            request.upload_handlers = [handler]
            response = self.get_response(request)
            return refused_body(request, HTTPStatus.INSUFFICIENT_STORAGE) if handler.is_lost else response
        return self.get_response(request)
