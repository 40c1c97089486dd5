"""What answers add when a request asks for it by `expand`: names, and times in words.

The vendor's pages print neither, so that nothing is added unasked.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from clinic.api.json_schema import JsonObject
from clinic.api.mivicall.reading import PROFESSIONAL, SERVICE, SPOKEN
from clinic.models import Clinic, Doctor, Procedure
from clinic.spoken import label, spoken


def expand(clinic: Clinic, items: Iterable[JsonObject], values: dict[str, Any]) -> list[JsonObject]:
    """Return appointments or free times with what `values["expand"]` names. A query each for names.

    A free time has no service of its own: it is the one of `values["serviceTypeId"]`.
    """
    wanted, shown = values.get("expand", ()), list(items)
    now = clinic.local(timezone.now())
    professionals = _professionals(clinic, shown) if PROFESSIONAL in wanted else {}
    services = _services(clinic, {_service_of(item, values) for item in shown}) if SERVICE in wanted else {}
    for item in shown:
        if PROFESSIONAL in wanted:
            item[PROFESSIONAL] = professionals[item["professionalId"]]
        if SERVICE in wanted:
            item[SERVICE] = services.get(_service_of(item, values))
        if SPOKEN in wanted:
            starts_at = datetime.fromisoformat(item["startsAt"])
            item |= {"spoken": spoken(starts_at, now.date(), clinic.language), "label": label(starts_at)}
    return shown


def _service_of(item: JsonObject, values: dict[str, Any]) -> str:
    return str(item.get("serviceTypeId", values.get("serviceTypeId")))


def _professionals(clinic: Clinic, items: list[JsonObject]) -> dict[str, JsonObject]:
    ids = {item["professionalId"] for item in items}
    doctors = Doctor.objects.of(clinic).filter(uuid__in=ids).only("uuid", "title", "name", "specialty")
    return {str(row.uuid): professional(row) for row in doctors}


def _services(clinic: Clinic, ids: set[str]) -> dict[str, JsonObject]:
    rows = Procedure.objects.of(clinic).filter(uuid__in=ids - {"None"})
    return {
        str(row.uuid): {
            "id": str(row.uuid),
            "name": row.name,
            "durationMinutes": row.duration_minutes,
            "preparation": row.preparation or None,
        }
        for row in rows
    }


def professional(doctor: Doctor) -> JsonObject:
    return {"id": str(doctor.uuid), "name": doctor.full_name, "specialty": doctor.specialty}
