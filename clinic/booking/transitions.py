"""The eight statuses of an appointment and what each may become.

A visit goes Agendado → Confirmado → Check-in → Em atendimento → Finalizado; each step can be taken back by one.
Remarcado is moved and takes its time. Faltou and Cancelado free the time. When a change is too early or too late is in
`status`.
"""

from django.utils.translation import gettext_lazy as _

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

VISIT_ORDER = [Status.SCHEDULED, Status.CONFIRMED, Status.CHECKED_IN, Status.IN_SERVICE, Status.FINISHED]
# What a button says that goes on with the visit, and one that takes a step back. Cancelado is neither: it asks first.
FORWARD = {
    Status.CONFIRMED: _("Confirmar"),
    Status.CHECKED_IN: _("Check-in"),
    Status.IN_SERVICE: _("Iniciar atendimento"),
    Status.FINISHED: _("Finalizar"),
    Status.NO_SHOW: _("Faltou"),
}
BACKWARD = {
    Status.SCHEDULED: _("Voltar a agendado"),
    Status.CONFIRMED: _("Voltar a confirmado"),
    Status.CHECKED_IN: _("Voltar ao check-in"),
    Status.IN_SERVICE: _("Voltar ao atendimento"),
}

# Who has one of these is expected. Of the possible steps the first of ONWARD comes next: on the day of the visit the
# check-in; once that day is over, that the patient was not there.
COMING = {Status.SCHEDULED, Status.RESCHEDULED, Status.CONFIRMED}
ONWARD = [Status.CHECKED_IN, Status.IN_SERVICE, Status.FINISHED, Status.NO_SHOW, Status.CONFIRMED]
# What a button says that takes back the last change: having become that status, going forward or back.
UNDO = {
    Status.CONFIRMED: _("Desfazer confirmação"),
    Status.CHECKED_IN: _("Desfazer check-in"),
    Status.IN_SERVICE: _("Desfazer início do atendimento"),
    Status.FINISHED: _("Desfazer finalização"),
    Status.NO_SHOW: _("Desfazer falta"),
    Status.CANCELLED: _("Desfazer cancelamento"),
}
UNDO_STEP_BACK = {
    Status.SCHEDULED: _("Desfazer volta a agendado"),
    Status.CONFIRMED: _("Desfazer volta a confirmado"),
    Status.CHECKED_IN: _("Desfazer volta ao check-in"),
    Status.IN_SERVICE: _("Desfazer volta ao atendimento"),
}
UNDO_MOVE = _("Desfazer remarcação")

# Becoming Remarcado is not a transition of its own: it is what moving does.
MOVABLE = {Status.SCHEDULED, Status.RESCHEDULED, Status.CONFIRMED, Status.NO_SHOW}


def takes_time_again(current: Status, wanted: Status) -> bool:
    """Return whether the time was free meanwhile, so that another appointment may take it now."""
    return current in FREES_THE_TIME and wanted not in FREES_THE_TIME


def is_step_back(current: Status, wanted: Status) -> bool:
    """Whether becoming `wanted` takes something of the visit back."""
    if wanted == Status.SCHEDULED:
        return True
    both_lie_on_the_way = {current, wanted} <= set(VISIT_ORDER)
    return both_lie_on_the_way and VISIT_ORDER.index(wanted) < VISIT_ORDER.index(current)
