"""Free times of a service, by professional."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import dropwhile, islice, takewhile
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from clinic import booking
from clinic.api.json_schema import JsonObject
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import READ, MivicallRequest, answer, operation
from clinic.api.mivicall.expand import expand
from clinic.api.mivicall.reading import read_window
from clinic.booking import PerformingDoctor
from clinic.models import Clinic
from clinic.schedule import Opening, ProcedureLimits

MAX_WINDOW = timedelta(days=62)
# Further than any booking; nearer than the end of the calendar, where no clinic has a local time.
MAX_AHEAD = timedelta(days=10 * 366)
WINDOW_TOO_LONG = "No máximo 62 dias depois de from."


@operation(
    "GET",
    "/availability",
    "listAvailability",
    scopes={READ},
    query=schemas.AvailabilityFilters,
    answers={200: schemas.Availability},
    error_statuses={404, 409},
)
def list_availability(request: MivicallRequest) -> HttpResponse:
    reading = read_window(schemas.AvailabilityFilters, request)
    values = reading.values
    if {"since", "before"} <= values.keys() and values["before"] - values["since"] > MAX_WINDOW:
        reading.errors["to"] = WINDOW_TOO_LONG
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    doctors = booking.doctors_performing(request.clinic, values["serviceTypeId"], values.get("professionalId"))
    uuids = {doctor.pk: str(doctor.uuid) for doctor in doctors}
    local = request.clinic.local
    openings = islice(_openings(request.clinic, doctors, values), values.get("limit", schemas.DEFAULT_LIMIT))
    items: list[JsonObject] = [
        {
            "startsAt": local(opening.starts_at).isoformat(),
            "endsAt": local(opening.ends_at).isoformat(),
            "professionalId": uuids[opening.doctor_id],
        }
        for opening in openings
    ]
    return answer({"items": expand(request.clinic, items, values)})


def _openings(clinic: Clinic, doctors: list[PerformingDoctor], values: dict[str, Any]) -> Iterator[Opening]:
    now = timezone.now()
    since, before = max(values["since"], now), values["before"]
    if not doctors or since >= before or since > now + MAX_AHEAD:
        return
    first, last = clinic.local(since).date(), clinic.local(before).date()
    openings: Iterator[Opening] = booking.openings_of_any(
        clinic,
        doctors=doctors,
        minutes=doctors[0].minutes,
        first=first,
        last=last,
        now=now,
        procedures=[ProcedureLimits(*doctors[0].limits)],
        with_notice=True,
    )
    openings = dropwhile(lambda opening: opening.starts_at < since, openings)
    yield from takewhile(lambda opening: opening.starts_at < before, openings)
