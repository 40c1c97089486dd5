"""A morning of twenty-five acts, by keys alone, by mouse, and by taps on a phone, each with the most that it may cost.

What a person sees first is in focus or in sight when the act begins; typed letters are keys.
"""

from collections.abc import Callable
from datetime import time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.models import Absence, Appointment
from tests.browser.test_dragging import middle
from tests.days import put
from tests.factories import book_appointment, make_doctor, make_patient

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = """() => {
  const count = (name) => sessionStorage.setItem(name, Number(sessionStorage.getItem(name) || 0) + 1);
  if (!window.isCounting) {
    addEventListener("click", (event) => event.isTrusted && event.detail > 0 && count("clicks"), true);
    addEventListener("keydown", (event) => event.isTrusted && count("keys"), true);
  }
  window.isCounting = true;
}"""


class Morning:
    """A page that counts clicks and keys of each act, over several pages."""

    def __init__(self, page):
        self.page, self.costs = page, []

    def go(self, address):
        self.page.goto(address)
        self.page.evaluate(COUNT)

    def act(self, most: int, *keys: str, done: Callable[[], None]):
        """Press the keys, wait until it is done, and note what it cost beside what it may."""
        before = self.counted()
        for key in keys:
            if callable(key):
                key()
            elif len(key) > 1 and key.islower():
                self.page.keyboard.type(key)
            else:
                self.page.keyboard.press(key)
        done()
        self.page.evaluate(COUNT)
        clicks, pressed = (after - earlier for after, earlier in zip(self.counted(), before, strict=True))
        self.costs.append((clicks, pressed, most))

    def counted(self):
        return self.page.evaluate("['clicks', 'keys'].map((name) => Number(sessionStorage.getItem(name) || 0))")

    def shows(self, selector: str, text: str | None = None):
        """Return a wait for an element, with that text if it is given."""
        element = self.page.locator(selector)

        def wait():
            expect(element.first).to_be_visible()
            if text is not None:
                expect(element.first).to_contain_text(text)

        return wait

    def may_be_moved(self, appointment):
        """Return a wait until the page knows where the appointment could go."""
        return lambda: expect(self.page.locator(f"#places[data-card=a{appointment.pk}]")).to_be_attached()

    def focused(self, selector: str):
        return lambda: expect(self.page.locator(selector)).to_be_focused()


@pytest.fixture
def monday_visits(clinic, doctor, maria, monday):
    """Two on Monday at nine and eleven, and a colleague who performs the same."""
    make_doctor(clinic, name="Dra. Zélia Sá", procedures=list(doctor.procedures.all()))
    at = clinic.instant
    people = [make_patient(clinic, name=name).pk for name in ("Ana Lima", "Bia Reis")]
    return [
        book_appointment(doctor, patient=person, starts_at=at(monday, time(hour)))
        for person, hour in zip(people, (9, 11), strict=True)
    ]


@pytest.fixture
def todays_visits(clinic, doctor):
    """Three of today, whatever hour it is."""
    today = clinic.local(timezone.now()).date()
    return [
        put(doctor, hour, day=today, status="confirmed", patient=make_patient(clinic, name=name))
        for hour, name in (("12:00", "Caio Melo"), ("12:30", "Davi Nunes"), ("13:00", "Eva Prado"))
    ]


def status_of(appointment):
    return Appointment.objects.get(pk=appointment.pk).status


def make_pending(clinic, doctor, monday):
    """Have the doctor away on Tuesday, with one patient booked."""
    tuesday = monday + timedelta(days=1)
    stranded = book_appointment(
        doctor, patient=make_patient(clinic, name="Fábio Sá").pk, starts_at=clinic.instant(tuesday, time(9))
    )
    day = clinic.day(tuesday)
    Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=day[0], ends_at=day[1], reason="doença")
    return stranded


