import re
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment
from tests.browser.desk import open_slot
from tests.factories import make_patient, make_procedure

pytestmark = pytest.mark.django_db(transaction=True)


SEARCHES = ["**/pacientes/busca/", "**/agendamentos/conferir/"]


@pytest.fixture
def held():
    """Searches that wait for `let_go`."""
    return []


def hold_back(page, held):
    for address in SEARCHES:
        page.route(address, lambda route: held.append(route))


def let_go(page, held):
    """Every search asked for so far is answered a second later, on the browser's clock."""
    page.wait_for_timeout(1000)
    for route in held:
        route.continue_()
    held.clear()


def listed_for(page, text):
    expect(page.locator("#patient-options")).to_have_attribute("data-text", text)


def type_over(page, text):
    page.locator("#q").press("Control+a")
    page.keyboard.type(text)


@pytest.mark.parametrize("new", ["Quitéria Nova", "Quit", "quirino novo", "Quita.", "Quito 4321", "Zoé"])
def test_enter_never_selects_from_an_old_list(window, receptionist, doctor, clinic, monday, held, new):
    make_patient(clinic, name="Quirina Velha")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("qui")
    listed_for(page, "qui")
    hold_back(page, held)
    type_over(page, new)
    page.keyboard.press("Enter")
    let_go(page, held)

    expect(page.locator("#name")).to_have_value(new)
    expect(page.locator("#booking input[name=patient]")).to_have_count(0)


def test_enter_waits_for_the_answer_to_the_text_that_is_there(window, receptionist, doctor, clinic, monday, held):
    make_patient(clinic, name="Quirina Velha")
    rita = make_patient(clinic, name="Rita Lima", phone="+5581983331010")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("qui")
    listed_for(page, "qui")
    hold_back(page, held)
    type_over(page, "81 98333-1010")
    page.keyboard.press("Enter")
    expect(page.locator("#booking input[name=patient]")).to_have_count(0)
    let_go(page, held)

    expect(page.locator("#booking input[name=patient]")).to_have_value(str(rita.pk))


