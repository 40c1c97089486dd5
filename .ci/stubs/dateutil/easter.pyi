from datetime import date
from typing import Literal

def easter(year: int, method: Literal[1, 2, 3] = 3) -> date: ...
