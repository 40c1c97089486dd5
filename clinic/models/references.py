"""Which rows others refer to, by the foreign keys of all models."""

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import ForeignKey, ForeignObjectRel, Model


def referred_to(model: type[Model], ids: Sequence[int], besides: Collection[type[Model]]) -> set[int]:
    """Return which rows of the model, by their ids, a row of any other model refers to by a key that the database
    holds, but for models in `besides`. One statement."""
    relations = (each for each in model._meta.get_fields(include_hidden=True) if isinstance(each, ForeignObjectRel))
    others = (each.field for each in relations if each.related_model not in besides)
    keys = [key for key in others if isinstance(key, ForeignKey) and key.db_constraint]  # type: ignore[attr-defined]  # not in the stubs
    columns = [(key.column, key.model._meta.db_table) for key in keys]
    referring = " UNION ALL ".join(
        f"SELECT {column} FROM {table} WHERE {column} = ANY(%(ids)s)"  # noqa: S608 - names of our own models
        for column, table in columns
    )
    with connection.cursor() as cursor:
        cursor.execute(referring, {"ids": list(ids)})
        return {pk for (pk,) in cursor.fetchall()}
