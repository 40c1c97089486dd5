"""Rows deleted after they were read and before they are locked."""

from contextlib import closing
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from clinic.models import Doctor, Patient, Procedure
from tests.api.imagemais.conftest import new_doctor
from tests.factories import make_clinic, make_patient, make_procedure
from tests.locks import held, wait_until_somebody_waits_for_a_lock


@pytest.mark.django_db(transaction=True)
def test_a_patient_deleted_meanwhile_is_not_found(imagemais):
    clinic = make_clinic()
    patient, program, deleted = make_patient(clinic), imagemais(clinic), Event()

    def delete_patient():
        with closing(connection), transaction.atomic():
            Patient.objects.filter(pk=patient.pk).delete()
            deleted.set()
            wait_until_somebody_waits_for_a_lock()

    other = Thread(target=delete_patient)
    other.start()
    deleted.wait(10)
    answer = program("PATCH", f"/patients/{patient.pk}", {"name": "Ana Souza"})
    other.join()
    assert answer.json() == {"statusCode": 404, "message": "Paciente não encontrado", "error": "Not Found"}


@pytest.mark.django_db(transaction=True)
def test_a_procedure_deleted_meanwhile_is_not_found(desk):
    gone, deleted = make_procedure(desk.clinic).pk, Event()

    def delete_procedure():
        with closing(connection), transaction.atomic():
            Procedure.objects.filter(pk=gone).delete()
            deleted.set()
            wait_until_somebody_waits_for_a_lock()

    other = Thread(target=delete_procedure)
    other.start()
    deleted.wait(10)
    answer = desk.ask("POST", "/doctors", new_doctor(desk, procedureIds=[gone]))
    other.join()
    assert (answer.status_code, answer.json()["message"]) == (400, ["Procedimentos não encontrados"])


@pytest.mark.django_db(transaction=True)
def test_a_doctor_is_busy_while_the_clinic_is_held(desk, settings):
    settings.LOCK_WAIT_SECONDS = 0.2
    with held(desk.clinic):
        answer = desk.ask("POST", "/doctors", new_doctor(desk))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert not Doctor.objects.filter(name="Dra Ana").exists()
