"""Form fields that read dates, times, hours of a week and money as people type them, and readers of ids in form data.

Dates are text fields because a native date field uses the browser's language, not the clinic's. Without a year they
mean the first such day since two months ago: in December 05/01 is of next year, and yesterday is still refused as past.
"""

import re
from calendar import isleap
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.models import END_OF_DAY
from clinic.models.characters import plain
from clinic.models.clinic import EndOfDay, written_amount
from clinic.models.doctor import WorkingHours, end_of_hours
from clinic.models.names import without_accents
from clinic.models.patient import OLDEST
from clinic.schedule import DAY_MINUTES, Hours, Mistake, Week, change_week, read_week
from clinic.spoken import duration

SHORT_NUMBER = re.compile(r"[0-9]{1,18}")  # fits into PostgreSQL's bigint; int() refuses strings of thousands of digits
DATE = re.compile(
    r"""
    (\d{1,2})o?\ ?[/.,\-\ ]\ ?(\d{1,2}) (?:\ ?[/.,\-\ ]\ ?(\d{4}|\d{2}))?
    | (\d{2}) (\d{2}) (\d{4}|\d{2})
    | (\d{4})([-/.])(\d{1,2})\8(\d{1,2})
    """,
    re.VERBOSE,
)
MONTHS = ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"]
MONTH = re.compile(rf"[ ./-]*(?:de )?\b({'|'.join(MONTHS)})[a-zç]*\.?[ ./-]*(?:de )?")
DAYS_IN_WORDS = {"ontem": -1, "hoje": 0, "amanha": 1, "depois de amanha": 2}
WEEKDAYS_IN_WORDS = {
    word: weekday
    for weekday, words in enumerate(
        [
            "segunda segundas seg",
            "terca tercas ter",
            "quarta quartas qua",
            "quinta quintas qui",
            "sexta sextas sex",
            "sabado sabados sab",
            "domingo domingos dom",
        ],
        start=1,
    )
    for word in words.split()
}
DAYS_AHEAD = re.compile(r"\+ ?(\d{1,3})(?: ?d(?:ias?)?)?")
DAY_OF_MONTH = re.compile(r"(?:dia )?(\d{1,2})")
# No appointment or birth date lies outside; beyond the ends, date arithmetic would overflow.
READABLE_YEARS = range(1900, 2201)
ROW_MINUTES = 5
USUAL_STEP, FINE_STEP = 15, 5  # minutes by which hours are dragged
FIRST_ROW, LAST_ROW = 6 * 12, 22 * 12  # of a day, as the grid of a week shows it while nothing is outside
SPOKEN_HOURS = _("{day}, {starts} até {ends}")  # of bars; static/js/hours/grid.js fills it while they are dragged
TEXT_CHANGED = _("O texto mudou: olhe e arraste de novo.")
LOOKING_BACK = timedelta(days=60)
LEAP_YEARS_APART = 8  # at most, as around 2100
TIME = re.compile(
    r"""
    (?P<hour>\d{1,2}) (?:
        \ ?(?:h|hs|hrs?|horas?|[:.,-])\ ?(?:(?P<minute>\d{1,2})\ ?(?:h|hs|m|min)?(?:[:.]?00\ ?s?)?)?
        | \ ?(?P<packed>\d{2})(?:h|hs)?
    )?
    """,
    re.VERBOSE,
)

BESIDE_DIGITS = re.compile(r"R\$|€|\s")
GROUPED_DIGITS = re.compile(r"(-?[0-9]{1,3}(?:\.[0-9]{3})+)((?:,[0-9]*)?)")
DECIMALS_AFTER_DOT = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,2}")
LONGEST_WEEK = 1000


def is_short_number(text: str) -> bool:
    return SHORT_NUMBER.fullmatch(text) is not None


def ids_in(data: MultiValueDict[str, str], name: str) -> list[int]:
    """Return the ids in these fields, each field with one or several; other texts are skipped."""
    return [int(text) for text in " ".join(data.getlist(name)).split() if is_short_number(text)]


def lowered(text: str) -> str:
    """Return what was typed as plain text in small letters, to be read whatever its case."""
    return plain(text).lower()


def date_in_words(text: str, today: date) -> date | None:
    """Read a date that depends on today: hoje, amanhã, sexta, +7, 15. None for any other text.

    A weekday is the first one after today, a number the first such day of a month from today on."""
    words = without_accents(lowered(text)).removesuffix("-feira").removesuffix(" feira")
    if words in DAYS_IN_WORDS:
        return today + timedelta(days=DAYS_IN_WORDS[words])
    if weekday := WEEKDAYS_IN_WORDS.get(words):
        return today + timedelta(days=(weekday - today.isoweekday() - 1) % 7 + 1)
    if ahead := DAYS_AHEAD.fullmatch(words):
        return today + timedelta(days=int(ahead[1]))
    number = DAY_OF_MONTH.fullmatch(words)
    return _next_such_day(int(number[1]), today) if number else None


