"""Characters that keyboards, word processors and messengers put into texts and numbers.

Marks of direction are nobody's text: messengers put them around a copied phone, and a dose in the notes could be read
backwards by them. They are left out of every text that people read.
"""

import unicodedata

DIRECTION_MARKS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘"), "-")


def without_direction_marks(text: str) -> str:
    return text.translate(DIRECTION_MARKS)


def plain(text: str) -> str:
    """Return the text with ASCII digits, plain dashes and single spaces, without invisible characters."""
    if text.isascii():
        return " ".join(text.split())
    seen = without_invisible(unicodedata.normalize("NFKC", text).translate(DASHES))
    return " ".join(with_ascii_digits(seen).split())


def without_invisible(text: str, kept: str = "") -> str:
    """Return the text without the characters that only format others, but for those in `kept`."""
    if text.isprintable():  # none of these is
        return text
    return "".join(char for char in text if char in kept or unicodedata.category(char) != "Cf")


def with_ascii_digits(text: str) -> str:
    """Return the text with the digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
