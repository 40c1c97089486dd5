"""Which patients the law of the clinic's country lets go before others: by their age, or as marked.

Brazil: Lei 10.048/2000 art. 1 gives priority to people of 60 years and more, people with disabilities, autistic, obese
or of reduced mobility, pregnant and nursing women, and those with an infant; after them to blood donors. The Estatuto
da Pessoa Idosa (Lei 10.741/2003 art. 3 § 2 and art. 71 § 5) puts those of 80 and more before all. Portugal: DL 58/2016
art. 3 names people with disabilities, elderly people with evident limitations, pregnant women and those with an infant,
so that nobody goes before others by age alone.
"""

from datetime import date
from enum import IntEnum
from typing import NamedTuple

from django.utils.translation import gettext as _

from clinic.models import Clinic, PriorityMark
from clinic.models.patient import years_between

ELDERLY, VERY_ELDERLY = 60, 80  # years
Kind = PriorityMark.Kind
KINDS = {
    Clinic.Country.BRAZIL: [
        *(Kind.PREGNANT, Kind.NURSING, Kind.INFANT, Kind.DISABLED, Kind.AUTISTIC),
        *(Kind.REDUCED_MOBILITY, Kind.OBESE, Kind.DONOR, Kind.NONE),
    ],
    Clinic.Country.PORTUGAL: [Kind.DISABLED, Kind.ELDERLY, Kind.PREGNANT, Kind.INFANT, Kind.NONE],
}


class Rank(IntEnum):
    """In the order of calling."""

    VERY_ELDERLY = 0
    BY_LAW = 1
    DONOR = 2
    NONE = 9


class Priority(NamedTuple):
    """When a patient is called, and why before others, "" for no reason."""

    rank: Rank
    reason: str


NO_PRIORITY = Priority(Rank.NONE, "")


def kinds(clinic: Clinic) -> list[PriorityMark.Kind]:
    """Return the marks that the law of the clinic's country knows, and the one that takes a priority away."""
    return KINDS[Clinic.Country(clinic.country)]


def priority(clinic: Clinic, born: date | None, today: date, mark: str | None = None) -> Priority:
    """Return the priority of a patient on a local date of the clinic, by the mark, or else by age.

    The age of 80 goes before any mark but the one that takes the priority away; an unknown birth date gives none."""
    by_age = _by_age(clinic, born, today)
    if not mark or (by_age.rank is Rank.VERY_ELDERLY and mark != Kind.NONE):
        return by_age
    if mark == Kind.NONE:
        return NO_PRIORITY
    return Priority(Rank.DONOR if mark == Kind.DONOR else Rank.BY_LAW, str(Kind(mark).label))


def _by_age(clinic: Clinic, born: date | None, today: date) -> Priority:
    if clinic.country != Clinic.Country.BRAZIL or born is None:
        return NO_PRIORITY
    years = years_between(born, today)
    if years >= VERY_ELDERLY:
        return Priority(Rank.VERY_ELDERLY, _("80 anos ou mais"))
    return Priority(Rank.BY_LAW, _("60 anos ou mais")) if years >= ELDERLY else NO_PRIORITY
