from collections.abc import Iterable
from datetime import datetime
from functools import cache

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.cursors import prepared_cursor
from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicRow
from clinic.models.doctor import Doctor
from clinic.models.ranges import Instant
from clinic.models.raw_sql import column_names, instance
from clinic.models.staff import StaffUser


class AppointmentEvent(ClinicRow):
    """A change of an appointment: who, when, through which channel, before → after. UPDATE and DELETE are refused.

    `doctor` is the appointment's after the change; no foreign key is checked, that would cost every booking."""

    class Kind(models.TextChoices):
        BOOKED = "booked", _("Agendado")
        RESCHEDULED = "rescheduled", _("Remarcado")
        STATUS_CHANGED = "status_changed", _("Situação alterada")
        ANNOTATED = "annotated", _("Observações alteradas")
        PROCEDURES = "procedures", _("Procedimentos alterados")
        PAYER = "payer", _("Convênio alterado")
        UNVERIFIED = "unverified", _("Dado a confirmar decidido")
        RECEIVED = "received", _("Pagamento recebido")
        NOT_REACHED = "not_reached", _("Não atendeu o telefone")
        CALL_LATER = "call_later", _("Ligar mais tarde")
        TIME_ZONE = "time_zone", _("Fuso horário alterado")

    class Channel(models.TextChoices):
        BROWSER = "browser", _("Tela")
        IMAGEMAIS = "imagemais", _("API ImageMais")
        MIVICALL = "mivicall", _("API MiviCall")
        COMMAND = "command", _("Comando")

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="events")
    doctor = models.ForeignKey(
        Doctor, models.DO_NOTHING, null=True, editable=False, db_index=False, db_constraint=False, related_name="+"
    )
    kind = models.CharField(_("tipo"), max_length=14, choices=Kind)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=Channel, db_column="door")
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key or command.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("histórico")
        verbose_name_plural = _("histórico")
        ordering = ["at", "pk"]
        # What the audit page filters by, each with the time by which it pages; and where a moved appointment was.
        indexes = [
            models.Index(fields=["clinic", "at"], name="appointmentevent_clinic_at"),
            models.Index(fields=["clinic", "kind", "at"], name="appointmentevent_kind_at"),
            models.Index(
                F("clinic"),
                KeyTextTransform("status", "after"),
                F("at"),
                # Behind the time, so that rows which another filter leaves out need not be fetched.
                F("channel"),
                F("user"),
                F("doctor"),
                condition=Q(kind="status_changed"),
                name="appointmentevent_status_at",
            ),
            # Behind the time for the same reason.
            models.Index(fields=["clinic", "doctor", "at", "kind", "user"], name="appointmentevent_doctor_acts"),
            models.Index(
                F("clinic"),
                Cast(KeyTextTransform("doctor", "before"), models.BigIntegerField()),
                F("at"),
                F("user"),
                condition=Q(kind="rescheduled"),
                name="appointmentevent_former_acts",
            ),
            models.Index(fields=["clinic", "user", "at"], name="appointmentevent_user_at"),
            models.Index(
                fields=["clinic", "credential", "at"],
                condition=~Q(credential=""),
                name="appointmentevent_credential_at",
            ),
            models.Index(fields=["clinic", "channel", "at"], name="appointmentevent_channel_at"),
            models.Index(
                F("clinic"),
                Instant(KeyTextTransform("starts_at", "before")),
                condition=Q(kind__in=["rescheduled", "time_zone"]),
                name="appointmentevent_former_start",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "booked",
                        "rescheduled",
                        "status_changed",
                        "annotated",
                        "procedures",
                        "payer",
                        "unverified",
                        "received",
                        "not_reached",
                        "call_later",
                        "time_zone",
                    ]
                ),
                name="appointmentevent_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["browser", "imagemais", "mivicall", "command"]),
                name="appointmentevent_door_known",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


def changes_encaixe(event: AppointmentEvent) -> bool:
    """Return whether both sides of the event keep the columns of an encaixe, where it is one: of a move always, of
    other procedures or another end only where that changed them."""
    return event.kind == AppointmentEvent.Kind.RESCHEDULED or bool(event.after.get("encaixe_changed"))


def unanswered_calls(events: Iterable[AppointmentEvent]) -> list[datetime]:
    """Return the instants of the calls to one appointment's patient that were not answered, without those that were
    taken back. The events are in their order; other kinds are passed over.

    What takes a call back follows it directly: only the last event of an appointment can be undone."""
    calls: list[datetime] = []
    for event in events:
        if event.kind != AppointmentEvent.Kind.NOT_REACHED:
            continue
        if event.after.get("undo"):
            del calls[-1:]  # the event before, which may be older than those that are given
        else:
            calls.append(event.at)
    return calls


def last_event(appointment: Appointment) -> AppointmentEvent | None:
    """Return the last event of an appointment, None for one that booking did not store. One query."""
    with prepared_cursor() as cursor:
        cursor.execute(_last_event_statement(), [appointment.pk])
        row = cursor.fetchone()
    event = instance(AppointmentEvent, row) if row else None
    if event:
        event.appointment = appointment
    return event


@cache
def _last_event_statement() -> str:
    columns = ", ".join(column_names(AppointmentEvent))
    table = AppointmentEvent._meta.db_table
    return f"SELECT {columns} FROM {table} WHERE appointment_id = %s ORDER BY id DESC LIMIT 1"  # noqa: S608 - own names


class ClinicEvent(ClinicRow):
    """A change that concerns a whole clinic. UPDATE and DELETE are refused."""

    class Kind(models.TextChoices):
        TIME_ZONE = "time_zone", _("Fuso horário alterado")
        ABSENCE = "absence", _("Ausência ou fechamento")
        DELAY = "delay", _("Atraso")
        DIRECTORY = "directory", _("Cadastro alterado por programa")
        HOURS = "hours", _("Horário de atendimento")
        IMPORT = "import", _("Importação")
        ARCHIVE = "archive", _("Clínica inteira em arquivo")

    kind = models.CharField(_("tipo"), max_length=14, choices=Kind)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=AppointmentEvent.Channel, db_column="door")
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key or command.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("histórico da clínica")
        verbose_name_plural = _("histórico da clínica")
        ordering = ["-at", "-pk"]
        # What the audit page filters by, each with the time by which it pages.
        indexes = [
            models.Index(fields=["clinic", "at"], name="clinicevent_clinic_at"),
            models.Index(fields=["clinic", "kind", "at"], name="clinicevent_kind_at"),
            models.Index(fields=["clinic", "user", "at"], name="clinicevent_user_at"),
            models.Index(
                fields=["clinic", "channel", "at"], condition=~Q(channel="browser"), name="clinicevent_channel_at"
            ),
            models.Index(
                fields=["clinic", "credential", "at"], condition=~Q(credential=""), name="clinicevent_credential_at"
            ),
            models.Index(
                F("clinic"),
                KeyTextTransform("doctor", "before"),
                F("at"),
                F("user"),
                condition=Q(before__has_key="doctor"),
                name="clinicevent_doctor_before",
            ),
            models.Index(
                F("clinic"),
                KeyTextTransform("doctor", "after"),
                F("at"),
                F("user"),
                condition=Q(after__has_key="doctor"),
                name="clinicevent_doctor_after",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["time_zone", "absence", "delay", "directory", "hours", "import", "archive"]),
                name="clinicevent_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["browser", "imagemais", "mivicall", "command"]), name="clinicevent_door_known"
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
