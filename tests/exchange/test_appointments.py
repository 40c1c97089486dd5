"""A spreadsheet of appointments: past ones as they were, future ones by the rules, and all of them taken back."""

import io
import threading
from datetime import time, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from clinic import booking, exchange
from clinic.exchange import ImportRefused, runs
from clinic.models import (
    Appointment,
    AppointmentEvent,
    ImportRow,
    ImportRun,
    Memo,
    Patient,
    PatientEvent,
    ProcedurePrice,
)
from clinic.queries.changes import EARLIEST, appointment_left_at, changed_appointments, settled_until
from clinic.refusals import Reason, Refused
from clinic.registry import Author, redact_patient
from tests.exchange.sheets import csv_bytes, ods_by_odfpy, xlsx_by_openpyxl, xlsx_by_xlsxwriter
from tests.exchange.test_patients import fates, taken_back, to_the_end
from tests.factories import (
    book_appointment,
    cpf,
    make_clinic,
    make_doctor,
    make_manager,
    make_patient,
    make_payer,
    make_procedure,
    next_monday,
)
from tests.locks import held

pytestmark = pytest.mark.django_db
HEADINGS = ["Data", "Hora", "Profissional", "Procedimento", "Paciente", "CPF", "Status", "Observações"]


@pytest.fixture
def clinic():
    return make_clinic(area_code="81", slug="nova")


@pytest.fixture
def by(clinic):
    return Author("browser", user=make_manager(clinic))


@pytest.fixture
def visit(clinic):
    procedure = make_procedure(clinic, name="Consulta", code="C1", duration_minutes=30, price=Decimal(200))
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[procedure], council_number="CRM-PE 4321")


@pytest.fixture
def ana(clinic):
    return make_patient(clinic, name="Ana Lima", cpf=cpf(1), phone="+5581912345671", birth_date="1980-01-02")


def checked(clinic, by, rows, headings=HEADINGS, content=None):
    file = io.BytesIO(csv_bytes([headings, *rows]) if content is None else content)
    run = exchange.stage(file, "agenda.csv", clinic=clinic, by=by, kind="appointments")
    run = exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=False, clinic=clinic)
    return to_the_end(run, clinic, by)


def imported(clinic, by, rows, headings=HEADINGS, content=None):
    run = checked(clinic, by, rows, headings, content)
    return to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)


def sentences(run):
    return [" ".join(row.sentences) for row in run.rows.order_by("number")]


def row(day="10/03/2025", clock="09:00", status="", doctor="Dra. Helena Prado", what="Consulta", number=1, notes=""):
    return [day, clock, doctor, what, "", cpf(number), status, notes]


def test_a_past_visit_is_stored_as_it_was(clinic, by, visit, ana):
    visit.active = False
    visit.save()
    procedure = visit.procedures.get()
    ProcedurePrice.objects.create(clinic=clinic, procedure=procedure, price=Decimal(90), valid_from="2025-01-01")
    run = imported(clinic, by, [row("09/03/2025", "22:00", "Atendido", notes="trouxe exames")])  # a Sunday night
    appointment = Appointment.objects.get()
    assert clinic.local(appointment.starts_at).isoformat()[:16] == "2025-03-09T22:00"
    assert appointment.ends_at - appointment.starts_at == timedelta(minutes=30)
    assert (appointment.status, appointment.patient, appointment.doctor_name) == ("finished", ana, "Dra. Helena Prado")
    assert (appointment.notes, appointment.status_since) == ("trouxe exames", appointment.starts_at)
    assert appointment.lines.get().price == Decimal(90)
    event = AppointmentEvent.objects.get()
    assert (event.kind, event.channel, event.user, event.after["status"]) == ("booked", "browser", by.user, "finished")
    assert event.after["lines"] == [{"procedure": "Consulta", "price": "90.00", "discounts": []}]
    assert (run.state, fates(run)) == ("imported", ["new"])


