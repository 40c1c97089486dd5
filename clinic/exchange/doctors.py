"""What becomes of rows of doctors: a batch at a time, in the transaction of `clinic.exchange.runs`.

Hours and procedures are those of who is new: of a doctor who is there already others depend on them, and the
administration shows whose appointments a change would touch.
"""

import re
from functools import partial
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.exchange.directory_cells import ReadRow, doctor_reader, title_and_name
from clinic.exchange.directory_rows import write_as_checked
from clinic.exchange.earlier_rows import EarlierRows, write_keys
from clinic.exchange.fates import refuse_row
from clinic.exchange.taking_back import Changes, take_back_changed, take_back_made
from clinic.models import Clinic, Doctor, ImportRow, ImportRun
from clinic.models.doctor import USUAL_INTERVAL
from clinic.registry import (
    Author,
    DoctorFault,
    DoctorRefused,
    change_imported_doctor,
    check_doctor,
    delete_imported_doctors,
    doctor_version,
    doctors_named,
    register_doctor,
)

Fate = ImportRow.Fate
SENTENCES = {
    DoctorFault.NAME_MISSING: gettext_lazy("Falta o nome."),
    DoctorFault.NAME_WITHOUT_LETTERS: gettext_lazy("O nome não tem nenhuma letra."),
    DoctorFault.NAME_TAKEN: gettext_lazy("Já há um médico ou uma médica com este nome."),
    DoctorFault.HOURS_OVERLAP: gettext_lazy("Horário da semana: há horários que se sobrepõem."),
    DoctorFault.ENDS_NOT_AFTER_START: gettext_lazy("Horário da semana: há um fim que não é depois do início."),
}
NOT_DIGITS = re.compile(r"\D")
CHANGED = ("title", "council_number", "specialty")  # of a doctor who is there already


