"""The next free times in the panel: what is asked for in its fields, and the buttons that answer."""

import re
from datetime import date, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.booking import PartOfDay
from clinic.models import Absence, Appointment
from clinic.web.booking_panel.finder_fields import read_words
from tests.factories import book_appointment, make_doctor, make_lisbon, make_procedure, make_user
from tests.web.test_booking_panel import (
    BOOK,
    CHECK,
    HTMX,
    clinic,
    desk,
    doctor,
    errors,
    form,
    patient,
    procedure,
    saturday,
)

__all__ = ["clinic", "desk", "doctor", "form", "patient", "procedure", "saturday"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

OFFER = re.compile(r'id="offer-\d" name="choose".*?<span title[^>]*>(.*?)</span>', re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def offers(answer):
    return [TAG.sub("", text) for text in OFFER.findall(answer.text)]


@pytest.fixture
def finding(form):
    """The form with the block open and nobody chosen."""
    return form | {"doctor": "any", "starts": "", "finding": "1", "find_earliest": "1"}


@pytest.fixture
def yasmin(clinic, procedure):
    return make_doctor(clinic, name="Dra. Yasmin", procedures=[procedure], days=[2, 3], specialty="Dermatologia")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["seg 23/11 08:00 · Dra. Helena Prado", "seg 23/11 08:15 · Dra. Helena Prado"]),
        ({"doctor": ""}, ["seg 23/11 08:00 · Dra. Helena Prado", "seg 23/11 08:15 · Dra. Helena Prado"]),
        ({"doctor": "any:Dermatologia"}, ["ter 24/11 08:00 · Dra. Yasmin", "ter 24/11 08:15 · Dra. Yasmin"]),
        ({"doctor": "any:dermatologia", "find_part": "tarde"}, ["ter 24/11 13:00 · Dra. Yasmin"]),
        ({"find_weekday": "3"}, ["qua 25/11 08:00 · Dra. Helena Prado"]),
        ({"find_from": "30/11"}, ["seg 30/11 08:00 · Dra. Helena Prado"]),
        ({"find_from": "01/01/2020"}, ["seg 23/11 08:00 · Dra. Helena Prado"]),
        ({"find_from": "terça à tarde"}, ["ter 24/11 13:00 · Dra. Helena Prado"]),
        ({"find_from": "de manhã, a partir de 30/11"}, ["seg 30/11 08:00 · Dra. Helena Prado"]),
        ({"find_at": "day:2026-11-25"}, ["qua 25/11 08:00 · Dra. Helena Prado"]),
        ({"find_at": "later:2026-11-23T20:00:00+00:00"}, ["seg 23/11 17:15 · Dra. Helena Prado"]),
        ({"find_earliest": ""}, ["seg 23/11 08:00 · Dra. Helena Prado"]),
        ({"find_part": "noite"}, []),
        ({"find_from": "01/01/2029"}, []),
        ({"doctor": "any:Alquimia"}, []),
    ],
)
def test_the_fields_ask_for_these_times(desk, finding, yasmin, change, expected):
    answer = desk.post(CHECK, finding | change, headers=HTMX)
    assert offers(answer)[: len(expected) or None] == expected


def test_without_the_earliest_times_lie_on_other_half_days(desk, finding):
    del finding["find_earliest"]
    answer = desk.post(CHECK, finding, headers=HTMX)
    assert [text[:12] for text in offers(answer)] == ["seg 23/11 08", "seg 23/11 13", "ter 24/11 08"]


def test_an_offer_fills_doctor_date_and_time_and_books(desk, finding, yasmin):
    chosen = desk.post(CHECK, finding | {"choose": f"2026-11-24T11:30:00+00:00 {yasmin.pk}"}, headers=HTMX)
    data = chosen.context["form"].data
    assert (data["doctor"], data["date"], data["starts"]) == (str(yasmin.pk), "24/11/2026", "08:30")
    assert f'value="{yasmin.pk}" selected' in chosen.text and "Agendar 24/11 às 08:30" in chosen.text
    assert offers(chosen)[0] == "seg 23/11 08:00 · Dra. Helena Prado"  # the search stays as it was asked for
    assert desk.post(BOOK, finding | {key: data[key] for key in ("doctor", "date", "starts")}).status_code == 302
    assert Appointment.objects.get().doctor == yasmin