def test_by_keys_alone(window, receptionist, clinic, doctor, monday, monday_visits, todays_visits):
    page = window(receptionist, width=1440)
    stranded = make_pending(clinic, doctor, monday)
    morning = Morning(page)
    act, shows = morning.act, morning.shows
    ana, _bia = monday_visits
    caio, davi, eva = todays_visits

    morning.go(f"/agenda/{monday}/")
    page.locator(f"a[href*='medico={doctor.pk}&'][href*='inicio=10:00']").focus()
    act(8, "n", morning.focused("#q"), "maria", "Enter", morning.focused("#save"), "Enter",
        done=shows("#panel", "Agendado às 10:00"))  # fmt: skip
    booked = Appointment.objects.get(patient__name__startswith="Maria")
    shows(f"#a{booked.pk}")()
    act(1, "Escape", done=morning.focused(f"#a{booked.pk}"))
    act(1, "c", done=shows(f".status-confirmed > #a{booked.pk}"))
    act(1, "u", done=shows(f".status-scheduled > #a{booked.pk}"))
    act(3, "m", morning.may_be_moved(booked), "ArrowDown", "Enter", done=shows(f".status-rescheduled > #a{booked.pk}"))
    act(1, "u", done=shows(f".status-scheduled > #a{booked.pk}"))
    page.locator(f"#a{ana.pk}").focus()
    act(
        4,
        "m",
        morning.may_be_moved(ana),
        "ArrowRight",
        "ArrowDown",
        "Enter",
        done=shows(f".status-rescheduled > #a{ana.pk}"),
    )
    act(
        3,
        "x",
        morning.focused("#panel [name=cancelled_by] >> nth=0"),
        "Space",
        "Enter",
        done=shows("#panel .status", "Cancelado"),
    )
    act(1, "u", done=shows("#panel .status", "Remarcado"))
    act(1, "Escape", done=morning.focused(f"#a{ana.pk}"))
    act(1, "s", done=shows("#day-title", "Dra."))
    act(1, "]", done=shows(f"#day[data-date='{monday + timedelta(days=7)}']"))
    act(1, "[", done=shows(f"#day[data-date='{monday}']"))
    act(1, "d", done=shows("#day-title", "segunda"))

    morning.go(f"/agenda/{clinic.local(timezone.now()).date()}/")
    page.locator(f"#a{caio.pk}").focus()
    act(1, "k", done=shows(f".status-checked_in > #a{caio.pk}"))
    act(1, "i", done=shows(f".status-in_service > #a{caio.pk}"))
    act(1, "i", done=shows(f".status-finished > #a{caio.pk}"))

    morning.go("/fila/")
    page.locator(f"#q{davi.pk}").focus()
    act(1, "k", done=shows(f"[aria-labelledby=queue-waiting] #q{davi.pk}"))
    page.locator(f"#q{davi.pk}").focus()
    act(1, "c", done=shows(f"#q{davi.pk}", "chamado às"))
    act(1, "i", done=shows(f"[aria-labelledby=queue-in-service] #q{davi.pk}"))
    page.locator(f"#q{davi.pk}").focus()
    act(1, "e", done=shows(f"[aria-labelledby=queue-gone] #q{davi.pk}"))
    page.locator(f"#q{eva.pk}").focus()
    act(2, "p", "Enter", done=shows(f"#q{eva.pk} .priority"))

    morning.go(f"/confirmacoes/{monday}/")
    page.locator(".confirmation-row").first.focus()
    act(1, "c", done=shows(".done"))
    act(1, "n", done=shows("main", "não atende"))

    morning.go("/pendencias/")
    page.locator(f"#p{stranded.pk}").focus()
    act(1, "1", done=shows("main", "Remarcado"))

    assert len(morning.costs) == 25
    assert [cost for cost in morning.costs if cost[0] or cost[1] > cost[2]] == []
    assert {status_of(caio), status_of(davi)} == {"finished"}
    assert status_of(stranded) == "rescheduled"


