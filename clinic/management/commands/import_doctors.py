"""Bring a spreadsheet of doctors into a clinic (`clinic.exchange`)."""

from clinic.management.importing import HELP, OverwritingImportCommand
from clinic.models import ImportRun


class Command(OverwritingImportCommand):
    help = HELP.format(rows="doctors")
    kind, name = ImportRun.Kind.DOCTORS, "import_doctors"
