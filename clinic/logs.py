"""What is written to the log: errors, and nothing about patients."""

import logging
import re

# PostgreSQL explains a refused row by quoting it, notes of several lines included; a chained error follows after that.
QUOTED = re.compile(r"^(DETAIL|CONTEXT):.*?(?=\n\n(?:The above|During handling)|\Z)", re.DOTALL | re.MULTILINE)


class WithoutRows(logging.Formatter):
    """Keeps the message and the constraint's name, and leaves out what PostgreSQL quotes of rows."""

    def format(self, record: logging.LogRecord) -> str:
        return QUOTED.sub(r"\1: not logged", super().format(record))
