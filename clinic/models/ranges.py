"""Database functions that constraints and generated columns are made of. Migrations import them: they never move."""

from django.contrib.postgres.fields import DateTimeRangeField
from django.db.models import Func, TextField


class TsTzRange(Func):
    """The half-open range of two instants: 09:15 may follow 09:00–09:15."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Fold(Func):
    """Text without accents, capitals and doubled spaces, by the SQL function of migration 0001.

    In SQL, behind generated columns: so indexes, sorting and comparisons fold alike."""

    function = "clinic_fold"
    output_field = TextField()
