from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.doctor import Doctor
from clinic.models.staff import StaffUser

MAX_MINUTES = 480


class Delay(ClinicRow):
    """By how many minutes a doctor is late on a local date. It moves no appointment; no row means no delay."""

    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="delays", verbose_name=_("médico(a)"))
    day = models.DateField(_("data"))
    minutes = models.PositiveSmallIntegerField(_("minutos"))
    recorded_by = models.ForeignKey(StaffUser, models.PROTECT, related_name="+", db_index=False)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("atraso")
        verbose_name_plural = _("atrasos")
        ordering = ["-day", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "doctor", "day"], name="delay_once_a_day"),
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=MAX_MINUTES), name="delay_1_to_480_minutes"
            ),
        ]

    def __str__(self) -> str:
        return f"+{self.minutes} min"
