"""The day at work: what can be seen, clicked and tapped, counted, on wide screens, at 360 px and with large text."""

import re
from datetime import time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import change_status, reschedule
from clinic.bundles import script, style
from clinic.models import Absence, Appointment, Memo
from clinic.spoken import duration
from tests.booking.desk import BY
from tests.browser.collected import source
from tests.browser.desk import three_of_today
from tests.browser.test_every_page import violations
from tests.days import put
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_master,
    make_patient,
    make_procedure,
)

pytestmark = pytest.mark.django_db(transaction=True)

COUNT_ACTS = """
window.clicks = window.keys = 0;
addEventListener("click", (event) => { if (event.isTrusted && event.detail > 0) window.clicks += 1; }, true);
addEventListener("keydown", (event) => { if (event.isTrusted) window.keys += 1; }, true);
"""
HIDDEN = "inset(50%)"  # the clip-path of words that are read aloud, not seen
WIDTHS = {"wide": 1440, "laptop": 1280, "phone": 360}


@pytest.fixture
def busy_day(clinic, doctor, maria, monday):
    """A cancelled appointment, notes, holes for the shorter procedure only, a doctor who performs none."""
    doctor.procedures.add(make_procedure(clinic, name="Retorno", duration_minutes=15))
    make_doctor(clinic, name="Dr. Sem Nada", procedures=[])
    at = clinic.instant
    cancelled = book_appointment(doctor, patient=maria.pk, starts_at=at(monday, time(9)), notes="trazer exames")
    change_status(cancelled.pk, "cancelled", clinic=clinic, by=BY, cancelled_by="patient")
    for hour, minute in ((8, 15), (8, 15 + 30 + 15), (10, 0)):
        starts_at = at(monday, time(hour)) + timedelta(minutes=minute)
        if starts_at != at(monday, time(9)):
            book_appointment(doctor, patient=make_patient(clinic, birth_date=None).pk, starts_at=starts_at)
    return monday


def test_a_freed_time_says_so_and_is_clicked_in_its_middle(window, receptionist, doctor, busy_day):
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{busy_day}/")
    freed = page.locator("a[href*='inicio=09:00']")
    expect(freed).to_have_text("09:00 livre")
    freed.click()
    expect(page.locator("#starts")).to_have_value("09:00")
    expect(page.locator("#error-starts")).to_be_empty()


def test_a_short_hole_names_what_fits_and_brings_it_along(window, receptionist, doctor, busy_day):
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{busy_day}/")
    hole = page.locator("a[href*='inicio=08:00']")
    expect(hole).to_have_attribute("title", "15 min: cabe Retorno")
    hole.click()
    expect(page.locator("#procedure-0 option:checked")).to_have_text("Retorno")
    expect(page.locator("#error-starts")).to_be_empty()


def test_a_short_hole_brings_its_procedure_into_an_open_form(window, receptionist, doctor, busy_day):
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{busy_day}/")
    page.locator("a[href*='inicio=14:00']").click()
    expect(page.locator("#procedure-0 option:checked")).to_have_text("Consulta")
    with page.expect_response(lambda answer: answer.request.headers.get("hx-trigger-name") == "doctor"):
        page.locator("a[href*='inicio=08:00']").click()
    expect(page.locator("#procedure-0 option:checked")).to_have_text("Retorno")
    expect(page.locator("#starts")).to_have_value("08:00")
    expect(page.locator("#error-starts")).to_be_empty()
    page.locator("a[href*='inicio=14:00']").click()
    expect(page.locator("#procedure-0 option:checked")).to_have_text("Consulta")


def test_a_cancelled_card_is_opened_by_its_strip(window, receptionist, doctor, busy_day):
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{busy_day}/")
    strip = page.locator(".appt.back > a")
    assert "Maria da Silva Souza" in strip.get_attribute("title")
    strip.click()
    expect(page.locator("#panel")).to_contain_text("Maria da Silva Souza")


