"""Normalise typed numbers: the characters that keyboards, word processors and messengers use for digits, dashes and
spaces."""

import unicodedata

DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘"), "-")


def plain(text: str) -> str:
    """Return the text with ASCII digits, plain dashes and single spaces, without invisible characters."""
    folded = unicodedata.normalize("NFKC", text).translate(DASHES)
    seen = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join(with_ascii_digits(seen).split())


def with_ascii_digits(text: str) -> str:
    """Return the text with the digits of every script as 0 to 9."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
