"""A doctor who is late: recorded from the column's head, seen on the day and in the panels, and nothing is moved."""

import re
from datetime import date, datetime

import pytest
from django.urls import reverse
from django.utils.translation import override

from clinic.models import Appointment, Clinic, ClinicEvent, Delay, StaffUser
from clinic.queries.history import sentence_of_clinic
from tests.days import shown
from tests.factories import book_appointment, make_clinic, make_doctor, make_manager, make_user
from tests.managed import url

pytestmark = pytest.mark.django_db

RECORD = reverse("web:absence-delay")
TODAY, TOMORROW = date(2026, 11, 30), date(2026, 12, 1)
PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def clinic(time_machine):
    """On a Monday at ten in Recife."""
    time_machine.move_to("2026-11-30T13:00:00Z", tick=False)
    return make_clinic()


@pytest.fixture
def recorder(clinic):
    return make_user(clinic, may_record_absence=True)


@pytest.fixture
def desk(client, recorder):
    client.force_login(recorder)
    return client


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Ana Prado")


def typed(doctor, *, seen=0, **fields):
    return {"doctor": doctor.pk, "day": "30/11/2026", "minutes": "30", "seen": f"{doctor.pk}:{seen}"} | fields


def page_of(client, day=TODAY):
    return " ".join(client.get(reverse("web:agenda-day", args=[day])).text.split())


def stored():
    return list(Delay.objects.values_list("doctor__name", "day", "minutes"))


def test_a_recorded_delay_stands_in_the_head_and_moves_nothing(desk, clinic, doctor, recorder):
    visit = book_appointment(doctor, starts_at=datetime(2026, 11, 30, 14, tzinfo=clinic.zone))
    answer = desk.post(RECORD, typed(doctor), headers=PARTIAL)
    assert (answer.status_code, answer["HX-Trigger"]) == (200, "refresh-day")
    assert "Dra. Ana Prado: atraso de 30 min registrado." in answer.text
    assert stored() == [("Ana Prado", TODAY, 30)]
    assert Delay.objects.get().recorded_by == recorder
    assert Appointment.objects.get().starts_at == visit.starts_at
    page = page_of(desk)
    assert '<span aria-hidden="true">+30 min</span><span class="hidden-text">atraso de 30 min</span>' in page
    assert "Dra. Ana Prado <b>+30 min</b>" in page


def test_another_day_shows_none_of_it(desk, doctor):
    desk.post(RECORD, typed(doctor))
    assert "+30 min" not in page_of(desk, TOMORROW)


def test_a_second_one_takes_the_place_of_the_first(desk, clinic, doctor):
    desk.post(RECORD, typed(doctor))
    desk.force_login(manager := make_manager(clinic))
    desk.post(RECORD, typed(doctor, minutes="45", seen=30))
    assert stored() == [("Ana Prado", TODAY, 45)]
    assert Delay.objects.get().recorded_by == manager


@pytest.mark.parametrize("fields", [{"minutes": "0"}, {"minutes": "", "none": "1"}, {"none": "1"}])
def test_nought_and_a_button_take_it_away(desk, doctor, fields):
    desk.post(RECORD, typed(doctor))
    assert "Dra. Ana Prado: sem atraso." in desk.post(RECORD, typed(doctor, seen=30, **fields), headers=PARTIAL).text
    assert stored() == []


@pytest.fixture
def colleague(clinic):
    return make_manager(clinic, name="Rui Alves")


def test_another_one_of_a_colleague_is_not_overwritten(desk, client, colleague, doctor):
    client.force_login(colleague)
    client.post(RECORD, typed(doctor, minutes="20"))
    desk.force_login(make_user(doctor.clinic, may_record_absence=True))
    answer = desk.post(RECORD, typed(doctor, minutes="45"), headers=PARTIAL)
    assert (answer.status_code, answer["HX-Trigger"]) == (409, "refresh-day")
    sentence = "Dra. Ana Prado: já há um atraso de 20 min, que Rui Alves registrou em 30/11 10:00."
    assert sentence in answer.text
    assert stored() == [("Ana Prado", TODAY, 20)]
    seen = re.search(r'name="seen" value="([^"]*)"', answer.text)[1]
    assert desk.post(RECORD, typed(doctor, minutes="45") | {"seen": seen}, headers=PARTIAL).status_code == 200
    assert stored() == [("Ana Prado", TODAY, 45)]


