"""How the tax numbers of Brazil and of Portugal are read, at every door and in every search. Nothing is judged here."""

import re

from clinic.models.characters import plain

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


def is_cnpj(text: str) -> bool:
    """Whether it is written like the number of a firm, which has letters since 2026, however well."""
    return CNPJ.fullmatch(_unlabelled(text).replace(" ", "")) is not None


def _unlabelled(text):
    return _behind(LABEL, plain(text))


def _behind(prefix, text):
    found = prefix.match(text)
    return text[found.end() :] if found else text
