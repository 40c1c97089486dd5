from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.doctor import WEEKDAYS
from clinic.models.staff import StaffUser


class Series(ClinicRow):
    """The sessions of a patient that were booked together. Only `clinic.booking` writes it.

    A session is an appointment of its own, which names its series and may be moved, cancelled or added later; its
    patient is the series's. Here stands what was asked for at first: every so many days, or weeks on these ISO
    weekdays, at the local time `starts`, so many sessions (the one that was there already counts) or until the local
    date.
    """

    class Unit(models.TextChoices):
        DAY = "day", _("dias")
        WEEK = "week", _("semanas")

    every = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=4, choices=Unit)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    count = models.PositiveSmallIntegerField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    starts = models.TimeField()
    created_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("série de sessões")
        verbose_name_plural = _("séries de sessões")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(every__gt=0), name="series_every_positive"),
            models.CheckConstraint(
                condition=Q(unit="day", weekdays=[]) | Q(unit="week") & ~Q(weekdays=[]), name="series_unit_known"
            ),
            models.CheckConstraint(condition=Q(weekdays__contained_by=WEEKDAYS), name="series_weekdays_iso"),
            models.CheckConstraint(
                condition=Q(count__isnull=True, until__isnull=False)
                | Q(count__isnull=False, count__gt=0, until__isnull=True),
                name="series_count_or_until",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
