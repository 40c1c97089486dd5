"""One reading of phones at every door: what is asked, what is kept with a badge, what a search finds."""

import html
import re
from datetime import date

import phonenumbers
import pytest
from django.urls import reverse

from clinic.models import Clinic, Doctor, Patient, Procedure, StaffUser, phones
from clinic.models.phones import Fault
from clinic.queries import patients
from clinic.refusals import Reason
from clinic.registry import PatientDetails, Policy, check_patient
from clinic.web.patient.forms import formatted_details, initial_for_search
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_patient,
    make_procedure,
    make_superuser,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

HTMX = {"HX-Request": "true"}
ADD = reverse("web:patient-add")
ADMIN_ADD = reverse("admin:clinic_patient_add")
MONDAY = date(2026, 11, 23)


@pytest.fixture
def saturday(time_machine):
    """21 November 2026, noon in Recife."""
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


@pytest.fixture
def doctor():
    clinic = make_clinic()
    return make_doctor(clinic, procedures=[make_procedure(clinic, name="Consulta")])


@pytest.fixture
def clinic(doctor):
    return doctor.clinic


def on_the_patients_page(client, doctor, typed):
    client.force_login(make_user(doctor.clinic))
    return client.post(ADD, typed)


def in_the_panel(client, doctor, typed):
    client.force_login(make_user(doctor.clinic))
    when = {"date": f"{MONDAY:%d/%m/%Y}", "starts": "09:00", "is_new": "1"}
    lines = {"doctor": doctor.pk, "procedure": doctor.procedures.get().pk}
    return client.post(reverse("web:appointment-book"), typed | when | lines, headers=HTMX)


def in_the_admin(client, doctor, typed):
    client.force_login(make_manager(doctor.clinic))
    return client.post(ADMIN_ADD, typed)


FORMS = [on_the_patients_page, in_the_panel, in_the_admin]
ASKED = [
    ("BR", "(81) 9999-9999", "+5581999999999", "Acrescentamos o 9: (81) 99999-9999. Confere?"),
    ("BR", "81 8888-7777", "+5581988887777", "Acrescentamos o 9: (81) 98888-7777. Confere?"),
    ("BR", "+55 11 6123 4567", "+5511961234567", "Acrescentamos o 9: (11) 96123-4567. Confere?"),
    ("BR", "085 9123.4567", "+5585991234567", "Acrescentamos o 9: (85) 99123-4567. Confere?"),
    ("BR", "8188887777", "+5581988887777", "Se falta o 9 do celular, é (81) 98888-7777: confere?"),
    ("PT", "(81) 99999-9999", "+5581999999999", "É do Brasil, +55 81 99999-9999?"),
]


@pytest.mark.parametrize(("country", "typed", "meant", "question"), ASKED)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_asks_before_it_stores_another_number(client, doctor, form, country, typed, meant, question):
    Clinic.objects.update(country=country)
    doctor.refresh_from_db()
    details = {"name": "Rita Lima", "phone": typed}

    answer = form(client, doctor, details)
    page = html.unescape(answer.content.decode())
    assert question in page and typed in page and Patient.objects.count() == 0
    assert re.search(r'name="phone_is_right" value="([^"]+)"', page)[1] == meant

    form(client, doctor, details | {"phone_is_right": "+5581912345678"})
    assert Patient.objects.count() == 0
    assert form(client, doctor, details | {"phone_is_right": meant}).status_code in {200, 302}
    assert Patient.objects.get().phone.as_e164 == meant


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("typed", ["(81) 99999-999", "11 91234-567", "81 9 9999.999", "(81)98888 777", "81 999-99999"])
def test_a_forgotten_digit_is_never_completed_into_another_number(client, doctor, form, typed):
    page = form(client, doctor, {"name": "Rita", "phone": typed, "phone_is_right": "+5581999999999"}).content.decode()

    assert "Falta um dígito" in page and 'name="phone_is_right"' not in page
    assert Patient.objects.count() == 0


