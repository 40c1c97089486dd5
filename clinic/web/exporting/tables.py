"""The lists of the screen as tables of texts, for files: each with the filters of its page."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _

from clinic.exchange import FIELDS
from clinic.form_fields import ids_in
from clinic.models import Appointment, Clinic, Patient, documents, phones, shown
from clinic.queries import confirmations, exported, queue, recalls
from clinic.queries.printed import sheets
from clinic.web.agenda.views import read_date
from clinic.web.recall.context import COMING
from clinic.web.recall.forms import read_until
from clinic.web.waiting.views import board_of

# Of a patient; parts of the name are one column.
COLUMNS = [name for name in FIELDS if name not in {"middle_name", "surname"}]


class Listed(NamedTuple):
    """A list, and whether its file is for managers alone, though others may export."""

    table: "Callable[[Clinic, QueryDict, datetime], Exported]"
    for_managers: bool = False


class Exported(NamedTuple):
    """A table: the first of `rows` are the headings. `title` is the name of the sheet, `name` that of the file."""

    name: str
    title: str
    rows: Iterator[list[str]]


def patients(clinic: Clinic, query: QueryDict, now: datetime) -> Exported:
    """All patients, in the columns that an import reads."""
    rows = ([_written(patient, name, clinic) for name in COLUMNS] for patient in exported.patients(clinic))
    headings = [str(FIELDS[name]) for name in COLUMNS]
    return Exported(f"pacientes-{clinic.local(now):%Y-%m-%d}", _("Pacientes"), chain([headings], rows))


def day(clinic: Clinic, query: QueryDict, now: datetime) -> Exported:
    """The list of a date (`dia`), with `medico` of one doctor, by doctor and hour."""
    asked, doctors = _day(query, clinic, now), _doctors(query)
    found = [sheet for sheet in sheets(clinic, *clinic.day(asked)) if sheet.doctor.pk in doctors or not doctors]
    rows = ([*_visit(visit, clinic), visit.notes] for sheet in found for visit in sheet.appointments)
    return Exported(f"agenda-{asked}", _("Agenda"), chain([[*_visit_headings(), _("Observações")]], rows))


def calls(clinic: Clinic, query: QueryDict, now: datetime) -> Exported:
    """The calls before a date (`dia`), in the order of calling."""
    asked = read_date(query.get("dia", "")) or confirmations.next_day(clinic, now=now)
    found = confirmations.of_day(clinic, asked, now=now)
    rows = ([*_visit(row.appointment, clinic), str(len(row.calls))] for row in found)
    headings = [*_visit_headings(), _("Ligações sem resposta")]
    return Exported(f"confirmacoes-{asked}", _("Confirmações"), chain([headings], rows))


def today(clinic: Clinic, query: QueryDict, now: datetime) -> Exported:
    """The queue of today, with `medico` of one doctor."""
    doctors = _doctors(query)
    found = [row for row in queue.rows(clinic, now=now) if row.appointment.doctor_id in doctors or not doctors]
    rows = ([*_visit(row.appointment, clinic), f"{clinic.local(row.appointment.status_since):%H:%M}"] for row in found)
    headings = [*_visit_headings(), _("Desde")]
    return Exported(f"fila-{clinic.local(now):%Y-%m-%d}", _("Fila"), chain([headings], rows))


def due(clinic: Clinic, query: QueryDict, now: datetime) -> Exported:
    """The recalls until a date (`ate`), with `medico` those for this doctor."""
    until = read_until(query.get("ate", "")) or clinic.local(now).date() + COMING
    headings = [_("Data"), _("Paciente"), _("Telefone"), _("Procedimento"), _("Médico(a)"), _("Observações")]
    rows = _recalls(clinic, until, next(iter(_doctors(query)), None), now)
    return Exported(f"retornos-{until}", _("Retornos"), chain([headings], rows))


def wishes(clinic: Clinic, query: QueryDict, now: datetime) -> Exported:
    """The open entries of the waiting list as its page has them: with `livre` and `medico` those that it shows."""
    found = [row.entry for row in board_of(clinic, query).found]
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
    return Exported(f"fila-de-espera-{clinic.local(now):%Y-%m-%d}", _("Fila de espera"), chain([headings], rows))


# All patients with their documents are more than any page shows at once.
TABLES: dict[str, Listed] = {
    "pacientes": Listed(patients, for_managers=True),
    "agenda": Listed(day),
    "confirmacoes": Listed(calls),
    "fila": Listed(today),
    "retornos": Listed(due),
    "fila-de-espera": Listed(wishes),
}


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
        ", ".join(line.procedure_name for line in appointment.lines.all()),
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


def _day(query: QueryDict, clinic: Clinic, now: datetime) -> date:
    return read_date(query.get("dia", "")) or clinic.local(now).date()


def _doctors(query: QueryDict) -> list[int]:
    return ids_in(query, "medico")
