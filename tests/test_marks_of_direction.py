"""Texts of every kind of characters: refused, or stored without the marks that turn the direction of the writing."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from clinic.models.characters import DIRECTION_MARKS
from clinic.registry import unstorable
from clinic.registry.patient_details import tidy, tidy_notes

MARKS = "".join(map(chr, DIRECTION_MARKS))
texts = st.text(st.one_of(st.characters(), st.sampled_from(MARKS), st.sampled_from("\0\ud800\udfff\r\n\t ")))


def test_the_marks_are_those_that_turn_the_direction():
    expected = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
    assert list(DIRECTION_MARKS) == expected
    assert {unicodedata.category(mark) for mark in MARKS} == {"Cf"}


@given(texts)
def test_notes_lose_the_marks_and_blanks_around_them_only(text):
    kept = tidy_notes(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert kept == "".join(char for char in lines if char not in MARKS).strip()
    assert tidy_notes(kept) == kept


@given(texts)
def test_a_name_keeps_neither_marks_nor_line_ends(text):
    kept = tidy(text)
    assert not set(kept) & {*MARKS, "\r", "\n"}
    assert tidy(kept) == kept


@given(texts)
def test_what_no_text_may_hold_is_named_whatever_is_around_it(text):
    forbidden = [char for char in text if unicodedata.category(char) == "Cs" or char in "\0\ufffd"]
    named = unstorable(text)
    assert bool(named) >= bool(forbidden)
    assert "\0" not in text or unstorable("\0" + text).startswith("U+0000")
