"""Eight ways in which a second appointment can lie beside one from 10:00 to 11:00 (after Indico's tests)."""

OVERLAPS = {  # name: (from, to, whether they share time)
    "before": ((8, 30), (9, 30), False),
    "right before": ((9, 0), (10, 0), False),
    "overlapping the start": ((9, 30), (10, 30), True),
    "inside": ((10, 15), (10, 45), True),
    "the same": ((10, 0), (11, 0), True),
    "around": ((9, 0), (11, 30), True),
    "overlapping the end": ((10, 45), (11, 15), True),
    "right after": ((11, 0), (12, 0), False),
}
