import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicQuerySet, ClinicRow
from clinic.models.doctor import Doctor
from clinic.models.patient import Patient
from clinic.models.payer import Payer
from clinic.models.procedure import Discount, Procedure
from clinic.models.ranges import TsTzRange
from clinic.models.series import Series
from clinic.models.staff import StaffUser

if TYPE_CHECKING:
    from clinic.models.history import AppointmentEvent


class Status(models.TextChoices):
    """The states of a visit; `booking.transitions` says which may follow which."""

    SCHEDULED = "scheduled", _("Agendado")
    CONFIRMED = "confirmed", _("Confirmado")
    CHECKED_IN = "checked_in", _("Check-in")
    IN_SERVICE = "in_service", _("Em atendimento")
    FINISHED = "finished", _("Finalizado")
    NO_SHOW = "no_show", _("Faltou")
    CANCELLED = "cancelled", _("Cancelado")
    RESCHEDULED = "rescheduled", _("Remarcado")


def in_sql(statuses: Iterable[Status]) -> str:
    """Return statuses as a hand-written statement lists them: `'scheduled', 'confirmed'`."""
    return ", ".join(f"'{status.value}'" for status in statuses)


# The only definition of an appointment that takes no time; constraints, rules, free times and the day page use it.
FREES_THE_TIME = (Status.CANCELLED, Status.NO_SHOW)
FREED = [status.value for status in FREES_THE_TIME]
STANDING = ~Q(status__in=FREED) & Q(deleted_at__isnull=True)
# The same for hand-written statements.
STANDING_SQL = f"status NOT IN ({in_sql(FREES_THE_TIME)}) AND deleted_at IS NULL"


# Statuses of visits whose patient is expected, those of them without a confirmation, and of visits that took place; of
# those that have not begun, and of those that have.
EXPECTED = (Status.SCHEDULED, Status.CONFIRMED, Status.RESCHEDULED)
UNCONFIRMED = (Status.SCHEDULED, Status.RESCHEDULED)
ATTENDED = (Status.CHECKED_IN, Status.IN_SERVICE, Status.FINISHED)
NOT_BEGUN = (*EXPECTED, Status.CHECKED_IN)
BEGUN = (Status.IN_SERVICE, Status.FINISHED)
IN_SERVICE_LITERAL = Func(template=f"'{Status.IN_SERVICE.value}'", output_field=models.CharField())


# Upper bound of a stored length (a constraint; the rules allow less). It lets a search for overlaps read one more day
# of the index on starts_at instead of a doctor's whole past.
OVERLAP_LOOKBACK = timedelta(days=1)
# An encaixe takes none of the doctor's time. Constraints, rules and free times share this condition.
OCCUPIES_DOCTOR = STANDING & Q(encaixe_by__isnull=True)


def overlap(starts_at: datetime, ends_at: datetime) -> Q:
    """Return the condition of an appointment that shares an instant with the half-open span [starts_at, ends_at)."""
    return Q(starts_at__gt=starts_at - OVERLAP_LOOKBACK, starts_at__lt=ends_at, ends_at__gt=starts_at)


class AppointmentQuerySet(ClinicQuerySet["Appointment"]):
    """Appointments, deleted ones included until `kept` or `standing` leaves them out."""

    def kept(self) -> Self:
        """Return the appointments that are not deleted."""
        return self.filter(deleted_at__isnull=True)

    def in_use(self) -> Self:
        """Return the kept appointments but those of blocked patients: what people and programs see and act on."""
        return self.kept().filter(patient__blocked_at__isnull=True)

    def standing(self) -> Self:
        """Return the appointments that take their time: neither cancelled nor missed nor deleted."""
        return self.filter(STANDING)

    def in_service(self) -> Self:
        """Return the appointments whose patient is with the doctor now.

        The status is a literal in the statement, because it is the condition of an index: as a parameter it would not
        match that index in a plan that PostgreSQL makes for all parameters.
        """
        return self.filter(status=IN_SERVICE_LITERAL, deleted_at__isnull=True)

    def overlapping(self, starts_at: datetime, ends_at: datetime) -> Self:
        """Return the appointments that share an instant with the half-open span [starts_at, ends_at)."""
        return self.filter(overlap(starts_at, ends_at))

    def occupying(self, doctors: Iterable[int], patients: Collection[int] = ()) -> Self:
        """Return the appointments that take time of these doctors or of these patients. All are ids."""
        of_doctors = OCCUPIES_DOCTOR & Q(doctor__in=doctors)
        return self.filter(of_doctors | STANDING & Q(patient__in=patients) if patients else of_doctors)


