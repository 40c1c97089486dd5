"""The patients that are read while a request is answered: what is read may be shown, so the access log takes it all.

Collected where a row of the database becomes a Patient, so that no page and no operation can forget a
patient. Where more are read than are shown, as in a search, the reading is `choosing`, and the chosen ones are added.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass
class Shown:
    """Ids of patients with those of their clinics (None: the request's), and the local dates of whole days."""

    patients: dict[int, int | None] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)


_shown: ContextVar[Shown | None] = ContextVar("shown", default=None)


@contextmanager
def collecting() -> Iterator[Shown]:
    """Collect what is read until the block ends."""
    shown = Shown()
    token = _shown.set(shown)
    try:
        yield shown
    finally:
        _shown.reset(token)


@contextmanager
def choosing() -> Iterator[None]:
    """Collect nothing until the block ends: its reader chooses from more than are shown, and adds those."""
    token = _shown.set(None)
    try:
        yield
    finally:
        _shown.reset(token)


def add(patients: Iterable[Any]) -> None:
    """Add patients; a clinic that was not read is the request's."""
    if (shown := _shown.get()) is not None:
        shown.patients.update((patient.pk, patient.__dict__.get("clinic_id")) for patient in patients)


def add_ids(ids: Iterable[int], clinic_id: int) -> None:
    """Add patients of that clinic by their ids, without their rows."""
    if (shown := _shown.get()) is not None:
        shown.patients.update(dict.fromkeys(ids, clinic_id))


def add_day(day: date) -> None:
    """Add all patients of a local date, whose names were read without their rows."""
    if (shown := _shown.get()) is not None:
        shown.days.add(day)