def _next_such_day(number: int, today: date) -> date | None:
    """Return the first day of that number from today on; None for a number that no month has."""
    days = (today + timedelta(days=offset) for offset in range(62))  # two months of 31 days come together once a year
    return next((day for day in days if day.day == number), None)


class TypedDateField(forms.Field):
    """Read a local date: 23/11/2026, 23/11/26, 23112026, 23 de nov. de 2026, 2026-11-23, 23/11, or `date_in_words`.

    A date without a year is the first such day since two months ago.

    With `past` (birth dates) the year is required, and no words are read. Two digits are then the latest such year that
    is past; if a person of at most OLDEST years may have been born a century earlier, the field asks. Without `past`,
    they are of this century.
    """

    default_error_messages = {
        "invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 23/11/2026."),
        "words": _(
            "Esta data não existe. Escreva dia/mês/ano, por exemplo 23/11/2026, ou hoje, amanhã, sexta, +7, 15."
        ),
        "year": _("O ano deve ficar entre 1900 e 2200. Confira a data."),
        "century": _("O ano é %(early)s ou %(late)s? Escreva-o com quatro dígitos."),
    }

    def __init__(self, *, past: bool = False, **options: Any) -> None:
        self.past = past
        super().__init__(**options)
        if not past and "invalid" not in (options.get("error_messages") or {}):
            self.error_messages["invalid"] = self.error_messages["words"]

    def to_python(self, value: date | str | None) -> date | None:
        if isinstance(value, date):
            return value
        text = lowered(value or "")
        if not text:
            return None
        try:
            day = self._read(text)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if day.year not in READABLE_YEARS:
            raise ValidationError(self.error_messages["year"], code="year")
        return day

    def _read(self, text: str) -> date:
        if not self.past and (in_words := date_in_words(text, timezone.localdate())):
            return in_words
        match = DATE.fullmatch(MONTH.sub(lambda month: f"/{MONTHS.index(month[1]) + 1}/", text).rstrip("/"))
        if not match:
            raise ValueError(text)
        if match[7]:
            return date(int(match[7]), int(match[9]), int(match[10]))
        day, month, year = match.groups()[:3] if match[1] else match.groups()[3:6]
        return date(self._year(year), int(month), int(day)) if year else self._first_such_day(int(month), int(day))

    def _first_such_day(self, month: int, day: int) -> date:
        """Return the first such day since LOOKING_BACK: in December 05/01 is of next year, in January 20/12 of last."""
        if self.past:
            raise ValueError("whose year is not known")
        earliest = timezone.localdate() - LOOKING_BACK
        years = range(earliest.year, earliest.year + LEAP_YEARS_APART + 1)
        days = (date(year, month, day) for year in years if (month, day) != (2, 29) or isleap(year))
        return next(day for day in days if day >= earliest)

    def _year(self, digits: str) -> int:
        if len(digits) == 4:
            return int(digits)
        today = timezone.localdate()
        year = today.year // 100 * 100 + int(digits)
        if not self.past:
            return year
        if year <= today.year <= year - 100 + OLDEST:
            raise ValidationError(
                self.error_messages["century"], code="century", params={"early": year - 100, "late": year}
            )
        return year - 100 if year > today.year else year


class TypedTimeField(forms.Field):
    """Read a local time: 9, 930, 9:30, 09h30, 14hs, 9,30, 9-30, 09:30:00."""

    default_error_messages = {
        "invalid": _("Este horário não existe. Escreva hora e minutos, por exemplo 09:30."),
        "ambiguous": _("Os minutos têm dois dígitos: %(early)s ou %(late)s?"),
        "one_digit": _("Os minutos têm dois dígitos: %(early)s?"),
        "end_of_day": _("24:00 é o fim do dia. Escreva 00:00 na data do dia seguinte."),
    }
    reads_end_of_day = False

    def to_python(self, value: time | str | None) -> time | None:
        if isinstance(value, time):
            return value
        text = lowered(value or "")
        if not text:
            return None
        match = TIME.fullmatch(text)
        if match is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            hour, minutes = int(match["hour"]), match["minute"] or match["packed"] or "00"
            if len(minutes) == 1 and minutes != "0":
                self._refuse_one_digit(time(hour, int(minutes)), int(minutes))
            return self._end_of_day() if (hour, minutes) == (24, "00") else time(hour, int(minutes))
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def _refuse_one_digit(self, early: time, digit: int) -> NoReturn:
        code = "ambiguous" if digit < 6 else "one_digit"
        params = {"early": f"{early.hour}:0{digit}", "late": f"{early.hour}:{digit}0"}
        raise ValidationError(self.error_messages[code], code=code, params=params)

    def _end_of_day(self) -> EndOfDay:
        if not self.reads_end_of_day:
            raise ValidationError(self.error_messages["end_of_day"], code="end_of_day")
        return END_OF_DAY


