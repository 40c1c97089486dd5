"""The eight statuses as the ImageMais API numbers, names and paints them.

The vendor documents id 1, Agendado and its colour; the other ids and colours are ours. The colours differ to
colour-blind people as well, and a test holds their distances and contrasts.
"""

from typing import NamedTuple

from clinic.models.appointment import Status


class Shown(NamedTuple):
    """`name` is part of the API, the same in every clinic's language; `color` is the one of static/css/tokens.css."""

    id: int
    name: str
    color: str


SHOWN = {
    Status.SCHEDULED: Shown(1, "Agendado", "#ffc107"),
    Status.CONFIRMED: Shown(2, "Confirmado", "#7c956e"),
    Status.CANCELLED: Shown(3, "Cancelado", "#a82b3b"),
    Status.CHECKED_IN: Shown(4, "Check-in", "#2578c5"),
    Status.IN_SERVICE: Shown(5, "Em atendimento", "#683dae"),
    Status.NO_SHOW: Shown(6, "Faltou", "#c25516"),
    Status.FINISHED: Shown(7, "Finalizado", "#6d727d"),
    Status.RESCHEDULED: Shown(8, "Reagendado", "#11a2af"),
}

# What `action` of a status change may say. Becoming Reagendado is what rescheduling does.
ACTIONS = {
    "agendado": Status.SCHEDULED,
    "confirmado": Status.CONFIRMED,
    "cancelado": Status.CANCELLED,
    "check-in": Status.CHECKED_IN,
    "em atendimento": Status.IN_SERVICE,
    "faltou": Status.NO_SHOW,
    "finalizados": Status.FINISHED,
    "finalizado": Status.FINISHED,
}

# What the list may be asked for: the same words, Reagendado's, and the ids.
FILTERS = ACTIONS | {"reagendado": Status.RESCHEDULED} | {str(shown.id): status for status, shown in SHOWN.items()}