def test_another_doctor_chosen_by_hand_ends_the_search_among_all(desk, finding, doctor, yasmin):
    remembered = finding | {"doctor": yasmin.pk, "find_doctor": f"any|{doctor.pk}"}
    assert {text[-11:] for text in offers(desk.post(CHECK, remembered, headers=HTMX))} == {"Dra. Yasmin"}


def test_booking_for_anybody_asks_for_one_of_the_times(desk, finding):
    assert errors(desk.post(BOOK, finding | {"starts": "09:00"}))["doctor"].startswith("Escolha um dos horários livres")
    assert "doctor" not in errors(desk.post(CHECK, finding))
    assert not Appointment.objects.exists()


def test_the_usual_procedure_of_a_speciality_is_filled_in(desk, finding, clinic, yasmin):
    peeling = make_procedure(clinic, name="Peeling")
    yasmin.procedures.set([peeling])
    answer = desk.post(CHECK, finding | {"doctor": "any:Dermatologia", "procedure": ""}, headers=HTMX)
    assert answer.context["rows"][0].line.procedure == peeling
    assert offers(answer)[0] == "ter 24/11 08:00 · Dra. Yasmin"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"procedure": ""}, "Escolha o procedimento: os próximos horários aparecem aqui."),
        ({"procedure": "999999"}, "Escolha o procedimento"),
        ({"find_part": "noite"}, "A Dra. Helena Prado não atende nesses dias e turnos."),
        ({"find_weekday": "6"}, "A Dra. Helena Prado não atende nesses dias e turnos."),
        ({"find_from": "01/01/2029"}, "Nenhum horário livre assim"),
        ({"doctor": "any:Alquimia"}, "Em Alquimia não há quem faça todos esses procedimentos."),
        ({"find_from": "ontem à toa"}, "Esta data não existe."),
        ({"find_from": "x" * 5000}, "Esta data não existe."),
    ],
)
def test_without_times_the_panel_says_why(desk, finding, change, sentence):
    assert sentence in desk.post(CHECK, finding | change, headers=HTMX).text


def test_procedures_that_no_doctor_performs_together_find_nothing(desk, finding, clinic, yasmin):
    peeling = make_procedure(clinic)
    yasmin.procedures.set([peeling])
    answer = desk.post(CHECK, finding | {"procedure": [finding["procedure"][0], peeling.pk]}, headers=HTMX)
    assert "Aqui não há quem faça todos esses procedimentos." in answer.text


def test_a_year_without_a_time_says_until_when_and_goes_on(desk, finding, clinic, doctor):
    Absence.objects.create(
        clinic=clinic,
        reason="obras",
        starts_at=clinic.day(date(2026, 11, 1))[0],
        ends_at=clinic.day(date(2027, 11, 1))[0],
    )
    answer = desk.post(CHECK, finding, headers=HTMX)
    assert "de 21/11/2026 a 19/01/2027" in answer.text and 'value="day:2027-01-20"' in answer.text
    assert "depois de 19/01" in answer.text
    at = desk.post(CHECK, finding | {"find_move": "day:2027-10-20"}, headers=HTMX)
    assert offers(at)[0].startswith("seg 01/11 08:00")


