"""Spreadsheets that are brought into a clinic."""

from clinic.exchange.columns import FIELDS, PARTS_OF_NAME, Columns
from clinic.exchange.faults import ImportRefused
from clinic.exchange.files import MAX_BYTES, too_large
from clinic.exchange.kinds import kind_of
from clinic.exchange.patient_cells import Reader
from clinic.exchange.runs import advance, begin, choose_columns, discard, forget_rows, stage, take_back

__all__ = [
    "Columns",
    "FIELDS",
    "ImportRefused",
    "MAX_BYTES",
    "PARTS_OF_NAME",
    "Reader",
    "advance",
    "begin",
    "choose_columns",
    "discard",
    "forget_rows",
    "kind_of",
    "stage",
    "take_back",
    "too_large",
]
