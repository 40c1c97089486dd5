"""The eight statuses with ImageMais's ids, names and colours.

The vendor documents id 1, Agendado and its colour; the other ids and colours are ours. The colours are distinct for
colour-blind people too: a test checks their distances and contrasts.
"""

from typing import NamedTuple

from clinic.models.appointment import Status


class ApiStatus(NamedTuple):
    """A status as shown by the API.

    `name` is part of the API and the same in every clinic's language; `color` is the one in static/css/tokens.css.
    """

    id: int
    name: str
    color: str


API_STATUSES: dict[Status, ApiStatus] = {
    Status.SCHEDULED: ApiStatus(1, "Agendado", "#ffc107"),
    Status.CONFIRMED: ApiStatus(2, "Confirmado", "#7c956e"),
    Status.CANCELLED: ApiStatus(3, "Cancelado", "#a82b3b"),
    Status.CHECKED_IN: ApiStatus(4, "Check-in", "#2578c5"),
    Status.IN_SERVICE: ApiStatus(5, "Em atendimento", "#683dae"),
    Status.NO_SHOW: ApiStatus(6, "Faltou", "#c25516"),
    Status.FINISHED: ApiStatus(7, "Finalizado", "#6d727d"),
    Status.RESCHEDULED: ApiStatus(8, "Reagendado", "#11a2af"),
}

# The values of `action` in a change of status. Reagendado is missing: rescheduling sets it.
ACTIONS: dict[str, Status] = {
    "agendado": Status.SCHEDULED,
    "confirmado": Status.CONFIRMED,
    "cancelado": Status.CANCELLED,
    "check-in": Status.CHECKED_IN,
    "em atendimento": Status.IN_SERVICE,
    "faltou": Status.NO_SHOW,
    "finalizados": Status.FINISHED,
    "finalizado": Status.FINISHED,
}

# The values of the list's filter: the same words, Reagendado, and the ids.
FILTERS: dict[str, Status] = (
    ACTIONS
    | {"reagendado": Status.RESCHEDULED}
    | {str(api_status.id): status for status, api_status in API_STATUSES.items()}
)
