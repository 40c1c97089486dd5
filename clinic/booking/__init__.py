"""Acts on appointments: the rules, and the only writer of Appointment. This module is the public interface."""

from clinic.booking.acts import load
from clinic.booking.alternatives import BookingRefused
from clinic.booking.book import BookedAppointment, book, check
from clinic.booking.book_recall import book_recall
from clinic.booking.book_waiting import book_waiting
from clinic.booking.calls import begin_call, call_later, end_call
from clinic.booking.change_procedures import (
    CheckedChange,
    change_procedures,
    change_refusals,
    check_change,
    contents,
)
from clinic.booking.day_prices import PriceOffer, price_offer, take_day_prices
from clinic.booking.encaixe import could_be_encaixe, needs_approval
from clinic.booking.family import (
    MAX_MEMBERS,
    CheckedMember,
    MemberRefused,
    SoughtTime,
    book_family,
    booked_family,
    check_family,
    times_near_each_other,
)
from clinic.booking.finder import FINDER_COUNT, FINDER_DAYS, Found, PartOfDay, Wish, find
from clinic.booking.latest_end import latest_end
from clinic.booking.lines import requested_lines
from clinic.booking.merge import Separated, merge_patients, undo_merge
from clinic.booking.not_reached import record_not_reached
from clinic.booking.notes import edit_notes
from clinic.booking.openings import NEAREST_DAYS, free_starts, openings, openings_of_any, spread
from clinic.booking.past_visits import (
    PastVisit,
    TakenTime,
    appointment_version,
    delete_imported,
    lock_patients,
    past_visit_refusals,
    stored_visits,
    taken_times,
    write_past_visits,
)
from clinic.booking.payer import change_payer, payment
from clinic.booking.performers import (
    PerformingDoctor,
    active_procedures,
    doctors_performing,
    doctors_performing_all,
)
from clinic.booking.pricing import PricedLine, price_lines
from clinic.booking.proposal import LineRequest, PayerWish, Proposal, day_of_end
from clinic.booking.recalls import (
    RecallWish,
    close_recall,
    may_be_recalled,
    postpone_recall,
    reopen_recall,
    write_recall,
)
from clinic.booking.receive_payment import Payment, payment_refusals, receive_payment
from clinic.booking.replacements import replacement_times
from clinic.booking.reschedule import LinesWish, check_reschedule, is_movable, place, reschedule
from clinic.booking.returns import PaidBefore, paid_before
from clinic.booking.room_calls import call_to_room, mark_priority
from clinic.booking.rules.procedures import MAX_PROCEDURES
from clinic.booking.series import (
    CheckedSession,
    SessionMove,
    SessionRefused,
    are_booked,
    as_repeated,
    book_series,
    cancel_sessions,
    check_moves,
    check_series,
    is_repeatable,
    move_sessions,
    repeat_refusals,
)
from clinic.booking.served_by import serve_by
from clinic.booking.status import Steps, change_status, forward_verbs, next_statuses, next_step, state, steps
from clinic.booking.time_zone import Ahead, AskHowToKeep, Clash, Keep, TimesClash, change_time_zone, look_ahead
from clinic.booking.undo import is_own_slip, is_reversible, last_own_act, slip_left, undo, undo_verb, undoable
from clinic.booking.undo_waiting import undo_waiting
from clinic.booking.unverified import discard_unverified, use_unverified
from clinic.booking.waiting_list import (
    OfferedTime,
    WaitingWish,
    change_waiting,
    is_still_ahead,
    note_declined,
    note_not_reached,
    put_back_waiting,
    put_on_waiting_list,
    time_value,
    withdraw_waiting,
)
from clinic.booking.waiting_times import Freed, WaitingList, freed_by
from clinic.registry import Author

__all__ = [
    "FINDER_COUNT",
    "FINDER_DAYS",
    "MAX_MEMBERS",
    "MAX_PROCEDURES",
    "NEAREST_DAYS",
    "Ahead",
    "AskHowToKeep",
    "Author",
    "BookedAppointment",
    "BookingRefused",
    "CheckedChange",
    "CheckedMember",
    "CheckedSession",
    "Clash",
    "Found",
    "Freed",
    "Keep",
    "LineRequest",
    "LinesWish",
    "MemberRefused",
    "OfferedTime",
    "PaidBefore",
    "PartOfDay",
    "PastVisit",
    "PayerWish",
    "Payment",
    "PerformingDoctor",
    "PriceOffer",
    "PricedLine",
    "Proposal",
    "RecallWish",
    "Separated",
    "SessionMove",
    "SessionRefused",
    "SoughtTime",
    "Steps",
    "TakenTime",
    "TimesClash",
    "WaitingList",
    "WaitingWish",
    "Wish",
    "appointment_version",
    "are_booked",
    "as_repeated",
    "begin_call",
    "active_procedures",
    "book",
    "book_family",
    "book_recall",
    "book_series",
    "book_waiting",
    "booked_family",
    "call_later",
    "call_to_room",
    "cancel_sessions",
    "change_payer",
    "change_procedures",
    "change_refusals",
    "change_status",
    "change_time_zone",
    "change_waiting",
    "check",
    "check_change",
    "check_family",
    "check_moves",
    "check_reschedule",
    "check_series",
    "close_recall",
    "contents",
    "could_be_encaixe",
    "day_of_end",
    "delete_imported",
    "discard_unverified",
    "doctors_performing",
    "doctors_performing_all",
    "edit_notes",
    "end_call",
    "find",
    "forward_verbs",
    "free_starts",
    "freed_by",
    "is_movable",
    "is_own_slip",
    "is_repeatable",
    "is_reversible",
    "is_still_ahead",
    "last_own_act",
    "latest_end",
    "load",
    "lock_patients",
    "look_ahead",
    "mark_priority",
    "may_be_recalled",
    "merge_patients",
    "move_sessions",
    "needs_approval",
    "next_statuses",
    "next_step",
    "note_declined",
    "note_not_reached",
    "openings",
    "openings_of_any",
    "paid_before",
    "past_visit_refusals",
    "payment",
    "payment_refusals",
    "place",
    "postpone_recall",
    "price_lines",
    "price_offer",
    "put_back_waiting",
    "put_on_waiting_list",
    "receive_payment",
    "record_not_reached",
    "reopen_recall",
    "repeat_refusals",
    "replacement_times",
    "requested_lines",
    "reschedule",
    "serve_by",
    "slip_left",
    "spread",
    "state",
    "steps",
    "stored_visits",
    "take_day_prices",
    "taken_times",
    "time_value",
    "times_near_each_other",
    "undo",
    "undo_merge",
    "undo_verb",
    "undo_waiting",
    "undoable",
    "use_unverified",
    "withdraw_waiting",
    "write_past_visits",
    "write_recall",
]
