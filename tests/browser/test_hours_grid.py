"""The week of a doctor's hours dragged in its grid, by mouse, keys, finger and buttons; it writes the text."""

import pytest
from playwright.sync_api import expect

from clinic.models import StaffSession, WorkingHours
from clinic.schedule import write_week
from tests.browser.test_every_page import violations
from tests.factories import make_manager


@pytest.fixture
def manager(clinic):
    return make_manager(clinic)


@pytest.fixture
def address(doctor):
    """The week of a doctor who works from Monday to Friday, 8 to 17."""
    return f"/admin/clinic/doctor/{doctor.pk}/semana/"


@pytest.fixture
def page(window, manager, address):
    return opened(window(manager), address, "seg 8-12; qui 14-18")


def opened(page, address, week):
    page.goto(address)
    text(page).fill(week)
    expect(page.locator("#week-grid button.bar")).to_have_count(week.count("-"))
    return page


def text(page):
    return page.get_by_label("Semana:")


def bar(page, name):
    return page.get_by_role("button", name=name, exact=True)


def point(page, day, hour, across=0.5):
    """Where an hour of a day stands in the grid of the window, which shows 6 to 22 unless a night is in it."""
    lane = page.locator(f'.lane[data-day="{day}"]')
    lane.scroll_into_view_if_needed()
    box = lane.bounding_box()
    first, last = (0, 24) if page.locator(".week-grid[data-night], .whole .week-grid").count() else (6, 22)
    share = (hour - first) / (last - first)
    if box["width"] > box["height"]:
        return box["x"] + box["width"] * share, box["y"] + box["height"] * across
    return box["x"] + box["width"] * across, box["y"] + box["height"] * share


def press(page, start, *steps):
    """Press at (day, hour), and move to the others, without letting go."""
    page.mouse.move(*point(page, *start))
    page.mouse.down()
    for step in steps:
        page.mouse.move(*point(page, *step), steps=4)


def drag(page, start, *steps):
    press(page, start, *steps)
    page.mouse.up()


# The hours above the lanes that are in part outside of them; those before the first one are not shown.
CUT_HOURS = """[...document.querySelectorAll("#week-grid .clock span")].filter((hour) => {
  const [inner, outer] = [hour, hour.parentElement].map((element) => element.getBoundingClientRect());
  return inner.right > outer.left && (inner.left < outer.left || inner.right > outer.right);
}).map((hour) => hour.textContent)"""


def test_an_empty_place_makes_hours(page):
    drag(page, (2, 9.05), (2, 11.95))
    expect(text(page)).to_have_value("seg 8-12; ter 9-12; qui 14-18")
    expect(bar(page, "terça, 9:00 até 12:00")).to_be_focused()
    expect(page.locator("#week-summary")).to_have_text("Entendido: 3 dias, 11 h por semana.")
    assert violations(page) == []


def test_an_end_is_dragged_and_a_start(page):
    drag(page, (1, 11.95), (1, 12.5))
    expect(text(page)).to_have_value("seg 8-12:30; qui 14-18")
    drag(page, (4, 14.05), (4, 13.25))
    expect(text(page)).to_have_value("seg 8-12:30; qui 13:15-18")


def test_alt_drags_finely(page):
    page.keyboard.down("Alt")
    drag(page, (1, 11.95), (1, 12 + 20 / 60))
    page.keyboard.up("Alt")
    expect(text(page)).to_have_value("seg 8-12:20; qui 14-18")


def test_the_middle_moves_to_another_day(page):
    press(page, (1, 10), (2, 10.2), (6, 11.25))
    expect(page.locator(".bar.in-motion")).to_have_text("9:15–13:15")
    expect(bar(page, "segunda, 8:00 até 12:00")).to_have_class("bar from-96 to-144 chosen moved")
    page.mouse.up()
    expect(text(page)).to_have_value("qui 14-18; sáb 9:15-13:15")
    expect(bar(page, "sábado, 9:15 até 13:15")).to_be_focused()


def test_escape_gives_a_drag_up(page):
    press(page, (1, 10), (3, 11))
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".bar.in-motion")).to_have_count(0)
    expect(page.locator("#week-moving")).to_have_text("Ficou como estava.")
    expect(text(page)).to_have_value("seg 8-12; qui 14-18")


def test_an_overlap_is_refused_at_its_place(page):
    drag(page, (4, 16), (1, 13))
    refused = page.locator("#week-grid li").first.get_by_role("alert")
    expect(refused).to_have_text("“11-15” de seg cruza com “8-12” de seg.")
    expect(text(page)).to_have_value("seg 8-12; qui 14-18")
    expect(bar(page, "quinta, 14:00 até 18:00")).to_be_focused()
    assert violations(page) == []


