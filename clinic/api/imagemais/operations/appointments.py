from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from functools import partial

from django.db.models import Q
from django.http import HttpResponse
from ninja import Status

from clinic.api import keyset
from clinic.api.gateway import ApiRequest
from clinic.api.imagemais import examples, messages, openapi, schemas
from clinic.api.imagemais.api import api
from clinic.api.imagemais.bodies import Body, BookingBody, EditBody, MoveBody, PaymentBody, StatusBody
from clinic.api.imagemais.errors import RequestError
from clinic.api.imagemais.expand import (
    ALTERNATIVES,
    CLINIC,
    PREPARATION,
    SPOKEN,
    expand,
    expand_parameter,
    read_expand,
)
from clinic.api.imagemais.openapi import (
    AFTER,
    DAY,
    ID,
    LIMIT_TOO_HIGH,
    NEXT_SINCE_HEADER,
    OURS,
    PAGE,
    SEED,
    SINCE_ERRORS,
    SITE,
    TO_APPOINTMENT,
    operation,
    query,
    updated_since,
)
from clinic.api.imagemais.paging import Page, page_of_changes
from clinic.api.imagemais.reading import Query
from clinic.api.imagemais.schemas import AppointmentOut, LineOut
from clinic.api.imagemais.statuses import ACTIONS, FILTERS
from clinic.booking import Author
from clinic.models import Appointment, AppointmentProcedure, Clinic
from clinic.models.appointment import AppointmentQuerySet
from clinic.models.titles import in_sentence
from clinic.queries import appointments, changes
from clinic.refusals import Reason

SHOWN = SPOKEN, PREPARATION, CLINIC
EXPANSIONS = *SHOWN, ALTERNATIVES
UNKNOWN = {"Id desconhecido": messages.APPOINTMENT_UNKNOWN}
TIME_ERRORS = {
    "Sem horários": [*messages.MISSING["startTime"], *messages.MISSING["endTime"]],
    "Sem data": list(messages.MISSING["date"]),
    "Data no passado": [messages.DATE_MESSAGES[0]],
    "Fora do expediente": [messages.example(Reason.OUTSIDE_HOURS)],
    "Curto demais, se a clínica exige a duração": [messages.example(Reason.TOO_SHORT, minutes="45")],
}


@api.post(
    "/appointments",
    **operation(
        "createAppointment",
        tag=openapi.APPOINTMENTS,
        origin=SEED,
        summary="Criar agendamento",
        description="Cria um agendamento com os dados fornecidos; a resposta traz um elemento por procedimento, e cada"
        " procedimento vem uma vez. O paciente é o que já tem este CPF; sem CPF que se possa usar, o de mesmo telefone"
        " e nome; senão, um novo. Nome"
        " ou telefone que diferem do cadastro não o mudam: a recepção os vê “a confirmar” e decide."
        " Um CPF bem escrito cujos dígitos não conferem não perde o agendamento: ele fica “a confirmar” e volta"
        " `null`, a não ser que a clínica exija CPF válido. O término vem de quem agenda: some os `durationMinutes` dos"
        " procedimentos, ou peça os horários livres com `procedureId`. Um mais curto é aceito, a não ser que a clínica"
        " exija a duração, e a recepção vê quantos minutos faltam.",
        status=201,
        answer=list[AppointmentOut],
        links=TO_APPOINTMENT,
        example=[examples.APPOINTMENT],
        body=schemas.BookingIn,
        bodies={"Dois procedimentos, um com desconto": examples.BOOKING},
        errors={
            400: TIME_ERRORS
            | {
                "Sem dados do paciente": [
                    sentence
                    for field in ("patient.dateBirth", "patient.phone", "patient.name")
                    for sentence in messages.MISSING[field]
                ],
                "Sem procedimentos": list(messages.MISSING["procedures"]),
                "Procedimento repetido": [messages.PROCEDURE_REPEATED.format(2)],
                "CPF com outra data de nascimento": [messages.example(Reason.CPF_OTHER_BIRTH_DATE)],
            },
            404: {
                "Médico desconhecido": messages.DOCTOR_UNKNOWN,
                "Desconto desconhecido": messages.example(Reason.DISCOUNT_UNKNOWN),
            },
            409: {
                "Horário ocupado": examples.TAKEN,
                "Paciente ocupado": messages.example(
                    Reason.PATIENT_ELSEWHERE, messages.REFUSALS, time="09:00", **in_sentence("Dr Victor")
                ),
            },
        },
        parameters=[expand_parameter(*EXPANSIONS)],
    ),
    exclude_unset=True,
)
def create_appointment(request: ApiRequest) -> Status[Sequence[AppointmentOut]]:
    wanted = read_expand(request, *EXPANSIONS)
    body = BookingBody(request.call.payload, request.clinic)
    body.offers_alternatives = ALTERNATIVES in wanted
    booked = body.book(request.caller.author)
    elements = AppointmentOut.per_line(booked, map(LineOut.of, booked.priced_lines), request.clinic)
    return Status(201, expand(elements, request.clinic, wanted))


