"""Log formatting: errors without any data of patients."""

import logging
import re

# PostgreSQL explains a refused row by quoting it, with notes of several lines; a chained error may follow.
QUOTED = re.compile(r"^(DETAIL|CONTEXT):.*?(?=\n\n(?:The above|During handling)|\Z)", re.DOTALL | re.MULTILINE)


class WithoutRows(logging.Formatter):
    """Keep the message and the constraint's name, and remove the parts in which PostgreSQL quotes rows."""

    def format(self, record: logging.LogRecord) -> str:
        return QUOTED.sub(r"\1: not logged", super().format(record))
