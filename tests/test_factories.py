import phonenumbers
import pytest
from stdnum.br import cpf as br_cpf

from tests import factories
from tests.factories import cpf, phone

pytestmark = pytest.mark.django_db


def test_made_up_cpfs_and_phones_are_valid():
    for number in range(1, 300):
        assert br_cpf.is_valid(cpf(number))
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone(number)))
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone(number, "PT")))


def test_doctor_works_weekdays_and_performs_procedure_of_own_clinic():
    doctor = factories.make_doctor()

    assert [(hours.weekday, hours.starts.hour, hours.ends.hour) for hours in doctor.hours.all()] == [
        (day, *hours) for day in range(1, 6) for hours in [(8, 12), (13, 18)]
    ]
    assert doctor.procedures.get().clinic == doctor.clinic


def test_every_factory_makes_a_row_that_the_database_accepts():
    clinic = factories.make_lisbon()
    for make in (
        factories.make_user,
        factories.make_manager,
        factories.make_master,
        factories.make_procedure,
        factories.make_discount,
        factories.make_patient,
    ):
        assert make(clinic).clinic == clinic
    assert factories.make_discount(fixed=5).percentage is None
    assert factories.make_superuser().clinic is None
