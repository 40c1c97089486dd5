"""Deleting a patient's data, or using them no more: what a patient may ask of the clinic.

Who never came is erased. Who came is blocked until the term of the records is over: the row becomes blank, texts and
contact details are gone, and who the person is stays sealed in the request. A restriction seals everything, and is
taken off again. The row itself stays, so that appointments and what reports count of them stay too. Law: LGPD art. 16
and 18, Lei 13.787/2018 art. 6, RGPD art. 17, 18 and 21.
"""

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from enum import Enum, auto
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.models import Appointment, Clinic, DataRequest, FormerName, Memo, Patient, PatientEvent, Payer, StaffUser
from clinic.models.appointment import ATTENDED, STANDING
from clinic.models.data_request import KEPT_YEARS, PrivacySettings
from clinic.models.locks import get_locked
from clinic.models.memo import MemoQuerySet
from clinic.models.staff import MANAGERS
from clinic.refusals import Reason, Refusal, refuse
from clinic.registry.merged import current_id, record_ids
from clinic.registry.patient_details import PatientDetails
from clinic.registry.patient_events import Author
from clinic.registry.patients import details_of, is_of_another, write_values
from clinic.registry.redaction import (
    BLANK,
    blank_answers,
    blank_numbers,
    blank_spreadsheets,
    blank_texts,
    spreadsheet_keys,
)
from clinic.transactions import run_in_transaction

# Who a person is: what stays sealed of a blocked patient.
IDENTITY = (
    *("name", "social_name", "birth_date", "cpf", "nif", "health_number"),
    *("document_type", "document_number", "document_country"),
)
EVERYTHING = tuple(field.name for field in fields(PatientDetails))
EVENTS = {
    DataRequest.Outcome.ERASED: PatientEvent.Kind.ERASED,
    DataRequest.Outcome.BLOCKED: PatientEvent.Kind.BLOCKED,
    DataRequest.Outcome.RESTRICTED: PatientEvent.Kind.RESTRICTED,
}


class RequestFault(Enum):
    """Why nothing was done."""

    APPOINTMENT_AHEAD = auto()
    OPEN_ALREADY = auto()
    DECIDED_ALREADY = auto()
    SAME_PERSON = auto()
    NUMBERS_TAKEN = auto()


class RequestRefused(Exception):
    """Raised when nothing was written; `appointment` is the next one of who has one ahead."""

    def __init__(self, fault: RequestFault, appointment: Appointment | None = None) -> None:
        super().__init__(fault.name)
        self.fault, self.appointment = fault, appointment


@dataclass(frozen=True)
class Proposal:
    """What the law makes of a request for deletion: erased, or blocked until a local date."""

    outcome: DataRequest.Outcome
    last_visit: date | None
    blocked_until: date | None
    visits: int


def proposal(patient: Patient, now: datetime | None = None) -> Proposal:
    """Return what becomes of a patient who asks for deletion. Two queries more than merges in a row.

    A visit is what began and was neither cancelled nor missed, whether or not the desk noted that the patient came; and
    whatever was paid for."""
    clinic = patient.clinic
    took_place = Q(status__in=ATTENDED) | STANDING & Q(starts_at__lte=now or timezone.now()) | Q(receipts__isnull=False)
    of_person = Appointment.objects.of(clinic).kept().filter(took_place, patient__in=record_ids(patient))
    visits = of_person.order_by("starts_at", "pk").values_list("starts_at", "pk").distinct()
    if not visits:
        return Proposal(DataRequest.Outcome.ERASED, None, None, 0)
    day = clinic.local(max(starts_at for starts_at, _pk in visits)).date()
    until = _years_later(day, records_kept_years(clinic))
    return Proposal(DataRequest.Outcome.BLOCKED, day, until, len(visits))


def records_kept_years(clinic: Clinic) -> int:
    """Return how long records are kept after the last visit: by law in Brazil, by the clinic's own choice elsewhere."""
    if clinic.country == Clinic.Country.BRAZIL:
        return KEPT_YEARS
    chosen = PrivacySettings.objects.filter(clinic=clinic).values_list("records_kept_years", flat=True).first()
    return chosen or KEPT_YEARS