def test_by_mouse(window, receptionist, clinic, doctor, monday, monday_visits, todays_visits):
    page = window(receptionist, width=1440)
    stranded = make_pending(clinic, doctor, monday)
    morning = Morning(page)
    ana, _bia = monday_visits
    caio, davi, eva = todays_visits
    shows = morning.shows

    def click(selector, most=1, *, done):
        morning.act(most, page.locator(selector).first.click, done=done)

    def press(card, label, *, done):
        page.locator(f"#a{card.pk}").hover()
        click(f".act[aria-label^='{label}']", done=done)

    def drag(card, slot, *, done):
        page.mouse.move(*middle(page.locator(f"#a{card.pk}")))
        page.mouse.down()
        page.mouse.move(*middle(page.locator(slot)), steps=5)
        morning.may_be_moved(card)()
        morning.act(1, page.mouse.up, done=done)

    morning.go(f"/agenda/{monday}/")
    slot = f"a[href*='medico={doctor.pk}&'][href*='inicio=10:00']"
    option, save = page.locator("#patient-options").get_by_text("Maria da Silva Souza"), page.locator("#save")
    morning.act(8, page.locator(slot).click, morning.focused("#q"), "maria", option.click, save.click,
        done=shows("#panel", "Agendado às 10:00"))  # fmt: skip
    booked = Appointment.objects.get(patient__name__startswith="Maria")
    shows(f"#a{booked.pk}")()
    click("#panel [data-close]", done=morning.focused(f"#a{booked.pk}"))
    press(booked, "Confirmar", done=shows(f".status-confirmed > #a{booked.pk}"))
    click("#undo-last", done=shows(f".status-scheduled > #a{booked.pk}"))
    drag(booked, slot.replace("10:00", "10:30"), done=shows(f".status-rescheduled > #a{booked.pk}"))
    click("#undo-last", done=shows(f".status-scheduled > #a{booked.pk}"))
    other = ".slot.col-2 a[href*='inicio=09:30']"
    drag(ana, other, done=shows(f".status-rescheduled > #a{ana.pk}"))
    by_patient = page.get_by_role("button", name="Cancelar pelo(a) paciente")
    morning.act(2, page.locator(f"#a{ana.pk}").click, by_patient.click, done=shows("#panel .status", "Cancelado"))
    click("#panel button[name=event]", done=shows("#panel .status", "Remarcado"))
    click("#panel [data-close]", done=morning.focused(f"#a{ana.pk}"))
    click(".doctor b a", done=shows("#week-doctor"))
    click("#day-next", done=shows(f"#day[data-date='{monday + timedelta(days=7)}']"))
    click("#day-previous", done=shows(f"#day[data-date='{monday}']"))
    click(".doctor b a", done=shows("#day-title", "segunda"))

    morning.go(f"/agenda/{clinic.local(timezone.now()).date()}/")
    press(caio, "Check-in", done=shows(f".status-checked_in > #a{caio.pk}"))
    press(caio, "Iniciar", done=shows(f".status-in_service > #a{caio.pk}"))
    press(caio, "Finalizar", done=shows(f".status-finished > #a{caio.pk}"))

    morning.go("/fila/")
    click(f"#q{davi.pk} [data-key=k]", done=shows(f"[aria-labelledby=queue-waiting] #q{davi.pk}"))
    click(f"#q{davi.pk} [data-key=c]", done=shows(f"#q{davi.pk}", "chamado às"))
    click(f"#q{davi.pk} [data-key=i]", done=shows(f"[aria-labelledby=queue-in-service] #q{davi.pk}"))
    click(f"#q{davi.pk} [data-key=e]", done=shows(f"[aria-labelledby=queue-gone] #q{davi.pk}"))
    pregnant = page.locator(f"#q{eva.pk} [value=pregnant]")
    morning.act(2, page.locator(f"#q{eva.pk} summary").click, pregnant.click, done=shows(f"#q{eva.pk} .priority"))

    morning.go(f"/confirmacoes/{monday}/")
    click(".confirmation-row [data-key=c]", done=shows(".done"))
    click(".confirmation-row:not(.done) [data-key=n]", done=shows("main", "não atende"))

    morning.go("/pendencias/")
    click(f"#p{stranded.pk} [data-key='1']", done=shows("main", "Remarcado"))

    assert len(morning.costs) == 25
    assert [cost for cost in morning.costs if cost[0] + cost[1] > cost[2]] == []
    assert status_of(stranded) == "rescheduled"


