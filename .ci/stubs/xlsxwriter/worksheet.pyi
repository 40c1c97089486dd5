from fractions import Fraction
from typing import Any, Literal

from xlsxwriter.format import Format

class Worksheet:
    def set_column(
        self,
        first_col: int,
        last_col: int,
        width: float | None = None,
        cell_format: Format | None = None,
        options: dict[str, Any] | None = None,
    ) -> Literal[0, -1]: ...
    def write_string(
        self, row: int, col: int, string: str, cell_format: Format | None = None
    ) -> Literal[0, -1, -2]: ...
    def write_number(
        self, row: int, col: int, number: float | Fraction, cell_format: Format | None = None
    ) -> Literal[0, -1]: ...
