"""An appointment moved on the day by keys, counted; refusals at its card, two windows, a network that is gone."""

from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.booking import reschedule
from clinic.models import Appointment
from tests.booking.desk import BY
from tests.browser.desk import end_session_of
from tests.browser.test_day import COUNT_ACTS
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_doctor, make_patient, make_user

pytestmark = pytest.mark.django_db(transaction=True)


NOTE_NOTICES = """() => {
  const observer = new MutationObserver(() => { window.hadNotice = true; });
  observer.observe(document.getElementById("trouble"), { childList: true });
}"""


@pytest.fixture
def appointment(clinic, doctor, maria, monday):
    return book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(9)))


@pytest.fixture
def colleague(clinic, doctor):
    return make_doctor(clinic, name="Dra. Zélia Sá", procedures=list(doctor.procedures.all()))


@pytest.fixture
def day(window, receptionist, appointment, monday):
    page = window(receptionist, width=1440)
    page.add_init_script(COUNT_ACTS)
    page.goto(f"/agenda/{monday}/")
    return page


def card_of(page, appointment):
    return page.locator(f"#a{appointment.pk}")


def stands(appointment):
    stored = Appointment.objects.get(pk=appointment.pk)
    return stored.doctor_id, f"{stored.clinic.local(stored.starts_at):%H:%M}"


def begin(page, appointment):
    card_of(page, appointment).focus()
    page.keyboard.press("m")
    expect(page.locator("#changes")).to_contain_text("setas escolhem")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_three_keys_move_it_to_the_next_free_time(day, appointment, monday):
    begin(day, appointment)
    press(day, "ArrowDown")
    expect(day.locator("#changes")).to_have_text("segunda, 9 horas e 15, livre")
    expect(day.locator("#outline")).to_have_text("09:15 Dra. Helena Prado")
    press(day, "Enter")
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    expect(day.locator(".appt.status-rescheduled")).to_be_visible()
    expect(card_of(day, appointment)).to_be_focused()
    expect(day.locator("#outline")).to_have_count(0)
    assert stands(appointment)[1] == "09:15"
    assert day.evaluate("[window.clicks, window.keys]") == [0, 3]


def test_four_keys_move_it_to_a_colleague(day, colleague, appointment, monday):
    day.reload()
    begin(day, appointment)
    press(day, "ArrowRight")
    expect(day.locator("#changes")).to_have_text("segunda, 9 horas, livre, Dra. Zélia Sá")
    press(day, "ArrowDown", "Enter")
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert stands(appointment) == (colleague.pk, "09:15")
    assert day.evaluate("window.keys") == 4


def test_what_is_not_free_is_spoken_with_its_reason(day, clinic, colleague, appointment, monday):
    taken = make_patient(clinic, name="João Ocupado").pk
    book_appointment(colleague, patient=taken, starts_at=appointment.starts_at)
    make_doctor(clinic, name="Dr. Zuza Fora", hours=[(time(14), time(18))], procedures=list(colleague.procedures.all()))
    make_doctor(clinic, name="Dr. Zuzu Incapaz")
    day.reload()
    begin(day, appointment)
    press(day, "ArrowRight")
    expect(day.locator("#changes")).to_have_text("segunda, 9 horas, ocupado: João Ocupado, Dra. Zélia Sá")
    expect(day.locator("#outline.not-free")).to_be_visible()
    press(day, "ArrowRight")
    expect(day.locator("#changes")).to_contain_text("segunda, 9 horas, fechado")
    press(day, "ArrowRight")
    expect(day.locator("#changes")).to_have_text("segunda, 9 horas, O Dr. Zuzu Incapaz não realiza Consulta.")
    press(day, "ArrowRight")
    expect(day.locator("#changes")).to_have_text("Não há mais horários desse lado.")
    expect(day.locator("#outline")).to_have_text("Não há mais horários desse lado.")
    press(day, "ArrowLeft", "ArrowLeft", "ArrowLeft")
    expect(day.locator("#changes")).to_contain_text("onde está")


def test_esc_gives_up_and_gives_the_focus_back(day, appointment):
    begin(day, appointment)
    press(day, "ArrowDown", "ArrowDown", "Escape")
    expect(day.locator("#changes")).to_have_text("Nada foi remarcado.")
    expect(card_of(day, appointment)).to_be_focused()
    expect(day.locator("#outline, .appt.moved")).to_have_count(0)
    assert stands(appointment)[1] == "09:00"


def test_m_again_opens_the_form(day, appointment):
    begin(day, appointment)
    press(day, "m")
    expect(day.locator("#panel-title")).to_have_text("Remarcar")
    expect(day.locator("#outline")).to_have_count(0)