class Appointment(ClinicRow):
    """A doctor's time that is given to a patient. Only `clinic.booking` writes it.

    It stores the doctor's name, and its lines those of procedure and discount, as booked or moved: a finished visit is
    a record, and renaming a procedure must not change it. An appointment over midnight belongs to the day on which it
    begins: it is drawn on both days and counted on the first.
    """

    Status = Status

    class Source(models.TextChoices):
        MANUAL = "manual", _("Recepção")
        VOICE_AI = "voice_ai", _("Voz")
        SELF_SERVICE = "self_service", _("Bot")
        SYNC_EXTERNAL = "sync_external", _("API")

    class CancelledBy(models.TextChoices):
        PATIENT = "patient", _("Paciente")
        CLINIC = "clinic", _("Clínica")

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    doctor = models.ForeignKey(
        Doctor, models.PROTECT, related_name="appointments", db_index=False, verbose_name=_("médico(a)")
    )
    # the name at the time of booking or of the last move
    doctor_name = models.CharField(_("médico(a)"), max_length=160)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointments", db_index=False)
    starts_at = models.DateTimeField(_("início"))
    ends_at = models.DateTimeField(_("fim"))
    status = models.CharField(_("situação"), max_length=12, choices=Status, default=Status.SCHEDULED)
    # When the status was written last, by the event that says so; the database's default is for the version before.
    status_since = models.DateTimeField(default=timezone.now, db_default=Now())
    source = models.CharField(_("origem"), max_length=14, choices=Source, default=Source.MANUAL)
    notes = models.TextField(_("observações"), max_length=5000, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    # None for a private visit. The database holds it by the composite key `appointment_payer_of_clinic`.
    payer = models.ForeignKey(
        Payer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("convênio"),
    )
    authorization_number = models.CharField(_("guia"), max_length=40, blank=True, default="", db_default="")
    authorization_password = models.CharField(_("senha da guia"), max_length=40, blank=True, default="", db_default="")
    unverified_cpf = models.CharField(
        max_length=11,
        blank=True,
        db_column="typed_cpf",
        help_text="Digits an API sent as the CPF whose check digits are wrong.",
    )
    # Sent for a patient who is known by another name, phone (E.164) or birth date; see `models.unverified`.
    unverified_name = models.CharField(max_length=160, blank=True, default="", db_default="")
    unverified_phone = models.CharField(max_length=16, blank=True, default="", db_default="")
    unverified_birth_date = models.DateField(null=True, blank=True)
    encaixe_by = models.ForeignKey(
        StaffUser,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("encaixe por"),
    )
    encaixe_reason = models.CharField(_("motivo do encaixe"), max_length=200, blank=True)
    # The manager by whose PIN it was booked beyond the doctor's number a day, or by a user without the permission.
    encaixe_approved_by = models.ForeignKey(
        StaffUser,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("encaixe aprovado por"),
    )
    # The series of which it is a session, None for most.
    series = models.ForeignKey(
        Series, models.PROTECT, null=True, blank=True, related_name="sessions", db_index=False, verbose_name=_("série")
    )
    cancelled_by = models.CharField(_("cancelado por"), max_length=7, choices=CancelledBy, blank=True)
    cancel_reason = models.CharField(_("motivo do cancelamento"), max_length=200, blank=True)
    created_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    # When the row, or what is shown of its patient, was written last, by the database's clock: a trigger of 0051 sets
    # it at every write, in the order that `queries.changes` needs.
    changed_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    # What the act that returned this instance has written of it; stored nowhere else than as an event.
    written_event: "AppointmentEvent | None" = None

    objects: ClassVar = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("agendamento")
        verbose_name_plural = _("agendamentos")
        ordering = ["starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "uuid"], name="appointment_uuid_once"),
            ExclusionConstraint(
                name="appointment_doctor_free",
                expressions=[
                    ("clinic", RangeOperators.EQUAL),
                    ("doctor", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=OCCUPIES_DOCTOR,
            ),
            ExclusionConstraint(
                name="appointment_patient_in_one_place",
                expressions=[
                    ("clinic", RangeOperators.EQUAL),
                    ("patient", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=STANDING,
            ),
            models.UniqueConstraint(
                fields=["clinic", "doctor"],
                condition=Q(status="in_service", deleted_at__isnull=True),
                name="appointment_one_in_service",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_ends_after_start"),
            models.CheckConstraint(
                condition=LessThanOrEqual(F("ends_at") - F("starts_at"), OVERLAP_LOOKBACK),
                name="appointment_at_most_a_day",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="appointment_status_known"),
            models.CheckConstraint(
                condition=Q(source__in=["manual", "voice_ai", "self_service", "sync_external"]),
                name="appointment_source_known",
            ),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_by__in=["patient", "clinic"])
                | ~Q(status="cancelled") & Q(cancelled_by="", cancel_reason=""),
                name="appointment_cancelled_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(encaixe_by__isnull=True, encaixe_reason="")
                | Q(encaixe_by__isnull=False) & ~Q(encaixe_reason=""),
                name="appointment_encaixe_attributed",
            ),
            models.CheckConstraint(
                condition=Q(encaixe_approved_by__isnull=True) | Q(encaixe_by__isnull=False),
                name="appointment_approval_of_encaixe",
            ),
            models.CheckConstraint(
                condition=Q(unverified_cpf="") | Q(unverified_cpf__regex=r"^\d{11}$"),
                name="appointment_typed_cpf_digits",
            ),
            models.CheckConstraint(
                condition=Q(unverified_phone="") | Q(unverified_phone__regex=r"^\+[1-9]\d{1,14}$"),
                name="appointment_unverified_phone_e164",
            ),
            models.CheckConstraint(
                condition=Q(payer__isnull=False) | Q(authorization_number="", authorization_password=""),
                name="appointment_authorization_of_payer",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "starts_at"], name="appointment_clinic_starts_at"),
            models.Index(fields=["doctor", "starts_at"], name="appointment_doctor_starts_at"),
            models.Index(fields=["patient", "starts_at"], name="appointment_patient_starts_at"),
            models.Index(fields=["payer"], condition=Q(payer__isnull=False), name="appointment_payer"),
            models.Index(fields=["clinic", "changed_at", "id"], name="appointment_clinic_changed_at"),
            models.Index(fields=["series"], condition=Q(series__isnull=False), name="appointment_series"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.starts_at):%d/%m/%Y %H:%M}"

    @property
    def is_encaixe(self) -> bool:
        return self.encaixe_by_id is not None

    @property
    def status_label(self) -> str:
        """The status as people read it, for lists: Django's `get_status_display` translates all of them each time."""
        return str(Status(self.status).label)

    @property
    def procedures_as_booked(self) -> str:
        """The names of its procedures in one text. The appointment comes with its lines."""
        return ", ".join(line.procedure_name for line in self.lines.all())

    @property
    def has_expired_card(self) -> bool:
        """Whether the patient's card of this payer is no longer valid on the local date of the start. The appointment
        comes with clinic and patient."""
        if self.payer_id is None or self.payer_id != self.patient.payer_id:
            return False
        return self.patient.has_expired_card(self.clinic.local(self.starts_at).date())


class AppointmentProcedure(ClinicRow):
    """One line of an appointment: the procedure, and its name and price in the clinic's currency when it was booked."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="+", db_index=False)
    procedure_name = models.CharField(_("procedimento"), max_length=160)
    price = models.DecimalField(_("preço"), max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = _("procedimento agendado")
        verbose_name_plural = _("procedimentos agendados")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "appointment", "position"], name="appointmentprocedure_position_once"
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="appointmentprocedure_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.price}"

    @property
    def total(self) -> Decimal:
        """The price of the line less its discounts."""
        return self.price - sum((applied.value for applied in self.discounts.all()), Decimal())


class AppliedDiscount(ClinicRow):
    """An amount taken off one line, in the clinic's currency, and the name of the discount when it was booked."""

    line = models.ForeignKey(AppointmentProcedure, models.CASCADE, related_name="discounts")
    discount = models.ForeignKey(Discount, models.PROTECT, related_name="+", db_index=False)
    discount_name = models.CharField(_("desconto"), max_length=80)
    value = models.DecimalField(_("valor"), max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = _("desconto aplicado")
        verbose_name_plural = _("descontos aplicados")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(value__gte=0), name="applieddiscount_value_not_negative"),
        ]

    def __str__(self) -> str:
        return str(self.value)
