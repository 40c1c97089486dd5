from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import Status

from clinic import booking
from clinic.api.gateway import ApiRequest
from clinic.api.imagemais import examples, messages, openapi, schemas
from clinic.api.imagemais.api import api
from clinic.api.imagemais.bodies import DoctorBody
from clinic.api.imagemais.errors import RequestError
from clinic.api.imagemais.expand import SPOKEN, add_words, expand_parameter
from clinic.api.imagemais.openapi import DAY, ID, LIMIT_TOO_HIGH, OURS, PAGE, SITE, links_to, operation, query
from clinic.api.imagemais.paging import Page
from clinic.api.imagemais.reading import Query
from clinic.api.imagemais.schemas import DoctorOut, SlotOut
from clinic.booking import MAX_PROCEDURES
from clinic.models import Appointment, Clinic, Doctor, Procedure, WorkingHours
from clinic.models.price import PriceOn
from clinic.models.procedure import LONGEST_DURATION
from clinic.refusals import Reason, Refused

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from clinic.api.imagemais.schemas import Busy

UNKNOWN = {"Id desconhecido": messages.DOCTOR_UNKNOWN}


@api.get(
    "/doctors",
    **operation(
        "listDoctors",
        tag=openapi.DOCTORS,
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
def list_doctors(request: ApiRequest, response: HttpResponse) -> list[DoctorOut]:
    query_reader = Query(request)
    page = Page[None](query_reader)
    query_reader.raise_if_invalid()
    return [DoctorOut.of(doctor) for doctor in page.of(_doctors(request.clinic), request, response)]


@api.get(
    "/doctors/{int:doctor_id}",
    **operation(
        "getDoctor",
        tag=openapi.DOCTORS,
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
        tag=openapi.DOCTORS,
        origin=SITE,
        summary="Cadastrar médico",
        description="Cadastra um médico com o mesmo expediente em cada dia de trabalho. Um fim que não vem depois do"
        " início é do dia seguinte, e `24:00` é o fim do dia. Quem já atende com o mesmo nome não entra outra vez: 409."
        " Intervalos, ausências e dias"
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
            },
            409: {"Já cadastrado": messages.DOCTOR_EXISTS},
        },
    ),
)
def create_doctor(request: ApiRequest) -> Status[DoctorOut]:
    doctor = DoctorBody(request.call.payload, request.clinic).register(request.caller.author)
    return Status(201, DoctorOut.of(_doctor(request.clinic, doctor.pk)))


