"""The page of pending appointments, and what its buttons do."""

import html
import re
from datetime import datetime, timedelta
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.booking import Author, change_status, place, state, undo
from clinic.models import Absence, Appointment, Patient
from clinic.web.pending import context
from clinic.web.pending.context import shown_as
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_user

pytestmark = pytest.mark.django_db

PARTIAL = {"HX-Request": "true"}
PAGE = reverse("web:pending-list")


@pytest.fixture(autouse=True)
def at_noon(time_machine):
    """What was resolved before the clinic's midnight is listed no longer, a minute later."""
    time_machine.move_to(timezone.now().replace(hour=15))


@pytest.fixture
def visit(clinic):
    """An appointment next Monday at nine, of a doctor who is away that day."""
    visit = book_appointment(make_doctor(clinic, name="Dra. Ana Prado"))
    day = clinic.local(visit.starts_at).date()
    Absence.objects.create(
        clinic=clinic, doctor=visit.doctor, starts_at=clinic.day(day)[0], ends_at=clinic.day(day)[1], reason="doença"
    )
    return visit


@pytest.fixture
def client_of():
    def signed_in(user):
        client = Client()
        client.force_login(user)
        return client

    return signed_in


def act(desk, visit, name, partial=True, **data):
    visit.refresh_from_db()
    data = {"place": place(visit), "seen": state(visit), "known": "1"} | data
    address = reverse(f"web:pending-{name}", args=[visit.pk])
    return desk.post(address, data, headers=PARTIAL if partial else {})


def first_proposal(desk, visit):
    return desk.get(PAGE).context["board"].groups[0].rows[0].proposals[0].value


def test_nothing_pending(desk):
    assert "Nenhuma pendência" in desk.get(PAGE).text


def test_a_row_has_cause_phone_and_three_times(desk, visit):
    answer = desk.get(PAGE)
    assert "Dra. Ana Prado ausente (doença)" in answer.text
    assert visit.patient.phone.as_rfc3966 in answer.text
    assert f"https://wa.me/{visit.patient.phone.as_e164[1:]}?text=Ol%C3%A1" in answer.text
    assert answer.text.count('name="to"') == 3
    assert "0 de 1 resolvido" in answer.text


def test_the_message_speaks_of_a_child_to_the_mother(desk, visit):
    Patient.objects.filter(pk=visit.patient_id).update(guardian_name="Ana", guardian_relation="mãe", name="Davi Lima")
    text = unquote(re.search(r"https://wa\.me/[0-9]+\?text=([^\"]+)", desk.get(PAGE).text)[1])

    assert text.startswith("Olá! Aqui é da ") and " O horário de Davi, " in text


def test_who_wants_no_messages_gets_none_and_it_says_so(desk, visit):
    Patient.objects.filter(pk=visit.patient_id).update(accepts_whatsapp=False)
    page = desk.get(PAGE).text

    assert "wa.me" not in page and "não aceita WhatsApp" in page


def test_no_message_is_offered_to_a_landline(desk, visit):
    Patient.objects.filter(pk=visit.patient_id).update(phone="+558134215678")

    assert "wa.me" not in desk.get(PAGE).text


def test_the_number_in_the_navigation(desk, visit):
    assert "(1<" in desk.get(reverse("web:pending-number"), headers=PARTIAL).text
    Absence.objects.all().delete()
    assert "(" not in desk.get(reverse("web:pending-number"), headers=PARTIAL).text


def test_taking_a_proposal_moves_the_appointment(desk, visit):
    to = first_proposal(desk, visit)
    answer = act(desk, visit, "move", to=to)
    visit.refresh_from_db()
    assert (answer.status_code, visit.status) == (200, "rescheduled")
    assert f"{visit.doctor_id}|{visit.starts_at.isoformat()}" == to
    assert "1 de 1 resolvido" in answer.text
    assert "Desfazer remarcação" in answer.text


def test_the_second_to_take_it_is_refused(desk, clinic, visit, client_of):
    to, seen = first_proposal(desk, visit), place(visit)
    act(client_of(make_user(clinic)), visit, "move", to=to)
    answer = act(desk, visit, "move", to=to.replace("T12", "T13"), place=seen)
    assert answer.status_code == 409
    assert "foi alterado depois do que você viu" in answer.text
    assert "Desfazer remarcação" not in answer.text and "Outro horário…" in answer.text


