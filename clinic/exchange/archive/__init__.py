"""A whole clinic as one file: written from a running installation, read into an empty one."""

from clinic.exchange.archive.lock import ArchiveLock, BeingWritten
from clinic.exchange.archive.reading import ArchiveRefused, Brought, read_archive
from clinic.exchange.archive.recording import record_export, record_import
from clinic.exchange.archive.tables import LEFT_OUT, LEFT_OUT_COLUMNS, TABLES, Table
from clinic.exchange.archive.writing import write_archive

__all__ = [
    "LEFT_OUT",
    "LEFT_OUT_COLUMNS",
    "TABLES",
    "ArchiveLock",
    "ArchiveRefused",
    "BeingWritten",
    "Brought",
    "Table",
    "read_archive",
    "record_export",
    "record_import",
    "write_archive",
]
