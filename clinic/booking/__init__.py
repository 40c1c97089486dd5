"""Acts on appointments: the rules, and the only writer of Appointment. This module is the public interface."""

from clinic.booking.alternatives import BookingRefused
from clinic.booking.audit import Author
from clinic.booking.book import book, check
from clinic.booking.notes import edit_notes
from clinic.booking.openings import openings, openings_of_any
from clinic.booking.performers import doctors_performing
from clinic.booking.pricing import PricedLine, priced
from clinic.booking.reschedule import check_reschedule, is_movable, place, reschedule
from clinic.booking.rules import MOST_PROCEDURES, LineRequest, Proposal, day_of_end
from clinic.booking.status import Steps, change_status, next_statuses, state, steps
from clinic.booking.time_zone import Ahead, AskHowToKeep, Clash, Keep, TimesClash, change_time_zone, look_ahead
from clinic.booking.undo import undo, undo_verb, undoable

__all__ = [
    "MOST_PROCEDURES",
    "Ahead",
    "AskHowToKeep",
    "Author",
    "BookingRefused",
    "Clash",
    "Keep",
    "LineRequest",
    "PricedLine",
    "Proposal",
    "Steps",
    "TimesClash",
    "book",
    "change_status",
    "change_time_zone",
    "check",
    "check_reschedule",
    "day_of_end",
    "doctors_performing",
    "edit_notes",
    "is_movable",
    "look_ahead",
    "next_statuses",
    "openings",
    "openings_of_any",
    "place",
    "priced",
    "reschedule",
    "state",
    "steps",
    "undo",
    "undo_verb",
    "undoable",
]
