"""Rows together with those they belong to, by statements composed once: every request loads who asks."""

from functools import cache

from django.db import connection, models


def load(kinds: tuple[type[models.Model], ...], source: str, parameters: list, *, also: str = "") -> list | None:
    """One instance of each of `kinds` from the first row, None for the NULLs of an outer join; None without a row.

    `source` is what follows FROM, with each kind's table under its own name; the values of the columns that `also`
    names come after the instances. Neither is ever made of anything typed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(kinds, source, also), parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    found, at = [], 0
    for kind in kinds:
        names = _names(kind)
        found.append(_instance(kind, names, row[at : at + len(names)]))
        at += len(names)
    return [*found, *row[at:]]


@cache
def _statement(kinds, source, also):
    columns = [f"{kind._meta.db_table}.{field.column}" for kind in kinds for field in kind._meta.concrete_fields]
    columns += [also] if also else []
    return f"SELECT {', '.join(columns)} FROM {source} LIMIT 1"  # noqa: S608 - names of the models' own columns


@cache
def _names(kind):
    return [field.attname for field in kind._meta.concrete_fields]


def _instance(kind, names, values):
    return None if values[names.index(kind._meta.pk.attname)] is None else kind.from_db(connection.alias, names, values)