def test_the_question_appears_as_soon_as_the_phone_is_left(client, doctor):
    client.force_login(make_user(doctor.clinic))
    left = HTMX | {"HX-Trigger-Name": "phone"}
    typed = {"name": "Rita", "phone": "(81) 9999-9999", "is_new": "1", "patient": ""}
    for address in (reverse("web:patient-check"), reverse("web:appointment-check")):
        page = client.post(address, typed, headers=left).content.decode()
        assert 'name="phone_is_right" value="+5581999999999"' in page
        page = client.post(address, typed | {"phone": "(81) 99999-9999"}, headers=left).content.decode()
        assert "phone_is_right" not in page and 'id="asked-phone"' in page


def test_the_cursor_stands_at_the_question(client, doctor):
    for form in (on_the_patients_page, in_the_panel):
        page = form(client, doctor, {"name": "Rita", "phone": "(81) 9999-9999"}).content.decode()
        assert re.search(r'<input[^>]*id="phone_is_right"[^>]* autofocus', page)


def test_an_edit_asks_about_a_new_number_and_leaves_the_stored_one(client, doctor):
    client.force_login(make_user(doctor.clinic))
    old = make_patient(doctor.clinic, name="Rita", phone="+558188887777", cpf=None)
    old.refresh_from_db()
    edit = reverse("web:patient-edit", args=[old.pk])
    fields = formatted_details(old, doctor.clinic) | {"version": old.updated_at.isoformat()}

    assert client.post(edit, fields | {"notes": "nova"}).status_code == 302
    old.refresh_from_db()
    assert (old.phone.as_e164, old.notes) == ("+558188887777", "nova")
    fields["version"] = old.updated_at.isoformat()
    asked = client.post(edit, fields | {"phone": "(81) 8888-7777"})
    assert asked.status_code == 422 and 'value="+5581988887777"' in asked.content.decode()
    assert (
        client.post(edit, fields | {"phone": "(81) 8888-7777", "phone_is_right": "+5581988887777"}).status_code == 302
    )
    old.refresh_from_db()
    assert old.phone.as_e164 == "+5581988887777"


def test_the_admin_leaves_a_stored_number(client, clinic):
    client.force_login(make_manager(clinic))
    old = make_patient(clinic, name="Rita", phone="+5520999999999", cpf=None)
    change = reverse("admin:clinic_patient_change", args=[old.pk])
    fields = client.get(change).context["adminform"].form.initial
    typed = {name: str(value) for name, value in fields.items() if value} | {"notes": "nova"}

    assert client.post(change, typed).status_code == 302
    old.refresh_from_db()
    assert (old.phone.as_e164, old.notes) == ("+5520999999999", "nova")
    assert client.post(change, typed | {"phone": "(20) 99999-9998"}).status_code == 200


TOO_LONG_ABROAD = [
    "+49 123456789012345",
    "+4915123456789012",
    "+62 12345678901234567",
    "+49212345678901234",
    "0049 8001234567890123",
    "+2348001234567890",
    "+81 3 1234 5678 9012 345",
    "+82 1234567890123456",
    "+598 1234567890123",
]


@pytest.mark.parametrize("typed", TOO_LONG_ABROAD)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_form_refuses_a_foreign_number_of_more_than_15_digits(client, doctor, form, typed):
    page = html.unescape(form(client, doctor, {"name": "Rita Lima", "phone": typed}).content.decode())

    assert "Este telefone não existe" in page and typed in page and Patient.objects.count() == 0


@pytest.mark.parametrize("typed", TOO_LONG_ABROAD)
def test_no_policy_takes_a_number_of_more_than_15_digits(doctor, typed):
    for policy in Policy:
        refusals = check_patient(PatientDetails(name="Rita", phone=typed), clinic=doctor.clinic, policy=policy)
        assert [each.reason for each in refusals] == [Reason.PHONE_IMPOSSIBLE]


def test_no_reading_gives_a_number_that_cannot_be_stored():
    digits = "123456789012345678"
    texts = [
        f"+{code}{(begins + digits)[:length]}"
        for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        for begins in ("", *"0234567", "800", "900")
        for length in range(4, 19)
    ]
    numbers = {phones.read(text, "BR").number for text in texts}
    assert len(numbers) > 1000 and max(map(len, numbers)) == len("+") + 15


