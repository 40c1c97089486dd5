from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicRow

MAX_INSTALMENTS = 48


class Receipt(ClinicRow):
    """A payment that was received for an appointment, in the clinic's currency; an appointment may have several.

    `flag` is the brand of a card, `protocol` the number of the payment where it was made; only a redaction
    changes a receipt, and blanks these two.
    """

    class Method(models.TextChoices):
        CASH = "cash", _("dinheiro")
        CREDIT_CARD = "credit_card", _("cartão de crédito")
        DEBIT_CARD = "debit_card", _("cartão de débito")
        PIX = "pix", _("Pix")
        TRANSFER = "transfer", _("transferência")
        CHEQUE = "cheque", _("cheque")
        OTHER = "other", _("outra forma")

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="receipts")
    method = models.CharField(_("forma"), max_length=11, choices=Method)
    value = models.DecimalField(_("valor"), max_digits=10, decimal_places=2)
    flag = models.CharField(_("bandeira"), max_length=30, blank=True)
    instalments = models.PositiveSmallIntegerField(_("parcelas"), default=1)
    protocol = models.CharField(_("protocolo"), max_length=60, blank=True)
    at = models.DateTimeField(_("data"), default=timezone.now)

    class Meta:
        verbose_name = _("recebimento")
        verbose_name_plural = _("recebimentos")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    method__in=["cash", "credit_card", "debit_card", "pix", "transfer", "cheque", "other"],
                ),
                name="receipt_method_known",
            ),
            models.CheckConstraint(condition=Q(value__gt=0), name="receipt_value_above_zero"),
            models.CheckConstraint(
                condition=Q(instalments__gte=1, instalments__lte=MAX_INSTALMENTS), name="receipt_instalments_1_to_48"
            ),
        ]

    def __str__(self) -> str:
        return str(self.value)