def test_who_is_second_to_take_the_same_time_sees_it_taken(desk, clinic, visit, client_of):
    to, seen = first_proposal(desk, visit), place(visit)
    act(client_of(make_user(clinic, name="Paula Reis")), visit, "move", to=to)
    answer = act(desk, visit, "move", to=to, place=seen)
    assert (answer.status_code, visit.events.count()) == (409, 2)  # it is no act to undo
    assert "Escolha outro" not in answer.text and "Paula Reis" in answer.text


def test_an_own_move_can_be_undone_here_for_a_minute(desk, visit, time_machine):
    act(desk, visit, "move", to=first_proposal(desk, visit))
    assert "Desfazer remarcação" in desk.get(PAGE).text
    time_machine.move_to(timezone.now() + timedelta(seconds=61), tick=False)
    page = desk.get(PAGE).text
    assert "Desfazer remarcação" not in page and "Outro horário…" in page
    refused = act(desk, visit, "undo", event=visit.events.latest("pk").pk)
    assert refused.status_code == 409 and "Outro horário…" in refused.text


def changes(desk, **drawn):
    board = desk.get(PAGE).context["board"]
    asked = {"known": board.total, "left": len(board.found)} | drawn
    return desk.get(reverse("web:pending-changes"), asked, headers=PARTIAL)


def test_an_undo_whose_time_is_over_leaves_the_row(desk, visit, time_machine):
    moved = act(desk, visit, "move", to=first_proposal(desk, visit)).text
    drawn = {"undoable": f"{visit.pk}|{visit.events.latest('pk').pk}"}
    assert f'value="{drawn["undoable"]}"' in moved
    left = int(re.search(r"load delay:(\d+)s", moved)[1])
    assert 55 <= left <= 60 and changes(desk, **drawn).status_code == 204
    time_machine.move_to(timezone.now() + timedelta(seconds=left), tick=False)
    answer = changes(desk, **drawn).text
    assert "Desfazer remarcação" not in answer and "Outro horário…" in answer and "load delay" not in answer


def test_a_row_undone_in_another_window_is_pending_again(desk, visit):
    act(desk, visit, "move", to=first_proposal(desk, visit))
    event = visit.events.latest("pk").pk
    act(desk, visit, "undo", event=event)
    assert changes(desk, undoable=f"{visit.pk}|{event}").text.count('name="to"') == 3


def test_a_doctor_who_performs_it_no_more_hinders_no_undoing(desk, visit, time_machine):
    Absence.objects.all().delete()
    make_doctor(visit.clinic, procedures=[visit.lines.get().procedure])
    visit.doctor.procedures.clear()
    act(desk, visit, "move", to=first_proposal(desk, visit))
    time_machine.move_to(timezone.now() + timedelta(seconds=61), tick=False)
    assert "Desfazer remarcação" in desk.get(PAGE).text
    assert act(desk, visit, "undo", event=visit.events.latest("pk").pk).status_code == 200
    visit.refresh_from_db()
    assert visit.status == "scheduled"


def test_a_time_that_was_taken_is_refused_with_new_ones(desk, visit):
    to = first_proposal(desk, visit)
    book_appointment(visit.doctor, starts_at=datetime.fromisoformat(to.partition("|")[2]))
    answer = act(desk, visit, "move", to=to)
    assert answer.status_code == 409
    assert "já está ocupado" in answer.text
    assert to not in answer.text
    assert answer.text.count('name="to"') == 3


@pytest.mark.parametrize("to", ["", "x", "1|x", "9|2026-13-45", "|", "1|2026-12-01T09:00:00", "1" * 5000])
def test_an_unreadable_time_is_refused(desk, visit, to):
    assert act(desk, visit, "move", to=to).status_code == 409
    assert Appointment.objects.get().status == "scheduled"


def test_calls_without_answer_are_counted(desk, visit):
    answer = act(desk, visit, "not-reached")
    assert "1 ligação sem resposta" in answer.text
    assert "1 não atendeu" in answer.text


def test_a_call_that_was_taken_back_is_not_counted(desk, visit):
    act(desk, visit, "not-reached")
    undo(visit.pk, clinic=visit.clinic, by=Author(channel="command", credential="Paula"))
    page = desk.get(reverse("web:pending-list"))
    assert page.status_code == 200
    assert "sem resposta" not in page.text and "não atendeu" not in page.text


