import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from clinic.form_fields import TypedDateField
from clinic.models import Patient
from clinic.web.patient.forms import PatientForm
from tests.factories import make_doctor, make_patient, make_user
from tests.web.patients import HTMX, TYPED, typed_of

pytestmark = pytest.mark.django_db


# --- adding -----------------------------------------------------------------------------------------------------------


def test_a_name_and_a_phone_are_enough(desk, clinic):
    answer = desk.post(reverse("web:patient-add"), {"name": " maria  souza ", "phone": "81 99999 9999"})

    maria = Patient.objects.get()
    assert answer.url == reverse("web:patient-detail", args=[maria.pk])
    assert (maria.clinic, maria.name, maria.phone.as_e164) == (clinic, "maria souza", "+5581999999999")
    assert maria.birth_date is None and maria.cpf is None


def test_everything_typed_is_stored(desk):
    everything = TYPED | {
        "social_name": "Noa", "cpf": "529.982.247-25", "nif": "245 624 139", "email": "m@b.co", "notes": "um\ndois",
    }  # fmt: skip
    answer = desk.post(reverse("web:patient-add"), everything, headers=HTMX)

    maria = Patient.objects.get()
    assert answer["HX-Redirect"] == reverse("web:patient-detail", args=[maria.pk])
    assert (maria.cpf, maria.nif, maria.birth_date) == ("52998224725", "245624139", date(1984, 3, 12))
    assert (maria.social_name, maria.email, maria.notes) == ("Noa", "m@b.co", "um\ndois")


@pytest.mark.parametrize("typed", ["12/03/1984", "12031984", "12/3/84", "12.03.84", "1984-03-12"])
def test_a_birth_date_is_read_as_people_type_it(desk, typed):
    desk.post(reverse("web:patient-add"), TYPED | {"birth_date": typed})
    assert Patient.objects.get().birth_date == date(1984, 3, 12)


REFUSED = [
    ("name", "", "Informe o nome do paciente."),
    ("name", "\u200f\u202e", "Informe o nome do paciente."),
    ("name", "12345", "O nome não tem nenhuma letra."),
    ("name", "ʼʼʼ", "O nome não tem nenhuma letra."),
    ("name", "ˆ ː", "O nome não tem nenhuma letra."),
    ("social_name", "54321", "O nome social não tem nenhuma letra."),
    ("name", "a" * 10_000, "O nome tem 10000 caracteres; o máximo é 160."),
    ("name", "Ana\0", "caracteres nulos não são permitidos"),
    ("social_name", "😀" * 161, "O nome social tem 161 caracteres; o máximo é 160."),
    ("phone", "", "Informe um telefone com DDD"),
    ("phone", "9999-9999", "Falta o DDD: (__) 9999-9999."),
    ("phone", "12", "Faltam dígitos: são só 2."),
    ("phone", "(81) 99999-999", "Falta um dígito: (81) 99999-999_."),
    ("phone", "(20) 99999-9999", "Não existe o DDD 20."),
    ("phone", "81-3222-CASA", "O telefone tem “CASA”, que não é número."),
    ("phone", "00 15 81 98876 5432", "00 e o código de uma operadora, 15."),
    ("phone", "+0 81", "Este telefone não existe."),
    ("phone", "1" * 5000, "Este telefone não existe."),
    ("birth_date", "31/02/1990", "Esta data não existe."),
    ("birth_date", "12/03", "Esta data não existe."),
    ("birth_date", "ontem", "Esta data não existe."),
    ("birth_date", "01/01/2100", "A data de nascimento deve ficar entre 1900 e hoje"),
    ("cpf", "529.982.247-26", "Os dígitos deste CPF não conferem."),
    ("cpf", "123", "O CPF tem 11 dígitos"),
    ("cpf", "12.345.678/0001-95", "Isto é um CNPJ; aqui vai o CPF da pessoa."),
    ("cpf", "12.ABan export45/01DE-35", "Isto é um CNPJ; aqui vai o CPF da pessoa."),
    ("nif", "123456780", "Este NIF não é válido."),
    ("email", "maria@", "Este e-mail não é válido."),
    ("notes", "a" * 5001, "As observações têm 5001 caracteres; o máximo é 5000."),
]


@pytest.mark.parametrize(("field", "value", "sentence"), REFUSED)
def test_errors_are_at_their_fields_and_nothing_typed_is_lost(desk, field, value, sentence):
    typed = TYPED | {"social_name": "Noa", "notes": "guarde isto"} | {field: value}

    answer = desk.post(reverse("web:patient-add"), typed)

    page = answer.content.decode()
    told = re.search(rf'id="error-{field}"[^>]*>([^<]*)<', page)[1]
    assert answer.status_code == 422 and sentence.lower() in told.lower()
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"[^>]*autofocus', page)
    for name, kept in typed.items():
        assert name == field or kept in page
    assert value.replace("\0", "") in page.replace("\0", "")
    assert Patient.objects.count() == 0


@pytest.mark.parametrize(("field", "value", "sentence"), REFUSED)
def test_a_field_says_so_as_soon_as_it_is_left(desk, field, value, sentence):
    answer = desk.post(reverse("web:patient-check"), TYPED | {field: value}, headers=HTMX | {"HX-Trigger-Name": field})

    page = answer.content.decode()
    assert sentence.lower() in re.search(rf'id="error-{field}"[^>]*>([^<]*)<', page)[1].lower()


