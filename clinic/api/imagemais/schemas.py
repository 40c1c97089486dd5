"""The schemas of answers, with the vendor's keys in the vendor's order, and of bodies, for the OpenAPI document.

Bodies are read in `bodies`, which reports errors in the vendor's words; tests keep the two consistent.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Self, TypedDict, cast

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from clinic.api.imagemais import statuses
from clinic.api.imagemais.messages import PAYMENT_METHODS, WEEKDAYS
from clinic.api.json_schema import OMITTED, integer_pattern
from clinic.booking import MAX_PROCEDURES, PricedLine
from clinic.models import (
    Appointment,
    AppointmentProcedure,
    Clinic,
    Discount,
    Doctor,
    Patient,
    Procedure,
)
from clinic.models.doctor import LONGEST_INTERVAL, SHORTEST_INTERVAL
from clinic.models.limits import max_length
from clinic.models.receipt import MAX_INSTALMENTS
from clinic.queries.changes import appointment_left_at, left_lists_at
from clinic.schedule import FreeStart, Opening
from clinic.templatetags.formats import cpf, phone

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Clock = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})]
EndClock = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"})]
Money = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,2})?$"})]
Color = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^#[0-9a-f]{6}$"})]


def instant(moment: datetime) -> str:
    """Format an instant as 2025-12-22T16:35:33.920Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def calendar_date(day: date) -> str:
    """Format a date as 2025-12-25T00:00:00.000Z, as the vendor does."""
    return f"{day.isoformat()}T00:00:00.000Z"


def money(amount: Decimal) -> str:
    """Format an amount without trailing zeros: 252 and 50.4."""
    return f"{amount.normalize():f}"


def percent(amount: Decimal) -> int | float:
    return int(amount) if amount == int(amount) else float(amount)


SPOKEN = "O início em palavras, como se diz hoje. Só com `expand=spoken`."
LABEL = "O início como se lê, `qui 25/12/2025 09:00`. Só com `expand=spoken`."


class NamedOut(BaseModel):
    id: int
    name: str


class ContactOut(BaseModel):
    phone: str | None = Field(description="`null` se o cadastro não tem telefone.")


class PatientOut(BaseModel):
    dateBirth: Instant | None
    id: int
    name: str = Field(description="O nome social, se houver; senão o do documento.")
    cpf: str | None
    contact: ContactOut

    @classmethod
    def of(cls, patient: Patient, clinic: Clinic) -> Self:
        return cls(
            dateBirth=calendar_date(patient.birth_date) if patient.birth_date else None,
            id=patient.pk,
            name=patient.display_name,
            cpf=cpf(patient.cpf) or None,
            contact=ContactOut(phone=phone(patient.phone, clinic) or None),
        )


class ListedPatientOut(PatientOut):
    deletedAt: Instant = Field(
        OMITTED, description="Só com `updatedSince`, de quem saiu das listas: tire-o da sua cópia."
    )

    @classmethod
    def changed(cls, patient: Patient, clinic: Clinic) -> Self:
        """Return the patient, with `deletedAt` if the lists have the patient no more."""
        listed = cls.of(patient, clinic)
        if left_at := left_lists_at(patient):
            listed.deletedAt = instant(left_at)
        return listed


class StatusOut(BaseModel):
    id: int
    name: str
    color: Color


class DiscountOut(BaseModel):
    id: int
    name: str
    fixed: Money | None
    percentage: int | float | None
    expirationDate: Instant | None

    @classmethod
    def of(cls, discount: Discount, name: str = "") -> Self:
        """`name` is the name at the time when the discount was applied."""
        return cls(
            id=discount.pk,
            name=name or discount.name,
            fixed=None if discount.fixed is None else money(discount.fixed),
            percentage=None if discount.percentage is None else percent(discount.percentage),
            expirationDate=calendar_date(discount.expires_on) if discount.expires_on else None,
        )


class AppliedDiscountOut(BaseModel):
    discountId: int
    value: Money
    discount: DiscountOut

    @classmethod
    def of(cls, discount: Discount, value: Decimal, name: str = "") -> Self:
        return cls(discountId=discount.pk, value=money(value), discount=DiscountOut.of(discount, name))


