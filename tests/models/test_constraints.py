"""What PostgreSQL refuses by itself, by name, however the row gets there."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import CheckConstraint, ProtectedError, UniqueConstraint

from clinic.models import (
    Absence,
    AccessToken,
    ApiKey,
    AppliedDiscount,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    CalendarFeed,
    CeasedProcedure,
    Clinic,
    ClinicEvent,
    ClinicHoliday,
    ConfirmationCall,
    Consent,
    CredentialEvent,
    DataRequest,
    Delay,
    DisplayLink,
    FormerName,
    ImportRow,
    ImportRun,
    Memo,
    Patient,
    PatientEvent,
    PatientMerge,
    PayerDoctor,
    PriceRise,
    PriorityMark,
    PrivacySettings,
    ProcedurePrice,
    Recall,
    RecallEvent,
    Receipt,
    RequestCount,
    Series,
    StaffLink,
    StaffUser,
    StoredAnswer,
    WaitingEntry,
    WaitingEvent,
    WorkingHours,
)
from clinic.models.booking_limits import MAX_A_DAY, MAX_DAYS_AHEAD, MAX_NOTICE_HOURS
from tests.booking.overlaps import OVERLAPS
from tests.factories import (
    book_appointment,
    cpf,
    make_clinic,
    make_discount,
    make_doctor,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
)

pytestmark = pytest.mark.django_db

SAME = UUID("3c90c3cc-0d44-4b50-8888-8dd25736052a")
TEN, ELEVEN = datetime(2026, 11, 23, 10, tzinfo=UTC), datetime(2026, 11, 23, 11, tzinfo=UTC)


class Rows:
    """One clinic's rows, and a way to put an appointment past every rule of booking."""

    def __init__(self):
        self.clinic = make_clinic()
        self.doctor, self.patient = make_doctor(self.clinic), make_patient(self.clinic)
        self.user, self.procedure = make_user(self.clinic), make_procedure(self.clinic)

    def price(self, **fields):
        defaults = {"clinic": self.clinic, "procedure": self.procedure, "price": 1, "valid_from": date(2026, 11, 23)}
        return ProcedurePrice.objects.create(**defaults | fields)

    def taker(self, payer, times=1, **fields):
        for _ in range(times):
            PayerDoctor.objects.create(clinic=self.clinic, payer=payer, doctor=self.doctor, **fields)

    def rise(self, **fields):
        defaults = {"clinic": self.clinic, "valid_from": date(2026, 11, 23), "made_by": self.user, "amount": 1}
        return PriceRise.objects.create(**defaults | fields)

    def holiday(self, **fields):
        return ClinicHoliday.objects.create(clinic=self.clinic, **{"falls_on": "24/06", "name": "São João"} | fields)

    def appointment(self, **fields):
        defaults = {"doctor": self.doctor, "patient": self.patient, "starts_at": TEN, "ends_at": ELEVEN}
        return Appointment.objects.create(clinic=self.clinic, **defaults | fields)

    def line(self, appointment=None, **fields):
        defaults = {"position": 0, "procedure": self.procedure, "price": 1}
        appointment = appointment or self.appointment()
        return AppointmentProcedure.objects.create(clinic=self.clinic, appointment=appointment, **defaults | fields)

    def receipt(self, **fields):
        defaults = {"method": "cash", "value": 1, "appointment": self.appointment()}
        return Receipt.objects.create(clinic=self.clinic, **defaults | fields)

    @cached_property
    def far(self):
        return self.appointment()

    def entry(self, **fields):
        return WaitingEntry.objects.create(clinic=self.clinic, patient=self.patient, **fields)

    def waiting_event(self, **fields):
        defaults = {"kind": "put", "channel": "browser", "entry": self.entry()}
        return WaitingEvent.objects.create(clinic=self.clinic, **defaults | fields)

    def recall(self, **fields):
        defaults = {"appointment": self.far, "patient": self.patient, "procedure": self.procedure, "due_on": TEN.date()}
        return Recall.objects.create(clinic=self.clinic, **defaults | fields)

    def recall_event(self, **fields):
        defaults = {"kind": "written", "channel": "browser", "recall": self.recall()}
        return RecallEvent.objects.create(clinic=self.clinic, **defaults | fields)

    def series(self, **fields):
        defaults = {"every": 1, "unit": "day", "count": 3, "starts": time(9)}
        return Series.objects.create(clinic=self.clinic, **defaults | fields)

    def call(self, **fields):
        return ConfirmationCall.objects.create(clinic=self.clinic, appointment=self.appointment(), **fields)

    def display(self, **fields):
        return DisplayLink.objects.create(clinic=self.clinic, name="Recepção", **{"digest": "a" * 64} | fields)

    def staff_link(self, **fields):
        defaults = {"kind": "reset", "user": self.user, "name": "x", "digest": "a" * 64, "expires_at": TEN}
        return StaffLink.objects.create(clinic=self.clinic, **defaults | fields)

    def mark(self, **fields):
        return PriorityMark.objects.create(clinic=self.clinic, appointment=self.appointment(), **fields)

    def feed(self, **fields):
        defaults = {"doctor": self.doctor, "digest": "0" * 64, "created_by": self.user}
        return CalendarFeed.objects.create(clinic=self.clinic, **defaults | fields)

    def memo(self, **fields):
        defaults = {"kind": "note", "text": "x", "written_by": self.user}
        return Memo.objects.create(clinic=self.clinic, **defaults | fields)

    def delay(self, **fields):
        defaults = {"doctor": self.doctor, "day": TEN.date(), "minutes": 30, "recorded_by": self.user}
        return Delay.objects.create(clinic=self.clinic, **defaults | fields)

    def event(self, **fields):
        defaults = {"kind": "booked", "channel": "command"}
        return AppointmentEvent.objects.create(clinic=self.clinic, appointment=self.appointment(), **defaults | fields)

    def clinic_event(self, **fields):
        return ClinicEvent.objects.create(clinic=self.clinic, **{"kind": "time_zone", "channel": "command"} | fields)

    def patient_event(self, **fields):
        defaults = {"patient": self.patient, "kind": "changed", "channel": "command"}
        return PatientEvent.objects.create(clinic=self.clinic, **defaults | fields)

    def data_request(self, **fields):
        defaults = {"patient": self.patient, "kind": "deletion", "reason": "pedido"}
        return DataRequest.objects.create(clinic=self.clinic, **defaults | fields)

    def consent(self, **fields):
        defaults = {"patient": self.patient, "channel": "sms", "purpose": "reminder", "answer": "given"}
        return Consent.objects.create(clinic=self.clinic, **defaults | {"via": "command"} | fields)

    @cached_property
    def other(self):
        return make_patient(self.clinic)

    def run(self, **fields):
        defaults = {"kind": "patients", "channel": "browser", "file_name": "velho.csv"}
        return ImportRun.objects.create(clinic=self.clinic, **defaults | fields)

    def import_row(self, run):
        return ImportRow.objects.create(clinic=self.clinic, run=run, number=2, cells=[])

    def merge(self, **fields):
        defaults = {"kept": self.patient, "merged": self.other, "channel": "browser"}
        return PatientMerge.objects.create(clinic=self.clinic, **defaults | fields)

    def hours(self, **fields):
        defaults = {"weekday": 1, "starts": time(8), "ends": time(9)}
        return WorkingHours.objects.create(clinic=self.clinic, doctor=self.doctor, **defaults | fields)

    def token(self, **fields):
        defaults = {"user": self.user, "released_at": TEN, "expires_at": ELEVEN}
        return AccessToken.objects.create(clinic=self.clinic, **defaults | fields)

    def key(self, **fields):
        defaults = {"name": "central", "prefix": "miv_live_Ab12Cd", "digest": "0" * 64, "scopes": ["directory:read"]}
        defaults |= {"created_at": TEN, "expires_at": ELEVEN}
        return ApiKey.objects.create(clinic=self.clinic, **defaults | fields)

    def act(self, **fields):
        defaults = {"kind": "key_created", "channel": "command"}
        return CredentialEvent.objects.create(clinic=self.clinic, **defaults | fields)

    def answer(self, **fields):
        defaults = {"credential": "mivicall", "key": "k", "fingerprint": "f"}
        return StoredAnswer.objects.create(clinic=self.clinic, **defaults | fields)