def appointment_ahead(patient: Patient, now: datetime) -> Appointment | None:
    """Return the next standing appointment that is not over at `now`, None for none."""
    standing = Appointment.objects.of(patient.clinic_id).standing().filter(patient=patient, ends_at__gt=now)
    return standing.order_by("starts_at", "pk").first()


def needs_second_person(clinic: Clinic) -> bool:
    """Return whether the clinic has two managers, so that one asks for a deletion and another confirms it."""
    return StaffUser.objects.of(clinic).filter(is_active=True, role__in=MANAGERS).count() > 1


def request_deletion(
    patient_id: int, *, clinic: Clinic, reason: str, by: Author, now: datetime | None = None
) -> DataRequest:
    """Store the request; where there is no second manager, carry it out.

    Locks the rows of all records of the person. Raises RequestRefused, Patient.DoesNotExist, and Refused (TRY_AGAIN).
    """
    now = now or timezone.now()

    def work() -> DataRequest:
        patient, records = _lock(patient_id, clinic, now)
        request = _stored(patient, DataRequest.Kind.DELETION, reason, by, now)
        if not needs_second_person(clinic):
            _delete(request, patient, records, by, now)
        return request

    return run_in_transaction(work)


def decide(request_id: int, *, clinic: Clinic, accept: bool, by: Author, now: datetime | None = None) -> DataRequest:
    """Have a second person carry out a request for deletion, or decline it.

    Locks like `request_deletion`. Raises RequestRefused, DataRequest.DoesNotExist, and Refused (TRY_AGAIN).
    """
    now = now or timezone.now()

    def work() -> DataRequest:
        request = get_locked(DataRequest.objects.of(clinic).filter(pk=request_id))
        if request.outcome:
            raise RequestRefused(RequestFault.DECIDED_ALREADY)
        if not accept:
            return _decided(request, DataRequest.Outcome.DECLINED, by, now)
        if request.requested_by_id == (by.user.pk if by.user else None):
            raise RequestRefused(RequestFault.SAME_PERSON)
        patient, records = _lock(request.patient_id, clinic, now)
        return _delete(request, patient, records, by, now)

    return run_in_transaction(work)


def restrict(patient_id: int, *, clinic: Clinic, reason: str, by: Author, now: datetime | None = None) -> DataRequest:
    """Use a patient's data no more, without erasing any, until `lift_restriction`. Only copies that are kept for thirty
    days are blanked at once: the rows of spreadsheets that brought them, and the answers that programs may ask for
    again.

    Locks like `request_deletion`. Raises RequestRefused, Patient.DoesNotExist, and Refused (TRY_AGAIN).
    """
    now = now or timezone.now()

    def work() -> DataRequest:
        patient, records = _lock(patient_id, clinic, now)
        request = _stored(patient, DataRequest.Kind.RESTRICTION, reason, by, now)
        names = FormerName.objects.of(clinic).filter(patient__in=records).order_by("pk")
        request.kept = {
            "memos": _seal_memos(clinic, records, by, now),
            "former_names": list(names.values("patient_id", "name", "until")),
        }
        names.delete()
        blank_spreadsheets(patient, records, spreadsheet_keys(patient, records))
        blank_answers(patient, records)
        return _seal(request, records, EVERYTHING, DataRequest.Outcome.RESTRICTED, by, now)

    return run_in_transaction(work)


