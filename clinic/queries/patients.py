"""Search patients by what is typed. Reads only."""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

import phonenumbers
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from clinic.models import Appointment, Clinic, FormerName, Patient, documents, phones, shown
from clinic.models.appointment import Status
from clinic.models.characters import with_ascii_digits
from clinic.models.documents import CPF_LENGTH, NIF_LENGTH, is_cpf
from clinic.models.names import HYPHENS, contains_heard, contains_word, letters, words
from clinic.models.patient import CURRENT
from clinic.models.ranges import Fold
from clinic.queries.patient_card import first_of_each

OPTIONS = 8
RECENT = timedelta(days=180)
MAX_TIES = 20
MAX_FORMER = 100
LONGEST_TEXT = 100
MAX_WORDS = 8
SHORTEST_PHONE_PART = 4
WHOLE_PHONE = 8
SHORTEST_CPF_PART = 6
MIN_DOCUMENT_DIGITS = 3
SHORTEST_NUMERIC_DOCUMENT = 6  # shorter numbers are parts of phones; each condition more costs half a millisecond
SHORTEST_WHOLE = {"BR": 10, "PT": 9}  # digits of a phone with its area code

WRITTEN_DATE = re.compile(r"(?<![\w/.-])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2}(?! \d))(?![\w/.-])", re.ASCII)
# Digits as people punctuate them, but not those inside a word ("15h").
NUMBER = re.compile(r"(?<!\w)\+?\(?[0-9][0-9\s()./-]*(?!\w)")
BOTH_GENDERS = re.compile(r"(?<=\w)\(\w{1,2}\)")  # Sr(a)
HYPHEN = re.compile(f"[{re.escape(HYPHENS)}]")
# What people write before a name, and before a document or a date.
BEFORE_NAMES = """
    sr sra srs sras srta srª senhor senhora d dona seu dr dra drs dras drª doutor doutora ª º prof profa professor
    professora nome paciente utente cliente
"""
BEFORE_NUMBERS = """
    cpf nif nascimento nasc nascido nascida dn data de
"""
TITLES = frozenset(BEFORE_NAMES.split())
LABELS = frozenset([*phones.LABELS.split(), *BEFORE_NUMBERS.split()])


@dataclass(frozen=True)
class ParsedSearch:
    """The parts of a search text; a patient must fit all of them. `numbers` are digits only.

    `born` are the dates that the written birth date may mean: two for a year of two digits. `document` is the whole
    text if it may be the number of a passport or the like: letters and digits. Its owner need not fit the other parts.
    """

    words: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    born: tuple[date, ...] = ()
    document: str = ""


class PatientOption(NamedTuple):
    """A patient that a text may mean. `is_exact`: the text holds the whole of one of their numbers."""

    patient: Patient
    last_visit: Appointment | None
    is_exact: bool


@dataclass(frozen=True)
class Options:
    """The choices of the booking panel for `text`: at most OPTIONS patients, and whether there are more."""

    text: str
    patients: list[PatientOption]
    has_more: bool
    is_whole_number: bool

    @property
    def likely(self) -> list[PatientOption]:
        """The patients that the text may mean: the owners of a number in it, else all; none for a whole number without
        an owner. One alone is taken, of several a person chooses."""
        owners = [option for option in self.patients if option.is_exact]
        return owners if owners or self.is_whole_number else self.patients


def search(
    clinic: Clinic,
    text: str,
    limit: int = OPTIONS,
    *,
    by_numbers: bool = True,
    dead_too: bool = False,
    widely: bool = False,
) -> list[Patient]:
    """Return at most `limit` patients who fit the text. At most three queries, `widely` six.

    A text is any part of the name without accents and in any order of words (of one or two letters only as a word's
    beginning), four or more digits of the phone, six or more first digits of the CPF, the NIF, the número de utente,
    another document, the birth date. Owners of exactly that number come first, then those whose name begins like that,
    then the others; by name, then by pk.
    Without `by_numbers` only the words of the text count. `widely` finds more, after the others: those who were called
    so formerly (`found_by` is that name), then those whose names are only heard alike, as Luiz for `luis`. Patients who
    died are left out without `dead_too`: there is
    nothing to book for them.
    """
    wanted = read(text) if by_numbers else _words_only(read(text))
    if wanted == ParsedSearch():
        return []
    patients = Patient.objects.of(clinic).filter(CURRENT)
    searched = patients if dead_too else patients.filter(died=False)
    owners, others = _ranked(clinic, searched, wanted, limit)
    return owners + others + (_less_alike(clinic, searched, wanted, limit - len(owners + others)) if widely else [])