# The badge -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "doubtful"),
    [
        ("+5581999999999", False),
        ("+558134215678", False),
        ("+558170707070", False),
        ("+558007260101", False),
        ("+5540040001", False),
        ("+442079460958", False),
        ("+244923456789", False),
        ("+558199999999", True),
        ("+5520999999999", True),
        ("+5576999999999", True),
        ("+5581899999999", True),
        ("+351512345678", True),
        ("+44207946095", True),
    ],
)
def test_a_number_that_may_not_exist_has_a_badge(client, doctor, number, doubtful):
    client.force_login(make_user(doctor.clinic))
    rita = make_patient(doctor.clinic, name="Rita", phone=number)
    visit = book_appointment(doctor, patient=rita.pk)
    pages = [
        client.get(reverse("web:patient-detail", args=[rita.pk])),
        client.get(reverse("web:appointment-detail", args=[visit.pk])),
        client.get(reverse("web:appointment-book"), {"paciente": rita.pk}),
    ]
    assert [("telefone a confirmar" in page.content.decode()) for page in pages] == [doubtful] * 3


# Searches ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("+5581988887777", "(81) 8888-7777"),
        ("+5581988887777", "8188887777"),
        ("+558188887777", "(81) 98888-7777"),
        ("+558188887777", "+55 81 98888 7777"),
        ("+442079460958", "0044 20 7946 0958"),
        ("+351912345678", "00351 912345678"),
        ("+5581988887777", "(0xx81) 98888-7777"),
        ("+558007260101", "0800 726 0101"),
        ("+5581988887777", "８１ ９８８８８－７７７７"),
        ("+5581988887777", "tel.: (81) 98888\u22127777\ufeff"),
    ],
)
def test_every_search_reads_a_phone_as_the_forms_do(client, clinic, stored, typed):
    owner = make_patient(clinic, name="Rita Lima", phone=stored, cpf=None)
    make_patient(clinic, name="Telma", phone="+5585922220000", cpf=None)

    assert patients.search(clinic, typed) == [owner]
    assert list(patients.fitting(Patient.objects.of(clinic), typed)) == [owner]
    client.force_login(make_manager(clinic))
    for address in (reverse("web:patient-list"), reverse("web:patient-search")):
        page = client.post(address, {"q": typed}, headers=HTMX).content.decode()
        assert "Rita Lima" in page and "Telma" not in page


def searched(client, typed):
    """The list of the patients' page, without white space at the beginning of elements."""
    page = client.post(reverse("web:patient-list"), {"q": typed}, headers=HTMX).content.decode()
    return re.sub(r">\s+", ">", page)


@pytest.mark.parametrize("typed", ["00 15 81 98888 7777", "81-3222-CASA", "(81) 98888-777x"])
def test_a_search_for_no_number_finds_nobody_and_the_form_says_why(client, clinic, typed):
    for number in ("+5581988887777", "+558132222272", "+81988887777"):
        make_patient(clinic, phone=number)
    client.force_login(make_user(clinic))

    assert patients.search(clinic, typed) == []
    assert initial_for_search(typed) == {"phone": typed}
    page = client.post(reverse("web:appointment-check"), {"new": "1", "q": typed}, headers=HTMX).content.decode()
    assert re.search('id="error-phone"[^>]*>O telefone (tem|começa)', page)
    page = searched(client, typed)
    assert "Ninguém encontrado" in page and re.search("<p>O telefone (tem|começa)", page)


READABLE = ["9999", "(81) 9999-9999", "81 98888", "+44 20 7946 0958", "Zoé", "529.982.247-25", "81988887777, 245624139"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("(81) 98888-777x", "O telefone tem “x”, que não é número."),
        ("0800-726-CASA", "O telefone tem “CASA”, que não é número."),
        ("81988887777#2", "O telefone tem “#”, que não é número."),
        ("0015351 912345678", "O telefone começa por 00 e o código de uma operadora, 15."),
        ("00 41 81 3421-5678", "O telefone começa por 00 e o código de uma operadora, 41."),
    ],
)
def test_the_patients_page_says_why_a_phone_finds_nobody(client, clinic, typed, sentence):
    client.force_login(make_user(clinic))

    page = searched(client, typed)
    assert "Ninguém encontrado" in page and f"<p>{sentence}" in page


