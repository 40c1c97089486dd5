"""Many pending appointments moved by one act, to the times that are proposed for them."""

import re
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.booking import Author, change_status
from clinic.models import Absence, Appointment, Patient
from clinic.web.pending import context, whole_list
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, next_monday

pytestmark = pytest.mark.django_db

LIST, WHOLE = reverse("web:pending-list"), reverse("web:pending-whole-list")


@pytest.fixture
def visits(clinic):
    """Three appointments next Monday of a doctor who is away that day."""
    doctor = make_doctor(clinic, name="Dra. Ana Prado")
    made = [
        book_appointment(doctor, patient=make_patient(clinic, name=name).pk, starts_at=next_monday(clinic, hour))
        for hour, name in ((9, "Bento Lima"), (10, "Caio Sá"), (11, "Dora Reis"))
    ]
    since, before = clinic.day(clinic.local(made[0].starts_at).date())
    Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=since, ends_at=before, reason="doença")
    return made


def shown(desk, visits):
    """The rows of the page, and what its form posts."""
    rows = desk.get(WHOLE, {"linha": [visit.pk for visit in visits]}).context["rows"]
    posted = {"linha": [row.appointment.pk for row in rows]}
    posted |= {f"to-{row.appointment.pk}": row.proposals[0].value for row in rows}
    return rows, posted | {f"place-{row.appointment.pk}": row.place for row in rows}


def statuses():
    return list(Appointment.objects.order_by("pk").values_list("status", flat=True))


def messages_of(page):
    return [unquote(text) for text in re.findall(r"wa[.]me/[0-9]+[?]text=([^'\"]+)", page)]


def test_the_list_leads_to_it_where_there_are_several(desk, visits):
    page = desk.get(LIST).text
    assert all(f'name="linha" value="{visit.pk}"' in page for visit in visits)
    for visit in visits[1:]:
        change_status(visit.pk, "cancelled", clinic=visit.clinic, by=Author(channel="command"), cancelled_by="patient")
    assert "lista inteira" not in desk.get(LIST).text


def test_the_whole_list_is_more_than_a_page_of_it(desk, visits, monkeypatch):
    monkeypatch.setattr(context, "ROWS_A_PAGE", 2)
    page = desk.get(LIST).text
    assert all(f'name="linha" value="{visit.pk}"' in page for visit in visits)
    monkeypatch.setattr(whole_list, "MAX_AT_ONCE", 2)
    page = desk.get(WHOLE, {"linha": [visit.pk for visit in visits]})
    assert len(page.context["rows"]) == 2 and "Estes são os primeiros 2." in page.text


def test_each_gets_a_time_that_no_other_gets(desk, visits):
    rows, _ = shown(desk, visits)
    first = [row.proposals[0].value for row in rows]
    assert len(set(first)) == 3


def test_all_are_moved_and_have_a_message_with_the_new_time(desk, visits):
    _, posted = shown(desk, visits)
    page = desk.post(WHOLE, posted, follow=True).text
    assert statuses() == ["rescheduled"] * 3
    assert "3 remarcados. Avise cada pessoa" in page
    assert '<details class="pending-done" open>' in page
    assert page.count("Desfazer remarcação") == 3
    visits[0].refresh_from_db()
    new_time = f"{visits[0].clinic.local(visits[0].starts_at):%d/%m %H:%M}"
    of_bento = next(text for text in messages_of(page) if text.startswith("Olá, Bento! Aqui é da "))
    assert "passou para " in of_bento and of_bento.endswith(f" {new_time} com a Dra. Ana Prado.")


def test_only_those_that_are_ticked_are_moved(desk, visits):
    _, posted = shown(desk, visits)
    desk.post(WHOLE, posted | {"linha": [visits[1].pk]})
    assert statuses() == ["scheduled", "rescheduled", "scheduled"]


def test_what_was_taken_meanwhile_stays_and_the_others_are_moved(desk, visits):
    _, posted = shown(desk, visits)
    desk.post(WHOLE, posted | {"linha": [visits[0].pk]})
    posted[f"to-{visits[1].pk}"] = posted[f"to-{visits[0].pk}"]
    page = desk.post(WHOLE, posted | {"linha": [visits[1].pk, visits[2].pk]}, follow=True).text
    assert statuses() == ["rescheduled", "scheduled", "rescheduled"]
    assert "1 remarcado." in page and "1 não pôde ser remarcado" in page and "pendente:" not in page


def test_what_was_moved_meanwhile_is_left_where_it_is(desk, visits):
    _, posted = shown(desk, visits)
    desk.post(WHOLE, posted)
    before = list(Appointment.objects.order_by("pk").values_list("starts_at", flat=True))
    page = desk.post(WHOLE, posted, follow=True).text
    assert "3 já não estavam pendentes: ficaram como estavam." in page and "abaixo" not in page
    assert list(Appointment.objects.order_by("pk").values_list("starts_at", flat=True)) == before


@pytest.mark.parametrize(
    "bad", [{"linha": []}, {"linha": ["x", "99999999"]}, {"to": ""}, {"to": "1|ontem"}, {"place": ""}], ids=str
)
def test_unreadable_fields_move_nothing(desk, visits, bad):
    _, posted = shown(desk, visits)
    for visit in visits:
        posted |= {f"{name}-{visit.pk}": text for name, text in bad.items() if name != "linha"}
    posted |= {name: ids for name, ids in bad.items() if name == "linha"}
    assert desk.post(WHOLE, posted).status_code == 302
    assert statuses() == ["scheduled"] * 3


def test_nothing_to_propose_leads_back(desk, visits):
    Absence.objects.all().delete()
    answer = desk.get(WHOLE, {"linha": [visit.pk for visit in visits]}, follow=True)
    assert answer.redirect_chain == [(LIST, 302)] and "Nenhum deles tem horário proposto agora." in answer.text


def test_another_clinics_appointment_is_neither_shown_nor_moved(desk, visits):
    strange = book_appointment(make_doctor(make_clinic()))
    rows, _ = shown(desk, [*visits, strange])
    assert [row.appointment.pk for row in rows] == [visit.pk for visit in visits]
    proposal = rows[0].proposals[0].value
    desk.post(WHOLE, {"linha": strange.pk, f"to-{strange.pk}": proposal, f"place-{strange.pk}": "x"})
    strange.refresh_from_db()
    assert strange.status == "scheduled"


def test_a_message_to_who_answers_for_a_child_names_the_child(desk, visits):
    Patient.objects.update(guardian_name="Ana", guardian_relation="mãe")
    _, posted = shown(desk, visits)
    texts = messages_of(desk.post(WHOLE, posted, follow=True).text)
    assert any(text.startswith("Olá! Aqui é da ") and "O horário de Bento, " in text for text in texts)


def test_the_page_costs_the_same_for_one_and_for_three(desk, visits):
    costs = []
    for some in (visits[:1], visits):
        with CaptureQueriesContext(connection) as captured:
            desk.get(WHOLE, {"linha": [visit.pk for visit in some]})
        costs.append(len(captured))
    assert costs[0] == costs[1]
