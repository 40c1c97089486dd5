from os import PathLike
from types import TracebackType
from typing import IO, Self, TypedDict, type_check_only

from xlsxwriter.format import Format, _Properties
from xlsxwriter.worksheet import Worksheet

@type_check_only
class _Options(TypedDict, total=False):
    constant_memory: bool

class Workbook:
    def __init__(
        self, filename: str | PathLike[str] | IO[bytes] | None = None, options: _Options | None = None
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
    def add_worksheet(self, name: str | None = None, worksheet_class: type[Worksheet] | None = None) -> Worksheet: ...
    def add_format(self, properties: _Properties | None = None) -> Format: ...
