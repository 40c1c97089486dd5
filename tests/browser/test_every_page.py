"""Every page in light and dark: nothing for axe to say, nothing in the console, no sideways scrolling on a phone."""

import re
from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.admin import site
from django.contrib.auth.decorators import login_not_required
from django.urls import path, reverse
from django.utils import timezone
from playwright.sync_api import expect

from clinic.access import access_tokens, api_keys, staff_links
from clinic.booking import PayerWish
from clinic.models import ApiKey, AppliedDiscount, Appointment, Patient
from clinic.queries.reports import REPORTS
from clinic.registry import Plan
from clinic.urls import urlpatterns as ours
from tests.days import put
from tests.factories import (
    book_appointment,
    make_discount,
    make_doctor,
    make_manager,
    make_master,
    make_payer,
    make_user,
)
from tests.reports.cases import event

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # Every violation in full, of what passes one element only: to describe them all takes longer than to check them.
    "resultTypes": ["violations"],
}
AXE = Axe().axe_script
# Only what is broken is sent here: all that `Axe.run` sends beside it takes a tenth of the time of a check.
VIOLATIONS = "rules => axe.run(rules).then((found) => found.violations)"
# During a transition colours are half-way between two that were chosen.
END_OF_TRANSITIONS = "Promise.allSettled(document.getAnimations().map((each) => each.finished)).then(() => null)"


@pytest.fixture
def appointment(clinic, doctor, maria) -> Appointment:
    make_discount(clinic)
    payer = make_payer(clinic, name="Unimed").pk
    expired = PayerWish(payer, "G1", plan=Plan(payer, "0123", date(2026, 1, 31)))
    return book_appointment(doctor, patient=maria.pk, notes="trazer exames", payer=expired)


@pytest.fixture
def happened(clinic, doctor):
    """Visits of last week, with all that reports count."""
    day = clinic.local(timezone.now()).date() - timedelta(days=7)
    manager, discount = make_manager(clinic, name="Gil Gestor"), make_discount(clinic)
    for number, status in enumerate(["finished", "finished", "no_show", "cancelled", "in_service"]):
        visit = put(doctor, f"{9 + number:02}:00", day=day, status=status, source="voice_ai", payer=None)
        event(visit, visit.starts_at - timedelta(days=2), kind="booked", channel="mivicall", credential="robô")
        event(visit, visit.starts_at - timedelta(days=1), "confirmed", user=manager)
        event(visit, visit.starts_at - timedelta(minutes=9), "checked_in", "confirmed")
        event(visit, visit.starts_at + timedelta(minutes=4), "in_service", "checked_in")
        line = visit.lines.get()
        AppliedDiscount.objects.create(
            clinic=clinic, line=line, discount=discount, discount_name=discount.name, value=line.price / 2
        )
    by = {"encaixe_by": manager, "encaixe_reason": "dor", "encaixe_approved_by": manager}
    put(doctor, "09:10", day=day, status="finished", **by)


def desk_pages(appointment):
    doctor, day = appointment.doctor_id, appointment.clinic.local(appointment.starts_at).date()
    of_appointment = ["detail", "reschedule", "cancel", "notes", "payer"]
    return [
        reverse("web:printed-day", args=[day]),
        reverse("web:agenda-day", args=[day]),
        reverse("web:agenda-day", args=["2026-01-04"]),  # a Sunday: nobody works
        reverse("web:agenda-week", args=[doctor, day]),
        reverse("web:agenda-month", args=[f"{day:%Y-%m}"]),
        reverse("web:appointment-book") + f"?medico={doctor}&data={day}&inicio=09:00&paciente={appointment.patient_id}",
        reverse("web:appointment-book") + f"?medico={doctor}&data={day}&inicio=10:00",
        *(reverse(f"web:appointment-{name}", args=[appointment.pk]) for name in of_appointment),
        reverse("web:series-add", args=[appointment.pk]),
        reverse("web:patient-list"),
        reverse("web:patient-add"),
        reverse("web:patient-detail", args=[appointment.patient_id]),
        reverse("web:patient-edit", args=[appointment.patient_id]),
        reverse("web:password-change"),
        reverse("web:pending-list"),
        reverse("web:confirmation-day", args=[day]),
        reverse("web:absence-add"),
        reverse("web:memo-list"),
        reverse("web:memo-add"),
    ]


API_PAGES = [reverse(f"{api}:{page}") for api in ("imagemais", "mivicall") for page in ("reference", "first-steps")]


