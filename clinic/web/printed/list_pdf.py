"""The lists of a day as a PDF, drawn cell by cell: by HTML and CSS, as a slip is, a row takes ten times as long, and a
day has hundreds."""

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import Appointment, Clinic
from clinic.models.phones import written
from clinic.queries.printed import Sheet
from clinic.templatetags.formats import day_and_month
from clinic.web.printed.pdf import FONTS

if TYPE_CHECKING:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Flowable, Paragraph, Table

REGULAR, BOLD = "Roboto", "Roboto-Bold"
SIZE, LEADING = 9, 11.7
POINTS_A_MM = 72 / 25.4
MARGIN = 12 * POINTS_A_MM - 6  # the frame of a page has the other 6 points
PAGE = 210 * POINTS_A_MM, 297 * POINTS_A_MM  # A4
FRAME = PAGE[1] - 2 * MARGIN - 12 - 1  # the height for what a page holds, and a point for what is rounded
GAP = 1.5 * POINTS_A_MM  # to the right of what a cell holds
# Millimetres; without phones the procedures have their place.
HOUR, PATIENT, BIRTH, PHONE, PROCEDURES, STATUS = 22, 56, 21, 32, 30, 25
LINE, DIM, PAPER = "#999999", "#555555", "#ffffff"
PIECE = 8 * LEADING  # points; eight lines
# A thread draws a thousand rows in half a second of the processor's time, in which others of its process wait.
MAX_VISITS = 1_500

# What a style is, the first cell and the last one that have it, and its values.
type StyleCommand = tuple[str, tuple[int, int], tuple[int, int], *tuple[float | str, ...]]


def list_pdf(
    sheets: list[Sheet], clinic: Clinic, printed_by: object, *, shows_phones: bool, shows_notes: bool
) -> bytes:
    """Return a PDF with the sheets, each of which begins a page; in the active language and zone. It loads nothing but
    its fonts."""
    from reportlab.platypus import PageBreak, SimpleDocTemplate  # noqa: PLC0415 - a quarter of a second

    drawer = _Drawer(clinic, shows_phones=shows_phones, shows_notes=shows_notes)
    printed = _("impresso %(at)s por %(printed_by)s") % {
        "at": date_format(timezone.localtime(), "d/m/Y H:i"),
        "printed_by": printed_by,
    }
    parts: list[Flowable] = []
    for sheet in sheets:
        parts += [drawer.sheet(sheet, f"{clinic.name} · {printed}"), PageBreak()]
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=PAGE,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=clinic.name,
        lang=clinic.language,
    )
    document.build(parts or [drawer.words(_("Nada a imprimir neste dia"))])
    return file.getvalue()


@cache
def register_fonts() -> None:
    """Read the fonts, once in a process."""
    from reportlab.pdfbase.pdfmetrics import registerFont  # noqa: PLC0415 - comes with it
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415 - comes with it

    for name, file in ((REGULAR, "Roboto-Regular.ttf"), (BOLD, "Roboto-Bold.ttf")):
        registerFont(TTFont(name, FONTS / file))


@cache
def _table_class() -> "type[Table]":
    from reportlab.platypus import Table  # noqa: PLC0415 - comes with it

    class WholeRows(Table):
        """Parts a row only where it is higher than a page: any other one goes to the next page as a whole."""

        def split(self, width: float, height: float) -> "list[Flowable]":
            self.splitInRow = int(height >= FRAME)
            return super().split(width, height)

    return WholeRows