def test_a_card_beside_another_gives_both_lines_to_the_name(window, clinic, receptionist, doctor, maria, monday):
    for _ in range(7):
        make_doctor(clinic, procedures=list(doctor.procedures.all()))
    appointment = put(doctor, "09:15", patient=maria, day=monday, source="voice_ai", notes="trazer exames")
    put(doctor, "09:15", day=monday, encaixe_by=receptionist, encaixe_reason="dor")
    page = window(receptionist, width=1280)
    page.goto(f"/agenda/{monday}/")
    card = page.locator(f"#a{appointment.pk}")
    whole, name = card.bounding_box(), card.locator("b").bounding_box()
    assert whole["width"] < 90
    assert name["height"] >= 36 and name["width"] >= whole["width"] - 32
    expect(card.locator(".time")).to_have_css("clip-path", HIDDEN)
    procedure = doctor.procedures.first()
    expect(card).to_have_accessible_name(
        f"09:15 –09:45 {maria.display_name} {procedure.name} observações voz {doctor} Agendado"
    )


@pytest.mark.parametrize("with_panel", [False, True])
def test_an_encaixe_beside_another_shows_its_badge(window, clinic, receptionist, doctor, monday, with_panel):
    for _ in range(5):
        make_doctor(clinic, procedures=list(doctor.procedures.all()))
    put(doctor, "09:00", day=monday)
    patient = make_patient(clinic, name="Marcelo Antunes da Silva")
    squeezed = put(doctor, "09:00", day=monday, patient=patient, encaixe_by=receptionist, encaixe_reason="dor")
    page = window(receptionist, width=1280)
    page.goto(f"/agenda/{monday}/")
    card = page.locator(f"#a{squeezed.pk}")
    if with_panel:
        card.click()
        expect(page.locator("#panel")).to_contain_text("Encaixe")
    whole, name, badge = (place.bounding_box() for place in (card, card.locator("b"), card.locator(".badge").first))
    assert name["height"] < 24 and badge["y"] >= name["y"] + name["height"] - 2
    for edge, length in (("x", "width"), ("y", "height")):
        assert whole[edge] <= badge[edge] and badge[edge] + badge[length] <= whole[edge] + whole[length]


def test_no_line_of_an_hour_crosses_a_finished_card(window, receptionist, doctor, monday):
    finished = put(doctor, "10:40", day=monday, status="finished")
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    card = page.locator(f"#a{finished.pk}")
    assert card.evaluate("card => getComputedStyle(card).backgroundColor") == "rgb(255, 255, 255)"


def test_the_numbers_of_a_day_are_read_on_a_laptop(window, clinic, receptionist, doctor, monday):
    for hour in range(8, 12):
        put(doctor, f"{hour:02}:00", day=monday)
    put(doctor, "14:00", day=monday, status="no_show")
    page = window(receptionist, width=1280)
    page.goto(f"/agenda/{monday}/")
    numbers = page.locator(".tools .summary")
    words = " ".join(numbers.inner_text().split())
    expect(numbers).to_have_attribute("title", words)
    assert words.startswith("4 agendados · ") and words.endswith(" · 1 falta")
    assert numbers.evaluate(
        "line => line.scrollHeight <= line.clientHeight + 1 && line.scrollWidth <= line.clientWidth"
    )
    assert page.locator(".tools").bounding_box()["height"] < 56


def test_badges_of_a_narrow_column_are_icons_with_tooltips(window, clinic, receptionist, doctor, maria, monday):
    for _ in range(7):
        make_doctor(clinic, procedures=list(doctor.procedures.all()))
    appointment = put(doctor, "09:00", patient=maria, day=monday, source="voice_ai")
    page = window(receptionist, width=1280)
    page.goto(f"/agenda/{monday}/")
    card = page.locator(f"#a{appointment.pk}")
    badge = card.locator(".badge").last
    expect(badge.locator("span")).to_have_css("clip-path", HIDDEN)
    expect(badge.locator(".icon")).to_be_visible()
    badge.hover()
    expect(card).to_have_attribute("title", re.compile(r"^09:00–09:30 .* · .* · voz · .* · Agendado$"))


@pytest.fixture
def three_hundred(clinic, doctor, monday):
    """A day on which everything was cancelled, each quarter of an hour seven or eight times."""
    patient = make_patient(clinic, name="Paulo Desmarcado")
    slots = [f"{hour:02}:{minute:02}" for hour in range(8, 18) for minute in (0, 15, 30, 45)]
    for number in range(300):
        put(doctor, slots[number % len(slots)], 15, "cancelled", monday, patient=patient)
    return monday


