"""Days and times in words, as one speaks them on the phone: Portuguese, of Brazil or of Portugal."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from clinic.models import Doctor

WEEKDAYS = ["segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo"]
MONTHS = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
]
UNITS = ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"]
TEENS = {
    "pt-br": ["dez", "onze", "doze", "treze", "catorze", "quinze", "dezesseis", "dezessete", "dezoito", "dezenove"],
    "pt-pt": ["dez", "onze", "doze", "treze", "catorze", "quinze", "dezasseis", "dezassete", "dezoito", "dezanove"],
}
TENS = {20: "vinte", 30: "trinta", 40: "quarenta", 50: "cinquenta"}
HOURS = ["doze", "uma", "duas", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze"]
# Nobody asks whether half past eight is in the evening; seven may be.
PLAIN_HOURS = range(8, 12)


class SpokenTime(NamedTuple):
    """A local start with a doctor."""

    starts: datetime
    doctor: Doctor


def number_in_words(number: int, language: str) -> str:
    """Write 0 to 59, in the masculine."""
    if number < 10:
        return UNITS[number]
    if number < 20:
        return TEENS["pt-pt" if language == "pt-pt" else "pt-br"][number - 10]
    tens, units = TENS[number // 10 * 10], number % 10
    return f"{tens} e {UNITS[units]}" if units else tens


def time_in_words(hour: int, minute: int, language: str) -> str:
    """Write a time with its preposition: "às duas e meia da tarde", "ao meio-dia", "à uma da tarde"."""
    minutes = "" if not minute else " e meia" if minute == 30 else f" e {number_in_words(minute, language)}"
    if hour == 12:
        return f"ao meio-dia{minutes}"
    if hour == 0:
        return f"à meia-noite{minutes}"
    preposition = "à" if hour % 12 == 1 else "às"
    return f"{preposition} {HOURS[hour % 12]}{minutes}{_part_of_day(hour)}"


def _part_of_day(hour: int) -> str:
    if hour in PLAIN_HOURS:
        return ""
    return " da madrugada" if hour < 6 else " da manhã" if hour < 12 else " da tarde" if hour < 19 else " da noite"


def duration(minutes: int) -> str:
    """Return "45 min", and from an hour on "2 h 10 min"."""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def day_in_brief(day: date) -> str:
    """Write a date as it is read in lists: "ter 01/12"."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day:%d/%m}"


def day_in_words(day: date, today: date, language: str) -> str:
    """Write "hoje", "amanhã", a weekday of the next six days, or further on the weekday with the date."""
    ahead = (day - today).days
    if ahead in (0, 1):
        return ["hoje", "amanhã"][ahead]
    weekday = WEEKDAYS[day.weekday()]
    if 1 < ahead < 7:
        return weekday
    number = "primeiro" if day.day == 1 and language != "pt-pt" else number_in_words(day.day, language)
    month = "" if (day.year, day.month) == (today.year, today.month) else f" de {MONTHS[day.month - 1]}"
    return f"{weekday}, dia {number}{month}"


def spoken(starts: datetime, today: date, language: str) -> str:
    """Write a local start as it is spoken on the local date `today`: "quinta, às duas e meia da tarde"."""
    return f"{day_in_words(starts.date(), today, language)}, {time_in_words(starts.hour, starts.minute, language)}"


def label(starts: datetime) -> str:
    """Write a local start as it is read: "qui 03/12/2026 14:30"."""
    return f"{WEEKDAYS[starts.weekday()][:3]} {starts:%d/%m/%Y %H:%M}"


def times_in_words(times: Sequence[SpokenTime], today: date, language: str) -> str:
    """Write the sentence to speak: "terça, às duas da tarde, ou quarta, às oito e meia, com a Dra. Yasmin"."""
    spoken, last_day = [], None
    has_one_doctor = len({time.doctor.full_name for time in times}) == 1
    for time in times:
        day = time.starts.date()
        at = time_in_words(time.starts.hour, time.starts.minute, language)
        words = at if day == last_day else f"{day_in_words(day, today, language)}, {at}"
        spoken.append(words if has_one_doctor else f"{words}, com {time.doctor.spoken_name}")
        last_day = day
    text = ", ou ".join(spoken)
    return f"{text}, com {times[0].doctor.spoken_name}" if has_one_doctor else text
