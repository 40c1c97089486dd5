"""Which tables and columns of a clinic its archive holds, derived from the models; and why others stay behind.

A new table or column is in the archive by itself, unless it is named here with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import GeneratedField

from clinic.models import Clinic, ClinicEvent, RowChange, StaffUser
from clinic.models.staff_link import IN_TEAM_SQL

FORMAT = 1
# Tables that stay behind, by the reason.
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "it lets people or programs in, and would do so in two places": frozenset(
        {
            "clinic_accesstoken",
            "clinic_apikey",
            "clinic_calendarfeed",
            "clinic_displaylink",
            "clinic_staffsession",
            "clinic_stafflink",
        }
    ),
    "it is the history of what stays behind": frozenset({"clinic_credentialevent"}),
    "it says who looked, which is answered where they did": frozenset({"clinic_patientaccess", "clinic_signin"}),
    "it passes": frozenset({"clinic_storedanswer", "clinic_requestcount"}),
    "it is the installation's": frozenset({"clinic_keycheck"}),
}
# Columns that stay behind, by their table. An import fills them with the defaults of the model, or as `reading` says.
LEFT_OUT_COLUMNS: Mapping[str, frozenset[str]] = {
    # A sandbox is a copy, made anew by the first request of a test key.
    "clinic_clinic": frozenset({"sandbox_of_id", "sandbox_day"}),
    # Computed with a key of the installation.
    "clinic_patient": frozenset({"phone_hash"}),
    # Staff come along as names, for the histories, and with who is in the team, to be invited again. How they signed
    # in, and what they were allowed, does not.
    "clinic_staffuser": frozenset(
        {
            *("username", "folded_username", "password", "pin", "last_login", "sessions_ended_at"),
            *("is_superuser", "may_squeeze_in", "may_record_absence", "max_discount_percent"),
            *("may_see_reports", "may_export"),
        }
    ),
}
# What a column is written as where it is not just read. Who acted in the clinic without working for it becomes one of
# its receptionists, since nobody else may see the name. Active are those in the team, invited ones too.
WRITTEN_AS = {
    ("clinic_staffuser", "clinic_id"): "%(clinic)s::bigint",
    ("clinic_staffuser", "role"): "CASE WHEN clinic_id = %(clinic)s THEN role ELSE 'receptionist' END",
    ("clinic_staffuser", "doctor_id"): "CASE WHEN clinic_id = %(clinic)s THEN doctor_id END",
    ("clinic_staffuser", "is_active"): (
        "id IN (SELECT member.id FROM clinic_staffuser AS member"  # noqa: S608 - own condition
        f" WHERE member.clinic_id = %(clinic)s AND {IN_TEAM_SQL})"
    ),
}
# Tables, without `clinic_`, whose row changes stay behind, for their before and after would say what does.
NOT_THEIR_CHANGES = {name.removeprefix("clinic_") for name in frozenset({"clinic_staffuser"}).union(*LEFT_OUT.values())}


@dataclass(frozen=True)
class Table:
    """A table in the archive."""

    model: type[models.Model]

    @property
    def stored_name(self) -> str:
        """The name in the database."""
        return self.model._meta.db_table

    @property
    def name(self) -> str:
        """The name in the archive."""
        return self.stored_name.removeprefix("clinic_")

    @property
    def file(self) -> str:
        """The path within the archive."""
        return f"tables/{self.name}.jsonl"

    @cached_property
    def fields(self) -> list[Any]:
        """The fields of the model that are in the archive, in the order of their declaration."""
        left_out = LEFT_OUT_COLUMNS.get(self.stored_name, frozenset())
        kept = (field for field in self.model._meta.concrete_fields if not isinstance(field, GeneratedField))
        return [field for field in kept if field.column not in left_out]

    @cached_property
    def columns(self) -> list[str]:
        return [field.column for field in self.fields]

    @property
    def key(self) -> str:
        """The column by which the rows are in order."""
        return str(self.model._meta.pk.column)

    @property
    def select_sql(self) -> str:
        """The statement whose rows are the lines of the file, with the parameter `clinic`."""
        written = {name: WRITTEN_AS.get((self.stored_name, name), quoted(name)) for name in self.columns}
        parts = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in written.items())
        rows = f"SELECT {parts} FROM {self.stored_name} WHERE {self.condition} ORDER BY {self.key}"  # noqa: S608 - own names
        return f"SELECT row_to_json(line)::text FROM ({rows}) AS line"  # noqa: S608 - own names

    @property
    def condition(self) -> str:
        """The condition in SQL of the rows of a clinic, with the parameter `clinic`."""
        if self.model is Clinic:
            return "id = %(clinic)s"
        if self.model is StaffUser:
            return f"clinic_id = %(clinic)s OR id IN ({_named_staff_sql()})"
        own = _own_condition(self.model)
        if self.model is RowChange:
            return f'{own} AND "table" NOT IN ({", ".join(map(repr, sorted(NOT_THEIR_CHANGES)))})'
        # Who has exported and imported is known where they did, as who has looked.
        return f"{own} AND kind <> '{ClinicEvent.Kind.ARCHIVE}'" if self.model is ClinicEvent else own


def quoted(name: str) -> str:
    """Return the name of a column as SQL takes it, reserved words too."""
    return f'"{name}"'


def _own_condition(model: type[models.Model]) -> str:
    if any(field.column == "clinic_id" for field in model._meta.concrete_fields):
        return "clinic_id = %(clinic)s"
    foreign: Any = next(field for field in model._meta.concrete_fields if field.is_relation)
    target = foreign.related_model._meta.db_table
    return f"{foreign.column} IN (SELECT id FROM {target} WHERE clinic_id = %(clinic)s)"  # noqa: S608 - own names


def _named_staff_sql() -> str:
    """Return the query of the ids of all staff that a row of the archive names."""
    return " UNION ".join(
        f"SELECT {field.column} FROM {table.stored_name} WHERE {table.condition}"  # noqa: S608 - own names
        for table in TABLES
        for field in table.fields
        if table.model is not StaffUser and field.is_relation and field.related_model is StaffUser
    )


def _tables() -> list[Table]:
    left_out = frozenset[str]().union(*LEFT_OUT.values())
    found = apps.get_app_config("clinic").get_models(include_auto_created=True)
    kept = [Table(model) for model in found if not model._meta.proxy and model._meta.db_table not in left_out]
    by_model: dict[Any, Table] = {table.model: table for table in sorted(kept, key=lambda table: table.name)}
    needed = {
        table: [by_model[field.related_model] for field in table.fields if field.related_model in {*by_model} - {model}]
        for model, table in by_model.items()
    }
    # What a row names comes before it: not every constraint waits for the end of the transaction.
    return [*TopologicalSorter(needed).static_order()]


TABLES = _tables()