def lift_restriction(
    request_id: int, *, clinic: Clinic, reason: str, by: Author, now: datetime | None = None
) -> DataRequest:
    """Take a restriction off: everything is what it was. Refused while another patient has the CPF or the number.

    Locks the request's row, then those of the records. Raises RequestRefused, DataRequest.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> DataRequest:
        request = get_locked(DataRequest.objects.of(clinic).filter(pk=request_id))
        if request.outcome != DataRequest.Outcome.RESTRICTED:
            raise RequestRefused(RequestFault.DECIDED_ALREADY)
        for pk in sorted(map(int, request.kept["records"])):
            record = get_locked(Patient.objects.of(clinic).filter(pk=pk))
            _restore(record, request.kept["records"][str(pk)])
        for pk, values in request.kept["memos"].items():
            Memo.objects.of(clinic).filter(pk=pk).update(**values)
        FormerName.objects.bulk_create(FormerName(clinic=clinic, **values) for values in request.kept["former_names"])
        request.kept = {}
        _event(request, PatientEvent.Kind.RELEASED, reason, by, now)
        return _decided(request, DataRequest.Outcome.RELEASED, by, now)

    return run_in_transaction(work)


def open_identity(request_id: int, *, clinic: Clinic, reason: str, by: Author) -> list[dict[str, Any]]:
    """Return who a sealed patient is, each record's values by the names of IDENTITY. Stores and raises like
    `open_request`."""
    records = open_request(request_id, clinic=clinic, reason=reason, by=by).kept["records"]
    return [{name: values[name] for name in IDENTITY if values.get(name)} for _pk, values in sorted(records.items())]


def open_request(request_id: int, *, clinic: Clinic, reason: str, by: Author) -> DataRequest:
    """Return a request with what it keeps of a sealed patient, and with the patient's row, and store who asked and why.

    Raises DataRequest.DoesNotExist for a request under which nothing is sealed."""

    def work() -> DataRequest:
        requests = DataRequest.objects.of(clinic).select_related("patient__clinic")
        request = requests.get(pk=request_id, outcome__in=DataRequest.SEALED)
        _event(request, PatientEvent.Kind.OPENED, reason, by, timezone.now())
        return request

    return run_in_transaction(work)


def due_for_anonymising(clinic: Clinic, today: date) -> QuerySet[DataRequest]:
    """Return the requests of blocked patients whose term is over on a local date, the oldest first."""
    due = DataRequest.objects.of(clinic).filter(outcome=DataRequest.Outcome.BLOCKED, blocked_until__lt=today)
    return due.order_by("blocked_until", "pk")


def anonymise(request: DataRequest, by: Author, now: datetime) -> None:
    """Forget for good who a blocked patient was. Runs in the caller's transaction."""
    request.kept = {}
    _event(request, PatientEvent.Kind.ERASED, "", by, now)
    _decided(request, DataRequest.Outcome.ANONYMISED, by, now)


