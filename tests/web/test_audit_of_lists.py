"""Auditoria: the waiting list, recalls and memos, with their words, filters and files."""

import csv
from datetime import date, time, timedelta
from importlib import import_module
from io import StringIO
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clinic.access import staff_links
from clinic.booking import (
    Author,
    RecallWish,
    WaitingWish,
    change_waiting,
    close_recall,
    merge_patients,
    note_declined,
    postpone_recall,
    put_on_waiting_list,
    reopen_recall,
    withdraw_waiting,
    write_recall,
)
from clinic.booking.waiting_list import OfferedTime
from clinic.models import Memo, PatientAccess, RowChange, StaffLink
from clinic.queries import audit
from clinic.queries.audit import Wanted, as_text, entries
from clinic.registry import (
    MemoDetails,
    finish_memo,
    redact_patient,
    reopen_memo,
    request_deletion,
    write_memo,
)
from tests.booking.desk import open_desk
from tests.factories import make_clinic, make_manager, make_patient, make_user
from tests.web.patients import FINISHED, visit

pytestmark = pytest.mark.django_db
INDEX = reverse("web:audit")
MIGRATION = import_module("clinic.migrations.0092_memos_noted")
SECRET = "Zika na gravidez"


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def rita(desk):
    return make_user(desk.clinic, name="Rita Recepção")


@pytest.fixture
def by(rita):
    return Author("browser", user=rita)


def found(desk, kind="", **filters):
    return entries(Wanted(desk.clinic, kind=kind, **filters))[0]


def told(entry):
    return [(change.label, change.before, change.after) for change in entry.changes]


def put(desk, by, **wish):
    wish = WaitingWish(**{"procedures": [desk.procedure.pk], "note": SECRET} | wish)
    return put_on_waiting_list(desk.patient.pk, wish, clinic=desk.clinic, by=by, now=desk.now)


def recall(desk, by, patient=None):
    at = visit(patient or desk.patient, days=-1, status=FINISHED)
    wish = RecallWish(
        due_on=desk.clinic.local(timezone.now()).date() + timedelta(days=2),
        procedure=at.lines.get().procedure_id,
        doctor=at.doctor_id,
        note=SECRET,
    )
    return write_recall(at.pk, wish, clinic=desk.clinic, by=by)


def note(desk, by, **details):
    return write_memo(desk.clinic, MemoDetails("note", text=SECRET, **details), key=uuid4(), by=by.user)


def test_the_waiting_list_says_from_what_to_what(desk, by):
    entry = put(desk, by, doctors=[desk.doctor.pk])
    wish = WaitingWish(procedures=[desk.procedure.pk], weekdays=[2], is_urgent=True, note="")
    change_waiting(entry.pk, wish, clinic=desk.clinic, by=by, seen=entry.version, now=desk.at(8))
    times = [OfferedTime(desk.doctor.pk, desk.at(10))]
    note_declined(entry.pk, times, clinic=desk.clinic, by=by, now=desk.at(9))
    withdraw_waiting(entry.pk, clinic=desk.clinic, by=by, now=desk.at(10), seen=None)
    withdrawn, declined, changed, put_on = found(desk, "espera")
    kinds = [each.kind for each in (put_on, changed, declined, withdrawn)]
    assert kinds == [
        "Fila de espera: posto na fila de espera",
        "Fila de espera: pedido alterado",
        "Fila de espera: não quis o horário",
        "Fila de espera: retirado da fila de espera",
    ]
    assert told(put_on) == [
        ("procedimentos", "", "Consulta"),
        ("médico(a)", "", "Dra. Helena Prado"),
        ("observações", "", SECRET),
    ]
    assert told(changed) == [
        ("médico(a)", "Dra. Helena Prado", "vazio"),
        ("dias", "", "Terça-feira"),
        ("urgente", "", "sim"),
        ("observações", SECRET, "vazio"),
    ]
    assert told(declined) == [("horário oferecido", "", "23/11/2026 10:00, Dra. Helena Prado")]
    assert told(withdrawn) == []
    assert {(each.about, each.who, each.channel) for each in found(desk, "espera")} == {
        (desk.patient.display_name, "Rita Recepção", "Tela")
    }


def test_recalls_say_from_what_to_what(desk, by):
    row = recall(desk, by)
    later = row.due_on + timedelta(days=7)
    postpone_recall(row.pk, later, clinic=desk.clinic, by=by, seen=None)
    close_recall(row.pk, "declined", clinic=desk.clinic, by=by, seen=None)
    reopen_recall(row.pk, clinic=desk.clinic, by=by, seen=None)
    reopened, closed, postponed, written = found(desk, "retorno")
    assert told(written)[2:] == [("data", "", f"{row.due_on:%d/%m/%Y}"), ("observações", "", SECRET)]
    assert told(postponed) == [("data", f"{row.due_on:%d/%m/%Y}", f"{later:%d/%m/%Y}")]
    assert told(closed) == [("resultado", "", "não quer")]
    assert told(reopened) == [("resultado", "não quer", "vazio")]
    assert [each.kind for each in (written, reopened)] == ["Retorno: anotado", "Retorno: de volta à lista"]
    assert written.page == ("web:patient-detail", desk.patient.pk)


