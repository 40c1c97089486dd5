"""Fila: who waits in which order, since when, what each may do next, and how late doctors are."""

import re
from datetime import date, time, timedelta
from html import unescape
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.booking import Author, change_status
from clinic.models import Appointment, Delay, Patient, PatientAccess, StaffUser
from clinic.queries import queue
from clinic.queries.lateness import lateness
from clinic.queries.priority import Rank, priority
from tests.factories import book_appointment, make_clinic, make_doctor, make_lisbon, make_patient, make_user

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
BY = Author(channel="command", credential="tests")
PARTIAL = {"HX-Request": "true"}
TITLES = ["Aguardando", "Em atendimento", "A chegar", "Saíram"]


@pytest.fixture(autouse=True)
def clock(time_machine):
    """`clock(9, 30)` moves the time to 09:30 in Recife on Monday."""

    def move(hour, minute=0):
        time_machine.move_to(f"2026-11-23T{hour + 3:02}:{minute:02}:00Z", tick=False)

    move(7)
    return move


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado")


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic, name="Rita"))
    return client


def visit(doctor, hour, name, minute=0, born=date(1990, 1, 1)):
    patient = make_patient(doctor.clinic, name=name, birth_date=born)
    starts_at = doctor.clinic.instant(MONDAY, time(hour, minute))
    return book_appointment(doctor, patient=patient.pk, starts_at=starts_at)


def act(appointment, *statuses):
    for status in statuses:
        change_status(appointment.pk, status, clinic=appointment.clinic, by=BY)


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def parts(html):
    """Return the rows of each part of the page as words, by the part's title."""
    found = {}
    for section in html.split('<section class="queue-part"')[1:]:
        title = words(section.partition("<h2")[2].partition("</h2>")[0].partition(">")[2])
        found[title.rpartition(" ")[0]] = [words("<li" + row) for row in section.split("<li")[1:]]
    return found


def shown(desk, **query):
    answer = desk.get(reverse("web:queue"), query)
    assert answer.status_code == 200
    return parts(answer.text)


def names(rows):
    return [re.search(r"Ana|Bento|Caio|Davi|Eva", row)[0] for row in rows]


def test_each_patient_is_in_the_part_of_the_status(desk, doctor, clock):
    visits = {name: visit(doctor, hour, name) for hour, name in ((8, "Ana"), (9, "Bento"), (10, "Caio"), (11, "Davi"))}
    clock(8, 50)
    act(visits["Ana"], "checked_in", "in_service", "finished")
    act(visits["Bento"], "checked_in", "in_service")
    act(visits["Caio"], "checked_in")
    clock(9, 2)
    found = shown(desk)
    assert list(found) == TITLES
    assert [names(found[title]) for title in TITLES] == [["Caio"], ["Bento"], ["Davi"], ["Ana"]]
    assert "chegou 08:50 · espera 12 min" in found["Aguardando"][0] and "longa" not in found["Aguardando"][0]
    assert "desde 08:50 · 12 min" in found["Em atendimento"][0]
    assert "Finalizado, 08:50" in found["Saíram"][0]
    assert "min de atraso" not in found["A chegar"][0]


def test_more_than_an_hour_is_counted_in_hours(desk, doctor, clock):
    visits = {name: visit(doctor, hour, name) for hour, name in ((8, "Bento"), (9, "Caio"), (10, "Davi"))}
    clock(8, 50)
    act(visits["Bento"], "checked_in", "in_service")
    act(visits["Caio"], "checked_in")
    clock(11, 5)
    found = shown(desk)
    assert "chegou 08:50 · espera 2 h 15 min" in found["Aguardando"][0]
    assert "desde 08:50 · 2 h 15 min" in found["Em atendimento"][0]
    assert "1 h 5 min de atraso" in found["A chegar"][0]


