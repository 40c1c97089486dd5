"""Hours that are dragged in the grid of a week: what is written into the text, what is refused, and bad input."""

import pytest
from django.urls import reverse

from clinic.form_fields import LONGEST_WEEK
from tests.factories import make_doctor, make_manager


@pytest.fixture
def manager(client, clinic):
    client.force_login(make_manager(clinic))
    return client


def drag(client, week, *, was="", becomes=""):
    typed = {"week": week, "was": was, "becomes": becomes}
    response = client.post(reverse("web:hours-drag"), typed, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return " ".join(response.text.split())


@pytest.mark.parametrize(
    ("week", "was", "becomes", "written"),
    [
        ("seg-sex 8-12", "", "6 480 720", "seg-sáb 8-12"),
        ("segunda das 8h às 12h", "1 480 720", "1 480 750", "seg 8-12:30"),
        ("seg 8-12", "1 480 720", "3 500 740", "qua 8:20-12:20"),
        ("seg 8-12", "1 480 720", "", ""),
        ("dom 22-2", "7 1320 1560", "7 1320 1440", "dom 22-24"),
        ("", "", "5 1320 1560", "sex 22-2"),
        ("", "", "5 0 1440", "sex 0-24"),
        ("seg 8-12", "1 480 720", "1 720 900", "seg 12-15"),
    ],
)
def test_the_text_is_written_anew(manager, week, was, becomes, written):
    answer = drag(manager, week, was=was, becomes=becomes)
    assert f'data-written="{written}"' in answer and "alert" not in answer


@pytest.mark.parametrize(
    ("becomes", "day", "sentence"),
    [
        ("1 600 840", "Segunda", "“10-14” de seg cruza com “8-12” de seg."),
        ("7 1320 1930", "Segunda", "“8-12” de seg cruza com “22-8:10” de dom."),
        ("2 480 1800", "Terça", "o fim vem antes do início, ou mais de 16 horas depois dele."),
    ],
)
def test_what_cannot_be_is_refused_on_its_day(manager, becomes, day, sentence):
    answer = drag(manager, "seg 8-12", becomes=becomes)
    assert 'data-written="seg 8-12"' in answer and "Entendido: 1 dia, 4 h por semana." in answer
    (said,) = [part for part in answer.split("<li")[1:] if 'role="alert"' in part]
    assert sentence in said
    assert day in said or becomes.startswith("7")


def test_a_text_that_was_typed_meanwhile_stays(manager):
    answer = drag(manager, "ter 9-12", was="1 480 720", becomes="1 480 750")
    assert 'data-written="ter 9-12"' in answer
    (monday,) = [part for part in answer.split("<li")[1:] if 'role="alert"' in part]
    assert "Segunda" in monday and "O texto mudou: olhe e arraste de novo." in monday
    answer = drag(manager, "sáp 8-12", becomes="1 480 750")
    assert "<mark>sáp</mark>" in answer and "data-written" not in answer


def test_a_text_that_would_be_too_long_stays(manager):
    week = "seg 8-9" + " " * (LONGEST_WEEK - 7)
    assert "1000 caracteres" in drag(manager, week + " ", becomes="1 600 660")
    assert 'data-written="seg 8-9 10-11"' in drag(manager, week, becomes="1 600 660")


@pytest.mark.parametrize(
    "bar",
    [
        "8 0 60",
        "0 0 60",
        "1 60 60",
        "1 720 480",
        "1 1440 1500",
        "1 60 1501",
        "1 -5 60",
        "1 0 99999",
        "1",
        "x",
        "\0",
        "١ 0 60",
    ],
)
def test_what_no_bar_sends_is_refused(manager, bar):
    for name in ("was", "becomes"):
        response = manager.post(reverse("web:hours-drag"), {"week": "seg 8-12", name: bar})
        assert response.status_code == 400


def test_nothing_sent_is_an_empty_week(manager):
    assert 'data-written=""' in drag(manager, "")


@pytest.mark.parametrize(("interval", "step"), [(10, 5), (15, 15), (30, 15)])
def test_fine_times_are_dragged_finely(manager, clinic, interval, step):
    doctor = make_doctor(clinic, interval_minutes=interval)
    page = manager.get(reverse("admin:clinic_doctor_week", args=[doctor.pk])).text
    assert f'data-step="{step}"' in page
