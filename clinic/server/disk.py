"""Files without a name, for what the memory should not hold: nothing of them stays, even of a killed process.

They are in the data folder where there is one, since the system's folder for temporary files may be in the memory. The
database may be on the same disk, and stops once that is full: they leave a RESERVE to it.
"""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Buffer
from contextlib import suppress
from typing import IO

from django.conf import settings

RESERVE = 512 * 1024 * 1024  # bytes of the disk
PIECE = 256 * 1024  # is written at a time


class UnnamedFile(io.BufferedRandom):
    """An open file. `kept` is any object that goes with it while it is open, and while an answer is sent from it."""

    kept: object = None

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.kept = None


def unnamed_file() -> UnnamedFile:
    """Return an open file that only this process reaches, and that is gone once it is closed. Raises OSError, as its
    writing does, where less than RESERVE is free."""
    folder = settings.DATA_DIR if os.access(settings.DATA_DIR, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        raw = _Reserving(os.dup(file.fileno()), "r+b")
    try:
        raw.refuse_if_scarce()
    except OSError:
        raw.close()
        raise
    return UnnamedFile(raw, PIECE)


def close_file(file: IO[bytes] | None) -> None:
    """Close a file, if there is one, whose last bytes may find no room either."""
    with suppress(OSError):
        if file:
            file.close()


class _Reserving(io.FileIO):
    def write(self, data: Buffer, /) -> int:
        self.refuse_if_scarce()
        return super().write(data)

    def refuse_if_scarce(self) -> None:
        if shutil.disk_usage(self.fileno()).free < RESERVE:
            raise OSError(errno.ENOSPC, "Less of the disk is free than its reserve")
