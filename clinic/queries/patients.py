"""What is shown of patients: who a search text may mean, and the visits on a patient's card. Reads only; no HTTP."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import phonenumbers
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from clinic.models import Appointment, Clinic, Patient, phones
from clinic.models.appointment import STANDING, Status
from clinic.models.characters import with_ascii_digits
from clinic.models.documents import CPF_LENGTH, NIF_LENGTH
from clinic.models.names import HYPHENS, contains_word, letters, words
from clinic.models.ranges import Fold

OPTIONS = 8
RECENT = timedelta(days=180)
MOST_TIES = 20
LONGEST_TEXT = 100
MOST_WORDS = 8
SHORTEST_PHONE_PART = 4
WHOLE_PHONE = 8
SHORTEST_CPF_PART = 6
SHORTEST_WHOLE = {"BR": 10, "PT": 9}  # digits of a phone with its area code

WRITTEN_DATE = re.compile(r"(?<![\w/.-])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?![\w/.-])", re.ASCII)
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
class Wanted:
    """A search text taken apart: every part must fit the patient."""

    words: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    born: date | None = None


@dataclass(frozen=True)
class Options:
    """Who the booking panel may mean by `text`: at most OPTIONS patients, and whether there are more."""

    text: str
    patients: list[Patient]
    has_more: bool
    is_whole_number: bool


def options(clinic: Clinic, text: str, now: datetime) -> Options:
    """Return the options of the booking panel, those seen or expected within RECENT before others that fit as well."""
    found = search(clinic, text, OPTIONS + 1, recent_since=now - RECENT)
    return Options(text, found[:OPTIONS], len(found) > OPTIONS, is_whole_number(clinic, text))


def search(
    clinic: Clinic,
    text: str,
    limit: int = OPTIONS,
    *,
    by_numbers: bool = True,
    dead_too: bool = False,
    recent_since: datetime | None = None,
) -> list[Patient]:
    """At most `limit` patients with `last_visit`, an appointment or None. At most five queries.

    Each `is_exact` or not: the owner of a number of the text, whole as typed.

    Any part of the name without accents and in any order of words (of one or two letters only as a word's beginning),
    four or more digits of the phone, six or more first digits of the CPF, the NIF, the birth date. Who has exactly that
    number comes first, then those whose name begins like that, then the others; by name, then by pk. With
    `recent_since`, who has an appointment from that instant on comes before others who fit as well: among the first
    MOST_TIES of them by name, because asking about all 5 000 of a common name takes four times as long. Not
    `by_numbers`: by the words of the text alone. Those who died only with `dead_too`: nobody books for them.
    """
    wanted = read(text) if by_numbers else _named_only(read(text))
    if wanted == Wanted():
        return []
    people = Patient.objects.of(clinic)
    found = _ranked(clinic, people if dead_too else people.filter(died=False), wanted, limit, recent_since)
    visits = Appointment.objects.of(clinic).kept().filter(patient__in=found, status=Status.FINISHED)
    last = _first_of_each(visits.order_by("patient_id", "-starts_at", "-pk"))
    for patient in found:
        patient.last_visit = last.get(patient.pk)
    return found


def read(text: str) -> Wanted:
    """What a search text asks for.

    Ignored are control characters and direction marks, punctuation around a word, and what only says what follows: a
    title before a name ("Dra."), a label before a number or a date ("tel", "CPF:").
    """
    text = phones.CARRIER_PLACE.sub("", HYPHEN.sub("-", BOTH_GENDERS.sub("", _plain(text))))
    born = None
    if written := WRITTEN_DATE.search(text):
        born = _date(*written.groups())
    if born:
        text = f"{text[: written.start()]} {text[written.end() :]}"
    numbers = []
    for run in NUMBER.findall(text):
        digits = re.sub("[^0-9]", "", run)
        if len(digits) >= SHORTEST_PHONE_PART:
            numbers.append(digits)
            text = text.replace(run, " ", 1)
    named = words(text)
    if numbers or born:
        named = [word for word in named if _key(word) not in LABELS | TITLES]
    return Wanted(tuple(_untitled(named)[:MOST_WORDS]), tuple(numbers[:MOST_WORDS]), born)


def is_whole_number(clinic: Clinic, text: str) -> bool:
    """Return whether the text is one number and nothing else, long enough to be a whole one."""
    wanted = read(text)
    alone = len(wanted.numbers) == 1 and not wanted.words and not wanted.born
    return alone and len(wanted.numbers[0]) >= SHORTEST_WHOLE[clinic.country]


def with_next_appointment(clinic: Clinic, patients: Iterable[Patient], now: datetime) -> list[Patient]:
    """The same patients with `next_appointment`, which is standing and not over at `now`, or None. One query."""
    patients = list(patients)
    coming = Appointment.objects.of(clinic).standing().filter(patient__in=patients, ends_at__gt=now)
    following = _first_of_each(coming.order_by("patient_id", "starts_at", "pk"))
    for patient in patients:
        patient.next_appointment = following.get(patient.pk)
    return patients


def on_day(clinic: Clinic, day: date, limit: int) -> QuerySet[Patient]:
    """Those who are expected on a local date, by name."""
    midnight, next_midnight = clinic.day(day)
    visits = Appointment.objects.of(clinic).standing().filter(starts_at__gte=midnight, starts_at__lt=next_midnight)
    return Patient.objects.of(clinic).filter(pk__in=visits.values("patient"))[:limit]


def coming_visits(patient: Patient, now: datetime) -> QuerySet[Appointment]:
    """Standing and not over at `now`; the next one first."""
    return _visits(patient).standing().filter(ends_at__gt=now)


def past_visits(patient: Patient, now: datetime) -> QuerySet[Appointment]:
    """All others: over at `now`, or cancelled or missed; the last one first."""
    return _visits(patient).filter(~STANDING | Q(ends_at__lte=now)).order_by("-starts_at", "-pk")


def missing(patient: Patient) -> list[str]:
    """What makes the patient's data incomplete, in words."""
    return [str(Patient._meta.get_field(name).verbose_name) for name in patient.missing]


def _visits(patient):
    kept = Appointment.objects.of(patient.clinic_id).kept().filter(patient=patient)
    return kept.prefetch_related("lines")


def _first_of_each(visits):
    return {visit.patient_id: visit for visit in visits.distinct("patient_id")}


def fitting(found: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Those of them that `search` would find by this text, in their own order; nobody for a text that asks nothing."""
    wanted = read(text)
    if wanted == Wanted():
        return found.none()
    return found.alias(phone_text=Cast("phone", TextField())).filter(_fits(wanted))


def _named_only(wanted):
    return Wanted(tuple(word for word in wanted.words if not word.isdigit()))


def _untitled(named):
    """Words without the titles among them, unless they are all there is."""
    return [word for word in named if _key(word) not in TITLES] or named


def _key(word):
    return letters(word).casefold()


def _plain(text):
    seen = (char for char in text[:LONGEST_TEXT] if char.isspace() or unicodedata.category(char) not in {"Cc", "Cf"})
    # Accents as characters of their own are unknown to the unaccent of PostgreSQL 15.
    return " ".join(unicodedata.normalize("NFC", with_ascii_digits("".join(seen))).split())


def _date(day, month, year):
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def listed(clinic: Clinic, *, name: str = "", cpf: str = "", phone: str = "") -> QuerySet[Patient]:
    """The living by name and then pk: with that part of the name, that CPF, those digits of the phone; empty: all."""
    found = Patient.objects.of(clinic).filter(died=False).alias(phone_text=Cast("phone", TextField()))
    named = _untitled(words(_plain(name)))
    if name.strip() and not named:
        return found.none()
    for word in named:
        found = found.filter(contains_word("search", word))
    if cpf:
        found = found.filter(cpf=cpf)
    if phone:
        # A national number may be written with a zero before it, or with two before the country's code.
        found = found.filter(Q(phone_text__contains=phone.lstrip("0") or phone) | _other_spellings(phone))
    return found.order_by("folded_name", "pk")


def _ranked(clinic, people, wanted, limit, recent_since):
    """The best first. Each part is asked for only while there is room: a common first name costs as little as any."""
    exact, beginning = _is_exactly(clinic, wanted), _begins(wanted)
    matching = people.alias(phone_text=Cast("phone", TextField())).filter(_fits(wanted))
    # Ordered by an expression, PostgreSQL finds the matches by trigram and sorts them. Ordered by the column, it may
    # walk through all names of the clinic in the hope of finding enough early on (200 ms among 100 000 patients).
    by_name = Concat("folded_name", Value("")), "pk"
    asked = max(limit, MOST_TIES) if recent_since else limit
    found = list(matching.filter(exact).order_by(*by_name)[:asked]) if exact else []
    owners, begun = len(found), []
    if beginning and len(found) < limit:
        # A name that begins with the one word contains it; without asking so, PostgreSQL walks through the names.
        names = people if _is_one_plain_word(wanted) else matching
        begun = list(names.filter(beginning).exclude(exact).order_by("folded_name", "pk")[:asked])
    others = []
    if len(found) + len(begun) < limit:
        others = list(matching.exclude(exact | beginning).order_by(*by_name)[:asked])
    found = _recent_first([found, begun, others], recent_since)[:limit]
    for place, patient in enumerate(found):
        patient.is_exact = place < owners
    return found


def _recent_first(tiers: list[list[Patient]], since: datetime | None) -> list[Patient]:
    """Join the tiers; in each, patients with an appointment from `since` on come first. One query, none for None."""
    found = [patient for tier in tiers for patient in tier]
    if since is None or len(found) == 1:
        return found
    visits = Appointment.objects.kept().filter(patient__in=found, starts_at__gte=since)
    recent = set(visits.values_list("patient_id", flat=True))
    return [patient for tier in tiers for patient in sorted(tier, key=lambda patient: patient.pk not in recent)]


def _is_one_plain_word(wanted: Wanted) -> bool:
    return len(wanted.words) == 1 and wanted == Wanted((letters(wanted.words[0]),))


def _fits(wanted):
    fits = Q()
    for word in wanted.words:
        fits &= contains_word("search", word)
    for digits in wanted.numbers:
        fits &= _in_numbers(digits)
    return fits & Q(birth_date=wanted.born) if wanted.born else fits


def _in_numbers(digits):
    # A national number may be written with a zero before it, or with two before the country's code.
    part = digits.lstrip("0") if len(digits.lstrip("0")) >= SHORTEST_PHONE_PART else digits
    # The country's code with the city's is a part of everybody's number.
    fits = Q(phone_text__contains=part) if len(part) >= WHOLE_PHONE else Q(phone_text__regex=rf"\+.+{part}")
    fits |= _other_spellings(digits)
    if SHORTEST_CPF_PART <= len(digits) <= CPF_LENGTH:
        fits |= Q(cpf__gte=digits.ljust(CPF_LENGTH, "0"), cpf__lte=digits.ljust(CPF_LENGTH, "9"))
    if len(digits) == NIF_LENGTH:
        fits |= Q(nif=digits)
    if len(digits) == len("31121999") and (born := _date(digits[:2], digits[2:4], digits[4:])):
        fits |= Q(birth_date=born)
    return fits


def _other_spellings(digits):
    """A mobile of Brazil is found with and without its ninth digit, however it is stored."""
    number = phones.read(digits, "BR").number
    return Q(phone__in=phones.spellings(number)) if number else Q()


def _is_exactly(clinic, wanted):
    code = phonenumbers.country_code_for_region(clinic.country)
    exact = Q()
    for digits in wanted.numbers:
        bare = digits.lstrip("0")
        exact |= Q(cpf=digits) | Q(phone__in=[f"+{bare}", f"+{code}{bare}"])
        if len(digits) == NIF_LENGTH:
            exact |= Q(nif=digits)
    return exact


def _begins(wanted):
    return Q(folded_name__startswith=_folded(" ".join(wanted.words))) if wanted.words else Q()


def _folded(text):
    return Fold(Value(text, output_field=TextField()))
