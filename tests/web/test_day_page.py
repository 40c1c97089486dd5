import pytest
from django.urls import reverse

from tests.factories import make_clinic, make_user

pytestmark = pytest.mark.django_db

TODAY = reverse("web:agenda-today")


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
