"""The bodies of writes: each class reads a body and passes it to booking, or raises all errors in it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NoReturn

from django.http import HttpResponse
from django.utils import timezone

from clinic import booking, registry
from clinic.api.errors import AfterRollback
from clinic.api.imagemais import messages
from clinic.api.imagemais.errors import RequestError, error_answer
from clinic.api.imagemais.expand import alternative
from clinic.api.imagemais.reading import ANY_ISO_DATE, Reader, as_id, plain
from clinic.api.imagemais.statuses import ACTIONS, API_STATUSES
from clinic.booking import Author, BookingRefused, LineRequest, Payment, Proposal
from clinic.models import Appointment, Clinic, Doctor, NonexistentTime, Patient, Receipt, documents
from clinic.models.appointment import Status
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import DoctorFault, DoctorRefused, Hours, PatientDetails, Policy
from clinic.schedule import Opening, are_valid_hours

WEEKDAYS = {plain(name): number for number, name in enumerate(messages.WEEKDAYS, start=1)}
# Checked in the place of an unreadable date or time; rules that they break are not reported.
PLACEHOLDER_START, PLACEHOLDER_END = time(23, 58), time(23, 59)


class Body:
    def __init__(self, payload: Any, clinic: Clinic, *, may_lack_phone: bool = False) -> None:
        self.clinic = clinic
        self.may_lack_phone = may_lack_phone
        self.reader = Reader(payload)
        self.reader.expect_storable_keys()
        self._read_contact()

    def _require_object(self, payload: Any) -> None:
        """Report a body that is no object, where no field is required that would report it."""
        if not isinstance(payload, dict):
            self.reader.add_errors("", messages.NOT_AN_OBJECT)

    def _read_contact(self) -> None:
        """Take `patient.contact.phone`, as answers write it, for `patient.phone`."""
        patient = self.reader.payload.get("patient") if isinstance(self.reader.payload, dict) else None
        contact = patient.get("contact") if isinstance(patient, dict) else None
        if not isinstance(patient, dict) or contact is None:
            return
        phone = contact.get("phone") if isinstance(contact, dict) else None
        if phone is None:
            if not isinstance(contact, dict) or (patient.get("phone") is None and not self.may_lack_phone):
                self.reader.add_errors("patient.phone", messages.CONTACT_WITHOUT_PHONE)
        elif patient.get("phone") not in [None, phone]:
            self.reader.add_errors("patient.phone", messages.TWO_PHONES)
        else:
            self.reader.payload = self.reader.payload | {"patient": patient | {"phone": phone}}

    def _report_fields_that_are_not_stored(self) -> None:
        """Report the vendor's fields that this installation does not keep: a 200 would say that they were changed."""
        sent = self.reader.payload.get("patient") if isinstance(self.reader.payload, dict) else None
        sent = sent if isinstance(sent, dict) else {}
        contact = sent.get("contact")
        names = [*sent, *(f"contact.{name}" for name in (contact if isinstance(contact, dict) else {}))]
        for name in names:
            if name in messages.NOT_STORED_FIELDS:
                self.reader.add_errors(f"patient.{name}", messages.NOT_STORED.format(f"patient.{name}"))

    def _report_fields_of_other_calls(self, *fields: str) -> None:
        """Report fields, even null ones, that this call does not change and another one does."""
        payload = self.reader.payload if isinstance(self.reader.payload, dict) else {}
        for field, call in messages.CALLS_FOR_OTHER_FIELDS.items():
            if field in payload and field not in fields:
                self.reader.add_errors(field, messages.NOT_CHANGED_HERE.format(field, call))

    def _raise_error(self, refused: Refused | None, by_reason: messages.Messages = messages.REFUSALS) -> NoReturn:
        """Raise RequestError with all messages."""
        refusals = refused.refusals if refused else []
        raise self.reader.request_error(refusals, by_reason) from refused


