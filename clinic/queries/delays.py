"""By how many minutes doctors are late: reads only."""

from datetime import date

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from clinic.models import Clinic, Delay, Doctor


def delay_of_row(clinic: Clinic, day: date, *, doctor: str = "pk") -> Subquery:
    """Return the expression of the minutes by which a doctor is late on that local date, NULL for none: the one whose
    id is in the column `doctor` of a row."""
    return Subquery(Delay.objects.of(clinic).filter(doctor=OuterRef(doctor), day=day).values("minutes"))


def delay_sentence(doctor: Doctor, day: date, *, today: date) -> str:
    """Return that the doctor is late on that local date, as a sentence; "" for a past day or no delay. One query."""
    delay = Delay.objects.of(doctor.clinic_id).filter(doctor=doctor, day=day).first() if day >= today else None
    if delay is None:
        return ""
    words = {**doctor.in_sentence, "minutes": delay.minutes}
    if day == today:
        return _("%(The_doctor)s está com %(minutes)s min de atraso.") % words
    return _("%(The_doctor)s avisou atraso de %(minutes)s min nesse dia.") % words
