"""Format money, phones, dates, documents and names for people."""

import json
from datetime import date
from decimal import Decimal

from django import template
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, ngettext
from phonenumber_field.phonenumber import PhoneNumber

from clinic import spoken
from clinic.models import Clinic, Patient, documents, phones
from clinic.models.patient import years_between
from clinic.models.titles import in_sentence

BABY_YEARS = 2
NEWBORN_MONTHS = 2

register = template.Library()


@register.filter
def money(amount: Decimal, clinic: Clinic) -> str:
    """Format an amount like `Clinic.money`."""
    return clinic.money(amount)


@register.filter
def phone(number: PhoneNumber | None, clinic: Clinic) -> str:
    """Format a phone like `phones.written`; "" for none."""
    # Whether a number is true it finds out by checking and formatting itself.
    return "" if number in (None, "") else phones.written(number, clinic.country)


@register.filter
def duration(minutes: int) -> str:
    """Format minutes like `spoken.duration`."""
    return spoken.duration(minutes)


@register.filter(expects_localtime=True)
def day_and_month(day: date) -> str:
    """Format a date as 30 de novembro; the first is 1º de dezembro in Brazil, 1 de dezembro in Portugal."""
    text = date_format(day, r"j \d\e F").lower()
    return f"1º{text[1:]}" if day.day == 1 and get_language() == "pt-br" else text


@register.filter
def born(patient: Patient) -> str:
    """Format birth date and age, 17/05/1980 (46 anos), today or on the day of death; "" without a birth date."""
    if patient.birth_date is None:
        return ""
    years = age_now(patient)
    return f"{patient.birth_date:%d/%m/%Y} ({years})" if years else f"{patient.birth_date:%d/%m/%Y}"


@register.filter
def age_now(patient: Patient) -> str:
    """Format the age today or on the day of death; "" if the birth date or that day is unknown."""
    day = patient.died_on or (None if patient.died else timezone.localdate())
    return age(patient.birth_date, day) if patient.birth_date and day else ""


def age(birth_date: date, day: date) -> str:
    """Format an age: 46 anos, below two years 8 meses, below two months 12 dias."""
    years = years_between(birth_date, day)
    months = (day.year - birth_date.year) * 12 + day.month - birth_date.month - (day.day < birth_date.day)
    if years >= BABY_YEARS:
        return ngettext("%(n)s ano", "%(n)s anos", years) % {"n": years}
    if months >= NEWBORN_MONTHS:
        return ngettext("%(n)s mês", "%(n)s meses", months) % {"n": months}
    days = (day - birth_date).days
    return ngettext("%(n)s dia", "%(n)s dias", days) % {"n": days}


@register.filter
def the_doctor(full_name: str, title: str = "") -> str:
    """Format a doctor's name with its article, a Dra. Ana; `title` is the doctor's now, where it is known."""
    return in_sentence(full_name, title)["the_doctor"]


@register.filter
def cpf(digits: str | None) -> str:
    """Format a CPF: 529.982.247-25."""
    return documents.written_cpf(digits) if digits else ""


@register.filter
def admin_change(entry: LogEntry) -> str:
    """Describe the change of an admin LogEntry, with field names as in the reader's country.

    Django stores the labels capitalised and in the language of the sources, so the catalogue does not contain them.
    """
    try:
        parts = json.loads(entry.change_message)
    except ValueError:  # one of our own messages
        return entry.change_message
    for part in parts:
        if "changed" in part:
            part["changed"]["fields"] = [_label(name) for name in part["changed"]["fields"]]
    entry.change_message = json.dumps(parts)
    return entry.get_change_message()


def _label(name: str) -> str:
    translated = gettext(name)
    return translated if translated != name else capfirst(gettext(name[:1].lower() + name[1:]))
