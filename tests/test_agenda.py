"""The day as it is shown: what stands where, what is free, and days that are not like the others."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from clinic.management.commands import write_style_sheets
from clinic.models import Absence
from tests.days import MONDAY, cells, free, hours, put, shown
from tests.factories import make_clinic, make_doctor, make_lisbon, make_patient, make_procedure, make_user

pytestmark = pytest.mark.django_db


# What stands where ----------------------------------------------------------------------------------------------------


def test_a_card_stands_at_its_five_minute_rows_in_its_doctors_column():
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    put(doctor, "09:15", 45)
    (card,) = cells(shown(doctor.clinic), "card")
    assert {"from-15", "to-24", "col-1", "lines-3", "status-scheduled"} <= set(card.css_class.split())
    assert card.time == "09:15"


def test_start_between_rows_is_drawn_from_the_row_before():
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    put(doctor, "09:07", 1)
    (card,) = cells(shown(doctor.clinic), "card")
    assert {"from-13", "to-14"} <= set(card.css_class.split())


def test_day_spans_whole_hours_from_first_opening_to_last_end():
    clinic = make_clinic()
    make_doctor(clinic, hours=hours(("09:30", "12:00")))
    late = make_doctor(clinic, hours=hours(("10:00", "17:30")))
    put(late, "18:00", 45)
    assert [hour.time for hour in shown(clinic).hours] == [f"{hour:02}:00" for hour in range(9, 19)]


def test_closed_time_says_why():
    doctor = make_doctor(hours=hours(("08:00", "12:00"), ("13:00", "18:00")))
    at = doctor.clinic.instant
    Absence.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        starts_at=at(MONDAY, time(15)),
        ends_at=at(MONDAY, time(18)),
        reason="congresso",
    )
    assert [(cell.reason, cell.time) for cell in cells(shown(doctor.clinic), "shade")] == [
        ("almoço", "12:00–13:00"),
        ("congresso", "15:00–18:00"),
    ]


def test_the_label_of_a_card_is_whole():
    doctor = make_doctor(name="Dra. Iara")
    patient = make_patient(doctor.clinic, name="Ana " + "x" * 150, social_name="", birth_date=None)
    put(doctor, "09:00", unverified_cpf="12345678901", source="voice_ai", patient=patient)
    (card,) = cells(shown(doctor.clinic), "card")
    assert card.label == (
        f"09:00–09:30 {patient.name} · {doctor.procedures.first().name} · Agendado · Dra. Iara"
        " · CPF a confirmar · cadastro incompleto · voz"
    )


def test_incomplete_on_the_card_means_what_the_patient_says():
    doctor = make_doctor(hours=hours(("08:00", "18:00")))
    patients = [
        make_patient(doctor.clinic),
        make_patient(doctor.clinic, birth_date=None),
        make_patient(doctor.clinic, cpf=None),
        make_patient(doctor.clinic, cpf=None, nif="123456789"),
        make_patient(doctor.clinic, cpf=None, birth_date=None),
    ]
    for hour, patient in enumerate(patients, 9):
        put(doctor, f"{hour:02}:00", patient=patient)
    shown_as = ["cadastro incompleto" in card.label for card in cells(shown(doctor.clinic), "card")]
    assert shown_as == [patient.is_incomplete for patient in patients]


def test_waiting_patient_shows_the_minutes():
    doctor = make_doctor()
    arrived = doctor.clinic.instant(MONDAY, time(8, 48))
    put(doctor, "09:00", status="checked_in", status_since=arrived)
    (card,) = cells(shown(doctor.clinic, now=arrived + timedelta(minutes=12)), "card")
    assert card.waited == "12 min"


def test_a_cancelled_card_steps_back_and_its_time_is_free():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", status="cancelled")
    day = shown(doctor.clinic)
    assert {"back", "strip-0"} <= set(cells(day, "card")[0].css_class.split())
    freed = [slot.time for slot in cells(day, "slot") if slot.is_freed and "beside-1" in slot.css_class.split()]
    assert freed == ["09:00", "09:15"]


def test_hidden_cancelled_cards_leave_their_time_free():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", status="cancelled")
    day = shown(doctor.clinic, hides_freed=True)
    assert (cells(day, "card"), [slot.time for slot in cells(day, "slot") if slot.is_freed]) == ([], [])
    assert {"09:00", "09:15"} <= set(free(day))


def test_a_cancelled_card_that_the_filter_hides_has_no_strip():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", status="cancelled")
    put(doctor, "09:00")
    day = shown(doctor.clinic, statuses={"scheduled"})
    (card,) = cells(day, "card")
    assert "beside" not in card.css_class and not any("beside" in slot.css_class for slot in cells(day, "slot"))
    assert not any(slot.is_freed for slot in cells(day, "slot"))


def test_cancelled_cards_beside_their_successor_are_strips():
    doctor = make_doctor()
    for _ in range(4):
        put(doctor, "09:00", status="cancelled")
    put(doctor, "09:00")
    classes = [set(card.css_class.split()) for card in cells(shown(doctor.clinic), "card")]
    assert "beside-3" in classes[0] and not any(name.startswith("lane") for name in classes[0])
    assert [name for one in classes[1:] for name in one if name.startswith("strip")] == [
        "strip-0", "strip-1",
    ]  # fmt: skip


def test_cancelled_cards_beyond_the_strips_are_folded():
    doctor = make_doctor(name="Dra. Iara")
    for _ in range(9):
        put(doctor, "09:00", status="cancelled")
    for _ in range(3):
        put(doctor, "10:00", status="no_show")
    day = shown(doctor.clinic)
    (fold,) = cells(day, "folded")
    assert (fold.number, fold.label) == (7, "7 cancelados e faltas, 09:00–09:30, Dra. Iara")
    assert len({card.id for card in [*cells(day, "card"), *fold.cards]}) == 12
    assert {"strip-2", "from-12", "to-18"} <= set(fold.css_class.split())


def test_a_filter_by_status_folds_only_what_it_shows():
    doctor = make_doctor()
    for status in ["cancelled", "no_show"] * 3:
        put(doctor, "09:00", status=status)
    day = shown(doctor.clinic, statuses={"no_show"})
    folded = [card for fold in cells(day, "folded") for card in fold.cards]
    assert {card.status for card in [*cells(day, "card"), *folded]} == {"no_show"}


def test_the_version_changes_with_a_folded_card():
    doctor = make_doctor()
    for _ in range(6):
        last = put(doctor, "09:00", status="cancelled")
    before = shown(doctor.clinic).version
    last.patient.name = "Outro Nome"
    last.patient.save()
    assert shown(doctor.clinic).version != before


def test_a_squeezed_in_appointment_is_a_second_lane():
    doctor = make_doctor()
    put(doctor, "09:00")
    put(doctor, "09:15", encaixe_by=make_user(doctor.clinic), encaixe_reason="dor")
    classes = [set(card.css_class.split()) for card in cells(shown(doctor.clinic), "card")]
    assert "lane-0-of-2" in classes[0] and "lane-1-of-2" in classes[1]


def test_lone_encaixe_leaves_room_for_the_free_time_beside_it():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", encaixe_by=make_user(doctor.clinic), encaixe_reason="dor")
    day = shown(doctor.clinic)
    assert "lane-1-of-2" in cells(day, "card")[0].css_class.split() and "09:00" in free(day)


def test_the_usual_length_decides_how_high_the_day_is():
    """One doctor with short times makes the lines higher, not three times as many."""
    clinic = make_clinic()
    make_doctor(clinic)
    assert shown(clinic).scale == "15"
    make_doctor(clinic)
    make_doctor(clinic, interval_minutes=5)
    assert shown(clinic).scale == "15 tall"
    make_doctor(clinic, interval_minutes=5)
    make_doctor(clinic, interval_minutes=5)
    assert shown(clinic).scale == "5"


def test_every_class_that_places_something_is_in_the_sheet():
    for path, text in write_style_sheets.sheets().items():
        assert path.read_text(encoding="utf-8") == text, "run manage.py write_style_sheets"


# What is free ---------------------------------------------------------------------------------------------------------


def test_free_times_exclude_taken_closed_and_past_ones():
    exam = make_procedure(clinic := make_clinic(), duration_minutes=20)
    doctor = make_doctor(clinic, procedures=[exam], hours=hours(("08:00", "10:00")), interval_minutes=20)
    put(doctor, "08:30", 20)
    assert free(shown(doctor.clinic)) == ["08:00", "09:00", "09:20", "09:40"]
    now = doctor.clinic.instant(MONDAY, time(9, 0))
    assert free(shown(doctor.clinic, now=now)) == ["09:20", "09:40"]
    assert free(shown(doctor.clinic, now=now + timedelta(days=1))) == []


def test_a_hidden_appointment_is_still_taken_time():
    doctor = make_doctor(hours=hours(("08:00", "09:00")))
    put(doctor, "08:00", status="confirmed")
    day = shown(doctor.clinic, statuses={"scheduled"})
    assert [cell.reason for cell in cells(day, "shade")] == ["ocupado"]
    assert free(day) == ["08:30"]


def fitting(day):
    return [(slot.time, slot.procedure, slot.fits) for slot in cells(day, "slot")]


def test_a_hole_for_a_shorter_procedure_says_which_one_fits():
    clinic = make_clinic()
    usual = make_procedure(clinic, name="Consulta", duration_minutes=40)
    review = make_procedure(clinic, name="Retorno", duration_minutes=20)
    make_procedure(clinic, name="Curativo", duration_minutes=10)
    doctor = make_doctor(clinic, procedures=[usual, review], hours=hours(("08:00", "09:30")), interval_minutes=20)
    put(doctor, "08:40", 20)
    day = shown(clinic)
    short = (str(review.pk), "20 min: cabe Retorno")
    assert fitting(day) == [("08:00", "", ""), ("08:20", *short), ("09:00", *short)]
    assert (day.free, day.short) == (1, 2)
    assert ["short" in slot.css_class.split() for slot in cells(day, "slot")] == [False, True, True]


def test_what_a_doctor_is_booked_for_most_is_usual():
    clinic = make_clinic()
    longer, shorter = (make_procedure(clinic, name=name, duration_minutes=n) for name, n in (("A", 40), ("B", 20)))
    doctor = make_doctor(clinic, procedures=[longer, shorter], hours=hours(("08:00", "09:00")), interval_minutes=20)
    visit = put(doctor, "08:00", day=MONDAY - timedelta(days=7))
    visit.lines.update(procedure=shorter)
    assert [slot.fits for slot in cells(shown(clinic), "slot")] == ["", "", ""]


def test_where_nothing_fits_nothing_is_offered():
    clinic = make_clinic()
    doctor = make_doctor(
        clinic, procedures=[make_procedure(clinic, duration_minutes=60)], hours=hours(("08:00", "08:45"))
    )
    make_doctor(clinic, procedures=[], hours=hours(("08:00", "10:00")))
    make_procedure(clinic, name="Inativo", duration_minutes=5, active=False).doctors.add(doctor)
    day = shown(clinic)
    assert (free(day), [column.performs_nothing for column in day.columns]) == ([], [False, True])


def test_the_label_of_a_free_time_holds_the_words_that_are_seen():
    doctor = make_doctor(name="Dra. Iara", hours=hours(("08:00", "10:00")))
    put(doctor, "09:00", status="cancelled")
    labels = {slot.time: slot.label for slot in cells(shown(doctor.clinic), "slot")}
    assert labels["09:00"] == "09:00 livre, Dra. Iara"


ATTENTION = {
    "waits long": ("checked_in", 0, 15, True),
    "waits": ("checked_in", 0, 14, False),
    "has not come": ("confirmed", 0, 15, True),
    "may still come": ("confirmed", 0, 14, False),
    "in service": ("in_service", 0, 60, False),
    "unconfirmed for tomorrow": ("scheduled", -1, 0, True),
    "confirmed for tomorrow": ("confirmed", -1, 0, False),
    "unconfirmed for later": ("scheduled", -2, 0, False),
}


@pytest.mark.parametrize(("status", "days", "minutes", "expected"), ATTENTION.values(), ids=ATTENTION)
def test_what_needs_a_person_stands_out(status, days, minutes, expected):
    doctor = make_doctor()
    start = doctor.clinic.instant(MONDAY, time(9))
    put(doctor, "09:00", status=status, status_since=start)
    (card,) = cells(shown(doctor.clinic, now=start + timedelta(days=days, minutes=minutes)), "card")
    assert ("attention" in card.css_class.split()) == expected


def test_fullness_is_the_taken_part_of_the_open_time():
    doctor = make_doctor(hours=hours(("08:00", "10:00")))
    put(doctor, "08:00", 30)
    put(doctor, "09:00", 30, status="no_show")
    day = shown(doctor.clinic)
    assert (day.columns[0].fullness, day.booked, day.missed) == (25, 1, 1)


# Days that are not like the others ------------------------------------------------------------------------------------


def test_the_hour_that_comes_twice_is_drawn_twice_and_offered_once():
    doctor = make_doctor(make_lisbon(), days=[7], hours=hours(("00:00", "04:00")), interval_minutes=60)
    day = shown(doctor.clinic, date(2027, 10, 31))
    assert [hour.time for hour in day.hours] == ["00:00", "01:00", "01:00", "02:00", "03:00"]
    assert free(day) == ["00:00", "01:00", "02:00", "03:00"]


def test_the_hour_that_is_missing_is_not_drawn():
    doctor = make_doctor(make_lisbon(), days=[7], hours=hours(("00:00", "04:00")), interval_minutes=60)
    day = shown(doctor.clinic, date(2027, 3, 28))
    assert [hour.time for hour in day.hours] == ["00:00", "02:00", "03:00"]


def test_a_day_without_a_midnight_begins_at_one():
    doctor = make_doctor(make_clinic(time_zone="America/Sao_Paulo"), days=[7], hours=hours(("01:00", "03:00")))
    put(doctor, "01:30", day=date(2018, 11, 4))
    day = shown(doctor.clinic, date(2018, 11, 4), now=datetime(2018, 11, 1, tzinfo=UTC))
    assert [hour.time for hour in day.hours] == ["01:00", "02:00"]
    assert "from-6" in cells(day, "card")[0].css_class.split()


def test_an_appointment_belongs_to_the_local_day():
    doctor = make_doctor(hours=hours(("08:00", "23:30")))
    put(doctor, "22:30")  # 01:30 of the next day in UTC
    assert len(cells(shown(doctor.clinic), "card")) == 1
    assert cells(shown(doctor.clinic, MONDAY + timedelta(days=1)), "card") == []


def test_the_now_line_is_there_today_and_within_the_hours_shown():
    doctor = make_doctor(hours=hours(("08:00", "12:00")))
    at = doctor.clinic.instant
    day = shown(doctor.clinic, now=at(MONDAY, time(9, 22)))
    assert (day.now_class, day.now_time) == ("from-16", "09:22")
    assert shown(doctor.clinic, now=at(MONDAY, time(7, 59))).now_class == ""
    assert shown(doctor.clinic, now=at(MONDAY + timedelta(days=1), time(9))).now_class == ""


def test_a_day_off_names_the_next_working_day():
    doctor = make_doctor(days=[1])
    day = shown(doctor.clinic, MONDAY + timedelta(days=1))
    assert (day.columns, day.off_duty, day.next_working) == ([], [doctor.full_name], MONDAY + timedelta(days=7))


def test_a_holiday_is_named():
    doctor = make_doctor(make_clinic(observes_holidays=True))
    day = shown(doctor.clinic, date(2026, 12, 25))
    assert (day.columns, day.closure, day.next_working) == ([], "Natal", date(2026, 12, 28))


def test_inactive_doctor_is_shown_only_with_appointments():
    doctor = make_doctor(active=False)
    assert shown(doctor.clinic).choices == []
    put(doctor, "09:00")
    assert [column.name for column in shown(doctor.clinic).columns] == [doctor.full_name]