def test_enter_before_the_answer_costs_one_request(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.keyboard.type("maria", delay=10)
    page.keyboard.press("Enter")
    expect(chosen_patient(page)).to_have_value(str(maria.pk))
    expect(page.locator("#save")).to_be_focused()
    page.wait_for_timeout(300)
    assert [url.rsplit("/", 2)[-2] for url in asked] == ["conferir"]


def test_typing_on_takes_an_enter_back(window, receptionist, doctor, maria, monday, held):
    page = window(receptionist)
    open_slot(page, monday)
    hold_back(page, held)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    page.keyboard.type(" d")
    let_go(page, held)
    for address in SEARCHES:
        page.unroute(address)
    page.keyboard.type("a")

    listed_for(page, "maria da")
    expect(page.locator("#booking input[name=patient]")).to_have_count(0)


def test_the_arrows_mark_nobody_of_an_old_list(window, receptionist, doctor, maria, clinic, monday, held):
    make_patient(clinic, name="Marcos Lima")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("mar")
    listed_for(page, "mar")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#patient-options [aria-selected=true]")).to_have_count(1)
    hold_back(page, held)
    page.keyboard.type("i")
    expect(page.locator("#patient-options [aria-selected=true]")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#patient-options [aria-selected=true]")).to_have_count(0)
    page.keyboard.press("Enter")
    let_go(page, held)

    expect(page.locator("#booking input[name=patient]")).to_have_value(str(maria.pk))


def chosen_patient(page):
    return page.locator("#booking input[name=patient]")


def test_enter_marks_the_first_of_several_and_takes_the_marked(window, receptionist, doctor, maria, clinic, monday):
    make_patient(clinic, name="Marcos Lima")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("mar")
    page.keyboard.press("Enter")
    expect(page.locator("#q-hint")).to_have_text("2 encontrados: ↓ ou Alt+1–2 escolhe.")
    expect(page.locator("#patient-options [aria-selected=true]")).to_contain_text("Marcos Lima")
    expect(page.locator("#q")).to_be_focused()
    expect(chosen_patient(page)).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(chosen_patient(page)).to_have_value(str(maria.pk))


def settle_slowly(page):
    """htmx takes half a second, not 20 ms, until it listens to what it has put into the page."""
    page.evaluate("() => { window.htmx.config.defaultSettleDelay = 500; }")


def test_enter_takes_the_marked_of_a_list_that_settles(window, receptionist, doctor, maria, clinic, monday):
    make_patient(clinic, name="Marcos Lima")
    page = window(receptionist)
    open_slot(page, monday)
    settle_slowly(page)
    page.keyboard.type("mar")
    page.keyboard.press("Enter")
    expect(page.locator("#patient-options [aria-selected=true]")).to_contain_text("Marcos Lima")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(chosen_patient(page)).to_have_value(str(maria.pk))
    expect(page.locator("#panel")).to_be_visible()


def test_alt_and_a_digit_take_from_a_list_that_settles(window, receptionist, doctor, maria, clinic, monday):
    make_patient(clinic, name="Marcos Lima")
    page = window(receptionist)
    open_slot(page, monday)
    settle_slowly(page)
    page.keyboard.type("mar")
    listed_for(page, "mar")
    page.keyboard.press("Alt+2")

    expect(chosen_patient(page)).to_have_value(str(maria.pk))
    expect(page).to_have_url(re.compile("/agenda/"))


def test_the_hint_says_that_more_are_found_than_are_listed(window, receptionist, doctor, clinic, monday):
    for number in range(9):
        make_patient(clinic, name=f"Costa {number}")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("costa")
    page.keyboard.press("Enter")

    expect(page.locator("#q-hint")).to_have_text("Mais de 8 encontrados: ↓ ou Alt+1–8 escolhe; ou escreva mais.")
    expect(page.locator("#patient-options kbd")).to_have_text(list("12345678"))


def test_alt_and_a_digit_take_the_patient_of_that_number(window, receptionist, doctor, maria, clinic, monday):
    make_patient(clinic, name="Marcos Lima")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("mar 2")
    expect(page.locator("#q")).to_have_value("mar 2")
    type_over(page, "mar")
    listed_for(page, "mar")
    page.keyboard.press("Alt+3")
    expect(chosen_patient(page)).to_have_count(0)
    page.keyboard.press("Alt+2")

    expect(chosen_patient(page)).to_have_value(str(maria.pk))
    expect(page.locator("#save")).to_be_focused()


def test_an_enter_held_down_takes_and_books_nobody(window, receptionist, doctor, maria, clinic, monday):
    make_patient(clinic, name="Marcos Lima")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("mar")
    listed_for(page, "mar")
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")  # the key repeats
    expect(page.locator("#patient-options [aria-selected=true]")).to_contain_text("Marcos Lima")
    expect(chosen_patient(page)).to_have_count(0)
    page.keyboard.up("Enter")
    page.keyboard.down("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.down("Enter")
    page.wait_for_timeout(300)
    page.keyboard.up("Enter")

    expect(page.locator("#save")).to_be_focused()
    assert not Appointment.objects.exists()


def test_the_chosen_patients_birth_date_and_age_have_a_line(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")

    expect(page.locator(".who-card .birth")).to_have_text(re.compile(r"^17/05/1980 · \d+ anos$"))
    size, weight = page.locator(".who-card .person b").evaluate(
        "(name) => [getComputedStyle(name).fontSize, getComputedStyle(name).fontWeight]"
    )
    assert (size, weight) == ("18px", "600")


@pytest.mark.parametrize(
    "typed", ["81 98333-1010", "+55 81 98333-1010", "081983331010", "529.982.247-25", "tel 81983331010"]
)
def test_a_whole_number_takes_its_owner_alone(window, receptionist, doctor, clinic, monday, typed):
    owner = make_patient(clinic, name="Rita Lima", phone="+5581983331010", cpf="52998224725")
    make_patient(clinic, name="Ana Lima", phone="+55818198333", cpf=None)
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type(typed)
    page.keyboard.press("Enter")

    expect(page.locator("#booking input[name=patient]")).to_have_value(str(owner.pk))


def test_a_whole_number_of_nobody_is_registered(window, receptionist, doctor, clinic, monday):
    make_patient(clinic, name="Rita Lima", phone="+351981983331010")
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("81983331010")
    expect(page.locator("#patient-option-new")).to_contain_text("Novo paciente com telefone (81) 98333-1010")
    page.keyboard.press("Enter")

    expect(page.locator("#phone")).to_have_value("81983331010")
    expect(page.locator("#name")).to_have_value("")
    expect(page.locator("#name")).to_be_focused()


def test_a_search_that_fails_takes_the_enter_with_it(window, receptionist, doctor, maria, monday, complaints):
    page = window(receptionist)
    open_slot(page, monday)
    for address in SEARCHES:
        page.route(address, lambda route: route.abort())
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble > .message")).to_be_visible()
    for address in SEARCHES:
        page.unroute(address)
    page.keyboard.press("Enter")

    expect(page.locator("#booking input[name=patient]")).to_have_value(str(maria.pk))
    complaints.clear()  # the failed request itself


def test_a_search_sent_again_takes_nobody_by_old_text(window, receptionist, doctor, clinic, monday, held, complaints):
    make_patient(clinic, name="Ana Souza")
    make_patient(clinic, name="Bia Lima")
    page = window(receptionist)
    open_slot(page, monday)
    page.route("**/agendamentos/conferir/", lambda route: route.abort())
    page.keyboard.type("Ana Souza")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble > .message")).to_be_visible()
    page.unroute("**/agendamentos/conferir/")
    page.route("**/pacientes/busca/", lambda route: held.append(route))
    type_over(page, "Bia")
    with page.expect_response("**/agendamentos/conferir/"):
        page.get_by_role("button", name="Tentar de novo").click()
    let_go(page, held)

    expect(page.locator("#q")).to_have_value("Bia")
    expect(chosen_patient(page)).to_have_count(0)
    complaints.clear()  # the failed request itself


def test_a_search_sent_again_has_every_line(window, receptionist, doctor, maria, clinic, monday, complaints):
    make_procedure(clinic, name="ECG", duration_minutes=15).doctors.add(doctor)
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("#booking-lines [name=add]").click()
    page.locator("#procedure-1").select_option("ECG")
    expect(page.locator(".price")).to_have_count(2)
    page.locator("#q").focus()
    page.route("**/agendamentos/conferir/", lambda route: route.abort())
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble > .message")).to_be_visible()
    page.unroute("**/agendamentos/conferir/")
    with page.expect_request("**/agendamentos/conferir/") as asked:
        page.get_by_role("button", name="Tentar de novo").click()

    chosen = page.locator("#procedure-0, #procedure-1").evaluate_all("(fields) => fields.map((field) => field.value)")
    assert parse_qs(asked.value.post_data)["procedure"] == chosen
    expect(chosen_patient(page)).to_have_value(str(maria.pk))
    complaints.clear()  # the failed request itself


def test_escape_closes_the_list_of_patients_and_then_the_panel(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    expect(page.locator("#patient-options [name=pick]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#patient-options [name=pick]")).to_have_count(0)
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("maria")
    page.keyboard.press("Escape")
    expect(page.locator("#booking")).to_have_count(0)
