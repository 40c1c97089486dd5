"""Draws the grid of the day and of the week."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext

from clinic import booking
from clinic.models import Clinic
from clinic.models.appointment import Status
from clinic.queries.agenda import Card, Day, Grid, Slot, Week
from clinic.web import jinja
from clinic.web.absence.forms import Motive, When

MAX_SLOTS = 8192  # of a process, about a kilobyte each with what it is drawn from


def day_html(day: Day, clinic: Clinic, now: datetime, *, records_absences: bool) -> str:
    """Return the HTML of the grid, "" for a day without columns.

    With `records_absences` the heads of today's and tomorrow's columns lead to the form for a doctor who is away."""
    if not day.columns:
        return ""
    iso = day.day.isoformat()
    weeks = reverse("web:agenda-week", args=[0, iso])
    return _grid_html(
        day,
        clinic,
        now,
        {
            "dates": {column.number: iso for column in day.columns},
            "addresses": {column.number: weeks.replace("/0/", f"/{column.doctor_id}/") for column in day.columns},
            "absence": _absence_address(day) if records_absences else "",
            "name": gettext("Horários do dia"),
            "nothing": gettext("Nenhum agendamento e nenhum horário livre neste dia."),
        },
    )


def past_day_html(day: Day, clinic: Clinic, moment: datetime) -> str:
    """Return the HTML of the grid of a day as it was, "" for one without columns: nothing in it acts."""
    if not day.columns:
        return ""
    address = reverse("web:agenda-day", args=[day.day.isoformat()])
    return _grid_html(
        day,
        clinic,
        moment,
        {
            "dates": {column.number: day.day.isoformat() for column in day.columns},
            "addresses": dict.fromkeys((column.number for column in day.columns), address),
            "absence": "",
            "name": gettext("Horários do dia"),
            "nothing": gettext("Nenhum agendamento neste dia."),
        },
    )


def week_html(week: Week, clinic: Clinic, now: datetime) -> str:
    """Return the HTML of the grid; the heads of its columns lead to the days."""
    dates = {column.number: column.on.isoformat() for column in week.columns if column.on}
    return _grid_html(
        week,
        clinic,
        now,
        {
            "dates": dates,
            "addresses": {number: reverse("web:agenda-day", args=[date]) for number, date in dates.items()},
            "absence": "",
            "name": gettext("Horários da semana"),
            "nothing": gettext("Nenhum agendamento e nenhum horário livre nesta semana."),
        },
    )


def _grid_html(grid: Grid, clinic: Clinic, now: datetime, context: dict[str, Any]) -> str:
    def next_step(card: Card) -> Status | None:
        if card.is_strip:
            return None
        return booking.next_step(card.status, card.starts_at, card.ends_at, clinic=clinic, now=now)

    slot_html = _slot_html.__wrapped__ if settings.DEBUG else _slot_html  # templates are edited there
    dates, book, language = context["dates"], reverse("web:appointment-book"), get_language()
    context |= {
        "grid": grid,
        "slot_html": lambda slot: slot_html(slot, dates[slot.column], book, language),
        # Prefix of the appointments' URLs: reverse() for each of hundreds of cards would cost more than the cards.
        "appointment_address": reverse("web:appointment-detail", args=[0]).removesuffix("0/"),
        "icons": static("icons.svg"),
        "next_step": next_step,
    }
    return jinja.render("agenda/grid.html", context)


@lru_cache(maxsize=MAX_SLOTS)
def _slot_html(slot: Slot, date: str, book: str, _language: str | None) -> str:
    """Return the HTML of a free time: when a week is drawn anew, most of them are what they were."""
    return jinja.call("agenda/slot.html", "draw", slot, date, book)


def _absence_address(day: Day) -> str:
    """Return the address of the form for an absence on this day, to be ended by a doctor's id; "" for other days."""
    whens = {day.today: When.TODAY, day.today + timedelta(days=1): When.TOMORROW}
    if day.day not in whens:
        return ""
    return reverse("web:absence-add", query={"when": whens[day.day], "motive": Motive.ILLNESS, "doctor": ""})