class TimedBody(Body):
    """A body with a doctor, a day and two times, all required.

    `offers_alternatives` makes the refusal of a time name its cause and the nearest free ones."""

    offers_alternatives = False

    def _read_times(self) -> None:
        self.doctor = self.reader.id("doctorId")
        self.day = self.reader.day("date")
        starts, ends = (self.reader.time_of_day(field) for field in ("startTime", "endTime"))
        day = self.day or self._tomorrow()
        last = day if ends is None else booking.day_of_end(day, starts, ends)
        self.starts_at = self._instant("startTime", day, PLACEHOLDER_START if starts is None else starts)
        self.ends_at = self._instant("endTime", last, PLACEHOLDER_END if ends is None else ends)

    def _instant(self, field: str, day: date, wall: time) -> datetime:
        try:
            return self.clinic.instant(day, wall)
        except NonexistentTime:
            if self.reader.is_valid("date", field):
                self.reader.add_errors(field, messages.NO_SUCH_TIME.format(field))
            return self.clinic.nearest_instant(day, wall)

    def _tomorrow(self) -> date:
        return self.clinic.local(timezone.now()).date() + timedelta(days=1)

    def _raise_error(self, refused: Refused | None, by_reason: messages.Messages = messages.REFUSALS) -> NoReturn:
        if refused:
            refused.refusals = [
                with_slots(refusal, self.clinic, self.doctor, self._span) for refusal in refused.refusals
            ]
        try:
            super()._raise_error(refused, by_reason)
        except RequestError as error:
            if self.offers_alternatives and isinstance(refused, BookingRefused) and refused.is_about_time:
                raise AfterRollback(partial(self._answer_with_alternatives, error, refused)) from refused
            raise

    def _answer_with_alternatives(self, error: RequestError, refused: BookingRefused) -> HttpResponse:
        free = [alternative(opening, self.clinic) for opening in refused.alternatives]
        causes = [refusal.message for refusal in refused.refusals if messages.is_out_of_hours(refusal.reason)]
        more = {"reason": " ".join(causes)} if causes else {}
        return error_answer(error.status, error.message, **more, alternatives=free)

    @property
    def _span(self) -> tuple[datetime, datetime]:
        return self.starts_at, self.ends_at


class BookingBody(TimedBody):
    def __init__(self, payload: Any, clinic: Clinic) -> None:
        super().__init__(payload, clinic)
        self.details = _read_details(self.reader)
        self.lines = self._lines()
        self._read_times()
        self.discount = self.reader.id("discountId", required=False)
        self.notes = self.reader.text("notes", required=False)

    def book(self, by: Author) -> booking.BookedAppointment:
        """Book the appointment. Raises RequestError."""
        refused: Refused | None
        try:
            if self.reader.is_valid():
                return booking.book(self._proposal(), by=by)
            refused = booking.check(self._proposal())
        except Refused as error:
            refused = error
        self._raise_error(refused)

    def _proposal(self) -> Proposal:
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
            in_full=True,
            with_notice=True,
        )

    def _lines(self) -> list[LineRequest]:
        lines: list[LineRequest] = []
        for position, line in enumerate(self.reader.items("procedures")):
            line = line if isinstance(line, dict) else {}
            procedure, discount = as_id(line.get("id")), as_id(line.get("discountId"))
            if procedure is None:
                if self.reader.is_valid("procedures"):
                    self.reader.add_errors("procedures", *messages.UNREADABLE["procedures"])
                continue
            if discount is None and line.get("discountId") is not None:
                field = f"procedures.{position}.discountId"
                self.reader.add_errors(field, messages.NUMBER.format(field))
            if procedure in [read.procedure for read in lines]:
                self.reader.add_errors("procedures", messages.PROCEDURE_REPEATED.format(procedure))
                continue
            lines.append(LineRequest(procedure, discount))
        return lines


