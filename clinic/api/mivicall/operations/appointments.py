"""Appointments: book, list, show, change and cancel them. Bodies are bare objects, without an envelope."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from pydantic import BaseModel

from clinic import booking
from clinic.api import keyset
from clinic.api.json_schema import JsonObject
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import READ, WRITE, KeyCaller, MivicallRequest, answer, operation
from clinic.api.mivicall.changes import NOT_A_CURSOR, answer_changes
from clinic.api.mivicall.expand import expand
from clinic.api.mivicall.reading import Reading, as_uuid, read, read_query, read_window
from clinic.booking import BookingRefused, LineRequest, Proposal
from clinic.models import ApiKey, Appointment, AppointmentProcedure, Clinic
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.queries.appointments import listed
from clinic.queries.changes import Position, appointment_left_at, changed_appointments
from clinic.refusals import Refused
from clinic.registry import PatientDetails, Policy

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

# The status that booking sets for each status of this API; only a move makes an appointment `rescheduled`.
BOOKING_STATUSES: dict[str, Status] = {
    "confirmed": Status.CONFIRMED,
    "attended": Status.CHECKED_IN,
    "no_show": Status.NO_SHOW,
    "cancelled": Status.CANCELLED,
}
SOURCES_OF_PATIENTS: set[str] = {ApiKey.Source.VOICE_AI, ApiKey.Source.SELF_SERVICE}
# Fields of POST /v1/appointments that PATCH does not change, and the alternative.
OTHER_SERVICE = "Não se altera: cancele com DELETE /v1/appointments/{id} e crie outra com POST /v1/appointments."
OTHER_PATIENT = "Não se altera por esta API: a ficha do utente corrige-se na receção da clínica."
UNCHANGEABLE = {"serviceTypeId": OTHER_SERVICE, "patientName": OTHER_PATIENT, "patientPhone": OTHER_PATIENT}
MOVE_MISSING = "Só se remarca com um startsAt, ou um professionalId, que mude alguma coisa."
DISCOUNT_STAYS = "Só ao remarcar se retira um desconto: envie também startsAt ou professionalId."


class Service(TypedDict):
    """The annotation that `with_service` adds to an appointment."""

    service: UUID | None


@operation(
    "POST",
    "/appointments",
    "createAppointment",
    scopes={WRITE},
    query=schemas.Expanding,
    body=schemas.NewAppointment,
    answers={201: schemas.Appointment},
    error_statuses={404, 409},
)
def create_appointment(request: MivicallRequest) -> HttpResponse:
    reading = _read_with_expand(schemas.NewAppointment, request)
    if "" in reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    proposal = _proposal(request.caller, reading.values)
    if reading.errors:
        refused: Refused = booking.check(proposal) or Refused([])
        raise errors.after_rollback(request, refused, unreadable=reading.errors)
    booked = booking.book(proposal, by=request.caller.author)
    shown = schemas.appointment(request.clinic, booked, reading.values["serviceTypeId"])
    (shown,) = expand(request.clinic, [shown], reading.values)
    return answer(shown, 201)


@operation(
    "GET",
    "/appointments",
    "listAppointments",
    scopes={READ},
    query=schemas.AppointmentFilters,
    answers={200: schemas.AppointmentPage},
)
def list_appointments(request: MivicallRequest) -> HttpResponse:
    reading = read_window(schemas.AppointmentFilters, request)
    if "updatedSince" in request.GET:
        return _answer_changes(request, reading)
    filters, order = reading.values, keyset.order_of("appointments by start", request.clinic)
    after = keyset.parse_instant_and_id(filters["cursor"], order) if "cursor" in filters else None
    if "cursor" in filters and after is None:
        reading.errors["cursor"] = NOT_A_CURSOR
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    statuses = schemas.STATUSES[filters["status"]] if "status" in filters else None
    rows = with_service(
        request.clinic,
        listed(request.clinic, since=filters.get("since"), before=filters.get("before"), statuses=statuses),
    )
    if "professionalId" in filters:
        rows = rows.filter(doctor__uuid=filters["professionalId"])
    if after:
        starts_at, pk = after
        rows = rows.filter(Q(starts_at__gt=starts_at) | Q(starts_at=starts_at, pk__gt=pk), starts_at__gte=starts_at)
    limit = filters.get("limit", schemas.DEFAULT_LIMIT)
    page = list(rows[:limit])
    items = [schemas.appointment(request.clinic, row, row.service) for row in page]
    body: JsonObject = {"items": expand(request.clinic, items, filters)}
    if len(page) == limit and keyset.has_more(rows, page):
        last = page[-1]
        body["nextCursor"] = keyset.format_position(order, last.pk, at=last.starts_at)
    return answer(body)


@operation(
    "GET",
    "/appointments/{id}",
    "getAppointment",
    scopes={READ},
    query=schemas.Expanding,
    answers={200: schemas.Appointment},
    error_statuses={404},
)
def get_appointment(request: MivicallRequest, id: str) -> HttpResponse:
    reading = read_query(schemas.Expanding, request)
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    appointment = _find_appointment(request.clinic, id)
    return _appointment_answer(request, appointment.pk, reading) if appointment else _not_found(request)


@operation(
    "PATCH",
    "/appointments/{id}",
    "updateAppointment",
    scopes={WRITE},
    query=schemas.Expanding,
    body=schemas.AppointmentChanges,
    answers={200: schemas.Appointment},
    error_statuses={404, 409},
)
def update_appointment(request: MivicallRequest, id: str) -> HttpResponse:
    appointment = _find_appointment(request.clinic, id)
    if appointment is None:
        return _not_found(request)
    reading = _read_with_expand(schemas.AppointmentChanges, request)
    if "" not in reading.errors:
        reading.errors |= {name: message for name, message in UNCHANGEABLE.items() if name in request.call.payload}
    refused: list[Refused] = []
    # All readable changes are tried, so that all errors are reported together; an error undoes all of them. Time before
    # status, because booking locks doctors before the appointment.
    for change in (_reschedule, _set_status, _edit_notes):
        try:
            change(request, appointment, reading)
        except Refused as error:
            refused.append(error)
    if refused or reading.errors:
        refusals = [refusal for error in refused for refusal in error.refusals]
        slot = next((error.slot for error in refused if isinstance(error, BookingRefused) and error.slot), None)
        raise errors.after_rollback(request, BookingRefused(refusals, slot), unreadable=reading.errors)
    return _appointment_answer(request, appointment.pk, reading)


@operation(
    "DELETE",
    "/appointments/{id}",
    "cancelAppointment",
    scopes={WRITE},
    answers={204: None},
    error_statuses={404},
)
def cancel_appointment(request: MivicallRequest, id: str) -> HttpResponse:
    appointment = _find_appointment(request.clinic, id)
    if appointment is None:
        return _not_found(request)
    _change_status_to(request, appointment, "cancelled")
    return answer(None, 204)


def _answer_changes(request: MivicallRequest, reading: Reading) -> HttpResponse:
    return answer_changes(
        request,
        reading,
        _changed_with_service,
        order=keyset.order_of("appointments by change", request.clinic),
        show=partial(_show_with_service, request.clinic),
        deleted_at=appointment_left_at,
    )


def _changed_with_service(
    clinic: Clinic, since: datetime, until: datetime, after: Position | None = None
) -> "QuerySet[WithAnnotations[Appointment, Service]]":
    return with_service(clinic, changed_appointments(clinic, since, until, after))


def _show_with_service(clinic: Clinic, row: "WithAnnotations[Appointment, Service]") -> JsonObject:
    return schemas.appointment(clinic, row, row.service)


def with_service(
    clinic: Clinic, appointments: QuerySet[Appointment]
) -> "QuerySet[WithAnnotations[Appointment, Service]]":
    """Annotate `service`, the uuid of the first line's procedure, and skip parsing the patient's phone."""
    lines = AppointmentProcedure.objects.of(clinic).filter(appointment=OuterRef("pk")).order_by("position")
    return appointments.annotate(service=Subquery(lines.values("procedure__uuid")[:1])).defer("patient__phone")


def _proposal(caller: KeyCaller, values: dict[str, Any]) -> Proposal:
    service = values.get("serviceTypeId")
    return Proposal(
        clinic=caller.clinic,
        doctor=values.get("professionalId"),
        lines=(LineRequest(service),) if service else (),
        starts_at=values.get("startsAt"),
        details=PatientDetails(name=values.get("patientName", ""), phone=values.get("patientPhone", "")),
        notes=values.get("patientNotes") or "",
        source=caller.key.source,
        status=Status.CONFIRMED,
        policy=Policy.LENIENT,
        with_notice=True,
    )


def _find_appointment(clinic: Clinic, id: str) -> Appointment | None:
    uuid = as_uuid(id)
    return listed(clinic).filter(uuid=uuid).first() if uuid else None


def _not_found(request: MivicallRequest) -> HttpResponse:
    return errors.error_answer(request, 404, "appointment_not_found", errors.APPOINTMENT_NOT_FOUND)


def _read_with_expand(schema: type[BaseModel], request: MivicallRequest) -> Reading:
    """Read the body by the schema, and the query's `expand`."""
    reading, query = read(schema, request.call.payload), read_query(schemas.Expanding, request)
    return Reading(reading.values | query.values, reading.errors | query.errors)


