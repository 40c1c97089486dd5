"""What a clinic may restrict for a doctor or for a procedure: notice, furthest day, number a day.

All may stay empty. They are columns of the two and no table of their own, so that whatever loads a doctor or a
procedure has them already."""

from collections.abc import Mapping

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

MAX_NOTICE_HOURS = 30 * 24
MAX_DAYS_AHEAD = 2 * 365
MAX_A_DAY = 100
# The most of each column.
MAX_VALUES: Mapping[str, int] = {"notice_hours": MAX_NOTICE_HOURS, "days_ahead": MAX_DAYS_AHEAD, "per_day": MAX_A_DAY}
UNRESTRICTED: Mapping[str, int] = {}


class BookingLimits(models.Model):
    """What a program books begins `notice_hours` ahead or later. Nothing may begin more than `days_ahead` local dates
    after today. At most `per_day` standing appointments begin on a local date with a doctor: of a Doctor all of them,
    of a Procedure those that have it. Both count with one doctor, whose row a booking locks, so that no other lock is
    needed."""

    notice_hours = models.PositiveSmallIntegerField(
        _("antecedência mínima em horas"),
        null=True,
        blank=True,
        help_text=_("Vale para voz, bot e outros programas; a recepção agenda sem ela. Vazio: nenhuma."),
    )
    days_ahead = models.PositiveSmallIntegerField(
        _("agenda aberta por quantos dias"),
        null=True,
        blank=True,
        help_text=_("A partir de hoje; depois deles ninguém agenda. Vazio: dois anos."),
    )

    class Meta:
        abstract = True


def limit_constraints(table: str) -> list[models.CheckConstraint]:
    """Return the constraints of these columns in a table of that name."""
    return [
        models.CheckConstraint(
            condition=Q(notice_hours=None) | Q(notice_hours__gte=1, notice_hours__lte=MAX_NOTICE_HOURS),
            name=f"{table}_notice_1_to_720",
        ),
        models.CheckConstraint(
            condition=Q(days_ahead=None) | Q(days_ahead__gte=1, days_ahead__lte=MAX_DAYS_AHEAD),
            name=f"{table}_days_ahead_1_to_730",
        ),
        models.CheckConstraint(
            condition=Q(per_day=None) | Q(per_day__gte=1, per_day__lte=MAX_A_DAY), name=f"{table}_per_day_1_to_100"
        ),
    ]