def test_one_that_was_taken_away_meanwhile_is_not_changed(desk, doctor):
    answer = desk.post(RECORD, typed(doctor, minutes="45", seen=30), headers=PARTIAL)
    assert answer.status_code == 409
    assert "Dra. Ana Prado: o atraso foi retirado depois do que você viu." in answer.text
    assert stored() == []


@pytest.mark.parametrize("seen", ["", "x", "30", "{pk}:", "{pk}:x", "{other}:30"])
def test_an_unreadable_seen_counts_as_none(desk, clinic, doctor, seen):
    desk.post(RECORD, typed(doctor))
    seen = seen.format(pk=doctor.pk, other=make_doctor(clinic).pk)
    assert desk.post(RECORD, typed(doctor, minutes="45") | {"seen": seen}, headers=PARTIAL).status_code == 409


def test_the_same_one_sent_twice_is_recorded_once(desk, doctor):
    for _ in range(2):
        assert desk.post(RECORD, typed(doctor), headers=PARTIAL).status_code == 200
    assert len(events()) == 1


def test_the_page_sends_the_delays_that_it_shows(desk, clinic, doctor):
    desk.post(RECORD, typed(doctor))
    assert f'name="seen" value="{doctor.pk}:30 "' in page_of(desk)
    assert 'name="seen" value=""' in page_of(desk, TOMORROW)


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"minutes": ""}, "Informe o atraso em minutos: de 0 a 480."),
    ({"minutes": "-5"}, "Informe o atraso em minutos: de 0 a 480."),
    ({"minutes": "481"}, "Informe o atraso em minutos: de 0 a 480."),
    ({"minutes": "9" * 400}, "Informe o atraso em minutos: de 0 a 480."),
    ({"minutes": "meia hora"}, "Informe o atraso em minutos: de 0 a 480."),
    ({"doctor": ""}, "Escolha o médico ou a médica."),
    ({"doctor": "9" * 40}, "Este profissional não atende mais aqui."),
    ({"day": "29/11/2026"}, "Este dia já passou."),
    ({"day": "30/11/2028"}, "Este dia está longe demais. Abra a agenda de hoje ou de amanhã"),
    ({"day": "31/12/2099"}, "Este dia está longe demais."),
    ({"day": "31/02"}, "Esta data não existe."),
])  # fmt: skip
def test_what_cannot_be_recorded(desk, doctor, fields, sentence):
    answer = desk.post(RECORD, typed(doctor) | fields, headers=PARTIAL)
    assert (answer.status_code, answer["HX-Reswap"]) == (422, "none")
    assert sentence in answer.text
    assert "HX-Trigger" not in answer.headers
    assert stored() == []


def test_the_last_day_that_can_be_booked_is_taken(desk, doctor):
    assert desk.post(RECORD, typed(doctor, day="29/11/2028"), headers=PARTIAL).status_code == 200


def test_another_clinics_doctor_is_unknown(desk):
    assert desk.post(RECORD, typed(make_doctor()), headers=PARTIAL).status_code == 422
    assert stored() == []


def test_without_script_the_day_comes_back(desk, doctor):
    answer = desk.post(RECORD, typed(doctor, day="01/12/2026"), follow=True)
    assert answer.redirect_chain == [(reverse("web:agenda-day", args=[TOMORROW]), 302)]
    assert "Dra. Ana Prado: atraso de 30 min registrado." in answer.text


def test_only_with_the_permission(client, clinic, doctor):
    client.force_login(make_user(clinic))
    assert client.post(RECORD, typed(doctor)).status_code == 403
    assert 'id="delay"' not in page_of(client)
    assert stored() == []


