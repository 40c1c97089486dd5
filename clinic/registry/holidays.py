"""Beginning a clinic's own list of holidays with those of a town."""

from clinic.models import Clinic, ClinicHoliday
from clinic.schedule import TOWN_HOLIDAYS


def leave_town_holidays(clinic: Clinic, town: str) -> None:
    """Remove the days that `add_town_holidays` adds for a town, where they are as it adds them.

    Runs in the caller's transaction, which has the clinic's row locked."""
    for falls_on, name in TOWN_HOLIDAYS[clinic.country].get(town, ()):
        added = {"falls_on": falls_on, "kind": ClinicHoliday.Kind.CLOSES, "name": name}
        ClinicHoliday.objects.of(clinic).filter(**added).delete()


def add_town_holidays(clinic: Clinic, town: str) -> int:
    """Add the town's days that the clinic's list lacks, none of a town that is not known; return how many.

    Runs in the caller's transaction, which shares the clinic's row or has it locked."""
    added = 0
    for falls_on, name in TOWN_HOLIDAYS[clinic.country].get(town, ()):
        closes = {"falls_on": falls_on, "kind": ClinicHoliday.Kind.CLOSES}
        _holiday, is_new = ClinicHoliday.objects.get_or_create(clinic=clinic, **closes, defaults={"name": name})
        added += is_new
    return added
