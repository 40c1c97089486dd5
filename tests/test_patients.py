import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.booking import Author, LineRequest, Proposal, book, change_status
from clinic.form_fields import TypedDateField
from clinic.models import AppointmentEvent, Patient
from clinic.queries import patients
from clinic.registry import change_patient
from clinic.templatetags.formats import age
from clinic.web.patient.forms import formatted_details, initial_for_search, new_patient_label
from tests.factories import (
    cpf,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_patient,
    make_procedure,
    make_user,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
TYPED = {"name": "Maria Souza", "phone": "(81) 99999-9999", "birth_date": "12/03/1984"}


@pytest.fixture
def clinic(db):
    return make_clinic()


@pytest.fixture
def desk(client, clinic):
    """The browser of a receptionist of the clinic."""
    client.force_login(make_user(clinic))
    client.get(reverse("web:patient-add"))  # the first request of a session writes it
    return client


def names(found):
    return [patient.name for patient in found]


def found_by(clinic, text):
    return names(patients.search(clinic, text))


def visit(patient, *, days, status=None, **fields):
    """An appointment of the patient so many days from now, at nine."""
    clinic = patient.clinic
    procedure = make_procedure(clinic, name="Ultrassom")
    doctor = make_doctor(clinic, name="Dr. Paulo Reis", procedures=[procedure], days=range(1, 8))
    author = Author(channel=AppointmentEvent.Channel.COMMAND, credential="tests")
    starts_at = clinic.instant(clinic.local(timezone.now()).date() + timedelta(days=days), doctor.hours.first().starts)
    before = starts_at - timedelta(minutes=1)
    proposal = Proposal(
        clinic=clinic, doctor=doctor.pk, patient=patient.pk, lines=(LineRequest(procedure.pk),), starts_at=starts_at
    )
    booked = book(proposal, by=author, now=before)
    for step in status or ():
        change_status(booked.pk, step, clinic=clinic, by=author, now=starts_at, **fields)
    return booked


FINISHED = ("checked_in", "in_service", "finished")


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "josé antônio",
        "JOSE ANTONIO",
        "antônio josé",
        "tôni",
        "  araujo   jo ",
        "jo an",
        "d'ávila",
        "jos\u200f\u0301e\0",
        "(81) 98765-4321",
        "81987654321",
        "081 98765 4321",
        "+55 81 98765-4321",
        "98765",
        "4321",
        "jose 4321",
        "529.982.247-25",
        "52998224725",
        "529.982",
        "245624139",
        "12/03/1984",
        "12031984",
        "Antonio 12/03/1984",
    ],
)
def test_a_patient_is_found_by(text, clinic):
    jose = make_patient(
        clinic,
        name="José Antônio d'Ávila Araújo",
        phone="+5581987654321",
        cpf="52998224725",
        nif="245624139",
        birth_date="1984-03-12",
    )
    make_patient(clinic, name="Rui", phone="+5585922220000", cpf=None, birth_date="1990-01-02")

    assert patients.search(clinic, text.replace("e\0", "e")) == [jose]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0\u200f",
        "%",
        "_",
        "\\",
        "%%",
        "J_se",
        "J%e",
        "os\\",
        "31/02/1984",
        "999",
        "maria joão",
        "5581",
        "0000",
    ],
)
def test_nobody_is_found_by(text, clinic):
    make_patient(clinic, name="José Maria", phone="+5581987654321", cpf="52998224725")

    assert patients.search(clinic, text) == []


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Ana D'Ávila", "davila"),
        ("Ana D'Ávila", "d’avila"),
        ("Ana d´Ávila", "d'ávila"),
        ("Ana D’Ávila", "d avila"),
        ("Sean O’Neill", "oneill"),
        ("Sean O’Neill", "o'neill"),
        ("Sean O'Neill", "o neill"),
        ("Eva Müller-Weiß", "muller weiss"),
        ("Eva Müller-Weiß", "mullerweiss"),
        ("Eva Müller–Weiß", "Müller-Weiß"),
        ("Eva Müller Weiß", "muller‑weiss"),
        ("Rui dos Santos", "dossantos"),
        ("Rui dos Santos", "ruidossantos"),
        ("Rui Dossantos", "dos santos"),
        ("Rui Sant'Anna", "santanna"),
        ("Rui Santanna", "sant'anna"),
        ("Rui Sant Anna", "santanna"),
        ("Jørgen Łukasz", "jorgen lukasz"),
        ("Núñez·Pi", "nunezpi"),
    ],
)
def test_nothing_stands_between_a_typed_name_and(stored, typed, clinic):
    meant = make_patient(clinic, name=stored)
    make_patient(clinic, name="Maria Nunes da Villa")

    assert patients.search(clinic, typed) == [meant]
    assert list(patients.listed(clinic, name=typed)) == [meant]


