"""What becomes of rows of procedures: a batch at a time, in the transaction of `clinic.exchange.runs`."""

from decimal import Decimal
from functools import partial
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.exchange.directory_cells import ReadRow, procedure_reader
from clinic.exchange.directory_rows import write_as_checked
from clinic.exchange.earlier_rows import EarlierRows, write_keys
from clinic.exchange.fates import refuse_row
from clinic.exchange.taking_back import Changes, take_back_changed, take_back_made
from clinic.models import Clinic, ImportRow, ImportRun, Procedure
from clinic.models.procedure import USUAL_DURATION
from clinic.registry import (
    Author,
    ProcedureDetails,
    ProcedureFault,
    ProcedureRefused,
    change_imported_procedure,
    check_procedure,
    delete_imported_procedures,
    price_today,
    procedure_version,
    procedures_named,
    register_procedure,
)

Fate = ImportRow.Fate
SENTENCES = {
    ProcedureFault.NAME_MISSING: gettext_lazy("Falta o nome."),
    ProcedureFault.NAME_WITHOUT_LETTERS: gettext_lazy("O nome não tem nenhuma letra."),
    ProcedureFault.NAME_TAKEN: gettext_lazy("Já há um procedimento com este nome."),
}
CHANGED = ("duration_minutes", "price", "code", "preparation")  # of a procedure that is there already


def check(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Say of each row what would become of it. Writes nothing but the rows."""
    read = _read(run, rows)
    earlier = EarlierRows(run, rows)
    for row, each in zip(rows, read, strict=True):
        if not each.sentences and (number := earlier.find(row)) is not None:
            row.fate, row.sentences = Fate.DUPLICATE, [_("É a linha %(number)s.") % {"number": number}]
            continue
        _examine(row, each, clinic, overwrites=run.overwrites)
        if row.fate != Fate.REFUSED and (number := earlier.with_number(row)) is not None:
            refuse_row(row, [_("O código já está na linha %(number)s.") % {"number": number}])
        if row.fate != Fate.REFUSED:
            earlier.add(row)


def import_rows(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Do what the check has found, by the rules as they are now: where these find something else, the row says so."""
    wanted = [row for row in rows if row.fate in {Fate.NEW, Fate.CHANGED}]
    examine = partial(_examine, clinic=clinic, overwrites=run.overwrites)
    read = zip(wanted, _read(run, wanted), strict=True)
    write_as_checked(read, examine, partial(_write, clinic=clinic, by=by))


def take_back(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Delete the procedures that these rows have made, and give back what they have changed, if nobody has changed it
    since. Those with nothing but appointments that were taken back are switched off."""
    kept = _("Não foi desfeito: já mudou, já é feito por um médico, ou já tem agendamento ou outro registro.")
    take_back_made(rows, "procedure_id", partial(delete_imported_procedures, clinic, by=by), kept)
    take_back_changed(rows, "procedure_id", partial(_restored, clinic=clinic, by=by))


def _read(run: ImportRun, rows: list[ImportRow]) -> list[ReadRow]:
    """Return what the rows say, with their keys written into them."""
    reader = procedure_reader(run.columns)
    read = [reader.read(row.cells) for row in rows]
    for row, each in zip(rows, read, strict=True):
        write_keys(row, each.values.get("name", ""), each.values.get("code", ""))
    return read


def _examine(row: ImportRow, read: ReadRow, clinic: Clinic, *, overwrites: bool) -> None:
    """Write into the row what would become of it, with the id of the procedure that is meant."""
    values = read.values
    row.procedure_id, row.changes, row.sentences = None, {}, []
    known = procedures_named(clinic, values.get("name", "")).first()
    code = values.get("code")
    owner = Procedure.objects.of(clinic).filter(code=code).order_by("pk").first() if code else None
    sentences = list(read.sentences)
    if owner and owner != known:
        sentences.append(_("O código %(code)s já é de “%(name)s”.") % {"code": code, "name": owner.name})
    if known is None and "price" not in values and not read.sentences:
        sentences.append(_("Falta o preço: escreva 0 para o que ninguém paga."))
    if not sentences and known is None:
        sentences = [_sentence(fault) for fault in check_procedure(_details(values))]
    if sentences:
        refuse_row(row, sentences)
    elif known is None:
        row.fate = Fate.NEW
    else:
        known.clinic = clinic
        row.procedure_id, row.changes = known.pk, _changes(known, values, overwrites=overwrites)
        row.fate = Fate.CHANGED if row.changes else Fate.SAME


def _changes(known: Procedure, values: dict[str, Any], *, overwrites: bool) -> dict[str, list[Any]]:
    stored, given = _stored(known), {name: _as_json(values[name]) for name in CHANGED if name in values}
    return {
        name: [stored[name], value]
        for name, value in given.items()
        if value != stored[name] and (overwrites or stored[name] == "")
    }


def _stored(procedure: Procedure) -> dict[str, Any]:
    return {name: getattr(procedure, name) for name in CHANGED} | {"price": _as_json(price_today(procedure))}


def _as_json(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def _details(values: dict[str, Any]) -> ProcedureDetails:
    minutes = values.get("duration_minutes", USUAL_DURATION)
    return ProcedureDetails(name=values.get("name", ""), price=values["price"], duration_minutes=minutes)


def _write(row: ImportRow, read: ReadRow, clinic: Clinic, by: Author) -> None:
    try:
        procedure = _written(row, read.values, clinic, by)
    except ProcedureRefused as refused:
        refuse_row(row, [_sentence(fault) for fault in refused.faults])
    else:
        row.procedure_id, row.version = procedure.pk, procedure_version(procedure)


def _written(row: ImportRow, values: dict[str, Any], clinic: Clinic, by: Author) -> Procedure:
    if row.procedure_id is not None:
        after = {name: values[name] for name in row.changes}
        return change_imported_procedure(row.procedure_id, after, clinic=clinic, by=by)
    texts = {"code": values.get("code", ""), "preparation": values.get("preparation", "")}
    return register_procedure(clinic, _details(values), by, **texts)


def _restored(pk: int, changes: Changes, clinic: Clinic, by: Author) -> bool:
    """Give a procedure back what it had; False where one of the columns was changed since, it is switched off,
    or another procedure has its name or code meanwhile."""
    procedure = Procedure.objects.of(clinic).filter(pk=pk, active=True).first()
    if procedure is None:
        return False
    procedure.clinic = clinic
    stored = _stored(procedure)
    if any(stored[name] != after for name, (_before, after) in changes.items()):
        return False
    before = {name: Decimal(pair[0]) if name == "price" else pair[0] for name, pair in changes.items()}
    try:
        change_imported_procedure(pk, before, clinic=clinic, by=by)
    except (IntegrityError, ProcedureRefused):
        return False
    return True


def _sentence(fault: ProcedureFault) -> str:
    return str(SENTENCES.get(fault, fault.name))
