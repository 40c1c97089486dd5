"""The columns of the rows that the hand-written statements of booking read and write."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

# A patient is loaded without the phone, which is parsed at every load: no rule about an appointment needs it.
PATIENT_COLUMNS = ("id", "clinic_id", "name", "social_name", "died", "merged_into_id", "blocked_at")

type Field = models.Field[Any, Any]


@cache
def written_fields(model: type[models.Model]) -> tuple[Field, ...]:
    """Return the fields of a row but its own id and the appointment's, which the statement itself knows, and those that
    the database sets."""
    known = {"id", "appointment_id", "changed_at"}
    return tuple(field for field in model._meta.concrete_fields if field.column not in known)


def column_list(fields: Sequence[Field]) -> str:
    # A concrete field has a column; the condition is for the type checker.
    return ", ".join(connection.ops.quote_name(field.column) for field in fields if field.column)


def placeholders(fields: Sequence[Field]) -> str:
    return ", ".join(f"%s::{field.db_type(connection)}" for field in fields)


def values(row: models.Model, fields: Sequence[Field] | None = None) -> list[Any]:
    """Return what a statement stores in these fields of a row, by default in all that are written."""
    connection = connections[DEFAULT_DB_ALIAS]  # its proxy would look it up for every field
    fields = written_fields(type(row)) if fields is None else fields
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
