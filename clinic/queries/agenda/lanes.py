"""The share of a column's width that each appointment has: lanes for those that stand, strips for freed time."""

from collections.abc import Iterable, Sequence

from clinic.queries.agenda.rows import AppointmentRow

MAX_LANES, MAX_STRIPS = 4, 3


def place_in_lanes(standing: Sequence[AppointmentRow], freed: Sequence[AppointmentRow]) -> None:
    """Give appointments that overlap their share of the width; those beside strips leave room for them."""
    for group in _groups(standing):
        _share(group)
    for row in standing:
        if strips := strips_beside(row.start, row.end, freed):
            row.lane += f" beside-{strips}"


def _share(group: Sequence[AppointmentRow]) -> None:
    if len(group) == 1 and group[0].encaixe:
        group[0].lane = " lane-1-of-2"
    if len(group) < 2:
        return
    lanes = _lanes_of(group)
    count = min(len(lanes), MAX_LANES)
    for number, lane in enumerate(lanes):
        for row in lane:
            row.lane = f" lane-{min(number, MAX_LANES - 1)}-of-{count}" if count > 1 else ""


def place_in_strips(freed: Sequence[AppointmentRow]) -> None:
    """Put cancelled and missed appointments into narrow strips at the column's edge; the freed time stays in sight."""
    for number, lane in enumerate(_lanes_of(freed)):
        for row in lane:
            row.strip = min(number, MAX_STRIPS - 1)
            row.lane = f" back strip-{row.strip}"


def fold_strips(freed: Sequence[AppointmentRow]) -> tuple[list[AppointmentRow], list[list[AppointmentRow]]]:
    """Return those that have a strip of their own, and groups of those for which no strip is left."""
    single = [row for row in freed if row.strip < MAX_STRIPS - 1]
    groups = _groups(row for row in freed if row.strip == MAX_STRIPS - 1)
    single += [group[0] for group in groups if len(group) == 1]
    return single, [group for group in groups if len(group) > 1]


def _groups(rows: Iterable[AppointmentRow]) -> list[list[AppointmentRow]]:
    """Return rows, given by their starts, in groups of those that overlap, be it by others between them."""
    groups: list[list[AppointmentRow]] = []
    until = 0
    for row in rows:
        if not groups or row.start >= until:
            groups.append([])
        groups[-1].append(row)
        until = max(until, row.end)
    return groups


def _lanes_of(rows: Iterable[AppointmentRow]) -> list[list[AppointmentRow]]:
    """Return the rows in as few lanes as keep those that overlap apart."""
    lanes: list[list[AppointmentRow]] = []
    for row in sorted(rows, key=lambda row: row.start):
        lane = next((lane for lane in lanes if lane[-1].end <= row.start), None)
        if lane is None:
            lanes.append([row])
        else:
            lane.append(row)
    return lanes


def strips_beside(start: int, end: int, freed: Iterable[AppointmentRow]) -> int:
    """Return how many strips stand beside these minutes."""
    return max((row.strip + 1 for row in freed if row.start < end and row.end > start), default=0)