def test_a_permission_taken_away_a_minute_ago(desk, doctor, recorder):
    assert 'id="delay"' in page_of(desk)
    StaffUser.objects.filter(pk=recorder.pk).update(may_record_absence=False)
    assert desk.post(RECORD, typed(doctor)).status_code == 403


def test_it_is_recorded_for_today_and_tomorrow(desk, doctor):
    heads = [f"delay-of-{doctor.pk}" in page_of(desk, day) for day in (TODAY, TOMORROW, date(2026, 12, 2))]
    assert heads == [True, True, False]


def test_the_day_asks_no_query_more_for_it(clinic, doctor, recorder, django_assert_num_queries):
    Delay.objects.create(clinic=clinic, doctor=doctor, day=TODAY, minutes=30, recorded_by=recorder)
    with django_assert_num_queries(4):
        (column,) = shown(clinic, on=TODAY).columns
    assert column.delay == 30


def test_a_delay_is_a_change_of_the_day(clinic, doctor, recorder):
    before = shown(clinic, on=TODAY).version
    Delay.objects.create(clinic=clinic, doctor=doctor, day=TODAY, minutes=30, recorded_by=recorder)
    assert shown(clinic, on=TODAY).version != before


def test_both_panels_say_it(desk, clinic, doctor):
    visit = book_appointment(doctor, starts_at=datetime(2026, 11, 30, 14, tzinfo=clinic.zone))
    detail, book = (reverse("web:appointment-detail", args=[visit.pk]), reverse("web:appointment-book"))
    asked = {"medico": doctor.pk, "data": "2026-11-30"}
    assert "min de atraso" not in desk.get(detail).text + desk.get(book, asked).text
    desk.post(RECORD, typed(doctor))
    sentence = "A Dra. Ana Prado está com 30 min de atraso."
    assert sentence in desk.get(detail).text
    assert sentence in desk.get(book, asked).text
    assert sentence in desk.get(reverse("web:appointment-reschedule", args=[visit.pk])).text
    assert "min de atraso" not in desk.get(book, asked | {"data": "2026-12-02"}).text


def test_of_tomorrow_it_was_announced(desk, doctor):
    desk.post(RECORD, typed(doctor, day="01/12/2026"))
    asked = {"medico": doctor.pk, "data": "2026-12-01"}
    page = desk.get(reverse("web:appointment-book"), asked).text
    assert "A Dra. Ana Prado avisou atraso de 30 min nesse dia." in page


def events():
    return list(ClinicEvent.objects.select_related("clinic", "user").order_by("pk"))


def test_every_change_leaves_an_event_with_its_author(desk, clinic, doctor, recorder):
    for seen, minutes in ((0, 30), (30, 45), (45, 45), (45, 0), (0, 0)):
        desk.post(RECORD, typed(doctor, seen=seen, minutes=minutes))
    assert {(event.user, event.channel) for event in events()} == {(recorder, "browser")}
    assert [sentence_of_clinic(event) for event in events()] == [
        "Atraso registrado: Dra. Ana Prado, 30 min em 30/11/2026.",
        "Atraso alterado: Dra. Ana Prado, de 30 para 45 min em 30/11/2026.",
        "Atraso desfeito: Dra. Ana Prado, 45 min em 30/11/2026.",
    ]
    with override("pt-pt"):
        assert sentence_of_clinic(events()[0]) == "Atraso registado: Dra. Ana Prado, 30 min em 30/11/2026."
        assert sentence_of_clinic(events()[2]) == "Atraso anulado: Dra. Ana Prado, 45 min em 30/11/2026."


def test_the_event_stands_in_the_clinics_history(desk, client, clinic, doctor):
    desk.post(RECORD, typed(doctor))
    client.force_login(make_manager(clinic))
    page = client.get(url(Clinic, "change", clinic.pk)).text
    assert "Atraso registrado: Dra. Ana Prado, 30 min em 30/11/2026." in page