# Letters to Unicode, apostrophes and the like to people; what clinic_fold and clinic_letters leave nothing of.
MARKS = "ʹʺʻʼʽˆˈˋː"


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("text", ["{0}", "{0}{0}{0}", "{0} {0}", "{0}-{0}{0}", " ({0}), {0}."])
def test_a_text_of_marks_alone_finds_nobody(clinic, mark, text):
    make_patient(clinic, name="Sara Dias")
    typed = text.format(mark)
    assert patients.search(clinic, typed) == patients.search(clinic, typed, by_numbers=False) == []
    assert list(patients.listed(clinic, name=typed)) == []
    assert list(patients.fitting(Patient.objects.of(clinic), typed)) == []


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("typed", ["O{0}neill", "{0}neill", "oneill{0}", "{0}O{0}Neill{0}", "sean {0}{0}{0}"])
def test_a_mark_beside_letters_is_an_apostrophe(clinic, mark, typed):
    sean = make_patient(clinic, name="Sean O’Neill")
    make_patient(clinic, name="Maria Nunes")
    typed = typed.format(mark)
    assert patients.search(clinic, typed) == patients.search(clinic, typed, by_numbers=False) == [sean]
    assert list(patients.listed(clinic, name=typed)) == [sean]
    assert list(patients.fitting(Patient.objects.of(clinic), typed)) == [sean]


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_in_a_stored_name_is_an_apostrophe(clinic, mark):
    sean = make_patient(clinic, name=f"Sean O{mark}Neill")
    assert patients.search(clinic, "oneill") == patients.search(clinic, "o'neill") == [sean]


@pytest.mark.parametrize("typed", ["iadav", "anunes", "asilva", "silvaana"])
def test_letters_are_not_joined_from_the_middle_of_a_name(typed, clinic):
    make_patient(clinic, name="Maria Nunes da Silva")

    assert patients.search(clinic, typed) == []


@pytest.mark.parametrize(
    "typed",
    [
        "(maria)",
        "maria.",
        "“Maria”,",
        "maria/souza",
        "souza,maria",
        "Sra. Maria",
        "Sr(a). Maria",
        "Sr.ª Maria",
        "Dra.Maria Souza",
        "D. Maria",
        "paciente: Maria Souza",
        "tel 98333-1010",
        "Tel.: (81) 98333-1010",
        "cel:98333‑1010",
        "telemóvel 98333 1010",
        "WhatsApp: +55 81 98333-1010",
        "CPF 529.982.247-25",
        "CPF: 52998224725.",
        "maria, tel. 98333-1010",
        "Maria (98333-1010)",
        "nascida 12/03/1984",
        "data de nascimento: 12/03/1984",
    ],
)
def test_punctuation_titles_and_labels_are_no_part_of(typed, clinic):
    maria = make_patient(clinic, name="Maria Souza", phone="+5581983331010", cpf="52998224725", birth_date="1984-03-12")
    make_patient(clinic, name="Telma Cordeiro", phone="+5581977772222")

    assert patients.search(clinic, typed) == [maria]


@pytest.mark.parametrize(("typed", "name"), [("tel", "Telma"), ("cel", "Celina"), ("dr", "Drauzio"), ("sr", "Sri")])
def test_a_title_or_label_alone_is_looked_for(typed, name, clinic):
    meant = make_patient(clinic, name=name)

    assert patients.search(clinic, typed) == [meant]


@pytest.mark.parametrize("typed", ["½½½", "⑴⑵⑶", "(((", "a.*b", "[z", "ʰʰʰ", "ªªª", "µµµ", "x{9}", "\\d+"])
def test_no_letter_is_a_pattern(typed, clinic):
    make_patient(clinic, name="Ana Lima")

    assert patients.search(clinic, typed) == []


