"""The waiting list: who wants an earlier time, and what was done about it."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q, Subquery, Sum
from django.db.models.fields.json import KT
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import Appointment, AppointmentProcedure
from clinic.models.clinic import ClinicQuerySet, ClinicRow
from clinic.models.doctor import WEEKDAYS, Doctor
from clinic.models.history import AppointmentEvent
from clinic.models.patient import Patient
from clinic.models.procedure import Procedure
from clinic.models.staff import StaffUser

WAITING_NOTES_KEPT = timedelta(days=731)  # after the request was closed


class WaitingEntryQuerySet(ClinicQuerySet["WaitingEntry"]):
    """Requests of the waiting list, closed ones included until `open` leaves them out."""

    def open(self) -> Self:
        return self.filter(closed_at__isnull=True)

    def in_order(self) -> Self:
        """Return them in the order in which a time is offered: urgent ones first, then those without an appointment,
        then those whose appointment is furthest away; of these who has waited longest."""
        furthest = F("appointment__starts_at").desc(nulls_first=True)
        return self.order_by("-is_urgent", furthest, "created_at", "pk")

    def in_full(self) -> Self:
        """Return them with patient, appointment and its doctor, and with all that `needed`, `length`, `wanted_doctors`,
        `declined` and `moved_from` read: one query more, however many there are."""
        lines = AppointmentProcedure.objects.filter(appointment=OuterRef("appointment")).order_by("position")
        chosen = Procedure.objects.filter(waiting_entries=OuterRef("pk"))
        doctors = Doctor.objects.filter(waiting_entries=OuterRef("pk"))
        minutes = chosen.order_by().values("waiting_entries").annotate(sum=Sum("duration_minutes")).values("sum")
        moves = AppointmentEvent.objects.filter(
            kind=AppointmentEvent.Kind.RESCHEDULED, appointment=OuterRef("appointment"), at__gt=OuterRef("created_at")
        )
        calls = WaitingEvent.objects.filter(kind__in=WaitingEvent.OF_CALLS).select_related("user").order_by("pk")
        return (
            self.select_related("patient", "appointment__doctor", "created_by")
            .annotate(
                line_ids=ArraySubquery(lines.values("procedure_id")),
                line_names=ArraySubquery(lines.values("procedure_name")),
                chosen_ids=ArraySubquery(chosen.values("pk")),
                chosen_names=ArraySubquery(chosen.values("name")),
                chosen_minutes=Subquery(minutes[:1]),
                has_inactive=Exists(chosen.filter(active=False)),
                doctor_ids=ArraySubquery(doctors.values("pk")),
                left_start=Subquery(moves.order_by("pk").values(start=KT("before__starts_at"))[:1]),
            )
            .prefetch_related(Prefetch("events", calls, to_attr="calls"))
        )


class WaitingEntry(ClinicRow):
    """A patient's wish for an earlier time. Only `clinic.booking` writes it.

    With an `appointment` that one is to be moved: its procedures and its length are wanted, and `procedures` are none;
    without one, `procedures` are. No `doctors` means any that performs all of it, no `weekdays` (ISO) any day. The
    visit may begin from the local time `from_time` to `to_time`, both included, until the local date `until`; after
    that date the entry has run out, without anything being written.
    """

    class Outcome(models.TextChoices):
        BOOKED = "booked", _("agendado")
        WITHDRAWN = "withdrawn", _("retirado da fila")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="waiting_entries")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="waiting_entries")
    procedures = models.ManyToManyField(Procedure, blank=True, related_name="waiting_entries")
    doctors = models.ManyToManyField(Doctor, blank=True, related_name="waiting_entries")
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    from_time = models.TimeField(null=True, blank=True)
    to_time = models.TimeField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    is_urgent = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # The appointment with which it was closed: the one that was moved, or a new one.
    booked = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1)

    # What `in_full` reads.
    line_ids: list[int]
    line_names: list[str]
    chosen_ids: list[int]
    chosen_names: list[str]
    chosen_minutes: int | None
    has_inactive: bool
    doctor_ids: list[int]
    left_start: str | None
    calls: "list[WaitingEvent]"

    objects: ClassVar = WaitingEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("pedido da fila de espera")
        verbose_name_plural = _("pedidos da fila de espera")
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "appointment"],
                condition=Q(closed_at__isnull=True, appointment__isnull=False),
                name="waitingentry_once_an_appointment",
            ),
            models.CheckConstraint(condition=Q(weekdays__contained_by=WEEKDAYS), name="waitingentry_weekdays_iso"),
            models.CheckConstraint(
                condition=Q(from_time__isnull=True, to_time__isnull=True)
                | Q(from_time__isnull=False, to_time__isnull=False, to_time__gte=F("from_time")),
                name="waitingentry_hours_in_order",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="", booked__isnull=True)
                | Q(closed_at__isnull=False, outcome="booked", booked__isnull=False)
                | Q(closed_at__isnull=False, outcome="withdrawn", booked__isnull=True),
                name="waitingentry_closed_with_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "closed_at"], name="waitingentry_clinic_closed"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def needed(self) -> list[int]:
        """The ids of the wanted procedures."""
        return self.line_ids if self.appointment_id else self.chosen_ids

    @property
    def is_offered(self) -> bool:
        """Whether the wanted procedures can still be booked; what an appointment has can be moved in any case."""
        return self.appointment_id is not None or (bool(self.chosen_ids) and not self.has_inactive)

    @property
    def procedure_names(self) -> list[str]:
        return self.line_names if self.appointment_id else self.chosen_names

    @property
    def length(self) -> timedelta:
        if self.appointment:
            return self.appointment.ends_at - self.appointment.starts_at
        return timedelta(minutes=self.chosen_minutes or 0)

    @property
    def wanted_doctors(self) -> list[int]:
        """The ids of the wanted doctors; none means any."""
        return self.doctor_ids

    @property
    def declined(self) -> set[str]:
        """The times that the patient was offered and did not want, as `booking.time_value` writes them."""
        events = (event for event in self.calls if event.kind == WaitingEvent.Kind.DECLINED)
        return {value for event in events for value in event.after["times"]}

    @property
    def moved_from(self) -> datetime | None:
        """The start that the appointment had when the entry was made, if it was moved since and is not back there."""
        start = datetime.fromisoformat(self.left_start) if self.left_start else None
        return start if self.appointment and start != self.appointment.starts_at else None

    def has_run_out(self, now: datetime) -> bool:
        """Return whether its last date is over at the instant `now`. It comes with its clinic."""
        return self.until is not None and self.until < self.clinic.local(now).date()


class WaitingEvent(ClinicRow):
    """What was done with an entry: who, when, through which channel, before → after. UPDATE and DELETE are refused,
    but for a redaction, which blanks the notes in both."""

    class Kind(models.TextChoices):
        PUT = "put", _("Posto na fila de espera")
        CHANGED = "changed", _("Pedido alterado")
        NOT_REACHED = "not_reached", _("Não atendeu o telefone")
        DECLINED = "declined", _("Não quis o horário")
        BOOKED = "booked", _("Agendado")
        WITHDRAWN = "withdrawn", _("Retirado da fila de espera")
        REOPENED = "reopened", _("De volta à fila de espera")

    OF_CALLS = (Kind.NOT_REACHED, Kind.DECLINED)

    entry = models.ForeignKey(WaitingEntry, models.PROTECT, related_name="events")
    kind = models.CharField(_("tipo"), max_length=11, choices=Kind)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=AppointmentEvent.Channel)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key or command.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("histórico da fila de espera")
        verbose_name_plural = _("histórico da fila de espera")
        ordering = ["at", "pk"]
        # What the audit page filters by, each with the time by which it pages.
        indexes = [
            models.Index(fields=["clinic", "at"], name="waitingevent_clinic_at"),
            models.Index(fields=["clinic", "kind", "at"], name="waitingevent_kind_at"),
            models.Index(fields=["clinic", "user", "at"], name="waitingevent_user_at"),
            models.Index(
                fields=["clinic", "channel", "at"], condition=~Q(channel="browser"), name="waitingevent_channel_at"
            ),
            models.Index(
                fields=["clinic", "credential", "at"], condition=~Q(credential=""), name="waitingevent_credential_at"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["put", "changed", "not_reached", "declined", "booked", "withdrawn", "reopened"]),
                name="waitingevent_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["browser", "imagemais", "mivicall", "command"]),
                name="waitingevent_channel_known",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
