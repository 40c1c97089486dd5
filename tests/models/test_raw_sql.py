"""Rows of hand-written statements as models: nobody can tell them from what the ORM loads."""

import pytest
from django.db import connection

from clinic.models import Appointment, Clinic, Doctor, Patient, StaffUser
from clinic.models.raw_sql import attribute_names, column_names, instance
from tests.booking.desk import open_desk
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored():
    """A row of each model, with and without attributes that convert their values."""
    desk = open_desk()
    appointment = desk.book(metadata={"sala": ["2"]})
    return {type(row): row for row in (appointment, desk.clinic, desk.doctor, desk.patient, make_user(desk.clinic))}


def values(row, columns):
    model = type(row)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table} WHERE id = %s", [row.pk])  # noqa: S608 - our own columns
        return cursor.fetchone()


@pytest.mark.parametrize("model", [Appointment, Clinic, Doctor, Patient, StaffUser])
def test_a_row_is_what_the_orm_loads(stored, model):
    pk = stored[model].pk
    made, loaded = instance(model, values(stored[model], column_names(model))), model.objects.get(pk=pk)

    assert {name: getattr(made, name) for name in attribute_names(model)} == {
        name: getattr(loaded, name) for name in attribute_names(model)
    }
    assert made == loaded
    assert vars(made).keys() == vars(loaded).keys()
    assert (made._state.adding, made._state.db) == (False, "default")


def test_attributes_that_were_not_read_are_loaded_when_asked_for(stored, django_assert_num_queries):
    doctor = stored[Doctor]
    made = instance(Doctor, values(doctor, ("id", "name")), ("id", "name"))

    assert made.get_deferred_fields() == {*attribute_names(Doctor)} - {"id", "name"}
    with django_assert_num_queries(1):
        assert made.clinic_id == doctor.clinic_id


def test_a_row_is_updated_and_not_inserted(stored, django_assert_num_queries):
    made = instance(Clinic, values(stored[Clinic], column_names(Clinic)))
    made.name = "Clínica Boa Vista"
    with django_assert_num_queries(1):
        made.save(update_fields=["name"])

    assert Clinic.objects.get(pk=made.pk).name == "Clínica Boa Vista"


def test_an_outer_join_without_a_match_is_none():
    assert instance(Doctor, (None,) * len(column_names(Doctor))) is None
