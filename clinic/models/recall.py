"""Recalls: who is to be called for a visit that follows an earlier one, and what was done about it."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicQuerySet, ClinicRow
from clinic.models.doctor import Doctor
from clinic.models.history import AppointmentEvent
from clinic.models.patient import Patient
from clinic.models.procedure import Procedure
from clinic.models.staff import StaffUser


class RecallQuerySet(ClinicQuerySet["Recall"]):
    """Recalls, closed ones included until `open` leaves them out."""

    def open(self) -> Self:
        return self.filter(closed_at__isnull=True)

    def in_full(self) -> Self:
        """Return them with patient, procedure, doctors, the appointments, who wrote them and `closed_by`. One query."""
        closings = RecallEvent.objects.filter(recall=OuterRef("pk"), kind__in=RecallEvent.OF_CLOSING).order_by("-pk")
        who = closings.annotate(who=Coalesce("user__name", "credential")).values("who")
        return self.select_related(
            "patient", "procedure", "doctor", "appointment", "booked__doctor", "created_by"
        ).annotate(closed_by=Subquery(who[:1]))


class Recall(ClinicRow):
    """A patient who is to be called for another visit from the local date `due_on` on. Only `clinic.booking` writes it.

    It was written at `appointment`, an earlier visit. No `doctor` means any who performs the procedure. `booked` is the
    appointment that was last booked of it: while that one stands, the recall is closed with it; once it is cancelled or
    missed, the recall is open again and still names it.
    """

    class Outcome(models.TextChoices):
        BOOKED = "booked", _("agendado")
        DECLINED = "declined", _("não quer")
        ELSEWHERE = "elsewhere", _("já tem horário")

    # The outcomes that a person gives; the other one is that of a booking.
    CHOSEN = (Outcome.DECLINED, Outcome.ELSEWHERE)

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="recalls", db_index=False)
    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="recalls", db_index=False)
    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="+")
    doctor = models.ForeignKey(Doctor, models.PROTECT, null=True, blank=True, related_name="+")
    due_on = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    booked = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    version = models.PositiveIntegerField(default=1)

    closed_by: str | None  # the user or the credential that closed it last; what `in_full` reads

    objects: ClassVar = RecallQuerySet.as_manager()

    class Meta:
        verbose_name = _("retorno a lembrar")
        verbose_name_plural = _("retornos a lembrar")
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "appointment", "procedure"],
                condition=Q(closed_at__isnull=True),
                name="recall_once_an_appointment",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="")
                | Q(closed_at__isnull=False, outcome="booked", booked__isnull=False)
                | Q(closed_at__isnull=False, outcome__in=["declined", "elsewhere"]),
                name="recall_closed_with_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "due_on"], condition=Q(closed_at__isnull=True), name="recall_open"),
            models.Index(fields=["clinic", "closed_at"], condition=Q(closed_at__isnull=False), name="recall_closed"),
            models.Index(fields=["patient"], name="recall_patient"),
            models.Index(fields=["appointment"], name="recall_appointment"),
            models.Index(fields=["booked"], condition=Q(booked__isnull=False), name="recall_booked"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RecallEvent(ClinicRow):
    """What was done with a recall: who, when, through which channel, before → after. UPDATE and DELETE are refused, but
    for a redaction, which blanks the notes in both."""

    class Kind(models.TextChoices):
        WRITTEN = "written", _("Anotado")
        POSTPONED = "postponed", _("Adiado")
        BOOKED = "booked", _("Agendado")
        CLOSED = "closed", _("Resolvido")
        REOPENED = "reopened", _("De volta à lista")

    OF_CLOSING = (Kind.BOOKED, Kind.CLOSED)

    recall = models.ForeignKey(Recall, models.PROTECT, related_name="events")
    kind = models.CharField(_("tipo"), max_length=9, choices=Kind)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=AppointmentEvent.Channel)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key or command.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("histórico do retorno")
        verbose_name_plural = _("histórico dos retornos")
        ordering = ["at", "pk"]
        # What the audit page filters by, each with the time by which it pages.
        indexes = [
            models.Index(fields=["clinic", "at"], name="recallevent_clinic_at"),
            models.Index(fields=["clinic", "kind", "at"], name="recallevent_kind_at"),
            models.Index(fields=["clinic", "user", "at"], name="recallevent_user_at"),
            models.Index(
                fields=["clinic", "channel", "at"], condition=~Q(channel="browser"), name="recallevent_channel_at"
            ),
            models.Index(
                fields=["clinic", "credential", "at"], condition=~Q(credential=""), name="recallevent_credential_at"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["written", "postponed", "booked", "closed", "reopened"]),
                name="recallevent_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["browser", "imagemais", "mivicall", "command"]),
                name="recallevent_channel_known",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