def test_punctuation_alone_is_not_worth_a_question(clinic, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert patients.search(clinic, " % -- _ ") == []


def test_letters_that_search_patterns_are_made_of_are_only_letters(clinic):
    make_patient(clinic, name="Ana Souza")
    odd = make_patient(clinic, name=r"Ana 100%_\ Souza")

    assert patients.search(clinic, "100%") == [odd]
    assert patients.search(clinic, "%_") == []
    assert patients.search(clinic, r"100%_\ ") == [odd]


def test_social_name_is_searched_and_words_may_match_either_name(clinic):
    make_patient(clinic, name="João Lima", social_name="Clara Lima")

    assert found_by(clinic, "clara") == found_by(clinic, "clara joao") == ["João Lima"]


def test_results_are_exact_number_then_prefix_then_by_name(clinic):
    make_patient(clinic, name="Zita Ana")
    make_patient(clinic, name="Bia Mariana")
    make_patient(clinic, name="Ânatole")
    make_patient(clinic, name="Ana Souza")
    make_patient(clinic, name="Zoé", phone="+5581912345678")
    make_patient(clinic, name="Ari", phone="+5511812345678", cpf="81912345678"[:11])

    assert found_by(clinic, "ana") == ["Ana Souza", "Ânatole", "Bia Mariana", "Zita Ana"]
    assert found_by(clinic, "12345678") == ["Ari", "Zoé"]
    assert found_by(clinic, "+55 81 91234-5678")[0] == "Zoé"


def test_namesakes_are_in_order_of_registration_within_the_limit(clinic):
    namesakes = [make_patient(clinic, name="Ana Lima") for _ in range(5)]

    assert patients.search(clinic, "ana", limit=3) == namesakes[:3]
    assert patients.search(clinic, "lima", limit=3) == namesakes[:3]


def options_for(clinic, text):
    found = patients.options(clinic, text, timezone.now())
    return names(option.patient for option in found.patients), found.has_more


def test_options_that_fit_equally_begin_with_recent_patients(clinic):
    for name in ("Álvaro Costa", "Caio Costa", "Costa Antiga", "Dario Costa", "Elis Costa"):
        make_patient(clinic, name=name)
    visit(Patient.objects.get(name="Elis Costa"), days=-170, status=FINISHED)
    visit(Patient.objects.get(name="Dario Costa"), days=20)
    visit(Patient.objects.get(name="Caio Costa"), days=-190, status=FINISHED)

    expected = ["Costa Antiga", "Dario Costa", "Elis Costa", "Álvaro Costa", "Caio Costa"]
    assert options_for(clinic, "costa") == (expected, False)
    assert found_by(clinic, "costa") == ["Costa Antiga", "Álvaro Costa", "Caio Costa", "Dario Costa", "Elis Costa"]


def test_owners_of_one_number_begin_with_who_was_seen(clinic):
    for name in ("Ana Lima", "Zoé Lima"):
        make_patient(clinic, name=name, phone="+5581987654321")
    visit(Patient.objects.get(name="Zoé Lima"), days=-3, status=FINISHED)

    assert options_for(clinic, "81 98765-4321") == (["Zoé Lima", "Ana Lima"], False)


@pytest.mark.parametrize(("number", "has_more"), [(8, False), (9, True)])
def test_at_most_eight_options_and_whether_there_are_more(clinic, number, has_more):
    for _ in range(number):
        make_patient(clinic, name="Ana Costa")

    found = patients.options(clinic, "costa", timezone.now())
    assert (len(found.patients), found.has_more) == (8, has_more)


def test_part_of_country_and_area_code_matches_no_phone(clinic):
    make_patient(clinic, phone="+5581987654321")
    other = make_patient(clinic, phone="+5581987655581")

    assert patients.search(clinic, "5581") == [other]


def test_patients_of_another_clinic_are_never_found(clinic):
    make_patient(name="Ana Alheia", phone="+5581987654321", cpf="52998224725", birth_date="1984-03-12")

    for text in ("ana", "98765", "+5581987654321", "52998224725", "12/03/1984"):
        assert patients.search(clinic, text) == []


def test_a_found_patient_carries_the_last_finished_visit(clinic):
    ana = make_patient(clinic, name="Ana")
    visit(ana, days=-9, status=FINISHED)
    last = visit(ana, days=-3, status=FINISHED)
    visit(ana, days=-1, status=("no_show",))
    make_patient(clinic, name="Ana Nova")

    found = patients.options(clinic, "ana", timezone.now()).patients

    assert [option.last_visit for option in found] == [last, None]
    assert found[0].last_visit.doctor_name == "Dr. Paulo Reis"


# --- the list ---------------------------------------------------------------------------------------------------------


def test_search_text_is_never_in_a_url(desk, clinic):
    make_patient(clinic, name="Ana Souza")

    answer = desk.post(reverse("web:patient-list"), {"q": "souza"})

    assert answer.status_code == 302 and answer.url == "/pacientes/?busca=ultima"
    page = desk.get(answer.url).content.decode()
    assert "Ana Souza" in page and 'value="souza"' in page and "1 paciente encontrado" in page
    assert "Ana Souza" not in desk.get("/pacientes/").content.decode()


def test_htmx_gets_the_rows_alone_and_an_address_without_the_text(desk, clinic):
    make_patient(clinic, name="Ana Souza")

    answer = desk.post(reverse("web:patient-list"), {"q": "ana"}, headers=HTMX)

    assert "Ana Souza" in answer.content.decode() and "<html" not in answer.content.decode()
    assert answer["HX-Replace-Url"] == "/pacientes/?busca=ultima"


def test_empty_search_offers_registration_with_typed_text_in_place(desk):
    nothing = desk.post(reverse("web:patient-list"), {"q": "Zoé <b>"}, headers=HTMX).content.decode()
    assert "Ninguém encontrado" in nothing and "Cadastrar “Zoé &lt;b&gt;”" in nothing

    belongs = {"Zoé": "name", "81 98765-4321": "phone", "529.982.247-25": "cpf", "1/2/1990": "birth_date"}
    belongs |= {"Quito 4321": "name", "12.03.1984": "birth_date", "31/02/1984": "birth_date"}
    for text, field in belongs.items():
        form = desk.post(reverse("web:patient-add"), {"begin": text}).content.decode()
        assert f'name="{field}" value="{text}"' in form
    assert Patient.objects.count() == 0


@pytest.mark.parametrize(
    ("text", "initial"),
    [
        ("Zoé Lima 81 98765-4321", {"name": "Zoé Lima", "phone": "81987654321"}),
        ("(81) 98765-4321, Zoé", {"name": "Zoé", "phone": "81987654321"}),
        ("Zoé +351 912 345 678", {"name": "Zoé", "phone": "+351912345678"}),
        ("Zoé CPF 529.982.247-25", {"name": "Zoé", "cpf": "52998224725"}),
        ("Zoé 12/03/1984", {"name": "Zoé", "birth_date": "12/03/1984"}),
        ("tel 81 98765-4321", {"phone": "tel 81 98765-4321"}),
        ("12.03.1984", {"birth_date": "12.03.1984"}),
        ("Quito 4321", {"name": "Quito 4321"}),
    ],
)
def test_digits_of_a_search_text_go_into_their_own_field(text, initial):
    assert initial_for_search(text) == initial


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("81987654321", "Novo paciente com telefone (81) 98765-4321"),
        ("90000-0154", "Novo paciente com telefone 90000-0154"),
        ("15.03.1973", "Novo paciente nascido em 15/03/1973"),
        ("52998224725", "Novo paciente com CPF 529.982.247-25"),
        ("Zoé", "Cadastrar “Zoé”"),
        ("%s", "Cadastrar “%s”"),
    ],
)
def test_the_button_that_registers_says_what_the_text_is(clinic, text, label):
    assert new_patient_label(text, clinic) == label


