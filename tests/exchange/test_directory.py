"""Spreadsheets of procedures and of doctors from the file to the clinic and back."""

import io
from datetime import time
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic import exchange
from clinic.models import Absence, Appointment, ClinicEvent, Doctor, ImportRun, Procedure, RowChange, WorkingHours
from clinic.queries import imports
from clinic.queries.history import sentence_of_clinic
from clinic.refusals import Reason, Refused
from clinic.registry import Author, change_procedure, price_today
from tests.exchange.sheets import csv_bytes
from tests.factories import book_appointment, make_clinic, make_doctor, make_lisbon, make_manager, make_procedure
from tests.locks import held

pytestmark = pytest.mark.django_db
PROCEDURES, DOCTORS = ImportRun.Kind.PROCEDURES, ImportRun.Kind.DOCTORS
OF_PROCEDURES = ["Procedimento", "Duração", "Valor", "Código TUSS", "Preparo"]
OF_DOCTORS = ["Profissional", "CRM", "Especialidade", "Procedimentos", "Horários"]


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def by(clinic):
    return Author("browser", user=make_manager(clinic))


def to_the_end(run, clinic, by):
    while run.is_under_way:
        run = exchange.advance(run.pk, clinic=clinic, by=by)
    return run


def checked(clinic, by, kind, rows, headings=None, *, overwrites=False):
    headings = headings or (OF_PROCEDURES if kind == PROCEDURES else OF_DOCTORS)
    file = io.BytesIO(csv_bytes([headings, *rows]))
    run = exchange.stage(file, "velho.csv", clinic=clinic, by=by, kind=kind)
    assert all(run.columns), run.columns
    run = exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=overwrites, clinic=clinic)
    return to_the_end(run, clinic, by)


def imported(clinic, by, kind, rows, *args, **options):
    run = checked(clinic, by, kind, rows, *args, **options)
    return to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)


@pytest.mark.parametrize(
    ("kind", "rest", "number"), [(PROCEDURES, ["30", "90,00", "", ""], 8), (DOCTORS, [""] * 4, 10)]
)
def test_a_new_row_costs_few_statements(clinic, by, kind, rest, number):
    def statements(*names):
        run = checked(clinic, by, kind, [[name, *rest] for name in names])
        with CaptureQueriesContext(connection) as captured:
            to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
        return len(captured)

    assert (statements("Um", "Dois", "Três") - statements("Quatro")) / 2 == number


def test_a_new_price_costs_few_statements(clinic, by):
    def statements(price, *names):
        run = checked(clinic, by, PROCEDURES, [[name, "30", price, "", ""] for name in names], overwrites=True)
        with CaptureQueriesContext(connection) as captured:
            to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
        return len(captured)

    names = "Um", "Dois", "Três"
    statements("90,00", *names)
    assert (statements("95,00", *names) - statements("99,00", "Um")) / 2 == 15
    assert {event.after["price"] for event in ClinicEvent.objects.filter(kind="directory")} == {
        "90.00",
        "95.00",
        "99.00",
    }


def taken_back(run, clinic, by):
    return to_the_end(exchange.take_back(run.pk, clinic=clinic, by=by), clinic, by)


def fates(run):
    return [row.fate for row in run.rows.order_by("number")]


def sentences(run):
    return [" ".join(row.sentences) for row in run.rows.order_by("number")]


def test_procedures_are_stored_as_they_are_written(clinic, by):
    rows = [
        ["Consulta  inicial", "40 min", "R$ 1.350,00", "10101012", "Trazer exames"],
        ["ECG", "", "95.5", "", ""],
        ["Retorno", "15", "0", "", "null"],
    ]
    run = imported(clinic, by, PROCEDURES, rows)
    assert (run.state, fates(run)) == ("imported", ["new"] * 3)
    stored = (
        Procedure.objects.of(clinic)
        .order_by("pk")
        .values_list("name", "duration_minutes", "price", "code", "preparation", "active")
    )
    assert list(stored) == [
        ("Consulta inicial", 40, Decimal(1350), "10101012", "Trazer exames", True),
        ("ECG", 30, Decimal("95.50"), "", "", True),
        ("Retorno", 15, Decimal(0), "", "", True),
    ]
    change = RowChange.objects.filter(table="procedure", act="added").latest("pk")
    assert (change.clinic, change.row) == (clinic, Procedure.objects.get(name="Retorno").pk)


