from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment
from clinic.refusals import Reason, Refused
from clinic.web.fields import RefusableForm


class CancelForm(RefusableForm):
    cancelled_by = forms.CharField(label=_("Quem cancelou?"), required=False)
    reason = forms.CharField(label=_("Motivo"), required=False)
    was_changed_meanwhile = False

    def refuse(self, refused: Refused, appointment: Appointment) -> None:
        """Show every refusal at its field; of an appointment cancelled already, its cancellation."""
        if appointment.status != Appointment.Status.CANCELLED:
            self.was_changed_meanwhile = Reason.CHANGED_MEANWHILE in refused.reasons
            self.show_refusals(refused.refusals)
            return
        cancelled = {
            "who": appointment.get_cancelled_by_display(),
            "reason": appointment.cancel_reason or _("sem motivo"),
        }
        self.add_error(
            None, _("Já estava “Cancelado” (%(who)s: %(reason)s). O que você escreveu não foi gravado.") % cancelled
        )

    def matches(self, appointment: Appointment) -> bool:
        """Return whether the typed values are those with which the appointment was cancelled."""
        typed = self["cancelled_by"].value() or "", " ".join((self["reason"].value() or "").split())
        return typed == (appointment.cancelled_by, appointment.cancel_reason)


class NotesForm(RefusableForm):
    """`seen` is the text with which the form was opened; `stored`, after a conflict, the text stored since."""

    notes = forms.CharField(label=_("Observações"), required=False)
    seen = forms.CharField(required=False)
    stored: str | None = None

    def refuse(self, refused: Refused, appointment: Appointment) -> None:
        """Show every reason at its field; after a conflict set `stored`, which then counts as seen."""
        if Reason.CHANGED_MEANWHILE in refused.reasons:
            self.stored = appointment.notes
        else:
            self.show_refusals(refused.refusals)

    @property
    def seen_value(self) -> str:
        """The value of the hidden field `seen` when the form is rendered."""
        return self["seen"].value() or "" if self.stored is None else self.stored
