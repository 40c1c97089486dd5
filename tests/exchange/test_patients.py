"""A spreadsheet of patients from the file to the clinic and back: every row's fate, and what is stored."""

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from clinic import exchange
from clinic.exchange import ImportRefused, runs
from clinic.models import ClinicEvent, Consent, ImportRow, ImportRun, Patient, PatientEvent
from clinic.queries import imports
from clinic.queries.history import sentence_of_clinic
from clinic.registry import (
    Author,
    PatientDetails,
    Policy,
    change_patient,
    record_consent,
    redact_patient,
    request_deletion,
    restrict,
)
from clinic.registry.imported_patients import cleaned_row
from clinic.registry.patients import register_all, register_patient
from tests.exchange.sheets import csv_bytes
from tests.factories import cpf, make_clinic, make_lisbon, make_manager, make_patient, make_payer

pytestmark = pytest.mark.django_db
HEADINGS = ["Paciente", "Celular", "Nascimento", "CPF", "Convênio", "Observações"]


@pytest.fixture
def clinic():
    return make_clinic(area_code="81")


@pytest.fixture
def by(clinic):
    return Author("browser", user=make_manager(clinic))


def staged(clinic, by, rows, headings=HEADINGS):
    return exchange.stage(io.BytesIO(csv_bytes([headings, *rows])), "velho.csv", clinic=clinic, by=by)


def to_the_end(run, clinic, by):
    while run.is_under_way:
        run = exchange.advance(run.pk, clinic=clinic, by=by)
    return run


def checked(clinic, by, rows, headings=HEADINGS, *, overwrites=False, month_first=(), **columns):
    run = staged(clinic, by, rows, headings)
    fields = [columns.get(heading, field) for heading, field in zip(headings, run.columns, strict=True)]
    run = exchange.choose_columns(run.pk, fields, month_first=list(month_first), overwrites=overwrites, clinic=clinic)
    return to_the_end(run, clinic, by)


def imported(clinic, by, rows, *args, **options):
    run = checked(clinic, by, rows, *args, **options)
    return to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)


def taken_back(run, clinic, by):
    return to_the_end(exchange.take_back(run.pk, clinic=clinic, by=by), clinic, by)


def fates(run):
    return [row.fate for row in run.rows.order_by("number")]


def test_every_field_is_stored_as_the_form_would(clinic, by):
    payer = make_payer(clinic, name="Saúde Boa")
    run = imported(clinic, by, [["maria  da Silva", "91234-5678 (mãe)", "5/3/80", cpf(1), "saude boa", "traz exames"]])
    patient = Patient.objects.get()
    assert (patient.name, patient.phone.as_e164, patient.phone_of) == ("maria da Silva", "+5581912345678", "mãe")
    assert (patient.birth_date, patient.cpf, patient.payer, patient.notes) == (
        date(1980, 3, 5), cpf(1), payer, "traz exames",
    )  # fmt: skip
    assert patient.phone_hash
    event = PatientEvent.objects.get(patient=patient)
    assert (event.kind, event.channel, event.user) == ("registered", "browser", by.user)
    assert event.changes["name"] == ["", "maria da Silva"]
    assert (run.state, fates(run)) == ("imported", ["new"])


FILLED = PatientDetails(
    name="Ana Lima",
    phone="81 91234-5678",
    phone_of="mãe",
    second_phone="81 3333-4444",
    second_phone_of="vizinha",
    guardian_name="Rosa Lima",
    guardian_relation="mãe",
    birth_date=date(1980, 3, 5),
    cpf=cpf(1),
    document_type="passport",
    document_number="FX123456",
    document_country="Peru",
    card_number="0123X",
    card_expires_on=date(2031, 3, 4),
    accepts_whatsapp=False,
    email="a@example.org",
    social_name="Aninha",
    notes="traz exames",
    alert="cuidado",
    died=True,
    died_on=date(2020, 3, 4),
)