def test_fields_nobody_has_come_to_are_left_in_peace(desk):
    page = desk.post(
        reverse("web:patient-check"), {"name": "Ana"}, headers=HTMX | {"HX-Trigger-Name": "name"}
    ).content.decode()
    assert re.findall(r'<p class="error"[^>]*>([^<]*)</p>', page) == [""] * len(
        PatientForm.base_fields.keys()
        - {"health_number", "payer_id", "card_number", "card_expires_on", "died", "died_on"}
    )


def test_all_broken_rules_are_reported_together(desk):
    page = desk.post(reverse("web:patient-add"), {"cpf": "1", "birth_date": "x", "email": "x"}).content.decode()
    told = dict(re.findall(r'id="error-(\w+)"[^>]*>([^<]+)<', page))
    assert told.keys() == {"name", "phone", "cpf", "birth_date", "email"}


def test_the_cpf_of_another_patient_is_refused_with_the_name(desk, clinic):
    make_patient(clinic, name="Ana Lima", cpf="52998224725")
    page = desk.post(reverse("web:patient-add"), TYPED | {"cpf": "529.982.247-25"}).content.decode()
    assert "Este CPF já é de Ana Lima." in page


def test_the_cpf_of_a_patient_of_another_clinic_is_free(desk):
    make_patient(name="Ana Lima", cpf="52998224725")
    assert desk.post(reverse("web:patient-add"), TYPED | {"cpf": "529.982.247-25"}).status_code == 302


def test_html_in_names_and_notes_is_text(desk):
    typed = TYPED | {"name": "<script>alert(1)</script>", "notes": "</textarea><b>"}
    card = desk.get(desk.post(reverse("web:patient-add"), typed).url).content.decode()
    assert "<script>alert" not in card and "&lt;script&gt;alert" in card and "&lt;/textarea&gt;&lt;b&gt;" in card


@pytest.mark.parametrize("data", [{}, {"key": "x", "version": "x"}, {"key": "\0"}])
def test_a_form_without_anything_is_not_an_error(desk, clinic, data):
    patient = make_patient(clinic)
    assert desk.post(reverse("web:patient-add"), data).status_code == 422
    assert desk.post(reverse("web:patient-edit", args=[patient.pk]), data).status_code == 422
    assert desk.post(reverse("web:patient-check"), data).status_code == 200


# --- ages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "read"), [("12/03/84", 1984), ("12/03/27", 1927), ("12/03/99", 1999), ("120384", 1984), ("1/2/00", 2000)]
)
def test_a_birth_year_of_two_digits_that_can_only_be_one_is_read(time_machine, typed, read):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    assert TypedDateField(past=True).clean(typed).year == read


@pytest.mark.parametrize("typed", ["12/03/25", "1-1-20", "12.03.22", "120320", "12 3 18"])
def test_a_birth_year_of_two_digits_that_may_be_either_is_asked(desk, typed):
    answer = desk.post(reverse("web:patient-add"), TYPED | {"birth_date": typed})

    assert answer.status_code == 422 and Patient.objects.count() == 0
    assert re.search(r"O ano é 19\d\d ou 20\d\d\? Escreva-o com quatro dígitos.", answer.content.decode())


@pytest.mark.parametrize("typed", ["01/01/1901", "12/03/1912", "1900-01-01", "05051910", "1.1.1905"])
def test_an_age_above_a_hundred_and_ten_is_asked_and_may_be_right(desk, typed):
    add, typed = reverse("web:patient-add"), TYPED | {"birth_date": typed}
    answer = desk.post(add, typed)
    page = answer.content.decode()
    box = re.search('name="old_is_right" value="([^"]+)"', page)

    assert answer.status_code == 422 and Patient.objects.count() == 0 and "anos está certa" in page
    assert desk.post(add, typed | {"old_is_right": "1902-02-02"}).status_code == 422
    assert desk.post(add, typed | {"old_is_right": box[1]}).status_code == 302
    old = Patient.objects.get()
    assert desk.post(reverse("web:patient-edit", args=[old.pk]), typed_of(old, notes="x")).status_code == 302


def test_the_panel_asks_about_an_age_too(desk, clinic):
    typed = TYPED | {"birth_date": "01/01/1901", "is_new": "1", "doctor": make_doctor(clinic).pk}
    page = desk.post(reverse("web:appointment-book"), typed, headers=HTMX).content.decode()

    assert 'name="old_is_right" value="1901-01-01"' in page and "Confira o ano" in page


# --- a double click ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"cpf": "529.982.247-25"}])
def test_two_clicks_on_one_form_register_one_patient(desk, more):
    typed = TYPED | more | {"key": str(uuid4())}

    answers = [desk.post(reverse("web:patient-add"), typed) for _ in range(2)]

    assert answers[0].url == answers[1].url and Patient.objects.count() == 1


def test_same_form_with_other_details_registers_another_patient(desk):
    key = {"key": str(uuid4())}
    desk.post(reverse("web:patient-add"), TYPED | key)
    desk.post(reverse("web:patient-add"), TYPED | key | {"name": "José Souza"})

    assert Patient.objects.count() == 2


def test_each_form_has_its_own_key(desk):
    pages = [desk.get(reverse("web:patient-add")).content.decode() for _ in range(2)]
    assert len({re.search('name="key" value="([^"]+)"', page)[1] for page in pages}) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("more", [{}, {"cpf": "529.982.247-25"}])
def test_clicks_that_arrive_at_once_register_one_patient(more):
    user = make_user()
    typed = TYPED | more | {"key": str(uuid4())}

    def click(_):
        browser = Client()
        browser.force_login(user)
        try:
            return browser.post(reverse("web:patient-add"), typed).url
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(click, range(8)))) == 1
    assert Patient.objects.count() == 1
