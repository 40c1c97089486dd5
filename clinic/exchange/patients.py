"""What becomes of rows of patients: a batch at a time, in the transaction of `clinic.exchange.runs`."""

import json
from collections.abc import Sequence
from functools import partial

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils.translation import gettext as _

from clinic.exchange.fates import CHANGED_SINCE, raise_if_held, refuse_row
from clinic.exchange.patient_cells import Reader, simplified
from clinic.exchange.taking_back import take_back_changed, take_back_made
from clinic.models import Clinic, ImportRow, ImportRun, Payer
from clinic.refusals import Refusal, Refused
from clinic.registry import (
    Author,
    CleanedDetails,
    change_imported,
    cleaned_row,
    delete_registered,
    examine_row,
    folded_letters,
    keys_of,
    patient_version,
    perhaps_known,
    register_imported,
    restore_changed,
    same_in_file,
)

Fate = ImportRow.Fate
# Key by key: for all keys at once PostgreSQL would read all rows of the run, batch after batch.
SHARING_SQL = """
    SELECT sharing.id FROM unnest(%s::text[]) AS key CROSS JOIN LATERAL (
        SELECT id, run_id, number FROM clinic_importrow WHERE keys @> ARRAY[key] OFFSET 0
    ) AS sharing WHERE run_id = %s AND number < %s
"""