def test_the_list_begins_with_who_is_expected_today(desk, clinic):
    make_patient(clinic, name="Bia Fora")
    visit(make_patient(clinic, name="Ana de Hoje"), days=0)
    page = desk.get(reverse("web:patient-list")).content.decode()

    assert "Com agendamento hoje" in page and "Ana de Hoje" in page and "Bia Fora" not in page


def test_only_the_first_fifty_are_listed(desk, clinic):
    for _ in range(51):
        make_patient(clinic, name="Ana Lima")

    page = desk.post(reverse("web:patient-list"), {"q": "lima"}, headers=HTMX).content.decode()

    assert page.count("Ana Lima") == 50 and "Os primeiros 50 encontrados" in page


def test_list_shows_incomplete_data_and_next_appointments(desk, clinic):
    ana = make_patient(clinic, name="Ana Lima", birth_date=None)
    coming = visit(ana, days=2)

    page = desk.post(reverse("web:patient-list"), {"q": "lima"}, headers=HTMX).content.decode()

    assert "cadastro incompleto" in page
    assert f"{clinic.local(coming.starts_at):%d/%m/%Y %H:%M}" in page


@pytest.mark.parametrize("amount", [1, 3])
def test_the_list_costs_the_same_queries_for_one_and_three(desk, clinic, amount, django_assert_num_queries):
    for _ in range(amount):
        patient = make_patient(clinic, name="Ana Lima")
        visit(patient, days=2)
        visit(patient, days=-2, status=FINISHED)

    # Session and user; names that begin so, the others, next appointments; the search kept in the session (3).
    with django_assert_num_queries(7):
        desk.post(reverse("web:patient-list"), {"q": "ana"}, headers=HTMX)


@pytest.mark.parametrize("text", ["\0", "😀" * 3000, "a" * 10_000, "\u202eana", "' OR 1=1 --", "9" * 5000, "٣٤٥٦٧٨٩"])
def test_no_search_text_is_an_error(desk, text):
    assert desk.post(reverse("web:patient-list"), {"q": text}, headers=HTMX).status_code == 200
    assert desk.post(reverse("web:patient-search"), {"q": text}, headers=HTMX).status_code == 200


# --- the options of the booking panel ---------------------------------------------------------------------------------


def test_the_panel_is_offered_patients_and_to_register_what_was_typed(desk, clinic):
    ana = make_patient(clinic, name="Ana Souza", social_name="Noa", cpf="52998224725", phone="+5581987654321")
    last = visit(ana, days=-3, status=FINISHED)

    options = desk.post(reverse("web:patient-search"), {"q": "souza"}, headers=HTMX).content.decode()
    text = " ".join(re.sub("<[^>]+>", " ", options).split())

    assert 'role="listbox"' in options and options.count('role="option"') == 2
    assert f'name="pick" value="{ana.pk}"' in options and 'name="new" value="1"' in options
    assert "Noa ( Ana Souza )" in text
    assert "17/05/1980 (46 anos) · CPF 529.982.247-25 · (81) 98765-4321" in text
    assert f"última visita {clinic.local(last.starts_at):%d/%m/%Y} com Dr. Paulo Reis" in text
    assert "Cadastrar “souza”" in text


def test_without_text_the_panel_is_offered_nothing(desk, clinic):
    make_patient(clinic)
    assert "hidden" in desk.post(reverse("web:patient-search"), {"q": " "}, headers=HTMX).content.decode()
    assert desk.get(reverse("web:patient-search")).status_code == 405


# --- the card ---------------------------------------------------------------------------------------------------------


def test_card_shows_contact_documents_missing_data_and_visits(desk, clinic):
    ana = make_patient(clinic, name="Ana <b>", cpf=None, phone="+5581987654321", email="a@b.co", notes="Um\ndois")
    visit(ana, days=-3, status=("no_show",))
    coming = visit(ana, days=4)

    page = desk.get(reverse("web:patient-detail", args=[ana.pk])).content.decode()

    for shown in ("Ana &lt;b&gt;", "(81) 98765-4321", "tel:+55-81-98765-4321", "17/05/1980", "a@b.co", "Um<br>dois"):
        assert shown in page
    assert "Cadastro incompleto." in page and "Falta:</b>" not in page and "CPF" in page
    assert "Faltou" in page and "Agendado" in page and "Ultrassom" in page and "Dr. Paulo Reis" in page
    assert reverse("web:appointment-detail", args=[coming.pk]) in page
    assert reverse("web:appointment-book") + f"?paciente={ana.pk}" in page
    assert page.index("Agendado") < page.index("Faltou")


