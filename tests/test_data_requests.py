"""Deletion and restriction: what is erased, what is blocked and until when, and that nobody finds it."""

import json
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from clinic.access import access_tokens
from clinic.booking import Author
from clinic.models import (
    Appointment,
    DataRequest,
    FormerName,
    Patient,
    PatientAccess,
    PatientEvent,
    PrivacySettings,
    Recall,
    Receipt,
    WaitingEntry,
)
from clinic.queries import patients
from clinic.registry import (
    RequestFault,
    RequestRefused,
    change_patient,
    decide,
    details_of,
    lift_restriction,
    request_deletion,
    restrict,
)
from tests.factories import (
    cpf,
    make_clinic,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_payer,
    make_user,
)
from tests.web.patients import FINISHED, visit

pytestmark = pytest.mark.django_db
SECRET = "Zika na gravidez"
NAME = "Zulmira Quixabeira"


def make(clinic, **fields):
    return make_patient(
        clinic, **{"name": NAME, "notes": SECRET, "alert": SECRET, "email": "zulmira@example.org"} | fields
    )


@pytest.fixture(params=[make_clinic, make_lisbon], ids=["recife", "lisboa"])
def patient(request):
    return make(request.param())


@pytest.fixture
def by(patient):
    return Author(channel="browser", user=make_manager(patient.clinic))


def delete(patient, by, **options):
    return request_deletion(patient.pk, clinic=patient.clinic, reason="pedido do titular", by=by, **options)


def everything():
    tables = ("patient", "patientevent", "appointment", "appointmentevent", "memo", "formername", "datarequest")
    with connection.cursor() as cursor:
        rows = []
        for table in tables:
            cursor.execute(f"SELECT coalesce(json_agg(t), '[]')::text FROM clinic_{table} t")  # noqa: S608 - written here
            rows.append(json.loads(cursor.fetchone()[0]))
    return json.dumps(rows, ensure_ascii=False)


# What becomes of the data -------------------------------------------------------------------------------------------


def test_who_never_came_is_erased(patient, by):
    change_patient(patient.pk, {"name": f"{NAME} Lima", "phone_of": "mãe"}, clinic=patient.clinic, by=by)
    request = delete(patient, by)
    assert (request.outcome, request.blocked_until, request.kept) == ("erased", None, {})
    left = everything()
    for personal in ("Quixabeira", SECRET, "zulmira@", cpf(1)[:9]):
        assert personal not in left
    assert not FormerName.objects.exists()
    assert PatientEvent.objects.latest("pk").kind == "erased"


@time_machine.travel(datetime(2026, 11, 30, 12, tzinfo=UTC), tick=False)
def test_case_42_who_came_is_blocked_for_twenty_years():
    patient = make(make_clinic())
    visit(patient, days=-2, status=FINISHED)
    request = delete(patient, Author(channel="browser", user=make_manager(patient.clinic)))
    assert (request.outcome, request.blocked_until) == ("blocked", date(2046, 11, 28))
    client = Client()
    client.force_login(make_manager(patient.clinic))
    page = client.get(reverse("web:privacy-request-list")).text
    assert "bloqueado até 28/11/2046 (Lei 13.787)" in " ".join(page.split())
    assert "Quixabeira" not in page


@time_machine.travel(datetime(2026, 11, 30, 12, tzinfo=UTC), tick=False)
@pytest.mark.parametrize(("years", "until"), [(None, 2046), (5, 2031)])
def test_in_portugal_the_clinic_sets_the_term(client, years, until):
    patient = make(make_lisbon())
    if years:
        PrivacySettings.objects.create(clinic=patient.clinic, records_kept_years=years)
    visit(patient, days=-2, status=FINISHED)
    client.force_login(make_manager(patient.clinic))
    asked = client.get(reverse("web:privacy-ask", args=[patient.pk])).text
    assert f"28/11/{until}" in asked and "não há regra única" in asked and "13.787" not in asked


def test_of_who_is_blocked_only_the_identity_is_kept(patient, by):
    visit(patient, days=-2, status=FINISHED)
    phone = str(patient.phone)
    request = delete(patient, by)
    (kept,) = request.kept["records"].values()
    assert kept["name"] == NAME and kept["cpf"] == patient.cpf
    assert not {"phone", "email", "notes", "alert", "guardian_name"} & kept.keys()
    left = everything()
    assert SECRET not in left and phone not in left
    patient.refresh_from_db()
    assert patient.name in {"Paciente bloqueado", "Utente bloqueado"} and patient.cpf is None