def test_long_waits_are_named(desk, doctor, clock):
    act(visit(doctor, 10, "Ana"), "checked_in")
    for minute, sentence in ((14, None), (15, "espera longa"), (29, "espera longa"), (30, "espera muito longa")):
        clock(7, minute)
        row = shown(desk)["Aguardando"][0]
        assert sentence in row if sentence else "longa" not in row


def test_who_waits_is_called_by_priority_then_arrival(desk, doctor, clock):
    arrivals = [("Ana", 1990), ("Bento", 1960), ("Caio", 1985), ("Davi", 1940), ("Eva", 1962)]
    for number, (name, year) in enumerate(arrivals):
        appointment = (
            visit(doctor, 8 + number, name, born=date(year, 1, 1))
            if number != 4
            else visit(doctor, 14, name, born=date(year, 1, 1))
        )
        clock(7, number)
        act(appointment, "checked_in")
    rows = shown(desk)["Aguardando"]
    assert names(rows) == ["Davi", "Bento", "Eva", "Ana", "Caio"]
    assert "prioridade: 80 anos ou mais" in rows[0] and "prioridade: 60 anos ou mais" in rows[1]
    assert "prioridade:" not in rows[3]


@pytest.mark.parametrize(
    ("born", "brazil"),
    [
        (date(1946, 11, 23), Rank.VERY_ELDERLY),
        (date(1946, 11, 24), Rank.BY_LAW),
        (date(1966, 11, 23), Rank.BY_LAW),
        (date(1966, 11, 24), Rank.NONE),
        (None, Rank.NONE),
    ],
)
def test_case_45_age_alone_counts_in_brazil_only(clinic, born, brazil):
    assert priority(clinic, born, MONDAY).rank == brazil
    assert priority(make_lisbon(), born, MONDAY).rank == Rank.NONE


def test_who_is_late_is_named_and_may_have_missed(desk, doctor, clock):
    visit(doctor, 8, "Ana"), visit(doctor, 9, "Bento")
    clock(8, 9)
    late, coming = shown(desk)["A chegar"]
    assert "9 min de atraso" in late and "Faltou" in late and "(81)" in late
    assert "min de atraso" not in coming and "Faltou" not in coming


def test_other_days_cancelled_ones_and_clinics_are_not_shown(desk, doctor):
    gone = visit(doctor, 9, "Ana")
    change_status(gone.pk, "cancelled", clinic=doctor.clinic, by=BY, cancelled_by="patient")
    patient = make_patient(doctor.clinic, name="Bento")
    book_appointment(doctor, patient=patient.pk, starts_at=doctor.clinic.instant(MONDAY + timedelta(days=1), time(9)))
    visit(make_doctor(make_clinic()), 9, "Caio")
    assert shown(desk) == dict.fromkeys(TITLES, [])
    page = words(desk.get(reverse("web:queue")).text)
    for sentence in ("Ninguém na sala.", "Ninguém está sendo atendido.", "Mais ninguém hoje.", "Ninguém ainda."):
        assert sentence in page


def test_who_came_yesterday_and_has_not_left_is_shown(desk, doctor, clock, time_machine):
    act(visit(doctor, 16, "Ana"), "checked_in", "in_service")
    visit(doctor, 17, "Bento")
    time_machine.move_to("2026-11-24T03:30:00Z", tick=False)
    desk.force_login(StaffUser.objects.get())
    found = shown(desk)
    assert {title: names(rows) for title, rows in found.items()} == {
        "Aguardando": [], "Em atendimento": ["Ana"], "A chegar": [], "Saíram": [],
    }  # fmt: skip
    assert "desde 23/11 07:00" in found["Em atendimento"][0]
    left = Appointment.objects.get(status="in_service")
    answer = post(desk, "queue-status", left, **button(desk, left, "e"))
    assert answer.status_code == 200 and names(parts(answer.text)["Em atendimento"]) == []
    time_machine.move_to("2026-11-25T12:00:00Z", tick=False)
    desk.logout()
    desk.force_login(StaffUser.objects.get())
    assert shown(desk) == dict.fromkeys(TITLES, [])