class MoveBody(TimedBody):
    def __init__(self, payload: Any, clinic: Clinic) -> None:
        super().__init__(payload, clinic)
        self._read_times()
        self._report_fields_of_other_calls("doctorId", "date", "startTime", "endTime", "withoutExpiredDiscount")
        self.without_expired = self.reader.flag("withoutExpiredDiscount")

    def move(self, appointment_id: int, by: Author) -> None:
        """Move the appointment. Raises RequestError or Appointment.DoesNotExist."""
        refused: Refused | None
        try:
            if self.reader.is_valid():
                booking.reschedule(
                    appointment_id,
                    clinic=self.clinic,
                    doctor=self.doctor,
                    starts_at=self.starts_at,
                    ends_at=self.ends_at,
                    without_expired=self.without_expired,
                    in_full=True,
                    with_notice=True,
                    by=by,
                )
                return
            refused = booking.check_reschedule(
                appointment_id,
                clinic=self.clinic,
                doctor=self.doctor,
                starts_at=self.starts_at,
                ends_at=self.ends_at,
                without_expired=self.without_expired,
                in_full=True,
                with_notice=True,
            )
        except Refused as error:
            refused = error
        if refused and Reason.NOT_MOVABLE in refused.reasons:
            status = Appointment.objects.of(self.clinic).values_list("status", flat=True).get(pk=appointment_id)
            refused.refusals = [
                Refusal(refusal.reason, refusal.params | _current_status(status)) for refusal in refused.refusals
            ]
        self._raise_error(refused)


class StatusBody(Body):
    def __init__(self, payload: Any, clinic: Clinic) -> None:
        super().__init__(payload, clinic)
        self.status = self.reader.choice("action", ACTIONS)
        self.doctor = self.reader.id("doctorId", required=False)
        self._report_fields_of_other_calls("action", "doctorId")

    def change(self, appointment_id: int, by: Author) -> None:
        """Change the status. Raises RequestError, AfterRollback or Appointment.DoesNotExist."""
        status = self.status
        if status is None or not self.reader.is_valid():
            raise self.reader.request_error()
        appointment = Appointment.objects.of(self.clinic).in_use().get(pk=appointment_id)
        other = None if self.doctor == appointment.doctor_id else self.doctor
        if other is not None and status != Status.IN_SERVICE:
            self.reader.add_errors("doctorId", messages.OTHER_DOCTOR)
            self._raise_error(None)
        cancelled_by = Appointment.CancelledBy.CLINIC if status == Status.CANCELLED else ""
        try:
            if other is not None:
                booking.serve_by(appointment_id, other, clinic=self.clinic, by=by)
                return
            booking.change_status(appointment_id, status, clinic=self.clinic, by=by, cancelled_by=cancelled_by)
        except Refused as refused:
            raise AfterRollback(partial(self._answer, refused, appointment, status)) from refused

    def _answer(self, refused: Refused, appointment: Appointment, wanted: Status) -> HttpResponse:
        nearest = _format_openings(refused.alternatives, self.clinic)
        refusals = [self._with_api_names(refusal, appointment, wanted, nearest) for refusal in refused.refusals]
        by_reason = (
            messages.REFUSALS_OF_STATUSES
            if self.doctor in {None, appointment.doctor_id}
            else messages.REFUSALS_OF_DOCTORS
        )
        error = self.reader.request_error(refusals, by_reason)
        return error_answer(error.status, error.message)

    def _with_api_names(self, refusal: Refusal, appointment: Appointment, wanted: Status, nearest: str) -> Refusal:
        if refusal.reason is Reason.TRANSITION_FORBIDDEN:
            return Refusal(refusal.reason, _current_status(appointment.status) | {"wanted": API_STATUSES[wanted].name})
        span = appointment.starts_at, appointment.ends_at
        refusal = Refusal(refusal.reason, refusal.params | {"nearest": nearest})
        return with_slots(refusal, self.clinic, self.doctor or appointment.doctor_id, span)


