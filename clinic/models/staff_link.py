from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import Clinic, ClinicRow
from clinic.models.staff import StaffUser


class StaffLink(ClinicRow):
    """A link, good once, by which a person chooses an own password. Of its secret only an HMAC is stored.

    An invitation is for a `user` who cannot sign in yet and chooses the user name too; withdrawn, that user never can.
    `form_key` is that of the form that made it: the same form sent twice makes one.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("Convite")
        RESET = "reset", _("Senha nova")

    kind = models.CharField(_("tipo"), max_length=10, choices=Kind)
    user = models.ForeignKey(StaffUser, models.SET_NULL, null=True, related_name="links", db_index=False)
    name = models.CharField(_("nome"), max_length=120)
    digest = models.CharField(max_length=64)
    form_key = models.UUIDField(null=True)
    created_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(_("criado em"), default=timezone.now)
    expires_at = models.DateTimeField(_("vale até"))
    used_at = models.DateTimeField(_("usado em"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revogado em"), null=True, blank=True)
    revoked_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("link de acesso")
        verbose_name_plural = _("links de acesso")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "digest"], name="stafflink_digest_once"),
            models.UniqueConstraint(fields=["clinic", "form_key"], name="stafflink_form_key_once"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="stafflink_digest_hex"),
            models.CheckConstraint(condition=Q(kind__in=["invitation", "reset"]), name="stafflink_kind_known"),
            models.CheckConstraint(condition=Q(used_at=None) | Q(revoked_at=None), name="stafflink_used_or_revoked"),
        ]
        # A link is looked up by its secret before its clinic is known.
        indexes = [models.Index(fields=["digest"], name="stafflink_digest")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_invitation(self) -> bool:
        return self.kind == self.Kind.INVITATION

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()


# `team_of` as the condition of a statement, of a row `member` of clinic_staffuser.
IN_TEAM_SQL = """(
    member.is_active OR EXISTS (
        SELECT FROM clinic_stafflink AS link
        WHERE link.clinic_id = member.clinic_id AND link.user_id = member.id AND link.kind = 'invitation'
            AND link.used_at IS NULL AND link.revoked_at IS NULL
    )
)"""


def team_of(clinic: Clinic) -> "QuerySet[StaffUser]":
    """Return who works for the clinic: who may sign in, and whose invitation was neither used nor withdrawn."""
    unused = StaffLink.objects.of(clinic).filter(used_at=None, revoked_at=None, kind=StaffLink.Kind.INVITATION)
    return StaffUser.objects.of(clinic).filter(Q(is_active=True) | Exists(unused.filter(user=OuterRef("pk"))))
