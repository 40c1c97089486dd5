"""Bookings by the two JSON APIs, as their clients send them."""

import json
import uuid
from dataclasses import dataclass

from clinic.access import access_tokens, api_keys
from clinic.models import ApiKey, Clinic, StaffUser
from tests.benchmarks.booking import LENGTH, Wanted


@dataclass
class Program:
    """A client of the APIs: its credentials for both."""

    key: str
    token: str


def program(clinic: Clinic, master: StaffUser) -> Program:
    """With credentials of the database that Django is connected to, and of every copy made of it later."""
    _, key = api_keys.create(
        clinic,
        name="carga",
        scopes=ApiKey.Scope.values,
        source=ApiKey.Source.SYNC_EXTERNAL,
        is_live=True,
        by=master,
        channel="command",
    )
    _, token = access_tokens.release(clinic, master, channel="command")
    return Program(key, token)


def through_mivicall(program: Program, clinic: Clinic, wanted: Wanted) -> str:
    body = {
        "professionalId": str(wanted.doctor.uuid),
        "serviceTypeId": str(wanted.procedure.uuid),
        "patientName": wanted.patient.name,
        "patientPhone": wanted.patient.phone.as_e164,
        "startsAt": clinic.local(wanted.starts_at).isoformat(),
    }
    return _post("/v1/appointments", program.key, body, f"Idempotency-Key: {uuid.uuid4()}\r\n")


def through_imagemais(program: Program, clinic: Clinic, wanted: Wanted) -> str:
    """Two procedures, one of them with the discount; the CPF is the vendor's sample, whose digits do not check."""
    starts, ends = clinic.local(wanted.starts_at), clinic.local(wanted.starts_at + LENGTH)
    body = {
        "patient": {
            "name": wanted.patient.name,
            "phone": wanted.patient.phone.as_national,
            "dateBirth": f"{wanted.patient.birth_date}",
            "cpf": "123.456.789-00",
        },
        "procedures": [{"id": wanted.procedure.pk}, {"id": wanted.other.pk, "discountId": wanted.discount.pk}],
        "doctorId": wanted.doctor.pk,
        "date": f"{starts:%Y-%m-%d}",
        "startTime": f"{starts:%H:%M}",
        "endTime": f"{ends:%H:%M}",
        "notes": "Observações sobre o agendamento",
    }
    return _post("/api/appointments", program.token, body)


def _post(path, secret, body, headers=""):
    said = json.dumps(body)
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n{said}"
    )
