"""Read, check and format phone numbers, for all forms, APIs and searches.

Google's metadata (phonenumbers) knows which numbers exist; this module explains the problem with the others.

A number outside its country's numbering plan is refused to a person, who can be asked now, and accepted from a machine,
whose booking would be lost. The badge "telefone a confirmar" is computed from the number, so no stored flag can be
wrong. A ninth digit is added only when a person confirms it, because ten digits without groups do not show which one is
missing; but with and without it a mobile is one phone in searches and when a patient is matched. Possible foreign
numbers of at most 15 digits (E.164) are accepted unchanged: the metadata knows other countries less well than the
person on the phone. A clinic's own area code is added to a number that a person typed without one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from clinic.models.characters import plain

BRAZIL, PORTUGAL = 55, 351
LABELS = """
    tel tels telef telefone telefones tlf tlm telm telemóvel telemovel cel celular fone fixo móvel movel whatsapp whats
    wpp zap contato contacto número numero num nº n
"""
# `plain` turns "nº" into "no".
LABEL = re.compile(rf"(?:(?:{'|'.join(LABELS.split())}|no)\b[ .:]*)+", re.IGNORECASE)
# The placeholder for a carrier's code, as printed in Brazil: (0xx81).
CARRIER_PLACE = re.compile(r"(?<!\w)\(?0? ?(?:xx|\*\*) ?(?=[0-9)])", re.IGNORECASE)
ODD = re.compile(r"[^0-9+(). /-]+")
# Whose phone it is, as people write it beside the number: 912345678 (mãe), filha: 912345678.
KIN = """
    mãe mae pai filha filho esposa esposo marido mulher companheira companheiro namorada namorado avó avô avo irmã irmão
    irma irmao tia tio neta neto sobrinha sobrinho madrasta padrasto madrinha padrinho sogra sogro nora genro cuidadora
    cuidador vizinha vizinho amiga amigo responsável responsavel tutora tutor trabalho casa recado recados
