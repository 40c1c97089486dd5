"""The booking panel's context: what was typed, what can be chosen, what it costs and when it is free."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking
from clinic.form_fields import READABLE_YEARS, is_short_number
from clinic.models import Appointment, Clinic, Discount, Doctor, Procedure
from clinic.queries import booking_options, patients
from clinic.schedule import Opening
from clinic.templatetags.formats import phone
from clinic.web.booking_panel.forms import BookingForm, MoveForm, WhenForm
from clinic.web.patient.forms import initial_for_search, new_patient_label

TIMES_SHOWN, NEXT_TIMES = 6, 3
DAYS_OFF = {
    1: gettext_lazy("às segundas-feiras"),
    2: gettext_lazy("às terças-feiras"),
    3: gettext_lazy("às quartas-feiras"),
    4: gettext_lazy("às quintas-feiras"),
    5: gettext_lazy("às sextas-feiras"),
    6: gettext_lazy("aos sábados"),
    7: gettext_lazy("aos domingos"),
}
# The section of the panel that each of its buttons changes.
BUTTONS = {
    "pick": "who",
    "new": "who",
    "forget": "who",
    "search": "who",
    "choose": "when",
    "add": "lines",
    "remove": "lines",
}


@dataclass(frozen=True)
class LineRow:
    """A line of the form: the ids as sent, and the priced line if the procedure is known."""

    procedure: str
    discount: str
    line: booking.PricedLine | None


def initial_data(query: QueryDict, clinic: Clinic) -> QueryDict:
    """Return the form's fields for a click on a free time: `medico`, `data`, `inicio`, `paciente` of the address.

    `procedimento` comes with a time in which the doctor's usual procedure does not fit. `familia` is the id of an
    appointment after which another of the family is wanted; it replaces the others.
    """
    relative = query.get("familia", "")
    if is_short_number(relative) and (data := _data_beside(int(relative), clinic)):
        return data
    data = QueryDict(mutable=True)
    for field, parameter in (("doctor", "medico"), ("date", "data"), ("starts", "inicio"), ("patient", "paciente")):
        if value := query.get(parameter):
            data[field] = value
    procedure = query.get("procedimento") or ""
    if is_short_number(procedure):
        data["procedure"] = data["usual"] = procedure
    if day := _iso_date(data.get("date", "")):
        data["date"] = f"{day:%d/%m/%Y}"
    if "date" not in data:
        data["date"] = f"{clinic.local(timezone.now()):%d/%m/%Y}"
    return _with_usual_procedure(data, clinic)


def apply_button(posted: QueryDict, clinic: Clinic) -> QueryDict:
    """Return the form's fields as the pressed button of the panel changes them; unchanged if none was pressed."""
    data = posted.copy()
    if "pick" in data:
        data["patient"] = data.get("pick", "")
    if "forget" in data or "search" in data:
        data["patient"] = ""
    if {"pick", "forget", "search"} & data.keys():
        data.pop("is_new", None)
    if "new" in data:
        typed = data.get("q", "").strip()
        data["is_new"], data["patient"] = "1", ""
        data["phone"] = data.get("family_phone", "")
        for field, text in initial_for_search(typed).items():
            data[field] = text or data.get(field, "")
    if "choose" in data:
        _apply_free_time(data, clinic)
    if "add" in data:
        data.appendlist("procedure", "")
        data.appendlist("discount", "")
    if is_short_number(index := data.get("remove", "")):
        _remove_line(data, int(index))
    return _with_usual_procedure(data, clinic)


def stale_sections(just_left: str | None, posted: QueryDict) -> set[str]:
    """Return the sections of the panel to render again after a field was left, or with None a button pressed."""
    if just_left is not None:
        return {"lines"} if just_left in {"doctor", "procedure", "discount", "whole_discount"} else set()
    return {section for button, section in BUTTONS.items() if button in posted}


def data_of(appointment: Appointment) -> QueryDict:
    """Return the fields of the move form before anything is changed."""
    starts_at = appointment.clinic.local(appointment.starts_at)
    data = QueryDict(mutable=True)
    data.update({"doctor": str(appointment.doctor_id), "date": f"{starts_at:%d/%m/%Y}", "starts": f"{starts_at:%H:%M}"})
    data["place"] = booking.place(appointment)
    return data


