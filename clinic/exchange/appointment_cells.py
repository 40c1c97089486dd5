"""The cells of a row as an appointment: when, with which doctor, for what, and which patient is meant."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clinic.booking import day_of_end
from clinic.exchange.appointment_columns import APPOINTMENT_FIELDS, OF_PATIENT
from clinic.exchange.patient_cells import Reader, is_nothing, plain, short, simplified, without_escape
from clinic.exchange.procedure_cells import by_name_and_code, minutes_of, named_procedures
from clinic.form_fields import TypedDateField, TypedEndField, TypedTimeField
from clinic.models import Appointment, Clinic, Doctor, Payer, Procedure
from clinic.models.appointment import Status
from clinic.models.clinic import NonexistentTime
from clinic.models.procedure import LONGEST_DURATION
from clinic.models.titles import without_title
from clinic.registry import PatientDetails

WITH_TIME = re.compile(r"(?P<day>.*?\S)[ T,]\s*(?:às\s+)?(?P<time>\d{1,2}(?:[:h]\d{0,2})(?::\d{2}(?:\.\d+)?)?)$")
SECONDS = re.compile(r"(:\d{2}):\d{2}(?:\.\d+)?$")
# A date with its year: no words, no “15” that means the next such day.
WHOLE_DATE = re.compile(r"\d{6}|\d{8}|\d+\D+(\d+|[^\W\d]+)\D+\d+|\d+ de \w+ de \d+", re.IGNORECASE)
NOT_OF_NUMBERS = re.compile(r"[\W_]+")
READ_ELSEWHERE = {"", "notes", *OF_PATIENT}
NOT_DIGITS = re.compile(r"\D")
DAY, TIME, END = TypedDateField(), TypedTimeField(required=False), TypedEndField()
PATIENT, CLINIC = Appointment.CancelledBy.PATIENT, Appointment.CancelledBy.CLINIC
# As programs of both countries write them, in small letters without accents.
STATUS_WORDS = {
    (
        Status.SCHEDULED,
        "",
    ): "agendado|agendada|marcado|marcada|pendente|a confirmar|nao confirmado|nao confirmada|aberto"
    "|reservado|reservada|scheduled|booked|pending|unconfirmed|planned",
    (Status.CONFIRMED, ""): "confirmado|confirmada|confirmed",
    (Status.CHECKED_IN, ""): "check-in|checkin|chegou|presente|aguardando|em espera|checked in|arrived",
    (Status.FINISHED, ""): "realizado|realizada|atendido|atendida|finalizado|finalizada|concluido|concluida|efetuado"
    "|efetuada|efetivado|efetivada|compareceu|faturado|faturada|done|completed|finished|attended|fulfilled|seen|ok",
    (
        Status.NO_SHOW,
        "",
    ): "faltou|falta|faltoso|nao compareceu|ausente|no show|no-show|noshow|missed|did not attend|dna",
    (Status.CANCELLED, PATIENT): "cancelado|cancelada|desmarcado|desmarcada|cancelado pelo paciente|anulado|anulada"
    "|cancelada pelo paciente|desmarcado pelo paciente|desmarcada pelo paciente|cancelado pelo utente|canceled"
    "|cancelada pelo utente|cancelled|cancelled by patient|canceled by patient",
    (Status.CANCELLED, CLINIC): "cancelado pela clinica|cancelada pela clinica|desmarcado pela clinica"
    "|desmarcada pela clinica|cancelado pelo medico|cancelada pelo medico|desmarcado pelo medico"
    "|cancelado pelo profissional|cancelled by clinic|cancelled by provider|canceled by clinic",
}
STATUSES = {word: status for status, words in STATUS_WORDS.items() for word in words.split("|")}


@dataclass
class ReadVisit:
    """What a row says, None or empty for what it does not say or what cannot be read, and the sentences about it."""

    details: PatientDetails
    doctor: Doctor | None = None
    procedures: tuple[Procedure, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    status: Status | None = None
    cancelled_by: str = ""
    payer: Payer | None = None
    notes: str = ""
    is_name_unread: bool = False
    sentences: list[str] = field(default_factory=list)


class VisitReader:
    """Reads the rows of one run. It knows the clinic's doctors, procedures and payers, the inactive ones too."""

    def __init__(
        self, columns: Sequence[str], month_first: Sequence[int], mixed: Sequence[int], clinic: Clinic
    ) -> None:
        """Three queries."""
        self.columns, self.clinic = columns, clinic
        self.payers = {payer.pk: payer for payer in Payer.objects.of(clinic)}
        of_patient = [name if name in OF_PATIENT else "" for name in columns]
        by_name = {simplified(payer.name): payer.pk for payer in self.payers.values()}
        self.patients = Reader(of_patient, month_first, mixed, by_name)
        doctors = _doctors(clinic)
        self.doctors = {doctor.pk: doctor for doctor in doctors}
        self.doctors_by_name, self.doctors_by_number = _by_name(doctors), _by_number(doctors)
        procedures = list(Procedure.objects.of(clinic).order_by("-active", "pk"))
        self.procedures = {procedure.pk: procedure for procedure in procedures}
        self.procedures_by_name = by_name_and_code((each.name, each.code, each) for each in procedures)

    def read(self, cells: Sequence[str]) -> ReadVisit:
        """Return what a row says."""
        details, sentences = self.patients.read(cells)
        visit = ReadVisit(details, sentences=list(sentences.values()), is_name_unread="name" in sentences)
        texts: dict[str, tuple[str, int]] = {}
        for place, (name, cell) in enumerate(zip(self.columns, cells, strict=False)):
            if name not in READ_ELSEWHERE and not is_nothing(text := cell.strip()):
                with _Named(visit, name):
                    texts[name] = plain(text), place
        for name, read in (
            ("doctor", self._read_doctor),
            ("procedure", self._read_procedures),
            ("starts_on", self._read_times),
            ("status", self._read_status),
            ("payer_id", self._read_payer),
        ):
            with _Named(visit, name):
                read(visit, texts)
        visit.notes = self.notes(cells)
        return visit

    def notes(self, cells: Sequence[str]) -> str:
        """Return the notes of a row, which people begin as they like: no formula is seen in them."""
        texts = (cell for name, cell in zip(self.columns, cells, strict=False) if name == "notes")
        text = next(texts, "").strip()
        return "" if is_nothing(text) else without_escape(text)

    def _called(self, name: str) -> list[Doctor]:
        return self.doctors_by_name.get(simplified(name)) or self.doctors_by_name.get(_name_alone(name), [])

    def _read_doctor(self, visit: ReadVisit, texts: Mapping[str, tuple[str, int]]) -> None:
        name, number = _text(texts, "doctor"), _text(texts, "council_number")
        called = self._called(name) if name else []
        found = self._with_number(number)
        if number and not found:
            found = [doctor for doctor in called if not doctor.council_number]
        if number and called and not set(found) & set(called):
            raise ValidationError(
                _("“%(name)s” não é de quem tem o registro “%(number)s”.")
                % {"name": short(name), "number": short(number)}
            )
        if not found and name:
            found = called or self._with_number(name)
        if len(found) == 1:
            visit.doctor = found[0]
            return
        if not name and not number:
            raise ValidationError(_("falta."))
        if found:
            raise ValidationError(
                _("há mais de um com o nome “%(name)s”. Traga a coluna do registro no conselho.")
                % {"name": short(name)}
            )
        raise ValidationError(
            _("“%(name)s” não é da clínica. Importe antes os médicos(as), ou corrija o nome.")
            % {"name": short(name or number)}
        )

    def _with_number(self, text: str) -> list[Doctor]:
        """Return the doctors with this council number, or with its digits where the rest is written in another way."""
        exact = self.doctors_by_number.get(_letters_and_digits(text), [])
        return exact or self.doctors_by_number.get(NOT_DIGITS.sub("", text), [])

    def _read_procedures(self, visit: ReadVisit, texts: Mapping[str, tuple[str, int]]) -> None:
        text = _text(texts, "procedure")
        if not text:
            raise ValidationError(_("falta."))
        visit.procedures = tuple(named_procedures(text, self.procedures_by_name))

    def _read_times(self, visit: ReadVisit, texts: Mapping[str, tuple[str, int]]) -> None:
        if "starts_on" not in texts:
            raise ValidationError(_("falta."))
        text, place = texts["starts_on"]
        match = WITH_TIME.fullmatch(text)
        day = self._day(match["day"] if match else text, place)
        begins = _time_of(_text(texts, "starts_at")) or (match and _time_of(match["time"]))
        if not begins:
            raise ValidationError(_("falta a hora de início."))
        visit.starts_at = self._instant(day, begins)
        with _Named(visit, "ends_at"):
            visit.ends_at = self._end(visit, day, begins, texts)

    def _day(self, text: str, place: int) -> date:
        written = self.patients.day_first(text, place)
        if not WHOLE_DATE.fullmatch(written):
            raise ValidationError(_("“%(text)s” não é uma data com dia, mês e ano.") % {"text": short(text)})
        day: date = DAY.clean(written)
        return day

    def _end(self, visit: ReadVisit, day: date, begins: time, texts: Mapping[str, tuple[str, int]]) -> datetime | None:
        """Return the end: the time that is written, or as long as is written, or as the procedures take."""
        if text := _text(texts, "ends_at"):
            ends = END.clean(_without_seconds(text))
            return self._instant(day_of_end(day, begins, ends), ends)
        if text := _text(texts, "minutes"):
            minutes = minutes_of(text)
            if not 0 < minutes <= LONGEST_DURATION:
                raise ValidationError(_("“%(text)s” não é uma duração em minutos.") % {"text": short(text)})
        else:
            minutes = sum(procedure.duration_minutes for procedure in visit.procedures)
        return visit.starts_at + timedelta(minutes=minutes) if visit.starts_at and minutes else None

    def _instant(self, day: date, wall: time) -> datetime:
        try:
            return self.clinic.instant(day, wall)
        except NonexistentTime:
            raise ValidationError(_("nesse dia o relógio foi adiantado, e este horário não existiu.")) from None

    def _read_status(self, visit: ReadVisit, texts: Mapping[str, tuple[str, int]]) -> None:
        if not (text := _text(texts, "status")):
            return
        if simplified(text) not in STATUSES:
            raise ValidationError(
                _("“%(text)s” não é uma situação: escreva agendado, confirmado, realizado, faltou ou cancelado.")
                % {"text": short(text)}
            )
        visit.status, visit.cancelled_by = STATUSES[simplified(text)]

    def _read_payer(self, visit: ReadVisit, texts: Mapping[str, tuple[str, int]]) -> None:
        if text := _text(texts, "payer_id"):
            payer = self.patients.payer(text)
            visit.payer = self.payers[payer] if payer else None