def test_foreign_patient_has_phone_and_document_of_their_country(desk, clinic):
    rui = make_patient(clinic, name="Rui", phone="+351912345678", cpf=None, nif="245624139")

    page = desk.get(reverse("web:patient-detail", args=[rui.pk])).content.decode()

    assert "+351 912 345 678" in page and "245624139" in page and "Cadastro incompleto" not in page


def test_the_lisbon_clinic_asks_for_the_nif(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    rui = make_patient(clinic, name="Rui", cpf=None)

    page = client.get(reverse("web:patient-detail", args=[rui.pk])).content.decode()
    form = client.get(reverse("web:patient-add")).content.decode()

    assert re.search(r"Falta:\s*NIF", re.sub("<[^>]+>", "", page))
    assert form.index('id="nif"') < form.index('id="cpf"') < form.index("Só se tiver os dois")


def test_past_visits_come_in_pages(desk, clinic, monkeypatch):
    monkeypatch.setattr("clinic.web.patient.views.VISITS_PER_PAGE", 2)
    ana = make_patient(clinic)
    booked = [visit(ana, days=-day) for day in (1, 2, 3)]
    url = reverse("web:patient-detail", args=[ana.pk])
    links = [reverse("web:appointment-detail", args=[each.pk]) for each in booked]

    first, second = desk.get(url).content.decode(), desk.get(url + "?pagina=2", headers=HTMX).content.decode()

    assert links[0] in first and links[1] in first and links[2] not in first and "?pagina=2" in first
    assert links[2] in second and links[1] not in second and "?pagina=1" in second and "<html" not in second
    for odd in ("0", "-1", "x", "9" * 30, "²"):
        assert desk.get(url, {"pagina": odd}).status_code == 200


@pytest.mark.parametrize("amount", [1, 3])
def test_the_card_costs_the_same_queries_for_one_and_three(desk, clinic, amount, django_assert_num_queries):
    ana = make_patient(clinic)
    for day in range(1, amount + 1):
        visit(ana, days=day)
        visit(ana, days=-day)

    # Session and user; the patient; coming and past appointments, each with lines.
    with django_assert_num_queries(6):
        desk.get(reverse("web:patient-detail", args=[ana.pk]))


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
    ("birth_date", "01/01/2100", "A data de nascimento deve ser anterior a hoje"),
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
    assert re.findall(r'<p class="error"[^>]*>([^<]*)</p>', page) == [""] * 8


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
    ("birth_date", "day", "words"),
    [
        (date(1980, 5, 17), date(2026, 5, 16), "45 anos"),
        (date(1980, 5, 17), date(2026, 5, 17), "46 anos"),
        (date(2000, 2, 29), date(2026, 2, 28), "25 anos"),
        (date(2000, 2, 29), date(2026, 3, 1), "26 anos"),
        (date(2024, 11, 29), date(2026, 11, 28), "23 meses"),
        (date(2024, 11, 28), date(2026, 11, 28), "2 anos"),
        (date(2026, 10, 1), date(2026, 11, 28), "58 dias"),
        (date(2026, 11, 27), date(2026, 11, 28), "1 dia"),
    ],
)
def test_an_age_is_written_in_years_months_or_days(birth_date, day, words):
    assert age(birth_date, day) == words


def test_the_age_stands_beside_the_birth_date_everywhere(desk, clinic):
    ana = make_patient(clinic, name="Ana Lima", birth_date="1980-01-01")
    coming = visit(ana, days=2)

    pages = [
        desk.get(reverse("web:patient-detail", args=[ana.pk])),
        desk.post(reverse("web:patient-list"), {"q": "ana"}, headers=HTMX),
        desk.post(reverse("web:patient-search"), {"q": "ana"}, headers=HTMX),
        desk.get(reverse("web:appointment-detail", args=[coming.pk])),
        desk.get(reverse("web:appointment-book"), {"paciente": ana.pk}),
        desk.post(reverse("web:patient-add"), {"name": "Ana Lima", "phone": ana.phone.as_e164}),
    ]
    for page in pages:
        assert re.search(r"01/01/1980 (\(\d\d anos\)|· \d\d anos)", page.content.decode()), page.request


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
    assert re.search(r"O ano é 19\d\d ou 20\d\d\? Escreva-o com quatro algarismos.", answer.content.decode())


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


# --- a patient who died -----------------------------------------------------------------------------------------------


def typed_of(patient, **changes):
    """The edit form as it is drawn, with these fields typed over."""
    patient.refresh_from_db()
    return {name: text for name, text in (formatted_details(patient, patient.clinic) | changes).items() if text}


def test_a_receptionist_marks_and_unmarks_a_patient_who_died(desk, clinic):
    ana = make_patient(clinic, name="Ana Lima", cpf=None)
    edit = reverse("web:patient-edit", args=[ana.pk])

    assert desk.post(edit, typed_of(ana, died="sim")).status_code == 302
    ana.refresh_from_db()
    assert (ana.died, ana.died_on) == (True, None)

    assert desk.post(edit, typed_of(ana, died_on="12/03/2026")).status_code == 302
    ana.refresh_from_db()
    assert (ana.died, ana.died_on) == (True, date(2026, 3, 12))
    assert "Falecido(a) em 12/03/2026." in desk.get(reverse("web:patient-detail", args=[ana.pk])).content.decode()

    assert desk.post(edit, typed_of(ana, died="")).status_code == 302
    ana.refresh_from_db()
    assert (ana.died, ana.died_on) == (False, None)


