"""Bring a spreadsheet of past and future appointments into a clinic (`clinic.exchange`)."""

from clinic.management.importing import HELP, ImportCommand
from clinic.models import ImportRun


class Command(ImportCommand):
    help = HELP.format(rows="past and future appointments")
    kind, name = ImportRun.Kind.APPOINTMENTS, "import_appointments"
