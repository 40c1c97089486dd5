"""What the panel warns of before a booking that no rule refuses."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from clinic.booking import PricedLine
from clinic.models import Patient
from clinic.queries.namesakes import Namesakes, namesakes
from clinic.web.booking_panel.discount_age import warnings_about_age
from clinic.web.booking_panel.forms import BookingForm


def cautions(form: BookingForm, patient: Patient | None, lines: Iterable[PricedLine], day: date) -> dict[str, Any]:
    """Return what `patient/_namesakes.html` shows, and `_discount_age.html` and `_expired_card.html` of the panel.

    At most two queries."""
    return {
        "namesakes": _namesakes(form),
        "age_warnings": warnings_about_age(lines, _born(form, patient), day),
        "expired_card": form.expired_card_on(day),
    }


def _namesakes(form: BookingForm) -> Namesakes:
    """Return the patients called like the new one, until one of them is asked about as a double."""
    if not form.is_new_patient or form.asks_about_doubles or form.same_patient_id:
        return Namesakes()
    name, born, phone = (form.cleaned_data.get(field) for field in ("name", "birth_date", "phone"))
    return namesakes(form.clinic, name or "", besides=form.besides, born=born, phone=phone or "")


def _born(form: BookingForm, patient: Patient | None) -> date | None:
    """Return the birth date, as far as it is known, of the chosen patient or of the new one."""
    if patient:
        return patient.birth_date
    return form.cleaned_data.get("birth_date") if form.is_new_patient else None
