from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic import booking
from clinic.models import Appointment
from clinic.refusals import Reason, Refused
from clinic.web.booking_panel.forms import WhenForm
from clinic.web.fields import RefusableForm


class MoveForm(WhenForm):
    """Another time, or another doctor, for an appointment; as long as it was, unless `ends` says otherwise.

    `place` is where the appointment was when the form was opened: another window may have moved it since.
    `discounts_off` are the sentences about discounts that are not valid then; ticking `without_expired` takes them off.
    """

    place = forms.CharField(required=False)
    without_expired = forms.BooleanField(required=False)
    discounts_off: Sequence[str] = ()
    was_moved_elsewhere = False

    def refuse(self, refused: Refused) -> None:
        lost = [each for each in refused.refusals if each.reason is Reason.DISCOUNT_LEFT_BEHIND]
        self.discounts_off = [each.message for each in lost]
        self.was_moved_elsewhere = Reason.CHANGED_MEANWHILE in refused.reasons
        lost += [each for each in refused.refusals if each.reason is Reason.CHANGED_MEANWHILE]
        refused.refusals = [each for each in refused.refusals if each not in lost]
        super().refuse(refused)

    def check(self, appointment: Appointment) -> None:
        """The same rules as `move`, for a form that is still being filled in."""
        self.is_valid()
        if refused := booking.check_reschedule(appointment.pk, clinic=self.clinic, **self._target()):
            self.refuse(refused)
        self.drop_untouched_errors(just_left=None)

    def move(self, appointment: Appointment, author: booking.Author) -> bool:
        """Whether it is moved; if not, every reason is at its field, and the appointment is as it is stored now."""
        try:
            if self.is_valid():
                seen = self.cleaned_data["place"] or None
                booking.reschedule(appointment.pk, clinic=self.clinic, by=author, seen=seen, **self._target())
                return True
            refused = booking.check_reschedule(appointment.pk, clinic=self.clinic, **self._target())
        except Refused as error:
            refused = error
        if refused:
            self.refuse(refused)
            appointment.refresh_from_db()
            if self.was_moved_elsewhere:
                self.add_error(None, _moved_elsewhere(appointment))
        return False

    def _target(self):
        return {name: self.cleaned_data.get(name) for name in ("doctor", "starts_at", "ends_at", "without_expired")}


def _moved_elsewhere(appointment):
    starts_at = appointment.clinic.local(appointment.starts_at)
    sentence = _(
        "Outra janela já remarcou este agendamento para %(day)s às %(time)s, com %(doctor)s. Aqui está o que você "
        "escolheu: para valer, remarque de novo."
    )
    return sentence % {"day": f"{starts_at:%d/%m}", "time": f"{starts_at:%H:%M}", "doctor": appointment.doctor}


class CancelForm(RefusableForm):
    cancelled_by = forms.CharField(label=_("Quem cancelou?"), required=False)
    reason = forms.CharField(label=_("Motivo"), required=False)
    was_changed_meanwhile = False

    def refuse(self, refused: Refused, appointment: Appointment) -> None:
        """Show every refusal at its field; for an appointment that is already cancelled, who did it and why."""
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

    def says(self, appointment: Appointment) -> bool:
        """Whether what was typed is what the appointment's cancelling says."""
        typed = self["cancelled_by"].value() or "", " ".join((self["reason"].value() or "").split())
        return typed == (appointment.cancelled_by, appointment.cancel_reason)


class NotesForm(RefusableForm):
    """`seen` are the notes that the form was opened with; `stored`, after a conflict, the ones stored since."""

    notes = forms.CharField(label=_("Observações"), required=False)
    seen = forms.CharField(required=False)
    stored = None

    def refuse(self, refused: Refused, appointment: Appointment) -> None:
        """Say every reason at its field; a conflict by showing what is stored, which then counts as seen."""
        if Reason.CHANGED_MEANWHILE in refused.reasons:
            self.stored = appointment.notes
        else:
            self.show_refusals(refused.refusals)

    @property
    def seen_now(self):
        return self["seen"].value() or "" if self.stored is None else self.stored
