from typing import TypedDict, type_check_only

@type_check_only
class _Properties(TypedDict, total=False):
    bold: bool
    num_format: str

class Format:
    def __init__(
        self,
        properties: _Properties | None = None,
        xf_indices: dict[str, int] | None = None,
        dxf_indices: dict[str, int] | None = None,
    ) -> None: ...
