"""Until when an appointment can last."""

from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from clinic.booking import sql
from clinic.booking.slots import present_slot
from clinic.models import Appointment
from clinic.schedule import MAX_DURATION


def latest_end(appointment: Appointment) -> datetime:
    """Return the latest end of an appointment that stays where it is: until then the doctor works, and neither doctor
    nor patient is taken. At least the present end, which an encaixe keeps. One statement."""
    present = present_slot(appointment, timezone.now())
    longest = replace(present, ends_at=present.starts_at + MAX_DURATION)
    context = sql.load_context(longest)
    open_spans = context.schedules.open(present.doctor.pk, present.local_date)
    works_until = next((span.ends_at for span in open_spans if span.contains(present.starts_at, present.ends_at)), None)
    if works_until is None or present.is_encaixe or not present.doctor.active:
        return present.ends_at
    taken = [
        other.starts_at
        for other in context.overlapping
        if other.occupies(present.doctor) or other.patient_id == appointment.patient_id
    ]
    return max(present.ends_at, min(works_until, longest.ends_at, *taken))
