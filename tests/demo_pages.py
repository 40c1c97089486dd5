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

from clinic.models import Absence, Appointment, Clinic, Doctor, Memo, Patient, StaffUser
from clinic.queries.integrity import CHECKS
from clinic.queries.reports import REPORTS
from tests.every_address import PARTIAL, routes
from tests.pdfs import text_of

ROLES = ("receptionist", "manager", "master", "doctor")
ELSEWHERE = {"receptionist": "/admin/clinic/", "manager": "/agend"}
# Of programs, of the vendors' references (each in its vendor's Portuguese), and of files.
NOT_OF_THE_CLINIC = re.compile(
    r"(?:api|v1)/|pacientes/.*\.json$|\[|openapi\.json$|llms\.txt$|health$|admin/jsi18n/|static"
)
NOT_BY_GET, NOTHING_READ = 405, {204, 301, 302, 304}
SEARCHED = ("maria", "nada", "910 000", "81 9", "01/02/1960", "+351", "5", "529.982.247-25", "ana 10/10/1980")


class Walk:
    """What there is to ask of a clinic, and what need not be asked again."""

    def __init__(self, clinic: Clinic):
        self.clinic = clinic
        self.asked = list(_addresses(clinic))
        self.files: set[str] = set()

    def pages(self, role: str) -> Iterator[tuple[str, str]]:
        """(address, what is read there) of whatever a user of this role is shown; receptionists get fragments too.

        Left out is what reads the same for another role: the refusals of the administration, managers' appointments,
        and files that were sent: a PDF takes as long to draw and to read as twenty pages."""
        client = _signed_in(self.clinic, role)
        not_by_get = set()
        for route, path, query in self.asked:
            if path.startswith(ELSEWHERE.get(role, "none")) or route in not_by_get:
                continue
            for headers in ({}, PARTIAL) if role == StaffUser.Role.RECEPTIONIST else ({},):
                address = f"{path} {query or ''}"
                if address in self.files:
                    break
                answer = client.get(path, query, headers=headers)
                if answer.status_code == NOT_BY_GET:
                    not_by_get.add(route)
                    break
                if answer.status_code not in NOTHING_READ:
                    yield f"{address} by {role}", text_of(answer)
                    if answer.status_code == HTTPStatus.OK and not answer["Content-Type"].startswith("text/html"):
                        self.files.add(address)
        for path in ("/pacientes/", "/pacientes/busca/"):
            for text in SEARCHED:
                yield f"{path} {text} by {role}", client.post(path, {"q": text}, headers=PARTIAL).text


def _signed_in(clinic, role):
    client = Client()
    doctor = Doctor.objects.of(clinic).filter(user=None).earliest("pk") if role == StaffUser.Role.DOCTOR else None
    named = {"role": role, "doctor": doctor, "name": "Ana Sá"}
    client.force_login(StaffUser.objects.create_user(f"{role}.{clinic.slug}", clinic=clinic, **named))
    return client


def _addresses(clinic: Clinic) -> Iterator[tuple[str, str, dict]]:
    """(route, path, query) of every address that the resolver knows of, filled in with rows of this clinic."""
    for route in sorted(routes()):
        if not NOT_OF_THE_CLINIC.match(route):
            yield from ((route, f"/{path}", {}) for path in _filled(clinic, route))
    yield from ((path, path, query) for path, query in _asked(clinic))


def _filled(clinic, route):
    """The paths of a route: one a status of appointments, for patients with and without all their data."""
    route = route.replace(r"(?P<app_label>clinic)/$", "clinic/").replace(r"(?P<url>.*)$", "nada/")
    route = route.replace("<int:other>", f"{Patient.objects.of(clinic).latest('pk').pk}")
    if "<" not in route:
        return [route]
    if route.startswith("relatorios/"):
        return [route.replace("<str:name>", name).replace("<str:table>", "medicos") for name in REPORTS]
    if route.startswith("integridade/"):
        return [route.replace("<str:name>", name) for name in CHECKS]
    if "<str:date>" in route:
        return [route.replace("<str:date>", f"{day}") for day in _days(clinic)]
    return [re.sub("<[^>]*>", f"{pk}", route) for pk in _keys(clinic, route)]


def _days(clinic):
    today = clinic.local(timezone.now()).date()
    return [today - timedelta(days=1), today, today + timedelta(days=1), "2026-12-25", "2027-01-03", "nada"]


def _keys(clinic, route):
    """The ids of the rows to ask a route about: an unknown one too."""
    if route.startswith("admin/clinic/"):
        model = next(each for each in admin.site._registry if each._meta.model_name == route.split("/")[2])
        rows = model.objects.filter(pk=clinic.pk) if model is Clinic else model.objects.of(clinic)
        return [*rows.order_by("pk").values_list("pk", flat=True)[:1], 0]
    if route.startswith("pacientes/"):
        return [*_patients(clinic), 0]
    if route.startswith("recados/"):
        return [Memo.objects.of(clinic).earliest("pk").pk]
    if route.startswith("ausencias/"):
        return [Absence.objects.of(clinic).earliest("pk").pk]
    return [*_visits(clinic), 0]


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
    for day in _days(clinic)[1:-1]:
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
