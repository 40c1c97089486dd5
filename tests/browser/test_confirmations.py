"""Tomorrow's patients called one after the other, by keys and by two people at once."""

from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.booking import Author, begin_call, change_status, record_not_reached
from clinic.models import Appointment, ConfirmationCall
from tests.browser.desk import sent_by
from tests.browser.held_answers import HeldAnswers
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_patient, make_user

NAMES = ["Ana Lima", "Bia Reis", "Caio Melo", "Davi Sá", "Eva Paz"]
PRESS_U_AT_A_REFUSAL = """() => new MutationObserver((_, observer) => {
  if (!document.querySelector(".confirmation-row [role=alert]")) return;
  observer.disconnect();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "u", bubbles: true, cancelable: true }));
}).observe(document.body, { childList: true, subtree: true })"""


@pytest.fixture
def visits(clinic, doctor, monday):
    """Five of one day."""
    return [
        book_appointment(
            doctor, starts_at=clinic.instant(monday, time(hour)), patient=make_patient(clinic, name=name).pk
        )
        for hour, name in zip((8, 9, 10, 11, 13), NAMES, strict=True)
    ]


@pytest.fixture
def page_of(window, visits, monday):
    def opened(user, **options):
        page = window(user, **options)
        page.goto(f"/confirmacoes/{monday}/")
        return page

    return opened


@pytest.fixture
def paula(clinic):
    return make_user(clinic, name="Paula Reis")


def confirmed_by(user, visit):
    return change_status(visit.pk, "confirmed", clinic=visit.clinic, by=Author(channel="browser", user=user))


def row(visit):
    return f"#c{visit.pk}"


def read_again(page):
    page.evaluate("htmx.trigger(document.body, 'refresh-day')")


def test_five_patients_are_five_keys(page_of, receptionist, visits):
    """The page opens at the first one, and each result leads to the next."""
    page = page_of(receptionist)
    for visit, key in zip(visits, "ccncc", strict=True):
        expect(page.locator(row(visit))).to_be_focused()
        page.keyboard.press(key)
        expect(page.locator(row(visit))).to_contain_text("não atende: 1 ×" if key == "n" else "Desfazer confirmação")
    expect(page.locator("#confirmations-head")).to_contain_text("4 de 5 confirmados · 1 não atende")
    expect(page.locator(row(visits[2]))).to_be_focused()
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["confirmed"] * 4 + ["scheduled"]


def test_keys_for_an_hour_a_cancellation_and_undoing(page_of, receptionist, visits):
    first, second, third = map(row, visits[:3])
    page = page_of(receptionist)
    page.keyboard.press("l")
    expect(page.locator(f"{first} [name=at]")).to_be_focused()
    page.keyboard.type("0:00")
    page.keyboard.press("Enter")
    expect(page.locator(first)).to_contain_text("Este horário já passou")
    expect(page.locator(first)).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator(second)).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(f"{second} [name=cancelled_by]").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(second)).to_contain_text("Desfazer cancelamento")
    expect(page.locator(third)).to_be_focused()
    page.keyboard.press("u")
    expect(page.locator(f"{second} [data-key=c]")).to_be_visible()
    expect(page.locator(second)).to_be_focused()


def test_moving_and_back_again(page_of, receptionist, visits, monday):
    page = page_of(receptionist)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("m")
    page.get_by_role("link", name="Confirmações").last.wait_for()
    expect(page.locator("#panel-title")).to_contain_text("Remarcar")
    page.locator("header").get_by_role("link", name="Confirmações").last.click()
    expect(page.locator(row(visits[1]))).to_be_focused()


def test_a_row_that_a_colleague_calls_is_passed_over(page_of, clinic, receptionist, visits):
    rita = make_user(clinic, name="Rita Lopes")
    begin_call(visits[0].pk, clinic=clinic, caller=rita)
    page = page_of(receptionist)
    expect(page.locator(row(visits[0]))).to_contain_text("Rita Lopes está ligando")
    expect(page.locator(row(visits[1]))).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator(row(visits[2]))).to_be_focused()
    with page.expect_response("**/ligando/"):
        pass
    assert ConfirmationCall.objects.get(caller=receptionist).appointment == visits[2]


def test_a_call_to_who_has_answered_a_colleague_says_so(page_of, receptionist, paula, visits):
    page = page_of(receptionist)
    confirmed_by(paula, visits[1])
    page.keyboard.press("ArrowDown")
    expect(page.locator(row(visits[1]))).to_contain_text("Paula Reis já marcou este agendamento como “Confirmado”")
    expect(page.locator(row(visits[1]))).to_be_focused()
    assert not ConfirmationCall.objects.exists()


