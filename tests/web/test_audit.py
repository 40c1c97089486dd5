"""Auditoria: what everybody did, in one list by time; its filters, its pages, its files, and who is let in."""

import csv
from datetime import timedelta
from io import BytesIO, StringIO
from urllib.parse import quote

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from clinic.booking import Author, change_status, reschedule
from clinic.models import AppointmentEvent, ClinicEvent, Doctor, PatientAccess
from clinic.queries import audit
from clinic.queries.audit import Wanted, entries
from clinic.registry import change_patient
from clinic.web.audit.forms import position_of, written_position
from tests.booking.desk import BY, open_desk
from tests.factories import (
    make_clinic,
    make_doctor,
    make_doctor_user,
    make_manager,
    make_master,
    make_patient,
    make_procedure,
    make_user,
    next_monday,
)

pytestmark = pytest.mark.django_db
INDEX = reverse("web:audit")
FILES = [reverse("web:audit-workbook"), reverse("web:audit-table")]


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def manager(desk, client):
    manager = make_manager(desk.clinic, name="Marta Gestora")
    client.force_login(manager)
    return manager


def cancel(desk, appointment, by=BY, now=None):
    return change_status(
        appointment.pk, "cancelled", clinic=desk.clinic, by=by, cancelled_by="patient", reason="viagem", now=now
    )


def kinds_of(found):
    return [entry.kind for entry in found]


def of(desk, **filters):
    return entries(Wanted(desk.clinic, **filters))[0]


@pytest.mark.parametrize("address", [INDEX, *FILES])
def test_only_managers_and_masters_are_let_in(desk, client, address):
    for make, status in ((make_user, 403), (make_doctor_user, 403), (make_manager, 200), (make_master, 200)):
        client.force_login(make(desk.clinic))
        assert client.get(address).status_code == status, make


def test_who_cancelled_what_last_week_is_one_look(desk, client, manager):
    rita = make_user(desk.clinic, name="Rita Recepção")
    appointment = desk.book(now=timezone.now() - timedelta(days=3), starts_at=next_monday(desk.clinic))
    cancel(desk, appointment, Author("browser", user=rita), now=timezone.now())
    page = client.get(INDEX, {"situacao": "cancelled", "dias": "7"}).text
    assert "De Agendado para Cancelado" in page and "Rita Recepção" in page and "viagem" in page
    assert reverse("web:appointment-detail", args=[appointment.pk]) in page
    assert "Agendado para 0" not in page and "Agendado para 1" not in page


def test_everything_is_in_one_list_by_time(desk, client, manager):
    appointment = desk.book(now=timezone.now(), starts_at=next_monday(desk.clinic))
    change_patient(desk.patient.pk, {"email": "rosa@example.com"}, clinic=desk.clinic, by=BY)
    procedure = make_procedure(desk.clinic, name="ECG", price="95.00")
    typed = {"name": "ECG", "price": "110,00", "duration_minutes": "30", "active": "on", "code": "", "preparation": ""}
    client.post(reverse("admin:clinic_procedure_change", args=[procedure.pk]), typed)
    found = of(desk)
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)
    assert found[0].kind == "Procedimento: alteração"
    assert (found[0].about, found[0].who, found[0].channel) == ("ECG", "Marta Gestora", "Administração")
    assert [(c.label, c.before, c.after) for c in found[0].changes] == [("preço", "95,00", "110,00")]
    rows = [row.kind for entry in found for row in entry.rows]  # of the test's one transaction
    assert {"Agendado", "Paciente: alterado"} <= set(kinds_of(found)) and "Procedimento: inclusão" in rows
    assert f"{appointment.patient.display_name}" in client.get(INDEX).text


def test_a_doctor_is_found_before_and_after_a_move(desk):
    other = desk.another_doctor()
    appointment = desk.book()
    reschedule(appointment.pk, clinic=desk.clinic, doctor=other.pk, starts_at=desk.at(10), by=BY, now=desk.now)
    cancel(desk, appointment, now=desk.now)
    of_appointments = {"kind": "visita"}
    assert kinds_of(of(desk, doctor=desk.doctor.pk, **of_appointments)) == ["Remarcado", "Agendado"]
    assert kinds_of(of(desk, doctor=other.pk, **of_appointments)) == ["Situação alterada", "Remarcado"]


