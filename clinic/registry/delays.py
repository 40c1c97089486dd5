"""Writing by how many minutes a doctor is late on a day, with the event that says who did."""

from datetime import date
from typing import Any

from django.utils import timezone

from clinic.models import AppointmentEvent, ClinicEvent, Delay, Doctor, StaffUser
from clinic.registry.clinic_events import record_change
from clinic.registry.patient_events import Author
from clinic.transactions import run_in_transaction


class DelayChanged(Exception):
    """The delay is not the one that the author saw: `stored` is the one that is recorded, None for none."""

    def __init__(self, stored: Delay | None) -> None:
        super().__init__(stored)
        self.stored = stored


def record_delay(doctor: Doctor, day: date, minutes: int, *, by: StaffUser, seen: int) -> None:
    """Store the delay of the doctor on that local date in the place of an earlier one, and the event of a change; 0
    takes it away. `seen` are the minutes that the author saw, 0 for none: over others nothing is written.

    Locks the earlier one. Raises DelayChanged, Refused (TRY_AGAIN). At most four queries.
    """

    def work() -> None:
        earlier = _locked(doctor, day)
        before = earlier.minutes if earlier else 0
        if before not in (seen, minutes):
            raise DelayChanged(earlier)
        if minutes:
            _store(earlier or Delay(clinic_id=doctor.clinic_id, doctor=doctor, day=day), minutes, by)
        elif earlier:
            earlier.delete()
        author = Author(channel=AppointmentEvent.Channel.BROWSER, user=by)
        snapshots = _snapshot(doctor, day, before), _snapshot(doctor, day, minutes)
        record_change(doctor.clinic, ClinicEvent.Kind.DELAY, *snapshots, author)

    run_in_transaction(work)


def _locked(doctor: Doctor, day: date) -> Delay | None:
    # Without a join by `recorded_by`: a change of that column while this waits would leave the row out.
    return Delay.objects.of(doctor.clinic_id).filter(doctor=doctor, day=day).select_for_update(no_key=True).first()


def _store(delay: Delay, minutes: int, by: StaffUser) -> None:
    delay.minutes, delay.recorded_by, delay.recorded_at = minutes, by, timezone.now()
    delay.save()


def _snapshot(doctor: Doctor, day: date, minutes: int) -> dict[str, Any]:
    """Return what an event keeps of a delay, {} for none; the local date as ISO 8601."""
    if not minutes:
        return {}
    return {"doctor": doctor.pk, "doctor_name": doctor.full_name, "day": day.isoformat(), "minutes": minutes}
