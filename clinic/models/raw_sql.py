"""Run hand-written SQL and turn its rows into models. Attributes and columns have the same names in all models."""

from functools import cache

from django.db import connection, models

from clinic.cursors import prepared_cursor


def fetch_joined(
    model_types: tuple[type[models.Model], ...], from_clause: str, parameters: list, *, extra_columns: str = ""
) -> list | None:
    """Return one instance of each model from the first row, None for an outer join without a match; None without a row.

    `from_clause` is the SQL after FROM, with each model's table under its own name. The values of `extra_columns`
    follow the instances. Neither is ever made of user input.
    """
    with prepared_cursor() as cursor:
        cursor.execute(_statement(model_types, from_clause, extra_columns), parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    instances, start = [], 0
    for model in model_types:
        end = start + len(column_names(model))
        instances.append(instance(model, row[start:end]))
        start = end
    return [*instances, *row[start:]]


@cache
def _statement(model_types, from_clause, extra_columns):
    columns = [f"{model._meta.db_table}.{name}" for model in model_types for name in column_names(model)]
    columns += [extra_columns] if extra_columns else []
    return f"SELECT {', '.join(columns)} FROM {from_clause} LIMIT 1"  # noqa: S608 - names of the models' own columns


@cache
def column_names(model: type[models.Model]) -> tuple[str, ...]:
    """Return the columns of a whole row, in the order in which `instance` takes their values."""
    return tuple(field.attname for field in model._meta.concrete_fields)


def instance(model: type[models.Model], values: tuple, columns: tuple[str, ...] | None = None) -> models.Model | None:
    """Return the row as a model, with the columns not given deferred; None for an outer join without a match."""
    columns = columns or column_names(model)
    is_there = values[columns.index(model._meta.pk.attname)] is not None
    return model.from_db(connection.alias, columns, values) if is_there else None
