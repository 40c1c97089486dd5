"""Read, check, write and make up the tax numbers of Brazil and Portugal, for all forms, APIs and searches."""

import re

from stdnum.br import cpf
from stdnum.pt import nif

from clinic.models.characters import plain

CPF_LENGTH, NIF_LENGTH, HEALTH_NUMBER_LENGTH = 11, 9, 9
SHORTEST_DOCUMENT, LONGEST_DOCUMENT = 4, 30  # letters and digits of a passport or of any other document
LONGEST_CARD = 30  # letters and digits of the card of a convênio, of ADSE or of an insurance
FINAL_CONSUMER_NIF = "999999990"  # on invoices of Portugal to people who give no NIF
# `plain` turns "nº" into "no".
LABEL = re.compile(
    r"(?:(?:c\.?p\.?f|c\.?n\.?p\.?j|n\.?i\.?f|contribuinte|número|numero|n\.?o?)\b[ .:]*)+", re.IGNORECASE
)
COUNTRY = re.compile(r"PT[ .:-]*", re.IGNORECASE)
HEALTH_LABEL = re.compile(r"(?:(?:número|numero|n\.?o?|d[eo]|utente|sns)\b[ .:]*)+", re.IGNORECASE)
PUNCTUATION = re.compile(r"[ .,;:/_-]")
CNPJ = re.compile(r"[0-9A-Z.]+/[0-9A-Z]{4}-?[0-9]{2}|[0-9A-Z]{12}[0-9]{2}", re.IGNORECASE)


def read_cpf(text: str) -> str:
    """Return the digits if the text holds nothing else; otherwise the rest of the text, "" for nothing or a label."""
    return PUNCTUATION.sub("", _unlabelled(text))


def read_nif(text: str) -> str:
    """Read a NIF like `read_cpf`, without a leading country code PT."""
    return PUNCTUATION.sub("", _without_prefix(COUNTRY, _unlabelled(text)))


def read_health_number(text: str) -> str:
    """Read a número de utente like `read_cpf`. No check digit is published: nine digits are all that is known of it."""
    return PUNCTUATION.sub("", _without_prefix(HEALTH_LABEL, plain(text)))


def is_health_number(digits: str) -> bool:
    return _are_digits(digits, HEALTH_NUMBER_LENGTH)


def read_document(text: str) -> str:
    """Return the letters and digits of a passport or of another document, in capitals: FX123456 for `fx 123-456`."""
    return "".join(char for char in plain(text).upper() if char.isalnum())


def is_document(key: str) -> bool:
    """Return whether these can be the letters and digits of a document: none has an accent, one is a digit."""
    fits = SHORTEST_DOCUMENT <= len(key) <= LONGEST_DOCUMENT
    return fits and key.isascii() and any(char.isdigit() for char in key)


def is_card_number(key: str) -> bool:
    """Return whether these, read by `read_document`, can be the number of a payer's card; each payer has its own."""
    return len(key) <= LONGEST_CARD and key.isascii() and any(char.isdigit() for char in key)


def is_cpf(digits: str) -> bool:
    """Return whether these are eleven digits with the right check digits, and not one digit eleven times."""
    return _are_digits(digits, CPF_LENGTH) and len(set(digits)) > 1 and cpf.is_valid(digits)


def is_nif(digits: str) -> bool:
    """Return whether these are nine digits, the last of which checks the others."""
    return _are_digits(digits, NIF_LENGTH) and nif.is_valid(digits)


def is_nif_of_entity(digits: str) -> bool:
    """Return whether a NIF is a company's or another entity's (Portaria 377/2003: 5, 6 and 9 begin no person's)."""
    return digits.startswith(("5", "6", "9"))


def written_cpf(digits: str) -> str:
    """Format a CPF as 529.982.247-25."""
    return cpf.format(digits)


def made_up_cpf(number: int) -> str:
    """Return the valid CPF that begins with `number`, written in nine digits: for demo and tests.

    Raises ValueError for another number of digits, and where all eleven would be one digit."""
    digits = f"{number:09d}"
    # stdnum has no public function for them, and to try all hundred takes half a millisecond: the demo has thousands.
    for _ in range(CPF_LENGTH - len(digits)):
        # Weights 2, 3, 4 … from the right; of the check digits, the first weighs in the second.
        weighed = sum(weight * int(digit) for weight, digit in enumerate(reversed(digits), start=2))
        digits += str(weighed * 10 % 11 % 10)
    if not is_cpf(digits):
        raise ValueError(number)
    return digits


def made_up_nif(number: int) -> str:
    """Return the valid NIF that begins with `number`, written in eight digits: for demo and tests."""
    return f"{number:08d}{nif.calc_check_digit(f'{number:08d}')}"


def is_cnpj(text: str) -> bool:
    """Return whether the text has the form of a company number, which may contain letters since 2026."""
    return CNPJ.fullmatch(_unlabelled(text).replace(" ", "")) is not None


def _unlabelled(text: str) -> str:
    return _without_prefix(LABEL, plain(text))


def _without_prefix(prefix: re.Pattern[str], text: str) -> str:
    match = prefix.match(text)
    return text[match.end() :] if match else text


def _are_digits(text: str, count: int) -> bool:
    """Check for ASCII digits only: stdnum by itself removes punctuation, and a second PT."""
    return len(text) == count and text.isascii() and text.isdigit()
