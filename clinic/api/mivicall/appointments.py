"""Appointments: book, list, show, change, cancel (mivicall.md)."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from django.db.models import BigIntegerField, OuterRef, Q, Subquery

from clinic import booking
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import READ, WRITE, answer, operation
from clinic.api.mivicall.reading import as_uuid, read, read_query
from clinic.booking import BookingRefused, LineRequest, PatientDetails, Policy, Proposal, Reason
from clinic.models import ApiKey, Appointment, AppointmentProcedure
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.queries.appointments import listed

# What each status of this API is asked of booking as; moving is what makes an appointment `rescheduled`.
ASKED = {
    "confirmed": Status.CONFIRMED,
    "attended": Status.CHECKED_IN,
    "no_show": Status.NO_SHOW,
    "cancelled": Status.CANCELLED,
}
SPOKEN_FOR_PATIENTS = {ApiKey.Source.VOICE_AI, ApiKey.Source.SELF_SERVICE}
CURSOR = "Não é um cursor desta lista."
# What POST /v1/appointments takes and no PATCH changes, and what to do instead.
OTHER_SERVICE = "Não se altera: cancele com DELETE /v1/appointments/{id} e crie outra com POST /v1/appointments."
OTHER_PATIENT = "Não se altera por esta API: a ficha do utente corrige-se na receção da clínica."
UNCHANGING = {"serviceTypeId": OTHER_SERVICE, "patientName": OTHER_PATIENT, "patientPhone": OTHER_PATIENT}
MOVE_MISSING = "Só se remarca com um startsAt, ou um professionalId, que mude alguma coisa."
DISCOUNT_STAYS = "Só ao remarcar se retira um desconto: envie também startsAt ou professionalId."


@operation(
    "POST",
    "/appointments",
    "createAppointment",
    needs={WRITE},
    body=schemas.NewAppointment,
    answers={201: schemas.Appointment},
    refuses={404, 409},
)
def create_appointment(request):
    reading = read(schemas.NewAppointment, request.visit.said)
    if "" in reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    proposal = _proposal(request.visit.caller, reading.values)
    if reading.errors:
        refused = booking.check(proposal) or BookingRefused([])
        return errors.booking_refused(request, refused, unreadable=reading.errors)
    booked = booking.book(proposal, by=request.visit.caller.author)
    return answer(schemas.appointment(request.clinic, booked, reading.values["serviceTypeId"]), 201)


@operation(
    "GET",
    "/appointments",
    "listAppointments",
    needs={READ},
    query=schemas.AppointmentFilters,
    answers={200: schemas.AppointmentPage},
)
def list_appointments(request):
    reading = read_query(schemas.AppointmentFilters, request)
    wanted = reading.values
    after = _after(wanted["cursor"]) if "cursor" in wanted else None
    if "cursor" in wanted and after is None:
        reading.errors["cursor"] = CURSOR
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    statuses = schemas.STATUSES[wanted["status"]] if "status" in wanted else None
    found = with_service(
        request.clinic,
        listed(request.clinic, since=wanted.get("since"), before=wanted.get("before"), statuses=statuses),
    )
    if "professionalId" in wanted:
        found = found.filter(doctor__uuid=wanted["professionalId"])
    if after:
        starts_at, pk = after
        found = found.filter(Q(starts_at__gt=starts_at) | Q(starts_at=starts_at, pk__gt=pk), starts_at__gte=starts_at)
    limit = wanted.get("limit", schemas.PAGE)
    page = list(found[: limit + 1])
    body = {"items": [schemas.appointment(request.clinic, each, each.service) for each in page[:limit]]}
    return answer(
        body | ({"nextCursor": _cursor(page[limit - 1].starts_at, page[limit - 1].pk)} if len(page) > limit else {})
    )


@operation(
    "GET",
    "/appointments/{id}",
    "getAppointment",
    needs={READ},
    answers={200: schemas.Appointment},
    refuses={404},
)
def get_appointment(request, id: str):
    found = _found(request.clinic, id)
    return _shown(request, found.pk) if found else _not_found(request)


@operation(
    "PATCH",
    "/appointments/{id}",
    "updateAppointment",
    needs={WRITE},
    body=schemas.AppointmentChanges,
    answers={200: schemas.Appointment},
    refuses={404, 409},
)
def update_appointment(request, id: str):
    found = _found(request.clinic, id)
    if found is None:
        return _not_found(request)
    reading = read(schemas.AppointmentChanges, request.visit.said)
    if "" not in reading.errors:
        reading.errors |= {name: told for name, told in UNCHANGING.items() if name in request.visit.said}
    refusals, following = [], []
    # What could be read is tried in any case, so that everything that is wrong is told at once: an answer that refuses
    # undoes it all. Time before status: booking locks the doctors before it locks the appointment.
    for change in (_move, _set_status, _annotate):
        try:
            change(request, found, reading)
        except BookingRefused as refused:
            if Reason.TRY_AGAIN in refused.reasons:
                raise
            refusals += refused.refusals
            following = following or refused.following
    if refusals or reading.errors:
        return errors.booking_refused(request, BookingRefused(refusals, following=following), unreadable=reading.errors)
    return _shown(request, found.pk)


@operation(
    "DELETE",
    "/appointments/{id}",
    "cancelAppointment",
    needs={WRITE},
    answers={204: None},
    refuses={404},
)
def cancel_appointment(request, id: str):
    found = _found(request.clinic, id)
    if found is None:
        return _not_found(request)
    _become(request, found, "cancelled")
    return answer(None, 204)


def with_service(clinic, appointments):
    """The same with `service`, the uuid of the first line's procedure, and without parsing anybody's phone."""
    lines = AppointmentProcedure.objects.of(clinic).filter(appointment=OuterRef("pk")).order_by("position")
    return appointments.annotate(service=Subquery(lines.values("procedure__uuid")[:1])).defer("patient__phone")


def _proposal(caller, values):
    service = values.get("serviceTypeId")
    return Proposal(
        clinic=caller.clinic,
        doctor=values.get("professionalId"),
        lines=(LineRequest(service),) if service else (),
        starts_at=values.get("startsAt"),
        details=PatientDetails(name=values.get("patientName", ""), phone=values.get("patientPhone", "")),
        notes=values.get("patientNotes") or "",
        source=caller.credential.source,
        status=Status.CONFIRMED,
        policy=Policy.LENIENT,
    )


def _found(clinic, id) -> Appointment | None:
    uuid = as_uuid(id)
    return uuid and listed(clinic).filter(uuid=uuid).first()


def _not_found(request):
    return errors.envelope(request, 404, "appointment_not_found", errors.APPOINTMENT_NOT_FOUND)


def _shown(request, pk):
    row = with_service(request.clinic, listed(request.clinic)).get(pk=pk)
    return answer(schemas.appointment(request.clinic, row, row.service))


def _move(request, found, reading):
    """To another time or professional, if that is another one."""
    values, wanted = reading.values, reading.values.get("status")
    if values.get("withoutExpiredDiscount") and not {"startsAt", "professionalId"} & request.visit.said.keys():
        reading.errors["withoutExpiredDiscount"] = DISCOUNT_STAYS
    doctor, starts_at = values.get("professionalId", found.doctor.uuid), values.get("startsAt", found.starts_at)
    if (doctor, starts_at) != (found.doctor.uuid, found.starts_at):
        booking.reschedule(
            found.pk,
            clinic=request.clinic,
            doctor=doctor,
            starts_at=starts_at,
            without_expired=values.get("withoutExpiredDiscount", False),
            by=request.visit.caller.author,
        )
    elif wanted == "rescheduled" and schemas.STATUS_NAMES[found.status] != wanted:
        reading.errors.setdefault("startsAt", MOVE_MISSING)


def _set_status(request, found, reading):
    wanted = reading.values.get("status")
    if wanted in ASKED:
        _become(request, found, wanted)


def _become(request, found, wanted):
    """What it is already it need not become: who asks again, or a moment after somebody else, is not refused."""

    def present():
        return Appointment.objects.of(request.clinic).values_list("status", flat=True).get(pk=found.pk)

    current = present()
    if schemas.STATUS_NAMES[current] == wanted:
        return
    # Agendado is `confirmed` here as well, and the one of the two that a freed appointment may become again.
    freed = wanted == "confirmed" and current in FREES_THE_TIME
    status = Status.SCHEDULED if freed else ASKED[wanted]
    caller = request.visit.caller
    by_patient = caller.credential.source in SPOKEN_FOR_PATIENTS
    cancelled_by = Appointment.CancelledBy.PATIENT if by_patient else Appointment.CancelledBy.CLINIC
    try:
        booking.change_status(found.pk, status, clinic=request.clinic, by=caller.author, cancelled_by=cancelled_by)
    except BookingRefused:
        if schemas.STATUS_NAMES[present()] != wanted:
            raise


def _annotate(request, found, reading):
    values = reading.values
    if {"patientNotes", "metadata"} & values.keys():
        notes = (values["patientNotes"] or "") if "patientNotes" in values else None
        booking.annotate(
            found.pk,
            clinic=request.clinic,
            by=request.visit.caller.author,
            notes=notes,
            metadata=(values["metadata"] or {}) if "metadata" in values else None,
        )


def _cursor(starts_at, pk):
    """Where a page ended."""
    told = json.dumps([starts_at.astimezone(UTC).isoformat(), pk])
    return urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _after(cursor):
    """(start, pk) of the row that the page comes after; None for what is no cursor of ours."""
    try:
        starts_at, pk = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(starts_at)
        is_ours = type(pk) is int and 0 < pk <= BigIntegerField.MAX_BIGINT and _cursor(moment, pk) == cursor
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return (moment, pk) if is_ours else None
