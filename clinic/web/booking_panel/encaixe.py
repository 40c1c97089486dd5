"""What booking and *Remarcar* ask about an encaixe, where a time is refused because the doctor is not free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking
from clinic.access import pins
from clinic.access.guessing import TooManyTries
from clinic.access.hashing import Busy
from clinic.models import Clinic, StaffUser
from clinic.refusals import Reason, Refused
from clinic.web.booking_panel.lines import id_field
from clinic.web.fields import RefusableForm


class Motive(TextChoices):
    PAIN = "dor", gettext_lazy("dor")
    SAME_DAY = "dia", gettext_lazy("paciente do dia")
    ASKED = "pedido", gettext_lazy("pedido do médico")
    OTHER = "outro", gettext_lazy("outro")


class AsksAboutEncaixe(RefusableForm):
    """A form with a doctor and a start, which may be asked for as an encaixe.

    `encaixe_for` is the place for which the reason was asked: for any other the question is closed. The button
    `encaixe` opens the question with 1 and closes it with 0. `approval_for` is the place for which a manager's approval
    was asked, `approver` that manager's id. The PIN is never sent back.
    """

    clinic: Clinic

    motive = forms.ChoiceField(
        required=False, choices=Motive, error_messages={"invalid_choice": Reason.ENCAIXE_REASON_MISSING.sentence}
    )
    other_motive = forms.CharField(required=False)
    encaixe_for = forms.CharField(required=False)
    approver = id_field()
    approval_pin = forms.CharField(required=False)
    approval_for = forms.CharField(required=False)
    could_be_encaixe = False
    needs_approval = False
    approved_by: int | None = None

    @property
    def encaixe_place(self) -> str:
        """The chosen doctor and start as `12|2026-11-23T12:00:00+00:00`; "" while one of them is unknown."""
        doctor, starts_at = self.cleaned_data.get("doctor"), self.cleaned_data.get("starts_at")
        return f"{doctor}|{starts_at.isoformat()}" if doctor and starts_at else ""

    @property
    def encaixe_times(self) -> tuple[datetime, datetime | None]:
        """The start of the chosen place, and its end where only that is asked about."""
        return self.cleaned_data["starts_at"], None

    @property
    def encaixe_reason(self) -> str | None:
        """The reason as it was chosen or typed, "" for none; None while no encaixe is asked for."""
        values = self.cleaned_data
        if not self.encaixe_place or values.get("encaixe_for") != self.encaixe_place or "encaixe" in self.data:
            return None
        typed: str = values.get("other_motive", "")
        motive = values.get("motive") or (Motive.OTHER if typed else "")
        return typed if motive == Motive.OTHER else str(Motive(motive).label) if motive else ""

    @property
    def offers_encaixe(self) -> bool:
        """Whether the chosen time can be asked for as an encaixe, as far as the last refusal says."""
        is_refused = not {"date", "starts", "ends"}.isdisjoint(self.errors)
        return self.could_be_encaixe or self.needs_approval or (self.encaixe_reason is not None and not is_refused)

    @property
    def is_encaixe_open(self) -> bool:
        return self.data.get("encaixe") == "1" or self.encaixe_reason is not None

    @property
    def asks_approval(self) -> bool:
        """Whether a manager's approval was asked for the chosen place, or the last refusal asks for one."""
        was_asked = self.cleaned_data.get("approval_for") == self.encaixe_place != ""
        return self.needs_approval or (was_asked and self.encaixe_reason is not None)

    def approve(self, by: StaffUser) -> None:
        """Check the PIN that was typed for an approval, and keep in `approved_by` whose it is.

        A PIN is not tried for a form that cannot be sent anyway."""
        if not self.is_valid() or not self.asks_approval:
            return
        approver, pin = self.cleaned_data.get("approver"), self.cleaned_data.get("approval_pin")
        if not approver:
            self.add_error("approver", _("Escolha quem aprova."))
        elif not pin:
            self.add_error("approval_pin", _("Falta o PIN de quem aprova."))
        else:
            self._check_pin(approver, pin, by)

    def _check_pin(self, approver: int, pin: str, by: StaffUser) -> None:
        try:
            self.approved_by = pins.approved_by(self.clinic, approver, pin, asked_by=by)
        except pins.WrongPin:
            self.add_error("approval_pin", _("Este não é o PIN de quem aprova. Digite-o de novo."))
        except TooManyTries as reason:
            whole_minutes = timedelta(minutes=ceil(reason.wait / 60))
            until = self.clinic.local(timezone.now() + whole_minutes)
            sentence = _(
                "Foram muitos PINs errados: até %(time)s nenhum é aceito aqui. Espere, ou peça a quem aprova que entre "
                "com a própria senha e faça o encaixe."
            )
            self.add_error("approval_pin", sentence % {"time": f"{until:%H:%M}"})
        except Busy:
            self.add_error("approval_pin", _("Há muita gente entrando neste instante. Digite o PIN de novo."))

    def refuse(self, refused: Refused) -> None:
        self.could_be_encaixe = booking.could_be_encaixe(refused)
        self.needs_approval = self.encaixe_reason is not None and booking.needs_approval(refused)