"""
KINSHIP = rf"(?:d[aeo] )?(?P<kin>(?:{'|'.join(KIN.split())})\b[^0-9()/;|]*)"
NOTE = r"\((?P<note>[^()0-9]*[^\W\d_][^()0-9]*)\)"
WHOSE = (
    re.compile(rf"(?P<number>[0-9(+][^a-z]*?)(?:[ ,:-]*{NOTE}|[ ,:][ ,:-]*{KINSHIP})", re.IGNORECASE),
    re.compile(rf"(?:{NOTE}|{KINSHIP})[ ,:-]*(?P<number>[+(]*[0-9][^a-z]*)", re.IGNORECASE),
)
BETWEEN_NUMBERS = re.compile(r"[/;,|]| e | ou ", re.IGNORECASE)
DOUBLE_ZERO = re.compile(r"\(? ?00[ )-]*")
# The area codes of Brazil, all of two digits; the metadata has one too many.
AREA = re.compile("[14689][1-9]|2[12478]|3[1-578]|5[1345]|7[134579]")
# Where written messages are not received.
WITHOUT_MESSAGES = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PREMIUM_RATE,
}
WITH_AREA = {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
NON_GEOGRAPHIC = ("300", "500", "800", "900")
# numbers of digits in Brazil, without and with the area code
SHORTEST_LOCAL, MOBILE_LOCAL, LANDLINE, MOBILE = 8, 9, 10, 11
PORTUGUESE = 9
MOBILE_SHAPE, LANDLINE_SHAPE, PORTUGUESE_SHAPE = "(##) #####-####", "(##) ####-####", "### ### ###"
# Mobile numbers that no operator assigns: (81) 90000-0000 and on in Brazil, 910 000 000 and on in Portugal.
UNASSIGNED = {"BR": "+5581900", "PT": "+351910"}
E164_DIGITS = 15  # at most, with the country code; the metadata accepts longer numbers
LONGEST = 100  # characters: a label and two numbers
MIN_SHOWN = 7  # digits, for a message that shows the number with gaps


class Fault(Enum):
    """The problem with a number. For those from NINTH_DIGIT on, a person can confirm the intended number."""

    IMPOSSIBLE = auto()
    NOT_DIGITS = auto()
    CARRIER = auto()
    SEVERAL = auto()
    TOO_SHORT = auto()
    DIGIT_MISSING = auto()
    DIGITS_MISSING = auto()
    TOO_LONG = auto()
    AREA_MISSING = auto()
    AREA_UNKNOWN = auto()
    NOT_IN_BRAZIL = auto()
    NOT_IN_PORTUGAL = auto()
    NOT_ABROAD = auto()
    NINTH_DIGIT = auto()
    TEN_DIGITS = auto()
    OF_BRAZIL = auto()


# A search finds nothing with these faults either; parts of a number never have them.
UNREADABLE = {Fault.NOT_DIGITS, Fault.CARRIER}


@dataclass(frozen=True)
class Phone:
    """The result of reading a text, with E.164 numbers.

    `number` is the number as entered if it has a possible length; otherwise "". `fault` is None when the number is
    known to exist. `suggested` is the number that may have been intended instead; it is never stored unless a person
    confirms it. `params` are the values for the message about the fault. `area` is the clinic's area code if it was
    added to the number, `whose` what stood beside the number: mãe.
    """

    number: str = ""
    fault: Fault | None = None
    suggested: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict)
    area: str = ""
    whose: str = ""


# `fault`, `suggested` and `params` of a Phone that does not exist.
type Explanation = tuple[Fault, str, Mapping[str, str | int]]


def read(text: str, country: str, area: str = "") -> Phone:
    """Read the number in a text, of that country ("BR", "PT") unless it begins with + or 00.

    Labels, punctuation, digits of other scripts and invisible characters are ignored. `area` is the area code that a
    number of Brazil typed without one is taken to have.
    """
    if len(text) > LONGEST:
        return Phone(fault=Fault.IMPOSSIBLE)
    typed = _without_prefix(CARRIER_PLACE, _without_prefix(LABEL, plain(text).strip(" .,;:")))
    if sum(len(_digits(part)) >= SHORTEST_LOCAL for part in BETWEEN_NUMBERS.split(typed)) > 1:
        return Phone(fault=Fault.SEVERAL)
    if odd := ODD.search(typed):
        if beside := _whose(typed):
            return replace(read(beside["number"], country, area), whose=_note(beside))
        return Phone(fault=Fault.NOT_DIGITS, params={"found": odd[0]})
    if DOUBLE_ZERO.match(typed):
        return _dialled_abroad(_without_prefix(DOUBLE_ZERO, typed), country)
    phone = _check(typed, country)
    is_local = phone.fault is Fault.AREA_MISSING and not typed.startswith("+")
    return _with_area(typed, area, phone) if area and is_local else phone


def is_area(text: str) -> bool:
    """Return whether the text is an area code of Brazil, two digits."""
    return AREA.fullmatch(text) is not None


def takes_messages(number: PhoneNumber) -> bool:
    """Return whether written messages can be received at this number: not at a landline or a service number."""
    return phonenumbers.number_type(number) not in WITHOUT_MESSAGES


def is_certain(number: PhoneNumber) -> bool:
    """Return whether the number exists according to the numbering plan of its country."""
    if not (phonenumbers.is_valid_number(number) and _is_short_enough(number)):
        return False
    geographic = number.country_code == BRAZIL and phonenumbers.number_type(number) in WITH_AREA
    return not geographic or AREA.match(str(number.national_number)) is not None


def spellings(number: str) -> list[str]:
    """Return the E.164 number and, for mobiles of Brazil, the same number without or with the ninth digit.

    The list is sorted, so that both spellings give the same list.
    """
    return list(_spellings(number))


@lru_cache(maxsize=2048)  # a row of a spreadsheet asks several times
def _spellings(number: str) -> tuple[str, ...]:
    parsed = _parsed(number, "BR")
    if parsed is None or parsed.country_code != BRAZIL:
        return (number,)
    digits = str(parsed.national_number)
    if len(digits) == MOBILE and digits[2] == "9":
        if digits[3] not in "6789":
            return (number,)
        old = _brazilian(f"{digits[:2]}{digits[3:]}")
        had_eight = is_certain(parsed) and not is_certain(old)
        return tuple(sorted([number, _e164(old)])) if had_eight else (number,)
    new = _with_ninth(digits) if len(digits) == LANDLINE and not is_certain(parsed) else ""
    return tuple(sorted([number, new])) if new else (number,)


def written(number: PhoneNumber, country: str) -> str:
    """Format a number: (81) 99999-9999 in its own country, +351 912 345 678 abroad."""
    abroad = number.country_code != phonenumbers.country_code_for_region(country)
    if number.country_code == PORTUGAL and len(digits := _national(number)) == PORTUGUESE:
        return f"{'+351 ' if abroad else ''}{digits[:3]} {digits[3:6]} {digits[6:]}"
    style = PhoneNumberFormat.INTERNATIONAL if abroad else PhoneNumberFormat.NATIONAL
    return phonenumbers.format_number(number, style)


def _whose(typed: str) -> re.Match[str] | None:
    """Return the match of a number and of the words beside it that tell whose it is; None for any other text."""
    matches = (pattern.fullmatch(typed) for pattern in WHOSE)
    return next(filter(None, matches), None)


def _note(beside: re.Match[str]) -> str:
    """Return what stands beside a number, "" if it only says that it is one: (WhatsApp)."""
    note = (beside["note"] or beside["kin"] or "").strip(" .,:;-")
    return "" if LABEL.fullmatch(note) else note


def _with_area(typed: str, area: str, without: Phone) -> Phone:
    """Read a number of Brazil that was typed without its area code; `without` is how it was read.

    It is completed only if it is grouped as such numbers are, 99999-9999 or 3421-5678, or not at all: 912 345 678 is a
    number of Portugal. Its eight digits of an old mobile still need their ninth confirmed.
    """
    phone = _check(f"({area}) {typed}", "BR")
    if phone.fault is Fault.DIGIT_MISSING or not _group_ends(typed) <= {4}:
        return phone if phone.fault is Fault.DIGIT_MISSING else without
    if phone.suggested:
        return replace(phone, fault=Fault.NINTH_DIGIT, area=area)
    return without if phone.fault else replace(phone, area=area)


def _without_prefix(prefix: re.Pattern[str], text: str) -> str:
    match = prefix.match(text)
    return text[match.end() :] if match else text


def _dialled_abroad(rest: str, country: str) -> Phone:
    """Read 00 as +, unless only the digits after the next two form a number: then those two are a carrier's code."""
    phone = _check(f"+{rest}", country)
    if country != "BR" or phone.fault is None or phone.suggested:
        return phone
    carrier, number = _digits(rest)[:2], _digits(rest)[2:]
    readings = [_check(number, country), _check(f"+{number}", country)]
    if any(phone.fault in {None, Fault.NINTH_DIGIT, Fault.TEN_DIGITS} for phone in readings):
        return Phone(fault=Fault.CARRIER, params={"carrier": carrier})
    return phone


