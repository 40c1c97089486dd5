"""Rows together with those they belong to, by statements composed once: every request loads who asks."""

from functools import cache

from django.db import models

from clinic.cursors import prepared_cursor
from clinic.models.loading import instance, names


def load(kinds: tuple[type[models.Model], ...], source: str, parameters: list, *, also: str = "") -> list | None:
    """One instance of each of `kinds` from the first row, None for the NULLs of an outer join; None without a row.

    `source` is what follows FROM, with each kind's table under its own name; the values of the columns that `also`
    names come after the instances. Neither is ever made of anything typed.
    """
    with prepared_cursor() as cursor:
        cursor.execute(_statement(kinds, source, also), parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    found, at = [], 0
    for kind in kinds:
        length = len(names(kind))
        found.append(instance(kind, row[at : at + length]))
        at += length
    return [*found, *row[at:]]


@cache
def _statement(kinds, source, also):
    columns = [f"{kind._meta.db_table}.{name}" for kind in kinds for name in names(kind)]
    columns += [also] if also else []
    return f"SELECT {', '.join(columns)} FROM {source} LIMIT 1"  # noqa: S608 - names of the models' own columns