class PricedProcedureOut(BaseModel):
    id: int
    name: str
    price: Money

    @classmethod
    def of(cls, procedure: Procedure, price: Decimal, name: str = "") -> Self:
        """`price` is that of today, `name` the name at the time of booking."""
        return cls(id=procedure.pk, name=name or procedure.name, price=money(price))


class LineProcedureOut(PricedProcedureOut):
    preparation: str | None = Field(default=OMITTED, description="O que preparar. Só com `expand=preparation`.")


class LineOut(BaseModel):
    price: Money
    discountsAppointmentProcedures: list[AppliedDiscountOut]
    procedure: LineProcedureOut

    @classmethod
    def of(cls, line: PricedLine) -> Self:
        """Build a line that was just booked."""
        discounts = [AppliedDiscountOut.of(*applied) for applied in line.discounts]
        return cls(
            price=money(line.price),
            discountsAppointmentProcedures=discounts,
            procedure=LineProcedureOut.of(line.procedure, line.procedure.price),
        )

    @classmethod
    def stored(cls, line: AppointmentProcedure) -> Self:
        """Build a line as loaded by `clinic.queries.appointments.with_lines`."""
        applied = line.discounts.all()
        discounts = [AppliedDiscountOut.of(row.discount, row.value, row.discount_name) for row in applied]
        return cls(
            price=money(line.price),
            discountsAppointmentProcedures=discounts,
            procedure=LineProcedureOut.of(line.procedure, _price_now(line), line.procedure_name),
        )


class ClinicOut(BaseModel):
    name: str
    phone: str | None = Field(description="O telefone da clínica, E.164.")
    address: str | None
    city: str | None

    @classmethod
    def of(cls, clinic: Clinic) -> Self:
        return cls(
            name=clinic.name, phone=clinic.phone or None, address=clinic.address or None, city=clinic.town or None
        )


class AppointmentOut(BaseModel):
    """One procedure of an appointment, with all data of the appointment."""

    id: int
    date: Instant
    startTime: Clock
    endTime: Clock
    notes: str | None
    accountId: int
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant | None
    doctor: NamedOut
    patient: PatientOut
    status: StatusOut
    appointmentProcedures: LineOut
    spoken: str = Field(default=OMITTED, description=SPOKEN)
    label: str = Field(default=OMITTED, description=LABEL)
    clinic: ClinicOut = Field(default=OMITTED, description="Onde é. Só com `expand=clinic`.")

    @classmethod
    def per_line(cls, appointment: Appointment, lines: Iterable[LineOut], clinic: Clinic) -> list[Self]:
        """Return one element per line; the appointment has its doctor and patient loaded."""
        starts_at, ends_at = clinic.local(appointment.starts_at), clinic.local(appointment.ends_at)
        left_at = appointment_left_at(appointment)
        api_status = statuses.API_STATUSES[Appointment.Status(appointment.status)]
        common: dict[str, Any] = {
            "id": appointment.pk,
            "date": calendar_date(starts_at.date()),
            "startTime": f"{starts_at:%H:%M}",
            "endTime": f"{ends_at:%H:%M}",
            "notes": None if appointment.patient.blocked_at else appointment.notes or None,
            "accountId": clinic.pk,
            "createdAt": instant(appointment.created_at),
            "updatedAt": instant(appointment.updated_at),
            "deletedAt": instant(left_at) if left_at else None,
            "doctor": NamedOut(id=appointment.doctor_id, name=appointment.doctor_name),
            "patient": PatientOut.of(appointment.patient, clinic),
            "status": StatusOut(**api_status._asdict()),
        }
        return [cls(**common, appointmentProcedures=line) for line in lines]


class ProcedureOut(BaseModel):
    id: int
    name: str
    price: Money
    durationMinutes: int

    @classmethod
    def of(cls, procedure: Procedure) -> Self:
        """The procedure has its `price_now` loaded."""
        return cls(
            id=procedure.pk,
            name=procedure.name,
            price=money(_price_now(procedure)),
            durationMinutes=procedure.duration_minutes,
        )


