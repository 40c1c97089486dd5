"""Bring a spreadsheet of patients into a clinic (`clinic.exchange`)."""

from clinic.management.importing import HELP, OverwritingImportCommand
from clinic.models import ImportRun


class Command(OverwritingImportCommand):
    help = HELP.format(rows="patients")
    kind, name = ImportRun.Kind.PATIENTS, "import_patients"