@pytest.mark.parametrize("details", [FILLED, PatientDetails(name="Ana Lima")])
def test_many_are_stored_as_one_alone(clinic, by, details):
    """But for what two rows never share."""
    if details.card_number:
        details = replace(details, payer_id=make_payer(clinic).pk)
    own = {"id", "uuid", "created_at", "updated_at", "changed_at"}
    names = [field.attname for field in Patient._meta.concrete_fields if field.attname not in own]

    def stored(register):
        with transaction.atomic():
            row = Patient.objects.filter(pk=register().pk).values(*names).get()
            transaction.set_rollback(True)
        return row

    cleaned = cleaned_row(details, clinic)
    assert cleaned.refusals == []
    alone = stored(lambda: register_patient(clinic, details, policy=Policy.SPREADSHEET, by=by))
    assert alone == stored(lambda: register_all(clinic, [cleaned], by=by)[0])
    assert bool(alone["phone_hash"]) == bool(details.phone)


def test_every_row_has_its_fate(clinic, by):
    make_patient(clinic, name="Ana Lima", cpf=cpf(1), phone="+5581912345671", birth_date=date(1980, 1, 2))
    make_patient(clinic, name="Rui Sá", cpf=cpf(2), phone="+5581912345672", birth_date=None)
    run = checked(
        clinic,
        by,
        [
            ["ana lima", "81 91234-5671", "02/01/1980", cpf(1)],
            ["Rui Sá", "81 91234-5672", "03/04/1990", cpf(2)],
            ["Novo Costa", "81 91234-5673", "01/01/1970"],
            ["NOVO COSTA", "(81) 91234-5673", "", cpf(3)],
            ["Novo Costa", "81 91234-5673", "01/01/2001", cpf(4)],
            ["Outro Nome", "", "", cpf(1)],
            ["Sem CPF certo", "", "", "529.982.247-26"],
            ["Data errada", "", "31/02/1990"],
            ["", "81 91234-5679"],
            ["Fórmula", "=cmd|' /C calc'!A0"],
            ["Plano", "", "", "", "Desconhecido"],
        ],
    )
    assert fates(run) == ["same", "changed", "new", "duplicate", "new", *["refused"] * 6]
    rows = list(run.rows.order_by("number"))
    assert imports.changed_labels(rows[1], run.kind) == [("data de nascimento", "", "1990-04-03")]
    assert "linha 4" in rows[3].sentences[0]
    for row, part in zip(
        rows[5:], ["ana lima", "dígitos", "não existe", "nome", "fórmula", "Desconhecido"], strict=True
    ):
        assert part in " ".join(row.sentences), row.sentences
    assert Patient.objects.count() == 2


def test_what_is_stored_changes_only_when_asked(clinic, by):
    patient = make_patient(clinic, name="Ana Lima", cpf=cpf(1), email="velho@example.org", birth_date=None)
    row, headings = ["Ana Lima", cpf(1), "novo@example.org", "02/01/1980"], ["Nome", "CPF", "E-mail", "Nascimento"]
    imported(clinic, by, [row], headings)
    patient.refresh_from_db()
    assert (patient.email, patient.birth_date) == ("velho@example.org", date(1980, 1, 2))
    imported(clinic, by, [row], headings, overwrites=True)
    patient.refresh_from_db()
    assert patient.email == "novo@example.org"


def test_dates_in_three_ways_in_a_column_are_read_one_by_one(clinic, by):
    born = ["25/03/1980", "1980-03-25", "25 de março de 1980", "1980-03-25 00:00:00", "03/04/1980"]
    run = imported(clinic, by, [[f"Pessoa {n}", "", text] for n, text in enumerate(born)])
    assert fates(run) == ["new"] * 5
    days = list(Patient.objects.order_by("name").values_list("birth_date", flat=True))
    assert days == [date(1980, 3, 25)] * 4 + [date(1980, 4, 3)]


def test_where_months_come_first_nothing_is_guessed(clinic, by):
    rows = [
        ["Um", "", "03/25/1980"],
        ["Dois", "", "03/04/1980"],
        ["Três", "", "25/03/1980"],
        ["Quatro", "", "4/4/1980"],
    ]
    run = checked(clinic, by, rows)
    assert fates(run) == ["refused", "refused", "new", "new"]
    run = exchange.choose_columns(run.pk, run.columns, month_first=[2], overwrites=False, clinic=clinic)
    run = to_the_end(run, clinic, by)
    assert fates(run) == ["new", "new", "refused", "new"]
    to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
    assert Patient.objects.get(name="Dois").birth_date == date(1980, 3, 4)