def test_a_check_in_of_yesterday_falsifies_no_delay(desk, doctor, clock, clinic, time_machine):
    forgotten = visit(doctor, 16, "Ana")
    act(forgotten, "checked_in")
    time_machine.move_to("2026-11-24T10:00:00Z", tick=False)
    desk.logout(), desk.force_login(StaffUser.objects.get())
    (row,) = shown(desk)["Aguardando"]
    assert delays(clinic) == {} and "Faltou" in row
    answer = post(desk, "queue-status", forgotten, **button(desk, forgotten, "f"))
    assert answer.status_code == 200 and parts(answer.text)["Aguardando"] == []


def test_a_day_in_the_queue_is_one_row_of_the_access_log(desk, doctor, clock):
    act(visit(doctor, 9, "Ana"), "checked_in"), visit(doctor, 10, "Bento")
    shown(desk)
    assert PatientAccess.objects.values_list("day", "patient", "page").get() == (MONDAY, None, "web:queue")


def test_a_chosen_doctor_without_visits_hides_nobody(desk, doctor, clinic):
    visit(doctor, 9, "Ana")
    assert names(shown(desk, medico=make_doctor(clinic).pk)["A chegar"]) == ["Ana"]


def test_only_the_chosen_doctors_are_shown(desk, doctor, clinic):
    other = make_doctor(clinic, name="Dr. Caio Leão")
    visit(doctor, 9, "Ana"), visit(other, 9, "Bento")
    assert names(shown(desk, medico=other.pk)["A chegar"]) == ["Bento"]
    assert names(shown(desk, medico="x")["A chegar"]) == ["Ana", "Bento"]


# Acts -----------------------------------------------------------------------------------------------------------------


def post(desk, view, appointment, **fields):
    return desk.post(reverse(f"web:{view}", args=[appointment.pk]), fields, headers=PARTIAL)


def button(desk, appointment, key):
    """Return name, value and state of the row's button with that key."""
    row = desk.get(reverse("web:queue")).text.partition(f'id="q{appointment.pk}"')[2].partition("</li>")[0]
    seen = unescape(re.search(r'name="seen" value="([^"]*)"', row)[1])
    found = re.search(rf'name="(\w+)" value="(\w+)"\s+data-key="{key}"', row)
    return {found[1]: found[2], "seen": seen} if found else None


def test_a_visit_goes_through_the_queue_by_its_buttons(desk, doctor):
    appointment = visit(doctor, 9, "Ana")
    for key, title in (("k", "Aguardando"), ("i", "Em atendimento"), ("e", "Saíram")):
        answer = post(desk, "queue-status", appointment, **button(desk, appointment, key))
        assert answer.status_code == 200 and "<html" not in answer.text
        assert names(parts(answer.text)[title]) == ["Ana"]
    answer = post(desk, "queue-undo", appointment, **button(desk, appointment, "u"))
    assert names(parts(answer.text)["Em atendimento"]) == ["Ana"]
    assert [event.user.name for event in appointment.events.order_by("pk")[1:]] == ["Rita"] * 4


def test_an_act_on_what_has_changed_says_so_at_the_row(desk, doctor):
    appointment = visit(doctor, 9, "Ana")
    pressed = button(desk, appointment, "k")
    act(appointment, "checked_in", "in_service")
    answer = post(desk, "queue-status", appointment, **pressed)
    assert answer.status_code == 409
    assert "foi alterado depois do que você viu" in parts(answer.text)["Em atendimento"][0]
    assert Appointment.objects.get().status == "in_service"


def test_a_second_patient_waits_until_the_first_is_finished(desk, doctor):
    first, second = visit(doctor, 9, "Ana"), visit(doctor, 10, "Bento")
    act(first, "checked_in", "in_service"), act(second, "checked_in")
    answer = post(desk, "queue-status", second, **button(desk, second, "i"))
    assert answer.status_code == 409 and "já está atendendo outra pessoa" in parts(answer.text)["Aguardando"][0]


