"""The bookable directory: professionals, services and the clinic itself."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from pydantic import BaseModel

from clinic import registry
from clinic.api.errors import AfterRollback
from clinic.api.json_schema import JsonObject
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import DIRECTORY, DIRECTORY_WRITE, MivicallRequest, answer, api, operation
from clinic.api.mivicall.expand import professional
from clinic.api.mivicall.reading import as_uuid, read, read_query
from clinic.models import Clinic, Doctor, Procedure
from clinic.models.price import PriceNow, PriceOn
from clinic.queries.pending import newly_pending, pending
from clinic.refusals import Reason
from clinic.registry import (
    ClinicRefused,
    DoctorFault,
    DoctorRefused,
    ProcedureDetails,
    ProcedureFault,
    ProcedureRefused,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

CONFIRMATION_LETTERS = 16
SERVICE_FIELDS = {"durationMinutes": "duration_minutes", "professionalIds": "doctors"}
TENANT_COLUMNS = {"city": "town"}
OF_THE_LICENCE = "Não se altera por esta API: é do contrato da clínica."
UNCHANGEABLE_OF_TENANTS = {
    **dict.fromkeys(("id", "specialty", "status", "publicSlug"), OF_THE_LICENCE),
    "config": "Não se altera por esta API: o master da clínica muda o fuso e o idioma na administração.",
}
LOCALES: dict[str, str] = {Clinic.Language.BRAZILIAN: "pt-BR", Clinic.Language.EUROPEAN: "pt-PT"}


class Unreadable(Exception):
    """Fields of a request that cannot be read or changed, with their messages."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = fields


class Professionals(PriceNow):
    """The annotations of a service: what it costs today, and the uuids of the active doctors who perform it, ordered by
    name."""

    professionals: list[UUID]


@operation(
    "GET",
    "/professionals",
    "listProfessionals",
    scopes={DIRECTORY},
    answers={200: schemas.Professionals},
)
def list_professionals(request: MivicallRequest) -> HttpResponse:
    doctors = Doctor.objects.of(request.clinic).filter(active=True).only("uuid", "title", "name", "specialty")
    return answer({"items": list(map(professional, doctors))})


@operation(
    "GET",
    "/services",
    "listServices",
    scopes={DIRECTORY},
    answers={200: schemas.Services},
)
def list_services(request: MivicallRequest) -> HttpResponse:
    return answer({"items": [_service(request.clinic, service) for service in _services(request.clinic)]})


@operation(
    "POST",
    "/professionals",
    "createProfessional",
    scopes={DIRECTORY_WRITE},
    body=schemas.NewProfessional,
    answers={201: schemas.Professional},
    error_statuses={409},
)
def create_professional(request: MivicallRequest) -> HttpResponse:
    values = _read(request, schemas.NewProfessional)
    doctor = registry.register_doctor(request.clinic, by=request.caller.author, **values)
    return answer(professional(doctor), 201)


@operation(
    "PATCH",
    "/professionals/{id}",
    "updateProfessional",
    scopes={DIRECTORY_WRITE},
    body=schemas.ProfessionalChanges,
    answers={200: schemas.Professional},
    error_statuses={404, 409},
)
def update_professional(request: MivicallRequest, id: str) -> HttpResponse:
    doctor = _find(Doctor, request.clinic, id)
    values = _read(request, schemas.ProfessionalChanges)
    changed = registry.change_doctor(doctor.pk, clinic=request.clinic, by=request.caller.author, **values)
    return answer(professional(changed))


@operation(
    "DELETE",
    "/professionals/{id}",
    "deleteProfessional",
    scopes={DIRECTORY_WRITE},
    query=schemas.ConfirmationFilter,
    answers={204: None},
    error_statuses={404, 409},
)
def delete_professional(request: MivicallRequest, id: str) -> HttpResponse:
    doctor = _find(Doctor, request.clinic, id, active=None)
    clinic, by = request.clinic, request.caller.author
    _confirmed(request, lambda: registry.switch_off_doctor(doctor.pk, clinic=clinic, by=by))
    return answer(None, 204)


