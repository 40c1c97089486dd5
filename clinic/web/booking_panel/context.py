"""The booking panel's context: what was typed, what can be chosen, what it costs and when it is free."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking
from clinic.models import Appointment, Clinic, Discount, Doctor, Patient, Procedure, Recall
from clinic.queries import booking_options, memos, patients, recalls
from clinic.queries.booking_options import PricedProcedure
from clinic.queries.delays import delay_sentence
from clinic.queries.other_visits import OtherVisits
from clinic.schedule import Opening
from clinic.web.booking_panel.cautions import cautions
from clinic.web.booking_panel.finder import Finder, offers_for, waiting_address
from clinic.web.booking_panel.finder_fields import (
    is_finder_open,
    specialties,
)
from clinic.web.booking_panel.forms import BookingForm, MoveForm, WhenForm
from clinic.web.booking_panel.free_return import free_return
from clinic.web.booking_panel.lines import LineRow
from clinic.web.booking_panel.lines_context import lines_context
from clinic.web.patient.forms import new_patient_label

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


def context(form: BookingForm) -> dict[str, Any]:
    """Return the context of `appointment/book.html`. The form's check has run."""
    clinic, values = form.clinic, form.cleaned_data
    doctors = booking_options.doctors(clinic)
    doctor = _chosen_doctor(form, doctors)
    day = form.day or clinic.local(timezone.now()).date()
    procedures = booking_options.priced_procedures(
        clinic, doctor.pk if doctor else None, form.chosen_ids, day=day, payer=values.get("payer")
    )
    discounts = list(booking_options.discounts(clinic, day))
    patient_id = None if form.is_new_patient else values.get("patient")
    patient = booking_options.patient(clinic, patient_id) if patient_id else None
    wanted = _chosen(form, procedures)
    returning = free_return(form, wanted, patient, doctor, day)
    rows = _line_rows(form, procedures, discounts, returning.prices)
    lines = [row.line for row in rows if row.line]
    text = form.data.get("q", "")
    is_searching = not form.is_new_patient and not patient_id
    minutes = _typed_minutes(form) or sum(line.procedure.duration_minutes for line in lines)
    sought = _Sought(doctor, minutes, day, patient.pk if patient else None, wanted)
    times_context, finder = _times_context(
        form, sought, doctors, lambda: booking.doctors_performing_all(clinic, form.chosen_ids)
    )
    total = sum((line.total for line in lines), Decimal(0))
    return {
        "form": form,
        "key": uuid4(),
        "recall": _open_recall(form, patient),
        "patient": patient,
        "others": OtherVisits(clinic, patient, day, timezone.now()) if patient else None,
        "memos": memos.about_patient(patient) if patient else [],
        "options": patients.options(clinic, text, timezone.now()) if is_searching else None,
        "new_patient_label": new_patient_label(text, clinic),
        "doctors": doctors,
        "doctor": doctor,
        "procedures": procedures,
        "discounts": discounts,
        "rows": rows,
        "returning": returning,
        "total": total,
        "last_shown_total": form.last_shown_total(total),
        "default_end": _default_end(form, minutes),
        "minutes": minutes,
        "is_priced": bool(lines),
        **cautions(form, patient, lines, day),
        "submit_label": _submit_label(form, finder),
        "focus": _focus_id(form, finder),
        "finder": finder,
        "waiting_address": waiting_address(form.data, patient=patient_id or None, procedures=form.chosen_ids),
        "specialties": specialties(doctor for doctor in doctors if doctor.performs),
        "wide": form.data.get("doctor", "") if form.is_wide else "",
        "performs_nothing": doctor is not None and not procedures,
        "late": delay_sentence(doctor, day, today=clinic.local(timezone.now()).date()) if doctor else "",
        **times_context,
    }


