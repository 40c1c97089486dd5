"""Writing by how many minutes a doctor is late on a day."""

from datetime import date

from django.utils import timezone

from clinic.models import Delay, Doctor, StaffUser


def record_delay(doctor: Doctor, day: date, minutes: int, by: StaffUser) -> None:
    """Store the delay of the doctor on that local date in the place of an earlier one; 0 takes it away. One query."""
    if not minutes:
        Delay.objects.of(doctor.clinic_id).filter(doctor=doctor, day=day).delete()
        return
    delay = Delay(clinic_id=doctor.clinic_id, doctor=doctor, day=day, minutes=minutes, recorded_by=by)
    delay.recorded_at = timezone.now()
    Delay.objects.bulk_create(
        [delay],
        update_conflicts=True,
        unique_fields=["clinic", "doctor", "day"],
        update_fields=["minutes", "recorded_by", "recorded_at"],
    )