def test_reports_count_what_they_counted(client, patient, by):
    for days in (-9, -2):
        visit(patient, days=days, status=FINISHED)
    client.force_login(by.user)
    addresses = [reverse("web:report", args=[name]) for name in ("faltas", "ocupacao", "receita")]
    known = [address for address in addresses if client.get(address).status_code == 200]
    assert known
    before = [client.get(address).text for address in known]
    visits = Appointment.objects.count()
    delete(patient, by)
    assert Appointment.objects.count() == visits
    for address, page in zip(known, before, strict=True):
        numbers = page[page.index("<main") :] if "<main" in page else page
        assert numbers[numbers.find("<table") : numbers.rfind("</table>")] in client.get(address).text


@pytest.mark.parametrize("status", [(), ("confirmed",)])
def test_a_past_visit_counts_though_nobody_noted_it(patient, by, status):
    visit(patient, days=-2, status=status)
    assert delete(patient, by).outcome == "blocked"


@pytest.mark.parametrize("status", [("no_show",), ("cancelled",)])
def test_a_missed_or_cancelled_one_does_not(patient, by, status):
    visit(patient, days=-2, status=status, **({"cancelled_by": "patient"} if status == ("cancelled",) else {}))
    assert delete(patient, by).outcome == "erased"


def test_what_was_paid_counts_whatever_became_of_it(patient, by):
    booked = visit(patient, days=-2, status=("no_show",))
    Receipt.objects.create(clinic=patient.clinic, appointment=booked, method="pix", value=90)
    assert delete(patient, by).outcome == "blocked"


def test_merged_records_go_together(patient, by):
    other = make(patient.clinic, name="Zulmira Q. Lima")
    Patient.objects.filter(pk=other.pk).update(merged_into=patient.pk, cpf=None)
    visit(patient, days=-2, status=FINISHED)
    request = delete(patient, by)
    assert set(request.kept["records"]) == {str(patient.pk), str(other.pk)}
    assert Patient.objects.filter(blocked_at__isnull=False).count() == 2


# Who decides --------------------------------------------------------------------------------------------------------


def test_a_second_manager_confirms(client, patient, by):
    other = make_manager(patient.clinic)
    client.force_login(by.user)
    asked = {"kind": "deletion", "reason": "pedido do titular"}
    page = client.post(reverse("web:privacy-ask", args=[patient.pk]), asked, follow=True)
    request = DataRequest.objects.get()
    assert request.outcome == "" and "outra pessoa da gestão" in page.text
    assert Patient.objects.get(pk=patient.pk).name == NAME
    own = client.post(reverse("web:privacy-request-detail", args=[request.pk]), {"act": "confirm"})
    assert own.status_code == 409 and "ser outra pessoa da gestão" in own.text

    client.force_login(other)
    client.post(reverse("web:privacy-request-detail", args=[request.pk]), {"act": "confirm"})
    request.refresh_from_db()
    assert (request.outcome, request.requested_by, request.decided_by) == ("erased", by.user, other)


def test_the_second_manager_sees_what_a_confirmation_does(client, patient, by):
    client.force_login(make_manager(patient.clinic))
    for days in (-9, -2):
        booked = visit(patient, days=days)
    request = delete(patient, by)
    ahead = visit(patient, days=3)
    page = client.get(reverse("web:privacy-request-detail", args=[request.pk])).text
    last = f"{patient.clinic.local(booked.starts_at):%d/%m/%Y}"
    visits = "2 consultas até hoje" if patient.clinic.country == "PT" else "2 visitas até hoje"
    assert f"veio pela última vez em {last}" in page and visits in page
    assert "bloqueado até" in page or "bloqueada até" in page
    assert reverse("web:appointment-detail", args=[ahead.pk]) in page


def test_or_declines_and_nothing_is_changed(patient, by):
    make_manager(patient.clinic)
    request = delete(patient, by)
    decide(request.pk, clinic=patient.clinic, accept=False, by=by)
    assert Patient.objects.get(pk=patient.pk).name == NAME
    with pytest.raises(RequestRefused) as refused:
        decide(request.pk, clinic=patient.clinic, accept=True, by=by)
    assert refused.value.fault is RequestFault.DECIDED_ALREADY