class TypedEndField(TypedTimeField):
    """Read a local time as an end: 24:00 is END_OF_DAY."""

    reads_end_of_day = True


class TypedDateTimeField(forms.SplitDateTimeField):
    """Two fields, a local date and a time, read into an instant; 24:00 is the midnight after that date."""

    def __init__(self, *, input_date_formats: None = None, input_time_formats: None = None, **options: Any) -> None:
        forms.MultiValueField.__init__(self, (TypedDateField(), TypedEndField()), **options)

    def compress(self, values: tuple[date, time] | None) -> datetime | None:
        day, wall = values or (None, None)
        if wall is END_OF_DAY:
            return from_current_timezone(datetime.combine(day + timedelta(days=1), time.min)) if day else None
        return super().compress(values)


class LocalDecimalField(forms.DecimalField):
    """Read a number as people write money: 1.234,56, R$ 1.500, 1 234,56 or 1.234,56 €.

    Dots and spaces group digits, a comma begins the decimals. One that a calculator wrote, 1500.5, is asked about."""

    default_error_messages = {"dot": _("%(amount)s? Escreva com vírgula.")}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = BESIDE_DIGITS.sub("", value)
            if DECIMALS_AFTER_DOT.fullmatch(value):
                params = {"amount": written_amount(Decimal(value))}
                raise ValidationError(self.error_messages["dot"], code="dot", params=params)
            if grouped := GROUPED_DIGITS.fullmatch(value):
                value = grouped[1].replace(".", "") + grouped[2]
        return super().to_python(value)


