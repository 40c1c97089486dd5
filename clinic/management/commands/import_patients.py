"""Bring a spreadsheet of patients into a clinic (`clinic.exchange`)."""

from django.core.management.base import CommandParser

from clinic.management.importing import HELP, ImportCommand
from clinic.models import ImportRun


class Command(ImportCommand):
    help = HELP.format(rows="patients")
    kind, name = ImportRun.Kind.PATIENTS, "import_patients"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--overwrite", action="store_true", help="of known patients change what differs, too")
