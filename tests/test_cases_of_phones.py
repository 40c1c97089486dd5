"""Numbered cases about phones, by every entry point that they concern."""

import pytest
from django.urls import reverse

from clinic.models import Clinic, Patient, phones
from clinic.models.phones import Fault
from clinic.registry import PatientDetails, Policy, check_patient, register_patient
from tests.booking.desk import BY
from tests.factories import make_clinic, make_lisbon, make_manager, make_master, make_patient, make_superuser, make_user
from tests.patient_doors import DOORS, HTMX, imagemais, on_the_patients_page, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]


@pytest.fixture
def saturday(time_machine):
    """21 November 2026, noon in Recife."""
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


def recife(**fields):
    return make_clinic(area_code="81", **fields)


CLINICS = {"Lisbon": make_lisbon, "Recife": recife}
# case, clinic, what is typed, what is stored, how that is shown
TAKEN = [
    (1, "Lisbon", "912 345 678", "+351912345678", "912 345 678"),
    (2, "Lisbon", "00351912345678", "+351912345678", "912 345 678"),
    (2, "Lisbon", "351 912 345 678", "+351912345678", "912 345 678"),
    (2, "Lisbon", "91 234 56 78", "+351912345678", "912 345 678"),
    (3, "Lisbon", "21 345 67 89", "+351213456789", "213 456 789"),
    (4, "Lisbon", "+244 923 456 789", "+244923456789", "+244 923 456 789"),
    (4, "Lisbon", "+258 84 123 4567", "+258841234567", "+258 84 123 4567"),
    (4, "Lisbon", "+238 991 23 45", "+2389912345", "+238 991 23 45"),
    (5, "Lisbon", "923 456 789", "+351923456789", "923 456 789"),
    (12, "Recife", "99999-9999", "+5581999999999", "(81) 99999-9999"),
    (12, "Recife", "3421-5678", "+558134215678", "(81) 3421-5678"),
    (12, "Recife", "9 9999-9999", "+5581999999999", "(81) 99999-9999"),
    (14, "Recife", "00351 912345678", "+351912345678", "+351 912 345 678"),
    (14, "Recife", "+351 912 345 678", "+351912345678", "+351 912 345 678"),
    (15, "Recife", "0800 726 0101", "+558007260101", "0800 726 0101"),
    (15, "Recife", "(81) 3421-5678", "+558134215678", "(81) 3421-5678"),
    (15, "Recife", "(81) 7070-7070", "+558170707070", "(81) 7070-7070"),
    (15, "Recife", "4002-8922", "+5540028922", "4002-8922"),
]
REFUSED = [
    (6, "Lisbon", "512345678", "Este número não existe em Portugal: começa por 5. Verifique"),
    (6, "Lisbon", "012345678", "Este número não existe em Portugal: começa por 0. Verifique"),
    (11, "Recife", "(81) 99999-999", "Falta um dígito: (81) 99999-999_."),
    (11, "Recife", "99999-999", "Falta um dígito: (81) 99999-999_."),
    (12, "Recife", "912 345 678", "Falta o DDD: (__) 91234-5678."),
    (12, "Recife", "9999-999", "Faltam dígitos: são só 7."),
]
ASKED = [
    (8, "Lisbon", "(81) 99999-9999", "É do Brasil, +55 81 99999-9999?", "+5581999999999"),
    (10, "Recife", "(81) 9999-9999", "Acrescentamos o 9: (81) 99999-9999. Confere?", "+5581999999999"),
    (10, "Recife", "81 8888-7777", "Acrescentamos o 9: (81) 98888-7777. Confere?", "+5581988887777"),
    (12, "Recife", "8888-7777", "Acrescentamos o 9: (81) 98888-7777. Confere?", "+5581988887777"),
    (12, "Recife", "88887777", "Acrescentamos o 9: (81) 98888-7777. Confere?", "+5581988887777"),
]


@DOORS
@pytest.mark.parametrize(("case", "where", "typed", "stored", "shown"), TAKEN)
def test_phone_of_the_case_is_stored_and_shown(client, door, case, where, typed, stored, shown):
    clinic = CLINICS[where]()
    door(client, clinic, {"name": "Rita Lima", "phone": typed})

    rita = Patient.objects.get()
    assert rita.phone.as_e164 == stored and not rita.has_doubtful_phone
    client.force_login(make_user(clinic))
    page = page_of(client.get(reverse("web:patient-detail", args=[rita.pk])))
    assert shown in page and "telefone a confirmar" not in page


