"""What a form does with its times: the end that follows the start, midnights, discounts left behind, times instead."""

import html
import re
from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from clinic.booking import Author, reschedule
from clinic.models import Absence, AppliedDiscount, Appointment, WorkingHours
from tests.factories import book_appointment, make_discount, make_doctor
from tests.web.test_booking_panel import BOOK, CHECK, HTMX, clinic, desk, doctor, form, patient, procedure, saturday

__all__ = ["clinic", "desk", "doctor", "form", "patient", "procedure", "saturday"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

MONDAY = date(2026, 11, 23)


def ends_of(answer):
    return answer.context["form"]["ends"].value()


@pytest.mark.parametrize(
    ("seen", "starts", "ends", "expected"),
    [
        ("09:00|09:45", "10:00", "09:45", "10:45"),
        ("09:00|09:45", "10h", "09:45", "10:45"),
        ("09:00|9h45", "8,30", "9h45", "09:15"),
        ("09:00|09:45", "14:00", "09:45", "14:45"),
        ("22:30|23:30", "23:00", "23:30", "24:00"),
        ("23:00|24:00", "22:00", "24:00", "23:00"),
        ("23:00|00:30", "22:00", "00:30", "23:30"),
        ("09:00|09:45", "09:00", "09:45", "09:45"),
        ("09:00|09:45", "10:00", "11:00", "11:00"),
        ("|", "10:00", "11:00", "11:00"),
        ("", "10:00", "11:00", "11:00"),
        ("x|y", "10:00", "y", "y"),
    ],
)
def test_the_length_stays_when_only_the_start_moves(desk, form, seen, starts, ends, expected):
    answer = desk.post(
        CHECK, form | {"starts": starts, "ends": ends, "seen": seen}, headers=HTMX | {"HX-Trigger-Name": "starts"}
    )

    assert ends_of(answer) == expected
    assert ('id="ends"' in answer.text) == (ends != expected)
    assert 'id="seen"' in answer.text


def test_the_moved_end_is_booked_without_a_check_too(desk, form):
    desk.post(BOOK, form | {"starts": "10:00", "ends": "09:45", "seen": "09:00|09:45"})

    appointment = Appointment.objects.get()
    assert appointment.ends_at - appointment.starts_at == timedelta(minutes=45)


def test_choosing_a_free_time_keeps_a_typed_length(desk, form):
    chosen = {"ends": "09:45", "seen": "09:00|09:45", "choose": "2026-11-23T17:00:00+00:00"}
    answer = desk.post(CHECK, form | chosen, headers=HTMX)

    assert (answer.context["form"]["starts"].value(), ends_of(answer)) == ("14:00", "14:45")


def test_the_form_remembers_both_times_as_they_are_read(desk, form):
    def seen(**typed):
        return desk.post(CHECK, form | typed, headers=HTMX).context["form"].seen_value

    assert seen(starts="9h", ends="9h45") == "09:00|9h45"
    assert seen(starts="x", ends="9h45", seen="09:00|9h45") == "09:00|9h45"
    assert seen(ends="") == ""


@pytest.mark.parametrize(
    ("starts", "ends", "until"), [("23:30", "24:00", 0), ("23:30", "0h", 0), ("23:30", "00:30", 30)]
)
def test_an_appointment_may_end_at_midnight_or_past_it(desk, form, doctor, clinic, starts, ends, until):
    WorkingHours.objects.create(clinic=clinic, doctor=doctor, weekday=1, starts=time(20), ends=time(6))

    desk.post(BOOK, form | {"starts": starts, "ends": ends})

    end = clinic.local(Appointment.objects.get().ends_at)
    assert (end.date(), end.hour, end.minute) == (MONDAY + timedelta(days=1), 0, until)
    for day in (MONDAY, MONDAY + timedelta(days=1))[: 2 if until else 1]:
        assert "23:30" in desk.get(reverse("web:agenda-day", args=[day])).text


# A move beyond a discount


@pytest.fixture
def discounted(clinic, doctor):
    discount = make_discount(clinic, name="Verão", expires_on=MONDAY)
    return book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(9)), discount=discount.pk)


def move(desk, appointment, **typed):
    typed = {"doctor": appointment.doctor_id, "date": "24/11/2026", "starts": "09:00", "move": "1"} | typed
    return desk.post(reverse("web:appointment-reschedule", args=[appointment.pk]), typed, headers=HTMX)


