"""Patients, by name or by the hash of a phone: no phone number is shown or searched for in clear.

The hash is HMAC-SHA256 of the E.164 number under a key of the clinic, in hex.
"""

import re

from clinic.api.mivicall import errors, schemas
from clinic.api.mivicall.api import PATIENTS, READ, answer, operation
from clinic.api.mivicall.appointments import with_service
from clinic.api.mivicall.reading import read_query
from clinic.models import Patient
from clinic.queries import patients
from clinic.queries.appointments import listed

HASH = re.compile("[0-9a-f]{64}")
MOST_APPOINTMENTS = 200


@operation(
    "GET",
    "/patients",
    "searchPatients",
    needs={PATIENTS},
    query=schemas.PatientsWanted,
    answers={200: schemas.Patients},
)
def search_patients(request):
    reading = read_query(schemas.PatientsWanted, request)
    if reading.errors:
        return errors.validation_failed(request, list(reading.errors.items()))
    # The search of the front desk also finds by digits of phone and CPF; here they could be guessed one by one.
    limit = reading.values.get("limit", schemas.FEW)
    found = patients.search(request.clinic, reading.values["search"], limit, by_numbers=False)
    return answer({"items": [schemas.patient(each) for each in found]})


@operation(
    "GET",
    "/patients/{hash}",
    "getPatientsOfPhone",
    needs={PATIENTS, READ},
    answers={200: schemas.PatientsOfPhone},
    refuses={404},
)
def get_patients_of_phone(request, hash: str):
    found = []
    if HASH.fullmatch(hash):
        patients_here = Patient.objects.of(request.clinic)
        # By the phone and not by the hash alone: until all are rewritten under a new key, one phone has two hashes.
        phones = patients_here.filter(phone_hash=hash).values("phone")
        found = list(patients_here.filter(phone__in=phones).defer("phone").order_by("pk"))
    if not found:
        return errors.envelope(request, 404, "patient_not_found", errors.PATIENT_NOT_FOUND)
    theirs = with_service(request.clinic, listed(request.clinic)).filter(patient__in=found)
    last = theirs.order_by("-starts_at", "-pk")[:MOST_APPOINTMENTS]
    visits = [schemas.appointment(request.clinic, each, each.service) for each in last]
    told = {"patientPhoneHash": hash, "patients": [schemas.patient(each) for each in found], "appointments": visits}
    return answer(told)
