"""The characters of typed numbers: what keyboards, word processors and messengers make of digits, dashes and spaces."""

import unicodedata

DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘"), "-")


def plain(text: str) -> str:
    """With ASCII digits, plain dashes and single spaces, and without what cannot be seen."""
    folded = unicodedata.normalize("NFKC", text).translate(DASHES)
    seen = (char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join("".join(map(_digit, seen)).split())


def _digit(char):
    return str(unicodedata.decimal(char)) if char.isdecimal() else char