def _appointment_answer(request: MivicallRequest, pk: int, reading: Reading) -> HttpResponse:
    row = with_service(request.clinic, listed(request.clinic)).get(pk=pk)
    (shown,) = expand(request.clinic, [schemas.appointment(request.clinic, row, row.service)], reading.values)
    return answer(shown)


def _reschedule(request: MivicallRequest, appointment: Appointment, reading: Reading) -> None:
    """Move the appointment if the time or the professional differs."""
    values, target = reading.values, reading.values.get("status")
    if values.get("withoutExpiredDiscount") and not {"startsAt", "professionalId"} & request.call.payload.keys():
        reading.errors["withoutExpiredDiscount"] = DISCOUNT_STAYS
    doctor, starts_at = (
        values.get("professionalId", appointment.doctor.uuid),
        values.get("startsAt", appointment.starts_at),
    )
    if (doctor, starts_at) != (appointment.doctor.uuid, appointment.starts_at):
        booking.reschedule(
            appointment.pk,
            clinic=request.clinic,
            doctor=doctor,
            starts_at=starts_at,
            without_expired=values.get("withoutExpiredDiscount", False),
            with_notice=True,
            by=request.caller.author,
        )
    elif target == "rescheduled" and schemas.STATUS_NAMES[appointment.status] != target:
        reading.errors.setdefault("startsAt", MOVE_MISSING)