def test_a_doctor_without_a_time_opens_the_search(desk, form, clinic, doctor):
    Absence.objects.create(
        clinic=clinic,
        doctor=doctor,
        reason="licença",
        starts_at=clinic.day(date(2026, 11, 1))[0],
        ends_at=clinic.day(date(2027, 11, 1))[0],
    )
    answer = desk.post(CHECK, form | {"starts": ""}, headers=HTMX)
    assert 'id="booking-finder" hx-swap-oob="true"' in answer.text and 'name="widen"' in answer.text
    other = make_doctor(clinic, name="Dr. Bruno", procedures=[doctor.procedures.get()])
    widened = desk.post(CHECK, form | {"starts": "", "finding": "1", "widen": "1"}, headers=HTMX)
    assert widened.context["form"].data["doctor"] == "any"
    assert offers(widened)[0].endswith(other.name)


def test_a_closed_search_asks_nothing_and_opens_by_its_button(desk, form, doctor):
    address = f"{BOOK}?medico={doctor.pk}&data=2026-11-23&inicio=09:00"
    desk.get(address)
    with CaptureQueriesContext(connection) as closed:
        page = desk.get(address)
    assert "Outro horário…" in page.text and "booking-offers" not in page.text
    with CaptureQueriesContext(connection) as opened:
        answer = desk.post(CHECK, form | {"find": "1"}, headers=HTMX)
    assert offers(answer)[0] == "seg 23/11 08:00 · Dra. Helena Prado"
    asked = [query["sql"] for query in opened.captured_queries if "range_agg" in query["sql"]]
    assert len(asked) == 1 and not any("range_agg" in query["sql"] for query in closed.captured_queries)


def test_the_search_works_as_a_form_without_javascript(desk, finding, yasmin):
    page = desk.post(CHECK, finding | {"find": "1", "doctor": "any:Dermatologia"})
    assert page.status_code == 200 and "<!doctype html>" in page.text.lower()
    assert offers(page)[0] == "ter 24/11 08:00 · Dra. Yasmin"


@pytest.mark.parametrize(
    "field",
    ["doctor", "find", "find_at", "find_move", "find_part", "find_weekday", "find_from", "find_doctor", "choose"],
)
@pytest.mark.parametrize(
    "text",
    ["\x00", "any:", "any|", "|", ":", "later:", "later:x", "earlier:0001-01-01T00:00:00+00:00", "day:9999-99-99",
     "day:2200-12-31", "later:2199-12-31T23:59:59-14:00", "9" * 40, "²", "x" * 3000],
)  # fmt: skip
def test_garbage_in_a_field_asks_for_nothing(desk, finding, field, text):
    assert desk.post(CHECK, finding | {field: text}, headers=HTMX).status_code == 200


def test_a_doctor_or_procedure_of_another_clinic_finds_nothing(desk, finding):
    foreign = make_doctor()
    assert offers(desk.post(CHECK, finding | {"doctor": foreign.pk}, headers=HTMX)) == []
    of_foreign = finding | {"procedure": foreign.procedures.get().pk}
    assert offers(desk.post(CHECK, of_foreign, headers=HTMX)) == []


def test_twenty_procedures_longer_than_a_day_find_nothing(desk, finding, clinic, doctor):
    long = [make_procedure(clinic, duration_minutes=60) for _ in range(20)]
    doctor.procedures.set(long)
    answer = desk.post(CHECK, finding | {"procedure": [one.pk for one in long]}, headers=HTMX)
    assert "Nenhum horário livre assim" in answer.text


def test_one_doctor_who_does_not_work_then_is_named(desk, finding, doctor, yasmin):
    nobody = desk.post(CHECK, finding | {"find_weekday": "6"}, headers=HTMX)
    assert "Não há quem atenda nesses dias e turnos." in nobody.text
    answer = desk.post(CHECK, finding | {"doctor": doctor.pk, "find_from": "sábado de manhã"}, headers=HTMX)
    assert "A Dra. Helena Prado não atende nesses dias e turnos." in answer.text and 'name="relax"' in answer.text
    relaxed = desk.post(CHECK, finding | {"doctor": doctor.pk, "find_from": "sábado", "relax": "1"}, headers=HTMX)
    assert offers(relaxed)[0].startswith("seg 23/11 08:00")


