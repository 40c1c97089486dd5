"""The patients called like one who is being registered: to be seen before a person is there twice. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet, TextField, Value, Window

from clinic.models import Clinic, Patient, phones
from clinic.models.names import SHORTEST_PART, contains_heard, letters, same_letters, same_letters_within, words
from clinic.models.patient import CURRENT
from clinic.models.ranges import Fold
from clinic.registry import unstorable

SHOWN = 3


@dataclass(frozen=True)
class Namesakes:
    """The `first` of the namesakes, SHOWN at most, and how many `more` there are."""

    first: Sequence[Patient] = ()
    more: int = 0


def namesakes(
    clinic: Clinic, name: str, besides: Collection[int] = (), *, born: date | None = None, phone: str = ""
) -> Namesakes:
    """Return the living patients who are called so, the newest first, then those who were `born` on the same day or
    have the same `phone`, as it was typed, as one of theirs, and whose names are only `heard_alike`; `besides` are ids
    of patients who are not meant.

    Compared are the letters of name and social name; of a single word, as `Ana`, the whole name alone: its letters are
    inside too many others. One query, two with a birth date or a phone; none for a text without words.
    """
    if not words(name) or unstorable(name):
        return Namesakes()
    patients = Patient.objects.of(clinic).filter(~Q(pk__in=besides), CURRENT, died=False)
    found = patients.alias(folded_social_name=Fold("social_name")).filter(_called(name))
    called = list(found.annotate(found=Window(Count("pk"))).order_by("-pk")[:SHOWN])
    alike: list[Patient] = []
    if len(called) < SHOWN:
        others = patients.exclude(pk__in=[patient.pk for patient in called])
        number = phones.read(phone, clinic.country, clinic.area_code).number
        alike = list(heard_alike(others, name, born, [number])[: SHOWN - len(called)])
    return Namesakes([*called, *alike], called[0].found - len(called) if called else 0)


def heard_alike(
    patients: QuerySet[Patient], name: str, born: date | None, numbers: Collection[str | None]
) -> QuerySet[Patient]:
    """Return those of `patients` who were born on that day and whose names have a first and a last word that are heard
    like those of this name (`clinic_heard`, migration 0025), by name: Luís Sousa and Luiz A. de Souza. Where one of the
    two birth dates is not known, one of these phones, in E.164, as one of their two phones stands in for it.

    A suggestion and never a match: twins are alike, too. None without a birth date and a phone, or for a single
    word."""
    parts = words(name)
    spelled = [spelling for number in numbers if number for spelling in phones.spellings(number)]
    if not (born or spelled) or len(parts) < 2:
        return patients.none()
    alike = contains_heard("search", parts[0]) & contains_heard("search", parts[-1])
    return patients.filter(alike, _may_be_born(born, spelled)).order_by("folded_name", "pk")


def _may_be_born(born: date | None, numbers: Sequence[str]) -> Q:
    if not numbers:
        return Q(birth_date=born)
    has_one_of_them = Q(phone__in=numbers) | Q(second_phone__in=numbers)
    return Q(birth_date=born) | Q(has_one_of_them, birth_date=None) if born else has_one_of_them


def _called(name: str) -> Q:
    if len(words(name)) == 1 or len(letters(name)) < SHORTEST_PART:
        return Q(folded_name=Fold(Value(name, output_field=TextField())))
    same = same_letters("folded_name", name) | same_letters("folded_social_name", name)
    return same & same_letters_within("search", name)
