"""The patients called like one who is being registered: to be seen before a person is there twice. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, Window

from clinic.models import Clinic, Patient
from clinic.models.names import SHORTEST_PART, letters, same_letters, same_letters_within
from clinic.models.ranges import Fold
from clinic.registry import unstorable

SHOWN = 3


@dataclass(frozen=True)
class Namesakes:
    """The `first` of the namesakes, SHOWN at most, and how many `more` there are."""

    first: Sequence[Patient] = ()
    more: int = 0


def namesakes(clinic: Clinic, name: str, besides: Collection[int] = ()) -> Namesakes:
    """Return the living patients whose name or social name has the letters of this one, the newest first.

    `besides` are ids of patients who are not meant. One query; none for a name of fewer than three letters, which no
    index finds and which is still being typed.
    """
    if len(letters(name)) < SHORTEST_PART or unstorable(name):
        return Namesakes()
    called = same_letters("folded_name", name) | same_letters("folded_social_name", name)
    patients = Patient.objects.of(clinic).filter(~Q(pk__in=besides), died=False)
    found = (
        patients.alias(folded_social_name=Fold("social_name"))
        .filter(called, same_letters_within("search", name))
        .annotate(found=Window(Count("pk")))
    )
    first = list(found.order_by("-pk")[:SHOWN])
    return Namesakes(first, first[0].found - len(first) if first else 0)