def test_moving_offers_times_of_whoever_performs_it(desk, clinic, doctor, yasmin):
    appointment = book_appointment(doctor, starts_at=clinic.instant(date(2026, 11, 23), time(8)))
    address = reverse("web:appointment-reschedule", args=[appointment.pk])
    page = desk.get(address)
    assert "Outro horário…" in page.text and "booking-offers" not in page.text
    found = desk.post(address, {"doctor": "any", "find": "1", "date": "23/11/2026", "starts": ""}, headers=HTMX)
    assert offers(found)[0] == "seg 23/11 08:15 · Dra. Helena Prado"  # not the time that it has
    assert errors(desk.post(address, {"doctor": "any", "date": "25/11/2026", "starts": "09:00", "move": "1"}))["doctor"]
    chosen = desk.post(
        address, {"doctor": "any", "finding": "1", "choose": f"2026-11-25T12:00:00+00:00 {yasmin.pk}"}, headers=HTMX
    )
    data = chosen.context["form"].data
    assert (data["doctor"], data["date"], data["starts"]) == (str(yasmin.pk), "25/11/2026", "09:00")


def test_lisbon_says_the_times_in_its_own_words(client):
    clinic = make_lisbon()
    doctor = make_doctor(clinic, name="Dra. Marta Nunes", days=[5])
    client.force_login(make_user(clinic))
    fields = {"doctor": "any", "procedure": [doctor.procedures.get().pk], "finding": "1", "find_at": "day:2026-12-18"}
    answer = client.post(CHECK, fields, headers=HTMX)
    assert "sexta, dia dezoito de dezembro, às oito" in answer.text and "com a Dra. Marta" in answer.text


@pytest.mark.parametrize(
    ("text", "parts", "weekdays", "rest"),
    [
        ("segunda de manhã", {PartOfDay.MORNING}, {1}, ""),
        ("Seg ou ter à tarde", {PartOfDay.AFTERNOON}, {1, 2}, ""),
        ("sexta-feira à noite", {PartOfDay.NIGHT}, {5}, ""),
        ("amanhã de manhã", {PartOfDay.MORNING}, set(), "amanhã"),
        ("sáb", set(), {6}, ""),
        ("15/12", set(), set(), "15/12"),
        ("tardes", set(), set(), "tardes"),
    ],
)
def test_words_are_read_as_parts_of_the_day_and_weekdays(text, parts, weekdays, rest):
    assert read_words(text) == (parts, weekdays, rest)


def test_doctors_are_listed_and_begin_by_their_names_not_titles(desk, form, clinic, doctor):
    for name in ("Dr. Zeno Lima", "Dra. Ana Lima", "Ítala Sá", "Prof. Dr. Bento"):
        make_doctor(clinic, name=name, specialty="")
    page = desk.post(CHECK, form | {"find": "1", "doctor": "any"}).text
    options = re.findall(
        r'<option value="\d+"[^>]*>([^<]*)</option>', page.partition('id="doctor"')[2].partition("</select>")[0]
    )
    assert [option.strip() for option in options] == [
        "Ana Lima, Dra.",
        "Bento, Prof. Dr.",
        "Helena Prado, Dra. — Clínica médica",
        "Ítala Sá",
        "Zeno Lima, Dr.",
    ]


def test_a_speciality_in_which_nobody_performs_is_not_listed(desk, form, clinic, yasmin):
    make_doctor(clinic, name="Dr. Novo", specialty="Nefrologia", procedures=[])
    make_doctor(clinic, name="Dr. Velho", specialty="Urologia", procedures=[make_procedure(clinic, active=False)])
    page = desk.post(CHECK, form | {"find": "1", "doctor": "any"}).text
    assert "Qualquer profissional de Dermatologia" in page
    assert "Qualquer profissional de Nefrologia" not in page and "Qualquer profissional de Urologia" not in page
