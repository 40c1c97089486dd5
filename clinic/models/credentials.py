"""API credentials, their audit trail, stored answers of idempotent requests, and request counts.

No secret is stored in a form that a reader of the database could use.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicRow
from clinic.models.staff import StaffUser


class AccessToken(ClinicRow):
    """An ImageMais access token. The token itself, a JWT, is not stored; `jti` identifies it."""

    jti = models.UUIDField(default=uuid.uuid4, editable=False)
    user = models.ForeignKey(StaffUser, models.PROTECT, related_name="+", db_index=False, verbose_name=_("usuário"))
    released_at = models.DateTimeField(_("liberado em"), default=timezone.now)
    expires_at = models.DateTimeField(_("expira em"))
    revoked_at = models.DateTimeField(_("revogado em"), null=True, blank=True)

    class Meta:
        verbose_name = _("token de acesso")
        verbose_name_plural = _("tokens de acesso")
        ordering = ["-released_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "jti"], name="accesstoken_jti_once"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("released_at")), name="accesstoken_expires_after_release"
            ),
        ]

    def __str__(self) -> str:
        return str(self.jti)[:8]


class ApiKey(ClinicRow):
    """A MiviCall key. Only `digest`, an HMAC under the credentials' key, and a prefix for display are stored."""

    class Scope(models.TextChoices):
        APPOINTMENTS_READ = "appointments:read", _("ver agendamentos")
        APPOINTMENTS_WRITE = "appointments:write", _("agendar e alterar")
        DIRECTORY_READ = "directory:read", _("ver médicos, procedimentos e a clínica")
        DIRECTORY_WRITE = "directory:write", _("alterar médicos, procedimentos e a clínica")
        PATIENTS_READ = "patients:read", _("ver pacientes")

    Source = Appointment.Source

    name = models.CharField(_("nome"), max_length=60)
    prefix = models.CharField(_("prefixo"), max_length=20)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), verbose_name=_("permissões"))
    source = models.CharField(_("origem"), max_length=14, choices=Source, default=Source.SYNC_EXTERNAL)
    is_live = models.BooleanField(
        _("de produção"), default=True, help_text=_("Uma chave de teste age num ambiente de testes.")
    )
    created_by = models.ForeignKey(
        StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("criada por")
    )
    created_at = models.DateTimeField(_("criada em"), default=timezone.now)
    expires_at = models.DateTimeField(_("expira em"))
    revoked_at = models.DateTimeField(_("revogada em"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("último uso"), null=True, blank=True)

    class Meta:
        verbose_name = _("chave de API")
        verbose_name_plural = _("chaves de API")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "digest"], name="apikey_digest_once"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="apikey_digest_hex"),
            models.CheckConstraint(condition=Q(scopes__len__gt=0), name="apikey_scopes_present"),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="apikey_expires_later"),
            models.CheckConstraint(condition=Q(source__in=Appointment.Source.values), name="apikey_source_known"),
        ]
        # An API request is looked up by its key before its clinic is known, so this index has no clinic.
        indexes = [models.Index(fields=["digest"], name="apikey_digest")]

    def __str__(self) -> str:
        return self.name


class CredentialEvent(ClinicRow):
    """An action on a token or key: who, when and through which channel. UPDATE and DELETE are refused."""

    class Kind(models.TextChoices):
        TOKEN_RELEASED = "token_released", _("Token liberado")
        TOKEN_REVOKED = "token_revoked", _("Token revogado")
        KEY_CREATED = "key_created", _("Chave criada")
        KEY_ROTATED = "key_rotated", _("Chave trocada")
        KEY_REVOKED = "key_revoked", _("Chave revogada")

    class Channel(models.TextChoices):
        BROWSER = "browser", _("Tela")
        COMMAND = "command", _("Comando")

    kind = models.CharField(_("tipo"), max_length=14, choices=Kind)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=7, choices=Channel, db_column="door")
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    access_token = models.ForeignKey(AccessToken, models.PROTECT, null=True, blank=True, related_name="events")
    api_key = models.ForeignKey(ApiKey, models.PROTECT, null=True, blank=True, related_name="events")

    class Meta:
        verbose_name = _("histórico das integrações")
        verbose_name_plural = _("histórico das integrações")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(access_token__isnull=True, api_key__isnull=False)
                | Q(access_token__isnull=False, api_key__isnull=True),
                name="credentialevent_of_one",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "token_released",
                        "token_revoked",
                        "key_created",
                        "key_rotated",
                        "key_revoked",
                    ]
                ),
                name="credentialevent_kind_known",
            ),
            models.CheckConstraint(condition=Q(channel__in=["browser", "command"]), name="credentialevent_door_known"),
        ]
        indexes = [models.Index(fields=["clinic", "at"], name="credentialevent_clinic_at")]

    def __str__(self) -> str:
        return self.get_kind_display()


class StoredAnswer(ClinicRow):
    """The stored answer of a write with this Idempotency-Key.

    `status` is None only within the transaction of the first request. `fingerprint` is an HMAC of method, path and
    body: it distinguishes another request without revealing this one.
    """

    class Credential(models.TextChoices):
        IMAGEMAIS = "imagemais"
        MIVICALL = "mivicall"

    credential = models.CharField(max_length=9, choices=Credential)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "credential", "key"], name="storedanswer_key_once"),
            models.CheckConstraint(
                condition=Q(credential__in=["imagemais", "mivicall"]), name="storedanswer_credential_known"
            ),
        ]
        indexes = [models.Index(fields=["clinic", "created_at"], name="storedanswer_created_at")]

    def __str__(self) -> str:
        return f"{self.credential} {self.status}"


class RequestCount(models.Model):
    """The requests of one subject in a tenth of a second, in an unlogged table that only `clinic_admit` writes.

    Belongs to no clinic: a failed sign-in comes from an address that is of no clinic. `tick` counts tenths since 1970.
    """

    who = models.CharField(max_length=80)
    tick = models.BigIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["who", "tick"], name="requestcount_tick_once")]

    def __str__(self) -> str:
        return f"{self.who}: {self.count}"
