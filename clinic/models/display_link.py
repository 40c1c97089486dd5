from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.staff import StaffUser


class DisplayLink(ClinicRow):
    """A link that opens the waiting room's display without signing in. Of its secret only an HMAC is stored."""

    name = models.CharField(_("nome"), max_length=60)
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(_("criado em"), default=timezone.now)
    revoked_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    revoked_at = models.DateTimeField(_("revogado em"), null=True, blank=True)

    class Meta:
        verbose_name = _("painel de chamada")
        verbose_name_plural = _("painéis de chamada")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "digest"], name="displaylink_digest_once"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="displaylink_digest_hex"),
        ]
        # A display is looked up by its secret before its clinic is known.
        indexes = [models.Index(fields=["digest"], name="displaylink_digest")]

    def __str__(self) -> str:
        return self.name