def test_every_row_of_procedures_has_its_fate(clinic, by):
    make_procedure(clinic, name="ECG", price="95.00", duration_minutes=20, code="7")
    make_procedure(make_lisbon(), name="Consulta")
    run = checked(
        clinic,
        by,
        PROCEDURES,
        [
            ["ecg", "20", "95", "7", ""],
            ["Ecg ", "", "1"],
            ["Consulta", "30", "100"],
            ["Consulta", "20", "90"],
            ["Outro", "20", "90", "7"],
            ["Terceiro", "20", "90", "9"],
            ["Quarto", "20", "90", "9"],
            ["", "20", "90"],
            ["Sem preço", "20", ""],
            ["Curto", "1", "90"],
            ["Barato", "20", "-5"],
            ["Centavo", "20", "1,234"],
            ["=cmd|x", "20", "90"],
            ["x" * 200, "20", "90"],
            ["...", "20", "90"],
        ],
    )
    assert fates(run) == ["same", "duplicate", "new", "duplicate", "refused", "new", *["refused"] * 9]
    parts = ["já é de “ECG”", "", "linha 7", "Falta o nome", "Falta o preço", "minutos", "Preço", "Preço"]
    for sentence, part in zip(sentences(run)[4:], [*parts, "fórmula", "160", "letra"], strict=True):
        assert part in sentence, (part, sentence)
    assert Procedure.objects.of(clinic).count() == 1


def test_a_known_procedure_changes_only_when_asked(clinic, by):
    procedure = make_procedure(clinic, name="ECG", price="95.00", duration_minutes=20, code="")
    row = ["ECG", "25", "110,00", "40101010"]
    run = imported(clinic, by, PROCEDURES, [row], OF_PROCEDURES[:4])
    procedure.refresh_from_db()
    assert (procedure.code, procedure.duration_minutes, price_today(procedure)) == ("40101010", 20, 95)
    assert taken_back(run, clinic, by) and fates(run) == ["taken_back"]
    run = imported(clinic, by, PROCEDURES, [row], OF_PROCEDURES[:4], overwrites=True)
    procedure.refresh_from_db()
    assert (procedure.code, procedure.duration_minutes, price_today(procedure)) == ("40101010", 25, 110)
    labels = imports.changed_labels(run.rows.get(), run.kind)
    changes = {("duração em minutos", "20", "25"), ("preço", "95.00", "110.00"), ("código", "", "40101010")}
    assert set(labels) == changes
    taken_back(run, clinic, by)
    procedure.refresh_from_db()
    assert (procedure.code, procedure.duration_minutes, price_today(procedure)) == ("", 20, 95)


def test_procedures_go_back_where_nothing_uses_them(clinic, by):
    run = imported(
        clinic, by, PROCEDURES, [["Livre", "30", "1"], ["Mudado", "30", "1"], ["Feito", "30", "1"]], OF_PROCEDURES[:3]
    )
    changed, performed = (Procedure.objects.get(name=name) for name in ("Mudado", "Feito"))
    change_procedure(changed.pk, {"price": Decimal(2)}, clinic=clinic, by=by)
    make_doctor(clinic).procedures.add(performed)
    taken_back(run, clinic, by)
    assert fates(run) == ["taken_back", "kept", "kept"]
    assert set(Procedure.objects.of(clinic).filter(pk__in=run.rows.values("procedure_id"))) == {changed, performed}
    assert "já é feito" in sentences(run)[2]