@pytest.fixture
def rows(db):
    return Rows()


def two_in_service(rows):
    rows.appointment(status="in_service")
    rows.appointment(
        status="in_service", patient=make_patient(rows.clinic), starts_at=ELEVEN, ends_at=ELEVEN + timedelta(hours=1)
    )


def twice(make, **fields):
    def act(rows):
        for _ in range(2):
            make(rows.clinic, **fields)

    return act


REFUSED = {
    "clinic_country_known": [lambda rows: make_clinic(country="ES")],
    "clinic_language_known": [lambda rows: make_clinic(language="en")],
    "receipt_method_known": [lambda rows: rows.receipt(method="gold")],
    "receipt_value_above_zero": [lambda rows: rows.receipt(value=0), lambda rows: rows.receipt(value=-1)],
    "receipt_instalments_1_to_48": [
        lambda rows: rows.receipt(instalments=0),
        lambda rows: rows.receipt(instalments=49),
    ],
    "clinic_phone_e164": [lambda rows: make_clinic(phone="81 3344"), lambda rows: make_clinic(phone="+0123")],
    "clinic_area_code_digits": [lambda rows: make_clinic(area_code="8")],
    "clinic_region_of_country": [
        lambda rows: make_clinic(region="XX"),
        lambda rows: make_clinic(country="PT", region="PE"),
    ],
    "clinic_one_sandbox": [
        lambda rows: [make_clinic(sandbox_of=rows.clinic, sandbox_day=date(2026, 11, day)) for day in (29, 30)],
    ],
    "clinic_sandbox_has_day": [
        lambda rows: make_clinic(sandbox_of=rows.clinic),
        lambda rows: make_clinic(sandbox_day=date(2026, 11, 29)),
    ],
    "clinicholiday_closes_once": [lambda rows: [rows.holiday() for _ in "12"]],
    "clinicholiday_kind_known": [lambda rows: rows.holiday(kind="moves")],
    "clinicholiday_ends_after_start": [lambda rows: rows.holiday(starts=time(12), ends=time(12))],
    "clinicholiday_date_readable": [lambda rows: rows.holiday(falls_on="24 de junho")],
    "clinic_currency_known": [lambda rows: make_clinic(currency="USD")],
    "staffuser_clinic_unless_superuser": [lambda rows: StaffUser.objects.create_user("sem-clinica", name="x")],
    "staffuser_folded_username_once": [
        lambda rows: [make_user(rows.clinic, username=username) for username in ("Recepcao", "recepcao")]
    ],
    "staffuser_doctor_by_role": [
        lambda rows: make_user(rows.clinic, role="doctor"),
        lambda rows: make_user(rows.clinic, doctor=rows.doctor),
    ],
    "staffuser_discount_0_to_100": [lambda rows: make_user(rows.clinic, max_discount_percent=101)],
    "staffuser_role_known": [lambda rows: make_user(rows.clinic, role="nurse")],
    "doctor_uuid_once": [twice(make_doctor, uuid=SAME)],
    "procedure_uuid_once": [twice(make_procedure, uuid=SAME)],
    "patient_uuid_once": [twice(make_patient, uuid=SAME)],
    "appointment_uuid_once": [
        lambda rows: [rows.appointment(uuid=SAME, status=status, ends_at=ELEVEN) for status in ("no_show", "scheduled")]
    ],
    "doctor_council_number_once": [twice(make_doctor, council_number="CRM-PE 1")],
    "doctor_title_known": [lambda rows: make_doctor(rows.clinic, title="o Dra.")],
    "doctor_interval_5_to_240": [
        lambda rows: make_doctor(rows.clinic, interval_minutes=4),
        lambda rows: make_doctor(rows.clinic, interval_minutes=241),
    ],
    **{
        f"{table}_{name}": [
            lambda rows, make=make, typed={column: value}: make(rows.clinic, **typed) for value in (0, most + 1)
        ]
        for table, make in (("doctor", make_doctor), ("procedure", make_procedure))
        for name, column, most in (
            ("notice_1_to_720", "notice_hours", MAX_NOTICE_HOURS),
            ("days_ahead_1_to_730", "days_ahead", MAX_DAYS_AHEAD),
            ("per_day_1_to_100", "per_day", MAX_A_DAY),
        )
    },
    "doctor_encaixes_0_to_50": [lambda rows: make_doctor(rows.clinic, encaixes_per_day=51)],
    "workinghours_weekday_iso": [lambda rows: rows.hours(weekday=0), lambda rows: rows.hours(weekday=8)],
    "workinghours_have_length": [
        lambda rows: rows.hours(ends=time(8)),
        lambda rows: rows.hours(starts=time(22), ends=time(22)),
    ],
    "workinghours_valid_in_order": [
        lambda rows: rows.hours(valid_from=date(2026, 12, 2), valid_until=date(2026, 12, 1)),
    ],
    "absence_ends_after_start": [
        lambda rows: Absence.objects.create(clinic=rows.clinic, starts_at=TEN, ends_at=TEN, reason="x")
    ],
    "confirmationcall_caller_with_since": [
        lambda rows: rows.call(caller=rows.user),
        lambda rows: rows.call(since=TEN),
    ],
    "displaylink_digest_once": [lambda rows: [rows.display(), rows.display()]],
    "displaylink_digest_hex": [lambda rows: rows.display(digest="x" * 64)],
    "stafflink_digest_once": [lambda rows: [rows.staff_link(), rows.staff_link()]],
    "stafflink_form_key_once": [
        lambda rows: [rows.staff_link(digest=letter * 64, form_key=SAME) for letter in "ab"],
    ],
    "stafflink_digest_hex": [lambda rows: rows.staff_link(digest="x" * 64)],
    "stafflink_kind_known": [lambda rows: rows.staff_link(kind="pin")],
    "stafflink_used_or_revoked": [lambda rows: rows.staff_link(used_at=TEN, revoked_at=TEN)],
    "prioritymark_kind_known": [lambda rows: rows.mark(kind="rich")],
    "calendarfeed_one_of_doctor": [lambda rows: [rows.feed(), rows.feed()]],
    "calendarfeed_digest_hex": [lambda rows: rows.feed(digest="segredo")],
    "formername_once": [
        lambda rows: [FormerName.objects.create(clinic=rows.clinic, patient=rows.patient, name="x") for _ in range(2)]
    ],
    "memo_uuid_once": [lambda rows: [rows.memo(uuid=SAME), rows.memo(uuid=SAME)]],
    "memo_kind_known": [lambda rows: rows.memo(kind="mail", name="x")],
    "memo_call_has_name": [lambda rows: rows.memo(kind="call")],
    "memo_note_has_text": [lambda rows: rows.memo(text="")],
    "memo_phone_e164": [lambda rows: rows.memo(phone="81999999999")],
    "memo_hour_with_day": [lambda rows: rows.memo(hour=time(9))],
    "memo_about_one": [lambda rows: rows.memo(patient=rows.patient, appointment=rows.appointment())],
    "memo_done_by_with_at": [lambda rows: rows.memo(done_by=rows.user), lambda rows: rows.memo(done_at=TEN)],
    "recall_once_an_appointment": [lambda rows: [rows.recall(appointment=rows.far), rows.recall(appointment=rows.far)]],
    "recall_closed_with_outcome": [
        lambda rows: rows.recall(outcome="declined"),
        lambda rows: rows.recall(closed_at=TEN),
        lambda rows: rows.recall(closed_at=TEN, outcome="booked"),
        lambda rows: rows.recall(closed_at=TEN, outcome="other", booked=rows.far),
    ],
    "recallevent_kind_known": [lambda rows: rows.recall_event(kind="seen")],
    "recallevent_channel_known": [lambda rows: rows.recall_event(channel="phone")],
    "waitingentry_once_an_appointment": [
        lambda rows: [rows.entry(appointment=rows.far) for _ in range(2)],
    ],
    "waitingentry_weekdays_iso": [
        lambda rows: rows.entry(weekdays=[0]),
        lambda rows: rows.entry(weekdays=[1, 8]),
    ],
    "waitingentry_hours_in_order": [
        lambda rows: rows.entry(from_time=time(11), to_time=time(9)),
        lambda rows: rows.entry(from_time=time(11)),
        lambda rows: rows.entry(to_time=time(11)),
    ],
    "waitingentry_closed_with_outcome": [
        lambda rows: rows.entry(outcome="withdrawn"),
        lambda rows: rows.entry(closed_at=TEN),
        lambda rows: rows.entry(closed_at=TEN, outcome="booked"),
        lambda rows: rows.entry(closed_at=TEN, outcome="withdrawn", booked=rows.far),
        lambda rows: rows.entry(closed_at=TEN, outcome="lost"),
    ],
    "waitingevent_kind_known": [lambda rows: rows.waiting_event(kind="seen")],
    "waitingevent_channel_known": [lambda rows: rows.waiting_event(channel="phone")],
    "series_every_positive": [lambda rows: rows.series(every=0)],
    "series_unit_known": [
        lambda rows: rows.series(unit="year"),
        lambda rows: rows.series(unit="week"),
        lambda rows: rows.series(weekdays=[1]),
    ],
    "series_weekdays_iso": [
        lambda rows: rows.series(unit="week", weekdays=[0]),
        lambda rows: rows.series(unit="week", weekdays=[1, 8]),
    ],
    "series_count_or_until": [
        lambda rows: rows.series(count=None),
        lambda rows: rows.series(count=0),
        lambda rows: rows.series(until=TEN.date()),
    ],
    "delay_once_a_day": [lambda rows: [rows.delay(), rows.delay()]],
    "delay_1_to_480_minutes": [lambda rows: rows.delay(minutes=0), lambda rows: rows.delay(minutes=481)],
    "procedure_code_once": [twice(make_procedure, code="40101")],
    "procedure_price_not_negative": [lambda rows: make_procedure(rows.clinic, price="-0.01")],
    "procedure_duration_5_to_720": [
        lambda rows: make_procedure(rows.clinic, duration_minutes=4),
        lambda rows: make_procedure(rows.clinic, duration_minutes=721),
    ],
    "discount_percentage_or_fixed": [
        lambda rows: make_discount(rows.clinic, percentage=None, fixed=None),
        lambda rows: make_discount(rows.clinic, percentage=1, fixed=1),
    ],
    "discount_percentage_0_to_100": [
        lambda rows: make_discount(rows.clinic, percentage=0),
        lambda rows: make_discount(rows.clinic, percentage="100.01"),
    ],
    "discount_fixed_above_zero": [lambda rows: make_discount(rows.clinic, fixed=0)],
    "discount_ages_in_order_to_120": [
        lambda rows: make_discount(rows.clinic, minimum_age=121),
        lambda rows: make_discount(rows.clinic, maximum_age=121),
        lambda rows: make_discount(rows.clinic, minimum_age=60, maximum_age=59),
    ],
    "patient_cpf_once": [twice(make_patient, cpf=cpf(7))],
    "patient_cpf_digits": [
        lambda rows: make_patient(rows.clinic, cpf=""),
        lambda rows: make_patient(rows.clinic, cpf="529.982.247"),
        lambda rows: make_patient(rows.clinic, cpf="5299822472"),
    ],
    "patient_second_phone_e164": [lambda rows: make_patient(rows.clinic, second_phone="81998765432")],
    "patient_health_number_once": [twice(make_patient, health_number="123456789")],
    "patient_health_number_digits": [
        lambda rows: make_patient(rows.clinic, health_number=""),
        lambda rows: make_patient(rows.clinic, health_number="12345678"),
    ],
    "patient_document_letters_digits": [
        lambda rows: make_patient(rows.clinic, document_number=""),
        lambda rows: make_patient(rows.clinic, document_number="fx 123"),
    ],
    "patient_nif_digits": [lambda rows: make_patient(rows.clinic, nif="12345678")],
    "patient_phone_e164": [
        lambda rows: make_patient(rows.clinic, phone="81998765432"),
    ],
    "patient_died_on_if_died": [lambda rows: make_patient(rows.clinic, died_on="2026-01-01")],
    "patient_merged_without_numbers": [
        lambda rows: make_patient(rows.clinic, merged_into=rows.patient),
        lambda rows: make_patient(rows.clinic, merged_into=rows.patient, cpf=None, health_number="123456789"),
        lambda rows: Patient.objects.filter(pk=rows.patient.pk).update(merged_into=rows.patient, cpf=None),
    ],
    "importrun_one_writes": [
        lambda rows: [rows.run(state="importing"), rows.run(state="importing")],
        lambda rows: [rows.run(state="importing"), rows.run(state="taking_back")],
    ],
    "importrun_kind_known": [lambda rows: rows.run(kind="cars")],
    "importrun_state_known": [lambda rows: rows.run(state="lost")],
    "importrun_channel_known": [lambda rows: rows.run(channel="window")],
    "importrow_number_once": [lambda rows: [rows.import_row(run) for run in [rows.run()] * 2]],
    "patientmerge_once": [lambda rows: [rows.merge(), rows.merge()]],
    "patientmerge_of_two": [lambda rows: rows.merge(merged=rows.patient)],
    "patientmerge_channel_known": [lambda rows: rows.merge(channel="window")],
    "patientmerge_undone_by_with_at": [lambda rows: rows.merge(undone_by=rows.user)],
    "patient_name_present": [lambda rows: make_patient(rows.clinic, name="")],
    "appointment_doctor_free": [lambda rows: [rows.appointment(patient=make_patient(rows.clinic)) for _ in range(2)]],
    "appointment_patient_in_one_place": [
        lambda rows: [rows.appointment(doctor=make_doctor(rows.clinic)) for _ in range(2)]
    ],
    "appointment_one_in_service": [two_in_service],
    "appointment_at_most_a_day": [lambda rows: rows.appointment(ends_at=TEN + timedelta(days=1, seconds=1))],
    "appointment_ends_after_start": [
        lambda rows: rows.appointment(ends_at=TEN),
        lambda rows: rows.appointment(status="cancelled", cancelled_by="clinic", ends_at=TEN),
    ],
    "appointment_status_known": [lambda rows: rows.appointment(status="lost")],
    "appointment_source_known": [lambda rows: rows.appointment(source="fax")],
    "appointment_cancelled_by_somebody": [
        lambda rows: rows.appointment(status="cancelled"),
        lambda rows: rows.appointment(status="cancelled", cancelled_by="tia"),
        lambda rows: rows.appointment(cancelled_by="patient"),
        lambda rows: rows.appointment(cancel_reason="chuva"),
    ],
    "appointment_encaixe_attributed": [
        lambda rows: rows.appointment(encaixe_by=rows.user),
        lambda rows: rows.appointment(encaixe_reason="dor"),
    ],
    "appointment_approval_of_encaixe": [lambda rows: rows.appointment(encaixe_approved_by=rows.user)],
    "appointment_typed_cpf_digits": [lambda rows: rows.appointment(unverified_cpf="123")],
    "appointment_unverified_phone_e164": [lambda rows: rows.appointment(unverified_phone="81 99999-9999")],
    "appointmentprocedure_position_once": [
        lambda rows: [rows.line(appointment) for appointment in [rows.appointment()] * 2]
    ],
    "appointmentprocedure_price_not_negative": [lambda rows: rows.line(price="-1")],
    "applieddiscount_value_not_negative": [
        lambda rows: AppliedDiscount.objects.create(
            clinic=rows.clinic, line=rows.line(), discount=make_discount(rows.clinic), value="-0.01"
        )
    ],
    "procedureprice_once_a_date": [
        lambda rows: [rows.price() for _ in range(2)],
        lambda rows: [rows.price(payer=payer) for payer in [make_payer(rows.clinic)] * 2],
    ],
    "procedureprice_not_negative": [lambda rows: rows.price(price=-1)],
    "procedureprice_ends_for_payer": [
        lambda rows: rows.price(valid_until=date(2026, 11, 24)),
        lambda rows: rows.price(payer=make_payer(rows.clinic), valid_until=date(2026, 11, 22)),
    ],
    "pricerise_percentage_or_amount": [
        lambda rows: rows.rise(amount=None),
        lambda rows: rows.rise(percentage=1),
    ],
    "pricerise_taken_back_by": [lambda rows: rows.rise(taken_back_at=TEN)],
    "payer_valid_in_order": [
        lambda rows: make_payer(rows.clinic, valid_from=date(2026, 11, 23), valid_until=date(2026, 11, 22))
    ],
    "payer_per_day_above_zero": [lambda rows: make_payer(rows.clinic, per_day=0)],
    "payer_return_days_to_365": [lambda rows: make_payer(rows.clinic, return_days=366)],
    "payerdoctor_once": [lambda rows: [rows.taker(make_payer(rows.clinic, name="Um"), times=2)]],
    "payerdoctor_weekdays_iso": [lambda rows: rows.taker(make_payer(rows.clinic), weekdays=[0])],
    "payerdoctor_per_day_above_zero": [lambda rows: rows.taker(make_payer(rows.clinic), per_day=0)],
    "procedure_return_days_to_365": [
        lambda rows: make_procedure(rows.clinic, return_days=0),
        lambda rows: make_procedure(rows.clinic, return_days=366),
    ],
    "payer_name_once": [lambda rows: [make_payer(rows.clinic, name=name) for name in ("Saúde Sul", "saude  SUL")]],
    "payer_kind_known": [lambda rows: make_payer(rows.clinic, kind="gift")],
    "payer_ans_number_digits": [
        lambda rows: make_payer(rows.clinic, ans_number="12345"),
        lambda rows: make_payer(rows.clinic, ans_number="12345A"),
    ],
    "patient_card_number_letters_digits": [
        lambda rows: make_patient(rows.clinic, payer=make_payer(rows.clinic), card_number="12 345")
    ],
    "patient_card_of_payer": [
        lambda rows: make_patient(rows.clinic, card_number="12345"),
        lambda rows: make_patient(rows.clinic, card_expires_on="2026-10-31"),
    ],
    "appointment_authorization_of_payer": [
        lambda rows: rows.appointment(authorization_number="G1"),
        lambda rows: rows.appointment(authorization_password="S1"),
    ],
    "appointmentevent_kind_known": [lambda rows: rows.event(kind="deleted")],
    "appointmentevent_door_known": [lambda rows: rows.event(channel="window")],
    "consent_channel_known": [lambda rows: rows.consent(channel="pigeon")],
    "consent_purpose_known": [lambda rows: rows.consent(purpose="fun")],
    "consent_answer_known": [lambda rows: rows.consent(answer="maybe")],
    "datarequest_kind_known": [lambda rows: rows.data_request(kind="wish")],
    "datarequest_outcome_known": [lambda rows: rows.data_request(outcome="gone")],
    "datarequest_kept_while_sealed": [lambda rows: rows.data_request(kept={"records": {}})],
    "datarequest_blocked_until": [lambda rows: rows.data_request(outcome="blocked")],
    "datarequest_one_open": [lambda rows: (rows.data_request(), rows.data_request())],
    "privacysettings_kept_years": [
        lambda rows: PrivacySettings.objects.create(clinic=rows.clinic, records_kept_years=0),
    ],
    "patient_blocked_is_blank": [
        lambda rows: Patient.objects.filter(pk=rows.patient.pk).update(blocked_at=datetime.now(UTC)),
    ],
    "patientevent_kind_known": [lambda rows: rows.patient_event(kind="deleted")],
    "patientevent_channel_known": [lambda rows: rows.patient_event(channel="window")],
    "ceasedprocedure_once": [
        lambda rows: [
            CeasedProcedure.objects.create(doctor=rows.doctor, procedure=rows.doctor.procedures.first()) for _ in "12"
        ]
    ],
    "clinicevent_kind_known": [lambda rows: rows.clinic_event(kind="moved")],
    "clinicevent_door_known": [lambda rows: rows.clinic_event(channel="window")],
    "accesstoken_jti_once": [lambda rows: [rows.token(jti=SAME) for _ in range(2)]],
    "accesstoken_expires_after_release": [lambda rows: rows.token(expires_at=TEN)],
    "apikey_digest_once": [lambda rows: [rows.key() for _ in range(2)]],
    "apikey_digest_hex": [
        lambda rows: rows.key(digest="miv_live_" + "0" * 55),
        lambda rows: rows.key(digest="A" * 64),
        lambda rows: rows.key(digest="0" * 63),
    ],
    "apikey_scopes_present": [lambda rows: rows.key(scopes=[])],
    "apikey_expires_later": [lambda rows: rows.key(expires_at=TEN)],
    "apikey_source_known": [lambda rows: rows.key(source="fax")],
    "credentialevent_of_one": [
        lambda rows: rows.act(),
        lambda rows: rows.act(api_key=rows.key(), access_token=rows.token()),
    ],
    "credentialevent_kind_known": [lambda rows: rows.act(api_key=rows.key(), kind="banana")],
    "credentialevent_door_known": [lambda rows: rows.act(api_key=rows.key(), channel="window")],
    "storedanswer_credential_known": [lambda rows: rows.answer(credential="fax")],
    "storedanswer_key_once": [lambda rows: [rows.answer() for _ in range(2)]],
    "requestcount_tick_once": [lambda rows: [RequestCount.objects.create(who="x", tick=1, count=1) for _ in range(2)]],
}