def check(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Say of each row what would become of it. Writes nothing but the rows."""
    read = _read(run, rows, clinic)
    earlier = EarlierRows(run, rows)
    for row, each in zip(rows, read, strict=True):
        number, is_namesake = earlier.find(row), earlier.has_another_number(row)
        if not each.sentences and number is not None and not is_namesake:
            row.fate, row.sentences = Fate.DUPLICATE, [_("É a linha %(number)s.") % {"number": number}]
            continue
        _examine(row, each, clinic, overwrites=run.overwrites)
        if row.fate != Fate.REFUSED and is_namesake and _takes_number(row):
            refuse_row(row, [_("A linha %(number)s tem este nome com outro registro.") % {"number": number}])
        if row.fate != Fate.REFUSED and (number := earlier.with_number(row)) is not None:
            refuse_row(row, [_("O registro no conselho já está na linha %(number)s.") % {"number": number}])
        if row.fate != Fate.REFUSED:
            earlier.add(row)


def import_rows(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Do what the check has found, by the rules as they are now: where these find something else, the row says so."""
    wanted = [row for row in rows if row.fate in {Fate.NEW, Fate.CHANGED}]
    examine = partial(_examine, clinic=clinic, overwrites=run.overwrites)
    read = zip(wanted, _read(run, wanted, clinic), strict=True)
    write_as_checked(read, examine, partial(_write, clinic=clinic, by=by))


def take_back(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Delete the doctors that these rows have made, and give back what they have changed, if nobody has changed it
    since. Those with nothing but appointments that were taken back are switched off."""
    kept = _("Não foi desfeito: já mudou, ou já tem agendamento, ausência, usuário ou outro registro.")
    take_back_made(rows, "doctor_id", partial(delete_imported_doctors, clinic, by=by), kept)
    take_back_changed(rows, "doctor_id", partial(_restored, clinic=clinic, by=by))


def _read(run: ImportRun, rows: list[ImportRow], clinic: Clinic) -> list[ReadRow]:
    """Return what the rows say, with title and name apart, and their keys written into them. One query."""
    reader = doctor_reader(run.columns, clinic)
    read = [reader.read(row.cells) for row in rows]
    for row, each in zip(rows, read, strict=True):
        each.values["title"], each.values["name"] = title_and_name(each.values)
        write_keys(row, each.values["name"], each.values.get("council_number", ""))
    return read


def _examine(row: ImportRow, read: ReadRow, clinic: Clinic, *, overwrites: bool) -> None:
    """Write into the row what would become of it, with the id of the doctor who is meant."""
    values, number = read.values, read.values.get("council_number")
    row.doctor_id, row.changes, row.sentences = None, {}, []
    owner = Doctor.objects.of(clinic).filter(council_number=number).order_by("pk").first() if number else None
    named = list(doctors_named(clinic, values["name"])) if values["name"] else []
    sentences = list(read.sentences)
    if owner and owner not in named:
        sentences.append(_("O registro %(number)s já é de %(name)s.") % {"number": number, "name": owner.full_name})
    if len(named) > 1 and owner is None:
        sentences.append(_("Há mais de um com este nome. Traga a coluna do registro no conselho."))
    known = owner or (named[0] if named else None)
    if known and len(named) == 1 and number and _digits(known.council_number) not in {"", _digits(number)}:
        sentences.append(
            _("%(name)s tem o registro %(stored)s, e não %(number)s.")
            % {"name": known.full_name, "stored": known.council_number, "number": number}
        )
    if not sentences and known is None:
        sentences = [_sentence(fault) for fault in check_doctor(clinic, **_of_week(values), name=values["name"])]
    if sentences:
        refuse_row(row, sentences)
    elif known is None:
        row.fate = Fate.NEW
    else:
        row.doctor_id, row.changes = known.pk, _changes(known, values, overwrites=overwrites)
        row.fate = Fate.CHANGED if row.changes else Fate.SAME
        if {"week", "procedures"} & values.keys():
            row.sentences = [_("Já está na clínica: horário e procedimentos ficam como estão.")]


def _takes_number(row: ImportRow) -> bool:
    """Return whether the doctor of a row is not there yet, or would get the number of the row."""
    return row.doctor_id is None or "council_number" in row.changes


def _digits(number: str) -> str:
    """Return what two ways of writing a council number have in common."""
    return NOT_DIGITS.sub("", number) or number


def _of_week(values: dict[str, Any]) -> dict[str, Any]:
    procedures, hours = values.get("procedures", ()), values.get("week", ())
    return {"procedures": procedures, "hours": hours, "interval_minutes": USUAL_INTERVAL}


def _changes(known: Doctor, values: dict[str, Any], *, overwrites: bool) -> dict[str, list[Any]]:
    given = {name: values[name] for name in CHANGED if values.get(name)}
    return {
        name: [getattr(known, name), value]
        for name, value in given.items()
        if value != getattr(known, name) and (overwrites or not getattr(known, name))
    }


def _write(row: ImportRow, read: ReadRow, clinic: Clinic, by: Author) -> None:
    try:
        doctor = _written(row, read.values, clinic, by)
    except DoctorRefused as refused:
        refuse_row(row, [_sentence(fault) for fault in refused.faults])
    else:
        row.doctor_id, row.version = doctor.pk, doctor_version(doctor)


def _written(row: ImportRow, values: dict[str, Any], clinic: Clinic, by: Author) -> Doctor:
    if row.doctor_id is not None:
        after = {name: pair[1] for name, pair in row.changes.items()}
        return change_imported_doctor(row.doctor_id, after, clinic=clinic, by=by)
    texts = {name: values.get(name, "") for name in ("name", "title", "council_number", "specialty")}
    of_week = {"procedures": values.get("procedures", ()), "hours": values.get("week", ())}
    return register_doctor(clinic, **texts, **of_week, by=by)


def _restored(pk: int, changes: Changes, clinic: Clinic, by: Author) -> bool:
    """Give a doctor back what the import has changed; False where one of the columns was changed since, who left, or
    where another doctor has the number meanwhile."""
    doctor = Doctor.objects.of(clinic).filter(pk=pk, active=True).first()
    if doctor is None or any(getattr(doctor, name) != after for name, (_before, after) in changes.items()):
        return False
    before = {name: pair[0] for name, pair in changes.items()}
    try:
        change_imported_doctor(pk, before, clinic=clinic, by=by)
    except IntegrityError:
        return False
    return True


def _sentence(fault: DoctorFault) -> str:
    return str(SENTENCES.get(fault, fault.name))