def test_an_export_of_google_contacts_is_understood(clinic, by):
    headings = ["First Name", "Middle Name", "Last Name", "Birthday", "Notes", "E-mail 1 - Value", "Phone 1 - Value"]
    imported(
        clinic, by, [["Ana", "Maria", "Lima", "1980-03-05", "obs", "a@example.org", "+55 81 91234-5678"]], headings
    )
    patient = Patient.objects.get()
    assert (patient.name, patient.email, patient.birth_date) == ("Ana Maria Lima", "a@example.org", date(1980, 3, 5))


def test_a_cpf_without_its_first_zero_is_completed(clinic, by):
    imported(clinic, by, [["Ana", "", "", cpf(12345678).lstrip("0")]])
    assert Patient.objects.get().cpf == cpf(12345678)


def test_the_same_file_again_brings_nobody_twice(clinic, by):
    rows = [
        ["Com telefone", "81 91234-5678"],
        ["Só nome"],
        ["Nome e data", "", "01/02/1980"],
        ["Com CPF", "", "", cpf(1)],
    ]
    imported(clinic, by, rows)
    assert fates(imported(clinic, by, rows)) == ["same"] * 4
    assert Patient.objects.count() == 4


def test_nul_and_lost_letters_are_refused_in_their_row(clinic, by):
    content = b"Nome;Telefone\nAna\0;\nRui;\n"
    run = exchange.stage(io.BytesIO(content), "x.csv", clinic=clinic, by=by)
    run = exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=False, clinic=clinic)
    assert fates(to_the_end(run, clinic, by)) == ["refused", "new"]


def test_a_batch_that_breaks_leaves_nothing_and_goes_on(clinic, by, monkeypatch):
    monkeypatch.setattr(runs, "BATCH", 2)
    run = checked(clinic, by, [[f"Pessoa {number}", "", "", cpf(number)] for number in range(1, 6)])
    run = exchange.begin(run.pk, clinic=clinic, by=by)
    run = exchange.advance(run.pk, clinic=clinic, by=by)
    assert Patient.objects.count() == 2
    with monkeypatch.context() as broken:
        broken.setattr(runs, "_store", lambda rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            exchange.advance(run.pk, clinic=clinic, by=by)
    assert Patient.objects.count() == 2
    assert to_the_end(ImportRun.objects.get(pk=run.pk), clinic, by).state == "imported"
    assert Patient.objects.count() == 5


def test_a_row_that_became_another_since_the_check_says_so(clinic, by):
    known = make_patient(clinic, name="Ana Lima", cpf=cpf(1), email="", birth_date=None)
    rows = [["Ana Lima", cpf(1), "02/01/1980"], ["Rui Sá", cpf(2), ""], ["Zé Reis", cpf(3), ""]]
    run = checked(clinic, by, rows, ["Nome", "CPF", "Nascimento"])
    change_patient(known.pk, {"birth_date": date(1980, 1, 2)}, clinic=clinic, by=by)
    make_patient(clinic, name="Rui Sá", cpf=cpf(2))
    make_patient(clinic, name="Outra Pessoa", cpf=cpf(3))
    run = to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by)
    assert fates(run) == ["same", "same", "refused"]


def test_taken_back_whole_leaves_the_clinic_as_it_was(clinic, by):
    known = make_patient(clinic, name="Ana Lima", cpf=cpf(1), email="", birth_date=None)
    run = imported(clinic, by, [["Ana Lima", "", "02/01/1980", cpf(1)], ["Novo Costa", "81 91234-5678"], ["Só nome"]])
    assert Patient.objects.count() == 3
    run = taken_back(run, clinic, by)
    assert (run.state, run.taken_back_by, fates(run)) == ("taken_back", by.user, ["taken_back"] * 3)
    known.refresh_from_db()
    assert (list(Patient.objects.all()), known.birth_date) == ([known], None)
    assert not PatientEvent.objects.exclude(patient=known).exists()
    assert fates(imported(clinic, by, [["Novo Costa", "81 91234-5678"]])) == ["new"]