def declared():
    """The names of the constraints that stand in the models."""
    tables = apps.get_app_config("clinic").get_models()
    kinds = (CheckConstraint, UniqueConstraint, ExclusionConstraint)
    return {
        constraint.name
        for model in tables
        if not model._meta.proxy
        for constraint in model._meta.constraints
        if isinstance(constraint, kinds)
    }


def test_every_constraint_has_a_case_and_exists_in_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind = 'i'")
        standing = {name for (name,) in cursor.fetchall()}

    assert set(REFUSED) == declared()
    assert declared() <= standing


@pytest.mark.parametrize(
    ("name", "act"),
    [
        pytest.param(name, act, id=f"{name}-{number}")
        for name, acts in REFUSED.items()
        for number, act in enumerate(acts)
    ],
)
def test_the_database_refuses_it_by_name(rows, name, act):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act(rows)

    assert refusal.value.__cause__.diag.constraint_name == name


def insert(rows, doctor, patient, starts, ends, status="scheduled"):
    """A row written in bare SQL, past Django as well."""
    at = [TEN.replace(hour=hour, minute=minute) for hour, minute in (starts, ends)]
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(
            "INSERT INTO clinic_appointment (uuid, clinic_id, doctor_id, patient_id, starts_at, ends_at, status,"
            " source, doctor_name, notes, metadata, typed_cpf, encaixe_reason, cancelled_by, cancel_reason, created_at,"
            " updated_at) VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s, 'manual', '', '', '{}', '', '', '', '',"
            " now(), now())",
            [rows.clinic.pk, doctor.pk, patient.pk, *at, status],
        )


