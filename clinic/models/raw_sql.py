"""Run hand-written SQL and turn its rows into models."""

import json
from functools import cache
from inspect import getattr_static
from typing import Any, overload

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.base import ModelState
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.signals import post_init, pre_init

from clinic.cursors import prepared_cursor


@overload
def fetch_joined[A: models.Model, B: models.Model](
    model_types: tuple[type[A], type[B]], from_clause: str, parameters: list[Any], *, extra_columns: str = ""
) -> tuple[tuple[A, B], tuple[Any, ...]] | None: ...


@overload
def fetch_joined[A: models.Model, B: models.Model, C: models.Model](
    model_types: tuple[type[A], type[B], type[C]], from_clause: str, parameters: list[Any], *, extra_columns: str = ""
) -> tuple[tuple[A, B, C], tuple[Any, ...]] | None: ...


def fetch_joined(
    model_types: tuple[type[models.Model], ...], from_clause: str, parameters: list[Any], *, extra_columns: str = ""
) -> tuple[tuple[models.Model, ...], tuple[Any, ...]] | None:
    """Return one instance of each model from the first row, and the values of `extra_columns`; None without a row.

    `from_clause` is the SQL after FROM, with inner joins and each model's table under its own name. Neither is ever
    made of user input.
    """
    row = _first_row(model_types, from_clause, parameters, extra_columns)
    if row is None:
        return None
    parts, extra = _split(model_types, row)
    return tuple(_instance(model, part) for model, part in zip(model_types, parts, strict=True)), extra


def fetch_outer_joined[A: models.Model, B: models.Model, C: models.Model](
    model_types: tuple[type[A], type[B], type[C]], from_clause: str, parameters: list[Any], *, extra_columns: str = ""
) -> tuple[tuple[A, B | None, C | None], tuple[Any, ...]] | None:
    """Return instances and values like `fetch_joined`, None for each left join without a match; None without a row."""
    row = _first_row(model_types, from_clause, parameters, extra_columns)
    if row is None:
        return None
    (first, second, third), extra = _split(model_types, row)
    parts = _instance(model_types[0], first), instance(model_types[1], second), instance(model_types[2], third)
    return parts, extra


def _first_row(
    model_types: tuple[type[models.Model], ...], from_clause: str, parameters: list[Any], extra_columns: str = ""
) -> tuple[Any, ...] | None:
    with prepared_cursor() as cursor:
        cursor.execute(_statement(model_types, from_clause, extra_columns), parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _split(
    model_types: tuple[type[models.Model], ...], row: tuple[Any, ...]
) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
    """Return the columns of each model, and those after them."""
    parts = []
    start = 0
    for model in model_types:
        end = start + len(column_names(model))
        parts.append(row[start:end])
        start = end
    return parts, row[start:]


@cache
def _statement(model_types: tuple[type[models.Model], ...], from_clause: str, extra_columns: str) -> str:
    columns = [f"{model._meta.db_table}.{name}" for model in model_types for name in column_names(model)]
    columns += [extra_columns] if extra_columns else []
    return f"SELECT {', '.join(columns)} FROM {from_clause} LIMIT 1"  # noqa: S608 - names of the models' own columns


@cache
def column_names(model: type[models.Model]) -> tuple[str, ...]:
    """Return the columns of a whole row, in the order in which `instance` takes their values."""
    return tuple(field.column for field in model._meta.concrete_fields if field.column)


@cache
def attribute_names(model: type[models.Model]) -> tuple[str, ...]:
    """Return the attributes of the same columns, whose names may be others."""
    return tuple(field.attname for field in model._meta.concrete_fields)


def instance[M: models.Model](
    model: type[M], values: tuple[Any, ...], attributes: tuple[str, ...] | None = None
) -> M | None:
    """Return the row as a model, with the attributes not given deferred; None for an outer join without a match."""
    attributes = attributes or attribute_names(model)
    is_there = values[attributes.index(model._meta.pk.attname)] is not None
    return _instance(model, values, attributes) if is_there else None


def _instance[M: models.Model](model: type[M], values: tuple[Any, ...], attributes: tuple[str, ...] | None = None) -> M:
    attributes = attributes or attribute_names(model)
    if places := _json_places(model, attributes):
        values = tuple(
            json.loads(value) if place in places and value is not None else value for place, value in enumerate(values)
        )
    if not _takes_values_as_they_are(model):
        return model.from_db(DEFAULT_DB_ALIAS, attributes, values)
    # What `from_db` leaves, without its two signals and a call for every column: it took an eighth of a booking's time.
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    vars(row).update(zip(attributes, values, strict=True))
    return row


@cache
def _takes_values_as_they_are(model: type[models.Model]) -> bool:
    """Return whether Django stores the values of a row unchanged: no attribute converts them, as that of a phone does,
    and nothing else is done when a row is loaded."""
    if model.from_db.__func__ is not models.Model.from_db.__func__:  # type: ignore[attr-defined]  # a bound method
        return False
    if model.__init__ is not models.Model.__init__ or any(each.has_listeners(model) for each in (pre_init, post_init)):
        return False
    descriptors = (getattr_static(model, name) for name in attribute_names(model))
    return all(
        isinstance(descriptor, ForeignKeyDeferredAttribute) or not hasattr(descriptor, "__set__")
        for descriptor in descriptors
    )


@cache
def _json_places(model: type[models.Model], attributes: tuple[str, ...]) -> frozenset[int]:
    """Return the places of the values that Django reads as text and then parses."""
    names = {field.attname for field in model._meta.concrete_fields if isinstance(field, models.JSONField)}
    return frozenset(place for place, name in enumerate(attributes) if name in names)
