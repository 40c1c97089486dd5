"""The eight statuses of an appointment and which may follow which.

A visit goes Agendado → Confirmado → Check-in → Em atendimento → Finalizado; one step at a time can be taken back.
Remarcado was moved and takes its time. Faltou and Cancelado free the time. `status` decides when a change is too early
or too late.
"""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import EXPECTED, FREES_THE_TIME, Status

_FROM_SCHEDULED = {Status.CONFIRMED, Status.CHECKED_IN, Status.CANCELLED, Status.NO_SHOW}

TRANSITIONS = {
    Status.SCHEDULED: _FROM_SCHEDULED,
    Status.RESCHEDULED: _FROM_SCHEDULED,
    Status.CONFIRMED: _FROM_SCHEDULED - {Status.CONFIRMED} | {Status.SCHEDULED},
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
# The labels of the buttons that continue the visit, and of those that take a step back. Cancelado is in neither: its
# button asks first.
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

# Of the possible steps the first of ONWARD comes next: on the day of the visit the check-in; once that day is over,
# that the patient was not there.
ONWARD = [Status.CHECKED_IN, Status.IN_SERVICE, Status.FINISHED, Status.NO_SHOW, Status.CONFIRMED]
# Labels of the button that undoes the last change, by the status that it led to: forward, or back.
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
UNDO_PROCEDURES = _("Desfazer alteração")
UNDO_PAYER = _("Desfazer mudança de convênio")
UNDO_DISCARD = _("Desfazer descarte")
UNDO_CALL_LATER = _("Desfazer hora de ligar")
UNDO_NOT_REACHED = _("Desfazer “não atende”")

# Remarcado is not in TRANSITIONS: only a move sets it.
MOVABLE = {Status.SCHEDULED, Status.RESCHEDULED, Status.CONFIRMED, Status.NO_SHOW}
# Its procedures can be changed by everybody; of Finalizado by managers.
CHANGEABLE = {Status.SCHEDULED, Status.RESCHEDULED, Status.CONFIRMED, Status.CHECKED_IN, Status.IN_SERVICE}


def takes_time_again(current: Status, new_status: Status) -> bool:
    """Return whether the time was free meanwhile, so that another appointment may take it now."""
    return current in FREES_THE_TIME and new_status not in FREES_THE_TIME


def onward(current: Status, possible: Collection[Status]) -> Status | None:
    """Return the one of the `possible` statuses that a visit is expected to have next, None if it has to wait."""
    order = [status for status in ONWARD if current in EXPECTED or status != Status.NO_SHOW]
    return next((status for status in order if status in possible), None)


def is_step_back(current: Status, new_status: Status) -> bool:
    """Return whether the status `new_status` takes a step of the visit back."""
    if new_status == Status.SCHEDULED:
        return True
    are_steps = {current, new_status} <= set(VISIT_ORDER)
    return are_steps and VISIT_ORDER.index(new_status) < VISIT_ORDER.index(current)