def test_by_taps_on_a_phone(window, receptionist, clinic, doctor, monday, monday_visits, todays_visits):
    page = window(receptionist, width=360, height=780)
    stranded = make_pending(clinic, doctor, monday)
    morning = Morning(page)
    ana, bia = monday_visits
    caio, davi, eva = todays_visits
    act, shows, panel = morning.act, morning.shows, page.locator("#panel")

    def tap(*targets, most=1, done):
        act(most, *(target.first.click for target in targets), done=done)

    def card(appointment):
        return page.locator(f"#a{appointment.pk}")

    def button(name):
        return panel.get_by_role("button", name=name)

    def is_closed():
        expect(page.locator("#panel > *")).to_have_count(0)

    def shown(words):
        return shows("#panel .status", words)

    def ready():
        expect(page.locator("#save")).to_have_text("Remarcar para 09:30")

    close = panel.locator("[data-close]")

    morning.go(f"/agenda/{monday}/")
    chip = page.locator(f"a[href*='medico={doctor.pk}&'][href*='inicio=10:00']")
    option = page.locator("#patient-options").get_by_text("Maria da Silva Souza")
    act(8, chip.click, morning.focused("#q"), "maria", option.click, page.locator("#save").click,
        done=shows("#panel", "Agendado às 10:00"))  # fmt: skip
    tap(button("Confirmar"), done=shown("Confirmado"))
    tap(button("Desfazer confirmação"), done=shown("Agendado"))
    tap(close, done=is_closed)
    tap(card(ana), button("Confirmar"), most=2, done=shown("Confirmado"))
    times, save = panel.get_by_role("button", name="09:30"), panel.locator("#save")
    move = panel.get_by_role("link", name="Remarcar")
    act(3, move.click, times.first.click, ready, save.click, done=shown("Remarcado"))
    tap(button("Desfazer remarcação"), done=shown("Confirmado"))
    tap(close, done=is_closed)
    tap(card(bia), button("Cancelar pelo(a) paciente"), most=2, done=shown("Cancelado"))
    tap(button("Desfazer cancelamento"), done=shown("Agendado"))
    tap(close, done=is_closed)
    tap(page.locator("#day-next"), done=shows(f"#day[data-date='{monday + timedelta(days=1)}']"))
    tap(page.locator("#day-previous"), done=shows(f"#day[data-date='{monday}']"))

    morning.go(f"/agenda/{clinic.local(timezone.now()).date()}/")
    tap(card(caio), button("Check-in"), most=2, done=shown("Check-in"))
    tap(button("Iniciar atendimento"), done=shown("Em atendimento"))
    tap(button("Finalizar"), done=shown("Finalizado"))

    morning.go("/fila/")
    row = page.locator(f"#q{davi.pk}")
    tap(row.locator("[data-key=k]"), done=shows(f"[aria-labelledby=queue-waiting] #q{davi.pk}"))
    tap(row.locator("[data-key=c]"), done=shows(f"#q{davi.pk}", "chamado às"))
    tap(row.locator("[data-key=i]"), done=shows(f"[aria-labelledby=queue-in-service] #q{davi.pk}"))
    tap(row.locator("[data-key=e]"), done=shows(f"[aria-labelledby=queue-gone] #q{davi.pk}"))
    of_eva = page.locator(f"#q{eva.pk}")
    tap(of_eva.locator("summary"), of_eva.locator("[value=pregnant]"), most=2, done=shows(f"#q{eva.pk} .priority"))

    morning.go(f"/confirmacoes/{monday}/")
    tap(page.locator(".confirmation-row [data-key=c]"), done=shows("main", "2 de 3 confirmados"))
    tap(page.locator(".confirmation-row:not(.done) [data-key=n]"), done=shows("main", "não atende"))

    morning.go("/pendencias/")
    tap(page.locator(f"#p{stranded.pk} [data-key='1']"), done=shows("main", "Remarcado"))
    tap(page.locator(f"#p{stranded.pk} [data-key='u']"), done=shows(f"#p{stranded.pk} [data-key='1']"))

    assert len(morning.costs) == 25
    assert [cost for cost in morning.costs if cost[0] + cost[1] > cost[2]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
