"""A form of the admin that is sent twice adds one row."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.test import Client
from django.urls import reverse

from clinic.admin.base import ReadOnlyAdminMixin
from clinic.models import Absence, ClinicHoliday, Closure, Discount, Doctor, Patient, Payer, Procedure, StaffUser
from tests.factories import PASSWORD, make_manager
from tests.windows import Window

pytestmark = pytest.mark.django_db

TYPED = {
    Procedure: {"name": "Ecocardiograma", "price": "100", "duration_minutes": "30"},
    Discount: {"name": "Convênio", "percentage": "10"},
    Doctor: {"title": "a Dra.", "name": "Ana", "interval_minutes": "15", "encaixes_per_day": "2"},
    Closure: {
        "starts_at_0": "24/12/2030",
        "starts_at_1": "12:00",
        "ends_at_0": "24/12/2030",
        "ends_at_1": "18:00",
        "reason": "Natal",
    },
    ClinicHoliday: {"falls_on": "24/06", "name": "São João", "kind": "closes"},
    Payer: {"name": "Unimed", "kind": "health_plan", "ans_number": "123456", "active": "on"},
    Patient: {"name": "Ana Souza", "phone": "81 98333-1010"},
    StaffUser: {"username": "ana", "name": "Ana", "role": "receptionist", "password1": PASSWORD, "password2": PASSWORD},
}


@pytest.fixture
def manager(client):
    manager = make_manager()
    client.force_login(manager)
    return manager


def opened(client, model):
    name = model._meta.model_name
    return Window(client, reverse(f"admin:clinic_{name}_add"), f"{name}_form")


def rows(model):
    return model.objects.count()


def test_every_form_that_adds_is_sent_twice():
    adding = {model for model, each in admin.site._registry.items() if not isinstance(each, ReadOnlyAdminMixin)}
    clinics = {model for model in adding if model._meta.model_name == "clinic"}
    assert adding - clinics - TYPED.keys() <= {Absence}


@pytest.mark.parametrize(("model", "typed"), TYPED.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_a_form_sent_twice_adds_one_row(client, manager, model, typed):
    before = rows(model)
    window = opened(client, model)
    answers = [window.save(**typed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302], answers[0].text
    assert answers[0]["Location"] == answers[1]["Location"]
    assert (rows(model) - before, LogEntry.objects.count()) == (1, 1)


def test_the_same_page_may_add_something_else(client, manager):
    """The browser's "back" brings the page as it was, its key included."""
    window = opened(client, Discount)
    for name in ("Convênio", "Idosos"):
        assert window.save(**TYPED[Discount] | {"name": name}).status_code == 302
    assert set(Discount.objects.values_list("name", flat=True)) == {"Convênio", "Idosos"}


def test_two_pages_may_add_the_same(client, manager):
    for _ in "12":
        assert opened(client, Discount).save(**TYPED[Discount]).status_code == 302
    assert rows(Discount) == 2


def test_what_was_deleted_meanwhile_is_added_again(client, manager):
    window = opened(client, Discount)
    window.save(**TYPED[Discount])
    Discount.objects.all().delete()
    assert window.save(**TYPED[Discount]).status_code == 302
    assert rows(Discount) == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_adds_one_row():
    manager, gate = make_manager(), Barrier(2)
    clients = [Client() for _ in range(2)]
    for each in clients:
        each.force_login(manager)
    fields = opened(clients[0], Procedure).fields | {name: [text] for name, text in TYPED[Procedure].items()}

    def press(client):
        try:
            gate.wait(10)
            return client.post(reverse("admin:clinic_procedure_add"), fields).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(press, clients)) == [302, 302]
    assert rows(Procedure) == 1
