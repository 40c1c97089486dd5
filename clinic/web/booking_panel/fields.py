"""The panel's fields: as it opens, and as its buttons change them."""

from django.http import QueryDict
from django.utils import timezone

from clinic import booking
from clinic.form_fields import date_in_words, is_short_number
from clinic.models import Appointment, Clinic
from clinic.queries import booking_options, patients, recalls
from clinic.templatetags.formats import phone
from clinic.web.booking_panel.finder_fields import (
    ANY,
    apply_finder_button,
    choose_doctor,
    is_same_specialty,
    is_wide,
    specialty_of,
)
from clinic.web.booking_panel.forms import BookingForm
from clinic.web.booking_panel.lines import apply_line_button, fields_of_lines
from clinic.web.booking_panel.payer import fill_plan, fill_plan_of_chosen
from clinic.web.patient.forms import initial_for_search
from clinic.web.reading import read_date, read_instant

# The section of the panel that each of its buttons changes.
BUTTONS = {
    "pick": "who",
    "new": "who",
    "forget": "who",
    "search": "who",
    "take": "options",
    "choose": "when",
    "find": "finder",
    "widen": "finder",
    "relax": "finder",
    "add": "lines",
    "remove": "lines",
}


PLACE = (("doctor", "medico"), ("date", "data"), ("starts", "inicio"))  # the fields, as addresses name them


def initial_data(query: QueryDict, clinic: Clinic) -> QueryDict:
    """Return the form's fields for a click on a free time: `medico`, `data`, `inicio`, `paciente` of the address.

    `procedimento`, one or several, comes with a time in which the doctor's usual procedure does not fit, `encaixe` with
    a taken one.
    `familia` is the id of an appointment after which another of the family is wanted, `retorno` that of an open recall;
    either replaces the others.
    """
    relative = query.get("familia", "")
    if is_short_number(relative) and (data := _data_beside(int(relative), clinic)):
        return data
    recall = query.get("retorno", "")
    if is_short_number(recall) and (data := _data_of_recall(int(recall), clinic)):
        return data
    data = QueryDict(mutable=True)
    _take_place(data, query)
    if patient := query.get("paciente"):
        data["patient"] = patient
    if query.get("encaixe"):
        data["encaixe"] = "1"
    if procedures := [text for text in query.getlist("procedimento") if is_short_number(text)]:
        data.setlist("procedure", procedures)
        data["usual"] = procedures[0]
    if "date" not in data:
        data["date"] = f"{clinic.local(timezone.now()):%d/%m/%Y}"
    if "patient" in data:
        fill_plan(data, clinic)
    return _with_usual_procedure(data, clinic)


def apply_button(posted: QueryDict, clinic: Clinic, just_left: str | None) -> QueryDict:
    """Return the form's fields as the pressed button of the panel changes them, or the field that was just left."""
    return _with_usual_procedure(_pressed(posted, clinic, just_left), clinic)


def _pressed(posted: QueryDict, clinic: Clinic, just_left: str | None) -> QueryDict:
    data = posted.copy()
    apply_finder_button(data, just_left)
    if "take" in data:
        _take_likely(data, clinic)
    if day := date_in_words(data.get("date", ""), clinic.local(timezone.now()).date()):
        data["date"] = f"{day:%d/%m/%Y}"
    if "pick" in data:
        data["patient"] = data.get("pick", "")
    if "forget" in data or "search" in data:
        data["patient"] = ""
    if {"pick", "forget", "search"} & data.keys():
        data.pop("is_new", None)
    if "search" in data:
        data["q"] = data.get("name") or data.get("phone", "")
    if "new" in data:
        typed = data.get("q", "").strip()
        data["is_new"], data["patient"] = "1", ""
        data["phone"] = data.get("phone") or data.get("family_phone", "")
        for field, text in initial_for_search(typed).items():
            data[field] = text or data.get(field, "")
    if {"pick", "forget", "search", "new"} & data.keys():
        fill_plan_of_chosen(data, clinic, before=posted.get("patient", ""))
    elif just_left == "payer":
        fill_plan(data, clinic, payer=data.get("payer", ""))
    if "choose" in data:
        _apply_free_time(data, clinic)
    apply_line_button(data)
    return data