def test_what_is_done_with_a_memo_is_noted(client, desk, by):
    client.force_login(by.user)
    paula = make_user(desk.clinic, name="Paula")
    typed = {"kind": "note", "text": SECRET, "recipient": paula.pk, "key": uuid4(), "day": "23/11/2030"}
    assert client.post(reverse("web:memo-add"), typed).status_code == 302
    memo = Memo.objects.get()
    client.post(reverse("web:memo-done", args=[memo.pk]))
    seen = Memo.objects.get().done_at.isoformat()
    client.post(reverse("web:memo-undo", args=[memo.pk]), {"seen": seen})
    reopened, done, written = found(desk, "recado")
    assert [each.kind for each in (written, done, reopened)] == ["Recado: escrito", "Recado: feito", "Recado: reaberto"]
    assert told(written) == [("data", "", "23/11/2030"), ("para quem", "", "Paula")]
    assert told(done) == told(reopened) == []
    assert {(each.who, each.channel) for each in (written, done, reopened)} == {("Rita Recepção", "Tela")}
    assert not any("Recado" in each.kind for each in found(desk, "dados"))


def test_no_text_of_a_memo_is_noted(desk, by):
    details = MemoDetails("call", "Zulmira", "+5581981231212", SECRET, patient_id=desk.patient.pk)
    write_memo(desk.clinic, details, key=uuid4(), by=by.user)
    redact_patient(desk.patient.pk, clinic=desk.clinic, by=by, reason="pedido")
    changes = list(RowChange.objects.filter(table="memo"))
    assert len(changes) == 1  # blanking a text is no change
    for change in changes:
        assert not {"name", "phone", "text"} & (change.before.keys() | change.after.keys())


def test_a_memo_that_is_gone_still_has_its_acts(desk, by):
    memo = note(desk, by)
    Memo.objects.filter(pk=memo.pk).delete()
    assert [each.kind for each in found(desk, "recado")] == ["Recado: apagado", "Recado: escrito"]


def test_memos_of_before_have_what_their_row_says(desk, by):
    paula = make_user(desk.clinic, name="Paula")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE clinic_memo DISABLE TRIGGER memo_note_row")
        old = note(desk, by, patient_id=desk.patient.pk)
        finish_memo(old.pk, clinic=desk.clinic, by=paula, now=timezone.now() + timedelta(hours=1))
        note(desk, by)
        assert found(desk, "recado") == []
        cursor.execute(MIGRATION.BEFORE)
        cursor.execute("ALTER TABLE clinic_memo ENABLE TRIGGER memo_note_row")
    shown = [(each.kind, each.about, each.who) for each in found(desk, "recado")]
    assert shown[0] == ("Recado: feito", desk.patient.display_name, "Paula")
    assert sorted(shown[1:]) == [
        ("Recado: escrito", "", "Rita Recepção"),
        ("Recado: escrito", desk.patient.display_name, "Rita Recepção"),
    ]
    assert SECRET not in str([(row.before, row.after) for row in RowChange.objects.filter(table="memo")])


def test_filters_of_the_lists(desk, by):
    put(desk, by)
    recall(desk, by)
    memo = note(desk, by)
    done = finish_memo(memo.pk, clinic=desk.clinic, by=by.user)
    reopen_memo(memo.pk, clinic=desk.clinic, seen=done.done_at)
    other = make_user(desk.clinic)
    assert (
        len(found(desk, "espera.put")) == len(found(desk, "retorno.written")) == len(found(desk, "recado.added")) == 1
    )
    assert len(found(desk, "recado.changed")) == 2
    assert found(desk, "espera.changed") == found(desk, "retorno.closed") == []
    names = ("espera", "retorno")
    assert [len(found(desk, name, user=by.user.pk)) for name in names] == [1, 1]
    assert [len(found(desk, name, user=other.pk)) for name in names] == [0, 0]
    assert [len(found(desk, name, channel="mivicall")) for name in names] == [0, 0]
    assert [len(found(desk, name, credential="robô")) for name in (*names, "recado")] == [0, 0, 0]
    until = desk.at(0)
    assert found(desk, "espera", until=until) == []
    everything = {"doctor": desk.doctor.pk}
    assert not any(each.kind.startswith(("Fila", "Retorno", "Recado")) for each in found(desk, **everything))
    assert not any(each.kind.startswith(("Fila", "Retorno", "Recado")) for each in found(desk, status="cancelled"))
    for _label, group in audit.kinds():
        for value, _name in group:
            found(desk, value)


