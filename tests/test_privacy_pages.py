"""The record of processing, the list for a breach, the book of incidents, and the retention job."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.urls import reverse
from django.utils import timezone

from clinic import retention
from clinic.access import api_keys
from clinic.booking import Author, reschedule
from clinic.models import DataRequest, Incident, Memo, PatientAccess, RetentionRun, SignIn, WaitingEntry
from clinic.queries import breach
from clinic.registry import request_deletion
from tests.factories import make_clinic, make_lisbon, make_manager, make_master, make_patient, make_user
from tests.web.patients import FINISHED, visit

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 13, tzinfo=UTC)


@pytest.fixture(params=[make_clinic, make_lisbon], ids=["recife", "lisboa"])
def clinic(request):
    return request.param()


# Breach --------------------------------------------------------------------------------------------------------------


def saw(clinic, patient, at, **fields):
    return PatientAccess.objects.create(
        clinic=clinic, patient=patient, at=at, **{"page": "web:patient-detail", "session": "abc"} | fields
    )


def query(clinic, since, until, **fields):
    local = [clinic.local(at) for at in (since, until)]
    days = {"de": f"{local[0]:%d/%m/%Y}", "ate": f"{local[1]:%d/%m/%Y}"}
    return days | {"de_hora": f"{local[0]:%H:%M}", "ate_hora": f"{local[1]:%H:%M}"} | fields


@time_machine.travel(NOW, tick=False)
def test_case_49_the_patients_a_session_saw(client, clinic):
    user, since = make_user(clinic, name="Rosa"), NOW - timedelta(hours=3)
    until = since + timedelta(minutes=40)
    seen, before, other, of_day = (make_patient(clinic, name=f"Zulmira {word}") for word in ("A", "B", "C", "D"))
    saw(clinic, seen, since + timedelta(minutes=5), user=user)
    saw(clinic, seen, since + timedelta(minutes=9), user=user, page="web:patient-edit")
    saw(clinic, before, since - timedelta(minutes=1), user=user)
    saw(clinic, other, since + timedelta(minutes=5), user=user, session="xyz")
    booked = visit(of_day, days=1)
    day = clinic.local(booked.starts_at).date()
    booked.__class__.objects.filter(pk=booked.pk).update(created_at=since - timedelta(days=1))
    saw(clinic, None, since + timedelta(minutes=7), user=user, day=day, page="web:agenda-day")
    saw(make_clinic(), make_patient(), since + timedelta(minutes=5), user=user)

    client.force_login(make_manager(clinic))
    asked = query(clinic, since, until, pessoa=user.pk, sessao="abc")
    page = client.get(reverse("web:privacy-breach"), asked).text
    assert re.search("2 (pacientes|utentes)", page) and "Zulmira A" in page and "Zulmira D" in page
    assert "Zulmira B" not in page and "Zulmira C" not in page
    assert ("72 horas" if clinic.country == "PT" else "3 dias úteis") in page
    file = client.get(reverse("web:privacy-breach-file"), asked)
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert len(lines) == 3 and lines[1].startswith("Zulmira A;") and "ficha" in lines[1]


@time_machine.travel(NOW, tick=False)
def test_who_was_moved_away_from_a_day_since_was_seen_on_it(clinic):
    seen, earlier = make_patient(clinic, name="Zulmira A"), make_patient(clinic, name="Zulmira B")
    user, by = make_user(clinic), Author(channel="command", credential="tests")
    booked, moved = visit(seen, days=1), visit(earlier, days=1)
    day, at = clinic.local(booked.starts_at).date(), NOW - timedelta(hours=1)
    booked.__class__.objects.update(created_at=NOW - timedelta(days=1))
    for row, now in ((moved, at - timedelta(hours=1)), (booked, NOW)):
        starts_at = row.starts_at + timedelta(days=1)
        reschedule(row.pk, clinic=clinic, doctor=row.doctor_id, starts_at=starts_at, by=by, now=now)
    saw(clinic, None, at, user=user, day=day, page="web:agenda-day")
    found = breach.exposed(clinic, breach.Asked(NOW - timedelta(hours=2), NOW, user=user.pk))
    assert [row.patient for row in found] == [seen]


def test_what_a_program_saw(client, clinic):
    robot, person = make_patient(clinic, name="Zulmira A"), make_patient(clinic, name="Zulmira B")
    now = timezone.now()
    saw(clinic, robot, now - timedelta(minutes=5), credential="robô", page="GET /v1/patients")
    saw(clinic, person, now - timedelta(minutes=5))
    client.force_login(make_manager(clinic))
    asked = query(clinic, now - timedelta(hours=1), now + timedelta(minutes=1), programa="robô")
    page = client.get(reverse("web:privacy-breach"), asked).text
    assert "Zulmira A" in page and "Zulmira B" not in page


@pytest.mark.parametrize(
    "wrong", [{"de": "31/02/2026"}, {"ate_hora": ""}, {"de": "30/11/2026", "ate": "29/11/2026"}, {"de": "01/01/2020"}]
)
def test_a_wrong_time_gets_a_sentence(client, clinic, wrong):
    client.force_login(make_manager(clinic))
    asked = {"de": "29/11/2026", "de_hora": "08:00", "ate": "30/11/2026", "ate_hora": "09:00"} | wrong
    for view in ("privacy-breach", "privacy-breach-file"):
        assert client.get(reverse(f"web:{view}"), asked).status_code == 422


@pytest.mark.parametrize(
    ("known", "day"),
    [
        (datetime(2026, 11, 30, 13, tzinfo=UTC), date(2026, 12, 3)),  # Monday
        (datetime(2026, 12, 23, 13, tzinfo=UTC), date(2026, 12, 29)),  # Christmas is a Friday
        (datetime(2026, 11, 27, 13, tzinfo=UTC), date(2026, 12, 2)),  # over a weekend
    ],
)
def test_three_working_days_leave_holidays_out(known, day):
    clinic = make_clinic()
    assert breach.deadline(clinic, known) == clinic.day(day)[1]
    assert breach.deadline(make_lisbon(), known) == known + timedelta(hours=72)


# The book ------------------------------------------------------------------------------------------------------------


def test_the_book_takes_entries_and_loses_none(client, clinic):
    client.force_login(make_manager(clinic))
    address, day = reverse("web:privacy-incidents"), f"{clinic.local(timezone.now()):%d/%m/%Y}"
    entry = {"day": day, "hour": "00:00", "text": "senha num papel", "affected": "2"}
    assert client.post(address, entry | {"text": ""}).status_code == 422
    assert client.post(address, entry | {"day": "01/01/2100"}).status_code == 422
    assert client.post(address, entry).status_code == 302
    first = Incident.objects.get()
    assert client.post(address, entry | {"about": first.pk, "text": "senha trocada"}).status_code == 302
    page = client.get(address).text
    assert "senha num papel" in page and "senha trocada" in page and "2 pessoas afetadas" in page
    stranger = Incident.objects.create(
        clinic=make_clinic(), known_at=timezone.now(), text="outro", written_by=make_user()
    )
    assert client.post(address, entry | {"about": stranger.pk}).status_code == 422


@pytest.mark.parametrize("statement", ["UPDATE clinic_incident SET text = ''", "DELETE FROM clinic_incident"])
def test_no_entry_is_rewritten(clinic, statement):
    Incident.objects.create(clinic=clinic, known_at=timezone.now(), text="x", written_by=make_user(clinic))
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# The record ----------------------------------------------------------------------------------------------------------


def test_the_record_names_who_gets_data_and_the_law(client, clinic):
    master = make_master(clinic)
    scopes = {"scopes": ["patients:read"], "source": "voice_ai", "is_live": True}
    api_keys.create(clinic, name="robô de voz", **scopes, by=master, channel="command")
    client.force_login(master)
    page = client.get(reverse("web:privacy-record")).text
    assert "robô de voz" in page
    law, other = ("RGPD", "LGPD") if clinic.country == "PT" else ("LGPD", "RGPD")
    assert law in page and other not in page.replace("privacy", "")


def test_what_the_clinic_writes_stands_in_both_texts(client, clinic):
    client.force_login(make_manager(clinic))
    written = {"officer_name": "Rita Dias", "officer_contact": "rita@example.org", "records_kept_years": "7"}
    assert client.post(reverse("web:privacy-record"), written).status_code == 302
    for view in ("privacy-record", "privacy-notice"):
        assert "Rita Dias" in client.get(reverse(f"web:{view}")).text
    years = "7 anos" if clinic.country == "PT" else "20 anos"
    assert years in client.get(reverse("web:privacy-notice")).text


def test_the_desk_reads_none_of_it(client, clinic):
    client.force_login(make_user(clinic))
    for view in ("record", "notice", "terms", "incidents", "breach", "breach-file", "request-list"):
        assert client.get(reverse(f"web:privacy-{view}")).status_code == 403


# Retention -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def old(clinic):
    """A row of every kind whose term is over, and one whose term is not."""
    user, patient = make_user(clinic), make_patient(clinic)
    with time_machine.travel(NOW - timedelta(days=366 * 25), tick=False):
        gone = make_patient(clinic, name="Zulmira Antiga")
        visit(gone, days=-2, status=FINISHED)
        request_deletion(gone.pk, clinic=clinic, reason="pedido", by=Author(channel="command"))
    for years in (3, 1):
        at = NOW - timedelta(days=366 * years)
        saw(clinic, patient, at)
        Memo.objects.create(clinic=clinic, kind="note", text="x", written_by=user, done_by=user, done_at=at)
        WaitingEntry.objects.create(clinic=clinic, patient=patient, note="x", outcome="withdrawn", closed_at=at)
        SignIn.objects.create(user=user, at=at + timedelta(days=1))
    return clinic


def test_the_terms_are_those_by_which_rows_are_deleted(client, clinic, settings):
    settings.STORED_ANSWER_DAYS = 89
    client.force_login(make_manager(clinic))
    page = client.get(reverse("web:privacy-terms")).text
    shown = [text.split(": ")[-1] for text in re.findall("<li>([^<]+)</li>", page)]
    assert shown[1:7] == [
        "2 anos",
        "12 meses",
        "12 meses depois de feitos",
        "2 anos depois de fechado o pedido",
        "89 dias",
        "30 dias",
    ]


@time_machine.travel(NOW, tick=False)
def test_what_is_due_is_shown_and_nothing_else_goes(client, old):
    due = {"accesses": 1, "sign_ins": 1, "memos": 1, "waiting_notes": 1, "blocked": 1}
    assert retention.preview(old) == due
    assert PatientAccess.objects.count() == 2
    user = make_manager(old)
    client.force_login(user)
    assert client.post(reverse("web:privacy-terms")).status_code == 302
    run = RetentionRun.objects.get()
    assert (run.done, run.user) == (due, user)
    assert not any(retention.preview(old).values())
    assert (PatientAccess.objects.filter(page="web:patient-detail").count(), Memo.objects.count()) == (1, 1)
    request = DataRequest.objects.get()
    assert (request.outcome, request.kept) == ("anonymised", {})


@time_machine.travel(NOW, tick=False)
def test_another_clinic_keeps_its_own(old):
    assert not any(retention.apply(make_clinic(), Author(channel="command")).done.values())
    assert PatientAccess.objects.count() == 2


@time_machine.travel(NOW, tick=False)
def test_a_command_shows_first_and_then_does(old, capsys):
    call_command("apply_retention", "--clinic", old.slug, "--preview")
    assert "accesses: 1" in capsys.readouterr().out and not RetentionRun.objects.exists()
    call_command("apply_retention", "--clinic", old.slug)
    assert RetentionRun.objects.get().credential == "apply_retention"