class _Drawer:
    """Makes the parts of sheets: what fits into one line of its cell is drawn as it is, and only what does not is set
    as a paragraph."""

    def __init__(self, clinic: Clinic, *, shows_phones: bool, shows_notes: bool) -> None:
        from reportlab.lib.colors import HexColor  # noqa: PLC0415 - comes with it
        from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415 - comes with it

        register_fonts()
        self.clinic, self.shows_phones, self.shows_notes = clinic, shows_phones, shows_notes
        self.style = ParagraphStyle("cell", fontName=REGULAR, fontSize=SIZE, leading=LEADING, spaceAfter=POINTS_A_MM)
        self.dim = ParagraphStyle("dim", self.style, textColor=HexColor(DIM))
        self.bold = ParagraphStyle("bold", self.style, fontName=BOLD)
        self.title = ParagraphStyle("title", self.bold, fontSize=13, leading=17)
        phones = [PHONE] if shows_phones else []
        millimetres = [HOUR, PATIENT, BIRTH, *phones, PROCEDURES + (0 if shows_phones else PHONE), STATUS]
        self.widths = [width * POINTS_A_MM for width in millimetres]

    def sheet(self, sheet: Sheet, printed: str) -> "Table":
        """Return the table of a sheet. Its head, which every page repeats, says whose it is and of which date."""
        phones = [_("Telefone")] if self.shows_phones else []
        heads = [_("Hora"), _("Paciente"), _("Nascimento"), *phones, _("Procedimentos"), _("Situação")]
        rows: list[list[object]] = [
            [self._heading(sheet, printed), *[""] * (len(heads) - 1)],
            [self._cell(head, place, self.bold) for place, head in enumerate(heads)],
        ]
        spans: list[StyleCommand] = [("SPAN", (0, 0), (-1, 0))]
        for appointment in sheet.appointments:
            texts = enumerate(self._texts(appointment))
            cells = [self._cell(text, place, self.style if place else self.bold) for place, text in texts]
            rows.append([*cells])
            if self.shows_notes and appointment.notes:
                pieces = self._pieces(f"{_('Observações')}: {appointment.notes}")
                first, last = len(rows), len(rows) + len(pieces) - 1
                if self._is_low(cells):
                    spans.append(("NOSPLIT", (0, first - 1), (0, first)))
                spans += [("SPAN", (1, row), (-1, row)) for row in range(first, last + 1)]
                if last > first:
                    spans += [
                        ("LINEBELOW", (0, first), (-1, last - 1), 1, PAPER),
                        ("BOTTOMPADDING", (0, first), (-1, last - 1), 0),
                        ("TOPPADDING", (0, first + 1), (-1, last), 0),
                    ]
                rows += [["", piece, *[""] * (len(heads) - 2)] for piece in pieces]
        styles: list[StyleCommand] = [
            ("FONT", (0, 0), (-1, -1), REGULAR, SIZE, LEADING),
            ("FONT", (0, 1), (-1, 1), BOLD, SIZE, LEADING),
            ("FONT", (0, 0), (0, -1), BOLD, SIZE, LEADING),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), GAP),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
            *spans,
        ]
        return _table_class()(rows, self.widths, style=styles, repeatRows=2, hAlign="LEFT")

    def words(self, text: str) -> "Paragraph":
        """Return a line of text."""
        return self._paragraph(text, self.style)

    def _heading(self, sheet: Sheet, printed: str) -> "list[Paragraph]":
        count = len(sheet.appointments)
        day = f"{date_format(sheet.day, 'l').lower()}, {day_and_month(sheet.day)} {_('de')} {sheet.day.year}"
        number = ngettext("%(n)s agendamento", "%(n)s agendamentos", count) % {"n": count}
        doctor = self._paragraph(sheet.doctor.full_name, self.title)
        return [doctor, self.words(f"{day} · {number}"), self._paragraph(printed, self.dim)]

    def _texts(self, appointment: Appointment) -> list[str]:
        """Return what the cells of a row say."""
        patient = appointment.patient
        starts_at, ends_at = timezone.localtime(appointment.starts_at), timezone.localtime(appointment.ends_at)
        encaixe = f" ({_('encaixe')})" if appointment.is_encaixe else ""
        phone = written(patient.phone, self.clinic.country) if patient.phone else ""
        return [
            f"{starts_at:%H:%M}–{ends_at:%H:%M}",
            f"{patient.display_name}{encaixe}",
            f"{patient.birth_date:%d/%m/%Y}" if patient.birth_date else "",
            *([f"{phone} {patient.answers_phone}".strip()] if self.shows_phones else []),
            appointment.procedures_as_booked,
            appointment.status_label,
        ]

    def _pieces(self, text: str) -> "list[Flowable]":
        """Return a text below the other cells as paragraphs of at most PIECE points: one that is longer than a page
        would go on as if it were no wider than the patient's name."""
        from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415 - comes with it

        width = sum(self.widths[1:]) - GAP
        pieces: list[Flowable] = [self._paragraph(text, self.style)]
        if stringWidth(text, REGULAR, SIZE) > width:
            while len(parted := pieces[-1].split(width, PIECE)) > 1:
                pieces[-1:] = parted
        return pieces

    def _is_low(self, cells: "list[Paragraph | str]") -> bool:
        """Return whether a row is low enough to be kept on one page with what stands below it."""
        heights = [
            0 if isinstance(cell, str) else cell.wrap(self.widths[place] - GAP, 0)[1]
            for place, cell in enumerate(cells)
        ]
        return max(heights) <= PIECE

    def _cell(self, text: str, place: int, style: "ParagraphStyle") -> "Paragraph | str":
        from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415 - comes with it

        fits = stringWidth(text, style.fontName, SIZE) <= self.widths[place] - GAP
        return text if fits else self._paragraph(text, style)

    def _paragraph(self, text: str, style: "ParagraphStyle") -> "Paragraph":
        from reportlab.platypus import Paragraph  # noqa: PLC0415 - comes with it

        return Paragraph(escape(text), style)
