"""Statements of the ORM that are composed once in a process and run with other values.

Composing the statement of a day takes Django longer than PostgreSQL takes to run it, and every screen asks once a
minute. The rules in it stay written once, as expressions; what changes from one run to the next is a `parameter`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from django.db import connection
from django.db.models import Expression, Field, QuerySet

from clinic.cursors import prepared_cursor


class _Parameter(Expression):
    def __init__(self, name: str, output_field: "Field[Any, Any]", offset: timedelta = timedelta(0)) -> None:
        super().__init__(output_field=output_field)
        self.name, self.offset = name, offset

    # An offset is added before the statement runs, as to any instant in Python.
    def __add__(self, offset: timedelta) -> Self:  # type: ignore[override]  # nothing else is added to an instant
        return type(self)(self.name, self.output_field, self.offset + offset)

    def __sub__(self, offset: timedelta) -> Self:  # type: ignore[override]  # nor taken from it
        return self + -offset

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def value(self, values: Mapping[str, Any]) -> Any:
        return values[self.name] + self.offset if self.offset else values[self.name]


def parameter(name: str, output_field: "Field[Any, Any]") -> Any:
    """Return what stands in a queryset for a value that `ComposedStatement.rows` is given by this name; to and from an
    instant a timedelta can be added and taken."""
    return _Parameter(name, output_field)


class ComposedStatement:
    """The statement of a `values_list`. Its text may depend on nothing but its parameters.

    PostgreSQL plans it at each run, or, `prepared`, keeps a plan for all parameters where it finds none better: for
    what reads few rows by an index, whatever its parameters are (`clinic.cursors`)."""

    def __init__(self, values_list: "QuerySet[Any, tuple[Any, ...]]", *, prepared: bool = False) -> None:
        compiler = values_list.query.get_compiler(connection=connection)
        self._sql, self._params = compiler.as_sql()
        self._converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self._apply_converters = compiler.apply_converters
        self._is_prepared = prepared

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run it with these values of its parameters. One query."""
        params = [each.value(values) if isinstance(each, _Parameter) else each for each in self._params]
        with prepared_cursor() if self._is_prepared else connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            return [tuple(row) for row in self._apply_converters(cursor.fetchall(), self._converters)]