def test_a_future_one_is_booked_by_the_rules(clinic, by, visit, ana):
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    run = imported(clinic, by, [row(monday, "10h", "Confirmado"), row(monday, "23:00"), row(monday, "11:00", "Faltou")])
    assert fates(run) == ["new", "refused", "refused"], sentences(run)
    appointment = Appointment.objects.get()
    assert (appointment.status, appointment.starts_at) == ("confirmed", next_monday(clinic, 10))
    assert "23:00" in sentences(run)[1] or "atende" in sentences(run)[1]
    assert "Ainda não aconteceu" in sentences(run)[2]


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"doctor": "Dr. Ninguém"}, "não é da clínica"),
        ({"what": "Consulta + Nada"}, "não é um procedimento"),
        ({"number": 9}, "Importe antes os pacientes"),
        ({"day": "31/02/2025"}, "não existe"),
        ({"day": "15"}, "dia, mês e ano"),
        ({"day": "03/25/2025"}, "mês/dia"),
        ({"clock": "25:00"}, "não existe"),
        ({"clock": ""}, "falta a hora"),
        ({"status": "talvez"}, "não é uma situação"),
    ],
)
def test_a_row_that_says_no_visit_has_its_sentence(clinic, by, visit, ana, changed, part):
    run = checked(clinic, by, [row(**changed)])
    assert fates(run) == ["refused"] and part in sentences(run)[0], sentences(run)
    assert not Appointment.objects.exists()


def test_patients_are_found_by_number_phone_or_birth(clinic, by, visit, ana):
    make_patient(clinic, name="Ana Lima", cpf=cpf(2), phone="+5581912345672", birth_date="1990-01-02")
    headings = ["Data", "Médico", "Procedimento", "Paciente", "Celular", "Nascimento", "CPF"]
    rows = [
        ["10/03/2025 09:00", "helena prado", "C1", "ANA LIMA", "81 91234-5671"],
        ["11/03/2025 09:00", "CRM 4321", "C1", "Ana Lima", "", "02/01/1990"],
        ["12/03/2025 09:00", "Dr(a). Helena Prado", "consulta", "", "", "", cpf(2)],
        ["13/03/2025 09:00", "Helena Prado", "C1", "Ana Lima"],
        ["14/03/2025 09:00", "Helena Prado", "C1", "Outro Nome", "", "", cpf(1)],
    ]
    run = imported(clinic, by, rows, headings)
    assert fates(run) == ["new", "new", "new", "refused", "refused"], sentences(run)
    cpfs = list(Appointment.objects.order_by("starts_at").values_list("patient__cpf", flat=True))
    assert cpfs == [cpf(1), cpf(2), cpf(2)]
    assert "só o nome não basta" in sentences(run)[3] and "é de outra pessoa" in sentences(run)[4]


def test_rows_in_the_way_of_others_name_both_lines(clinic, by, visit, ana, monkeypatch):
    monkeypatch.setattr(runs, "BATCH", 2)
    make_patient(clinic, name="Rui Sá", cpf=cpf(2))
    other = make_doctor(clinic, name="Dr. Caio Reis", procedures=[visit.procedures.get()])
    run = imported(
        clinic,
        by,
        [
            row(),
            row(),
            row(clock="09:15", number=2),
            row(clock="09:15", doctor=other.full_name),
            row(clock="09:15", status="faltou", number=2),
            row(clock="09:30", number=2),
        ],
    )
    assert fates(run) == ["new", "duplicate", "refused", "refused", "new", "new"], sentences(run)
    assert "linha 2" in sentences(run)[1] and "linha 2" in sentences(run)[2] and "linha 2" in sentences(run)[3]


def test_the_same_file_again_brings_nothing_twice(clinic, by, visit, ana):
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    rows = [row(), row("11/03/2025", status="cancelado pela clínica"), row(monday)]
    imported(clinic, by, rows)
    assert fates(imported(clinic, by, rows)) == ["same"] * 3
    assert Appointment.objects.count() == 3 and Appointment.objects.get(status="cancelled").cancelled_by == "clinic"


def test_a_past_visit_does_not_overlap_a_stored_one(clinic, by, visit, ana):
    imported(clinic, by, [row()])
    make_patient(clinic, cpf=cpf(2))
    run = checked(clinic, by, [row(clock="09:10", number=2)])
    assert fates(run) == ["refused"] and "10/03/2025, das 09:00 às 09:30" in sentences(run)[0]