class _Named:
    """Has what cannot be read in the block become a sentence of the row, beginning with the name of the field."""

    def __init__(self, visit: ReadVisit, name: str) -> None:
        self.visit, self.name = visit, name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _traceback: Any) -> bool:
        if not isinstance(error, ValidationError):
            return False
        self.visit.sentences.append(f"{APPOINTMENT_FIELDS[self.name]}: {' '.join(error.messages)}")
        return True


def _text(texts: Mapping[str, tuple[str, int]], name: str) -> str:
    return texts[name][0] if name in texts else ""


def _time_of(text: str) -> time | None:
    """Return the time of a cell, or of a date with a time; None for an empty one."""
    wall: time | None = TIME.clean(_without_seconds(text))
    return wall


def _without_seconds(text: str) -> str:
    match = WITH_TIME.fullmatch(text)
    return SECONDS.sub(r"\1", match["time"] if match else text)


def _name_alone(written: str) -> str:
    """Return the name without titles: only where the whole name is nobody's, since some begin like one (“Fono
    Infantil”)."""
    return simplified(without_title(written))


def _letters_and_digits(number: str) -> str:
    return NOT_OF_NUMBERS.sub("", simplified(number))


def _doctors(clinic: Clinic) -> list[Doctor]:
    """Return the doctors, the active ones first. One query."""
    doctors = list(Doctor.objects.of(clinic).order_by("-active", "pk"))
    for doctor in doctors:
        doctor.clinic = clinic
    return doctors


def _by_name(doctors: Sequence[Doctor]) -> dict[str, list[Doctor]]:
    """Return the doctors by their names, as they are and without titles; of namesakes one who is active alone is
    meant."""
    names: dict[str, list[Doctor]] = {}
    for doctor in doctors:
        for name in {simplified(doctor.name), _name_alone(doctor.name)}:
            namesakes = names.setdefault(name, [])
            if doctor.active or not any(other.active for other in namesakes):
                namesakes.append(doctor)
    return names


def _by_number(doctors: Sequence[Doctor]) -> dict[str, list[Doctor]]:
    """Return the doctors by their council numbers, and by the digits of these."""
    numbers: dict[str, list[Doctor]] = {}
    for doctor in doctors:
        written = doctor.council_number
        for number in {_letters_and_digits(written), NOT_DIGITS.sub("", written)} - {""} if written else ():
            numbers.setdefault(number, []).append(doctor)
    return numbers