class Busy(TypedDict):
    """The annotation of a doctor: `is_busy` is true while a patient is being attended."""

    is_busy: bool


class DoctorOut(BaseModel):
    """A doctor. `startTime` is the earliest of the week, `endTime` the latest; null, without days, without hours."""

    id: int
    name: str
    intervalMinutes: int
    startTime: Clock | None
    endTime: Clock | None
    workingDays: list[str] = Field(json_schema_extra={"items": {"type": "string", "enum": list(WEEKDAYS)}})
    isBusy: bool
    procedures: list[PricedProcedureOut]

    @classmethod
    def of(cls, doctor: "WithAnnotations[Doctor, Busy]") -> Self:
        """The doctor has `hours`, active `procedures` with their `price_now`, and `is_busy` loaded."""
        hours = doctor.hours.all()
        return cls(
            id=doctor.pk,
            name=doctor.full_name,
            intervalMinutes=doctor.interval_minutes,
            startTime=f"{min(row.starts for row in hours):%H:%M}" if hours else None,
            endTime=f"{max((row.ends <= row.starts, row.ends) for row in hours)[1]:%H:%M}" if hours else None,
            workingDays=[WEEKDAYS[weekday - 1] for weekday in sorted({row.weekday for row in hours})],
            isBusy=doctor.is_busy,
            procedures=[
                PricedProcedureOut.of(procedure, _price_now(procedure)) for procedure in doctor.procedures.all()
            ],
        )


class SlotOut(BaseModel):
    """`freeUntil` is there where no length was asked for: until when the doctor is free from that start."""

    startTime: Clock
    endTime: Clock
    freeUntil: Clock = Field(default=OMITTED)
    spoken: str = Field(default=OMITTED, description=SPOKEN)
    label: str = Field(default=OMITTED, description=LABEL)

    @classmethod
    def of(cls, opening: Opening, clinic: Clinic) -> Self:
        return cls(startTime=clock(opening.starts_at, clinic), endTime=clock(opening.ends_at, clinic))

    @classmethod
    def of_grid(cls, start: FreeStart, length: timedelta, clinic: Clinic) -> Self:
        ends_at = start.starts_at + length
        return cls(
            startTime=clock(start.starts_at, clinic),
            endTime=clock(ends_at, clinic),
            freeUntil=clock(start.until, clinic),
        )


def _price_now(row: Procedure | AppointmentProcedure) -> Decimal:
    """Return what is loaded as `price_now`."""
    price: Decimal = cast("Any", row).price_now
    return price


def clock(instant: datetime, clinic: Clinic) -> str:
    """Format an instant as HH:mm of the clinic's clock."""
    return f"{clinic.local(instant):%H:%M}"


class MessagesOut(BaseModel):
    """A list of messages about the fields, or one message about another cause."""

    message: list[str] | str
    error: str
    statusCode: int


class MessageOut(BaseModel):
    message: str
    error: str
    statusCode: int


class BareMessageOut(BaseModel):
    statusCode: int
    message: str


# Bodies --------------------------------------------------------------------------------------------------------------

MAX_NAME_LENGTH, MAX_NOTES_LENGTH = max_length(Patient, "name"), max_length(Appointment, "notes")
MAX_DOCTOR_NAME_LENGTH = max_length(Doctor, "name")
NUMERIC: dict[str, Any] = {"type": "string", "pattern": "^[0-9]{1,40}$"}
Id = Annotated[int | str, WithJsonSchema({"anyOf": [{"type": "integer"}, NUMERIC]})]
# A date is also accepted as answers write it, followed by T00:00:00.000Z.
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
PatientName = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NAME_LENGTH})]
DoctorName = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_DOCTOR_NAME_LENGTH})]
Notes = Annotated[str, WithJsonSchema({"type": "string", "maxLength": MAX_NOTES_LENGTH})]
Phone = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1})]
Cpf = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^[ .\-]*([0-9][ .\-]*){11}$"})]
OptionalCpf = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^([ .\-]*([0-9][ .\-]*){11})?$"})]
Minutes = Annotated[
    int | str,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": SHORTEST_INTERVAL, "maximum": LONGEST_INTERVAL},
                {"type": "string", "pattern": f"^0{{0,9}}({integer_pattern(SHORTEST_INTERVAL, LONGEST_INTERVAL)})$"},
            ]
        }
    ),
]
WEEKDAY = f"({'|'.join(WEEKDAYS)})"
Weekday = Annotated[str, WithJsonSchema({"type": "string", "enum": list(WEEKDAYS)})]
Weekdays = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{WEEKDAY}(,{WEEKDAY})*$"})]
Amount = Annotated[
    int | float | str,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 99999999.99},
                {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"},
            ]
        }
    ),
]
Action = Annotated[str, WithJsonSchema({"type": "string", "enum": list(statuses.ACTIONS)})]


