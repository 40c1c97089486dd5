"""By how many minutes an appointment that a program booked is shorter than its procedures take by now. Reads only.

A person who plans less knows why; a program that added nothing up leaves the doctor without the time.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Case, IntegerField, OuterRef, Q, Subquery, Sum, Value, When
from django.utils.translation import gettext as _

from clinic.models import Appointment, AppointmentProcedure, Clinic
from clinic.models.appointment import NOT_BEGUN

BY_PROGRAMS = ~Q(source=Appointment.Source.MANUAL) & Q(encaixe_by=None, status__in=NOT_BEGUN)


def needed_minutes(clinic: Clinic) -> Case:
    """Return the expression of how long the procedures of an appointment take, 0 where nothing hangs on it."""
    lines = AppointmentProcedure.objects.of(clinic).filter(appointment=OuterRef("pk")).order_by()
    needed = lines.values("appointment").annotate(needed=Sum("procedure__duration_minutes")).values("needed")
    return Case(When(BY_PROGRAMS, then=Subquery(needed)), default=Value(0), output_field=IntegerField())


def missing_minutes(appointment: Appointment, lines: Iterable[AppointmentProcedure]) -> int:
    """Return by how many minutes the appointment is too short, 0 or less if it is not.

    The lines come with their procedures."""
    if appointment.source == Appointment.Source.MANUAL or appointment.is_encaixe or appointment.status not in NOT_BEGUN:
        return 0
    length = (appointment.ends_at - appointment.starts_at) // timedelta(minutes=1)
    return sum(line.procedure.duration_minutes for line in lines) - length


def in_words(minutes: int) -> str:
    """Return the words for missing minutes."""
    return _("%(minutes)s min a menos") % {"minutes": minutes}