def _check(typed: str, country: str) -> Phone:
    parsed = _parsed(typed, country)
    if parsed is None:
        return Phone(fault=Fault.IMPOSSIBLE)
    if is_certain(parsed):
        slip = parsed.country_code == BRAZIL and _is_split_as_mobile(_national(parsed), typed)
        return Phone(_e164(parsed), *(_missing(_national(parsed), MOBILE_SHAPE) if slip else ()))
    fault, suggested, params = _fault(parsed, typed, country)
    return Phone(_e164(parsed) if _is_possible(parsed) else "", fault, suggested, params)


def _is_split_as_mobile(digits: str, typed: str) -> bool:
    """Return whether the area code is followed by eight digits, five of them before the hyphen."""
    ends = _group_ends(typed)
    return len(digits) == LANDLINE and AREA.match(digits) is not None and 5 in ends and 4 not in ends


def _fault(parsed: PhoneNumber, typed: str, country: str) -> Explanation:
    """Return (fault, suggested, params) of a number that does not exist."""
    if parsed.country_code == BRAZIL:
        return _fault_in_brazil(_national(parsed), typed)
    if parsed.country_code == PORTUGAL:
        return _fault_in_portugal(_national(parsed), typed, country)
    return (Fault.NOT_ABROAD if _is_possible(parsed) else Fault.IMPOSSIBLE), "", {}


def _fault_in_brazil(digits: str, typed: str) -> Explanation:
    if digits.startswith(NON_GEOGRAPHIC) and len(digits) > SHORTEST_LOCAL:
        return Fault.IMPOSSIBLE, "", {}
    if len(digits) > MOBILE:
        return Fault.TOO_LONG, "", {"count": len(digits), "over": len(digits) - MOBILE}
    if len(digits) < LANDLINE:
        return _too_short_in_brazil(digits, typed)
    if not AREA.match(digits):
        return Fault.AREA_UNKNOWN, "", {"area": digits[:2]}
    if len(digits) == LANDLINE and (suggested := _with_ninth(digits)):
        return _without_ninth(digits, suggested, typed)
    return Fault.NOT_IN_BRAZIL, "", {"area": digits[:2], "begins": digits[2]}


