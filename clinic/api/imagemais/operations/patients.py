import re
from functools import partial

from django.http import HttpResponse
from ninja import Status

from clinic.api import keyset
from clinic.api.gateway import ApiRequest
from clinic.api.imagemais import examples, messages, openapi, schemas
from clinic.api.imagemais.api import api
from clinic.api.imagemais.bodies import PatientBody
from clinic.api.imagemais.errors import RequestError
from clinic.api.imagemais.openapi import (
    AFTER,
    NEXT_SINCE_HEADER,
    PAGE,
    SINCE_ERRORS,
    SITE,
    links_to,
    operation,
    query,
    updated_since,
)
from clinic.api.imagemais.paging import Page, page_of_changes
from clinic.api.imagemais.reading import Query
from clinic.api.imagemais.schemas import ListedPatientOut, PatientOut
from clinic.models import Clinic, documents, phones
from clinic.models.characters import plain
from clinic.queries import patients
from clinic.queries.changes import changed_patients
from clinic.queries.patients import SHORTEST_PHONE_PART
from clinic.refusals import Reason
from clinic.registry import current_patient

CPF_TAKEN = {"CPF de outro paciente": messages.example(Reason.CPF_TAKEN, messages.REFUSALS_OF_PATIENTS)}
REGISTERED = {"Nome e telefone já cadastrados": messages.example(Reason.PATIENT_EXISTS, messages.REFUSALS_OF_PATIENTS)}
WITH_CPF = {"name": "João Silva", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "529.982.247-25"}
STORED = examples.STORED_PATIENT | {"cpf": "529.982.247-25"}


@api.get(
    "/patients",
    exclude_unset=True,
    **operation(
        "listPatients",
        tag=openapi.PATIENTS,
        origin=SITE,
        summary="Listar pacientes",
        description="Os pacientes da clínica em ordem de cadastro, menos os falecidos e os que foram juntados a outro."
        " Um filtro vazio é 400: nunca quer dizer todos.",
        answer=list[ListedPatientOut],
        links=links_to("patient_id", "/0/id", "editPatient"),
        example=[STORED],
        parameters=[
            query(
                "name",
                {"type": "string", "minLength": 1, "maxLength": schemas.MAX_NAME_LENGTH},
                "Uma parte do nome, com ou sem acentos.",
                example="silva",
            ),
            query(
                "cpf",
                {"type": "string", "pattern": r"^[ .\-]*([0-9][ .\-]*){11}$"},
                "O CPF inteiro, com ou sem pontuação.",
                example="529.982.247-25",
            ),
            query(
                "phone",
                {"type": "string", "pattern": f"^([^0-9]*[0-9]){{{SHORTEST_PHONE_PART},}}[^0-9]*$"},
                "Pelo menos quatro dígitos seguidos de um dos telefones do cadastro, com ou sem pontuação. A resposta"
                " traz o primeiro.",
                example="(81) 99999-9999",
            ),
            query(
                "deleted",
                {"type": "string", "enum": ["true", "false"]},
                "Os excluídos: não há, porque aqui nenhum paciente é apagado.",
            ),
            updated_since("os pacientes que mudaram, os falecidos também"),
            *PAGE,
            AFTER,
        ],
        errors={400: {"CPF ilegível": list(messages.UNREADABLE_IN_QUERIES["cpf"])} | SINCE_ERRORS},
        headers=NEXT_SINCE_HEADER,
    ),
)
def list_patients(request: ApiRequest, response: HttpResponse) -> list[ListedPatientOut]:
    query_reader = Query(request)
    if query_reader.has("updatedSince"):
        return _changed_patients(query_reader, request, response)
    order = keyset.order_of("patients", request.clinic)
    name = _name(query_reader)
    cpf = _cpf(query_reader)
    phone = _phone(query_reader, request.clinic)
    only_deleted = query_reader.choice("deleted", {"true": True, "false": False}, required=False)
    page = Page(query_reader, partial(keyset.parse_ids, order=order, count=1))
    query_reader.raise_if_invalid()
    rows = patients.listed(request.clinic, name=name, cpf=cpf, phone=phone)
    rows = rows.none() if only_deleted else rows
    rows = rows.filter(pk__gt=page.after[0]) if page.after else rows
    listed = page.of(rows, request, response, lambda patient: keyset.format_position(order, patient.pk))
    return [ListedPatientOut.of(patient, request.clinic) for patient in listed]


