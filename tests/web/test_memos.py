"""Recados: who is to be called back, notes for colleagues, done by whom and when, and where they are shown."""

import re
from datetime import date, time, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse

from clinic.models import Memo, PatientAccess
from clinic.queries import agenda
from clinic.registry import Author, MemoDetails, finish_memo, redact_patient, reopen_memo, write_memo
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_user

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
PARTIAL = {"HX-Request": "true"}
CALL = {"kind": "call", "name": "Zilda Prestes", "phone": "81 98123-1212"}
ADD, LIST = "/recados/novo/", "/recados/"


@pytest.fixture(autouse=True)
def clock(time_machine):
    """`clock(9, 30)` moves the time to 09:30 in Recife on Monday, `clock(9, day=2)` to Tuesday's 9:00 after it."""

    def move(hour, minute=0, day=0):
        time_machine.move_to(f"2026-11-{23 + day}T{hour + 3:02}:{minute:02}:00Z", tick=False)

    move(8)
    return move


@pytest.fixture
def rita(clinic):
    return make_user(clinic, name="Rita")


@pytest.fixture
def desk(client, rita):
    client.force_login(rita)
    return client


def note(clinic, text="Trazer o aparelho de pressão", *, by=None, **details):
    return write_memo(clinic, MemoDetails("note", text=text, **details), key=uuid4(), by=by or make_user(clinic))


def call(clinic, name, **details):
    details = {"phone": "+5581981231212", **details}
    return write_memo(clinic, MemoDetails("call", name, **details), key=uuid4(), by=make_user(clinic))


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def rows(answer):
    return [words("<li" + row.partition("</li>")[0]) for row in answer.text.split('<li class="memo-row')[1:]]


def complaints(answer):
    assert answer.status_code == 422
    return re.findall(r'<p class="error" id="error-(\w+)"[^>]*>([^<]+)</p>', answer.text)


# Writing --------------------------------------------------------------------------------------------------------------


def test_a_call_back_for_whom_nobody_knows(desk, clinic, rita):
    paula = make_user(clinic, name="Paula")
    typed = CALL | {"text": "orçamento", "day": "hoje", "hour": "16h", "recipient": paula.pk}
    assert desk.post(ADD, typed, headers=PARTIAL)["HX-Redirect"] == LIST
    memo = Memo.objects.get()
    assert (memo.name, memo.phone, memo.text) == ("Zilda Prestes", "+5581981231212", "orçamento")
    assert (memo.day, memo.hour, memo.recipient, memo.written_by) == (MONDAY, time(16), paula, rita)
    (row,) = rows(desk.get(LIST))
    for part in (
        "Zilda Prestes (81) 98123-1212",
        "orçamento",
        "hoje às 16:00",
        "para Paula",
        "anotado por Rita, 23/11",
    ):
        assert part in row
    assert 'href="tel:+55-81-98123-1212"' in desk.get(LIST).text


def test_the_clinics_area_code_completes_its_number(desk, clinic):
    clinic.area_code = "81"
    clinic.save()
    desk.post(ADD, CALL | {"phone": "98123-1212"})
    assert Memo.objects.get().phone == "+5581981231212"