def test_the_filter_stays_after_an_act(desk, doctor, clinic):
    other = make_doctor(clinic, name="Dr. Caio Leão")
    appointment = visit(doctor, 9, "Ana")
    visit(other, 9, "Bento")
    answer = post(desk, "queue-status", appointment, medico=doctor.pk, **button(desk, appointment, "k"))
    assert {title: names(rows) for title, rows in parts(answer.text).items()} == {
        "Aguardando": ["Ana"], "Em atendimento": [], "A chegar": [], "Saíram": [],
    }  # fmt: skip


def test_without_htmx_the_page_comes_back(desk, doctor):
    appointment = visit(doctor, 9, "Ana")
    address = reverse("web:queue-status", args=[appointment.pk])
    answer = desk.post(address, button(desk, appointment, "k"), follow=True)
    assert names(parts(answer.text)["Aguardando"]) == ["Ana"]
    refused = desk.post(address, {"status": "confirmed", "seen": "old"}, follow=True)
    assert "foi alterado depois" in words(refused.text)


# Unchanged, and how many queries --------------------------------------------------------------------------------------


def test_an_unchanged_queue_is_a_304(desk, doctor, clock):
    appointment = visit(doctor, 9, "Ana")
    first = desk.get(reverse("web:queue"), headers=PARTIAL)
    again = PARTIAL | {"If-None-Match": first["ETag"]}
    assert desk.get(reverse("web:queue"), headers=again).status_code == 304
    act(appointment, "checked_in")
    second = desk.get(reverse("web:queue"), headers=again)
    assert second.status_code == 200
    again = PARTIAL | {"If-None-Match": second["ETag"]}
    assert desk.get(reverse("web:queue"), headers=again).status_code == 304
    Patient.objects.update(alert="cadeira de rodas", updated_at=timezone.now() + timedelta(seconds=1))
    assert desk.get(reverse("web:queue"), headers=again).status_code == 200
    clock(7, 1)
    minute_later = desk.get(reverse("web:queue"), headers=again)
    assert minute_later.status_code == 200 and "espera 1 min" in words(minute_later.text)


def test_queries_do_not_grow_with_the_patients(desk, doctor, clinic):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            desk.get(reverse("web:queue"))
        return [query for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]

    act(visit(doctor, 8, "Ana"), "checked_in", "in_service", "finished")
    queries()
    few = len(queries())
    for hour, statuses in ((9, ["checked_in", "in_service"]), (10, ["checked_in"]), (11, []), (13, [])):
        act(visit(doctor, hour, "Bento"), *statuses)
    other = make_doctor(clinic)
    for hour in (8, 9, 10):
        act(visit(other, hour, "Caio"), "checked_in")
    assert len(queries()) == few <= 6  # the session, four of the queue, the access log


# Delays ---------------------------------------------------------------------------------------------------------------


def delays(clinic):
    now = timezone.now()
    found = lateness(clinic, queue.rows(clinic, now=now), now=now)
    return {doctor.pk: late.at(now) for doctor, late in found.items() if late.at(now)}


