"""Every door that shows a patient leaves a row that says so."""

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import openpyxl
import pytest
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.access import access_tokens, accesses, api_keys
from clinic.models import ApiKey, ImportRow, ImportRun, Patient, PatientAccess, Recall, SignIn, WaitingEntry
from clinic.models.shown import Shown
from clinic.queries.accesses import seen_by
from tests.every_address import routes
from tests.factories import PASSWORD, make_clinic, make_manager, make_master, make_patient, make_series, make_user
from tests.managed import url
from tests.pdfs import text_of
from tests.web.patients import visit

pytestmark = pytest.mark.django_db
NAME = "Zulmira Quixabeira"
NEW_YEAR = "2026-01-01T00:00:00+00:00"
# Where the walk must have found her name, so that it is known to look.
SHOWN_AT = {
    "",
    "agenda/",
    "agenda/<str:date>/",
    "agenda/<str:date>/lista/",
    "agenda/<str:date>/lista/pdf/",
    "agenda/semana/<int:doctor>/<str:date>/",
    "agenda/proximas-48-horas/",
    "fila/",
    "agendamentos/<int:pk>/",
    "agendamentos/<int:pk>/comprovante/",
    "agendamentos/<int:pk>/comprovante/pdf/",
    "agendamentos/<int:pk>/remarcar/",
    "agendamentos/<int:pk>/cancelar/",
    "agendamentos/<int:pk>/observacoes/",
    "agendamentos/<int:pk>/convenio/",
    "agendamentos/<int:pk>/repetir/",
    "agendamentos/<int:pk>/retorno/",
    "importar/<int:pk>/",
    "retornos/",
    "confirmacoes/<str:date>/",
    "sessoes/<int:pk>/",
    "fila-de-espera/",
    "fila-de-espera/<int:pk>/alterar/",
    "pacientes/",
    "pacientes/<int:pk>/",
    "pacientes/<int:pk>/editar/",
    "pacientes/<int:pk>/quem-viu/",
    "auditoria/",
    "pacientes/<int:pk>/consentimentos/",
    "pacientes/<int:pk>/pedido/",
    "pacientes/<int:pk>/dados/",
    "pacientes/<int:pk>/dados/pdf/",
    "pacientes/<int:pk>/juntar/",
    "pacientes/<int:pk>/juntar/<int:other>/",
    "pacientes/<int:pk>/apagar-textos/",
    "admin/clinic/patient/",
    "admin/clinic/patient/<path:object_id>/change/",
    "admin/clinic/appointment/",
    "admin/clinic/appointment/<path:object_id>/change/",
    "admin/clinic/appointmentevent/",
    "api/patients",
    "api/appointments",
    "api/appointments/<int:appointment_id>",
    "v1/patients",
    "v1/patients/<hash>",
    "v1/appointments",
    "v1/appointments/<id>",
}


@pytest.fixture
def patient():
    return make_patient(make_clinic(), name=NAME)


def _path(route, patient, appointment):
    today = appointment.clinic.local(timezone.now()).date()
    values = {
        "<str:date>": str(today),
        "<str:month>": f"{today:%Y-%m}",
        "<int:doctor>": str(appointment.doctor_id),
        "<hash>": patient.phone_hash,
        "<id>": str(appointment.uuid),
        "<int:patient_id>": str(patient.pk),
        "<int:other>": str(Patient.objects.exclude(pk=patient.pk).earliest("pk").pk),
    }
    of_patient = "pacientes/" in route or "/patient/" in route
    values["<int:pk>"] = values["<path:object_id>"] = str(patient.pk if of_patient else appointment.pk)
    path = route.replace("\\Z", "").replace("$", "")
    return "/" + re.sub("<[^>]*>", lambda match: values.get(match[0], str(appointment.pk)), path)


def test_no_address_shows_a_name_without_a_row(patient):
    clinic, appointment = patient.clinic, visit(patient, days=0)
    make_patient(clinic)
    WaitingEntry.objects.create(pk=appointment.pk, clinic=clinic, patient=patient)
    procedure = appointment.doctor.procedures.get()
    due = {"procedure": procedure, "due_on": appointment.clinic.local(timezone.now()).date()}
    Recall.objects.create(pk=appointment.pk, clinic=clinic, patient=patient, appointment=appointment, **due)
    make_series(appointment, pk=appointment.pk)
    run = {"kind": "patients", "channel": "browser", "file_name": "x.csv", "state": "checked"}
    run = ImportRun.objects.create(pk=appointment.pk, clinic=clinic, **run)
    ImportRow.objects.create(clinic=clinic, run=run, number=1, cells=[NAME], fate="same", patient_id=patient.pk)
    master, desk = make_master(clinic), Client()
    desk.force_login(master)
    _, token = access_tokens.release(clinic, master, channel="command")
    scopes = {"scopes": ApiKey.Scope.values, "source": "sync_external", "is_live": True}
    _, key = api_keys.create(clinic, name="todas", **scopes, by=master, channel="command")
    found, without = set(), set()
    for route in sorted(routes()):
        secret = token if route.startswith("api/") else key
        headers = {"Authorization": f"Bearer {secret}"} if route.startswith(("api/", "v1/")) else {}
        query = {"search": "Quixabeira"} if route == "v1/patients" else {}
        before = PatientAccess.objects.count()
        answer = desk.get(_path(route, patient, appointment), query, headers=headers)
        if answer.status_code < 300 and not answer.streaming and "Quixabeira" in text_of(answer):
            found.add(route)
            new = PatientAccess.objects.order_by("-pk")[: PatientAccess.objects.count() - before]
            if not any(row.patient_id == patient.pk or row.day for row in new):
                without.add(route)
    assert not without
    assert found >= SHOWN_AT