def _years_later(day: date, years: int) -> date:
    """29 February ends on 28 February of a year without one."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _lock(patient_id: int, clinic: Clinic, now: datetime) -> tuple[Patient, list[int]]:
    """Lock all records of a person in the order of their ids; return the current one and their ids."""
    patient = Patient.objects.of(clinic).select_related("clinic").get(pk=current_id(clinic, patient_id))
    locked = sorted(record_ids(patient))
    for pk in locked:
        get_locked(Patient.objects.of(clinic).filter(pk=pk))
    is_another_by_now = current_id(clinic, patient_id) != patient.pk or sorted(record_ids(patient)) != locked
    refuse([Refusal(Reason.TRY_AGAIN)] if is_another_by_now else [])
    patient.refresh_from_db(fields=["blocked_at"])
    if patient.blocked_at:
        raise RequestRefused(RequestFault.OPEN_ALREADY)
    if ahead := appointment_ahead(patient, now):
        raise RequestRefused(RequestFault.APPOINTMENT_AHEAD, ahead)
    return patient, locked


def _stored(patient: Patient, kind: str, reason: str, by: Author, now: datetime) -> DataRequest:
    waiting = DataRequest.objects.of(patient.clinic_id).filter(patient=patient, outcome="")
    if waiting.exists():
        raise RequestRefused(RequestFault.OPEN_ALREADY)
    return DataRequest.objects.create(
        clinic=patient.clinic, patient=patient, kind=kind, reason=reason, requested_by=by.user, requested_at=now
    )


def _delete(request: DataRequest, patient: Patient, records: list[int], by: Author, now: datetime) -> DataRequest:
    proposed = proposal(patient, now)
    visits = list(Appointment.objects.of(patient.clinic).filter(patient__in=records).values_list("pk", flat=True))
    _close_memos(patient.clinic, records, by, now)
    kept = IDENTITY if proposed.outcome is DataRequest.Outcome.BLOCKED else ()
    request.blocked_until = proposed.blocked_until
    blank_spreadsheets(patient, records, spreadsheet_keys(patient, records))
    _seal(request, records, kept, proposed.outcome, by, now)
    blank_texts(patient, records, visits)
    blank_numbers(patient.clinic, visits)
    return request


def _seal(
    request: DataRequest,
    records: list[int],
    kept: tuple[str, ...],
    outcome: DataRequest.Outcome,
    by: Author,
    now: datetime,
) -> DataRequest:
    """Make the rows blank, and put what is `kept` of each into the request."""
    clinic = request.clinic
    with override(clinic.language):
        name = _("Paciente apagado") if outcome is DataRequest.Outcome.ERASED else _("Paciente bloqueado")
    blank = asdict(PatientDetails(name=name))
    sealed = {}
    for record in Patient.objects.of(clinic).filter(pk__in=records).order_by("pk"):
        details = asdict(details_of(record))
        sealed[str(record.pk)] = {name: details[name] for name in kept}
        record.blocked_at = now
        write_values(record, blank, "blocked_at")
    if kept:
        request.kept |= {"records": sealed}
    _event(request, EVENTS[outcome], request.reason, by, now)
    return _decided(request, outcome, by, now)


def _restore(record: Patient, values: dict[str, Any]) -> None:
    """Write the values back, without a payer that was deleted meanwhile. Raises RequestRefused where another patient
    has one of the numbers by now."""
    if any(is_of_another(record, name, value) for name, value in values.items()):
        raise RequestRefused(RequestFault.NUMBERS_TAKEN)
    payer = values.get("payer_id")
    if payer and not Payer.objects.of(record.clinic_id).filter(pk=payer).exists():
        values = values | {"payer_id": None, "card_number": "", "card_expires_on": None}
    record.blocked_at = None
    write_values(record, values, "blocked_at")


def _decided(request: DataRequest, outcome: DataRequest.Outcome, by: Author, now: datetime) -> DataRequest:
    request.outcome, request.decided_by, request.decided_at = outcome, by.user, now
    request.save(update_fields=["outcome", "decided_by", "decided_at", "blocked_until", "kept"])
    return request


def _event(request: DataRequest, kind: str, reason: str, by: Author, now: datetime) -> None:
    PatientEvent.objects.create(
        clinic_id=request.clinic_id,
        patient_id=request.patient_id,
        kind=kind,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        reason=reason,
    )


def _memos(clinic: Clinic, records: list[int]) -> MemoQuerySet:
    visits = Appointment.objects.of(clinic).filter(patient__in=records)
    about = Q(patient__in=records) | Q(appointment__in=list(visits.values_list("pk", flat=True)))
    return Memo.objects.of(clinic).filter(about).order_by("pk")


def _close_memos(clinic: Clinic, records: list[int], by: Author, now: datetime) -> None:
    who = by.user or F("written_by")
    _memos(clinic, records).filter(done_at=None).order_by().update(done_by=who, done_at=now)


def _seal_memos(clinic: Clinic, records: list[int], by: Author, now: datetime) -> dict[str, dict[str, Any]]:
    """Blank the memos and have none of them open; return what was in them, by their ids."""
    columns = ("name", "phone", "text", "done_by", "done_at")
    sealed = {
        str(pk): dict(zip(columns, values, strict=True))
        for pk, *values in _memos(clinic, records).values_list("pk", *columns)
    }
    _close_memos(clinic, records, by, now)
    _memos(clinic, records).order_by().update(text=BLANK, phone="")
    _memos(clinic, records).exclude(name="").order_by().update(name=BLANK)
    return sealed
