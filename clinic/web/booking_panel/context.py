"""The booking panel's context: what was typed, what can be chosen, what it costs and when it is free."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _

from clinic import booking
from clinic.form_fields import READABLE_YEARS, is_short_number
from clinic.models import Appointment, Clinic
from clinic.queries import booking_options, patients
from clinic.web.appointment.forms import MoveForm
from clinic.web.booking_panel.forms import BookingForm
from clinic.web.patient.forms import begun_with

TIMES_SHOWN = 6
# What pressing each button of the panel draws anew.
BUTTONS = {
    "pick": "who",
    "new": "who",
    "forget": "who",
    "search": "who",
    "choose": "when",
    "add": "lines",
    "remove": "lines",
}


def begun(asked: QueryDict, clinic: Clinic) -> QueryDict:
    """The form's fields for a click on a free time: `medico`, `data`, `inicio`, `paciente` of the address, if given."""
    data = QueryDict(mutable=True)
    for field, parameter in (("doctor", "medico"), ("date", "data"), ("starts", "inicio"), ("patient", "paciente")):
        if asked.get(parameter):
            data[field] = asked[parameter]
    if asked_for := _iso_date(data.get("date", "")):
        data["date"] = f"{asked_for:%d/%m/%Y}"
    if "date" not in data:
        data["date"] = f"{clinic.local(timezone.now()):%d/%m/%Y}"
    return _with_usual_procedure(data, clinic)


def pressed(posted: QueryDict, clinic: Clinic) -> QueryDict:
    """The form's fields after the button in the panel that was pressed, if one was."""
    data = posted.copy()
    if "pick" in data:
        data["patient"] = data["pick"]
    if "forget" in data or "search" in data:
        data["patient"] = ""
    if {"pick", "forget", "search"} & data.keys():
        data.pop("is_new", None)
    if "new" in data:
        typed = data.get("q", "").strip()
        data["is_new"], data["patient"] = "1", ""
        for field, text in begun_with(typed).items():
            data[field] = text
    if "choose" in data:
        _choose(data, clinic)
    if "add" in data:
        data.appendlist("procedure", "")
        data.appendlist("discount", "")
    if is_short_number(data.get("remove", "")):
        _remove(data, int(data["remove"]))
    return _with_usual_procedure(data, clinic)


def sections(left: str | None, posted: QueryDict) -> set[str]:
    """The parts of the panel to draw anew when the field `left` was left, or None and a button pressed."""
    if left is not None:
        return {"lines"} if left in {"doctor", "procedure", "discount", "whole_discount"} else set()
    return {section for button, section in BUTTONS.items() if button in posted}


def as_it_is(appointment: Appointment) -> QueryDict:
    """The fields of the move form before anything is changed."""
    starts_at = appointment.clinic.local(appointment.starts_at)
    data = QueryDict(mutable=True)
    data.update({"doctor": str(appointment.doctor_id), "date": f"{starts_at:%d/%m/%Y}", "starts": f"{starts_at:%H:%M}"})
    data["place"] = booking.place(appointment)
    return data


def move_context(form: MoveForm, appointment: Appointment) -> dict:
    """Everything `appointment/move.html` shows."""
    clinic, values = form.clinic, form.cleaned_data
    doctors = list(booking_options.doctors(clinic))
    doctor = next((doctor for doctor in doctors if doctor.pk == values.get("doctor")), None)
    minutes = _minutes(form) or (appointment.ends_at - appointment.starts_at) // timedelta(minutes=1)
    day = values.get("date") or clinic.local(timezone.now()).date()
    times = _times(form, doctor, minutes, day, appointment.patient_id, moving=appointment)
    return {
        "appointment": appointment,
        "form": form,
        "doctors": doctors,
        "doctor": doctor,
        "minutes": minutes,
        "discounts_off": form.discounts_off,
        "place": _place(form, appointment),
        "focus": next(iter(form.errors), "save" if "choose" in form.data else "date"),
        **_times_context(form, times),
    }


def _place(form, appointment):
    """Where the form takes the appointment from: where it was when the form was begun, or after a refusal is now."""
    begun = "" if form.was_moved_elsewhere else form.data.get("place")
    return begun or booking.place(appointment)


def _with_usual_procedure(data, clinic):
    """A doctor without a procedure chosen begins with the usual one: the field that is most often left as it is.

    `usual` remembers what was put there; with a doctor who does not perform it, it makes room for what that one does.
    """
    chosen = [procedure for procedure in data.getlist("procedure") if procedure]
    doctor = data.get("doctor", "")
    if "add" in data or not is_short_number(doctor):
        return data
    if not chosen or (chosen == [data.get("usual")] and not _performs(clinic, doctor, chosen[0])):
        usual = booking_options.usual_procedure(clinic, int(doctor))
        data["usual"] = str(usual or "")
        data.setlist("procedure", [str(usual)] if usual else [])
    return data


def _performs(clinic, doctor, procedure):
    performed = booking_options.procedures(clinic, int(doctor), [])
    return is_short_number(procedure) and performed.filter(pk=procedure).exists()


def _iso_date(text):
    try:
        return parse_date(text)
    except ValueError:
        return None


def _choose(data, clinic):
    """A free time is sent as a UTC instant."""
    try:
        chosen = parse_datetime(data["choose"])
    except ValueError:
        return
    if chosen and is_aware(chosen) and chosen.year in READABLE_YEARS:
        local = clinic.local(chosen)
        data["date"], data["starts"] = f"{local:%d/%m/%Y}", f"{local:%H:%M}"


