"""Database functions used in constraints and generated columns. Migrations import this module, so it never moves."""

from django.contrib.postgres.fields import DateTimeRangeField
from django.db.models import DateTimeField, Func, TextField


class TsTzRange(Func):
    """The half-open range of two instants: an appointment at 09:15 may follow one from 09:00 to 09:15."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Fold(Func):
    """Remove accents, capitals and repeated spaces from a text, by the SQL function of migration 0001.

    It is in SQL, behind generated columns, so that indexes, sorting and comparisons fold alike.
    """

    function = "clinic_fold"
    output_field = TextField()


class Instant(Func):
    """An instant that is stored as ISO 8601 with its offset, by the SQL function of migration 0081: a cast could not
    be indexed, since that of a text without an offset would depend on the session."""

    function = "clinic_instant"
    output_field = DateTimeField()
