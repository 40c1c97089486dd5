"""The bookable directory: professionals, services and the clinic itself."""

from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.http import HttpResponse

from clinic.api.json_schema import JsonObject
from clinic.api.mivicall import schemas
from clinic.api.mivicall.api import DIRECTORY, MivicallRequest, answer, operation
from clinic.api.mivicall.expand import professional
from clinic.models import Clinic, Doctor, Procedure

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

LOCALES: dict[str, str] = {Clinic.Language.BRAZILIAN: "pt-BR", Clinic.Language.EUROPEAN: "pt-PT"}


class Professionals(TypedDict):
    """The annotation of a service: the uuids of the active doctors who perform it, ordered by name."""

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
    performing = ArrayAgg(
        "doctors__uuid", filter=Q(doctors__active=True), order_by=["doctors__sort_name", "doctors__pk"], default=[]
    )
    services = Procedure.objects.of(request.clinic).filter(active=True).annotate(professionals=performing)
    # A grouped query leaves the model's own order out.
    in_order = services.order_by("sort_name", "pk")
    return answer({"items": [_service(request.clinic, service) for service in in_order]})


@operation(
    "GET",
    "/tenants/me",
    "getTenant",
    scopes={DIRECTORY},
    answers={200: schemas.Tenant},
)
def get_tenant(request: MivicallRequest) -> HttpResponse:
    clinic = request.clinic
    doctors = Doctor.objects.of(clinic).filter(active=True).exclude(specialty="")
    specialties = doctors.order_by("specialty").values_list("specialty", flat=True).distinct()
    return answer(
        {
            "id": clinic.slug,
            "name": clinic.name,
            "specialty": ", ".join(specialties) or None,
            "status": "active",
            "config": {"timezone": clinic.time_zone, "locale": LOCALES[clinic.language]},
        }
    )


def _service(clinic: Clinic, service: "WithAnnotations[Procedure, Professionals]") -> JsonObject:
    return {
        "id": str(service.uuid),
        "name": service.name,
        "durationMinutes": service.duration_minutes,
        "price": float(service.price),
        "currency": clinic.currency,
        "professionalIds": [str(uuid) for uuid in service.professionals],
    }