@pytest.mark.parametrize(
    ("died", "died_on"),
    [("", "12/03/2026"), ("sim", "12/03/1900"), ("sim", "12/03/2199"), ("sim", "31/02/2026"), ("sim", "x")],
)
def test_a_date_of_death_that_cannot_be_is_refused_at_its_field(desk, clinic, died, died_on):
    ana = make_patient(clinic, cpf=None)
    answer = desk.post(reverse("web:patient-edit", args=[ana.pk]), typed_of(ana, died=died, died_on=died_on))

    assert answer.status_code == 422
    assert re.search('id="error-died_on"[^>]*>[^<]+<', answer.content.decode())
    ana.refresh_from_db()
    assert not ana.died


def test_dead_patient_is_not_offered_in_booking_but_is_on_the_page(desk, clinic):
    make_patient(clinic, name="Ana Lima", phone="+5581983331010", died=True)

    for text in ("ana", "lima", "98333-1010", "17/05/1980"):
        assert patients.search(clinic, text) == [] and len(patients.search(clinic, text, dead_too=True)) == 1
    assert list(patients.listed(clinic)) == []
    options = desk.post(reverse("web:patient-search"), {"q": "ana"}, headers=HTMX).content.decode()
    page = desk.post(reverse("web:patient-list"), {"q": "ana"}, headers=HTMX).content.decode()
    assert "Ana Lima" not in options and "Ana Lima" in page and "falecido(a)" in page


def test_coming_visits_of_who_died_are_listed_to_be_cancelled(desk, clinic):
    ana = make_patient(clinic, name="Ana Lima")
    coming = visit(ana, days=4)
    Patient.objects.filter(pk=ana.pk).update(died=True)

    page = desk.get(reverse("web:patient-detail", args=[ana.pk])).content.decode()
    cancel = reverse("web:appointment-cancel", args=[coming.pk])
    assert "Ainda há horários futuros: cancele-os." in page and cancel in page
    assert reverse("web:appointment-book") not in page
    assert desk.post(cancel, {"cancelled_by": "clinic"}).status_code == 302
    page = desk.get(reverse("web:patient-detail", args=[ana.pk])).content.decode()
    assert "Ainda há horários" not in page and "Cancelado" in page


def test_a_mark_survives_what_an_api_changes(clinic):
    ana = make_patient(clinic, died=True, died_on="2026-03-12")
    change_patient(ana.pk, {"name": "Ana Nova"}, clinic=clinic)

    ana.refresh_from_db()
    assert (ana.name, ana.died, ana.died_on) == ("Ana Nova", True, date(2026, 3, 12))


def test_a_cancelled_time_is_no_coming_one(desk, clinic):
    ana = make_patient(clinic)
    kept, cancelled = visit(ana, days=3), visit(ana, days=5)
    change_status(
        cancelled.pk,
        "cancelled",
        clinic=clinic,
        by=Author(channel="command", credential="tests"),
        cancelled_by="patient",
    )

    context = desk.get(reverse("web:patient-detail", args=[ana.pk])).context
    assert list(context["upcoming"]) == [kept] and context["past"] == [cancelled]


# --- who is there already ---------------------------------------------------------------------------------------------


@pytest.fixture
def gilda(clinic):
    return make_patient(clinic, name="Gilda Repetida", phone="+5581983331010", cpf=None, birth_date=None)


AGAIN = {"name": "gilda  REPETIDA", "phone": "81 98333-1010"}


def test_duplicate_is_asked_about_with_both_cards_before_saving(desk, gilda):
    answer = desk.post(reverse("web:patient-add"), AGAIN | {"notes": "veio com a filha"}, headers=HTMX)
    page = answer.content.decode()

    assert answer.status_code == 409 and Patient.objects.count() == 1
    assert "Já existe Gilda Repetida, é a mesma pessoa?" in page and "gilda  REPETIDA" in page
    assert "É a mesma: abrir" in page and "É outra pessoa: cadastrar" in page
    assert "veio com a filha" in page


def test_confirmed_namesake_is_registered_as_another_person(desk, gilda):
    answer = desk.post(reverse("web:patient-add"), AGAIN | {"besides": f"{gilda.pk} "})

    assert answer.status_code == 302 and Patient.objects.count() == 2
    again = desk.post(reverse("web:patient-add"), AGAIN | {"besides": f"{gilda.pk} x {'9' * 40}"})
    assert again.status_code == 409 and Patient.objects.count() == 2


def test_same_person_opens_with_the_other_typed_fields(desk, gilda):
    edit = reverse("web:patient-edit", args=[gilda.pk])

    assert desk.post(edit, AGAIN | {"same": gilda.pk}).url == reverse("web:patient-detail", args=[gilda.pk])
    answer = desk.post(edit, AGAIN | {"same": gilda.pk, "birth_date": "12/03/1984"}, headers=HTMX)
    page = answer.content.decode()
    assert answer["HX-Push-Url"] == edit and answer["HX-Retarget"] == "#main"
    assert 'value="12/03/1984"' in page and 'value="Gilda Repetida"' in page and "com o que você digitou" in page
    gilda.refresh_from_db()
    assert gilda.birth_date is None


