"""The bodies of the writes: each reads what was said and hands it to booking, or answers with all that is wrong."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial

from django.utils import timezone

from clinic import booking
from clinic.api.imagemais import messages
from clinic.api.imagemais.errors import Rejected
from clinic.api.imagemais.reading import ANY_ISO_DATE, Reader, as_id, plain
from clinic.api.imagemais.statuses import ACTIONS, API_STATUSES
from clinic.booking import (
    Author,
    BookingRefused,
    DoctorFault,
    DoctorRefused,
    Hours,
    LineRequest,
    PatientDetails,
    Policy,
    Proposal,
    Reason,
    Refusal,
)
from clinic.models import Appointment, Clinic, Doctor, NonexistentTime, Patient, documents
from clinic.models.appointment import Status
from clinic.schedule import are_valid_hours

WEEKDAYS = {plain(name): number for number, name in enumerate(messages.WEEKDAYS, start=1)}
# Where a date or a time could not be read, something harmless is checked: what it breaks is not told.
SOME_START, SOME_END = time(23, 58), time(23, 59)


class Body:
    def __init__(self, said, clinic: Clinic):
        self.clinic = clinic
        self.read = Reader(said)
        self.read.expect_storable_keys()

    def _expect_an_object(self, said):
        """Where no field is required, what is no object would ask for nothing."""
        if not isinstance(said, dict):
            self.read.blame("", messages.NOT_AN_OBJECT)

    def _expect_of_an_appointment(self, *fields):
        """What belongs to another call would change nothing here: said, even null, it is a slip."""
        said = self.read.said if isinstance(self.read.said, dict) else {}
        for field, call in messages.ELSEWHERE.items():
            if field in said and field not in fields:
                self.read.blame(field, messages.NOT_CHANGED_HERE.format(field, call))

    def _reject(self, refused: BookingRefused | None, told=messages.REFUSALS):
        """Raises Rejected."""
        refusals = refused.refusals if refused else []
        raise self.read.rejected(refusals, told) from refused


class TimedBody(Body):
    """A doctor, a day and the two times, all required."""

    def _read_when(self):
        self.doctor = self.read.id("doctorId")
        self.day = self.read.day("date")
        starts, ends = (self.read.wall(field) for field in ("startTime", "endTime"))
        day = self.day or self._tomorrow()
        last = day if ends is None else booking.day_of_end(day, starts, ends)
        self.starts_at = self._instant("startTime", day, SOME_START if starts is None else starts)
        self.ends_at = self._instant("endTime", last, SOME_END if ends is None else ends)

    def _instant(self, field, day, wall) -> datetime:
        try:
            return self.clinic.instant(day, wall)
        except NonexistentTime:
            if self.read.understood("date", field):
                self.read.blame(field, messages.NO_SUCH_TIME.format(field))
            return self.clinic.nearest_instant(day, wall)

    def _tomorrow(self) -> date:
        return self.clinic.local(timezone.now()).date() + timedelta(days=1)

    def _reject(self, refused, told=messages.REFUSALS):
        if refused:
            refused.refusals = [with_slots(each, self.clinic, self.doctor, self._span) for each in refused.refusals]
        super()._reject(refused, told)

    @property
    def _span(self):
        return self.starts_at, self.ends_at


class BookingBody(TimedBody):
    def __init__(self, said, clinic: Clinic):
        super().__init__(said, clinic)
        self.details = _details(self.read)
        self.lines = self._lines()
        self._read_when()
        self.discount = self.read.id("discountId", required=False)
        self.notes = self.read.text("notes", required=False)

    def book(self, by: Author) -> Appointment:
        """Raises Rejected."""
        try:
            if self.read.understood():
                return booking.book(self._proposal(), by=by)
            refused = booking.check(self._proposal())
        except BookingRefused as error:
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
        for position, said in enumerate(self.read.items("procedures")):
            said = said if isinstance(said, dict) else {}
            procedure, discount = as_id(said.get("id")), as_id(said.get("discountId"))
            if procedure is None:
                if self.read.understood("procedures"):
                    self.read.blame("procedures", *messages.UNREADABLE["procedures"])
                continue
            if discount is None and said.get("discountId") is not None:
                field = f"procedures.{position}.discountId"
                self.read.blame(field, messages.NUMBER.format(field))
            lines.append(LineRequest(procedure, discount))
        return lines


class MoveBody(TimedBody):
    def __init__(self, said, clinic: Clinic):
        super().__init__(said, clinic)
        self._read_when()
        self._expect_of_an_appointment("doctorId", "date", "startTime", "endTime", "withoutExpiredDiscount")
        self.without_expired = self.read.flag("withoutExpiredDiscount")

    def move(self, appointment_id: int, by: Author) -> None:
        """Raises Rejected, or Appointment.DoesNotExist."""
        target = {"doctor": self.doctor, "starts_at": self.starts_at, "ends_at": self.ends_at}
        target["without_expired"] = self.without_expired
        try:
            if self.read.understood():
                booking.reschedule(appointment_id, clinic=self.clinic, by=by, **target)
                return
            refused = booking.check_reschedule(appointment_id, clinic=self.clinic, **target)
        except BookingRefused as error:
            refused = error
        if refused and Reason.NOT_MOVABLE in refused.reasons:
            status = Appointment.objects.of(self.clinic).values_list("status", flat=True).get(pk=appointment_id)
            refused.refusals = [Refusal(each.reason, each.params | _named(status)) for each in refused.refusals]
        self._reject(refused)


class StatusBody(Body):
    def __init__(self, said, clinic: Clinic):
        super().__init__(said, clinic)
        self.status = self.read.choice("action", ACTIONS)
        self.doctor = self.read.id("doctorId", required=False)
        self._expect_of_an_appointment("action", "doctorId")

    def change(self, appointment_id: int, by: Author) -> None:
        """Raises Rejected, or Appointment.DoesNotExist."""
        self.read.reject_unread()
        appointment = Appointment.objects.of(self.clinic).kept().get(pk=appointment_id)
        if self.doctor not in {None, appointment.doctor_id}:
            self.read.blame("doctorId", messages.OTHER_DOCTOR)
            self._reject(None)
        cancelled_by = Appointment.CancelledBy.CLINIC if self.status == Status.CANCELLED else ""
        try:
            booking.change_status(appointment_id, self.status, clinic=self.clinic, by=by, cancelled_by=cancelled_by)
        except BookingRefused as refused:
            nearest = _in_words(refused.alternatives, self.clinic)
            refused.refusals = [self._in_our_words(each, appointment, nearest) for each in refused.refusals]
            self._reject(refused, messages.REFUSALS_OF_STATUSES)

    def _in_our_words(self, refusal, appointment, nearest):
        if refusal.reason is Reason.TRANSITION_FORBIDDEN:
            return Refusal(refusal.reason, _named(appointment.status) | {"wanted": API_STATUSES[self.status].name})
        span = appointment.starts_at, appointment.ends_at
        refusal = Refusal(refusal.reason, refusal.params | {"nearest": nearest})
        return with_slots(refusal, self.clinic, appointment.doctor_id, span)


class EditBody(Body):
    """The patient's data and the notes, either or both; null takes away the notes and the patient's CPF."""

    def __init__(self, said, clinic: Clinic):
        super().__init__(said, clinic)
        self._expect_an_object(said)
        self.details = _details(self.read, cpf_required=False) if self.read.says("patient") else None
        self.notes = self.read.text("notes", required=False) if self.read.says("notes") else None
        self._expect_of_an_appointment("patient", "notes")

    def save(self, appointment_id: int, by: Author) -> None:
        """Raises Rejected, which undoes what is saved of it, or Appointment.DoesNotExist."""
        kept = Appointment.objects.of(self.clinic).kept().select_related("patient")
        patient = kept.get(pk=appointment_id).patient
        refusals = self._save_patient(patient)
        if self.notes is not None:
            try:
                booking.annotate(appointment_id, clinic=self.clinic, by=by, notes=self.notes)
            except BookingRefused as refused:
                refusals += refused.refusals
        if refusals or not self.read.understood():
            self._reject(BookingRefused(refusals))

    def _save_patient(self, patient):
        if self.details is None:
            return []
        given = {"name": self.details.name, "phone": self.details.phone, "birth_date": self.details.birth_date}
        if self.details.cpf or self.read.is_null("patient.cpf"):
            given["cpf"] = self.details.cpf
        options = {"clinic": self.clinic, "policy": Policy.LENIENT}
        if not self.read.understood():
            whole = replace(booking.details_of(patient), **given)
            return booking.check_patient(whole, patient_id=patient.pk, **options)
        try:
            booking.change_patient(patient.pk, given, **options)
        except BookingRefused as refused:
            return refused.refusals
        return []


class PatientBody(Body):
    """The body is the patient: the same fields and sentences, without `patient.` before them."""

    def __init__(self, said, clinic: Clinic):
        super().__init__({"patient": said}, clinic)

    def register(self) -> Patient:
        """Raises Rejected."""
        details = _details(self.read, cpf_required=False)
        work = partial(booking.register_patient, self.clinic, details, policy=Policy.EXACT_CPF)
        return self._saved(details, None, work)

    def save(self, patient: Patient) -> Patient:
        """What is sent, in the place of what was there; null takes away CPF and birth date. Raises Rejected."""
        read = self.read
        self._expect_an_object(read.said["patient"])
        given = {}
        if read.says("patient.cpf"):
            given["cpf"] = _cpf(read, required=not read.is_null("patient.cpf"))
        if read.says("patient.dateBirth"):
            needed = not read.is_null("patient.dateBirth")
            given["birth_date"] = read.day("patient.dateBirth", form=ANY_ISO_DATE, required=needed)
        for name in ("phone", "name"):
            if read.says(f"patient.{name}"):
                given[name] = read.text(f"patient.{name}")
        details = replace(booking.details_of(patient), **given)
        options = {"clinic": self.clinic, "policy": Policy.EXACT_CPF}
        return self._saved(details, patient.pk, lambda: booking.change_patient(patient.pk, given, **options))

    def _saved(self, details, patient_id, work):
        try:
            if self.read.understood():
                return work()
            refusals = booking.check_patient(
                details, clinic=self.clinic, patient_id=patient_id, policy=Policy.EXACT_CPF
            )
            refused = BookingRefused(refusals)
        except BookingRefused as error:
            refused = error
        try:
            self._reject(refused, messages.REFUSALS_OF_PATIENTS)
        except Rejected as rejected:
            if isinstance(rejected.message, list):
                rejected.message = [sentence.removeprefix("patient.") for sentence in rejected.message]
            raise


class DoctorBody(Body):
    def __init__(self, said, clinic: Clinic):
        super().__init__(said, clinic)
        read = self.read
        self.name = read.text("name")
        self.procedures = self._procedures()
        starts, ends = read.wall("startTime"), read.wall("endTime")
        self._ends_too_early = starts is not None and ends is not None and not are_valid_hours(starts, ends)
        self.interval = read.id("intervalMinutes")
        self.hours = [
            Hours(day, time.min if starts is None else starts, time(23, 59) if ends is None else ends)
            for day in self._weekdays()
        ]

    def register(self) -> Doctor:
        """Raises Rejected."""
        values = {"name": self.name, "procedures": self.procedures, "hours": self.hours}
        # An interval that could not be read is told already; five minutes break no rule.
        values["interval_minutes"] = 5 if self.interval is None else self.interval
        try:
            if self.read.understood():
                return booking.register_doctor(self.clinic, **values)
            faults = booking.check_doctor(self.clinic, **values)
        except DoctorRefused as refused:
            faults = refused.faults
        # Without a day of work booking has no hours to compare.
        if self._ends_too_early and DoctorFault.ENDS_NOT_AFTER_START not in faults:
            faults.append(DoctorFault.ENDS_NOT_AFTER_START)
        for fault in faults:
            field, sentence = messages.FAULTS[fault]
            if self.read.understood(field):
                self.read.blame(field, sentence)
        self._reject(None)

    def _procedures(self):
        found = [as_id(said) for said in self.read.items("procedureIds")]
        if None in found:
            self.read.blame("procedureIds", *messages.UNREADABLE["procedureIds"])
        return {each for each in found if each is not None}

    def _weekdays(self):
        if not self.read.has("workingDays"):
            self.read.blame("workingDays", *messages.MISSING["workingDays"])
            return []
        said = self.read.said["workingDays"]
        told = [said] if isinstance(said, str) else said
        if not isinstance(told, list) or not told:
            self.read.blame("workingDays", messages.MISSING["workingDays"][0 if told == [] else 1])
            return []
        if not all(isinstance(name, str) for name in told):
            self.read.blame("workingDays", *messages.UNREADABLE["workingDays"])
            return []
        names = [plain(name).strip().removesuffix("-feira") for text in told for name in text.split(",")]
        if not set(names) <= WEEKDAYS.keys():
            self.read.blame("workingDays", *messages.UNREADABLE["workingDays"])
        return sorted({WEEKDAYS[name] for name in names if name in WEEKDAYS})


def with_slots(refusal: Refusal, clinic: Clinic, doctor_id: int | None, span: tuple[datetime, datetime]) -> Refusal:
    """When the doctor is taken: with the taken ones among the starts on the doctor's grid, from that of the span on."""
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


def _in_words(openings, clinic: Clinic) -> str:
    return ", ".join(f"{clinic.local(each.starts_at):%d/%m/%Y %H:%M}" for each in openings) or "nenhum"


def _named(status) -> dict:
    """The present status under the name that this API has for it."""
    return {"current": API_STATUSES[Status(status)].name}


def _details(read: Reader, *, cpf_required=True) -> PatientDetails:
    """Read in the order in which the vendor tells what is missing."""
    return PatientDetails(
        cpf=_cpf(read, required=cpf_required),
        birth_date=read.day("patient.dateBirth", form=ANY_ISO_DATE),
        phone=read.text("patient.phone"),
        name=read.text("patient.name"),
    )


def _cpf(read: Reader, *, required=True) -> str:
    """Booking takes punctuation without digits for no CPF at all; here something was sent, and it is none."""
    text = read.text("patient.cpf", required=required)
    if text and not documents.read_cpf(text):
        read.blame("patient.cpf", messages.REFUSALS[Reason.CPF_SHAPE].sentence)
    return text