@pytest.mark.parametrize(("who", "reason"), [("patient", ""), ("clinic", "Dra. Ana Prado ausente (doença)")])
def test_cancelling_and_undoing(desk, visit, who, reason):
    answer = act(desk, visit, "cancel", cancelled_by=who, cause="Dra. Ana Prado ausente (doença)")
    visit.refresh_from_db()
    assert (visit.status, visit.cancelled_by, visit.cancel_reason) == ("cancelled", who, reason)
    assert "Desfazer cancelamento" in answer.text
    answer = act(desk, visit, "undo", event=visit.events.latest("pk").pk)
    assert Appointment.objects.get().status == "scheduled"
    assert "Não atende" in answer.text


def test_without_script_an_act_leads_back_to_the_page(desk, visit):
    answer = act(desk, visit, "move", partial=False, to=first_proposal(desk, visit))
    assert answer["Location"] == f"{PAGE}#p{visit.pk}"
    assert "Remarcado de" in desk.get(PAGE).text
    answer = act(desk, visit, "move", partial=False, to="")
    assert "Escolha" in str(next(iter(desk.get(PAGE).context["messages"])))


def test_changes_of_others_are_drawn(desk, clinic, visit, client_of):
    changes, shown = reverse("web:pending-changes"), f"{visit.pk}|{shown_as(visit, [])}"
    asked = {"shown": shown, "known": "1", "left": "1"}
    assert desk.get(changes, asked, headers=PARTIAL).status_code == 204
    other = make_user(clinic, name="Paula Reis")
    act(client_of(other), visit, "move", to=first_proposal(desk, visit))
    answer = desk.get(changes, asked, headers=PARTIAL)
    assert f'id="p{visit.pk}"' in answer.text
    assert "Paula Reis" in answer.text
    assert "1 de 1 resolvido" in answer.text


def test_a_call_by_a_colleague_is_drawn_and_so_is_its_undoing(desk, clinic, visit, client_of):
    asked = {"shown": f"{visit.pk}|{shown_as(visit, [])}", "known": "1", "left": "1"}
    act(client_of(make_user(clinic, name="Paula Reis")), visit, "not-reached")
    answer = desk.get(reverse("web:pending-changes"), asked, headers=PARTIAL)
    assert "1 ligação sem resposta" in answer.text
    asked["shown"] = re.search(r'name="shown" value="([^"]+)"', answer.text)[1]
    assert desk.get(reverse("web:pending-changes"), asked, headers=PARTIAL).status_code == 204
    undo(visit.pk, clinic=clinic, by=Author(channel="command", credential="Paula"))
    answer = desk.get(reverse("web:pending-changes"), asked, headers=PARTIAL)
    assert f'id="p{visit.pk}"' in answer.text and "sem resposta" not in answer.text


def test_one_that_is_simply_no_longer_pending(desk, clinic, visit):
    """The absence was taken back: the confirmation before it is not what resolved it, and is not to be undone here."""
    change_status(visit.pk, "confirmed", clinic=clinic, by=Author(channel="command", credential="tests"))
    visit.refresh_from_db()
    asked = {"shown": f"{visit.pk}|{shown_as(visit, [])}", "known": "1"}
    Absence.objects.all().delete()
    answer = desk.get(reverse("web:pending-changes"), asked, headers=PARTIAL)
    assert "Não está mais pendente." in answer.text
    assert "Desfazer" not in answer.text


def number_beside(answer):
    """What the answer puts into the navigation."""
    (number,) = re.findall(
        r'<span id="pending-number" hx-swap-oob="innerHTML">(.*?)</span>\s*$', answer.text, re.DOTALL
    )
    return "".join(re.findall(r"\(\d+", number))


@pytest.mark.parametrize(("name", "data", "number"), [
    ("not-reached", {}, "(1"), ("cancel", {"cancelled_by": "patient"}, ""), ("move", {"to": "x"}, "(1"),
])  # fmt: skip
def test_every_act_counts_anew_in_the_navigation(desk, visit, name, data, number):
    assert number_beside(act(desk, visit, name, **data)) == number


