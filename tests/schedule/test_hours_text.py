"""Hours as people write them: what is understood, what is named as a mistake, and back again."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import WorkingHours
from clinic.schedule import Hours, change_week, overlapping_hours, read_week, write_hours, write_week


def row(weekday, starts, ends):
    return Hours(weekday, time.fromisoformat(f"{starts:0>5}"), time.fromisoformat(f"{ends:0>5}"))


def rows(days, *spans):
    return sorted(row(int(day), *span.split("-")) for day in days for span in spans)


WHOLE = rows("12345", "8:00-12:00", "13:30-18:00") + rows("6", "8:00-12:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seg-sex 8-12 13:30-18; sáb 8-12", WHOLE),
        ("Segunda a sexta das 8h às 12h e das 13h30 às 18h\nsábado 8 às 12", WHOLE),
        ("SEG–SEX 08:00–12:00, 13.30–18.00 SAB 8h-12h", WHOLE),
        ("2ª a 6ª-feira 8-12 13h30-18h; sábados: 8 até meio-dia", WHOLE),
        ("dias úteis 8-12 13:30-18; sáb. 8-12", WHOLE),
        ("seg, qua e sex 8-12", rows("135", "8:00-12:00")),
        ("terça-feira 8-12; quintas 14-18", rows("2", "8:00-12:00") + rows("4", "14:00-18:00")),
        ("sex-seg 9-10", rows("1567", "9:00-10:00")),
        ("todos os dias 0-24", rows("1234567", "0:00-0:00")),
        ("dom 20-6", rows("7", "20:00-6:00")),
        ("dom 20 à meia-noite", rows("7", "20:00-0:00")),
        ("seg 8-12; dom fechado", rows("1", "8:00-12:00")),
        ("seg 8-12 \r\nsáb 8-10 \r\n", rows("1", "8:00-12:00") + rows("6", "8:00-10:00")),
        ("seg - 8-12", rows("1", "8:00-12:00")),
        ("seg 8h 12h", []),
        ("", []),
        (" ;\n; ", []),
    ],
)  # fmt: skip
def test_texts_are_understood(text, expected):
    week = read_week(text)

    assert week.hours == sorted(expected)
    assert bool(week.mistakes) == (text == "seg 8h 12h")


@pytest.mark.parametrize(
    ("text", "places", "understood"),
    [
        ("seg 8-12; blá 9-10", ["blá"], "seg 8-12"),
        ("8-12", ["8-12"], ""),
        ("seg-sex 8-12; sáb", ["sáb"], "seg-sex 8-12"),
        ("seg 8", ["8"], ""),
        ("seg 25-26", ["25", "26"], ""),
        ("seg 8:75-12", ["8:75"], ""),
        ("seg 24-26", ["24", "26"], ""),
        ("seg 18-12", ["18-12"], ""),
        ("seg 8-12 11-14", ["11-14"], "seg 8-12 11-14"),
        ("dom 20-6; seg 5-9", ["5-9"], "seg 5-9; dom 20-6"),
        ("seg 123-456", ["123-456"], ""),
        ("seg 8-12 <b>", ["<b>"], "seg 8-12"),
    ],
)
def test_mistakes_are_named_at_their_place(text, places, understood):
    week = read_week(text)

    assert [text[mistake.start : mistake.end] for mistake in week.mistakes] == places
    assert all(f"“{place}”" in mistake.sentence for place, mistake in zip(places, week.mistakes, strict=True))
    assert write_week(week.hours) == understood


FIVES = st.integers(0, 24 * 12 - 1).map(lambda five: time(five // 12, five % 12 * 5))
HOURS = st.builds(Hours, st.integers(1, 7), FIVES, FIVES)


@given(st.lists(HOURS, max_size=12))
def test_what_is_written_is_read_back(typed):
    hours = []
    for one in sorted(typed):
        is_night_too_long = one.ends <= one.starts and one.ends != time.min
        if not is_night_too_long and not overlapping_hours([*hours, one]):
            hours.append(one)

    assert read_week(write_week(hours)) == (hours, [])


@given(st.text(max_size=80) | st.text(alphabet="segtrqaixábdom 0128:-;,hàsª\n", max_size=60))
def test_any_text_is_read(text):
    week = read_week(text)

    assert all(0 <= mistake.start < mistake.end <= len(text) for mistake in week.mistakes)


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (rows("12345", "8:00-12:00"), "seg-sex 8-12"),
        (rows("12", "8:00-12:30"), "seg, ter 8-12:30"),
        (rows("1346", "8:00-0:00"), "seg, qua, qui, sáb 8-24"),
    ],
)
def test_days_in_a_row_are_written_with_a_dash(hours, text):
    assert write_week(hours) == text


def test_validities_are_written_behind_their_hours():
    first, last = date(2026, 12, 31), date(2027, 1, 1)

    def stored(weekday, valid_from=None, valid_until=None):
        return WorkingHours(
            weekday=weekday, starts=time(8), ends=time(12), valid_from=valid_from, valid_until=valid_until
        )

    text = write_hours([stored(1, last), stored(1, None, first), stored(3), stored(6, first, first)])

    assert text == ("seg 8-12 (até 31/12/2026); qua 8-12; sáb 8-12 (só 31/12/2026); seg 8-12 (de 01/01/2027)")


@pytest.mark.parametrize(
    ("text", "without", "including", "expected"),
    [
        ("seg-sex 8-12", row(2, "8:00", "12:00"), row(2, "8:00", "12:30"), "seg, qua-sex 8-12; ter 8-12:30"),
        ("Segunda das 8h às 12h", row(1, "8:00", "12:00"), row(4, "9:00", "13:00"), "qui 9-13"),
        ("seg 8-12", None, row(1, "22:00", "2:00"), "seg 8-12 22-2"),
        ("", None, row(7, "0:00", "0:00"), "dom 0-24"),
        ("seg 8-12", row(1, "8:00", "12:00"), None, ""),
        ("seg 8-12", None, row(1, "10:00", "14:00"), "seg 8-12 10-14"),
        ("seg 8-12", row(1, "8:00", "13:00"), row(2, "8:00", "13:00"), None),
        ("seg 8-12; sáp 8-10", row(1, "8:00", "12:00"), None, None),
        ("seg 8-12", None, None, "seg 8-12"),
    ],
)
def test_some_hours_of_a_text_become_others(text, without, including, expected):
    assert change_week(text, without=without, including=including) == expected
