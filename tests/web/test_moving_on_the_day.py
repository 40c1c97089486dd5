"""What the day asks and posts when an appointment is moved on it."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from clinic.booking import change_status, reschedule
from clinic.models import Appointment
from tests.booking.desk import BY
from tests.factories import book_appointment, make_doctor, make_procedure

PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado")


@pytest.fixture
def appointment(doctor):
    return book_appointment(doctor)


def address(appointment):
    return reverse("web:appointment-move", args=[appointment.pk])


def monday(appointment):
    return appointment.clinic.local(appointment.starts_at).date()


def place(appointment, at="09:00"):
    return f"{appointment.doctor_id}|{monday(appointment)}|{at}"


def drop(desk, appointment, at, **fields):
    posted = {"move": "1", "doctor": appointment.doctor_id, "date": monday(appointment).isoformat(), "starts": at}
    posted |= {"place": place(appointment)} | fields
    return desk.post(address(appointment), posted, headers=PARTIAL)


def times_of(doctor, text):
    """The free times of a doctor in the answer for one date."""
    return re.search(rf'data-doctor="{doctor.pk}" [^>]*>([^<]*)<', text)[1].split()


def stands(appointment):
    stored = Appointment.objects.get(pk=appointment.pk)
    return stored.doctor_id, f"{stored.clinic.local(stored.starts_at):%H:%M}", stored.status


def test_the_places_are_those_that_can_be_booked(desk, clinic, doctor, appointment):
    taken = book_appointment(doctor, starts_at=appointment.starts_at + timedelta(hours=1))
    elsewhere = make_doctor(clinic, procedures=list(doctor.procedures.all()))
    book_appointment(elsewhere, patient=appointment.patient_id, starts_at=appointment.starts_at + timedelta(hours=2))
    unable = make_doctor(clinic, name="Dr. Marcos Lima", procedures=[make_procedure(clinic)])
    text = desk.get(address(appointment), {"data": monday(appointment)}, headers=PARTIAL).text
    own = times_of(doctor, text)
    assert {"08:00", "09:00", "09:15", "10:30", "17:30"} <= set(own)
    assert taken and not {"09:45", "10:00", "10:45", "11:00", "11:45", "17:45"} & set(own)
    assert times_of(elsewhere, text)[0] == "08:00"
    assert re.search(rf'data-doctor="{unable.pk}" [^>]*data-reason="O Dr. Marcos Lima não realiza', text)


def test_the_places_cost_the_same_however_many_doctors(desk, clinic, doctor, appointment, django_assert_num_queries):
    desk.get(address(appointment), headers=PARTIAL)
    for _ in range(2):
        with django_assert_num_queries(8):
            desk.get(address(appointment), headers=PARTIAL)
        make_doctor(clinic, procedures=list(doctor.procedures.all()))


def take_back(desk, appointment):
    event = appointment.events.latest("pk").pk
    address = reverse("web:appointment-undo", args=[appointment.pk])
    return desk.post(address, {"event": event, "in_day": "1"}, headers=PARTIAL)


def test_a_drop_taken_back_says_where_it_is_again(desk, appointment):
    drop(desk, appointment, "10:00")
    answer = take_back(desk, appointment)
    name = appointment.patient.display_name
    assert f"{name}: Remarcação desfeita: de novo 09:00." in answer.text and "Remarcado" not in answer.text


def test_another_day_and_doctor_are_named_when_it_is_back(desk, clinic, doctor, appointment):
    other = make_doctor(clinic, procedures=list(doctor.procedures.all()))
    day = monday(appointment)
    drop(desk, appointment, "09:00", date=(day + timedelta(days=1)).isoformat(), doctor=other.pk)
    words = f"Remarcação desfeita: de novo {day:%d/%m/%Y} 09:00 com a Dra. Helena Prado."
    assert words in take_back(desk, appointment).text


def test_a_drop_moves_it_and_says_so_with_its_undo(desk, appointment):
    answer = drop(desk, appointment, "10:00")
    assert stands(appointment) == (appointment.doctor_id, "10:00", "rescheduled")
    assert "Remarcado de" in answer.text and 'id="undo-last"' in answer.text
    assert (answer["HX-Reswap"], answer["HX-Trigger"]) == ("none", "refresh-day")


def test_a_refused_drop_says_why_and_offers_the_nearest_times(desk, doctor, appointment):
    book_appointment(doctor, starts_at=appointment.starts_at + timedelta(hours=1))
    answer = drop(desk, appointment, "10:00")
    assert answer.status_code == 409 and answer["HX-Retarget"] == "#refused"
    assert "O horário das 10:00 da Dra. Helena Prado já está ocupado." in answer.text
    assert answer.text.count('name="choose"') == 3
    assert stands(appointment) == (doctor.pk, "09:00", "scheduled")


def test_no_time_is_offered_of_a_doctor_who_cannot(desk, clinic, appointment):
    unable = make_doctor(clinic, name="Dr. Marcos Lima")
    book_appointment(unable, starts_at=appointment.starts_at + timedelta(hours=1))
    answer = drop(desk, appointment, "10:00", doctor=unable.pk)
    assert "não realiza" in answer.text and "já está ocupado" in answer.text
    assert 'name="choose"' not in answer.text


def test_an_offered_time_is_moved_to(desk, doctor, appointment):
    later = appointment.starts_at + timedelta(hours=2)
    posted = {"choose": later.isoformat(), "doctor": doctor.pk, "place": place(appointment)}
    answer = desk.post(address(appointment), posted, headers=PARTIAL)
    assert answer["HX-Reswap"] == "none"
    assert stands(appointment) == (doctor.pk, "11:00", "rescheduled")


def test_the_second_of_two_reads_who_moved_it_and_where(desk, clinic, doctor, appointment):
    starts_at = appointment.starts_at + timedelta(hours=5)
    reschedule(appointment.pk, clinic=clinic, doctor=doctor.pk, starts_at=starts_at, by=BY)
    answer = drop(desk, appointment, "10:00")
    assert answer.status_code == 409
    assert f"{BY.credential or BY.user} já remarcou" in answer.text and "às 14:00" in answer.text
    assert "Remarcar para 10:00 assim mesmo" in answer.text
    assert stands(appointment)[1] == "14:00"
    drop(desk, appointment, "10:00", place=place(appointment, "14:00"))
    assert stands(appointment)[1] == "10:00"


def test_a_drop_whose_answer_was_lost_is_not_made_twice(desk, appointment):
    drop(desk, appointment, "10:00")
    answer = drop(desk, appointment, "10:00")
    assert answer["HX-Reswap"] == "none" and "Remarcado de" in answer.text
    assert appointment.events.filter(kind="rescheduled").count() == 1


def test_what_cannot_be_moved_is_refused_before_it_is_led(desk, clinic, appointment):
    change_status(appointment.pk, "cancelled", clinic=clinic, by=BY, cancelled_by="patient")
    answer = desk.get(address(appointment), headers=PARTIAL)
    assert answer.status_code == 409 and answer["HX-Retarget"] == "#refused"
    assert "“Cancelado” não pode ser remarcado" in answer.text
    answer = desk.get(address(appointment), {"minutos": "45"}, headers=PARTIAL)
    assert answer.status_code == 409 and "“Cancelado” não podem ser alterados" in answer.text


def resize(desk, appointment, ends, shown="09:30"):
    posted = {"ends": ends, "shown": f"{place(appointment)}|{shown}"}
    return desk.post(reverse("web:appointment-resize", args=[appointment.pk]), posted, headers=PARTIAL)


def ends(appointment):
    stored = Appointment.objects.get(pk=appointment.pk)
    return f"{stored.clinic.local(stored.ends_at):%H:%M}", stored.status


@pytest.mark.parametrize("wanted", ["09:45", "09:10"])
def test_another_end_keeps_status_place_and_procedures(desk, appointment, wanted):
    before = list(appointment.lines.values())
    answer = resize(desk, appointment, wanted)
    assert f"Alterado: fim de 09:30 para {wanted}" in answer.text and 'id="undo-last"' in answer.text
    assert ends(appointment) == (wanted, "scheduled") and list(appointment.lines.values()) == before


def test_a_later_end_over_the_next_one_is_refused_with_the_latest(desk, doctor, appointment):
    book_appointment(doctor, starts_at=appointment.starts_at + timedelta(minutes=45))
    answer = resize(desk, appointment, "10:00")
    assert answer.status_code == 409 and "terminar às 09:45, o máximo possível" in answer.text
    assert ends(appointment) == ("09:30", "scheduled")


def test_a_refused_end_leads_to_the_form_that_asks_for_an_encaixe(desk, doctor, appointment):
    book_appointment(doctor, starts_at=appointment.ends_at)
    text = resize(desk, appointment, "10:00").text
    assert (
        f'href="{reverse("web:appointment-change", args=[appointment.pk])}"' in text and "o máximo possível" not in text
    )


def test_an_end_of_what_another_window_has_changed_is_refused(desk, appointment):
    resize(desk, appointment, "09:45")
    answer = resize(desk, appointment, "10:00")
    assert answer.status_code == 409 and "foi alterado em outra janela" in answer.text
    assert ends(appointment)[0] == "09:45"
    assert "Alterado: fim de" in resize(desk, appointment, "09:45").text


@pytest.mark.parametrize("text", ["", "25:00", "agora", "08:00", "09:00"])
def test_whatever_end_is_posted_is_answered(desk, appointment, text):
    assert resize(desk, appointment, text).status_code in {200, 409}


def test_without_the_script_an_end_leads_to_a_page(desk, appointment):
    resized = reverse("web:appointment-resize", args=[appointment.pk])
    form = reverse("web:appointment-change", args=[appointment.pk])
    assert desk.post(resized, {"ends": "10:00"})["Location"] == form
    posted = {"ends": "09:45", "shown": f"{place(appointment)}|09:30"}
    assert desk.post(resized, posted)["Location"] == reverse("web:appointment-detail", args=[appointment.pk])


def test_another_place_with_another_end_is_one_act(desk, appointment):
    drop(desk, appointment, "10:00", ends="10:45")
    assert stands(appointment)[1:] == ("10:00", "rescheduled") and ends(appointment)[0] == "10:45"
    assert appointment.events.count() == 2


def test_a_time_offered_instead_keeps_the_length_that_was_wanted(desk, doctor, appointment):
    book_appointment(doctor, starts_at=appointment.starts_at + timedelta(hours=1))
    answer = drop(desk, appointment, "10:00", ends="10:45")
    assert 'name="minutes" value="45"' in answer.text
    later = appointment.starts_at + timedelta(hours=2)
    posted = {"choose": later.isoformat(), "doctor": doctor.pk, "place": place(appointment), "minutes": "45"}
    desk.post(address(appointment), posted, headers=PARTIAL)
    assert stands(appointment)[1] == "11:00" and ends(appointment)[0] == "11:45"


def test_the_places_fit_the_length_that_is_asked_for(desk, doctor, appointment):
    book_appointment(doctor, starts_at=appointment.starts_at + timedelta(hours=1))
    asked = {"data": monday(appointment), "minutos": "60"}
    own = times_of(doctor, desk.get(address(appointment), asked, headers=PARTIAL).text)
    assert "09:00" in own and "09:15" not in own


@pytest.mark.parametrize(("field", "text"), [("date", "31/02"), ("starts", "25:00"), ("doctor", "x"), ("place", "")])
def test_whatever_is_dropped_is_answered(desk, appointment, field, text):
    answer = drop(desk, appointment, "10:00", **{field: text})
    assert answer.status_code in {200, 409}
    assert field == "place" or stands(appointment)[1] == "09:00"


def test_without_the_script_the_address_leads_to_the_form(desk, appointment):
    form = reverse("web:appointment-reschedule", args=[appointment.pk])
    assert desk.get(address(appointment))["Location"] == form
    assert desk.post(address(appointment), {"move": "1", "starts": "07:00"})["Location"] == form


def test_a_time_that_the_patient_has_elsewhere_is_refused(desk, clinic, doctor, appointment):
    other = make_doctor(clinic, procedures=list(doctor.procedures.all()))
    book_appointment(other, patient=appointment.patient_id, starts_at=appointment.starts_at + timedelta(hours=1))
    answer = drop(desk, appointment, "10:00")
    assert answer.status_code == 409 and stands(appointment)[1] == "09:00"