def test_keys_move_and_stretch_and_remove(page):
    spoken = page.locator("#week-moving")
    bar(page, "segunda, 8:00 até 12:00").focus()
    page.keyboard.press("ArrowDown")
    expect(spoken).to_have_text("segunda, 8:15 até 12:15")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(spoken).to_have_text("terça, 8:15 até 12:30")
    page.keyboard.press("Enter")
    expect(text(page)).to_have_value("ter 8:15-12:30; qui 14-18")
    expect(bar(page, "terça, 8:15 até 12:30")).to_be_focused()

    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(spoken).to_have_text("Ficou como estava.")
    # After a pause the hours are dropped by themselves.
    page.keyboard.press("Alt+ArrowUp")
    expect(text(page)).to_have_value("ter 8:10-12:25; qui 14-18")

    bar(page, "terça, 8:10 até 12:25").press("Delete")
    expect(text(page)).to_have_value("qui 14-18")


def test_leaving_drops_what_keys_have_moved(page):
    bar(page, "segunda, 8:00 até 12:00").press("ArrowDown")
    text(page).focus()
    expect(text(page)).to_have_value("seg 8:15-12:15; qui 14-18")
    expect(text(page)).to_be_focused()


def test_buttons_add_and_remove_and_go_back(page):
    page.get_by_role("button", name="Mais um horário: segunda").click()
    expect(text(page)).to_have_value("seg 8-12 12-16; qui 14-18")
    bar(page, "quinta, 14:00 até 18:00").click()
    page.get_by_role("button", name="Remover este horário").click()
    expect(text(page)).to_have_value("seg 8-12 12-16")
    back = page.get_by_role("button", name="Voltar ao que estava")
    back.click()
    expect(bar(page, "quinta, 14:00 até 18:00")).to_be_visible()
    back.click()
    expect(text(page)).to_have_value("seg 8-12; qui 14-18")
    expect(bar(page, "segunda, 12:00 até 16:00")).to_have_count(0)
    expect(back).to_be_disabled()


def test_a_night_stands_on_both_days(page):
    text(page).fill("sex 22-2")
    expect(page.locator('.lane[data-day="6"] .rest')).to_be_visible()
    drag(page, (6, 1.9), (6, 3))
    expect(text(page)).to_have_value("sex 22-3")
    drag(page, (6, 1), (7, 2))
    expect(text(page)).to_have_value("sáb 23-4")
    drag(page, (2, 20), (2, 24), (3, 1))
    expect(text(page)).to_have_value("ter 20-1; sáb 23-4")


def test_the_whole_day_is_shown_for_early_hours(page):
    page.get_by_role("button", name="Mostrar 24 horas").click()
    drag(page, (2, 4.05), (2, 5.95))
    expect(text(page)).to_have_value("seg 8-12; ter 4-6; qui 14-18")


def test_what_was_dragged_is_seen_and_saved(page, doctor):
    drag(page, (6, 8.05), (6, 11.95))
    expect(text(page)).to_have_value("seg, sáb 8-12; qui 14-18")
    assert not WorkingHours.objects.filter(weekday=6).exists()
    page.get_by_role("button", name="Ver o efeito").click()
    expect(page.get_by_role("table", name="Como foi entendido").get_by_role("row", name="Sábado")).to_contain_text(
        "a mais"
    )
    drag(page, (6, 11.95), (6, 13))
    expect(text(page)).to_have_value("seg 8-12; qui 14-18; sáb 8-13")
    page.get_by_role("button", name="Salvar", exact=True).click()
    # What was dragged after the effect was seen is shown again first.
    expect(page.get_by_role("table", name="Como foi entendido")).to_contain_text("08:00–13:00")
    page.get_by_role("button", name="Salvar", exact=True).click()
    expect(page.locator(".messagelist")).to_be_visible()
    held = WorkingHours.objects.filter(doctor=doctor, valid_until=None)
    assert write_week(held) == "seg 8-12; qui 14-18; sáb 8-13"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_days_are_rows(window, manager, address, scheme):
    page = opened(window(manager, width=360, scheme=scheme), address, "seg 8-12; qui 14-18")
    assert page.evaluate(CUT_HOURS) == []
    drag(page, (1, 10), (2, 12))
    expect(text(page)).to_have_value("ter 10-14; qui 14-18")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(text(page)).to_have_value("qua 9:45-13:45; qui 14-18")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []


def test_before_any_hours_a_day_is_as_wide_as_its_field(window, manager, procedure):
    page = window(manager, width=360)
    page.goto("/comecar/medico/")
    expect(page.locator("#week-grid .lane")).to_have_count(7)
    widths = page.evaluate("""["#week-grid .lane", "#week-grid"].map(
        (at) => document.querySelector(at).getBoundingClientRect().width)""")
    assert widths[0] > 0.9 * widths[1]


def test_a_finger_drags_after_a_long_press(window, manager, address):
    page = opened(window(manager, width=360), address, "seg 8-12")
    devtools = page.context.new_cdp_session(page)

    def touch(kind, *points):
        points = [dict(zip("xy", point(page, *place), strict=True)) for place in points]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (1, 10))
    expect(page.locator(".bar.in-motion")).to_be_visible()
    touch("touchMove", (3, 11))
    expect(page.locator('.lane[data-day="3"] .in-motion')).to_be_visible()
    touch("touchEnd")
    expect(text(page)).to_have_value("qua 9-13")
    # A finger makes an hour at least.
    touch("touchStart", (5, 10.1))
    expect(page.locator('.lane[data-day="5"] .in-motion')).to_have_text("10:00–11:00")
    touch("touchEnd")
    expect(text(page)).to_have_value("qua 9-13; sex 10-11")


def test_without_scripts_the_text_alone_works(window, manager, address, doctor):
    page = window(manager, javascript=False)
    page.goto(address)
    expect(page.get_by_role("button", name="Voltar ao que estava")).to_be_hidden()
    expect(page.locator("button.bar").first).to_be_disabled()
    text(page).fill("seg 8-10")
    page.get_by_role("button", name="Ver o efeito").click()
    page.get_by_role("button", name="Salvar", exact=True).click()
    assert write_week(WorkingHours.objects.filter(doctor=doctor, valid_until=None)) == "seg 8-10"


FRAMES = 600  # of the browser, in which a request is waited for


class Held:
    """Answers of the server that come only when they are let through, in the order of their requests."""

    def __init__(self, page, path="arrastar"):
        self.page, self.routes = page, []
        page.route(f"**/horarios/{path}/", lambda route: self.routes.append(route))

    def next(self):
        """The route of the next request, which is waited for."""
        for _ in range(FRAMES):
            if self.routes:
                return self.routes.pop(0)
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        pytest.fail("no request")

    def let_through(self):
        self.next().continue_()


def test_a_form_waits_for_what_is_not_answered(page):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    page.get_by_role("button", name="Ver o efeito").click()
    held.let_through()
    expect(page.get_by_role("table", name="Como foi entendido").get_by_role("row", name="Segunda")).to_contain_text(
        "08:00–13:00"
    )


def test_a_form_takes_what_a_key_has_just_moved(page):
    bar(page, "segunda, 8:00 até 12:00").press("ArrowDown")
    # By a script: a click would take the focus away, which drops the hours too.
    page.get_by_role("button", name="Ver o efeito").evaluate("button => button.click()")
    expect(page.get_by_role("table", name="Como foi entendido").get_by_role("row", name="Segunda")).to_contain_text(
        "08:15–12:15"
    )


def test_a_form_stays_when_hours_cannot_be_written(page, complaints):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    page.get_by_role("button", name="Ver o efeito").click()
    held.next().abort()
    expect(page.locator("#week-wrong")).to_have_text("Sem resposta: ficou como estava. Tente de novo.")
    expect(page.get_by_role("table", name="Como foi entendido")).to_have_count(0)
    complaints.clear()


def test_two_quick_drags_are_both_written(page):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    drag(page, (4, 17.95), (4, 19))
    expect(page.locator(".bar.in-motion.sent")).to_have_count(2)
    held.let_through()
    expect(text(page)).to_have_value("seg 8-13; qui 14-18")
    expect(page.locator(".bar.in-motion.sent")).to_have_count(1)
    held.let_through()
    expect(text(page)).to_have_value("seg 8-13; qui 14-19")
    expect(page.locator(".bar.in-motion")).to_have_count(0)
    for week in ("seg 8-13; qui 14-18", "seg 8-12; qui 14-18"):
        page.get_by_role("button", name="Voltar ao que estava").click()
        expect(text(page)).to_have_value(week)


def test_a_lost_drag_is_said_though_the_next_is_written(page, complaints):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    drag(page, (4, 17.95), (4, 19))
    held.next().abort()
    held.let_through()
    expect(text(page)).to_have_value("seg 8-12; qui 14-19")
    expect(page.locator("#week-wrong")).to_have_text("Sem resposta: ficou como estava. Tente de novo.")
    complaints.clear()