def check(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Say of each row what would become of it. Writes nothing but the rows."""
    reader = _reader(run, clinic)
    read = [reader.read(row.cells) for row in rows]
    cleaned = [cleaned_row(details, clinic) for details, _sentences in read]
    letters = folded_letters([each.details.name for each in cleaned])
    for row, each, folded in zip(rows, cleaned, letters, strict=True):
        row.keys = keys_of(each.details, folded)
    earlier = _Earlier(run, rows, reader, clinic)
    perhaps = perhaps_known(cleaned, clinic, lock=False)
    for place, (row, each, folded, (_details, sentences)) in enumerate(zip(rows, cleaned, letters, read, strict=True)):
        if sentences:
            others = [refusal.message for refusal in each.refusals if refusal.field not in sentences]
            refuse_row(row, [*sentences.values(), *others])
            continue
        if (found := earlier.find(row, each, folded)) is not None:
            number, refusals = found
            here = _("Igual à linha %(number)s.") % {"number": number}
            there = _("É a linha %(number)s.") % {"number": number}
            row.sentences = [refusal.message for refusal in refusals] + [there if refusals else here]
            row.fate = Fate.REFUSED if refusals else Fate.DUPLICATE
            continue
        examined = examine_row(each, clinic, overwrites=run.overwrites, lock=False, is_new=place not in perhaps)
        row.patient_id = examined.known.pk if examined.known else None
        if examined.refusals:
            refuse_row(row, [refusal.message for refusal in examined.refusals])
        elif row.patient_id and (line := earlier.line_of(row.patient_id)):
            row.fate, row.sentences = Fate.DUPLICATE, [_("É o mesmo paciente da linha %(number)s.") % {"number": line}]
            continue
        elif examined.known is None:
            row.fate = Fate.NEW
        else:
            row.fate, row.changes = (Fate.CHANGED if examined.changes else Fate.SAME), examined.changes
        if row.fate != Fate.REFUSED:
            earlier.add(row, each, folded)


def import_rows(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Do what the check has found, by the rules as they are now: where these find something else, the row says so."""
    reader = _reader(run, clinic)
    new: list[tuple[ImportRow, CleanedDetails]] = []
    wanted = [row for row in rows if row.fate in {Fate.NEW, Fate.CHANGED}]
    several = [cleaned_row(reader.read(row.cells)[0], clinic) for row in wanted]
    perhaps = perhaps_known(several, clinic, lock=True)
    for place, (row, cleaned) in enumerate(zip(wanted, several, strict=True)):
        examined = examine_row(cleaned, clinic, overwrites=run.overwrites, lock=True, is_new=place not in perhaps)
        if examined.refusals:
            refuse_row(row, [refusal.message for refusal in examined.refusals])
        elif examined.known is None and row.fate == Fate.NEW:
            new.append((row, cleaned))
        elif examined.known is not None and not examined.changes:
            row.fate, row.patient_id, row.changes = Fate.SAME, examined.known.pk, {}
        elif examined.known is None or _as_json(examined.changes) != _as_json(row.changes):
            refuse_row(row, [str(CHANGED_SINCE)])
        else:
            try:
                patient = change_imported(examined.known, examined.changes, clinic, by)
            except Refused as refused:
                raise_if_held(refused)
                refuse_row(row, [refusal.message for refusal in refused.refusals])
            else:
                row.patient_id, row.version = patient.pk, patient_version(patient)
    made = register_imported([cleaned for _row, cleaned in new], clinic, by) if new else []
    for (row, _cleaned), patient in zip(new, made, strict=True):
        row.patient_id, row.version = patient.pk, patient_version(patient)


def take_back(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Delete the patients that these rows have made, and give back what they have changed, if nobody has changed it
    since."""
    kept = _("Não foi desfeito: já mudou, ou já tem agendamento, recado ou outro registro.")
    take_back_made(rows, "patient_id", partial(delete_registered, clinic), kept)
    take_back_changed(rows, "patient_id", partial(restore_changed, clinic=clinic, by=by))


class _Earlier:
    """The rows of the file before each row of a batch that may be the same person."""

    def __init__(self, run: ImportRun, rows: Sequence[ImportRow], reader: Reader, clinic: Clinic) -> None:
        """One query, and another for the letters of what it finds."""
        self.by_key: dict[str, list[tuple[int, CleanedDetails, str]]] = {}
        self.lines: dict[int, int] = {}
        keys = sorted({key for row in rows for key in row.keys})
        kept = [Fate.NEW, Fate.SAME, Fate.CHANGED]
        self.all_before = ImportRow.objects.of(clinic).filter(run=run, number__lt=rows[0].number, fate__in=kept)
        before = self.all_before.filter(pk__in=_sharing(run, keys, rows[0].number))
        found = [(row, cleaned_row(reader.read(row.cells)[0], clinic)) for row in before.order_by("number")]
        letters = folded_letters([cleaned.details.name for _row, cleaned in found]) if found else []
        for (row, cleaned), folded in zip(found, letters, strict=True):
            self.add(row, cleaned, folded)

    def line_of(self, patient_id: int) -> int | None:
        """Return the number of the first row that is this known patient, by whichever of their numbers. One query."""
        if patient_id in self.lines:
            return self.lines[patient_id]
        found = self.all_before.filter(patient_id=patient_id).order_by("number")
        return found.values_list("number", flat=True).first()

    def add(self, row: ImportRow, cleaned: CleanedDetails, letters: str) -> None:
        if row.patient_id:
            self.lines.setdefault(row.patient_id, row.number)
        for key in row.keys:
            self.by_key.setdefault(key, []).append((row.number, cleaned, letters))

    def find(self, row: ImportRow, cleaned: CleanedDetails, letters: str) -> tuple[int, list[Refusal]] | None:
        """Return the number of the first row that is this person, with the refusals where a number is another's."""
        for key in row.keys:
            for number, first, folded in self.by_key.get(key, []):
                refusals = same_in_file(first, cleaned, are_alike=folded == letters)
                if refusals is not None:
                    return number, refusals
        return None


def _sharing(run: ImportRun, keys: list[str], number: int) -> list[int]:
    """Return the ids of the rows before that line which have one of these keys."""
    with connection.cursor() as cursor:
        cursor.execute(SHARING_SQL, [keys, run.pk, number])
        return [pk for (pk,) in cursor.fetchall()]


def _reader(run: ImportRun, clinic: Clinic) -> Reader:
    payers = {simplified(name): pk for pk, name in Payer.objects.of(clinic).values_list("pk", "name")}
    return Reader(run.columns, run.month_first, run.mixed, payers)


def _as_json(changes: object) -> str:
    return json.dumps(changes, cls=DjangoJSONEncoder, sort_keys=True)