def test_a_call_during_ones_own_answer_is_not_noted(page_of, receptionist, visits):
    page, asked = page_of(receptionist), []
    page.on("request", lambda request: asked.append(request.url))
    held = HeldAnswers(page, "**/confirmou/")
    page.keyboard.press("c")
    held.wait_for_one()
    page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    page.locator(row(visits[0])).locator("a[href^='tel:']").first.click()
    held.let_through()
    expect(page.locator(row(visits[0]))).to_contain_text("Desfazer confirmação")
    expect(page.locator(row(visits[1]))).to_be_focused()
    assert not [url for url in asked if url.endswith(f"/{visits[0].pk}/ligando/")]


def test_an_act_during_a_refresh_is_not_drawn_back(page_of, clinic, receptionist, visits):
    page = page_of(receptionist)
    begin_call(visits[4].pk, clinic=clinic, caller=make_user(clinic))  # something to draw
    held = []
    page.route("**/confirmacoes/2*/", lambda route: held.append((route, route.fetch())))
    read_again(page)
    page.wait_for_timeout(300)
    page.keyboard.press("c")
    expect(page.locator(row(visits[0]))).to_contain_text("Desfazer confirmação")
    for route, response in held:
        route.fulfill(response=response)
    page.wait_for_timeout(300)
    assert held
    expect(page.locator(row(visits[0]))).to_contain_text("Desfazer confirmação")
    expect(page.locator(row(visits[1]))).to_be_focused()


def test_the_key_of_whatsapp_opens_it_beside_the_page(page_of, receptionist, visits):
    page = page_of(receptionist)
    page.context.route("https://wa.me/**", lambda route: route.fulfill(body="", content_type="text/html"))
    with page.expect_popup() as popup, page.expect_response("**/ligando/"):
        page.keyboard.press("w")
    assert popup.value.url.startswith(f"https://wa.me/{visits[0].patient.phone.as_e164[1:]}?text=Ol%C3%A1")
    expect(page.locator(row(visits[0]))).to_be_focused()
    assert ConfirmationCall.objects.get(caller=receptionist).appointment == visits[0]


def test_the_way_back_fits_a_phone(page_of, receptionist, visits):
    page = page_of(receptionist, width=360)
    page.locator(f"{row(visits[0])} [data-key=m]").click()
    page.locator("#panel-title").wait_for()
    expect(page.locator("header").get_by_role("link", name="Confirmações").last).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_opening_the_page_is_no_call(page_of, receptionist, visits):
    page = page_of(receptionist)
    expect(page.locator(row(visits[0]))).to_be_focused()
    page.wait_for_timeout(1500)
    assert not ConfirmationCall.objects.exists()


def test_what_others_did_appears_and_the_focus_stays(page_of, clinic, receptionist, visits):
    mine, theirs = page_of(receptionist), page_of(make_user(clinic, name="Paula Reis"))
    mine.locator(row(visits[1])).focus()
    theirs.keyboard.press("c")
    expect(theirs.locator(row(visits[0]))).to_contain_text("Desfazer confirmação")
    read_again(mine)
    expect(mine.locator(row(visits[0]))).to_contain_text("Paula Reis")
    expect(mine.locator(row(visits[1]))).to_be_focused()
    expect(mine.locator(".confirmation-row").last).to_contain_text("Ana Lima")


def test_two_people_at_one_row(page_of, clinic, receptionist, visits):
    mine, theirs = page_of(receptionist), page_of(make_user(clinic, name="Paula Reis"))
    theirs.keyboard.press("c")
    expect(theirs.locator(row(visits[0]))).to_contain_text("Desfazer confirmação")
    mine.keyboard.press("n")
    expect(mine.locator(row(visits[0]))).to_contain_text("foi alterado depois do que você viu")
    expect(mine.locator(row(visits[0]))).to_contain_text("Paula Reis")


def test_u_after_a_refused_act_undoes_ones_own_last_act(page_of, receptionist, paula, visits):
    page = page_of(receptionist)
    page.keyboard.press("c")
    expect(page.locator(row(visits[1]))).to_be_focused()
    confirmed_by(paula, visits[3])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("n")
    expect(page.locator(row(visits[3]))).to_contain_text("foi alterado depois do que você viu")
    page.keyboard.press("u")
    expect(page.locator(f"{row(visits[0])} [data-key=c]")).to_be_visible()
    assert Appointment.objects.get(status="confirmed") == visits[3]