def test_m_in_the_panel_moves_its_appointment(day, appointment):
    card_of(day, appointment).click()
    expect(day.locator("#panel-title")).to_be_focused()
    press(day, "m")
    expect(card_of(day, appointment)).to_be_focused()
    press(day, "ArrowUp", "Enter")
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert stands(appointment)[1] == "08:45"


def test_a_refused_drop_says_why_at_the_card_and_offers_times(day, clinic, colleague, appointment):
    book_appointment(colleague, patient=make_patient(clinic).pk, starts_at=appointment.starts_at)
    day.reload()
    begin(day, appointment)
    press(day, "ArrowRight", "Enter")
    box = day.locator("#refused")
    expect(box).to_contain_text("O horário das 09:00 da Dra. Zélia Sá já está ocupado.")
    expect(day.locator("#outline, .appt.moved")).to_have_count(0)
    card = card_of(day, appointment).bounding_box()
    assert abs(box.bounding_box()["y"] - card["y"] - card["height"]) < 20
    assert stands(appointment)[1] == "09:00"
    press(day, "Tab", "Enter")
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    expect(box).to_be_hidden()
    assert stands(appointment) == (colleague.pk, "08:30")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_move_and_its_refusal(day, clinic, colleague, appointment, scheme):
    day.emulate_media(color_scheme=scheme)
    book_appointment(colleague, patient=make_patient(clinic).pk, starts_at=appointment.starts_at)
    day.reload()
    begin(day, appointment)
    press(day, "ArrowRight")
    expect(day.locator("#outline.not-free")).to_be_visible()
    assert violations(day) == []
    press(day, "Enter")
    expect(day.locator("#refused")).to_be_visible()
    assert violations(day) == []


def test_esc_closes_the_reasons_and_leads_back_to_the_card(day, clinic, colleague, appointment):
    book_appointment(colleague, patient=make_patient(clinic).pk, starts_at=appointment.starts_at)
    day.reload()
    begin(day, appointment)
    press(day, "ArrowRight", "Enter")
    expect(day.locator("#refused")).to_be_visible()
    press(day, "Escape")
    expect(day.locator("#refused")).to_be_hidden()
    expect(card_of(day, appointment)).to_be_focused()


def test_the_second_of_two_windows_sees_who_moved_it_and_where(day, clinic, colleague, appointment):
    begin(day, appointment)
    later = appointment.starts_at + timedelta(hours=2)
    reschedule(appointment.pk, clinic=clinic, doctor=appointment.doctor_id, starts_at=later, by=BY)
    press(day, "ArrowDown", "Enter")
    expect(day.locator("#refused")).to_contain_text("já remarcou este agendamento")
    expect(day.locator("#refused")).to_contain_text("às 11:00, com a Dra. Helena Prado")
    assert stands(appointment)[1] == "11:00"
    day.get_by_role("button", name="Remarcar para 09:15 assim mesmo").click()
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert stands(appointment)[1] == "09:15"


def test_two_browsers_on_one_appointment_lose_nothing(window, clinic, day, appointment, monday):
    paula = make_user(clinic, name="Paula Balcão")
    other = window(paula, width=1440)
    other.goto(f"/agenda/{monday}/")
    begin(other, appointment)
    begin(day, appointment)
    press(other, "ArrowDown", "Enter")
    expect(other.locator("#messages")).to_contain_text("Remarcado de")
    press(day, "ArrowDown", "ArrowDown", "Enter")
    expect(day.locator("#refused")).to_contain_text("Paula Balcão já remarcou este agendamento")
    expect(day.locator("#refused")).to_contain_text("às 09:15, com a Dra. Helena Prado")
    expect(day.locator(".appt .time")).to_have_text("09:15")
    assert stands(appointment)[1] == "09:15"
    press(day, "Tab", "Enter")
    expect(day.locator("#messages")).to_contain_text("para ")
    assert stands(appointment)[1] == "09:30"


def test_an_ended_session_leaves_the_card_and_says_so(day, appointment):
    begin(day, appointment)
    end_session_of(day)
    press(day, "ArrowDown", "Enter")
    expect(day.locator("#trouble > .message")).to_be_visible()
    expect(day.locator("#outline, .appt.moved")).to_have_count(0)
    assert stands(appointment)[1] == "09:00"


def test_a_connection_that_fails_once_is_tried_again(day, appointment, complaints):
    begin(day, appointment)
    failures = iter([True])
    day.evaluate(NOTE_NOTICES)
    day.route("**/mover/", lambda route: route.abort() if next(failures, False) else route.continue_())
    press(day, "ArrowDown", "Enter")
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert day.evaluate("window.hadNotice") is None
    assert stands(appointment)[1] == "09:15"
    complaints.clear()


