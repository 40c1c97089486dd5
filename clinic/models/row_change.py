"""What was changed of a clinic's set-up and of its memos, row by row: who, when, from what to what."""

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import Clinic, ClinicQuerySet
from clinic.models.patient_history import PatientEvent
from clinic.models.staff import StaffUser

# The tables whose triggers write the rows (`clinic_note_row`, migration 0080). A new table of a clinic's set-up is
# added by `note_rows` of migrations/_row_changes.py, and here; tests/test_row_changes.py holds both together.
NOTED_TABLES = frozenset(
    {
        "clinic_absence",
        "clinic_accesstoken",
        "clinic_apikey",
        "clinic_calendarfeed",
        "clinic_clinic",
        "clinic_clinicholiday",
        "clinic_clinicholiday_doctors",
        "clinic_delay",
        "clinic_discount",
        "clinic_displaylink",
        "clinic_doctor",
        "clinic_doctor_procedures",
        "clinic_memo",
        "clinic_payer",
        "clinic_payerdoctor",
        "clinic_pricerise",
        "clinic_privacysettings",
        "clinic_procedure",
        "clinic_procedureprice",
        "clinic_stafflink",
        "clinic_staffuser",
        "clinic_workinghours",
    }
)

PROGRAMS = ("imagemais", "mivicall")  # the channels by which programs act
# Of these the registry writes an event in words, for every request that changes them; of all that a program changes,
# the directory's.
IN_WORDS = Q(
    Q(table__in=("workinghours", "absence", "delay")) | Q(channel__in=PROGRAMS),
    request_id__isnull=False,
)


class RowChange(models.Model):
    """A row of the set-up, or a memo, that was added, changed or removed. PostgreSQL writes it by the triggers of
    NOTED_TABLES, so that no entry point can forget it; UPDATE and DELETE are refused.

    `table` is the name without `clinic_`, `row` the id in it. `before` and `after` map columns to JSON: of a change
    those that differ, and those that tell which row it is. Secrets stand in neither: a changed one is `true`; what
    people write in a memo stands in neither and is no change.
    `request_id` is that of the API's or the browser's request, None for a command. Rows of one `transaction`, a number
    of PostgreSQL's, are one act. Without an author (a statement by hand) `credential` is the name of the program, or of
    the database's role. A superuser's own row has no clinic. No foreign key is checked: what is named here may be gone.
    """

    class Act(models.TextChoices):
        ADDED = "added", _("Incluído")
        CHANGED = "changed", _("Alterado")
        REMOVED = "removed", _("Removido")

    Channel = PatientEvent.Channel

    clinic = models.ForeignKey(
        Clinic,
        models.DO_NOTHING,
        null=True,
        verbose_name=_("clínica"),
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    table = models.CharField(max_length=60)
    row = models.BigIntegerField(null=True)
    act = models.CharField(max_length=7, choices=Act)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=Channel)
    user = models.ForeignKey(
        StaffUser, models.DO_NOTHING, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key, program or role.")
    request_id = models.UUIDField(null=True)
    transaction = models.BigIntegerField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        verbose_name = _("alteração do cadastro da clínica")
        verbose_name_plural = _("alterações do cadastro da clínica")
        ordering = ["-at", "-pk"]
        # What the audit page filters by, each with the time by which it pages; apart for memos, which are many.
        indexes = [
            models.Index(fields=["clinic", "at"], name="rowchange_clinic_at"),
            models.Index(fields=["clinic", "table", "at"], name="rowchange_clinic_table_at"),
            models.Index(fields=["clinic", "user", "at"], name="rowchange_clinic_user_at"),
            models.Index(
                F("clinic"),
                KeyTextTransform("doctor_id", "before"),
                F("at"),
                F("user"),
                condition=Q(before__has_key="doctor_id"),
                name="rowchange_doctor_before",
            ),
            models.Index(
                F("clinic"),
                KeyTextTransform("doctor_id", "after"),
                F("at"),
                F("user"),
                condition=Q(after__has_key="doctor_id"),
                name="rowchange_doctor_after",
            ),
            models.Index(
                fields=["clinic", "row", "at", "user"], condition=Q(table="doctor"), name="rowchange_doctor_own_acts"
            ),
            # The same without what an event says already, nearly all of it hours, which would be read in vain.
            models.Index(
                F("clinic"),
                KeyTextTransform("doctor_id", "before"),
                F("at"),
                F("user"),
                condition=Q(before__has_key="doctor_id") & ~IN_WORDS,
                name="rowchange_set_up_doctor_before",
            ),
            models.Index(
                F("clinic"),
                KeyTextTransform("doctor_id", "after"),
                F("at"),
                F("user"),
                condition=Q(after__has_key="doctor_id") & ~IN_WORDS,
                name="rowchange_set_up_doctor_after",
            ),
            models.Index(fields=["clinic", "at"], condition=~Q(table="memo"), name="rowchange_set_up_at"),
            models.Index(fields=["clinic", "user", "at"], condition=~Q(table="memo"), name="rowchange_set_up_user_at"),
            models.Index(
                fields=["clinic", "channel", "at"], condition=~Q(table="memo"), name="rowchange_set_up_channel_at"
            ),
            models.Index(
                fields=["clinic", "credential", "at"],
                condition=~Q(table="memo") & ~Q(credential=""),
                name="rowchange_set_up_credential_at",
            ),
            models.Index(fields=["clinic", "user", "at"], condition=Q(table="memo"), name="rowchange_memo_user_at"),
            models.Index(
                fields=["clinic", "channel", "at"],
                condition=Q(table="memo") & ~Q(channel="browser"),
                name="rowchange_memo_channel_at",
            ),
            models.Index(
                fields=["clinic", "credential", "at"],
                condition=Q(table="memo") & ~Q(credential=""),
                name="rowchange_memo_credential_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row}"