STORED = {"email": "a@x.com", "notes": "diabetes", "nif": "501964843", "social_name": "Gil", "birth_date": "1984-03-12"}


def shown_stored(page):
    return dict(re.findall(r'id="stored-(\w+)">[^<]*<b><bdi>([^<]*)<', page))


@pytest.mark.parametrize(
    ("field", "typed", "stored"),
    [
        ("email", "novo@x.com", "a@x.com"),
        ("notes", "alergia a penicilina", "diabetes"),
        ("nif", "245 624 139", "501964843"),
        ("social_name", "Gilda Ana", "Gil"),
        ("birth_date", "13/03/1984", "12/03/1984"),
        ("birth_date", "31/02/1984", "12/03/1984"),
        ("phone", "(81) 97777-6666", "(81) 98333-1010"),
        ("name", "Gilda Repetida Silva", "Gilda Repetida"),
        ("cpf", "529.982.247-25", "vazio"),
    ],
)
def test_nothing_typed_of_the_same_person_is_lost(desk, gilda, field, typed, stored):
    Patient.objects.filter(pk=gilda.pk).update(**STORED)
    gilda.refresh_from_db()
    edit = reverse("web:patient-edit", args=[gilda.pk])

    page = desk.post(edit, AGAIN | {"same": gilda.pk, field: typed}, headers=HTMX).content.decode()
    assert shown_stored(page) == {field: stored}
    assert "com o que você digitou" in page and "Este cadastro foi alterado" not in page
    filled = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page.split('id="patient-form"')[1]))
    filled["notes"] = re.search(r"<textarea[^>]*>\s*([^<]*)</textarea>", page)[1]
    assert filled.pop("died") == "sim" and 'name="died" value="sim" checked' not in page
    before = formatted_details(gilda, gilda.clinic)
    assert filled.items() >= (before | {"phone": AGAIN["phone"], field: typed}).items() - {("died", "")}
    assert formatted_details(Patient.objects.get(), gilda.clinic) == before

    saved = desk.post(edit, filled)
    assert saved.status_code == (422 if typed.startswith("31/02") else 302)


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"email": " a@x.com ", "notes": "diabetes\r\n"},
        {"nif": "PT 501 964 843", "birth_date": "12 de março de 1984"},
        {"phone": "0055 81983331010"},
        {"social_name": "  Gil"},
        {"name": "GILDA repetidá"},
    ],
)
def test_unchanged_duplicate_opens_the_card(desk, gilda, typed):
    Patient.objects.filter(pk=gilda.pk).update(**STORED)
    answer = desk.post(reverse("web:patient-edit", args=[gilda.pk]), AGAIN | {"same": gilda.pk} | typed)

    assert answer.status_code == 302 and answer.url == reverse("web:patient-detail", args=[gilda.pk])


@pytest.mark.parametrize("field", ["name", "phone", "birth_date", "cpf", "nif", "email", "notes"])
@pytest.mark.parametrize("text", ["\0", "a\x1bb", "\ufffd", "😀" * 3000, "9" * 5000, "+49 123456789012345"], ids=ascii)
def test_no_text_typed_of_the_same_person_is_an_error(desk, gilda, field, text):
    typed = AGAIN | {"same": gilda.pk, field: text}
    assert desk.post(reverse("web:patient-edit", args=[gilda.pk]), typed, headers=HTMX).status_code == 200


def test_same_person_after_session_end_returns_with_everything(clinic, gilda, time_machine):
    user = make_user(clinic)
    Patient.objects.filter(pk=gilda.pk).update(**STORED)
    client = Client()
    time_machine.move_to("2026-11-23T20:00:00Z")
    client.force_login(user)
    edit = reverse("web:patient-edit", args=[gilda.pk])
    client.get(edit)
    time_machine.move_to("2026-11-24T11:00:00Z")

    late = client.post(edit, AGAIN | {"same": gilda.pk, "email": "novo@x.com", "notes": ""})
    assert late.status_code == 302 and "entrar" in late.url
    client.force_login(user)
    page = client.get(edit).content.decode()

    assert shown_stored(page) == {"email": "a@x.com"}
    assert 'value="novo@x.com"' in page and "diabetes" in page and 'value="501964843"' in page


def test_another_clinics_patient_is_neither_asked_about_nor_opened(desk):
    other = make_patient(name="Gilda Repetida", phone="+5581983331010")

    assert desk.post(reverse("web:patient-edit", args=[other.pk]), AGAIN | {"same": other.pk}).status_code == 404
    assert desk.post(reverse("web:patient-add"), AGAIN).status_code == 302


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


# --- editing ----------------------------------------------------------------------------------------------------------


def opened(desk, patient):
    """The fields of the edit form, as the browser would send them back."""
    page = desk.get(reverse("web:patient-edit", args=[patient.pk])).content.decode()
    fields = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page.split('id="patient-form"')[1]))
    return fields | {"notes": patient.notes}


def save(desk, patient, fields, **headers):
    return desk.post(reverse("web:patient-edit", args=[patient.pk]), fields, headers=headers)