class PaymentBody(Body):
    """A payment that was received for an appointment."""

    def __init__(self, payload: Any, clinic: Clinic) -> None:
        super().__init__(payload, clinic)
        reader = self.reader
        method = reader.choice("method", messages.PAYMENT_METHODS)
        value = reader.amount("value")
        flag = reader.text("flag", required=False)
        instalments = reader.id("instalments", required=False)
        protocol = reader.text("protocol", required=False)
        # Placeholders break no rule: the fields are reported already.
        self.payment = Payment(
            method=method or Receipt.Method.OTHER,
            value=Decimal(1) if value is None else value,
            flag=flag,
            instalments=1 if instalments is None else instalments,
            protocol=protocol,
        )

    def receive(self, appointment_id: int, by: Author) -> None:
        """Store the payment. Raises RequestError or Appointment.DoesNotExist."""
        if not self.reader.is_valid():
            self._raise_error(Refused(booking.payment_refusals(self.payment)))
        try:
            booking.receive_payment(appointment_id, self.payment, clinic=self.clinic, by=by)
        except Refused as refused:
            if Reason.NOT_PAYABLE in refused.reasons:
                status = Appointment.objects.of(self.clinic).values_list("status", flat=True).get(pk=appointment_id)
                refused.refusals = [
                    Refusal(refusal.reason, refusal.params | _current_status(status)) for refusal in refused.refusals
                ]
            self._raise_error(refused)


class EditBody(Body):
    """The patient's data, the notes, or both; null deletes the notes and the patient's CPF.

    What is not known of the appointment's `patient` may be missing, so that an answer can be sent back as it was read.
    """

    def __init__(self, payload: Any, clinic: Clinic, patient: Patient | None) -> None:
        knows_phone, knows_birth_date = patient is None or bool(patient.phone), patient is None or patient.birth_date
        super().__init__(payload, clinic, may_lack_phone=not knows_phone)
        self._require_object(payload)
        self._report_fields_that_are_not_stored()
        self.details = None
        if self.reader.is_sent("patient"):
            self.details = _read_details(
                self.reader,
                cpf_required=False,
                birth_date_required=bool(knows_birth_date),
                phone_required=knows_phone,
            )
        self.notes = self.reader.text("notes", required=False) if self.reader.is_sent("notes") else None
        self._report_fields_of_other_calls("patient", "notes")

    def save(self, appointment_id: int, by: Author) -> None:
        """Save the changes. Raises RequestError, which undoes all of them, or Appointment.DoesNotExist."""
        kept = Appointment.objects.of(self.clinic).in_use().select_related("patient")
        patient = kept.get(pk=appointment_id).patient
        refusals = self._save_patient(patient, by)
        if self.notes is not None:
            try:
                booking.edit_notes(appointment_id, clinic=self.clinic, by=by, notes=self.notes)
            except Refused as refused:
                refusals += refused.refusals
        if refusals or not self.reader.is_valid():
            self._raise_error(Refused(refusals))

    def _save_patient(self, patient: Patient, by: Author) -> list[Refusal]:
        if self.details is None:
            return []
        changes: dict[str, Any] = {
            "name": self.details.name,
            "phone": self.details.phone,
            "birth_date": self.details.birth_date,
        }
        if self.details.cpf or self.reader.is_null("patient.cpf"):
            changes["cpf"] = self.details.cpf
        changes = _without_social_name(changes, patient)
        if not self.reader.is_valid():
            details = replace(registry.details_of(patient), **changes)
            return registry.check_patient(details, clinic=self.clinic, patient_id=patient.pk, policy=Policy.LENIENT)
        try:
            registry.change_patient(patient.pk, changes, clinic=self.clinic, policy=Policy.LENIENT, by=by)
        except Refused as refused:
            return refused.refusals
        return []


