"""Writing by how many minutes a doctor is late on a day, with the event that says who did."""

from datetime import date
from typing import Any

from django.utils import timezone

from clinic.models import AppointmentEvent, ClinicEvent, Delay, Doctor, StaffUser
from clinic.registry.clinic_events import record_change
from clinic.registry.patient_events import Author


def record_delay(doctor: Doctor, day: date, minutes: int, by: StaffUser) -> None:
    """Store the delay of the doctor on that local date in the place of an earlier one, and the event of a change; 0
    takes it away. Runs in the caller's transaction; locks the earlier one. At most four queries."""
    earlier = Delay.objects.of(doctor.clinic_id).filter(doctor=doctor, day=day).select_for_update().first()
    if minutes:
        _store(Delay(clinic_id=doctor.clinic_id, doctor=doctor, day=day, minutes=minutes, recorded_by=by))
    elif earlier:
        earlier.delete()
    before, after = (_snapshot(doctor, day, of) for of in (earlier.minutes if earlier else 0, minutes))
    author = Author(channel=AppointmentEvent.Channel.BROWSER, user=by)
    record_change(doctor.clinic, ClinicEvent.Kind.DELAY, before, after, author)


def _store(delay: Delay) -> None:
    delay.recorded_at = timezone.now()
    Delay.objects.bulk_create(
        [delay],
        update_conflicts=True,
        unique_fields=["clinic", "doctor", "day"],
        update_fields=["minutes", "recorded_by", "recorded_at"],
    )


def _snapshot(doctor: Doctor, day: date, minutes: int) -> dict[str, Any]:
    """Return what an event keeps of a delay, {} for none; the local date as ISO 8601."""
    if not minutes:
        return {}
    return {"doctor": doctor.pk, "doctor_name": doctor.full_name, "day": day.isoformat(), "minutes": minutes}