def move_context(form: MoveForm) -> dict[str, Any]:
    """Return the context of `appointment/move.html`. The form's check has run."""
    clinic, values, appointment = form.clinic, form.cleaned_data, form.appointment
    doctors = booking_options.doctors(clinic)
    doctor = _chosen_doctor(form, doctors)
    minutes = _typed_minutes(form) or form.length // timedelta(minutes=1)
    day = values.get("date") or clinic.local(timezone.now()).date()
    needed, names = _needed_procedures(form)
    sought = _Sought(doctor, minutes, day, appointment.patient_id, needed, appointment)
    # A move to another time must not change the doctor silently: the present one can be kept.
    besides = None if form.changes_procedures else appointment.doctor_id
    performing, not_performing = booking_options.split_by_performing(
        clinic, doctors, [procedure.pk for procedure in needed], besides
    )
    times_context, finder = _times_context(form, sought, doctors, lambda: performing)
    return {
        "appointment": appointment,
        "others": OtherVisits(clinic, appointment.patient, day, timezone.now(), moving=appointment),
        "form": form,
        "procedure_names": ", ".join(names),
        "performing": performing,
        "not_performing": not_performing,
        "has_colleagues": any(other.pk != appointment.doctor_id for other in performing),
        "doctor": doctor,
        "minutes": minutes,
        "expired_discounts": form.expired_discounts,
        "place": _expected_place(form, appointment),
        "focus": _move_focus(form),
        "finder": finder,
        "waiting_address": reverse("web:waiting-add", query={"agendamento": appointment.pk}),
        "specialties": specialties(performing),
        "wide": form.data.get("doctor", "") if form.is_wide else "",
        "late": delay_sentence(doctor, day, today=clinic.local(timezone.now()).date()) if doctor else "",
        **(lines_context(form, day) if form.changes_procedures else {}),
        **times_context,
    }


def _open_recall(form: BookingForm, patient: Patient | None) -> Recall | None:
    """Return the open recall of the chosen patient that a booking closes, None for none. One query where one is asked
    for."""
    asked = form.cleaned_data.get("recall")
    recall = recalls.get(form.clinic, asked) if asked and patient else None
    is_of_patient = recall and patient and recall.patient_id == patient.pk
    return recall if recall and is_of_patient and recall.closed_at is None else None


def _needed_procedures(form: MoveForm) -> tuple[list[Procedure], list[str]]:
    """Return the procedures that the appointment has, or is to have, each once, and their names as they are shown."""
    if form.changes_procedures:
        chosen = [procedure for procedure in form.procedures if procedure.pk in form.chosen_ids]
        return chosen, [procedure.name for procedure in chosen]
    lines = list(form.appointment.lines.select_related("procedure"))
    return list(dict.fromkeys(line.procedure for line in lines)), [line.procedure_name for line in lines]


def _move_focus(form: MoveForm) -> str:
    """Return the id of the element to focus: a line that a button opened, the first error, the date, or the end."""
    last_line = f"procedure-{len(form.rows) - 1}"
    if "open_lines" in form.data:
        return "procedure-0"
    if "add" in form.data:
        return last_line
    if "choose" in form.data and not form.errors:
        return "save"
    first = next(iter(form.errors), "date")
    return last_line if first in {"procedure", "discount"} else first


def _is_without_time(times: list[Opening], later: dict[str, Any]) -> bool:
    """Return whether neither the day nor the weeks after it have a free time, although one was sought."""
    return not times and "next_times" in later and not later["next_times"]


def _expected_place(form: MoveForm, appointment: Appointment) -> str:
    """Return the place that the form moves from: as when the form was opened, or after a refusal the present one."""
    opened_at = "" if form.was_moved_elsewhere else form.data.get("place")
    return opened_at or booking.place(appointment)


def _chosen_doctor(form: WhenForm, doctors: Iterable[Doctor]) -> Doctor | None:
    return next((doctor for doctor in doctors if doctor.pk == form.cleaned_data.get("doctor")), None)


class _Sought(NamedTuple):
    """For what free times are sought: the day, how long it takes, who comes, and what is moved."""

    doctor: Doctor | None
    minutes: int
    day: date
    patient: int | None
    procedures: Sequence[Procedure]
    moving: Appointment | None = None

    def openings(self, clinic: Clinic, until: date) -> list[Opening]:
        """Return the free times from the day to `until`; none as long as doctor or length are unknown."""
        if self.doctor is None or not self.minutes:
            return []
        return booking.openings(
            clinic,
            doctor=self.doctor,
            minutes=self.minutes,
            first=self.day,
            last=until,
            patient=self.patient,
            moving=self.moving,
            procedures=self.procedures,
        )


def _times_context(
    form: WhenForm, sought: _Sought, doctors: Sequence[Doctor], performing: Callable[[], Sequence[Doctor]]
) -> tuple[dict[str, Any], Finder | None]:
    """Return the free times of the day, or after a day without any the next ones; and the block that finds others,
    where it is open or there are none. `performing` reads the doctors who perform everything."""
    times, values = _free_times(form, sought), form.cleaned_data
    later = {} if times else _later_context(form, sought)
    finder = None
    if is_finder_open(form.data) or _is_without_time(times, later):
        finder = offers_for(
            form.clinic,
            form.data,
            doctors=doctors,
            performing=performing,
            minutes=sought.minutes,
            patient=sought.patient,
            chosen=(values.get("doctor"), values.get("starts_at")),
            moving=sought.moving,
            procedures=sought.procedures,
        )
    shown = {
        "times": times[:TIMES_SHOWN],
        "more_times": times[TIMES_SHOWN:],
        "times_are_alternatives": bool(form.alternatives),
        "chosen_start": None if _is_time_refused(form) else values.get("starts_at"),
        "chosen_day": values.get("date"),
    }
    return shown | later, finder


