"""The columns of the rows that the hand-written statements of booking read and write."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection, models

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


def values(row: models.Model) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in written_fields(type(row))]
