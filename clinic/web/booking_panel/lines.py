"""Procedures and discounts of a form: what booking and *Alterar* read alike, and how their buttons change it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import BigIntegerField
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking
from clinic.booking import LineRequest
from clinic.form_fields import is_short_number
from clinic.models import Appointment, Procedure
from clinic.models.titles import in_sentence
from clinic.web.fields import RefusableForm

MAX_AMOUNT = Decimal(10) ** 10


def id_field(of: type[forms.IntegerField] = forms.IntegerField) -> forms.IntegerField:
    """Return a field for an id that a select or a hidden field sends; whether the row exists is for the rules."""
    gone = gettext_lazy("Esta escolha não existe mais. Escolha de novo.")
    errors = {"invalid": gone, "max_value": gone, "min_value": gone}
    return of(required=False, min_value=1, max_value=BigIntegerField.MAX_BIGINT, error_messages=errors)


ID_FIELD = id_field()


def read_amount(text: str) -> Decimal | None:
    """Read the amount that a hidden field sends; None for anything else."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < MAX_AMOUNT else None


@dataclass(frozen=True)
class LineRow:
    """A line of the form: the ids as sent, and the priced line if the procedure is known."""

    procedure: str
    discount: str
    line: booking.PricedLine | None


class LinesForm(RefusableForm):
    """Procedures with their discounts, and the discount on the whole.

    `procedure` and `discount` are repeated, a pair for each line; a line without a procedure is ignored.
    `shown_total` is the total that the person has seen, and `shown_for` the `pricing_key` for which it was shown.
    """

    procedure = forms.Field(required=False)
    discount = forms.Field(required=False)
    whole_discount = id_field()
    shown_total = forms.CharField(required=False)

    total_changed = False

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(procedure, discount) of each line as sent, empty ones included."""
        chosen = self.data.getlist("procedure")
        discounts = self.data.getlist("discount")
        return list(zip(chosen, discounts + [""] * len(chosen), strict=False)) or [("", "")]

    @property
    def chosen_ids(self) -> list[int]:
        """The ids of the procedures as sent; texts that are no id are skipped."""
        return [int(procedure) for procedure, _discount in self.rows if is_short_number(procedure)]

    @property
    def read_lines(self) -> tuple[LineRequest, ...]:
        """The lines that could be read."""
        return tuple(line for line in self.lines if line)

    @property
    def pricing_key(self) -> str:
        """The choices that determine the total: lines, discount for the whole, day, payer. Prices may change
        meanwhile."""
        lines = [f"{procedure}-{discount}" for procedure, discount in self.rows if procedure.strip()]
        choices = (self.data.get(name, "") for name in ("whole_discount", "date", "payer"))
        return " ".join([*lines, *choices])

    def last_shown_total(self, total: Decimal) -> Decimal:
        """Return the total for the field `shown_total` of a form that is rendered with `total`.

        It stays what it was as long as it is for the same lines: a change of price is shown when they are sent.
        """
        previous: Decimal | None = None if self.total_changed else self.cleaned_data.get("shown_total")
        return total if previous is None or self.data.get("shown_for") != self.pricing_key else previous

    def clean(self) -> dict[str, Any]:
        self.lines = [self._line(procedure, discount) for procedure, discount in self.rows if procedure.strip()]
        self.cleaned_data["shown_total"] = read_amount(self.cleaned_data.get("shown_total", ""))
        super().clean()
        return self.cleaned_data

    def _line(self, procedure: str, discount: str) -> LineRequest | None:
        try:
            return LineRequest(ID_FIELD.clean(procedure), ID_FIELD.clean(discount))
        except forms.ValidationError as error:
            self.add_error("procedure", error)
            return None


def end_of_lines(appointment: Appointment, procedures: Iterable[Procedure], chosen: Iterable[int]) -> datetime:
    """Return the present end, later or earlier by what the `chosen` procedures last more or less than the stored ones.
    `procedures` are the rows of those ids."""
    minutes = {procedure.pk: procedure.duration_minutes for procedure in procedures}
    wanted = sum(minutes.get(pk, 0) for pk in chosen)
    present = sum(line.procedure.duration_minutes for line in appointment.lines.select_related("procedure"))
    moved = appointment.ends_at + timedelta(minutes=wanted - present if wanted else 0)
    return moved if moved > appointment.starts_at else appointment.starts_at + timedelta(minutes=wanted)


def is_elsewhere(form: LinesForm, appointment: Appointment) -> bool:
    """Return whether the appointment is no longer at the `place` with which the form was opened."""
    return form.data.get("place", "") not in {"", booking.place(appointment)}


def changed_message(appointment: Appointment) -> str:
    """Return the sentence about what another window has made of an appointment meanwhile. One query."""
    starts_at, ends_at = (appointment.clinic.local(at) for at in (appointment.starts_at, appointment.ends_at))
    sentence = _(
        "Este agendamento foi alterado em outra janela: agora é em %(day)s, das %(start)s às %(end)s, com "
        "%(the_doctor)s (%(procedures)s). Aqui está o que você escolheu: para valer, envie de novo."
    )
    return sentence % {
        "day": f"{starts_at:%d/%m}",
        "start": f"{starts_at:%H:%M}",
        "end": f"{ends_at:%H:%M}",
        **in_sentence(appointment.doctor_name, appointment.doctor.title),
        "procedures": ", ".join(appointment.lines.values_list("procedure_name", flat=True)),
    }


def rows_with_prices(form: LinesForm, priced: Iterable[booking.PricedLine | None]) -> list[LineRow]:
    """Return the rows as sent; `priced` are the lines of those that could be read, in order."""
    prices = iter(priced)
    of_rows = iter([next(prices) if line else None for line in form.lines])
    return [LineRow(*row, next(of_rows) if row[0].strip() else None) for row in form.rows]


def fields_of_lines(appointment: Appointment, data: QueryDict) -> None:
    """Fill in the lines as they are stored, and an empty one."""
    lines, whole = booking.requested_lines(appointment)
    data.setlist("procedure", [*(str(line.procedure) for line in lines), ""])
    data.setlist("discount", [*(str(line.discount or "") for line in lines), ""])
    data["whole_discount"] = str(whole or "")


def apply_line_button(data: QueryDict) -> None:
    """Add a line or take one away, as the pressed button says."""
    if "add" in data:
        data.appendlist("procedure", "")
        data.appendlist("discount", "")
    if is_short_number(index := data.get("remove", "")):
        for field in ("procedure", "discount"):
            values = data.getlist(field)
            data.setlist(field, values[: int(index)] + values[int(index) + 1 :])