@pytest.mark.parametrize("route", ["web:patient-list", "web:patient-search"])
def test_a_search_leaves_a_row_for_each_hit_and_no_other(client, patient, route):
    others = [make_patient(patient.clinic, name=f"Zulmira {word}") for word in ("Sá", "Lima")]
    make_patient(patient.clinic, name="Outra Pessoa")
    user = make_user(patient.clinic)
    client.force_login(user)

    client.post(reverse(route), {"q": "zulmira"}, headers={"HX-Request": "true"})

    rows = list(PatientAccess.objects.values_list("patient", "user", "page", "clinic"))
    assert sorted(rows) == sorted(
        (pk, user.pk, route, patient.clinic_id) for pk in [patient.pk, *(other.pk for other in others)]
    )


def test_case_39_a_card_is_one_row_of_who_when_and_where(client, patient):
    user = make_user(patient.clinic)
    client.force_login(user)
    client.get(reverse("web:patient-detail", args=[patient.pk]))
    row = PatientAccess.objects.get()
    assert (row.user, row.patient, row.page, row.day) == (user, patient, "web:patient-detail", None)
    assert row.session == SignIn.objects.get().session != "" and timezone.now() - row.at < timedelta(minutes=1)


def test_a_day_is_one_row_that_names_its_date(client, patient):
    visit(patient, days=3)
    client.force_login(make_user(patient.clinic))
    day = patient.clinic.local(timezone.now()).date() + timedelta(days=3)
    client.get(reverse("web:agenda-day", args=[day]))
    assert PatientAccess.objects.values_list("day", "patient", "page").get() == (day, None, "web:agenda-day")


def test_what_shows_nobody_leaves_no_row(client, patient):
    client.force_login(make_user(patient.clinic))
    client.get(reverse("web:patient-detail", args=[patient.pk + 1]))
    client.get(url(Patient, "change", patient.pk))  # not for receptionists
    client.get(reverse("web:pending-number"))
    assert not PatientAccess.objects.exists()


def test_managers_see_who_saw_a_card(client, patient):
    receptionist, manager = make_user(patient.clinic, name="Rosa Recepção"), make_manager(patient.clinic)
    page = reverse("web:patient-seen-by", args=[patient.pk])
    client.force_login(receptionist)
    card = client.get(reverse("web:patient-detail", args=[patient.pk]))
    assert page not in card.text and client.get(page).status_code == 403
    client.force_login(manager)
    assert page in client.get(reverse("web:patient-detail", args=[patient.pk])).text
    shown = client.get(page).text
    assert "Rosa Recepção" in shown and "ficha" in shown
    assert client.get(reverse("web:patient-seen-by", args=[make_patient(make_clinic()).pk])).status_code == 404


def test_older_rows_are_paged_by_the_last_moment(client, patient):
    manager = make_manager(patient.clinic)
    client.force_login(manager)
    for days in range(60):
        viewer = accesses.Viewer(patient.clinic, manager, "", "")
        at = timezone.now() - timedelta(days=days)
        accesses.record(Shown({patient.pk: None}), viewer, "web:patient-detail", at)
    page = reverse("web:patient-seen-by", args=[patient.pk])
    first = client.get(page).text
    older = re.search(r'href="(\?antes=[^"]*)"', first)[1]
    second = client.get(page + older.replace("&amp;", "&")).text
    assert (first.count('scope="row"'), second.count('scope="row"')) == (50, 10)


@pytest.mark.parametrize(
    "odd", ["x", NEW_YEAR, "9999-99-99T99:99~1~", "0001-01-01T00:00:00+14:00~1~", f"{NEW_YEAR}~x~", f"{NEW_YEAR}~1~\0"]
)
def test_a_position_that_cannot_be_read_shows_the_newest_rows(client, patient, odd):
    client.force_login(make_manager(patient.clinic))
    accesses.record(Shown({patient.pk: None}), viewer_of(patient), "web:patient-detail", timezone.now())
    page = client.get(reverse("web:patient-seen-by", args=[patient.pk]), {"antes": odd})
    assert page.text.count('scope="row"') == 1


