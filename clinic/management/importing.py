"""What the commands have in common that bring a spreadsheet into a clinic, as the page *Importar* does."""

from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation

from clinic import exchange
from clinic.management.lookup import get_clinic
from clinic.models import Clinic, ImportRun, PatientEvent
from clinic.queries import imports
from clinic.refusals import Refused
from clinic.registry import Author

HELP = (
    "Brings {rows} from a CSV, XLSX or ODS file into a clinic. Without --import it only checks every row. The run"
    " is on the page Importar too; with its number it can be resumed after a crash, or taken back for 30 days."
)


class ImportCommand(BaseCommand):
    """A command for one kind of spreadsheet; its name stands in the history of what it brings."""

    kind: ClassVar[ImportRun.Kind]
    name: ClassVar[str]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the spreadsheet")
        parser.add_argument("--clinic", required=True, help="the clinic's slug")
        parser.add_argument(
            "--import", action="store_true", dest="imports", help="import what the check has not refused"
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="HEADING=FIELD",
            help="what a column is; may be empty",
        )
        parser.add_argument(
            "--month-first", action="append", default=[], metavar="HEADING", help="a column of dates month/day/year"
        )
        parser.add_argument("--resume", type=int, metavar="RUN", help="go on with a run that was interrupted")
        parser.add_argument("--take-back", type=int, metavar="RUN", help="take a run back")

    def handle(self, *, clinic: str, **options: Any) -> None:
        found = get_clinic(clinic)
        with timezone.override(found.zone), translation.override(found.language):
            try:
                self._handle(found, **options)
            except exchange.ImportRefused as refused:
                raise CommandError(str(refused)) from refused
            except ImportRun.DoesNotExist as missing:
                raise CommandError("This clinic has no such run.") from missing
            except Refused as refused:
                raise CommandError(f"{refused.refusals[0].message} Go on with --resume.") from refused

    def _handle(self, clinic: Clinic, **options: Any) -> None:
        by = Author(PatientEvent.Channel.COMMAND, credential=self.name)
        if options["take_back"] is not None:
            run = exchange.take_back(self._run(clinic, options["take_back"]).pk, clinic=clinic, by=by)
        elif options["resume"] is not None:
            run = self._run(clinic, options["resume"])
        elif options["file"] is not None:
            run = self._staged(clinic, by, **options)
        else:
            raise CommandError("Name a file, or a run with --resume or --take-back.")
        run = self._to_the_end(run, clinic, by)
        if options["imports"] and run.state == ImportRun.State.CHECKED:
            run = self._to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
        self.stdout.write(f"Run {run.pk}: {run.get_state_display()}")
        for each in imports.counts(run):
            self.stdout.write(f"  {each.label}: {each.count}")

    def _run(self, clinic: Clinic, pk: int) -> ImportRun:
        return ImportRun.objects.of(clinic).get(pk=pk, kind=self.kind)

    def _staged(self, clinic: Clinic, by: Author, **options: Any) -> ImportRun:
        try:
            with options["file"].open("rb") as file:
                run = exchange.stage(file, options["file"].name, clinic=clinic, by=by, kind=self.kind)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}") from error
        kind = " ".join(
            filter(None, [run.file_format, run.encoding, f"separator {run.separator!r}" * bool(run.separator)])
        )
        self.stdout.write(f"Run {run.pk}: {run.total} rows, {kind}")
        try:
            return self._chosen(run, clinic, **options)
        except (CommandError, exchange.ImportRefused):
            exchange.discard(run.pk, clinic=clinic)
            raise

    def _chosen(self, run: ImportRun, clinic: Clinic, **options: Any) -> ImportRun:
        wanted = dict(text.partition("=")[::2] for text in options["column"])
        for heading in [*wanted, *options["month_first"]]:
            if heading not in run.headings:
                raise CommandError(f"There is no column {heading!r}. The columns are: {', '.join(run.headings)}")
        fields = [wanted.get(heading, field) for heading, field in zip(run.headings, run.columns, strict=True)]
        month_first = [place for place, heading in enumerate(run.headings) if heading in options["month_first"]]
        return exchange.choose_columns(
            run.pk, fields, month_first=month_first, overwrites=options.get("overwrite", False), clinic=clinic
        )

    def _to_the_end(self, run: ImportRun, clinic: Clinic, by: Author) -> ImportRun:
        while run.is_under_way:
            run = exchange.advance(run.pk, clinic=clinic, by=by)
        return run


class OverwritingImportCommand(ImportCommand):
    """A command for a kind of spreadsheet that can change what is known already."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--overwrite", action="store_true", help="of known ones change what differs, too")