@pytest.mark.parametrize("width", [1440, 360])
def test_a_day_of_300_cancelled_cards_stays_usable(window, receptionist, doctor, three_hundred, width):
    page = window(receptionist, width=width, height=780)
    page.goto(f"/agenda/{three_hundred}/")
    button = page.locator("#scroll .folded > button").first
    box = button.bounding_box()
    assert button.inner_text() == "+6" and min(box["width"], box["height"]) >= (44 if width == 360 else 19)
    assert violations(page) == []
    button.click()
    group = page.get_by_role("group", name="6 cancelados e faltas, 08:00–08:15, Dra. Helena Prado")
    expect(group.get_by_role("link")).to_have_count(6)
    assert violations(page) == []
    group.get_by_role("link").nth(3).click()
    expect(page.locator("#panel")).to_contain_text("Paulo Desmarcado")
    expect(group).to_be_hidden()
    page.locator("#panel [data-close]").first.click()
    expect(button).to_be_focused()


def test_folded_cards_are_opened_and_closed_by_keys(window, receptionist, doctor, three_hundred):
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{three_hundred}/")
    page.locator(".slot > a").first.focus()
    for _ in range(9):
        if page.locator(":focus").inner_text() == "+6":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    group = page.get_by_role("group", name="6 cancelados e faltas, 08:00–08:15")
    expect(group).to_be_visible()
    page.evaluate("window.htmx.trigger(document.body, 'refresh-day')")
    page.keyboard.press("Tab")
    expect(group.locator("a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(group).to_be_hidden()
    expect(page.locator("#scroll .folded > button").first).to_be_focused()
    assert page.locator(".row > .folded > button[tabindex='0'], .row > * > a[tabindex='0']").count() == 1


def test_a_known_patient_costs_one_click_and_seven_keys(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    page.add_init_script(COUNT_ACTS)
    page.goto(f"/agenda/{monday}/")
    page.locator("a[href*='inicio=10:00']").click()
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("silva")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert page.evaluate("[window.clicks, window.keys]") == [1, 7]


def test_a_phone_books_a_known_patient_in_three_taps(window, receptionist, doctor, maria, monday):
    page = window(receptionist, width=360, height=780)
    page.add_init_script(COUNT_ACTS)
    page.goto(f"/agenda/{monday}/")
    chip = page.locator("a[href*='inicio=10:00']")
    box = chip.bounding_box()
    assert box["height"] >= 44 and box["width"] >= 44
    chip.click()
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("silva")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert page.evaluate("window.clicks") == 3
    assert Appointment.objects.get().patient == maria


def test_free_times_of_a_phone_stand_under_their_name(window, clinic, receptionist, doctor, busy_day):
    for _ in range(4):
        make_doctor(clinic, procedures=list(doctor.procedures.all()))
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{busy_day}/")
    hour = page.locator(".hour").filter(has=page.locator("a[href*='inicio=11:00']"))
    lines = hour.locator(".slot > a").evaluate_all("""links => links
      .toSorted((one, other) => one.getBoundingClientRect().y - other.getBoundingClientRect().y)
      .map((link) => [link.getBoundingClientRect().y, new URL(link.href).searchParams.get("medico")])""")
    doctors_of_lines = {}
    for y, of_doctor in lines:
        doctors_of_lines.setdefault(y, set()).add(of_doctor)
    assert len(lines) > 5
    assert all(len(doctors) == 1 for doctors in doctors_of_lines.values())


def test_on_a_phone_badges_leave_the_time_before_readable(window, clinic, receptionist, doctor, monday):
    patient = make_patient(clinic, birth_date=None)
    starts_at = clinic.instant(monday, time(9))
    appointment = book_appointment(doctor, patient=patient.pk, starts_at=starts_at, notes="trazer exames")
    later = {"doctor": doctor.pk, "starts_at": starts_at + timedelta(hours=1)}
    reschedule(appointment.pk, clinic=clinic, by=BY, **later)
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{monday}/")
    card = page.locator(f"#a{appointment.pk}")
    expect(card.locator(".word")).to_contain_text("Remarcado, antes: ")
    word, badges = (card.locator(part).bounding_box() for part in (".word", ".badges"))
    assert badges["height"] > 0 and word["y"] + word["height"] <= badges["y"]


def test_free_times_of_a_phone_are_alike_for_short_procedures(window, clinic, receptionist, doctor, monday):
    short = make_doctor(clinic, procedures=[make_procedure(clinic, duration_minutes=5)])
    put(short, "09:00", minutes=5, day=monday)
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{monday}/")
    chips = page.locator(".slot > a").evaluate_all("""links => links.map((link) => [
        getComputedStyle(link).fontSize, link.getBoundingClientRect().width])""")
    assert len({size for size, _width in chips}) == 1
    assert max(width for _size, width in chips) < 100


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_message_keeps_its_words_and_covers_no_plus(window, receptionist, doctor, busy_day, width):
    page = window(receptionist, width=width, height=780)
    page.goto(f"/agenda/{busy_day}/")
    page.locator(".appt.status-scheduled > a").first.focus()
    page.keyboard.press("c")
    text = page.locator("#messages .message > span")
    expect(text).to_contain_text("Confirmado")
    assert text.bounding_box()["height"] < 45
    # Both at once: the day is being read again, and what is measured next may be in no page any more.
    message, plus = page.evaluate("""() => ["#messages .message", "#day-book"].map(
        (at) => document.querySelector(at).getBoundingClientRect().toJSON())""")
    assert message["bottom"] <= plus["top"] or plus["bottom"] <= message["top"]


def test_targets_of_the_day_are_large_enough_for_thumbs(window, receptionist, doctor, busy_day):
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{busy_day}/")
    small = page.evaluate("""() => [...document.querySelectorAll(":is(main, header) :is(a, button, summary)")]
      .filter((target) => target.checkVisibility() && target.getBoundingClientRect().height < 44)
      .map((target) => target.outerHTML.slice(0, 80))""")
    assert small == []


def test_the_search_on_a_phone_is_an_icon_until_it_is_pressed(window, receptionist, doctor, monday):
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{monday}/")
    nav = page.get_by_role("navigation", name="Principal")
    assert nav.evaluate("(nav) => nav.scrollWidth - nav.clientWidth") <= 0
    find = page.locator("#find")
    assert 44 <= find.bounding_box()["width"] < 50
    find.click()
    assert find.bounding_box()["width"] > 300


def test_the_account_opens_on_a_phone(window, receptionist, doctor, monday):
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{monday}/")
    leave = page.get_by_role("button", name="Sair")
    expect(leave).to_be_hidden()
    page.get_by_role("button", name="Conta").click()
    leave.click()
    page.wait_for_url("**/entrar/**")


def test_many_doctors_are_scrolled_by_as_many_as_fit(window, clinic, receptionist, doctor, monday):
    for _ in range(24):
        make_doctor(clinic)
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{monday}/")
    page.locator("#columns-next").click()
    page.wait_for_function("document.getElementById('scroll').scrollLeft > 1000")
    page.locator("#columns-previous").click()
    page.wait_for_function("document.getElementById('scroll').scrollLeft === 0")
    widths = page.evaluate("[...document.querySelectorAll('.doctor')].map((doctor) => doctor.offsetWidth)")
    assert min(widths) >= 168 and max(widths) <= 352


def test_one_doctor_with_short_times_does_not_stretch_the_day(window, clinic, receptionist, doctor, monday):
    def hour_height(page):
        clocks = page.locator(".clock")
        return clocks.nth(1).bounding_box()["y"] - clocks.nth(0).bounding_box()["y"]

    make_doctor(clinic)
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{monday}/")
    before = hour_height(page)
    make_doctor(clinic, interval_minutes=5, procedures=[make_procedure(clinic, duration_minutes=5)])
    page.reload()
    assert hour_height(page) <= 1.6 * before


@pytest.mark.parametrize("make", [make_clinic, make_lisbon])
def test_a_masters_bar_is_one_line_on_a_laptop(window, make):
    """Also once it says how many are pending, which comes after the page: what is below must not move under a click."""
    clinic = make(name="Clínica da Estrela e de Campo de Ourique")
    user = make_master(clinic, name="Bernardo Teles de Vasconcelos")
    doctor = make_doctor(clinic)
    begins = clinic.instant(clinic.local(book_appointment(doctor).starts_at).date(), time())
    Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=begins, ends_at=begins + timedelta(days=1))
    Memo.objects.create(clinic=clinic, kind=Memo.Kind.NOTE, text="Toner", written_by=user)
    page = window(user)
    for width in (1280, 1344, 1366, 1440, 1536, 1540, 1664, 1668):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/pacientes/")
        expect(page.locator("#pending-number")).to_contain_text("(1")
        expect(page.locator("nav .memo-number")).to_contain_text("(1")
        assert page.locator("header.bar").bounding_box()["height"] < 60, width
        assert page.locator("#find").bounding_box()["width"] >= 128


OUT_OF_SIGHT = """() => [...document.querySelectorAll(":is(.bar, .tools, #panel) :is(a, button, summary, input)")]
  .filter((target) => target.checkVisibility() && !target.closest("nav, .hidden-text, #filter > form"))
  .filter((target) => !target.matches("#day-native, .hidden-text") && target.getBoundingClientRect().width)
  .filter((target) => target.getBoundingClientRect().left < 0 || target.getBoundingClientRect().right > innerWidth)
  .map((target) => target.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(("width", "height"), [(320, 256), (360, 740)])
def test_nothing_is_out_of_sight_on_small_screens(window, receptionist, doctor, busy_day, width, height, javascript):
    page = window(receptionist, width=width, height=height, javascript=javascript)
    appointment = Appointment.objects.filter(status="scheduled").first().pk
    opened = [f"/agendamentos/{appointment}/", f"/agendamentos/{appointment}/remarcar/", "/agendamentos/novo/"]
    for address in [f"/agenda/{busy_day}/", *opened]:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert page.evaluate(OUT_OF_SIGHT) == [], address
    page.goto(f"/agenda/{busy_day}/")
    page.locator("#find").click()
    assert page.locator("#find").bounding_box()["width"] >= 250
    page.locator("#filter > summary").click()
    box = page.locator("#filter > form").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
    page.locator("#filter a").scroll_into_view_if_needed()
    page.locator("#filter a").click()
    page.wait_for_url("**todos=1")


def test_nothing_lies_over_a_page_enlarged_four_times(window, receptionist, doctor, busy_day):
    page = window(receptionist, width=320, height=256)
    page.goto(f"/agenda/{busy_day}/")
    card = page.locator(".appt.status-scheduled > a").last
    card.evaluate("card => card.scrollIntoView({ block: 'center' })")
    fixed = page.evaluate("""() => [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
      && ["fixed", "sticky"].includes(getComputedStyle(one).position) && one.getBoundingClientRect().height > 0
      && !one.matches(".notices")).map((one) => one.className)""")
    assert fixed == []
    assert violations(page) == []
    card.click()
    expect(page.locator("#panel-title")).to_be_visible()


@pytest.fixture
def two_hundred(clinic, doctor):
    names = [f"Dr. Bento Reis {number}" for number in range(196)]
    for name in [*names, "Dra. Ana Sá", "Dra. Juliana Pó", "Dr. Ênio Lôbo"]:
        make_doctor(clinic, name=name, procedures=[])


def test_a_filter_of_200_doctors_is_narrowed_by_keys(window, receptionist, two_hundred, monday):
    page = window(receptionist, width=1280, height=720)
    page.goto(f"/agenda/{monday}/")
    shown = page.locator("#filter-doctors > label:visible")
    page.locator("#filter > summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#filter-find")).to_be_focused()
    expect(shown).to_have_count(200)
    assert violations(page) == []
    page.keyboard.type("ana")
    expect(shown).to_have_text([" Dra. Ana Sá"])
    page.keyboard.press("Escape")
    expect(shown).to_have_count(200)
    page.keyboard.type("ninguem")
    expect(page.locator("#filter [role=status]")).to_have_text("Nenhum nome assim. Apague para ver todos.")
    page.keyboard.press("Escape")
    page.keyboard.type("lobo enio")
    expect(shown).to_have_text([" Dr. Ênio Lôbo"])
    page.keyboard.press("Enter")
    expect(page.locator(".doctor")).to_have_count(1)
    assert "medico=" in page.url and page.locator("#filter").get_attribute("open") is not None
    page.locator("#filter-find").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#filter > form")).to_be_hidden()
    expect(page.locator("#filter > summary")).to_be_focused()


def test_a_refreshed_day_keeps_the_name_typed_in_its_filter(window, clinic, receptionist, two_hundred, monday):
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{monday}/")
    page.locator("#filter > summary").click()
    page.locator("#filter-find").fill("ana")
    make_doctor(clinic, name="Dra. Ana Nova")
    page.evaluate("window.htmx.trigger(document.body, 'refresh-day')")
    expect(page.locator("#filter-doctors > label:visible")).to_have_count(2)
    expect(page.locator("#filter-find")).to_be_focused()
    assert violations(page) == []


def test_without_a_script_the_filter_is_the_whole_list(window, receptionist, two_hundred, monday):
    page = window(receptionist, width=360, height=740, javascript=False)
    page.goto(f"/agenda/{monday}/")
    page.locator("#filter > summary").click()
    expect(page.locator("#filter-find")).to_be_hidden()
    page.get_by_role("checkbox", name="Dra. Ana Sá").check()
    page.get_by_role("button", name="Filtrar").click()
    expect(page.locator(".doctor")).to_have_count(1)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_busy_day(window, receptionist, busy_day, width, scheme):
    page = window(receptionist, width=width, scheme=scheme)
    page.goto(f"/agenda/{busy_day}/")
    assert violations(page) == []


def test_text_of_twice_the_size_leaves_room_to_search(window, receptionist, doctor, busy_day):
    page = window(receptionist, width=1280)
    page.goto(f"/agenda/{busy_day}/")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.locator("#find").bounding_box()["width"] >= 300
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".legend").bounding_box()["height"] < 120
    assert violations(page) == []


@pytest.fixture
def move(window, clinic, receptionist, doctor, maria, monday):
    """Opens the form that moves an appointment, beside the day of two colleagues: one performs its procedure."""
    make_doctor(clinic, name="Dr. Bruno Reis", procedures=[make_procedure(clinic, name="Raio X")])
    make_doctor(clinic, name="Dra. Clara Sá", procedures=list(doctor.procedures.all()))
    appointment = book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(9)))
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{appointment.pk}").focus()
    page.keyboard.press("m")
    page.keyboard.press("m")
    expect(page.locator("#panel-title")).to_have_text("Remarcar")
    return page


def test_a_move_offers_only_times_of_those_who_perform_it(move, monday):
    unable = "10:00: O Dr. Bruno Reis não realiza Consulta."
    slot = move.get_by_role("link", name=unable)
    expect(slot).to_have_attribute("title", "O Dr. Bruno Reis não realiza Consulta.")
    expect(slot).to_be_disabled()
    assert slot.get_attribute("href") is None
    slot.click(force=True)
    expect(move.locator("#doctor option:checked")).to_contain_text("Helena Prado")
    move.evaluate("window.htmx.trigger(document.body, 'refresh-day')")
    expect(move.get_by_role("link", name=unable)).to_have_count(1)
    assert violations(move) == []
    move.get_by_role("link", name="10:00 livre, Dra. Clara Sá").click()
    expect(move.locator("#doctor option:checked")).to_contain_text("Clara Sá")
    expect(move.locator("#chosen")).to_have_text("10:00 para cá")


def test_a_closed_move_gives_the_free_times_back(move, monday):
    expect(move.locator(".slot > a:not([href])").first).to_be_attached()
    move.keyboard.press("Escape")
    move.get_by_role("link", name="10:00 livre, Dr. Bruno Reis").click()
    expect(move.locator("#panel-title")).to_have_text("Agendar")
    expect(move.locator("#doctor option:checked")).to_contain_text("Bruno Reis")


def without_queries(name):
    if name.endswith(".js"):
        return script(name, source, set())
    return re.sub(r"@container[^{]*\{", "@media not all {", style(name, source))


def test_a_browser_without_container_queries_shows_the_day(window, receptionist, doctor, busy_day, monday):
    page = window(receptionist, width=1440, bundles=without_queries)
    page.goto(f"/agenda/{monday}/")
    card = page.locator(".row > .appt:not(.back) b").first
    expect(card).to_be_visible()
    assert card.bounding_box()["width"] > 60
    page.locator(".slot a").first.click()
    expect(page.locator("#q")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


@pytest.mark.parametrize("minutes", [9, 60, 75])
def test_minutes_of_waiting_go_on_as_the_server_writes_them(window, receptionist, doctor, minutes):
    visit = three_of_today(doctor)[0]
    since = timezone.now() - timedelta(minutes=minutes, seconds=5)
    Appointment.objects.filter(pk=visit.pk).update(status="checked_in", status_since=since)
    page = window(receptionist)
    page.clock.install()
    page.goto("/")
    waited = page.locator("time.badge")
    expect(waited).to_have_text(duration(minutes))
    page.evaluate("document.getElementById('poll').remove()")
    waited.evaluate("badge => { badge.textContent = ''; }")
    page.clock.run_for(15_000)
    expect(waited).to_have_text(duration(minutes))
    page.clock.run_for(60_000)
    expect(waited).to_have_text(duration(minutes + 1))