@pytest.mark.parametrize("typed", [*READABLE, "Maria 81 98876-5432", "912345678 (mãe)", "12/03/1984"])
def test_a_search_that_can_be_read_is_not_corrected(client, clinic, typed):
    client.force_login(make_user(clinic))

    page = searched(client, typed)
    assert "Ninguém encontrado" in page and page.count("<p>") == 1 and "<p>Não há paciente com" in page


def test_a_search_finds_a_pasted_document(client, clinic):
    owner = make_patient(clinic, name="Rita Lima", phone="+5581988887777", cpf="52998224725")

    for typed in (
        "529.982.247\u221225",
        "\ufeff529.982.247-25",
        "CPF: 529 982 247-25",
        "５２９.982.247-25",
        "529\u00a0982.247/25",
    ):
        assert patients.search(clinic, typed) == [owner], typed


# Spellings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "all_of_them"),
    [
        ("+5581988887777", ["+558188887777", "+5581988887777"]),
        ("+558188887777", ["+558188887777", "+5581988887777"]),
        ("+558170707070", ["+558170707070"]),
        ("+5581970707070", ["+5581970707070"]),
        ("+5581923456789", ["+5581923456789"]),
        ("+558134215678", ["+558134215678"]),
        ("+5520999999999", ["+5520999999999"]),
        ("+351912345678", ["+351912345678"]),
        ("", [""]),
    ],
)
def test_only_a_mobile_has_a_spelling_without_the_ninth_digit(number, all_of_them):
    assert phones.spellings(number) == all_of_them


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("00 15 81 98876 5432", Fault.CARRIER),
        ("0015351 912345678", Fault.CARRIER),
        ("0021 81 9999-9999", Fault.CARRIER),
        ("0014 44 20 7946 0958", Fault.CARRIER),
        ("00 41 81 3421-5678", Fault.CARRIER),
        ("0055 351 912345678", Fault.CARRIER),
        ("00 55 81 9999-9999", Fault.NINTH_DIGIT),
        ("81-3222-CASA", Fault.NOT_DIGITS),
        ("0800 ANATEL", Fault.NOT_DIGITS),
        ("81 98876-5432 ou 81 98876-5433", Fault.SEVERAL),
        ("912 345 678 / 213 456 789", Fault.SEVERAL),
        ("912345678 (mãe)", Fault.AREA_MISSING),
        ("Maria 81 98876-5432", Fault.NOT_DIGITS),
        ("(81) 3421-567", Fault.DIGIT_MISSING),
        ("(81) 9999-999", Fault.DIGITS_MISSING),
        ("0800 726 01012", Fault.IMPOSSIBLE),
    ],
)
def test_fault_of_a_number_is_named(text, fault):
    assert phones.read(text, "BR").fault is fault


@pytest.mark.parametrize(
    ("number", "country", "shown"),
    [
        ("+351213456789", "PT", "213 456 789"),
        ("+351912345678", "PT", "912 345 678"),
        ("+351213456789", "BR", "+351 213 456 789"),
        ("+5581999999999", "BR", "(81) 99999-9999"),
        ("+5581999999999", "PT", "+55 81 99999-9999"),
        ("+238991234", "PT", "+238 991234"),
    ],
)
def test_a_number_is_written_as_its_country_prints_it(number, country, shown):
    clinic = make_lisbon() if country == "PT" else make_clinic()
    patient = make_patient(clinic, phone=number)
    patient.refresh_from_db()

    assert formatted_details(patient, clinic)["phone"] == shown