def test_an_hour_without_a_date_is_of_today(desk):
    desk.post(ADD, CALL | {"hour": "16:00"})
    assert Memo.objects.get().day == MONDAY


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"kind": "call"}, {"name", "phone"}),
        ({"kind": "note"}, {"text"}),
        ({"kind": "other"}, {"kind", "text"}),
        (CALL | {"phone": "81 9812"}, {"phone"}),
        (CALL | {"phone": "x" * 5000}, {"phone"}),
        (CALL | {"name": "x" * 161}, {"name"}),
        (CALL | {"name": "a\x07b"}, {"name"}),
        ({"kind": "note", "text": "x" * 501}, {"text"}),
        ({"kind": "note", "text": "a\ufffdb"}, {"text"}),
        (CALL | {"day": "31/02"}, {"day"}),
        (CALL | {"day": "22/11/2026"}, {"day"}),
        (CALL | {"hour": "25"}, {"hour"}),
        (CALL | {"hour": "7:59"}, {"hour"}),
        (CALL | {"recipient": "999999"}, {"recipient"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field(desk, typed, wrong):
    answer = desk.post(ADD, typed, headers=PARTIAL)
    assert {field for field, _ in complaints(answer)} == wrong
    assert "autofocus" in answer.text and not Memo.objects.exists()


def test_of_another_clinic_nobody_is_the_recipient(desk):
    stranger = make_user(make_clinic())
    assert complaints(desk.post(ADD, CALL | {"recipient": stranger.pk}, headers=PARTIAL))


def test_a_note_has_no_caller_and_no_hour(desk):
    desk.post(ADD, CALL | {"kind": "note", "text": "ar-condicionado da sala 2", "hour": "16:00", "phone": "8"})
    memo = Memo.objects.get()
    assert (memo.name, memo.phone, memo.hour, memo.day) == ("", "", None, None)


def test_a_double_click_is_one_memo(desk):
    typed = CALL | {"key": uuid4()}
    for _ in range(2):
        assert desk.post(ADD, typed).status_code == 302
    assert Memo.objects.count() == 1


@pytest.mark.parametrize("about", ["paciente", "agendamento"])
@pytest.mark.parametrize("pk", ["0", "x", str(2**70)])
def test_about_nobody_there_is_no_form(desk, about, pk):
    assert desk.get(ADD, {about: pk}).status_code == 404
    assert desk.post(ADD, CALL | {about: pk}).status_code == 404


def test_about_another_clinics_patient_there_is_no_form(desk):
    visit = book_appointment()
    assert desk.get(ADD, {"paciente": visit.patient_id}).status_code == 404
    assert desk.post(ADD, CALL | {"agendamento": visit.pk}).status_code == 404
    assert not Memo.objects.exists()


@pytest.mark.parametrize(
    ("searched", "field", "value"),
    [("81 98123-1212", "phone", "81 98123-1212"), ("Zilda Prestes", "name", "Zilda Prestes")],
)
def test_a_search_that_finds_nobody_offers_a_memo(desk, searched, field, value):
    found = desk.post("/pacientes/", {"q": searched}, headers=PARTIAL).text
    assert f'formaction="{ADD}"' in found and "Anotar recado" in words(found)
    form = desk.post(ADD, {"begin": searched})
    assert form.status_code == 200 and f'name="{field}" value="{value}"' in form.text
    assert not Memo.objects.exists()


# The list -------------------------------------------------------------------------------------------------------------


def test_the_most_urgent_is_first_and_later_days_are_apart(desk, clinic):
    call(clinic, "Sem data")
    call(clinic, "De amanhã", day=MONDAY + timedelta(days=1), hour=time(9))
    call(clinic, "Das nove", day=MONDAY, hour=time(9))
    call(clinic, "De ontem", day=MONDAY - timedelta(days=1))
    call(clinic, "De hoje", day=MONDAY)
    answer = desk.get(LIST)
    assert [re.search(r"Sem data|D\w+ \w+", row)[0] for row in rows(answer)] == [
        "De ontem",
        "Das nove",
        "De hoje",
        "Sem data",
        "De amanhã",
    ]
    assert [words(part) for part in re.findall("<h2>.*?</h2>", answer.text)] == ["Para outro dia"]
    assert "amanhã às 09:00" in rows(answer)[-1]


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ((8, 59), None),
        ((9, 0), None),
        ((9, 35), "atrasado 35 min"),
        ((11, 10), "atrasado 2 h 10 min"),
        ((8, 0, 1), "atrasado 1 dia"),
        ((8, 0, 3), "atrasado 3 dias"),
    ],
)
def test_what_is_overdue_says_by_how_much(desk, clinic, clock, at, sentence):
    call(clinic, "Zilda", day=MONDAY, hour=time(9))
    clock(*at)
    (row,) = rows(desk.get(LIST))
    assert sentence in row if sentence else "atrasado" not in row


def test_of_a_day_without_an_hour_nothing_is_late_that_day(desk, clinic, clock):
    call(clinic, "Zilda", day=MONDAY)
    clock(20)
    assert "atrasado" not in rows(desk.get(LIST))[0]