def test_a_move_within_one_doctors_day_is_one_entry(desk):
    appointment = desk.book()
    reschedule(appointment.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(10), by=BY, now=desk.now)
    assert kinds_of(of(desk, doctor=desk.doctor.pk, kind="visita")) == ["Remarcado", "Agendado"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"kind": "visita.booked"}, {"Agendado"}),
        ({"kind": "visita", "channel": "command"}, {"Agendado", "Situação alterada"}),
        ({"channel": "mivicall"}, set()),
        ({"credential": "tests"}, {"Agendado", "Situação alterada"}),
        ({"status": "cancelled"}, {"Situação alterada"}),
        ({"status": "finished"}, set()),
        ({"kind": "dados.payer"}, set()),
    ],
)
def test_filters(desk, filters, expected):
    cancel(desk, desk.book(), now=desk.now)
    assert set(kinds_of(of(desk, **filters))) == expected


def test_the_rows_of_one_transaction_are_one_entry(desk, client, manager):
    doctor = make_doctor(desk.clinic, name="Lia Prado")
    first, second = make_procedure(desk.clinic, name="ECG"), make_procedure(desk.clinic, name="Mapa")
    doctor.procedures.add(first, second)
    [entry] = [entry for entry in of(desk, kind="dados.doctor_procedures") if "Lia Prado" in entry.about]
    rows = [entry, *entry.rows]
    assert {"Lia Prado, ECG", "Lia Prado, Mapa"} <= {row.about for row in rows}


def test_hours_are_said_once_and_in_words(desk, client, manager):
    address = reverse("admin:clinic_doctor_week", args=[desk.doctor.pk])
    form = client.get(address).context["form"]
    assert form is not None
    ClinicEvent.objects.create(
        clinic=desk.clinic, kind="delay", channel="browser", user=manager, before={},
        after={"doctor": desk.doctor.pk, "doctor_name": "Dra. Ana", "minutes": 20, "day": "2026-11-30"},
    )  # fmt: skip
    [entry] = of(desk, kind="clinica")
    assert "Dra. Ana, 20 min" in entry.what
    assert of(desk, kind="clinica", doctor=desk.doctor.pk) == [entry]
    assert of(desk, kind="clinica", doctor=desk.another_doctor().pk) == []


def test_pages_show_every_row_once(desk):
    at = timezone.now()
    appointment = desk.book(now=desk.now)
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(clinic=desk.clinic, appointment=appointment, doctor=desk.doctor, kind="not_reached", at=at,
                         channel="browser", credential=str(number))
        for number in range(60)
    )  # fmt: skip
    ClinicEvent.objects.bulk_create(
        ClinicEvent(clinic=desk.clinic, kind="delay", at=at, channel="browser", credential=str(number), before={},
                    after={"doctor_name": "Dra. Ana", "minutes": 5, "day": "2026-11-30"})
        for number in range(60)
    )  # fmt: skip
    seen, before = [], None
    while True:
        found, before = entries(Wanted(desk.clinic), before=before, limit=7)
        seen += [(entry.kind, entry.who) for entry in found for entry in (entry, *entry.rows)]
        if before is None:
            break
        assert position_of(written_position(before)) == before
    assert len([one for one in seen if one[0] == "Não atendeu o telefone"]) == 60
    assert len([one for one in seen if one[0] == "Atraso"]) == 60
    assert len(set(seen)) >= 120


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "2026~1~2", "2026-11-30T10:00:00+00:00~1", "~~", f"{'9' * 99}~1~1"),
        "0001-01-01T00:00:00+14:00~1~1",  # before the first instant in UTC
    ],
)
def test_a_position_that_cannot_be_read_is_the_first_page(desk, client, manager, text):
    assert position_of(text) is None
    assert client.get(f"{INDEX}?antes={quote(text)}").status_code == 200


@pytest.mark.parametrize(
    "query", ["tipo=x", "situacao=x", "medico=0", "medico=x", "quem=u99999", "quem=k1", "quem=", "via=x", "dias=x"]
)
def test_an_unknown_filter_is_none(desk, client, manager, query):
    desk.book()
    assert client.get(f"{INDEX}?{query}").context["entries"]