def test_what_changed_since_stays_and_is_named(clinic, by):
    known = make_patient(clinic, name="Ana Lima", cpf=cpf(1), email="", birth_date=None)
    headings = ["Nome", "CPF", "Nascimento"]
    run = imported(clinic, by, [["Ana Lima", cpf(1), "02/01/1980"], ["Rui Sá", cpf(2)], ["Zé Reis", cpf(3)]], headings)
    change_patient(known.pk, {"birth_date": date(1980, 1, 3)}, clinic=clinic, by=by)
    change_patient(Patient.objects.get(cpf=cpf(2)).pk, {"notes": "veio hoje"}, clinic=clinic, by=by)
    run = taken_back(run, clinic, by)
    assert fates(run) == ["kept", "kept", "taken_back"]
    assert [row.sentences[0][:20] for row in run.rows.order_by("number")[:2]] == [
        "Não foi desfeito: mu",
        "Não foi desfeito: já",
    ]
    assert set(Patient.objects.values_list("name", flat=True)) == {"Ana Lima", "Rui Sá"}


def test_a_run_is_taken_back_for_thirty_days(clinic, by):
    run = imported(clinic, by, [["Ana"]])
    with time_machine.travel(timezone.now() + timedelta(days=31)), pytest.raises(ImportRefused, match="30 dias"):
        exchange.take_back(run.pk, clinic=clinic, by=by)


def test_a_history_is_deleted_for_a_run_being_taken_back_only(clinic, by):
    imported(clinic, by, [["Ana"]])
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM clinic_patientevent")


def test_two_runs_do_not_write_at_once(clinic, by):
    first, second = checked(clinic, by, [["Ana"]]), checked(clinic, by, [["Rui"]])
    exchange.begin(first.pk, clinic=clinic, by=by)
    with pytest.raises(ImportRefused, match=r"velho\.csv"):
        exchange.begin(second.pk, clinic=clinic, by=by)
    other = make_clinic()
    to_the_end(exchange.begin(checked(other, by, [["Rui"]]).pk, clinic=other, by=by), other, by)
    to_the_end(ImportRun.objects.get(pk=first.pk), clinic, by)
    exchange.begin(second.pk, clinic=clinic, by=by)


@pytest.mark.parametrize(
    ("columns", "part"),
    [({"Paciente": ""}, "nome"), ({"CPF": "phone"}, "duas colunas"), ({"CPF": "died?"}, "duas colunas")],
)
def test_columns_that_do_not_fit_have_a_sentence(clinic, by, columns, part):
    with pytest.raises(ImportRefused, match=part):
        checked(clinic, by, [["Ana"]], **columns)


def test_rows_are_forgotten_after_thirty_days(clinic, by):
    run, never = imported(clinic, by, [["Ana"]]), checked(clinic, by, [["Rui"]])
    assert exchange.forget_rows(timezone.now()) == 0
    assert exchange.forget_rows(timezone.now() + timedelta(days=31)) == 2
    assert not ImportRow.objects.exists()
    assert list(ImportRun.objects.all()) == [run] and never.pk


def test_a_redaction_blanks_the_rows_of_a_patient(clinic, by):
    run = imported(clinic, by, [["Ana Lima", "81 91234-5678", "", cpf(1), "", "segredo"], ["Ana Lima", "", "", cpf(1)]])
    redact_patient(Patient.objects.get().pk, clinic=clinic, by=by, reason="pediu")
    assert "segredo" not in str(list(run.rows.values()))
    assert "Ana" not in str(list(run.rows.values()))


# Known patients: what a row may change ------------------------------------------------------------------------------

WHATSAPP = ["Nome", "CPF", "Aceita WhatsApp"]


