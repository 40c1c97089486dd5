"""Rows that a statement written out has read, as models. Column and attribute are called alike in all of them."""

from functools import cache

from django.db import connection, models


@cache
def names(model: type[models.Model]) -> tuple[str, ...]:
    """The columns of a whole row, in the order in which `instance` wants their values."""
    return tuple(field.attname for field in model._meta.concrete_fields)


def instance(model: type[models.Model], values: tuple, columns: tuple[str, ...] | None = None) -> models.Model | None:
    """The row as a model, the others of its columns deferred; None for the NULLs of an outer join."""
    columns = columns or names(model)
    is_there = values[columns.index(model._meta.pk.attname)] is not None
    return model.from_db(connection.alias, columns, values) if is_there else None