def test_doctors_come_with_procedures_and_hours(clinic, by):
    first, second = make_procedure(clinic, name="Consulta"), make_procedure(clinic, name="ECG, repouso", code="7")
    rows = [
        ["Dra. Helena Prado", "CRM-PE 123", "Cardiologia", "consulta; ECG, repouso", "seg-qua 8-12 13:30-18; sáb 8-12"],
        ["DR RUI SÁ", "", "", "todos", ""],
        ["Ana Lima", "", "", "7", "seg 22-2"],
    ]
    run = imported(clinic, by, DOCTORS, rows)
    assert fates(run) == ["new"] * 3, sentences(run)
    helena, rui, ana = (
        Doctor.objects.get(pk=pk) for pk in run.rows.order_by("number").values_list("doctor_id", flat=True)
    )
    assert (helena.title, helena.name, helena.council_number, helena.specialty) == (
        "a Dra.", "Helena Prado", "CRM-PE 123", "Cardiologia",
    )  # fmt: skip
    assert set(helena.procedures.all()) == set(rui.procedures.all()) == {first, second}
    assert (rui.full_name, ana.full_name, list(ana.procedures.all())) == ("Dr. RUI SÁ", "Ana Lima", [second])
    assert WorkingHours.objects.filter(doctor=helena).count() == 7
    assert helena.hours.filter(weekday=6).values_list("starts", "ends").get() == (time(8), time(12))
    assert book_appointment(helena).doctor == helena


def test_a_doctors_procedure_is_meant_by_name_before_a_code(clinic, by):
    make_procedure(clinic, name="Avaliação", code="Consulta")
    meant = make_procedure(clinic, name="Consulta", code="C1")
    run = imported(clinic, by, DOCTORS, [["Dra. Helena Prado", "", "", "consulta", ""]])
    assert fates(run) == ["new"], sentences(run)
    assert list(Doctor.objects.of(clinic).get().procedures.all()) == [meant]


def test_every_row_of_doctors_has_its_fate(clinic, by):
    make_doctor(clinic, name="Dra. Helena Prado", council_number="PE 1")
    make_doctor(clinic, name="Dr. Rui Sá", specialty="Clínica", council_number="")
    [make_doctor(clinic, name="Dr. Zé Dois") for _ in range(2)]
    run = checked(
        clinic,
        by,
        DOCTORS,
        [
            ["Helena  prado", "PE 1"],
            ["Rui Sá", "PE 2", "Outra", "", "seg 8-12"],
            ["dra. helena prado", "PE 1"],
            ["Nova Costa", "PE 3"],
            ["Nova Outra", "PE 3"],
            ["Quem", "PE 1"],
            ["Zé Dois", ""],
            ["", "PE 9"],
            ["Mal Escrito", "", "", "", "seg 12-8-9 amanhã"],
            ["Sem Nada", "", "", "Botox"],
            ["=1+1", ""],
        ],
    )
    assert fates(run) == ["same", "changed", "duplicate", "new", *["refused"] * 7], sentences(run)
    assert run.rows.get(number=3).changes == {"council_number": ["", "PE 2"]}
    parts = ["", "ficam como estão", "linha 2", "", "na linha 5"]
    parts += ["já é de", "mais de um", "nome", "Horário", "Botox", "fórmula"]
    for sentence, part in zip(sentences(run), parts, strict=True):
        assert part in sentence, (part, sentence)


def test_doctors_go_back_where_nothing_is_booked(clinic, by):
    make_procedure(clinic, name="Consulta")
    rows = [[f"Dra. {name}", "", "", "Consulta", "seg-sex 8-18"] for name in ("Ana Livre", "Bia Booked", "Cris Away")]
    run = imported(clinic, by, DOCTORS, rows)
    _free, booked, away = (Doctor.objects.get(pk=row.doctor_id) for row in run.rows.order_by("number"))
    book_appointment(booked)
    now = timezone.now()
    Absence.objects.create(
        clinic=clinic, doctor=away, starts_at=now, ends_at=now + timezone.timedelta(days=1), reason="x"
    )
    taken_back(run, clinic, by)
    assert fates(run) == ["taken_back", "kept", "kept"]
    assert list(Doctor.objects.of(clinic).order_by("pk")) == [booked, away]
    assert not WorkingHours.objects.exclude(doctor__in=[booked, away]).exists()