@operation(
    "POST",
    "/services",
    "createService",
    scopes={DIRECTORY_WRITE},
    body=schemas.NewService,
    answers={201: schemas.Service},
    error_statuses={409},
)
def create_service(request: MivicallRequest) -> HttpResponse:
    values = _renamed(_read(request, schemas.NewService))
    service = registry.register_procedure(request.clinic, ProcedureDetails(**values), request.caller.author)
    return answer(_stored_service(request.clinic, service.pk), 201)


@operation(
    "PATCH",
    "/services/{id}",
    "updateService",
    scopes={DIRECTORY_WRITE},
    query=schemas.ConfirmationFilter,
    body=schemas.ServiceChanges,
    answers={200: schemas.Service},
    error_statuses={404, 409},
)
def update_service(request: MivicallRequest, id: str) -> HttpResponse:
    service = _find(Procedure, request.clinic, id)
    changes = _renamed(_read(request, schemas.ServiceChanges))
    clinic, by = request.clinic, request.caller.author
    _confirmed(request, lambda: registry.change_procedure(service.pk, changes, clinic=clinic, by=by))
    return answer(_stored_service(clinic, service.pk))


@operation(
    "DELETE",
    "/services/{id}",
    "deleteService",
    scopes={DIRECTORY_WRITE},
    answers={204: None},
    error_statuses={404},
)
def delete_service(request: MivicallRequest, id: str) -> HttpResponse:
    service = _find(Procedure, request.clinic, id, active=None)
    registry.switch_off_procedure(service.pk, clinic=request.clinic, by=request.caller.author)
    return answer(None, 204)


@operation(
    "GET",
    "/tenants/me",
    "getTenant",
    scopes={DIRECTORY},
    answers={200: schemas.Tenant},
)
def get_tenant(request: MivicallRequest) -> HttpResponse:
    return answer(_tenant(request.clinic))


@operation(
    "PATCH",
    "/tenants/me",
    "updateTenant",
    scopes={DIRECTORY_WRITE},
    body=schemas.TenantChanges,
    answers={200: schemas.Tenant},
)
def update_tenant(request: MivicallRequest) -> HttpResponse:
    values = _read(request, schemas.TenantChanges, UNCHANGEABLE_OF_TENANTS)
    changes = {TENANT_COLUMNS.get(name, name): value for name, value in values.items()}
    return answer(_tenant(registry.change_clinic(request.clinic, changes, request.caller.author)))


@api.exception_handler(DoctorRefused)
def doctor_refused(request: MivicallRequest, refused: DoctorRefused) -> HttpResponse:
    if DoctorFault.NAME_TAKEN in refused.faults:
        return errors.error_answer(request, 409, "professional_exists", errors.PROFESSIONAL_EXISTS)
    return errors.validation_failed(request, [errors.DOCTOR_FAULTS[fault] for fault in refused.faults])


@api.exception_handler(ProcedureRefused)
def service_refused(request: MivicallRequest, refused: ProcedureRefused) -> HttpResponse:
    if ProcedureFault.NAME_TAKEN in refused.faults:
        return errors.error_answer(request, 409, "service_exists", errors.SERVICE_EXISTS)
    return errors.validation_failed(request, [errors.PROCEDURE_FAULTS[fault] for fault in refused.faults])


@api.exception_handler(ClinicRefused)
def tenant_refused(request: MivicallRequest, refused: ClinicRefused) -> HttpResponse:
    names = {column: name for name, column in TENANT_COLUMNS.items()}
    faults = [(names.get(column, column), errors.CLINIC_FAULTS[fault]) for column, fault in refused.faults.items()]
    return errors.validation_failed(request, faults)


@api.exception_handler(Doctor.DoesNotExist)
def professional_not_found(request: MivicallRequest, error: Doctor.DoesNotExist) -> HttpResponse:
    message = errors.OWN_SENTENCES[Reason.DOCTOR_UNKNOWN]
    return errors.error_answer(request, 404, "professional_not_found", message)