@DOORS
@pytest.mark.parametrize(("case", "where", "typed", "sentence"), REFUSED)
def test_phone_of_the_case_is_refused_and_explained(client, door, case, where, typed, sentence):
    page = page_of(door(client, CLINICS[where](), {"name": "Rita", "phone": typed, "phone_is_right": "+5581999999999"}))

    assert sentence in page and typed in page and not Patient.objects.exists()


@DOORS
@pytest.mark.parametrize(("case", "where", "typed", "question", "meant"), ASKED)
def test_phone_of_the_case_is_asked_about(client, door, case, where, typed, question, meant):
    clinic = CLINICS[where]()
    page = page_of(door(client, clinic, {"name": "Rita Lima", "phone": typed}))
    assert question in page and f'name="phone_is_right" value="{meant}"' in page and not Patient.objects.exists()

    door(client, clinic, {"name": "Rita Lima", "phone": typed, "phone_is_right": meant})
    assert Patient.objects.get().phone.as_e164 == meant


# 9 -------------------------------------------------------------------------------------------------------------------

WHOSE = [
    ("Lisbon", "912345678 (mãe)", "+351912345678", "mãe"),
    ("Lisbon", "912 345 678 - mãe", "+351912345678", "mãe"),
    ("Lisbon", "filha Ana: 912345678", "+351912345678", "filha Ana"),
    ("Lisbon", "tel. da mãe 912 345 678", "+351912345678", "mãe"),
    ("Lisbon", "(Rui, irmão) 912345678", "+351912345678", "Rui, irmão"),
    ("Lisbon", "912345678 (WhatsApp)", "+351912345678", ""),
    ("Recife", "99999-9999 (mãe)", "+5581999999999", "mãe"),
    ("Recife", "(81) 99999-9999 vizinha", "+5581999999999", "vizinha"),
]


@DOORS
@pytest.mark.parametrize(("where", "typed", "stored", "whose"), WHOSE)
def test_09_whose_phone_it_is_is_read_beside_it(client, door, where, typed, stored, whose):
    clinic = CLINICS[where]()
    door(client, clinic, {"name": "Rita Lima", "phone": typed})

    rita = Patient.objects.get()
    assert (rita.phone.as_e164, rita.phone_of) == (stored, whose)
    client.force_login(make_user(clinic))
    assert whose in page_of(client.get(reverse("web:patient-detail", args=[rita.pk])))


def test_09_an_edit_keeps_and_replaces_whose_phone_it_is(client):
    clinic = make_lisbon()
    rita = make_patient(clinic, phone="+351912345678", phone_of="mãe")
    client.force_login(make_user(clinic))
    edit = reverse("web:patient-edit", args=[rita.pk])
    for changes, whose in (({"notes": "x"}, "mãe"), ({"phone_of": "pai"}, "pai"), ({"phone_of": ""}, "")):
        rita.refresh_from_db()
        form = client.get(edit).context["form"]
        assert client.post(edit, form.initial | {"version": form.version} | changes).status_code == 302
        rita.refresh_from_db()
        assert (rita.phone.as_e164, rita.phone_of) == ("+351912345678", whose)
    form = client.get(edit).context["form"]
    typed = form.initial | {"version": form.version, "phone": "912345679 (avó)"}
    assert client.post(edit, typed).status_code == 302
    rita.refresh_from_db()
    assert (rita.phone.as_e164, rita.phone_of) == ("+351912345679", "avó")


def test_09_a_program_may_write_it_beside_the_number_too():
    program = imagemais(make_lisbon())
    sent = {"name": "Rita", "phone": "912345678 (mãe)", "dateBirth": "1990-01-01"}

    answer = program("POST", "/patients", sent)
    assert (answer.status_code, answer.json()["contact"]) == (201, {"phone": "912 345 678"})
    rita = Patient.objects.get()
    assert rita.phone_of == "mãe"
    assert program("PATCH", f"/patients/{rita.pk}", {"phone": "912345679 (pai)"}).status_code == 200
    rita.refresh_from_db()
    assert (rita.phone.as_e164, rita.phone_of) == ("+351912345679", "mãe")