def test_without_a_second_manager_the_name_is_typed(client, patient, by):
    client.force_login(by.user)
    address = reverse("web:privacy-ask", args=[patient.pk])
    asked = {"kind": "deletion", "reason": "pedido do titular"}
    for typed in ("", "sim", "Zulmira"):
        assert client.post(address, asked | {"typed": typed}).status_code == 422
    assert client.post(address, asked | {"typed": "zulmira quixabeira"}).status_code == 302
    assert DataRequest.objects.get().outcome == "erased"


def test_an_appointment_tomorrow_is_named_and_linked(client, patient, by):
    booked = visit(patient, days=1)
    for act in (request_deletion, restrict):
        with pytest.raises(RequestRefused) as refused:
            act(patient.pk, clinic=patient.clinic, reason="pedido", by=by)
        assert (refused.value.fault, refused.value.appointment) == (RequestFault.APPOINTMENT_AHEAD, booked)
    client.force_login(by.user)
    asked = {"kind": "deletion", "reason": "pedido do titular", "typed": NAME}
    page = client.post(reverse("web:privacy-ask", args=[patient.pk]), asked)
    assert page.status_code == 409 and reverse("web:appointment-detail", args=[booked.pk]) in page.text
    assert Patient.objects.get(pk=patient.pk).name == NAME and not DataRequest.objects.exists()


def test_the_desk_asks_for_nothing(client, patient):
    client.force_login(make_user(patient.clinic))
    for address in (reverse("web:privacy-ask", args=[patient.pk]), reverse("web:privacy-request-list")):
        assert client.get(address).status_code == 403


# Nobody finds it ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["blocked", "restricted"])
def gone(request, patient, by):
    visit(patient, days=-2, status=FINISHED)
    procedure = patient.appointments.get().doctor.procedures.get()
    WaitingEntry.objects.create(clinic=patient.clinic, patient=patient, note=SECRET)
    due = {"procedure": procedure, "due_on": date(2020, 1, 1), "note": SECRET}
    Recall.objects.create(clinic=patient.clinic, patient=patient, appointment=patient.appointments.get(), **due)
    ask = (
        delete
        if request.param == "blocked"
        else lambda patient, by: restrict(patient.pk, clinic=patient.clinic, reason="pedido do titular", by=by)
    )
    ask(patient, by)
    return patient


def test_no_page_of_the_desk_has_it(client, gone, by):
    client.force_login(by.user)
    assert client.get(reverse("web:patient-detail", args=[gone.pk])).status_code == 404
    assert client.get(reverse("web:patient-edit", args=[gone.pk])).status_code == 404
    past = gone.appointments.get()
    assert client.get(reverse("web:appointment-detail", args=[past.pk])).status_code == 404
    for text in ("quixabeira", "bloqueado", str(gone.phone), gone.cpf):
        assert not patients.search(gone.clinic, text, dead_too=True, widely=True)
        found = client.post(reverse("web:patient-search"), {"q": text}, headers={"HX-Request": "true"}).text
        assert "Quixabeira" not in found and "bloqueado</" not in found
    lists = ("waiting-list", "recall-list", "memo-list", "queue", "pending-list", "agenda-today")
    day = past.clinic.local(past.starts_at).date()
    addresses = [reverse(f"web:{name}") for name in lists] + [reverse("web:agenda-day", args=[f"{day}"])]
    for address in addresses:
        page = client.get(address).text
        assert "Quixabeira" not in page and SECRET not in page
    assert "bloqueado" not in client.get(reverse("web:waiting-list")).text
    assert "bloqueado" not in client.get(reverse("web:recall-list")).text


def test_the_apis_answer_as_for_an_unknown_patient(gone):
    _, token = access_tokens.release(gone.clinic, make_master(gone.clinic), channel="command")
    headers, client = {"Authorization": f"Bearer {token}"}, Client()
    unknown = client.get("/api/patients/99999999", headers=headers)
    known = client.get(f"/api/patients/{gone.pk}", headers=headers)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert f'"id": {gone.pk}' not in client.get("/api/patients", headers=headers).text
    assert client.get("/api/appointments", headers=headers).json() == []


def test_nothing_is_booked_for_it(gone):
    with pytest.raises(Exception, match="PATIENT_UNKNOWN|patient"):
        visit(gone, days=3)
    with pytest.raises(IntegrityError, match="is blocked"), transaction.atomic():
        WaitingEntry.objects.create(clinic=gone.clinic, patient=gone)


