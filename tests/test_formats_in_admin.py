"""Money, dates and zones in the admin as each country writes them: cases 33 and 34, and the formats of table 1.3."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils.translation import override

from clinic.models import Clinic, ClinicHoliday, Closure, Discount, Patient, PatientEvent, Procedure
from tests.factories import (
    make_clinic,
    make_discount,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_superuser,
)
from tests.managed import make_appointment, make_closure

pytestmark = pytest.mark.django_db


def open_for(client, clinic, make=make_manager):
    client.force_login(make(clinic))
    return clinic


def address(model, *arguments):
    return reverse(f"admin:clinic_{model._meta.model_name}_{'change' if arguments else 'add'}", args=arguments)


def save_price(client, price):
    typed = {"name": "Eco", "code": "E1", "price": price, "duration_minutes": "30", "active": "on"}
    return client.post(address(Procedure), typed)


@pytest.mark.parametrize(
    ("number", "make", "typed", "stored", "shown"),
    [
        (33, make_lisbon, "1 234,56", "1234.56", "1234,56\xa0€"),
        (33, make_lisbon, "1.234,56 €", "1234.56", "1234,56\xa0€"),
        (33, make_lisbon, "12\xa0345,6", "12345.60", "12\xa0345,60\xa0€"),
        (33, make_lisbon, "12\u202f345", "12345.00", "12\xa0345,00\xa0€"),
        (34, make_clinic, "R$ 1.500", "1500.00", "R$\xa01.500,00"),
        (34, make_clinic, "1.500", "1500.00", "R$\xa01.500,00"),
        (34, make_clinic, "1500", "1500.00", "R$\xa01.500,00"),
        (34, make_clinic, "R$1.234.567,8", "1234567.80", "R$\xa01.234.567,80"),
    ],
)
def test_cases_33_34_money_is_read_as_typed(client, number, make, typed, stored, shown):
    open_for(client, make())

    assert save_price(client, typed).status_code == 302
    procedure = Procedure.objects.get()
    assert procedure.price == Decimal(stored)
    assert shown in client.get(reverse("admin:clinic_procedure_changelist")).text
    page = client.get(address(Procedure, procedure.pk))
    assert f'value="{stored.replace(".", ",")}"' in page.text


@pytest.mark.parametrize(
    ("make", "typed", "sentence"),
    [
        (make_clinic, "1500.5", "1.500,50? Escreva com vírgula."),
        (make_clinic, "R$ 1500.50", "1.500,50? Escreva com vírgula."),
        (make_clinic, "0.5", "0,50? Escreva com vírgula."),
        (make_lisbon, "1500.5", "1500,50? Escreva com vírgula."),
        (make_clinic, "1500.555", "Use no máximo 2 casas decimais."),
        (make_clinic, "1.50.500", "Escreva um número, por exemplo 120,50."),
        (make_clinic, "1,5,0", "Escreva um número, por exemplo 120,50."),
        (make_clinic, "\ud800", "Escreva um número, por exemplo 120,50."),
        (make_clinic, "9" * 10_000, "Use no máximo 10 dígitos ao todo."),
        (make_clinic, "9" * 10_000 + ".5", "Use no máximo 10 dígitos ao todo."),
        (make_clinic, "NaN", "Escreva um número, por exemplo 120,50."),
    ],
)
def test_case_34_money_that_is_not_clear_is_asked_about(client, make, typed, sentence):
    open_for(client, make())

    answer = save_price(client, typed.encode("utf-8", "replace").decode())
    assert answer.status_code == 200
    assert answer.context["errors"].as_data()
    assert sentence in answer.text, answer.context["adminform"].errors
    assert not Procedure.objects.exists()


@pytest.mark.parametrize(("make", "shown"), [(make_clinic, "R$\xa030,00"), (make_lisbon, "30,00\xa0€")])
def test_a_list_of_discounts_has_percent_and_currency(client, make, shown):
    clinic = open_for(client, make())
    make_discount(clinic, percentage=Decimal("12.50"))
    make_discount(clinic, percentage=Decimal(20))
    make_discount(clinic, fixed=Decimal(30))

    page = client.get(reverse("admin:clinic_discount_changelist")).text
    assert shown in page and "12,50\xa0%" in page and "20\xa0%" in page


PATIENTS = [
    (make_clinic, {"phone": "+5581999990000", "cpf": "52998224725"}, ["(81) 99999-0000", "529.982.247-25"]),
    (make_lisbon, {"phone": "+351912345678", "second_phone": "+351213456789"}, ["912 345 678", "213 456 789"]),
    (make_lisbon, {"phone": "+5581999990000", "cpf": None}, ["+55 81 99999-0000"]),
]


@pytest.mark.parametrize(("make", "stored", "written"), PATIENTS)
def test_phones_and_cpfs_are_written_as_at_the_desk(client, make, stored, written):
    clinic = open_for(client, make())
    patient = make_patient(clinic, **stored)

    listed = client.get(reverse("admin:clinic_patient_changelist")).text
    page = client.get(address(Patient, patient.pk))
    desk = client.get(reverse("web:patient-edit", args=[patient.pk])).text
    for text in written:
        assert all(f'value="{text}"' in form for form in (page.text, desk))
    assert written[0] in listed and patient.phone.as_e164 not in listed + page.text


@pytest.mark.parametrize("phone", ["+558188887777", "+5581999990000", "+244923456789", "+558199999999", "+351999"])
def test_a_saved_patient_keeps_an_unchanged_phone(client, phone):
    clinic = open_for(client, make_clinic())
    patient = make_patient(clinic, phone=phone, second_phone="+351912345678")
    form = client.get(address(Patient, patient.pk)).context["adminform"].form
    typed = {name: form[name].value() or "" for name in form.fields} | {"email": "ana@example.com"}

    answer = client.post(address(Patient, patient.pk), typed)
    assert answer.status_code == 302, answer.context["errors"]
    patient.refresh_from_db()
    assert (str(patient.phone), patient.email) == (phone, "ana@example.com")
    assert list(PatientEvent.objects.get().changes) == ["email"]


def test_a_master_of_one_clinic_reads_of_the_clinic(client):
    clinic = open_for(client, make_clinic(), make_master)

    page = client.get(reverse("admin:index")).text
    own = address(Clinic, clinic.pk)
    assert f'href="{own}">A clínica</a>' in page and "Clínicas" not in page
    assert "Clínicas" not in client.get(own).text
    client.force_login(make_superuser())
    assert ">Clínicas</a>" in client.get(reverse("admin:index")).text


def test_saturday_has_its_accent(client):
    clinic = open_for(client, make_clinic())
    ClinicHoliday.objects.create(clinic=clinic, falls_on="16/07", name="N. Sra. do Carmo")
    with time_machine.travel(datetime(2026, 11, 27, tzinfo=UTC)):
        client.force_login(make_manager(clinic))
        page = client.get(reverse("admin:clinic_clinicholiday_coming")).text
    assert "sáb, " in page and "sab, " not in page


@pytest.mark.parametrize("make", [make_clinic, make_lisbon])
def test_dates_in_inputs_are_written_day_month_year(client, make):
    clinic = open_for(client, make())
    closure = make_closure(clinic, starts_at=datetime(2026, 12, 23, 15, tzinfo=UTC))
    discount = make_discount(clinic, expires_on=date(2027, 4, 1))

    assert 'value="23/12/2026"' in client.get(address(Closure, closure.pk)).text
    assert 'value="01/04/2027"' in client.get(address(Discount, discount.pk)).text


@pytest.mark.parametrize("make", [make_clinic, make_lisbon])
def test_weeks_of_the_admins_calendar_begin_on_monday(client, make):
    open_for(client, make())
    formats = client.get(reverse("admin:jsi18n")).text.partition("django.formats = ")[2]
    formats, _ = json.JSONDecoder().raw_decode(formats)

    assert formats["FIRST_DAY_OF_WEEK"] in {1, "1"}
    assert formats["DATE_INPUT_FORMATS"][0] == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("make", "own", "foreign"),
    [(make_clinic, "Brasília (São Paulo)", "Açores"), (make_lisbon, "Açores", "Brasília (São Paulo)")],
)
def test_zones_are_those_of_the_country_by_their_cities(client, make, own, foreign):
    clinic = open_for(client, make(), make_master)

    page = client.get(address(Clinic, clinic.pk)).text
    assert f">{own}</option>" in page and foreign not in page
    assert "America/Sao Paulo" not in page


def test_a_manager_reads_the_citys_name_of_the_zone(client):
    clinic = open_for(client, make_clinic(time_zone="America/Sao_Paulo"))

    page = client.get(address(Clinic, clinic.pk)).text
    assert "Brasília (São Paulo)" in page and "America/Sao_Paulo<" not in page


def test_who_chooses_a_country_chooses_among_all_zones(client):
    client.force_login(make_superuser())
    page = client.get(address(Clinic)).text
    assert '<option value="" selected>---------</option>' in page
    assert '<optgroup label="Brasil">' in page and ">Açores</option>" in page


def test_a_zone_of_neither_country_stays_a_choice(client):
    clinic = open_for(client, make_clinic(time_zone="Europe/Madrid"), make_master)

    assert '<option value="Europe/Madrid" selected>Madrid</option>' in client.get(address(Clinic, clinic.pk)).text


@pytest.mark.parametrize(
    ("language", "amount", "written"),
    [
        ("pt-br", "12345.6", "R$\xa012.345,60"),
        ("pt-pt", "9999.99", "9999,99\xa0€"),
        ("pt-pt", "-12345.6", "-12\xa0345,60\xa0€"),
    ],
)
def test_case_33_portugal_groups_five_digits_by_a_space(language, amount, written):
    clinic = Clinic(currency="BRL" if language == "pt-br" else "EUR")
    with override(language):
        assert clinic.money(Decimal(amount)) == written


def test_an_appointments_procedures_have_a_currency(client):
    appointment = make_appointment(open_for(client, make_clinic()))
    assert "R$\xa01,00" in client.get(reverse("admin:clinic_appointment_change", args=[appointment.pk])).text


def test_a_percentage_is_typed_with_a_comma_too(client):
    open_for(client, make_clinic())
    typed = {"name": "Verão", "percentage": "12,5"}
    assert client.post(address(Discount), typed).status_code == 302
    assert Discount.objects.get().percentage == Decimal("12.5")


@pytest.mark.parametrize("make", [make_clinic, make_lisbon])
def test_lists_write_dates_as_they_are_typed(client, make):
    clinic = open_for(client, make())
    make_closure(clinic, starts_at=clinic.day(date(2026, 12, 8))[0], ends_at=clinic.day(date(2026, 12, 8))[1])
    make_discount(clinic, expires_on=date(2027, 1, 31))
    assert "08/12/2026 00:00" in client.get(reverse("admin:clinic_closure_changelist")).text
    assert ">31/01/2027<" in client.get(reverse("admin:clinic_discount_changelist")).text