def _set_status(request: MivicallRequest, appointment: Appointment, reading: Reading) -> None:
    target = reading.values.get("status")
    if target in BOOKING_STATUSES:
        _change_status_to(request, appointment, target)


def _change_status_to(request: MivicallRequest, appointment: Appointment, target: str) -> None:
    """Set a status; setting the status it already has is no error, so retries and lost races succeed."""

    def current_status() -> str:
        status: str = Appointment.objects.of(request.clinic).values_list("status", flat=True).get(pk=appointment.pk)
        return status

    current = current_status()
    if schemas.STATUS_NAMES[current] == target:
        return
    # Both Agendado and Confirmado are `confirmed` here; a cancelled or missed appointment can only become Agendado.
    freed = target == "confirmed" and current in FREES_THE_TIME
    status = Status.SCHEDULED if freed else BOOKING_STATUSES[target]
    caller = request.caller
    by_patient = caller.key.source in SOURCES_OF_PATIENTS
    cancelled_by = Appointment.CancelledBy.PATIENT if by_patient else Appointment.CancelledBy.CLINIC
    try:
        booking.change_status(
            appointment.pk, status, clinic=request.clinic, by=caller.author, cancelled_by=cancelled_by
        )
    except Refused:
        if schemas.STATUS_NAMES[current_status()] != target:
            raise


def _edit_notes(request: MivicallRequest, appointment: Appointment, reading: Reading) -> None:
    values = reading.values
    if {"patientNotes", "metadata"} & values.keys():
        notes = (values["patientNotes"] or "") if "patientNotes" in values else None
        booking.edit_notes(
            appointment.pk,
            clinic=request.clinic,
            by=request.caller.author,
            notes=notes,
            metadata=values.get("metadata"),
        )
