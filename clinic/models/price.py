"""Prices that begin on a date, and which price is in force on a day."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Subquery, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.payer import Payer
from clinic.models.procedure import Procedure
from clinic.models.staff import StaffUser

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

# The price of a procedure on a local date: that of the payer which was the last to begin, unless it has ended; else the
# private one that was the last to begin; without any the one from before all dates. Its parts are SQL.
PRICE_SQL = """COALESCE((
    SELECT CASE WHEN own.valid_until IS NULL OR own.valid_until >= {day} THEN own.price END
    FROM clinic_procedureprice AS own
    WHERE own.procedure_id = {procedure} AND own.payer_id = {payer} AND own.valid_from <= {day}
    ORDER BY own.valid_from DESC LIMIT 1
), (
    SELECT private.price FROM clinic_procedureprice AS private
    WHERE private.procedure_id = {procedure} AND private.payer_id IS NULL AND private.valid_from <= {day}
    ORDER BY private.valid_from DESC LIMIT 1
), {base})"""


class ProcedurePrice(ClinicRow):
    """The price of a procedure from a local date on, until the next one of the same payer; without a payer the private
    one. That of a payer may end with the date `valid_until`, and then the private one holds for its patients: a price
    that was superseded never comes back."""

    procedure = models.ForeignKey(
        Procedure, models.CASCADE, related_name="dated_prices", verbose_name=_("procedimento")
    )
    payer = models.ForeignKey(
        Payer, models.CASCADE, null=True, blank=True, related_name="prices", verbose_name=_("convênio")
    )
    price = models.DecimalField(_("preço"), max_digits=10, decimal_places=2)
    valid_from = models.DateField(_("vale de"))
    valid_until = models.DateField(_("vale até"), null=True, blank=True, help_text=_("Vazio: sem fim."))

    class Meta:
        verbose_name = _("preço")
        verbose_name_plural = _("preços")
        ordering = ["procedure", "payer", "valid_from", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "procedure", "payer", "valid_from"],
                name="procedureprice_once_a_date",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="procedureprice_not_negative"),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from"), payer__isnull=False),
                name="procedureprice_ends_for_payer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from}: {self.price}"


def holds_still(day: date) -> Q:
    """Return the condition of the prices that are in force on a local date, or begin later: not ended, and followed by
    no other one of the same payer that has begun."""
    same = {name: OuterRef(name) for name in ("clinic", "procedure", "payer")}
    begun_since = ProcedurePrice.objects.filter(**same, valid_from__gt=OuterRef("valid_from"), valid_from__lte=day)
    return (Q(valid_until=None) | Q(valid_until__gte=day)) & Q(~Exists(begun_since))


class PriceNow(TypedDict):
    """The annotation of a procedure, or of a line, with what the procedure costs today."""

    price_now: Decimal


class PriceOn(Func):
    """The price of a procedure on a local date, for the patients of the payer with this id, of private ones for None.

    `procedure` is the column of the filtered rows with the procedure's id, `base` its price before all dates.
    """

    def __init__(
        self, day: date, payer: int | None = None, *, procedure: str = "pk", base: str | Subquery = "price"
    ) -> None:
        parts = F(procedure), Value(payer, models.BigIntegerField()), Value(day, models.DateField()), base
        super().__init__(*parts, output_field=models.DecimalField(max_digits=10, decimal_places=2))

    def as_sql(
        self,
        compiler: "SQLCompiler",
        connection: "BaseDatabaseWrapper",
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, tuple[Any, ...]]:
        procedure, payer, day, base = (compiler.compile(part) for part in self.source_expressions)
        sql = PRICE_SQL.format(procedure=procedure[0], payer=payer[0], day=day[0], base=base[0])
        own, private = (*procedure[1], *payer[1], *day[1]), (*procedure[1], *day[1])
        return sql, (*day[1], *own, *private, *base[1])

    def get_group_by_cols(self) -> list[Any]:
        """Group by the columns: PostgreSQL takes the same parameter of two places for two values."""
        return [column for part in self.source_expressions for column in part.get_group_by_cols()]


class PriceRise(ClinicRow):
    """A change of prices, private ones and those of payers, from a local date on: by a percentage or by an amount,
    which may be negative.

    `rounding` is the amount of which the new prices are a multiple, 0 for the cent. `changes` are the prices that it
    wrote, as `clinic.registry.price_rises` keeps them, to be taken back whole.
    """

    valid_from = models.DateField(_("vale de"))
    percentage = models.DecimalField(_("porcentagem"), max_digits=6, decimal_places=2, null=True)
    amount = models.DecimalField(_("valor"), max_digits=10, decimal_places=2, null=True)
    rounding = models.DecimalField(_("arredondamento"), max_digits=4, decimal_places=2, default=0)
    changes = models.JSONField(default=list)
    made_by = models.ForeignKey(
        StaffUser, models.PROTECT, related_name="+", db_index=False, verbose_name=_("feito por")
    )
    made_at = models.DateTimeField(_("feito em"), default=timezone.now)
    taken_back_by = models.ForeignKey(
        StaffUser, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("desfeito por")
    )
    taken_back_at = models.DateTimeField(_("desfeito em"), null=True)

    class Meta:
        verbose_name = _("reajuste de preços")
        verbose_name_plural = _("reajustes de preços")
        ordering = ["-made_at", "-pk"]
        indexes = [models.Index(fields=["clinic", "-made_at"], name="pricerise_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(percentage__isnull=True, amount__isnull=False)
                | Q(percentage__isnull=False, amount__isnull=True),
                name="pricerise_percentage_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(taken_back_at=None, taken_back_by=None)
                | Q(taken_back_at__isnull=False, taken_back_by__isnull=False),
                name="pricerise_taken_back_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.valid_from}: {self.percentage or self.amount}"
