"""The characters of typed numbers: what keyboards, word processors and messengers make of digits, dashes and spaces."""

import unicodedata

DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘"), "-")


def plain(text: str) -> str:
    """With ASCII digits, plain dashes and single spaces, and without what cannot be seen."""
    folded = unicodedata.normalize("NFKC", text).translate(DASHES)
    seen = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join(with_ascii_digits(seen).split())


def with_ascii_digits(text: str) -> str:
    """With the digits of every script as 0 to 9."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
