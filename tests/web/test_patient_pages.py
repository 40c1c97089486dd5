import re
from datetime import date

import pytest
from django.urls import reverse

from clinic.booking import Author, change_status
from clinic.models import Patient
from clinic.queries import patients
from clinic.registry import change_patient
from clinic.templatetags.formats import age
from clinic.web.patient.forms import initial_for_search, new_patient_label
from tests.booking.desk import BY
from tests.factories import cpf, make_lisbon, make_patient, make_user
from tests.web.patients import FINISHED, HTMX, TYPED, typed_of, visit

pytestmark = pytest.mark.django_db


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
        ("Zoé 529.982.247-25 81 98765-4321", {"name": "Zoé", "cpf": "52998224725", "phone": "81987654321"}),
        (
            "81 98765-4321 52998224725 Zoé 12/03/1984",
            {"name": "Zoé", "cpf": "52998224725", "phone": "81987654321", "birth_date": "12/03/1984"},
        ),
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

    # Session and user; names that begin so, the others, next appointments; the search kept in the session (3); access.
    with django_assert_num_queries(10):
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
    assert f"última visita {clinic.local(last.starts_at):%d/%m/%Y} com o Dr. Paulo Reis" in text
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

    # Session and user; the patient, former names, memos, changes; visits to come and past, each with lines; access.
    with django_assert_num_queries(15):
        desk.get(reverse("web:patient-detail", args=[ana.pk]))


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


# --- a patient who died -----------------------------------------------------------------------------------------------


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
    assert "Ainda há agendamentos futuros: cancele-os." in page and cancel in page
    assert reverse("web:appointment-book") not in page
    assert desk.post(cancel, {"cancelled_by": "clinic"}).status_code == 302
    page = desk.get(reverse("web:patient-detail", args=[ana.pk])).content.decode()
    assert "Ainda há horários" not in page and "Cancelado" in page


def test_a_mark_survives_what_an_api_changes(clinic):
    ana = make_patient(clinic, died=True, died_on="2026-03-12")
    change_patient(ana.pk, {"name": "Ana Nova"}, clinic=clinic, by=BY)

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
