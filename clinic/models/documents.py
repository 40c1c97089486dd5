"""Read the tax numbers of Brazil and Portugal, for all forms, APIs and searches. Nothing is validated here."""

import re

from clinic.models.characters import plain

# `plain` turns "nº" into "no".
LABEL = re.compile(
    r"(?:(?:c\.?p\.?f|c\.?n\.?p\.?j|n\.?i\.?f|contribuinte|número|numero|n\.?o?)\b[ .:]*)+", re.IGNORECASE
)
COUNTRY = re.compile(r"PT[ .:-]*", re.IGNORECASE)
PUNCTUATION = re.compile(r"[ .,;:/_-]")
CNPJ = re.compile(r"[0-9A-Z.]+/[0-9A-Z]{4}-?[0-9]{2}|[0-9A-Z]{12}[0-9]{2}", re.IGNORECASE)


def read_cpf(text: str) -> str:
    """Return the digits if the text holds nothing else; otherwise the rest of the text, "" for nothing or a label."""
    return PUNCTUATION.sub("", _unlabelled(text))


def read_nif(text: str) -> str:
    """Read a NIF like `read_cpf`, without a leading country code PT."""
    return PUNCTUATION.sub("", _without_prefix(COUNTRY, _unlabelled(text)))


def is_cnpj(text: str) -> bool:
    """Return whether the text has the form of a company number, which may contain letters since 2026."""
    return CNPJ.fullmatch(_unlabelled(text).replace(" ", "")) is not None


def _unlabelled(text):
    return _without_prefix(LABEL, plain(text))


def _without_prefix(prefix, text):
    match = prefix.match(text)
    return text[match.end() :] if match else text
