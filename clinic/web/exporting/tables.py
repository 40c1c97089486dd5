"""The lists of the screen as tables of texts, for files: each with the filters of its page."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _

from clinic.exchange import FIELDS, PARTS_OF_NAME
from clinic.form_fields import ids_in
from clinic.models import Appointment, Clinic, Memo, Patient, StaffUser, documents, phones, shown
from clinic.queries import confirmations, exported, memos, pending, queue, recalls
from clinic.queries.printed import sheets
from clinic.web.pending.context import Board
from clinic.web.reading import read_date
from clinic.web.recall.context import COMING
from clinic.web.recall.forms import read_until
from clinic.web.waiting.views import board_of

# Of a patient; parts of the name are one column.
COLUMNS = [name for name in FIELDS if name not in PARTS_OF_NAME[1:]]


class Asked(NamedTuple):
    """What is asked for: the query of the address, at the instant `now`, by the `reader`; `searched` is the text of the
    search of patients whose result is asked for, None for all of them."""

    clinic: Clinic
    query: QueryDict
    now: datetime
    reader: StaffUser
    searched: str | None = None


class Listed(NamedTuple):
    """A list, and whether its file is for managers alone, though others may export."""

    table: "Callable[[Asked], Exported]"
    for_managers: bool = False


class Exported(NamedTuple):
    """A table: the first of `rows` are the headings. `title` is the name of the sheet, `name` that of the file."""

    name: str
    title: str
    rows: Iterator[list[str]]


def patients(asked: Asked) -> Exported:
    """The patients of a search, or all, in the columns that an import reads."""
    clinic = asked.clinic
    found = exported.patients(clinic) if asked.searched is None else exported.searched(clinic, asked.searched)
    rows = ([_written(patient, name, clinic) for name in COLUMNS] for patient in found)
    headings = [str(FIELDS[name]) for name in COLUMNS]
    name = "pacientes" if asked.searched is None else "pacientes-encontrados"
    return Exported(f"{name}-{clinic.local(asked.now):%Y-%m-%d}", _("Pacientes"), chain([headings], rows))


def day(asked: Asked) -> Exported:
    """The list of a date (`dia`), with `medico` of one doctor, by doctor and hour."""
    clinic, doctors = asked.clinic, _doctors(asked.query)
    date_ = read_date(asked.query.get("dia", "")) or clinic.local(asked.now).date()
    found = [sheet for sheet in sheets(clinic, *clinic.day(date_)) if sheet.doctor.pk in doctors or not doctors]
    rows = ([*_visit(visit, clinic), visit.notes] for sheet in found for visit in sheet.appointments)
    return Exported(f"agenda-{date_}", _("Agenda"), chain([[*_visit_headings(), _("Observações")]], rows))


def calls(asked: Asked) -> Exported:
    """The calls before a date (`dia`), in the order of calling."""
    clinic = asked.clinic
    date_ = read_date(asked.query.get("dia", "")) or confirmations.next_day(clinic, now=asked.now)
    found = confirmations.of_day(clinic, date_, now=asked.now)
    rows = ([*_visit(row.appointment, clinic), str(len(row.calls))] for row in found)
    headings = [*_visit_headings(), _("Ligações sem resposta")]
    return Exported(f"confirmacoes-{date_}", _("Confirmações"), chain([headings], rows))


def today(asked: Asked) -> Exported:
    """The queue of today, with `medico` of one doctor."""
    clinic, now, doctors = asked.clinic, asked.now, _doctors(asked.query)
    found = [row for row in queue.rows(clinic, now=now) if row.appointment.doctor_id in doctors or not doctors]
    rows = ([*_visit(row.appointment, clinic), f"{clinic.local(row.appointment.status_since):%H:%M}"] for row in found)
    headings = [*_visit_headings(), _("Desde")]
    return Exported(f"fila-{clinic.local(now):%Y-%m-%d}", _("Fila"), chain([headings], rows))


def due(asked: Asked) -> Exported:
    """The recalls until a date (`ate`), with `medico` those for this doctor."""
    clinic, now = asked.clinic, asked.now
    until = read_until(asked.query.get("ate", "")) or clinic.local(now).date() + COMING
    headings = [_("Data"), _("Paciente"), _("Telefone"), _("Procedimento"), _("Médico(a)"), _("Observações")]
    rows = _recalls(clinic, until, next(iter(_doctors(asked.query)), None), now)
    return Exported(f"retornos-{until}", _("Retornos"), chain([headings], rows))


def wishes(asked: Asked) -> Exported:
    """The open entries of the waiting list as its page has them: with `livre` and `medico` those that it shows."""
    clinic = asked.clinic
    found = [row.entry for row in board_of(clinic, asked.query).found]
    shown.add(entry.patient for entry in found)
    rows = (
        [
            entry.patient.display_name,
            _phone(entry.patient, clinic),
            ", ".join(entry.procedure_names),
            f"{clinic.local(entry.created_at):%d/%m/%Y}",
            entry.note,
        ]
        for entry in found
    )
    headings = [_("Paciente"), _("Telefone"), _("Procedimentos"), _("Desde"), _("Observações")]
    return Exported(f"fila-de-espera-{clinic.local(asked.now):%Y-%m-%d}", _("Fila de espera"), chain([headings], rows))


def unplaced(asked: Asked) -> Exported:
    """All pending appointments, by cause as their page has them."""
    clinic = asked.clinic
    found = Board(clinic, asked.now).found
    ids = [row.pk for row in found]
    appointments, unanswered = pending.with_patients(clinic, ids), pending.calls_without_answer(clinic, ids)
    rows = (
        [*_visit(appointments[row.pk], clinic), str(row.cause), str(len(unanswered.get(row.pk, [])))]
        for row in found
        if row.pk in appointments
    )
    headings = [*_visit_headings(), _("Motivo"), _("Ligações sem resposta")]
    return Exported(f"pendencias-{clinic.local(asked.now):%Y-%m-%d}", _("Pendências"), chain([headings], rows))


def notes(asked: Asked) -> Exported:
    """The memos to be done, with `feitos` those done lately, with `meus` those for the reader or for anybody."""
    clinic, find = asked.clinic, memos.done if "feitos" in asked.query else memos.to_do
    found = find(clinic, asked.now, user=asked.reader if "meus" in asked.query else None, most=None)
    headings = [_("Tipo"), _("Nome"), _("Telefone"), _("Recado"), _("Data"), _("Hora"), _("Paciente")]
    headings += [_("Para quem"), _("Anotado por"), _("Anotado em"), _("Feito por"), _("Feito em")]
    rows = (_memo(memo, clinic) for memo in found)
    return Exported(f"recados-{clinic.local(asked.now):%Y-%m-%d}", _("Recados"), chain([headings], rows))


# All patients with their documents are more than any page shows at once.
TABLES: dict[str, Listed] = {
    "pacientes": Listed(patients, for_managers=True),
    "agenda": Listed(day),
    "confirmacoes": Listed(calls),
    "fila": Listed(today),
    "retornos": Listed(due),
    "fila-de-espera": Listed(wishes),
    "pendencias": Listed(unplaced),
    "recados": Listed(notes),
}


def _memo(memo: Memo, clinic: Clinic) -> list[str]:
    about = memo.appointment.patient if memo.appointment else memo.patient
    return [
        str(memo.get_kind_display()),
        memo.name,
        phones.written(memo.number, clinic.country) if memo.number else "",
        memo.text,
        f"{memo.day:%d/%m/%Y}" if memo.day else "",
        f"{memo.hour:%H:%M}" if memo.hour else "",
        about.display_name if about else "",
        str(memo.recipient or ""),
        str(memo.written_by),
        f"{clinic.local(memo.written_at):%d/%m/%Y %H:%M}",
        str(memo.done_by or ""),
        f"{clinic.local(memo.done_at):%d/%m/%Y %H:%M}" if memo.done_at else "",
    ]


def _recalls(clinic: Clinic, until: date, doctor: int | None, now: datetime) -> Iterator[list[str]]:
    page, has_more = 1, True
    while has_more:
        listed = recalls.listed(clinic, until=until, doctor=doctor, page=page, now=now)
        shown.add(recall.patient for recall in listed.open)
        for recall in listed.open:
            yield [
                f"{recall.due_on:%d/%m/%Y}",
                recall.patient.display_name,
                _phone(recall.patient, clinic),
                recall.procedure.name,
                recall.doctor.full_name if recall.doctor else "",
                recall.note,
            ]
        page, has_more = page + 1, listed.has_more


def _visit_headings() -> list[str]:
    names = (_("Data"), _("Início"), _("Fim"), _("Médico(a)"), _("Paciente"), _("Telefone"), _("Procedimentos"))
    return [*names, _("Situação")]


def _visit(appointment: Appointment, clinic: Clinic) -> list[str]:
    """Return an appointment that was loaded with patient and lines as the cells of `_visit_headings`."""
    starts_at, patient = clinic.local(appointment.starts_at), appointment.patient
    return [
        f"{starts_at:%d/%m/%Y}",
        f"{starts_at:%H:%M}",
        f"{clinic.local(appointment.ends_at):%H:%M}",
        appointment.doctor_name,
        patient.display_name,
        _phone(patient, clinic),
        appointment.procedures_as_booked,
        appointment.get_status_display(),
    ]


def _written(patient: Patient, name: str, clinic: Clinic) -> str:
    """Return a field of a patient as an import reads it."""
    value: Any = getattr(patient, name)
    if name == "phone":
        return _phone(patient, clinic)
    if name == "second_phone":
        return phones.written(patient.other_phone, clinic.country) if patient.other_phone else ""
    if name == "payer_id":
        return patient.payer.name if patient.payer else ""
    if name == "cpf":
        return documents.written_cpf(value) if value else ""
    if name in {"document_type", "no_document"}:
        return str(getattr(patient, f"get_{name}_display")())
    if isinstance(value, bool):
        return _("sim") if value else (_("não") if name == "accepts_whatsapp" else "")
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value or "")


def _phone(patient: Patient, clinic: Clinic) -> str:
    return phones.written(patient.phone, clinic.country) if patient.phone else ""


def _doctors(query: QueryDict) -> list[int]:
    return ids_in(query, "medico")
