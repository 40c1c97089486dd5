import re
from datetime import date, time

import pytest
from django.urls import reverse

from clinic.models import ClinicHoliday
from tests.days import put
from tests.factories import make_clinic, make_doctor, make_procedure, make_user

pytestmark = pytest.mark.django_db

TODAY = reverse("web:agenda-today")
CHRISTMAS = reverse("web:agenda-day", args=["2026-12-25"])


@pytest.fixture
def desk(client, time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    client.force_login(make_user(make_clinic()))
    return client


@pytest.mark.parametrize("typed", ["25/12/2026", "25/12", "25122026", "2026-12-25"])
def test_a_typed_date_leads_to_its_day(desk, typed):
    answer = desk.get(TODAY, {"data": typed, "medico": "3"})
    assert answer["Location"] == reverse("web:agenda-day", args=["2026-12-25"]) + "?medico=3"


@pytest.mark.parametrize("typed", ["31/02/2026", "semana que vem", "1/1/0001", "9" * 5000])
def test_unreadable_date_is_reported_and_the_day_stays(desk, typed):
    answer = desk.get(TODAY, {"data": typed}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Reswap"]) == (422, "none")
    assert "Confira a data." in answer.text or "Esta data não existe." in answer.text
    page = reverse("web:agenda-day", args=["2026-11-23"]) + "?medico=3"
    plain = desk.get(TODAY, {"data": typed}, follow=True, headers={"Referer": f"http://testserver{page}"})
    assert plain.redirect_chain == [(page, 302)]
    assert "data" in str(next(iter(plain.context["messages"])))


def test_no_date_at_all_is_today(desk):
    assert desk.get(TODAY, {"data": ""}).context["iso"] == "2026-11-21"


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2026-12-24T15:00:00Z", "Natal · 1 agendado · 12 livres · 2 curtos · 1 falta"),
        ("2026-12-26T15:00:00Z", "Natal · 1 agendado · 1 falta"),
    ],
)
def test_the_line_of_a_day_and_its_tooltip_say_the_same(client, time_machine, now, words):
    time_machine.move_to(now, tick=False)
    clinic = make_clinic(observes_holidays=True)
    ClinicHoliday.objects.create(clinic=clinic, name="Plantão", falls_on="25/12", kind=ClinicHoliday.Kind.OPENS)
    client.force_login(make_user(clinic))
    usual, shorter = (make_procedure(clinic, duration_minutes=minutes) for minutes in (30, 15))
    doctor = make_doctor(clinic, procedures=[usual, shorter], hours=[(time(8), time(12))])
    for at, status in (("09:15", "scheduled"), ("10:00", "no_show")):
        put(doctor, at, status=status, day=date(2026, 12, 25))
    line = re.search(r'<p class="summary"\s+title="(.*?)">(.*?)</p>', client.get(CHRISTMAS).text, re.DOTALL)
    assert line[1] == " ".join(re.sub("<.*?>", "", line[2]).split()) == words
