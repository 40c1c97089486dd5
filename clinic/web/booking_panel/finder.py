"""The block of the panel that answers "when is the next one?": the times it offers, and how it goes on."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from clinic import booking
from clinic.models import Appointment, Clinic, Doctor, Procedure
from clinic.schedule import Opening, bookable_dates
from clinic.spoken import SpokenTime, times_in_words
from clinic.web.booking_panel.finder_fields import (
    ANY,
    Asked,
    is_same_specialty,
    is_wide,
    read_asked,
    sought_doctor,
    specialty_of,
)

SPOKEN = 2


class Offer(NamedTuple):
    """A free time, and whether it is the one that is chosen."""

    opening: Opening
    doctor: Doctor
    is_chosen: bool


@dataclass(frozen=True)
class Finder:
    """The open block. `lacking` says why there is no doctor to look for, `moves` where its buttons lead.

    With `may_widen` a time is sought with one doctor or within a speciality."""

    asked: Asked
    sought: str
    at: str
    has_procedures: bool
    may_widen: bool = False
    specialty: str = ""
    one_doctor: Doctor | None = None
    offers: Sequence[Offer] = ()
    found: booking.Found | None = None
    spoken: str = ""
    lacking: str = ""
    moves: dict[str, str] = field(default_factory=dict)


def offers_for(
    clinic: Clinic,
    data: QueryDict,
    *,
    doctors: Iterable[Doctor],
    performing: Callable[[], Sequence[Doctor]],
    minutes: int,
    patient: int | None,
    chosen: tuple[int | None, datetime | None],
    moving: Appointment | None = None,
    procedures: Sequence[Procedure] = (),
) -> Finder:
    """Return the open block. `performing` reads the doctors who perform everything; nothing is sought without
    `minutes`. `chosen` are the id of the doctor and the start that are filled in; the limits of `procedures` hold. At
    most five queries."""
    asked, sought = read_asked(data), sought_doctor(data)
    block = Finder(
        asked,
        sought=f"{sought}|{chosen[0]}" if is_wide(sought) else "",
        at=data.get("find_at", ""),
        has_procedures=bool(minutes),
        may_widen=sought not in ("", ANY),
        specialty=specialty_of(sought),
    )
    if not minutes:
        return block
    able = performing()
    candidates = _candidates(able, sought)
    if not candidates:
        return replace(block, lacking=_lacking(able, sought))
    wish = booking.Wish(
        clinic=clinic,
        doctors=candidates,
        minutes=minutes,
        first=asked.day or asked.from_day,
        parts=asked.parts,
        weekdays=asked.weekdays,
        is_earliest=asked.is_earliest,
        patient=patient,
        moving=moving,
        procedures=procedures,
    )
    found = booking.find(wish, after=asked.after, before=asked.before)
    names = {doctor.pk: doctor for doctor in [*doctors, *candidates]}
    offers = [
        Offer(opening, names[opening.doctor_id], (opening.doctor_id, opening.starts_at) == chosen)
        for opening in found.openings
    ]
    return replace(
        block,
        one_doctor=candidates[0] if len(candidates) == 1 else None,
        offers=offers,
        found=found,
        spoken=_spoken(clinic, offers),
        moves=_moves(wish, found),
    )


def waiting_address(data: QueryDict, *, patient: int | None, procedures: Collection[int]) -> str:
    """Return where this patient is put on the waiting list for what is asked for; "" without patient or procedures."""
    if patient is None or not procedures:
        return ""
    asked, sought = read_asked(data), sought_doctor(data)
    query = {
        "paciente": patient,
        "procedimento": list(procedures),
        "medico": [sought] if sought and not is_wide(sought) else [],
        "dia": sorted(asked.weekdays),
        "turno": [part.value for part in asked.parts] if len(asked.parts) == 1 else [],
    }
    return reverse("web:waiting-add", query=query)


def _candidates(able: Sequence[Doctor], sought: str) -> list[Doctor]:
    if is_wide(sought):
        specialty = specialty_of(sought)
        return [doctor for doctor in able if not specialty or is_same_specialty(doctor, specialty)]
    return [doctor for doctor in able if not sought or str(doctor.pk) == sought]


def _lacking(able: Sequence[Doctor], sought: str) -> str:
    if not able:
        return "any"
    return "specialty" if is_wide(sought) else "doctor"


def _spoken(clinic: Clinic, offers: Sequence[Offer]) -> str:
    times = [SpokenTime(clinic.local(offer.opening.starts_at), offer.doctor) for offer in offers[:SPOKEN]]
    today = clinic.local(timezone.now()).date()
    return times_in_words(times, today, get_language() or "") if times else ""


def _moves(wish: booking.Wish, found: booking.Found) -> dict[str, str]:
    """Return the values of the buttons later, earlier, another day, and further than the search went."""
    latest = bookable_dates(wish.clinic, timezone.now())[1]
    is_short = len(found.openings) < booking.FINDER_COUNT and found.last < latest
    further = {"further": f"day:{found.last + timedelta(days=1)}"} if is_short else {}
    if not found.openings:
        return further
    first, last = found.openings[0].starts_at, found.openings[-1].starts_at
    next_day = wish.clinic.local(first).date() + timedelta(days=1)
    return further | {
        "later": f"later:{last.isoformat()}",
        "earlier": f"earlier:{first.isoformat()}",
        "day": f"day:{next_day}",
    }
