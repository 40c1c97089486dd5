"""The rules of a booking, one small function each; every entry point asks them here. No rule reads the database.

The input rules judge a candidate as it was requested. The availability rules judge the slot that it would take, with
what is stored around it. All that are broken are named at once.
"""

from collections.abc import Callable, Iterator, Sequence

from clinic.booking.rules.availability import (
    doctor_is_free,
    doctor_works_then,
    patient_is_in_one_place,
    time_zone_is_unchanged,
)
from clinic.booking.rules.encaixe import (
    encaixe_reason_can_be_stored,
    encaixe_reason_is_given,
    encaixes_are_few,
    no_other_encaixe_then,
    not_closed_then,
    patient_is_nowhere_then,
)
from clinic.booking.rules.limits import agenda_is_open_then, day_has_room, notice_is_given
from clinic.booking.rules.notes import notes_are_not_too_long, notes_can_be_stored
from clinic.booking.rules.patient import patient_is_alive
from clinic.booking.rules.prices import (
    discounts_are_valid_that_day,
    discounts_are_within_limit,
    total_is_the_one_shown,
)
from clinic.booking.rules.procedures import doctor_performs_them, procedures_are_chosen
from clinic.booking.rules.time import (
    end_is_after_start,
    procedures_have_their_time,
    time_is_ahead,
    time_is_given,
    time_is_in_whole_minutes,
)
from clinic.booking.slots import Candidate, ScheduleContext, Slot
from clinic.refusals import Refusal

type InputRule = Callable[[Candidate], Iterator[Refusal]]
type AvailabilityRule = Callable[[Slot, ScheduleContext], Iterator[Refusal]]

INPUT_RULES: list[InputRule] = [
    patient_is_alive,
    procedures_are_chosen,
    doctor_performs_them,
    time_is_given,
    time_is_ahead,
    notice_is_given,
    agenda_is_open_then,
    time_is_in_whole_minutes,
    end_is_after_start,
    procedures_have_their_time,
    discounts_are_valid_that_day,
    discounts_are_within_limit,
    total_is_the_one_shown,
    notes_can_be_stored,
    notes_are_not_too_long,
    encaixe_reason_is_given,
    encaixe_reason_can_be_stored,
]
MOVE_INPUT_RULES: list[InputRule] = [
    patient_is_alive,
    doctor_performs_them,
    time_is_given,
    time_is_ahead,
    notice_is_given,
    agenda_is_open_then,
    time_is_in_whole_minutes,
    end_is_after_start,
    procedures_have_their_time,
    discounts_are_valid_that_day,
    encaixe_reason_is_given,
    encaixe_reason_can_be_stored,
]
MOVE_WITH_LINES_INPUT_RULES: list[InputRule] = [
    procedures_are_chosen,
    *MOVE_INPUT_RULES,
    discounts_are_within_limit,
    total_is_the_one_shown,
]
# Procedures, discounts and length of an appointment whose start stays, and may have passed.
CHANGE_INPUT_RULES: list[InputRule] = [
    procedures_are_chosen,
    doctor_performs_them,
    time_is_in_whole_minutes,
    end_is_after_start,
    discounts_are_valid_that_day,
    discounts_are_within_limit,
    total_is_the_one_shown,
    encaixe_reason_is_given,
    encaixe_reason_can_be_stored,
]
# No other appointment takes the time; whether the doctor works then, and the day has room, are other questions.
FREE_TIME_RULES: list[AvailabilityRule] = [
    time_zone_is_unchanged,
    doctor_is_free,
    patient_is_in_one_place,
]
AVAILABILITY_RULES: list[AvailabilityRule] = [doctor_works_then, *FREE_TIME_RULES, day_has_room]
# The same two for an encaixe: other appointments of the doctor and the hours of work are not in its way.
ENCAIXE_FREE_TIME_RULES: list[AvailabilityRule] = [
    time_zone_is_unchanged,
    patient_is_nowhere_then,
    no_other_encaixe_then,
    encaixes_are_few,
]
ENCAIXE_RULES: list[AvailabilityRule] = [not_closed_then, *ENCAIXE_FREE_TIME_RULES, day_has_room]


def input_violations(candidate: Candidate, rules: Sequence[InputRule] = INPUT_RULES) -> list[Refusal]:
    """Return a refusal for every broken rule about the candidate as it was requested."""
    return [refusal for rule in rules for refusal in rule(candidate)]


def availability_violations(
    slot: Slot, context: ScheduleContext, rules: Sequence[AvailabilityRule] = AVAILABILITY_RULES
) -> list[Refusal]:
    """Return a refusal for every reason why the slot cannot be taken."""
    return [refusal for rule in rules for refusal in rule(slot, context)]