def test_a_changed_doctor_gets_the_old_number_back(clinic, by):
    doctor = make_doctor(clinic, name="Dr. Rui Sá", specialty="Clínica", council_number="")
    run = imported(clinic, by, DOCTORS, [["Dra. Rui Sá", "PE 2", "Outra"]], OF_DOCTORS[:3], overwrites=True)
    doctor.refresh_from_db()
    assert (doctor.title, doctor.council_number, doctor.specialty) == ("a Dra.", "PE 2", "Outra")
    taken_back(run, clinic, by)
    doctor.refresh_from_db()
    assert (doctor.title, doctor.council_number, doctor.specialty) == ("o Dr.", "", "Clínica")


@pytest.mark.django_db(transaction=True)
def test_what_is_held_is_taken_back_at_the_next_try(clinic, by, settings):
    settings.LOCK_WAIT_SECONDS = 0.2
    doctor = make_doctor(clinic, name="Dr. Rui Sá", council_number="")
    run = imported(clinic, by, DOCTORS, [["Dr. Rui Sá", "PE 2"]], OF_DOCTORS[:2])
    run = exchange.take_back(run.pk, clinic=clinic, by=by)
    with held(doctor), pytest.raises(Refused) as refused:
        exchange.advance(run.pk, clinic=clinic, by=by)
    assert refused.value.reasons == {Reason.TRY_AGAIN} and fates(run) == ["changed"]
    to_the_end(run, clinic, by)
    doctor.refresh_from_db()
    assert (fates(run), sentences(run), doctor.council_number) == (["taken_back"], [""], "")


def test_a_changed_row_that_names_nobody_stays_as_it_is(clinic, by):
    make_doctor(clinic, name="Dr. Rui Sá", council_number="")
    run = imported(clinic, by, DOCTORS, [["Dr. Rui Sá", "PE 2"]], OF_DOCTORS[:2])
    run.rows.update(doctor_id=None)
    taken_back(run, clinic, by)
    assert (fates(run), sentences(run)) == (["changed"], [""])


def test_what_changed_after_the_check_is_not_imported(clinic, by):
    run = checked(clinic, by, PROCEDURES, [["ECG", "30", "90"]], OF_PROCEDURES[:3])
    make_procedure(clinic, name="ECG", price="80.00")
    run = to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
    assert fates(run) == ["same"] and Procedure.objects.of(clinic).get().price == 80


TITLES = [("a Psic.", "a Psic."), ("Dra.", "a Dra."), ("DRA", "a Dra."), ("psic", None), ("Rei", None)]


@pytest.mark.parametrize(("text", "title"), TITLES)
def test_a_title_of_its_own_column(clinic, by, text, title):
    run = imported(clinic, by, DOCTORS, [["Inês Reis", text]], ["Nome", "Título"])
    assert [doctor.title for doctor in Doctor.objects.of(clinic)] == ([title] if title else [])
    assert fates(run) == ["new" if title else "refused"]