def test_a_move_and_its_undoing_count_anew(desk, visit):
    assert number_beside(act(desk, visit, "move", to=first_proposal(desk, visit))) == ""
    assert number_beside(act(desk, visit, "undo", event=visit.events.latest("pk").pk)) == "(1"


def test_changes_of_others_count_anew_in_the_navigation(desk, clinic, visit, client_of):
    other = make_user(clinic, name="Paula Reis")
    act(client_of(other), visit, "move", to=first_proposal(desk, visit))
    asked = {"shown": f"{visit.pk}|{shown_as(visit, [])}", "known": "1", "left": "1"}
    assert number_beside(desk.get(reverse("web:pending-changes"), asked, headers=PARTIAL)) == ""


def test_one_resolved_on_another_page_counts_anew(desk, clinic, visit, client_of):
    act(client_of(make_user(clinic)), visit, "move", to=first_proposal(desk, visit))
    answer = desk.get(reverse("web:pending-changes"), {"known": "1", "left": "1"}, headers=PARTIAL)
    assert "1 de 1 resolvido" in answer.text
    assert number_beside(answer) == ""


def test_new_ones_are_announced(desk, visit):
    answer = desk.get(reverse("web:pending-changes"), {"known": "0"}, headers=PARTIAL)
    assert "Há novas: atualizar a lista" in answer.text


def test_queries_do_not_grow_with_the_rows(desk, visit, django_assert_num_queries):
    desk.get(PAGE)
    with CaptureQueriesContext(connection) as of_one:
        desk.get(PAGE)
    for hours in (1, 2, 5, 6):
        put_at(visit.doctor, visit.starts_at + timedelta(hours=hours))
    with django_assert_num_queries(len(of_one)):
        assert desk.get(PAGE).text.count('name="shown"') == 5


def test_a_whole_clinic_over_400_appointments(desk, clinic):
    doctors = [make_doctor(clinic, days=range(1, 8), interval_minutes=30) for _ in range(25)]
    start = book_appointment(doctors[0]).starts_at
    for doctor in doctors:
        for step in range(17):
            if (doctor, step) != (doctors[0], 0):
                put_at(doctor, start + timedelta(minutes=30 * step))
    Absence.objects.create(
        clinic=clinic, doctor=None, starts_at=start, ends_at=start + timedelta(hours=12), reason="obra"
    )
    answer = desk.get(PAGE)
    assert "0 de 425 resolvidos" in answer.text
    assert answer.text.count('name="shown"') == 25


@pytest.mark.parametrize("done", [0, 1, 3, 5])
def test_pages_skip_nothing_when_rows_are_done(desk, visit, monkeypatch, done):
    """So many of each page are, from its first row on. The first cause has one early row and many late ones."""
    monkeypatch.setattr(context, "ROWS_A_PAGE", 5)
    other = make_doctor(visit.clinic)
    for step in range(1, 23):
        put_at(other if step < 11 else visit.doctor, visit.starts_at + timedelta(minutes=30 * step))
    since, until = visit.clinic.day(visit.clinic.local(visit.starts_at).date())
    Absence.objects.create(clinic=visit.clinic, doctor=other, starts_at=since, ends_at=until, reason="curso")
    seen, link = [], [""]
    while link:
        page = desk.get(PAGE + html.unescape(link[0]))
        shown = shown_on(page)
        seen += shown
        Appointment.objects.filter(pk__in=shown[:done]).update(status="cancelled", cancelled_by="clinic")
        link = re.findall(r'href="(\?depois=[^"]*)"', page.text)
    assert sorted(seen) == sorted(Appointment.objects.values_list("pk", flat=True))


def shown_on(page):
    return [int(pk) for pk in re.findall(r'name="shown" value="(\d+)', page.text)]


def put_at(doctor, starts_at):
    Appointment.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        doctor_name=doctor.full_name,
        patient=make_patient(doctor.clinic),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
    )


def test_another_clinics_appointment_is_unknown(desk, visit, client_of):
    stranger = client_of(make_user(make_clinic()))
    assert act(stranger, visit, "not-reached").status_code == 404
    assert act(stranger, visit, "move", to=place(visit)).status_code == 404


def test_a_row_says_that_its_patient_has_died(desk, visit):
    assert "falecido(a)" not in desk.get(PAGE).text
    Patient.objects.update(died=True)
    assert "falecido(a)" in desk.get(PAGE).text
