"""The bodies of writes: each class reads a body and passes it to booking, or raises all errors in it."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial

from django.utils import timezone

from clinic import booking, registry
from clinic.api.errors import AfterRollback
from clinic.api.imagemais import messages
from clinic.api.imagemais.errors import Rejected, error_answer
from clinic.api.imagemais.reading import ANY_ISO_DATE, Reader, as_id, plain
from clinic.api.imagemais.statuses import ACTIONS, API_STATUSES
from clinic.booking import Author, LineRequest, Proposal
from clinic.models import Appointment, Clinic, Doctor, NonexistentTime, Patient, documents
from clinic.models.appointment import Status
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import DoctorFault, DoctorRefused, Hours, PatientDetails, Policy
from clinic.schedule import are_valid_hours

WEEKDAYS = {plain(name): number for number, name in enumerate(messages.WEEKDAYS, start=1)}
# Checked in the place of an unreadable date or time; rules that they break are not reported.
PLACEHOLDER_START, PLACEHOLDER_END = time(23, 58), time(23, 59)


class Body:
    def __init__(self, payload, clinic: Clinic):
        self.clinic = clinic
        self.read = Reader(payload)
        self.read.expect_storable_keys()

    def _require_object(self, payload):
        """Report a body that is no object, where no field is required that would report it."""
        if not isinstance(payload, dict):
            self.read.add_errors("", messages.NOT_AN_OBJECT)

    def _refuse_fields_of_other_calls(self, *fields):
        """Report fields, even null ones, that this call does not change and another one does."""
        payload = self.read.payload if isinstance(self.read.payload, dict) else {}
        for field, call in messages.ELSEWHERE.items():
            if field in payload and field not in fields:
                self.read.add_errors(field, messages.NOT_CHANGED_HERE.format(field, call))

    def _reject(self, refused: Refused | None, by_reason=messages.REFUSALS):
        """Raises Rejected."""
        refusals = refused.refusals if refused else []
        raise self.read.rejected(refusals, by_reason) from refused


class TimedBody(Body):
    """A body with a doctor, a day and two times, all required."""

    def _read_when(self):
        self.doctor = self.read.id("doctorId")
        self.day = self.read.day("date")
        starts, ends = (self.read.time_of_day(field) for field in ("startTime", "endTime"))
        day = self.day or self._tomorrow()
        last = day if ends is None else booking.day_of_end(day, starts, ends)
        self.starts_at = self._instant("startTime", day, PLACEHOLDER_START if starts is None else starts)
        self.ends_at = self._instant("endTime", last, PLACEHOLDER_END if ends is None else ends)

    def _instant(self, field, day, wall) -> datetime:
        try:
            return self.clinic.instant(day, wall)
        except NonexistentTime:
            if self.read.is_valid("date", field):
                self.read.add_errors(field, messages.NO_SUCH_TIME.format(field))
            return self.clinic.nearest_instant(day, wall)

    def _tomorrow(self) -> date:
        return self.clinic.local(timezone.now()).date() + timedelta(days=1)

    def _reject(self, refused, by_reason=messages.REFUSALS):
        if refused:
            refused.refusals = [
                with_slots(refusal, self.clinic, self.doctor, self._span) for refusal in refused.refusals
            ]
        super()._reject(refused, by_reason)

    @property
    def _span(self):
        return self.starts_at, self.ends_at


class BookingBody(TimedBody):
    def __init__(self, payload, clinic: Clinic):
        super().__init__(payload, clinic)
        self.details = _details(self.read)
        self.lines = self._lines()
        self._read_when()
        self.discount = self.read.id("discountId", required=False)
        self.notes = self.read.text("notes", required=False)

    def book(self, by: Author) -> Appointment:
        """Book the appointment. Raises Rejected."""
        try:
            if self.read.is_valid():
                return booking.book(self._proposal(), by=by)
            refused = booking.check(self._proposal())
        except Refused as error:
            refused = error
        self._reject(refused)

    def _proposal(self):
        return Proposal(
            clinic=self.clinic,
            doctor=self.doctor,
            lines=tuple(self.lines),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            details=self.details,
            discount=self.discount,
            notes=self.notes,
            source=Appointment.Source.SYNC_EXTERNAL,
            policy=Policy.LENIENT,
        )

    def _lines(self):
        lines = []
        for position, line in enumerate(self.read.items("procedures")):
            line = line if isinstance(line, dict) else {}
            procedure, discount = as_id(line.get("id")), as_id(line.get("discountId"))
            if procedure is None:
                if self.read.is_valid("procedures"):
                    self.read.add_errors("procedures", *messages.UNREADABLE["procedures"])
                continue
            if discount is None and line.get("discountId") is not None:
                field = f"procedures.{position}.discountId"
                self.read.add_errors(field, messages.NUMBER.format(field))
            lines.append(LineRequest(procedure, discount))
        return lines


class MoveBody(TimedBody):
    def __init__(self, payload, clinic: Clinic):
        super().__init__(payload, clinic)
        self._read_when()
        self._refuse_fields_of_other_calls("doctorId", "date", "startTime", "endTime", "withoutExpiredDiscount")
        self.without_expired = self.read.flag("withoutExpiredDiscount")

    def move(self, appointment_id: int, by: Author) -> None:
        """Move the appointment. Raises Rejected or Appointment.DoesNotExist."""
        target = {"doctor": self.doctor, "starts_at": self.starts_at, "ends_at": self.ends_at}
        target["without_expired"] = self.without_expired
        try:
            if self.read.is_valid():
                booking.reschedule(appointment_id, clinic=self.clinic, by=by, **target)
                return
            refused = booking.check_reschedule(appointment_id, clinic=self.clinic, **target)
        except Refused as error:
            refused = error
        if refused and Reason.NOT_MOVABLE in refused.reasons:
            status = Appointment.objects.of(self.clinic).values_list("status", flat=True).get(pk=appointment_id)
            refused.refusals = [
                Refusal(refusal.reason, refusal.params | _current_status(status)) for refusal in refused.refusals
            ]
        self._reject(refused)


class StatusBody(Body):
    def __init__(self, payload, clinic: Clinic):
        super().__init__(payload, clinic)
        self.status = self.read.choice("action", ACTIONS)
        self.doctor = self.read.id("doctorId", required=False)
        self._refuse_fields_of_other_calls("action", "doctorId")

    def change(self, appointment_id: int, by: Author) -> None:
        """Change the status. Raises Rejected, AfterRollback or Appointment.DoesNotExist."""
        self.read.raise_if_invalid()
        appointment = Appointment.objects.of(self.clinic).kept().get(pk=appointment_id)
        if self.doctor not in {None, appointment.doctor_id}:
            self.read.add_errors("doctorId", messages.OTHER_DOCTOR)
            self._reject(None)
        cancelled_by = Appointment.CancelledBy.CLINIC if self.status == Status.CANCELLED else ""
        try:
            booking.change_status(appointment_id, self.status, clinic=self.clinic, by=by, cancelled_by=cancelled_by)
        except Refused as refused:
            raise AfterRollback(partial(self._answer, refused, appointment)) from refused

    def _answer(self, refused, appointment):
        nearest = _format_openings(refused.alternatives, self.clinic)
        refusals = [self._with_api_names(refusal, appointment, nearest) for refusal in refused.refusals]
        rejected = self.read.rejected(refusals, messages.REFUSALS_OF_STATUSES)
        return error_answer(rejected.status, rejected.message)

    def _with_api_names(self, refusal, appointment, nearest):
        if refusal.reason is Reason.TRANSITION_FORBIDDEN:
            return Refusal(
                refusal.reason, _current_status(appointment.status) | {"wanted": API_STATUSES[self.status].name}
            )
        span = appointment.starts_at, appointment.ends_at
        refusal = Refusal(refusal.reason, refusal.params | {"nearest": nearest})
        return with_slots(refusal, self.clinic, appointment.doctor_id, span)


class EditBody(Body):
    """The patient's data, the notes, or both; null deletes the notes and the patient's CPF."""

    def __init__(self, payload, clinic: Clinic):
        super().__init__(payload, clinic)
        self._require_object(payload)
        self.details = _details(self.read, cpf_required=False) if self.read.is_sent("patient") else None
        self.notes = self.read.text("notes", required=False) if self.read.is_sent("notes") else None
        self._refuse_fields_of_other_calls("patient", "notes")

    def save(self, appointment_id: int, by: Author) -> None:
        """Save the changes. Raises Rejected, which undoes all of them, or Appointment.DoesNotExist."""
        kept = Appointment.objects.of(self.clinic).kept().select_related("patient")
        patient = kept.get(pk=appointment_id).patient
        refusals = self._save_patient(patient)
        if self.notes is not None:
            try:
                booking.edit_notes(appointment_id, clinic=self.clinic, by=by, notes=self.notes)
            except Refused as refused:
                refusals += refused.refusals
        if refusals or not self.read.is_valid():
            self._reject(Refused(refusals))

    def _save_patient(self, patient):
        if self.details is None:
            return []
        changes = {"name": self.details.name, "phone": self.details.phone, "birth_date": self.details.birth_date}
        if self.details.cpf or self.read.is_null("patient.cpf"):
            changes["cpf"] = self.details.cpf
        options = {"clinic": self.clinic, "policy": Policy.LENIENT}
        if not self.read.is_valid():
            details = replace(registry.details_of(patient), **changes)
            return registry.check_patient(details, patient_id=patient.pk, **options)
        try:
            registry.change_patient(patient.pk, changes, **options)
        except Refused as refused:
            return refused.refusals
        return []


class PatientBody(Body):
    """A body that is the patient itself: the same fields and messages, without the prefix `patient.`."""

    def __init__(self, payload, clinic: Clinic):
        super().__init__({"patient": payload}, clinic)

    def register(self) -> Patient:
        """Register the patient. Raises Rejected."""
        details = _details(self.read, cpf_required=False)
        work = partial(registry.register_patient, self.clinic, details, policy=Policy.EXACT_CPF)
        return self._saved(details, None, work)

    def save(self, patient: Patient) -> Patient:
        """Replace the fields that were sent; null deletes CPF and birth date. Raises Rejected."""
        read = self.read
        self._require_object(read.payload["patient"])
        changes = {}
        if read.is_sent("patient.cpf"):
            changes["cpf"] = _cpf(read, required=not read.is_null("patient.cpf"))
        if read.is_sent("patient.dateBirth"):
            needed = not read.is_null("patient.dateBirth")
            changes["birth_date"] = read.day("patient.dateBirth", form=ANY_ISO_DATE, required=needed)
        for name in ("phone", "name"):
            if read.is_sent(f"patient.{name}"):
                changes[name] = read.text(f"patient.{name}")
        details = replace(registry.details_of(patient), **changes)
        options = {"clinic": self.clinic, "policy": Policy.EXACT_CPF}
        return self._saved(details, patient.pk, lambda: registry.change_patient(patient.pk, changes, **options))

    def _saved(self, details, patient_id, work):
        try:
            if self.read.is_valid():
                return work()
            refusals = registry.check_patient(
                details, clinic=self.clinic, patient_id=patient_id, policy=Policy.EXACT_CPF
            )
            refused = Refused(refusals)
        except Refused as error:
            refused = error
        try:
            self._reject(refused, messages.REFUSALS_OF_PATIENTS)
        except Rejected as rejected:
            if isinstance(rejected.message, list):
                rejected.message = [sentence.removeprefix("patient.") for sentence in rejected.message]
            raise


class DoctorBody(Body):
    def __init__(self, payload, clinic: Clinic):
        super().__init__(payload, clinic)
        read = self.read
        self.name = read.text("name")
        self.procedures = self._procedures()
        starts, ends = read.time_of_day("startTime"), read.time_of_day("endTime")
        self._ends_too_early = starts is not None and ends is not None and not are_valid_hours(starts, ends)
        self.interval = read.id("intervalMinutes")
        self.hours = [
            Hours(day, time.min if starts is None else starts, time(23, 59) if ends is None else ends)
            for day in self._weekdays()
        ]

    def register(self) -> Doctor:
        """Register the doctor. Raises Rejected."""
        values = {"name": self.name, "procedures": self.procedures, "hours": self.hours}
        # An unreadable interval is reported already; five minutes break no rule.
        values["interval_minutes"] = 5 if self.interval is None else self.interval
        try:
            if self.read.is_valid():
                return registry.register_doctor(self.clinic, **values)
            faults = registry.check_doctor(self.clinic, **values)
        except DoctorRefused as refused:
            faults = refused.faults
        except Refused as refused:
            self._reject(refused)
        # Without a working day there are no hours whose order could be checked.
        if self._ends_too_early and DoctorFault.ENDS_NOT_AFTER_START not in faults:
            faults.append(DoctorFault.ENDS_NOT_AFTER_START)
        for fault in faults:
            field, sentence = messages.FAULTS[fault]
            if self.read.is_valid(field):
                self.read.add_errors(field, sentence)
        self._reject(None)

    def _procedures(self):
        ids = [as_id(value) for value in self.read.items("procedureIds")]
        if None in ids:
            self.read.add_errors("procedureIds", *messages.UNREADABLE["procedureIds"])
        return {pk for pk in ids if pk is not None}

    def _weekdays(self):
        if not self.read.has("workingDays"):
            self.read.add_errors("workingDays", *messages.MISSING["workingDays"])
            return []
        value = self.read.payload["workingDays"]
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts:
            self.read.add_errors("workingDays", messages.MISSING["workingDays"][0 if texts == [] else 1])
            return []
        if not all(isinstance(text, str) for text in texts):
            self.read.add_errors("workingDays", *messages.UNREADABLE["workingDays"])
            return []
        names = [plain(name).strip().removesuffix("-feira") for text in texts for name in text.split(",")]
        if not set(names) <= WEEKDAYS.keys():
            self.read.add_errors("workingDays", *messages.UNREADABLE["workingDays"])
        return sorted({WEEKDAYS[name] for name in names if name in WEEKDAYS})


def with_slots(refusal: Refusal, clinic: Clinic, doctor_id: int | None, span: tuple[datetime, datetime]) -> Refusal:
    """Add the starts of the doctor's grid within the span that are taken, if the doctor is taken."""
    if refusal.reason is not Reason.DOCTOR_TAKEN:
        return refusal
    step = timedelta(minutes=Doctor.objects.of(clinic).get(pk=doctor_id).interval_minutes)
    starts_at, ends_at = span
    taken = []
    while starts_at < ends_at:
        slot_end = min(starts_at + step, ends_at)
        if any(begin < slot_end and end > starts_at for begin, end in refusal.params["spans"]):
            taken.append(f"{clinic.local(starts_at):%H:%M}")
        starts_at = slot_end
    return Refusal(refusal.reason, refusal.params | {"slots": ", ".join(taken)})


def _format_openings(openings, clinic: Clinic) -> str:
    return ", ".join(f"{clinic.local(opening.starts_at):%d/%m/%Y %H:%M}" for opening in openings) or "nenhum"


def _current_status(status) -> dict:
    """Return the current status under this API's name, as a parameter of messages."""
    return {"current": API_STATUSES[Status(status)].name}


def _details(read: Reader, *, cpf_required=True) -> PatientDetails:
    """Read the fields in the order in which the vendor reports missing ones."""
    return PatientDetails(
        cpf=_cpf(read, required=cpf_required),
        birth_date=read.day("patient.dateBirth", form=ANY_ISO_DATE),
        phone=read.text("patient.phone"),
        name=read.text("patient.name"),
    )


def _cpf(read: Reader, *, required=True) -> str:
    """Read a CPF, and report a text of punctuation only, which booking would take for no CPF."""
    text = read.text("patient.cpf", required=required)
    if text and not documents.read_cpf(text):
        read.add_errors("patient.cpf", messages.REFUSALS[Reason.CPF_SHAPE].sentence)
    return text
