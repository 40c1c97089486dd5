"""The patients called like one who is being registered: to be seen before a person is there twice. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, TextField, Value, Window

from clinic.models import Clinic, Patient
from clinic.models.names import SHORTEST_PART, letters, same_letters, same_letters_within, words
from clinic.models.ranges import Fold
from clinic.registry import unstorable

SHOWN = 3


@dataclass(frozen=True)
class Namesakes:
    """The `first` of the namesakes, SHOWN at most, and how many `more` there are."""

    first: Sequence[Patient] = ()
    more: int = 0


def namesakes(clinic: Clinic, name: str, besides: Collection[int] = ()) -> Namesakes:
    """Return the living patients who are called so, the newest first; `besides` are ids of patients who are not meant.

    Compared are the letters of name and social name; of a single word, as `Ana`, the whole name alone: its letters are
    inside too many others. One query; none for a text without words.
    """
    if not words(name) or unstorable(name):
        return Namesakes()
    patients = Patient.objects.of(clinic).filter(~Q(pk__in=besides), died=False)
    found = patients.alias(folded_social_name=Fold("social_name")).filter(_called(name))
    first = list(found.annotate(found=Window(Count("pk"))).order_by("-pk")[:SHOWN])
    return Namesakes(first, first[0].found - len(first) if first else 0)


def _called(name: str) -> Q:
    if len(words(name)) == 1 or len(letters(name)) < SHORTEST_PART:
        return Q(folded_name=Fold(Value(name, output_field=TextField())))
    same = same_letters("folded_name", name) | same_letters("folded_social_name", name)
    return same & same_letters_within("search", name)