def test_pages_show_every_act_of_the_lists_once(desk, by):
    put(desk, by)
    recall(desk, by)
    for _ in range(5):
        note(desk, by)
    seen, before = [], None
    while True:
        rows, before = entries(Wanted(desk.clinic), before=before, limit=2)
        seen += [each.kind for each in rows]
        if before is None:
            break
    assert [seen.count(kind) for kind in ("Recado: escrito", "Retorno: anotado")] == [5, 1]
    assert sum(kind.startswith("Fila de espera") for kind in seen) == 1


def test_the_page_and_the_file_have_them(client, desk, by):
    put(desk, by)
    recall(desk, by)
    note(desk, by, patient_id=desk.patient.pk)
    client.force_login(make_manager(desk.clinic))
    page = client.get(INDEX).text
    for kind in ("Fila de espera: posto", "Retorno: anotado", "Recado: escrito"):
        assert kind in page
    assert "Só agendamentos e configuração têm médico(a)." in page
    table = client.get(reverse("web:audit-table"), {"tipo": "espera"}).content.decode("utf-8-sig")
    [_head, row] = csv.reader(StringIO(table), delimiter=";")
    assert row[3] == f"procedimentos: Consulta; observações: {SECRET}" and row[4] == "Rita Recepção"
    assert f"procedimentos: Consulta; observações: {SECRET}" == as_text(found(desk, "espera")[0])


@pytest.mark.parametrize("kind", ["espera", "retorno", "recado"])
def test_who_is_named_by_a_list_is_in_the_access_log(client, desk, by, kind):
    {"espera": put, "retorno": recall, "recado": lambda *each: note(*each, patient_id=desk.patient.pk)}[kind](desk, by)
    manager = make_manager(desk.clinic)
    client.force_login(manager)
    client.get(INDEX, {"tipo": kind})
    assert list(PatientAccess.objects.filter(user=manager).values_list("patient", flat=True)) == [desk.patient.pk]
    client.force_login(make_manager(make_clinic()))
    assert desk.patient.display_name not in client.get(INDEX, {"tipo": kind}).text


def test_of_a_blocked_patient_only_the_act_is_said(desk, by):
    patient = make_patient(desk.clinic, name="Zulmira Quixabeira")
    recall(desk, by, patient)
    note(desk, by, patient_id=patient.pk, day=date(2030, 11, 23))
    wish = WaitingWish(procedures=[desk.procedure.pk], note=SECRET)
    put_on_waiting_list(patient.pk, wish, clinic=desk.clinic, by=by, now=desk.now)
    boss = Author("browser", user=make_manager(desk.clinic))
    request_deletion(patient.pk, clinic=desk.clinic, reason="pedido da Zulmira", by=boss)
    for kind in ("espera", "retorno", "recado"):
        rows = found(desk, kind)
        assert rows, kind
        assert {row.page for row in rows} == {None} and "Quixabeira" not in str(rows) and SECRET not in str(rows)
        assert not any(row.changes for row in rows)


def test_a_memo_that_goes_over_to_the_kept_is_no_act(desk, by):
    kept, merged = make_patient(desk.clinic), make_patient(desk.clinic)
    memo = note(desk, by, patient_id=merged.pk)
    merge_patients(kept.pk, merged.pk, clinic=desk.clinic, by=by, sides={})
    memo.refresh_from_db()
    assert memo.patient == kept and RowChange.objects.filter(table="memo").count() == 2
    assert [each.kind for each in found(desk, "recado")] == ["Recado: escrito"]
    for column, value in {"day": date(2030, 11, 23), "hour": time(9), "recipient": by.user}.items():
        setattr(memo, column, value)
        memo.save()
    assert len(found(desk, "recado.changed")) == 3


def test_a_purged_link_is_no_act(desk):
    now = timezone.now()
    used, withdrawn, still_open = (
        staff_links.invite(desk.clinic, by=None, name=name)[0] for name in ("Ana", "Bia", "Caio")
    )
    StaffLink.objects.filter(pk=used.pk).update(used_at=now - timedelta(days=31))
    StaffLink.objects.filter(pk=withdrawn.pk).update(revoked_at=now - timedelta(days=31))
    assert staff_links.forget(now) == 2
    still_open.delete()
    for kind in ("dados", "dados.stafflink"):
        acts = [row for entry in found(desk, kind) for row in (entry, *entry.rows) if row.kind.startswith("Link")]
        assert [row.about for row in acts if row.kind.endswith("remoção")] == ["Caio"]
    assert RowChange.objects.filter(table="stafflink", act="removed").count() == 3


def test_a_table_of_a_later_version_has_its_name(desk):
    RowChange.objects.create(
        clinic=desk.clinic, table="parking", row=1, act="added", channel="command", transaction=1, after={"name": "A1"}
    )
    [entry] = found(desk, "dados.parking")
    assert (entry.kind, entry.about, told(entry)) == ("Parking: inclusão", "A1", [("name", "", "A1")])