@api.get(
    "/appointments",
    **operation(
        "listAppointments",
        tag=openapi.APPOINTMENTS,
        origin=OURS,
        summary="Listar agendamentos",
        description="Os agendamentos da clínica em ordem de início, um elemento por procedimento, como em Criar"
        " agendamento. `limit` e `offset` contam elementos, e uma página pode acabar no meio de um agendamento. Com"
        " `updatedSince` ele conta agendamentos, e cada um vem inteiro.",
        answer=list[AppointmentOut],
        links=TO_APPOINTMENT,
        example=[examples.APPOINTMENT],
        parameters=[
            query("date", DAY, "Só os desta data.", example="2025-12-25"),
            query("dateStart", DAY, "A partir desta data, inclusive.", example="2025-12-01"),
            query("dateEnd", DAY, "Até esta data, inclusive.", example="2025-12-31"),
            query("doctorId", ID, "Só os deste médico."),
            query("patientId", ID, "Só os deste paciente; de um cadastro juntado a outro, os do que ficou."),
            query(
                "status", {"type": "string", "enum": list(FILTERS)}, "Só os que têm este status, pelo nome ou pelo id."
            ),
            expand_parameter(*SHOWN),
            updated_since("os agendamentos que mudaram, ou cujo paciente mudou"),
            *PAGE,
            AFTER,
        ],
        errors={400: LIMIT_TOO_HIGH | SINCE_ERRORS},
        headers=NEXT_SINCE_HEADER,
    ),
    exclude_unset=True,
)
def list_appointments(request: ApiRequest, response: HttpResponse) -> Sequence[AppointmentOut]:
    query_reader = Query(request)
    if query_reader.has("updatedSince"):
        return _changed_appointments(query_reader, request, response)
    order = keyset.order_of("appointments by start", request.clinic)
    day, first, last = (query_reader.day(field, required=False) for field in ("date", "dateStart", "dateEnd"))
    if first and last and last < first:
        query_reader.add_errors("dateEnd", messages.ENDS_BEFORE_ITS_START)
    doctor, patient = (query_reader.id(field, required=False) for field in ("doctorId", "patientId"))
    status = query_reader.choice("status", FILTERS, required=False)
    page = Page(query_reader, partial(keyset.parse_instant_and_ids, order=order, count=2))
    wanted = query_reader.some_of("expand", SHOWN)
    query_reader.raise_if_invalid()
    starts = [bound for bound in (day, first) if bound]
    ends = [bound for bound in (day, last) if bound]
    rows = appointments.listed(
        request.clinic,
        since=_midnight(request.clinic, max(starts, default=None), 0),
        before=_midnight(request.clinic, min(ends, default=None), 1),
        doctor=doctor,
        patient=patient,
        statuses=[status] if status else None,
        with_blocked=True,
    )
    lines = appointments.lines_listed(request.clinic, rows)
    lines = lines.filter(_comes_after(*page.after)) if page.after else lines
    elements = [
        element
        for line in page.of(lines, request, response, partial(_position, order))
        for element in AppointmentOut.per_line(line.appointment, [LineOut.stored(line)], request.clinic)
    ]
    return expand(elements, request.clinic, wanted)


@api.get(
    "/appointments/{int:appointment_id}",
    **operation(
        "getAppointment",
        tag=openapi.APPOINTMENTS,
        origin=OURS,
        summary="Buscar agendamento",
        description="Um agendamento, um elemento por procedimento.",
        answer=list[AppointmentOut],
        links=TO_APPOINTMENT,
        example=[examples.APPOINTMENT],
        errors={404: UNKNOWN},
        parameters=[expand_parameter(*SHOWN)],
    ),
    exclude_unset=True,
)
def get_appointment(request: ApiRequest, appointment_id: int) -> Sequence[AppointmentOut]:
    return _appointment_answer(request.clinic, appointment_id, read_expand(request, *SHOWN))


