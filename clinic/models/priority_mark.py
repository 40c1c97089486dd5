from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicRow
from clinic.models.staff import StaffUser


class PriorityMark(ClinicRow):
    """Why the patient of an appointment goes before others, as a user has marked it; the newest mark counts.

    NONE takes a priority away, also that of age. A mark may tell of health: a redaction deletes it. Rows are added by
    `clinic.booking` and never changed."""

    class Kind(models.TextChoices):
        NONE = "none", _("sem prioridade")
        PREGNANT = "pregnant", _("gestante")
        NURSING = "nursing", _("lactante")
        INFANT = "infant", _("com criança de colo")
        DISABLED = "disabled", _("pessoa com deficiência")
        AUTISTIC = "autistic", _("pessoa autista")
        REDUCED_MOBILITY = "mobility", _("mobilidade reduzida")
        OBESE = "obese", _("obesidade")
        ELDERLY = "elderly", _("pessoa idosa com limitações")
        DONOR = "donor", _("doador(a) de sangue")

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="priority_marks")
    kind = models.CharField(_("prioridade"), max_length=8, choices=Kind)
    at = models.DateTimeField(_("data"), default=timezone.now)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("prioridade")
        verbose_name_plural = _("prioridades")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "none",
                        "pregnant",
                        "nursing",
                        "infant",
                        "disabled",
                        "autistic",
                        "mobility",
                        "obese",
                        "elderly",
                        "donor",
                    ]
                ),
                name="prioritymark_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
