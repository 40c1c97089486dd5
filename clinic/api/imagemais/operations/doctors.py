from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from ninja import Status

from clinic import booking
from clinic.api.gateway import ApiRequest
from clinic.api.imagemais import examples, messages, schemas
from clinic.api.imagemais.api import api
from clinic.api.imagemais.bodies import DoctorBody
from clinic.api.imagemais.errors import RequestError
from clinic.api.imagemais.openapi import DAY, LIMIT_TOO_HIGH, OURS, PAGE, SITE, links_to, operation, query
from clinic.api.imagemais.reading import Query
from clinic.api.imagemais.schemas import DoctorOut, SlotOut
from clinic.models import Appointment, Clinic, Doctor, Procedure
from clinic.refusals import Reason

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from clinic.api.imagemais.schemas import Busy

TAG = "Médicos"
UNKNOWN = {"Id desconhecido": messages.DOCTOR_UNKNOWN}


@api.get(
    "/doctors",
    **operation(
        "listDoctors",
        tag=TAG,
        origin=SITE,
        summary="Listar médicos",
        description="Os médicos que atendem na clínica, em ordem alfabética, com seus procedimentos. `startTime` é o"
        " começo mais cedo da semana e `endTime` o fim mais tarde; `isBusy` diz se há alguém em atendimento agora.",
        answer=list[DoctorOut],
        links=links_to("doctor_id", "/0/id", "getDoctor", "listSlots"),
        example=[examples.DOCTOR],
        parameters=PAGE,
        errors={400: LIMIT_TOO_HIGH},
    ),
)
def list_doctors(request: ApiRequest) -> list[DoctorOut]:
    query_reader = Query(request)
    page = query_reader.page()
    query_reader.raise_if_invalid()
    return [DoctorOut.of(doctor) for doctor in _doctors(request.clinic)[page]]


@api.get(
    "/doctors/{int:doctor_id}",
    **operation(
        "getDoctor",
        tag=TAG,
        origin=SITE,
        summary="Buscar médico",
        description="Um médico com seus procedimentos.",
        answer=DoctorOut,
        example=examples.DOCTOR,
        errors={404: UNKNOWN},
    ),
)
def get_doctor(request: ApiRequest, doctor_id: int) -> DoctorOut:
    return DoctorOut.of(_doctor(request.clinic, doctor_id))


@api.post(
    "/doctors",
    **operation(
        "createDoctor",
        tag=TAG,
        origin=SITE,
        summary="Cadastrar médico",
        description="Cadastra um médico com o mesmo expediente em cada dia de trabalho. Um fim que não vem depois do"
        " início é do dia seguinte, e `24:00` é o fim do dia. Intervalos, ausências e dias"
        " com outro horário se acertam depois, na administração.",
        status=201,
        answer=DoctorOut,
        links=links_to("doctor_id", "/id", "getDoctor", "listSlots"),
        example=examples.DOCTOR,
        body=schemas.DoctorIn,
        bodies={
            "Dias num vetor": examples.NEW_DOCTOR,
            "Dias num texto": examples.NEW_DOCTOR | {"workingDays": "Segunda,Quarta,Sexta"},
        },
        errors={
            400: {
                "Sem dias de trabalho": list(messages.MISSING["workingDays"]),
                "Fim antes do início": [messages.example(Reason.END_NOT_AFTER_START)],
            }
        },
    ),
)
def create_doctor(request: ApiRequest) -> Status[DoctorOut]:
    doctor = DoctorBody(request.call.payload, request.clinic).register()
    return Status(201, DoctorOut.of(_doctor(request.clinic, doctor.pk)))


@api.get(
    "/doctors/{int:doctor_id}/slots",
    **operation(
        "listSlots",
        tag=TAG,
        origin=OURS,
        summary="Listar horários livres",
        description="Os horários livres do médico na data, na grade dele: dentro do expediente, fora de ausências e"
        " feriados, e ainda por vir.",
        answer=list[SlotOut],
        example=[{"startTime": "09:00", "endTime": "09:15"}, {"startTime": "09:15", "endTime": "09:30"}],
        parameters=[query("date", DAY, "A data.", example="2025-12-25", required=True)],
        errors={400: {"Sem data": list(messages.MISSING_IN_QUERIES["date"])}, 404: UNKNOWN},
    ),
)
def list_slots(request: ApiRequest, doctor_id: int) -> list[SlotOut]:
    query_reader = Query(request)
    day = query_reader.day("date")
    if day is None:
        raise query_reader.request_error()
    doctor = _doctor(request.clinic, doctor_id)
    openings = booking.openings(request.clinic, doctor=doctor, minutes=doctor.interval_minutes, first=day, last=day)
    return [SlotOut.of(opening, request.clinic) for opening in openings]


def _doctors(clinic: Clinic) -> "QuerySet[WithAnnotations[Doctor, Busy]]":
    in_service = Appointment.objects.of(clinic).in_service().filter(doctor=OuterRef("pk"))
    procedures = Prefetch("procedures", Procedure.objects.of(clinic).filter(active=True))
    doctors = Doctor.objects.of(clinic).filter(active=True).annotate(is_busy=Exists(in_service))
    return doctors.prefetch_related("hours", procedures)


def _doctor(clinic: Clinic, doctor_id: int) -> "WithAnnotations[Doctor, Busy]":
    doctor = _doctors(clinic).filter(pk=doctor_id).first()
    if doctor is None:
        raise RequestError(404, messages.DOCTOR_UNKNOWN)
    return doctor