def options(clinic: Clinic, text: str, now: datetime) -> Options:
    """Return the choices of the booking panel: living patients who fit the text, each with their last finished visit.

    Ordered like `search`, but those with an appointment within RECENT of the instant `now`, or ahead of it, come before
    others who fit as well; last come those who were called so formerly, and those whose names are only heard alike. At
    most eight queries.
    """
    wanted = read(text)
    if wanted == ParsedSearch():
        return Options(text, [], has_more=False, is_whole_number=False)
    living = Patient.objects.of(clinic).filter(CURRENT, died=False)
    with shown.choosing():
        owners, others = _ranked(clinic, living, wanted, OPTIONS + 1, now - RECENT)
        others += _less_alike(clinic, living, wanted, OPTIONS + 1 - len(owners + others))
    offered = (owners + others)[:OPTIONS]
    shown.add(offered)
    finished = Appointment.objects.of(clinic).kept().filter(patient__in=offered, status=Status.FINISHED)
    last = first_of_each(finished.select_related("doctor").order_by("patient_id", "-starts_at", "-pk"))
    return Options(
        text,
        [PatientOption(patient, last.get(patient.pk), patient in owners) for patient in offered],
        has_more=len(owners) + len(others) > OPTIONS,
        is_whole_number=is_whole_number(clinic, text),
    )


def read(text: str) -> ParsedSearch:
    """Take a search text apart.

    Ignored are control characters and direction marks, punctuation around a word, and what only says what follows: a
    title before a name ("Dra."), a label before a number or a date ("tel", "CPF:").
    """
    document = _document(text)
    text = phones.CARRIER_PLACE.sub("", HYPHEN.sub("-", BOTH_GENDERS.sub("", _plain(text))))
    born: tuple[date, ...] = ()
    if (match := WRITTEN_DATE.search(text)) and (born := _dates(*match.groups())):
        text = f"{text[: match.start()]} {text[match.end() :]}"
    numbers = []
    for run in NUMBER.findall(text):
        if len(_digits(run)) >= SHORTEST_PHONE_PART:
            numbers += _numbers_in(run)
            text = text.replace(run, " ", 1)
    names = words(text)
    if numbers or born:
        names = [word for word in names if _key(word) not in LABELS | TITLES]
    return ParsedSearch(tuple(_without_titles(names)[:MAX_WORDS]), tuple(numbers[:MAX_WORDS]), born, document)


def _document(text: str) -> str:
    """Return the text as a document's number, "" if it has no letter, few digits, or is longer than one."""
    key = documents.read_document(text[:LONGEST_TEXT])
    fits = documents.is_document(key) and sum(map(str.isdigit, key)) >= MIN_DOCUMENT_DIGITS
    return key if fits and any(map(str.isalpha, key)) else ""


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _numbers_in(run: str) -> list[str]:
    """Return the digits of what was written as one number: a CPF beside a phone, with only a space between, is two."""
    groups = run.split()
    for at in range(1, len(groups)):
        parts = _digits(" ".join(groups[:at])), _digits(" ".join(groups[at:]))
        if any(map(is_cpf, parts)) and min(map(len, parts)) >= WHOLE_PHONE:
            return list(parts)
    return [_digits(run)]


def is_whole_number(clinic: Clinic, text: str) -> bool:
    """Return whether the text is one number and nothing else, long enough to be a whole one."""
    wanted = read(text)
    alone = len(wanted.numbers) == 1 and not wanted.words and not wanted.born
    return alone and len(wanted.numbers[0]) >= SHORTEST_WHOLE[clinic.country]