def test_the_commands_import_and_take_back(clinic, tmp_path, capsys):
    path = tmp_path / "procedimentos.csv"
    path.write_bytes(csv_bytes([["Nome", "Preço", "Minutos"], ["ECG", "90", "20"]]))
    call_command("import_procedures", str(path), clinic=clinic.slug, imports=True)
    path.write_bytes(csv_bytes([["Nome", "Procedimentos"], ["Dra. Ana Reis", "ECG"]]))
    call_command("import_doctors", str(path), clinic=clinic.slug, imports=True)
    assert list(Doctor.objects.get().procedures.values_list("name", flat=True)) == ["ECG"]
    for name, kind in (("import_doctors", DOCTORS), ("import_procedures", PROCEDURES)):
        call_command(name, clinic=clinic.slug, take_back=ImportRun.objects.get(kind=kind).pk)
    assert "Desfeito: 1" in capsys.readouterr().out
    assert not Doctor.objects.exists() and not Procedure.objects.exists()


def test_an_import_that_was_interrupted_goes_on_where_it_stood(clinic, by, monkeypatch, capsys):
    monkeypatch.setattr(exchange.runs, "BATCH", 2)
    run = checked(clinic, by, PROCEDURES, [[f"Exame {n}", "30", "1"] for n in range(5)], OF_PROCEDURES[:3])
    exchange.begin(run.pk, clinic=clinic, by=by)
    exchange.advance(run.pk, clinic=clinic, by=by)
    assert Procedure.objects.of(clinic).count() == 2
    call_command("import_procedures", clinic=clinic.slug, resume=run.pk)
    assert "Novo: 5" in capsys.readouterr().out
    assert Procedure.objects.of(clinic).count() == Procedure.objects.values("name").distinct().count() == 5


CELLS = [
    ("Consulta; ECG, Ecocardiograma", ["Consulta", "ECG", "Ecocardiograma"]),
    ("ECG / consulta", ["Consulta", "ECG"]),
    ("Consulta, ECG + Botox", "Botox"),
    (" ; ", "procedimento da clínica"),
]


@pytest.mark.parametrize(("cell", "expected"), CELLS)
def test_a_cell_names_procedures_in_several_ways(clinic, by, cell, expected):
    for name in ("Consulta", "ECG", "Ecocardiograma"):
        make_procedure(clinic, name=name)
    run = checked(clinic, by, DOCTORS, [["Ana Lima", "", "", cell]], OF_DOCTORS[:4])
    if isinstance(expected, str):
        assert fates(run) == ["refused"] and expected in sentences(run)[0]
    else:
        run = to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
        assert [procedure.name for procedure in Doctor.objects.get().procedures.all()] == expected


SEVERAL_TITLES = [
    ("PROF. DR. JOÃO SÁ", "o Prof. Dr.", "JOÃO SÁ"),
    ("Prof. DRA. Eva Sá", "a Profa. Dra.", "Eva Sá"),
    ("Dr. Dr. Rui Sá", "o Dr.", "Rui Sá"),
    ("Prof. Doutor Rui Sá", "o Prof. Doutor", "Rui Sá"),
]


@pytest.mark.parametrize(("written", "title", "name"), SEVERAL_TITLES)
def test_several_titles_before_a_name(clinic, by, written, title, name):
    imported(clinic, by, DOCTORS, [[written]], ["Nome"])
    doctor = Doctor.objects.get()
    assert (doctor.title, doctor.name) == (title, name)


def test_namesakes_are_told_apart_by_their_numbers(clinic, by):
    make_doctor(clinic, name="Dra. Helena Prado", council_number="PE 1")
    rows = [
        ["Helena Prado", "PE 2"],
        ["Helena Prado", "CRM-PE 1"],
        ["Rui Sá", "PE 7"],
        ["Rui Sá", "PE 8"],
        ["Rui Sá", "PE 7"],
    ]
    run = checked(clinic, by, DOCTORS, rows, OF_DOCTORS[:2], overwrites=True)
    assert fates(run) == ["refused", "changed", "new", "refused", "duplicate"], sentences(run)
    assert "tem o registro PE 1, e não PE 2" in sentences(run)[0]
    assert "A linha 4 tem este nome com outro registro" in sentences(run)[3]


