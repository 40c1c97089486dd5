"""The tax numbers of Brazil and of Portugal: how they are read, which are valid, how they are written and made up."""

import re

from stdnum.br import cpf
from stdnum.pt import nif

from clinic.models.characters import plain

CPF_LENGTH, NIF_LENGTH = 11, 9
# "nº" is "no" once it is plain.
LABEL = re.compile(
    r"(?:(?:c\.?p\.?f|c\.?n\.?p\.?j|n\.?i\.?f|contribuinte|número|numero|n\.?o?)\b[ .:]*)+", re.IGNORECASE
)
COUNTRY = re.compile(r"PT[ .:-]*", re.IGNORECASE)
PUNCTUATION = re.compile(r"[ .,;:/_-]")
CNPJ = re.compile(r"[0-9A-Z.]+/[0-9A-Z]{4}-?[0-9]{2}|[0-9A-Z]{12}[0-9]{2}", re.IGNORECASE)


def read_cpf(text: str) -> str:
    """The digits, where there is nothing else in the text; otherwise what is left of it, "" for nothing or a label."""
    return PUNCTUATION.sub("", _unlabelled(text))


def read_nif(text: str) -> str:
    """Like `read_cpf`, without the country's PT before them."""
    return PUNCTUATION.sub("", _behind(COUNTRY, _unlabelled(text)))


def is_cpf(digits: str) -> bool:
    """Whether these are eleven digits with the right check digits, and not one digit eleven times."""
    return _are_digits(digits, CPF_LENGTH) and len(set(digits)) > 1 and cpf.is_valid(digits)


def is_nif(digits: str) -> bool:
    """Whether these are nine digits, the last of which checks the others."""
    return _are_digits(digits, NIF_LENGTH) and nif.is_valid(digits)


def written_cpf(digits: str) -> str:
    """529.982.247-25"""
    return cpf.format(digits)


def made_up_cpf(number: int) -> str:
    """Return the valid CPF that begins with `number`, written in nine digits: for demo and tests."""
    candidates = (f"{number:09d}{check:02d}" for check in range(100))
    return next(digits for digits in candidates if is_cpf(digits))


def made_up_nif(number: int) -> str:
    """Return the valid NIF that begins with `number`, written in eight digits: for demo and tests."""
    return f"{number:08d}{nif.calc_check_digit(f'{number:08d}')}"


def is_cnpj(text: str) -> bool:
    """Whether it is written like the number of a firm, which has letters since 2026, however well."""
    return CNPJ.fullmatch(_unlabelled(text).replace(" ", "")) is not None


def _unlabelled(text):
    return _behind(LABEL, plain(text))


def _behind(prefix, text):
    found = prefix.match(text)
    return text[found.end() :] if found else text


def _are_digits(text, count):
    """Of ASCII and nothing else: stdnum by itself takes punctuation away, and a second PT."""
    return len(text) == count and text.isascii() and text.isdigit()