def test_a_move_beyond_a_discount_is_asked_about(desk, discounted):
    answer = move(desk, discounted)

    assert answer.status_code == 409
    assert "O desconto Verão vale só até 23/11/2026." in answer.text
    assert 'name="without_expired"' in answer.text
    assert Appointment.objects.get().starts_at == discounted.starts_at


def test_move_removes_the_discount_on_request(desk, discounted):
    assert move(desk, discounted, without_expired="1").status_code == 200
    assert not AppliedDiscount.objects.exists()
    assert "sem o desconto Verão" in desk.get(reverse("web:appointment-detail", args=[discounted.pk])).text


def test_a_move_within_the_discount_asks_nothing(desk, discounted):
    assert move(desk, discounted, date="23/11/2026", starts="14:00").status_code == 200
    assert AppliedDiscount.objects.count() == 1


# Time that cannot be taken again


@pytest.mark.parametrize(("freed", "link"), [("cancelled", "inicio=13:00"), ("no_show", 'name="choose"')])
def test_times_instead_of_a_closed_one_are_offered(desk, clinic, doctor, time_machine, freed, link):
    appointment = book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(9)))
    time_machine.move_to(clinic.instant(MONDAY, time(9, 5)), tick=False)
    name, typed = {"cancelled": ("cancel", {"cancelled_by": "clinic"}), "no_show": ("status", {"status": freed})}[freed]
    desk.post(reverse(f"web:appointment-{name}", args=[appointment.pk]), typed)
    morning = {"starts_at": clinic.instant(MONDAY, time(8)), "ends_at": clinic.instant(MONDAY, time(12))}
    Absence.objects.create(clinic=clinic, reason="obras", **morning)

    answer = desk.post(reverse("web:appointment-status", args=[appointment.pk]), {"status": "scheduled"}, headers=HTMX)

    assert answer.status_code == 409
    assert "A clínica estará fechada: obras." in answer.text
    assert "Horários livres mais próximos" in answer.text and link in answer.text
    appointment.refresh_from_db()
    assert appointment.status == freed


@pytest.fixture
def missed(desk, clinic, doctor, time_machine):
    """Did not come, and cannot have its time again: the panel that offers others."""
    appointment = book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(9)))
    time_machine.move_to(clinic.instant(MONDAY, time(9, 5)), tick=False)
    status = reverse("web:appointment-status", args=[appointment.pk])
    desk.post(status, {"status": "no_show"})
    morning = {"starts_at": clinic.instant(MONDAY, time(8)), "ends_at": clinic.instant(MONDAY, time(12))}
    Absence.objects.create(clinic=clinic, reason="obras", **morning)
    panel = desk.post(status, {"status": "scheduled"}, headers=HTMX).text
    form = re.search(r'<form class="field".*?</form>', panel, re.DOTALL)[0]
    appointment.offered = {
        "place": re.search(r'name="place" value="([^"]+)"', form)[1] if "place" in form else "",
        "doctor": appointment.doctor_id,
        "choose": html.unescape(re.search(r'name="choose" value="([^"]+)"', form)[1]),
    }
    return appointment


def moved_elsewhere(appointment):
    at = appointment.clinic.instant(MONDAY, time(17))
    by = Author(channel="command", credential="outra janela")
    reschedule(appointment.pk, clinic=appointment.clinic, doctor=appointment.doctor_id, starts_at=at, by=by)


def sent(desk, appointment, panel):
    """The move form of this panel, with its button pressed."""
    place = re.search(r'name="place" value="([^"]*)"', panel.text)[1]
    values = {name: panel.context["form"][name].value() for name in ("doctor", "date", "starts")}
    return move(desk, appointment, **values, place=place)


@pytest.mark.parametrize("carried", [True, False])
@pytest.mark.parametrize("when", ["before the time is chosen", "after it"])
def test_a_move_begun_from_offered_times_sees_the_other_window(desk, missed, carried, when):
    """What carries no place is begun from where the appointment is when its form is drawn."""
    address = reverse("web:appointment-reschedule", args=[missed.pk])
    offered = missed.offered | ({} if carried else {"place": ""})
    if when.startswith("before"):
        moved_elsewhere(missed)
    panel = desk.post(address, offered, headers=HTMX)
    if when.startswith("after"):
        moved_elsewhere(missed)

    answer = sent(desk, missed, panel)

    knows = when.startswith("before") and not carried
    assert answer.status_code == (200 if knows else 409)
    assert ("já remarcou este agendamento" in answer.text) != knows


