from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import Clinic, ClinicQuerySet
from clinic.models.names import validate_has_letter

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    StringField = models.TextField[str, str]
else:
    StringField = models.TextField


MAX_PERCENT = 100
# Who signs in or has done so, those who have left included: of them there may be something on record.
COULD_SIGN_IN = Q(is_active=True) | Q(last_login__isnull=False)
# What is allowed to a person beside the role.
SWITCHES = ("may_squeeze_in", "may_record_absence", "max_discount_percent", "may_see_reports", "may_export")


def folded_username(username: str) -> str:
    """Return the form by which user names are compared, regardless of case, composition and character width.

    People at a counter cannot distinguish two such names.
    """
    return AbstractBaseUser.normalize_username(username).casefold()


class FoldedUsernameField(StringField):
    """Computed from the row's user name at every save."""

    # `instance` is a StaffUser, or the model of that name in a migration.
    def pre_save(self, instance: Any, add: bool) -> str:
        value = folded_username(instance.username)
        setattr(instance, self.attname, value)
        return value


class StaffUserManager(BaseUserManager["StaffUser"]):
    """Creates users, and finds them by user name regardless of case."""

    def get_queryset(self) -> ClinicQuerySet["StaffUser"]:
        return ClinicQuerySet(self.model, using=self._db)

    def of(self, clinic: Clinic | int) -> ClinicQuerySet["StaffUser"]:
        """Return the users who work for one clinic."""
        return self.get_queryset().of(clinic)

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "StaffUser":
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "StaffUser":
        """Create a superuser. Raises ValidationError, which createsuperuser prints, for a name without a letter."""
        validate_has_letter(fields.get("name", ""))
        return self.create_user(username, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "StaffUser":
        return self.get(folded_username=folded_username(username or ""))


class StaffUser(AbstractBaseUser):
    """A user who signs in. Works for one clinic; a superuser has none and sees all.

    Has a role and no groups: four roles are enough, and Django's permissions would be a second place to look. Who has
    the role DOCTOR sees the visits of `doctor`, and nothing else (`clinic.access.roles`).
    """

    class Role(models.TextChoices):
        RECEPTIONIST = "receptionist", _("Recepção")
        MANAGER = "manager", _("Gestão")
        MASTER = "master", _("Administrador (master)")
        DOCTOR = "doctor", _("Médico(a), só o próprio dia")

    clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, blank=True, verbose_name=_("clínica"))
    username = models.CharField(
        _("usuário"),
        max_length=60,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": _("Já existe um usuário com esse nome. Escolha outro.")},
    )
    folded_username = FoldedUsernameField(editable=False)
    name = models.CharField(_("nome"), max_length=120)
    role = models.CharField(_("função"), max_length=12, choices=Role, default=Role.RECEPTIONIST)
    doctor = models.OneToOneField(
        "clinic.Doctor",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="user",
        verbose_name=_("médico(a)"),
        help_text=_("Só para quem entra como médico(a): de quem são as visitas que aparecem."),
        error_messages={"unique": _("Este médico ou esta médica já tem um usuário. Altere o que está lá.")},
    )
    may_squeeze_in = models.BooleanField(_("pode marcar encaixe"), default=False)
    may_record_absence = models.BooleanField(
        _("pode registrar ausência"),
        default=False,
        db_default=False,
        help_text=_("Da recepção: registra na agenda que um médico ou uma médica não vem. A gestão sempre pode."),
    )
    max_discount_percent = models.PositiveSmallIntegerField(
        _("desconto até (%)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_PERCENT)],
        help_text=_(
            "Da recepção: o máximo do preço que um agendamento na tela pode ter de desconto. Vazio: sem limite."
        ),
    )
    may_see_reports = models.BooleanField(
        _("pode ver relatórios"),
        default=False,
        db_default=False,
        help_text=_("Da recepção. A gestão sempre pode."),
    )
    may_export = models.BooleanField(
        _("pode exportar"),
        default=False,
        db_default=False,
        help_text=_(
            "Da recepção: os arquivos para planilhas das listas e dos relatórios que ela vê. O de todos os pacientes, "
            "com documentos, é só da gestão, que sempre pode exportar."
        ),
    )
    # By which a manager approves at a colleague's desk (`access.pins`): hashed like a password, "" for none.
    pin = models.CharField("PIN", max_length=128, blank=True, default="", db_default="", editable=False)
    is_superuser = models.BooleanField(_("vê todas as clínicas"), default=False)
    is_active = models.BooleanField(_("ativo"), default=True)
    # Sessions are no part of the set-up, whose changes are noted (`models.row_change`); this column is.
    sessions_ended_at = models.DateTimeField(_("sessões encerradas pela gestão"), null=True, editable=False)
    date_joined = models.DateTimeField(_("desde"), default=timezone.now, editable=False)

    objects = StaffUserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("usuário")
        verbose_name_plural = _("usuários")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(clinic__isnull=False) | Q(is_superuser=True), name="staffuser_clinic_unless_superuser"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["receptionist", "manager", "master", "doctor"]), name="staffuser_role_known"
            ),
            models.CheckConstraint(
                condition=Q(role="doctor", doctor__isnull=False) | (~Q(role="doctor") & Q(doctor__isnull=True)),
                name="staffuser_doctor_by_role",
            ),
            models.CheckConstraint(
                condition=Q(max_discount_percent=None) | Q(max_discount_percent__lte=MAX_PERCENT),
                name="staffuser_discount_0_to_100",
            ),
            models.UniqueConstraint(fields=["folded_username"], name="staffuser_folded_username_once"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        """Return the name, which the admin's histories show beside the user name."""
        return self.name

    def clean(self) -> None:
        """Raise ValidationError for a user name that differs from an existing one in case only, and for a doctor of
        another clinic, or one without the role."""
        super().clean()
        if sentence := self._doctor_fault():
            raise ValidationError({"doctor": sentence})
        same = StaffUser.objects.filter(folded_username=folded_username(self.username)).exclude(pk=self.pk)
        if other := same.exclude(username=self.username).first():
            sentence = _("Já existe “%(username)s”: maiúsculas e minúsculas não fazem diferença. Escolha outro nome.")
            raise ValidationError({"username": sentence % {"username": other.username}})

    def _doctor_fault(self) -> "StrPromise | str":
        """Return what is wrong with the doctor, "" if nothing is."""
        if self.role == self.Role.DOCTOR and self.doctor is None:
            return _("Escolha de qual médico(a) são as visitas que aparecem.")
        if self.role != self.Role.DOCTOR and self.doctor:
            return _("Só quem tem a função de médico(a) tem um médico(a) aqui. Deixe vazio.")
        if self.doctor and self.doctor.clinic_id != self.clinic_id:
            return _("Este médico ou esta médica é de outra clínica.")
        return ""

    @property
    def is_doctor(self) -> bool:
        """True for who sees the own day only."""
        return self.role == self.Role.DOCTOR and not self.is_superuser

    @property
    def is_manager(self) -> bool:
        return self.is_superuser or self.role in MANAGERS

    @property
    def records_absences(self) -> bool:
        return self.is_manager or self.may_record_absence

    @property
    def sees_reports(self) -> bool:
        return self.is_manager or (self.may_see_reports and not self.is_doctor)

    @property
    def exports(self) -> bool:
        return self.is_manager or (self.may_export and not self.is_doctor)

    @property
    def discount_limit(self) -> int | None:
        """The most that one's own bookings may have as discounts, in percent of the price; None for no limit."""
        return None if self.is_manager else self.max_discount_percent

    @property
    def is_master(self) -> bool:
        return self.is_superuser or self.role == self.Role.MASTER

    @property
    def may_approve(self) -> bool:
        """True for who approves at a colleague's desk of the own clinic what that colleague may not do alone."""
        return self.is_active and self.is_manager and self.clinic_id is not None

    @property
    def is_staff(self) -> bool:
        """True if Django's admin admits this user; clinic.admin.site decides about their permissions there."""
        return self.is_active and self.is_manager

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


MANAGERS = (StaffUser.Role.MANAGER, StaffUser.Role.MASTER)


class StaffSession(AbstractBaseSession):
    """A browser's session as Django stores it, with its user; None before sign-in and after the session has ended."""

    # No foreign-key constraint: Django takes every IntegrityError on saving a session for a duplicate session key.
    user = models.ForeignKey(
        StaffUser, models.CASCADE, null=True, db_constraint=False, related_name="+", verbose_name=_("usuário")
    )

    class Meta:
        verbose_name = _("sessão")
        verbose_name_plural = _("sessões")

    def __str__(self) -> str:
        """Return the expiry, not the key, which would open the session."""
        return str(self.expire_date)
