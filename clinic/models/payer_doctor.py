from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.doctor import WEEKDAYS, Doctor
from clinic.models.payer import Payer


class PayerDoctor(ClinicRow):
    """A doctor who takes the patients of a payer: on these weekdays (ISO), none for all, at most `per_day` on a date.

    A payer without such rows is taken by every doctor on every day; with some, by nobody else.
    """

    payer = models.ForeignKey(Payer, models.CASCADE, related_name="takers", verbose_name=_("convênio"))
    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="taken_payers", verbose_name=_("médico(a)"))
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name=_("dias da semana"), default=list, blank=True
    )
    per_day = models.PositiveSmallIntegerField(_("no máximo por dia"), null=True, blank=True)

    class Meta:
        verbose_name = _("quem atende pelo convênio")
        verbose_name_plural = _("quem atende pelo convênio")
        ordering = ["payer", "doctor__sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "payer", "doctor"], name="payerdoctor_once"),
            models.CheckConstraint(condition=Q(weekdays__contained_by=WEEKDAYS), name="payerdoctor_weekdays_iso"),
            models.CheckConstraint(
                condition=Q(per_day=None) | Q(per_day__gte=1), name="payerdoctor_per_day_above_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payer_id}: {self.doctor_id}"
