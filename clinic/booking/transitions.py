"""The eight statuses of an appointment and what each may become.

A visit goes Agendado → Confirmado → Check-in → Em atendimento → Finalizado; each step can be taken back by one.
Remarcado is moved and takes its time. Faltou and Cancelado free the time. When a change is too early or too late is in
`status`.
"""

from clinic.models.appointment import FREES_THE_TIME, Status

_STANDING_STILL = {Status.CONFIRMED, Status.CHECKED_IN, Status.CANCELLED, Status.NO_SHOW}

TRANSITIONS = {
    Status.SCHEDULED: _STANDING_STILL,
    Status.RESCHEDULED: _STANDING_STILL,
    Status.CONFIRMED: _STANDING_STILL - {Status.CONFIRMED} | {Status.SCHEDULED},
    Status.CHECKED_IN: {
        Status.IN_SERVICE,
        Status.SCHEDULED,
        Status.CONFIRMED,
        Status.CANCELLED,
        Status.NO_SHOW,
    },
    Status.IN_SERVICE: {Status.FINISHED, Status.CHECKED_IN},
    Status.FINISHED: {Status.IN_SERVICE},
    Status.NO_SHOW: {Status.CHECKED_IN, Status.SCHEDULED},
    Status.CANCELLED: {Status.SCHEDULED},
}

# Becoming Remarcado is not a transition of its own: it is what moving does.
MOVABLE = {Status.SCHEDULED, Status.RESCHEDULED, Status.CONFIRMED, Status.NO_SHOW}


def takes_time_again(current: Status, wanted: Status) -> bool:
    """Whether the time was free meanwhile, so that somebody else may have it now."""
    return current in FREES_THE_TIME and wanted not in FREES_THE_TIME