@api.patch(
    "/appointments/{int:appointment_id}",
    **operation(
        "editAppointment",
        tag=openapi.APPOINTMENTS,
        origin=SITE,
        summary="Editar agendamento",
        description="Troca os dados do paciente, no cadastro dele, ou as observações. O que muda por outra chamada"
        " (médico, data, horários, procedimentos, desconto, status) é 400, com o nome dela. Em `patient`, só o CPF"
        " pode faltar; um CPF cujos dígitos não conferem deixa o do cadastro como está. `null` apaga as observações e o"
        " CPF.",
        answer=list[AppointmentOut],
        links=TO_APPOINTMENT,
        example=[examples.APPOINTMENT],
        body=schemas.EditIn,
        bodies={
            "Observações": {"notes": "Observações sobre o agendamento"},
            "Paciente": {"patient": {"name": "João Silva", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01"}},
        },
        errors={
            400: {
                "Sem nome": list(messages.MISSING["patient.name"]),
                "Horário e status": [
                    messages.NOT_CHANGED_HERE.format(field, messages.CALLS_FOR_OTHER_FIELDS[field])
                    for field in ("startTime", "status")
                ],
            },
            404: UNKNOWN,
        },
        parameters=[expand_parameter(*SHOWN)],
    ),
    exclude_unset=True,
)
def edit_appointment(request: ApiRequest, appointment_id: int) -> Sequence[AppointmentOut]:
    wanted = read_expand(request, *SHOWN)
    kept = Appointment.objects.of(request.clinic).in_use().select_related("patient").filter(pk=appointment_id).first()
    body = EditBody(request.call.payload, request.clinic, kept.patient if kept else None)
    return _appointment_after(request, appointment_id, body, body.save, wanted)


@api.patch(
    "/appointments/{int:appointment_id}/reschedule",
    **operation(
        "rescheduleAppointment",
        tag=openapi.APPOINTMENTS,
        origin=SITE,
        summary="Reagendar",
        description="Move o agendamento para outro horário ou outro médico, pelas mesmas regras de Criar agendamento."
        " Ele passa a Reagendado.",
        answer=list[AppointmentOut],
        links=TO_APPOINTMENT,
        example=[examples.APPOINTMENT | {"status": {"id": 8, "name": "Reagendado", "color": "#11a2af"}}],
        body=schemas.MoveIn,
        bodies={"Outro horário": {"doctorId": 1, "date": "2025-12-24", "startTime": "10:00", "endTime": "10:15"}},
        errors={
            400: TIME_ERRORS,
            404: UNKNOWN | {"Médico desconhecido": messages.DOCTOR_UNKNOWN},
            409: {
                "Horário ocupado": examples.TAKEN,
                "Já atendido": messages.example(Reason.NOT_MOVABLE, current="Finalizado"),
                "Desconto vencido": messages.example(Reason.DISCOUNT_LEFT_BEHIND, discount="Verão", date="23/12/2025"),
            },
        },
        parameters=[expand_parameter(*EXPANSIONS)],
    ),
    exclude_unset=True,
)
def reschedule_appointment(request: ApiRequest, appointment_id: int) -> Sequence[AppointmentOut]:
    wanted = read_expand(request, *EXPANSIONS)
    body = MoveBody(request.call.payload, request.clinic)
    body.offers_alternatives = ALTERNATIVES in wanted
    return _appointment_after(request, appointment_id, body, body.move, wanted)


@api.patch(
    "/appointments/{int:appointment_id}/status",
    **operation(
        "changeAppointmentStatus",
        tag=openapi.APPOINTMENTS,
        origin=SITE,
        summary="Mudar status",
        description="Leva o agendamento a outro status; cada um permite só algumas transições. Agendado, Reagendado e"
        " Confirmado passam a Confirmado, Check-in, Cancelado e, depois do início, a Faltou; Check-in, a Em"
        " atendimento; Em atendimento, a Finalizado. Um passo se desfaz voltando ao anterior. Com outro `doctorId`, `em"
        " atendimento` passa o agendamento a esse médico, se ele realiza os procedimentos e tem o horário livre.",
        answer=list[AppointmentOut],
        links=TO_APPOINTMENT,
        example=[examples.APPOINTMENT | {"status": {"id": 2, "name": "Confirmado", "color": "#7c956e"}}],
        body=schemas.StatusIn,
        bodies={action: {"action": action} for action in ACTIONS},
        errors={
            400: {
                "Sem ação": list(messages.MISSING["action"]),
                "Outro médico": [messages.OTHER_DOCTOR],
                "Outro médico, que não realiza": [
                    messages.example(Reason.PROCEDURE_NOT_OFFERED, procedure="17 BETA ESTRADIOL E2 - SEGUNDA AMOSTRA")
                ],
            },
            404: UNKNOWN | {"Médico desconhecido": messages.DOCTOR_UNKNOWN},
            409: {
                "Transição proibida": messages.example(
                    Reason.TRANSITION_FORBIDDEN, current="Finalizado", wanted="Cancelado"
                ),
                "Falta antes da hora": messages.example(Reason.NOT_YET_BEGUN, time="09:00"),
                "Médico ocupado": messages.example(Reason.ANOTHER_IN_SERVICE),
                "Em outro dia": messages.example(Reason.NOT_THAT_DAY, act="faz check-in", date="25/12/2025"),
                "Horário já dado a outro": examples.TAKEN,
                "Horário fechado": messages.example(
                    Reason.OUTSIDE_HOURS, messages.REFUSALS_OF_STATUSES, nearest="26/12/2025 09:00"
                ),
            },
        },
        parameters=[expand_parameter(*SHOWN)],
    ),
    exclude_unset=True,
)
def change_appointment_status(request: ApiRequest, appointment_id: int) -> Sequence[AppointmentOut]:
    wanted = read_expand(request, *SHOWN)
    body = StatusBody(request.call.payload, request.clinic)
    return _appointment_after(request, appointment_id, body, body.change, wanted)


@api.post(
    "/appointments/{int:appointment_id}/receive-payment",
    **operation(
        "receivePayment",
        tag=openapi.APPOINTMENTS,
        origin=SITE,
        summary="Receber pagamento",
        description="Registra um pagamento do agendamento; pode haver vários. A recepção o vê no agendamento, e ele não"
        " é somado em lugar nenhum. Um agendamento Em atendimento passa a Finalizado; nos outros o status fica como"
        " está. Um Cancelado ou Faltou não recebe pagamento. Mande `Idempotency-Key`: sem ela, repetir o pedido"
        " registra outro pagamento.",
        status=201,
        answer=list[AppointmentOut],
        links=TO_APPOINTMENT,
        example=[examples.APPOINTMENT | {"status": {"id": 7, "name": "Finalizado", "color": "#6d727d"}}],
        body=schemas.PaymentIn,
        bodies={"Cartão em três vezes": examples.PAYMENT},
        errors={
            400: {
                "Sem valor": list(messages.MISSING["value"]),
                "Valor negativo": [messages.example(Reason.PAYMENT_VALUE_IMPOSSIBLE)],
            },
            404: UNKNOWN,
            409: {"Cancelado": messages.example(Reason.NOT_PAYABLE, current="Cancelado")},
        },
        parameters=[expand_parameter(*SHOWN)],
    ),
    exclude_unset=True,
)
def receive_payment(request: ApiRequest, appointment_id: int) -> Status[Sequence[AppointmentOut]]:
    wanted = read_expand(request, *SHOWN)
    body = PaymentBody(request.call.payload, request.clinic)
    return Status(201, _appointment_after(request, appointment_id, body, body.receive, wanted))


def _appointment_after(
    request: ApiRequest,
    appointment_id: int,
    body: Body,
    change: Callable[[int, Author], None],
    wanted: Collection[str],
) -> Sequence[AppointmentOut]:
    """Make the change and return the appointment. Raises RequestError."""
    try:
        change(appointment_id, request.caller.author)
    except Appointment.DoesNotExist as error:
        body.reader.raise_if_invalid()
        raise RequestError(404, messages.APPOINTMENT_UNKNOWN) from error
    return _appointment_answer(request.clinic, appointment_id, wanted)


def _appointment_answer(clinic: Clinic, appointment_id: int, wanted: Collection[str]) -> Sequence[AppointmentOut]:
    elements = _elements(clinic, appointments.with_lines(appointments.listed(clinic).filter(pk=appointment_id), clinic))
    if not elements:
        raise RequestError(404, messages.APPOINTMENT_UNKNOWN)
    return expand(elements, clinic, wanted)


def _elements(clinic: Clinic, rows: Iterable[Appointment]) -> list[AppointmentOut]:
    return [
        element
        for appointment in rows
        for element in AppointmentOut.per_line(appointment, map(LineOut.stored, appointment.lines.all()), clinic)
    ]


def _changed_appointments(query_reader: Query, request: ApiRequest, response: HttpResponse) -> Sequence[AppointmentOut]:
    """Return whole appointments: a program replaces what it has of one."""
    wanted = query_reader.some_of("expand", SHOWN)
    order = keyset.order_of("appointments by change", request.clinic)
    rows = page_of_changes(query_reader, _changed_with_lines, order, request, response)
    return expand(_elements(request.clinic, rows), request.clinic, wanted)


def _changed_with_lines(
    clinic: Clinic, since: datetime, until: datetime, after: changes.Position | None = None
) -> AppointmentQuerySet:
    return appointments.with_lines(changes.changed_appointments(clinic, since, until, after), clinic)


def _position(order: str, line: AppointmentProcedure) -> str:
    return keyset.format_position(order, line.appointment_id, line.position, at=line.appointment.starts_at)


def _comes_after(starts_at: datetime, ids: tuple[int, ...]) -> Q:
    """Return the condition of the lines after the one of this appointment and position."""
    appointment, position = ids
    return Q(appointment__starts_at__gte=starts_at) & (
        Q(appointment__starts_at__gt=starts_at)
        | Q(appointment__gt=appointment)
        | Q(appointment=appointment, position__gt=position)
    )


def _midnight(clinic: Clinic, day: date | None, after: int) -> datetime | None:
    """Return the beginning of a local day, or its end with `after` 1."""
    return clinic.day(day)[after] if day else None