def test_two_known_namesakes_are_no_duplicates(clinic, by):
    for number in ("PE 1", "PE 2"):
        make_doctor(clinic, name="Dr. Zé Dois", council_number=number)
    run = checked(clinic, by, DOCTORS, [["Zé Dois", "PE 1"], ["Zé Dois", "PE 2"]], OF_DOCTORS[:2])
    assert fates(run) == ["same", "same"], sentences(run)


def test_a_number_or_name_taken_meanwhile_stays_taken(clinic, by):
    rui = make_doctor(clinic, name="Dr. Rui Sá", council_number="PE 1")
    ecg = make_procedure(clinic, name="ECG", code="7")
    doctors = imported(clinic, by, DOCTORS, [["Rui Sá", "CRM-PE 1"]], OF_DOCTORS[:2], overwrites=True)
    codes = imported(clinic, by, PROCEDURES, [["ECG", "", "", "8"]], OF_PROCEDURES[:4], overwrites=True)
    make_doctor(clinic, name="Dra. Ana Lima", council_number="PE 1")
    make_procedure(clinic, name="Outro", code="7")
    assert fates(taken_back(doctors, clinic, by)) == fates(taken_back(codes, clinic, by)) == ["kept"]
    assert doctors.state == codes.state == "imported"
    rui.refresh_from_db()
    ecg.refresh_from_db()
    assert (rui.council_number, ecg.code) == ("CRM-PE 1", "8")


def test_a_namesake_of_a_procedure_keeps_the_change(clinic, by):
    make_procedure(clinic, name="ECG", price="80.00")
    run = imported(clinic, by, PROCEDURES, [["ECG", "25", "90"]], OF_PROCEDURES[:3], overwrites=True)
    make_procedure(clinic, name="ecg")
    assert fates(taken_back(run, clinic, by)) == ["kept"]


def test_a_limit_that_was_set_since_keeps_the_row(clinic, by):
    procedures = imported(clinic, by, PROCEDURES, [["ECG", "25", "90"]], OF_PROCEDURES[:3])
    doctors = imported(clinic, by, DOCTORS, [["Ana Lima"]], ["Nome"])
    Procedure.objects.update(notice_hours=24)
    Doctor.objects.update(per_day=8)
    assert fates(taken_back(procedures, clinic, by)) == fates(taken_back(doctors, clinic, by)) == ["kept"]


def test_what_only_deleted_visits_name_is_switched_off(clinic, by):
    procedures = imported(clinic, by, PROCEDURES, [["ECG", "30", "90"]], OF_PROCEDURES[:3])
    doctors = imported(clinic, by, DOCTORS, [["Dra. Ana Lima", "", "", "ECG", "seg-sex 8-18"]])
    doctor = Doctor.objects.get()
    visit = book_appointment(doctor)
    Appointment.objects.filter(pk=visit.pk).update(deleted_at=timezone.now())
    assert fates(taken_back(doctors, clinic, by)) == fates(taken_back(procedures, clinic, by)) == ["taken_back"]
    doctor.refresh_from_db()
    assert not doctor.active and not doctor.hours.exists() and not doctor.procedures.exists()
    assert not Procedure.objects.get().active


def test_a_changed_number_is_in_the_history(clinic, by):
    make_doctor(clinic, name="Dr. Rui Sá", council_number="")
    imported(clinic, by, DOCTORS, [["Rui Sá", "PE 2"]], OF_DOCTORS[:2])
    event = ClinicEvent.objects.get(kind="directory")
    assert sentence_of_clinic(event) == "Dr. Rui Sá: registro no conselho de vazio para “PE 2”."


def test_a_duration_is_read_alike_everywhere(clinic, by):
    rows = [["A1 exame", "1h30", "1"], ["B1 exame", "00:20:00", "1"], ["C1 exame", "40 mins", "1"]]
    imported(clinic, by, PROCEDURES, rows, OF_PROCEDURES[:3])
    assert list(Procedure.objects.order_by("name").values_list("duration_minutes", flat=True)) == [90, 20, 40]
