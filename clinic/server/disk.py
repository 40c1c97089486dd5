"""Files without a name, for what the memory should not hold: nothing of them stays, even of a killed process.

They are in the data folder where there is one, since the system's folder for temporary files may be in the memory.
"""

import os
import tempfile
from typing import IO

from django.conf import settings


def unnamed_file() -> IO[bytes]:
    """Return an open file that only this process reaches, and that is gone once it is closed. Raises OSError."""
    folder = settings.DATA_DIR if os.access(settings.DATA_DIR, os.W_OK | os.X_OK) else None
    return tempfile.TemporaryFile(dir=folder)