class PatientBody(Body):
    """A body that is the patient itself: the same fields and messages, without the prefix `patient.`.

    `may_lack_phone` is for a patient whose phone is not known."""

    def __init__(self, payload: Any, clinic: Clinic, *, may_lack_phone: bool) -> None:
        super().__init__({"patient": payload}, clinic, may_lack_phone=may_lack_phone)

    def register(self, by: Author) -> Patient:
        """Register the patient. Raises RequestError."""
        details = _read_details(self.reader, cpf_required=False, birth_date_required=False, phone_required=False)
        register = partial(registry.register_patient, self.clinic, details, policy=Policy.EXACT_CPF, by=by)
        return self._write_or_check(details, None, register)

    def save(self, patient: Patient, by: Author) -> Patient:
        """Replace the fields that were sent; null deletes CPF and birth date. Raises RequestError."""
        reader = self.reader
        self._require_object(reader.payload["patient"])
        self._report_fields_that_are_not_stored()
        changes: dict[str, Any] = {}
        if reader.is_sent("patient.cpf"):
            changes["cpf"] = _read_cpf(reader, required=not reader.is_null("patient.cpf"))
        if reader.is_sent("patient.dateBirth"):
            needed = not reader.is_null("patient.dateBirth")
            changes["birth_date"] = reader.day("patient.dateBirth", pattern=ANY_ISO_DATE, required=needed)
        if reader.is_sent("patient.phone"):
            changes["phone"] = _read_phone(reader, required=not self.may_lack_phone)
        if reader.is_sent("patient.name"):
            changes["name"] = reader.text("patient.name")
        changes = _without_social_name(changes, patient)
        details = replace(registry.details_of(patient), **changes)
        change = partial(
            registry.change_patient, patient.pk, changes, clinic=self.clinic, policy=Policy.EXACT_CPF, by=by
        )
        return self._write_or_check(details, patient.pk, change)

    def _write_or_check(self, details: PatientDetails, patient_id: int | None, write: Callable[[], Patient]) -> Patient:
        """Write the patient, or if the body is invalid check the rules too. Raises RequestError."""
        try:
            if self.reader.is_valid():
                return write()
            refusals = registry.check_patient(
                details, clinic=self.clinic, patient_id=patient_id, policy=Policy.EXACT_CPF
            )
            refused = Refused(refusals)
        except Refused as error:
            refused = error
        try:
            self._raise_error(refused, messages.REFUSALS_OF_PATIENTS)
        except RequestError as error:
            if isinstance(error.message, list):
                error.message = [sentence.removeprefix("patient.") for sentence in error.message]
            raise


