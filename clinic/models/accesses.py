"""Who saw which patient, and who signed in."""

from datetime import timedelta

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import Clinic, ClinicRow
from clinic.models.patient import Patient
from clinic.models.staff import StaffUser

# For so long rows are kept; PostgreSQL refuses to delete younger ones (migration 0040).
ACCESSES_KEPT, SIGN_INS_KEPT = timedelta(days=731), timedelta(days=366)


class PatientAccess(ClinicRow):
    """A patient who was shown to a user or a program, or with a `day` all patients of that local date.

    `page` is the name of the route, without what was filled into it; `session` is a digest of the browser's session.
    Written by one statement a request (`clinic.access.accesses`). No foreign key is checked: that would cost a page
    more than the row itself. UPDATE is refused, DELETE until two years have passed.
    """

    # Without a constraint, unlike that of every other row.
    clinic = models.ForeignKey(
        Clinic, models.DO_NOTHING, verbose_name=_("clínica"), db_index=False, db_constraint=False, related_name="+"
    )
    patient = models.ForeignKey(
        Patient, models.DO_NOTHING, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    day = models.DateField(_("dia"), null=True)
    at = models.DateTimeField(_("data"), default=timezone.now)
    user = models.ForeignKey(
        StaffUser, models.DO_NOTHING, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token or key.")
    page = models.CharField(_("página"), max_length=100)
    session = models.CharField(max_length=16, blank=True)

    class Meta:
        verbose_name = _("acesso a paciente")
        verbose_name_plural = _("acessos a pacientes")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(
                fields=["patient", "-at"], condition=models.Q(patient__isnull=False), name="patientaccess_patient_at"
            ),
            BrinIndex(fields=["at"], name="patientaccess_at"),
        ]

    def __str__(self) -> str:
        return self.page


class SignIn(models.Model):
    """A sign-in; `address` is the one under which failures are counted, a /64 of IPv6.

    UPDATE is refused, DELETE until a year has passed."""

    user = models.ForeignKey(StaffUser, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    at = models.DateTimeField(_("data"), default=timezone.now)
    address = models.CharField(_("endereço"), max_length=45, blank=True)
    session = models.CharField(max_length=16, blank=True)

    class Meta:
        verbose_name = _("entrada")
        verbose_name_plural = _("entradas")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["user", "at"], name="signin_user_at")]

    def __str__(self) -> str:
        return str(self.at)
