"""The day on paper, as the browser prints it: five doctors a sheet, and a name on every card."""

import re
from datetime import time, timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from clinic import booking
from clinic.continuity_pack import pack
from clinic.models import Appointment, AppointmentEvent
from tests.days import put
from tests.factories import book_appointment, make_doctor, make_patient, make_procedure

DESK = booking.Author(channel=AppointmentEvent.Channel.COMMAND, credential="test")
STARTS = [time(8), time(8, 30), time(9, 15), time(13, 30), time(17)]


@pytest.fixture
def full_day(clinic, procedure, monday):
    """`full_day(count)` books five visits of half an hour with each of so many doctors."""

    def book(count):
        doctors = [make_doctor(clinic, name=f"Dra. D{number:02}", procedures=[procedure]) for number in range(count)]
        for number, doctor in enumerate(doctors):
            for visit, starts in enumerate(STARTS):
                patient = make_patient(clinic, name=f"P{number:02}x{visit} da Silva")
                book_appointment(doctor, patient=patient.pk, starts_at=clinic.instant(monday, starts))
        return doctors

    return book


def sheets(page, day):
    """The text of each sheet."""
    page.goto(f"/agenda/{day}/")
    return [sheet.extract_text() for sheet in PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages]


def named(pattern, text):
    return set(re.findall(pattern, text))


@pytest.mark.parametrize("count", [1, 2, 5, 6, 10, 11, 25])
def test_a_sheet_has_five_doctors_with_all_their_patients(window, receptionist, full_day, monday, count):
    full_day(count)
    printed = sheets(window(receptionist), monday)
    assert len(printed) == (count + 4) // 5
    for number, text in enumerate(printed):
        on_it = range(number * 5, min(number * 5 + 5, count))
        assert named(r"D\d\d", text) == {f"D{each:02}" for each in on_it}
        assert named(r"P\d\dx\d", text) == {f"P{each:02}x{visit}" for each in on_it for visit in range(len(STARTS))}


def test_a_day_of_twelve_hours_stays_on_one_sheet(window, receptionist, clinic, full_day, monday):
    full_day(4)
    make_doctor(clinic, name="Dra. D04", hours=[(time(7), time(11))])
    make_doctor(clinic, name="Dra. D05", hours=[(time(7), time(19))])
    first, second = sheets(window(receptionist), monday)
    assert named(r"D\d\d", first) == {f"D{number:02}" for number in range(5)}
    assert named(r"D\d\d", second) == {"D05"}
    assert named(r"P0\dx4", first) == {f"P0{number}x4" for number in range(4)}


@pytest.mark.parametrize("minutes", [5, 10, 15])
def test_the_shortest_visits_have_their_names_too(window, receptionist, clinic, monday, minutes):
    short = make_procedure(clinic, name="Curativo", duration_minutes=minutes)
    doctors = [make_doctor(clinic, interval_minutes=minutes, procedures=[short]) for _ in range(6)]
    for number, doctor in enumerate(doctors):
        for visit in range(12):
            patient = make_patient(clinic, name=f"P{number}x{visit:02} Souza")
            starts_at = clinic.instant(monday, time(9)) + visit * timedelta(minutes=minutes)
            book_appointment(doctor, patient=patient.pk, starts_at=starts_at)
    text = "".join(sheets(window(receptionist), monday))
    assert named(r"P\dx\d\d", text) == {f"P{number}x{visit:02}" for number in range(6) for visit in range(12)}


def test_cancelled_and_replacing_patient_are_both_shown(window, receptionist, clinic, full_day, monday):
    full_day(2)
    first = Appointment.objects.of(clinic).order_by("pk").first()
    booking.change_status(first.pk, "cancelled", clinic=clinic, by=DESK, cancelled_by="patient")
    instead = make_patient(clinic, name="Quintela Prado")
    book_appointment(first.doctor, patient=instead.pk, starts_at=first.starts_at)
    (text,) = sheets(window(receptionist), monday)
    assert {"P00x0", "Quintela"} <= named(r"P00x0|Quintela", text)


def test_the_screen_beside_is_as_it_was_after_printing(window, receptionist, full_day, monday):
    full_day(6)
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    places = "[...document.querySelectorAll('.appt')].map((card) => JSON.stringify(card.getBoundingClientRect()))"
    before = page.evaluate(places)
    page.pdf(prefer_css_page_size=True)
    assert page.evaluate(places) == before and len(set(before)) == 30


def test_a_list_names_its_doctor_and_date_on_every_sheet(window, receptionist, clinic, doctor, monday):
    for number in range(70):
        put(doctor, f"{8 + number // 12:02}:{number % 12 * 5:02}", minutes=5, day=monday)
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/lista/")
    texts = [sheet.extract_text() for sheet in PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages]
    assert len(texts) > 1
    for text in texts:
        assert "Dra. Helena Prado" in text and f"de {monday.year} · 70 agendamentos" in text and "Paciente" in text


def test_a_phone_number_of_the_pack_is_one_line(window, receptionist, clinic, doctor, monday):
    put(doctor, "09:00", day=monday, patient=make_patient(clinic, name="Maria Antonieta de Albuquerque Cavalcanti"))
    page = window(width=360)
    page.route("**/pack.html", lambda route: route.fulfill(body=pack(clinic, clinic.day(monday)[0])))
    page.goto("/pack.html")
    number = page.get_by_text("(81) 9")
    assert number.evaluate("number => number.getClientRects().length") == 1


@pytest.mark.parametrize("address", ["/agendamentos/{pk}/comprovante/", "/agenda/{day}/lista/"])
def test_what_is_short_takes_one_sheet_of_paper(window, receptionist, doctor, monday, address):
    booked = put(doctor, "09:00", day=monday)
    page = window(receptionist)
    page.goto(address.format(pk=booked.pk, day=monday))
    assert len(PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages) == 1


def test_a_long_word_in_a_note_stays_on_the_paper_of_the_pack(window, clinic, doctor, monday):
    booked = put(doctor, "09:00", day=monday)
    Appointment.objects.filter(pk=booked.pk).update(notes=f"Vídeo: https://meet.example/{'sala' * 40}")
    page = window()
    page.route("**/pack.html", lambda route: route.fulfill(body=pack(clinic, clinic.day(monday)[0])))
    page.goto("/pack.html")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1031})  # A4 without its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
