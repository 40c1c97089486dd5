"""Free times of a service, by professional."""

from datetime import timedelta
from itertools import dropwhile, islice, takewhile

from django.utils import timezone

from clinic import booking
from clinic.api.gateway import ApiRequest
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import READ, answer, operation
from clinic.api.mivicall.reading import read_query

LONGEST_WINDOW = timedelta(days=62)
# Further than any booking; nearer than the end of the calendar, where no clinic has a local time.
NEVER = timedelta(days=10 * 366)
WINDOW = "No máximo 62 dias depois de from."


@operation(
    "GET",
    "/availability",
    "listAvailability",
    needs={READ},
    query=schemas.AvailabilityWanted,
    answers={200: schemas.Availability},
    refuses={404, 409},
)
def list_availability(request: ApiRequest):
    reading = read_query(schemas.AvailabilityWanted, request)
    wanted = reading.values
    if {"since", "before"} <= wanted.keys() and wanted["before"] - wanted["since"] > LONGEST_WINDOW:
        reading.errors["to"] = WINDOW
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    doctors = booking.doctors_performing(request.clinic, wanted["serviceTypeId"], wanted.get("professionalId"))
    uuids = {doctor.pk: str(doctor.uuid) for doctor in doctors}
    local = request.clinic.local
    free = islice(_openings(request.clinic, doctors, wanted), wanted.get("limit", schemas.PAGE))
    items = [
        {
            "startsAt": local(opening.starts_at).isoformat(),
            "endsAt": local(opening.ends_at).isoformat(),
            "professionalId": uuids[opening.doctor_id],
        }
        for opening in free
    ]
    return answer({"items": items})


def _openings(clinic, doctors, wanted):
    now = timezone.now()
    since, before = max(wanted["since"], now), wanted["before"]
    if not doctors or since >= before or since > now + NEVER:
        return
    first, last = clinic.local(since).date(), clinic.local(before).date()
    found = booking.openings_of_any(
        clinic, doctors=doctors, minutes=doctors[0].minutes, first=first, last=last, now=now
    )
    found = dropwhile(lambda opening: opening.starts_at < since, found)
    yield from takewhile(lambda opening: opening.starts_at < before, found)