@pytest.mark.parametrize("name", OVERLAPS)
@pytest.mark.parametrize("whose", ["appointment_doctor_free", "appointment_patient_in_one_place"])
def test_the_database_refuses_a_second_row_only_where_it_shares_time(rows, name, whose):
    starts, ends, shared = OVERLAPS[name]
    doctors = whose == "appointment_doctor_free"
    doctor = rows.doctor if doctors else make_doctor(rows.clinic)
    patient = make_patient(rows.clinic) if doctors else rows.patient
    insert(rows, rows.doctor, rows.patient, (10, 0), (11, 0))

    if shared:
        with pytest.raises(IntegrityError) as refusal:
            insert(rows, doctor, patient, starts, ends)
        assert refusal.value.__cause__.diag.constraint_name == whose
    else:
        insert(rows, doctor, patient, starts, ends)
    assert Appointment.objects.count() == 1 + (not shared)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "cancelled", "cancelled_by": "patient"},
        {"status": "no_show"},
        {"deleted_at": TEN},
    ],
)
def test_cancelled_or_missed_appointment_shares_its_time(rows, fields):
    for _ in range(2):
        rows.appointment(**fields)
    rows.appointment()


def test_only_an_attributed_encaixe_shares_the_doctors_time(rows):
    rows.appointment()
    rows.appointment(patient=make_patient(rows.clinic), encaixe_by=rows.user, encaixe_reason="febre")

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.appointment(encaixe_by=rows.user, encaixe_reason="o mesmo paciente")
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.appointment(patient=make_patient(rows.clinic))


