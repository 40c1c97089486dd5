"""The pages of a series: repeating an appointment, its sessions, moving and cancelling several."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic import booking
from clinic.models import Absence, Appointment, Series
from clinic.schedule import MAX_DATES, bookable_dates
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
    next_monday,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
BOX = re.compile(r'type="checkbox" id="[^"]+" name="(when-[^"]+)" value="([^"]*)"( checked)?')
SHOWN = re.compile(r'name="shown" value="([^"]+)"')
OPTION = re.compile(r'type="radio" name="when-[^"]+" value="(\d{4}-[^"]+)"')
KEY = re.compile(r'name="key" value="([^"]+)"')
SEEN = re.compile(r'name="seen" value="([^"]*)"')
BY = booking.Author(channel="command", credential="x")


@pytest.fixture
def doctor(client):
    clinic = make_clinic()
    client.force_login(make_user(clinic))
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[make_procedure(clinic, name="Fisioterapia")])


@pytest.fixture
def first(doctor):
    patient = make_patient(doctor.clinic, name="Maria Souza")
    return book_appointment(doctor, patient=patient.pk)


def week(doctor, number, hour=9):
    return next_monday(doctor.clinic, hour) + timedelta(weeks=number)


def asked(**changes):
    fields = {"every": "1", "unit": "week", "weekdays": "1", "starts": "09:00", "count": "4", "until": ""}
    return fields | changes


def look(client, appointment, **typed):
    return client.post(address(appointment), asked(**typed)).text


def address(appointment):
    return reverse("web:series-add", args=[appointment.pk])


def sent(text, **changes):
    """What a browser sends of the boxes that are ticked on the page."""
    boxes = {name: value for name, value, ticked in BOX.findall(text) if ticked}
    hidden = {"shown": SHOWN.findall(text), "key": KEY.search(text)[1], "seen": unescape(SEEN.search(text)[1])}
    return asked() | hidden | {"save": "1"} | boxes | changes


def book(client, appointment, text, **changes):
    return client.post(address(appointment), sent(text, **changes), headers=HTMX)


def series_of(client, first):
    book(client, first, look(client, first))
    return Series.objects.get()


def path(series, name="detail"):
    return reverse(f"web:series-{name}", args=[series.pk])


def test_the_page_opens_with_every_week_at_the_same_hour(client, first):
    answer = client.get(address(first))
    assert "no-store" in answer["Cache-Control"]
    assert "9 datas, todas livres" in answer.text and len(SHOWN.findall(answer.text)) == 9
    assert "Agendar as selecionadas" in answer.text and "Maria Souza" in answer.text


def test_the_ticked_dates_are_booked_and_the_sessions_shown(client, first, doctor):
    text = look(client, first)
    answer = book(client, first, text)
    series = Series.objects.get()
    assert answer["HX-Redirect"] == path(series)
    assert [session.starts_at for session in series.sessions.order_by("pk")] == [week(doctor, n) for n in range(4)]
    page = client.get(path(series)).text
    assert "3 sessões agendadas." in page and "4 sessões" in page
    # The same form once more books nothing.
    assert book(client, first, text)["HX-Redirect"] == path(series)
    assert Appointment.objects.count() == 4


def test_an_unticked_date_is_left_out_and_can_be_added_later(client, first, doctor):
    text = look(client, first)
    boxes = sent(text)
    del boxes[f"when-{SHOWN.findall(text)[1]}"]
    client.post(address(first), boxes)
    series = Series.objects.get()
    assert series.sessions.count() == 3
    page = client.get(path(series)).text
    day = doctor.clinic.local(week(doctor, 2))
    assert "Ficaram de fora:" in page and f"{day:%d/%m}</span>." in page and address(first) in page
    more = client.get(address(first)).text
    assert "Acrescentar sessões" in more and SHOWN.findall(more) == [f"{day:%Y-%m-%dT%H:%M}"]
    book(client, first, more)
    assert series.sessions.count() == 4
    assert "Ficaram de fora:" not in client.get(path(series)).text


def test_a_series_is_continued_after_its_last_session(client, first, doctor):
    series = series_of(client, first)
    last = series.sessions.latest("starts_at")
    assert address(last) in client.get(path(series)).text
    text = look(client, last, count="6")
    assert "Já são 4 sessões." in text and len(SHOWN.findall(text)) == 2
    book(client, last, text, count="6")
    assert series.sessions.latest("starts_at").starts_at == week(doctor, 5)


def test_a_moved_session_is_not_called_left_out(client, first, doctor):
    series = series_of(client, first)
    second = series.sessions.order_by("starts_at")[1]
    Appointment.objects.filter(pk=second.pk).update(
        starts_at=second.starts_at + timedelta(days=1), ends_at=second.ends_at + timedelta(days=1)
    )
    assert "Ficaram de fora:" not in client.get(path(series)).text


def move_to(sessions, days=0, hours=0):
    """Move them in the database by so many days and hours."""
    for session in sessions:
        by = timedelta(days=days, hours=hours)
        times = {"starts_at": session.starts_at + by, "ends_at": session.ends_at + by}
        Appointment.objects.filter(pk=session.pk).update(**times)


def left_out(client, series):
    _before, _words, after = client.get(path(series)).text.partition("Ficaram de fora:")
    return re.findall(r"(\d\d/\d\d)</span>", after)


def test_a_series_on_another_weekday_leaves_no_date_out(client, first, doctor):
    series = series_of(client, first)
    sessions = list(series.sessions.order_by("starts_at"))
    move_to(sessions[1:], days=1, hours=2)
    assert left_out(client, series) == []
    series.sessions.filter(pk=sessions[2].pk).update(status="cancelled", cancelled_by="clinic")
    assert left_out(client, series) == [f"{doctor.clinic.local(sessions[2].starts_at):%d/%m}"]


def test_sessions_added_by_another_rule_leave_no_date_out(client, first):
    typed = {"unit": "day", "count": "4"}
    book(client, first, look(client, first, **typed), **typed)
    series = Series.objects.get()
    last = series.sessions.latest("starts_at")
    book(client, last, look(client, last, count="8"), count="8")
    assert series.sessions.count() == 8
    assert left_out(client, series) == []


def test_a_session_every_fortnight_may_move_by_a_day(client, first, doctor):
    typed = {"every": "14", "unit": "day"}
    book(client, first, look(client, first, **typed), **typed)
    series = Series.objects.get()
    sessions = list(series.sessions.order_by("starts_at"))
    move_to(sessions[1:2], days=-1)
    assert left_out(client, series) == []
    series.sessions.filter(pk=sessions[2].pk).update(status="cancelled", cancelled_by="clinic")
    assert left_out(client, series) == [f"{doctor.clinic.local(sessions[2].starts_at):%d/%m}"]


def opened(client, appointment):
    """The fields as the page opens."""
    text = client.get(address(appointment)).text
    field = {name: re.search(rf'name="{name}" value="([^"]*)"', text)[1] for name in ("starts", "count", "until")}
    weekdays = re.findall(r'name="weekdays" value="(\d)" checked', text)
    return field | {"weekdays": weekdays, "dates": SHOWN.findall(text)}


def test_sessions_are_added_where_the_coming_ones_are_by_now(client, first, doctor):
    series = series_of(client, first)
    sessions = list(series.sessions.order_by("starts_at"))
    move_to(sessions[1:], days=1, hours=2)
    fields = opened(client, sessions[-1])
    assert (fields["weekdays"], fields["starts"]) == (["2"], "11:00")
    # One that was moved by itself is no rule.
    move_to(sessions[1:])
    move_to(sessions[2:3], days=2, hours=3)
    fields = opened(client, sessions[-1])
    assert (fields["weekdays"], fields["starts"]) == (["1"], "09:00")


def test_weekdays_of_which_one_has_no_session_left_stay(client, first):
    typed = {"weekdays": ["1", "3"], "count": "2"}
    book(client, first, look(client, first, **typed), **typed)
    series = Series.objects.get()
    series.sessions.exclude(pk=first.pk).update(status="cancelled", cancelled_by="clinic")
    assert opened(client, first)["weekdays"] == ["1", "3"]


def test_a_series_until_a_day_is_completed_until_it(client, first, doctor):
    until = {"until": f"{doctor.clinic.local(week(doctor, 5)):%d/%m/%Y}", "count": ""}
    text = look(client, first, **until)
    boxes = sent(text, **until)
    for key in SHOWN.findall(text)[1:3]:
        del boxes[f"when-{key}"]
    client.post(address(first), boxes)
    fields = opened(client, first)
    assert fields["until"] == until["until"] and len(fields["dates"]) == 2
    # After the last there is none until then: one more is offered.
    fields = opened(client, Series.objects.get().sessions.latest("starts_at"))
    assert fields["until"] == "" and len(fields["dates"]) == 1


def test_a_taken_date_says_why_and_what_is_free_instead(client, first, doctor):
    book_appointment(doctor, starts_at=week(doctor, 2))
    text = look(client, first)
    assert "3 datas: 2 livres, 1 não" in text
    assert "O horário das 09:00 da Dra. Helena Prado já está ocupado." in text
    instead = OPTION.findall(text)
    assert len(instead) == 3
    key = SHOWN.findall(text)[1]
    book(client, first, text, **{f"when-{key}": instead[0]})
    starts = set(Series.objects.get().sessions.values_list("starts_at", flat=True))
    assert len(starts) == 4 and instead[0] in {starts_at.isoformat() for starts_at in starts}


def test_a_date_taken_meanwhile_is_named_and_nothing_is_lost(client, first, doctor):
    text = look(client, first)
    book_appointment(doctor, starts_at=week(doctor, 3))
    answer = book(client, first, text, count="4")
    assert answer.status_code == 409 and not Series.objects.exists()
    day = doctor.clinic.local(week(doctor, 3))
    assert f"{day:%d/%m/%Y} 09:00: O horário das 09:00 da Dra. Helena Prado já está ocupado. Nada foi" in answer.text
    assert len([1 for _name, _value, ticked in BOX.findall(answer.text) if ticked]) == 2


def test_dates_that_were_not_shown_are_not_booked(client, first):
    text = look(client, first)
    answer = book(client, first, text, count="9")
    assert answer.status_code == 409 and "As datas mudaram." in answer.text
    assert Appointment.objects.count() == 1


def test_an_appointment_changed_meanwhile_is_not_repeated(client, first, doctor):
    text = look(client, first)
    to = {"doctor": doctor.pk, "starts_at": week(doctor, 0, 11)}
    booking.reschedule(first.pk, clinic=doctor.clinic, by=BY, **to)
    answer = book(client, first, text, count="4")
    assert answer.status_code == 409 and "Este agendamento foi alterado depois do que você viu." in answer.text
    assert not Series.objects.exists() and 'name="count" value="4"' in answer.text
    # What is shown now can be repeated.
    assert "HX-Redirect" in book(client, first, answer.text)


def test_a_cancelled_appointment_cannot_be_repeated(client, first):
    booking.change_status(first.pk, "cancelled", clinic=first.clinic, cancelled_by="clinic", by=BY)
    assert "Repetir…" not in client.get(reverse("web:appointment-detail", args=[first.pk])).text
    answer = client.get(address(first))
    assert answer.status_code == 409
    assert "Um agendamento “Cancelado” não pode ser repetido." in answer.text


def test_a_series_that_is_all_cancelled_is_not_continued(client, first):
    series = series_of(client, first)
    series.sessions.update(status="cancelled", cancelled_by="clinic")
    assert "Acrescentar sessões" not in client.get(path(series)).text


def test_a_box_that_was_unticked_stays_so_in_the_next_look(client, first):
    shown = SHOWN.findall(look(client, first))
    text = look(client, first, shown=shown, count="5", **{f"when-{shown[0]}": "x"})
    assert [bool(ticked) for _name, _value, ticked in BOX.findall(text)] == [True, False, False, True]


def test_nothing_ticked_is_said(client, first):
    shown = SHOWN.findall(look(client, first))
    answer = client.post(address(first), asked(shown=shown, save="1"), headers=HTMX)
    assert answer.status_code == 409 and "Selecione pelo menos uma data." in answer.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"every": "0"}, "Use de 1 a 52."),
        ({"every": "x"}, "Use de 1 a 52."),
        ({"every": "53"}, "Use de 1 a 52."),
        ({"weekdays": []}, "Selecione pelo menos um dia da semana."),
        ({"weekdays": "8"}, "8"),
        ({"starts": ""}, "Escreva o horário das sessões."),
        ({"starts": "25"}, "Este horário não existe."),
        ({"count": ""}, "Diga quantas sessões, ou até que dia."),
        ({"count": "1"}, f"Use de 2 a {MAX_DATES + 1}."),
        ({"count": f"{MAX_DATES + 2}"}, f"Use de 2 a {MAX_DATES + 1}."),
        ({"count": "9" * 30}, f"Use de 2 a {MAX_DATES + 1}."),
        ({"until": "01/01/2020"}, "Escolha um dia depois desta sessão"),
        ({"until": "30/02/2027"}, "Esta data não existe."),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(client, first, typed, sentence):
    answer = client.post(address(first), asked(save="1", **typed), headers=HTMX)
    assert answer.status_code == 422 and sentence in answer.text
    assert "Agendar as selecionadas" not in answer.text and Appointment.objects.count() == 1


def test_the_last_day_goes_before_the_number(client, first, doctor):
    until = doctor.clinic.local(week(doctor, 2))
    assert len(SHOWN.findall(look(client, first, count="40", until=f"{until:%d/%m/%Y}"))) == 2


def test_the_end_of_two_years_is_said(client, first, doctor):
    last = bookable_dates(doctor.clinic, timezone.now())[1]
    text = look(client, first, every="52", count="9")
    assert f"Faltam datas: de uma vez são no máximo {MAX_DATES}, e até {last:%d/%m/%Y}." in text


def test_a_card_that_expires_before_the_last_date_is_named(client, doctor):
    payer = make_payer(doctor.clinic)
    expires = doctor.clinic.local(week(doctor, 2)).date()
    patient = make_patient(doctor.clinic, payer=payer, card_number="12", card_expires_on=expires)
    visit = book_appointment(doctor, patient=patient.pk, payer=booking.PayerWish(payer.pk))
    assert f"A carteira vence em {expires:%d/%m/%Y}, antes da última data." in look(client, visit)
    assert "A carteira vence" not in look(client, visit, count="3")


def test_an_absence_over_all_dates_leaves_nothing_to_tick(client, first, doctor):
    away = {"starts_at": week(doctor, 1, 0), "ends_at": week(doctor, 20)}
    Absence.objects.create(clinic=doctor.clinic, doctor=doctor, reason="licença", **away)
    text = look(client, first)
    assert "3 datas: 0 livres, 3 não" in text and text.count("por ausência: licença") == 3
    assert BOX.findall(text) == []


def test_a_time_that_clocks_skip_is_said(client, time_machine):
    time_machine.move_to("2027-03-20T12:00:00Z", tick=False)
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    night = make_doctor(clinic, days=range(1, 8), hours=[(timezone.datetime.min.time(), timezone.datetime.min.time())])
    sunday = timezone.datetime(2027, 3, 21, 1, 30, tzinfo=clinic.zone)
    visit = book_appointment(night, starts_at=sunday)
    text = look(client, visit, weekdays="7", starts="01:30", count="3")
    assert "Esta hora não existe nesse dia" in text and len(BOX.findall(text)) == 1


def test_the_panel_books_and_goes_on_to_repeat(client, doctor):
    patient = make_patient(doctor.clinic)
    local = doctor.clinic.local(next_monday(doctor.clinic))
    typed = {"doctor": doctor.pk, "patient": patient.pk, "procedure": doctor.procedures.get().pk, "discount": ""}
    typed |= {"date": f"{local:%d/%m/%Y}", "starts": "09:00", "repeat": "1"}
    panel = client.get(reverse("web:appointment-book")).text
    assert "Agendar e repetir…" in panel
    answer = client.post(reverse("web:appointment-book"), typed, headers=HTMX)
    assert answer["HX-Redirect"] == address(Appointment.objects.get())
    assert "Agendado." in client.get(answer["HX-Redirect"]).text


def test_an_appointment_says_which_session_it_is(client, first):
    series = series_of(client, first)
    second = series.sessions.order_by("starts_at")[1]
    text = client.get(reverse("web:appointment-detail", args=[second.pk])).text
    assert "Sessão 2 de 4" in text and f"{path(series)}?de={second.pk}" in text
    assert "anterior:" in text and "seguinte:" in text and "Repetir…" not in text
    assert (
        "Repetir…"
        in client.get(
            reverse(
                "web:appointment-detail", args=[book_appointment(first.doctor, starts_at=week(first.doctor, 0, 14)).pk]
            )
        ).text
    )


def ticked(text):
    return [int(pk) for pk in re.findall(r'name="session" value="(\d+)" checked', text)]


def test_the_page_ticks_this_and_the_following_or_only_this(client, first):
    series = series_of(client, first)
    ids = list(series.sessions.order_by("starts_at").values_list("pk", flat=True))
    assert ticked(client.get(path(series)).text) == ids
    assert ticked(client.get(path(series), {"de": ids[2]}).text) == ids[2:]
    assert ticked(client.get(path(series), {"so": ids[2], "de": ids[2]}).text) == [ids[2]]
    assert ticked(client.get(path(series), {"so": "x", "de": "0"}).text) == ids


def posted(series, chosen, **fields):
    seen = {f"seen-{session.pk}": booking.state(session) for session in chosen}
    places = {f"place-{session.pk}": booking.place(session) for session in chosen}
    return {"session": [session.pk for session in chosen]} | seen | places | fields


def test_this_and_the_following_are_cancelled(client, first):
    series = series_of(client, first)
    chosen = series.sessions.order_by("starts_at")[2:]
    answer = client.post(path(series), posted(series, chosen, cancelled_by="patient", reason="viajou"), follow=True)
    assert "2 sessões canceladas." in answer.text and "2 sessões" in answer.text
    assert series.sessions.filter(status="cancelled", cancel_reason="viajou").count() == 2


def test_a_cancellation_without_its_author_keeps_what_was_typed(client, first):
    series = series_of(client, first)
    chosen = series.sessions.order_by("starts_at")[2:]
    answer = client.post(path(series), posted(series, chosen, reason="viajou"))
    assert answer.status_code == 422 and "Diga quem cancelou" in answer.text
    assert 'value="viajou"' in answer.text and ticked(answer.text) == [session.pk for session in chosen]
    assert not series.sessions.filter(status="cancelled").exists()
    answer = client.post(path(series), {"cancelled_by": "patient"})
    assert answer.status_code == 422 and "Selecione pelo menos uma sessão." in answer.text


def test_a_session_changed_meanwhile_leaves_all_standing(client, first):
    series = series_of(client, first)
    chosen = list(series.sessions.order_by("starts_at")[2:])
    fields = posted(series, chosen, cancelled_by="clinic")
    booking.change_status(chosen[1].pk, "confirmed", clinic=series.clinic, by=BY)
    answer = client.post(path(series), fields)
    assert answer.status_code == 409 and "Nada foi cancelado." in answer.text
    assert not series.sessions.filter(status="cancelled").exists()


def test_another_appointment_is_no_session_of_it(client, first, doctor):
    series = series_of(client, first)
    other = book_appointment(doctor, starts_at=week(doctor, 0, 14))
    assert client.post(path(series), posted(series, [other], cancelled_by="clinic")).status_code == 404
    other.refresh_from_db()
    assert other.status == "scheduled"


def test_this_and_the_following_are_moved(client, first, doctor):
    series = series_of(client, first)
    chosen = list(series.sessions.order_by("starts_at")[1:])
    look_at = client.post(path(series, "move"), posted(series, chosen), headers=HTMX).text
    assert look_at.count("Já é este o horário.") == 3
    fields = posted(series, chosen, weekday="2", starts="10:00")
    text = client.post(path(series, "move"), fields, headers=HTMX).text
    assert "3 datas, todas livres" in text
    boxes = {name: value for name, value, on in BOX.findall(text) if on}
    answer = client.post(path(series, "move"), fields | boxes | {"shown": SHOWN.findall(text), "save": "1"})
    assert answer.status_code == 302
    starts = list(series.sessions.order_by("starts_at").values_list("starts_at", flat=True))
    assert starts[1:] == [week(doctor, number, 10) + timedelta(days=1) for number in (1, 2, 3)]
    assert starts[0] == first.starts_at


def test_a_wrong_hour_of_a_move_has_the_focus(client, first):
    series = series_of(client, first)
    fields = posted(series, list(series.sessions.all()), starts="25", save="1")
    answer = client.post(path(series, "move"), fields, headers=HTMX)
    assert answer.status_code == 422
    assert re.search(r'name="starts"[^>]*autofocus', answer.text)


def test_a_move_to_a_taken_time_moves_nothing(client, first, doctor):
    series = series_of(client, first)
    chosen = list(series.sessions.order_by("starts_at")[1:])
    fields = posted(series, chosen, starts="10:00")
    text = client.post(path(series, "move"), fields, headers=HTMX).text
    boxes = {name: value for name, value, on in BOX.findall(text) if on}
    book_appointment(doctor, starts_at=week(doctor, 2, 10))
    fields |= boxes | {"shown": SHOWN.findall(text), "save": "1"}
    answer = client.post(path(series, "move"), fields, headers=HTMX)
    assert answer.status_code == 409 and "Nada foi remarcado." in answer.text
    starts = list(series.sessions.order_by("starts_at").values_list("starts_at", flat=True))
    assert starts == [week(doctor, number) for number in range(4)]


@pytest.mark.parametrize("button", [{}, {"save": "1"}])
def test_a_move_of_sessions_cancelled_meanwhile_stays_a_form(client, first, button):
    series = series_of(client, first)
    fields = posted(series, list(series.sessions.all()), starts="10:00")
    series.sessions.update(status="cancelled", cancelled_by="clinic")
    text = client.post(path(series, "move"), fields | button, headers=HTMX).text
    assert "Nenhuma das sessões selecionadas está mais por vir" in text and "<html" not in text
    page = client.post(path(series, "move"), fields | button)
    assert page.status_code == 409 and "Nenhuma das sessões selecionadas está mais por vir" in page.text
    again = re.findall(r'name="session" value="(\d+)"', page.text)
    text = client.post(path(series, "move"), fields | button | {"session": again}, headers=HTMX).text
    assert "Nenhuma das sessões selecionadas está mais por vir" in text


def test_sessions_that_are_over_cannot_be_moved(client, first):
    series = series_of(client, first)
    series.sessions.update(status="finished")
    answer = client.get(path(series, "move"))
    assert answer.status_code == 422 and "Selecione pelo menos uma sessão." in answer.text