# Documents -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "typed", "stored"),
    [
        ("cpf", "529.982.247\u221225", "52998224725"),
        ("cpf", "529.982.247\u201325", "52998224725"),
        ("cpf", "\ufeff529.982.247-25\u200b", "52998224725"),
        ("cpf", "529\u00a0982\t247 25", "52998224725"),
        ("cpf", "CPF: 529.982.247-25", "52998224725"),
        ("cpf", "cpf nº 52998224725", "52998224725"),
        ("cpf", "C.P.F. 529 982 247/25", "52998224725"),
        ("cpf", "５２９．９８２．２４７－２５", "52998224725"),
        ("cpf", "529.982.247\u201125.", "52998224725"),
        ("nif", "NIF PT 245 624 139", "245624139"),
        ("nif", "PT245624139", "245624139"),
        ("nif", "pt-245.624.139", "245624139"),
        ("nif", "n.º 245\u2009624\u2009139", "245624139"),
        ("nif", "Contribuinte: 245624139\ufeff", "245624139"),
        ("nif", "２４５６２４１３９", "245624139"),
    ],
)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_document_is_read_as_it_is_pasted(client, doctor, form, field, typed, stored):
    answer = form(client, doctor, {"name": "Rita Lima", "phone": "(81) 98888-7777", field: typed})

    assert answer.status_code in {200, 302}
    assert getattr(Patient.objects.get(), field) == stored


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("cpf", "12.345.678/0001-95", "Isto é um CNPJ"),
        ("cpf", "12ABC34501DE35", "Isto é um CNPJ"),
        ("cpf", "CNPJ: 12.ABC.345/01DE-35", "Isto é um CNPJ"),
        ("cpf", "529.982.247-2", "O CPF tem 11 dígitos"),
        ("cpf", "529.982.247-26", "Os dígitos deste CPF não conferem"),
        ("cpf", "529.982.247-25 e 111.444.777-35", "O CPF tem 11 dígitos"),
        ("nif", "999 999 990", "É o NIF de consumidor final"),
        ("nif", "NIF PT 999999990", "É o NIF de consumidor final"),
        ("nif", "245 624 138", "Este NIF não é válido"),
        ("nif", "ES 245624139", "Este NIF não é válido"),
        ("nif", "24562413", "Este NIF não é válido"),
        ("nif", "PT PT 501964843", "Este NIF não é válido"),
        ("nif", "501·964·843", "Este NIF não é válido"),
        ("nif", "501⁃964843", "Este NIF não é válido"),
        ("nif", "501\u2027964843", "Este NIF não é válido"),
        ("nif", "50PT1964843", "Este NIF não é válido"),
        ("nif", "501964843PT", "Este NIF não é válido"),
        ("nif", "NIF PT-PT501964843", "Este NIF não é válido"),
        ("nif", "501964843 501964843", "Este NIF não é válido"),
        ("cpf", "529·982·247·25", "O CPF tem 11 dígitos"),
        ("cpf", "529⁃982247-25", "O CPF tem 11 dígitos"),
        ("cpf", "PT 529.982.247-25", "O CPF tem 11 dígitos"),
    ],
)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_number_of_no_personal_document_is_explained(client, doctor, form, field, typed, sentence):
    page = form(client, doctor, {"name": "Rita", "phone": "(81) 98888-7777", field: typed}).content.decode()

    assert Patient.objects.count() == 0
    assert sentence in page or (form, field) == (in_the_panel, "nif")  # in Brazil the panel has no such field


# Names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Doctor, Procedure, Clinic, StaffUser])
def test_in_the_admin_a_changed_name_needs_a_letter(client, clinic, model):
    row = {
        Doctor: lambda: make_doctor(clinic, name="Dra. Rita"),
        Procedure: lambda: make_procedure(clinic, name="Eco"),
        Clinic: lambda: clinic,
        StaffUser: lambda: make_user(clinic, name="Rita"),
    }[model]()
    client.force_login(make_superuser(clinic=clinic))
    change = reverse(f"admin:clinic_{model._meta.model_name}_change", args=[row.pk])

    for name in ("12345", "---", "👩🏽", "(1)", "٣٤"):
        form = client.post(change, {"name": name}).context["adminform"].form
        assert any("nenhuma letra" in sentence for sentence in form.errors["name"]), name
    model.objects.filter(pk=row.pk).update(name="12345")
    assert "name" not in client.post(change, {"name": "12345"}).context["adminform"].form.errors
