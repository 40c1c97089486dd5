"""What booking and *Remarcar* ask about an encaixe, where a time is refused because the doctor is not free."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking
from clinic.models import Clinic, StaffUser
from clinic.refusals import Reason, Refused
from clinic.web.fields import RefusableForm


class Motive(TextChoices):
    PAIN = "dor", gettext_lazy("dor")
    SAME_DAY = "dia", gettext_lazy("paciente do dia")
    ASKED = "pedido", gettext_lazy("pedido do médico")
    OTHER = "outro", gettext_lazy("outro")


class AsksAboutEncaixe(RefusableForm):
    """A form with a doctor and a start, which may be asked for as an encaixe.

    `encaixe_for` is the place for which the reason was asked: for any other the question is closed. The button
    `encaixe` opens the question with 1 and closes it with 0.
    """

    clinic: Clinic

    motive = forms.ChoiceField(
        required=False, choices=Motive, error_messages={"invalid_choice": Reason.ENCAIXE_REASON_MISSING.sentence}
    )
    other_motive = forms.CharField(required=False)
    encaixe_for = forms.CharField(required=False)
    could_be_encaixe = False

    @property
    def encaixe_place(self) -> str:
        """The chosen doctor and start as `12|2026-11-23T12:00:00+00:00`; "" while one of them is unknown."""
        doctor, starts_at = self.cleaned_data.get("doctor"), self.cleaned_data.get("starts_at")
        return f"{doctor}|{starts_at.isoformat()}" if doctor and starts_at else ""

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
        return self.could_be_encaixe or (self.encaixe_reason is not None and not is_refused)

    @property
    def is_encaixe_open(self) -> bool:
        return self.data.get("encaixe") == "1" or self.encaixe_reason is not None

    def refuse(self, refused: Refused) -> None:
        self.could_be_encaixe = booking.could_be_encaixe(refused)


@dataclass(frozen=True)
class EncaixeOffer:
    """The button for an encaixe at the instant `starts_at`, or with `is_open` the question for its reason."""

    place: str
    starts_at: datetime
    is_open: bool

    @property
    def shown(self) -> str:
        """Sent along by the page: only another offer is rendered again, so that what is being typed stays."""
        return f"{self.place} {self.is_open}"


def encaixe_context(form: AsksAboutEncaixe, user: StaffUser, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of a panel whose check has run what it says about an encaixe, to a user who may book one."""
    offer = None
    if user.may_squeeze_in and form.offers_encaixe and form.encaixe_place:
        offer = EncaixeOffer(form.encaixe_place, form.cleaned_data["starts_at"], form.is_encaixe_open)
    added: dict[str, Any] = {"encaixe": offer, "motives": Motive.choices}
    added["encaixe_is_stale"] = form.data.get("encaixe_shown", "") != (offer.shown if offer else "")
    if offer and offer.is_open:
        starts_at = form.clinic.local(offer.starts_at)
        added["submit_label"] = _("Encaixar às %(time)s") % {"time": f"{starts_at:%H:%M}"}
        if form.data.get("encaixe_shown") or "motive" in form.errors:
            added["focus"] = _focus(form, context["focus"])
    return context | added


def _focus(form: AsksAboutEncaixe, focus: str) -> str:
    """Return the id of the first reason where the question was just opened or not answered, else `focus`."""
    is_asked = "encaixe" in form.data or ("motive" in form.errors and focus in {"save", "motive"})
    return f"motive-{Motive.PAIN}" if is_asked else focus