def apply_move_button(posted: QueryDict, appointment: Appointment, just_left: str | None) -> QueryDict:
    """Return the fields of *Remarcar* as the pressed button changes them, or the field that was just left.

    Other procedures are asked for by `open_lines`: then they are filled in as they are stored."""
    data = _pressed(posted, appointment.clinic, just_left)
    if "open_lines" in data:
        data["changes_lines"] = "1"
        fields_of_lines(appointment, data)
    if "close_lines" in data:
        data.pop("changes_lines", None)
    return data


def stale_sections(form: BookingForm, just_left: str | None, posted: QueryDict, *, is_finding: bool) -> set[str]:
    """Return the sections of the panel to render again after a field was left, or with None a button pressed."""
    sections = {"finder"} if is_finding != bool(posted.get("finding")) else set()
    if form.data.get("doctor") != posted.get("doctor"):
        sections |= {"doctor", "lines"}
    if just_left is not None:
        sections |= {"guardian"} if just_left == "birth_date" else set()
        sections |= {"plan"} if just_left == "payer" else set()
        return sections | ({"lines"} if just_left in {"doctor", "procedure", "discount", "whole_discount"} else set())
    taken = {"pick", "new"} & form.data.keys()  # by "take" too
    sections |= {section for button, section in BUTTONS.items() if button in posted or button in taken}
    return sections - {"options"} if "who" in sections else sections


def data_of(appointment: Appointment) -> QueryDict:
    """Return the fields of the move form before anything is changed."""
    starts_at = appointment.clinic.local(appointment.starts_at)
    data = QueryDict(mutable=True)
    data.update({"doctor": str(appointment.doctor_id), "date": f"{starts_at:%d/%m/%Y}", "starts": f"{starts_at:%H:%M}"})
    data["place"] = booking.place(appointment)
    return data


def data_to(query: QueryDict, appointment: Appointment) -> QueryDict | None:
    """Return the same with the place of the address, its `medico`, `data` and `inicio`; None where it names none."""
    if not any(query.get(parameter) for _field, parameter in PLACE):
        return None
    data = data_of(appointment)
    _take_place(data, query)
    return data


def _take_place(data: QueryDict, query: QueryDict) -> None:
    for field, parameter in PLACE:
        if value := query.get(parameter):
            data[field] = value
    if day := read_date(data.get("date", "")):
        data["date"] = f"{day:%d/%m/%Y}"


def _take_likely(data: QueryDict, clinic: Clinic) -> None:
    """Press the button of the patient that the text in `take` means, or of a new one; none if there are several, or if
    the text in the field is another one by now."""
    text = data.get("q", "")
    if text != data.get("take") or not text.strip():
        return
    likely = patients.options(clinic, text, timezone.now()).likely
    if len(likely) == 1:
        data["pick"] = str(likely[0].patient.pk)
    elif not likely:
        data["new"] = "1"


def _with_usual_procedure(data: QueryDict, clinic: Clinic) -> QueryDict:
    """Fill in the usual procedure of the doctor, or of the speciality, where none is chosen.

    The field `usual` remembers what was filled in: with doctors who do not perform it, it is replaced.
    """
    if "add" in data or not (doctors := _doctors_asked_for(data, clinic)):
        return data
    chosen = [procedure for procedure in data.getlist("procedure") if procedure]
    if not chosen or (chosen == [data.get("usual")] and not _performs(clinic, doctors, chosen[0])):
        usual = booking_options.usual_procedure(clinic, doctors)
        data["usual"] = str(usual or "")
        data.setlist("procedure", [str(usual)] if usual else [])
    return data


