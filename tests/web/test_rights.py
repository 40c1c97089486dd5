"""Every address of the front desk as every role and with every switch: who is refused what."""

import re

import pytest
from django.urls import reverse

from clinic.models import StaffUser
from clinic.web.urls import urlpatterns
from tests.factories import make_clinic, make_doctor_user, make_manager, make_master, make_patient, make_user
from tests.web.patients import visit

pytestmark = pytest.mark.django_db
# Whoever has the address, or signs in or out by it.
NOT_ASKED = {"signin", "signout", "first-clinic", "staff-link", "display", "display-open", "calendar-feed"}
REPORTS, FILES = {"report-list", "report"}, {"report-workbook", "report-table"}
LISTS = {"export-csv", "export-workbook"}
ABSENCES = {"absence-add", "absence-delay"}
STEPS = {"first-steps", *(f"first-steps-{name}" for name in ("clinica", "equipe", "procedimentos", "medico", "marcar"))}
STAFF = {"staff", *(f"staff-{name}" for name in ("invite", "renew", "revoke", "reset", "sessions", "session-end"))}
DISPLAYS = {"display-links", "display-create", "display-revoke"}
FOR_MASTERS = {f"integration-{act}" for act in ("release", "token-end", "key-create", "key-rotate", "key-end")}
AUDIT = {"audit", "audit-workbook", "audit-table", "integrity", "integrity-show", "agenda-as-of"}
SEEN_BY = {"patient-seen-by", "patient-seen-by-workbook", "patient-seen-by-table"}
IMPORT_ACTS = ("list", "upload", "columns", "begin", "advance", "take-back", "discard", "refused")
IMPORTS = {"import", *(f"import-{act}" for act in IMPORT_ACTS)}
OF_PATIENTS = {"privacy-export", "privacy-export-file", "privacy-export-pdf", "privacy-ask", "patient-redact"}
RECORDS = ("record", "notice", "terms", "incidents", "breach", "breach-file", "request-list", "request-detail")
PRIVACY = {*OF_PATIENTS, *(f"privacy-{name}" for name in RECORDS)}
FOR_MANAGERS = {
    "hours-read",
    "hours-drag",
    *STEPS,
    *STAFF,
    *DISPLAYS,
    *FOR_MASTERS,
    *AUDIT,
    *SEEN_BY,
    *IMPORTS,
    *PRIVACY,
    "integration-list",
    "export-clinic",
}
SWITCHES = ["may_squeeze_in", "may_record_absence", "may_see_reports", "may_export"]


def refused(client, user):
    """The names of the addresses that answer 403 to this user, whatever the method."""
    client.force_login(user)
    names = set()
    for pattern in urlpatterns:
        if pattern.name in NOT_ASKED:
            continue
        values = dict.fromkeys(re.findall(r"<int:(\w+)>", str(pattern.pattern)), 0)
        values |= dict.fromkeys(re.findall(r"<str:(\w+)>", str(pattern.pattern)), "2026-11-23")
        values |= {name: word for name, word in {"name": "faltas", "table": "medicos"}.items() if name in values}
        address = reverse(f"web:{pattern.name}", kwargs=values)
        if 403 in {client.get(address).status_code, client.post(address, {"x": "1"}).status_code}:
            names.add(pattern.name)
    return names


def test_managers_and_masters(client):
    clinic = make_clinic()
    assert refused(client, make_master(clinic)) == set()
    assert refused(client, make_manager(clinic)) == FOR_MASTERS | {"patient-redact"}


@pytest.mark.parametrize(
    ("switches", "opened"),
    [
        ((), set()),
        (("may_squeeze_in",), set()),
        (("may_record_absence",), ABSENCES),
        (("may_see_reports",), REPORTS),
        (("may_export",), LISTS),
        (("may_see_reports", "may_export"), REPORTS | FILES | LISTS),
    ],
    ids=["none", "encaixe", "absence", "reports", "lists alone", "reports and files"],
)
def test_receptionists_by_their_switches(client, switches, opened):
    closed = FOR_MANAGERS | REPORTS | FILES | LISTS | ABSENCES
    user = make_user(make_clinic(), max_discount_percent=10, **dict.fromkeys(switches, True))
    assert refused(client, user) == closed - opened


def test_no_switch_opens_anything_to_a_doctor(client):
    user = make_doctor_user(**dict.fromkeys(SWITCHES, True))
    own = {pattern.name for pattern in urlpatterns if getattr(pattern.callback, "doctors_too", False)}
    everything = {pattern.name for pattern in urlpatterns} - NOT_ASKED
    assert refused(client, user) == everything - own


def test_every_switch_is_asked_for_here():
    switches = {field.name for field in StaffUser._meta.get_fields() if field.name.startswith("may_")}
    assert switches == set(SWITCHES)


@pytest.mark.parametrize("may_export", [False, True])
def test_files_are_offered_to_who_may_export(client, may_export):
    user = make_user(may_see_reports=True, may_export=may_export)
    visit(make_patient(user.clinic), days=0)
    client.force_login(user)
    page = client.get(reverse("web:report", args=["faltas"])).text
    assert ("planilha.xlsx" in page, ".csv" in page) == (may_export, may_export)
    assert "/relatorios/" in client.get("/pacientes/").text