def test_what_took_the_time_since_the_check_is_respected(clinic, by, visit, ana):
    make_patient(clinic, cpf=cpf(2))
    first, second = checked(clinic, by, [row()]), checked(clinic, by, [row(clock="09:10", number=2), row("11/03/2025")])
    to_the_end(exchange.begin(first.pk, clinic=clinic, by=by), clinic, by)
    second = to_the_end(exchange.begin(second.pk, clinic=clinic, by=by), clinic, by)
    assert fates(second) == ["refused", "new"] and "já está ocupado" in sentences(second)[0]


def test_the_constraints_have_the_last_word(clinic, by, visit, ana):
    visits = [
        booking.PastVisit(
            doctor=visit,
            patient=make_patient(clinic).pk,
            procedures=(visit.procedures.get(),),
            starts_at=start,
            ends_at=start + timedelta(minutes=30),
            status="finished",
        )
        for minute in (0, 30, 40, 60)
        for start in [clinic.instant(timezone.now().date() - timedelta(days=9), time(9 + minute // 60, minute % 60))]
    ]
    made = booking.write_past_visits(clinic, visits, by=by, now=timezone.now())
    assert [appointment is None for appointment in made] == [False, False, True, False]
    assert Appointment.objects.count() == 3 == AppointmentEvent.objects.count()


def test_defaults_of_rows_without_status(clinic, by, visit, ana):
    now = timezone.now()
    with time_machine.travel(clinic.instant(clinic.local(now).date(), time(15)), tick=False):
        imported(clinic, by, [row(), row(f"{clinic.local(now):%d/%m/%Y}", "08:00")])
    assert list(Appointment.objects.order_by("starts_at").values_list("status", flat=True)) == ["finished", "scheduled"]


def test_ends_payers_and_several_procedures_are_read(clinic, by, visit, ana):
    make_procedure(clinic, name="Raio X, tórax", duration_minutes=15)
    payer = make_payer(clinic, name="Saúde Boa")
    headings = ["Data", "Início", "Fim", "Duração", "Médico", "Procedimento", "CPF", "Convênio"]
    rows = [
        ["2025-03-10", "09:00:00", "10:10", "", "Helena Prado", "Consulta + Raio X, tórax", cpf(1), "saude boa"],
        ["2025-03-11", "23:30", "00:30", "", "Helena Prado", "Consulta", cpf(1), "particular"],
        ["2025-03-12", "09:00", "", "20 min", "Helena Prado", "Consulta", cpf(1)],
        ["2025-03-13", "09:00", "", "", "Helena Prado", "Raio X, tórax", cpf(1)],
    ]
    run = imported(clinic, by, rows, headings)
    assert fates(run) == ["new"] * 4, sentences(run)
    found = list(Appointment.objects.order_by("starts_at"))
    assert [(each.ends_at - each.starts_at).seconds // 60 for each in found] == [70, 60, 20, 15]
    assert found[0].payer == payer and found[0].lines.count() == 2


@pytest.mark.parametrize("made_by", [xlsx_by_openpyxl, xlsx_by_xlsxwriter, ods_by_odfpy])
def test_spreadsheets_of_other_programs_are_read(clinic, by, visit, ana, made_by):
    content = made_by([["Data", "Hora", "Médico", "Serviço", "Paciente", "CPF"], ["10/03/2025", "9h30", *row()[2:6]]])
    assert fates(imported(clinic, by, [], content=content)) == ["new"]


def test_taken_back_frees_every_time(clinic, by, visit, ana):
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    run = taken_back(imported(clinic, by, [row(), row(monday)]), clinic, by)
    assert fates(run) == ["taken_back"] * 2
    assert not Appointment.objects.kept().exists()
    assert fates(imported(clinic, by, [row(), row(monday)])) == ["new"] * 2


def test_what_was_touched_since_stays_and_is_named(clinic, by, visit, ana):
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    run = imported(clinic, by, [row(), row(monday), row("11/03/2025")])
    future = Appointment.objects.get(status="scheduled")
    booking.change_status(future.pk, "confirmed", clinic=clinic, by=by)
    run = taken_back(run, clinic, by)
    assert fates(run) == ["taken_back", "kept", "taken_back"] and "já mudou" in sentences(run)[1]
    assert Appointment.objects.kept().get().pk == future.pk


def test_a_history_stays_where_no_import_is_taken_back(clinic, by, visit, ana):
    imported(clinic, by, [row()])
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM clinic_appointmentevent")


def test_an_ordinary_booking_is_not_taken_back(clinic, by, visit, ana):
    own = book_appointment(visit, patient=ana.pk)
    run = imported(clinic, by, [row(f"{clinic.local(own.starts_at):%d/%m/%Y}", "09:00")])
    assert fates(run) == ["same"]
    taken_back(run, clinic, by)
    assert Appointment.objects.get() == own


def test_doctors_and_patients_of_another_clinic_are_unknown(clinic, by, visit, ana):
    other = make_clinic()
    run = checked(other, Author("browser", user=make_manager(other)), [row()])
    assert "não é da clínica" in sentences(run)[0] and "Importe antes" in sentences(run)[0]


@pytest.mark.parametrize(
    ("headings", "part"),
    [(["Hora", "Médico"], "data"), (["Data", "Procedimento"], "médic"), (["Data", "Médico"], "procedimento")],
)
def test_columns_that_are_missing_are_asked_for(clinic, by, headings, part):
    with pytest.raises(ImportRefused, match=part):
        checked(clinic, by, [["x", "y"]], headings)


def test_a_redaction_blanks_the_rows_of_appointments(clinic, by, visit, ana):
    run = imported(clinic, by, [row(notes="segredo")])
    redact_patient(ana.pk, clinic=clinic, by=by, reason="pediu")
    assert "segredo" not in str(list(ImportRow.objects.filter(run=run).values()))


def test_most_future_ones_are_booked_in_several_batches(clinic, by, visit, ana):
    monday = next_monday(clinic)
    rows = [row(f"{clinic.local(monday + timedelta(days=7 * week)):%d/%m/%Y}") for week in range(25)]
    run = checked(clinic, by, rows)
    run = exchange.advance(exchange.begin(run.pk, clinic=clinic, by=by).pk, clinic=clinic, by=by)
    assert (Appointment.objects.count(), run.state) == (20, ImportRun.State.IMPORTING)
    to_the_end(run, clinic, by)
    assert Appointment.objects.count() == 25


@pytest.mark.parametrize(("notes", "part"), [("a\0b", "U+FFFD"), ("x" * 5001, "5001")])
def test_notes_that_cannot_be_stored_are_refused(clinic, by, visit, ana, notes, part):
    run = checked(clinic, by, [row(notes=notes)])
    assert fates(run) == ["refused"] and part in sentences(run)[0], sentences(run)


def test_notes_begin_as_people_like(clinic, by, visit, ana):
    rows = [row(notes="=2+2"), row("11/03/2025", notes="@ana ligou"), row("12/03/2025", notes="'=2+2")]
    assert fates(imported(clinic, by, rows)) == ["new"] * 3
    assert [each.notes for each in Appointment.objects.order_by("starts_at")] == ["=2+2", "@ana ligou", "=2+2"]


@pytest.mark.parametrize(
    ("text", "minutes"), [("0:45", 45), ("00:45:00", 45), ("1h", 60), ("1h30", 90), ("45 min", 45), ("5 horas", 300)]
)
def test_a_duration_is_read_as_it_is_written(clinic, by, visit, ana, text, minutes):
    run = imported(clinic, by, [[*row(), text]], [*HEADINGS, "Duração"])
    assert fates(run) == ["new"], sentences(run)
    appointment = Appointment.objects.get()
    assert appointment.ends_at - appointment.starts_at == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["Consulta/Raio X", "Consulta; Raio X", "Consulta +\nRaio X", "Consulta\nRaio X"])
def test_several_procedures_in_a_cell(clinic, by, visit, ana, text):
    make_procedure(clinic, name="Raio X")
    assert fates(run := imported(clinic, by, [row(what=text)])) == ["new"], sentences(run)
    assert Appointment.objects.get().lines.count() == 2


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("Dr.ª Ana Reis", "Ana Reis"),
        ("Dr.ª Ana Reis", "DRA. ANA REIS"),
        ("Dr.ª Ana Reis", "Dr.ª Ana Reis"),
        ("Nutr. Eva Sá", "Eva Sa"),
        ("Eva Sá", "Nutr. Eva Sá"),
        ("Prof. Doutor Rui Müller", "Prof(a). Rui Muller"),
        ("Fisio. Inês Weiß", "doutora ines weiß"),
        ("Dra. Ana Reis", "Dr.a Ana Reis"),
        ("Dra. Ana Reis", "Prof.(a) Dr.(a) Ana Reis"),
        ("Dra. Ana Reis", "Dr./Dra. Ana Reis"),
    ],
)
def test_doctors_are_found_whatever_title_is_written(clinic, by, ana, stored, written):
    performed = [make_procedure(clinic, name="Consulta")]
    doctor = make_doctor(clinic, name=stored, procedures=performed)
    run = imported(clinic, by, [row(doctor=written)])
    assert fates(run) == ["new"], sentences(run)
    assert Appointment.objects.of(clinic).get().doctor == doctor


def test_a_whole_name_is_meant_before_one_without_title(clinic, by, ana):
    performed = [make_procedure(clinic, name="Consulta")]
    make_doctor(clinic, name="Nutr Infantil", procedures=performed)
    meant = make_doctor(clinic, name="Fono Infantil", procedures=performed, active=False)
    imported(clinic, by, [row(doctor="Fono Infantil")])
    assert Appointment.objects.of(clinic).get().doctor == meant


@pytest.mark.django_db(transaction=True)
def test_what_is_held_is_booked_at_the_next_try(clinic, by, visit, ana, settings):
    settings.LOCK_WAIT_SECONDS = 0.2
    run = checked(clinic, by, [row(day=f"{next_monday(clinic):%d/%m/%Y}")])
    run = exchange.begin(run.pk, clinic=clinic, by=by)
    with held(visit), pytest.raises(Refused) as refused:
        exchange.advance(run.pk, clinic=clinic, by=by)
    assert refused.value.reasons == {Reason.TRY_AGAIN} and fates(run) == ["new"]
    to_the_end(run, clinic, by)
    assert (fates(run), sentences(run)) == (["new"], [""])
    assert Appointment.objects.of(clinic).get().doctor == visit


def test_a_procedure_is_meant_by_its_name_before_a_code(clinic, by, ana):
    other = make_procedure(clinic, name="Avaliação", code="Consulta")
    meant = make_procedure(clinic, name="Consulta", code="C1")
    make_doctor(clinic, name="Dra. Helena Prado", procedures=[other, meant])
    run = imported(clinic, by, [row(what="consulta")])
    assert fates(run) == ["new"], sentences(run)
    assert Appointment.objects.of(clinic).get().lines.get().procedure == meant


def test_a_doctors_name_beside_anothers_number_is_refused(clinic, by, visit, ana):
    make_doctor(clinic, name="Dr. Caio Reis", council_number="CRM-PE 99")
    rows = [[*row(doctor="Dr. Caio Reis"), "4321"], [*row("11/03/2025", doctor="Helena P."), "4321"]]
    run = checked(clinic, by, rows, [*HEADINGS, "CRM"])
    assert fates(run) == ["refused", "new"] and "não é de quem tem o registro" in sentences(run)[0]


def test_a_doubtful_phone_beside_a_number_is_left_out(clinic, by, visit, ana):
    run = checked(clinic, by, [[*row(), "8888"], [*row("11/03/2025", number=9), "8888"]], [*HEADINGS, "Celular"])
    assert fates(run) == ["new", "refused"] and "Importe antes" in sentences(run)[1], sentences(run)


def test_a_sentence_repeats_only_the_beginning_of_a_cell(clinic, by, visit, ana):
    run = checked(clinic, by, [row(what="w" * 9000)])
    assert fates(run) == ["refused"] and len(sentences(run)[0]) < 200


def test_the_clock_is_changed_in_a_visit(clinic, by, visit, ana):
    clinic.time_zone = "Europe/Lisbon"
    clinic.save()
    rows = [row("30/03/2025", "01:30"), row("30/03/2025", "00:40"), row("26/10/2025", "00:30")]
    run = imported(clinic, by, [[*each, "60"] for each in rows], [*HEADINGS, "Duração"])
    assert fates(run) == ["refused", "new", "new"] and "não existiu" in sentences(run)[0], sentences(run)
    assert all(each.ends_at - each.starts_at == timedelta(hours=1) for each in Appointment.objects.all())


def test_an_import_reads_anew_what_changed_since_the_check(clinic, by, visit, ana):
    make_procedure(clinic, name="Raio X")
    gone = visit.procedures.model.objects.get(name="Raio X")
    run = checked(clinic, by, [row(), row("11/03/2025", what="Raio X")])
    gone.delete()
    clinic.time_zone = "America/Noronha"
    clinic.save()
    run = to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
    assert fates(run) == ["new", "refused"] and "não é um procedimento" in sentences(run)[1], sentences(run)
    assert clinic.local(Appointment.objects.get().starts_at).hour == 9


def test_an_import_reads_no_cell_that_the_check_has_read(clinic, by, visit, ana):
    run = checked(clinic, by, [row(status="faltou", notes="ligar antes")])
    stored = run.rows.get()
    stored.cells = ["", "", "", "", "", "", "", stored.cells[7]]
    stored.save()
    to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
    appointment = Appointment.objects.get()
    assert (appointment.status, appointment.notes, appointment.patient) == ("no_show", "ligar antes", ana)


def test_a_patient_merged_since_the_check_is_refused(clinic, by, visit, ana):
    run = checked(clinic, by, [row()])
    ana.merged_into, ana.cpf = make_patient(clinic), None
    ana.save()
    run = to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
    assert fates(run) == ["refused"] and "mudou depois da conferência" in sentences(run)[0]


def test_a_cancelled_one_ahead_has_its_status_since_now(clinic, by, visit, ana):
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    imported(clinic, by, [row(monday, status="cancelado")])
    assert Appointment.objects.get().status_since <= timezone.now()


def test_a_batch_that_breaks_leaves_nothing_behind(clinic, by, visit, ana, monkeypatch):
    rows = [row(), row("11/03/2025"), row("12/03/2025")]
    store, run = runs._store, checked(clinic, by, rows)

    def broken(_rows):
        monkeypatch.setattr(runs, "_store", store)
        raise RuntimeError

    steps = [
        lambda: exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=False, clinic=clinic),
        lambda: exchange.begin(run.pk, clinic=clinic, by=by),
        lambda: exchange.take_back(run.pk, clinic=clinic, by=by),
    ]
    for step, before, after in zip(steps, [0, 0, 3], [0, 3, 0], strict=True):
        run = step()
        monkeypatch.setattr(runs, "_store", broken)
        with pytest.raises(RuntimeError):
            exchange.advance(run.pk, clinic=clinic, by=by)
        assert Appointment.objects.kept().count() == before
        run = to_the_end(run, clinic, by)
        assert Appointment.objects.kept().count() == after
    assert fates(run) == ["taken_back"] * 3


