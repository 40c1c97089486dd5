"""The schemas that this API reads and answers with, as the reference shows them. Names are exactly the vendor's.

Unknown fields of a body are ignored, as the vendor does.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from clinic.api.json_schema import OMITTED, JsonObject
from clinic.api.mivicall import errors, reading
from clinic.models import Appointment as Stored
from clinic.models import Clinic
from clinic.models import Patient as StoredPatient
from clinic.models.appointment import ATTENDED, Status
from clinic.models.procedure import USUAL_DURATION

STATUSES: dict[str, set[Status]] = {
    "confirmed": {Status.SCHEDULED, Status.CONFIRMED},
    "attended": {*ATTENDED},
    "no_show": {Status.NO_SHOW},
    "cancelled": {Status.CANCELLED},
    "rescheduled": {Status.RESCHEDULED},
}
STATUS_NAMES: dict[str, str] = {status: name for name, statuses in STATUSES.items() for status in statuses}

EXAMPLE_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
EXAMPLE_DOCTOR = "7d1f6d2e-5f0a-4a86-9a55-0f9d4f1b7c11"
EXAMPLE_SERVICE = "a5c0b7d4-2f43-4c39-8f6b-6d2a0c9e1e22"
EXAMPLE_HASH = "9f2b5c1e0d7a4f63b8c9e1d2a3f4b5c6d7e8f90112233445566778899aabbccd"
EXAMPLE_REQUEST = "0b9f1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d"
EXAMPLE_START, EXAMPLE_END = "2026-05-14T10:00:00+01:00", "2026-05-14T10:30:00+01:00"

Uuid = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
PhoneHash = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^([0-9a-f]{64})?$"})]
# The same names where they are read, with a message that lists them.
StatusName = Annotated[
    str, PlainValidator(reading.one_of(STATUSES)), WithJsonSchema({"type": "string", "enum": list(STATUSES)})
]
ShownStatus = Literal["confirmed", "attended", "no_show", "cancelled", "rescheduled"]

DEFAULT_LIMIT, DEFAULT_PATIENTS = 50, 20  # sizes of a page


def _with_example(**example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


def example_of(schema: type[BaseModel]) -> JsonObject:
    extra: Any = schema.model_config["json_schema_extra"]  # as `_with_example` makes it
    example: JsonObject = extra["examples"][0]
    return example


# Requests -------------------------------------------------------------------------------------------------------------


class NewAppointment(BaseModel):
    model_config = _with_example(
        professionalId=EXAMPLE_DOCTOR,
        serviceTypeId=EXAMPLE_SERVICE,
        patientName="Maria Silva",
        patientPhone="+351912345678",
        startsAt=EXAMPLE_START,
        patientNotes="Primeira consulta.",
    )

    professionalId: reading.Id = Field(description="Profissional, de GET /v1/professionals.")
    serviceTypeId: reading.Id = Field(description="Serviço, de GET /v1/services; a duração dele dá o endsAt.")
    patientName: reading.Name = Field(description="Nome do utente, com pelo menos uma letra.")
    patientPhone: reading.Phone = Field(
        description="Telefone em E.164. Nunca volta em claro. O que é possível mas não existe no plano de numeração do"
        " país é aceite, e a receção vê “telefone a confirmar”."
    )
    startsAt: reading.Moment = Field(description="Início, ISO 8601 com offset.")
    patientNotes: reading.Notes = Field(OMITTED, description=f"Observações, até {reading.MAX_NOTES_LENGTH} caracteres.")


class AppointmentChanges(BaseModel):
    model_config = _with_example(
        startsAt="2026-05-15T11:00:00+01:00", patientNotes="Pediu outro dia.", metadata={"sala": "2"}
    )

    status: StatusName = Field(OMITTED, description="`rescheduled` só acompanhado de `startsAt`.")
    patientNotes: reading.Notes = Field(OMITTED, description="Substitui as observações; `null` apaga-as.")
    startsAt: reading.Moment = Field(OMITTED, description="Novo início: a marcação passa a `rescheduled`.")
    professionalId: reading.Id = Field(OMITTED, description="Muda de profissional, com ou sem novo `startsAt`.")
    withoutExpiredDiscount: reading.Flag = Field(
        OMITTED,
        description="`true`, só com `startsAt` ou `professionalId`: ao remarcar, retira o desconto que nesse dia já não"
        " vale; sem isso, 409.",
    )
    metadata: reading.Metadata = Field(
        OMITTED,
        description="Substitui o objeto inteiro; até 4 KiB de JSON, sem números que peçam expoente. `{}` esvazia-o.",
    )


SINCE = (
    "Para manter uma cópia: {}, pela ordem em que mudaram, e em `deleted` o que se tira dela. ISO 8601 com offset, de"
    " 2000-01-01T00:00:00Z até agora. Siga `nextCursor`; a última página traz `nextUpdatedSince`, o valor da próxima"
    " vez. Vai só com `limit` e `cursor`."
)
NEXT_SINCE = "Só com `updatedSince`, na última página: o `updatedSince` da próxima vez."


class NewProfessional(BaseModel):
    model_config = _with_example(name="Dra. Helena Prado", specialty="Cardiologia")

    name: reading.ProfessionalName = Field(description="Nome, com o título antes dele: “Dra. Helena Prado”.")
    specialty: reading.Specialty = Field(OMITTED, description="Especialidade, em texto livre.")


class ProfessionalChanges(BaseModel):
    model_config = _with_example(specialty="Cardiologia pediátrica")

    name: reading.ProfessionalName = Field(OMITTED, description="Nome, com o título antes dele.")
    specialty: reading.Specialty = Field(OMITTED, description="Especialidade; `null` apaga-a.")


PERFORMING = "Os profissionais que fazem o serviço, todos de uma vez."


class NewService(BaseModel):
    model_config = _with_example(
        name="Consulta de cardiologia", durationMinutes=30, price=252.0, professionalIds=[EXAMPLE_DOCTOR]
    )

    name: reading.ServiceName = Field(description="Nome, com pelo menos uma letra.")
    price: reading.Amount = Field(description="Na moeda da clínica, com dois decimais no máximo.")
    durationMinutes: reading.Minutes = Field(OMITTED, description=f"Duração; sem ela, {USUAL_DURATION} minutos.")
    professionalIds: reading.Ids = Field(OMITTED, description=PERFORMING)


class ServiceChanges(BaseModel):
    model_config = _with_example(price=260.0)

    name: reading.ServiceName = Field(OMITTED, description="Nome, com pelo menos uma letra.")
    price: reading.Amount = Field(OMITTED, description="Vale para o que se marcar a partir de agora.")
    durationMinutes: reading.Minutes = Field(OMITTED, description="Vale para o que se marcar a partir de agora.")
    professionalIds: reading.Ids = Field(OMITTED, description=PERFORMING)


class TenantChanges(BaseModel):
    model_config = _with_example(phone="+351211234567", address="Praça Dom Pedro IV, 12, 2.º", city="Lisboa")

    name: reading.TenantName = Field(OMITTED, description="Nome, com pelo menos uma letra.")
    phone: reading.TenantPhone = Field(OMITTED, description="Telefone em E.164; `null` apaga-o.")
    address: reading.Address = Field(OMITTED, description="Morada; `null` apaga-a.")
    city: reading.Town = Field(OMITTED, description="Localidade; `null` apaga-a.")


BODIES: list[type[BaseModel]] = [
    NewAppointment,
    AppointmentChanges,
    NewProfessional,
    ProfessionalChanges,
    NewService,
    ServiceChanges,
    TenantChanges,
]


class ConfirmationFilter(BaseModel):
    confirmation: reading.Confirmation = Field(
        OMITTED, description="A `confirmation` de um 409 `appointments_pending`: faz o que foi pedido apesar delas."
    )


class Expanding(BaseModel):
    expand: reading.Expand = Field(
        OMITTED,
        description="O que juntar à resposta, entre vírgulas: os nomes (`professional`, `service`) e o início em"
        " palavras (`spoken`).",
    )


class AppointmentFilters(Expanding):
    since: reading.QueryMoment = Field(
        OMITTED, alias="from", description="`startsAt` a partir deste instante, inclusive."
    )
    before: reading.QueryMoment = Field(OMITTED, alias="to", description="`startsAt` antes deste instante, exclusive.")
    professionalId: reading.Id = Field(OMITTED, description="Só deste profissional.")
    status: StatusName = Field(OMITTED, description="Só neste estado.")
    updatedSince: reading.Since = Field(
        OMITTED, description=SINCE.format("as marcações que mudaram, ou cujo utente mudou")
    )
    limit: reading.Limit = Field(DEFAULT_LIMIT, description="Quantas de cada vez.")
    cursor: reading.Cursor = Field(OMITTED, description="O `nextCursor` da página anterior.")


class AvailabilityFilters(Expanding):
    serviceTypeId: reading.Id = Field(description="Serviço a marcar: dá a duração.")
    professionalId: reading.Id = Field(OMITTED, description="Sem ele: qualquer profissional que faça o serviço.")
    since: reading.QueryMoment = Field(alias="from", description="`startsAt` a partir deste instante, inclusive.")
    before: reading.QueryMoment = Field(
        alias="to", description="`startsAt` antes deste instante, exclusive; no máximo 62 dias depois de `from`."
    )
    limit: reading.Limit = Field(DEFAULT_LIMIT, description="Quantas horas no máximo.")


class PatientFilters(BaseModel):
    search: reading.Search = Field(
        OMITTED,
        description="Qualquer parte do nome, sem diferença de acentos e maiúsculas. Obrigatório sem `updatedSince`.",
        examples=["Maria"],
    )
    updatedSince: reading.Since = Field(
        OMITTED, description=SINCE.format("os utentes que mudaram, quem faleceu também")
    )
    limit: reading.Limit = Field(
        OMITTED, description=f"Quantos utentes no máximo: {DEFAULT_PATIENTS}, ou com `updatedSince` {DEFAULT_LIMIT}."
    )
    cursor: reading.Cursor = Field(OMITTED, description="Só com `updatedSince`: o `nextCursor` da página anterior.")


# Answers --------------------------------------------------------------------------------------------------------------


class Professional(BaseModel):
    model_config = _with_example(id=EXAMPLE_DOCTOR, name="Dra. Helena Prado", specialty="Cardiologia")

    id: Uuid
    name: str
    specialty: str


class NamedService(BaseModel):
    model_config = _with_example(
        id=EXAMPLE_SERVICE,
        name="Consulta de cardiologia",
        durationMinutes=30,
        preparation="Jejum de 8 horas.",
    )

    id: Uuid
    name: str
    durationMinutes: int
    preparation: str | None = Field(description="O que o utente deve fazer ou trazer.")


class Expansion(BaseModel):
    """What appointments and free times have only if a request asks for it."""

    professional: Professional = Field(OMITTED, description="Só com `expand=professional`.")
    service: NamedService | None = Field(OMITTED, description="Só com `expand=service`.")
    spoken: str = Field(OMITTED, description="O início em palavras, como se diz hoje. Só com `expand=spoken`.")
    label: str = Field(OMITTED, description="O início como se lê, `qui 14/05/2026 10:00`. Só com `expand=spoken`.")


class PrintedAppointment(BaseModel):
    model_config = _with_example(
        id=EXAMPLE_ID,
        professionalId=EXAMPLE_DOCTOR,
        patientName="Maria Silva",
        startsAt=EXAMPLE_START,
        endsAt=EXAMPLE_END,
        status="confirmed",
        source="voice_ai",
        serviceTypeId=EXAMPLE_SERVICE,
        patientPhoneHash=EXAMPLE_HASH,
        patientNotes="Primeira consulta.",
        metadata={},
        createdAt="2026-05-11T08:12:43Z",
    )

    id: Uuid
    professionalId: Uuid
    patientName: str
    startsAt: Instant = Field(description="Com o offset da clínica.")
    endsAt: Instant = Field(description="Com o offset da clínica.")
    status: ShownStatus
    source: Literal["voice_ai", "manual", "self_service", "sync_external"]
    serviceTypeId: Uuid | None
    patientPhoneHash: PhoneHash = Field(
        description="HMAC-SHA256 do telefone E.164, com uma chave da clínica; vazio se não há telefone na ficha."
    )
    patientNotes: str | None
    metadata: dict[str, Any]
    createdAt: Instant = Field(description="Em UTC.")


class Appointment(Expansion, PrintedAppointment):
    model_config = PrintedAppointment.model_config


class Deleted(BaseModel):
    id: Uuid
    deletedAt: Instant = Field(description="Em UTC.")


class AppointmentPage(BaseModel):
    items: list[Appointment]
    deleted: list[Deleted] = Field(OMITTED, description="Só com `updatedSince`: o que se tira da cópia.")
    nextCursor: str = Field(OMITTED, description="Só quando há mais.")
    nextUpdatedSince: Instant = Field(OMITTED, description=NEXT_SINCE)


class Professionals(BaseModel):
    items: list[Professional]


class Service(BaseModel):
    model_config = _with_example(
        id=EXAMPLE_SERVICE,
        name="Consulta de cardiologia",
        durationMinutes=30,
        price=252.0,
        currency="EUR",
        professionalIds=[EXAMPLE_DOCTOR],
    )

    id: Uuid
    name: str
    durationMinutes: int
    price: float = Field(description="Na moeda `currency`.")
    currency: Literal["BRL", "EUR"]
    professionalIds: list[Uuid] = Field(description="Os profissionais que fazem o serviço.")


class Services(BaseModel):
    items: list[Service]


class TenantConfig(BaseModel):
    timezone: str
    locale: str
    specialties: list[str] = Field(description="As especialidades dos profissionais.")


class Tenant(BaseModel):
    model_config = _with_example(
        id=EXAMPLE_ID,
        name="Clínica do Rossio",
        specialty="medical",
        status="active",
        phone="+351211234567",
        address="Praça Dom Pedro IV, 12, 2.º",
        city="Lisboa",
        publicSlug="clinica-do-rossio",
        config={
            "timezone": "Europe/Lisbon",
            "locale": "pt-PT",
            "specialties": ["Cardiologia", "Clínica geral"],
        },
    )

    id: Uuid
    name: str
    specialty: Literal["medical"] = Field(description="As dos profissionais estão em `config.specialties`.")
    status: Literal["active"]
    phone: str | None = Field(description="O telefone da clínica em E.164.")
    address: str | None
    city: str | None
    publicSlug: str = Field(description="O identificador da clínica.")
    config: TenantConfig


class PrintedFreeTime(BaseModel):
    model_config = _with_example(startsAt=EXAMPLE_START, endsAt=EXAMPLE_END, professionalId=EXAMPLE_DOCTOR)

    startsAt: Instant
    endsAt: Instant
    professionalId: Uuid


class FreeTime(Expansion, PrintedFreeTime):
    model_config = PrintedFreeTime.model_config


class Availability(BaseModel):
    items: list[FreeTime]


class Patient(BaseModel):
    model_config = _with_example(id=EXAMPLE_ID, name="Maria Silva", patientPhoneHash=EXAMPLE_HASH)

    id: Uuid
    name: str
    patientPhoneHash: PhoneHash


class Patients(BaseModel):
    items: list[Patient]
    deleted: list[Deleted] = Field(OMITTED, description="Só com `updatedSince`: quem se tira da cópia.")
    nextCursor: str = Field(OMITTED, description="Só com `updatedSince`, quando há mais.")
    nextUpdatedSince: Instant = Field(OMITTED, description=NEXT_SINCE)


class PatientsOfPhone(BaseModel):
    model_config = _with_example(
        patientPhoneHash=EXAMPLE_HASH, patients=[example_of(Patient)], appointments=[example_of(Appointment)]
    )

    patientPhoneHash: PhoneHash
    patients: list[Patient] = Field(description="Todos os que têm este telefone: uma família pode partilhá-lo.")
    appointments: list[Appointment] = Field(description="As marcações de todos eles, da mais recente para trás.")


class Health(BaseModel):
    model_config = _with_example(
        status="ok", service="clinic-agenda", timestamp="2026-05-11T08:12:43Z", requestId=EXAMPLE_REQUEST
    )

    status: Literal["ok"]
    service: str
    timestamp: Instant
    requestId: Uuid


class Error(BaseModel):
    error: str = Field(description="Código estável.")
    message: str = Field(description="O que se passou, em português.")
    requestId: Uuid


class FieldError(BaseModel):
    path: str = Field(description="O campo; vazio quando é o corpo inteiro.")
    message: str


class Invalid(Error):
    errors: list[FieldError] = Field(OMITTED, description="Todos os campos inválidos; só em `validation_failed`.")


class Conflict(Error):
    alternatives: list[Instant] = Field(
        OMITTED, description="Só quando o conflito é da hora: os três inícios livres que se lhe seguem."
    )
    count: int = Field(OMITTED, description="Só em `appointments_pending`: quantas marcações ficariam sem hora.")
    confirmation: str = Field(OMITTED, description="Só em `appointments_pending`: repete-se o pedido com ela.")


class TooMany(BaseModel):
    model_config = _with_example(error="rate_limit_exceeded", message=errors.too_many_message(12), retryAfter=12)

    error: Literal["rate_limit_exceeded"]
    message: str
    retryAfter: int = Field(description="Segundos.")


# Rows as answers ------------------------------------------------------------------------------------------------------


def appointment(clinic: Clinic, row: Stored, service: UUID | None) -> JsonObject:
    """Return a row as an answer; `service` is the uuid of its first line's procedure, or None.

    The row belongs to this clinic and has doctor and patient loaded.
    """
    return {
        "id": str(row.uuid),
        "professionalId": str(row.doctor.uuid),
        "patientName": row.patient.display_name,
        "startsAt": clinic.local(row.starts_at).isoformat(),
        "endsAt": clinic.local(row.ends_at).isoformat(),
        "status": STATUS_NAMES[row.status],
        "source": row.source,
        "serviceTypeId": str(service) if service else None,
        "patientPhoneHash": row.patient.phone_hash,
        "patientNotes": row.notes or None,
        "metadata": row.metadata,
        "createdAt": in_utc(row.created_at),
    }


def patient(row: StoredPatient) -> JsonObject:
    return {"id": str(row.uuid), "name": row.display_name, "patientPhoneHash": row.phone_hash}


def deleted(row: Stored | StoredPatient, at: datetime) -> JsonObject:
    return {"id": str(row.uuid), "deletedAt": in_utc(at)}


def in_utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
