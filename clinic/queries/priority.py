"""Which patients the law of the clinic's country lets go before others by their age.

Brazil: Lei 10.048/2000 art. 1 gives priority to people of 60 years and more, and the Estatuto da Pessoa Idosa (Lei
10.741/2003 art. 3 § 2 and art. 71 § 5) puts those of 80 and more before them. Portugal: DL 58/2016 art. 2 asks for
evident limitations, so that nobody goes before others by age alone.
"""

from datetime import date
from enum import IntEnum

from django.utils.translation import gettext_lazy as _

from clinic.models import Clinic
from clinic.models.patient import years_between

ELDERLY, VERY_ELDERLY = 60, 80  # years


class Priority(IntEnum):
    """In the order of calling."""

    VERY_ELDERLY = 0
    ELDERLY = 1
    NONE = 9

    @property
    def reason(self) -> str:
        """Why this patient goes first, "" for none."""
        return str(REASONS.get(self, ""))


REASONS = {Priority.VERY_ELDERLY: _("80 anos ou mais"), Priority.ELDERLY: _("60 anos ou mais")}


def priority_by_age(clinic: Clinic, born: date | None, today: date) -> Priority:
    """Return the priority of a patient on a local date of the clinic; none for an unknown birth date."""
    if clinic.country != Clinic.Country.BRAZIL or born is None:
        return Priority.NONE
    years = years_between(born, today)
    if years >= VERY_ELDERLY:
        return Priority.VERY_ELDERLY
    return Priority.ELDERLY if years >= ELDERLY else Priority.NONE