def _remove(data, index):
    for field in ("procedure", "discount"):
        values = data.getlist(field)
        data.setlist(field, values[:index] + values[index + 1 :])


def context(form: BookingForm) -> dict:
    """Everything `appointment/book.html` shows for a form whose check has run."""
    clinic, values = form.clinic, form.cleaned_data
    doctors = list(booking_options.doctors(clinic))
    doctor = next((doctor for doctor in doctors if doctor.pk == values.get("doctor")), None)
    chosen = [int(procedure) for procedure, discount in form.rows if is_short_number(procedure)]
    procedures = list(booking_options.procedures(clinic, doctor and doctor.pk, chosen))
    day = form.day or clinic.local(timezone.now()).date()
    discounts = list(booking_options.discounts(clinic, day))
    rows = _rows(form, procedures, discounts)
    searching = not form.is_new_patient and not values.get("patient")
    patient = (
        None if form.is_new_patient or not values.get("patient") else booking_options.patient(clinic, values["patient"])
    )
    minutes = _minutes(form) or sum(row["line"].procedure.duration_minutes for row in rows if row["line"])
    times = _times(form, doctor, minutes, day, patient and patient.pk)
    total = sum((row["line"].total for row in rows if row["line"]), Decimal(0))
    return {
        "form": form,
        "key": uuid4(),
        "patient": patient,
        "q": form.data.get("q", ""),
        "found": patients.search(clinic, form.data.get("q", "")) if searching and form.data.get("q") else [],
        "is_whole_number": patients.is_whole_number(clinic, form.data.get("q", "")),
        "doctors": doctors,
        "doctor": doctor,
        "procedures": procedures,
        "discounts": discounts,
        "rows": rows,
        "total": total,
        "total_seen": form.total_seen(total),
        "ends_by_itself": _end(form, minutes),
        "minutes": minutes,
        "submit": _submit(form),
        "focus": _focus(form),
        **_times_context(form, times),
    }


def _times_context(form, times):
    return {
        "times": times[:TIMES_SHOWN],
        "more_times": times[TIMES_SHOWN:],
        "times_are_alternatives": bool(form.alternatives),
        "chosen": None if _is_refused(form) else form.cleaned_data.get("starts_at"),
        "chosen_day": form.cleaned_data.get("date"),
    }


def _rows(form, procedures, discounts):
    """A dict a line: the ids as sent, and the priced line where the procedure is known."""
    procedures = {str(procedure.pk): procedure for procedure in procedures}
    discounts = {str(discount.pk): discount for discount in discounts}
    known = [(procedures[row[0]], discounts.get(row[1])) for row in form.rows if row[0] in procedures]
    lines = iter(booking.price_lines(known, discounts.get(form.data.get("whole_discount", ""))))
    return [
        {"procedure": procedure, "discount": discount, "line": next(lines) if procedure in procedures else None}
        for procedure, discount in form.rows
    ]


def _minutes(form):
    """The length that was typed, if both ends were."""
    starts_at, ends_at = form.cleaned_data.get("starts_at"), form.cleaned_data.get("ends_at")
    readable = starts_at and ends_at and timedelta(0) < ends_at - starts_at < timedelta(days=1)
    return (ends_at - starts_at) // timedelta(minutes=1) if readable else 0


def _end(form, minutes):
    starts_at = form.cleaned_data.get("starts_at")
    return starts_at + timedelta(minutes=minutes) if starts_at and minutes else None


def _times(form, doctor, minutes, day, patient_id, moving=None):
    """The nearest free times after a refusal, otherwise the day's, those next to the chosen one first."""
    if form.alternatives:
        return form.alternatives
    if doctor is None or not minutes:
        return []
    found = booking.openings(
        form.clinic, doctor=doctor, minutes=minutes, first=day, last=day, patient=patient_id, moving=moving
    )
    if starts_at := form.cleaned_data.get("starts_at"):
        before = sum(opening.starts_at < starts_at for opening in found)
        start = max(0, min(before - 1, len(found) - TIMES_SHOWN))
        return found[start : start + TIMES_SHOWN] + found[:start] + found[start + TIMES_SHOWN :]
    return found


def _focus(form):
    """The id of where the person goes on: in what a button opened, at a complaint, at the patient, or at the end."""
    last_line = f"procedure-{len(form.rows) - 1}"
    if form.asks_who:
        return "same-1"
    if "add" in form.data:
        return last_line
    if not form.is_new_patient and not form.cleaned_data.get("patient"):
        return "q"
    if "new" in form.data:
        return "phone" if form.data.get("name") else "name"
    errors = [field.name for field in form.shown if field.errors]
    if errors[:1] == ["phone"] and form.asks_phone:
        return "phone_is_right"
    if errors:
        return {"procedure": last_line, "discount": last_line}.get(errors[0], errors[0])
    return "save"


def _submit(form):
    """What the main button does; it names a time only as long as nothing speaks against it."""
    starts = form.cleaned_data.get("starts")
    return _("Agendar às %(time)s") % {"time": f"{starts:%H:%M}"} if starts and not _is_refused(form) else _("Agendar")


def _is_refused(form):
    return bool({"date", "starts", "ends"} & form.errors.keys())