def fitting(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Return those of `patients` that `search` would find by this text, in their order; none for an empty search."""
    wanted = read(text)
    if wanted == ParsedSearch():
        return patients.none()
    return patients.alias(phone_text=Cast("phone", TextField())).filter(_fits(wanted))


def _words_only(wanted: ParsedSearch) -> ParsedSearch:
    return ParsedSearch(tuple(word for word in wanted.words if not word.isdigit()))


def _without_titles(names: list[str]) -> list[str]:
    """Return the words that are not titles; all of them if there are only titles."""
    return [word for word in names if _key(word) not in TITLES] or names


def _key(word: str) -> str:
    return letters(word).casefold()


def _plain(text: str) -> str:
    seen = (char for char in text[:LONGEST_TEXT] if char.isspace() or unicodedata.category(char) not in {"Cc", "Cf"})
    # Accents as characters of their own are unknown to the unaccent of PostgreSQL 15.
    return " ".join(unicodedata.normalize("NFC", with_ascii_digits("".join(seen))).split())


def _dates(day: str, month: str, year: str) -> tuple[date, ...]:
    """Return the dates that are meant. A year of two digits is of both centuries: nobody is born ahead of today."""
    years = [year] if len(year) == 4 else [f"19{year}", f"20{year}"]
    return tuple(born for whole in years if (born := _date(day, month, whole)))


def _date(day: str, month: str, year: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def listed(clinic: Clinic, *, name: str = "", cpf: str = "", phone: str = "") -> QuerySet[Patient]:
    """Return the living patients with that part of the name, that CPF and those digits of a phone, by pk.

    An empty argument restricts nothing.
    """
    found = Patient.objects.of(clinic).filter(CURRENT, died=False).alias(phone_text=Cast("phone", TextField()))
    names = _without_titles(words(_plain(name)))
    if name.strip() and not names:
        return found.none()
    for word in names:
        found = found.filter(contains_word("search", word))
    if cpf:
        found = found.filter(cpf=cpf)
    if phone:
        # A national number may be written with a zero before it, or with two before the country's code.
        part = phone.lstrip("0") or phone
        in_a_phone = Q(phone_text__contains=part) | Q(second_phone__contains=part)
        found = found.filter(in_a_phone | _other_spellings(phone))
    return found.order_by("pk")


def _ranked(
    clinic: Clinic, patients: QuerySet[Patient], wanted: ParsedSearch, limit: int, recent_since: datetime | None = None
) -> tuple[list[Patient], list[Patient]]:
    """Return the owners of a number of the search, and the others, those first whose name begins like it.

    A part is queried only while there is room for it, so that a common first name costs as little as any. With
    `recent_since`, patients with an appointment from that instant on come before others who fit as well: among the
    first MAX_TIES of them by name, because asking about all 5 000 of a common name takes four times as long.
    """
    exact, beginning = _is_exactly(clinic, wanted), _begins(wanted)
    matching = patients.alias(phone_text=Cast("phone", TextField())).filter(_fits(wanted))
    # Ordered by an expression, PostgreSQL finds the matches by trigram and sorts them. Ordered by the column, it may
    # walk through all names of the clinic in the hope of finding enough early on (200 ms among 100 000 patients).
    by_name = Concat("folded_name", Value("")), "pk"
    asked = max(limit, MAX_TIES) if recent_since else limit
    owners: list[Patient] = [*matching.filter(exact).order_by(*by_name)[:asked]] if exact else []
    begun: list[Patient] = []
    if beginning and len(owners) < limit:
        # A name that begins with the one word contains it; without asking so, PostgreSQL walks through the names.
        names = patients if _is_one_plain_word(wanted) else matching
        begun = [*names.filter(beginning).exclude(exact).order_by("folded_name", "pk")[:asked]]
    others: list[Patient] = []
    if len(owners) + len(begun) < limit:
        others = [*matching.exclude(exact | beginning).order_by(*by_name)[:asked]]
    if recent_since:
        owners, begun, others = _recent_first(clinic, [owners, begun, others], recent_since)
    owners = owners[:limit]
    return owners, (begun + others)[: limit - len(owners)]


def _less_alike(clinic: Clinic, patients: QuerySet[Patient], wanted: ParsedSearch, limit: int) -> list[Patient]:
    """Return at most `limit` patients who do not fit: those who were called so formerly, then those whose names are
    heard alike, without those of the former. None without words or room."""
    if limit <= 0 or not wanted.words:
        return []
    former = _formerly_called(clinic, patients, wanted, limit)
    known = {patient.pk for patient in former}
    heard = _heard_alike(patients, wanted, limit) if len(former) < limit else []
    return (former + [patient for patient in heard if patient.pk not in known])[:limit]


def _formerly_called(clinic: Clinic, patients: QuerySet[Patient], wanted: ParsedSearch, limit: int) -> list[Patient]:
    """Return at most `limit` patients, by name, who do not fit, but one of whose former names has all the words.

    One query if there is none, two if there are some: few patients have another name than they had, and their ids are
    cheaper than a join of both tables."""
    has_words = Q()
    for word in wanted.words:
        has_words &= contains_word("search", word)
    names = FormerName.objects.of(clinic).filter(has_words).order_by("-until", "pk")
    found = dict(reversed(names.values_list("patient", "name")[:MAX_FORMER]))  # of several the latest
    if not found:
        return []
    called = patients.filter(pk__in=found).alias(phone_text=Cast("phone", TextField()))
    fitting = called.filter(_others(wanted)).exclude(_fits(wanted))
    former: list[Patient] = list(fitting.order_by(Concat("folded_name", Value("")), "pk")[:limit])
    for patient in former:
        patient.found_by = found[patient.pk]
    return former


def _heard_alike(patients: QuerySet[Patient], wanted: ParsedSearch, limit: int) -> list[Patient]:
    """Return at most `limit` patients, by name, who do not fit, but whose names are heard like the words. One query."""
    alike = Q()
    for word in wanted.words:
        alike &= contains_heard("search", word)
    rest = patients.alias(phone_text=Cast("phone", TextField())).filter(alike & _others(wanted))
    return list(rest.exclude(_fits(wanted)).order_by(Concat("folded_name", Value("")), "pk")[:limit])


def _others(wanted: ParsedSearch) -> Q:
    """Return the condition of the parts of the search that are no words."""
    return _fits(replace(wanted, words=(), document=""))


def _recent_first(clinic: Clinic, tiers: list[list[Patient]], since: datetime) -> list[list[Patient]]:
    """Return the tiers, in each of which patients with an appointment from `since` on come first. One query."""
    found = [patient for tier in tiers for patient in tier]
    if len(found) < 2:
        return tiers
    visits = Appointment.objects.of(clinic).kept().filter(patient__in=found, starts_at__gte=since)
    recent = set(visits.values_list("patient_id", flat=True))
    return [sorted(tier, key=lambda patient: patient.pk not in recent) for tier in tiers]


def _is_one_plain_word(wanted: ParsedSearch) -> bool:
    return len(wanted.words) == 1 and wanted == ParsedSearch((letters(wanted.words[0]),))


def _fits(wanted: ParsedSearch) -> Q:
    fits = Q()
    for word in wanted.words:
        fits &= contains_word("search", word)
    for digits in wanted.numbers:
        fits &= _in_numbers(digits)
    if wanted.born:
        fits &= Q(birth_date__in=wanted.born)
    return fits | Q(document_number=wanted.document) if wanted.document else fits


def _in_numbers(digits: str) -> Q:
    """Return the condition that a phone, a document or the birth date has these digits."""
    # A national number may be written with a zero before it, or with two before the country's code.
    part = digits.lstrip("0") if len(digits.lstrip("0")) >= SHORTEST_PHONE_PART else digits
    # The country's code with the city's is a part of everybody's number.
    lookup = {"contains": part} if len(part) >= WHOLE_PHONE else {"regex": rf"\+.+{part}"}
    fits = Q()
    for phone in ("phone_text", "second_phone"):
        fits |= Q(**{f"{phone}__{name}": value for name, value in lookup.items()})
    fits |= _other_spellings(digits)
    if SHORTEST_CPF_PART <= len(digits) <= CPF_LENGTH:
        fits |= Q(cpf__gte=digits.ljust(CPF_LENGTH, "0"), cpf__lte=digits.ljust(CPF_LENGTH, "9"))
    if len(digits) == NIF_LENGTH:
        fits |= _has_nine_digits(digits)
    if len(digits) >= SHORTEST_NUMERIC_DOCUMENT:
        fits |= Q(document_number=digits)
    if len(digits) == len("31121999") and (born := _date(digits[:2], digits[2:4], digits[4:])):
        fits |= Q(birth_date=born)
    return fits


def _has_nine_digits(digits: str) -> Q:
    return Q(nif=digits) | Q(health_number=digits)


def _other_spellings(digits: str) -> Q:
    """Return the condition that finds a mobile of Brazil with and without its ninth digit, however it is stored."""
    number = phones.read(digits, "BR").number
    if not number:
        return Q()
    spellings = phones.spellings(number)
    return Q(phone__in=spellings) | Q(second_phone__in=spellings)


def _is_exactly(clinic: Clinic, wanted: ParsedSearch) -> Q:
    """Return the condition that one of the numbers is the patient's whole document or phone."""
    code = phonenumbers.country_code_for_region(clinic.country)
    exact = Q()
    for digits in wanted.numbers:
        bare = digits.lstrip("0")
        numbers = [f"+{bare}", f"+{code}{bare}"]
        exact |= Q(cpf=digits) | Q(phone__in=numbers) | Q(second_phone__in=numbers)
        if len(digits) == NIF_LENGTH:
            exact |= _has_nine_digits(digits)
        if len(digits) >= SHORTEST_NUMERIC_DOCUMENT:
            exact |= Q(document_number=digits)
    return exact | Q(document_number=wanted.document) if wanted.document else exact


def _begins(wanted: ParsedSearch) -> Q:
    return Q(folded_name__startswith=_folded(" ".join(wanted.words))) if wanted.words else Q()


def _folded(text: str) -> Fold:
    return Fold(Value(text, output_field=TextField()))