@api.get(
    "/doctors/{int:doctor_id}/slots",
    exclude_none=True,
    **operation(
        "listSlots",
        tag=openapi.DOCTORS,
        origin=OURS,
        summary="Listar horários livres",
        description="Os horários livres do médico na data, na grade dele: dentro do expediente, fora de ausências e"
        " feriados, e ainda por vir. Com `procedureId`, repetido para cada procedimento que se vai agendar, ou com"
        " `durationMinutes`, só os horários em que a soma das durações cabe, com este término. Sem eles, cada um tem o"
        " intervalo da grade, que pode ser mais curto do que o procedimento: some os `durationMinutes` de"
        " `GET /api/procedures` e agende só se o término não passar de `freeUntil`, até quando o médico está livre a"
        " partir deste início. Um procedimento que o médico não realiza não tem horário; um que é desconhecido ou"
        " inativo, ou que vem duas vezes, é recusado como ao agendar.",
        answer=list[SlotOut],
        example=[
            {"startTime": "09:00", "endTime": "09:15", "freeUntil": "09:30"},
            {"startTime": "09:15", "endTime": "09:30", "freeUntil": "09:30"},
        ],
        parameters=[
            query("date", DAY, "A data.", example="2025-12-25", required=True),
            query(
                "procedureId",
                {"type": "array", "items": ID, "maxItems": MAX_PROCEDURES},
                "Os procedimentos, de GET /api/procedures: `procedureId=1&procedureId=2`.",
            ),
            query(
                "durationMinutes",
                {"type": "integer", "minimum": 1, "maximum": LONGEST_DURATION},
                "Em vez de `procedureId`: quantos minutos livres são precisos.",
            ),
            expand_parameter(SPOKEN),
        ],
        errors={
            400: {
                "Sem data": list(messages.MISSING_IN_QUERIES["date"]),
                "Procedimento desconhecido": [messages.example(Reason.PROCEDURE_UNKNOWN)],
            },
            404: UNKNOWN,
        },
    ),
    exclude_unset=True,
)
def list_slots(request: ApiRequest, doctor_id: int) -> list[SlotOut]:
    query_reader = Query(request)
    day = query_reader.day("date")
    procedures = query_reader.ids("procedureId")
    asked = query_reader.has("durationMinutes")
    minutes = query_reader.number("durationMinutes", 1, LONGEST_DURATION, default=1) if asked else 0
    if asked and procedures:
        query_reader.add_errors("durationMinutes", messages.LENGTH_TWICE)
    if len(procedures) > MAX_PROCEDURES:
        sentence = messages.REFUSALS[Reason.PROCEDURES_TOO_MANY].sentence
        query_reader.add_errors("procedureId", sentence % {"limit": MAX_PROCEDURES})
    else:
        repeated = [pk for pk, count in Counter(procedures).items() if count > 1]
        query_reader.add_errors("procedureId", *map(messages.PROCEDURE_REPEATED.format, repeated))
    wanted = query_reader.some_of("expand", {SPOKEN})
    query_reader.raise_if_invalid()
    doctor = _doctor(request.clinic, doctor_id)
    if day is None:
        return []
    if procedures or asked:
        wanted_procedures = _active(request.clinic, procedures, query_reader) if procedures else []
        if not {procedure.pk for procedure in wanted_procedures} <= {own.pk for own in doctor.procedures.all()}:
            return []
        minutes = sum(procedure.duration_minutes for procedure in wanted_procedures) if procedures else minutes
        openings = booking.openings(
            request.clinic,
            doctor=doctor,
            minutes=minutes,
            first=day,
            last=day,
            procedures=wanted_procedures,
            with_notice=True,
        )
        slots = [SlotOut.of(opening, request.clinic) for opening in openings]
    else:
        slots = _grid(request.clinic, doctor, day)
    return [add_words(slot, day, request.clinic) for slot in slots] if SPOKEN in wanted else slots


def _grid(clinic: Clinic, doctor: Doctor, day: date) -> list[SlotOut]:
    """Return the free times of the doctor's interval, each with until when the doctor is free."""
    step = timedelta(minutes=doctor.interval_minutes)
    starts = booking.free_starts(clinic, doctor=doctor, day=day, with_notice=True)
    return [SlotOut.of_grid(start, step, clinic) for start in starts if start.until - start.starts_at >= step]


def _active(clinic: Clinic, procedures: list[int], query_reader: Query) -> list[Procedure]:
    """Return the active procedures of these ids. Raises RequestError."""
    try:
        return booking.active_procedures(clinic, procedures)
    except Refused as refused:
        raise query_reader.request_error(refused.refusals) from refused


def _doctors(clinic: Clinic) -> "QuerySet[WithAnnotations[Doctor, Busy]]":
    in_service = Appointment.objects.of(clinic).in_service().filter(doctor=OuterRef("pk"))
    today = clinic.local(timezone.now()).date()
    active = Procedure.objects.of(clinic).filter(active=True).annotate(price_now=PriceOn(today))
    procedures = Prefetch("procedures", active)
    doctors = Doctor.objects.of(clinic).filter(active=True).annotate(is_busy=Exists(in_service))
    hours = Prefetch("hours", WorkingHours.objects.of(clinic).valid_between(today, today))
    return doctors.prefetch_related(hours).prefetch_related(procedures)


def _doctor(clinic: Clinic, doctor_id: int) -> "WithAnnotations[Doctor, Busy]":
    doctor = _doctors(clinic).filter(pk=doctor_id).first()
    if doctor is None:
        raise RequestError(404, messages.DOCTOR_UNKNOWN)
    return doctor