class ContactIn(BaseModel):
    phone: Phone | None = Field(None, description="O mesmo que `phone`, no lugar em que as respostas o trazem.")


# Null means that it was not sent. Written with `not`, since generators of clients take an inner object for a model.
NOT_EMPTY = {"not": {"anyOf": [{"type": "null"}, {"properties": {"phone": {"type": "null"}}}]}}
CONTACT_GIVEN: dict[str, Any] = {"required": ["contact"], "properties": {"contact": NOT_EMPTY}}


class PatientFields(BaseModel):
    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["phone"]}, CONTACT_GIVEN]})

    name: PatientName = Field(description=f"Nome, até {MAX_NAME_LENGTH} caracteres.")
    phone: Phone = Field(
        OMITTED, description="Telefone com DDD, com ou sem pontuação; de outro país, com + e o código dele."
    )
    contact: ContactIn | None = Field(None, description="Em vez de `phone`.")


BIRTH_DATE = "Data de nascimento, YYYY-MM-DD, de 1900 até ontem. De um instante ISO 8601 vale a data, como escrita."


class PatientIn(PatientFields):
    dateBirth: Day = Field(description=BIRTH_DATE)
    cpf: Cpf = Field(description="CPF, com ou sem pontuação.")


class RegisteredPatientIn(BaseModel):
    name: PatientName = Field(description=f"Nome, até {MAX_NAME_LENGTH} caracteres.")
    phone: Phone | None = Field(
        None,
        description="Telefone com DDD, com ou sem pontuação; de outro país, com + e o código dele. Sem ele, a recepção"
        " vê “cadastro incompleto”.",
    )
    contact: ContactIn | None = Field(None, description="Em vez de `phone`.")
    dateBirth: Day | None = Field(None, description=f"{BIRTH_DATE} Sem ela, a recepção vê “cadastro incompleto”.")
    cpf: OptionalCpf | None = Field(
        None, description="CPF, com ou sem pontuação. Os dígitos verificadores devem conferir."
    )


class EditedPatientIn(PatientFields):
    dateBirth: Day = Field(description=BIRTH_DATE)
    cpf: OptionalCpf | None = Field(
        None, description="CPF, com ou sem pontuação. Sem ele, fica o que está no cadastro; `null` o apaga."
    )


class PatientChangesIn(BaseModel):
    name: PatientName = Field(OMITTED, description=f"Nome, até {MAX_NAME_LENGTH} caracteres.")
    phone: Phone = Field(OMITTED, description="Telefone com DDD, com ou sem pontuação.")
    contact: ContactIn | None = Field(None, description="Em vez de `phone`.")
    dateBirth: Day | None = Field(
        None,
        description="Data de nascimento, YYYY-MM-DD. De um instante ISO 8601 vale a data, como escrita. `null` apaga.",
    )
    cpf: Cpf | None = Field(
        None, description="CPF, com ou sem pontuação. Os dígitos verificadores devem conferir. `null` o apaga."
    )


class LineIn(BaseModel):
    id: Id = Field(description="Id do procedimento, de GET /api/procedures.")
    discountId: Id | None = Field(None, description="Desconto deste procedimento, de GET /api/discounts.")


