"""Days on which a clinic closes or opens by its own decision, beside the public holidays of its country and region.

A date is stored as it is written: "24/06" every year, "08/12/2026" once, "Páscoa-46" so many days from Easter Sunday.
"""

import re
from datetime import date, time, timedelta

from dateutil.easter import easter
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow

WRITTEN = re.compile(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?|p[aá]scoa(?: ?([+-]) ?(\d{1,3}))?")
YEARS = range(2000, 2201)
LEAP_YEAR = 2000


def easter_sunday(year: int) -> date:
    sunday: date = easter(year)
    return sunday


def read_date_rule(text: str) -> str:
    """Return a date as it is stored. Raises ValidationError for what is no date, such as 31/02."""
    found = WRITTEN.fullmatch(text.strip().lower())
    if not found:
        raise ValidationError(
            _("Escreva dia/mês (todo ano), dia/mês/ano (uma vez) ou dias a contar da Páscoa: Páscoa-46.")
        )
    day, month, year, sign, days = found.groups()
    if day is None:
        return f"Páscoa{sign or '+'}{int(days or 0)}"
    try:
        valid = date(int(year or LEAP_YEAR), int(month), int(day))
    except ValueError:
        raise ValidationError(_("Esta data não existe. Confira o dia e o mês.")) from None
    if valid.year not in YEARS:
        raise ValidationError(_("O ano deve ficar entre 2000 e 2200. Confira a data."))
    return f"{valid:%d/%m/%Y}" if year else f"{valid:%d/%m}"


def date_in_year(falls_on: str, year: int) -> date | None:
    """Return the date of a stored rule in that year; None in years that do not have it."""
    if falls_on.startswith("Páscoa"):
        return easter_sunday(year) + timedelta(days=int(falls_on.removeprefix("Páscoa")))
    day, month, *once = map(int, falls_on.split("/"))
    try:
        return date(year, month, day) if once in ([], [year]) else None
    except ValueError:
        return None  # 29 February


class ClinicHoliday(ClinicRow):
    """A day that closes the clinic, or opens it on a holiday; all day, or between two local times.

    What opens may be for the doctors of one speciality and for single doctors: for both, where both are given, and
    for all where neither is. A missing start is the midnight that begins the day, a missing end the one that ends it.
    """

    class Kind(models.TextChoices):
        CLOSES = "closes", _("fecha")
        OPENS = "opens", _("abre")

    falls_on = models.CharField(
        _("data"),
        max_length=20,
        help_text=_("24/06: todo ano. 08/12/2026: só nesse ano. Páscoa-46: a tantos dias da Páscoa (Cinzas)."),
    )
    name = models.CharField(_("nome"), max_length=80, help_text=_("Aparece na agenda, por exemplo “São João”."))
    kind = models.CharField(
        _("a clínica"),
        max_length=6,
        choices=Kind,
        default=Kind.CLOSES,
        help_text=_("“Abre” vale num feriado: os horários ficam livres apesar dele."),
    )
    starts = models.TimeField(_("das"), null=True, blank=True, help_text=_("Vazio: desde o começo do dia."))
    ends = models.TimeField(_("até às"), null=True, blank=True, help_text=_("Vazio: até o fim do dia."))
    specialty = models.CharField(_("só para a especialidade"), max_length=80, blank=True)
    doctors = models.ManyToManyField(
        "clinic.Doctor", related_name="+", verbose_name=_("só para estes médicos(as)"), blank=True
    )

    class Meta:
        verbose_name = _("feriado ou exceção")
        verbose_name_plural = _("feriados e exceções")
        ordering = ["falls_on", "kind", "starts", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "falls_on"], condition=Q(kind="closes"), name="clinicholiday_closes_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=["closes", "opens"]), name="clinicholiday_kind_known"),
            models.CheckConstraint(
                condition=Q(starts=None) | Q(ends=None) | Q(ends__gt=F("starts")), name="clinicholiday_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(falls_on__regex=r"^(\d\d/\d\d(/\d{4})?|Páscoa[+-]\d{1,3})$"),
                name="clinicholiday_date_readable",
            ),
        ]
        indexes = [models.Index(fields=["clinic"], name="clinicholiday_clinic")]

    def __str__(self) -> str:
        return f"{self.falls_on} {self.name}"

    @property
    def hours(self) -> str:
        """Format the hours as 08:00–12:00, with 24:00 as the end of the day; empty for the whole day."""
        if self.starts is None and self.ends is None:
            return ""
        return f"{self.starts or time.min:%H:%M}–{f'{self.ends:%H:%M}' if self.ends else '24:00'}"