class DoctorBody(Body):
    def __init__(self, payload: Any, clinic: Clinic) -> None:
        super().__init__(payload, clinic)
        reader = self.reader
        self.name = reader.text("name")
        self.procedures = self._procedures()
        starts, ends = reader.time_of_day("startTime"), reader.time_of_day("endTime")
        self._ends_too_early = starts is not None and ends is not None and not are_valid_hours(starts, ends)
        self.interval = reader.id("intervalMinutes")
        self.hours = [
            Hours(day, time.min if starts is None else starts, time(23, 59) if ends is None else ends)
            for day in self._weekdays()
        ]

    def register(self, by: Author) -> Doctor:
        """Register the doctor. Raises RequestError."""
        # An unreadable interval is reported already; five minutes break no rule.
        interval = 5 if self.interval is None else self.interval
        try:
            if self.reader.is_valid():
                return registry.register_doctor(
                    self.clinic,
                    name=self.name,
                    by=by,
                    procedures=self.procedures,
                    hours=self.hours,
                    interval_minutes=interval,
                )
            faults = registry.check_doctor(
                self.clinic,
                name=self.name,
                procedures=self.procedures,
                hours=self.hours,
                interval_minutes=interval,
            )
        except DoctorRefused as refused:
            if DoctorFault.NAME_TAKEN in refused.faults:
                raise RequestError(409, messages.DOCTOR_EXISTS) from refused
            faults = refused.faults
        except Refused as refused:
            self._raise_error(refused)
        # Without a working day there are no hours whose order could be checked.
        if self._ends_too_early and DoctorFault.ENDS_NOT_AFTER_START not in faults:
            faults.append(DoctorFault.ENDS_NOT_AFTER_START)
        for fault in faults:
            field, sentence = messages.DOCTOR_FAULTS[fault]
            if self.reader.is_valid(field):
                self.reader.add_errors(field, sentence)
        self._raise_error(None)

    def _procedures(self) -> set[int]:
        ids = [as_id(value) for value in self.reader.items("procedureIds")]
        if None in ids:
            self.reader.add_errors("procedureIds", *messages.UNREADABLE["procedureIds"])
        return {pk for pk in ids if pk is not None}

    def _weekdays(self) -> list[int]:
        if not self.reader.has("workingDays"):
            self.reader.add_errors("workingDays", *messages.MISSING["workingDays"])
            return []
        value = self.reader.payload["workingDays"]
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts:
            self.reader.add_errors("workingDays", messages.MISSING["workingDays"][0 if texts == [] else 1])
            return []
        if not all(isinstance(text, str) for text in texts):
            self.reader.add_errors("workingDays", *messages.UNREADABLE["workingDays"])
            return []
        names = [plain(name).strip().removesuffix("-feira") for text in texts for name in text.split(",")]
        if not set(names) <= WEEKDAYS.keys():
            self.reader.add_errors("workingDays", *messages.UNREADABLE["workingDays"])
        return sorted({WEEKDAYS[name] for name in names if name in WEEKDAYS})


def with_slots(refusal: Refusal, clinic: Clinic, doctor_id: int | None, span: tuple[datetime, datetime]) -> Refusal:
    """Add the starts of the doctor's grid within the span that are taken, if the doctor is taken."""
    if refusal.reason is not Reason.DOCTOR_TAKEN or doctor_id is None:
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


def _format_openings(openings: Iterable[Opening], clinic: Clinic) -> str:
    return ", ".join(f"{clinic.local(opening.starts_at):%d/%m/%Y %H:%M}" for opening in openings) or "nenhum"


def _current_status(status: str) -> dict[str, str]:
    """Return the current status under this API's name, as a parameter of messages."""
    return {"current": API_STATUSES[Status(status)].name}


def _read_details(
    reader: Reader, *, cpf_required: bool = True, birth_date_required: bool = True, phone_required: bool = True
) -> PatientDetails:
    """Read the fields in the order in which the vendor reports missing ones."""
    return PatientDetails(
        cpf=_read_cpf(reader, required=cpf_required),
        birth_date=reader.day("patient.dateBirth", pattern=ANY_ISO_DATE, required=birth_date_required),
        phone=_read_phone(reader, required=phone_required),
        name=reader.text("patient.name"),
    )


def _without_social_name(changes: dict[str, Any], patient: Patient) -> dict[str, Any]:
    """Return the changes without a name that is the social name: our own answer, sent back as it was read."""
    is_read_back = bool(patient.social_name) and " ".join(changes.get("name", "").split()) == patient.social_name
    return {field: value for field, value in changes.items() if not (is_read_back and field == "name")}


def _read_phone(reader: Reader, *, required: bool) -> str:
    """Read a phone, and report an empty text, which booking would take for no phone."""
    text = reader.text("patient.phone", required=required)
    if reader.has("patient.phone") and not text.strip() and reader.is_valid("patient.phone"):
        reader.add_errors("patient.phone", messages.MISSING["patient.phone"][0])
    return text


def _read_cpf(reader: Reader, *, required: bool = True) -> str:
    """Read a CPF, and report a text of punctuation only, which booking would take for no CPF."""
    text = reader.text("patient.cpf", required=required)
    if text and not documents.read_cpf(text):
        reader.add_errors("patient.cpf", messages.REFUSALS[Reason.CPF_SHAPE].sentence)
    return text
