"""The pages of an import: who may, the one address that takes a file, and each sentence in its place."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clinic.models import Appointment, AppointmentEvent, Doctor, ImportRow, ImportRun, Patient, Procedure
from clinic.server import uploads
from tests.exchange.sheets import csv_bytes
from tests.factories import cpf, make_clinic, make_doctor, make_manager, make_patient, make_procedure, make_user

PARTIAL = {"HX-Request": "true"}

pytestmark = pytest.mark.django_db
ROWS = [["Nome", "Telefone", "CPF"], ["Ana Lima", "81 91234-5678", cpf(1)], ["Rui", "1", ""], ["=cmd|x", "", ""]]


def send(client, user, rows=ROWS, name="velho.csv", content=None, **fields):
    file = SimpleUploadedFile(name, csv_bytes(rows) if content is None else content)
    return client.post(reverse("web:import-upload", args=[uploads.ticket(user.pk)]), {"file": file} | fields)


def address(name):
    return reverse(f"web:import-{name}" if name else "web:import", args=[ImportRun.objects.latest("pk").pk])


def chosen(client, **others):
    fields = {"column-0": "name", "column-1": "phone", "column-2": "cpf"}
    return client.post(address("columns"), fields | others)


def advanced(client):
    return client.post(address("advance"), headers=PARTIAL)


def begin(client):
    """Press the button of the page as it is now."""
    seen = re.search(r'name="seen" value="(\w+)"', client.get(address("")).content.decode())[1]
    return client.post(address("begin"), {"seen": seen}, follow=True)


def test_a_spreadsheet_is_brought_and_taken_back(client, manager):
    assert send(client, manager).url == address("columns")
    page = client.get(address("columns")).content.decode()
    assert 'value="cpf" selected' in page and "CSV · UTF-8 · ;" in page
    assert chosen(client).url == address("")
    assert 'hx-trigger="load"' in client.get(address("")).content.decode()
    assert advanced(client)["HX-Redirect"] == address("")
    page = client.get(address("")).content.decode()
    assert "Importar 1 linha" in page and "é uma fórmula" in page and not Patient.objects.exists()
    begin(client)
    assert advanced(client)["HX-Redirect"] == address("")
    patient = Patient.objects.get()
    page = client.get(address("")).content.decode()
    assert reverse("web:patient-detail", args=[patient.pk]) in page and "Desfazer esta importação" in page
    client.post(address("take-back"))
    advanced(client)
    assert not Patient.objects.exists() and "Desfeita" in client.get(address("")).content.decode()


def test_appointments_are_brought_and_taken_back(client, manager):
    doctor, patient = make_doctor(manager.clinic, name="Dra. Helena Prado"), make_patient(manager.clinic)
    row = ["10/03/2025", "9h", "Helena Prado", doctor.procedures.get().name, patient.cpf, "Atendido"]
    rows = [["Data", "Hora", "Médico", "Procedimento", "CPF", "Situação"], row, [*row[:2], "Dr. Nada", *row[3:]]]
    assert 'value="appointments"' in client.get(reverse("web:import-list")).content.decode()
    send(client, manager, rows, kind="appointments")
    page = client.get(address("columns")).content.decode()
    assert 'value="starts_on" selected' in page and 'value="status" selected' in page and 'id="known"' not in page
    fields = ["starts_on", "starts_at", "doctor", "procedure", "cpf", "status"]
    client.post(address("columns"), {f"column-{place}": field for place, field in enumerate(fields)})
    advanced(client)
    page = client.get(address("")).content.decode()
    assert "Importar 1 linha" in page and "Dr. Nada" in page and not Appointment.objects.exists()
    begin(client)
    advanced(client)
    event = AppointmentEvent.objects.get()
    assert (event.channel, event.user, event.appointment.status) == ("browser", manager, "finished")
    assert "os horários ficam livres" in client.get(address("")).content.decode()
    client.post(address("take-back"))
    advanced(client)
    assert not Appointment.objects.kept().exists()


def test_an_unknown_kind_is_read_as_patients(client, manager):
    send(client, manager, kind="cars")
    assert ImportRun.objects.get().kind == "patients"


def test_rows_are_shown_by_fate_and_page(client, manager, monkeypatch):
    monkeypatch.setattr("clinic.queries.imports.ROWS", 2)
    send(client, manager, [ROWS[0], *([f"Pessoa {letter}", "", ""] for letter in "abcde"), ["", "9", ""]])
    chosen(client)
    advanced(client)
    page = client.get(address("")).content.decode()
    assert "Pessoa a" in page and "Pessoa c" not in page and "depois=3" in page
    page = client.get(address(""), {"destino": "new", "depois": "5"}).content.decode()
    assert "Pessoa d" not in page and "Pessoa e" in page and "depois=" not in page
    page = client.get(address(""), {"destino": "refused", "depois": "x"}).content.decode()
    assert "Pessoa e" not in page and "nome do paciente" in page


def test_refused_rows_come_back_as_a_harmless_file(client, manager):
    send(client, manager)
    chosen(client)
    advanced(client)
    answer = client.get(address("refused"))
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert answer["Content-Disposition"].endswith('.csv"') and "no-store" in answer["Cache-Control"]
    assert lines[0] == "Nome;Telefone;CPF;Linha;Por quê" and lines[1].startswith("Rui;1;;3;")
    assert lines[2].startswith("'=cmd|x;;;4;") and "fórmula" in lines[2]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "vazio"),
        (b"Nome;Telefone\n", "títulos"),
        (b"PK\x03\x04x", "danificado"),
        (csv_bytes([["Nome", *("x" * 200)]]), "201 colunas"),
    ],
)
def test_a_file_that_cannot_be_read_has_its_sentence(client, manager, content, sentence):
    answer = send(client, manager, content=content)
    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert not ImportRun.objects.exists() and not ImportRow.objects.exists()


def test_without_a_file_the_page_asks_for_one(client, manager):
    answer = client.post(reverse("web:import-upload", args=[uploads.ticket(manager.pk)]))
    assert answer.status_code == 422 and "Escolha o arquivo" in answer.content.decode()


def test_a_ticket_of_another_user_reads_nothing(client, manager):
    assert send(client, make_manager(manager.clinic)).status_code == 422
    assert not ImportRun.objects.exists()


def test_a_second_import_is_told_to_wait(client, manager):
    for _ in range(2):
        send(client, manager)
        chosen(client)
        advanced(client)
    first, second = ImportRun.objects.order_by("pk")
    client.post(reverse("web:import-begin", args=[first.pk]), {"seen": first.choices})
    answer = client.post(reverse("web:import-begin", args=[second.pk]), {"seen": second.choices}, follow=True)
    assert "ainda não terminou" in answer.content.decode()


def test_columns_without_a_name_are_asked_for_again(client, manager):
    send(client, manager)
    answer = chosen(client, **{"column-0": "", "known": "overwrite"})
    assert answer.status_code == 422 and "nome dos pacientes" in answer.content.decode()
    assert '<option value="overwrite" selected>' in answer.content.decode()


def test_receptionists_import_nothing(client):
    user = make_user(make_clinic())
    client.force_login(user)
    assert client.get(reverse("web:import-list")).status_code == 403
    assert send(client, user).status_code == 403
    assert "importar" not in client.get("/").content.decode()
    client.logout()
    assert send(client, user).status_code == 302
    assert not ImportRun.objects.exists()


def test_no_other_page_reads_a_file(client, manager):
    client.post(reverse("web:patient-list"), {"q": "x", "file": SimpleUploadedFile("a.csv", b"Nome\nAna\n")})
    request = client.post(reverse("web:patient-list"), {"file": SimpleUploadedFile("a.csv", b"x")}).wsgi_request
    assert not request.FILES


def test_a_known_patient_is_named_as_stored(client, manager):
    make_patient(manager.clinic, name="Ana Lima", social_name="Aninha", phone="+5581912345678", cpf=cpf(1))
    send(client, manager)
    chosen(client)
    advanced(client)
    assert re.search(r"Aninha.*Já existe, igual", client.get(address("")).content.decode(), re.DOTALL)


def test_a_file_name_is_shown_as_text(client, manager):
    send(client, manager, name="<b>velho\u202e.csv")
    page = client.get(reverse("web:import-list")).content.decode()
    assert "&lt;b&gt;velho.csv" in page and "<b>velho" not in page


def test_a_discarded_spreadsheet_is_gone(client, manager):
    send(client, manager)
    client.post(address("discard"))
    assert not ImportRun.objects.exists() and not ImportRow.objects.exists()


def test_what_was_not_looked_at_is_not_imported(client, manager):
    send(client, manager)
    chosen(client)
    advanced(client)
    seen = re.search(r'name="seen" value="(\w+)"', client.get(address("")).content.decode())[1]
    chosen(client, known="overwrite")
    advanced(client)
    for sent in ({"seen": seen}, {}):
        page = client.post(address("begin"), sent, follow=True).content.decode()
        assert "As colunas mudaram em outra janela" in page and not Patient.objects.exists()
    begin(client)
    advanced(client)
    assert Patient.objects.exists()


def test_a_second_file_of_a_form_is_dropped(client, manager):
    files = [SimpleUploadedFile(f"{name}.csv", csv_bytes([["Nome"], [name]])) for name in ("um", "dois")]
    client.post(
        reverse("web:import-upload", args=[uploads.ticket(manager.pk)]), {"file": files[0], "another": files[1]}
    )
    assert ImportRun.objects.get().file_name == "um.csv"


def test_a_date_is_shown_as_it_was_read(client, manager):
    send(client, manager, [["Nome", "Nascimento"], ["Ana", "3.3.32"], ["Rui", "05/03/1980"]])
    client.post(address("columns"), {"column-0": "name", "column-1": "birth_date"})
    advanced(client)
    page = client.get(address("")).content.decode()
    assert "3.3.32" not in page and "<bdi>03/03/1932</bdi>" in page and "<bdi>05/03/1980</bdi>" in page


def test_reasons_that_many_rows_share_come_first(client, manager):
    rows = [["Nome", "Telefone", "CPF"], ["=a", "", ""], ["=b", "", ""], ["Ana", "", "123"], ["Rui", "", ""]]
    send(client, manager, rows)
    chosen(client)
    advanced(client)
    page = client.get(address("")).content.decode()
    assert re.search(r"<b>2</b> <span>Nome: é uma fórmula[^<]*</span>", page), page
    assert "<b>1</b> <span>" not in page
    assert 'class="reasons"' not in client.get(address("") + "?destino=new").content.decode()


def test_procedures_and_doctors_go_the_same_way(client, manager):
    make_procedure(manager.clinic, name="ECG", price="95.00")
    page = client.get(reverse("web:import-list")).content.decode()
    assert all(f'value="{kind}"' in page for kind in ImportRun.Kind.values)
    rows = [["Procedimento", "Valor"], ["ECG", "110,00"], ["Consulta", "250,00"], ["", "1"]]
    send(client, manager, rows, kind="procedures")
    page = client.get(address("columns")).content.decode()
    assert 'name="known"' in page and "Preço" in page
    fields = {"column-0": "name", "column-1": "price", "known": "overwrite"}
    client.post(address("columns"), fields)
    advanced(client)
    page = client.get(address("")).content.decode()
    assert "<del><bdi>95.00</bdi></del> → <bdi>110.00</bdi>" in page and "Falta o nome" in page
    begin(client)
    advanced(client)
    assert "O que já mudou depois, ou já é usado, fica" in client.get(address("")).content.decode()
    assert set(Procedure.objects.of(manager.clinic).values_list("name", "price")) == {("ECG", 110), ("Consulta", 250)}
    send(client, manager, [["Profissional", "CRM"], ["Dra. Ana Reis", "PE 1"]], kind="doctors")
    client.post(address("columns"), {"column-0": "name", "column-1": "council_number"})
    advanced(client)
    begin(client)
    advanced(client)
    assert Doctor.objects.of(manager.clinic).get().full_name == "Dra. Ana Reis"