def test_other_clinics_doctors_and_patients_are_in_nobodys_way(rows):
    for _ in range(2):
        elsewhere = Rows()
        elsewhere.appointment(doctor=rows.doctor, patient=rows.patient)
        make_patient(elsewhere.clinic, cpf=cpf(8))
        make_procedure(elsewhere.clinic, code="1")
        make_doctor(elsewhere.clinic, council_number="CRM 1")


def test_a_payer_is_of_the_clinic_of_the_row_that_names_it(rows):
    payer = make_payer()
    for name, act in {
        "patient_payer_of_clinic": lambda: make_patient(rows.clinic, payer=payer),
        "appointment_payer_of_clinic": lambda: rows.appointment(payer=payer),
    }.items():
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            act()
        assert refusal.value.__cause__.diag.constraint_name == name
    rows.appointment(payer=make_payer(rows.clinic, name=payer.name))


def test_nothing_new_is_given_to_a_merged_patient(rows):
    merged = make_patient(rows.clinic, cpf=None, merged_into=rows.patient)
    visit, entry, memo, recall = rows.far, rows.entry(), rows.memo(patient=rows.patient), rows.recall()
    for model, pk in ((Appointment, visit.pk), (WaitingEntry, entry.pk), (Memo, memo.pk), (Recall, recall.pk)):
        with pytest.raises(IntegrityError, match="was merged into another"), transaction.atomic():
            model.objects.filter(pk=pk).update(patient=merged)
    with pytest.raises(IntegrityError, match="was merged into another"), transaction.atomic():
        rows.appointment(patient=merged, starts_at=ELEVEN, ends_at=ELEVEN + timedelta(hours=1))