def _without_ninth(digits: str, suggested: str, typed: str) -> Explanation:
    """Explain an eight-digit mobile: from before the ninth digit if split four and four, a digit short if five come
    first."""
    ends = _group_ends(typed)
    if ends and (4 not in ends or 5 in ends):
        return _missing(digits, MOBILE_SHAPE)
    params = {"phone": written(phonenumbers.parse(suggested), "BR")}
    return (Fault.NINTH_DIGIT if ends else Fault.TEN_DIGITS), suggested, params


def _too_short_in_brazil(digits: str, typed: str) -> Explanation:
    groups = re.findall("[0-9]+", typed.removeprefix("+").removeprefix(str(BRAZIL)))
    if len(groups) > 1 and len(groups[0].lstrip("0")) == 2 and AREA.fullmatch(digits[:2]):
        if digits[2:3] in tuple("2345"):
            return _missing(digits, LANDLINE_SHAPE)
        return _missing(digits, MOBILE_SHAPE) if digits[2:3] == "9" else (Fault.TOO_SHORT, "", {"count": len(digits)})
    if len(digits) == SHORTEST_LOCAL or len(digits) == MOBILE_LOCAL and digits[0] == "9":
        return Fault.AREA_MISSING, "", {"phone": f"{digits[:-4]}-{digits[-4:]}"}
    return Fault.TOO_SHORT, "", {"count": len(digits)}


def _fault_in_portugal(digits: str, typed: str, country: str) -> Explanation:
    if len(digits) < PORTUGUESE:
        return _missing(digits, PORTUGUESE_SHAPE)
    if len(digits) == PORTUGUESE:
        return Fault.NOT_IN_PORTUGAL, "", {"begins": digits[0] if digits[0] in "0145" else digits[:3]}
    brazilian = None if typed.startswith("+") or country != "PT" else _parsed(typed, "BR")
    if brazilian and is_certain(brazilian) and (len(_digits(typed)) >= MOBILE or "(" in typed):
        shown = phonenumbers.format_number(brazilian, PhoneNumberFormat.INTERNATIONAL)
        return Fault.OF_BRAZIL, _e164(brazilian), {"phone": shown}
    return Fault.TOO_LONG, "", {"count": len(digits), "over": len(digits) - PORTUGUESE}


def _missing(digits: str, shape: str) -> Explanation:
    """Return the fault for missing digits, and the number with a gap for each of them."""
    lacking = shape.count("#") - len(digits)
    if len(digits) < MIN_SHOWN:
        return Fault.TOO_SHORT, "", {"count": len(digits)}
    known = iter(digits + "_" * lacking)
    shown = "".join(next(known) if char == "#" else char for char in shape)
    return (Fault.DIGIT_MISSING if lacking == 1 else Fault.DIGITS_MISSING), "", {"phone": shown, "count": lacking}


def _with_ninth(digits: str) -> str:
    """Return the E.164 mobile that these ten digits became with the ninth digit, "" if they were no mobile."""
    if digits[2] not in "6789":
        return ""
    new = _brazilian(f"{digits[:2]}9{digits[2:]}")
    return _e164(new) if is_certain(new) else ""


def _group_ends(typed: str) -> set[int]:
    """Return the positions at which the last eight digits are split: {4} for (81) 9999-9999, {5} for (81) 99999-999."""
    ends, place = set(), SHORTEST_LOCAL
    for group in reversed(re.findall("[0-9]+", typed)):
        place -= len(group)
        ends.add(place)
    return {end for end in ends if 0 < end < SHORTEST_LOCAL}


def _is_possible(parsed: PhoneNumber) -> bool:
    """Return whether the length is possible; for Brazil only with the area code, which the metadata lacks."""
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    has_area = parsed.country_code != BRAZIL or len(str(parsed.national_number)) >= LANDLINE
    return possible and has_area and _is_short_enough(parsed)


def _is_short_enough(parsed: PhoneNumber) -> bool:
    return len(_e164(parsed)) <= len("+") + E164_DIGITS


def _parsed(typed: str, country: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        return None


def _brazilian(digits: str) -> PhoneNumber:
    """Return the number with this area code and these local digits, whether it exists or not."""
    return phonenumbers.parse(f"+{BRAZIL}{digits}")


def _e164(parsed: PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _national(parsed: PhoneNumber) -> str:
    return phonenumbers.national_significant_number(parsed)


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def made_up_phone(country: str, number: int) -> str:
    """Return a valid mobile number, E.164, that no operator assigns, for invented people. `number` is up to 999999."""
    return f"{UNASSIGNED[country]}{number:06d}"