def test_wrong_dates_are_named(desk, client, manager):
    page = client.get(INDEX, {"de": "30/11/2026", "ate": "01/11/2026"}).text
    assert "Esta data vem antes da primeira" in page
    assert "Esta data não existe" in client.get(INDEX, {"de": "31/02/2026"}).text


def test_dates_are_of_the_clinics_clock(desk):
    appointment = desk.book(now=desk.at(0, 30))
    day = desk.clinic.day(desk.at(9).date())
    assert kinds_of(of(desk, kind="visita", since=day[0], until=day[1])) == ["Agendado"]
    assert of(desk, kind="visita", until=day[0]) == []
    assert appointment.events.count() == 1


def test_another_clinics_rows_are_in_no_list(desk, client):
    desk.book()
    client.force_login(make_manager(make_clinic()))
    names = client.get(INDEX).text
    assert desk.patient.display_name not in names and desk.doctor.name not in names


def test_whose_name_was_shown_is_in_the_access_log(desk, client, manager):
    desk.book()
    before = PatientAccess.objects.filter(patient=desk.patient).count()
    client.get(INDEX, {"tipo": "visita"})
    assert PatientAccess.objects.filter(patient=desk.patient).count() == before + 1


def test_the_files_say_what_the_page_says(desk, client, manager):
    cancel(desk, desk.book(now=desk.now), now=desk.now)
    book = openpyxl.load_workbook(BytesIO(client.get(FILES[0], {"situacao": "cancelled"}).content))
    rows = list(book.worksheets[0].values)
    assert rows[0][:2] == ("Data e hora", "Tipo") and rows[1][1] == "Situação alterada" and len(rows) == 2
    table = client.get(FILES[1], {"situacao": "cancelled"}).content.decode("utf-8-sig")
    [_head, row] = csv.reader(StringIO(table), delimiter=";")
    assert row[3].startswith("De Agendado para Cancelado") and row[4:6] == ["tests", "Comando"]


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({"de": "01/11/2026", "ate": "20/11/2026"}, "01/11/2026 – 20/11/2026"),
        ({"de": "01/11/2026"}, "Desde 01/11/2026"),
        ({"ate": "20/11/2026"}, "Até 20/11/2026"),
        ({}, "Todas as datas"),
    ],
    ids=["both", "from", "until", "all"],
)
def test_a_file_says_which_dates_and_filters_were_asked(client, manager, dates, words):
    chosen = {"situacao": "cancelled", "tipo": "visita.booked", "quem": f"u{manager.pk}", "via": "browser"}
    book = openpyxl.load_workbook(BytesIO(client.get(FILES[0], chosen | dates).content))
    assert list(book.worksheets[1].values)[:5] == [
        ("Auditoria", words),
        ("Tipo", "Agendado"),
        ("Situação", "Cancelado"),
        ("Quem", "Marta Gestora"),
        ("Via", "Tela"),
    ]
    patient = make_patient(manager.clinic)
    seen = reverse("web:patient-seen-by-workbook", args=[patient.pk])
    book = openpyxl.load_workbook(BytesIO(client.get(seen, {"quem": manager.pk} | dates).content))
    first, who, limit = book.worksheets[1].values
    assert (first[1], who) == (words, ("Quem", "Marta Gestora")) and "10000" in limit[1]


def test_no_name_becomes_a_formula(desk, client, manager):
    Doctor.objects.filter(pk=desk.doctor.pk).update(name="=cmd|' /C calc'!A0")
    table = client.get(FILES[1], {"tipo": "dados.doctor"}).content.decode("utf-8-sig")
    assert not any(cell.startswith("=") for row in csv.reader(StringIO(table), delimiter=";") for cell in row)


def test_a_page_asks_no_more_for_more_rows(desk, client, manager):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            entries(Wanted(desk.clinic))
        return len(queries)

    cancel(desk, desk.book(now=desk.now), now=desk.now)
    few = asked()
    for hour in (8, 10, 11):
        cancel(
            desk,
            desk.book(patient=desk.another_patient().pk, starts_at=desk.at(hour), now=desk.now),
            now=desk.now,
        )
        make_procedure(desk.clinic)
    assert asked() <= few <= 15