def test_patients_without_a_cpf_and_rows_without_a_code_may_be_many(rows):
    for _ in range(2):
        make_patient(rows.clinic, cpf=None)
        make_procedure(rows.clinic, code="")
        make_doctor(rows.clinic, council_number="")


# The history


def test_the_history_can_be_added_to_but_neither_changed_nor_deleted(rows):
    event = rows.event()

    for statement in (
        "UPDATE clinic_appointmentevent SET door = 'browser'",
        "UPDATE clinic_appointmentevent SET before = before",
        "DELETE FROM clinic_appointmentevent",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    for act in (event.save, event.delete, AppointmentEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
    assert AppointmentEvent.objects.get() == event


def test_the_history_of_credentials_can_be_added_to_only_as_well(rows):
    key = rows.key()
    event = rows.act(api_key=key)

    for statement in (
        "UPDATE clinic_credentialevent SET user_id = NULL",
        "UPDATE clinic_credentialevent SET at = at",
        "DELETE FROM clinic_credentialevent",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    for act in (event.save, event.delete, CredentialEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
    with pytest.raises(ProtectedError):
        key.delete()
    assert CredentialEvent.objects.get() == event


def test_one_answer_of_each_api_and_clinic_may_have_the_same_key(rows):
    rows.answer()
    rows.answer(credential="imagemais")
    Rows().answer()


def test_row_with_history_is_protected():
    appointment = book_appointment(discount=None)
    line = appointment.lines.get()
    discount = make_discount(appointment.clinic)
    AppliedDiscount.objects.create(clinic=appointment.clinic, line=line, discount=discount, value=1)

    for row in (
        appointment,
        appointment.doctor,
        appointment.patient,
        line.procedure,
        discount,
        appointment.clinic,
    ):
        with pytest.raises(ProtectedError):
            row.delete()


# Derived columns


@pytest.mark.parametrize("typed", ["João  da SILVA", " joao da\tsilva ", "JOÃO DA SILVA"])
def test_names_are_folded_by_the_database(rows, typed):
    patient = make_patient(rows.clinic, name=typed, social_name="Ção")

    patient.refresh_from_db()
    assert patient.folded_name == "joao da silva"
    assert patient.search == "joao da silva cao"


def test_doctors_sort_as_people_read_not_as_bytes_do(rows):
    for name in ("Zilda", "Álvaro", "alice", "Beto"):
        make_doctor(rows.clinic, name=name, council_number="")

    names = [doctor.name for doctor in type(rows.doctor).objects.of(rows.clinic).exclude(pk=rows.doctor.pk)]

    assert names == ["alice", "Álvaro", "Beto", "Zilda"]


def test_a_phone_hash_follows_the_phone_and_tells_clinics_apart(rows):
    patient = make_patient(rows.clinic, phone="+5581998765432")
    elsewhere = make_patient(make_clinic(), phone="+5581998765432")
    first = patient.phone_hash
    assert len(first) == 64 and first != elsewhere.phone_hash

    patient.phone = "+5581998765433"
    patient.save()

    patient.refresh_from_db()
    assert patient.phone_hash != first
    assert Patient.objects.of(rows.clinic).filter(phone_hash=patient.phone_hash).get() == patient


def test_a_time_zone_that_no_list_knows_is_refused():
    for name in ("America/Olinda", "", "../etc/passwd", "\0"):
        with pytest.raises(ValidationError):
            Clinic(name="x", slug="x", country="BR", time_zone=name, language="pt-br", currency="BRL").full_clean()