@pytest.fixture
def master(clinic):
    """Whose clinic has tokens and keys in every state."""
    master = make_master(clinic)
    told = {"scopes": ApiKey.Scope.values, "source": "voice_ai", "is_live": False, "by": master, "channel": "browser"}
    keys = [api_keys.create(clinic, name=f"Chave {number}", **told)[0] for number in range(3)]
    api_keys.rotate(keys[1].pk, clinic=clinic, by=master, channel="browser")
    api_keys.revoke(keys[2].pk, clinic=clinic, by=master, channel="browser")
    tokens = [access_tokens.release(clinic, master, channel="command")[0] for _ in range(2)]
    access_tokens.revoke(tokens[0].pk, clinic=clinic, by=master, channel="command")
    return master


def integration_states(page):
    """The page in all its states, each ready to be looked at."""
    page.goto(reverse("web:integration-list"))
    yield "list"
    page.locator("summary").filter(has_text="encerrada").click()
    page.locator("summary").filter(has_text="Criar chave").click()
    yield "form"
    page.locator("[data-act]:visible").click()
    page.locator("[aria-invalid]").wait_for()
    yield "refused"
    page.get_by_role("button", name="Liberar outro token").click()
    page.locator("#secret").wait_for()
    yield "token"
    page.get_by_role("button", name="Trocar").first.click()
    page.get_by_role("dialog").wait_for()
    yield "question"
    page.get_by_role("dialog").get_by_role("button", name="Criar a chave nova").click()
    page.get_by_text("A chave antiga de").wait_for()
    yield "key"


def manager_pages():
    """What only a manager sees of the desk; the first date of the period is after the last one."""
    wrong = {"de": "02/11/2026", "ate": "01/11/2026"}
    return [
        reverse("web:report-list"),
        *(reverse("web:report", args=[name], query={"periodo": "12-meses"}) for name in REPORTS),
        reverse("web:report", args=["faltas"], query=wrong),
        reverse("web:audit"),
        reverse("web:audit", query=wrong),
        reverse("web:agenda-as-of", args=[f"{timezone.now():%Y-%m-%d}"], query={"ate": "agora"}),
        reverse("web:agenda-as-of", args=[f"{timezone.now():%Y-%m-%d}"], query={"em": "ontem"}),
        *(reverse(f"web:{name}") for name in ("staff", "own-sessions")),
        *(reverse(f"web:first-steps-{step}") for step in ("clinica", "equipe", "medico", "marcar")),
        reverse("web:first-steps-procedimentos", query={"especialidade": "Dermatologia"}),
        reverse("web:integrity"),
        reverse("web:integrity-show", args=["historico"]),
    ]


def admin_pages(appointment):
    """What a manager is let into."""
    nouns = [model._meta.model_name for model in site._registry if model._meta.app_label == "clinic"]
    return [
        reverse("admin:index"),
        *(reverse(f"admin:clinic_{noun}_changelist") for noun in sorted(nouns)),
        reverse("admin:clinic_doctor_change", args=[appointment.doctor_id]),
        reverse("admin:clinic_doctor_delete", args=[appointment.doctor_id]),  # says why not
        reverse("admin:clinic_discount_delete", args=[appointment.clinic.discount_set.get().pk]),
        reverse("admin:clinic_procedure_add"),
    ]


@login_not_required
def fails(request):
    raise RuntimeError("for the page of an error")


urlpatterns = [*ours, path("falha/", fails)]


def violations(page):
    page.wait_for_load_state()  # the words of a page that a click has opened are there before its style sheet is
    page.evaluate(END_OF_TRANSITIONS)
    page.evaluate(AXE)
    found = page.evaluate(VIOLATIONS, RULES)
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]} ({len(each['nodes'])})" for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_the_desk(window, receptionist, appointment, scheme):
    page = window(receptionist, scheme=scheme)
    found = {}
    for address in desk_pages(appointment):
        page.goto(address)
        found[address] = violations(page)
    assert not any(found.values()), "\n".join(f"{address} {each}" for address, each in found.items() if each)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_reports(window, clinic, happened, scheme):
    page = window(make_manager(clinic), scheme=scheme)
    found = {}
    for address in manager_pages():
        page.goto(address)
        found[address] = violations(page)
    assert not any(found.values()), "\n".join(f"{address} {each}" for address, each in found.items() if each)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_admin(window, clinic, appointment, scheme):
    page = window(make_manager(clinic), scheme=scheme)
    found = {}
    for address in admin_pages(appointment):
        page.goto(address)
        found[address] = violations(page)
    assert not any(found.values()), "\n".join(f"{address} {each}" for address, each in found.items() if each)