def test_rows_that_end_at_one_instant_are_each_on_one_page(patient):
    at = timezone.now()
    for number in range(4):
        viewer = accesses.Viewer(patient.clinic, None, f"central {number}", "")
        accesses.record(Shown({patient.pk: None}), viewer, "web:patient-detail", at)
    accesses.record(Shown({patient.pk: None}), viewer_of(patient), "web:patient-detail", at)
    found, before = seen_by(patient, limit=2)
    while before:
        rows, before = seen_by(patient, before=before, limit=2)
        found += rows
    assert sorted(row.who for row in found) == ["Rosa Recepção", *(f"central {number}" for number in range(4))]


def viewer_of(patient):
    return accesses.Viewer(patient.clinic, make_user(patient.clinic, name="Rosa Recepção"), "", "")


def test_a_row_has_the_moments_and_pages_of_one_viewer(patient):
    rosa, day = make_user(patient.clinic, name="Rosa Recepção"), datetime(2026, 3, 2, 15, tzinfo=UTC)
    seen = [(rosa, "", "web:patient-detail", 0), (rosa, "", "web:queue", 2), (rosa, "", "web:queue", 2)]
    for user, credential, page, hours in [*seen, (None, "central", "web:memo-list", 1)]:
        viewer = accesses.Viewer(patient.clinic, user, credential, "")
        accesses.record(Shown({patient.pk: None}), viewer, page, day + timedelta(hours=hours))
    rows = [(row.who, row.times, row.first, row.last, row.places) for row in seen_by(patient)[0]]
    assert rows == [
        ("Rosa Recepção", 2, day, day + timedelta(hours=2), ["ficha", "fila"]),
        ("central", 1, day + timedelta(hours=1), day + timedelta(hours=1), ["recados"]),
    ]


def test_all_of_a_day_of_25_hours_is_one_row():
    clinic = make_clinic(country="PT", time_zone="Atlantic/Azores", language="pt-pt", currency="EUR")
    patient, viewer = make_patient(clinic), accesses.Viewer(clinic, None, "central", "")
    first, last = datetime(2025, 10, 26, tzinfo=UTC), datetime(2025, 10, 27, 0, 59, 59, tzinfo=UTC)
    for at in (first, last):
        accesses.record(Shown({patient.pk: None}), viewer, "web:patient-detail", at)
    [row] = seen_by(patient)[0]
    assert (row.day, row.times, row.first, row.last) == (date(2025, 10, 26), 2, first, last)


def test_who_saw_a_card_is_filtered_and_exported(client, patient):
    manager, rosa = make_manager(patient.clinic, name="Marta Gestora"), make_user(patient.clinic, name="Rosa Recepção")
    for days, user in ((0, manager), (3, rosa), (9, rosa)):
        viewer = accesses.Viewer(patient.clinic, user, "", "")
        accesses.record(Shown({patient.pk: None}), viewer, "web:patient-detail", timezone.now() - timedelta(days=days))
    client.force_login(manager)
    page = reverse("web:patient-seen-by", args=[patient.pk])
    assert client.get(page, {"quem": rosa.pk}).text.count('scope="row"') == 2
    since = f"{patient.clinic.local(timezone.now() - timedelta(days=5)):%d/%m/%Y}"
    assert client.get(page, {"quem": rosa.pk, "de": since}).text.count('scope="row"') == 1
    assert client.get(page, {"quem": 2**70}).text.count('scope="row"') == 3
    table = client.get(f"{page}tabela.csv", {"quem": rosa.pk}).content.decode("utf-8-sig").splitlines()
    assert len(table) == 3 and "Rosa Recepção;ficha;1" in table[1]
    book = openpyxl.load_workbook(BytesIO(client.get(f"{page}planilha.xlsx").content))
    assert [row[3] for row in book.worksheets[0].values][:2] == ["Quem", "Marta Gestora"]
    for name in ("tabela.csv", "planilha.xlsx"):
        assert client.get(f"{reverse('web:patient-detail', args=[patient.pk + 1])}quem-viu/{name}").status_code == 404


def test_a_sign_in_is_a_row_with_its_address(client, patient):
    user = make_user(patient.clinic, password=PASSWORD)
    client.post(reverse("web:signin"), {"username": user.username, "password": "wrong"}, REMOTE_ADDR="10.1.2.3")
    assert not SignIn.objects.exists()
    client.post(reverse("web:signin"), {"username": user.username, "password": PASSWORD}, REMOTE_ADDR="10.1.2.3")
    assert SignIn.objects.values_list("user", "address").get() == (user.pk, "10.1.2.3")


@pytest.mark.parametrize("statement", ["UPDATE clinic_patientaccess SET page = ''", "DELETE FROM clinic_patientaccess"])
def test_postgresql_refuses_to_alter_the_log(client, patient, statement):
    client.force_login(make_user(patient.clinic))
    client.get(reverse("web:patient-detail", args=[patient.pk]))
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_old_rows_are_forgotten(patient):
    viewer = accesses.Viewer(patient.clinic, None, "central", "")
    for at in (timezone.now(), datetime(2020, 1, 1, tzinfo=timezone.get_current_timezone())):
        accesses.record(Shown({patient.pk: None}, {date(2026, 1, 1)}), viewer, "GET /v1/patients", at)
    call_command("purge_expired", verbosity=0)
    assert PatientAccess.objects.count() == 2
