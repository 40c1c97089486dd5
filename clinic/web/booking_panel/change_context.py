"""The context of *Alterar*: what can be chosen, what it costs, and until when there is time."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clinic import booking
from clinic.web.booking_panel.change_form import ChangeForm
from clinic.web.booking_panel.lines_context import lines_context


def change_context(form: ChangeForm) -> dict[str, Any]:
    """Return the context of `appointment/change.html`. The form's check has run."""
    appointment = form.appointment
    return {
        "form": form,
        "appointment": appointment,
        "place": form.place_value,
        "wanted_end": form.cleaned_data.get("ends_at"),
        "possible_ends": _possible_ends(form),
        "focus": _focus(form),
        "submit_label": _("Salvar alteração"),
        **lines_context(form, form.clinic.local(appointment.starts_at).date()),
    }


def _possible_ends(form: ChangeForm) -> list[datetime]:
    """Return the ends that are offered instead of a refused later one: the present one, and the latest possible."""
    appointment, wanted = form.appointment, form.cleaned_data.get("ends_at")
    if "ends" not in form.errors or wanted is None or wanted <= appointment.ends_at:
        return []
    latest = booking.latest_end(appointment)
    return [appointment.ends_at, *([latest] if appointment.ends_at < latest < wanted else [])]


def _focus(form: ChangeForm) -> str:
    """Return the id of the element to focus: the first error, the line to be filled in, or the end."""
    last_line = f"procedure-{len(form.rows) - 1}"
    errors = [field.name for field in form.shown_fields if field.errors]
    if "add" in form.data or not form.data.get("seen"):
        return last_line
    if errors:
        return {"procedure": last_line, "discount": last_line}.get(errors[0], errors[0])
    return "save"