def test_form_shows_formatted_data_and_saves_it_unchanged(desk, clinic):
    ana = make_patient(clinic, name="Ana", cpf="52998224725", phone="+5581987654321", nif="245624139", notes="a\nb")

    fields = opened(desk, ana)

    assert (fields["phone"], fields["cpf"]) == ("(81) 98765-4321", "529.982.247-25")
    assert fields["birth_date"] == "17/05/1980"
    assert save(desk, ana, fields).url == reverse("web:patient-detail", args=[ana.pk])
    again = Patient.objects.get()
    assert (again.cpf, again.phone, again.notes) == (ana.cpf, "+5581987654321", "a\nb")


def test_an_edit_changes_only_that_patient_and_may_empty_fields(desk, clinic):
    ana, bia = make_patient(clinic, name="Ana", social_name="Noa"), make_patient(clinic, name="Bia")

    save(desk, ana, opened(desk, ana) | {"name": "Ana Lima", "social_name": "", "cpf": ""})

    ana.refresh_from_db(), bia.refresh_from_db()
    assert (ana.name, ana.social_name, ana.cpf, bia.name) == ("Ana Lima", "", None, "Bia")


def test_second_window_does_not_overwrite_the_first_unseen(desk, clinic):
    ana = make_patient(clinic, name="Ana", phone="+5581987654321")
    first, second = opened(desk, ana), opened(desk, ana)
    save(desk, ana, first | {"phone": "(81) 91111-1111", "email": "ana@b.co"})

    answer = save(desk, ana, second | {"name": "Ana Lima"})

    page = answer.content.decode()
    assert answer.status_code == 409 and "Este cadastro foi alterado em" in page
    stored = dict(re.findall(r'id="stored-(\w+)">[^<]*<b><bdi>([^<]*)<', page))
    assert stored == {"name": "Ana", "phone": "(81) 91111-1111", "email": "ana@b.co"}
    assert 'value="Ana Lima"' in page and 'value="(81) 98765-4321"' in page
    assert re.search(r'id="name"[^>]*autofocus', page)
    ana.refresh_from_db()
    assert (ana.name, ana.phone.as_e164) == ("Ana", "+5581911111111")

    seen = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page.split('id="patient-form"')[1]))
    assert save(desk, ana, seen | {"phone": "81911111111"}).status_code == 302
    ana.refresh_from_db()
    assert (ana.name, ana.phone.as_e164) == ("Ana Lima", "+5581911111111")


def test_two_windows_that_write_the_same_are_no_conflict(desk, clinic):
    ana = make_patient(clinic, name="Ana", phone="+5581987654321")
    first, second = opened(desk, ana), opened(desk, ana)
    save(desk, ana, first | {"phone": "(81) 91111-1111", "cpf": "529.982.247-25"})

    assert save(desk, ana, second | {"phone": "+55 81911111111", "cpf": "52998224725"}).status_code == 302


def test_a_patient_keeps_their_own_cpf_and_cannot_take_anothers(desk, clinic):
    ana, bia = make_patient(clinic, name="Ana"), make_patient(clinic, name="Bia")
    fields = opened(desk, ana)

    check, left = reverse("web:patient-check", args=[ana.pk]), HTMX | {"HX-Trigger-Name": "cpf"}
    taken, own = desk.post(check, fields | {"cpf": bia.cpf}, headers=left), desk.post(check, fields, headers=left)

    assert "Este CPF já é de Bia." in taken.content.decode() and "Este CPF" not in own.content.decode()
    assert save(desk, ana, fields | {"cpf": bia.cpf}).status_code == 422


def test_form_left_open_overnight_returns_as_typed_after_sign_in(clinic, time_machine):
    user = make_user(clinic)
    ana = make_patient(clinic, name="Ana")
    client = Client()
    time_machine.move_to("2026-11-23T20:00:00Z")
    client.force_login(user)
    url = reverse("web:patient-edit", args=[ana.pk])
    fields = opened(client, ana)
    time_machine.move_to("2026-11-24T11:00:00Z")

    late = client.post(url, fields | {"name": "Ana Lima", "email": "x"})
    assert late.status_code == 302 and "entrar" in late.url
    client.force_login(user)
    page = client.get(url).content.decode()

    assert 'value="Ana Lima"' in page and "Este e-mail não é válido." in page
    ana.refresh_from_db()
    assert ana.name == "Ana"


# --- whose patients ---------------------------------------------------------------------------------------------------


def test_a_patient_of_another_clinic_is_nowhere(desk):
    stranger = make_patient(name="Ana Alheia")
    for url in (
        reverse("web:patient-detail", args=[stranger.pk]),
        reverse("web:patient-edit", args=[stranger.pk]),
        reverse("web:patient-detail", args=[10**30]),
    ):
        assert desk.get(url).status_code == 404
    for name in ("web:patient-edit", "web:patient-check"):
        assert desk.post(reverse(name, args=[stranger.pk]), TYPED).status_code == 404
    stranger.refresh_from_db()
    assert stranger.name == "Ana Alheia"


def test_pages_about_patients_are_not_kept_by_the_browser(desk, clinic):
    card = reverse("web:patient-detail", args=[make_patient(clinic).pk])
    for url in (reverse("web:patient-list"), reverse("web:patient-add"), card):
        assert "no-store" in desk.get(url)["Cache-Control"]


def test_the_factories_cpf_is_what_the_form_takes(desk):
    assert desk.post(reverse("web:patient-add"), TYPED | {"cpf": cpf(7)}).status_code == 302