@pytest.mark.django_db(transaction=True)
def test_programs_learn_of_what_was_taken_back(clinic, by, visit, ana):
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    run = imported(clinic, by, [row(notes="segredo"), row(monday)])
    since = settled_until()
    assert changed_appointments(clinic, EARLIEST, since).count() == 2
    taken_back(run, clinic, by)
    changed = list(changed_appointments(clinic, since, settled_until()))
    assert len(changed) == 2 and all(map(appointment_left_at, changed)) and not any(each.notes for each in changed)


PATIENTS = csv_bytes([["Nome", "CPF", "Celular"], ["Ana Lima", cpf(1), "81 91234-5671"], ["Rui Sá", cpf(2)]])


def checked_patients(clinic, by):
    run = exchange.stage(io.BytesIO(PATIENTS), "pacientes.csv", clinic=clinic, by=by)
    run = exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=False, clinic=clinic)
    return to_the_end(run, clinic, by)


def imported_patients(clinic, by):
    return to_the_end(exchange.begin(checked_patients(clinic, by).pk, clinic=clinic, by=by), clinic, by)


def test_patients_taken_back_after_their_visits_are_blank(clinic, by, visit):
    patients, visits = imported_patients(clinic, by), imported(clinic, by, [row()])
    assert fates(taken_back(visits, clinic, by)) == ["taken_back"]
    assert fates(taken_back(patients, clinic, by)) == ["taken_back"] * 2
    left = Patient.objects.get()
    assert left.blocked_at and (left.cpf, left.phone, left.name) == (None, None, "Paciente apagado")
    assert not PatientEvent.objects.exists()
    assert fates(checked_patients(clinic, by)) == ["new"] * 2


