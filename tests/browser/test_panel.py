import re
from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment
from tests.browser.desk import book_maria, end_session_of, open_slot, path_of, taken_by_somebody_else
from tests.factories import book_appointment, make_doctor, make_procedure

pytestmark = pytest.mark.django_db(transaction=True)


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

    panel.get_by_role("link", name="Cancelar com motivo…").click()
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


def test_the_title_has_the_focus_once_the_pressed_button_is_gone(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    filled(page, monday)
    page.locator("#save").press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    expect(page.locator("#panel-title")).to_be_focused()
    page.get_by_role("button", name="Confirmar").press("Enter")
    expect(page.locator("#panel .status")).to_contain_text("Confirmado")
    expect(page.locator("#panel-title")).to_be_focused()
    page.get_by_role("button", name="Cancelar pelo(a) paciente").press("Enter")
    expect(page.locator("#panel .status")).to_contain_text("Cancelado")
    expect(page.locator("#panel-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_empty()


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


def filled(page, monday):
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.locator("#notes").fill("prefere manhã")


def test_a_form_closed_while_it_is_saved_is_not_offered_again(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    filled(page, monday)
    held = []
    page.route("**/agendamentos/novo/", lambda route: held.append(route))
    with page.expect_request("**/agendamentos/novo/"):
        page.locator("#save").click()
    page.keyboard.press("Escape")
    expect(page.locator("#messages .reopen")).to_be_visible()
    held[0].continue_()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    expect(page.locator("#messages .reopen")).to_have_count(0)


def test_a_closed_form_is_sent_again_and_not_offered(window, receptionist, doctor, maria, monday, complaints):
    page = window(receptionist)
    filled(page, monday)
    page.route("**/agendamentos/novo/", lambda route: route.abort())
    page.locator("#save").click()
    expect(page.locator("#trouble > .message")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#messages .reopen")).to_be_visible()
    page.unroute("**/agendamentos/novo/")
    page.get_by_role("button", name="Tentar de novo").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    expect(page.locator("#messages .reopen")).to_have_count(0)
    assert Appointment.objects.get().notes == "prefere manhã"
    complaints.clear()


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


def test_a_failure_is_shown_until_its_own_answer(window, receptionist, doctor, monday, complaints):
    page = window(receptionist)
    open_slot(page, monday)
    page.route("**/agendamentos/conferir/", lambda route: route.abort())
    page.locator("#starts").fill("11:00")
    page.locator("#notes").focus()
    trouble = page.locator("#trouble > .message")
    expect(trouble).to_contain_text("Tentar de novo")
    with page.expect_response(f"**/agenda/{monday}/**") as refreshed:
        page.evaluate("window.htmx.trigger(document.body, 'refresh-day')")
    refreshed.value.finished()
    expect(page.locator("#day.htmx-request")).to_have_count(0)
    expect(trouble).to_contain_text("Tentar de novo")
    page.unroute("**/agendamentos/conferir/")
    trouble.get_by_role("button", name="Tentar de novo").click()
    expect(trouble).to_have_count(0)
    complaints.clear()  # the failed request itself


def test_panel_button_after_session_end_stays_on_the_page(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("#notes").fill("trazer exames")
    page.locator("#q").focus()
    end_session_of(page)
    page.locator("button[name=add]").click()
    expect(page.locator("#trouble > .message")).to_contain_text("Sua sessão terminou")
    expect(page.locator("#notes")).to_have_value("trazer exames")


def test_staying_after_session_end_still_asks_before_leaving(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("#notes").fill("trazer exames")
    page.locator("#q").focus()
    end_session_of(page)
    page.locator("button[name=add]").click()
    expect(page.locator("#trouble > .message")).to_contain_text("Sua sessão terminou")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Pacientes", exact=True).click()
    expect(page.locator("#notes")).to_have_value("trazer exames")
    assert asked == ["beforeunload"]


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


def test_the_status_stands_on_the_line_of_its_neighbours(window, receptionist, doctor, monday):
    appointment = book_appointment(doctor, starts_at=doctor.clinic.instant(monday, time(9)))
    page = window(receptionist)
    page.goto(f"/agendamentos/{appointment.pk}/")
    tops = page.locator("#panel .status").first.evaluate("""(status) => {
        const beside = document.createElement("span");
        beside.textContent = "Agendado";
        status.after(" ", beside);
        const word = document.createRange();
        word.selectNodeContents(status.lastChild);
        return [word.getBoundingClientRect().top, beside.getBoundingClientRect().top];
    }""")
    assert tops[0] == pytest.approx(tops[1], abs=0.5)


def test_a_short_message_keeps_its_cross_beside_it(window, receptionist):
    page = window(receptionist)
    page.goto("/pacientes/novo/")
    page.locator("#name").fill("Bárbara Nova da Silva")
    page.locator("#phone").fill("(81) 98888-0003")
    page.get_by_role("button", name="Cadastrar").click()
    message = page.locator(".notices .message")
    expect(message).to_contain_text("Paciente cadastrado.")
    words, cross = message.locator("> :nth-child(2)").bounding_box(), message.get_by_role("button").bounding_box()
    assert cross["y"] < words["y"] + words["height"]