class BookingIn(BaseModel):
    patient: PatientIn = Field(description="Quem será atendido.")
    procedures: list[LineIn] = Field(
        min_length=1,
        max_length=MAX_PROCEDURES,
        description=f"O que será feito, até {MAX_PROCEDURES} procedimentos; o médico realiza todos.",
    )
    doctorId: Id = Field(description="Id do médico, de GET /api/doctors.")
    date: Day = Field(description="Data, YYYY-MM-DD, hoje ou futura.")
    startTime: Clock = Field(description="Início, HH:mm, no fuso da clínica.")
    endTime: EndClock = Field(
        description="Término, HH:mm, no fuso da clínica. 24:00 é o fim do dia; um término que não vem depois do início,"
        " em até 12 horas, é do dia seguinte."
    )
    discountId: Id | None = Field(None, description="Desconto do agendamento inteiro, de GET /api/discounts.")
    notes: Notes | None = Field(None, description=f"Observações, até {MAX_NOTES_LENGTH} caracteres.")


class EditIn(BaseModel):
    patient: EditedPatientIn = Field(OMITTED, description="Os dados do paciente, que os substituem no cadastro.")
    notes: Notes | None = Field(None, description=f"Observações, até {MAX_NOTES_LENGTH} caracteres. `null` as apaga.")


class MoveIn(BaseModel):
    doctorId: Id = Field(description="Id do médico, o mesmo ou outro.")
    date: Day = Field(description="Data, YYYY-MM-DD, hoje ou futura.")
    startTime: Clock = Field(description="Início, HH:mm, no fuso da clínica.")
    endTime: EndClock = Field(
        description="Término, HH:mm, no fuso da clínica. 24:00 é o fim do dia; um término que não vem depois do início,"
        " em até 12 horas, é do dia seguinte."
    )
    withoutExpiredDiscount: bool = Field(
        OMITTED, description="`true`: tira do agendamento o desconto que na nova data já não vale; sem isso, 409."
    )


class StatusIn(BaseModel):
    action: Action = Field(description="O status que o agendamento passa a ter.")
    doctorId: Id | None = Field(
        None,
        description="O médico do agendamento; em `em atendimento` também outro, que passa a ser o dele.",
    )


PaymentMethod = Annotated[str, WithJsonSchema({"type": "string", "enum": list(PAYMENT_METHODS)})]
CardFlag = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^([A-Za-z0-9][A-Za-z0-9 ./+-]{0,29})?$"})]
Instalments = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_INSTALMENTS})]
Protocol = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^([A-Za-z0-9][A-Za-z0-9./:_-]{0,59})?$"})]


class PaymentIn(BaseModel):
    method: PaymentMethod = Field(description="A forma do pagamento.")
    value: Amount = Field(description="Quanto foi recebido, mais que zero, na moeda da clínica: número ou texto.")
    flag: CardFlag | None = Field(None, description="A bandeira do cartão.")
    instalments: Instalments | None = Field(None, description="Em quantas parcelas; sem ele, uma.")
    protocol: Protocol | None = Field(
        None, description="O número da operação, onde foi paga. Nada que identifique o paciente."
    )


class DoctorIn(BaseModel):
    name: DoctorName = Field(description=f"Nome, até {MAX_DOCTOR_NAME_LENGTH} caracteres.")
    procedureIds: list[Id] = Field(min_length=1, description="Os procedimentos que realiza.")
    startTime: Clock = Field(description="Início do expediente, HH:mm, em cada um dos dias.")
    endTime: EndClock = Field(
        description="Fim do expediente, HH:mm, em cada um dos dias. 24:00 é o fim do dia; um fim que não vem depois do"
        " início é do dia seguinte, até 16 horas depois."
    )
    intervalMinutes: Minutes = Field(
        description="De quantos em quantos minutos começam os horários livres:"
        f" de {SHORTEST_INTERVAL} a {LONGEST_INTERVAL}."
    )
    workingDays: Annotated[list[Weekday], Field(min_length=1)] | Weekdays = Field(
        description=f"Dias de trabalho: {', '.join(WEEKDAYS)}. Um por elemento ou todos num texto, separados por"
        " vírgulas; com ou sem acento e “-feira”."
    )


BODIES: list[type[BaseModel]] = [
    BookingIn,
    EditIn,
    MoveIn,
    StatusIn,
    RegisteredPatientIn,
    PatientChangesIn,
    DoctorIn,
    PaymentIn,
]
