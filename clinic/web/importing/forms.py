"""What is sent about the columns of a spreadsheet."""

from collections.abc import Mapping

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from clinic.exchange import kind_of
from clinic.models import ImportRun

# How known patients are treated: blanks are filled, or what differs is changed too.
KNOWN = {"fill": _("Só preencher o que falta"), "overwrite": _("Preencher e trocar pelo que está na planilha")}


class ColumnsForm:
    """The field of each column, in their order, and the places of columns of dates that are month/day."""

    def __init__(self, data: MultiValueDict[str, str], run: ImportRun) -> None:
        places = range(len(run.headings))
        self.columns = [data.get(f"column-{place}", "") for place in places]
        dates = kind_of(run.kind).columns.dates
        self.month_first = [
            place for place in places if self.columns[place] in dates and data.get(f"dates-{place}") == "month"
        ]
        self.overwrites = data.get("known") == "overwrite"


def kind_in(data: Mapping[str, str]) -> str:
    """Return the kind of spreadsheet that was chosen, patients without a choice."""
    kind = data.get("kind", "")
    return kind if kind in ImportRun.Kind.values else ImportRun.Kind.PATIENTS.value


def fate_in(data: Mapping[str, str], fates: list[str]) -> str:
    """Return the fate that the address asks for, "" for all."""
    fate = data.get("destino", "")
    return fate if fate in fates else ""


def line_in(data: Mapping[str, str]) -> int:
    """Return the line of the file after which rows are asked for, 0 for the beginning."""
    text = data.get("depois", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