@pytest.mark.parametrize("filtered", ["nothing", "doctor", "user", "credential", "channel", "status"])
def test_rows_of_all_sources_are_found_by_one_query(desk, manager, django_assert_num_queries, filtered):
    """In another clinic the same filters find none of them."""
    cancel(desk, desk.book(now=desk.now), now=desk.now)
    make_procedure(desk.clinic)
    value = {
        "doctor": desk.doctor.pk, "user": manager.pk, "credential": "tests", "channel": "command", "status": "cancelled"
    }  # fmt: skip
    chosen = {filtered: value[filtered]} if filtered != "nothing" else {}
    assert entries(Wanted(desk.clinic, **chosen))[0] or filtered == "user"
    empty = Wanted(make_clinic(), **chosen)
    with django_assert_num_queries(1):
        assert entries(empty) == ([], None)


# So many that all other indexes are dearer.
OTHER_CHANGES_SQL = """
    INSERT INTO clinic_rowchange
        (clinic_id, "table", row, act, at, channel, credential, transaction, before, after)
    SELECT %s, 'procedure', n, 'changed', now() - n * interval '1 minute', 'admin', '', n, '{"price": 1}',
        '{"price": 2}'
    FROM generate_series(1, 2000) AS n
"""


def test_changes_of_a_doctor_are_read_without_those_in_words(desk):
    """By indexes that leave out what is not shown: their condition has to be that of the list."""
    wanted = Wanted(desk.clinic, doctor=desk.doctor.pk)
    with connection.cursor() as cursor:
        cursor.execute(OTHER_CHANGES_SQL, [desk.clinic.pk])
        cursor.execute("ANALYZE clinic_rowchange")
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = audit._positions(wanted, None, 51).explain()
    indexes = [f"rowchange_{name}" for name in ("set_up_doctor_before", "set_up_doctor_after", "doctor_own_acts")]
    assert [index in plan for index in indexes] == [True, True, True], plan


def test_the_filters_offer_names_in_order_by_one_query(desk, django_assert_num_queries):
    doctors = [
        make_doctor(desk.clinic, name="Zilda Reis", title="a Dra."),
        make_doctor(desk.clinic, name="Álvaro Reis"),
    ]
    users = [make_user(desk.clinic, username="rita", name=""), make_user(desk.clinic, name="Rita Sales")]
    make_doctor(make_clinic(), name="Bento Reis")
    with django_assert_num_queries(1):
        choices = audit.choices_of(desk.clinic)
    assert list(choices.doctors.items())[-1] == (doctors[0].pk, "Dra. Zilda Reis")
    assert list(choices.doctors.items())[0] == (doctors[1].pk, "Álvaro Reis")
    assert "Bento Reis" not in choices.doctors.values()
    assert [choices.users[user.pk] for user in users] == ["rita", "Rita Sales"]


def test_the_kinds_are_named_in_the_language_of_the_page():
    names = []
    for language in ("pt-br", "pt-pt", "pt-br"):
        with override(language):
            names.append(dict(dict(audit.kinds())["Agendamentos" if language == "pt-br" else "Marcações"])["visita"])
    assert names == ["Todos os agendamentos", "Todas as marcações", "Todos os agendamentos"]


def test_every_kind_that_the_filter_offers_can_be_asked(desk):
    for _label, group in audit.kinds():
        for value, _name in group:
            entries(Wanted(desk.clinic, kind=value, doctor=desk.doctor.pk))


def test_who_made_a_link_of_the_display_is_said_in_words(desk, client, manager):
    client.post(reverse("web:display-create"), {"name": "Recepção"})
    [entry] = of(desk, kind="dados.displaylink")
    assert entry.kind == "Painel de chamada: inclusão"
    assert [(change.label, change.after) for change in entry.changes][-1] == ("criado por", "Marta Gestora")


def test_what_people_add_is_not_said_to_be_of_a_program(desk, client, manager):
    client.post(reverse("web:first-steps-procedimentos"), {"0-name": "Holter", "0-minutes": "30", "0-price": "90"})
    assert ClinicEvent.objects.get(kind="directory").channel == "browser"
    assert of(desk, kind="clinica") == []
    assert "Procedimento: inclusão" in kinds_of(of(desk))
