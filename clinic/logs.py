"""Log formatting: errors without any data of patients, and without the secrets in addresses."""

import logging
import re

# PostgreSQL explains a refused row by quoting it, with notes of several lines; a chained error may follow.
QUOTED = re.compile(r"^(DETAIL|CONTEXT):.*?(?=\n\n(?:The above|During handling)|\Z)", re.DOTALL | re.MULTILINE)
SECRET = re.compile(r"(/(?:acesso|calendario|painel|importar/arquivo)/)[^\s/]+")


class WithoutRows(logging.Formatter):
    """Keep the message and the constraint's name, and remove the parts in which PostgreSQL quotes rows, and the secret
    in the address of a calendar, of the waiting room's display, of an upload or of a link for a password."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRET.sub(r"\1…", QUOTED.sub(r"\1: not logged", super().format(record)))