@api.exception_handler(Procedure.DoesNotExist)
def service_not_found(request: MivicallRequest, error: Procedure.DoesNotExist) -> HttpResponse:
    message = errors.OWN_SENTENCES[Reason.PROCEDURE_UNKNOWN]
    return errors.error_answer(request, 404, "service_not_found", message)


@api.exception_handler(Unreadable)
def unreadable(request: MivicallRequest, error: Unreadable) -> HttpResponse:
    return errors.validation_failed(request, list(error.fields.items()))


def _read(request: MivicallRequest, schema: type[BaseModel], unchangeable: Mapping[str, str] = {}) -> dict[str, Any]:
    """Return the values that were sent. Raises Unreadable with all fields that cannot be read or are `unchangeable`."""
    reading = read(schema, request.call.payload)
    if "" not in reading.errors:
        reading.errors |= {name: message for name, message in unchangeable.items() if name in request.call.payload}
    if reading.errors:
        raise Unreadable(reading.errors)
    return reading.values


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    return {SERVICE_FIELDS.get(name, name): value for name, value in values.items()}


def _find[Row: (Doctor, Procedure)](model: type[Row], clinic: Clinic, id: str, *, active: bool | None = True) -> Row:
    """Return the row of this uuid. Raises DoesNotExist."""
    uuid = as_uuid(id)
    rows = model.objects.of(clinic) if active is None else model.objects.of(clinic).filter(active=active)
    if uuid is None:
        raise model.DoesNotExist
    return rows.get(uuid=uuid)


def _confirmed(request: MivicallRequest, change: Callable[[], object]) -> None:
    """Make the change, unless it makes appointments pending and the request does not confirm it: the question that the
    admin asks too. Raises AfterRollback.

    The confirmation is one of these appointments: with others, it is asked for again.
    """
    filters = read_query(schemas.ConfirmationFilter, request)
    if filters.errors:
        raise Unreadable(filters.errors)
    clinic, now = request.clinic, timezone.now()
    before = {row.pk for row in pending(clinic, now=now)}
    change()
    found = [row.pk for row in newly_pending(clinic, before, now=now)]
    confirmation = sha256(repr(found).encode()).hexdigest()[:CONFIRMATION_LETTERS]
    if found and filters.values.get("confirmation") != confirmation:
        more = {"count": len(found), "confirmation": confirmation}
        message = errors.APPOINTMENTS_PENDING.format(len(found))
        raise AfterRollback(lambda: errors.error_answer(request, 409, "appointments_pending", message, **more))


def _services(clinic: Clinic) -> "QuerySet[WithAnnotations[Procedure, Professionals]]":
    performing = ArrayAgg(
        "doctors__uuid", filter=Q(doctors__active=True), order_by=["doctors__sort_name", "doctors__pk"], default=[]
    )
    today = clinic.local(timezone.now()).date()
    active = Procedure.objects.of(clinic).filter(active=True)
    services = active.annotate(professionals=performing, price_now=PriceOn(today))
    # A grouped query leaves the model's own order out.
    return services.order_by("sort_name", "pk")


def _stored_service(clinic: Clinic, pk: int) -> JsonObject:
    return _service(clinic, _services(clinic).get(pk=pk))


def _tenant(clinic: Clinic) -> JsonObject:
    doctors = Doctor.objects.of(clinic).filter(active=True).exclude(specialty="")
    specialties = doctors.order_by("specialty").values_list("specialty", flat=True).distinct()
    named = clinic.sandbox_of or clinic
    return {
        "id": str(named.uuid),
        "name": clinic.name,
        "specialty": "medical",
        "status": "active",
        "phone": clinic.phone or None,
        "address": clinic.address or None,
        "city": clinic.town or None,
        "publicSlug": named.slug,
        "config": {
            "timezone": clinic.time_zone,
            "locale": LOCALES[clinic.language],
            "specialties": list(specialties),
        },
    }


def _service(clinic: Clinic, service: "WithAnnotations[Procedure, Professionals]") -> JsonObject:
    return {
        "id": str(service.uuid),
        "name": service.name,
        "durationMinutes": service.duration_minutes,
        "price": float(service.price_now),
        "currency": clinic.currency,
        "professionalIds": [str(uuid) for uuid in service.professionals],
    }