def test_mine_are_those_for_me_and_for_anybody(desk, clinic, rita):
    for name, recipient in (("Eu", rita), ("Todos", None), ("Outra", make_user(clinic))):
        call(clinic, name, recipient_id=recipient and recipient.pk)
    assert [row.split()[0] for row in rows(desk.get(LIST))] == ["Eu", "Todos", "Outra"]
    mine = desk.get(LIST, {"meus": "1"})
    assert [row.split()[0] for row in rows(mine)] == ["Eu", "Todos"]
    assert f'hx-get="{LIST}?meus=1"' in mine.text


def test_the_empty_list_says_what_it_is_for(desk):
    assert "Nenhum recado aberto" in desk.get(LIST).text
    assert "Nada feito nos últimos 30 dias" in desk.get(LIST, {"feitos": "1"}).text


def test_the_list_costs_the_same_queries_for_one_and_three(desk, clinic, django_assert_num_queries):
    patient = make_patient(clinic)
    note(clinic, patient_id=patient.pk)
    desk.get(LIST)
    for _ in range(2):
        with django_assert_num_queries(3):  # session, memos, access log
            desk.get(LIST)
        note(clinic, patient_id=make_patient(clinic).pk)
        note(clinic, appointment_id=book_appointment(make_doctor(clinic)).pk)


def test_an_unchanged_list_is_a_304(desk, clinic, clock):
    call(clinic, "Zilda", day=MONDAY, hour=time(9))
    etag = desk.get(LIST, headers=PARTIAL)["ETag"]
    again = PARTIAL | {"If-None-Match": etag}
    assert desk.get(LIST, headers=again).status_code == 304
    assert desk.get(LIST, {"meus": "1"}, headers=again).status_code == 200
    clock(9, 5)
    assert desk.get(LIST, headers=again).status_code == 200


# Doing it -------------------------------------------------------------------------------------------------------------


def test_it_is_done_in_one_click_and_taken_back(desk, clinic, rita, clock):
    memo = call(clinic, "Zilda")
    clock(9, 30)
    answer = desk.post(reverse("web:memo-done", args=[memo.pk]), headers=PARTIAL)
    assert "Feito por Rita, 23/11 09:30" in rows(answer)[0] and answer["HX-Trigger"] == "refresh-number"
    memo.refresh_from_db()
    assert memo.done_by == rita
    undo = reverse("web:memo-undo", args=[memo.pk])
    assert undo in answer.text
    for unreadable in ({}, {"seen": "?"}):
        assert desk.post(undo, unreadable, headers=PARTIAL).status_code == 409
    (seen,) = re.findall(r'name="seen" value="([^"]+)" data-key="u"', answer.text)
    assert "Feito por" not in rows(desk.post(undo, {"seen": seen}, headers=PARTIAL))[0]
    memo.refresh_from_db()
    assert (memo.done_by, memo.done_at) == (None, None)


def test_what_was_done_again_is_not_taken_back_by_an_older_row(desk, clinic, clock):
    memo = call(clinic, "Zilda")
    answer = desk.post(reverse("web:memo-done", args=[memo.pk]), headers=PARTIAL)
    undo, shown = reverse("web:memo-undo", args=[memo.pk]), r'name="seen" value="([^"]+)" data-key="u"'
    (seen,) = re.findall(shown, answer.text)
    clock(9, 10)
    reopen_memo(memo.pk, clinic=clinic, seen=Memo.objects.get().done_at)
    finish_memo(memo.pk, clinic=clinic, by=make_user(clinic, name="Paula"))
    answer = desk.post(undo, {"seen": seen}, headers=PARTIAL)
    assert answer.status_code == 409 and "Paula já fez, em 23/11 09:10." in rows(answer)[0]
    assert Memo.objects.get().done_by.name == "Paula"
    (seen,) = re.findall(shown, answer.text)
    for kept in (seen, seen, "?"):  # nobody has done it: there is nothing to refuse
        assert desk.post(undo, {"seen": kept}, headers=PARTIAL).status_code == 200
        assert Memo.objects.get().done_at is None