def serve(doctor, clock, hour, late, name="Ana"):
    """Begin and finish a visit of that hour so many minutes late."""
    appointment = visit(doctor, hour, name)
    clock(hour - 1, 50)
    act(appointment, "checked_in")
    clock(hour + late // 60, late % 60) if late >= 0 else clock(hour - 1, 60 + late)
    act(appointment, "in_service", "finished")
    return appointment


def test_a_delay_is_the_median_of_the_last_three_visits(clinic, doctor, clock):
    visit(doctor, 17, "Eva")
    assert delays(clinic) == {}
    for hour, late, measured in ((8, 40, 40), (9, 10, 25), (10, 20, 20), (11, 0, 10), (14, -5, 0)):
        serve(doctor, clock, hour, late)
        assert delays(clinic) == ({doctor.pk: measured} if measured else {})


def test_a_doctor_who_begins_nobody_is_late_by_the_hour_of_who_waits(clinic, doctor, clock, desk):
    waits = visit(doctor, 8, "Ana")
    later = visit(doctor, 9, "Bento")
    act(waits, "checked_in"), act(later, "checked_in")
    clock(8, 25)
    assert delays(clinic) == {doctor.pk: 25}
    assert "Dra. Helena Prado +25 min" in words(desk.get(reverse("web:queue")).text)
    act(waits, "in_service")
    clock(9, 30)
    assert delays(clinic) == {doctor.pk: 25}  # as the visit that is under way began; the next one is not to begin yet


def test_a_visit_begun_by_mistake_counts_for_nothing(clinic, doctor, clock):
    appointment = visit(doctor, 8, "Ana")
    clock(8, 30)
    act(appointment, "checked_in", "in_service", "checked_in", "scheduled")
    assert delays(clinic) == {}


def test_a_finish_taken_back_is_no_later_beginning(clinic, doctor, clock):
    served = serve(doctor, clock, 8, 10)
    visit(doctor, 17, "Eva")
    clock(8, 45)
    act(served, "in_service", "finished")
    assert delays(clinic) == {doctor.pk: 10}


def test_who_is_to_come_reads_of_the_delay_ready_to_send(desk, doctor, clock):
    visit(doctor, 8, "Ana"), visit(doctor, 9, "Bento Reis")
    clock(8, 25)
    act(Appointment.objects.get(patient__name="Ana"), "checked_in", "in_service")
    page = unescape(desk.get(reverse("web:queue")).text)
    (address,) = re.findall(r'href="(https://wa\.me/[^"]+)"', page)
    text = unquote(address.partition("?text=")[2])
    assert (
        "Olá, Bento!" in text and "a Dra. Helena Prado está com cerca de 25 min de atraso" in text and "09:00" in text
    )
    Patient.objects.filter(name="Bento Reis").update(accepts_whatsapp=False)
    assert "wa.me" not in desk.get(reverse("web:queue")).text


def warnings(desk):
    """Return the hours that patients to come are written about, and the minutes of delay in each text."""
    page = unescape(desk.get(reverse("web:queue")).text)
    texts = [unquote(text) for text in re.findall(r'href="https://wa\.me/[^"]+\?text=([^"]+)"', page)]
    return {re.search(r"às (\d\d:\d\d)", text)[1]: int(re.search(r"(\d+) min", text)[1]) for text in texts}


def test_a_break_makes_up_for_a_delay(clinic, desk, doctor, clock):
    """The doctor's is from 12 to 13."""
    waits = visit(doctor, 11, "Ana", minute=30)
    visit(doctor, 13, "Bento")
    act(waits, "checked_in")
    clock(11, 55)
    assert (delays(clinic), warnings(desk)) == ({doctor.pk: 25}, {})
    clock(12, 40)
    assert (delays(clinic), warnings(desk)) == ({doctor.pk: 30}, {"13:00": 10})
    clock(13, 5)
    assert delays(clinic) == {doctor.pk: 35}


def test_a_delay_of_visits_is_made_up_for_in_the_break(clinic, desk, doctor, clock):
    visit(doctor, 11, "Davi", minute=30), visit(doctor, 14, "Bento")
    serve(doctor, clock, 11, 40)
    assert (delays(clinic), warnings(desk)) == ({doctor.pk: 40}, {"11:30": 40})
    clock(13)
    assert delays(clinic) == {}


def test_a_registered_delay_comes_before_a_measured_one(clinic, desk, doctor, clock):
    serve(doctor, clock, 9, 10)
    visit(doctor, 11, "Davi"), visit(doctor, 14, "Bento")
    Delay.objects.create(clinic=clinic, doctor=doctor, day=MONDAY, minutes=20, recorded_by=StaffUser.objects.get())
    assert "Dra. Helena Prado +20 min" in words(desk.get(reverse("web:queue")).text)
    assert (delays(clinic), warnings(desk)) == ({doctor.pk: 20}, {"11:00": 20, "14:00": 20})