def test_u_undoes_nothing_where_all_own_acts_were_refused(page_of, receptionist, paula, visits):
    page = page_of(receptionist)
    confirmed_by(paula, visits[0])
    page.keyboard.press("n")
    expect(page.locator(row(visits[0]))).to_contain_text("foi alterado depois do que você viu")
    sent = sent_by(page)
    page.keyboard.press("u")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(page.locator(row(visits[1]))).to_contain_text("Desfazer confirmação")
    assert [path for path in sent if path.endswith("/desfazer/")] == []


def test_u_at_the_moment_of_a_refusal_undoes_nothing(page_of, receptionist, paula, visits):
    page = page_of(receptionist)
    confirmed_by(paula, visits[0])
    sent = sent_by(page)
    page.evaluate(PRESS_U_AT_A_REFUSAL)
    page.keyboard.press("n")
    expect(page.locator(row(visits[0]))).to_contain_text("foi alterado depois do que você viu")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(page.locator(row(visits[1]))).to_contain_text("Desfazer confirmação")
    assert [path for path in sent if path.endswith("/desfazer/")] == []


def test_u_leaves_what_a_colleague_did_to_ones_own_row(page_of, clinic, receptionist, paula, visits):
    page = page_of(receptionist)
    page.keyboard.press("c")
    expect(page.locator(row(visits[1]))).to_be_focused()
    by = Author(channel="browser", user=paula)
    change_status(visits[0].pk, "cancelled", clinic=clinic, by=by, cancelled_by="patient")
    read_again(page)
    expect(page.locator(row(visits[0]))).to_contain_text("Desfazer cancelamento")
    sent = sent_by(page)
    page.keyboard.press("u")
    page.keyboard.press("c")
    expect(page.locator(row(visits[1]))).to_contain_text("Desfazer confirmação")
    assert [path for path in sent if path.endswith("/desfazer/")] == []


def test_the_focus_goes_on_from_what_a_colleague_has_done(page_of, clinic, receptionist, paula, visits):
    page = page_of(receptionist)
    page.locator(row(visits[1])).focus()
    begin_call(visits[2].pk, clinic=clinic, caller=make_user(clinic))
    confirmed_by(paula, visits[1])
    read_again(page)
    expect(page.locator(row(visits[1]))).to_contain_text("Paula Reis")
    expect(page.locator(row(visits[3]))).to_be_focused()


def test_who_did_not_answer_a_moment_ago_is_passed_over(page_of, clinic, receptionist, paula, visits):
    for visit in visits[:2]:
        record_not_reached(visit.pk, clinic=clinic, by=Author(channel="browser", user=paula))
    page = page_of(receptionist)
    expect(page.locator(row(visits[2]))).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("c")
    expect(page.locator(row(visits[0]))).to_contain_text("Desfazer confirmação")
    expect(page.locator(row(visits[2]))).to_be_focused()


def test_u_takes_an_unanswered_call_back(page_of, receptionist, visits):
    page = page_of(receptionist)
    expect(page.locator(row(visits[0]))).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator(row(visits[0]))).to_contain_text("1 ×")
    expect(page.locator(row(visits[1]))).to_be_focused()
    page.keyboard.press("u")
    expect(page.locator(row(visits[0]))).not_to_contain_text("1 ×")
    expect(page.locator(row(visits[0]))).to_be_focused()
    expect(page.locator("#confirmations-head")).not_to_contain_text("não atende")


def test_where_all_are_passed_over_the_first_has_the_focus(page_of, clinic, receptionist, paula, visits):
    for visit in visits:
        record_not_reached(visit.pk, clinic=clinic, by=Author(channel="browser", user=paula))
    page = page_of(receptionist)
    expect(page.locator(row(visits[0]))).to_be_focused()


def test_the_list_of_keys_names_those_of_the_page(page_of, receptionist):
    page = page_of(receptionist)
    page.keyboard.press("?")
    for words in ("Confirmou", "Ligar às…", "Não atende", "Paciente anterior, paciente seguinte"):
        expect(page.locator("#keys")).to_contain_text(words)
    expect(page.locator("#keys")).not_to_contain_text("check-in")


def test_without_script_it_is_a_form(page_of, receptionist, visits):
    page = page_of(receptionist, javascript=False)
    page.locator(f"{row(visits[0])} [data-key=c]").click()
    expect(page.locator("main")).to_contain_text("1 de 5 confirmados")


