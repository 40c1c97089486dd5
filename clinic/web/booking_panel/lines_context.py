"""What `_lines.html`, `_total.html` and `_discount_age.html` show of an appointment that has lines already."""

from datetime import date
from decimal import Decimal
from typing import Any

from clinic.form_fields import ids_in
from clinic.queries import booking_options
from clinic.web.booking_panel.change_form import ChangeForm
from clinic.web.booking_panel.discount_age import warnings_about_age
from clinic.web.booking_panel.forms import MoveForm


def lines_context(form: ChangeForm | MoveForm, day: date) -> dict[str, Any]:
    """Return the context for the local date of the appointment. The form's check has run. One query."""
    chosen = {*ids_in(form.data, "discount"), *ids_in(form.data, "whole_discount")}
    lines = [row.line for row in form.line_rows if row.line]
    total = sum((line.total for line in lines), Decimal(0))
    return {
        "rows": form.line_rows,
        "procedures": form.procedures,
        "discounts": list(booking_options.discounts(form.clinic, day, chosen)),
        "total": total,
        "last_shown_total": form.last_shown_total(total),
        "is_priced": bool(lines),
        "age_warnings": warnings_about_age(lines, form.appointment.patient.birth_date, day),
    }