def test_whoever_comes_again_is_a_new_patient(gone):
    again = make_patient(gone.clinic, name=NAME, cpf=gone.cpf, phone=str(gone.phone))
    assert [found.pk for found in patients.search(gone.clinic, "quixabeira")] == [again.pk]


def test_a_master_sees_who_it_is_with_a_reason(client, gone):
    request = DataRequest.objects.get()
    address = reverse("web:privacy-request-detail", args=[request.pk])
    client.force_login(make_manager(gone.clinic))
    assert client.post(address, {"act": "open", "reason": "ordem judicial"}).status_code == 403
    master = make_master(gone.clinic)
    client.force_login(master)
    assert "Quixabeira" not in client.get(address).text
    assert client.post(address, {"act": "open", "reason": ""}).status_code == 422
    assert "Quixabeira" in client.post(address, {"act": "open", "reason": "ordem judicial"}).text
    event = PatientEvent.objects.latest("pk")
    assert (event.kind, event.user, event.reason) == ("opened", master, "ordem judicial")
    assert PatientAccess.objects.filter(patient=gone.pk, user=master, page="web:privacy-request-detail").exists()


def test_a_master_exports_it_with_a_reason(client, gone):
    request = DataRequest.objects.get()
    address = reverse("web:privacy-request-detail", args=[request.pk])
    client.force_login(make_manager(gone.clinic))
    assert client.post(address, {"act": "export", "reason": "pedido de acesso"}).status_code == 403
    client.force_login(make_master(gone.clinic))
    assert client.post(address, {"act": "export", "reason": ""}).status_code == 422
    answer = client.post(address, {"act": "export", "reason": "pedido de acesso"})
    found = json.loads(answer.getvalue())
    assert found["kept"]["records"][str(gone.pk)]["name"] == NAME and len(found["appointments"]) == 1
    event = PatientEvent.objects.latest("pk")
    assert (event.kind, event.reason) == ("opened", "pedido de acesso")


# Restriction --------------------------------------------------------------------------------------------------------


def test_a_restriction_is_taken_off_without_loss(client, patient, by):
    change_patient(patient.pk, {"name": f"{NAME} Lima"}, clinic=patient.clinic, by=by)
    patient.refresh_from_db()
    before = details_of(patient)
    request = restrict(patient.pk, clinic=patient.clinic, reason="pedido do titular", by=by)
    assert not FormerName.objects.exists()
    client.force_login(by.user)
    client.post(reverse("web:privacy-request-detail", args=[request.pk]), {"act": "lift", "reason": "resolvido"})
    patient = Patient.objects.get(pk=patient.pk)
    assert details_of(patient) == before and patient.blocked_at is None and patient.phone_hash
    assert FormerName.objects.get().name == NAME
    request.refresh_from_db()
    assert (request.outcome, request.kept) == ("released", {})
    assert client.get(reverse("web:patient-detail", args=[patient.pk])).status_code == 200


def test_a_payer_that_is_gone_meanwhile_is_left_out(patient, by):
    payer = make_payer(patient.clinic)
    change_patient(patient.pk, {"payer_id": payer.pk, "card_number": "123"}, clinic=patient.clinic, by=by)
    request = restrict(patient.pk, clinic=patient.clinic, reason="pedido do titular", by=by)
    payer.delete()
    lift_restriction(request.pk, clinic=patient.clinic, reason="resolvido", by=by)
    patient = Patient.objects.get(pk=patient.pk)
    assert (patient.name, patient.payer_id, patient.card_number) == (NAME, None, "")


def test_it_stays_while_another_has_the_number(patient, by):
    request = restrict(patient.pk, clinic=patient.clinic, reason="pedido do titular", by=by)
    make_patient(patient.clinic, cpf=patient.cpf)
    with pytest.raises(RequestRefused) as refused:
        lift_restriction(request.pk, clinic=patient.clinic, reason="resolvido", by=by)
    assert refused.value.fault is RequestFault.NUMBERS_TAKEN
    assert Patient.objects.get(pk=patient.pk).blocked_at


def test_of_another_clinic_nothing_is_asked(patient, by):
    with pytest.raises(Patient.DoesNotExist):
        request_deletion(patient.pk, clinic=make_clinic(), reason="pedido", by=by)