def test_a_patient_with_another_visit_stays(clinic, by, visit):
    patients, visits = imported_patients(clinic, by), imported(clinic, by, [row()])
    book_appointment(visit, patient=Patient.objects.get(cpf=cpf(1)).pk)
    taken_back(visits, clinic, by)
    assert fates(taken_back(patients, clinic, by)) == ["kept", "taken_back"]
    assert Patient.objects.get().name == "Ana Lima"


def test_a_visit_that_something_refers_to_stays(clinic, by, visit, ana):
    run = imported(clinic, by, [row()])
    appointment = Appointment.objects.get()
    Memo.objects.create(clinic=clinic, kind="note", appointment=appointment, written_by=by.user, text="ligar")
    assert fates(taken_back(run, clinic, by)) == ["kept"]


@pytest.mark.django_db(transaction=True)
def test_a_booking_and_an_import_want_one_minute(clinic, by, visit, ana):
    monday = next_monday(clinic, 10)
    day = f"{clinic.local(monday):%d/%m/%Y}"
    other = make_patient(clinic, cpf=cpf(2))
    run = checked(clinic, by, [row(day, "10:00")])
    run = exchange.begin(run.pk, clinic=clinic, by=by)
    begin, refused = threading.Barrier(2), []

    def book():
        try:
            begin.wait()
            book_appointment(visit, patient=other.pk, starts_at=monday)
        except Refused as error:
            refused.append(error)
        finally:
            connection.close()

    desk = threading.Thread(target=book)
    desk.start()
    begin.wait()
    run = to_the_end(run, clinic, by)
    desk.join()
    assert Appointment.objects.count() == 1
    assert fates(run) == (["new"] if refused else ["refused"]), sentences(run)