@pytest.mark.parametrize("whose", ["mãe" * 21, "m\0e", "m\ud800"])
def test_09_whose_phone_it_is_is_one_short_line(client, whose):
    clinic = make_lisbon()
    details = PatientDetails(name="Rita", phone="912345678", phone_of=whose)
    assert [refusal.field for refusal in check_patient(details, clinic=clinic)] == ["phone_of"]
    page = page_of(on_the_patients_page(client, clinic, {"name": "Rita", "phone_of": "mãe" * 21}))
    assert "São 63 caracteres; o máximo é 60." in page and not Patient.objects.exists()


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("Maria 81 98876-5432", Fault.NOT_DIGITS),
        ("81-3222-CASA", Fault.NOT_DIGITS),
        ("0800-726-CASA", Fault.NOT_DIGITS),
        ("81 98888-7777 ramal 3", Fault.NOT_DIGITS),
        ("(81) 98888-777x", Fault.NOT_DIGITS),
        ("81 98876-5432 (mãe) ou 81 98876-5433", Fault.SEVERAL),
        ("912345678 (mãe) (pai)", Fault.NOT_DIGITS),
        ("mãe", Fault.NOT_DIGITS),
        ("(mãe)", Fault.NOT_DIGITS),
        ("(81) 9999-9999 (mãe)", Fault.NINTH_DIGIT),
        ("(81) 99999-999 mãe", Fault.DIGIT_MISSING),
    ],
)
def test_09_a_number_beside_which_something_stands_keeps_its_fault(typed, fault):
    assert phones.read(typed, "BR").fault is fault


# 12 ------------------------------------------------------------------------------------------------------------------


def test_12_the_area_code_is_shown_as_added_when_the_phone_is_left(client):
    client.force_login(make_user(recife()))
    typed = {"name": "Rita", "phone": "3421-5678", "is_new": "1"}
    for address in (reverse("web:patient-check"), reverse("web:appointment-check")):
        left = client.post(address, typed, headers=HTMX | {"HX-Trigger-Name": "phone"})
        assert "Com o DDD da clínica: (81) 3421-5678" in page_of(left)
        left = client.post(address, typed | {"phone": "(81) 3421-5678"}, headers=HTMX | {"HX-Trigger-Name": "phone"})
        assert "Com o DDD" not in page_of(left)


def test_12_a_clinic_without_area_code_asks_for_it_as_before(client):
    page = page_of(on_the_patients_page(client, make_clinic(), {"name": "Rita", "phone": "99999-9999"}))

    assert "Falta o DDD: (__) 99999-9999." in page and not Patient.objects.exists()


@pytest.mark.parametrize("policy", [Policy.LENIENT, Policy.EXACT_CPF])
def test_12_no_area_code_is_guessed_for_a_program(policy):
    refusals = check_patient(PatientDetails(name="Rita", phone="99999-9999"), clinic=recife(), policy=policy)

    assert [refusal.reason.name for refusal in refusals] == ["PHONE_AREA_MISSING"]
    sent = {"name": "Rita", "phone": "99999-9999", "dateBirth": "1990-01-01"}
    assert imagemais(recife())("POST", "/patients", sent).status_code == 400


def test_12_a_phone_without_its_area_code_is_the_same_patient():
    clinic = recife()
    rita = make_patient(clinic, name="Rita Lima", phone="+5581999999999", cpf=None)

    with pytest.raises(Exception, match="PATIENT_EXISTS"):
        register_patient(clinic, PatientDetails(name="Rita Lima", phone="99999-9999"), by=BY)
    assert Patient.objects.get() == rita


def test_12_only_a_clinic_in_brazil_has_an_area_code(client):
    brazilian, portuguese = recife(), make_lisbon()
    client.force_login(make_master(brazilian))
    change = reverse("admin:clinic_clinic_change", args=[brazilian.pk])
    fields = {key: value for key, value in client.get(change).context["adminform"].form.initial.items() if value}
    for typed, sentence in (("20", "Não existe esse DDD"), ("8", "Não existe esse DDD"), ("x1", "Não existe esse DDD")):
        assert sentence in page_of(client.post(change, fields | {"area_code": typed}))
    assert client.post(change, fields | {"area_code": "11"}).status_code == 302
    assert Clinic.objects.get(pk=brazilian.pk).area_code == "11"
    client.force_login(make_manager(portuguese))
    page = page_of(client.get(reverse("admin:clinic_clinic_change", args=[portuguese.pk])))
    assert "area_code" not in page
    client.force_login(make_superuser())
    assert "area_code" in page_of(client.get(reverse("admin:clinic_clinic_add")))


# 15 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "takes"),
    [("+558007260101", False), ("+558134215678", False), ("+558170707070", True), ("+5581999999999", True)],
)
def test_15_no_message_is_offered_to_a_landline(number, takes):
    patient = make_patient(recife(), phone=number)
    patient.refresh_from_db()

    assert phones.takes_messages(patient.phone) is takes
