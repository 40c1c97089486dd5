import uuid
from datetime import date
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from clinic.models.booking_limits import BookingLimits, limit_constraints
from clinic.models.clinic import ClinicQuerySet, ClinicRow
from clinic.models.doctor import Doctor
from clinic.models.limits import MAX_RETURN_DAYS
from clinic.models.patient import years_between
from clinic.models.ranges import Fold

SHORTEST_DURATION, USUAL_DURATION, LONGEST_DURATION = 5, 30, 720  # minutes
MAX_YEARS = 120


class Procedure(BookingLimits, ClinicRow):
    """A service of the clinic.

    `price`, in the clinic's currency, is the private one before all that begin on a date (`clinic.models.price`): what
    it costs on a day is asked by `PriceOn`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    code = models.CharField(_("código"), max_length=20, blank=True)
    name = models.CharField(_("nome"), max_length=160)
    sort_name = models.GeneratedField(expression=Fold("name"), output_field=models.TextField(), db_persist=True)
    price = models.DecimalField(_("preço"), max_digits=10, decimal_places=2)
    duration_minutes = models.PositiveSmallIntegerField(_("duração em minutos"), default=USUAL_DURATION)
    active = models.BooleanField(_("ativo"), default=True)
    preparation = models.CharField(
        _("preparo"),
        max_length=500,
        blank=True,
        db_default="",
        default="",
        help_text=_("O que dizer a quem agenda: jejum, exames a trazer. Aparece no agendamento."),
    )

    return_days = models.PositiveSmallIntegerField(
        _("retorno sem custo em até"),
        null=True,
        blank=True,
        help_text=_("Dias depois de uma visita paga e finalizada com o mesmo médico. Vazio: o retorno é cobrado."),
    )
    per_day = models.PositiveSmallIntegerField(
        _("por dia com cada médico(a)"),
        null=True,
        blank=True,
        help_text=_("Quantos no máximo; mais, só como encaixe com aprovação da gestão. Vazio: sem limite."),
    )

    class Meta:
        verbose_name = _("procedimento")
        verbose_name_plural = _("procedimentos")
        ordering = ["sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "uuid"], name="procedure_uuid_once"),
            models.UniqueConstraint(fields=["clinic", "code"], condition=~Q(code=""), name="procedure_code_once"),
            models.CheckConstraint(condition=Q(price__gte=0), name="procedure_price_not_negative"),
            models.CheckConstraint(
                condition=Q(duration_minutes__gte=SHORTEST_DURATION, duration_minutes__lte=LONGEST_DURATION),
                name="procedure_duration_5_to_720",
            ),
            models.CheckConstraint(
                condition=Q(return_days=None) | Q(return_days__gte=1, return_days__lte=MAX_RETURN_DAYS),
                name="procedure_return_days_to_365",
            ),
            *limit_constraints("procedure"),
        ]

    def __str__(self) -> str:
        return self.name


def performed_by(doctor: Doctor | int | OuterRef | None, procedure: str = "pk") -> Exists:
    """Return the condition of a procedure that this doctor performs; an active one is another condition.

    `procedure` names the column of the filtered rows that holds the procedure's id."""
    performing = Doctor.procedures.through.objects
    return Exists(performing.filter(doctor=doctor, procedure=OuterRef(procedure)))


class DiscountQuerySet(ClinicQuerySet["Discount"]):
    """Discounts, expired ones included until `valid_on` leaves them out."""

    def valid_on(self, day: date) -> Self:
        """Return the discounts of which `is_valid_on` is true on this local date."""
        return self.filter(Q(expires_on=None) | Q(expires_on__gte=day))


class Discount(ClinicRow):
    """A percentage or a fixed amount in the clinic's currency, valid through `expires_on`.

    `minimum_age` and `maximum_age`, whole years, say which patients it is meant for; they are no rule of booking.
    """

    name = models.CharField(_("nome"), max_length=80)
    percentage = models.DecimalField(_("porcentagem"), max_digits=5, decimal_places=2, null=True, blank=True)
    fixed = models.DecimalField(_("valor fixo"), max_digits=10, decimal_places=2, null=True, blank=True)
    expires_on = models.DateField(_("válido até"), null=True, blank=True, help_text=_("Vazio: não expira."))
    minimum_age = models.PositiveSmallIntegerField(
        _("idade mínima"), null=True, blank=True, help_text=_("Em anos completos. Vazio: qualquer idade.")
    )
    maximum_age = models.PositiveSmallIntegerField(
        _("idade máxima"), null=True, blank=True, help_text=_("Em anos completos. Vazio: qualquer idade.")
    )

    objects: ClassVar = DiscountQuerySet.as_manager()

    class Meta:
        verbose_name = _("desconto")
        verbose_name_plural = _("descontos")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percentage__isnull=True, fixed__isnull=False)
                | Q(percentage__isnull=False, fixed__isnull=True),
                name="discount_percentage_or_fixed",
            ),
            models.CheckConstraint(
                condition=Q(percentage__isnull=True) | Q(percentage__gt=0, percentage__lte=100),
                name="discount_percentage_0_to_100",
            ),
            models.CheckConstraint(condition=Q(fixed__isnull=True) | Q(fixed__gt=0), name="discount_fixed_above_zero"),
            models.CheckConstraint(
                condition=(Q(minimum_age__isnull=True) | Q(minimum_age__lte=MAX_YEARS))
                & (Q(maximum_age__isnull=True) | Q(maximum_age__lte=MAX_YEARS))
                & (Q(minimum_age__isnull=True) | Q(maximum_age__isnull=True) | Q(maximum_age__gte=F("minimum_age"))),
                name="discount_ages_in_order_to_120",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_valid_on(self, day: date) -> bool:
        return self.expires_on is None or self.expires_on >= day

    def is_for_age(self, born: date, day: date) -> bool:
        """Return whether a person born on `born` has on `day` one of the ages that the discount is meant for."""
        years = years_between(born, day)
        is_old_enough = self.minimum_age is None or years >= self.minimum_age
        return is_old_enough and (self.maximum_age is None or years <= self.maximum_age)