def test_done_twice_the_second_reads_who_was_first(desk, clinic, clock):
    memo = call(clinic, "Zilda")
    clock(9, 10)
    finish_memo(memo.pk, clinic=clinic, by=make_user(clinic, name="Paula"))
    clock(9, 20)
    for _ in range(2):
        answer = desk.post(reverse("web:memo-done", args=[memo.pk]), headers=PARTIAL)
        assert answer.status_code == 409 and "Paula já fez, em 23/11 09:10." in rows(answer)[0]
    page = desk.post(reverse("web:memo-done", args=[memo.pk]), follow=True)
    assert "Paula já fez, em 23/11 09:10." in page.text


def test_a_double_click_on_done_keeps_the_first_instant(desk, clinic, clock):
    memo = call(clinic, "Zilda")
    clock(9, 10)
    desk.post(reverse("web:memo-done", args=[memo.pk]), headers=PARTIAL)
    clock(9, 11)
    answer = desk.post(reverse("web:memo-done", args=[memo.pk]), headers=PARTIAL)
    assert answer.status_code == 200 and "Feito por Rita, 23/11 09:10" in rows(answer)[0]


def test_what_was_done_stays_ten_minutes_and_then_is_under_done(desk, clinic, rita, clock):
    memo = call(clinic, "Zilda")
    clock(9)
    finish_memo(memo.pk, clinic=clinic, by=rita)
    clock(9, 9)
    assert len(rows(desk.get(LIST))) == 1
    clock(9, 10)
    assert not rows(desk.get(LIST)) and len(rows(desk.get(LIST, {"feitos": "1"}))) == 1


def test_what_was_done_is_listed_for_thirty_days(desk, clinic, rita, time_machine):
    memo = call(clinic, "Zilda")
    finish_memo(memo.pk, clinic=clinic, by=rita)
    for day, number in ((22, 1), (24, 0)):
        time_machine.move_to(f"2026-12-{day}T12:00:00Z", tick=False)
        desk.force_login(rita)
        assert len(rows(desk.get(LIST, {"feitos": "1"}))) == number


# Where they are shown -------------------------------------------------------------------------------------------------


def test_the_navigation_counts_what_is_due_for_the_reader(desk, clinic, rita):
    def number():
        return words(desk.get("/pendencias/numero/").text)

    assert number() == ""
    note(clinic), call(clinic, "Zilda", day=MONDAY, hour=time(18))
    call(clinic, "Para outra", recipient_id=make_user(clinic).pk)
    call(clinic, "Amanhã", day=MONDAY + timedelta(days=1))
    call(make_clinic(), "De outra clínica")
    finish_memo(note(clinic).pk, clinic=clinic, by=rita)
    assert number() == "(2 a fazer )"
    assert 'class="memo-number"' in desk.get("/agenda/").text


def test_a_day_shows_its_notes_and_costs_no_query_more(desk, clinic, rita, django_assert_num_queries):
    make_doctor(clinic), make_doctor(clinic)
    version = agenda.day(clinic, MONDAY, now=clinic.day(MONDAY)[0]).version
    memo = note(clinic, "Dra. Ana sai às 11h", by=rita, day=MONDAY)
    note(clinic, "de terça", day=MONDAY + timedelta(days=1)), note(make_clinic(), "de outra clínica", day=MONDAY)
    call(clinic, "Zilda", day=MONDAY)
    with django_assert_num_queries(4):
        day = agenda.day(clinic, MONDAY, now=clinic.day(MONDAY)[0])
    assert [tuple(one) for one in day.memos] == [(memo.pk, "Dra. Ana sai às 11h", "Rita")] and day.version != version
    assert "Dra. Ana sai às 11h Rita" in words(desk.get(f"/agenda/{MONDAY}/").text)
    finish_memo(memo.pk, clinic=clinic, by=rita)
    assert "Dra. Ana sai" not in desk.get(f"/agenda/{MONDAY}/").text


def test_many_notes_of_a_day_are_folded_cut_and_counted(desk, clinic):
    make_doctor(clinic)
    for number in range(6):
        note(clinic, f"{number} " + "x" * 300, day=MONDAY)
    page = desk.get(f"/agenda/{MONDAY}/").text
    assert "Mais de 5 recados para este dia" in words(page) and '<details class="day-memos"' in page
    assert page.count('href="/recados/#r') == 5 and "x" * 161 not in page


