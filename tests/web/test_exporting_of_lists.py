"""Pending appointments, memos and found patients as files; and a file while rows change."""

import csv
import io
import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl
from uuid import uuid4

import openpyxl
import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clinic.booking import Author, record_not_reached
from clinic.models import Absence, Patient, PatientAccess, Recall
from clinic.queries import exported, memos
from clinic.queries.recalls import ROWS_A_PAGE
from clinic.registry import MemoDetails, finish_memo, write_memo
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_manager,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
    next_monday,
)
from tests.locks import another_connection

pytestmark = pytest.mark.django_db
BY = Author(channel="command", credential="tests")


@pytest.fixture
def manager(client):
    manager = make_manager()
    client.force_login(manager)
    return manager


def cells(client, name, **query):
    answer = client.get(reverse("web:export-csv", args=[name]), query)
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    answer = client.get(reverse("web:export-workbook", args=[name]), query)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert [[str(cell or "") for cell in row] for row in sheet.values] == [
        [text if text[:2] not in {"'+", "'-"} else text[1:] for text in row] for row in rows
    ]
    assert all(cell.data_type != "f" for row in sheet for cell in row)
    return rows


def search(client, text):
    """Search, and return the query of the link to the file of what was found, {} without a link."""
    page = client.post(reverse("web:patient-list"), {"q": text}, headers={"HX-Request": "true"}).text
    link = re.search(r'/exportar/pacientes\.csv\?([^"]+)"', page)
    return dict(parse_qsl(unescape(link[1]))) if link else {}


def status(client, query):
    return client.get(reverse("web:export-csv", args=["pacientes"]), query).status_code


def seen(manager):
    log = PatientAccess.objects.filter(page="web:export-csv", user=manager)
    return sorted(log.values_list("patient", flat=True))


def absent(doctor, reason):
    starts_at = next_monday(doctor.clinic) - timedelta(hours=12)
    ends_at = starts_at + timedelta(days=2)
    Absence.objects.create(clinic=doctor.clinic, doctor=doctor, reason=reason, starts_at=starts_at, ends_at=ends_at)


def test_what_is_pending_is_a_file_with_its_cause(client, manager):
    doctor = make_doctor(manager.clinic, name="Dra. Helena Prado")
    patient = make_patient(manager.clinic, name="=cmd|x")
    visit = book_appointment(doctor, patient=patient.pk)
    other = book_appointment(make_doctor(manager.clinic))
    make_manager(make_clinic())
    absent(doctor, "congresso")
    record_not_reached(visit.pk, clinic=manager.clinic, by=BY)
    heading, *rows = cells(client, "pendencias")
    assert heading[-2:] == ["Motivo", "Ligações sem resposta"]
    assert [(row[4], row[-2], row[-1]) for row in rows] == [("'=cmd|x", "Dra. Helena Prado ausente (congresso)", "1")]
    assert other.patient.display_name not in str(rows) and seen(manager) == [patient.pk]
    assert "/exportar/pendencias.xlsx" in client.get(reverse("web:pending-list")).text


def test_memos_are_a_file_with_the_filters_of_their_page(client, manager):
    clinic, rita = manager.clinic, make_user(manager.clinic, name="Rita")
    patient = make_patient(clinic, name="Ana Lima")
    call = MemoDetails("call", "=Zilda", "+5581981231212", "+orçamento", recipient_id=rita.pk)
    write_memo(clinic, call, key=uuid4(), by=manager)
    about = MemoDetails("note", text="traz exames", patient_id=patient.pk, recipient_id=manager.pk)
    write_memo(clinic, about, key=uuid4(), by=rita)
    done = write_memo(clinic, MemoDetails("note", text="feito ontem"), key=uuid4(), by=rita)
    finish_memo(done.pk, clinic=clinic, by=manager, now=timezone.now() - timedelta(days=1))
    write_memo(make_clinic(), MemoDetails("note", text="de outra"), key=uuid4(), by=make_user())
    heading, *rows = cells(client, "recados")
    assert [row[:4] for row in rows] == [
        ["Ligar de volta", "'=Zilda", "(81) 98123-1212", "'+orçamento"],
        ["Recado", "", "", "traz exames"],
    ]
    assert rows[1][6:9] == ["Ana Lima", str(manager), "Rita"] and len(heading) == len(rows[0])
    assert seen(manager) == [patient.pk]
    assert [row[3] for row in cells(client, "recados", meus="1")[1:]] == ["traz exames"]
    [row] = cells(client, "recados", feitos="1")[1:]
    assert (row[3], row[-2]) == ("feito ontem", str(manager))
    page = client.get(reverse("web:memo-list"), {"feitos": "1"}).text
    assert "/exportar/recados.csv?feitos=1" in page