def _later_context(form: WhenForm, sought: _Sought) -> dict[str, Any]:
    """Return the next free times after a day without any, and on which weekdays the doctor does not work."""
    if sought.doctor is None or not sought.minutes:
        return {}
    until = sought.day + timedelta(days=booking.NEAREST_DAYS)
    works = booking_options.works_on(sought.doctor, sought.day)
    return {
        "next_times": booking.spread(form.clinic, sought.openings(form.clinic, until), NEXT_TIMES),
        "days_off": "" if works else DAYS_OFF[sought.day.isoweekday()],
        "searched_until": until,
    }


def _chosen(form: BookingForm, procedures: Iterable[PricedProcedure]) -> list[PricedProcedure]:
    """Return the procedures of the lines, in their order, without those that are not known."""
    by_id = {str(procedure.pk): procedure for procedure in procedures}
    return [by_id[procedure] for procedure, _discount in form.rows if procedure in by_id]


def _line_rows(
    form: BookingForm,
    procedures: Iterable[PricedProcedure],
    discounts: Iterable[Discount],
    prices: Sequence[Decimal],
) -> list[LineRow]:
    """Return the rows as sent; `prices` are those of the known procedures, in order."""
    procedures_by_id = {str(procedure.pk): procedure for procedure in procedures}
    discounts_by_id = {str(discount.pk): discount for discount in discounts}
    known = [
        (procedures_by_id[procedure], discounts_by_id.get(discount))
        for procedure, discount in form.rows
        if procedure in procedures_by_id
    ]
    lines = iter(booking.price_lines(known, discounts_by_id.get(form.data.get("whole_discount", "")), prices))
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


def _free_times(form: WhenForm, sought: _Sought) -> list[Opening]:
    """Return the nearest free times after a refusal, otherwise the day's, those next to the chosen one first."""
    if form.alternatives:
        return form.alternatives
    openings = sought.openings(form.clinic, sought.day)
    if starts_at := form.cleaned_data.get("starts_at"):
        earlier = sum(opening.starts_at < starts_at for opening in openings)
        start = max(0, min(earlier - 1, len(openings) - TIMES_SHOWN))
        return openings[start : start + TIMES_SHOWN] + openings[:start] + openings[start + TIMES_SHOWN :]
    return openings


def _focus_id(form: BookingForm, finder: Finder | None) -> str:
    """Return the id of the element to focus: one that a button opened, the first error, the first empty field, or the
    end."""
    last_line = f"procedure-{len(form.rows) - 1}"
    first_offer = "offer-1" if finder and finder.offers else ""
    if form.asks_about_doubles:
        return "same-1"
    if "add" in form.data:
        return last_line
    if {"find", "find_move", "widen", "relax"} & form.data.keys():
        return first_offer or "find_from"
    if not form.is_new_patient and not form.cleaned_data.get("patient"):
        return "q"
    if "new" in form.data:
        return "phone" if form.data.get("name") else "name"
    errors = [field.name for field in form.shown_fields if field.errors]
    if errors[:1] == ["phone"] and form.asks_phone:
        return "phone_is_right"
    if errors:
        return {"procedure": last_line, "discount": last_line}.get(errors[0], errors[0])
    if not form.data.get("doctor"):
        return "doctor"
    if not form.lines:
        return last_line
    return "save" if form.cleaned_data.get("starts") else first_offer or "starts"


def _submit_label(form: BookingForm, finder: Finder | None) -> str:
    """Return the main button's label, with the start unless there are errors in date or times.

    A time that the finder offered may be on any day: then the label says which."""
    starts_at = form.cleaned_data.get("starts_at")
    if not form.cleaned_data.get("starts") or _is_time_refused(form):
        return _("Agendar")
    time = {"time": f"{form.cleaned_data['starts']:%H:%M}"}
    if finder and starts_at:
        return _("Agendar %(day)s às %(time)s") % (time | {"day": f"{form.clinic.local(starts_at):%d/%m}"})
    return _("Agendar às %(time)s") % time


def _is_time_refused(form: WhenForm) -> bool:
    return bool({"date", "starts", "ends"} & form.errors.keys())