def context(form: BookingForm) -> dict[str, Any]:
    """Return the context of `appointment/book.html`. The form's check has run."""
    clinic, values = form.clinic, form.cleaned_data
    doctors = list(booking_options.doctors(clinic))
    doctor = _chosen_doctor(form, doctors)
    chosen = [int(procedure) for procedure, _discount in form.rows if is_short_number(procedure)]
    procedures = list(booking_options.procedures(clinic, doctor.pk if doctor else None, chosen))
    day = form.day or clinic.local(timezone.now()).date()
    discounts = list(booking_options.discounts(clinic, day))
    rows = _line_rows(form, procedures, discounts)
    lines = [row.line for row in rows if row.line]
    patient_id = None if form.is_new_patient else values.get("patient")
    patient = booking_options.patient(clinic, patient_id) if patient_id else None
    text = form.data.get("q", "")
    is_searching = not form.is_new_patient and not patient_id
    minutes = _typed_minutes(form) or sum(line.procedure.duration_minutes for line in lines)
    times = _free_times(form, doctor, minutes, day, patient.pk if patient else None)
    total = sum((line.total for line in lines), Decimal(0))
    return {
        "form": form,
        "key": uuid4(),
        "patient": patient,
        "last_visit": booking_options.last_visit(patient) if patient else None,
        "options": patients.options(clinic, text, timezone.now()) if is_searching else None,
        "new_patient_label": new_patient_label(text, clinic),
        "doctors": doctors,
        "doctor": doctor,
        "procedures": procedures,
        "discounts": discounts,
        "rows": rows,
        "total": total,
        "last_shown_total": form.last_shown_total(total),
        "default_end": _default_end(form, minutes),
        "minutes": minutes,
        "is_priced": bool(lines),
        "submit_label": _submit_label(form),
        "focus": _focus_id(form),
        **_times_context(form, times),
        **(_later_context(form, doctor, minutes, day, patient.pk if patient else None) if not times else {}),
    }


def move_context(form: MoveForm, appointment: Appointment) -> dict[str, Any]:
    """Return the context of `appointment/move.html`. The form's check has run."""
    clinic, values = form.clinic, form.cleaned_data
    doctors = list(booking_options.doctors(clinic))
    doctor = _chosen_doctor(form, doctors)
    minutes = _typed_minutes(form) or (appointment.ends_at - appointment.starts_at) // timedelta(minutes=1)
    day = values.get("date") or clinic.local(timezone.now()).date()
    times = _free_times(form, doctor, minutes, day, appointment.patient_id, moving=appointment)
    performing, not_performing = booking_options.split_by_performing(clinic, doctors, appointment)
    return {
        "appointment": appointment,
        "form": form,
        "procedures": ", ".join(line.procedure_name for line in appointment.lines.all()),
        "performing": performing,
        "not_performing": not_performing,
        "has_colleagues": any(other.pk != appointment.doctor_id for other in performing),
        "doctor": doctor,
        "minutes": minutes,
        "expired_discounts": form.expired_discounts,
        "place": _expected_place(form, appointment),
        "focus": next(iter(form.errors), "save" if "choose" in form.data else "date"),
        **_times_context(form, times),
        **(_later_context(form, doctor, minutes, day, appointment.patient_id, appointment) if not times else {}),
    }


def _expected_place(form: MoveForm, appointment: Appointment) -> str:
    """Return the place that the form moves from: as when the form was opened, or after a refusal the present one."""
    opened_at = "" if form.was_moved_elsewhere else form.data.get("place")
    return opened_at or booking.place(appointment)


