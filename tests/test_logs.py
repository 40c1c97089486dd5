import logging

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.utils.module_loading import import_string

from clinic.models import Patient
from tests.factories import make_clinic


@pytest.mark.django_db
def test_the_log_names_a_broken_constraint_and_quotes_no_patient():
    row = {"name": "", "phone": "+5581999990000", "cpf": "52998224725", "notes": "um\n\nsegredo"}
    formatter = import_string(settings.LOGGING["formatters"]["without_rows"]["()"])()
    with pytest.raises(IntegrityError) as refused:
        Patient.objects.create(clinic=make_clinic(), **row)
    error = refused.value
    assert "52998224725" in str(error)

    told = (type(error), error, error.__traceback__)
    written = formatter.format(logging.makeLogRecord({"msg": "Internal Server Error", "exc_info": told}))
    assert written.count("patient_name_present") == 2 and "The above exception" in written
    assert not [text for text in ("52998224725", "81999990000", "segredo") if text in written]


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("/calendario/Ab-12_cdefghijkl.ics", "/calendario/…"),
        ("/painel/Ab-12_cdefghijkl/", "/painel/…/"),
        ("/acesso/Ab-12_cdefghijkl/", "/acesso/…/"),
        ("/painel/", "/painel/"),
    ],
)
def test_the_log_has_no_secret_of_an_address(address, written):
    formatter = import_string(settings.LOGGING["formatters"]["without_rows"]["()"])()
    record = {"msg": "%s: %s", "args": ("Not Found", address)}
    assert formatter.format(logging.makeLogRecord(record)) == f"Not Found: {written}"