def test_a_patients_memo_is_on_the_card_and_in_both_panels(desk, clinic, rita):
    visit = book_appointment(make_doctor(clinic), starts_at=clinic.instant(MONDAY, time(15)))
    form = desk.get(ADD, {"paciente": visit.patient_id})
    assert visit.patient.name in form.text and f'name="paciente" value="{visit.patient_id}"' in form.text
    typed = {"kind": "note", "text": "Confirmar a alergia", "paciente": visit.patient_id}
    card = f"/pacientes/{visit.patient_id}/"
    assert desk.post(ADD, typed, headers=PARTIAL)["HX-Redirect"] == card
    asked = f"/agendamentos/novo/?paciente={visit.patient_id}"
    for address in (card, f"/agendamentos/{visit.pk}/", asked):
        assert "Confirmar a alergia Rita, 23/11 08:00" in words(desk.get(address).text), address
    finish_memo(Memo.objects.get().pk, clinic=clinic, by=rita)
    assert "Confirmar a alergia" not in desk.get(card).text


def test_an_appointments_memo_is_in_its_panel(desk, clinic):
    doctor = make_doctor(clinic)
    visit = book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(15)))
    other = book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(16)), patient=visit.patient_id)
    typed = {"kind": "note", "text": "Sala 3", "agendamento": visit.pk}
    assert desk.post(ADD, typed, headers=PARTIAL)["HX-Redirect"] == f"/agendamentos/{visit.pk}/"
    assert Memo.objects.values_list("appointment", "patient").get() == (visit.pk, None)
    assert "Sala 3" in desk.get(f"/agendamentos/{visit.pk}/").text
    assert "Sala 3" not in desk.get(f"/agendamentos/{other.pk}/").text
    assert f"{visit.patient.name} , 23/11 15:00" in rows(desk.get(LIST))[0]


def test_nobody_reads_the_memos_of_another_clinic(desk):
    other = make_clinic()
    memo = note(other, "segredo")
    assert "segredo" not in desk.get(LIST).text
    for name in ("memo-done", "memo-undo"):
        assert desk.post(reverse(f"web:{name}", args=[memo.pk]), headers=PARTIAL).status_code == 404


# What is written about a patient --------------------------------------------------------------------------------------


def test_who_read_a_memo_about_a_patient_is_logged(desk, clinic, rita):
    patient = make_patient(clinic)
    memo = note(clinic, patient_id=patient.pk)
    for send in (lambda: desk.get(LIST), lambda: desk.post(f"/recados/{memo.pk}/feito/", headers=PARTIAL)):
        send()
        row = PatientAccess.objects.latest("pk")
        assert (row.patient, row.user) == (patient, rita) and row.page.startswith("web:memo-")


def test_a_redaction_blanks_the_memos_about_the_patient(clinic, rita):
    doctor, patient = make_doctor(clinic), make_patient(clinic)
    past, ahead = (
        book_appointment(doctor, patient=patient.pk, starts_at=at, now=clinic.day(MONDAY - timedelta(days=9))[0])
        for at in (clinic.instant(MONDAY - timedelta(days=7), time(9)), clinic.instant(MONDAY, time(15)))
    )
    of_patient = call(clinic, "Mãe da Ana", text="resultado do HIV", patient_id=patient.pk)
    of_past = note(clinic, "resultado do HIV", appointment_id=past.pk)
    of_ahead, others = note(clinic, "HIV", appointment_id=ahead.pk), note(clinic, "outro assunto")
    redact_patient(patient.pk, clinic=clinic, by=Author(channel="browser", user=rita), reason="pedido do titular")
    stored = {memo.pk: (memo.name, memo.phone, memo.text) for memo in Memo.objects.all()}
    assert stored == {
        of_patient.pk: ("—", "", "—"),
        of_past.pk: ("", "", "—"),
        of_ahead.pk: ("", "", "HIV"),
        others.pk: ("", "", "outro assunto"),
    }


def test_no_address_of_a_memo_holds_what_was_written(desk):
    assert desk.post(ADD, CALL | {"text": "orçamento"})["Location"] == LIST
    assert desk.post(ADD, CALL | {"text": "orçamento"}, headers=PARTIAL)["HX-Redirect"] == LIST
