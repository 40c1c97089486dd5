import re
from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.access.sessions import SessionStore
from clinic.booking import Author, LineRequest, Proposal, book
from clinic.models import Appointment, Patient
from tests.factories import PASSWORD, make_doctor, make_patient, make_procedure

pytestmark = pytest.mark.django_db(transaction=True)

COUNT_CLICKS = """
window.clicks = 0;
addEventListener("click", (event) => { if (event.isTrusted && event.detail > 0) window.clicks += 1; }, true);
"""


def open_slot(page, monday, at="10:00"):
    """Click the first free time at `at` in the day."""
    page.goto(f"/agenda/{monday}/")
    page.locator(f"a[href*='inicio={at}']").first.click()
    expect(page.locator("#q")).to_be_focused()


def taken_by_somebody_else(doctor, monday, at):
    clinic = doctor.clinic
    proposal = Proposal(
        clinic=clinic,
        doctor=doctor.pk,
        lines=(LineRequest(doctor.procedures.get().pk),),
        starts_at=clinic.instant(monday, at),
        patient=make_patient(clinic).pk,
    )
    return book(proposal, by=Author(channel="command", credential="outra janela"))


def test_a_known_patient_is_booked_in_three_clicks_and_one_field(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    page.add_init_script(COUNT_CLICKS)
    open_slot(page, monday)
    page.keyboard.type("silva mar")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    expect(page.locator("#booking input[name=patient]")).to_have_value(str(maria.pk))
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00 com Dra. Helena Prado.")
    expect(page.locator("#day .appt")).to_contain_text("Maria da Silva Souza")
    assert page.evaluate("window.clicks") == 3
    appointment = Appointment.objects.get()
    assert (appointment.patient, appointment.created_by) == (maria, receptionist)
    assert appointment.starts_at == doctor.clinic.instant(monday, time(10))


def test_the_keyboard_alone_books_from_the_open_panel(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator("a[href*='inicio=10:00']").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.get().patient == maria


@pytest.fixture
def held():
    """Searches that wait for `let_go`."""
    return []


def hold_back(page, held):
    page.route("**/pacientes/busca/", lambda route: held.append(route))


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


def test_typing_on_takes_an_enter_back(window, receptionist, doctor, maria, monday, held):
    page = window(receptionist)
    open_slot(page, monday)
    hold_back(page, held)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    page.keyboard.type(" d")
    let_go(page, held)
    page.unroute("**/pacientes/busca/")
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
    page.route("**/pacientes/busca/", lambda route: route.abort())
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble > .message")).to_be_visible()
    page.unroute("**/pacientes/busca/")
    page.keyboard.press("Enter")

    expect(page.locator("#booking input[name=patient]")).to_have_value(str(maria.pk))
    complaints.clear()  # the failed request itself


def test_a_new_patient_needs_a_name_and_a_phone_only(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("João  Conceição")
    page.keyboard.press("Tab")
    page.keyboard.type("81 99999-9999")
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    patient = Patient.objects.get()
    assert (patient.name, str(patient.phone)) == ("João Conceição", "+5581999999999")
    expect(page.locator("#day .appt")).to_contain_text("cadastro incompleto")


def wait_until_htmx_listens(field):
    """It does so a moment after it has put the field into the page; nobody types as fast as a test."""
    field.evaluate("""async (field) => {
      while (!field["htmx-internal-data"]?.listenerInfos?.length) await new Promise(requestAnimationFrame);
    }""")


def test_a_field_says_what_is_wrong_as_soon_as_it_is_left(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    wait_until_htmx_listens(page.locator("#phone"))
    page.locator("#phone").fill("12")
    page.locator("#name").fill("Ana")
    expect(page.locator("#error-phone")).to_contain_text("Faltam dígitos: são só 2.")
    expect(page.locator("#phone")).to_have_attribute("aria-invalid", "true")
    page.locator("#phone").fill("(81) 98888-7777")
    page.locator("#name").focus()
    expect(page.locator("#error-phone")).to_be_empty()
    expect(page.locator("#name")).to_have_value("Ana")


def test_a_mobile_without_its_ninth_digit_is_asked_about(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    wait_until_htmx_listens(page.locator("#phone"))
    page.locator("#name").fill("Rita Lima")
    page.locator("#phone").fill("81 8888-7777")
    page.locator("#name").focus()
    expect(page.locator("#error-phone")).to_contain_text("Acrescentamos o 9: (81) 98888-7777. Confere?")
    expect(page.locator("#phone")).to_have_value("81 8888-7777")
    page.locator("#save").click()
    expect(page.locator("#phone_is_right")).to_be_focused()
    assert Patient.objects.count() == 0
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert str(Patient.objects.get().phone) == "+5581988887777"


def test_time_taken_in_another_window_is_refused_with_free_times(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#notes").fill("prefere manhã")
    taken_by_somebody_else(doctor, monday, time(10))
    with page.expect_response("**/agendamentos/novo/"):
        page.locator("#save").click()

    expect(page.locator("#error-starts")).to_have_text("Dra. Helena Prado já tem outro agendamento às 10:00.")
    expect(page.locator("#booking-times button")).to_have_count(3)
    expect(page.locator("#notes")).to_have_value("prefere manhã")
    page.locator("#booking-times").get_by_text("09:30").click()
    expect(page.locator("#save")).to_have_text("Agendar às 09:30")
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 09:30")
    assert Appointment.objects.get(patient=maria).notes == "prefere manhã"


def test_a_double_click_on_save_books_once(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#save").dblclick()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.count() == 1


def test_a_form_posted_after_the_session_ended_comes_back_filled_in(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#notes").fill("trazer exames")
    end_session_of(page)
    page.locator("#save").click()
    page.wait_for_url("**/entrar/**")
    page.locator("[name=username]").fill(receptionist.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.locator("#notes")).to_have_value("trazer exames")
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.get().notes == "trazer exames"


def end_session_of(page):
    """Let the session be as old as one that was left open over lunch and the afternoon."""
    (cookie,) = (each for each in page.context.cookies() if each["name"] == "sessionid")
    session = SessionStore(cookie["value"])
    session["seen_at"] -= 3 * 3600
    session.save()


def test_everything_works_without_javascript(window, receptionist, doctor, maria, monday):
    page = window(receptionist, javascript=False)
    open_slot(page, monday)
    page.locator("#q").fill("maria")
    page.locator("#q").press("Enter")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#save").click()
    expect(page.locator("#day .appt")).to_contain_text("Maria da Silva Souza")

    page.locator("#day .appt a").click()
    page.get_by_role("button", name="Confirmar").click()
    expect(page.locator("#appointment .status-confirmed").first).to_be_visible()
    page.get_by_role("link", name="Remarcar").click()
    page.locator("#starts").fill("11:00")
    page.locator("#save").click()
    expect(page.locator("#appointment")).to_contain_text("11:00–11:30")
    page.get_by_role("link", name="Cancelar").click()
    page.get_by_label("Paciente", exact=True).check()
    page.locator("#save").click()
    expect(page.locator("#appointment")).to_contain_text("Cancelado")


def test_panel_confirms_moves_cancels_and_undoes_a_booking(window, receptionist, doctor, maria, monday):
    booked = taken_by_somebody_else(doctor, monday, time(9))
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{booked.pk}").click()
    panel = page.locator("#panel")
    panel.get_by_role("button", name="Confirmar").click()
    expect(page.locator(f"#a{booked.pk} use")).to_have_attribute("href", icon_of("confirmed"))

    panel.get_by_role("link", name="Remarcar").click()
    panel.get_by_role("button", name="09:30").click()
    expect(panel.locator("#save")).to_have_text("Remarcar para 09:30")
    panel.locator("#save").click()
    expect(panel).to_contain_text("Remarcado")
    expect(page.locator(f"#a{booked.pk}")).to_contain_text("09:30")

    panel.get_by_role("button", name="Desfazer remarcação").click()
    expect(panel).to_contain_text("09:00–09:30")

    panel.get_by_role("link", name="Cancelar").click()
    panel.locator("#save").click()
    expect(panel.locator("#error-cancelled_by")).to_have_text("Diga quem cancelou: o paciente ou a clínica.")
    panel.get_by_label("Clínica").check()
    panel.locator("#reason").fill("médica doente")
    panel.locator("#save").click()
    expect(panel).to_contain_text("médica doente")
    panel.locator("details.story summary").click()
    expect(panel.locator("details.story li")).to_have_count(5)


def icon_of(status):
    return re.compile(rf"#status-{status}$")


def test_free_time_of_another_doctor_lists_their_procedures(window, clinic, receptionist, doctor, monday):
    scan = make_procedure(clinic, name="Ultrassonografia", duration_minutes=15)
    radiologist = make_doctor(clinic, name="Dr. Ítalo Guerra", procedures=[scan])
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator(f".slot a[href*='medico={doctor.pk}&'][href$='inicio=10:00']").click()
    expect(page.locator("#procedure-0 option:checked")).to_have_text("Consulta")
    page.locator(f".slot a[href*='medico={radiologist.pk}&'][href$='inicio=11:00']").click()
    expect(page.locator("#procedure-0 option:checked")).to_have_text("Ultrassonografia")
    expect(page.locator("#save")).to_have_text("Agendar às 11:00")
    expect(page.locator("#ends")).to_have_attribute("placeholder", "11:15")


def test_closed_refused_form_reopens_with_everything_typed(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    page.locator("#name").fill("Ana Lima")
    page.locator("#notes").fill("prefere manhã")
    page.locator("#save").click()
    expect(page.locator("#error-phone")).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_empty()
    page.get_by_role("button", name="Reabrir").click()
    expect(page.locator("#name")).to_have_value("Ana Lima")
    expect(page.locator("#notes")).to_have_value("prefere manhã")


def test_going_back_from_a_form_keeps_what_was_typed(window, receptionist, doctor, monday):
    booked = taken_by_somebody_else(doctor, monday, time(9))
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{booked.pk}").click()
    page.get_by_role("link", name="Editar observações").click()
    expect(page.locator("#notes")).to_be_focused()
    page.keyboard.type("jejum")
    page.get_by_role("link", name="Voltar", exact=True).click()
    expect(page.locator("#appointment")).to_be_visible()
    page.get_by_role("button", name="Reabrir").click()
    expect(page.locator("#notes")).to_have_value("jejum")


def test_leaving_the_page_with_a_form_half_typed_asks_first(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("mari")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Pacientes", exact=True).click()
    expect(page.locator("#q")).to_have_value("mari")
    assert asked == ["beforeunload"]


def test_messages_leave_the_buttons_of_the_panel_alone(window, receptionist, doctor, maria, monday):
    page = window(receptionist, height=640)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    expect(page.locator("#booking input[name=patient]")).to_have_value(str(maria.pk))
    end_session_of(page)
    page.locator("#starts").fill("11:00")
    page.locator("#notes").focus()
    trouble = page.locator("#trouble > .message")
    expect(trouble).to_contain_text("Sua sessão terminou")
    assert trouble.bounding_box()["x"] + trouble.bounding_box()["width"] <= page.locator("#panel").bounding_box()["x"]
    trouble.get_by_role("button", name="Fechar aviso").click()
    expect(trouble).to_have_count(0)


def test_panel_button_after_session_end_stays_on_the_page(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("#notes").fill("trazer exames")
    page.locator("#q").focus()
    end_session_of(page)
    page.locator("button[name=add]").click()
    expect(page.locator("#trouble > .message")).to_contain_text("Sua sessão terminou")
    expect(page.locator("#notes")).to_have_value("trazer exames")


def test_the_card_the_panel_is_about_is_outlined_and_gets_the_focus(window, receptionist, doctor, maria, monday):
    page = window(receptionist, height=640)
    open_slot(page, monday, at="17:00")
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.locator("#scroll").evaluate("(each) => each.scrollTo(0, 0)")
    page.keyboard.press("Enter")
    card = page.locator("#day .appt > a")
    expect(card).to_have_attribute("aria-current", "true")
    expect(card).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(card).to_be_focused()
    expect(card).not_to_have_attribute("aria-current", "true")


def test_a_date_is_typed_as_people_write_it(window, receptionist, doctor, monday):
    page = window(receptionist)
    page.goto("/agenda/")
    page.locator("#day-pick").fill(f"{monday:%d%m%Y}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/agenda/{monday}/")
    page.locator("#day-pick").fill("31/02")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Esta data não existe.")
    expect(page).to_have_url(re.compile(f"/agenda/{monday}/$"))
    page.locator("#day-native").fill(f"{monday + timedelta(days=1)}")
    page.wait_for_url(f"**/agenda/{monday + timedelta(days=1)}/")


def book_maria(page, monday):
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    return f"/agendamentos/{Appointment.objects.get().pk}/"


def path_of(page):
    return page.evaluate("location.pathname + location.search")


def test_the_address_is_the_appointments_until_the_panel_closes(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    booked = book_maria(page, monday)
    assert path_of(page) == booked
    page.reload()
    expect(page.locator("#appointment")).to_contain_text("Maria da Silva Souza")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_empty()
    assert path_of(page) == f"/agenda/{monday}/"


def test_reload_after_booking_shows_the_appointment(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    page.goto("/pacientes/")
    page.goto(f"/agendamentos/novo/?medico={doctor.pk}&data={monday}&inicio=10:00")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    page.reload()
    expect(page.locator("#appointment")).to_contain_text("Maria da Silva Souza")
    assert Appointment.objects.count() == 1
    page.go_back()
    expect(page).to_have_url(re.compile("/pacientes/$"))
    page.go_forward()
    expect(page.locator("#appointment")).to_contain_text("Maria da Silva Souza")


def test_the_days_address_comes_back_with_another_panel(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    booked = book_maria(page, monday)
    page.get_by_role("link", name="Remarcar").click()
    expect(page.locator("#starts")).to_be_visible()
    assert path_of(page) == booked
    page.get_by_role("link", name="Voltar", exact=True).click()
    expect(page.locator("#appointment")).to_be_visible()
    page.locator("a[href*='inicio=11:00']").first.click()
    expect(page.locator("#q")).to_be_focused()
    assert path_of(page) == f"/agenda/{monday}/"


def test_another_of_the_family_is_booked_after_the_first(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    book_maria(page, monday)
    page.get_by_role("link", name="Agendar outro da família").click()
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#save")).to_have_text("Agendar às 10:30")
    assert path_of(page) == f"/agenda/{monday}/"
    page.keyboard.type("Bia Souza")
    page.keyboard.press("Enter")
    expect(page.locator("#name")).to_have_value("Bia Souza")
    expect(page.locator("#phone")).to_be_focused()
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:30")

    bia = Patient.objects.get(name="Bia Souza")
    assert bia.phone == maria.phone
    assert bia.appointments.get().lines.get().procedure == doctor.procedures.get()


def test_the_acts_that_are_seldom_wanted_are_under_more(window, receptionist, doctor, monday):
    booked = taken_by_somebody_else(doctor, monday, time(9))
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{booked.pk}").click()
    panel = page.locator("#panel")
    primary = panel.locator("#appointment .primary")
    expect(primary).to_have_text("Confirmar")
    assert primary.bounding_box()["width"] == panel.locator("#appointment").bounding_box()["width"]
    primary.click()
    back = panel.get_by_role("button", name="Voltar a agendado")
    expect(back).to_be_hidden()
    panel.get_by_text("Mais", exact=True).click()
    back.click()
    panel.get_by_role("button", name="Desfazer volta a agendado").click()
    expect(panel.locator("#appointment .status-confirmed").first).to_be_visible()
