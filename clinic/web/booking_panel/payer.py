"""What booking and the page of an appointment ask about who pays, and what they fill in of the patient's plan."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic import booking
from clinic.form_fields import TypedDateField, is_short_number
from clinic.models import Appointment, Clinic, Payer
from clinic.queries import payers
from clinic.refusals import Reason, Refused
from clinic.registry import Plan, accepted_plan
from clinic.web.booking_panel.lines import id_field
from clinic.web.fields import RefusableForm

CARD_FIELDS = ["card_number", "card_expires_on"]
AUTHORIZATION_FIELDS = ["authorization_number", "authorization_password"]
PAYER_FIELDS = ["payer", *CARD_FIELDS, *AUTHORIZATION_FIELDS]


class AsksWhoPays(RefusableForm):
    """A form that asks for payer, card and guia, where the clinic has payers; without one the patient pays.

    `plan_seen` is the patient's plan when the form was filled in, as payer|number|dd/mm/yyyy: only another one is kept.
    """

    clinic: Clinic
    stored_payer: int | None = None  # the id of the payer that an appointment has already
    patients_payer: int | None = None  # and of the one that its patient has, whose card may be another than is shown

    payer = id_field()
    card_number = forms.CharField(required=False)
    card_expires_on = TypedDateField(
        required=False,
        error_messages={"invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 12/03/2026.")},
    )
    authorization_number = forms.CharField(required=False)
    authorization_password = forms.CharField(required=False)
    plan_seen = forms.CharField(required=False)

    @cached_property
    def payers(self) -> list[Payer]:
        return payers.chosen_from(self.clinic, self.stored_payer)

    @property
    def asks_who_pays(self) -> bool:
        return bool(self.payers)

    @property
    def absent_payer_fields(self) -> set[str]:
        """The fields about the payer that are not on the page: a guia has a password in Brazil only."""
        if not self.asks_who_pays:
            return {*PAYER_FIELDS}
        return set() if self.clinic.country == Clinic.Country.BRAZIL else {"authorization_password"}

    @property
    def payer_value(self) -> str:
        """The value of the radio button that is pressed, "" for a private patient."""
        return str(self["payer"].value() or "")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "payer" not in self.errors and not cleaned.get("payer"):
            for name in (*CARD_FIELDS, *AUTHORIZATION_FIELDS):
                self.errors.pop(name, None)  # not shown for a private patient
        return cleaned

    @property
    def payer_wish(self) -> booking.PayerWish:
        values: dict[str, Any] = self.cleaned_data
        payer = values.get("payer")
        if payer is None:
            return booking.PayerWish()
        guia = {name: values.get(name) or "" for name in AUTHORIZATION_FIELDS}
        return booking.PayerWish(payer, **guia, plan=self._typed_plan(payer))

    def expired_card_on(self, day: date) -> str:
        """Return what to warn of: that the card as it stands in the form has expired on that local date; "" else."""
        expires_on = self.cleaned_data.get("card_expires_on") if self.cleaned_data.get("payer") else None
        return payers.expired_card(expires_on) if expires_on and expires_on < day else ""

    def _typed_plan(self, payer: int) -> Plan | None:
        """Return the plan to keep; None for the one that the patient had. A card that was filled in for one payer, and
        left as it was, is not that of another."""
        seen_payer, _sep, seen_card = self.data.get("plan_seen", "").partition("|")
        is_card_untouched = "|".join(self.data.get(name, "") for name in CARD_FIELDS) == seen_card
        if is_card_untouched:
            return None if str(payer) == seen_payer or payer == self.patients_payer else Plan(payer)
        return Plan(payer, self.cleaned_data.get("card_number") or "", self.cleaned_data.get("card_expires_on"))


def prices_beside(appointment: Appointment, offered: list[Payer], by: booking.Author) -> str:
    """Return the sentence with the price as booked beside what the offered payers would pay on that day, of which the
    author chooses once another one is stored, if they may change it still; "" where none of them has prices of its
    own."""
    prices = payers.prices_on_its_day(appointment, offered)
    if not prices:
        return ""
    money = appointment.clinic.money
    written = "; ".join(f"{payer.name} {money(price)}" for payer, price in prices)
    booked = money(sum((line.price for line in appointment.lines.all()), Decimal(0)))
    sentence = gettext("O preço agendado é %(booked)s. Nesse dia: %(prices)s.")
    if not booking.change_refusals(appointment, by):
        sentence += " " + gettext("Depois de salvar, você escolhe qual vale.")
    return sentence % {"booked": booked, "prices": written}


class PayerForm(AsksWhoPays):
    """Another payer, card or guia for an appointment. `seen` is its `payment` when the form was opened."""

    was_changed_meanwhile = False

    def __init__(self, data: QueryDict, *, appointment: Appointment) -> None:
        super().__init__(data)
        self.appointment, self.clinic, self.stored_payer = appointment, appointment.clinic, appointment.payer_id
        self.patients_payer = appointment.patient.payer_id

    def change(self, by: booking.Author) -> bool:
        """Change it and return True; or show every reason at its field, and reload the appointment."""
        if not self.is_valid():
            return False
        seen = self.data.get("seen")
        try:
            booking.change_payer(self.appointment.pk, clinic=self.clinic, wish=self.payer_wish, seen=seen, by=by)
            return True
        except Refused as refused:
            self.was_changed_meanwhile = Reason.CHANGED_MEANWHILE in refused.reasons
            self.show_refusals(refused.refusals)
            self.appointment.refresh_from_db()
            return False


def data_of_payer(appointment: Appointment) -> QueryDict:
    """Return the fields of `PayerForm` before anything is changed."""
    data, patient = QueryDict(mutable=True), appointment.patient
    stored = Plan(patient.payer_id, patient.card_number, patient.card_expires_on)
    is_same = appointment.payer_id == stored.payer_id
    plan = stored if is_same else Plan(appointment.payer_id)
    put_plan(data, plan, plan)  # a form in which no card is typed keeps none
    for name in AUTHORIZATION_FIELDS:
        data[name] = getattr(appointment, name)
    return data


def fill_plan(data: QueryDict, clinic: Clinic, payer: str | None = None) -> None:
    """Fill in the plan of the chosen patient; of another `payer`, chosen by hand, no card is known. One query."""
    stored = plan = _plan_of(clinic, data.get("patient", ""))
    if payer is not None and payer != str(stored.payer_id or ""):
        plan = Plan(int(payer)) if is_short_number(payer) else Plan()
    put_plan(data, plan, stored)


def fill_plan_of_chosen(data: QueryDict, clinic: Clinic, before: str) -> None:
    """Fill in the plan of the patient who is chosen now, after the one of the id `before`, "" for none. One query.

    What was typed while none was chosen stays, unless the chosen one has a plan; a guia is of one patient only."""
    chosen = data.get("patient", "")
    if chosen == before:
        return
    stored = _plan_of(clinic, chosen)
    if before:
        for name in AUTHORIZATION_FIELDS:
            data[name] = ""
    if before or stored.payer_id:
        put_plan(data, stored, stored)
    else:
        data["plan_seen"] = "|".join(_written(stored))


def put_plan(data: QueryDict, plan: Plan, stored: Plan) -> None:
    """Set the fields of payer and card, and the one that says what is stored of the patient."""
    for name, text in zip(("payer", *CARD_FIELDS), _written(plan), strict=True):
        data[name] = text
    data["plan_seen"] = "|".join(_written(stored))


def _written(plan: Plan) -> tuple[str, str, str]:
    expires_on = f"{plan.card_expires_on:%d/%m/%Y}" if plan.card_expires_on else ""
    return str(plan.payer_id or ""), plan.card_number, expires_on


def _plan_of(clinic: Clinic, patient: str) -> Plan:
    """Return the plan that is filled in for the patient of that id; a private one for any other text."""
    return accepted_plan(clinic, int(patient)) if is_short_number(patient) else Plan()
