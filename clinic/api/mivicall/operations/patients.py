"""Patients by name or by the hash of a phone. No phone is returned or searched in clear.

The hash is the HMAC-SHA256 of the E.164 number under a key of the clinic, in hex.
"""

import re

from django.http import HttpResponse

from clinic.api import keyset
from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import PATIENTS, READ, MivicallRequest, answer, operation
from clinic.api.mivicall.changes import NOT_A_CURSOR, answer_changes
from clinic.api.mivicall.operations.appointments import with_service
from clinic.api.mivicall.reading import Reading, read_query
from clinic.models import Patient
from clinic.queries import patients
from clinic.queries.appointments import listed
from clinic.queries.changes import changed_patients, left_lists_at
from clinic.registry import current_id

HASH = re.compile("[0-9a-f]{64}")
MAX_APPOINTMENTS = 200
SEARCH_MISSING = "Campo obrigatório, a não ser com updatedSince."


@operation(
    "GET",
    "/patients",
    "searchPatients",
    scopes={PATIENTS},
    query=schemas.PatientFilters,
    answers={200: schemas.Patients},
)
def search_patients(request: MivicallRequest) -> HttpResponse:
    reading = read_query(schemas.PatientFilters, request)
    if "updatedSince" in request.GET:
        return _answer_changes(request, reading)
    if "search" not in request.GET:
        reading.errors["search"] = SEARCH_MISSING
    if "cursor" in request.GET:
        reading.errors["cursor"] = NOT_A_CURSOR
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    # The front desk's search also matches digits of phone and CPF; a program could guess them one by one.
    limit = reading.values.get("limit", schemas.DEFAULT_PATIENTS)
    rows = patients.search(request.clinic, reading.values["search"], limit, by_numbers=False)
    return answer({"items": [schemas.patient(row) for row in rows]})


def _answer_changes(request: MivicallRequest, reading: Reading) -> HttpResponse:
    return answer_changes(
        request,
        reading,
        changed_patients,
        order=keyset.order_of("patients by change", request.clinic),
        show=schemas.patient,
        deleted_at=left_lists_at,
    )


@operation(
    "GET",
    "/patients/{hash}",
    "getPatientsOfPhone",
    scopes={PATIENTS, READ},
    answers={200: schemas.PatientsOfPhone},
    error_statuses={404},
)
def get_patients_of_phone(request: MivicallRequest, hash: str) -> HttpResponse:
    rows: list[Patient] = []
    if HASH.fullmatch(hash):
        of_clinic = Patient.objects.of(request.clinic)
        # By the phone, not by the hash alone: while hashes are rewritten under a new key, one phone has two of them.
        phones = of_clinic.filter(phone_hash=hash).values("phone")
        # A phone of a merged patient still leads to the one that was kept.
        rows = list(of_clinic.filter(phone__in=phones).defer("phone").order_by("pk"))
        if any(row.merged_into_id for row in rows):
            kept = {current_id(request.clinic, row.pk) for row in rows}
            rows = list(of_clinic.filter(pk__in=kept).defer("phone").order_by("pk"))
    if not rows:
        return errors.error_answer(request, 404, "patient_not_found", errors.PATIENT_NOT_FOUND)
    recent = with_service(request.clinic, listed(request.clinic)).filter(patient__in=rows)
    recent = recent.order_by("-starts_at", "-pk")[:MAX_APPOINTMENTS]
    appointments = [schemas.appointment(request.clinic, row, row.service) for row in recent]
    body = {"patientPhoneHash": hash, "patients": [schemas.patient(row) for row in rows], "appointments": appointments}
    return answer(body)