def test_a_time_that_is_offered_instead_is_moved_to(desk, missed):
    panel = desk.post(reverse("web:appointment-reschedule", args=[missed.pk]), missed.offered, headers=HTMX)

    assert sent(desk, missed, panel).status_code == 200
    missed.refresh_from_db()
    assert missed.status == "rescheduled"


def test_no_button_offers_check_in_on_another_day(desk, doctor, clinic):
    appointment = book_appointment(doctor, starts_at=clinic.instant(MONDAY + timedelta(days=28), time(9)))

    page = desk.get(reverse("web:appointment-detail", args=[appointment.pk]), headers=HTMX)
    assert 'value="checked_in"' not in page.text
    answer = desk.post(reverse("web:appointment-status", args=[appointment.pk]), {"status": "checked_in"}, headers=HTMX)
    assert answer.status_code == 409
    assert "Só se faz check-in no dia do agendamento, 21/12/2026." in answer.text


def test_a_doctor_who_left_has_no_free_times_on_the_page(desk, clinic, doctor):
    book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(9)))
    make_doctor(clinic, name="Dr. Bruno")
    type(doctor).objects.filter(pk=doctor.pk).update(active=False)

    page = desk.get(reverse("web:agenda-day", args=[MONDAY])).text
    assert "livre, Dr. Bruno" in page and "livre, Dra. Helena Prado" not in page


def test_a_day_off_names_the_weekday_and_the_next_times(desk, form, doctor):
    """Dra. Helena does not work on Saturdays: the panel says so, and offers three times of other half-days."""
    saturday = desk.post(CHECK, form | {"date": "28/11/2026", "starts": ""}, headers=HTMX).content.decode()
    assert "não atende aos sábados" in saturday
    assert re.findall(r">\s*(\w{3} \d\d/\d\d)\s+(\d\d:\d\d)\s*</button>", saturday) == [
        ("Seg 30/11", "08:00"), ("Seg 30/11", "13:00"), ("Ter 01/12", "08:00"),
    ]  # fmt: skip


def test_a_doctor_who_performs_nothing_is_not_called_full(desk, form, clinic):
    idle = make_doctor(clinic, name="Dr. Sem Nada", procedures=[])
    answer = desk.post(CHECK, form | {"doctor": idle.pk, "procedure": "", "starts": ""}, headers=HTMX)
    assert "livres seguidos" not in answer.text and "não atende" not in answer.text
    assert "O Dr. Sem Nada ainda não tem procedimentos" in answer.text


def test_the_morning_after_a_night_is_no_day_off(desk, form, doctor):
    doctor.hours.all().delete()
    WorkingHours.objects.create(clinic=doctor.clinic, doctor=doctor, weekday=1, starts=time(20), ends=time(6))
    Absence.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        starts_at=doctor.clinic.instant(date(2026, 11, 24), time(0)),
        ends_at=doctor.clinic.instant(date(2026, 11, 24), time(6)),
        reason="curso",
    )
    tuesday = desk.post(CHECK, form | {"date": "24/11/2026", "starts": ""}, headers=HTMX).text
    assert "não atende" not in tuesday and "não tem 30 min livres seguidos em 24/11" in tuesday


@pytest.mark.parametrize("change", ["no longer performs it", "no longer offered"])
def test_moving_never_proposes_another_doctor_by_itself(desk, doctor, procedure, change):
    colleague = make_doctor(doctor.clinic, procedures=[procedure])
    stranger = make_doctor(doctor.clinic, procedures=[])
    appointment = book_appointment(doctor, starts_at=doctor.clinic.instant(MONDAY, time(9)))
    if change == "no longer performs it":
        doctor.procedures.clear()
    else:
        procedure.active = False
        procedure.save()
    page = desk.get(reverse("web:appointment-reschedule", args=[appointment.pk]), headers=HTMX).text
    options = re.findall(r'<option[^>]* value="(\d+)"( selected| disabled)?', page)
    assert (str(doctor.pk), " selected") in options
    assert (str(colleague.pk), "") in options and (str(stranger.pk), " disabled") in options
    assert "Ninguém mais realiza" not in page
