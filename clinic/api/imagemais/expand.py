"""What answers add when a request asks for it by `expand`: times in words, how to prepare, where to come, what is free
instead.

The vendor's page prints none of it, so that nothing is added unasked.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.utils import timezone

from clinic.api.gateway import ApiRequest
from clinic.api.imagemais.openapi import query
from clinic.api.imagemais.reading import Query
from clinic.api.imagemais.schemas import AppointmentOut, ClinicOut, SlotOut
from clinic.api.json_schema import JsonObject
from clinic.models import Clinic, Procedure
from clinic.schedule import Opening
from clinic.spoken import label, spoken

SPOKEN, PREPARATION, CLINIC, ALTERNATIVES = "spoken", "preparation", "clinic", "alternatives"
TEXTS = {
    SPOKEN: "o início em palavras (`spoken`, `label`)",
    PREPARATION: "o preparo de cada procedimento (`preparation`)",
    CLINIC: "nome, telefone e endereço da clínica (`clinic`)",
    ALTERNATIVES: "na recusa de um horário, a causa (`reason`) e os três mais próximos (`alternatives`)",
}


def expand_parameter(*names: str) -> JsonObject:
    """Return the parameter of the reference for an operation that can add these."""
    one = f"({'|'.join(names)})"
    texts = "; ".join(TEXTS[name] for name in names)
    return query(
        "expand",
        {"type": "string", "pattern": f"^{one}(,{one})*$"},
        f"O que acrescentar à resposta, entre vírgulas: {texts}. Sem ele, nada.",
        example=",".join(names),
    )


def read_expand(request: ApiRequest, *names: str) -> frozenset[str]:
    """Return which of the names the query asks for. Raises RequestError."""
    reader = Query(request)
    wanted = reader.some_of("expand", names)
    reader.raise_if_invalid()
    return wanted


def expand(elements: Sequence[AppointmentOut], clinic: Clinic, wanted: Collection[str]) -> Sequence[AppointmentOut]:
    """Return the elements of appointments with what is wanted. One query for the procedures."""
    if SPOKEN in wanted:
        for element in elements:
            add_words(element, date.fromisoformat(element.date[:10]), clinic)
    if PREPARATION in wanted:
        procedures = [element.appointmentProcedures.procedure for element in elements]
        rows = Procedure.objects.of(clinic).filter(pk__in={procedure.id for procedure in procedures})
        preparations = dict(rows.values_list("pk", "preparation"))
        for procedure in procedures:
            procedure.preparation = preparations[procedure.id] or None
    if CLINIC in wanted:
        for element in elements:
            element.clinic = ClinicOut.of(clinic)
    return elements


def add_words[Element: AppointmentOut | SlotOut](element: Element, day: date, clinic: Clinic) -> Element:
    """Add the start, on this local date, in words."""
    starts_at = datetime.fromisoformat(f"{day}T{element.startTime}")
    element.spoken = spoken(starts_at, clinic.local(timezone.now()).date(), clinic.language)
    element.label = label(starts_at)
    return element


def alternative(opening: Opening, clinic: Clinic) -> JsonObject:
    """Return a free time as `reschedule` and a booking take it, with its words."""
    starts_at, ends_at = clinic.local(opening.starts_at), clinic.local(opening.ends_at)
    return {
        "doctorId": opening.doctor_id,
        "date": f"{starts_at:%Y-%m-%d}",
        "startTime": f"{starts_at:%H:%M}",
        "endTime": f"{ends_at:%H:%M}",
        "spoken": spoken(starts_at, clinic.local(timezone.now()).date(), clinic.language),
        "label": label(starts_at),
    }
