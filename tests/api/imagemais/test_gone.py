"""What goes between the look at it and its lock."""

from contextlib import closing
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from clinic.models import Patient
from tests.factories import make_clinic, make_patient
from tests.locks import wait_until_somebody_waits_for_a_lock


@pytest.mark.django_db(transaction=True)
def test_a_patient_deleted_meanwhile_is_not_found(imagemais):
    clinic = make_clinic()
    patient, program, deleted = make_patient(clinic), imagemais(clinic), Event()

    def somebody_else():
        with closing(connection), transaction.atomic():
            Patient.objects.filter(pk=patient.pk).delete()
            deleted.set()
            wait_until_somebody_waits_for_a_lock()

    other = Thread(target=somebody_else)
    other.start()
    deleted.wait(10)
    answer = program("PATCH", f"/patients/{patient.pk}", {"name": "Ana Souza"})
    other.join()
    assert answer.json() == {"statusCode": 404, "message": "Paciente não encontrado", "error": "Not Found"}