@pytest.mark.parametrize(
    ("stored", "cell", "overwrites", "after"),
    [
        (False, "sim", False, False),
        (True, "não", False, True),
        (None, "não", False, False),
        (False, "sim", True, True),
        (True, "não", True, False),
        (False, "", True, False),
    ],
)
def test_an_answer_about_messages_is_an_answer(clinic, by, stored, cell, overwrites, after):
    patient = make_patient(clinic, name="Ana Lima", cpf=cpf(1), accepts_whatsapp=stored)
    run = imported(clinic, by, [["Ana Lima", cpf(1), cell]], WHATSAPP, overwrites=overwrites)
    patient.refresh_from_db()
    assert (patient.accepts_whatsapp, fates(run)) == (after, ["same" if after is stored else "changed"])
    words = {True: "sim", False: "não", None: ""}
    changes = [change[1:] for change in imports.changed_labels(run.rows.get(), run.kind)]
    assert changes == ([] if after is stored else [(words[stored], words[after])])


def test_answers_have_their_proof_and_lose_it_with_the_import(clinic, by):
    rows = [["Ana Lima", cpf(1), "sim"], ["Rui Sá", cpf(2), "não"], ["Zé Reis", cpf(3), ""], ["Eva", cpf(4), "sim"]]
    run = imported(clinic, by, rows, WHATSAPP)
    assert dict(Consent.objects.values_list("patient__name", "answer")) == {
        "Ana Lima": "given", "Rui Sá": "withdrawn", "Eva": "given",
    }  # fmt: skip
    with pytest.raises(Exception, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM clinic_consent")
    eva = Patient.objects.get(name="Eva")
    answer = {"channel": "email", "purpose": "marketing", "answer": "given", "text": "Aceita?", "asked": "phone"}
    record_consent(eva.pk, **answer, clinic=clinic, by=by)
    assert fates(taken_back(run, clinic, by)) == ["taken_back"] * 3 + ["kept"]
    assert set(Consent.objects.values_list("patient__name", flat=True)) == {"Eva"} and Consent.objects.count() == 2


@pytest.mark.parametrize(
    ("stored", "row", "overwrites", "after"),
    [
        ({"card_number": "111"}, ["Outro", "222"], False, ("Bom", "111")),
        ({"card_number": ""}, ["Outro", "222"], False, ("Bom", "")),
        ({"card_number": ""}, ["Bom", "222"], False, ("Bom", "222")),
        ({"card_number": "111"}, ["Outro", "222"], True, ("Outro", "222")),
        ({"card_number": "111"}, ["Outro", ""], True, ("Outro", "")),
        ({"card_number": "111"}, ["", "222"], True, ("Bom", "111")),
    ],
)
def test_a_card_comes_with_its_payer_only(clinic, by, stored, row, overwrites, after):
    payers = {name: make_payer(clinic, name=name) for name in ("Bom", "Outro")}
    patient = make_patient(clinic, name="Ana Lima", cpf=cpf(1), payer=payers["Bom"], **stored)
    imported(clinic, by, [["Ana Lima", cpf(1), *row]], ["Nome", "CPF", "Convênio", "Carteira"], overwrites=overwrites)
    patient.refresh_from_db()
    assert (patient.payer.name, patient.card_number) == after


def test_the_owner_of_a_phone_comes_with_the_phone_only(clinic, by):
    patient = make_patient(clinic, name="Ana Lima", cpf=cpf(1), phone="+5581912345671", phone_of="")
    run = imported(clinic, by, [["Ana Lima", "81 91234-5672 (mãe)", "", cpf(1)]])
    patient.refresh_from_db()
    assert (patient.phone_of, fates(run)) == ("", ["same"])


def test_a_first_phone_is_taken_back(clinic, by):
    patient = make_patient(clinic, name="Ana Lima", cpf=cpf(1), phone=None)
    run = imported(clinic, by, [["Ana Lima", "81 91234-5672", "", cpf(1)]])
    patient.refresh_from_db()
    assert patient.phone and fates(taken_back(run, clinic, by)) == ["taken_back"]
    patient.refresh_from_db()
    assert patient.phone is None


def test_what_cannot_be_taken_back_has_its_own_sentence(clinic, by):
    patient = make_patient(clinic, name="Ana Lima", phone="+5581912345671", cpf=cpf(1))
    number = "123456789"
    Patient.objects.filter(pk=patient.pk).update(health_number=number)
    headings = ["Nome", "CPF", "N.º de utente"]
    run = imported(clinic, by, [["Ana Lima", cpf(1), "987654321"]], headings, overwrites=True)
    assert fates(run) == ["changed"]
    make_patient(clinic, name="Outra Pessoa", health_number=number)
    assert fates(taken_back(run, clinic, by)) == ["kept"]
    assert "Outra Pessoa" in run.rows.get().sentences[0]


# What stays ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [request_deletion, restrict])
def test_who_is_deleted_or_blocked_is_in_no_row(clinic, by, act):
    run = imported(clinic, by, [["Ana Lima", "81 91234-5678", "", cpf(1)], ["Rui Sá", "", "", cpf(2)]])
    again = checked(clinic, by, [["Ana Lima", "81 91234-5678", "31/02/1990"]])
    act(Patient.objects.get(name="Ana Lima").pk, clinic=clinic, reason="pediu", by=by)
    stored = str([*run.rows.values(), *again.rows.values()])
    assert "Ana" not in stored and "5678" not in stored and cpf(1) not in stored and "Rui" in stored


@pytest.mark.parametrize("state", ["importing", "taking_back"])
def test_rows_of_a_run_under_way_are_never_forgotten(clinic, by, state):
    run = checked(clinic, by, [["Ana"]]) if state == "importing" else imported(clinic, by, [["Ana"]])
    (exchange.begin if state == "importing" else exchange.take_back)(run.pk, clinic=clinic, by=by)
    assert exchange.forget_rows(timezone.now() + timedelta(days=99)) == 0
    assert run.rows.count() == 1


def test_an_import_stands_in_the_history_of_the_clinic(clinic, by):
    run = taken_back(imported(clinic, by, [["Ana"], ["Ana"]]), clinic, by)
    events = list(ClinicEvent.objects.order_by("pk"))
    assert [(event.kind, event.user, event.after["state"]) for event in events] == [
        ("import", by.user, state) for state in ("importing", "imported", "taking_back", "taken_back")
    ]
    assert events[1].after["counts"] == {"new": 1, "duplicate": 1} and events[1].after["run"] == run.pk
    assert sentence_of_clinic(events[3]) == "velho.csv: Desfeita (Repetido na planilha 1, Desfeito 1)."


# How rows are read --------------------------------------------------------------------------------------------------


def test_a_known_patient_is_meant_once(clinic, by, monkeypatch):
    monkeypatch.setattr(runs, "BATCH", 2)
    make_patient(clinic, name="Ana Lima", cpf=cpf(1), phone="+5581912345671", birth_date=None, notes="")
    rows = [
        ["Ana Lima", "", "02/01/1980", cpf(1)],
        ["Ana Lima", "81 91234-5671", "", "", "", "traz exames"],
        ["Ana Lima", "81 91234-5671", "02/01/1980", "", "", "de novo"],
    ]
    run = imported(clinic, by, rows)
    assert fates(run) == ["changed", "duplicate", "duplicate"]
    assert all("linha 2" in row.sentences[0] for row in run.rows.order_by("number")[1:])


def test_notes_begin_as_people_like(clinic, by):
    run = imported(clinic, by, [["Ana", "", "", "", "", "@ana no Instagram"], ["Rui", "", "", "", "", "= o de sempre"]])
    assert fates(run) == ["new", "new"]
    assert set(Patient.objects.values_list("notes", flat=True)) == {"@ana no Instagram", "= o de sempre"}


def test_a_part_of_a_name_may_be_a_word_for_nothing(clinic, by):
    rows = [["Nan", "Silva"], ["Christopher", "Null"], ["null", ""], ["-", ""]]
    run = imported(clinic, by, rows, ["First name", "Last name"])
    assert fates(run) == ["new", "new", "refused", "refused"]
    assert set(Patient.objects.values_list("name", flat=True)) == {"Nan Silva", "Christopher Null"}


@pytest.mark.parametrize(
    ("make", "columns"),
    [(make_clinic, ["name", "", ""]), (make_lisbon, ["name", "surname", "guardian_name"])],
    ids=["recife", "lisboa"],
)
def test_headings_mean_what_they_mean_in_the_country(make, columns):
    clinic = make()
    run = staged(clinic, Author("command"), [["Ana", "Nana", "Rosa"]], ["Nome", "Apelido", "Nome da mãe"])
    assert run.columns == columns