def test_an_answer_leaves_the_next_drag_alone(page):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    press(page, (4, 16), (5, 16))
    held.let_through()
    expect(text(page)).to_have_value("seg 8-13; qui 14-18")
    expect(page.locator('.lane[data-day="5"] .in-motion')).to_have_text("14:00–18:00")
    page.mouse.up()
    held.let_through()
    expect(text(page)).to_have_value("seg 8-13; sex 14-18")


def test_typing_in_a_drag_gives_it_up_with_its_bar(page):
    press(page, (4, 16), (5, 16))
    text(page).evaluate("field => { field.value = 'seg 8-12'; field.dispatchEvent(new Event('input')); }")
    expect(page.locator("#week-grid button.bar")).to_have_count(1)
    expect(page.locator(".bar.in-motion")).to_have_count(0)
    page.mouse.move(*point(page, 6, 10))
    expect(page.locator(".bar.in-motion")).to_have_count(0)
    page.mouse.up()
    # The keys move the bar in focus.
    bar(page, "segunda, 8:00 até 12:00").press("ArrowRight")
    page.keyboard.press("Enter")
    expect(text(page)).to_have_value("ter 8-12")


def test_a_key_goes_on_from_what_is_being_sent(page):
    held = Held(page)
    bar(page, "segunda, 8:00 até 12:00").press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    held.let_through()
    expect(bar(page, "terça, 8:00 até 12:00")).to_be_focused()
    held.let_through()
    expect(text(page)).to_have_value("qua 8-12; qui 14-18")


def test_delete_after_a_key_removes_at_once(page):
    held = Held(page)
    bar(page, "segunda, 8:00 até 12:00").press("ArrowDown")
    page.keyboard.press("Delete")
    expect(page.locator(".bar.in-motion")).to_have_count(0)
    held.let_through()
    expect(text(page)).to_have_value("qui 14-18")


def test_a_press_in_the_grid_drops_what_a_key_moved(page):
    held = Held(page)
    bar(page, "segunda, 8:00 até 12:00").press("ArrowDown")
    drag(page, (4, 17.95), (4, 19))
    held.let_through()
    held.let_through()
    expect(text(page)).to_have_value("seg 8:15-12:15; qui 14-19")


def test_what_is_typed_before_the_answer_stays(page):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    text(page).fill("seg 8-12; qui 14-18; sáb 9-10")
    held.let_through()
    held.let_through()
    expect(text(page)).to_have_value("seg 8-13; qui 14-18; sáb 9-10")


def test_an_answer_to_typing_waits_for_no_drag(page):
    read, held = Held(page, "ler"), Held(page)
    text(page).fill("seg 8-12; qui 14-18; sáb 9-10")
    drag(page, (1, 11.95), (1, 13))
    late = read.next()
    held.let_through()
    expect(text(page)).to_have_value("seg 8-13; qui 14-18; sáb 9-10")
    # What was understood of the text before the drag is not shown any more.
    with page.expect_response("**/horarios/ler/"):
        late.continue_()
    drag(page, (1, 12.95), (1, 14))
    held.let_through()
    expect(text(page)).to_have_value("seg 8-14; qui 14-18; sáb 9-10")


def test_a_mistake_typed_before_the_answer_is_said(page):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    text(page).fill("sáp 8-12")
    held.let_through()
    held.let_through()
    expect(page.locator("#week-wrong")).to_have_text("O texto tem um erro: a mudança não entrou.")
    expect(page.locator("mark")).to_have_text("sáp")
    expect(text(page)).to_have_value("sáp 8-12")
    text(page).fill("sáb 8-12")
    expect(page.locator("#week-wrong")).to_be_hidden()
    assert violations(page) == []


def test_a_bar_that_is_gone_from_the_text_is_not_written(page):
    held = Held(page)
    drag(page, (1, 11.95), (1, 13))
    text(page).fill("ter 8-12")
    held.let_through()
    held.let_through()
    refused = page.locator("#week-grid li").first.get_by_role("alert")
    expect(refused).to_have_text("O texto mudou: olhe e arraste de novo.")
    expect(text(page)).to_have_value("ter 8-12")


