"""Every page and fragment of a demo clinic that a user of each role is shown, walked from the URL resolver.

What only a POST shows, messages and refusals of acts, is walked by `tests/test_every_word.py` in clinics of its own.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

from django.contrib import admin
from django.test import Client
from django.utils import timezone

from clinic.models import (
    Absence,
    Appointment,
    Clinic,
    DataRequest,
    Doctor,
    ImportRun,
    Memo,
    Patient,
    Series,
    StaffUser,
    WaitingEntry,
)
from clinic.queries.integrity import CHECKS
from clinic.queries.reports import REPORTS
from clinic.web.exporting.tables import TABLES
from tests.every_address import PARTIAL, routes
from tests.pdfs import text_of

ROLES = ("receptionist", "manager", "master", "doctor")
ELSEWHERE = {"receptionist": "/admin/clinic/", "manager": "/agend"}
# Of programs, of the vendors' references (each in its vendor's Portuguese), and of files.
NOT_OF_THE_CLINIC = re.compile(
    r"(?:api|v1)/|pacientes/.*\.json$|\[|openapi\.json$|llms\.txt$|health$|admin/jsi18n/|static"
)
NOTHING_READ = {204, 301, 302, 304}
NAMES = {"relatorios": REPORTS, "integridade": CHECKS, "exportar": TABLES}
# Whose id a route has, by how it begins; any other route of the desk has an appointment's.
MODELS = {
    "ausencias/": Absence,
    "configuracoes/equipe/": StaffUser,
    "configuracoes/privacidade/pedidos/": DataRequest,
    "fila-de-espera/": WaitingEntry,
    "importar/": ImportRun,
    "recados/": Memo,
    "sessoes/": Series,
}
SEARCHED = ("maria", "nada", "910 000", "81 9", "01/02/1960", "+351", "5", "529.982.247-25", "ana 10/10/1980")


class Walk:
    """What there is to ask of a clinic, by route, and what need not be asked again."""

    def __init__(self, clinic: Clinic):
        self.clinic = clinic
        self.routes = list(_addresses(clinic))
        self.files: set[str] = set()

    def pages(self, role: str) -> Iterator[tuple[str, str]]:
        """(address, what is read there) of whatever a user of this role is shown; receptionists get fragments too.

        Left out is what reads the same for another role: the refusals of the administration, managers' appointments,
        and files that were sent: a PDF takes as long to draw and to read as twenty pages."""
        client = _signed_in(self.clinic, role)
        for addresses in self.routes:
            if not addresses[0][0].startswith(ELSEWHERE.get(role, "none")):
                yield from self._read(client, role, addresses)
        for path in ("/pacientes/", "/pacientes/busca/"):
            for text in SEARCHED:
                yield f"{path} {text} by {role}", client.post(path, {"q": text}, headers=PARTIAL).text

    def _read(self, client: Client, role: str, addresses: list[tuple[str, dict]]) -> Iterator[tuple[str, str]]:
        """What a role is shown of one route. The first address names what is not there: a role that is refused that one
        is refused all others, by the same sentence."""
        refused = False
        for number, (path, query) in enumerate(addresses):
            address = f"{path} {query or ''}"
            for headers in ({}, PARTIAL) if role == StaffUser.Role.RECEPTIONIST else ({},):
                if address in self.files:
                    break
                answer = client.get(path, query, headers=headers)
                if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                    return
                if answer.status_code not in NOTHING_READ:
                    yield f"{address} by {role}", text_of(answer)
                    if answer.status_code == HTTPStatus.OK and not answer["Content-Type"].startswith("text/html"):
                        self.files.add(address)
                refused = number == 0 and answer.status_code == HTTPStatus.FORBIDDEN
            if refused:
                return


def _signed_in(clinic, role):
    client = Client()
    doctor = Doctor.objects.of(clinic).filter(user=None).earliest("pk") if role == StaffUser.Role.DOCTOR else None
    named = {"role": role, "doctor": doctor, "name": "Ana Sá"}
    client.force_login(StaffUser.objects.create_user(f"{role}.{clinic.slug}", clinic=clinic, **named))
    return client


def _addresses(clinic: Clinic) -> Iterator[list[tuple[str, dict]]]:
    """(path, query) of what is asked of each route that the resolver knows of, filled in with rows of this clinic."""
    for route in sorted(routes()):
        if not NOT_OF_THE_CLINIC.match(route):
            yield [(f"/{path}", {}) for path in _filled(clinic, route)]
    yield from ([address] for address in _asked(clinic))


def _filled(clinic, route):
    """The paths of a route: one a status of appointments, for patients with and without all their data."""
    route = route.replace(r"(?P<app_label>clinic)/$", "clinic/").replace(r"(?P<url>.*)$", "nada/")
    route = route.replace("<int:other>", f"{Patient.objects.of(clinic).latest('pk').pk}")
    route = route.replace("<int:doctor>", f"{Doctor.objects.of(clinic).earliest('pk').pk}")
    route = route.replace("<str:table>", "medicos")
    if "<" not in route:
        return [route]
    return [re.sub("<[^>]*>", f"{value}", route) for value in _values(clinic, route)]


def _values(clinic, route):
    """What a route is asked about: first of all what is not there."""
    if "<str:name>" in route:
        return ["nada", *NAMES[route.partition("/")[0]]]
    if "<str:date>" in route:
        return _days(clinic)
    if "<str:month>" in route:
        return ["nada", "2026-11", "2026-12"]
    return [0, *(_rows(clinic, route) if "<int:" in route else [])]


def _days(clinic):
    today = clinic.local(timezone.now()).date()
    return ["nada", today - timedelta(days=1), today, today + timedelta(days=1), "2026-12-25", "2027-01-03"]


def _rows(clinic, route):
    """The ids of the rows to ask a route about."""
    if route.startswith("admin/clinic/"):
        model = next(each for each in admin.site._registry if each._meta.model_name == route.split("/")[2])
        return _first(model.objects.filter(pk=clinic.pk) if model is Clinic else model.objects.of(clinic))
    if route.startswith("pacientes/"):
        return _patients(clinic)
    model = next((MODELS[beginning] for beginning in MODELS if route.startswith(beginning)), None)
    return _first(model.objects.of(clinic)) if model else _visits(clinic)


def _first(rows):
    return rows.order_by("pk").values_list("pk", flat=True)[:1]


def _visits(clinic):
    """An appointment of each status."""
    rows = Appointment.objects.of(clinic).order_by("status", "pk").distinct("status")
    return [row.pk for row in rows]


def _patients(clinic):
    patients = Patient.objects.of(clinic).order_by("pk")
    chosen = [patients.first(), patients.filter(birth_date=None).first(), patients.exclude(guardian_name="").first()]
    return [patient.pk for patient in chosen if patient]


def _asked(clinic):
    """Addresses with what is asked of them: fragments of the panel, searches, filters."""
    doctor, today = Doctor.objects.of(clinic).earliest("pk"), clinic.local(timezone.now()).date()
    for day in _days(clinic)[2:]:
        asked = {"medico": doctor.pk, "data": f"{day}", "inicio": "10:00"}
        yield "/agendamentos/novo/", asked
        for patient in _patients(clinic):
            yield "/agendamentos/novo/", asked | {"paciente": patient}
    yield "/agendamentos/novo/", {"medico": "any"}
    yield f"/agenda/{today}/", {"medico": doctor.pk, "situacao": "in_service"}
    yield "/ausencias/nova/", {"medico": doctor.pk}
    for kind in ("agendamento", "paciente", "clinica", "cadastro"):
        yield "/auditoria/", {"tipo": kind}
    yield "/auditoria/", {"situacao": "cancelled", "dias": "30"}
    yield f"/agenda/{today}/como-estava/", {"em": f"{today - timedelta(days=2)}T12:00", "ate": "agora"}
    for model in admin.site._registry:
        yield f"/admin/clinic/{model._meta.model_name}/", {"q": "maria"}
