"""Bring a spreadsheet of procedures into a clinic (`clinic.exchange`)."""

from clinic.management.importing import HELP, OverwritingImportCommand
from clinic.models import ImportRun


class Command(OverwritingImportCommand):
    help = HELP.format(rows="procedures")
    kind, name = ImportRun.Kind.PROCEDURES, "import_procedures"
