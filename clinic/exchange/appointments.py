"""What becomes of rows of appointments: a batch at a time, in the transaction of `clinic.exchange.runs`.

One that has begun, or was cancelled, is history (`clinic.booking.write_past_visits`); any other is booked by the rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import booking
from clinic.booking import LineRequest, PastVisit, PayerWish, Proposal, TakenTime
from clinic.exchange.appointment_cells import ReadVisit, VisitReader
from clinic.exchange.fates import CHANGED_SINCE, raise_if_held, refuse_row
from clinic.exchange.taking_back import take_back_made
from clinic.models import Clinic, ImportRow, ImportRun
from clinic.models.appointment import FREES_THE_TIME, OVERLAP_LOOKBACK, Status
from clinic.refusals import Refused
from clinic.registry import Author, CleanedDetails, MeantFault, PatientDetails, cleaned_row, meant_patients
from clinic.schedule import MAX_DURATION

Fate = ImportRow.Fate
KEPT = "visit"  # in the changes of a row: what the check has read
MAX_BOOKED = 20  # a transaction: each of them locks a doctor until its end
BOOKABLE = {Status.SCHEDULED, Status.CONFIRMED}
EARLIER_SQL = """
    WITH wanted AS (
        SELECT * FROM unnest(
            %(doctors)s::bigint[], %(patients)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
        ) AS wanted (doctor, patient, start, finish)
    )
    SELECT number, doctor_id, patient_id, starts_at, ends_at, changes -> 'status' ->> 1
    FROM clinic_importrow WHERE number < %(number)s AND fate IN ('new', 'same') AND id IN (
        SELECT earlier.id FROM wanted JOIN clinic_importrow AS earlier ON run_id = %(run)s AND doctor_id = doctor
            AND starts_at > start - %(lookback)s AND starts_at < finish AND ends_at > start
        UNION SELECT earlier.id FROM wanted JOIN clinic_importrow AS earlier ON clinic_id = %(clinic)s
            AND patient_id = patient AND run_id = %(run)s
            AND starts_at > start - %(lookback)s AND starts_at < finish AND ends_at > start
    ) ORDER BY number
"""


@dataclass(frozen=True)
class _RowVisit:
    """A row with the visit that its cells say, None where they say none, and then `sentences` about why.
    `status` is what the row itself says, "" for nothing."""

    row: ImportRow
    visit: PastVisit | None
    sentences: list[str]
    status: str = ""


def check(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Say of each row what would become of it. Writes nothing but the rows."""
    now = timezone.now()
    known = _read(run, rows, clinic, now)
    for each in known:
        _note(each)
    visits = [each for each in known if each.visit]
    earlier = _EarlierRows(run, visits)
    ruled = _stored_or_taken(visits, clinic, now, any_status=True)
    for each, (is_stored, sentence) in zip(visits, ruled, strict=True):
        visit = _visit(each)
        if (number := earlier.same(visit)) is not None:
            each.row.fate, each.row.sentences = Fate.DUPLICATE, [_("Igual à linha %(number)s.") % {"number": number}]
        elif is_stored:
            each.row.fate = Fate.SAME
        elif (number := earlier.overlapping(visit)) is not None:
            refuse_row(each.row, [_("Ao mesmo tempo que a linha %(number)s.") % {"number": number}])
        elif sentence or (not _is_history(visit, now) and (sentence := _not_bookable(visit, clinic, by, now))):
            refuse_row(each.row, sentence.split("\n"))
        else:
            each.row.fate = Fate.NEW
        if each.row.fate in {Fate.NEW, Fate.SAME}:
            earlier.add(each.row.number, visit)


