"""The fields of the panel that ask for the next free times, as they are sent and as they are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic.booking import PartOfDay
from clinic.form_fields import (
    WEEKDAYS_IN_WORDS,
    TypedDateField,
    is_short_number,
    lowered,
)
from clinic.models import Doctor
from clinic.models.names import without_accents
from clinic.web.reading import read_date, read_instant, read_number

ANY = "any"
# What the field "a partir de" reads besides dates, without accents.
PARTS_IN_WORDS = {"manha": PartOfDay.MORNING, "tarde": PartOfDay.AFTERNOON, "noite": PartOfDay.NIGHT}
BETWEEN_WORDS = {"de", "da", "do", "a", "as", "e", "ou", "na", "no", "pela", "partir", "feira", "feiras"}
PART_LABELS = {PartOfDay.MORNING: _("manhã"), PartOfDay.AFTERNOON: _("tarde"), PartOfDay.NIGHT: _("noite")}
WEEKDAY_LABELS = {1: _("seg"), 2: _("ter"), 3: _("qua"), 4: _("qui"), 5: _("sex"), 6: _("sáb"), 7: _("dom")}
# The fields that begin the search anew.
FIELDS = {"find_earliest", "find_part", "find_weekday", "find_from"}


class Chip(NamedTuple):
    value: str
    label: str
    is_on: bool


@dataclass(frozen=True)
class Asked:
    """What the posted fields ask for; unreadable ones ask for nothing. `from_error` is the complaint about a text."""

    is_earliest: bool = True
    parts: frozenset[PartOfDay] = frozenset()
    weekdays: frozenset[int] = frozenset()
    from_text: str = ""
    from_day: date | None = None
    from_error: str = ""
    after: datetime | None = None
    before: datetime | None = None
    day: date | None = None

    @property
    def is_narrow(self) -> bool:
        return bool(self.parts or self.weekdays or self.from_day)

    @property
    def part_chips(self) -> list[Chip]:
        return [Chip(part.value, str(label), part in self.parts) for part, label in PART_LABELS.items()]

    @property
    def weekday_chips(self) -> list[Chip]:
        shown = [weekday for weekday in WEEKDAY_LABELS if weekday < 7 or weekday in self.weekdays]
        return [Chip(str(weekday), str(WEEKDAY_LABELS[weekday]), weekday in self.weekdays) for weekday in shown]


def is_wide(text: str) -> bool:
    """Return whether the field of the doctor asks for any, or any of a speciality: "any", "any:Dermatologia"."""
    return text == ANY or text.startswith(f"{ANY}:")


def specialty_of(wide: str) -> str:
    return wide.partition(":")[2]


def is_same_specialty(doctor: Doctor, specialty: str) -> bool:
    return lowered(doctor.specialty) == lowered(specialty)


def specialties(doctors: Iterable[Doctor]) -> list[str]:
    """Return the specialities of the doctors, each once."""
    return sorted({doctor.specialty.strip() for doctor in doctors} - {""}, key=lowered)


def sought_doctor(data: QueryDict) -> str:
    """Return with which doctor a time is sought: a wide choice, a doctor's id, or "" for any.

    A time that was chosen has filled in its doctor: the search goes on as it was asked for, until the person chooses
    another doctor."""
    doctor = data.get("doctor", "")
    wide, _sep, chosen = data.get("find_doctor", "").rpartition("|")
    return wide if chosen == doctor and is_wide(wide) else doctor


def choose_doctor(data: QueryDict, doctor: str) -> None:
    """Fill in the doctor of an offered time, and keep with which doctor one was sought."""
    sought = sought_doctor(data)
    data["doctor"] = doctor
    data["find_doctor"] = f"{sought or ANY}|{doctor}" if is_wide(sought or ANY) else ""


def is_finder_open(data: QueryDict) -> bool:
    """Return whether the block is shown for what was sent: asked for, or no doctor is chosen yet."""
    return bool(data.get("finding")) or not is_short_number(data.get("doctor", ""))


def apply_finder_button(data: QueryDict, just_left: str | None) -> None:
    """Change the fields as the pressed button of the block asks; anything else than a move begins the search anew."""
    if data.get("find") == "1":
        if not data.get("finding"):
            data["find_earliest"] = "1"
        data["finding"] = "1"
    elif "find" in data:
        data["finding"] = ""
    if "widen" in data:
        data["doctor"], data["finding"] = ANY, "1"
    if "relax" in data:
        data.setlist("find_part", [])
        data.setlist("find_weekday", [])
        data["find_from"] = ""
    if "find_move" in data:
        data["find_at"] = data.get("find_move", "")
    elif {"find", "widen", "relax"} & data.keys() or just_left in FIELDS | {"doctor", "procedure"}:
        data["find_at"] = ""


def read_asked(data: QueryDict) -> Asked:
    """Read what was asked for; without the block's own fields the earliest time."""
    parts = frozenset(PartOfDay(text) for text in data.getlist("find_part") if text in list(PartOfDay))
    weekdays = frozenset(int(text) for text in data.getlist("find_weekday") if text in "1234567" and len(text) == 1)
    text = data.get("find_from", "").strip()
    typed_parts, typed_weekdays, rest = read_words(text)
    day, error = _read_date(rest)
    move, _sep, place = data.get("find_at", "").partition(":")
    return Asked(
        is_earliest="find_earliest" in data or not data.get("finding"),
        parts=parts | typed_parts,
        weekdays=weekdays | typed_weekdays,
        from_text=text,
        from_day=day,
        from_error=error,
        after=read_instant(place) if move == "later" else None,
        before=read_instant(place) if move == "earlier" else None,
        day=read_date(place) if move == "day" else None,
    )


def read_words(text: str) -> tuple[frozenset[PartOfDay], frozenset[int], str]:
    """Split "segunda de manhã" into parts of the day and weekdays; the rest is a date, or nothing."""
    words = lowered(text).replace(",", " ").replace("-feira", "").split()
    plain = [without_accents(word) for word in words]
    parts = frozenset(PARTS_IN_WORDS[word] for word in plain if word in PARTS_IN_WORDS)
    weekdays = frozenset(WEEKDAYS_IN_WORDS[word] for word in plain if word in WEEKDAYS_IN_WORDS)
    if not parts and not weekdays:
        return parts, weekdays, text
    known = {*PARTS_IN_WORDS, *WEEKDAYS_IN_WORDS, *BETWEEN_WORDS}
    return parts, weekdays, " ".join(word for word, bare in zip(words, plain, strict=True) if bare not in known)


def read_time_value(text: str) -> tuple[int | None, datetime | None]:
    """Read a free time as `booking.time_value` writes it: the doctor's id and the start; None for what cannot be
    read."""
    doctor, _bar, starts = text.partition("|")
    return read_number(doctor), read_instant(starts)


def _read_date(text: str) -> tuple[date | None, str]:
    """Return the typed date, or why it cannot be read."""
    try:
        return TypedDateField(required=False).clean(text), ""
    except ValidationError as error:
        return None, " ".join(error.messages)