@api.post(
    "/patients",
    **operation(
        "createPatient",
        tag=openapi.PATIENTS,
        origin=SITE,
        summary="Cadastrar paciente",
        description="Cadastra um paciente. Aqui não há agendamento a perder: os dígitos do CPF devem conferir. Quem já"
        " está no cadastro não entra outra vez: com o mesmo nome e telefone só se cadastra quem tem outro CPF ou outra"
        " data de nascimento. `GET /api/patients` o encontra. Só o nome é necessário; sem telefone ninguém é"
        " reconhecido, e o mesmo nome mandado de novo é outro paciente: use `Idempotency-Key`.",
        status=201,
        answer=PatientOut,
        links=links_to("patient_id", "/id", "editPatient"),
        example=STORED,
        body=schemas.RegisteredPatientIn,
        bodies={"Com CPF": WITH_CPF, "Só o nome": {"name": "João Silva"}},
        errors={
            400: {"CPF inválido": [messages.example(Reason.CPF_INVALID).removeprefix("patient.")]},
            409: CPF_TAKEN | REGISTERED,
        },
    ),
)
def create_patient(request: ApiRequest) -> Status[PatientOut]:
    patient = PatientBody(request.call.payload, request.clinic, may_lack_phone=True).register(request.caller.author)
    return Status(201, PatientOut.of(patient, request.clinic))


@api.patch(
    "/patients/{int:patient_id}",
    **operation(
        "editPatient",
        tag=openapi.PATIENTS,
        origin=SITE,
        summary="Editar paciente",
        description="Troca os dados enviados; os outros ficam como estão. `null` apaga o CPF e a data de nascimento. O"
        " que aqui não se guarda (`rg`, `gender`, `address`) é 400: nada mudaria. O id de um cadastro que foi juntado a"
        " outro continua valendo: muda-se o que ficou, e a resposta traz o id dele.",
        answer=PatientOut,
        example=STORED,
        body=schemas.PatientChangesIn,
        bodies={"Outro telefone": {"phone": "(81) 98888-8888"}},
        errors={
            400: {
                "Telefone impossível": [messages.example(Reason.PHONE_IMPOSSIBLE).removeprefix("patient.")],
                "Campo que não se guarda": [messages.NOT_STORED.format("rg")],
            },
            404: {"Id desconhecido": messages.PATIENT_UNKNOWN},
            409: CPF_TAKEN,
        },
    ),
)
def edit_patient(request: ApiRequest, patient_id: int) -> PatientOut:
    patient = current_patient(request.clinic, patient_id)
    if patient is None:
        raise RequestError(404, messages.PATIENT_UNKNOWN)
    body = PatientBody(request.call.payload, request.clinic, may_lack_phone=not patient.phone)
    saved = body.save(patient, request.caller.author)
    return PatientOut.of(saved, request.clinic)


def _changed_patients(query_reader: Query, request: ApiRequest, response: HttpResponse) -> list[ListedPatientOut]:
    order = keyset.order_of("patients by change", request.clinic)
    listed = page_of_changes(query_reader, changed_patients, order, request, response)
    return [ListedPatientOut.changed(patient, request.clinic) for patient in listed]


def _name(query_reader: Query) -> str:
    name = query_reader.text("name", required=False)
    if query_reader.has("name") and query_reader.is_valid("name"):
        if not name.strip():
            query_reader.add_errors("name", messages.NAME_EMPTY)
        if len(name) > schemas.MAX_NAME_LENGTH:
            query_reader.add_errors("name", messages.NAME_TOO_LONG)
    return name


def _cpf(query_reader: Query) -> str:
    digits = documents.read_cpf(query_reader.text("cpf", required=False))
    if query_reader.has("cpf") and query_reader.is_valid("cpf") and not re.fullmatch("[0-9]{11}", digits):
        query_reader.add_errors("cpf", *messages.UNREADABLE_IN_QUERIES["cpf"])
    return digits


def _phone(query_reader: Query, clinic: Clinic) -> str:
    """Return the digits of a phone or of a part of one."""
    text = query_reader.text("phone", required=False)
    digits = re.sub("[^0-9]", "", plain(text))
    if query_reader.has("phone") and query_reader.is_valid("phone"):
        phone = phones.read(text, clinic.country)
        if phone.fault in messages.PHONES_IN_QUERIES:
            query_reader.add_errors("phone", messages.PHONES_IN_QUERIES[phone.fault] % phone.params)
        elif len(digits) < SHORTEST_PHONE_PART:
            query_reader.add_errors("phone", *messages.UNREADABLE_IN_QUERIES["phone"])
    return digits
