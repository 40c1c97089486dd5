from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.doctor import Doctor
from clinic.models.staff import StaffUser


class CalendarFeed(ClinicRow):
    """The secret address at which a program reads a doctor's calendar. Only `digest`, an HMAC of the secret under the
    credentials' key, is stored; a doctor has one address that works at most. Only `clinic.access` writes it."""

    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="feeds", verbose_name=_("médico(a)"))
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(StaffUser, models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("endereço do calendário")
        verbose_name_plural = _("endereços do calendário")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "doctor"], condition=Q(revoked_at=None), name="calendarfeed_one_of_doctor"
            ),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="calendarfeed_digest_hex"),
        ]
        # A request is looked up by its secret before its clinic is known, so this index has no clinic.
        indexes = [models.Index(fields=["digest"], name="calendarfeed_digest")]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.created_at):%d/%m/%Y %H:%M}"
