"""The first hour by the clock: from the link that `start --no-demo` prints to the first booking, with what it takes."""

import pytest
from playwright.sync_api import expect

from clinic.access import first_clinic
from clinic.models import Appointment
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
MAX_FIELDS, MAX_SECONDS = 12, 300
KEYS_A_SECOND = 3  # of a person who types slowly
SECONDS_A_FIELD = 3  # to read its label
COUNTRIES = {
    "BR": {
        "language": "pt-BR",
        "region": "PE",
        "specialty": "Dermatologia",
        "price": "350",
        "title": "a Dra.",
        "phone": "81 98888-1234",
    },
    "PT": {
        "language": "pt-PT",
        "region": "11",
        "specialty": "Dermatologia",
        "price": "80",
        "title": "a Dra.",
        "phone": "912 345 678",
    },
}


class Person:
    """Types and clicks, and counts what a person would have done."""

    def __init__(self, page):
        self.page, self.fields, self.keys, self.clicks = page, 0, 0, 0

    def type(self, selector, text):
        self.page.locator(selector).fill(text)
        self.fields, self.keys = self.fields + 1, self.keys + len(text)

    def choose(self, selector, value):
        self.page.locator(selector).select_option(value)
        self.fields, self.clicks = self.fields + 1, self.clicks + 2

    def click(self, name, role="button"):
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.clicks += 1

    @property
    def seconds(self):
        return self.keys / KEYS_A_SECOND + (self.fields + self.clicks) * SECONDS_A_FIELD


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_first_hour_takes_five_minutes(window, country, record_property):
    typed = COUNTRIES[country]
    page = window(locale=typed["language"])
    person = Person(page)
    page.goto(first_clinic.path())

    person.type("#id_clinic_name", "Clínica São José")
    person.type("#id_name", "Ana Souza")
    person.type("#id_username", "ana")
    person.type("#id_password1", PASSWORD)
    person.type("#id_password2", PASSWORD)
    page.locator("form.card button").click()
    person.clicks += 1

    person.choose("#id_region", typed["region"])
    person.click("Continuar")
    person.click("Deixar para depois", "link")
    person.click(typed["specialty"])
    expect(page.get_by_role("button", name=typed["specialty"], exact=True)).to_have_attribute("aria-current", "true")
    person.type("#id_0-price", typed["price"])
    person.click("Continuar")
    person.choose("#id_title", typed["title"])
    person.type("#id_name", "Lia Prado")
    person.type("#id_week", "seg-sex 8-12 13:30-18")
    person.click("Continuar")
    person.click("Marcar o primeiro", "link")
    person.type("#q", "Maria Costa")
    page.locator("#q").press("Enter")
    person.type("#phone", typed["phone"])
    page.locator("#save").click()
    person.clicks += 2

    expect(page.locator("#panel")).to_contain_text("Maria Costa")
    page.reload()
    expect(page.get_by_role("link", name="Continuar a configuração")).to_have_count(0)
    assert Appointment.objects.get().doctor.full_name == "Dra. Lia Prado"
    counted = {"fields": person.fields, "clicks": person.clicks, "keys": person.keys, "seconds": round(person.seconds)}
    record_property("counted", counted)
    print(country, counted)
    assert person.fields <= MAX_FIELDS and person.seconds <= MAX_SECONDS