class PercentField(LocalDecimalField):
    """Read a percentage with its sign or without it, or a number as people write money."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace("%", "") if isinstance(value, str) else value)


class _ReadBack(forms.Widget):
    """Shows under its field how the text is understood: at once, and with htmx while it is typed.

    Hours that are dragged there, by `step` minutes, are written into the field."""

    step = USUAL_STEP

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        context = {
            "read": read_back(str(value or "")),
            "name": name,
            "id": (attrs or {}).get("id", f"id_{name}"),
            "step": self.step,
            "fine_step": FINE_STEP,
            "spoken": SPOKEN_HOURS,
        }
        return super().render(name, value, attrs, renderer) + render_to_string("components/_week_read.html", context)


class WeekInput(_ReadBack, forms.TextInput):
    """A week in one line, read back under it."""


class WeekTextarea(_ReadBack, forms.Textarea):
    """A week in some lines, read back under it."""


class WeekField(forms.CharField):
    """Hours of a week as people write them, `seg-sex 8-12 13:30-18; sáb 8-12`; the value is a `Week`."""

    def __init__(self, **options: Any) -> None:
        usual: dict[str, Any] = {
            "label": _("Semana"),
            "required": False,
            "strip": False,
            "max_length": LONGEST_WEEK,
            "widget": WeekTextarea({"rows": 3, "cols": 60, "spellcheck": "false", "autocomplete": "off"}),
            "help_text": _("Por exemplo: seg-sex 8-12 13:30-18; sáb 8-12. Vazio: nenhum horário."),
        }
        super().__init__(**usual | options)

    def clean(self, value: Any) -> Any:
        """Return the Week. Raises ValidationError with the sentence of every mistake."""
        week = read_week(super().clean(value))
        if week.mistakes:
            raise ValidationError([mistake.sentence for mistake in week.mistakes])
        return week

    def understood(self, text: str) -> Week:
        """Return what can be read of a text, and its mistakes."""
        return read_week(text) if len(text) <= LONGEST_WEEK else Week([], [])


class Bar(NamedTuple):
    """Hours on a day of the grid, from and until five-minute rows of that day.

    `starts` and `ends` are those of the hours wholly, in minutes since the midnight that begins the ISO `weekday`: a
    night has a bar on two days, the second `is_rest`."""

    first: int
    last: int
    weekday: int
    starts: int
    ends: int
    spoken: str
    is_rest: bool = False


class DayRead(NamedTuple):
    """A day of a week that was read: its spans as text, and as bars."""

    weekday: int
    name: str
    spoken: str
    spans: list[str]
    bars: list[Bar]


class WeekRead(NamedTuple):
    """How a text is understood: the seven days and a sentence, or what is wrong with it, and where.

    `written` is the text after hours were dragged in it, None if it was typed; where these cannot be, `refused` says
    why, on the ISO weekday `refused_on`."""

    days: list[DayRead]
    summary: str
    mistakes: list[str]
    marked: list[tuple[str, bool]]
    written: str | None = None
    refused: str = ""
    refused_on: int = 0

    @property
    def is_at_night(self) -> bool:
        """Whether there are hours outside those that the grid shows of each day."""
        return any(bar.first < FIRST_ROW or bar.last > LAST_ROW for day in self.days for bar in day.bars)


def read_back(text: str) -> WeekRead:
    """Return how the hours of a week are understood."""
    field = WeekField()
    week = field.understood(text)
    try:
        field.clean(text)
    except ValidationError as error:
        return WeekRead([], "", error.messages, marked(text, week.mistakes))
    return WeekRead(_days(week.hours), _summary(week.hours) if week.hours else "", [], [])


def read_dragged(text: str, *, was: Hours | None, becomes: Hours | None) -> WeekRead:
    """Return how a text is understood in which hours became others: `was` is None for new ones, `becomes` for none.

    It stays as it is, and the reason is in `refused`, where the new hours overlap others or are too long, or the old
    ones are not in it."""
    read = read_back(text)
    place = becomes or was
    if read.mistakes or place is None:
        return read._replace(written=text)
    written = change_week(text, without=was, including=becomes)
    if written is None:
        return read._replace(written=text, refused=str(TEXT_CHANGED), refused_on=place.weekday)
    changed = read_back(written)
    if changed.mistakes:
        return read._replace(written=text, refused=" ".join(changed.mistakes), refused_on=place.weekday)
    return changed._replace(written=written)


def marked(text: str, mistakes: Iterable[Mistake]) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it is a mistake; empty without mistakes."""
    at, pieces = 0, list[tuple[str, bool]]()
    for mistake in mistakes:
        if mistake.start >= at:
            pieces += [(text[at : mistake.start], False), (text[mistake.start : mistake.end], True)]
            at = mistake.end
    return [*pieces, (text[at:], False)] if pieces else []


def _summary(hours: Sequence[Hours]) -> str:
    """Return on how many days the hours begin, and how long they are together."""
    days = len({row.weekday for row in hours})
    over_midnight = sum(row.ends <= row.starts for row in hours)
    minutes = sum(_minutes(row.ends) - _minutes(row.starts) for row in hours) + over_midnight * DAY_MINUTES
    sentence = ngettext(
        "Entendido: %(n)s dia, %(time)s por semana.", "Entendido: %(n)s dias, %(time)s por semana.", days
    )
    return sentence % {"n": days, "time": duration(minutes).removesuffix(" 0 min")}


def _days(hours: Iterable[Hours]) -> list[DayRead]:
    spans: dict[int, list[str]] = defaultdict(list)
    bars: dict[int, list[Bar]] = defaultdict(list)
    for weekday, starts, ends in hours:
        spans[weekday].append(f"{starts:%H:%M}–{end_of_hours(ends)}")
        first, last = _minutes(starts), _minutes(ends)
        until = last if ends > starts else last + DAY_MINUTES
        spoken = _spoken(weekday, starts, ends)
        bar = Bar(first // ROW_MINUTES, _row_after(min(until, DAY_MINUTES)), weekday, first, until, spoken)
        bars[weekday].append(bar)
        if until > DAY_MINUTES:
            bars[weekday % 7 + 1].append(bar._replace(first=0, last=_row_after(last), is_rest=True))
    return [
        DayRead(day.value, _short_name(day), _short_name(day).lower(), spans[day], bars[day])
        for day in WorkingHours.Weekday
    ]


def _short_name(weekday: int) -> str:
    return str(WorkingHours.Weekday(weekday).label).removesuffix("-feira")


def _spoken(weekday: int, starts: time, ends: time) -> str:
    """Return "terça, 8:00 até 12:30"."""
    return str(SPOKEN_HOURS).format(
        day=_short_name(weekday).lower(), starts=f"{starts.hour}:{starts:%M}", ends=end_of_hours(ends).removeprefix("0")
    )


def _row_after(minutes: int) -> int:
    return -(-minutes // ROW_MINUTES)


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
