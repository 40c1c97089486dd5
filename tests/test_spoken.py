"""Days and times as they are said on the phone."""

from datetime import date, datetime

import pytest

from clinic.models import Doctor
from clinic.models.titles import Title
from clinic.spoken import SpokenTime, day_in_words, time_in_words, times_in_words

TODAY = date(2026, 11, 28)  # a Saturday
YASMIN = Doctor(title=Title.DRA, name="Yasmin Torres")
ITALO = Doctor(title=Title.DR, name="Ítalo Reis")


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("00:00", "à meia-noite"),
        ("00:20", "à meia-noite e vinte"),
        ("01:00", "à uma da madrugada"),
        ("06:45", "às seis e quarenta e cinco da manhã"),
        ("08:00", "às oito"),
        ("08:30", "às oito e meia"),
        ("11:05", "às onze e cinco"),
        ("12:00", "ao meio-dia"),
        ("12:30", "ao meio-dia e meia"),
        ("13:00", "à uma da tarde"),
        ("13:15", "à uma e quinze da tarde"),
        ("14:00", "às duas da tarde"),
        ("18:40", "às seis e quarenta da tarde"),
        ("19:00", "às sete da noite"),
        ("23:59", "às onze e cinquenta e nove da noite"),
    ],
)
def test_a_time_is_said_so(time, words):
    hour, minute = map(int, time.split(":"))
    assert time_in_words(hour, minute, "pt-br") == words


@pytest.mark.parametrize(
    ("language", "time", "words"),
    [("pt-br", (10, 16), "às dez e dezesseis"), ("pt-pt", (10, 16), "às dez e dezasseis")],
)
def test_numbers_are_those_of_the_country(language, time, words):
    assert time_in_words(*time, language) == words


@pytest.mark.parametrize(
    ("day", "brazil", "portugal"),
    [
        (date(2026, 11, 28), "hoje", "hoje"),
        (date(2026, 11, 29), "amanhã", "amanhã"),
        (date(2026, 11, 30), "segunda", "segunda"),
        (date(2026, 12, 4), "sexta", "sexta"),
        (date(2026, 12, 5), "sábado, dia cinco de dezembro", "sábado, dia cinco de dezembro"),
        (date(2027, 1, 1), "sexta, dia primeiro de janeiro", "sexta, dia um de janeiro"),
        (date(2026, 12, 17), "quinta, dia dezessete de dezembro", "quinta, dia dezassete de dezembro"),
    ],
)
def test_a_day_is_said_so(day, brazil, portugal):
    assert (day_in_words(day, TODAY, "pt-br"), day_in_words(day, TODAY, "pt-pt")) == (brazil, portugal)


def test_a_day_of_this_month_needs_no_month():
    assert day_in_words(date(2026, 11, 28), date(2026, 11, 2), "pt-br") == "sábado, dia vinte e oito"


def test_two_times_of_one_doctor_name_her_once():
    times = [
        SpokenTime(datetime(2026, 12, 1, 14), YASMIN),
        SpokenTime(datetime(2026, 12, 2, 8, 30), YASMIN),
    ]
    spoken = times_in_words(times, TODAY, "pt-br")
    assert spoken == "terça, às duas da tarde, ou quarta, às oito e meia, com a Dra. Yasmin"


def test_two_times_of_one_day_name_it_once_and_both_doctors():
    times = [
        SpokenTime(datetime(2026, 12, 1, 14), YASMIN),
        SpokenTime(datetime(2026, 12, 1, 15), Doctor(title=Title.DR, name="Ítalo Reis")),
    ]
    spoken = times_in_words(times, TODAY, "pt-br")
    assert spoken == "terça, às duas da tarde, com a Dra. Yasmin, ou às três da tarde, com o Dr. Ítalo"