def test_without_a_connection_the_card_is_as_it_was_and_says_so(day, appointment, complaints):
    begin(day, appointment)
    attempts = []
    day.route("**/mover/", lambda route: (attempts.append(1), route.abort()))
    press(day, "ArrowDown", "Enter")
    expect(day.locator("#trouble > .message")).to_contain_text("Sem resposta do servidor")
    expect(day.locator("#changes")).to_have_text("Sem resposta do servidor: confira se o agendamento mudou.")
    expect(day.locator("#outline, .appt.moved")).to_have_count(0)
    assert len(attempts) == 2 and stands(appointment)[1] == "09:00"
    day.unroute("**/mover/")
    day.get_by_role("button", name="Tentar de novo").click()
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert stands(appointment)[1] == "09:15"
    complaints.clear()


def test_a_refresh_in_the_middle_keeps_the_move(day, clinic, colleague, appointment):
    begin(day, appointment)
    press(day, "ArrowDown")
    book_appointment(colleague, patient=make_patient(clinic).pk, starts_at=appointment.starts_at)
    day.evaluate("window.htmx.trigger(document.body, 'refresh-day')")
    expect(day.locator(".appt")).to_have_count(2)
    expect(day.locator("#outline")).to_have_text("09:15 Dra. Helena Prado")
    press(day, "Enter")
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert stands(appointment)[1] == "09:15"


def test_another_day_ends_the_move(day, appointment):
    begin(day, appointment)
    day.locator("#day-next").click()
    expect(day.locator("#outline")).to_have_count(0)
    press(day, "Enter")
    assert stands(appointment)[1] == "09:00"


def test_what_cannot_be_moved_says_why(day, clinic, appointment):
    Appointment.objects.filter(pk=appointment.pk).update(status="checked_in")
    card_of(day, appointment).focus()
    press(day, "m")
    expect(day.locator("#refused")).to_contain_text("“Check-in” não pode ser remarcado")
    expect(day.locator("#outline")).to_have_count(0)


def test_shift_and_arrows_set_the_end(day, appointment):
    begin(day, appointment)
    press(day, "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown")
    expect(day.locator("#changes")).to_have_text("45 minutos, até 9 horas e 45, livre")
    expect(day.locator("#outline")).to_have_text("09:00–09:45 Dra. Helena Prado")
    press(day, "Enter")
    expect(day.locator("#messages")).to_contain_text("Alterado: fim de 09:30 para 09:45")
    expect(day.locator(".appt .until")).to_have_text("–09:45")
    assert Appointment.objects.get(pk=appointment.pk).status == "scheduled"
    assert day.evaluate("window.keys") == 1 + 3 * 2 + 1  # Shift counts as a key


def test_an_end_over_the_next_one_is_refused_at_the_card(day, clinic, doctor, appointment):
    book_appointment(doctor, patient=make_patient(clinic, name="João Próximo").pk, starts_at=appointment.ends_at)
    day.reload()
    begin(day, appointment)
    press(day, "Shift+ArrowDown")
    expect(day.locator("#changes")).to_have_text("35 minutos, até 9 horas e 35, ocupado: João Próximo")
    press(day, "Enter")
    expect(day.locator("#refused")).to_contain_text("ocupado")
    expect(day.locator("#outline, .appt.moved")).to_have_count(0)
    press(day, "Escape")
    expect(card_of(day, appointment)).to_be_focused()


def test_u_takes_a_move_back(day, appointment):
    begin(day, appointment)
    press(day, "ArrowDown", "Enter")
    expect(day.locator(".appt.status-rescheduled")).to_contain_text("antes: seg")
    press(day, "u")
    expect(day.locator(".appt.status-scheduled")).to_be_visible()
    assert stands(appointment)[1] == "09:00"


def test_u_on_another_day_undoes_the_last_own_act(day, appointment):
    card_of(day, appointment).focus()
    press(day, "c")
    day.get_by_role("button", name="Fechar aviso").click()
    press(day, "]")
    expect(day.locator(".appt")).to_have_count(0)
    press(day, "u")
    expect(day.locator("#messages")).to_contain_text("Maria da Silva Souza: De Confirmado para Agendado (desfeito).")
    assert Appointment.objects.get(pk=appointment.pk).status == "scheduled"
    press(day, "u")
    expect(day.locator("#messages")).to_contain_text("não há ação sua que se possa desfazer")
    assert day.locator("#panel > *").count() == 0
