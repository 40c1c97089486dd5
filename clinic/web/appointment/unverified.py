"""The buttons beside what was sent of a patient and differs from the stored data."""

from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.models import Appointment
from clinic.models.unverified import UNVERIFIED
from clinic.web.appointment.responses import get_appointment
from clinic.web.appointment.views import act_response
from clinic.web.panel import author


@require_POST
def use(request: ClinicRequest, pk: int) -> HttpResponse:
    """Write the posted value into the patient's data, if it is still the one to be confirmed."""
    field, arguments = _read(request)
    phone = get_appointment(request, pk).patient.phone
    rung = phone.as_e164 if phone else ""
    seen = request.POST.get("patient_seen")
    return act_response(
        request,
        pk,
        lambda: booking.use_unverified(pk, field, seen=seen, **arguments),
        unchanged_note=lambda appointment: _decided_note(appointment, field),
        note=lambda appointment: _used_note(appointment, field, rung),
        decided=True,
    )


@require_POST
def discard(request: ClinicRequest, pk: int) -> HttpResponse:
    """Forget the posted value, if it is still the one to be confirmed."""
    field, arguments = _read(request)
    return act_response(
        request,
        pk,
        lambda: booking.discard_unverified(pk, field, **arguments),
        unchanged_note=lambda appointment: _decided_note(appointment, field),
        note=lambda appointment: _("Descartado: a ficha fica como está."),
        decided=True,
    )


def _read(request: ClinicRequest) -> tuple[str, dict[str, Any]]:
    field = request.POST.get("field", "")
    if field not in UNVERIFIED:
        raise Http404
    return field, {"clinic": request.clinic, "by": author(request), "value": request.POST.get("value", "")}


def _decided_note(appointment: Appointment, field: str) -> str:
    """Return a sentence for a second press; "" while there is something to be confirmed."""
    return "" if getattr(appointment, UNVERIFIED[field]) else _("Isto já foi decidido: nada foi alterado.")


def _used_note(appointment: Appointment, field: str, rung: str) -> str:
    """`rung` is the phone that the patient had before."""
    appointment.patient.refresh_from_db(fields=["second_phone"])
    if field == "phone" and rung and appointment.patient.second_phone == rung:
        return _("Gravado na ficha. O telefone anterior passou a ser o segundo.")
    return _("Gravado na ficha.")