def _with_usual_procedure(data: QueryDict, clinic: Clinic) -> QueryDict:
    """Fill in the doctor's usual procedure where none is chosen.

    The field `usual` remembers what was filled in: with a doctor who does not perform it, it is replaced.
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


def _data_beside(appointment_id: int, clinic: Clinic) -> QueryDict | None:
    """Return the fields for another of the family: doctor, procedures, day and phone of that appointment, and the first
    free time after it. None if there is no such appointment."""
    appointments = Appointment.objects.of(clinic).kept().select_related("doctor", "patient")
    appointment = appointments.filter(pk=appointment_id).first()
    if appointment is None:
        return None
    data = QueryDict(mutable=True)
    data["doctor"], data["family_phone"] = str(appointment.doctor_id), phone(appointment.patient.phone, clinic)
    lines = appointment.lines.select_related("procedure")
    data.setlist("procedure", [str(line.procedure_id) for line in lines])
    day = clinic.local(appointment.starts_at).date()
    minutes = sum(line.procedure.duration_minutes for line in lines)
    free = booking.openings(clinic, doctor=appointment.doctor, minutes=minutes, first=day, last=day)
    data["date"] = f"{day:%d/%m/%Y}"
    after = (opening.starts_at for opening in free if opening.starts_at >= appointment.ends_at)
    if starts_at := next(after, None):
        data["starts"] = f"{clinic.local(starts_at):%H:%M}"
    return data


def _performs(clinic: Clinic, doctor: str, procedure: str) -> bool:
    performed = booking_options.procedures(clinic, int(doctor), [])
    return is_short_number(procedure) and performed.filter(pk=procedure).exists()


def _iso_date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _apply_free_time(data: QueryDict, clinic: Clinic) -> None:
    """Set date and start to the free time in `choose`, which is sent as a UTC instant."""
    try:
        instant = parse_datetime(data.get("choose", ""))
    except ValueError:
        return
    if instant and is_aware(instant) and instant.year in READABLE_YEARS:
        local = clinic.local(instant)
        data["date"], data["starts"] = f"{local:%d/%m/%Y}", f"{local:%H:%M}"


def _remove_line(data: QueryDict, index: int) -> None:
    for field in ("procedure", "discount"):
        values = data.getlist(field)
        data.setlist(field, values[:index] + values[index + 1 :])


def _chosen_doctor(form: WhenForm, doctors: Iterable[Doctor]) -> Doctor | None:
    return next((doctor for doctor in doctors if doctor.pk == form.cleaned_data.get("doctor")), None)


def _times_context(form: WhenForm, times: list[Opening]) -> dict[str, Any]:
    return {
        "times": times[:TIMES_SHOWN],
        "more_times": times[TIMES_SHOWN:],
        "times_are_alternatives": bool(form.alternatives),
        "chosen_start": None if _is_time_refused(form) else form.cleaned_data.get("starts_at"),
        "chosen_day": form.cleaned_data.get("date"),
    }


def _later_context(
    form: WhenForm,
    doctor: Doctor | None,
    minutes: int,
    day: date,
    patient_id: int | None,
    moving: Appointment | None = None,
) -> dict[str, Any]:
    """Return the next free times after a day without any, and on which weekdays the doctor does not work."""
    if doctor is None or not minutes:
        return {}
    until = day + timedelta(days=booking.NEAREST_DAYS)
    openings = booking.openings(
        form.clinic, doctor=doctor, minutes=minutes, first=day, last=until, patient=patient_id, moving=moving
    )
    works = booking_options.works_on(doctor, day)
    return {
        "next_times": booking.spread(form.clinic, openings, NEXT_TIMES),
        "days_off": "" if works else DAYS_OFF[day.isoweekday()],
        "searched_until": until,
    }


def _line_rows(form: BookingForm, procedures: Iterable[Procedure], discounts: Iterable[Discount]) -> list[LineRow]:
    procedures_by_id = {str(procedure.pk): procedure for procedure in procedures}
    discounts_by_id = {str(discount.pk): discount for discount in discounts}
    known = [
        (procedures_by_id[procedure], discounts_by_id.get(discount))
        for procedure, discount in form.rows
        if procedure in procedures_by_id
    ]
    lines = iter(booking.price_lines(known, discounts_by_id.get(form.data.get("whole_discount", ""))))
    return [
        LineRow(procedure, discount, next(lines) if procedure in procedures_by_id else None)
        for procedure, discount in form.rows
    ]


def _typed_minutes(form: WhenForm) -> int:
    """Return the length between the typed start and end; 0 unless both are readable and less than a day apart."""
    starts_at: datetime | None = form.cleaned_data.get("starts_at")
    ends_at: datetime | None = form.cleaned_data.get("ends_at")
    if not starts_at or not ends_at or not timedelta(0) < ends_at - starts_at < timedelta(days=1):
        return 0
    return (ends_at - starts_at) // timedelta(minutes=1)


def _default_end(form: BookingForm, minutes: int) -> datetime | None:
    """Return the instant at which the appointment ends when no end is typed."""
    starts_at: datetime | None = form.cleaned_data.get("starts_at")
    return starts_at + timedelta(minutes=minutes) if starts_at and minutes else None


def _free_times(
    form: WhenForm,
    doctor: Doctor | None,
    minutes: int,
    day: date,
    patient_id: int | None,
    moving: Appointment | None = None,
) -> list[Opening]:
    """Return the nearest free times after a refusal, otherwise the day's, those next to the chosen one first."""
    if form.alternatives:
        return form.alternatives
    if doctor is None or not minutes:
        return []
    openings = booking.openings(
        form.clinic, doctor=doctor, minutes=minutes, first=day, last=day, patient=patient_id, moving=moving
    )
    if starts_at := form.cleaned_data.get("starts_at"):
        earlier = sum(opening.starts_at < starts_at for opening in openings)
        start = max(0, min(earlier - 1, len(openings) - TIMES_SHOWN))
        return openings[start : start + TIMES_SHOWN] + openings[:start] + openings[start + TIMES_SHOWN :]
    return openings


def _focus_id(form: BookingForm) -> str:
    """Return the id of the element to focus: one that a button opened, the first error, the patient, or the end."""
    last_line = f"procedure-{len(form.rows) - 1}"
    if form.asks_about_doubles:
        return "same-1"
    if "add" in form.data:
        return last_line
    if not form.is_new_patient and not form.cleaned_data.get("patient"):
        return "q"
    if "new" in form.data:
        return "phone" if form.data.get("name") else "name"
    errors = [field.name for field in form.shown_fields if field.errors]
    if errors[:1] == ["phone"] and form.asks_phone:
        return "phone_is_right"
    if errors:
        return {"procedure": last_line, "discount": last_line}.get(errors[0], errors[0])
    return "save"


def _submit_label(form: BookingForm) -> str:
    """Return the main button's label, with the start unless there are errors in date or times."""
    starts = form.cleaned_data.get("starts")
    return (
        _("Agendar às %(time)s") % {"time": f"{starts:%H:%M}"}
        if starts and not _is_time_refused(form)
        else _("Agendar")
    )


def _is_time_refused(form: WhenForm) -> bool:
    return bool({"date", "starts", "ends"} & form.errors.keys())