def test_a_phone_shows_it_without_scrolling_sideways(page_of, receptionist, visits):
    page = page_of(receptionist, width=360)
    page.locator(f"{row(visits[0])} [data-key=x]").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_on_paper_there_are_no_buttons(page_of, receptionist, visits):
    page = page_of(receptionist)
    page.emulate_media(media="print")
    expect(page.locator(f"{row(visits[0])} [data-key=c]")).to_be_hidden()
    expect(page.locator(f"{row(visits[0])} .phone")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_rows_of_every_kind(page_of, clinic, receptionist, visits, scheme):
    begin_call(visits[4].pk, clinic=clinic, caller=make_user(clinic))
    Appointment.objects.filter(pk=visits[3].pk).update(notes="traz exames")
    page = page_of(receptionist, scheme=scheme)
    for visit, key in zip(visits, "cn", strict=False):
        page.keyboard.press(key)
        expect(page.locator(row(visit))).not_to_be_focused()
    page.keyboard.press("x")
    assert violations(page) == []


def test_a_refused_hour_stays_typed_and_its_key_leads_to_it(page_of, receptionist, visits):
    first = row(visits[0])
    page = page_of(receptionist)
    page.keyboard.press("l")
    page.keyboard.type("0:00")
    page.keyboard.press("Enter")
    expect(page.locator(first)).to_contain_text("Este horário já passou")
    expect(page.locator(first)).to_be_focused()
    page.keyboard.press("l")
    expect(page.locator(f"{first} [name=at]")).to_be_focused()
    expect(page.locator(f"{first} [name=at]")).to_have_value("0:00")


def test_a_refused_cancellation_keeps_its_reason(page_of, receptionist, paula, visits):
    first = row(visits[0])
    page = page_of(receptionist)
    page.keyboard.press("x")
    page.locator(f"{first} [name=reason]").fill("viajou")
    confirmed_by(paula, visits[0])
    page.locator(f"{first} [value=clinic]").click()
    expect(page.locator(first)).to_contain_text("foi alterado depois do que você viu")
    expect(page.locator(f"{first} [name=reason]")).to_be_visible()
    expect(page.locator(f"{first} [name=reason]")).to_have_value("viajou")


def test_a_refusal_outlives_refreshes_while_its_row_is_read(page_of, receptionist, paula, visits):
    first, second = map(row, visits[:2])
    page = page_of(receptionist)
    confirmed_by(paula, visits[0])
    page.keyboard.press("n")
    expect(page.locator(first)).to_contain_text("foi alterado depois do que você viu")
    for visit in visits[3:]:
        confirmed_by(paula, visit)
        read_again(page)
        expect(page.locator(row(visit))).to_contain_text("Paula Reis")
    expect(page.locator(first)).to_be_focused()
    expect(page.locator(f"{first} .message.error")).to_have_count(1)
    page.locator(second).focus()
    confirmed_by(paula, visits[2])
    read_again(page)
    expect(page.locator(row(visits[2]))).to_contain_text("Paula Reis")
    expect(page.locator(first)).not_to_contain_text("foi alterado depois do que você viu")


def test_a_row_reached_by_arrows_is_not_under_the_bar(page_of, receptionist, visits):
    page = page_of(receptionist, height=400)
    for key in ("ArrowDown", "ArrowUp"):
        for _ in visits:
            page.keyboard.press(key)
            bar = page.locator("body > header").bounding_box()
            assert page.locator(".confirmation-row:focus").bounding_box()["y"] >= bar["y"] + bar["height"]


def test_what_is_typed_outlives_the_answer_to_a_call(page_of, receptionist, paula, visits):
    page, second = page_of(receptionist), row(visits[1])
    page.keyboard.press("c")
    expect(page.locator(second)).to_be_focused()
    confirmed_by(paula, visits[1])
    page.keyboard.press("x")
    reason = page.locator(f"{second} [name=reason]")
    with page.expect_response("**/ligando/"):  # a second after the focus has come to rest
        reason.fill("viajou")
    expect(reason).to_have_value("viajou")
    expect(reason).to_be_focused()


def test_a_list_is_drawn_anew_once_a_refused_row_is_left(page_of, receptionist, paula, visits):
    page, first = page_of(receptionist), row(visits[0])
    page.keyboard.press("l")
    page.keyboard.type("0:00")
    page.keyboard.press("Enter")
    expect(page.locator(first)).to_contain_text("Este horário já passou")
    page.locator(row(visits[1])).focus()
    confirmed_by(paula, visits[3])
    read_again(page)
    expect(page.locator(row(visits[3]))).to_contain_text("Paula Reis")