@pytest.mark.parametrize("path", ["admin", "/comecar/medico/"])
def test_a_server_that_is_away_leaves_the_hours(page, address, complaints, path):
    if path != "admin":
        page.goto(path)
        page.locator("#id_week").fill("seg 8-12; qui 14-18")
    page.route("**/horarios/arrastar/", lambda route: route.abort())
    bar(page, "segunda, 8:00 até 12:00").press("Delete")
    expect(page.get_by_role("alert").filter(has_text="Sem resposta: ficou como estava. Tente de novo.")).to_be_visible()
    expect(page.locator("#trouble .message")).to_have_count(0)
    expect(page.locator(".bar.moved")).to_have_count(0)
    page.unroute("**/horarios/arrastar/")
    bar(page, "segunda, 8:00 até 12:00").press("Delete")
    expect(page.locator("#id_week")).to_have_value("qui 14-18")
    expect(page.locator("#week-wrong")).to_be_hidden()
    complaints.clear()


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_of_the_server_has_words_of_its_own(page, complaints, status):
    page.route("**/horarios/arrastar/", lambda route: route.fulfill(status=status))
    bar(page, "segunda, 8:00 até 12:00").press("Delete")
    expect(page.locator("#week-wrong")).to_have_text("Não deu certo: ficou como estava. Tente de novo.")
    complaints.clear()


def test_an_ended_session_leaves_the_typed_week(page):
    StaffSession.objects.all().delete()
    bar(page, "segunda, 8:00 até 12:00").press("Delete")
    expect(page.locator("#trouble > .message")).to_contain_text("Sua sessão terminou.")
    expect(text(page)).to_have_value("seg 8-12; qui 14-18")
    expect(page.locator(".bar.moved")).to_have_count(0)
    assert violations(page) == []


@pytest.mark.parametrize("gone", [{}, {"name": "sessionid"}, {"name": "csrftoken"}])
def test_cookies_deleted_during_a_drag_say_so(page, gone):
    press(page, (1, 9), (3, 10))
    page.context.clear_cookies(**gone)
    page.mouse.up()
    expect(page.locator("#trouble > .message")).to_contain_text("Sua sessão terminou.")
    expect(page.locator("#week-wrong")).to_be_empty()
    expect(text(page)).to_have_value("seg 8-12; qui 14-18")
    assert violations(page) == []


def test_a_night_decides_what_the_grid_offers(page):
    whole = page.get_by_role("button", name="Mostrar 24 horas")
    drag(page, (5, 20.05), (5, 22), (6, 7))
    expect(text(page)).to_have_value("seg 8-12; qui 14-18; sex 20-7")
    expect(whole).to_be_hidden()
    page.get_by_role("button", name="Voltar ao que estava").click()
    expect(text(page)).to_have_value("seg 8-12; qui 14-18")
    expect(whole).to_be_visible()


def test_the_ends_of_a_short_bar_are_dragged(page):
    text(page).fill("seg 8-8:15")
    expect(bar(page, "segunda, 8:00 até 8:15")).to_be_visible()
    drag(page, (1, 8.2), (1, 9.5))
    expect(text(page)).to_have_value("seg 8-9:30")


def test_plus_takes_the_first_gap_or_none(page):
    text(page).fill("seg 8-24; ter 0-24; qua 20-2; qui 8-10 12-14")
    expect(page.locator("#week-grid button.bar")).to_have_count(5)
    expect(page.get_by_role("button", name="Mais um horário: terça")).to_be_disabled()
    for day in ("segunda", "quarta", "quinta"):
        page.get_by_role("button", name=f"Mais um horário: {day}").click()
    expect(text(page)).to_have_value("seg 0-4 8-24; ter 0-24; qua 8-12 20-2; qui 8-10 10-12 12-14")
    assert violations(page) == []


def test_going_back_keeps_what_was_typed_since(page):
    back = page.get_by_role("button", name="Voltar ao que estava")
    drag(page, (1, 11.95), (1, 13))
    expect(text(page)).to_have_value("seg 8-13; qui 14-18")
    text(page).fill("seg 8-13; qui 14-18; sáb 9-10")
    back.click()
    expect(text(page)).to_have_value("seg 8-12; qui 14-18")
    back.click()
    expect(text(page)).to_have_value("seg 8-13; qui 14-18; sáb 9-10")
    expect(back).to_be_disabled()
    expect(page.locator("#week-summary")).to_be_focused()


def test_sideways_drift_makes_no_night(page):
    drag(page, (2, 19.95), (3, 14.05, 0.2))
    expect(text(page)).to_have_value("seg 8-12; ter 14-20; qui 14-18")


def test_a_new_doctor_has_the_grid_too(page):
    for address in ("/admin/clinic/doctor/add/", "/comecar/medico/"):
        page.goto(address)
        drag(page, (3, 8.05), (3, 9.95))
        expect(page.locator("#id_week")).to_have_value("qua 8-10")
        assert violations(page) == []
