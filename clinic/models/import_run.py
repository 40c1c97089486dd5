"""A spreadsheet that is brought into a clinic, and what becomes of each of its rows."""

import json
from datetime import datetime, timedelta
from hashlib import blake2b

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.patient_history import PatientEvent
from clinic.models.staff import StaffUser

# For so long a run can be taken back, and its rows are kept.
ROWS_KEPT = timedelta(days=30)


class ImportRun(ClinicRow):
    """A spreadsheet on its way into the clinic. Only `clinic.exchange` writes it.

    `headings` are the texts of the row of headings, `columns` the fields that they stand for, "" for none, in the same
    order. `month_first` are the places of columns whose dates are month/day/year, `mixed` of those in which some can be
    nothing else. `number` is the row of the file after which the work of the present state goes on; each batch moves it
    on in its own transaction. `total` counts the rows. With `overwrites`, what the spreadsheet has of a known patient
    takes the place of what is stored; without, only blanks are filled.
    """

    class Kind(models.TextChoices):
        PROCEDURES = "procedures", _("Procedimentos")
        DOCTORS = "doctors", _("Médicos(as)")
        PATIENTS = "patients", _("Pacientes")
        APPOINTMENTS = "appointments", _("Agendamentos")

    class State(models.TextChoices):
        READ = "read", _("Escolher as colunas")
        CHECKING = "checking", _("Conferindo")
        CHECKED = "checked", _("Conferida, ainda não importada")
        IMPORTING = "importing", _("Importando")
        IMPORTED = "imported", _("Importada")
        TAKING_BACK = "taking_back", _("Desfazendo")
        TAKEN_BACK = "taken_back", _("Desfeita")

    kind = models.CharField(_("tipo"), max_length=12, choices=Kind)
    state = models.CharField(_("situação"), max_length=12, choices=State, default=State.READ)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=PatientEvent.Channel)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the command.")
    file_name = models.CharField(_("arquivo"), max_length=200)
    file_format = models.CharField(max_length=4)
    encoding = models.CharField(max_length=12, blank=True)
    separator = models.CharField(max_length=1, blank=True)
    sheet = models.CharField(max_length=200, blank=True)
    headings = models.JSONField(default=list)
    columns = models.JSONField(default=list)
    month_first = models.JSONField(default=list)
    mixed = models.JSONField(default=list)
    overwrites = models.BooleanField(default=False)
    total = models.PositiveIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)
    imported_at = models.DateTimeField(null=True, blank=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)
    taken_back_by = models.ForeignKey(
        StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("importação")
        verbose_name_plural = _("importações")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["clinic", "-at"], name="importrun_clinic_at")]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic"], condition=Q(state__in=["importing", "taking_back"]), name="importrun_one_writes"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["procedures", "doctors", "patients", "appointments"]), name="importrun_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["read", "checking", "checked", "importing", "imported", "taking_back", "taken_back"]
                ),
                name="importrun_state_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["browser", "admin", "imagemais", "mivicall", "command"]),
                name="importrun_channel_known",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_under_way(self) -> bool:
        """True while batches are still to be worked through."""
        return self.state in {self.State.CHECKING, self.State.IMPORTING, self.State.TAKING_BACK}

    @property
    def choices(self) -> str:
        """A short hash of what was chosen for the check: another one, once anything of it is chosen otherwise."""
        chosen = json.dumps([self.columns, self.month_first, self.overwrites])
        return blake2b(chosen.encode(), digest_size=12).hexdigest()

    def can_be_taken_back(self, now: datetime) -> bool:
        """Return whether it was imported, and no longer than ROWS_KEPT ago at the instant `now`."""
        return (
            self.state == self.State.IMPORTED and self.imported_at is not None and now - self.imported_at <= ROWS_KEPT
        )

    @property
    def last_moment(self) -> datetime | None:
        """The instant until which it can be taken back; None before it is imported."""
        return self.imported_at + ROWS_KEPT if self.imported_at else None


class ImportRow(ClinicRow):
    """A row of a spreadsheet: `number` is its line in the file, counted from 1, `cells` are its texts by place.

    `fate` is what the check has found, and after the import what was done. `changes` are the fields of a known patient
    that change, as {name: [before, after]}; `sentences` say why a row is refused, or why it stays where the others were
    taken back. `keys` tell which rows of the file are one person. `patient_id` is the patient who is meant or was made,
    `version` their `patient_version` afterwards. Rows are deleted ROWS_KEPT after the run, and blanked by a redaction.

    A row of an appointment has its doctor and times once it was checked, `appointment_id` once it was made, and then
    `version` is a text that is another one after every change of it. So has a row of a doctor `doctor_id`, and one of a
    procedure `procedure_id`.
    """

    class Fate(models.TextChoices):
        UNKNOWN = "", _("Ainda não conferida")
        NEW = "new", _("Novo")
        SAME = "same", _("Já existe, igual")
        CHANGED = "changed", _("Já existe, muda")
        DUPLICATE = "duplicate", _("Repetido na planilha")
        REFUSED = "refused", _("Recusado")
        TAKEN_BACK = "taken_back", _("Desfeito")
        KEPT = "kept", _("Ficou como está")

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()
    cells = models.JSONField()
    fate = models.CharField(_("destino"), max_length=10, choices=Fate, blank=True, default="", db_default="")
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder, db_default={})
    sentences = models.JSONField(default=list, db_default=[])
    keys = ArrayField(models.TextField(), default=list, db_default=[])
    # No foreign key: a patient who was taken back is gone, and what it was made of stays until the rows go.
    patient_id = models.BigIntegerField(null=True)
    version = models.CharField(max_length=40, blank=True, default="", db_default="")
    # No foreign keys either: what was taken back is gone.
    doctor_id = models.BigIntegerField(null=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    appointment_id = models.BigIntegerField(null=True)
    procedure_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("linha importada")
        verbose_name_plural = _("linhas importadas")
        ordering = ["run", "number"]
        indexes = [
            models.Index(fields=["run", "fate", "number"], name="importrow_run_fate"),
            models.Index(
                fields=["clinic", "patient_id"], condition=Q(patient_id__isnull=False), name="importrow_patient"
            ),
            GinIndex(fields=["keys"], fastupdate=False, name="importrow_keys"),
            models.Index(
                fields=["run", "doctor_id", "starts_at"],
                condition=Q(doctor_id__isnull=False),
                name="importrow_doctor_time",
            ),
            models.Index(
                fields=["clinic", "appointment_id"],
                condition=Q(appointment_id__isnull=False),
                name="importrow_appointment",
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="importrow_number_once")]

    def __str__(self) -> str:
        return str(self.number)