def test_a_time_given_again_after_a_cancellation(clinic, by, visit, ana, monkeypatch):
    monkeypatch.setattr(runs, "BATCH", 1)
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    rows = [row(status="cancelado"), row(status="realizado"), row(monday, status="cancelado"), row(monday)]
    run = imported(clinic, by, [*rows, row(status="realizado")])
    assert fates(run) == ["new"] * 4 + ["duplicate"], sentences(run)
    assert fates(imported(clinic, by, rows)) == ["same"] * 4


def test_what_was_cancelled_here_is_not_brought_again(clinic, by, visit, ana):
    monday = f"{clinic.local(next_monday(clinic)):%d/%m/%Y}"
    imported(clinic, by, [row(monday)])
    booking.change_status(Appointment.objects.get().pk, "cancelled", cancelled_by="patient", clinic=clinic, by=by)
    assert fates(imported(clinic, by, [row(monday)])) == ["same"]


def test_who_came_last_year_is_not_waiting_any_more(clinic, by, visit, ana):
    imported(clinic, by, [row(status="Presente")])
    assert Appointment.objects.get().status == "finished"


def test_a_name_that_is_no_text_or_is_missing_has_one_sentence(clinic, by, visit, ana):
    rows = [row(), row("11/03/2025"), row("12/03/2025", number=9)]
    rows[0][4:6], rows[1][4:6] = ["=cmd", ""], ["", ""]
    run = checked(clinic, by, rows)
    assert sentences(run)[0] == "Nome: é uma fórmula, e não um texto."
    assert sentences(run)[1] == "Paciente: falta o nome ou o número."
    assert f"“{cpf(9)}” não está na clínica" in sentences(run)[2]


@pytest.mark.parametrize("cell", ["/", " + ", ";,"])
def test_a_cell_of_separators_names_no_procedure(clinic, by, visit, cell):
    run = checked(clinic, by, [["02/03/2026", "09:00", "Helena Prado", cell, "Eva Reis", cpf(5)]], HEADINGS[:6])
    assert fates(run) == ["refused"] and "não é um procedimento" in sentences(run)[0]


def test_a_number_of_a_stranger_is_not_read_as_the_namesake(clinic, by, visit, ana):
    headings = ["Data", "Hora", "Profissional", "CRM", "Procedimento", "Paciente", "CPF"]
    row = ["02/03/2026", "09:00", "Helena Prado", "CRM-PE 9", "Consulta", "Ana Lima", cpf(1)]
    run = checked(clinic, by, [row, [*row[:3], "4321", *row[4:]]], headings)
    assert fates(run) == ["refused", "new"], sentences(run)
    assert "não é de quem tem o registro “CRM-PE 9”" in sentences(run)[0]