def _doctors_asked_for(data: QueryDict, clinic: Clinic) -> list[int]:
    """Return the id of the doctor in the form, or those of the speciality; none where anybody will do."""
    text = data.get("doctor", "")
    if is_short_number(text):
        return [int(text)]
    if not (specialty := specialty_of(text)) or not is_wide(text):
        return []
    return [doctor.pk for doctor in booking_options.doctors(clinic) if is_same_specialty(doctor, specialty)]


def _data_beside(appointment_id: int, clinic: Clinic) -> QueryDict | None:
    """Return the fields for another of the family: doctor, procedures, day and phone of that appointment, and the first
    free time after it, or the last one before it. None if there is no such appointment."""
    appointments = Appointment.objects.of(clinic).in_use().select_related("doctor", "patient")
    appointment = appointments.filter(pk=appointment_id).first()
    if appointment is None:
        return None
    data = QueryDict(mutable=True)
    data["doctor"], data["family_phone"] = str(appointment.doctor_id), phone(appointment.patient.phone, clinic)
    lines = appointment.lines.select_related("procedure")
    data.setlist("procedure", [str(line.procedure_id) for line in lines])
    day = clinic.local(appointment.starts_at).date()
    minutes = sum(line.procedure.duration_minutes for line in lines)
    procedures = [line.procedure for line in lines]
    doctor = appointment.doctor
    free = booking.openings(clinic, doctor=doctor, minutes=minutes, first=day, last=day, procedures=procedures)
    data["date"] = f"{day:%d/%m/%Y}"
    after = [opening.starts_at for opening in free if opening.starts_at >= appointment.ends_at]
    before = [opening.starts_at for opening in free if opening.ends_at <= appointment.starts_at]
    if nearest := after[:1] or before[-1:]:
        data["starts"] = f"{clinic.local(nearest[0]):%H:%M}"
    return data


def _data_of_recall(recall_id: int, clinic: Clinic) -> QueryDict | None:
    """Return the fields for the visit that an open recall asks for: its patient, procedure and doctor, and the first
    free time on the date when it is due, or after it. None if there is no such recall, or it is closed."""
    recall = recalls.get(clinic, recall_id)
    if recall is None or recall.closed_at is not None:
        return None
    data = QueryDict(mutable=True)
    data["recall"], data["patient"] = str(recall.pk), str(recall.patient_id)
    data["procedure"] = data["usual"] = str(recall.procedure_id)
    data["doctor"] = str(recall.doctor_id or ANY)
    able = booking.doctors_performing_all(clinic, [recall.procedure_id])
    wanted = [doctor for doctor in able if recall.doctor_id in (None, doctor.pk)]
    minutes, first = recall.procedure.duration_minutes, max(recall.due_on, clinic.local(timezone.now()).date())
    wish = booking.Wish(
        clinic=clinic,
        doctors=wanted,
        minutes=minutes,
        first=first,
        patient=recall.patient_id,
        procedures=[recall.procedure],
    )
    data["date"] = f"{first:%d/%m/%Y}"
    if wanted and (found := booking.find(wish).openings):
        starts_at = clinic.local(found[0].starts_at)
        data["date"], data["starts"] = f"{starts_at:%d/%m/%Y}", f"{starts_at:%H:%M}"
        data["doctor"] = str(found[0].doctor_id)
    fill_plan(data, clinic)
    return data


def _performs(clinic: Clinic, doctors: list[int], procedure: str) -> bool:
    return is_short_number(procedure) and booking_options.is_performed_by_any(clinic, doctors, int(procedure))


def _apply_free_time(data: QueryDict, clinic: Clinic) -> None:
    """Set date and start to the free time in `choose`, a UTC instant, and the doctor to the one whose id may follow."""
    text, _sep, doctor = data.get("choose", "").partition(" ")
    if instant := read_instant(text):
        local = clinic.local(instant)
        data["date"], data["starts"] = f"{local:%d/%m/%Y}", f"{local:%H:%M}"
        if is_short_number(doctor):
            choose_doctor(data, doctor)