def test_a_file_of_memos_has_more_than_a_page(client, manager):
    for number in range(3):
        write_memo(manager.clinic, MemoDetails("note", text=f"n.º {number}"), key=uuid4(), by=manager)
    assert len(memos.to_do(manager.clinic, timezone.now(), most=2)) == 2
    assert len(cells(client, "recados")) == 1 + 3


def test_found_patients_are_a_file(client, manager):
    payer = make_payer(manager.clinic)
    found = [make_patient(manager.clinic, name=f"Zulmira {name}", payer=payer) for name in ("Reis", "Alves")]
    make_patient(manager.clinic, name="Rui Prado")
    make_patient(make_clinic(), name="Zulmira Outra")
    query = search(client, "zulmira")
    assert query.keys() == {"busca", "texto"} and "zulmira" not in str(query)
    rows = cells(client, "pacientes", **query)
    assert [row[0] for row in rows[1:]] == ["Zulmira Alves", "Zulmira Reis"]
    assert seen(manager) == sorted(patient.pk for patient in found)
    assert len(cells(client, "pacientes")) == 1 + 3
    named = client.get(reverse("web:export-csv", args=["pacientes"]), query)["Content-Disposition"]
    assert "pacientes-encontrados-" in named


def test_a_file_is_never_of_another_search(client, manager):
    make_patient(manager.clinic, name="Zulmira Reis")
    make_patient(manager.clinic, name="Rui Prado")
    query = search(client, "zulmira")
    other = search(client, "rui")
    answer = client.get(reverse("web:export-workbook", args=["pacientes"]), query)
    assert answer.status_code == 409 and "A última busca já é outra" in answer.text
    assert status(client, query) == status(client, {"busca": "ultima"}) == 409
    assert [row[0] for row in cells(client, "pacientes", **other)[1:]] == ["Rui Prado"]
    assert search(client, "   ") == {}
    assert status(client, other) == status(client, {"busca": "ultima"}) == 404


def test_found_patients_are_for_managers_alone(client):
    user = make_user(may_export=True)
    make_patient(user.clinic, name="Zulmira Reis")
    client.force_login(user)
    page = client.post(reverse("web:patient-list"), {"q": "zulmira"}, headers={"HX-Request": "true"}).text
    assert "Zulmira" in page and "/exportar/" not in page
    assert client.get(reverse("web:export-csv", args=["pacientes"]), {"busca": "ultima"}).status_code == 403


def test_a_file_of_found_patients_has_a_number_of_queries(manager, django_assert_max_num_queries):
    payer = make_payer(manager.clinic)
    for number in range(4):
        make_patient(manager.clinic, name=f"Zulmira {number}", payer=payer)
    with django_assert_max_num_queries(7):
        found = list(exported.searched(manager.clinic, "zulmira"))
        assert [patient.payer for patient in found] == [payer] * 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["csv", "workbook"])
def test_a_file_is_of_one_instant_while_rows_change(client, kind):
    """A recall of the first page is closed between the reading of the first page and of the second one: the second
    would begin one row later."""
    manager = make_manager()
    client.force_login(manager)
    visit = book_appointment(make_doctor(manager.clinic))
    today = manager.clinic.local(timezone.now()).date()
    rows = [
        Recall(
            clinic=manager.clinic, patient=visit.patient, appointment=visit, due_on=today, note=f"n.º {number}",
            procedure=make_procedure(manager.clinic),
        )
        for number in range(ROWS_A_PAGE + 5)
    ]  # fmt: skip
    first = Recall.objects.bulk_create(rows)[0]
    closed = []

    def close_after_the_first_page(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if "LIMIT" in sql and 'FROM "clinic_recall"' in sql and not closed:
            closed.append(sql)
            with another_connection(autocommit=True) as other:
                other.execute(
                    "UPDATE clinic_recall SET outcome = 'declined', closed_at = now() WHERE id = %s", [first.pk]
                )
        return result

    with connection.execute_wrapper(close_after_the_first_page):
        content = client.get(reverse(f"web:export-{kind}", args=["retornos"])).content
    if kind == "csv":
        found = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    else:
        found = list(openpyxl.load_workbook(io.BytesIO(content)).active.values)
    assert closed and len({row[5] for row in found[1:]}) == len(found[1:]) == ROWS_A_PAGE + 5
    assert Patient.objects.count() == 1
