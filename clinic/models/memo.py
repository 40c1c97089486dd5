from datetime import timedelta
from typing import ClassVar, Self
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicQuerySet, ClinicRow
from clinic.models.patient import Patient
from clinic.models.staff import StaffUser

MEMOS_KEPT = timedelta(days=366)  # those about nobody, after they were done


class MemoQuerySet(ClinicQuerySet["Memo"]):
    """Memos of the front desk."""

    def open(self) -> Self:
        """Return those that nobody has done."""
        return self.filter(done_at=None)

    def for_user(self, user: StaffUser) -> Self:
        """Return those for this user, and those that are for anybody."""
        return self.filter(Q(recipient=user) | Q(recipient=None))


class Memo(ClinicRow):
    """A person who asked to be called back, or a note to a colleague or to the next shift.

    Who asked to be called may be no patient, so `name` and `phone` (E.164) are of the memo. It is for `recipient`, for
    anybody where that is None, and may be about a patient, an appointment, or `day`, a local date, with the local hour
    `hour` if one was agreed. Only `clinic.registry` writes it; it is done once, and keeps who did it and when.
    """

    class Kind(models.TextChoices):
        CALL = "call", _("Ligar de volta")
        NOTE = "note", _("Recado")

    uuid = models.UUIDField(default=uuid4, editable=False)
    kind = models.CharField(max_length=4, choices=Kind)
    name = models.CharField(_("nome"), max_length=160, blank=True)
    phone = models.CharField(_("telefone"), max_length=16, blank=True)
    text = models.CharField(_("recado"), max_length=500, blank=True)
    day = models.DateField(_("data"), null=True, blank=True)
    hour = models.TimeField(_("hora"), null=True, blank=True)
    patient = models.ForeignKey(
        Patient, models.CASCADE, null=True, blank=True, related_name="memos", db_index=False, verbose_name=_("paciente")
    )
    appointment = models.ForeignKey(
        Appointment, models.CASCADE, null=True, blank=True, related_name="memos", db_index=False
    )
    recipient = models.ForeignKey(
        StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("para quem")
    )
    written_by = models.ForeignKey(StaffUser, models.PROTECT, related_name="+", db_index=False)
    written_at = models.DateTimeField(default=timezone.now)
    done_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    done_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = MemoQuerySet.as_manager()

    class Meta:
        verbose_name = _("recado")
        verbose_name_plural = _("recados")
        ordering = ["-written_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "uuid"], name="memo_uuid_once"),
            models.CheckConstraint(condition=Q(kind__in=["call", "note"]), name="memo_kind_known"),
            models.CheckConstraint(condition=Q(kind="note") | ~Q(name=""), name="memo_call_has_name"),
            models.CheckConstraint(condition=Q(kind="call") | ~Q(text=""), name="memo_note_has_text"),
            models.CheckConstraint(
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9]\d{1,14}$"), name="memo_phone_e164"
            ),
            models.CheckConstraint(condition=Q(hour=None) | Q(day__isnull=False), name="memo_hour_with_day"),
            models.CheckConstraint(condition=Q(patient=None) | Q(appointment=None), name="memo_about_one"),
            models.CheckConstraint(
                condition=Q(done_by=None, done_at=None) | Q(done_by__isnull=False, done_at__isnull=False),
                name="memo_done_by_with_at",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "day"], condition=Q(done_at=None), name="memo_open"),
            models.Index(fields=["clinic", "done_at"], condition=Q(done_at__isnull=False), name="memo_done"),
            models.Index(fields=["patient"], condition=Q(patient__isnull=False), name="memo_patient"),
            models.Index(fields=["appointment"], condition=Q(appointment__isnull=False), name="memo_appointment"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def number(self) -> PhoneNumber | None:
        """The phone to call, None for none."""
        return PhoneNumber.from_string(self.phone) if self.phone else None