CONTRAST = """(element) => {
  const light = (text) => {
    const [red, green, blue] = text.match(/[0-9.]+/g).map(Number)
      .map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const { color, backgroundColor } = getComputedStyle(element);
  const [darker, lighter] = [light(color), light(backgroundColor)].toSorted((one, other) => one - other);
  return (lighter + 0.05) / (darker + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_admins_calendar_can_be_read(window, clinic, scheme):
    """Axe leaves it out: it lies over the page."""
    page = window(make_manager(clinic), scheme=scheme)
    page.goto(reverse("admin:clinic_closure_add"))
    page.locator("#id_starts_at_0").fill("23/12/2026")
    page.locator("#calendarlink0").click()
    for part in ("caption", "td.selected a"):
        assert page.locator(f".calendarbox:visible .calendar {part}").evaluate(CONTRAST) >= 4.5, part


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_the_door(window, clinic, scheme):
    page = window(scheme=scheme)
    page.goto(reverse("web:signin"))
    assert violations(page) == []
    _link, secret = staff_links.invite(clinic, by=None, name="Bia Lima")
    page.goto(staff_links.path(secret))
    assert violations(page) == []


def locked_out(page):
    page.goto(reverse("web:signin"))
    for _ in range(settings.AXES_FAILURE_LIMIT):
        page.locator("[name=username]").fill("ninguem")
        page.locator("[name=password]").fill("não é esta")
        page.locator("main button").click()


def stale(page):
    page.goto(reverse("web:signin"))
    page.context.clear_cookies(name="csrftoken")
    page.locator("[name=username]").fill("ninguem")
    page.locator("[name=password]").fill("não é esta")
    page.locator("main button").click()


def too_large(page):
    page.goto(reverse("web:signin"))
    page.locator("main form").evaluate(
        "(form) => { form.append(...Array.from({length: 600}, () => Object.assign(document.createElement('input'),"
        " {type: 'hidden', name: 'x'}))); form.submit(); }"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("refused", "heading"),
    [
        (locked_out, "Acesso bloqueado por alguns minutos"),
        (stale, "Esta página expirou"),
        (too_large, "Pedido recusado"),
        (lambda page: page.goto("/falha/"), "Algo falhou no servidor"),
    ],
    ids=["429", "stale", "400", "500"],
)
@pytest.mark.urls(__name__)
def test_axe_finds_nothing_where_a_stranger_is_turned_away(window, clinic, complaints, scheme, refused, heading):
    page = window(scheme=scheme)
    refused(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert violations(page) == []
    forgive(complaints, "400", "403", "429", "500")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/agendamentos/999999/", "/admin/"], ids=["404", "403"])
def test_axe_finds_nothing_on_pages_of_refused_users(window, receptionist, complaints, scheme, address):
    page = window(receptionist, scheme=scheme)
    page.goto(address)
    expect(page.get_by_role("main").get_by_role("link", name="Ir para a agenda")).to_be_visible()
    assert violations(page) == []
    forgive(complaints, "403", "404")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_panel_that_refuses(window, receptionist, appointment, scheme):
    page = window(receptionist, scheme=scheme)
    day = appointment.clinic.local(appointment.starts_at).date()
    page.goto(reverse("web:appointment-book") + f"?medico={appointment.doctor_id}&data={day}&inicio=09:00")
    page.locator("button[name=new]").first.click()
    page.locator("#name").fill("Ana")
    page.locator("#phone").fill("12")
    page.locator("#save").click()
    expect(page.locator("#error-starts")).to_contain_text("já está ocupado")
    expect(page.locator("#error-phone")).to_contain_text("Faltam dígitos: são só 2.")
    assert violations(page) == []
    page.locator("#phone").fill("81 8888-7777")
    page.locator("#save").click()
    expect(page.locator("#phone_is_right")).to_be_focused()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_many_rows_are_to_be_deleted(window, clinic, appointment, scheme):
    page = window(make_manager(clinic), scheme=scheme)
    for noun in ["discount", "doctor"]:
        page.goto(reverse(f"admin:clinic_{noun}_changelist"))
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option("delete_selected")
        page.locator("button[name=index]").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Remover|Excluir|Não é possível"))
        assert violations(page) == [], noun


def forgive(complaints, *codes):
    """Chromium calls every answer above 399 an error; these were wanted."""
    wanted = [each for each in complaints if "Failed to load resource" in each and any(code in each for code in codes)]
    assert complaints == wanted
    complaints.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_programs_are_let_in(window, master, scheme):
    page = window(master, scheme=scheme)
    found = {state: violations(page) for state in integration_states(page)}
    assert len(found) == 6
    assert not any(found.values()), found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_the_apis_publish(window, clinic, scheme):
    page = window(scheme=scheme)
    found = {}
    for address in API_PAGES:
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found[address] = violations(page)
    assert not any(found.values()), found


def test_reference_pages_fit_a_phone(window, master):
    page = window(master, width=360, height=740)
    for state in integration_states(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, state
    for address in API_PAGES:
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_nothing_is_wider_than_a_phone(window, receptionist, appointment):
    page = window(receptionist, width=360, height=740)
    for address in desk_pages(appointment):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_no_report_is_wider_than_a_phone(window, clinic, happened):
    page = window(make_manager(clinic), width=360, height=740)
    for address in manager_pages():
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


# Words of a text that do not fit into their line, and are parted without a hyphen.
BROKEN_WORDS = """() => {
  const broken = [];
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    if (!texts.currentNode.parentElement.checkVisibility()) continue;
    for (const word of texts.currentNode.data.matchAll(/[\\p{L}\\d/]+/gu)) {
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


def test_no_word_of_a_table_is_broken_on_a_phone(window, clinic, happened, appointment):
    Patient.objects.filter(pk=appointment.patient_id).update(name="Maria Eduarda Rodrigues de Barros")
    page = window(make_manager(clinic, may_record_absence=True), width=360, height=740)
    day = clinic.local(appointment.starts_at).date()
    away = f"?doctor={appointment.doctor_id}&when=ate&until={day:%d/%m/%Y}&motive=doenca"
    addresses = [reverse(f"web:privacy-{name}", args=[appointment.patient_id]) for name in ("consents", "export")]
    broken = {}
    for address in [*addresses, reverse("web:absence-add") + away, reverse("web:patient-list")]:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
        broken[address] = page.evaluate(BROKEN_WORDS)
    assert not any(broken.values()), broken


def test_links_of_a_found_patient_are_large_enough(window, receptionist, appointment):
    page = window(receptionist, width=360, height=740)
    page.goto(reverse("web:patient-list"))
    page.get_by_label("Buscar por nome").fill(appointment.patient.name)
    expect(page.locator("#found-title")).to_contain_text("1 paciente encontrado")
    heights = page.evaluate("""() => [...document.querySelectorAll(".patients a")]
      .map((link) => link.getBoundingClientRect().height)""")
    assert len(heights) == 3 and min(heights) >= 24


def test_a_phone_shows_all_digits_of_a_patients_number(window, receptionist, appointment):
    page = window(receptionist, width=360, height=740)
    page.goto(f"/pacientes/{appointment.patient_id}/editar/")
    page.locator("#phone").fill("(81) 98888-8888")
    assert page.locator("#phone").evaluate("(field) => field.scrollWidth - field.clientWidth") <= 0


def test_the_day_is_a_list_by_hour_on_a_phone_and_books(window, receptionist, appointment):
    page = window(receptionist, width=360, height=740)
    day = appointment.clinic.local(appointment.starts_at).date()
    page.goto(f"/agenda/{day}/")
    card = page.locator(f"#a{appointment.pk}")
    expect(card).to_be_visible()
    assert card.bounding_box()["width"] > 300
    card.click()
    expect(page.locator("#panel-title")).to_have_text("Agendamento")
    page.locator("#panel [data-close]").click()
    expect(card).to_be_focused()


def test_six_doctors_fit_a_small_screen_without_sideways_scrolling(window, clinic, receptionist, appointment):
    for _ in range(5):
        make_doctor(clinic, procedures=list(appointment.doctor.procedures.all()))
    page = window(receptionist, width=1280, height=800)
    day = appointment.clinic.local(appointment.starts_at).date()
    for address in (f"/agenda/{day}/", reverse("web:appointment-detail", args=[appointment.pk])):
        page.goto(address)
        scroll = page.locator("#scroll")
        assert scroll.evaluate("(each) => each.scrollWidth - each.clientWidth") <= 0, address


def test_pages_that_are_not_there_say_what_to_do_next(window, clinic, complaints):
    page = window(make_user(clinic))
    page.goto("/agendamentos/999999/")
    expect(page.get_by_role("main").get_by_role("link").first).to_be_visible()
    page.goto("/admin/")
    expect(page.get_by_role("main")).to_contain_text("gestão")
    forgive(complaints, "403", "404")