def import_rows(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Do what the check has found, by the rules as they are now: where these find something else, the row says so."""
    now = timezone.now()
    wanted = [row for row in rows if row.fate == Fate.NEW]
    known = _read_again(run, wanted, clinic, now) if wanted else []
    visits = [each for each in known if each.visit]
    for each in visits:
        if not _is_history(_visit(each), now):
            _book(each, clinic, by, now)
    _write_history([each for each in visits if _is_history(_visit(each), now)], clinic, by, now)


def take_back(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> None:
    """Mark the appointments that these rows have made as deleted, if nobody has touched them since."""
    kept = _("Não foi desfeito: já mudou, ou já tem outro registro.")
    take_back_made(rows, "appointment_id", partial(booking.delete_imported, clinic, now=timezone.now()), kept)


def portion(rows: list[ImportRow]) -> list[ImportRow]:
    """Return the first rows, up to the last one that may be booked beside the others in one transaction."""
    now, booked = timezone.now(), 0
    for place, row in enumerate(rows):
        booked += row.fate == Fate.NEW and row.starts_at is not None and row.starts_at > now
        if booked > MAX_BOOKED:
            return rows[:place]
    return rows


def _read(run: ImportRun, rows: Sequence[ImportRow], clinic: Clinic, now: datetime) -> list[_RowVisit]:
    """Return what the rows say, in their order. Five queries."""
    reader = VisitReader(run.columns, run.month_first, run.mixed, clinic)
    read = [reader.read(row.cells) for row in rows]
    cleaned = [cleaned_row(visit.details, clinic) for visit in read]
    meant = meant_patients(cleaned, clinic)
    known = []
    for row, visit, each, found in zip(rows, read, cleaned, meant, strict=True):
        given = {name for name, value in vars(visit.details).items() if value}
        given -= {"phone"} if _has_number(each) else set()  # a doubtful phone beside it takes nothing away
        of_patient = [refusal.message for refusal in each.refusals if refusal.field in given]
        is_unread = visit.is_name_unread and not _has_number(each)  # has its sentence
        if not of_patient and found.fault and not is_unread:
            of_patient = [_fault(found.fault, visit)]
        row.patient_id = found.patient
        sentences = [*visit.sentences, *of_patient, *_broken(visit, now)]
        wanted = None if sentences else _visit_of(visit, found.patient, clinic, now)
        if wanted and (refusals := booking.past_visit_refusals(wanted)):
            wanted, sentences = None, [refusal.message for refusal in refusals]
        known.append(_RowVisit(row, wanted, sentences, visit.status or ""))
    return known


def _read_again(run: ImportRun, rows: Sequence[ImportRow], clinic: Clinic, now: datetime) -> list[_RowVisit]:
    """Return what the rows say, in their order: as the check has kept it; where something of it is gone, or the clinic
    has another time zone since, from their cells. Three queries, or eight."""
    reader = VisitReader(run.columns, run.month_first, run.mixed, clinic)
    kept = [_kept_visit(row, reader, clinic, now) for row in rows]
    without = [row for row, visit in zip(rows, kept, strict=True) if visit is None]
    anew = {known.row.pk: known for known in _read(run, without, clinic, now)} if without else {}
    for known in anew.values():
        _note(known)
    return [anew.get(row.pk) or _RowVisit(row, visit, []) for row, visit in zip(rows, kept, strict=True)]


def _kept_visit(row: ImportRow, reader: VisitReader, clinic: Clinic, now: datetime) -> PastVisit | None:
    kept = row.changes.get(KEPT, {})
    doctor = reader.doctors.get(row.doctor_id or 0)
    procedures = [reader.procedures.get(pk) for pk in kept.get("procedures", ())]
    payer = reader.payers.get(kept.get("payer") or 0)
    is_whole = doctor and procedures and all(procedures) and bool(payer) == bool(kept.get("payer"))
    if not is_whole or kept["zone"] != clinic.time_zone or row.patient_id is None:
        return None
    read = ReadVisit(
        PatientDetails(),
        doctor,
        tuple(procedure for procedure in procedures if procedure),
        row.starts_at,
        row.ends_at,
        Status(kept["status"]) if kept["status"] else None,
        kept["cancelled_by"],
        payer,
        reader.notes(row.cells),
    )
    return _visit_of(read, row.patient_id, clinic, now)


def _has_number(cleaned: CleanedDetails) -> bool:
    return bool(cleaned.cpf or cleaned.details.nif or cleaned.details.health_number)


def _fault(fault: MeantFault, visit: ReadVisit) -> str:
    details = visit.details
    name = details.name or details.cpf or details.nif or details.health_number
    if not name:
        return _("Paciente: falta o nome ou o número.")
    if fault == MeantFault.ANOTHER:
        return _("Paciente: o número é de outra pessoa, e não de “%(name)s”.") % {"name": name}
    if fault == MeantFault.SEVERAL:
        return _("Paciente: há mais de uma ficha que pode ser a de “%(name)s”. Traga o CPF ou o NIF.") % {"name": name}
    is_enough = visit.details.cpf or visit.details.nif or visit.details.health_number
    if is_enough or visit.details.phone or visit.details.birth_date:
        return _("Paciente: “%(name)s” não está na clínica. Importe antes os pacientes.") % {"name": name}
    return _("Paciente: só o nome não basta. Traga também o CPF ou NIF, o telefone ou o nascimento.")


def _broken(visit: ReadVisit, now: datetime) -> Iterator[str]:
    """Yield what is wrong with a visit by itself."""
    if visit.starts_at and visit.ends_at:
        if visit.ends_at <= visit.starts_at:
            yield _("O fim não é depois do início.")
        elif visit.ends_at - visit.starts_at > MAX_DURATION:
            yield _("Dura mais de %(hours)s horas.") % {"hours": MAX_DURATION // timedelta(hours=1)}
    if visit.starts_at and visit.starts_at > now and visit.status not in {None, Status.CANCELLED, *BOOKABLE}:
        yield _("Ainda não aconteceu: a situação só pode ser agendado, confirmado ou cancelado.")


def _visit_of(visit: ReadVisit, patient: int | None, clinic: Clinic, now: datetime) -> PastVisit:
    if visit.doctor is None or patient is None or visit.starts_at is None or visit.ends_at is None:
        raise AssertionError("a row without sentences has all of these")
    return PastVisit(
        doctor=visit.doctor,
        patient=patient,
        procedures=visit.procedures,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        status=_status(visit.status, visit.ends_at, clinic, now),
        cancelled_by=visit.cancelled_by,
        payer=visit.payer,
        notes=visit.notes,
    )


def _status(written: Status | None, ends_at: datetime, clinic: Clinic, now: datetime) -> Status:
    """Return the status of a row: where it says none, or that the patient came, what was over before today took
    place."""
    begin_of_today, _end = clinic.day(clinic.local(now).date())
    if written in {None, Status.CHECKED_IN} and ends_at <= begin_of_today:
        return Status.FINISHED
    return written or Status.SCHEDULED


def _is_history(visit: PastVisit, now: datetime) -> bool:
    return visit.starts_at <= now or visit.status == Status.CANCELLED


def _visit(known: _RowVisit) -> PastVisit:
    if known.visit is None:
        raise AssertionError("refused rows were left out")
    return known.visit


def _note(known: _RowVisit) -> None:
    """Write what is known of a row into it, so that the import need not read it again; the notes stay in its cells."""
    row, visit = known.row, known.visit
    if visit is None:
        refuse_row(row, known.sentences)
        row.doctor_id = row.starts_at = row.ends_at = None
        return
    row.doctor_id, row.starts_at, row.ends_at = visit.doctor.pk, visit.starts_at, visit.ends_at
    row.changes = {
        "status": ["", visit.status],
        KEPT: {
            "procedures": [procedure.pk for procedure in visit.procedures],
            "status": known.status,
            "cancelled_by": visit.cancelled_by,
            "payer": visit.payer.pk if visit.payer else None,
            "zone": visit.doctor.clinic.time_zone,
        },
    }


def _stored_or_taken(
    known: Sequence[_RowVisit], clinic: Clinic, now: datetime, *, any_status: bool
) -> list[tuple[bool, str]]:
    """Return of each visit whether it is stored already, and of a past one what is in its way. Two statements.

    The check takes one that was cancelled here since an earlier import for stored (`any_status`). The import does not:
    another row of the file may have brought the cancelled one, whose time the same patient was given again."""
    visits = [_visit(each) for each in known]
    if not visits:
        return []
    stored, taken = booking.stored_visits(clinic, visits, any_status=any_status), booking.taken_times(clinic, visits)
    return [
        (
            place in stored,
            _taken(taken[place], clinic) if place in taken and _is_history(visit, now) else "",
        )
        for place, visit in enumerate(visits)
    ]


def _taken(taken: TakenTime, clinic: Clinic) -> str:
    begin, end = clinic.local(taken.starts_at), clinic.local(taken.ends_at)
    span = {"day": f"{begin:%d/%m/%Y}", "begin": f"{begin:%H:%M}", "end": f"{end:%H:%M}"}
    if taken.is_of_doctor:
        return _("O horário já está ocupado: %(day)s, das %(begin)s às %(end)s.") % span
    return _("O paciente já tem outro horário ao mesmo tempo: %(day)s, das %(begin)s às %(end)s.") % span


def _proposal(visit: PastVisit, clinic: Clinic) -> Proposal:
    return Proposal(
        clinic=clinic,
        doctor=visit.doctor.pk,
        lines=tuple(LineRequest(procedure.pk) for procedure in visit.procedures),
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        patient=visit.patient,
        notes=visit.notes,
        status=visit.status,
        payer=PayerWish(visit.payer.pk if visit.payer else None),
    )


def _not_bookable(visit: PastVisit, clinic: Clinic, by: Author, now: datetime) -> str:
    """Return the sentences of `booking.check`, one a line; "" for none."""
    refused = booking.check(_proposal(visit, clinic), by=by, now=now)
    return "\n".join(refusal.message for refusal in refused.refusals) if refused else ""


def _book(known: _RowVisit, clinic: Clinic, by: Author, now: datetime) -> None:
    visit = _visit(known)
    if booking.stored_visits(clinic, [visit], any_status=False):
        known.row.fate = Fate.SAME
        return
    try:
        appointment = booking.book(_proposal(visit, clinic), by=by, now=now)
    except Refused as refused:
        raise_if_held(refused)
        refuse_row(known.row, [refusal.message for refusal in refused.refusals])
    else:
        known.row.appointment_id = appointment.pk
        known.row.version = booking.appointment_version(appointment)


def _write_history(known: Sequence[_RowVisit], clinic: Clinic, by: Author, now: datetime) -> None:
    """Store the visits that nothing is in the way of. The patients are locked first."""
    here = booking.lock_patients(clinic, [_visit(each).patient for each in known]) if known else set()
    wanted = []
    for each, (is_stored, sentence) in zip(known, _stored_or_taken(known, clinic, now, any_status=False), strict=True):
        if is_stored:
            each.row.fate = Fate.SAME
        elif sentence or _visit(each).patient not in here:
            refuse_row(each.row, [sentence or str(CHANGED_SINCE)])
        else:
            wanted.append(each)
    if not wanted:
        return
    made = booking.write_past_visits(clinic, [_visit(each) for each in wanted], by=by, now=now)
    for each, appointment in zip(wanted, made, strict=True):
        if appointment is None:
            refuse_row(each.row, [_("O horário acabou de ser ocupado.")])
        else:
            each.row.appointment_id = appointment.pk
            each.row.version = booking.appointment_version(appointment)


class _Earlier(NamedTuple):
    number: int
    doctor: int
    patient: int
    starts_at: datetime
    ends_at: datetime
    status: str

    @property
    def takes_time(self) -> bool:
        return self.status not in FREES_THE_TIME


class _EarlierRows:
    """The rows of the file before each row of a batch that may be the same appointment, or be in its way."""

    def __init__(self, run: ImportRun, known: Sequence[_RowVisit]) -> None:
        """One statement."""
        self.by_doctor: dict[int, list[_Earlier]] = {}
        self.by_patient: dict[int, list[_Earlier]] = {}
        for row in _stored_earlier(run, known) if known else []:
            self._keep(_Earlier(*row))

    def add(self, number: int, visit: PastVisit) -> None:
        times = visit.starts_at, visit.ends_at
        self._keep(_Earlier(number, visit.doctor.pk, visit.patient, *times, visit.status))

    def same(self, visit: PastVisit) -> int | None:
        """Return the number of the first row with the same doctor, patient and start, which takes its time if this one
        does: who cancels may be given the same time again."""
        rows = self.by_patient.get(visit.patient, [])
        wanted = visit.doctor.pk, visit.starts_at, visit.takes_time
        return next((row.number for row in rows if (row.doctor, row.starts_at, row.takes_time) == wanted), None)

    def overlapping(self, visit: PastVisit) -> int | None:
        """Return the number of the first row that takes time of the same doctor or patient."""
        if not visit.takes_time:
            return None
        rows = self.by_doctor.get(visit.doctor.pk, []) + self.by_patient.get(visit.patient, [])
        return min((row.number for row in rows if _overlap(row, visit)), default=None)

    def _keep(self, row: _Earlier) -> None:
        self.by_doctor.setdefault(row.doctor, []).append(row)
        self.by_patient.setdefault(row.patient, []).append(row)


def _overlap(row: _Earlier, visit: PastVisit) -> bool:
    return row.takes_time and row.starts_at < visit.ends_at and visit.starts_at < row.ends_at


def _stored_earlier(run: ImportRun, known: Sequence[_RowVisit]) -> list[tuple[Any, ...]]:
    visits = [_visit(each) for each in known]
    parameters: dict[str, Any] = {
        "clinic": run.clinic_id,
        "run": run.pk,
        "number": min(each.row.number for each in known),
        "lookback": OVERLAP_LOOKBACK,
        "doctors": [visit.doctor.pk for visit in visits],
        "patients": [visit.patient for visit in visits],
        "starts": [visit.starts_at for visit in visits],
        "ends": [visit.ends_at for visit in visits],
    }
    with connection.cursor() as cursor:
        cursor.execute(EARLIER_SQL, parameters)
        return [*cursor.fetchall()]