ENCAIXE_FIELDS = AsksAboutEncaixe.base_fields


@dataclass(frozen=True)
class EncaixeOffer:
    """The button for an encaixe at the instant `starts_at`, or until `ends_at` where only the end is another, or with
    `is_open` the question for its reason.

    `approvers` are the managers who can approve it, None where no approval is asked for."""

    place: str
    starts_at: datetime
    ends_at: datetime | None
    is_open: bool
    approvers: Sequence[StaffUser] | None = None

    @property
    def submit_label(self) -> str:
        if self.ends_at:
            label = _("Aprovar e terminar às %(time)s") if self.approvers else _("Terminar às %(time)s, como encaixe")
        else:
            label = _("Aprovar e encaixar às %(time)s") if self.approvers else _("Encaixar às %(time)s")
        return label % {"time": f"{timezone.localtime(self.ends_at or self.starts_at):%H:%M}"}

    @property
    def asks_approval(self) -> bool:
        return self.is_open and self.approvers is not None

    @property
    def shown(self) -> str:
        """Sent along by the page: only another offer is rendered again, so that what is being typed stays."""
        return f"{self.place} {self.is_open}{' approval' if self.asks_approval else ''}"


def encaixe_context(form: AsksAboutEncaixe, user: StaffUser, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of a panel whose check has run what it says about an encaixe."""
    offer = _offer(form, user)
    added: dict[str, Any] = {"encaixe": offer, "motives": Motive.choices}
    added["encaixe_is_stale"] = form.data.get("encaixe_shown", "") != (offer.shown if offer else "")
    if offer and offer.is_open:
        added["submit_label"] = offer.submit_label
        if form.data.get("encaixe_shown") or "motive" in form.errors:
            added["focus"] = _focus(form, offer, context["focus"])
    return context | added


def _offer(form: AsksAboutEncaixe, user: StaffUser) -> EncaixeOffer | None:
    """Return what is offered; nothing to a user without the permission in a clinic where nobody can approve it."""
    if not form.offers_encaixe or not form.encaixe_place:
        return None
    needs_approval = form.asks_approval or not user.may_squeeze_in
    approvers = pins.approvers(form.clinic) if needs_approval else None
    if not (user.may_squeeze_in or approvers or form.needs_approval):
        return None
    return EncaixeOffer(form.encaixe_place, *form.encaixe_times, form.is_encaixe_open, approvers)


def _focus(form: AsksAboutEncaixe, offer: EncaixeOffer, focus: str) -> str:
    """Return the id of the first reason where the question was just opened or not answered, that of the approval where
    that was just asked for or refused, else `focus`: but not the time, which the encaixe is for."""
    is_time = focus in {"date", "starts", "ends"}
    is_asked = "encaixe" in form.data or ("motive" in form.errors and focus in {"save", "motive"})
    if is_asked or (is_time and not form.encaixe_reason):
        return f"motive-{Motive.PAIN}"
    if offer.approvers and (form.needs_approval or not {"approver", "approval_pin"}.isdisjoint(form.errors)):
        is_chosen = form.cleaned_data.get("approver") or len(offer.approvers) == 1
        return "approval_pin" if is_chosen else "approver"
    return "save" if is_time else focus
